"""Auth tokens: ``deadline:account:key:hex``, or read-only ``ro:account:single|all:expiry:hex``. Pure.

Deadline, account and key are checked, and the signature on demand. Read-only tokens are given out by the exchange,
which knows all that it gave: no key has signed them. They open what reads, and nothing that changes.
"""

from lighter_hedge.simulator.core.exchange import Exchange
from lighter_hedge.simulator.edge.numerals import whole_number
from lighter_hedge.simulator.signing.signatures import token_is_signed

AHEAD_MAX_SECONDS = 8 * 3600
"""A token whose deadline is further ahead becomes usable only in its last eight hours."""


class AuthError(Exception):
    """A token that does not open this account."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = 20013
        self.message = f"invalid auth: {message}"


def check_token(
    exchange: Exchange, token: str, account_index: int, now_us: int, *, verify: bool = False, writes: bool = False
) -> None:
    """Check that a token opens an account; with ``verify`` also its signature, and for what ``writes``.

    Raises:
        AuthError: it does not; the message says why and holds nothing of the token.
    """
    parts = token.split(":")
    if exchange.faults.active("token_expired", now_us, account_index) is not None:
        raise AuthError("invalid deadline")
    if parts[0] == "ro":
        if writes:
            raise AuthError("read-only token")
        _check_read_only(exchange, parts, account_index, now_us)
        return
    if len(parts) != 4:
        raise AuthError("invalid format")
    deadline, holder, api_key_index = (whole_number(part) for part in parts[:3])
    if deadline is None or holder is None or api_key_index is None:
        raise AuthError("invalid format")
    if not now_us < deadline * 1_000_000 <= now_us + AHEAD_MAX_SECONDS * 1_000_000:
        raise AuthError("invalid deadline")
    account = exchange.state.accounts.get(holder)
    if account is None or holder != account_index:
        raise AuthError("invalid account index")
    if api_key_index not in account.keys or exchange.key_revoked(holder, api_key_index, now_us):
        raise AuthError("api key not found")
    if verify and not token_is_signed(token, account.keys[api_key_index].public_key):
        raise AuthError("invalid signature")


def _check_read_only(exchange: Exchange, parts: list[str], account_index: int, now_us: int) -> None:
    if len(parts) != 5:
        raise AuthError("invalid format")
    holder_index, expiry = whole_number(parts[1]), whole_number(parts[3])
    if holder_index is None or expiry is None:
        raise AuthError("invalid format")
    if expiry * 1_000_000 <= now_us:
        raise AuthError("invalid deadline")
    accounts = exchange.state.accounts
    holder, target = accounts.get(holder_index), accounts.get(account_index)
    if holder is None or target is None:
        raise AuthError("invalid account index")
    same_wallet = parts[2] == "all" and holder.l1_address == target.l1_address
    if holder is not target and not same_wallet:
        raise AuthError("invalid account index")
    text = ":".join(parts)
    made = next((one for one in holder.tokens if one.text == text), None)
    if made is None:
        raise AuthError("unknown token")
    if made.revoked:
        raise AuthError("token revoked")


def holder_of(token: str) -> int | None:
    """Account index that a token names, unchecked; None if it names none."""
    parts = token.split(":")
    return whole_number(parts[1]) if len(parts) in (4, 5) else None

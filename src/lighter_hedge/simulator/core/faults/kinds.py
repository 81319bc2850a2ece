"""Every kind of fault by name: what it does, what it takes. Pure data; ``docs/paper-exchange.md`` shows the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lighter_hedge.simulator.core.orders import OrderStatus

NUMBER_MAX = 2**60
"""No parameter is larger: order indices are below it."""
SENDS, READS, BOTH = "sends", "reads", "both"
API, SEQUENCER = "api", "sequencer"
CHANNELS = (
    "order_book",
    "ticker",
    "trade",
    "market_stats",
    "candle",
    "height",
    "account_all_orders",
    "account_orders",
    "user_stats",
    "account_all",
    "account_all_trades",
    "account_all_positions",
    "account_all_assets",
    "account_market",
    "account_tx",
    "notification",
)
"""Channels of the stream that a fault of frames can name."""
ENDS = tuple(status.value for status in OrderStatus if status.value.startswith("canceled"))

Check = Callable[[object], str | None]
"""Says what a value must be, if it is not that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of fault."""

    effect: str
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    """What it may have besides what it needs and what all have."""
    lasts: bool = False
    """Whether it stays armed until it is disarmed, where neither ``count`` nor ``seconds`` is given."""
    is_state: bool = False
    """Whether it is so all the time while it is armed: then it strikes nothing, and takes no dice."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Its own parameters."""
        return self.needs + self.takes


def _is_number(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _whole(low: int, high: int = NUMBER_MAX) -> Check:
    def check(value: object) -> str | None:
        if not _is_number(value, low, high):
            return f"a number of at least {low} and at most {high}"
        return None if isinstance(value, int) else "a whole number"

    return check


def _number(high: float) -> Check:
    return lambda value: None if _is_number(value, 0, high) else f"a number of at least 0 and at most {high}"


def _one_of(*words: str | int) -> Check:
    return lambda value: None if value in words else f"one of {', '.join(map(str, words))}"


def _text(value: object) -> str | None:
    return None if isinstance(value, str) else "text"


COMMON: Mapping[str, Check] = {"count": _whole(1), "seconds": _number(NUMBER_MAX), "probability": _number(1)}
"""What every kind takes, besides ``account`` and ``market``."""
PARAMETERS: Mapping[str, Check] = {
    "api_key_index": _whole(0),
    "becomes": _one_of(*ENDS),
    "channel": _one_of(*CHANNELS),
    "close_code": _whole(1000, 4999),
    "close_in_ms": _whole(0),
    "code": _whole(1),
    "delay_ms": _whole(0),
    "for_seconds": _number(NUMBER_MAX),
    "lots": _whole(1),
    "message": _text,
    "of": _one_of(SENDS, READS, BOTH),
    "order_index": _whole(1),
    "stage": _one_of(API, SEQUENCER),
    "status": _whole(400, 599),
}
"""What some kinds take, and what each must be."""

KINDS: Mapping[str, Kind] = {
    # Transactions, at the API and in the sequencer.
    "reject": Kind(effect="the next transaction is refused with a code", needs=("code",), takes=("message",)),
    "margin_refusal": Kind(
        effect="the next new order lacks margin: 21739 at the API, or cancelled by the sequencer", takes=("stage",)
    ),
    "late_execution": Kind(effect="the next transaction is accepted now and runs later", needs=("delay_ms",)),
    "accept_then_cancel": Kind(effect="the next new order is accepted, then cancelled unfilled", takes=("becomes",)),
    "accept_then_refuse": Kind(
        effect="the next transaction is accepted, then does nothing; its ``ae`` tells",
        needs=("code",),
        takes=("message",),
    ),
    "accept_then_return": Kind(
        effect="the next transaction is accepted, then fails: its nonce is free again, those behind it fail too"
    ),
    "key_revoked": Kind(
        effect="transactions and tokens of the account are refused with 21109",
        takes=("api_key_index",),
        lasts=True,
        is_state=True,
    ),
    "halted": Kind(effect="new orders are refused with 21605", lasts=True, is_state=True),
    # Fills.
    "fill_now": Kind(effect="a resting order is filled", takes=("lots", "delay_ms", "order_index")),
    "part_fill": Kind(effect="a resting order is filled in part", needs=("lots",), takes=("delay_ms", "order_index")),
    "two_trades": Kind(effect="the next ``fill_now`` is two trades in one frame"),
    "cancel_race": Kind(effect="the next cancel runs only after its order was filled", takes=("lots",)),
    "late_fill": Kind(effect="an order is filled after its cancel was reported", takes=("lots", "delay_ms")),
    # What the venue does to an account.
    "liquidation": Kind(effect="orders are cancelled and a position is liquidated", takes=("lots", "delay_ms")),
    "adl": Kind(effect="a position is deleveraged", takes=("lots", "delay_ms")),
    # Requests and their answers.
    "too_many_requests": Kind(effect="the next request is refused with 429", takes=("status", "of")),
    "error_before": Kind(effect="the next request fails with 5xx and was not carried out", takes=("status", "of")),
    "error_after": Kind(effect="the next transaction runs, the answer is a 5xx", takes=("status",)),
    "lose_request": Kind(effect="the next request is lost: it is not carried out and not answered", takes=("of",)),
    "lose_answer": Kind(effect="the transaction runs, the answer never comes"),
    "drop_before": Kind(effect="the connection breaks before the next request is carried out", takes=("of",)),
    "drop_after": Kind(effect="the connection breaks after the next transaction was carried out"),
    "delay_answer": Kind(effect="the answer to the next request comes late", needs=("delay_ms",), takes=("of",)),
    "bare_answer": Kind(effect="the answer to the next transaction is its code alone"),
    "history_lag": Kind(
        effect="REST orders, trades and transactions hide the newest ``seconds``",
        needs=("seconds",),
        takes=("for_seconds",),
        lasts=True,
        is_state=True,
    ),
    "account_error": Kind(effect="``account`` reads answer 500", lasts=True),
    "token_expired": Kind(effect="auth tokens of the account are refused as expired", lasts=True, is_state=True),
    # Frames and sockets.
    "late_frames": Kind(effect="frames come late; those behind overtake", needs=("delay_ms",), takes=("channel",)),
    "lose_frames": Kind(effect="frames are lost", takes=("channel",)),
    "swap_frames": Kind(effect="a frame comes after the one behind it", takes=("channel",)),
    "duplicate_frames": Kind(
        effect="frames come twice, and old ones again on subscribing", takes=("channel",), lasts=True
    ),
    "book_gap": Kind(effect="a batch of the book is lost: the next begins beyond it"),
    "disconnect": Kind(effect="the account's sockets are dropped now, or closed with a code", takes=("close_code",)),
    "shutdown": Kind(effect="the account's sockets are told that they end, then closed", takes=("close_in_ms",)),
    "refuse_subscribe": Kind(effect="the next subscription is refused with a code", needs=("code",)),
}

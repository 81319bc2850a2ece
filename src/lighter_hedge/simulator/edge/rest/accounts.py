"""REST endpoints of accounts: what they hold, their keys, tokens, tier, and what they have earned and paid."""

import hashlib
import json
from collections import deque

from lighter_hedge.simulator.core import reads
from lighter_hedge.simulator.core.accounts import FEE_SCALE, Account, ApiToken, Tier
from lighter_hedge.simulator.core.candles import RESOLUTIONS_MS, start_ms
from lighter_hedge.simulator.core.orders import Trade
from lighter_hedge.simulator.core.records import PositionFunding
from lighter_hedge.simulator.edge import wire_history, wire_rest
from lighter_hedge.simulator.edge.numerals import whole_number
from lighter_hedge.simulator.edge.rest.context import Context
from lighter_hedge.simulator.edge.rest.query import PAGE_MAX, ApiError, Query, invalid, not_found
from lighter_hedge.simulator.edge.wire import Json
from lighter_hedge.simulator.edge.wire_rest import ok

ALL_KEYS = 255
TIER_HOURS = 24
"""A tier stays at least this long."""
TOKENS_MAX = 10
TOKEN_SECONDS = (86_400, 10 * 365 * 86_400)
"""A read-only token lives for a day at least, and for ten years at most."""
NAME_LENGTH_MAX = 100
PROFIT_RESOLUTIONS = ("1m", "5m", "15m", "1h", "4h", "1d")
PROFITS_MAX = 500
FORCED = ("liquidation", "deleverage")


class Accounts(Context):
    """What is an account's own needs its token."""

    def account(self, query: Query) -> Json:
        """``account`` by index or L1 address."""
        found = self.accounts_by(query)
        for one in found:
            if self.venue.strike("account_error", one.account_index):
                raise ApiError(29500, "internal server error", 500)
        active_only = query.flag("active_only", default=False)
        rows = [wire_rest.account_detail(self.state, one, active_only=active_only) for one in found]
        page = query.page("accounts", rows, default=PAGE_MAX)
        return {"total": len(rows), "next_cursor": "", **page}

    def by_l1_address(self, query: Query) -> Json:
        """``accountsByL1Address``."""
        address = query.text("l1_address")
        rows = [wire_rest.account_brief(self.state, one) for one in self.of_wallet(address)]
        return {"l1_address": address, **query.page("sub_accounts", rows, default=PAGE_MAX)}

    def metadata(self, query: Query) -> Json:
        """``accountMetadata``."""
        rows = [wire_rest.account_metadata(one) for one in self.accounts_by(query)]
        return query.page("account_metadatas", rows, default=PAGE_MAX)

    def set_metadata(self, query: Query) -> Json:
        """``setAccountMetadata``: the color of an account of the same wallet; a JSON body."""
        master = self.holder(query)
        target = self.venue.account(query.integer("target_account_index"))
        query.integer("master_account_index")
        query.integer("api_key_index", most=ALL_KEYS)
        if target is None or target.l1_address != master.l1_address:
            raise ApiError(21100, "account not found")
        try:
            wanted = json.loads(query.text("metadata"))
        except (ValueError, RecursionError):
            raise invalid("metadata") from None
        color = wanted.get("color", "") if isinstance(wanted, dict) else None
        if not isinstance(color, str) or len(color) > NAME_LENGTH_MAX:
            raise invalid("metadata")
        target.color = color
        return self._changed(target)

    def _changed(self, *accounts: Account) -> Json:
        for account in accounts:
            self.state.note_account(account)
        self.venue.save()
        return ok()

    # --- keys and tokens ---

    def api_keys(self, query: Query) -> Json:
        """``apikeys``: one key, or all with 255 or without index."""
        account = self.account_named(query)
        wanted = query.integer("api_key_index", ALL_KEYS, most=ALL_KEYS)
        now_us = self.venue.now_us()
        indexes = [
            index
            for index in sorted(account.keys)
            if wanted in (index, ALL_KEYS) and not self.venue.exchange.key_revoked(account.account_index, index, now_us)
        ]
        if not indexes:
            raise ApiError(21109, "api key not found")
        return wire_rest.api_keys(account, indexes)

    def maker_only_keys(self, query: Query) -> Json:
        """``getMakerOnlyApiKeys``."""
        return ok(api_key_indexes=self.own_account(query).maker_only_keys)

    def set_maker_only_keys(self, query: Query) -> Json:
        """``setMakerOnlyApiKeys``: a JSON list that replaces the last one. It is kept and shown, not enforced."""
        account = self.own_account(query)
        try:
            wanted = json.loads(query.text("api_key_indexes"))
        except (ValueError, RecursionError):
            raise invalid("api_key_indexes") from None
        if not isinstance(wanted, list) or any(type(one) is not int or one not in account.keys for one in wanted):
            raise invalid("api_key_indexes")
        account.maker_only_keys = sorted(set(wanted))
        return self._changed(account)

    def tokens(self, query: Query) -> Json:
        """``tokens``: the read-only tokens that an account has made."""
        account = self.own_account(query)
        return ok(api_tokens=[_token(account, one) for one in account.tokens])

    def create_token(self, query: Query) -> Json:
        """``tokens/create``: ``expiry`` is in seconds since 1970."""
        account, name = self.own_account(query), query.text("name")
        expiry_s, access = query.integer("expiry"), query.flag("sub_account_access")
        left = expiry_s - self.venue.now_us() // 1_000_000
        if len(name) > NAME_LENGTH_MAX or len(query.text("scopes", "")) > NAME_LENGTH_MAX:
            raise invalid("name or scopes")
        if not TOKEN_SECONDS[0] <= left <= TOKEN_SECONDS[1]:
            raise invalid("expiry")
        if sum(not one.revoked for one in account.tokens) >= TOKENS_MAX:
            raise invalid("too many api tokens")
        token_id = 1 + sum(len(one.tokens) for one in self.state.accounts.values())
        seed = f"{account.account_index}:{token_id}:{expiry_s}".encode()
        kind = "all" if access else "single"
        made = ApiToken(
            token_id=token_id,
            text=f"ro:{account.account_index}:{kind}:{expiry_s}:{hashlib.sha256(seed).hexdigest()}",
            name=name,
            expiry_s=expiry_s,
            sub_account_access=access,
            scopes=query.text("scopes", ""),
        )
        account.tokens.append(made)
        self._changed(account)
        return ok(**_token(account, made))

    def revoke_token(self, query: Query) -> Json:
        """``tokens/revoke``."""
        account, token_id = self.own_account(query), query.integer("token_id")
        made = next((one for one in account.tokens if one.token_id == token_id), None)
        if made is None:
            raise not_found("api token")
        made.revoked = True
        self._changed(account)
        return ok(token_id=token_id, revoked=True)

    # --- tier ---

    def limits(self, query: Query) -> Json:
        """``accountLimits``."""
        return wire_rest.account_limits(self.own_account(query))

    def change_tier(self, query: Query) -> Json:
        """``changeAccountTier`` of the whole wallet: without positions and orders, once in 24 hours.

        The codes 62001 to 62006 are of the tier; which is for what is not known.
        """
        account = self.own_account(query)
        names = {tier.value: tier for tier in Tier if tier is not Tier.UNLIMITED}
        tier = names[query.choice("new_tier", names)]
        wallet = self.of_wallet(account.l1_address)
        now_us = self.venue.now_us()
        if any(one.tier is tier for one in wallet):
            raise ApiError(62001, "account is already in this tier")
        if any(self.state.open_of[one.account_index] for one in wallet):
            raise ApiError(62002, "account has open orders")
        if any(position.lots for one in wallet for position in one.positions.values()):
            raise ApiError(62003, "account has open positions")
        if any(one.tier_changed_us and now_us - one.tier_changed_us < TIER_HOURS * 3_600_000_000 for one in wallet):
            raise ApiError(62004, "account tier was changed in the last 24 hours")
        for one in wallet:
            one.tier, one.tier_changed_us = tier, now_us
        self.venue.limiter.tiers[self.venue.who(account.account_index, "")] = tier
        return self._changed(*wallet)

    # --- what has been earned and paid ---

    def position_funding(self, query: Query) -> Json:
        """``positionFunding``, newest first."""
        account = self.own_account(query)
        side = query.choice("side", ("all", "long", "short"), "all")
        first, last = query.span_ms(0, 5_000_000_000_000)
        markets = [self.known_market(index) for index in query.integers("market_ids")]
        found = [
            wire_history.position_funding(one, self.state.markets)
            for one in reversed(self._fundings(account))
            if first <= one.time_us // 1000 <= last and (not markets or one.market_index in markets)
        ]
        return query.page("position_fundings", [row for row in found if side in ("all", row["position_side"])])

    def _fundings(self, account: Account) -> deque[PositionFunding]:
        return self.state.position_fundings.get(account.account_index, deque())

    def liquidations(self, query: Query) -> Json:
        """``liquidations``: trades that the venue has made for the account, newest first."""
        index = self.own_account(query).account_index
        found = reads.trades(self.state, index, self.cutoff(index), self.market_or_none(query))
        forced = [one for one in found if one.kind in FORCED]
        return query.page("liquidations", [wire_history.liquidation(one, self.state.markets) for one in forced])

    def pnl(self, query: Query) -> Json:
        """``pnl``: for each span what trading has brought since the beginning, fees and funding included."""
        query.choice("by", ("index",))
        index = whole_number(query.text("value"))
        account = None if index is None else self.venue.account(index)
        if account is None:
            raise ApiError(21100, "account not found")
        self.check(query, account)
        resolution = query.choice("resolution", PROFIT_RESOLUTIONS)
        first, last = query.span_ms()
        count = min(query.integer("count_back"), PROFITS_MAX) or PROFITS_MAX
        query.flag("ignore_transfers", default=False)
        rows = self._profits(account, resolution, first, min(last, self.venue.now_us() // 1000))
        return ok(resolution=resolution, pnl=rows[max(0, len(rows) - count) :])

    def _profits(self, account: Account, resolution: str, first_ms: int, last_ms: int) -> list[Json]:
        index, length = account.account_index, RESOLUTIONS_MS[resolution]
        changes = [(one.time_us // 1000, *_brought(one, index)) for one in self.state.trades_of[index]]
        changes += [(one.time_us // 1000, one.change, 0) for one in self._fundings(account)]
        changes.sort()
        created_ms = account.created_us // 1000
        deposit = account.collateral - sum(profit for _, profit, _ in changes)
        at_ms = start_ms(max(first_ms, created_ms, last_ms - PROFITS_MAX * length), resolution)
        rows, total, later = [], 0, iter([*changes, (last_ms + length + 1, 0, 0)])
        when, profit, quote = next(later)
        while at_ms <= last_ms:
            end, volume = at_ms + length, 0
            while when < min(end, last_ms + length):
                total += profit
                volume += quote if when >= at_ms else 0
                when, profit, quote = next(later)
            inflow = deposit if at_ms <= created_ms < end else 0
            rows.append(wire_history.profit(at_ms, total, inflow, volume))
            at_ms = end
        return rows


def _brought(trade: Trade, account_index: int) -> tuple[int, int]:
    """Profit after fees, and the traded quote, of one account in one trade."""
    own = [side for side in (trade.maker, trade.taker) if side.account_index == account_index]
    fees = sum(trade.quote * side.fee // FEE_SCALE for side in own)
    return sum(side.realized_pnl for side in own) - fees, trade.quote * len(own)


def _token(account: Account, one: ApiToken) -> Json:
    return {
        "token_id": one.token_id,
        "api_token": one.text,
        "name": one.name,
        "account_index": account.account_index,
        "expiry": one.expiry_s,
        "sub_account_access": one.sub_account_access,
        "revoked": one.revoked,
        "scopes": one.scopes,
    }

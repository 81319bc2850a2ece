"""REST endpoints of orders and trades. All lists come newest first."""

from dataclasses import dataclass

from lighter_hedge.simulator.core import reads
from lighter_hedge.simulator.core.orders import Order, Trade
from lighter_hedge.simulator.edge import wire_history
from lighter_hedge.simulator.edge.numerals import whole_number
from lighter_hedge.simulator.edge.rest.context import Context
from lighter_hedge.simulator.edge.rest.query import Query, invalid, milliseconds
from lighter_hedge.simulator.edge.wire import Json
from lighter_hedge.simulator.edge.wire_rest import ok

MARKET_TYPES = ("all", "perp", "spot", "binary_options")
TRADE_TYPES = ("all", "trade", "liquidation", "deleverage", "market-settlement")
CLIENT_INDEXES_MAX = 20
NO_FILTER = -1


class Orders(Context):
    """Orders of an account; trades of an account and of everybody."""

    def active(self, query: Query) -> Json:
        """``accountActiveOrders``: of one market or of all."""
        return ok(orders=self._rows([one for one in self._of_account(query) if one.is_alive]))

    def inactive(self, query: Query) -> Json:
        """``accountInactiveOrders``, a page; ``between_timestamps`` is ``start-end`` or ``start,end``."""
        first, last = _between(query)
        is_ask = _ask_filter(query)
        found = [
            one
            for one in self._of_account(query)
            if not one.is_alive
            and first <= one.updated_us // 1000 <= last
            and (is_ask is None or is_ask == (one.side.sign < 0))
        ]
        return query.page("orders", self._rows(found))

    def by_client_indexes(self, query: Query) -> Json:
        """``accountOrders``: by client order indexes; the account is the token's where none is named."""
        account = self.own_account(query) if query.values.get("account_index") else self.holder(query)
        query.text("client_order_indexes")
        wanted = set(query.integers("client_order_indexes", most=CLIENT_INDEXES_MAX))
        index = account.account_index
        return ok(orders=self._rows(reads.by_client_indexes(self.state, index, self.cutoff(index), wanted)))

    def _of_account(self, query: Query) -> list[Order]:
        index = self.own_account(query).account_index
        market = self.market_or_none(query)
        if query.choice("market_type", MARKET_TYPES, "all") not in ("all", "perp"):
            return []
        return reads.orders(self.state, index, self.cutoff(index), market)

    def _rows(self, orders: list[Order]) -> list[Json]:
        return [wire_history.order(one, self.state.markets) for one in orders]

    def recent_trades(self, query: Query) -> Json:
        """``recentTrades`` of one market."""
        trades = list(self.state.market_states[self.market(query)].trades)[: query.limit()]
        return ok(trades=[wire_history.trade(one, self.state.markets) for one in trades])

    def trades(self, query: Query) -> Json:
        """``trades``: a page of an account's with its token, else of everybody's."""
        query.choice("sort_by", ("block_height", "timestamp", "trade_id"))
        own = query.integer("account_index", NO_FILTER) != NO_FILTER
        account = self.own_account(query).account_index if own else None
        wanted = _trade_filter(query, account)
        found = [one for one in self._trades(query, account) if wanted.wants(one)]
        if query.choice("sort_dir", ("asc", "desc"), "desc") == "asc":
            found.reverse()
        return query.page("trades", [wire_history.trade(one, self.state.markets) for one in found])

    def _trades(self, query: Query, account_index: int | None) -> list[Trade]:
        market = self.market_or_none(query)
        if query.choice("market_type", MARKET_TYPES, "all") not in ("all", "perp"):
            return []
        if account_index is not None:
            return reads.trades(self.state, account_index, self.cutoff(account_index), market)
        states = [state for index, state in self.state.market_states.items() if market in (None, index)]
        every = [trade for state in states for trade in state.trades]
        return sorted(every, key=lambda trade: trade.trade_id, reverse=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeFilter:
    """Which trades are wanted; ``role`` and ``is_ask`` are about the account's own side."""

    account_index: int | None
    kind: str
    role: str
    is_ask: bool | None
    order_index: int
    since: int

    def wants(self, trade: Trade) -> bool:
        """Whether a trade passes."""
        return (
            self.kind in ("all", trade.kind)
            and self._own_side(trade)
            and self.order_index in (0, trade.ask.order_index, trade.bid.order_index)
            and trade.trade_id >= self.since
        )

    def _own_side(self, trade: Trade) -> bool:
        if self.account_index is None:
            return True
        sides = [trade.ask] if self.is_ask else [trade.bid] if self.is_ask is False else [trade.ask, trade.bid]
        roles = {"maker": [trade.maker], "taker": [trade.taker]}.get(self.role, [trade.maker, trade.taker])
        return any(one.account_index == self.account_index for one in sides if one in roles)


def _trade_filter(query: Query, account_index: int | None) -> TradeFilter:
    exact = query.values.get("order_index_str", "")
    order_index = whole_number(exact) if exact else query.integer("order_index", 0)
    if order_index is None:
        raise invalid("order_index_str")
    return TradeFilter(
        account_index=account_index,
        kind=query.choice("type", TRADE_TYPES, "all"),
        role=query.choice("role", ("all", "maker", "taker"), "all"),
        is_ask=_ask_filter(query),
        order_index=order_index,
        since=query.integer("from", NO_FILTER),
    )


def _ask_filter(query: Query) -> bool | None:
    number = query.integer("ask_filter", NO_FILTER, most=1)
    return None if number == NO_FILTER else number == 1


def _between(query: Query) -> tuple[int, int]:
    text = query.values.get("between_timestamps", "")
    if not text:
        return 0, 2**63
    numbers = [whole_number(part.strip()) for part in text.replace("-", ",").split(",")]
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None or numbers[1] < numbers[0]:
        raise invalid("between_timestamps")
    return milliseconds(numbers[0]), milliseconds(numbers[1])

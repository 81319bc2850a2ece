"""REST endpoints of markets: what can be traded, books, prices over time, funding."""

from lighter_hedge.simulator.core.candles import RESOLUTIONS_MS, Candle
from lighter_hedge.simulator.edge import wire_history, wire_rest, wire_venue
from lighter_hedge.simulator.edge.rest.context import Context
from lighter_hedge.simulator.edge.rest.query import Query
from lighter_hedge.simulator.edge.wire import Json
from lighter_hedge.simulator.edge.wire_rest import ok

BOOK_ORDERS_MAX = 250
CANDLES_MAX = 500
FILTERS = ("all", "perp", "spot")
MARK_RESOLUTIONS = tuple(name for name in RESOLUTIONS_MS if name != "1w")
PERIODS = ("d", "w", "m", "q", "y", "all")
CHART_RESOLUTION = "1h"
CHART_POINTS = 24


class Markets(Context):
    """Nothing here needs a token."""

    def status(self, query: Query) -> Json:
        """``/``."""
        return wire_venue.status(self.venue.now_us())

    def info(self, query: Query) -> Json:
        """``/info``."""
        return {"contract_address": wire_venue.NO_ADDRESS}

    def order_books(self, query: Query) -> Json:
        """``orderBooks``."""
        states, markets = self.state.market_states, self.state.markets
        return ok(
            order_books=[
                wire_rest.order_book(markets[index], halted=states[index].halted) for index in self._wanted(query)
            ]
        )

    def order_book_details(self, query: Query) -> Json:
        """``orderBookDetails``."""
        now_us = self.venue.now_us()
        rows = [
            wire_rest.order_book_detail(
                self.state.markets[index], self.state.stats(index, now_us), self.state.market_states[index]
            )
            for index in self._wanted(query)
        ]
        return ok(order_book_details=rows, spot_order_book_details=[])

    def _wanted(self, query: Query) -> list[int]:
        wanted = self.market_or_none(query)
        if query.choice("filter", FILTERS, "all") == "spot":
            return []
        return sorted(self.state.markets) if wanted is None else [wanted]

    def order_book_orders(self, query: Query) -> Json:
        """``orderBookOrders``."""
        market, limit = self.market(query), query.limit(BOOK_ORDERS_MAX)
        return wire_rest.order_book_orders(self.state, market, limit)

    def candles(self, query: Query) -> Json:
        """``candles`` from trades; a span without a trade has none."""
        index = self.market(query)
        resolution = query.choice("resolution", RESOLUTIONS_MS)
        query.flag("merge_mark_price", default=False)
        at_end = query.flag("set_timestamp_to_end", default=False)
        first, last, count = self._span(query)
        rows = self.state.market_states[index].candles.read(resolution, first, last, count)
        return wire_history.candles(resolution, rows, self.state.markets[index], at_end=at_end)

    def mark_price_candles(self, query: Query) -> Json:
        """``markPriceCandles``."""
        index = self.market(query)
        resolution = query.choice("resolution", MARK_RESOLUTIONS)
        first, last, count = self._span(query)
        rows = self.state.market_states[index].mark_candles.read(resolution, first, last, count)
        return wire_history.mark_candles(resolution, rows, self.state.markets[index])

    def _span(self, query: Query) -> tuple[int, int, int]:
        """The span that is asked for, and how many rows counted from its end."""
        first, last = query.span_ms()
        return first, last, min(query.integer("count_back"), CANDLES_MAX) or CANDLES_MAX

    def market_price_charts(self, query: Query) -> Json:
        """``marketPriceCharts``: the closes of the last day's hours."""
        wanted = [self.known_market(index) for index in query.integers("market_ids")] or sorted(self.state.markets)
        now_ms = self.venue.now_us() // 1000
        return ok(
            resolution=CHART_RESOLUTION,
            price_charts=[
                wire_venue.price_chart(index, self.state.markets[index], self._hours(index, now_ms)) for index in wanted
            ],
        )

    def _hours(self, index: int, now_ms: int) -> list[Candle]:
        return self.state.market_states[index].candles.read(CHART_RESOLUTION, 0, now_ms, CHART_POINTS)

    def fundings(self, query: Query) -> Json:
        """``fundings`` of one market, by hour or by day."""
        index = self.market(query)
        resolution = query.choice("resolution", ("1h", "1d"))
        first, last, count = self._span(query)
        return wire_history.fundings(resolution, self.state.fundings[index], first, last, count)

    def funding_rates(self, query: Query) -> Json:
        """``funding-rates``: the last of each market."""
        last = {index: rounds[-1].rate if rounds else 0 for index, rounds in self.state.fundings.items()}
        return wire_venue.funding_rates(last, self.state.markets)

    def exchange_stats(self, query: Query) -> Json:
        """``exchangeStats``."""
        now_us = self.venue.now_us()
        stats = [self.state.stats(index, now_us) for index in sorted(self.state.markets)]
        return wire_venue.exchange_stats(stats, self.state.markets)

    def exchange_metrics(self, query: Query) -> Json:
        """``exchangeMetrics``, of all markets or of one by its symbol."""
        query.choice("period", PERIODS)
        kind = query.text("kind")
        symbol = query.text("value") if query.text("filter", "") else ""
        states = [
            self.state.market_states[index]
            for index, market in self.state.markets.items()
            if symbol in ("", market.symbol, str(index))
        ]
        now_ms = self.venue.now_us() // 1000
        days = [day for state in states for day in state.candles.read("1d", 0, now_ms, CANDLES_MAX)]
        return wire_venue.exchange_metrics(kind, days)

    def execute_stats(self, query: Query) -> Json:
        """``executeStats``: no other exchange to compare with."""
        return {"period": query.choice("period", PERIODS), "result": []}

    def asset_details(self, query: Query) -> Json:
        """``assetDetails``: the quote asset is all there is; 0 asks for all."""
        rows = [wire_venue.usdc()]
        wanted = query.integer("asset_id", 0)
        return ok(asset_details=[row for row in rows if wanted in (0, row["asset_id"])])

    def token_list(self, query: Query) -> Json:
        """``tokenlist``."""
        return ok(tokens=[wire_venue.token(self.state.markets[index]) for index in sorted(self.state.markets)])

    def price_oracle_info(self, query: Query) -> Json:
        """``priceOracleInfo`` of all markets or of one symbol."""
        symbol = query.text("symbol", "")
        markets = [market for _, market in sorted(self.state.markets.items()) if symbol in ("", market.symbol)]
        return ok(
            computed_at_ms=self.venue.now_us() // 1000,
            markets=[wire_venue.oracle(market) for market in markets],
        )

    def system_config(self, query: Query) -> Json:
        """``systemConfig``."""
        return wire_venue.system_config()

    def fee_tiers(self, query: Query) -> Json:
        """``feeTiers``."""
        return wire_venue.fee_tiers()

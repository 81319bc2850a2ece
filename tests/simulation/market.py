"""The market around the desk: a book that lives, moves when it is told to, and fills A's quotes."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.simulation.sim_server import ACCOUNTS, BTC, SimServer

from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.events import BookChange, Mark, TrafficEvent
from lighter_hedge.simulator.core.faults.on_exchange import ForcedFill
from lighter_hedge.simulator.core.orders import Order

BID, ASK = 1_209_990, 1_210_010
"""Best prices of the quiet book, in ticks."""
LEVELS, LOTS = 5, 500
BEAT_US = 700_000


def quiet_book(levels: int = LEVELS, lots: int = LOTS) -> Iterator[tuple[int, TrafficEvent]]:
    """A book that stands still but for its last level, which shows that the feed lives."""
    market = BTC.market_index
    updates = [(Side.BID, BID - 10 * n, lots) for n in range(levels)]
    updates += [(Side.ASK, ASK + 10 * n, lots) for n in range(levels)]
    yield 0, BookChange(market_index=market, updates=tuple(updates), snapshot=True)
    yield 0, Mark(market_index=market, mark_ticks=(BID + ASK) // 2, index_ticks=(BID + ASK) // 2)
    at_us = 0
    while True:
        at_us += 200_000
        last = (Side.BID, BID - 10 * levels, lots + at_us // 200_000 % 2)
        yield at_us, BookChange(market_index=market, updates=(last,), snapshot=False)


@dataclass(slots=True)
class Market:
    """Ambient liquidity on both sides. It is set anew twice a second: what a hedge eats comes back."""

    mid: int = (BID + ASK) // 2
    lots: int = LOTS
    """Lots on each level; a thin market has few."""
    sides: tuple[Side, ...] = (Side.BID, Side.ASK)
    """Sides that have any liquidity at all."""
    _beat: int = 0

    def book(self) -> BookChange:
        """The whole book now. Its last level changes at every beat, which shows that the feed lives."""
        self._beat += 1
        half = (ASK - BID) // 2
        updates = [
            (side, self.mid - side.sign * (half + 10 * n), self.lots + (n == LEVELS - 1) * (self._beat % 2))
            for side in self.sides
            for n in range(LEVELS)
        ]
        return BookChange(market_index=BTC.market_index, updates=tuple(updates), snapshot=True)

    def mark(self) -> Mark:
        """The mark price."""
        return Mark(market_index=BTC.market_index, mark_ticks=self.mid, index_ticks=self.mid)

    def traffic(self) -> Iterator[tuple[int, TrafficEvent]]:
        """As the exchange takes it: the book at once and at each beat."""
        at_us = 0
        yield at_us, self.book()
        yield at_us, self.mark()
        while True:
            at_us += BEAT_US
            yield at_us, self.book()

    def move(self, server: SimServer, ticks: int) -> None:
        """The whole book jumps; what of ours it crosses is filled."""
        self.mid = max(100_000, self.mid + ticks)
        self.show(server)

    def show(self, server: SimServer) -> None:
        """Publish the book as it is now, at once."""
        now_us = server.venue.step()
        for event in (self.mark(), self.book()):
            server.venue.publish(server.exchange.apply_traffic(event, now_us), now_us)
        server.arm_timer()


@dataclass(slots=True)
class Takers:
    """Everybody else, who trades with A's quotes: at once or late, whole or in parts."""

    server: SimServer
    rng: random.Random
    appetite: float = 0.9
    """Share of quotes that are filled soon; one in five of the others never is."""
    parts: float = 0.3
    """Share of these that are filled in parts; the last may be long in coming, or never come."""
    slow_ms: int = 300
    on: bool = True
    part_fills: int = 0
    _seen: set[int] = field(default_factory=set)

    def order(self, order: Order) -> None:
        """Every new quote of A is looked at once."""
        if order.account_index != ACCOUNTS[Role.MAKER] or not order.is_open or order.order_index in self._seen:
            return
        self._seen.add(order.order_index)
        rng = self.rng
        if not self.on:
            return
        at_ms = rng.choice((0, 1, 20, 50, self.slow_ms))
        if rng.random() >= self.appetite:
            if rng.random() < 0.2:
                return
            at_ms = rng.choice((700, 1_500, 4_000))
        if rng.random() >= self.parts:
            self._fill(order, at_ms, 0, pieces=rng.choice((1, 1, 1, 2)))
            return
        self.part_fills += 1
        left = order.size_lots
        for _ in range(rng.choice((1, 1, 2, 3))):
            lots = rng.randint(1, max(1, left - 1))
            left -= lots
            self._fill(order, at_ms, lots)
            at_ms += rng.choice((0, 5, 60, 300, 1_000))
            if left <= 0:
                return
        if rng.random() < 0.7:
            self._fill(order, at_ms + rng.choice((50, 500, 2_000)), 0)

    def _fill(self, order: Order, after_ms: int, lots: int, pieces: int = 1) -> None:
        at_us = self.server.now_us() + after_ms * 1000
        self.server.exchange._schedule(at_us, ForcedFill(order_index=order.order_index, lots=lots, pieces=pieces))
        self.server.arm_timer()

    def fill(self, order: Order, lots: int = 0) -> None:
        """Take all of an order soon, or some lots of it."""
        self._fill(order, 10, lots)

"""Synthetic market traffic: a seeded random walk of a book for each market, endless and repeatable.

A market has a *fair price* that walks at random. Each side's best price is the fair price less or plus an
offset that is drawn anew at every touch event, so that the spread has the recorded distribution and forgets
itself within a second. Between touch events the depth behind it is resized, taken away and added to. Trades
come in bursts: one taker walks from the touch through as many resting orders as were drawn, and the change
that follows, at the same time, holds the decreases that it explains.

Floats draw times, prices and sizes; every number that leaves this module is an integer of ticks, lots or
microseconds.
"""

import heapq
import math
import random
from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lighter_hedge.domain.units import MarketSpec, Side
from lighter_hedge.simulator.core.events import BookChange, Mark, Print, TrafficEvent

_LEVELS_MIN = 40
_LEVELS_START = 50
_LEVELS_MAX = 60
_LEVELS_KEPT = 20
"""A burst leaves at least as many levels on the side that it walks."""

_DEPTH_REACH = 8.0
"""Mean distance in levels from the touch at which the depth changes: most of the venue's changes are near."""


@dataclass(frozen=True, slots=True)
class Quantiles:
    """A distribution of positive numbers: ``(share, value)`` from share 0 to 1, log-linear in between."""

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        assert self.points[0][0] == 0
        assert self.points[-1][0] == 1
        assert all(value > 0 for _, value in self.points)

    def at(self, share: float) -> float:
        """The value below which ``share`` of the distribution lies."""
        index = bisect_left(self.points, (share,))
        if index == 0:
            return self.points[0][1]
        (low_share, low), (high_share, high) = self.points[index - 1], self.points[index]
        return low * math.exp(math.log(high / low) * (share - low_share) / (high_share - low_share))

    def scaled(self, factor: float) -> "Quantiles":
        """The same distribution of numbers ``factor`` times as large."""
        return Quantiles(tuple((share, value * factor) for share, value in self.points))


@dataclass(frozen=True, slots=True, kw_only=True)
class Character:
    """How one market behaves. Prices are in the quote currency, sizes in the base currency."""

    start_price: float
    change_gap_ms: Quantiles
    """Time between two changes of the book, those that trades cause among them."""
    touch_share: float
    """Share of the other changes that set a best price anew."""
    half_spread: Quantiles
    """Distance of a new best price from the fair price."""
    level_gap: Quantiles
    """Distance between neighbouring levels behind the touch."""
    touch_size: Quantiles
    depth_size: Quantiles
    levels_per_update: Quantiles
    burst_share: float
    """Share of the changes that trades cause."""
    prints_per_burst: Quantiles
    print_size: Quantiles
    """Drawn size of a print; a level that holds less gives what it holds."""
    fair_bps_per_root_s: float
    """Standard deviation of the fair price's walk over one second, in basis points."""
    marks_per_s: float
    index_basis_bps: float
    """Index price above the fair price, in basis points."""


# From 30 seconds of mainnet of 2025-10-09: touch and depth sizes, gaps, levels in a change, trades in one
# millisecond and gaps as recorded, or nearly. Half-spreads, print sizes, the largest touch sizes and the walk are
# fitted so that spread, trade size, top size and one-second returns come out as recorded: the offsets of both sides
# add up, a level cuts the print that is drawn larger, depth becomes the touch when what was better goes, and the
# drawn offsets alone already move the mid. Recorded buys were 33 and 42
# percent of the trades; half a minute says nothing about direction, so the sides are even here.
BTC = Character(
    start_price=121_000.0,
    change_gap_ms=Quantiles(
        ((0, 1), (0.05, 2), (0.25, 4.8), (0.5, 8), (0.75, 16.3), (0.95, 38.5), (0.99, 66), (1, 100))
    ),
    touch_share=0.195,
    half_spread=Quantiles(
        (
            (0, 0.004),
            (0.05, 0.035),
            (0.25, 0.18),
            (0.5, 0.43),
            (0.75, 0.88),
            (0.95, 2.1),
            (0.99, 3.2),
            (1, 5.0),
        )
    ),
    level_gap=Quantiles(((0, 0.06), (0.5, 0.2), (0.75, 0.3), (0.9, 0.6), (1, 1.2))),
    touch_size=Quantiles(
        ((0, 0.0001), (0.05, 0.0004), (0.25, 0.00825), (0.5, 0.0182), (0.75, 0.075), (0.95, 0.26), (1, 1.3))
    ),
    depth_size=Quantiles(((0, 0.0002), (0.1, 0.0005), (0.5, 0.007), (0.75, 0.3), (0.9, 1.14), (1, 3.3))),
    levels_per_update=Quantiles(((0, 1), (0.25, 1), (0.5, 2), (0.75, 4), (0.95, 13), (1, 28))),
    burst_share=0.048,
    prints_per_burst=Quantiles(((0, 1), (0.25, 1), (0.5, 3), (0.75, 6), (0.9, 9.7), (0.95, 15), (1, 45))),
    print_size=Quantiles(
        ((0, 1e-5), (0.05, 0.00021), (0.25, 0.0009), (0.5, 0.0029), (0.75, 0.0103), (0.95, 0.041), (1, 0.8))
    ),
    fair_bps_per_root_s=0.128,
    marks_per_s=6.6,
    index_basis_bps=-2.7,
)

ETH = Character(
    start_price=4330.0,
    change_gap_ms=Quantiles(
        ((0, 1), (0.05, 2), (0.25, 4.8), (0.5, 9.8), (0.75, 22), (0.95, 69), (0.99, 130), (1, 190))
    ),
    touch_share=0.135,
    half_spread=Quantiles(
        (
            (0, 0.0005),
            (0.05, 0.008),
            (0.25, 0.044),
            (0.5, 0.077),
            (0.75, 0.094),
            (0.95, 0.122),
            (0.99, 0.146),
            (1, 0.19),
        )
    ),
    level_gap=Quantiles(((0, 0.006), (0.5, 0.012), (0.75, 0.02), (0.9, 0.04), (1, 0.12))),
    touch_size=Quantiles(((0, 0.01), (0.05, 0.01), (0.25, 0.055), (0.5, 0.6), (0.75, 4.62), (0.95, 69.2), (1, 92.3))),
    depth_size=Quantiles(((0, 0.005), (0.1, 0.023), (0.5, 0.37), (0.75, 4.67), (0.9, 34.2), (1, 99.0))),
    levels_per_update=Quantiles(((0, 1), (0.25, 1), (0.5, 2), (0.75, 4), (0.95, 17.5), (1, 28))),
    burst_share=0.0455,
    prints_per_burst=Quantiles(((0, 1), (0.45, 1), (0.75, 2), (0.9, 3.4), (0.95, 5), (1, 11))),
    print_size=Quantiles(
        ((0, 0.0002), (0.05, 0.0033), (0.25, 0.022), (0.5, 0.073), (0.75, 0.41), (0.95, 3.9), (1, 12.2))
    ),
    fair_bps_per_root_s=0.375,
    marks_per_s=2.9,
    index_basis_bps=2.8,
)

_UNKNOWN_PRICE = 100.0


def character_of(spec: MarketSpec) -> Character:
    """How a market behaves, by its symbol; one that was not recorded is ETH at a price of 100."""
    if spec.symbol.startswith("BTC"):
        return BTC
    if spec.symbol.startswith("ETH"):
        return ETH
    ratio = _UNKNOWN_PRICE / ETH.start_price
    return replace(
        ETH,
        start_price=_UNKNOWN_PRICE,
        half_spread=ETH.half_spread.scaled(ratio),
        level_gap=ETH.level_gap.scaled(ratio),
        touch_size=ETH.touch_size.scaled(1 / ratio),
        depth_size=ETH.depth_size.scaled(1 / ratio),
        print_size=ETH.print_size.scaled(1 / ratio),
    )


def synthetic(
    seed: int, markets: Sequence[MarketSpec], characters: dict[int, Character] | None = None
) -> Iterator[tuple[int, TrafficEvent]]:
    """Draw endless traffic: ``(at_us, event)`` in order of time, microseconds since the start.

    The same seed gives the same stream, and a market's stream does not depend on the other markets. Each
    market starts with a snapshot and a mark at time 0.

    Args:
        seed: any integer.
        markets: the markets to trade; prices and sizes are rounded to their ticks and lots.
        characters: by market index, instead of the character that the market's symbol suggests.
    """
    chosen = characters or {}
    streams = [
        _Market(
            spec,
            chosen.get(spec.market_index) or character_of(spec),
            random.Random(f"{seed}/{spec.market_index}"),  # noqa: S311 - chance that must repeat, no secret
        )
        for spec in markets
    ]
    return heapq.merge(*(stream.events() for stream in streams), key=_time_of)


def _time_of(timed: tuple[int, TrafficEvent]) -> int:
    return timed[0]


class _BookSide:
    """Levels of one side. A key is the price with the sign that makes the best key the smallest."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self.sign = 1 if side is Side.ASK else -1
        self.keys: list[int] = []
        self.lots: dict[int, int] = {}
        self._before: dict[int, int] = {}
        """Sizes of the levels that were touched since the last change was published, as published."""

    @property
    def best(self) -> int:
        return self.keys[0]

    def put(self, key: int, lots: int) -> None:
        assert lots > 0
        if key not in self.lots:
            insort(self.keys, key)
        self._before.setdefault(key, self.lots.get(key, 0))
        self.lots[key] = lots

    def remove(self, key: int) -> None:
        self._before.setdefault(key, self.lots[key])
        del self.lots[key]
        del self.keys[bisect_left(self.keys, key)]

    def changes(self) -> list[tuple[Side, int, int]]:
        """What changed since the last call, with absolute sizes."""
        updates = [
            (self.side, key * self.sign, self.lots.get(key, 0))
            for key, before in self._before.items()
            if self.lots.get(key, 0) != before
        ]
        self._before.clear()
        return updates


class _Market:
    """The walk of one market."""

    def __init__(self, spec: MarketSpec, character: Character, rng: random.Random) -> None:
        self._market_index = spec.market_index
        self._rng = rng
        self._character = character
        self._tick: int = 10**spec.price_decimals
        self._lot: int = 10**spec.size_decimals
        self._start = character.start_price * self._tick
        self._fair = self._start
        self._half_spread = character.half_spread.scaled(self._tick)
        self._gap = character.level_gap.scaled(self._tick)
        self._gap_max = max(1, round(self._gap.at(1.0)))
        self._bids, self._asks = _BookSide(Side.BID), _BookSide(Side.ASK)
        for own, other in ((self._bids, None), (self._asks, self._bids)):
            self._set_touch(own, other)

    def events(self) -> Iterator[tuple[int, TrafficEvent]]:
        yield 0, self._book_change(snapshot=True)
        yield 0, self._mark()
        change_us, mark_us = self._change_gap_us(), self._mark_gap_us()
        walked_us = 0
        while True:
            at_us = min(change_us, mark_us)
            self._walk((at_us - walked_us) / 1e6)
            walked_us = at_us
            if mark_us < change_us:
                yield at_us, self._mark()
                mark_us += self._mark_gap_us()
                continue
            change_us += self._change_gap_us()
            for event in self._change():
                yield at_us, event

    def _change(self) -> Iterator[TrafficEvent]:
        """One change of the book, after the trades that caused it; nothing if it comes out as it was."""
        if self._rng.random() < self._character.burst_share:
            yield from self._burst()
        elif self._rng.random() < self._character.touch_share:
            self._set_touch(*self._random_sides())
        else:
            self._change_depth()
        change = self._book_change(snapshot=False)
        if change.updates:
            yield change

    def _change_gap_us(self) -> int:
        return round(self._character.change_gap_ms.at(self._rng.random()) * 1e3)

    def _mark_gap_us(self) -> int:
        return max(1, round(self._rng.expovariate(self._character.marks_per_s) * 1e6))

    def _walk(self, seconds: float) -> None:
        step = self._rng.gauss(0.0, self._character.fair_bps_per_root_s * 1e-4) * math.sqrt(seconds)
        # A walk without end would reach any price: far out it is held.
        self._fair = min(max(self._fair * (1 + step), self._start / 2), self._start * 2)

    def _random_sides(self) -> tuple[_BookSide, _BookSide]:
        if self._rng.random() < 0.5:
            return self._bids, self._asks
        return self._asks, self._bids

    def _set_touch(self, own: _BookSide, other: _BookSide | None) -> None:
        """Draw a new best price for a side, clear what is better, and keep the number of levels in bounds."""
        key = math.ceil(own.sign * self._fair + self._half_spread.at(self._rng.random()))
        if other is not None:
            key = max(key, 1 - other.best)
        for better in own.keys[: bisect_left(own.keys, key)]:
            own.remove(better)
        if key not in own.lots:
            own.put(key, self._size(self._character.touch_size))
        self._restore_depth(own)

    def _restore_depth(self, own: _BookSide) -> None:
        """Keep the number of levels in bounds, and no hole behind the touch: a burst would jump over it."""
        if len(own.keys) < _LEVELS_MIN:
            while len(own.keys) < _LEVELS_START:
                own.put(own.keys[-1] + self._drawn_gap(), self._size(self._character.depth_size))
        for index in range(_LEVELS_KEPT):
            if own.keys[index + 1] - own.keys[index] > self._gap_max:
                own.put(own.keys[index] + self._drawn_gap(), self._size(self._character.depth_size))
        while len(own.keys) > _LEVELS_MAX:
            own.remove(own.keys[-1])

    def _change_depth(self) -> None:
        for _ in range(round(self._character.levels_per_update.at(self._rng.random()))):
            own, _other = self._random_sides()
            index = min(int(self._rng.expovariate(1 / _DEPTH_REACH)), len(own.keys) - 1)
            action = self._rng.random()
            if action < 0.2 and index > 0 and len(own.keys) > _LEVELS_MIN:
                own.remove(own.keys[index])
            elif action > 0.8 and len(own.keys) < _LEVELS_MAX:
                key = own.keys[index] + self._drawn_gap()
                own.put(key, self._size(self._character.depth_size))
            else:
                table = self._character.touch_size if index == 0 else self._character.depth_size
                own.put(own.keys[index], self._size(table))

    def _burst(self) -> list[Print]:
        """One taker's trades; the levels are decreased, and the caller publishes that change."""
        own, _other = self._random_sides()
        prints: list[Print] = []
        for _ in range(round(self._character.prints_per_burst.at(self._rng.random()))):
            if len(own.keys) <= _LEVELS_KEPT:
                break
            key = own.best
            lots = min(self._size(self._character.print_size), own.lots[key])
            prints.append(
                Print(
                    market_index=self._market_index,
                    price_ticks=key * own.sign,
                    lots=lots,
                    taker_side=own.side.opposite,
                )
            )
            left = own.lots[key] - lots
            if left > 0:
                own.put(key, left)
            else:
                own.remove(key)
        return prints

    def _book_change(self, *, snapshot: bool) -> BookChange:
        updates = (*self._bids.changes(), *self._asks.changes())
        assert self._asks.best + self._bids.best > 0
        return BookChange(market_index=self._market_index, updates=updates, snapshot=snapshot)

    def _mark(self) -> Mark:
        mid = (self._asks.best - self._bids.best) // 2
        index = round(self._fair * (1 + self._character.index_basis_bps * 1e-4))
        return Mark(market_index=self._market_index, mark_ticks=mid, index_ticks=index)

    def _size(self, table: Quantiles) -> int:
        return max(1, round(table.at(self._rng.random()) * self._lot))

    def _drawn_gap(self) -> int:
        return max(1, round(self._gap.at(self._rng.random())))

"""The order book of one market, kept from a snapshot and a chain of deltas.

Each delta names the nonce it begins at; it must be the nonce of the last frame applied, else a frame is missing and the
book is *broken* until a fresh snapshot (``offset`` is per server and jumps: it proves nothing).
"""

from bisect import bisect_left, insort
from dataclasses import dataclass, field

from lighter_hedge.domain.events import BookReported
from lighter_hedge.domain.units import Side

LEVELS_MAX = 20_000
"""More levels on one side than any market has: a feed gone mad."""


@dataclass(slots=True)
class _Levels:
    """One side: sizes by price, and the prices in rising order."""

    sizes: dict[int, int] = field(default_factory=dict)
    prices: list[int] = field(default_factory=list)

    def set(self, price: int, lots: int) -> None:
        assert price > 0
        assert lots >= 0
        known = price in self.sizes
        if lots:
            self.sizes[price] = lots
            if not known:
                insort(self.prices, price)
                assert len(self.prices) <= LEVELS_MAX
        elif known:
            del self.sizes[price]
            del self.prices[bisect_left(self.prices, price)]

    def clear(self) -> None:
        self.sizes.clear()
        self.prices.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """An order of ours that stands in the book."""

    side: Side
    price: int
    lots: int


@dataclass(slots=True)
class Book:
    """The order book, its chain and its age."""

    broken: bool = True
    """No snapshot yet, or a frame is missing."""
    heard_ms: int = -1
    """Monotonic time of the last frame of this market; -1 before the first."""
    mark: int = 0
    """The venue's mark price in ticks; 0 before the first."""
    _nonce: int = -1
    _bids: _Levels = field(default_factory=_Levels)
    _asks: _Levels = field(default_factory=_Levels)

    def apply(self, event: BookReported, mono_ms: int) -> bool:
        """Apply a frame. False where the chain is broken by it: a fresh snapshot is needed."""
        if event.snapshot:
            self._bids.clear()
            self._asks.clear()
        elif self.broken or event.begin_nonce != self._nonce:
            newly_broken = not self.broken
            self.broken = True
            return not newly_broken
        for price, lots in event.bids:
            self._bids.set(price, lots)
        for price, lots in event.asks:
            self._asks.set(price, lots)
        self._nonce = event.nonce
        self.broken = False
        self.heard_ms = mono_ms
        return True

    def heard(self, mark: int, mono_ms: int) -> None:
        """Another frame of this market: the feed lives."""
        self.heard_ms = mono_ms
        if mark:
            self.mark = mark

    def lose(self) -> None:
        """The connection is gone: nothing here is true any more."""
        self.broken = True

    def stale(self, mono_ms: int, age_ms_max: int) -> bool:
        """Whether the book must not be quoted from."""
        return self.broken or self.heard_ms < 0 or mono_ms - self.heard_ms > age_ms_max

    def level(self, side: Side, depth: int, own: Resting | None = None) -> int | None:
        """Price of level ``depth`` (1 = best) on ``side``, counted without our own order; None where there is none."""
        assert depth >= 1
        levels = self._bids if side is Side.BID else self._asks
        prices = reversed(levels.prices) if side is Side.BID else iter(levels.prices)
        left = depth
        for price in prices:
            lots = levels.sizes[price]
            if own is not None and own.side is side and own.price == price:
                lots -= own.lots
            if lots > 0:
                left -= 1
                if left == 0:
                    return price
        return None

    def best(self, side: Side, own: Resting | None = None) -> int | None:
        """Best price on ``side``, without our own order."""
        return self.level(side, 1, own)

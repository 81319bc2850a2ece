"""The ambient book of one market: everybody else's resting sizes by price, kept from traffic events."""

from collections.abc import Iterator, MutableMapping
from typing import Any

from sortedcontainers import SortedDict

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.events import BookChange


class AmbientBook:
    """Price levels by side, in ticks and lots; ``Print`` does not change it, the change that follows does."""

    def __init__(self) -> None:
        self._bids: Any = SortedDict()
        self._asks: Any = SortedDict()

    def apply(self, change: BookChange) -> None:
        """Take over absolute sizes; a snapshot first empties the book."""
        if change.snapshot:
            self._bids.clear()
            self._asks.clear()
        for side, price, lots in change.updates:
            levels: MutableMapping[int, int] = self._bids if side is Side.BID else self._asks
            if lots > 0:
                levels[price] = lots
            else:
                levels.pop(price, None)

    def best(self, side: Side) -> int | None:
        """The best price of a side in ticks, None when the side is empty."""
        levels = self._bids if side is Side.BID else self._asks
        if not levels:
            return None
        price: int = levels.peekitem(-1 if side is Side.BID else 0)[0]
        return price

    @property
    def spread(self) -> int | None:
        """Best ask less best bid in ticks, None when a side is empty. Not above 0 means crossed."""
        bid, ask = self.best(Side.BID), self.best(Side.ASK)
        return None if bid is None or ask is None else ask - bid

    @property
    def doubled_mid(self) -> int | None:
        """Best bid plus best ask in ticks, None when a side is empty; doubled, so that it is an integer."""
        bid, ask = self.best(Side.BID), self.best(Side.ASK)
        return None if bid is None or ask is None else ask + bid

    def lots(self, side: Side, price: int) -> int:
        """The size at a price, 0 when there is no such level."""
        levels = self._bids if side is Side.BID else self._asks
        lots: int = levels.get(price, 0)
        return lots

    def levels(self) -> Iterator[tuple[Side, int, int]]:
        """All levels as ``(side, price, lots)``, each side best first."""
        for price, lots in reversed(self._bids.items()):
            yield Side.BID, price, lots
        for price, lots in self._asks.items():
            yield Side.ASK, price, lots

"""Recorded numbers in the ticks and lots of a market. Pure.

A recording may have more decimals than the market: bids and sales round down, asks and buys round up, so that
no book is crossed by rounding, and recorded levels that share a tick are added up. Sizes round down to whole
lots; what rounds to nothing is left out.
"""

from lighter_hedge.domain.units import MarketSpec, Side
from lighter_hedge.simulator.core.events import BookChange, Mark, Print
from lighter_hedge.simulator.traffic.tape_lines import BookLine, StatsLine, TradeLine


class Rounding:
    """Turns one market's lines into events; each method raises ``ValueError`` for what is no plain decimal number."""

    def __init__(self, spec: MarketSpec) -> None:
        self._spec = spec
        self._merged = _MergedLevels()

    def book(self, line: BookLine) -> BookChange:
        """What a recorded book or change does to the ambient book."""
        if line.snapshot:
            self._merged.clear()
        totals: dict[tuple[Side, int], int] = {}
        for side, price, size in line.levels:
            ticks, surplus = _split(price, self._spec.price_decimals)
            ticks += side is Side.ASK and surplus != ""
            lots, _dropped = _split(size, self._spec.size_decimals)
            totals[side, ticks] = self._merged.put(side, ticks, surplus, lots)
        return BookChange(
            market_index=self._spec.market_index,
            updates=tuple((side, ticks, lots) for (side, ticks), lots in totals.items() if ticks > 0),
            snapshot=line.snapshot,
        )

    def trade(self, line: TradeLine) -> Print | None:
        """A recorded trade; none if it rounds to nothing."""
        ticks, surplus = _split(line.price, self._spec.price_decimals)
        ticks += line.taker_side is Side.BID and surplus != ""
        lots, _dropped = _split(line.size, self._spec.size_decimals)
        if lots == 0 or ticks == 0:
            return None
        return Print(market_index=self._spec.market_index, price_ticks=ticks, lots=lots, taker_side=line.taker_side)

    def mark(self, line: StatsLine) -> Mark:
        """Recorded prices."""
        mark, _dropped = _split(line.mark_price, self._spec.price_decimals)
        index, _dropped = _split(line.index_price, self._spec.price_decimals)
        return Mark(market_index=self._spec.market_index, mark_ticks=mark, index_ticks=index)


class _MergedLevels:
    """Sizes of recorded levels by the tick that they round to, and by what was rounded away."""

    def __init__(self) -> None:
        self._parts: dict[tuple[Side, int], dict[str, int]] = {}

    def clear(self) -> None:
        self._parts.clear()

    def put(self, side: Side, ticks: int, surplus: str, lots: int) -> int:
        """Set one recorded level and return the total at its tick."""
        parts = self._parts.setdefault((side, ticks), {})
        if lots:
            parts[surplus] = lots
        else:
            parts.pop(surplus, None)
        total = sum(parts.values())
        if not parts:
            del self._parts[side, ticks]
        return total


def _split(text: str, decimals: int) -> tuple[int, str]:
    """A decimal string as an integer with ``decimals`` places, rounded down, and the digits that this drops.

    Raises:
        ValueError: the text is not a plain positive decimal number.
    """
    whole, _, fraction = text.partition(".")
    digits = whole + fraction[:decimals].ljust(decimals, "0")
    surplus = fraction[decimals:].rstrip("0")
    if not digits.isdecimal() or (surplus and not surplus.isdecimal()):
        raise ValueError(f"{text!r} is not a plain decimal number")
    return int(digits), surplus

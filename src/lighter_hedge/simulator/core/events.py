"""What the market does, apart from our accounts: the traffic that a paper market lives on.

A traffic source yields ``(at_us, event)`` in order of ``at_us``, microseconds since its start. Sizes are
*ambient*: the sum of everybody else's resting orders at one price. A print comes before the book change that
it caused.
"""

from dataclasses import dataclass
from typing import TypeAlias

from lighter_hedge.domain.units import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class BookChange:
    """New ambient sizes of some price levels."""

    market_index: int
    updates: tuple[tuple[Side, int, int], ...]
    """``(side, price_ticks, lots)``; lots are absolute and 0 deletes the level."""
    snapshot: bool
    """The updates are the whole ambient book: every level not named is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Print:
    """A public trade among others."""

    market_index: int
    price_ticks: int
    lots: int
    taker_side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """New mark and index price of a market."""

    market_index: int
    mark_ticks: int
    index_ticks: int


TrafficEvent: TypeAlias = BookChange | Print | Mark

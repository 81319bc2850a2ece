"""How lifelike a stream of traffic is: the figures that recordings of the venue were measured by.

The floats here describe a stream; no amount of money passes through them.
"""

import math
import statistics as stats
from collections.abc import Iterable, Sequence
from typing import assert_never

from lighter_hedge.simulator.core.events import BookChange, Mark, Print, TrafficEvent
from lighter_hedge.simulator.traffic.ambient import AmbientBook

_SECOND = 1_000_000
_BASIS_POINTS = 1e4


class _Observer:
    """Collects what the figures of one market need."""

    def __init__(self) -> None:
        self.book = AmbientBook()
        self.updates = 0
        self.mid_changes = 0
        self.crossed = 0
        self.spreads: list[int] = []
        self.trade_lots: list[int] = []
        self.mids_by_second: list[int] = []

    def book_changed(self, at_us: int, change: BookChange) -> None:
        before = self.book.doubled_mid
        self._sample(at_us, before)
        self.book.apply(change)
        spread, after = self.book.spread, self.book.doubled_mid
        if change.snapshot or spread is None:
            return
        self.updates += 1
        self.spreads.append(spread)
        self.crossed += spread <= 0
        self.mid_changes += after != before

    def _sample(self, at_us: int, mid: int | None) -> None:
        if mid is not None:
            missing = at_us // _SECOND - len(self.mids_by_second)
            self.mids_by_second.extend([mid] * max(0, missing))

    def figures(self, seconds: float) -> dict[str, float]:
        returns = [
            math.log(after / before) * _BASIS_POINTS
            for before, after in zip(self.mids_by_second, self.mids_by_second[1:], strict=False)
        ]
        return {
            "spread_ticks_p50": _quantile(self.spreads, 0.50),
            "spread_ticks_p95": _quantile(self.spreads, 0.95),
            "trade_lots_p50": _quantile(self.trade_lots, 0.50),
            "trade_lots_p95": _quantile(self.trade_lots, 0.95),
            "updates_per_s": self.updates / seconds,
            "trades_per_s": len(self.trade_lots) / seconds,
            "mid_changes_per_s": self.mid_changes / seconds,
            "ret_1s_bps_std": stats.pstdev(returns) if returns else 0.0,
            "crossed": float(self.crossed),
        }


def statistics(events: Iterable[tuple[int, TrafficEvent]], seconds: float) -> dict[int, dict[str, float]]:
    """Measure the first ``seconds`` of a stream, by market index.

    Spreads are sampled after each book change, in ticks; trade sizes are in lots; returns are those of the
    mid from second to second, in basis points; ``crossed`` counts book changes that left a book with no
    spread.
    """
    assert seconds > 0
    observers: dict[int, _Observer] = {}
    for at_us, event in events:
        if at_us > seconds * _SECOND:
            break
        observer = observers.setdefault(event.market_index, _Observer())
        match event:
            case BookChange():
                observer.book_changed(at_us, event)
            case Print():
                observer.trade_lots.append(event.lots)
            case Mark():
                pass
            case _:
                assert_never(event)
    return {market: observer.figures(seconds) for market, observer in sorted(observers.items())}


def _quantile(values: Sequence[int], share: float) -> float:
    """Linear interpolation between the nearest ranks; 0 for no values."""
    if not values:
        return 0.0
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)

"""How lifelike a stream of traffic is: the figures that recordings of the venue were measured by.

The floats here describe a stream; no amount of money passes through them.
"""

import math
import statistics as stats
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import assert_never

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.events import BookChange, Mark, Print, TrafficEvent
from lighter_hedge.simulator.traffic.ambient import AmbientBook

_SECOND = 1_000_000
_BASIS_POINTS = 1e4


class _Observer:
    """Collects what the figures of one market need."""

    def __init__(self) -> None:
        self.book = AmbientBook()
        self.mid_changes = 0
        self.crossed = 0
        self.spreads: list[int] = []
        self.tops: list[int] = []
        self.levels: list[int] = []
        self.gaps_us: list[int] = []
        self.trade_lots: list[int] = []
        self.prints_by_ms: dict[int, int] = {}
        self.mids_by_second: list[int] = []
        self._changed_us: int | None = None
        self._doubled_mid: int | None = None

    def book_changed(self, at_us: int, change: BookChange) -> None:
        self._sample(at_us)
        self.book.apply(change)
        before, bid, ask = self._doubled_mid, self.book.best(Side.BID), self.book.best(Side.ASK)
        self._doubled_mid = None if bid is None or ask is None else bid + ask
        if change.snapshot or bid is None or ask is None:
            return
        self.spreads.append(ask - bid)
        self.tops += (self.book.lots(Side.BID, bid), self.book.lots(Side.ASK, ask))
        self.levels.append(len(change.updates))
        if self._changed_us is not None:
            self.gaps_us.append(at_us - self._changed_us)
        self._changed_us = at_us
        self.crossed += ask <= bid
        self.mid_changes += self._doubled_mid != before

    def traded(self, at_us: int, lots: int) -> None:
        self.trade_lots.append(lots)
        at_ms = at_us // 1_000
        self.prints_by_ms[at_ms] = self.prints_by_ms.get(at_ms, 0) + 1

    def _sample(self, at_us: int) -> None:
        if self._doubled_mid is not None:
            missing = at_us // _SECOND - len(self.mids_by_second)
            self.mids_by_second.extend([self._doubled_mid] * max(0, missing))

    def figures(self, seconds: float) -> dict[str, float]:
        returns = [
            math.log(after / before) * _BASIS_POINTS
            for before, after in zip(self.mids_by_second, self.mids_by_second[1:], strict=False)
        ]
        samples: dict[str, Sequence[float]] = {
            "spread_ticks": self.spreads,
            "top_lots": self.tops,
            "trade_lots": self.trade_lots,
            "levels_per_update": self.levels,
            "update_gap_ms": [gap / 1_000 for gap in self.gaps_us],
            "trades_per_same_ms": list(self.prints_by_ms.values()),
        }
        quantiles = {
            f"{name}_p{share}": _quantile(values, share / 100) for name, values in samples.items() for share in (50, 95)
        }
        return quantiles | {
            "updates_per_s": len(self.spreads) / seconds,
            "trades_per_s": len(self.trade_lots) / seconds,
            "mid_changes_per_s": self.mid_changes / seconds,
            "ret_1s_bps_std": stats.pstdev(returns) if returns else 0.0,
            "crossed": float(self.crossed),
        }


def statistics(events: Iterable[tuple[int, TrafficEvent]], seconds: float) -> dict[int, dict[str, float]]:
    """Measure the first ``seconds`` of a stream, by market index.

    Spreads and both top sizes are sampled after each book change, in ticks and lots; gaps are those between
    two changes; returns are those of the mid from second to second, in basis points; ``crossed`` counts book
    changes that left a book with no spread.
    """
    assert seconds > 0
    observers: defaultdict[int, _Observer] = defaultdict(_Observer)
    for at_us, event in events:
        if at_us > seconds * _SECOND:
            break
        observer = observers[event.market_index]
        match event:
            case BookChange():
                observer.book_changed(at_us, event)
            case Print():
                observer.traded(at_us, event.lots)
            case Mark():
                pass
            case _:
                assert_never(event)
    return {market: observer.figures(seconds) for market, observer in sorted(observers.items())}


def _quantile(values: Sequence[float], share: float) -> float:
    """Linear interpolation between the nearest ranks; 0 for no values."""
    if not values:
        return 0.0
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)

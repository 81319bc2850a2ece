"""Candles: what a price has done in each minute, and in longer spans. Pure."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import takewhile

MINUTE_MS = 60_000
RESOLUTIONS_MS = {
    "1m": MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": 60 * MINUTE_MS,
    "4h": 240 * MINUTE_MS,
    "12h": 720 * MINUTE_MS,
    "1d": 1440 * MINUTE_MS,
    "1w": 10_080 * MINUTE_MS,
}
WEEK_START_MS = 4 * RESOLUTIONS_MS["1d"]
"""The first Monday: weeks begin on it. (Not known of the venue.)"""
MINUTES_MAX = 10_080
"""Minutes with a price that are remembered: a week at least."""


@dataclass(slots=True, kw_only=True)
class Candle:
    """One span of one market. Prices in ticks, the rest as in trades."""

    at_ms: int
    """When the span begins."""
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    lots: int = 0
    quote: int = 0
    samples: int = 1
    """Trades, or prices told."""
    last_id: int = 0
    """The last trade."""

    def joined(self, later: "Candle") -> "Candle":
        """This candle, continued by a later one."""
        return Candle(
            at_ms=self.at_ms,
            open_ticks=self.open_ticks,
            high_ticks=max(self.high_ticks, later.high_ticks),
            low_ticks=min(self.low_ticks, later.low_ticks),
            close_ticks=later.close_ticks,
            lots=self.lots + later.lots,
            quote=self.quote + later.quote,
            samples=self.samples + later.samples,
            last_id=later.last_id,
        )


class CandleSeries:
    """The minutes of one market, oldest first; a minute without a price has no candle."""

    def __init__(self) -> None:
        self._minutes: deque[Candle] = deque(maxlen=MINUTES_MAX)

    def add(self, at_us: int, price_ticks: int, *, lots: int = 0, quote: int = 0, trade_id: int = 0) -> None:
        """Count one price. One that comes late counts in the last minute."""
        at_ms = at_us // 1000 // MINUTE_MS * MINUTE_MS
        last = self._minutes[-1] if self._minutes else None
        if last is None or last.at_ms < at_ms:
            self._minutes.append(
                Candle(
                    at_ms=at_ms,
                    open_ticks=price_ticks,
                    high_ticks=price_ticks,
                    low_ticks=price_ticks,
                    close_ticks=price_ticks,
                    lots=lots,
                    quote=quote,
                    last_id=trade_id,
                )
            )
            return
        last.high_ticks = max(last.high_ticks, price_ticks)
        last.low_ticks = min(last.low_ticks, price_ticks)
        last.close_ticks, last.last_id = price_ticks, trade_id
        last.lots += lots
        last.quote += quote
        last.samples += 1

    def read(self, resolution: str, from_ms: int, to_ms: int, count: int) -> list[Candle]:
        """The last ``count`` candles that begin in ``from_ms..to_ms``, oldest first."""
        spans = [one for one in spans_of(self._minutes, resolution) if from_ms <= one.at_ms <= to_ms]
        return spans[max(0, len(spans) - count) :]

    def current(self, resolution: str, at_ms: int) -> Candle | None:
        """The candle of the span that a moment is in, as it is; None where it has no price yet."""
        from_ms = start_ms(at_ms, resolution)
        minutes = takewhile(lambda one: one.at_ms >= from_ms, reversed(self._minutes))
        found = spans_of(reversed(list(minutes)), resolution)
        return found[-1] if found else None


def start_ms(at_ms: int, resolution: str) -> int:
    """When the span begins that a moment is in."""
    length = RESOLUTIONS_MS[resolution]
    shift = WEEK_START_MS if resolution == "1w" else 0
    return (at_ms - shift) // length * length + shift


def spans_of(minutes: Iterable[Candle], resolution: str) -> list[Candle]:
    """Minutes joined to longer spans."""
    found: list[Candle] = []
    for minute in minutes:
        at_ms = start_ms(minute.at_ms, resolution)
        if found and found[-1].at_ms == at_ms:
            found[-1] = found[-1].joined(minute)
        else:
            found.append(replace(minute, at_ms=at_ms))
    return found

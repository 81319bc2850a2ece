"""Brings a live feed into the order in which things happened. Pure: time comes with each call.

The venue tells trades later than the books that they caused: on mainnet books came 122 ms after their stamp,
trades 253 ms, one in twenty 783 ms. So everything is held back for ``delay_ms`` and then played by the venue's
stamps, trades first, as on a tape. The venue's clock is taken to be ahead or behind by what the fastest line
shows; statistics have no stamp and go by their receipt. What is later than the delay is played at once.
"""

import heapq
from typing import TypeAlias, assert_never

from lighter_hedge.simulator.core.events import BookChange, TrafficEvent
from lighter_hedge.simulator.traffic.rounding import Rounding
from lighter_hedge.simulator.traffic.tape_lines import BookLine, StatsLine, TapeLine, TradeLine

_TRADE, _BOOK, _STATS = 0, 1, 2
_Held: TypeAlias = tuple[float, int, int, TrafficEvent]
"""When it is due in milliseconds, rank within it, order of receipt, event."""


class Holdback:
    """Events of some markets on their way."""

    def __init__(self, delay_ms: float) -> None:
        self._delay_ms = delay_ms
        self._ahead_ms: float | None = None
        """Smallest receipt less stamp so far."""
        self._held: list[_Held] = []
        self._received = 0
        self._book_due_ms: dict[int, float] = {}

    def add(self, now_ms: float, line: TapeLine, rounding: Rounding) -> None:
        """Take a line that was received now.

        Raises:
            ValueError: a price or size is no number.
        """
        event: TrafficEvent | None
        match line:
            case BookLine():
                event, rank, due_ms = rounding.book(line), _BOOK, self._due_ms(now_ms, line.venue_ms)
            case TradeLine():
                event, rank, due_ms = rounding.trade(line), _TRADE, self._due_ms(now_ms, line.venue_ms)
            case StatsLine():
                event, rank, due_ms = rounding.mark(line), _STATS, now_ms + self._delay_ms
            case _:
                assert_never(line)
        if event is None:
            return
        if isinstance(event, BookChange):
            # Sizes are absolute: two changes of a book never swap, whatever their stamps say.
            due_ms = max(due_ms, self._book_due_ms.get(event.market_index, due_ms))
            self._book_due_ms[event.market_index] = due_ms
        self._received += 1
        heapq.heappush(self._held, (due_ms, rank, self._received, event))

    def _due_ms(self, now_ms: float, venue_ms: int) -> float:
        behind_ms = now_ms - venue_ms
        self._ahead_ms = behind_ms if self._ahead_ms is None else min(self._ahead_ms, behind_ms)
        return venue_ms + self._ahead_ms + self._delay_ms

    def restart(self) -> None:
        """Measure the venue's clock anew: another server may answer now."""
        self._ahead_ms = None

    def next_due_ms(self) -> float | None:
        """When the next event is due, None if none is held."""
        return self._held[0][0] if self._held else None

    def due(self, now_ms: float) -> list[TrafficEvent]:
        """Take out all events that are due, in order."""
        events = []
        while self._held and self._held[0][0] <= now_ms:
            events.append(heapq.heappop(self._held)[3])
        return events

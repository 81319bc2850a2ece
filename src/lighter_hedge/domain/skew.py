"""How far this machine's clock is from the venue's, judged by the stamps of the venue's own frames.

A frame arrives after it was stamped, so the smallest difference seen within a window is the nearest to the truth. When
the clock jumps (wall against monotonic time), what was seen before says nothing any more.
"""

from dataclasses import dataclass, field

from lighter_hedge.domain.events import Instant

SKEW_MS_MAX = 1_000
"""Beyond this nothing is quoted."""
WINDOW_MS = 10_000
JUMP_MS = 250


@dataclass(slots=True)
class Skew:
    """Own clock less the venue's, milliseconds; what the network takes is in it."""

    ms: int = 0
    newest_ms: int = 0
    """The newest stamp heard: the venue's time is this or later, whatever this clock says; 0 before the first."""
    _since_ms: int | None = None
    """Monotonic start of the window; None before the first frame."""
    _heard_ms: int = field(init=False)
    _lead_ms: int = field(init=False)
    """The venue's time less monotonic time."""
    _offset_ms: int = field(init=False)
    """Wall less monotonic time at the last frame."""

    def heard(self, venue_ms: int, now: Instant) -> None:
        """A frame stamped ``venue_ms`` (Unix milliseconds, 0 where it has no stamp) has arrived now."""
        if not venue_ms:
            return
        offset_ms, late_ms = now.wall_ms - now.mono_ms, now.wall_ms - venue_ms
        jumped = self._since_ms is not None and abs(offset_ms - self._offset_ms) > JUMP_MS
        self._offset_ms, self._heard_ms = offset_ms, now.mono_ms
        self.newest_ms = max(self.newest_ms, venue_ms)
        if self._since_ms is None or jumped or now.mono_ms - self._since_ms > WINDOW_MS:
            self._since_ms, self.ms = now.mono_ms, late_ms
        self.ms = min(self.ms, late_ms)
        self._lead_ms = offset_ms - self.ms

    def reasons(self, now: Instant) -> list[str]:
        """Why this clock must not be relied on. Of a measure without a fresh frame nothing is concluded."""
        if abs(self.ms) <= SKEW_MS_MAX or now.mono_ms - self._heard_ms > WINDOW_MS:
            return []
        return [f"clock is {abs(self.ms) // 1000} s {'ahead of' if self.ms > 0 else 'behind'} the venue's"]

    def venue_ms(self, now: Instant) -> int:
        """The venue's time now, as well as it is known: since the measure by monotonic time, which does not jump."""
        return now.wall_ms if self._since_ms is None else now.mono_ms + self._lead_ms

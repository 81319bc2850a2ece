"""When to connect again. Pure: time and chance come from outside.

A server that accepts and closes at once would else be asked thousands of times a second, so a connection counts as a
success only after it has been open for a while, and attempts per minute are limited besides.
"""

from collections import deque
from dataclasses import dataclass

WINDOW_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceSettings:
    """Times of the pace, in seconds."""

    first: float = 0.25
    most: float = 5.0
    stable: float = 10.0
    """An open feed of this age clears the count of failures."""
    throttled: float = 60.0
    """Wait after the venue has said that it was asked too often."""
    attempts_per_minute: int = 30
    """The venue allows 60 to 80 per address, which both sides of a desk may share."""


class Pace:
    """Decides how long to wait before the next connection."""

    def __init__(self, settings: PaceSettings) -> None:
        self._settings = settings
        self._failures = 0
        self._not_before = 0.0
        self._attempts: deque[float] = deque()

    def wait_seconds(self, now: float, jitter: float) -> float:
        """How long to wait from ``now``; ``jitter`` is from 0 to 1 and takes up to half of the back-off away."""
        assert 0 <= jitter <= 1
        while self._attempts and now - self._attempts[0] >= WINDOW_SECONDS:
            self._attempts.popleft()
        waits = [0.0, self._not_before - now]
        if self._failures:
            backoff = min(self._settings.most, self._settings.first * 2.0 ** min(self._failures - 1, 20))
            waits.append(backoff * (1 - jitter / 2))
        if len(self._attempts) >= self._settings.attempts_per_minute:
            waits.append(self._attempts[0] + WINDOW_SECONDS - now)
        return max(waits)

    def attempted(self, now: float) -> None:
        """A connection is being made."""
        self._attempts.append(now)

    def ended(self, now: float, open_seconds: float, *, throttled: bool) -> None:
        """A connection ended, or never came to be, after its feed was open for ``open_seconds``."""
        self._failures = 1 if open_seconds >= self._settings.stable else self._failures + 1
        if throttled:
            self._not_before = now + self._settings.throttled

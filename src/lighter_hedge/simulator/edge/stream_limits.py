"""How much of the WebSocket one address and one connection may use. Pure.

Numbers of the venue in September 2026 (fact sheet, section 3); transactions count on the limits of ``core/limits.py``.
"""

from collections import deque
from dataclasses import dataclass, field

WINDOW_US = 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """``None`` is no limit. By default only those hold that no program of one user can meet."""

    connections_max: int | None = None
    """Open at once from one address."""
    connections_per_minute_max: int | None = None
    """Opened from one address."""
    messages_per_minute_max: int | None = None
    """From one address, transactions not counted."""
    in_flight_max: int | None = None
    """Messages of one connection whose answers it has not taken yet; transactions are counted apart."""
    subscriptions_max: int | None = 500
    """Of one connection."""
    accounts_max: int | None = 500
    """Different accounts of one connection."""


VENUE_LIMITS = StreamLimits(
    connections_max=200,
    connections_per_minute_max=80,
    messages_per_minute_max=200,
    in_flight_max=50,
)


@dataclass(slots=True)
class _Use:
    open: int = 0
    opened: deque[int] = field(default_factory=deque)
    messages: deque[int] = field(default_factory=deque)


class Addresses:
    """What each address uses. One that uses nothing is forgotten a minute later."""

    def __init__(self, limits: StreamLimits) -> None:
        self._limits = limits
        self._of: dict[str, _Use] = {}

    def opens(self, address: str, now_us: int) -> bool:
        """Count a new connection; False means that it is one too many, and then it is not counted."""
        self._forget(now_us)
        use = self._of.setdefault(address, _Use())
        most = self._limits.connections_max
        if most is not None and use.open >= most:
            return False
        if not _counted(use.opened, self._limits.connections_per_minute_max, now_us):
            return False
        use.open += 1
        return True

    def closes(self, address: str) -> None:
        """A counted connection has ended."""
        self._of[address].open -= 1

    def speaks(self, address: str, now_us: int) -> bool:
        """Count a message; False means that it is one too many."""
        use = self._of.setdefault(address, _Use())
        return _counted(use.messages, self._limits.messages_per_minute_max, now_us)

    def _forget(self, now_us: int) -> None:
        past_us = now_us - WINDOW_US
        idle = [
            address
            for address, use in self._of.items()
            if use.open == 0 and all(times[-1] <= past_us for times in (use.opened, use.messages) if times)
        ]
        for address in idle:
            del self._of[address]


def _counted(times: deque[int], most: int | None, now_us: int) -> bool:
    if most is None:
        return True
    while times and times[0] <= now_us - WINDOW_US:
        times.popleft()
    if len(times) >= most:
        return False
    times.append(now_us)
    return True

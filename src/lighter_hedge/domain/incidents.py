"""What goes wrong, told once: a condition that lasts too long, or a thing that happens again and again."""

from dataclasses import dataclass, field

from lighter_hedge.domain.commands import Alert, Level, Say
from lighter_hedge.domain.events import Instant

REMEMBERED_MS_MIN = 2_000
"""A shorter condition is ordinary (each round is unhedged for a moment) and not worth a place on the disk."""

REPEAT_MS = 60_000
"""The same thing happening again within this is logged, not alerted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """Store in the outbox, and log, that what was alerted is over."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A condition that holds, as a restart finds it again."""

    code: str
    about: str
    since_ms: int
    """Wall clock, milliseconds."""
    alerted: bool


@dataclass(slots=True, kw_only=True)
class Condition:
    """Something that must not last: alerted once when it has, and once more when it is over."""

    code: str
    about: str
    """``A``, ``B`` or ``desk``."""
    limit_ms: int
    began: Instant | None = None
    alerted: bool = False

    def look(self, holds: bool | None, now: Instant, text: str, over: str) -> list[Alert | Recovered]:
        """Say whether it holds; None where nobody can tell, which changes nothing."""
        if holds is None:
            return []
        if not holds:
            told, self.alerted, self.began = self.alerted, False, None
            return [Recovered(code=self.code, text=over)] if told else []
        if self.began is None:
            self.began = now
        if self.alerted or self.age_ms(now) < self.limit_ms:
            return []
        self.alerted = True
        return [Alert(code=self.code, text=text)]

    def age_ms(self, now: Instant) -> int:
        """For how long it has held; 0 while it does not."""
        return 0 if self.began is None else now.mono_ms - self.began.mono_ms

    def incident(self, now: Instant) -> Incident | None:
        """What a restart must find again; None where there is nothing."""
        if self.began is None or not (self.alerted or self.age_ms(now) >= REMEMBERED_MS_MIN):
            return None
        return Incident(code=self.code, about=self.about, since_ms=self.began.wall_ms, alerted=self.alerted)

    def restore(self, incident: Incident, now: Instant) -> None:
        """Go on where an earlier life of this process was. Its clock may have been another: no age below zero."""
        age_ms = max(0, now.wall_ms - incident.since_ms)
        self.began = Instant(now.mono_ms - age_ms, incident.since_ms)
        self.alerted = incident.alerted


@dataclass(slots=True)
class Occurrences:
    """Things that happen at one moment: the first is alerted, what follows soon is logged and counted."""

    _next_ms: dict[tuple[str, str], int] = field(default_factory=dict)
    _kept: dict[tuple[str, str], int] = field(default_factory=dict)

    def happened(self, code: str, about: str, text: str, now: Instant) -> list[Alert | Say]:
        """It happened now."""
        key = (code, about)
        if now.mono_ms < self._next_ms.get(key, now.mono_ms):
            self._kept[key] = self._kept.get(key, 0) + 1
            return [Say(level=Level.ERROR, code=code, text=text)]
        self._next_ms[key] = now.mono_ms + REPEAT_MS
        kept = self._kept.pop(key, 0)
        return [Alert(code=code, text=f"{text} ({kept} more before it, in the log)" if kept else text)]

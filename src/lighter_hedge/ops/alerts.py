"""Which stored alerts become a message, when, and to whom. Reads no clock and no file.

An alert is told at once. While the same thing happens again, it is told after growing intervals, with a count; when it
is over, once more. So a flood of equal alerts is a handful of messages, and none of them hides another's.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from lighter_hedge.language import _

ROUTES: Final = ("critical", "warning", "info", "daily")
CRITICAL: Final = frozenset(
    {
        "UNHEDGED_TOO_LONG",
        "HEDGE_FAILED",
        "POSITION_DIFFERS",
        "FOREIGN_TRADE",
        "LIQUIDATION",
        "SELF_TRADE",
        "HEDGED_TWICE",
        "QUOTE_WHILE_UNHEDGED",
        "ORDER_RESTS_UNHEDGED",
        "STOPPED_UNHEDGED",
        "SIDE_SILENT",
        "SUPERSEDED",
    }
)
"""Codes that mean money is at risk now; everything else that went wrong is a warning."""
TEXT_MAX: Final = 800


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """An alert as one process has stored it."""

    source: str
    """``A``, ``B`` or ``monitor``."""
    id: int
    level: str
    """``error`` for what went wrong, ``info`` for what is over again."""
    code: str
    text: str
    wall_ms: int

    @property
    def key(self) -> tuple[str, str]:
        """What makes two alerts the same thing."""
        return self.source, self.code

    @property
    def route(self) -> str:
        """Which targets hear it."""
        if self.level != "error":
            return "info"
        return "critical" if self.code in CRITICAL else "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What goes to people: one or more alerts of the same thing."""

    route: str
    title: str
    body: str
    alerts: tuple[Raised, ...]
    """What counts as told once this has been delivered."""


@dataclass(slots=True)
class _Burst:
    """The same thing, again and again."""

    told: int = 0
    last_ms: int = 0


@dataclass(slots=True, kw_only=True)
class Policy:
    """Decides from what waits and what has been told."""

    desk: str
    repeat_ms: Sequence[int] = (60_000, 300_000, 900_000, 3_600_000)
    """From one message about the same thing to the next; the last one repeats."""
    _bursts: dict[tuple[str, str], _Burst] = field(default_factory=dict)

    def told(self, alerts: Iterable[Raised], at_ms: int) -> None:
        """A message about these has reached people, now or before a restart."""
        for alert in alerts:
            if alert.level != "error":
                self._bursts.pop(alert.key, None)
                continue
            burst = self._bursts.setdefault(alert.key, _Burst())
            if burst.told and at_ms - burst.last_ms > 2 * self.repeat_ms[-1]:
                burst.told = 0
            if not burst.told or burst.last_ms != at_ms:
                burst.told, burst.last_ms = burst.told + 1, at_ms

    def due(self, waiting: Collection[Raised], now_ms: int) -> list[Message]:
        """Messages to send now, the gravest first, in the order in which things happened."""
        groups: dict[tuple[str, str, str], list[Raised]] = {}
        for alert in sorted(waiting, key=lambda each: (each.wall_ms, each.id)):
            groups.setdefault((*alert.key, alert.level), []).append(alert)
        found = [self._message(group) for group in groups.values() if self._is_due(group, now_ms)]
        return sorted(found, key=lambda message: ROUTES.index(message.route))

    def _is_due(self, group: Sequence[Raised], now_ms: int) -> bool:
        burst = self._bursts.get(group[0].key)
        if burst is None or group[0].level != "error" or now_ms - burst.last_ms > 2 * self.repeat_ms[-1]:
            return True
        return now_ms - burst.last_ms >= self.repeat_ms[min(burst.told, len(self.repeat_ms)) - 1]

    def _message(self, group: Sequence[Raised]) -> Message:
        newest = group[-1]
        over = newest.level != "error"
        title = _("{desk}: recovered: {code}") if over else _("{desk}: {code}")
        at = datetime.fromtimestamp(newest.wall_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        lines = [newest.text[:TEXT_MAX], _("{source}, {at}").format(source=newest.source, at=at)]
        if len(group) > 1:
            lines.insert(1, _("{count} times since the last message").format(count=len(group)))
        if not over:
            lines.append(_("what to do: docs/runbook.md, {code}").format(code=newest.code))
        title = title.format(desk=self.desk, code=newest.code)
        return Message(route=newest.route, title=title, body="\n".join(lines), alerts=tuple(group))


@dataclass(frozen=True, slots=True)
class Target:
    """Somebody who is told."""

    url: str = field(repr=False)
    """As apprise reads it: a secret."""
    routes: frozenset[str]

    @property
    def shown(self) -> str:
        """What may be logged of it."""
        return f"{urlsplit(self.url).scheme}://…"


def read_targets(text: str) -> list[Target]:
    """Targets of a file: ``critical,warning tgram://…`` a line; a line without routes gets everything.

    Raises:
        ValueError: names the line, and shows nothing of the address.
    """
    targets = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        routes, url = (words[0].split(","), words[-1]) if len(words) == 2 else (list(ROUTES), words[-1])
        wrong = [route for route in routes if route not in ROUTES]
        if len(words) > 2 or wrong or "://" not in url:
            raise ValueError(f"line {number}: write it like critical,warning tgram://…; routes are {', '.join(ROUTES)}")
        targets.append(Target(url, frozenset(routes)))
    return targets

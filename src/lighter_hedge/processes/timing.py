"""When the news of a fill, and the hedge that answers it, passed each stage of their way.

Called by the driver at points that it passes anyway; each call notes a number. What a finished way looked like goes to
``tell``, which must not wait.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lighter_hedge.domain.commands import Prepare, PublishFailure, PublishFill
from lighter_hedge.domain.events import Candidate, Event, OrderKind, OrderRequest, Prepared, Request, TradeReported
from lighter_hedge.domain.states import Role
from lighter_hedge.messaging.telemetry import Stamped

OPEN_MAX = 64
"""Hedges whose fill has not been seen yet; the oldest is told as far as it came."""


def wall_us() -> int:
    """Unix microseconds."""
    return time.time_ns() // 1000


class Untimed:
    """Where nobody asks for times."""

    def came(self, event: Event) -> None:
        """An event has come in."""

    def signing(self, command: Prepare) -> None:
        """The machine wants a request signed."""

    def decided(self, candidate: Candidate) -> None:
        """The machine wants ``candidate`` sent."""

    def leaving(self, candidate: Candidate) -> None:
        """The bytes leave the process now."""

    def answered(self, candidate: Candidate) -> None:
        """The venue has answered, or has not in time."""

    def heard_of(self, news: PublishFill | PublishFailure) -> None:
        """The machine has news for people."""

    def told(self) -> None:
        """The newest state stands in Redis."""


@dataclass(slots=True, kw_only=True)
class Timing(Untimed):
    """The stages of one side."""

    role: Role
    tell: Callable[[Stamped], None]
    clock: Callable[[], int] = wall_us
    _came_us: int = 0
    _fills: list[tuple[PublishFill, int]] = field(default_factory=list)
    """Fills of A that no appended state tells of yet, and when each came in."""
    _asked_us: dict[int, int] = field(default_factory=dict)
    """When the news came for which a hedge had to be signed, by its client order index."""
    _just_signed: int = 0
    """Client order index of the hedge whose signature has just come in."""
    _hedges: dict[int, Stamped] = field(default_factory=dict)
    """Hedges under way, by client order index."""

    def came(self, event: Event) -> None:
        """An event has come in."""
        self._came_us = self.clock()
        self._just_signed = _hedge_of(event.candidate.request) if isinstance(event, Prepared) else 0
        if isinstance(event, TradeReported) and event.role is self.role is Role.HEDGER:
            hedge = self._hedges.pop(event.trade.coid, None)
            if hedge is not None:
                hedge.at_us["filled"] = self._came_us
                self.tell(hedge)

    def heard_of(self, news: PublishFill | PublishFailure) -> None:
        """The machine has news for people: of A, that it has filled."""
        if self.role is Role.MAKER and isinstance(news, PublishFill):
            self._fills.append((news, self._came_us))

    def told(self) -> None:
        """The newest state stands in Redis."""
        if not self._fills:
            return
        now, told = self.clock(), self._fills
        self._fills = []
        for news, came_us in told:
            fills = news.fills
            at_us = {"filled": came_us, "told": now}
            self.tell(Stamped(source="A", round=fills.round, coid=fills.coid, lots=fills.filled, at_us=at_us))

    def signing(self, command: Prepare) -> None:
        """The machine wants a request signed."""
        coid = _hedge_of(command.request)
        if coid:
            while len(self._asked_us) >= OPEN_MAX:
                del self._asked_us[next(iter(self._asked_us))]
            self._asked_us[coid] = self._came_us

    def decided(self, candidate: Candidate) -> None:
        """The machine wants ``candidate`` sent."""
        request, coid = candidate.request, _hedge_of(candidate.request)
        if self.role is Role.MAKER or not isinstance(request, OrderRequest) or not coid or coid in self._hedges:
            return  # bytes that go once more: the first time counts
        if len(self._hedges) >= OPEN_MAX:
            self.tell(self._hedges.pop(next(iter(self._hedges))))
        asked_us = self._asked_us.pop(coid, self._came_us)
        armed = coid != self._just_signed
        self._hedges[coid] = Stamped(
            source="B",
            round=request.round,
            coid=coid,
            lots=request.lots,
            armed=armed,
            at_us={"heard": self._came_us if armed else asked_us, "decided": self.clock()},
        )

    def leaving(self, candidate: Candidate) -> None:
        """The bytes leave the process now."""
        self._stamp(candidate, "leaving")

    def answered(self, candidate: Candidate) -> None:
        """The venue has answered, or has not in time."""
        self._stamp(candidate, "answered")

    def _stamp(self, candidate: Candidate, stage: str) -> None:
        request = candidate.request
        if isinstance(request, OrderRequest) and request.coid in self._hedges:
            self._hedges[request.coid].at_us.setdefault(stage, self.clock())


def _hedge_of(request: Request) -> int:
    """Client order index of a hedge, or 0."""
    return request.coid if isinstance(request, OrderRequest) and request.kind is OrderKind.HEDGE else 0

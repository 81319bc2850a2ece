"""One side as an operating-system process: what it has in memory goes with it, its journal stays."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.memory_journal import MemoryJournal
from tests.simulation.sim_messaging import SimMessaging
from tests.simulation.sim_server import ACCOUNTS, BTC
from tests.simulation.sim_venue import SimVenue
from tests.simulation.virtual_time import Life, VirtualLoop

from lighter_hedge.domain.events import Candidate, Event, Instant, Ticked
from lighter_hedge.domain.guard import SendGuard
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.maker import Maker
from lighter_hedge.domain.settings import DeskSettings
from lighter_hedge.domain.states import Role
from lighter_hedge.messaging.messages import ChannelContext
from lighter_hedge.processes.driver import Driver

OnEvent = Callable[["Process", Event], None]


class SimDriver(Driver):
    """The real driver; what it hears is told to the world, and its tick may be slower."""

    hears: Callable[[Event], None] | None = None
    tick_seconds: float = 0.05
    held_up: float = 0.0
    """So long the next write to the socket is held up, once."""

    async def _send(self, candidate: Candidate, decided: Instant) -> None:
        seconds, self.held_up = self.held_up, 0.0
        if seconds:
            await asyncio.sleep(seconds)
        await super()._send(candidate, decided)

    def dispatch(self, event: Event) -> None:
        if self.hears is not None:
            self.hears(event)
        super().dispatch(event)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self.tick_seconds)
            self.dispatch(Ticked())


@dataclass(slots=True)
class Process:
    """One instance of a side, over its restarts."""

    role: Role
    venue: SimVenue
    messaging: SimMessaging
    journal: MemoryJournal
    name: str = ""
    driver: SimDriver | None = None
    task: "asyncio.Task[int] | None" = None
    life: Life | None = None
    exit_code: int | None = None
    lines: list[str] = field(default_factory=list)
    restart_at: float | None = None
    """When the supervisor, or a person, starts it again."""
    starts: int = 0
    started: float = 0.0
    """When it was last started."""

    @property
    def running(self) -> bool:
        return self.task is not None and not self.task.done() and (self.life is None or not self.life.dead)

    @property
    def frozen(self) -> bool:
        return self.life is not None and self.life.frozen

    def create(
        self,
        desk: DeskSettings,
        clock: Callable[[], Instant],
        say: Callable[[str, str, str], None],
        *,
        by_person: bool,
        adopt: bool,
    ) -> SimDriver:
        """A driver and a machine from the journal."""
        memory = self.journal.memory(wall_ms=clock().wall_ms, by_person=by_person, adopt=adopt)
        create = Maker.create if self.role is Role.MAKER else Hedger.create
        machine = create(desk, memory)
        self.driver = SimDriver(
            role=self.role,
            machine=machine,
            guard=SendGuard(core=machine.core),
            venue=self.venue,
            messaging=self.messaging,
            journal=self.journal,
            context=ChannelContext(
                desk=desk.desk,
                market=BTC,
                maker_account=ACCOUNTS[Role.MAKER],
                hedger_account=ACCOUNTS[Role.HEDGER],
                wall_ms=0,
            ),
            clock=clock,
            say=say,
        )
        return self.driver

    def freeze(self) -> None:
        """``SIGSTOP``: nothing of it runs until it is thawed."""
        if self.life is not None and not self.life.dead:
            self.life.frozen = True

    def thaw(self, loop: VirtualLoop) -> None:
        """``SIGCONT``: everything that has become due meanwhile runs now."""
        if self.life is not None and self.life.frozen:
            loop.thaw(self.life)

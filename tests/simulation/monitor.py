"""The monitor as one process of a world, on a machine of its own: the real rules and the real shell."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulation.sim_messaging import SimMessaging
from tests.simulation.sim_server import ACCOUNTS, BTC, WALL_BASE_MS, SimServer
from tests.simulation.sim_venue import SimVenue
from tests.simulation.virtual_time import Life, VirtualLoop, effect

from lighter_hedge.domain.events import FeedClosed, FeedOpened, Instant, TxReported, VenueEvent
from lighter_hedge.domain.incidents import Incident
from lighter_hedge.domain.monitor import Monitor
from lighter_hedge.domain.monitor_words import MonitorSettings
from lighter_hedge.domain.settings import DeskSettings
from lighter_hedge.domain.states import Role
from lighter_hedge.processes.journal_file import JournalUnwritable
from lighter_hedge.processes.monitor import MonitorDriver
from lighter_hedge.venue.errors import VenueUnreachable
from lighter_hedge.venue.port import OnEvent

ELSEWHERE = Path("on the machines of A and B")
"""Their journals: no file here tells whether a person has stopped them."""


class PublicSimVenue(SimVenue):
    """What the exchange shows to anybody. It could sign and send as A does: that it never does is checked."""

    def __init__(self, server: SimServer) -> None:
        super().__init__(server, Role.MAKER, BTC)
        self.open_since: float | None = None
        """Since when every subscription has answered; None while the stream is down."""

    def channels(self) -> list[str]:
        return [*(f"account_all/{account}" for account in ACCOUNTS.values()), f"market_stats/{BTC.market_index}"]

    async def connect(self) -> "PublicSimVenue":
        """The market is known from the first answer on."""
        if self.cut:
            raise VenueUnreachable("no answer")
        return self

    async def stream(self, on_event: OnEvent) -> None:
        def heard(event: VenueEvent | TxReported) -> None:
            if isinstance(event, FeedOpened):
                self.open_since = self.server.loop.time()
            elif isinstance(event, FeedClosed):
                self.open_since = None
            on_event(event)

        await super().stream(heard)


class Outbox:
    """What the monitor has stored; it outlives the process."""

    def __init__(self) -> None:
        self.alerts: list[tuple[str, str, str]] = []
        """Level, code and text."""
        self.open: dict[str, bool] = {}
        """By code, whether the last word was that it had gone wrong."""
        self.incidents: tuple[Incident, ...] = ()
        self.full = False
        """The disk takes nothing more."""

    def alert(self, level: str, code: str, text: str, wall_ms: int) -> None:
        effect("alert" if level == "error" else "recovered", code)
        self._require_space()
        self.alerts.append((level, code, text))
        self.open[code] = level == "error"

    def remember(self, incidents: tuple[Incident, ...], wall_ms: int) -> None:
        effect("remember")
        self._require_space()
        self.incidents = incidents

    def _require_space(self) -> None:
        if self.full:
            raise JournalUnwritable("the disk is full")


@dataclass(slots=True)
class MonitorProcess:
    """One monitor, over its restarts."""

    desk: DeskSettings
    venue: PublicSimVenue
    messaging: SimMessaging
    outbox: Outbox = field(default_factory=Outbox)
    on_line: Callable[[str], None] = lambda line: None
    on_effect: Callable[[str, object], None] = lambda what, detail: None
    on_say: Callable[[str, str], None] = lambda level, code: None
    """Gets level and code of all that it logs."""
    lines: list[str] = field(default_factory=list)
    driver: MonitorDriver | None = None
    task: "asyncio.Task[None] | None" = None
    life: Life | None = None
    starts: int = 0

    @property
    def name(self) -> str:
        return f"M{self.starts}"

    @property
    def running(self) -> bool:
        return self.task is not None and not self.task.done()

    @property
    def frozen(self) -> bool:
        return self.life is not None and self.life.frozen

    def start(self, loop: VirtualLoop) -> None:
        """Start it with what it has remembered."""
        assert not self.running
        self.starts += 1

        def clock() -> Instant:
            wall_ms = WALL_BASE_MS + round(loop.now * 1_000_000) // 1000 + self.venue.skew_ms
            return Instant(round(loop.now * 1000), wall_ms)

        self.driver = MonitorDriver(
            machine=Monitor.create(self._settings(), self.outbox.incidents),
            connect=self.venue.connect,
            messaging=self.messaging,
            store=self.outbox,
            journal_of=lambda role: ELSEWHERE,
            clock=clock,
            say=self._say,
        )
        self.life = life = Life(self.name)
        life.on_effect = self.on_effect
        self.task = loop.create_task(self._run(self.driver, life), context=life.context)

    async def _run(self, driver: MonitorDriver, life: Life) -> None:
        try:
            await driver.run()
        except BaseException:
            if not life.dead:
                raise

    def end(self, loop: VirtualLoop) -> None:
        """``kill -9``."""
        if self.task is None or self.life is None:
            return
        self.life.dead = True
        self.thaw(loop)
        self.venue.drop()
        self.venue.open_since = None
        self.task.cancel()
        self.task = self.driver = None

    def freeze(self) -> None:
        """``SIGSTOP``."""
        assert self.life is not None
        self.life.frozen = True

    def thaw(self, loop: VirtualLoop) -> None:
        """``SIGCONT``."""
        if self.life is not None and self.life.frozen:
            loop.thaw(self.life)

    def _say(self, level: str, code: str, text: str) -> None:
        self.lines.append(f"{level:7} {code} {text}")
        self.on_line(f"{self.name} # {code} {text}")
        self.on_say(level, code)

    def _settings(self) -> MonitorSettings:
        desk = self.desk
        return MonitorSettings(
            desk=desk.desk,
            accounts=ACCOUNTS,
            unhedged_ms_max=desk.unhedged_ms_max,
            heartbeat_ms_max=desk.heartbeat_ms_max,
            read_lag_ms=desk.read_lag_ms,
            reconcile_ms=desk.reconcile_ms,
        )

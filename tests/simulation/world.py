"""A desk in a small world: both real sides, the real exchange core, streams in memory, and virtual time.

What is asserted is the exchange's truth, never a side's belief.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tests.simulation.market import ASK, BID, quiet_book
from tests.simulation.memory_journal import MemoryJournal
from tests.simulation.monitor import MonitorProcess, PublicSimVenue
from tests.simulation.process import Process
from tests.simulation.sim_messaging import SimMessaging
from tests.simulation.sim_server import ACCOUNTS, BTC, WALL_BASE_MS, SimServer
from tests.simulation.sim_venue import SimVenue
from tests.simulation.virtual_time import Life, VirtualLoop

from lighter_hedge.domain.events import Event, Instant
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.maker import Maker
from lighter_hedge.domain.settings import DeskSettings
from lighter_hedge.domain.states import DeskId, HedgerState, MakerState, OperatorCommand, Role
from lighter_hedge.messaging.memory_stream import MemoryHub, MemoryMessaging
from lighter_hedge.processes.journal_file import JournalUnwritable
from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.events import TrafficEvent
from lighter_hedge.simulator.core.orders import Order, OrderStatus, Trade

__all__ = ["ASK", "BID", "BTC", "DESK", "Process", "World", "settings"]

EXIT_JOURNAL = 5
"""A side whose journal cannot be written ends; its supervisor starts it again."""
DESK = DeskId(pair="a_b", market="BTC")


def settings(**changes: Any) -> DeskSettings:
    """A desk that waits less long than a real one."""
    quick = DeskSettings(
        desk=DESK,
        market=BTC,
        quantity=20,
        read_lag_ms=500,
        requote_bps_e2=100,
        orders_per_minute_max=1_000,
        cancel_first=True,
    )
    return replace(quick, **changes)


class World:
    """Both sides, the exchange and the streams between them."""

    def __init__(
        self,
        desk: DeskSettings | None = None,
        *,
        tier: Tier = Tier.STANDARD,
        same_wallet: bool = True,
        traffic: Iterator[tuple[int, TrafficEvent]] | None = None,
        verbose: bool = False,
        speed: float = 1.0,
        tick_seconds: float = 0.05,
        shuffled: random.Random | None = None,
    ) -> None:
        self.desk = desk or settings()
        self.loop: VirtualLoop = VirtualLoop(shuffled=shuffled)
        self.server = SimServer(self.loop, tier=tier, same_wallet=same_wallet, speed=speed)
        self.hub = MemoryHub(lambda: self.server.now_us() // 1000)
        self.verbose = verbose
        self.tick_seconds = tick_seconds
        self.on_line: Callable[[str], None] = lambda line: None
        self.on_event: Callable[[Process, Event], None] | None = None
        self.on_effect: Callable[[Process, str, object], None] | None = None
        self.on_process: Callable[[Process], None] = lambda process: None
        """Called for every new instance of a side."""
        self.on_start: Callable[[Process, bool], None] = lambda process, by_person: None
        """Called at every start, with whether a person starts it after a recorded stop."""
        self.processes = {role: self.instance(role, MemoryJournal(DESK)) for role in Role}
        self.others: list[Process] = []
        """Older instances of a side that were left running beside a newer one."""
        self.monitor: MonitorProcess | None = None
        """In some worlds."""
        self.server.exchange.attach_traffic(traffic or quiet_book(), self.server.now_us())
        self.server.arm_timer()
        self._commands = 0

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.everybody():
            self.end(process)
        if self.monitor is not None:
            self.monitor.end(self.loop)
        pending = asyncio.all_tasks(self.loop)
        for task in pending:
            task.cancel()
        if pending:
            self.loop.run_until_complete(asyncio.wait(pending))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    # --- processes ---

    @property
    def a(self) -> Process:
        return self.processes[Role.MAKER]

    @property
    def b(self) -> Process:
        return self.processes[Role.HEDGER]

    @property
    def maker(self) -> Maker:
        assert self.a.driver is not None
        assert isinstance(self.a.driver.machine, Maker)
        return self.a.driver.machine

    @property
    def hedger(self) -> Hedger:
        assert self.b.driver is not None
        assert isinstance(self.b.driver.machine, Hedger)
        return self.b.driver.machine

    def everybody(self) -> list[Process]:
        """Every instance of both sides."""
        return [*self.processes.values(), *self.others]

    def instance(self, role: Role, journal: MemoryJournal) -> Process:
        """A side that has not been started."""
        process = Process(role, SimVenue(self.server, role, BTC), SimMessaging(self.hub, DESK), journal)
        self.on_process(process)
        return process

    def add_monitor(self) -> MonitorProcess:
        """A monitor that has not been started."""
        messaging = SimMessaging(self.hub, DESK)
        self.monitor = MonitorProcess(self.desk, PublicSimVenue(self.server), messaging, on_line=self._line)
        return self.monitor

    def now(self) -> Instant:
        """The exchange's clock, and that of every process whose clock is right."""
        return Instant(round(self.loop.time() * 1000), self.server.now_ms())

    def start(self, role: Role, *, by_person: bool = False, adopt: bool = False) -> None:
        """Start a side from its journal."""
        self.start_process(self.processes[role], by_person=by_person, adopt=adopt)

    def start_process(self, process: Process, *, by_person: bool = False, adopt: bool = False) -> None:
        """Start an instance of a side from its journal."""
        assert not process.running
        venue, loop = process.venue, self.loop
        after_a_stop = by_person and process.journal.person_stopped

        def clock() -> Instant:
            now = loop.now
            return Instant(round(now * 1000), WALL_BASE_MS + round(now * 1_000_000) // 1000 + venue.skew_ms)

        process.starts += 1
        process.started = self.loop.time()
        process.name = f"{process.role.letter}{process.starts}"
        driver = process.create(
            self.desk,
            clock,
            lambda level, code, text: self._say(process, level, code, text),
            by_person=by_person,
            adopt=adopt,
        )
        driver.tick_seconds = self.tick_seconds
        if self.on_event is not None:
            on_event = self.on_event
            driver.hears = lambda event: on_event(process, event)
        process.exit_code, process.restart_at = None, None
        process.life = life = Life(process.name)
        life.on_death = lambda what: self._died(process, life, what)
        if self.on_effect is not None:
            on_effect = self.on_effect
            life.on_effect = lambda what, detail: on_effect(process, what, detail)
        process.task = self.loop.create_task(self._run(process, driver, life), context=life.context)
        self.on_start(process, after_a_stop)

    async def _run(self, process: Process, driver: Any, life: Life) -> int:
        try:
            code: int = await driver.run()
        except JournalUnwritable:
            code = EXIT_JOURNAL
        except BaseException:
            if life.dead:
                return -9
            raise
        finally:
            life.dead = True  # what still comes for it finds no process
        if process.life is life:
            process.exit_code = code
        return code

    def _died(self, process: Process, life: Life, what: str) -> None:
        """Killed by itself, at one of its effects."""
        self._line(f"{life.name} ! killed at: {what}")
        process.venue.drop()
        if process.task is not None:
            process.task.cancel()

    def _say(self, process: Process, level: str, code: str, text: str) -> None:
        line = f"{self.loop.time() - 1000:8.3f} {process.role.letter} {level:7} {code} {text}"
        process.lines.append(line)
        self._line(f"{process.name} # {code} {text}")
        if self.verbose:
            print(line)

    def _line(self, text: str) -> None:
        self.on_line(text)

    def kill(self, role: Role) -> None:
        """``kill -9``: nothing of the side runs any more, in the middle of whatever it did."""
        self.end(self.processes[role])

    def end(self, process: Process) -> None:
        """``kill -9`` of one instance."""
        if process.task is None:
            return
        if process.life is not None:
            process.life.dead = True
            process.thaw(self.loop)
        process.venue.drop()
        process.task.cancel()
        process.task = None
        process.driver = None

    def start_both(self) -> None:
        """Start B, then A, and wait until A has a quote in the book."""
        self.start(Role.HEDGER)
        self.start(Role.MAKER)
        self.until(lambda: bool(self.resting(Role.MAKER)), 30, "A to quote")

    # --- time ---

    def run(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.loop.run_until_complete(asyncio.sleep(seconds))
        self._crash_with_them()

    def until(self, condition: Callable[[], bool], seconds: float, what: str = "", step: float = 0.01) -> None:
        """Let virtual time pass until a condition holds."""

        async def wait() -> None:
            deadline = self.loop.time() + seconds
            while not condition():
                if self.loop.time() >= deadline:
                    lines = sorted(line for process in self.everybody() for line in process.lines[-15:])
                    raise AssertionError(f"waited {seconds} s for {what or condition}:\n" + "\n".join(lines))
                self._crash_with_them()
                await asyncio.sleep(step)

        self.loop.run_until_complete(wait())

    def _crash_with_them(self) -> None:
        """A programmer's error in a side is an error of the test."""
        tasks: list[asyncio.Task[Any] | None] = [process.task for process in self.everybody()]
        if self.monitor is not None:
            tasks.append(self.monitor.task)
        for task in tasks:
            if task is not None and task.done() and not task.cancelled():
                error = task.exception()
                if error is not None:
                    raise error

    # --- what a person or a fault does ---

    def fault(self, kind: str, role: Role | None = Role.MAKER, **parameters: Any) -> int:
        """Arm a fault of the exchange for an account."""
        request: dict[str, Any] = {"kind": kind, **parameters}
        if role is not None:
            request["account"] = ACCOUNTS[role]
        armed = self.server.venue.arm_fault(request)
        if kind == "disconnect" and role is not None:
            self.processes[role].venue.drop()
        return int(armed["id"])

    def clear_fault(self, fault_id: int) -> None:
        self.server.exchange.faults.clear(fault_id)

    def ask(self, verb: str, **parameters: Any) -> str:
        """A person's command."""
        self._commands += 1
        command = OperatorCommand(id=f"c{self._commands}", verb=verb, **parameters)
        self.loop.run_until_complete(MemoryMessaging(self.hub, DESK).append_command(command))
        return command.id

    # --- the exchange's truth ---

    def orders(self, role: Role) -> list[Order]:
        """All orders of an account, oldest first."""
        self.server.venue.step()
        state = self.server.exchange.state
        return [state.versions[index][-1] for index in state.orders_of.get(ACCOUNTS[role], [])]

    def resting(self, role: Role) -> list[Order]:
        """Open orders of an account."""
        self.server.venue.step()
        found = self.server.exchange.state.open_of[ACCOUNTS[role]].values()
        return [order for order in found if order.status is OrderStatus.OPEN]

    def trades(self, role: Role) -> list[Trade]:
        self.server.venue.step()
        return list(self.server.exchange.state.trades_of.get(ACCOUNTS[role], []))

    def position(self, role: Role) -> int:
        """Signed lots at the exchange."""
        self.server.venue.step()
        account = self.server.exchange.state.accounts[ACCOUNTS[role]]
        return account.position(BTC).lots

    @property
    def net(self) -> int:
        return self.position(Role.MAKER) + self.position(Role.HEDGER)

    def hedged(self) -> bool:
        """Both accounts trade, and A + B is nothing."""
        return self.net == 0

    def states(self) -> tuple[MakerState, HedgerState]:
        """What both sides tell, by their machines."""
        return self.maker.state(self.now()), self.hedger.state(self.now())

    def said(self, role: Role, code: str) -> list[str]:
        """Log lines of a side with this code."""
        return [line for line in self.processes[role].lines if f" {code} " in line]

    def published(self) -> list[tuple[str, bytes]]:
        """Everything on the user's channels."""
        return list(self.hub.published)

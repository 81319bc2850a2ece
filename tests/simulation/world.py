"""A desk in a small world: both real sides, the real exchange core, streams in memory, and virtual time.

What is asserted is the exchange's truth, never a side's belief.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from tests.simulation.memory_journal import MemoryJournal
from tests.simulation.sim_venue import ACCOUNTS, SimServer, SimVenue
from tests.simulation.virtual_time import VirtualLoop

from lighter_hedge.domain.events import Instant
from lighter_hedge.domain.guard import SendGuard
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.maker import Maker
from lighter_hedge.domain.settings import DeskSettings
from lighter_hedge.domain.states import DeskId, HedgerState, MakerState, OperatorCommand, Role
from lighter_hedge.domain.units import MarketSpec, Side
from lighter_hedge.messaging.memory_stream import MemoryHub, MemoryMessaging
from lighter_hedge.messaging.messages import ChannelContext
from lighter_hedge.processes.driver import Driver
from lighter_hedge.simulator.accounts import Tier
from lighter_hedge.simulator.events import BookChange, Mark, TrafficEvent
from lighter_hedge.simulator.markets import MARKETS
from lighter_hedge.simulator.orders import Order, OrderStatus, Trade

BTC: MarketSpec = next(market for market in MARKETS.values() if market.symbol == "BTC")
DESK = DeskId(pair="a_b", market="BTC")
BID, ASK = 1_209_990, 1_210_010
"""Best prices of the quiet book, in ticks."""


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


def quiet_book(levels: int = 5, lots: int = 500) -> Iterator[tuple[int, TrafficEvent]]:
    """A book that stands still but for its last level, which shows that the feed lives."""
    market = BTC.market_index
    updates = [(Side.BID, BID - 10 * n, lots) for n in range(levels)]
    updates += [(Side.ASK, ASK + 10 * n, lots) for n in range(levels)]
    yield 0, BookChange(market_index=market, updates=tuple(updates), snapshot=True)
    yield 0, Mark(market_index=market, mark_ticks=(BID + ASK) // 2, index_ticks=(BID + ASK) // 2)
    at_us = 0
    while True:
        at_us += 200_000
        last = (Side.BID, BID - 10 * levels, lots + at_us // 200_000 % 2)
        yield at_us, BookChange(market_index=market, updates=(last,), snapshot=False)


@dataclass(slots=True)
class Process:
    """One side as an operating-system process: what it has in memory goes with it, its journal stays."""

    role: Role
    venue: SimVenue
    messaging: MemoryMessaging
    journal: MemoryJournal
    driver: Driver | None = None
    task: asyncio.Task[int] | None = None
    exit_code: int | None = None
    lines: list[str] = field(default_factory=list)

    @property
    def running(self) -> bool:
        return self.task is not None and not self.task.done()


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
    ) -> None:
        self.desk = desk or settings()
        self.loop = VirtualLoop()
        self.server = SimServer(self.loop, tier=tier, same_wallet=same_wallet)
        self.hub = MemoryHub(lambda: self.server.now_us() // 1000)
        self.verbose = verbose
        self.processes = {
            role: Process(
                role=role,
                venue=SimVenue(self.server, role, BTC),
                messaging=MemoryMessaging(self.hub, DESK),
                journal=MemoryJournal(DESK),
            )
            for role in Role
        }
        self.server.exchange.attach_traffic(traffic or quiet_book(), self.server.now_us())
        self._background = self.loop.create_task(self.server.run())
        self._commands = 0

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            self.kill(process.role)
        self._background.cancel()
        pending = asyncio.all_tasks(self.loop)
        for task in pending:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
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

    def now(self) -> Instant:
        return Instant(int(self.loop.time() * 1000), self.server.now_us() // 1000)

    def start(self, role: Role, *, by_person: bool = False, adopt: bool = False) -> None:
        """Start a side from its journal."""
        process = self.processes[role]
        assert not process.running
        memory = process.journal.memory(wall_ms=self.now().wall_ms, by_person=by_person, adopt=adopt)
        create = Maker.create if role is Role.MAKER else Hedger.create
        machine = create(self.desk, memory)
        process.driver = Driver(
            role=role,
            machine=machine,
            venue=process.venue,
            messaging=process.messaging,
            journal=process.journal,
            guard=SendGuard(core=machine.core),
            context=ChannelContext(
                desk=DESK,
                market=BTC,
                maker_account=ACCOUNTS[Role.MAKER],
                hedger_account=ACCOUNTS[Role.HEDGER],
                wall_ms=0,
            ),
            clock=self.now,
            say=lambda level, code, text: self._say(process, level, code, text),
        )
        process.exit_code = None
        process.task = self.loop.create_task(self._run(process))

    async def _run(self, process: Process) -> int:
        assert process.driver is not None
        process.exit_code = await process.driver.run()
        return process.exit_code

    def _say(self, process: Process, level: str, code: str, text: str) -> None:
        line = f"{self.loop.time() - 1000:8.3f} {process.role.letter} {level:7} {code} {text}"
        process.lines.append(line)
        if self.verbose:
            print(line)

    def kill(self, role: Role) -> None:
        """``kill -9``: nothing of the side runs any more, in the middle of whatever it did."""
        process = self.processes[role]
        if process.task is None:
            return
        process.venue.drop()
        process.task.cancel()
        for _ in range(20):
            self.loop.run_until_complete(asyncio.sleep(0))
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

    def until(self, condition: Callable[[], bool], seconds: float, what: str = "") -> None:
        """Let virtual time pass until a condition holds."""

        async def wait() -> None:
            deadline = self.loop.time() + seconds
            while not condition():
                if self.loop.time() >= deadline:
                    lines = sorted(self.a.lines[-15:] + self.b.lines[-15:])
                    raise AssertionError(f"waited {seconds} s for {what or condition}:\n" + "\n".join(lines))
                self._crash_with_them()
                await asyncio.sleep(0.01)

        self.loop.run_until_complete(wait())

    def _crash_with_them(self) -> None:
        """A programmer's error in a side is an error of the test."""
        for process in self.processes.values():
            if process.task is not None and process.task.done() and not process.task.cancelled():
                error = process.task.exception()
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
        return [order for order in self.orders(role) if order.status is OrderStatus.OPEN]

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

"""What the stories share: rounds, markets, trouble of a process or of the exchange, and how to take a defence away."""

import asyncio
import copy
import json
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from tests.simulation.checkers import check_gate, check_once
from tests.simulation.memory_journal import MemoryJournal
from tests.simulation.sim_messaging import SimMessaging
from tests.simulation.sim_venue import ACCOUNTS, API_KEY, SimVenue
from tests.simulation.world import ASK, BID, BTC, DESK, World

from lighter_hedge.domain.commands import Command
from lighter_hedge.domain.events import (
    Candidate,
    Event,
    Instant,
    PositionReported,
    Request,
    TradeReport,
    TradeReported,
)
from lighter_hedge.domain.states import HedgerState, MakerState, Mode, Role
from lighter_hedge.domain.units import Side
from lighter_hedge.messaging.keys import DeskKeys
from lighter_hedge.messaging.messages import encode
from lighter_hedge.processes.driver import Driver, Machine
from lighter_hedge.processes.journal_file import JournalError, JournalUnwritable
from lighter_hedge.simulator.core.events import BookChange, Mark, TrafficEvent
from lighter_hedge.simulator.core.orders import Order, Trade, TxRecord
from lighter_hedge.simulator.core.pushes import Push, TxExecuted
from lighter_hedge.simulator.core.transactions import CreateOrder, TxBody
from lighter_hedge.venue.lighter.models import TX_CANCEL_ALL, TX_CREATE_ORDER

MIDDLE = (BID + ASK) // 2

# --- rounds -----------------------------------------------------------------------------------------------------


def check(world: World) -> None:
    """Nothing that must never happen has happened, by the exchange's own record."""
    check_once(world)
    check_gate(world)


def closed_since(world: World, before: int) -> bool:
    """Whether A's round of then is closed."""
    return world.maker.round > before or not world.maker.round_open


def play_rounds(world: World, count: int) -> None:
    """Fill every quote of A until so many rounds are closed."""
    for _ in range(count):
        before = world.maker.round
        world.until(lambda: bool(world.resting(Role.MAKER)), 30, "a quote")
        world.fault("fill_now")
        world.until(lambda: closed_since(world, before), 30, "the round")  # noqa: B023 called at once
    check(world)


def finished(world: World, filled: int) -> None:
    """A has filled so many lots, B has hedged all of them, each exactly once, and nobody traded with each other."""
    world.until(lambda: world.hedged() and world.position(Role.MAKER) == filled, 30, "the hedge")
    world.run(3)
    check(world)
    assert (world.position(Role.MAKER), world.position(Role.HEDGER)) == (filled, -filled)


def quoting_again(world: World, seconds: float = 30) -> Order:
    """A shows its next quote, and nothing is exposed."""
    world.until(lambda: bool(world.resting(Role.MAKER)), seconds, "the next quote")
    check(world)
    return world.resting(Role.MAKER)[0]


def paused(world: World, code: str, seconds: float = 10) -> None:
    """The desk latches a pause for this reason, and shows nothing any more."""
    world.until(lambda: world.maker.latch.mode is Mode.PAUSED, seconds, f"the pause {code}")
    assert world.maker.latch.pause is not None
    assert world.maker.latch.pause.code == code
    world.until(lambda: not world.resting(Role.MAKER), 5, "the quote to go")


def fail_for_want_of_a_key(world: World) -> int:
    """B's key is revoked after it has armed; A fills; B uses its tries up; the fault's id."""
    world.start_both()
    revoked = world.fault("key_revoked", Role.HEDGER)
    world.fault("fill_now")
    paused(world, "HEDGE_FAILED", 20)
    return revoked


def resume(world: World, *, hedge_now: bool = False) -> None:
    """A person ends the pause by its id."""
    assert world.maker.latch.pause is not None
    world.ask("resume", pause_id=world.maker.latch.pause.id, hedge_now=hedge_now)


def person_stops_and_starts(world: World) -> None:
    """The user's own steps: ``stop_hedge.sh``, then ``start_hedge.sh``."""
    for role in Role:
        process = world.processes[role]
        assert process.driver is not None
        process.journal.person_stopped = True
        process.driver.stop()
    world.until(lambda: not world.a.running and not world.b.running, 20, "both to stop")
    for role in (Role.HEDGER, Role.MAKER):
        world.start(role, by_person=True)


def hedges(world: World) -> list[Order]:
    """B's orders that have filled something, oldest first."""
    return [order for order in world.orders(Role.HEDGER) if order.filled_lots]


def last_trade(world: World, role: Role) -> Trade:
    """The newest trade of an account."""
    return max(world.trades(role), key=lambda trade: trade.trade_id)


def orders_sent(world: World, role: Role) -> list[dict[str, Any]]:
    """The signed orders that reached the API from an account, oldest first, repeated ones too."""
    sent = [json.loads(text) for _, kind, text in world.server.sends if kind == TX_CREATE_ORDER]
    return [order for order in sent if order["AccountIndex"] == ACCOUNTS[role]]


def nonces(world: World, role: Role) -> set[int]:
    """The nonces of an account's orders that reached the API."""
    return {order["Nonce"] for order in orders_sent(world, role)}


# --- markets ----------------------------------------------------------------------------------------------------


def book(
    *, bids: tuple[tuple[int, int], ...], asks: tuple[tuple[int, int], ...], mark: int = MIDDLE
) -> Iterator[tuple[int, TrafficEvent]]:
    """A book of (price, lots) that stands still; the mark price shows that the feed lives."""
    market = BTC.market_index
    updates = [(Side.BID, *level) for level in bids] + [(Side.ASK, *level) for level in asks]
    yield 0, BookChange(market_index=market, updates=tuple(updates), snapshot=True)
    at_us = 0
    while True:
        yield at_us, Mark(market_index=market, mark_ticks=mark, index_ticks=mark + at_us // 200_000 % 2)
        at_us += 200_000


def happen(world: World, *events: TrafficEvent) -> None:
    """Let things happen in the market, now."""
    exchange, now_us = world.server.exchange, world.server.venue.step()
    for event in events:
        world.server.venue.publish(exchange.apply_traffic(event, now_us), now_us)


def move_market(world: World, ticks: int) -> None:
    """A whole new book, ``ticks`` higher."""
    market, top = BTC.market_index, MIDDLE + ticks
    updates = [(Side.BID, top - 10 - 10 * n, 500) for n in range(5)] + [(Side.ASK, top + 10 * n, 500) for n in range(5)]
    happen(
        world,
        BookChange(market_index=market, updates=tuple(updates), snapshot=True),
        Mark(market_index=market, mark_ticks=top, index_ticks=top),
    )


def set_levels(world: World, *levels: tuple[Side, int, int]) -> None:
    """Change single levels of the book: (side, price, lots)."""
    happen(world, BookChange(market_index=BTC.market_index, updates=levels, snapshot=False))


def halt_market(world: World, *, halted: bool) -> None:
    """The exchange takes nothing more in this market (21605), or everything again."""
    markets = world.server.exchange.state.markets
    markets[BTC.market_index] = replace(markets[BTC.market_index], active=not halted)


def sequencer_drops(world: World, role: Role, *, silently: bool = False, reduce_only: bool = False) -> None:
    """The API takes the account's next order with 200, and the sequencer does not run it.

    ``silently``: the transaction even counts as executed, but no order ever shows.
    """
    exchange, state = world.server.exchange, world.server.exchange.state
    run, left = exchange._run_tx, [1]

    def dropped(tx: TxRecord, body: TxBody, at_us: int) -> list[Push]:
        meant = tx.account_index == ACCOUNTS[role] and isinstance(body, CreateOrder)
        if not left or not meant or (reduce_only and not getattr(body, "reduce_only", False)):
            return run(tx, body, at_us)
        left.pop()
        tx.status, tx.executed_us, tx.height = (2 if silently else 0), at_us, state.height(at_us)
        state.note_tx(tx)
        return [TxExecuted(account_index=tx.account_index, tx=tx.copied())]

    exchange._run_tx = dropped  # type: ignore[method-assign]


def jump_mark(world: World, ticks: int) -> None:
    """The mark price alone moves, and the book stays."""
    happen(world, Mark(market_index=BTC.market_index, mark_ticks=MIDDLE + ticks, index_ticks=MIDDLE + ticks))


# --- what is not the desk's own ---------------------------------------------------------------------------------


def by_another_hand(world: World, role: Role, lots: int, *, side: Side = Side.BID) -> None:
    """A market order with the desk's own key, by a person or another program."""
    account = world.server.exchange.state.accounts[ACCOUNTS[role]]
    order = {
        "AccountIndex": ACCOUNTS[role], "ApiKeyIndex": API_KEY, "MarketIndex": BTC.market_index,
        "ClientOrderIndex": 7, "BaseAmount": lots, "Price": MIDDLE + side.sign * 5_000, "IsAsk": int(side is Side.ASK),
        "Type": 1, "TimeInForce": 0, "ReduceOnly": 0, "TriggerPrice": 0, "OrderExpiry": 0,
        "ExpiredAt": world.now().wall_ms + 599_000, "Nonce": account.keys[API_KEY].nonce, "Sig": "",
        "L2TxAttributes": None,
    }  # fmt: skip
    assert world.server.venue.submit(TX_CREATE_ORDER, order, "").code == 200


def burn_by_another_hand(world: World, role: Role) -> None:
    """Another program uses a nonce of the account's key, for something harmless."""
    account = world.server.exchange.state.accounts[ACCOUNTS[role]]
    cancel_all = {
        "AccountIndex": ACCOUNTS[role], "ApiKeyIndex": API_KEY, "TimeInForce": 0, "Time": 0,
        "ExpiredAt": world.now().wall_ms + 599_000, "Nonce": account.keys[API_KEY].nonce, "Sig": "other",
        "L2TxAttributes": {"5": BTC.market_index},
    }  # fmt: skip
    assert world.server.venue.submit(TX_CANCEL_ALL, cancel_all, "").code == 200


def liquidate(world: World, role: Role, lots: int) -> None:
    """The exchange takes a part of a position away: a trade of its own kind, and the new position."""
    position = world.server.exchange.state.accounts[ACCOUNTS[role]].position(BTC)
    side = Side.of_sign(-position.lots)
    position.lots += side.sign * lots
    trade = TradeReport(
        trade_id=9_000_000, order_index=1, coid=0, side=side, lots=lots, price=MIDDLE, quote=lots * MIDDLE,
        maker=False, counterparty=1, kind="liquidation",
        at_ms=world.now().wall_ms,
    )  # fmt: skip

    async def told() -> None:
        for process in world.processes.values():
            if process.driver is not None:
                process.driver.dispatch(TradeReported(role=role, trade=trade))
                process.driver.dispatch(PositionReported(role=role, lots=position.lots))

    world.loop.run_until_complete(told())


# --- trouble of a process ---------------------------------------------------------------------------------------


def lose_journal(world: World, role: Role) -> None:
    """The side dies, and its disk with it."""
    world.kill(role)
    world.processes[role].journal = MemoryJournal(DESK)


@dataclass(slots=True)
class _Asleep:
    """A machine that hears nothing yet: its process is stopped, its sockets fill up."""

    heard: list[Event]

    def start(self) -> list[Command]:
        return []

    def step(self, event: Event, now: Instant) -> list[Command]:
        self.heard.append(event)
        return []


@dataclass(slots=True)
class Sleeper:
    """A process that stands still (SIGSTOP, a paused host) until it is woken: then it goes on where it was."""

    driver: Driver
    loop: asyncio.AbstractEventLoop
    at_send: bool
    """Falls asleep only when it has decided to send something, before it is written."""
    asleep: bool = False
    _heard: list[Event] = field(default_factory=list)
    _held: list[Coroutine[Any, Any, None]] = field(default_factory=list)
    _machine: Machine = field(init=False)
    _group: asyncio.TaskGroup = field(init=False)

    def __post_init__(self) -> None:
        self._machine, self._group = self.driver.machine, self.driver._group
        self.driver._group = self  # type: ignore[assignment]
        if not self.at_send:
            self._fall_asleep()

    def create_task(self, work: Coroutine[Any, Any, None]) -> None:
        """In place of the process's own group of tasks: a process that stands still begins nothing."""
        if self.at_send and getattr(work, "__name__", "") == "_send":
            self._fall_asleep()
        if self.asleep:
            self._held.append(work)
        else:
            self._group.create_task(work)

    def _fall_asleep(self) -> None:
        self.asleep = True
        self.driver.machine = _Asleep(self._heard)

    def wake(self) -> None:
        """Go on: first what it was about to do, then everything that has piled up, in its order."""

        async def go_on() -> None:
            self.asleep = False
            self.driver.machine, self.driver._group = self._machine, self._group
            for work in self._held:
                self._group.create_task(work)
            await asyncio.sleep(0)
            for event in self._heard:
                self.driver.dispatch(event)

        self.loop.run_until_complete(go_on())


def sign_slowly(world: World, role: Role, seconds: float) -> None:
    """The side's signer takes this long."""
    venue = world.processes[role].venue
    sign = venue.sign

    async def slowly(request: Request, nonce: int) -> Candidate:
        await asyncio.sleep(seconds)
        return await sign(request, nonce)

    venue.sign = slowly  # type: ignore[method-assign]


def start_until_announced(world: World) -> None:
    """A has announced its first quote, and B takes its time to arm for it."""
    sign_slowly(world, Role.HEDGER, 0.5)
    world.start(Role.HEDGER)
    world.start(Role.MAKER)
    world.until(lambda: world.maker.state(world.now()).announce is not None, 10, "A to announce")


def put_to_sleep(world: World, role: Role, *, at_send: bool = False) -> Sleeper:
    """SIGSTOP a side, now or in the middle of its next send."""
    process = world.processes[role]
    assert process.driver is not None
    return Sleeper(process.driver, world.loop, at_send)


@dataclass(frozen=True, slots=True)
class Instance:
    """A process that runs beside another one of the same side; ``messaging`` is its way to Redis."""

    messaging: SimMessaging
    task: "asyncio.Task[int]"


def start_second(world: World, role: Role, *, journal: MemoryJournal | None = None) -> Instance:
    """Start another instance of a side, which the world follows from now on; return the old one, still running.

    ``journal``: of another host; without it the new one has a copy of the old one's.
    """
    process = world.processes[role]
    assert process.driver is not None
    assert process.task is not None
    old = Instance(process.messaging, process.task)
    process.task, process.driver = None, None
    process.messaging = SimMessaging(world.hub, DESK)
    process.venue = SimVenue(world.server, role, BTC)
    process.journal = journal or copy.deepcopy(process.journal)
    world.start(role)
    return old


def set_clock(world: World, role: Role, ahead_ms: int) -> None:
    """The wall clock of a side's host is wrong by so much; its monotonic clock runs on."""
    driver = world.processes[role].driver
    assert driver is not None

    def shifted() -> Instant:
        right = world.now()
        return Instant(right.mono_ms, right.wall_ms + ahead_ms)

    driver.clock = shifted


@contextmanager
def full_disk(world: World, role: Role) -> Iterator[None]:
    """Nothing more can be written to this side's journal."""

    def refuse(*_: object) -> None:
        raise JournalUnwritable("the disk is full")

    journal = world.processes[role].journal
    with patched(journal, "commit_all", refuse), patched(journal, "commit_candidate", refuse):
        yield


def ended_for_its_journal(world: World, role: Role, seconds: float = 5) -> None:
    """The side has ended by itself because it could write nothing down, within so many seconds."""
    process = world.processes[role]
    task, process.task = process.task, None
    assert task is not None
    for _ in range(int(seconds * 100)):
        if task.done():
            break
        world.run(0.01)
    assert task.done()
    assert isinstance(task.exception(), JournalError) or task.result() != 0
    process.venue.drop()
    process.driver = None


def retell(world: World, role: Role, said: HedgerState | MakerState | bytes) -> None:
    """Append to a side's stream what the side itself does not say now: an old state as if new, or any bytes."""
    key = DeskKeys(desk=DESK).state(role)
    epoch, number = world.hub.top(key)
    body = said if isinstance(said, bytes) else encode(replace(said, seq=number + 1))
    assert world.hub.append(key, (epoch, number + 1), body)


# --- defences taken away ----------------------------------------------------------------------------------------


@contextmanager
def patched(owner: Any, name: str, replacement: Any) -> Iterator[None]:
    """Replace an attribute for a while."""
    original = getattr(owner, name)
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        setattr(owner, name, original)


@contextmanager
def patched_function(module: str, name: str, replacement: Any) -> Iterator[None]:
    """Replace a module's function, wherever the domain has imported it."""
    owners = [
        loaded
        for loaded_name, loaded in list(sys.modules.items())
        if loaded_name.startswith("lighter_hedge.domain") and hasattr(loaded, name)
    ]
    assert any(owner.__name__ == module for owner in owners)
    originals = [(owner, getattr(owner, name)) for owner in owners]
    for owner in owners:
        setattr(owner, name, replacement)
    try:
        yield
    finally:
        for owner, original in originals:
            setattr(owner, name, original)

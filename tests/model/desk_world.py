"""Both machines, real and whole, with a tiny exchange, tiny streams and one queue of what is to happen.

Nothing here is random. Left alone, everything happens in the order in which it is due. The walk (``desk_walk``) lets a
bounded number of happenings go another way: lost, late, twice, refused, unanswered, filled in part, or a process killed
between two effects. What is asserted is the exchange's truth:

- I1: a quote comes to rest only where A + B is a residual;
- I2: no fill of B moves A + B away from zero or through it;
- I4: A and B never trade with each other;
- I7: a quote leaves only after B has said that it is armed for it;
- at the end, faults over, the wanted rounds are closed and hedged, or the desk is paused with a reason.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.model.desk_scenes import SCENES, Resting, TinyVenue, row_of, small_settings
from tests.model.walk import Broken
from tests.simulation.memory_journal import MemoryJournal
from tests.unit.domain.builders import DESK, MARKET, PRICE, at, candidate, frame

from lighter_hedge.domain.commands import (
    Alert,
    Command,
    Exit,
    Prepare,
    PublishState,
    ReadAccount,
    ReadNonce,
    ReadOrders,
    ReadTx,
    Record,
    Resubscribe,
    RoundChanged,
    Send,
)
from lighter_hedge.domain.events import (
    AccountRead,
    Answer,
    AnswerKind,
    Candidate,
    Event,
    FeedOpened,
    HedgerHeard,
    MakerHeard,
    MarketHeard,
    MessagingChanged,
    NonceRead,
    OrderKind,
    OrderReported,
    OrderRequest,
    OrdersRead,
    PositionReported,
    Prepared,
    SendAnswered,
    Ticked,
    TradeReport,
    TradeReported,
    TxReported,
    TxStatus,
)
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.maker import Maker
from lighter_hedge.domain.pair import residual
from lighter_hedge.domain.settings import DeskSettings
from lighter_hedge.domain.states import HedgerState, MakerState, Role

TICK_MS, BOOK_MS, HOP_MS = 250, 500, 2
LATE_MS = 700
"""How late a late message is: behind everything that was under way with it."""
GIVE_UP_MS = 2_500
FIRST_FILL_MS, NEXT_FILL_MS = 20, 6
"""The second part comes while the hedge of the first is under way."""
RESTART_MS = 300
END_MS = 240_000
ROUNDS = 2
A, B = Role.MAKER, Role.HEDGER
DEAF_MS = 4_000

Wrong = str
"""A way in which a happening can go wrong."""


def nobody(what: object) -> None:
    """Hears of a commit."""


def new_journal() -> MemoryJournal:
    journal = MemoryJournal(DESK)
    journal.on_commit = nobody  # the world is copied, and what was made in place cannot be
    return journal


@dataclass(slots=True)
class Process:
    """One process: its machine while it runs, and its journal for ever."""

    machine: Maker | Hedger | None = None
    journal: MemoryJournal = field(default_factory=new_journal)
    entries: list[Any] = field(default_factory=list)
    life: int = 0
    seq: int = 0
    exit_code: int | None = None


@dataclass(slots=True, order=True)
class Due:
    """Something that is to happen."""

    at_ms: int
    number: int
    kind: str = field(compare=False)
    role: Role = field(compare=False)
    life: int = field(compare=False)
    what: Any = field(compare=False)

    def event(self) -> Event:
        """What it is to a machine."""
        event: Event = self.what
        return event


class DeskWorld:
    """One desk on its way through ``ROUNDS`` rounds."""

    def __init__(self, settings: DeskSettings, fills: tuple[tuple[int, ...], ...], rounds: int = ROUNDS) -> None:
        self.settings = settings
        self.fills = fills
        """Of each quote that comes to rest, the parts in which it fills; what is left of it stays."""
        self.rounds = rounds
        self.venue = TinyVenue()
        self.sides = {role: Process() for role in Role}
        self.now = 0
        self.queue: list[Due] = []
        self.numbers = 0
        self.rested = 0
        self.armed: set[tuple[int, int, int]] = set()
        self.said: list[str] = []
        self.closed_rounds = 0
        self.effects: list[Command] = []
        """What the last step wanted."""
        self.deaf_until = dict.fromkeys(Role, 0)
        self.machines: dict[Role, Callable[..., Any]] = {A: Maker.create, B: Hedger.create}
        for role in Role:
            self.start(role)
        self.later(BOOK_MS, "book", A, None)

    @staticmethod
    def scene(name: str) -> "DeskWorld":
        """A desk in one of the scenes."""
        changes, fills = SCENES[name]
        return DeskWorld(small_settings(**changes), fills)

    # --- happenings --------------------------------------------------------------------------------------------------

    def later(self, ms: int, kind: str, role: Role, what: Any) -> None:
        self.numbers += 1
        heapq.heappush(self.queue, Due(self.now + ms, self.numbers, kind, role, self.sides[role].life, what))

    def next(self) -> Due:
        """What is due next, of those that somebody is still there for."""
        while True:
            due = heapq.heappop(self.queue)
            self.now = max(self.now, due.at_ms)
            side = self.sides[due.role]
            if due.kind in ("arrive", "fill", "book", "restart") or (due.life == side.life and side.machine):
                return due

    def wrongs(self, due: Due) -> list[Wrong]:
        """How this may go wrong."""
        match due.kind:
            case "frame":
                return ["lost", "late", "twice", "deaf"]
            case "state":
                return ["lost", "late", "twice"]
            case "arrive":
                some = ["lost", "unanswered", "late", "twice", "refused", "not sent"]
                request = due.what.request
                hedge = isinstance(request, OrderRequest) and request.kind is OrderKind.HEDGE
                return some + ["part", "none"] * hedge + ["no effect"] * isinstance(request, OrderRequest)
            case "read":
                return ["fails", "late"]
            case "fill":
                return ["late"]
            case "sign":
                return ["late"]
            case _:
                return []

    def happen(self, due: Due, wrong: Wrong = "", stop_after: int | None = None) -> None:
        """Let it happen. ``stop_after``: its process dies after so many effects."""
        if wrong in ("late", "twice"):
            heapq.heappush(self.queue, replace(due, at_ms=self.now + LATE_MS))
            if wrong == "late":
                if due.kind == "arrive":
                    self.answer(due, AnswerKind.UNKNOWN, GIVE_UP_MS)
                return
        if wrong == "deaf":
            self.deaf_until[due.role] = self.now + DEAF_MS
        match due.kind:
            case "arrive":
                self.arrive(due, wrong)
            case "fill":
                self.fill(due.what)
            case "book":
                for role in Role:
                    self.later(HOP_MS, "market", role, None)
                self.later(BOOK_MS, "book", A, None)
            case "restart":
                self.start(due.role)
            case _:
                event = self.event(due, wrong)
                if event is not None:
                    self.give(due.role, event, stop_after)

    def event(self, due: Due, wrong: Wrong) -> Event | None:
        match due.kind:
            case "frame":
                return None if wrong == "lost" or self.now < self.deaf_until[due.role] else due.event()
            case "state":
                return None if wrong == "lost" else due.event()
            case "tick":
                self.later(TICK_MS, "tick", due.role, None)
                return Ticked()
            case "market":
                return MarketHeard(mark=PRICE)
            case "sign":
                return self.sign(due.role, due.what)
            case "read":
                return self.read(due.role, due.what, fails=wrong == "fails")
            case _:
                return due.event()  # an answer, or what a start brings

    # --- processes ---------------------------------------------------------------------------------------------------

    def start(self, role: Role) -> None:
        side = self.sides[role]
        side.life += 1
        side.exit_code = None
        side.seq = 0
        memory = side.journal.memory(wall_ms=at(self.now).wall_ms)
        side.machine = self.machines[role](self.settings, memory)
        self.carry_out(role, side.machine.start(), None)
        for event in (FeedOpened(), frame(), MessagingChanged(up=True)):
            self.later(HOP_MS, "begin", role, event)
        for other in Role:
            for order in self.venue.orders[other].values():
                self.later(HOP_MS, "begin", role, OrderReported(role=other, report=row_of(order, self.now)))
            self.later(HOP_MS, "begin", role, PositionReported(role=other, lots=self.venue.positions[other]))
        peer = self.sides[role.other].machine
        if peer is not None and self.sides[role.other].seq:
            self.say_state(role.other, peer.state(at(self.now)))
        self.later(TICK_MS, "tick", role, None)

    def kill(self, role: Role) -> None:
        side = self.sides[role]
        side.machine = None
        side.entries.clear()
        side.life += 1
        self.later(RESTART_MS, "restart", role, None)

    def give(self, role: Role, event: Event, stop_after: int | None) -> None:
        machine = self.sides[role].machine
        assert machine is not None
        commands = machine.step(event, at(self.now))
        self.effects = commands
        self.carry_out(role, commands, stop_after)

    def carry_out(self, role: Role, commands: list[Command], stop_after: int | None) -> None:
        """Effects in their order; facts follow with the next commit, as in the driver."""
        side = self.sides[role]
        for command in commands[:stop_after]:
            self.carry_one(role, side, command)
        if stop_after is not None:
            self.kill(role)
        elif side.machine is not None:
            self.commit(side)  # within milliseconds

    def carry_one(self, role: Role, side: Process, command: Command) -> None:
        match command:
            case Record():
                side.entries.append(command.entry)
                if type(command.entry).__name__ not in ("FillsKnown", "NonceSettled"):
                    self.commit(side)
                if isinstance(command.entry, RoundChanged) and command.entry.closed:
                    self.closed_rounds = max(self.closed_rounds, command.entry.round)
            case Prepare():
                self.later(1, "sign", role, command)
            case Send():
                self.check_send(role, command.candidate)
                self.later(HOP_MS, "arrive", role, command.candidate)
            case ReadNonce() | ReadTx() | ReadOrders() | ReadAccount():
                self.later(HOP_MS, "read", role, (command, at(self.now).mono_ms))
            case PublishState():
                self.say_state(role, command.state)
            case Resubscribe():
                self.later(HOP_MS, "begin", role, frame())
            case Alert():
                self.said.append(f"{role.letter} {command.code}")
            case Exit():
                self.commit(side)
                side.exit_code, side.machine = command.code, None
                self.said.append(f"{role.letter} exit {command.code} {command.why}")
            case _:
                pass

    def commit(self, side: Process) -> None:
        side.journal.commit_all(side.entries)
        side.entries.clear()

    def say_state(self, role: Role, state: MakerState | HedgerState) -> None:
        side = self.sides[role]
        side.seq += 1
        if isinstance(state, MakerState):
            self.later(HOP_MS, "state", B, MakerHeard(state=replace(state, seq=side.seq)))
            return
        if state.armed is not None:
            self.armed.add((state.armed.epoch, state.armed.round, state.armed.attempt))
        self.later(HOP_MS, "state", A, HedgerHeard(state=replace(state, seq=side.seq)))

    # --- the exchange ------------------------------------------------------------------------------------------------

    def sign(self, role: Role, command: Prepare) -> Prepared:
        side = self.sides[role]
        now = at(self.now)
        self.commit(side)
        count = len(side.journal.candidates)
        signed = candidate(
            command.request,
            command.nonce,
            tx_hash=f"{role.letter}{count}@{command.nonce}",
            signed_ms=now.wall_ms,
            expires_ms=now.wall_ms + 599_000,
        )
        side.journal.commit_candidate(signed)
        return Prepared(ticket=command.ticket, candidate=signed)

    def arrive(self, due: Due, wrong: Wrong) -> None:
        role, arrived = due.role, due.what
        if wrong == "lost":
            return self.answer(due, AnswerKind.UNKNOWN, GIVE_UP_MS)
        if wrong == "refused":
            return self.answer(due, AnswerKind.REJECTED)
        if wrong == "not sent":
            return self.answer(due, AnswerKind.NOT_SENT)
        fits = arrived.nonce == self.venue.nonces[role]
        if fits:
            self.venue.nonces[role] += 1
            self.venue.executed[arrived.tx_hash] = "refused by the sequencer" if wrong == "no effect" else ""
            if wrong != "no effect":
                self.execute(role, arrived, wrong)
        kind = AnswerKind.ACCEPTED if fits else AnswerKind.BAD_NONCE
        return self.answer(due, *((AnswerKind.UNKNOWN, GIVE_UP_MS) if wrong == "unanswered" else (kind, HOP_MS)))

    def answer(self, due: Due, kind: AnswerKind, ms: int = HOP_MS) -> None:
        if due.life == self.sides[due.role].life:
            self.later(ms, "answer", due.role, SendAnswered(tx_hash=due.what.tx_hash, answer=Answer(kind=kind)))

    def execute(self, role: Role, arrived: Candidate, wrong: Wrong) -> None:
        request, venue = arrived.request, self.venue
        if not isinstance(request, OrderRequest):
            for order in venue.orders[role].values():
                if not order.closed and getattr(request, "coid", order.request.coid) == order.request.coid:
                    order.closed, order.status = True, "canceled"
                    self.show_row(role, order)
            return
        order = Resting(request)
        assert request.coid not in venue.orders[role]
        venue.orders[role][request.coid] = order
        if request.kind is OrderKind.QUOTE:
            if not residual(venue.net, MARKET.min_base_lots) or len(venue.resting()) > 1:
                raise Broken(f"I1: a quote came to rest while A + B is {venue.net}")
            self.show_row(role, order)
            parts = self.fills[self.rested] if self.rested < len(self.fills) else (request.lots,)
            for number, part in enumerate(parts):
                self.later(FIRST_FILL_MS + number * NEXT_FILL_MS, "fill", A, (request.coid, part))
            self.rested += 1
            return
        self.meet_own(role, request)
        lots = {"part": request.lots // 2, "none": 0}.get(wrong, request.lots)
        if request.reduce_only:
            lots = min(lots, abs(venue.positions[role]))
        order.closed, order.status = True, "filled" if lots == request.lots else "canceled"
        self.trade(role, order, lots)

    def meet_own(self, role: Role, request: OrderRequest) -> None:
        """I4: the flag ends A's rest that B's order reaches."""
        for rest in self.venue.resting():
            meets = (
                rest.request.side is not request.side and (request.price - rest.request.price) * request.side.sign >= 0
            )
            if not meets:
                continue
            if not (request.cross_account_guard and rest.request.cross_account_guard) or self.settings.cancel_first:
                raise Broken("I4: A and B trade with each other")
            rest.closed, rest.status = True, "canceled-self-trade"
            self.show_row(A, rest)

    def fill(self, what: tuple[int, int]) -> None:
        coid, lots = what
        order = self.venue.orders[A][coid]
        if not order.closed:
            self.trade(A, order, min(lots, order.request.lots - order.filled))

    def trade(self, role: Role, order: Resting, lots: int) -> None:
        venue, request = self.venue, order.request
        if lots:
            before = venue.net
            venue.positions[role] += request.side.sign * lots
            if role is B and (abs(venue.net) > abs(before) or venue.net * before < 0):
                raise Broken(f"I2: B's fill of {request.side.sign * lots} moved A + B from {before} to {venue.net}")
            order.filled += lots
            if order.filled == request.lots:
                order.closed, order.status = True, "filled"
        self.show_row(role, order)
        if lots:
            venue.trades += 1
            report = TradeReport(
                trade_id=venue.trades,
                coid=request.coid,
                order_index=9_000 + request.coid % 1_000,
                side=request.side,
                lots=lots,
                price=request.price,
                quote=lots * 1_000_000,
                maker=role is A,
                counterparty=77,
                kind="trade",
                at_ms=at(self.now).wall_ms,
            )
            for listener in Role:
                self.later(HOP_MS, "frame", listener, TradeReported(role=role, trade=report))
                self.later(HOP_MS, "frame", listener, PositionReported(role=role, lots=venue.positions[role]))

    def show_row(self, role: Role, order: Resting) -> None:
        for listener in Role:
            self.later(HOP_MS, "frame", listener, OrderReported(role=role, report=row_of(order, self.now)))

    def read(self, role: Role, what: Any, *, fails: bool) -> Event:
        command, asked_ms = what
        venue = self.venue
        match command:
            case ReadNonce():
                return NonceRead(nonce=None if fails else venue.nonces[role])
            case ReadTx():
                error = venue.executed.get(command.tx_hash)
                status = TxStatus.NOT_FOUND if error is None else TxStatus.EXECUTED
                found = None if fails else status
                return TxReported(tx_hash=command.tx_hash, status=found, error=error or "", asked_ms=asked_ms)
            case ReadOrders():
                coids = command.coids or tuple(venue.orders[role])
                rows = tuple(row_of(order, self.now) for coid, order in venue.orders[role].items() if coid in coids)
                return OrdersRead(coids=command.coids, rows=None if fails else rows, asked_ms=asked_ms)
            case _:
                position = None if fails else venue.positions[command.role]
                count = len(venue.resting()) if command.role is A else 0
                return AccountRead(
                    role=command.role, position=position, available=10**12, open_orders=count, asked_ms=asked_ms
                )

    # --- promises and the end ----------------------------------------------------------------------------------------

    def check_send(self, role: Role, leaving: Candidate) -> None:
        request = leaving.request
        if isinstance(request, OrderRequest) and request.kind is OrderKind.QUOTE:
            maker = self.sides[A].machine
            assert maker is not None
            if (maker.core.memory.epoch, request.round, request.attempt) not in self.armed:
                raise Broken("I7: a quote left and B had not said that it was armed for it")
        if role is B and leaving.tx_hash not in {one.tx_hash for one in self.sides[B].journal.candidates}:
            raise Broken("I5: a hedge left that the journal does not hold")

    def ended(self) -> str:
        """How the desk has come to rest; empty where it has not."""
        maker, hedger = self.sides[A].machine, self.sides[B].machine
        if self.sides[A].exit_code is not None or self.sides[B].exit_code is not None:
            raise Broken(f"a side has ended by itself: {self.said[-1]}")
        if maker is None or hedger is None or self.venue.resting():
            return ""
        if maker.latch.pause is not None:  # type: ignore[union-attr]
            return f"paused {maker.latch.pause.code}"  # type: ignore[union-attr]
        hedged = residual(self.venue.net, MARKET.min_base_lots)
        return "hedged" if self.closed_rounds >= self.rounds and hedged else ""

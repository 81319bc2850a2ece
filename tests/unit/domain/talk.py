"""Dialogues with a lane, and with a whole side: events in, commands out."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.unit.domain.builders import (
    LAG_MS,
    SIGNATURE_MS,
    answer,
    at,
    candidate,
    frame,
    hedger_state,
    maker_state,
    memory,
    request_name,
    sent,
    settings,
)

from lighter_hedge.domain.commands import (
    Command,
    Prepare,
    ReadAccount,
    ReadNonce,
    ReadOrders,
    ReadTx,
)
from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import (
    AccountRead,
    AnswerKind,
    Candidate,
    Event,
    FeedOpened,
    HedgerHeard,
    Instant,
    MakerHeard,
    MessagingChanged,
    NonceRead,
    OrderReport,
    OrdersRead,
    Prepared,
    Request,
    SendAnswered,
    Ticked,
    TxReported,
    TxStatus,
)
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.lane import Lane
from lighter_hedge.domain.lane_words import LanePhase, Wanted
from lighter_hedge.domain.maker import Maker
from lighter_hedge.domain.memory import Memory
from lighter_hedge.domain.states import (
    HedgerState,
    MakerState,
    Role,
)


@dataclass(slots=True)
class LaneTalk:
    """A dialogue with a lane alone, every signature given at once."""

    lane: Lane
    ms: int = 0
    wanted: Wanted = lambda _: True

    @property
    def now(self) -> Instant:
        return at(self.ms)

    def signed(self, commands: Iterable[Command]) -> list[Command]:
        """Answer every request to sign; return what is wanted beside and next."""
        out: list[Command] = []
        for command in commands:
            if isinstance(command, Prepare):
                signed = candidate(command.request, command.nonce, expires_ms=self.now.wall_ms + SIGNATURE_MS)
                out += self.lane.step(Prepared(ticket=command.ticket, candidate=signed), self.now, self.wanted)
            else:
                out.append(command)
        return out

    def submit(self, request: Request) -> str:
        """Submit; the hash of what was sent."""
        return sent(self.signed(self.lane.submit(request)))[0]

    def answers(self, tx_hash: str, kind: AnswerKind, code: int = 0, message: str = "") -> list[Command]:
        event = SendAnswered(tx_hash=tx_hash, answer=answer(kind, code, message))
        return self.signed(self.lane.step(event, self.now, self.wanted))

    def tx(
        self, tx_hash: str, status: TxStatus | None, error: str = "", *, asked_ms: int | None = None
    ) -> list[Command]:
        asked = self.now.mono_ms if asked_ms is None else at(asked_ms).mono_ms
        event = TxReported(tx_hash=tx_hash, status=status, error=error, asked_ms=asked)
        return self.signed(self.lane.step(event, self.now, self.wanted))

    def nonce(self, nonce: int | None) -> list[Command]:
        return self.signed(self.lane.step(NonceRead(nonce=nonce), self.now, self.wanted))

    def orders(self, coids: tuple[int, ...], *rows: OrderReport, asked_ms: int | None = None) -> list[Command]:
        asked = self.now.mono_ms if asked_ms is None else at(asked_ms).mono_ms
        event = OrdersRead(coids=coids, rows=rows, asked_ms=asked)
        return self.signed(self.lane.step(event, self.now, self.wanted))

    def wait(self, ms: int) -> list[Command]:
        """Let time pass, and tick once."""
        self.ms += ms
        return self.signed(self.lane.tick(self.now))

    def fates(self) -> list[tuple[str, str]]:
        """What was settled since the last call, as (request, fate)."""
        return [(request_name(one.request), one.fate.value) for one in self.lane.take_settlements()]


def booted(nonce: int = 7, restored: tuple[Candidate, ...] = ()) -> LaneTalk:
    """A lane whose start burned ``nonce - 1``; ``nonce`` is the next."""
    talk = LaneTalk(Lane(read_lag_ms=LAG_MS, restored=restored))
    talk.lane.start()
    burn = sent(talk.nonce(nonce - 1))[0]
    talk.answers(burn, AnswerKind.ACCEPTED)
    talk.tx(burn, TxStatus.EXECUTED)
    talk.wait(LAG_MS)
    assert talk.lane.phase is LanePhase.READY or restored
    talk.lane.take_settlements()
    return talk


@dataclass(slots=True, kw_only=True)
class Talk:
    """A dialogue with a whole side: signatures and reads are answered at once, from what the test says of the venue.

    What is sent is *not* answered: that is the test's part.
    """

    machine: Any
    ms: int = 0
    signs: bool = True
    reads: bool = True
    nonce: int | None = 7
    status: dict[str, TxStatus | None] = field(default_factory=dict)
    rows: tuple[OrderReport, ...] | None = ()
    positions: dict[Role, int | None] = field(default_factory=lambda: dict.fromkeys(Role, 0))
    resting: dict[Role, int] = field(default_factory=lambda: dict.fromkeys(Role, 0))
    available: int = 1_000_000_000
    log: list[Command] = field(default_factory=list)
    """Everything the machine ever wanted."""
    alive: bool = True
    """Whether the other side goes on saying its state while time passes."""
    a_state: MakerState | None = None
    b_state: HedgerState | None = None
    seq: int = 0

    @property
    def now(self) -> Instant:
        return at(self.ms)

    @property
    def core(self) -> Core:
        core = self.machine.core
        assert isinstance(core, Core)
        return core

    def follow(self, commands: list[Command]) -> list[Command]:
        """Sign and read what is asked; return all that was wanted."""
        self.log += commands
        out = list(commands)
        for command in commands:
            event = self._event_of(command)
            if event is not None:
                out += self.hear(event)
        return out

    def hear(self, *events: Event) -> list[Command]:
        """Give the machine events; return all that it wants, signatures and reads answered."""
        out: list[Command] = []
        for event in events:
            out += self.follow(self.machine.step(event, self.now))
        return out

    def wait(self, ms: int, step_ms: int = 100) -> list[Command]:
        """Let time pass, tick by tick, with a living book."""
        out: list[Command] = []
        end = self.ms + ms
        while self.ms < end:
            self.ms = min(self.ms + step_ms, end)
            self.core.book.heard(0, self.now.mono_ms)
            if self.alive and self.a_state is not None:
                out += self.a_says()
            if self.alive and self.b_state is not None:
                out += self.b_says()
            out += self.hear(Ticked())
        return out

    def a_says(self, **changes: Any) -> list[Command]:
        """A's newest state with some fields changed arrives at B."""
        self.seq += 1
        self.a_state = replace(self.a_state or maker_state(), **changes, seq=self.seq)
        return self.hear(MakerHeard(state=self.a_state))

    def b_says(self, **changes: Any) -> list[Command]:
        """B's newest state with some fields changed arrives at A."""
        self.seq += 1
        self.b_state = replace(self.b_state or hedger_state(), **changes, seq=self.seq)
        return self.hear(HedgerHeard(state=self.b_state))

    def answers(self, tx_hash: str, kind: AnswerKind, code: int = 0, message: str = "") -> list[Command]:
        return self.hear(SendAnswered(tx_hash=tx_hash, answer=answer(kind, code, message)))

    def executes(self, tx_hash: str, error: str = "") -> list[Command]:
        """The venue executes a transaction and says so."""
        self.status[tx_hash] = TxStatus.EXECUTED
        self.nonce = int(tx_hash.split("@")[1]) + 1
        return self.hear(TxReported(tx_hash=tx_hash, status=TxStatus.EXECUTED, error=error))

    def _event_of(self, command: Command) -> Event | None:
        match command:
            case Prepare() if self.signs:
                signed = candidate(
                    command.request,
                    command.nonce,
                    signed_ms=self.now.wall_ms,
                    expires_ms=self.now.wall_ms + SIGNATURE_MS,
                )
                return Prepared(ticket=command.ticket, candidate=signed)
            case ReadNonce() if self.reads:
                return NonceRead(nonce=self.nonce)
            case ReadTx() if self.reads:
                status = self.status.get(command.tx_hash, TxStatus.NOT_FOUND)
                return TxReported(tx_hash=command.tx_hash, status=status, asked_ms=self.now.mono_ms)
            case ReadOrders() if self.reads:
                rows = self.rows
                if rows is not None and command.coids:
                    rows = tuple(row for row in rows if row.coid in command.coids)
                return OrdersRead(coids=command.coids, rows=rows, asked_ms=self.now.mono_ms)
            case ReadAccount() if self.reads:
                return AccountRead(
                    role=command.role,
                    position=self.positions[command.role],
                    available=self.available,
                    open_orders=self.resting[command.role],
                    asked_ms=self.now.mono_ms,
                )
            case _:
                return None


def recover(talk: Talk, *events: Event, more_ms: int = 3_000) -> list[Command]:
    """Take a side through its start: burn, read lag, reads; ``events`` come first."""
    out = talk.follow(talk.machine.start())
    burn = sent(out)[0]
    out += talk.answers(burn, AnswerKind.ACCEPTED)
    out += talk.hear(*events)
    out += talk.executes(burn)
    return out + talk.wait(talk.core.settings.read_lag_ms + more_ms, step_ms=500)


def hedger_side(*events: Event, remembers: Memory | None = None, **changes: Any) -> Talk:
    """Account B, recovered and connected; A has said that it is there."""
    talk = Talk(machine=Hedger.create(settings(**changes), remembers or memory()))
    recover(talk, MessagingChanged(up=True), *(events or (FeedOpened(), frame())))
    talk.a_says()
    return talk


def maker_side(*events: Event, remembers: Memory | None = None, **changes: Any) -> Talk:
    """Account A, recovered and connected, not yet knowing of B."""
    talk = Talk(machine=Maker.create(settings(**changes), remembers or memory(Role.MAKER)))
    recover(talk, MessagingChanged(up=True), *(events or (FeedOpened(), frame())))
    return talk

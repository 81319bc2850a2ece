"""Small builders: every field has a default, so that each option that a test sets means something.

The market is made for easy sums: one lot at ``PRICE`` is worth one dollar, and ten lots are the venue's minimum.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from lighter_hedge.domain.commands import (
    Command,
    Prepare,
    ReadAccount,
    ReadNonce,
    ReadOrders,
    ReadTx,
    Record,
    Send,
)
from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import (
    AccountRead,
    Answer,
    AnswerKind,
    BookReported,
    BurnRequest,
    CancelRequest,
    Candidate,
    Event,
    FeedOpened,
    HedgerHeard,
    Instant,
    MakerHeard,
    MessagingChanged,
    NonceRead,
    OrderKind,
    OrderReport,
    OrderRequest,
    OrdersRead,
    Prepared,
    Request,
    SendAnswered,
    Ticked,
    TradeReport,
    TxReported,
    TxStatus,
)
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.lane import Lane
from lighter_hedge.domain.lane_words import LanePhase, Wanted
from lighter_hedge.domain.maker import Maker
from lighter_hedge.domain.memory import Memory
from lighter_hedge.domain.settings import DeskSettings
from lighter_hedge.domain.states import (
    Announce,
    Armed,
    Confirm,
    DeskId,
    HedgeFailed,
    HedgerState,
    Leg,
    MakerState,
    Mode,
    OrderFills,
    Pause,
    Role,
)
from lighter_hedge.domain.units import Lots, MarketSpec, Side

PRICE = 1_000_000
"""100 000.0 dollars in ticks: one lot is one dollar."""
BID, ASK = PRICE, PRICE + 10
WALL_MS = 1_800_000_000_000
MONO_MS = 1_000_000
SIGNATURE_MS = 599_000
LAG_MS = 10_000
A_EPOCH, B_EPOCH = 31, 47

DESK = DeskId(pair="a_b", market="BTC")
MARKET = MarketSpec(
    market_index=1,
    symbol="BTC",
    size_decimals=5,
    price_decimals=1,
    min_base_lots=Lots(10),
    min_quote=10_000_000,
    initial_margin_fraction=500,
)

_C = TypeVar("_C")


def at(ms: int) -> Instant:
    """An instant ``ms`` after the beginning."""
    return Instant(MONO_MS + ms, WALL_MS + ms)


def coid(serial: int) -> int:
    """The client order index of the desk's order number ``serial``."""
    return DESK.client_order_index(serial)


def settings(**changes: Any) -> DeskSettings:
    return replace(DeskSettings(desk=DESK, market=MARKET, quantity=100), **changes)


def order(serial: int = 1, **changes: Any) -> OrderRequest:
    """A hedge: sell 100."""
    plain = OrderRequest(kind=OrderKind.HEDGE, coid=coid(serial), side=Side.ASK, lots=100, price=PRICE, round=1)
    return replace(plain, **changes)


def quote(serial: int = 1, **changes: Any) -> OrderRequest:
    """A quote: buy 100."""
    return order(serial, kind=OrderKind.QUOTE, side=Side.BID, **changes)


def request_name(request: Request) -> str:
    match request:
        case OrderRequest():
            return f"order{DESK.serial(request.coid)}"
        case CancelRequest():
            return f"cancel{DESK.serial(request.coid)}"
        case BurnRequest():
            return "burn"


def candidate(request: Request | None = None, nonce: int = 7, **changes: Any) -> Candidate:
    wanted = request or order()
    plain = Candidate(
        nonce=nonce,
        request=wanted,
        tx_hash=f"{request_name(wanted)}@{nonce}",
        tx_type=14,
        payload="{}",
        signed_ms=WALL_MS,
        expires_ms=WALL_MS + SIGNATURE_MS,
    )
    return replace(plain, **changes)


def row(serial: int = 1, **changes: Any) -> OrderReport:
    """A row of order ``serial``: sell 100, nothing filled, open."""
    plain = OrderReport(
        coid=coid(serial),
        order_index=9_000 + serial,
        side=Side.ASK,
        lots=100,
        price=PRICE,
        filled=0,
        filled_quote=0,
        closed=False,
        status="open",
        created_ms=WALL_MS,
    )
    return replace(plain, **changes)


def filled_row(serial: int = 1, lots: int = 100, **changes: Any) -> OrderReport:
    """A row of an order that has ended with ``lots`` filled."""
    plain = row(serial, filled=lots, filled_quote=lots * 1_000_000, closed=True, status="filled")
    return replace(plain, **changes)


def trade(trade_id: int = 1, serial: int = 1, **changes: Any) -> TradeReport:
    """A trade of order ``serial``: sold 100."""
    lots = changes.get("lots", 100)
    plain = TradeReport(
        trade_id=trade_id,
        coid=coid(serial),
        order_index=9_000 + serial,
        side=Side.ASK,
        lots=lots,
        price=PRICE,
        quote=lots * 1_000_000,
        maker=False,
        counterparty=77,
        kind="trade",
        at_ms=WALL_MS,
    )
    return replace(plain, **changes)


def fills(serial: int = 1, **changes: Any) -> OrderFills:
    """What the other side says of A's quote ``serial``: bought 100 of 100."""
    plain = OrderFills(
        coid=coid(serial), round=1, side=Side.BID, lots=100, filled=100, filled_quote=100_000_000, closed=True
    )
    return replace(plain, **changes)


def announce(serial: int = 1, **changes: Any) -> Announce:
    """A wants to buy 100."""
    plain = Announce(
        epoch=A_EPOCH,
        round=1,
        attempt=0,
        leg=Leg.OPEN,
        coid=coid(serial),
        side=Side.BID,
        lots=100,
        price=PRICE,
        min_lots=10,
        expires_ms=WALL_MS + 360_000,
    )
    return replace(plain, **changes)


def armed_for(wanted: Announce, lots: int | None = None) -> Armed:
    """B's answer to an announce: its whole size, the other way."""
    full = -wanted.side.sign * wanted.lots
    return Armed(
        epoch=wanted.epoch,
        round=wanted.round,
        attempt=wanted.attempt,
        coid=wanted.coid,
        lots=full if lots is None else lots,
    )


def pause(**changes: Any) -> Pause:
    return replace(Pause(id=5, reason="by a person", code="PAUSED", since_ms=5), **changes)


def failed(**changes: Any) -> HedgeFailed:
    return replace(HedgeFailed(round=1, cum=100, reason="max_retries_exceeded", tries=3), **changes)


def confirm(**changes: Any) -> Confirm:
    return replace(Confirm(epoch=A_EPOCH, round=1, cum=100, net=0), **changes)


def maker_state(**changes: Any) -> MakerState:
    plain = MakerState(
        epoch=A_EPOCH,
        seq=1,
        at_ms=WALL_MS,
        mode=Mode.RUNNING,
        pause=None,
        announce=None,
        fills=(),
        round=0,
        position=0,
        ready=True,
        market_index=1,
    )
    return replace(plain, **changes)


def hedger_state(**changes: Any) -> HedgerState:
    plain = HedgerState(
        epoch=B_EPOCH,
        seq=1,
        at_ms=WALL_MS,
        armed=None,
        disarmed="",
        confirm=None,
        failed=None,
        pause_ask=None,
        fills=(),
        unresolved=0,
        tries=0,
        position=0,
        ready=True,
    )
    return replace(plain, **changes)


def memory(role: Role = Role.HEDGER, **changes: Any) -> Memory:
    """A journal that knows nothing yet."""
    return replace(Memory(epoch=A_EPOCH if role is Role.MAKER else B_EPOCH, fresh=True), **changes)


def frame(
    bids: Iterable[tuple[int, int]] = ((BID, 500), (BID - 10, 500), (BID - 20, 500)),
    asks: Iterable[tuple[int, int]] = ((ASK, 500), (ASK + 10, 500), (ASK + 20, 500)),
    **changes: Any,
) -> BookReported:
    """A snapshot of the book."""
    plain = BookReported(snapshot=True, nonce=1, begin_nonce=0, bids=tuple(bids), asks=tuple(asks))
    return replace(plain, **changes)


def only(commands: Iterable[Command], kind: type[_C]) -> list[_C]:
    """The commands of one kind, in order."""
    return [command for command in commands if isinstance(command, kind)]


def one(commands: Iterable[Command], kind: type[_C]) -> _C:
    """The only command of one kind."""
    found = only(commands, kind)
    assert len(found) == 1, f"{len(found)} of {kind.__name__}"
    return found[0]


def sent(commands: Iterable[Command]) -> list[str]:
    """Hashes of what is sent, in order."""
    return [command.candidate.tx_hash for command in only(commands, Send)]


def entries(commands: Iterable[Command], kind: type[_C]) -> list[_C]:
    """Journal entries of one kind, in order."""
    return [command.entry for command in only(commands, Record) if isinstance(command.entry, kind)]


def codes(commands: Iterable[Command]) -> list[str]:
    """Codes of everything that is said or alerted."""
    return [str(code) for command in commands if (code := getattr(command, "code", None)) is not None]


def answer(kind: AnswerKind = AnswerKind.ACCEPTED, code: int = 0, message: str = "") -> Answer:
    return Answer(kind=kind, code=code, message=message)


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

    def tx(self, tx_hash: str, status: TxStatus | None, error: str = "") -> list[Command]:
        event = TxReported(tx_hash=tx_hash, status=status, error=error)
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
                return TxReported(tx_hash=command.tx_hash, status=status)
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

"""Small builders: every field has a default, so that each option that a test sets means something.

The market is made for easy sums: one lot at ``PRICE`` is worth one dollar, and ten lots are the venue's minimum.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeVar

from lighter_hedge.domain.commands import (
    Command,
    Record,
    Send,
)
from lighter_hedge.domain.events import (
    Answer,
    AnswerKind,
    BookReported,
    BurnRequest,
    CancelRequest,
    Candidate,
    Instant,
    OrderKind,
    OrderReport,
    OrderRequest,
    Request,
    TradeReport,
)
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
    return order(serial, **({"kind": OrderKind.QUOTE, "side": Side.BID} | changes))


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


def only(commands: Iterable[object], kind: type[_C]) -> list[_C]:
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

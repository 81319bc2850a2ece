"""What an accepted value must be. A parser that gives anything else has let something invalid in."""

from dataclasses import fields, is_dataclass
from enum import Enum

from lighter_hedge.domain.events import (
    Answer,
    AnswerKind,
    BalanceReported,
    BookReported,
    MarketHeard,
    OrderReport,
    OrderReported,
    PositionReported,
    TradeReport,
    TradeReported,
    TxReported,
    TxStatus,
)
from lighter_hedge.domain.states import Announce, HedgerState, MakerState, OperatorCommand, OrderFills, Role
from lighter_hedge.domain.units import MarketSpec, Side
from lighter_hedge.venue.lighter.parse import Emitted

TOP = 2**63
"""The journal's integers have 64 bits: what does not fit would end the process while it writes."""


def whole(*numbers: object) -> None:
    """Integers from 0 that the journal can hold."""
    for number in numbers:
        assert type(number) is int
        assert 0 <= number < TOP


def signed(*numbers: object) -> None:
    """Integers of either sign that the journal can hold."""
    for number in numbers:
        assert type(number) is int
        assert -TOP < number < TOP


def event(heard: Emitted) -> None:
    """An event of the stream: amounts are integers in range, sides and roles are known."""
    match heard:
        case BookReported():
            whole(heard.nonce, heard.begin_nonce, heard.at_ms)
            for price, lots in (*heard.bids, *heard.asks):
                whole(price, lots)
                assert price > 0
        case MarketHeard():
            whole(heard.mark)
        case TradeReported():
            assert type(heard.role) is Role
            trade(heard.trade)
        case OrderReported():
            assert type(heard.role) is Role
            order(heard.report)
        case PositionReported():
            assert type(heard.role) is Role
            signed(heard.lots)
        case BalanceReported():
            signed(heard.available)
        case TxReported():
            assert type(heard.status) is TxStatus
            assert type(heard.tx_hash) is str
            assert type(heard.error) is str
        case _:
            raise AssertionError(f"no frame stands for {heard}")


def trade(report: TradeReport) -> None:
    """Something of something was traded, at a price."""
    whole(report.trade_id, report.coid, report.order_index, report.lots, report.price, report.quote)
    whole(report.counterparty, report.at_ms)
    assert type(report.side) is Side
    assert report.lots > 0
    assert report.price > 0


def order(report: OrderReport) -> None:
    """Nothing negative, and never more filled than there was; 0 lots is an order that takes the position's size."""
    whole(report.coid, report.order_index, report.lots, report.price, report.filled, report.filled_quote)
    whole(report.created_ms)
    assert type(report.side) is Side
    assert report.filled <= report.lots or report.lots == 0
    assert report.closed == (report.status == "filled" or report.status.startswith("canceled"))


def market(spec: MarketSpec) -> None:
    """A market in which an order can be made."""
    whole(spec.market_index, spec.min_base_lots, spec.min_quote, spec.initial_margin_fraction)
    assert spec.symbol
    assert 0 <= spec.size_decimals <= 12
    assert 0 <= spec.price_decimals <= 12
    assert spec.min_lots(1) >= 1


def answer(given: Answer, status: int, body: bytes) -> None:
    """Nothing is accepted without a 200 of HTTP and of the venue; nothing is rejected by what is no answer."""
    whole(given.code)
    assert len(given.message) <= 300
    if given.kind is AnswerKind.ACCEPTED:
        assert status == 200
        assert b"200" in body
    if given.kind is AnswerKind.REJECTED:
        assert given.code != 0
        assert 100 <= status < 500


SIGNED = {("Armed", "lots"), ("Confirm", "cum"), ("Confirm", "net"), ("HedgeFailed", "cum")}
SIGNED |= {
    ("Flatten", "net"),
    ("StoodDown", "cum"),
    ("MakerState", "position"),
    ("MakerState", "residual"),
    ("HedgerState", "position"),
}


def message(heard: object) -> None:
    """A state or a command: every number within its range, however deep it lies."""
    if is_dataclass(heard):
        for field in fields(heard):
            value = getattr(heard, field.name)
            if type(value) is int:
                (signed if (type(heard).__name__, field.name) in SIGNED else whole)(value)
            message(value)
        _together(heard)
    elif isinstance(heard, tuple):
        for each in heard:
            message(each)
    else:
        assert heard is None or type(heard) in (str, bool, int) or isinstance(heard, Enum)


def _together(heard: object) -> None:
    match heard:
        case OrderFills():
            assert heard.coid > 0
            assert heard.lots > 0
            assert heard.filled <= heard.lots
        case Announce():
            assert heard.coid > 0
            assert heard.lots > 0
            assert heard.price > 0
        case MakerState() | HedgerState():
            coids = [fills.coid for fills in heard.fills]
            assert len(coids) == len(set(coids))
        case OperatorCommand():
            assert heard.id
            assert type(heard.verb) is str  # A refuses one that it does not know, by name
        case _:
            pass

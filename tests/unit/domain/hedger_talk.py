"""What the tests of this part say to each other."""

from typing import Any

from tests.unit.domain.builders import (
    announce,
    filled_row,
    one,
    row,
    sent,
    trade,
)
from tests.unit.domain.talk import Talk, hedger_side

from lighter_hedge.domain.commands import (
    Command,
    Send,
)
from lighter_hedge.domain.events import (
    OrderReported,
    OrderRequest,
    TradeReported,
)
from lighter_hedge.domain.states import HedgerState, Role
from lighter_hedge.domain.units import Side

QUOTE = announce()


def armed(**changes: Any) -> Talk:
    """B, armed for A's quote to buy 100."""
    talk = hedger_side(**changes)
    talk.a_says(announce=QUOTE, round=1)
    return talk


def a_fills(talk: Talk, lots: int = 100, trade_id: int = 1, **changes: Any) -> list[Command]:
    """A's drop copy: a trade of its quote."""
    taken = trade(trade_id, side=Side.BID, lots=lots, **changes)
    return list(talk.hear(TradeReported(role=Role.MAKER, trade=taken)))


def b_fills(talk: Talk, serial: int = 1, lots: int = 100, **changes: Any) -> list[Command]:
    """B's own row: its hedge has ended."""
    return list(talk.hear(OrderReported(role=Role.HEDGER, report=filled_row(serial, lots, **changes))))


def state(talk: Talk) -> HedgerState:
    told = talk.machine.state(talk.now)
    assert isinstance(told, HedgerState)
    return told


def request_of(commands: list[Command]) -> OrderRequest:
    request = one(commands, Send).candidate.request
    assert isinstance(request, OrderRequest)
    return request


def try_once(talk: Talk, serial: int) -> None:
    """One hedge that fills nothing."""
    talk.hear(OrderReported(role=Role.HEDGER, report=row(serial, closed=True, status="canceled-too-much-slippage")))


def orders_of(commands: list[Command]) -> list[str]:
    return [tx_hash for tx_hash in sent(commands) if tx_hash.startswith("order")]

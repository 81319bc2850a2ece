"""What the tests of this part say to each other."""

from typing import Any

from tests.unit.domain.builders import (
    armed_for,
    confirm,
    filled_row,
    row,
    sent,
    trade,
)
from tests.unit.domain.talk import Talk, maker_side

from lighter_hedge.domain.commands import (
    Command,
)
from lighter_hedge.domain.events import (
    AnswerKind,
    OperatorAsked,
    OrderReported,
    PositionReported,
    TradeReported,
)
from lighter_hedge.domain.states import Announce, MakerState, OperatorCommand, Role
from lighter_hedge.domain.units import Side


def state(talk: Talk) -> MakerState:
    told = talk.machine.state(talk.now)
    assert isinstance(told, MakerState)
    return told


def wanted(talk: Talk) -> Announce:
    announced = state(talk).announce
    assert announced is not None, state(talk).waiting
    return announced


def announcing(**changes: Any) -> Talk:
    """A has announced a quote; B has not armed yet."""
    talk = maker_side(**changes)
    talk.b_says()
    wanted(talk)
    return talk


def quoting(**changes: Any) -> Talk:
    """A's quote rests in the book, B armed for it."""
    talk = announcing(**changes)
    talk.b_says(armed=armed_for(wanted(talk)))
    talk.answers("order1@8", AnswerKind.ACCEPTED)
    talk.hear(OrderReported(role=Role.MAKER, report=row(side=Side.BID)))
    return talk


def fill(talk: Talk, lots: int = 100, *, serial: int = 1, ended: bool = True) -> list[Command]:
    """A's quote fills."""
    talk.positions[Role.MAKER] = lots
    status = "filled" if lots == 100 else "canceled"
    report = filled_row(serial, lots, side=Side.BID, status=status if ended else "open", closed=ended)
    out = talk.hear(OrderReported(role=Role.MAKER, report=report))
    return out + talk.hear(PositionReported(role=Role.MAKER, lots=lots))


def hedge(talk: Talk, lots: int = 100, serial: int = 1) -> list[Command]:
    """B has hedged: A's own copy shows it, and B confirms."""
    talk.positions[Role.HEDGER] = -lots
    out = talk.hear(TradeReported(role=Role.HEDGER, trade=trade(70 + serial, serial, lots=lots)))
    out += talk.hear(PositionReported(role=Role.HEDGER, lots=-lots))
    return out + talk.b_says(armed=None, confirm=confirm(round=talk.machine.round, cum=lots))


def ask(talk: Talk, verb: str, **changes: Any) -> list[Command]:
    talk.seq += 1
    command = OperatorCommand(id=f"c{talk.seq}", verb=verb, **changes)
    return talk.hear(OperatorAsked(command=command))


def cancels(commands: list[Command]) -> list[str]:
    return [tx_hash for tx_hash in sent(commands) if tx_hash.startswith("cancel")]


def sending(**changes: Any) -> Talk:
    talk = announcing(**changes)
    talk.b_says(armed=armed_for(wanted(talk)))
    return talk

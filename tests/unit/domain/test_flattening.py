"""A closes what B could not hedge, but only once B has stood down for this very wish."""

from typing import Any

import pytest
from tests.unit.domain import hedger_talk, maker_talk
from tests.unit.domain.builders import (
    codes,
    coid,
    entries,
    failed,
    filled_row,
    maker_state,
    memory,
    one,
    only,
    pause,
    quote,
    sent,
)
from tests.unit.domain.talk import Talk, hedger_side, maker_side

from lighter_hedge.domain.commands import FlattenChanged, Prepare, Send, StoodDownChanged
from lighter_hedge.domain.events import (
    BurnRequest,
    OperatorAsked,
    OrderReported,
    OrderRequest,
    PositionReported,
    PrepareFailed,
)
from lighter_hedge.domain.flattening import StandingDown
from lighter_hedge.domain.lane_words import Fate, Settlement
from lighter_hedge.domain.states import Flatten, HedgerState, OperatorCommand, Role, StoodDown
from lighter_hedge.domain.units import Side

STOOD = {"round": 1, "cum": 100, "maker_epoch": 31, "maker_seq": 1}


def failed_round(**changes: Any) -> Talk:
    """A has filled, B has used its tries up, and the desk is paused."""
    code = changes.pop("code", "HEDGE_FAILED")
    talk = maker_talk.quoting(**({"flatten": True, "force_close_ms": 5_000} | changes))
    maker_talk.fill(talk)
    talk.b_says(armed=None, failed=failed(), pause_ask=pause(code=code))
    assert talk.machine.latch.pause is not None
    return talk


def wishing(**changes: Any) -> tuple[Talk, Flatten]:
    talk = failed_round(**changes)
    talk.wait(5_500)
    wish = maker_talk.state(talk).flatten
    assert wish is not None
    return talk, wish


def orders(commands: list[Any]) -> list[OrderRequest]:
    found = [command.request for command in only(commands, Prepare)]
    return [request for request in found if isinstance(request, OrderRequest)]


# --- A --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["HEDGE_FAILED", "UNHEDGED_TOO_LONG", "PAUSED"])
def test_a_wishes_only_where_the_pause_says_that_b_cannot(code: str) -> None:
    talk = failed_round(code=code)
    talk.wait(5_500)
    assert (maker_talk.state(talk).flatten is None) is (code == "PAUSED")


@pytest.mark.parametrize(
    ("maker", "hedger", "lots"),
    [(1, 0, -1), (-1, 0, 1), (200, -100, -100), (-200, 100, 100), (100, 50, -100), (0, 100, 0), (100, -150, 0)],
)
def test_a_closes_no_more_than_it_holds_and_nothing_that_it_does_not(maker: int, hedger: int, lots: int) -> None:
    talk = maker_talk.quoting(flatten=True)
    talk.core.maker.base, talk.core.hedger.base = maker, hedger
    assert talk.machine.flattening._closable() == lots
    talk.machine.latch.pause = pause(code="HEDGE_FAILED")
    view, step = talk.machine._view, talk.machine.flattening.step
    assert step(view(talk.now), 1, 1, held_back=False) == []
    talk.ms += talk.core.settings.force_close_ms - 1
    assert step(view(talk.now), 1, 1, held_back=False) == []
    talk.ms += 1
    assert bool(step(view(talk.now), 1, 1, held_back=False)) is bool(lots)


def test_a_wish_with_nothing_to_close_waits() -> None:
    talk, wish = wishing()
    talk.core.maker.base = -100  # A is flat, B holds what is exposed
    talk.core.hedger.base = 100
    for role in Role:
        talk.core.checks[role].heard(talk.core.ledgers[role].position, talk.core.ledgers[role], talk.now.mono_ms)
    assert orders(talk.b_says(stood_down=StoodDown(id=wish.id, **STOOD))) == []


def test_a_carries_nothing_out_while_an_order_of_its_own_is_open() -> None:
    talk, wish = wishing()
    talk.core.own.intend(quote(9), 0)
    assert orders(talk.b_says(stood_down=StoodDown(id=wish.id, **STOOD))) == []
    view = talk.machine._view(talk.now)
    assert talk.machine.flattening._carry_out(wish, view, 1, ended=True) == []
    talk.core.own.withdraw(coid(9))
    assert talk.machine.flattening._carry_out(wish, view, 1, ended=True) != []
    talk.follow(talk.core.lane.submit(BurnRequest()))
    assert talk.machine.flattening._carry_out(wish, view, 1, ended=True) == [], "a transaction is unresolved"


def test_a_wishes_after_the_time_and_not_before() -> None:
    talk = failed_round()
    out = talk.wait(4_900)
    assert maker_talk.state(talk).flatten is None
    out = talk.wait(600)
    wish = maker_talk.state(talk).flatten
    assert wish is not None
    assert (wish.round, wish.net) == (1, 100)
    assert entries(out, FlattenChanged) == [FlattenChanged(flatten=wish)]
    assert "FLATTENING" in codes(out)
    assert orders(out) == []


def test_without_the_option_a_never_wishes() -> None:
    talk = failed_round(flatten=False)
    talk.wait(20_000)
    assert maker_talk.state(talk).flatten is None


def test_a_closes_once_b_has_stood_down_for_this_wish() -> None:
    talk, wish = wishing()
    assert orders(talk.b_says(stood_down=StoodDown(id=wish.id + 1, **STOOD))) == []
    assert orders(talk.b_says(stood_down=StoodDown(id=wish.id, **STOOD), unresolved=1)) == []
    out = talk.b_says(unresolved=0)
    (order,) = orders(out)
    assert (order.side, order.lots, order.reduce_only) == (Side.ASK, 100, True)


def test_a_does_not_close_while_a_position_is_not_seen() -> None:
    talk, wish = wishing()
    talk.hear(PositionReported(role=Role.HEDGER, lots=-100))
    assert orders(talk.b_says(stood_down=StoodDown(id=wish.id, **STOOD))) == []


def test_the_wish_ends_once_it_is_closed_and_the_desk_stays_paused() -> None:
    talk, wish = wishing()
    out = talk.b_says(stood_down=StoodDown(id=wish.id, **STOOD))
    tx = sent(out)[0]
    request = one(only(out, Send), Send).candidate.request
    assert isinstance(request, OrderRequest)
    talk.executes(tx)
    closed = filled_row(2, 100, side=Side.ASK, status="filled", closed=True)
    talk.positions[Role.MAKER] = 0
    out = talk.hear(OrderReported(role=Role.MAKER, report=closed), PositionReported(role=Role.MAKER, lots=0))
    out += talk.wait(1_100)
    assert entries(out, FlattenChanged) == [FlattenChanged(flatten=None)]
    assert "FLATTENED" in codes(out)
    assert maker_talk.state(talk).flatten is None
    assert talk.machine.latch.pause is not None
    assert talk.core.net == 0


def test_new_tries_asked_for_by_a_person_withdraw_the_wish() -> None:
    talk, _ = wishing()
    held = talk.machine.latch.pause
    out = maker_talk.ask(talk, "resume", pause_id=held.id, hedge_now=True) + talk.wait(1_500)
    assert entries(out, FlattenChanged) == [FlattenChanged(flatten=None)]
    talk.b_says(failed=None)
    talk.wait(8_000)
    assert maker_talk.state(talk).flatten is None


def test_the_wish_of_an_earlier_life_stands() -> None:
    wish = Flatten(id=5, round=1, net=100)
    talk = maker_side(remembers=memory(Role.MAKER, flatten=wish), flatten=True)
    assert talk.machine.flattening.wish in (wish, None)


# --- B --------------------------------------------------------------------------------------------------------------


def used_up() -> Talk:
    """B has used its tries up."""
    talk = hedger_talk.armed()
    hedger_talk.a_fills(talk)
    for serial in (1, 2, 3):
        hedger_talk.try_once(talk, serial)
        talk.wait(2_100)
    assert talk.machine.tries.failed is not None
    return talk


def told(talk: Talk) -> HedgerState:
    return hedger_talk.state(talk)


def test_b_stands_down_once_its_nonce_is_burnt() -> None:
    talk = used_up()
    wish = Flatten(id=77, round=1, net=100)
    out = talk.a_says(flatten=wish)
    assert [command.request for command in only(out, Prepare)] == [BurnRequest()]
    assert told(talk).stood_down is None
    out = talk.executes(sent(out)[0])
    down = told(talk).stood_down
    assert down is not None
    assert (down.id, down.round, down.cum) == (77, 1, 100)
    assert entries(out, StoodDownChanged) == [StoodDownChanged(stood_down=down)]
    assert "STOOD_DOWN" in codes(out)


def stood_down() -> Talk:
    talk = used_up()
    talk.executes(sent(talk.a_says(flatten=Flatten(id=77, round=1, net=100)))[0])
    assert told(talk).stood_down is not None
    return talk


def test_b_hedges_nothing_while_it_has_stood_down_even_at_a_persons_word() -> None:
    talk = stood_down()
    talk.hear(OperatorAsked(command=OperatorCommand(id="c", verb="resume", pause_id=1, hedge_now=True)))
    assert only(talk.wait(5_000), Send) == []
    assert told(talk).disarmed.startswith("stood down") or told(talk).armed is None


def test_b_takes_up_again_when_a_newer_state_has_no_wish() -> None:
    talk = stood_down()
    talk.hear(OperatorAsked(command=OperatorCommand(id="c", verb="resume", pause_id=1, hedge_now=True)))
    out = talk.a_says(flatten=None)
    assert entries(out, StoodDownChanged) == [StoodDownChanged(stood_down=None)]
    assert "STOOD_UP" in codes(out)
    assert only(out + talk.wait(3_000), Send) != []


def test_an_older_state_of_a_ends_nothing() -> None:
    down = StoodDown(id=77, round=1, cum=100, maker_epoch=31, maker_seq=900)
    talk = hedger_side(remembers=memory(stood_down=down))
    talk.a_state = maker_state(epoch=31, flatten=None)
    talk.seq = 10
    talk.a_says()
    assert told(talk).stood_down == down
    talk.seq = 899
    talk.a_says()
    assert told(talk).stood_down == down, "that very state had the wish"
    talk.a_says()
    assert told(talk).stood_down is None


def test_a_wish_that_is_gone_before_the_burn_has_executed_is_not_answered() -> None:
    talk = used_up()
    burn = sent(talk.a_says(flatten=Flatten(id=77, round=1, net=100)))[0]
    talk.a_says(flatten=None)
    talk.executes(burn)
    assert told(talk).stood_down is None
    assert not talk.machine.standing_down.blocks(None)


def test_b_hedges_while_nobody_wishes_anything() -> None:
    assert not StandingDown(core=hedger_side().core).blocks(None)


@pytest.mark.parametrize("fate", [Fate.BOUNCED, Fate.UNSIGNED])
def test_a_burn_that_came_to_nothing_is_over(fate: Fate) -> None:
    talk = hedger_side()
    talk.signs = False
    talk.a_says(flatten=Flatten(id=77, round=1, net=100))
    assert talk.machine.standing_down.blocks(None)
    talk.machine.standing_down.settled(Settlement(request=BurnRequest(), fate=fate), talk.a_state)
    assert not talk.machine.standing_down.blocks(None)


def test_a_burn_that_cannot_be_signed_is_tried_again() -> None:
    talk = used_up()
    talk.signs = False
    asked = only(talk.a_says(flatten=Flatten(id=77, round=1, net=100)), Prepare)
    assert len(asked) == 1
    talk.signs = True
    out = talk.hear(PrepareFailed(ticket=asked[0].ticket, reason="no key"))
    assert only(out + talk.wait(900), Prepare) == []
    assert [command.request for command in only(talk.wait(100), Prepare)] == [BurnRequest()]

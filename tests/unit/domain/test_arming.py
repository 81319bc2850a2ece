"""B is armed for an announce, or says why not; what is armed stays until A's order has ended."""

from typing import Any

import pytest
from tests.unit.domain.builders import (
    PRICE,
    SIGNATURE_MS,
    announce,
    coid,
    fills,
    memory,
    one,
    only,
    order,
    settings,
    trade,
)
from tests.unit.domain.talk import Talk, hedger_side

from lighter_hedge.domain.arming import RENEW_BEFORE_MS
from lighter_hedge.domain.commands import Announced, Prepare, Record
from lighter_hedge.domain.events import (
    BalanceReported,
    FeedClosed,
    OrderRequest,
    PositionReported,
    Ticked,
    TradeReported,
)
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.states import Armed, Role
from lighter_hedge.domain.units import Side


def answer(talk: Talk) -> Armed | None:
    found = talk.machine.arming.answer()
    assert found is None or isinstance(found, Armed)
    return found


def reason(talk: Talk) -> str:
    return str(talk.machine.arming.reason)


def armed(**changes: Any) -> Talk:
    talk = hedger_side(**changes)
    talk.a_says(announce=announce(), round=1)
    return talk


def test_the_announce_is_journalled_before_the_hedge_is_signed() -> None:
    talk = hedger_side()
    out = talk.a_says(announce=announce(), round=1)
    kinds = [type(command) for command in out if isinstance(command, Record | Prepare)]
    assert kinds == [Record, Prepare]
    assert one(out, Record).entry == Announced(announce=announce())
    request = one(out, Prepare).request
    assert isinstance(request, OrderRequest)
    assert (request.side, request.lots, request.price) == (Side.ASK, 100, PRICE - 2_000)
    found = answer(talk)
    assert found is not None
    assert (found.epoch, found.round, found.attempt, found.coid, found.lots) == (31, 1, 0, coid(1), -100)


def test_while_it_is_being_signed_b_is_not_armed() -> None:
    talk = hedger_side()
    talk.signs = False
    talk.a_says(announce=announce(), round=1)
    assert answer(talk) is None
    assert only(talk.hear(Ticked()), Prepare) == [], "and does not sign twice"


def test_what_a_full_fill_leaves_below_the_minimum_is_armed_with_nothing() -> None:
    talk = hedger_side()
    talk.a_says(announce=announce(lots=9), round=1)
    found = answer(talk)
    assert found is not None
    assert found.lots == 0
    assert only(talk.hear(Ticked()), Prepare) == [], "nothing to sign, and nothing to renew"
    talk.a_says(announce=None)
    assert answer(talk) is None


def test_an_armed_hedge_is_signed_anew_before_its_signature_ends() -> None:
    talk = armed()
    talk.ms += SIGNATURE_MS - RENEW_BEFORE_MS - 1
    talk.core.book.heard(0, talk.now.mono_ms)
    assert only(talk.hear(Ticked()), Prepare) == []
    talk.ms += 1
    talk.core.book.heard(0, talk.now.mono_ms)
    assert len(only(talk.hear(Ticked()), Prepare)) == 1
    assert answer(talk) is not None


def test_another_attempt_is_armed_afresh() -> None:
    talk = armed()
    out = talk.a_says(announce=announce(2, attempt=1))
    assert len(only(out, Prepare)) == 1
    found = answer(talk)
    assert found is not None
    assert found.attempt == 1
    assert talk.core.lane.prepared(coid(1)) is None, "what was held for the attempt before"


def test_once_as_order_has_ended_nothing_is_held() -> None:
    talk = armed()
    talk.a_says(announce=None, fills=(fills(filled=0, closed=True),))
    assert answer(talk) is None
    assert reason(talk) == ""
    assert talk.core.lane.prepared(coid(1)) is None


def test_the_rest_of_a_partly_filled_quote_is_armed_once_the_part_is_hedged() -> None:
    talk = armed(cancel_first=False)
    talk.hear(TradeReported(role=Role.MAKER, trade=trade(1, side=Side.BID, lots=40)))
    talk.hear(TradeReported(role=Role.HEDGER, trade=trade(2, 2, lots=40)))
    found = answer(talk)
    assert found is not None
    assert found.lots == -60


def test_a_hedge_stays_in_hand_while_b_tells_a_not_to_rely_on_it() -> None:
    talk = armed()
    talk.hear(FeedClosed(reason="gone"))
    assert answer(talk) is None
    assert reason(talk) == "stream is down"
    assert talk.machine.arming.candidate(-100) is not None, "the fill may come all the same"
    assert talk.machine.arming.candidate(-99) is None


def test_a_stale_book_disarms() -> None:
    talk = armed()
    talk.ms += 2_100
    talk.hear(Ticked())
    assert reason(talk) == "book is stale"


def test_a_position_that_differs_for_a_while_disarms() -> None:
    talk = armed()
    talk.reads = False
    talk.hear(PositionReported(role=Role.HEDGER, lots=-7))
    assert reason(talk) == ""
    talk.wait(1_200)
    assert reason(talk) == "account B has -0.00007 BTC at the venue, 0.00000 BTC in the books"


def test_an_account_to_be_read_again_disarms() -> None:
    talk = armed()
    talk.core.reads.again(Role.MAKER)
    talk.a_says()
    assert reason(talk) == "reading accounts"


def test_a_hedge_that_the_margin_does_not_carry_is_not_armed() -> None:
    talk = hedger_side()
    talk.hear(BalanceReported(available=5_249_999))
    talk.a_says(announce=announce(), round=1)
    assert reason(talk) == "margin: needs 5.250000 USD, has 5.249999 USD"
    talk.hear(BalanceReported(available=5_250_000))
    assert reason(talk) == ""
    assert answer(talk) is not None


def test_unknown_collateral_is_not_enough() -> None:
    talk = hedger_side()
    talk.core.available = None
    talk.a_says(announce=announce(), round=1)
    assert reason(talk) == "free collateral is not known"


def test_before_any_announce_there_is_no_reason() -> None:
    assert Hedger.create(settings(), memory()).arming.reason == ""


def test_what_a_hedge_under_way_will_do_is_not_armed_for_again() -> None:
    talk = hedger_side()
    talk.core.own.intend(order(9, lots=30), 0)
    talk.a_says(announce=announce(), round=1)
    found = answer(talk)
    assert found is not None
    assert found.lots == -70


def test_a_quote_from_before_the_baseline_is_not_armed_for() -> None:
    talk = hedger_side()
    talk.core.maker.folded_serial = 1
    talk.a_says(announce=announce(1), round=1)
    assert reason(talk) == "the quote is older than account B's baseline"


def test_a_halted_market_disarms() -> None:
    talk = armed()
    talk.core.halt(talk.now)
    talk.hear(Ticked())
    assert reason(talk) == "market BTC is halted"


@pytest.mark.parametrize(("held", "needed"), [(-50, 5_250_000), (50, None), (49, 105_000)])
def test_margin_is_asked_for_what_the_position_grows_by(held: int, needed: int | None) -> None:
    """A hedge of 100 takes 50 to -50: no growth at all."""
    talk = hedger_side()
    talk.core.hedger.base, talk.core.maker.base = held, -held
    for role in Role:
        talk.core.checks[role].heard(talk.core.ledgers[role].position, talk.core.ledgers[role], talk.now.mono_ms)
    talk.core.available = needed
    talk.a_says(announce=announce(), round=1)
    assert reason(talk) == ""
    if needed is not None:
        talk.hear(BalanceReported(available=needed - 1))
        assert reason(talk).startswith("margin: needs")


@pytest.mark.parametrize("available", [0, None])
def test_a_hedge_that_shrinks_the_position_needs_no_margin(available: int | None) -> None:
    talk = hedger_side()
    for role, lots in ((Role.MAKER, 100), (Role.HEDGER, -100)):
        talk.core.ledgers[role].base = lots
        talk.core.checks[role].heard(lots, talk.core.ledgers[role], talk.now.mono_ms)
    talk.core.available = available
    talk.a_says(announce=announce(side=Side.ASK), round=2)
    assert reason(talk) == ""

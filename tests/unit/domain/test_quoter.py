"""A's one quote. How it is announced, sent and cancelled within a desk is in test_maker.py; here is what is its own."""

import pytest
from tests.unit.domain.builders import (
    LAG_MS,
    announce,
    armed_for,
    at,
    codes,
    coid,
    entries,
    hedger_state,
    only,
    order,
    quote,
    row,
    sent,
)
from tests.unit.domain.maker_talk import announcing, quoting
from tests.unit.domain.talk import maker_side

from lighter_hedge.domain.commands import Announced, Level, Prepare, ReadOrders, Say
from lighter_hedge.domain.events import AnswerKind, CancelRequest, OrderReported, StopAsked
from lighter_hedge.domain.gate import View
from lighter_hedge.domain.lane_words import Fate, Settlement
from lighter_hedge.domain.quoter import Quoter
from lighter_hedge.domain.reads import READ_AGAIN_MS
from lighter_hedge.domain.states import Leg, Mode, Role
from lighter_hedge.domain.units import Side


def test_an_announce_is_recorded_and_signed() -> None:
    talk = maker_side()
    quoter = Quoter(core=talk.core)
    wanted = announce(3, leg=Leg.OPEN, attempt=2)
    commands = quoter.announce(wanted, talk.now)
    assert entries(commands, Announced) == [Announced(announce=wanted)]
    assert isinstance(commands[-1], Prepare)
    assert commands[-1].request == quote(
        3,
        side=wanted.side,
        lots=wanted.lots,
        price=wanted.price,
        round=wanted.round,
        attempt=wanted.attempt,
        expires_ms=wanted.expires_ms,
        opens=True,
        cross_account_guard=True,
    )
    assert quoter.quote is not None
    assert quoter.quote.announced_ms == talk.now.mono_ms


def test_a_closing_quote_opens_nothing() -> None:
    talk = maker_side()
    commands = Quoter(core=talk.core).announce(announce(3, leg=Leg.CLOSE), talk.now)
    assert isinstance(commands[-1], Prepare)
    assert not getattr(commands[-1].request, "opens", True)


def test_without_a_quote_there_is_nothing_to_tend() -> None:
    talk = maker_side()
    view: View = talk.machine._view(talk.now)
    assert Quoter(core=talk.core).tend(view, stopping=True) == []
    assert not Quoter(core=talk.core).wanted(quote(), view)


def test_only_its_own_quote_is_dropped_and_the_next_comes_a_moment_later() -> None:
    talk = announcing()
    quoter = talk.machine.quoter
    assert quoter.drop(coid(99), "no", talk.now) == []
    assert codes(quoter.drop(coid(1), "no", talk.now)) == ["QUOTE_REFUSED"]
    assert quoter.quote is None
    assert quoter.next_announce_ms == talk.now.mono_ms + 1_000


def test_quotes_of_the_last_minute_are_counted() -> None:
    quoter = quoting().machine.quoter
    sent_ms = quoter._sent_ms[0] - at(0).mono_ms
    assert quoter.orders_last_minute(at(sent_ms + 60_000 - 1)) == 1
    assert quoter.orders_last_minute(at(sent_ms + 60_000)) == 0


def test_a_quote_is_wanted_again_only_while_everything_would_allow_it() -> None:
    talk = quoting()
    quoter, request = talk.machine.quoter, quote(1)
    assert quoter.wanted(request, talk.machine._view(talk.now))
    assert not quoter.wanted(order(2), talk.machine._view(talk.now))
    assert not quoter.wanted(quote(1, reduce_only=True), talk.machine._view(talk.now))
    talk.ms += 2_000
    assert quoter.wanted(request, talk.machine._view(talk.now))
    talk.machine.latch.mode = Mode.DRAINING
    assert not quoter.wanted(request, talk.machine._view(talk.now))
    talk.machine.latch.mode = Mode.RUNNING
    talk.machine.peer.state = hedger_state()
    assert not quoter.wanted(request, talk.machine._view(talk.now)), "B is not armed for it"
    talk.machine.peer.state = talk.b_state
    talk.ms += 1
    assert not quoter.wanted(request, talk.machine._view(talk.now))


def test_a_cancel_that_was_not_taken_is_sent_again_soon() -> None:
    talk = quoting()
    quoter = talk.machine.quoter
    quoter.quote.cancel_ms = 5
    refused = Settlement(request=CancelRequest(coid=coid(1)), fate=Fate.REFUSED, code=9, message="no")
    (said,) = quoter.cancel_settled(refused, coid(1), talk.now)
    assert isinstance(said, Say)
    assert (said.level, said.code) == (Level.WARNING, "CANCEL_REFUSED")
    assert quoter.quote.cancel_ms is None
    quoter.quote.cancel_ms = 5
    assert quoter.cancel_settled(refused, coid(2), talk.now)[0].code == "CANCEL_REFUSED"
    assert quoter.quote.cancel_ms == 5, "another one's"
    executed = Settlement(request=CancelRequest(coid=coid(1)), fate=Fate.EXECUTED)
    assert quoter.cancel_settled(executed, coid(1), talk.now) == []


def test_a_quote_that_has_left_the_books_is_left_to_its_settlement() -> None:
    talk = quoting()
    talk.core.own.orders.clear()
    view: View = talk.machine._view(talk.now)
    assert talk.machine.quoter.tend(view, stopping=False) == []


def test_a_stop_takes_the_quote_away_in_its_own_name() -> None:
    talk = quoting()
    out = talk.hear(StopAsked())
    assert talk.machine.quoter.quote.cancel_why == "stopping"
    assert [(say.level, say.code) for say in only(out, Say)] == [(Level.INFO, "QUOTE_CANCELLED")]
    out = announcing().hear(StopAsked())
    assert [say.text for say in only(out, Say) if say.code == "QUOTE_WITHDRAWN"] == ["quote withdrawn unsent: stopping"]


def test_a_cancel_of_what_still_stands_is_repeated_as_a_warning() -> None:
    talk = quoting()
    talk.b_says(armed=None)
    cancelled_ms = talk.ms
    talk.executes("cancel1@9")
    read_ms = [ms for ms in range(100, 1_200, 100) if ReadOrders(coids=(coid(1),)) in talk.wait(100)]
    assert read_ms == [1_000], "how it has ended is asked for a moment after"
    talk.wait(LAG_MS - 1 - (talk.ms - cancelled_ms), step_ms=LAG_MS)
    begin = len(talk.log)
    talk.wait(1)
    again = [say for say in only(talk.log[begin:], Say) if say.code == "QUOTE_CANCELLED"]
    assert [say.level for say in again] == [Level.WARNING]


def test_a_cancel_that_was_refused_goes_again_when_its_time_has_come() -> None:
    talk = quoting()
    talk.b_says(armed=None)
    talk.answers("cancel1@9", AnswerKind.REJECTED, 21_100, "no such order")
    assert sent(talk.wait(READ_AGAIN_MS - 1, step_ms=READ_AGAIN_MS)) == []
    assert sent(talk.wait(1)) == ["cancel1@9"]


def test_people_hear_how_long_b_took_to_arm() -> None:
    talk = announcing()
    talk.ms += 300
    out = talk.b_says(armed=armed_for(talk.machine.quoter.quote.announce))
    assert next(say.text for say in only(out, Say) if say.code == "QUOTE_SENT").endswith("armed in 300 ms")


@pytest.mark.parametrize(
    ("filled", "status", "said"),
    [(0, "", 0), (0, "filled", 0), (0, "canceled", 0), (0, "canceled-expired", 1), (40, "canceled-expired", 0)],
)
def test_only_an_unusual_end_without_a_fill_is_said(filled: int, status: str, said: int) -> None:
    talk = quoting()
    ended = row(side=Side.BID, filled=filled, filled_quote=filled * 1_000_000, closed=True, status=status)
    out = talk.hear(OrderReported(role=Role.MAKER, report=ended))
    assert codes(out).count("QUOTE_ENDED") == said

"""A's one quote. How it is announced, sent and cancelled within a desk is in test_maker.py; here is what is its own."""

from tests.unit.domain.builders import announce, at, codes, coid, entries, order, quote
from tests.unit.domain.maker_talk import announcing, quoting
from tests.unit.domain.talk import maker_side

from lighter_hedge.domain.commands import Announced, Level, Prepare, Say
from lighter_hedge.domain.events import CancelRequest
from lighter_hedge.domain.gate import View
from lighter_hedge.domain.lane_words import Fate, Settlement
from lighter_hedge.domain.quoter import MINUTE_MS, Quoter
from lighter_hedge.domain.states import Leg


def test_an_announce_is_recorded_and_signed() -> None:
    talk = maker_side()
    quoter = Quoter(core=talk.core)
    wanted = announce(3, leg=Leg.OPEN)
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
    assert quoter.orders_last_minute(at(sent_ms + MINUTE_MS - 1)) == 1
    assert quoter.orders_last_minute(at(sent_ms + MINUTE_MS)) == 0


def test_a_quote_is_wanted_again_only_while_everything_would_allow_it() -> None:
    talk = quoting()
    quoter, request = talk.machine.quoter, quote(1)
    assert quoter.wanted(request, talk.machine._view(talk.now))
    assert not quoter.wanted(order(2), talk.machine._view(talk.now))
    assert not quoter.wanted(quote(1, reduce_only=True), talk.machine._view(talk.now))
    talk.ms += 2_001
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
    assert quoter.cancel_settled(refused, coid(2), talk.now)[0].code == "CANCEL_REFUSED"
    executed = Settlement(request=CancelRequest(coid=coid(1)), fate=Fate.EXECUTED)
    assert quoter.cancel_settled(executed, coid(1), talk.now) == []

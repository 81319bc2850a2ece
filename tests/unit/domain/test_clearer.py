"""``clear`` on a stopped desk: burn, cancel, close reduce-only, read back."""

from dataclasses import replace

import pytest
from tests.unit.domain.builders import LAG_MS, filled_row, frame, memory, one, only, row, sent, settings
from tests.unit.domain.talk import Talk, recover

from lighter_hedge.domain.clearer import Clearer
from lighter_hedge.domain.commands import Exit, Send
from lighter_hedge.domain.events import AnswerKind, FeedOpened, NonceRead, OrderReported, OrderRequest, Ticked
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import Side

CLEAR_MS_MAX = 60_000


def clearing(position: int = 100, resting: int = 0) -> Talk:
    talk = Talk(machine=Clearer.create(Role.MAKER, settings(), memory(Role.MAKER), CLEAR_MS_MAX))
    talk.positions[Role.MAKER] = position
    talk.resting[Role.MAKER] = resting
    recover(talk, FeedOpened(), frame(), more_ms=1_000)
    return talk


def closing_order(talk: Talk) -> OrderRequest:
    requests = [send.candidate.request for send in only(talk.log, Send)]
    return [request for request in requests if isinstance(request, OrderRequest)][-1]


def closes(talk: Talk, serial: int, lots: int) -> None:
    """The venue fills a closing order."""
    asked = closing_order(talk)
    talk.positions[Role.MAKER] = 0
    report = replace(filled_row(serial, lots), side=asked.side, lots=asked.lots)
    talk.hear(OrderReported(role=Role.MAKER, report=report))


@pytest.mark.parametrize(("position", "side"), [(100, Side.ASK), (-100, Side.BID)])
def test_a_position_is_closed_reduce_only_and_read_back(position: int, side: Side) -> None:
    talk = clearing(position)
    asked = closing_order(talk)
    assert (asked.side, asked.lots, asked.reduce_only) == (side, 100, True)
    closes(talk, 1, 100)
    assert only(talk.log, Exit) == [], "not before it was read back"
    talk.wait(LAG_MS + 3_000, step_ms=500)
    assert [(ended.code, ended.why) for ended in only(talk.log, Exit)] == [(0, "account A is flat")]
    assert talk.hear(Ticked()) == []


def test_a_flat_account_needs_no_order() -> None:
    talk = clearing(0)
    talk.wait(LAG_MS + 3_000, step_ms=500)
    assert only(talk.log, Exit)[0].code == 0
    assert [tx for tx in sent(talk.log) if tx.startswith("order")] == []


def test_a_closing_order_that_filled_nothing_is_followed_by_another() -> None:
    talk = clearing()
    talk.hear(OrderReported(role=Role.MAKER, report=row(closed=True, status="canceled-too-much-slippage")))
    talk.wait(1_500)
    assert [tx for tx in sent(talk.log) if tx.startswith("order")] == ["order1@8", "order2@9"]


def test_a_refused_closing_order_is_followed_by_another() -> None:
    talk = clearing()
    talk.answers("order1@8", AnswerKind.REJECTED, 21_701)
    talk.wait(1_500)
    assert [tx for tx in sent(talk.log) if tx.startswith("order")] == ["order1@8", "order2@8"]


def test_what_the_venue_still_shows_afterwards_is_closed_too() -> None:
    talk = clearing()
    closes(talk, 1, 100)
    talk.positions[Role.MAKER] = 40
    talk.wait(LAG_MS + 10_000, step_ms=500)
    assert closing_order(talk).lots == 40


def test_a_lost_answer_is_asked_for_and_the_same_order_sent_again() -> None:
    talk = clearing()
    talk.nonce = 8
    assert sent(talk.answers("order1@8", AnswerKind.UNKNOWN)) == ["order1@8"]


def test_clearing_gives_up_after_a_minute_and_names_what_is_left() -> None:
    talk = clearing()
    talk.wait(CLEAR_MS_MAX, step_ms=1_000)
    ended = only(talk.log, Exit)[0]
    assert (ended.code, ended.why) == (6, "account A still has 0.00100 BTC")


def test_another_instance_ends_it() -> None:
    talk = clearing(0)
    assert one(talk.hear(NonceRead(nonce=99)), Exit).code == 8


def test_without_a_book_it_waits() -> None:
    talk = Talk(machine=Clearer.create(Role.MAKER, settings(), memory(Role.MAKER), CLEAR_MS_MAX))
    talk.positions[Role.MAKER] = 100
    recover(talk, FeedOpened())
    assert [tx for tx in sent(talk.log) if tx.startswith("order")] == []

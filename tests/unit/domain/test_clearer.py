"""``clear`` on a stopped desk: burn, cancel, close reduce-only, read back."""

from dataclasses import replace

import pytest
from tests.unit.domain.builders import LAG_MS, coid, filled_row, frame, memory, one, only, row, sent, settings
from tests.unit.domain.talk import Talk, recover

from lighter_hedge.domain.book import Book
from lighter_hedge.domain.clearer import Clearer
from lighter_hedge.domain.commands import Exit, ReadOrders, Send
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
    assert (asked.side, asked.lots, asked.reduce_only, asked.round) == (side, 100, True, 0)
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
    assert (closing_order(talk).side, closing_order(talk).lots) == (Side.ASK, 40)


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


def test_the_end_of_a_closing_order_is_asked_for_until_it_is_known() -> None:
    talk = clearing()
    talk.hear(OrderReported(role=Role.MAKER, report=row(side=Side.ASK)))
    assert ReadOrders(coids=(coid(1),)) in talk.wait(1_500)


def test_clearing_takes_as_long_as_it_may() -> None:
    talk = clearing()
    assert talk.machine._started_ms is not None
    talk.ms += talk.machine._started_ms + CLEAR_MS_MAX - talk.now.mono_ms
    assert only(talk.hear(Ticked()), Exit) == []
    talk.ms += 1
    assert only(talk.hear(Ticked()), Exit)[0].code == 6


def test_flat_is_what_a_read_shows_that_was_asked_a_read_lag_after_the_last_fill() -> None:
    talk = clearing(0)
    talk.reads = False
    machine, core = talk.machine, talk.core
    core.book = Book()  # without a price nothing is sent

    def ended(asked_ms: int) -> list[Exit]:
        core.reads.account_read(Role.MAKER, 0, asked_ms, talk.now.mono_ms + 60_000)
        return only(talk.hear(Ticked()), Exit)

    assert ended(0) == []
    core.reads.awaited.clear()
    talk.hear(OrderReported(role=Role.MAKER, report=filled_row(1, 40)))
    assert machine._flat_since_ms is None, "it holds something again"
    talk.hear(OrderReported(role=Role.MAKER, report=filled_row(2, 40, side=Side.BID)))
    flat_ms = talk.now.mono_ms
    assert ended(flat_ms + LAG_MS - 1) == []
    assert ended(flat_ms + LAG_MS)[0].code == 0


def test_an_order_that_has_ended_is_not_sent_again() -> None:
    talk = clearing()
    asked = closing_order(talk)
    assert talk.machine._wanted(asked)
    closes(talk, 1, 100)
    assert not talk.machine._wanted(asked)

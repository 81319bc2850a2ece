"""Account B: what each of its rules does at its edge."""

from itertools import pairwise

import pytest
from tests.unit.domain.builders import (
    PRICE,
    announce,
    at,
    candidate,
    codes,
    coid,
    entries,
    failed,
    fills,
    frame,
    memory,
    one,
    only,
    order,
    row,
    sent,
    settings,
    trade,
)
from tests.unit.domain.hedger_talk import QUOTE, a_fills, armed, b_fills, orders_of, request_of, state, try_once
from tests.unit.domain.talk import Talk, hedger_side, recover

from lighter_hedge.domain.commands import (
    AskKnown,
    BaselineSet,
    Command,
    Exit,
    PublishFill,
    ReadOrders,
    Record,
    Send,
    TriesCounted,
)
from lighter_hedge.domain.events import (
    AnswerKind,
    CancelRequest,
    FeedClosed,
    FeedOpened,
    MessagingChanged,
    OperatorAsked,
    OrderReported,
    OrderRequest,
    PositionReported,
    StopAsked,
    Ticked,
    TradeReported,
)
from lighter_hedge.domain.hedger import JOIN_MS_MAX, OUT_OF_REACH_MS, OUT_OF_REACH_MS_MAX, Hedger
from lighter_hedge.domain.lane_words import Fate, Settlement
from lighter_hedge.domain.reads import READ_AGAIN_MS, READ_AGAIN_MS_MAX
from lighter_hedge.domain.states import Leg, OperatorCommand, Role
from lighter_hedge.domain.units import Side


def ask(talk: Talk, verb: str, *, hedge_now: bool = False) -> list[Command]:
    talk.seq += 1
    command = OperatorCommand(id=f"c{talk.seq}", verb=verb, hedge_now=hedge_now)
    return talk.hear(OperatorAsked(command=command))


# --- a start -----------------------------------------------------------------------------------------------------


def test_a_persons_start_gives_new_tries_from_where_the_market_is() -> None:
    by_person = Hedger.create(settings(), memory(by_person=True))
    assert by_person.reach.from_market
    assert isinstance(by_person.start()[0], Record), "written down before anything is asked"
    assert not Hedger.create(settings(), memory()).reach.from_market


def test_tries_are_counted_over_a_restart() -> None:
    used = TriesCounted(tries=2, failed=None)
    assert Hedger.create(settings(), memory(tries=used)).tries.count == 2


def test_hearing_a_is_looking_for_it() -> None:
    """Redis is up, or this state would not be here."""
    side = Hedger.create(settings(), memory())
    talk = Talk(machine=side)
    talk.follow(talk.machine.start())
    talk.a_says()
    assert talk.core.peer_known


def test_before_anything_is_known_the_round_is_0_and_the_minimum_the_markets() -> None:
    side = Hedger.create(settings(), memory())
    assert side._round() == 0
    assert side._minimum() == 10
    assert side._announced_leg() is Leg.OPEN


def test_the_minimum_is_that_of_the_newest_announce_known_or_goes_by_the_price() -> None:
    side = Hedger.create(settings(), memory(announce=announce(min_lots=33, leg=Leg.CLOSE)))
    assert side._minimum() == 33
    assert side._announced_leg() is Leg.CLOSE
    cheap = Hedger.create(settings(), memory())
    cheap.core.book.heard(PRICE // 2, 0)
    assert cheap._minimum() == cheap.core.min_lots(PRICE // 2) == 21
    talk = hedger_side()
    talk.a_says(announce=announce(min_lots=12, leg=Leg.CLOSE))
    assert talk.machine._minimum() == 12
    assert talk.machine._announced_leg() is Leg.CLOSE


def test_an_exposure_belongs_to_the_newest_round_that_a_tells_or_has_filled_in() -> None:
    talk = hedger_side()
    talk.a_says(round=5)
    assert talk.machine._round() == 5
    talk.core.maker.apply_peer(fills(1, round=7, filled=40))
    talk.core.maker.apply_peer(fills(2, round=9, filled=0))
    assert talk.machine._round() == 7


# --- hedges ------------------------------------------------------------------------------------------------------


def test_every_hedge_says_its_try_and_whose_orders_it_must_not_meet() -> None:
    talk = armed(cancel_first=False)
    first = request_of(a_fills(talk, 30))
    assert talk.core.own.in_flight == -30
    assert (first.attempt, first.cross_account_guard, first.reduce_only) == (0, True, False)
    begin = len(talk.log)
    talk.hear(OrderReported(role=Role.HEDGER, report=row(2, lots=30, closed=True, status="canceled")))
    talk.wait(600)
    assert request_of(talk.log[begin:]).attempt == 1


def test_a_later_try_never_uses_the_armed_bytes() -> None:
    talk = armed()
    talk.machine.tries.count = 1
    assert request_of(a_fills(talk)).price == PRICE - 4_000


def test_while_a_hedge_stands_no_other_is_sent() -> None:
    talk = armed(cancel_first=False)
    a_fills(talk, 30)
    talk.answers("order2@8", AnswerKind.ACCEPTED)
    talk.executes("order2@8")
    talk.hear(OrderReported(role=Role.HEDGER, report=row(2, lots=30)))
    assert talk.core.lane.ready
    assert sent(a_fills(talk, 20, 2)) == []


def test_a_try_goes_when_its_time_has_come() -> None:
    talk = armed()
    a_fills(talk)
    begin = len(talk.log)
    try_once(talk, 1)
    talk.wait(499, step_ms=499)
    assert sent(talk.log[begin:]) == []
    talk.wait(1)
    assert len(sent(talk.log[begin:])) == 1


@pytest.mark.parametrize(("late", "lots"), [(60, []), (100, []), (101, [1]), (102, [2])])
def test_a_hedge_leaves_to_as_own_order_what_that_may_still_do(late: int, lots: list[int]) -> None:
    talk = hedger_side(takers_need_minimum=False)
    talk.a_says(announce=announce(2, side=Side.ASK), round=2)
    requests = [send.candidate.request for send in only(a_fills(talk, late), Send)]
    assert [request.lots for request in requests if isinstance(request, OrderRequest)] == lots


def test_with_few_requests_left_the_parts_of_a_quote_are_hedged_together() -> None:
    talk = armed(cancel_first=False, hedger_share=60)
    talk.core.budget.share = 2  # half of it is used long since
    talk.core.maker.expect(announce(9))  # another quote, of which nothing has filled
    begin = talk.ms
    assert sent(a_fills(talk, 30)) == []
    talk.wait(JOIN_MS_MAX - 1, step_ms=JOIN_MS_MAX - 1)
    assert sent(talk.log[-5:]) == []
    assert len(orders_of(talk.wait(1))) == 1
    assert talk.ms - begin == JOIN_MS_MAX


def test_a_part_waits_for_no_quote_that_has_not_filled_or_cannot_fill_more() -> None:
    talk = armed(cancel_first=False, hedger_share=60)
    talk.core.budget.share = 2
    talk.core.maker.expect(announce(9, price=PRICE - 50_000))
    assert len(orders_of(a_fills(talk, 100))) == 1


def test_hedges_that_are_not_taken_follow_each_other_more_and_more_slowly_until_one_is() -> None:
    talk = armed()
    talk.core.settings = settings(unhedged_ms_max=10_000_000)
    a_fills(talk)
    sent_ms = [talk.ms]

    def bounce() -> None:
        begin = len(talk.log)
        last = orders_of(talk.log)[-1]
        talk.answers(last, AnswerKind.NOT_SENT)
        while not orders_of(talk.log[begin:]):
            talk.wait(100)
        sent_ms.append(talk.ms)

    for _ in range(5):
        bounce()
    assert [later - earlier for earlier, later in pairwise(sent_ms)] == [1_000, 2_000, 4_000, 8_000, 8_000]
    assert (READ_AGAIN_MS, READ_AGAIN_MS_MAX) == (1_000, 8_000)
    serial = len(sent_ms)
    b_fills(talk, serial, 60)
    begin = talk.ms
    bounce()
    assert talk.ms - begin == 1_000


def test_a_hedge_refused_for_a_halted_market_is_no_try() -> None:
    talk = armed()
    a_fills(talk)
    out = talk.answers("order1@8", AnswerKind.REJECTED, 21605, "invalid market status")
    assert "HEDGE_BOUNCED" in codes(out)
    assert talk.core.halted(talk.now)
    assert state(talk).tries == 0
    assert len(orders_of(talk.wait(1_100))) == 1


def test_any_other_refusal_halts_nothing() -> None:
    talk = armed()
    a_fills(talk)
    talk.answers("order1@8", AnswerKind.REJECTED, 21701, "size")
    assert not talk.core.halted(talk.now)


def test_a_hedge_without_effect_is_a_try_with_the_venues_word() -> None:
    talk = armed()
    a_fills(talk)
    talk.executes("order1@8", error="21707 margin")
    assert talk.machine.tries.words == ["21707 margin"]


def test_an_end_without_a_word_is_a_cancel() -> None:
    talk = armed()
    a_fills(talk)
    talk.hear(OrderReported(role=Role.HEDGER, report=row(1, closed=True, status="")))
    assert talk.machine.tries.words == ["canceled"]


def test_the_fate_of_what_b_never_sends_is_nothing() -> None:
    side = Hedger.create(settings(), memory())
    settled = Settlement(request=CancelRequest(coid=coid(1)), fate=Fate.EXECUTED)
    assert side._on_settlement(settled, at(0)) == []


def test_the_end_of_a_hedge_is_asked_for_until_it_is_known() -> None:
    talk = armed()
    a_fills(talk)
    talk.hear(OrderReported(role=Role.HEDGER, report=row(1)))
    assert ReadOrders(coids=(coid(1),)) in talk.wait(1_500)


def test_a_hedge_counts_as_a_try_only_once_it_has_ended_with_nothing() -> None:
    talk = armed()
    a_fills(talk)
    out = talk.hear(TradeReported(role=Role.HEDGER, trade=trade(9, 1, lots=40)))
    assert codes(out).count("HEDGE_FILLED") == 1
    assert talk.machine._attempts == {coid(1)}
    begin = len(talk.log)
    talk.hear(OrderReported(role=Role.HEDGER, report=row(1, filled=40, filled_quote=0, closed=True, status="canceled")))
    assert "HEDGE_FILLED" not in codes(talk.log[begin:])
    assert talk.machine._attempts == {coid(2)}
    assert state(talk).tries == 0


def test_the_end_of_a_hedge_of_an_earlier_life_is_no_try() -> None:
    known = memory(fresh=False, baseline=BaselineSet(maker=0, hedger=0), intents=(candidate(order(4)),))
    talk = hedger_side(remembers=known)
    talk.hear(OrderReported(role=Role.HEDGER, report=row(4, closed=True, status="canceled")))
    assert state(talk).tries == 0


# --- A's rest ----------------------------------------------------------------------------------------------------


def test_hedges_out_of_reach_follow_each_other_more_and_more_slowly() -> None:
    talk = armed(unhedged_ms_max=1_000_000)
    a_fills(talk, 40)
    talk.alive = False
    talk.wait(3_100)
    waits = []
    for _ in range(6):
        serial = int(orders_of(talk.log)[-1].removeprefix("order").split("@")[0])
        begin, ended_ms = len(talk.log), talk.ms
        talk.hear(OrderReported(role=Role.HEDGER, report=row(serial, lots=40, closed=True, status="canceled")))
        while not orders_of(talk.log[begin:]):
            talk.wait(500, step_ms=500)
        waits.append(talk.ms - ended_ms)
    assert waits == [2_000, 4_000, 8_000, 16_000, 30_000, 30_000]
    assert (OUT_OF_REACH_MS, OUT_OF_REACH_MS_MAX) == (2_000, 30_000)
    serial = int(orders_of(talk.log)[-1].removeprefix("order").split("@")[0])
    ended = row(serial, lots=40, filled=40, filled_quote=40_000_000, closed=True, status="filled")
    talk.hear(OrderReported(role=Role.HEDGER, report=ended))
    assert talk.machine._out_of_reach_ms == OUT_OF_REACH_MS, "hedged: the next exposure begins anew"


def test_only_what_a_never_sent_is_taken_for_ended() -> None:
    talk = hedger_side()
    for serial in (3, 4):
        talk.core.maker.expect(announce(serial))
    told = (fills(3, filled=40, closed=False),)
    talk.a_says(fills=told)
    talk.hear(PositionReported(role=Role.MAKER, lots=40))
    talk.a_says(announce=announce(5), fills=told)
    assert [held.coid for held in talk.core.maker.open_orders] == [coid(3), coid(5)], "the one that is told was sent"
    a_fills(talk, 40, serial=5)
    talk.a_says(announce=None, fills=())
    assert [held.coid for held in talk.core.maker.open_orders] == [coid(3), coid(5)], "they have filled: they were sent"
    talk.a_says(fills=(fills(5, filled=40, closed=False),))
    assert [held.coid for held in talk.core.maker.open_orders] == [coid(3), coid(5)]


def test_an_order_that_a_tells_and_never_announced_stands() -> None:
    talk = hedger_side()
    talk.a_says(fills=(fills(3, filled=0, closed=False),))
    assert [held.coid for held in talk.core.maker.open_orders] == [coid(3)]
    talk.a_says(fills=())
    assert [held.coid for held in talk.core.maker.open_orders] == [coid(3)]


# --- a person ----------------------------------------------------------------------------------------------------


def used_up() -> Talk:
    talk = armed()
    a_fills(talk)
    for serial in (1, 2, 3):
        try_once(talk, serial)
        talk.wait(2_100)
    return talk


def test_a_resume_alone_gives_no_new_tries() -> None:
    talk = used_up()
    assert orders_of(ask(talk, "resume") + talk.wait(3_000)) == []
    assert state(talk).failed is not None


def test_new_tries_reach_from_the_market_until_the_exposure_is_gone() -> None:
    talk = used_up()
    ask(talk, "resume", hedge_now=True)
    assert talk.machine.reach.from_market
    b_fills(talk, 4)
    assert not talk.machine.reach.from_market


def clearing(maker: int) -> Talk:
    """B holds -30, and its tries are used up: a plain hedge goes nowhere."""
    used = TriesCounted(tries=3, failed=failed())
    remembers = memory(fresh=False, baseline=BaselineSet(maker=maker, hedger=-30), tries=used)
    talk = Talk(machine=Hedger.create(settings(), remembers), positions={Role.MAKER: maker, Role.HEDGER: -30})
    recover(talk, MessagingChanged(up=True), FeedOpened(), frame())
    return talk


def test_clear_closes_what_no_fill_of_a_explains() -> None:
    talk = clearing(0)
    talk.a_says(announce=None, round=6)
    request = request_of(ask(talk, "clear"))
    assert (request.side, request.lots, request.reduce_only, request.round) == (Side.BID, 30, True, 6)


def test_without_a_persons_word_b_closes_nothing() -> None:
    talk = clearing(0)
    assert orders_of(talk.a_says(announce=None) + talk.wait(1_500)) == []


def test_clear_waits_for_a_that_is_not_flat_or_quotes_or_was_not_heard() -> None:
    talk = clearing(30)
    assert orders_of(ask(talk, "clear") + talk.a_says(announce=None) + talk.wait(1_500)) == []
    talk = clearing(0)
    assert orders_of(ask(talk, "clear") + talk.wait(1_500)) == [], "not heard"
    assert not talk.machine._maker_is_flat()
    talk.a_says(announce=announce(9))
    assert not talk.machine._maker_is_flat()


# --- what is asked and told --------------------------------------------------------------------------------------


def test_exposure_is_too_long_from_its_limit_on() -> None:
    talk = armed()
    a_fills(talk, 40)
    talk.positions[Role.MAKER] = 40
    talk.hear(PositionReported(role=Role.MAKER, lots=40))
    talk.wait(89_999, step_ms=89_999)
    assert state(talk).pause_ask is None
    talk.wait(1)
    asked = state(talk).pause_ask
    assert asked is not None
    assert asked.code == "UNHEDGED_TOO_LONG"


def test_a_foreign_trade_is_named_in_the_ask() -> None:
    talk = hedger_side()
    out = talk.hear(TradeReported(role=Role.HEDGER, trade=trade(1, coid=5, kind="liquidation")))
    (entry,) = entries(out, AskKnown)
    assert entry.pause is not None
    assert entry.pause.code == "FOREIGN_TRADE"


def test_a_stopping_b_waits_so_long() -> None:
    talk = armed()
    a_fills(talk)
    talk.hear(StopAsked())
    assert only(talk.wait(14_999, step_ms=14_999), Exit) == []
    assert one(talk.wait(1), Exit).why == "stopped"


def test_a_round_counts_as_hedged_for_people_up_to_the_announced_minimum() -> None:
    talk = hedger_side()
    talk.a_says(announce=announce(min_lots=30), round=1)
    a_fills(talk)
    b_fills(talk, 1, 80)
    news = one(talk.hear(TradeReported(role=Role.HEDGER, trade=trade(9, 1, lots=80))), PublishFill)
    assert (news.round_hedged, news.residual) == (True, 20)


def test_b_is_ready_only_while_it_sees_the_venue() -> None:
    talk = hedger_side()
    assert state(talk).ready
    talk.hear(FeedClosed(reason="gone"))
    assert not state(talk).ready


def test_b_tells_how_many_requests_it_has_left_and_leaves_the_numbering_to_the_driver() -> None:
    talk = armed(hedger_share=60)
    before = state(talk)
    assert before.share is not None
    assert before.seq == 0
    a_fills(talk)
    assert state(talk).share == before.share - 1


def test_armed_is_said_once_for_each_answer() -> None:
    talk = armed()
    talk.wait(5_000)
    assert codes(talk.log).count("ARMED") == 1
    talk.a_says(announce=announce(2, attempt=1))
    assert codes(talk.log).count("ARMED") == 2
    assert QUOTE.attempt == 0
    talk.hear(Ticked())
    assert codes(talk.log).count("ARMED") == 2

"""Account A: one quote at a time, and nothing new until the last round is hedged."""

from dataclasses import replace

import pytest
from tests.unit.domain.builders import (
    A_EPOCH,
    ASK,
    BID,
    LAG_MS,
    MARKET,
    armed_for,
    codes,
    coid,
    entries,
    frame,
    one,
    only,
    quote,
    row,
    sent,
    trade,
)
from tests.unit.domain.maker_talk import announcing, cancels, fill, quoting, sending, state, wanted
from tests.unit.domain.talk import maker_side

from lighter_hedge.domain.commands import (
    Announced,
    Prepare,
    RoundChanged,
    Say,
    Send,
)
from lighter_hedge.domain.events import (
    AnswerKind,
    OrderReported,
    PeerUnreadable,
    PrepareFailed,
    Ticked,
    TradeReported,
    TxStatus,
)
from lighter_hedge.domain.states import Leg, Role
from lighter_hedge.domain.units import Lots, Side

# --- announce and send -------------------------------------------------------------------------------------------


def test_a_quote_is_announced_journalled_and_signed_but_not_sent() -> None:
    talk = maker_side()
    out = talk.b_says()
    announced = wanted(talk)
    assert (announced.side, announced.lots, announced.price, announced.leg) == (Side.BID, 100, BID, Leg.OPEN)
    assert entries(out, Announced) == [Announced(announce=announced)]
    assert [(entry.round, entry.closed) for entry in entries(out, RoundChanged)] == [(1, False)]
    assert len(only(out, Prepare)) == 1
    assert sent(out) == []


def test_a_quote_goes_only_when_b_is_armed_for_this_very_announce() -> None:
    talk = announcing()
    announced = wanted(talk)
    for other in (
        replace(announced, attempt=9),
        replace(announced, epoch=A_EPOCH - 1),
        replace(announced, round=9),
        replace(announced, coid=coid(9)),
    ):
        assert sent(talk.b_says(armed=armed_for(other))) == []
    out = talk.b_says(armed=armed_for(announced))
    assert isinstance(out[0], Send)
    assert "QUOTE_SENT" in codes(out)


def test_a_quote_waits_for_its_signature() -> None:
    talk = maker_side()
    talk.signs = False
    talk.b_says()
    assert sent(talk.b_says(armed=armed_for(wanted(talk)))) == []


def test_a_quote_that_cannot_be_signed_is_dropped_and_tried_again() -> None:
    talk = maker_side()
    talk.signs = False
    prepare = one(talk.b_says(), Prepare)
    out = talk.hear(PrepareFailed(ticket=prepare.ticket, reason="no key"))
    assert "QUOTE_REFUSED" in codes(out)
    talk.signs = True
    talk.wait(1_100)
    assert wanted(talk).attempt == 1


def test_an_announce_that_b_does_not_answer_in_time_is_withdrawn() -> None:
    talk = announcing()
    out = talk.wait(2_100)
    assert "QUOTE_WITHDRAWN" in codes(out)
    assert state(talk).announce is None
    talk.wait(1_200)
    assert wanted(talk).attempt == 1
    assert talk.core.lane.prepared(coid(1)) is None, "the old one can never go"


@pytest.mark.parametrize("new_bid", [BID + 1_000, ASK - 1])
def test_a_price_that_moved_before_the_send_gives_another_attempt_at_once(new_bid: int) -> None:
    talk = announcing()
    first = wanted(talk)
    out = talk.hear(frame(bids=((new_bid, 500),), asks=((new_bid + 20_000, 500),)))
    if new_bid == ASK - 1:
        assert wanted(talk) == first, "less than the requote distance"
        return
    assert "QUOTE_WITHDRAWN" in codes(out)
    talk.hear(Ticked())
    assert (wanted(talk).price, wanted(talk).attempt) == (new_bid, 1)


def test_a_quote_that_would_cross_now_is_not_sent() -> None:
    talk = announcing(requote_bps_e2=1_000_000)
    talk.hear(frame(bids=((BID - 1_000, 500),), asks=((BID, 500),)))
    assert state(talk).announce is None or wanted(talk).price < BID


def test_a_book_without_an_ask_gives_no_announce() -> None:
    talk = maker_side()
    talk.hear(frame(asks=()))
    talk.b_says()
    assert state(talk).waiting == ("book has no level 1",)


def test_a_quantity_below_the_venues_minimum_is_not_quoted() -> None:
    talk = maker_side(market=replace(MARKET, min_base_lots=Lots(1), min_quote=200_000_000))
    talk.b_says()
    assert "below the venue's minimum" in state(talk).waiting[0]


def test_a_deeper_level_is_quoted_where_asked() -> None:
    talk = announcing(depth=3)
    assert wanted(talk).price == BID - 20


def test_the_expiry_of_a_quote_is_more_than_five_minutes_away() -> None:
    talk = announcing()
    assert wanted(talk).expires_ms - talk.now.wall_ms > 300_000


# --- the quote that rests ----------------------------------------------------------------------------------------


def test_a_resting_quote_is_left_alone() -> None:
    talk = quoting()
    assert sent(talk.wait(4_000)) == []
    assert state(talk).waiting == ()


def test_a_quote_too_old_is_cancelled_and_followed_by_the_next_attempt() -> None:
    talk = quoting()
    out = talk.wait(30_100)
    assert cancels(out) == ["cancel1@9"]
    talk.executes("cancel1@9")
    out = talk.hear(OrderReported(role=Role.MAKER, report=row(side=Side.BID, closed=True, status="canceled")))
    talk.wait(200)
    assert (wanted(talk).round, wanted(talk).attempt) == (1, 1)


def test_a_quote_too_far_from_its_level_is_moved() -> None:
    talk = quoting()
    talk.wait(5_000)
    out = talk.hear(frame(bids=((BID + 1_000, 500), (BID, 100)), asks=((BID + 2_000, 500),)))
    assert cancels(out) == ["cancel1@9"]
    assert "its level moved" in one(out, Say).text


def test_once_b_is_silent_the_quote_goes() -> None:
    talk = quoting()
    talk.alive = False
    assert cancels(talk.wait(3_200)) == ["cancel1@9"]


def test_once_b_is_disarmed_the_quote_goes() -> None:
    talk = quoting()
    assert cancels(talk.b_says(armed=None, disarmed="margin")) == ["cancel1@9"]


def test_a_cancel_is_repeated_while_the_order_stands() -> None:
    talk = quoting()
    talk.b_says(armed=None)
    talk.executes("cancel1@9")
    out = talk.wait(LAG_MS + 200)
    assert cancels(out) == ["cancel1@10"]


def test_a_cancel_that_was_refused_is_asked_for_again() -> None:
    talk = quoting()
    talk.b_says(armed=None)
    out = talk.answers("cancel1@9", AnswerKind.REJECTED, 21_100, "no such order")
    assert "CANCEL_REFUSED" in codes(out)
    assert cancels(talk.wait(12_000)) != []


def test_a_partial_fill_is_cancelled_first_where_the_wallets_differ() -> None:
    talk = quoting(cancel_first=True)
    assert cancels(fill(talk, 40, ended=False)) == ["cancel1@9"]


def test_a_partial_fill_rests_on_where_the_venue_protects() -> None:
    talk = quoting(cancel_first=False)
    assert cancels(fill(talk, 40, ended=False)) == []
    assert cancels(talk.b_says(armed=None, unresolved=1)) == [], "B is busy hedging it"


def test_a_quote_whose_earlier_attempt_filled_after_all_is_cancelled() -> None:
    talk = quoting()
    talk.core.own.intend(quote(9), talk.now.wall_ms)
    talk.core.own.close(coid(9), "canceled")
    out = talk.hear(TradeReported(role=Role.MAKER, trade=trade(1, 9, side=Side.BID, lots=10)))
    assert cancels(out) == ["cancel1@9"]


def test_a_quote_that_the_venue_ends_is_said() -> None:
    talk = quoting()
    out = talk.hear(OrderReported(role=Role.MAKER, report=row(side=Side.BID, closed=True, status="canceled-post-only")))
    assert "QUOTE_ENDED" in codes(out)


# --- refusals ----------------------------------------------------------------------------------------------------


def test_a_refused_quote_is_no_fill_and_is_followed_by_another_attempt() -> None:
    talk = sending()
    assert "QUOTE_REFUSED" in codes(talk.answers("order1@8", AnswerKind.REJECTED, 21_701, "size"))
    talk.wait(1_200)
    assert wanted(talk).attempt == 1


def test_too_many_requests_keep_a_quiet_for_a_minute() -> None:
    talk = sending()
    talk.answers("order1@8", AnswerKind.THROTTLED, 429)
    assert any("too many requests" in why for why in state(talk).waiting)
    talk.wait(59_000, step_ms=500)
    assert state(talk).announce is None
    talk.wait(2_000)
    wanted(talk)


def test_a_quote_that_did_not_leave_is_announced_anew() -> None:
    talk = sending()
    talk.answers("order1@8", AnswerKind.NOT_SENT)
    assert talk.core.own.in_flight == 0
    talk.wait(1_200)
    assert wanted(talk).attempt == 1


def test_a_lost_quote_is_sent_again_only_while_b_is_armed_and_young() -> None:
    talk = sending()
    talk.nonce = 8
    assert sent(talk.answers("order1@8", AnswerKind.UNKNOWN)) == ["order1@8"]
    talk.ms += 2_100
    assert sent(talk.answers("order1@8", AnswerKind.UNKNOWN)) == ["burn@8"]


def test_a_lost_quote_is_burnt_once_b_is_disarmed() -> None:
    talk = sending()
    talk.nonce = 8
    talk.b_says(armed=None, disarmed="margin")
    assert sent(talk.answers("order1@8", AnswerKind.UNKNOWN)) == ["burn@8"]


def test_a_quote_proved_to_be_without_effect_is_closed() -> None:
    talk = sending()
    out = talk.executes("order1@8", error="21707 margin")
    assert "QUOTE_REFUSED" in codes(out)
    assert talk.core.own.in_flight == 0


def test_an_executed_quote_whose_row_is_missing_is_asked_for() -> None:
    talk = sending()
    talk.status["order1@8"] = TxStatus.EXECUTED
    talk.nonce = 9
    talk.wait(3 * LAG_MS, step_ms=500)
    assert talk.core.own.orders[coid(1)].closed


def test_no_more_orders_a_minute_than_allowed() -> None:
    talk = sending(orders_per_minute_max=1)
    talk.answers("order1@8", AnswerKind.REJECTED, 21_701)
    talk.wait(2_000)
    assert any("orders in the last minute" in why for why in state(talk).waiting)
    talk.wait(60_000, step_ms=500)
    wanted(talk)


def test_an_inactive_market_is_not_quoted() -> None:
    talk = maker_side(market=replace(MARKET, active=False))
    talk.b_says()
    assert any("halted" in why for why in state(talk).waiting)


def test_another_version_of_b_pauses_the_desk() -> None:
    talk = maker_side()
    talk.hear(PeerUnreadable(why="schema version 2"))
    assert talk.machine.latch.pause.code == "VERSIONS_DIFFER"

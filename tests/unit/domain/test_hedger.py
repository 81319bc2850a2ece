"""Account B: what is missing is hedged exactly once, whatever is lost, doubled or late."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.builders import (
    BID,
    LAG_MS,
    PRICE,
    WALL_MS,
    Talk,
    announce,
    codes,
    coid,
    entries,
    failed,
    filled_row,
    fills,
    hedger_side,
    memory,
    one,
    only,
    order,
    pause,
    recover,
    row,
    sent,
    settings,
    trade,
)

from lighter_hedge.domain.commands import (
    Alert,
    AskKnown,
    BaselineSet,
    Command,
    Exit,
    FillsKnown,
    Prepare,
    PublishFailure,
    PublishFill,
    PublishState,
    Send,
    TriesCounted,
)
from lighter_hedge.domain.events import (
    AnswerKind,
    FeedClosed,
    FeedOpened,
    MakerHeard,
    MessagingChanged,
    NonceRead,
    OperatorAsked,
    OrderReported,
    OrderRequest,
    PositionReported,
    PrepareFailed,
    StopAsked,
    Ticked,
    TradeReported,
)
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.states import HedgerState, OperatorCommand, Role
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


# --- hedging -----------------------------------------------------------------------------------------------------


def test_a_full_fill_sends_the_armed_bytes_before_anything_else() -> None:
    talk = armed()
    assert state(talk).armed is not None
    out = a_fills(talk)
    assert isinstance(out[0], Send), "journalled long ago: it need not wait for this step's records"
    request = request_of(out)
    assert (request.side, request.lots, request.round) == (Side.ASK, 100, 1)


def test_a_fill_told_three_ways_is_hedged_once() -> None:
    talk = armed()
    assert sent(a_fills(talk)) == ["order1@8"]
    out = talk.a_says(fills=(fills(),), announce=None)
    out += talk.hear(TradeReported(role=Role.MAKER, trade=trade(1, side=Side.BID)))
    out += talk.wait(1_000)
    assert sent(out) == []


def test_a_fill_heard_from_as_state_alone_is_hedged() -> None:
    talk = armed()
    assert sent(talk.a_says(fills=(fills(),), announce=None)) == ["order1@8"]


def test_a_state_older_than_the_last_one_is_nothing() -> None:
    talk = armed()
    assert talk.a_state is not None
    old = MakerHeard(state=talk.a_state)
    assert sent(talk.hear(old)) == []


def test_a_partial_fill_is_signed_on_demand_and_the_next_waits_for_the_first() -> None:
    talk = armed(cancel_first=False)
    out = a_fills(talk, 30)
    assert request_of(out).lots == 30
    assert sent(a_fills(talk, 20, 2)) == [], "one order at a time"
    out = list(talk.hear(OrderReported(role=Role.HEDGER, report=replace(filled_row(2, 30), lots=30))))
    assert request_of(out).lots == 20


def test_a_fill_below_the_minimum_is_carried_until_it_is_enough() -> None:
    talk = armed(cancel_first=False)
    assert sent(a_fills(talk, 9)) == []
    assert request_of(a_fills(talk, 1, 2)).lots == 10


def test_where_takers_need_no_minimum_every_lot_is_missing() -> None:
    talk = armed(cancel_first=False, takers_need_minimum=False)
    assert talk.machine.arming.candidate(-100) is not None
    a_fills(talk, 100)
    assert state(talk).unresolved == 2


def test_a_residual_is_hedged_with_the_next_round() -> None:
    talk = armed(cancel_first=False)
    a_fills(talk, 5)
    talk.a_says(announce=None, fills=(fills(filled=5),))
    out = talk.a_says(announce=announce(2, round=2), round=2)
    assert state(talk).armed is not None
    answered = state(talk).armed
    assert answered is not None
    assert answered.lots == -105
    assert sent(out) == []


def test_late_fill_of_a_cancelled_quote_is_hedged() -> None:
    """A cancelled quote that filled in its cancel race: B hears of it when A has said it is closed."""
    talk = armed()
    talk.a_says(announce=None, fills=(fills(filled=0, closed=True),))
    assert state(talk).armed is None
    out = a_fills(talk, 40)
    assert request_of(out).lots == 40


def test_a_hedge_is_not_sent_twice_when_its_answer_is_lost_and_the_row_is_late() -> None:
    talk = armed()
    a_fills(talk)
    talk.answers("order1@8", AnswerKind.UNKNOWN)
    talk.nonce = 9  # it has executed; its rows are not readable yet
    out = talk.wait(30_000, step_ms=500)
    assert [tx for tx in sent(out) if tx.startswith("order")] == []
    assert state(talk).unresolved >= 1
    assert state(talk).confirm is None


def test_a_hedge_that_was_lost_is_sent_again_with_the_same_bytes_while_wanted() -> None:
    talk = armed()
    a_fills(talk)
    talk.nonce = 8
    assert sent(talk.answers("order1@8", AnswerKind.UNKNOWN)) == ["order1@8"]


def test_a_hedge_bigger_than_what_is_missing_now_is_burnt_not_sent_again() -> None:
    talk = armed()
    a_fills(talk)
    talk.hear(TradeReported(role=Role.HEDGER, trade=trade(50, 99, lots=60)))  # an older hedge of ours shows up
    talk.nonce = 8
    assert sent(talk.answers("order1@8", AnswerKind.UNKNOWN)) == ["burn@8"]


def test_a_bounced_hedge_is_sent_again_soon_and_is_no_try() -> None:
    talk = armed()
    a_fills(talk)
    out = talk.answers("order1@8", AnswerKind.THROTTLED, 429)
    assert "HEDGE_BOUNCED" in codes(out)
    assert sent(out) == []
    assert len(sent(talk.wait(1_100))) == 1
    assert state(talk).tries == 0


def test_a_signer_that_fails_is_said() -> None:
    talk = hedger_side()
    talk.signs = False
    out = talk.a_says(announce=QUOTE, round=1)
    ticket = one(out, Prepare).ticket
    assert "SIGNER_FAILED" in codes(talk.hear(PrepareFailed(ticket=ticket, reason="no key")))


def test_without_any_price_b_waits() -> None:
    talk = hedger_side(FeedOpened())
    out = a_fills(talk, price=0)
    assert sent(out) == []


def test_nothing_is_hedged_before_the_recovery_is_over() -> None:
    talk = Talk(machine=Hedger.create(settings(), memory()))
    talk.follow(talk.machine.start())
    assert sent(a_fills(talk)) == []
    assert state(talk).disarmed == "recovering"
    assert not state(talk).ready


# --- confirmation ------------------------------------------------------------------------------------------------


def test_b_confirms_the_round_once_its_own_fill_is_known() -> None:
    talk = armed()
    a_fills(talk)
    talk.answers("order1@8", AnswerKind.ACCEPTED)
    assert state(talk).confirm is None, "accepted is not executed"
    out = b_fills(talk)
    confirm = state(talk).confirm
    assert confirm is not None
    assert (confirm.round, confirm.cum, confirm.net) == (1, 100, 0)
    assert [entry.fills.filled for entry in entries(out, FillsKnown)] == [100]


def test_people_hear_of_a_hedge_together_with_its_trades() -> None:
    talk = armed()
    a_fills(talk)
    assert only(b_fills(talk), PublishFill) == []
    out = talk.hear(TradeReported(role=Role.HEDGER, trade=trade(9, 1)))
    news = one(out, PublishFill)
    assert (news.trade_ids, news.round_hedged, news.hedged) == ((9,), True, -100)


def test_people_hear_of_a_hedge_without_its_trades_after_a_moment() -> None:
    talk = armed()
    a_fills(talk)
    b_fills(talk)
    assert len(only(talk.wait(300), PublishFill)) == 1


def test_a_partly_filled_hedge_is_followed_by_the_rest_and_is_no_try() -> None:
    talk = armed()
    a_fills(talk)
    out = b_fills(talk, 1, 60)
    assert request_of(out).lots == 40
    assert state(talk).tries == 0


# --- tries -------------------------------------------------------------------------------------------------------


def test_after_all_tries_b_fails_once_asks_for_a_pause_and_sends_nothing_more() -> None:
    talk = armed()
    a_fills(talk)
    for serial in (1, 2, 3):
        try_once(talk, serial)
        talk.wait(2_100)
    assert len(only(talk.log, PublishFailure)) == 1
    failure = only(talk.log, PublishFailure)[0]
    assert (failure.failed.reason, failure.unhedged) == ("max_retries_exceeded", 100)
    assert failure.tries == ("canceled-too-much-slippage",) * 3
    told = state(talk)
    assert told.failed is not None
    assert told.pause_ask is not None
    assert told.pause_ask.code == "HEDGE_FAILED"
    assert sent(talk.wait(10_000)) == []


def test_the_cap_widens_with_each_try() -> None:
    talk = armed()
    prices = [request_of(a_fills(talk)).price]
    for serial in (1, 2):
        begin = len(talk.log)
        try_once(talk, serial)
        talk.wait(2_100)
        prices.append(request_of(talk.log[begin:]).price)
    assert prices == [PRICE - 2_000, PRICE - 4_000, PRICE - 8_000]


def test_tries_are_spaced() -> None:
    talk = armed()
    a_fills(talk)
    begin = len(talk.log)
    try_once(talk, 1)
    talk.wait(400)
    assert sent(talk.log[begin:]) == []
    talk.wait(200)
    assert len(sent(talk.log[begin:])) == 1


def test_a_refused_hedge_is_a_try() -> None:
    talk = armed()
    a_fills(talk)
    out = talk.answers("order1@8", AnswerKind.REJECTED, 21701, "size")
    assert [entry.tries for entry in entries(out, TriesCounted)] == [1]
    assert "21701 size" in talk.machine.tries.words


def test_a_person_gives_new_tries() -> None:
    talk = hedger_side(remembers=memory(tries=TriesCounted(tries=3, failed=failed())))
    talk.machine.tries.failed = failed()
    command = OperatorCommand(id="c1", verb="resume", hedge_now=True)
    out = talk.hear(OperatorAsked(command=command))
    assert "HEDGE_NOW" in codes(out)
    assert state(talk).failed is None
    assert state(talk).acks == ("c1",)
    assert talk.hear(OperatorAsked(command=command)) == [], "carried out once"


def test_a_hedged_round_voids_the_failure() -> None:
    talk = armed()
    a_fills(talk)
    for serial in (1, 2, 3):
        try_once(talk, serial)
        talk.wait(2_100)
    talk.a_says(fills=(fills(), fills(2, side=Side.ASK)), announce=None)
    assert state(talk).failed is None


def test_tries_and_failure_survive_a_crash_but_not_a_persons_start() -> None:
    used = TriesCounted(tries=3, failed=failed())
    assert Hedger.create(settings(), memory(tries=used)).tries.failed == failed()
    by_person = Hedger.create(settings(), memory(tries=used, by_person=True))
    assert by_person.tries.failed is None
    assert entries(by_person.start(), TriesCounted) == [TriesCounted(tries=0, failed=None)]


# --- self-trade --------------------------------------------------------------------------------------------------


def test_of_two_wallets_b_waits_until_a_has_cancelled_its_rest() -> None:
    talk = armed()
    assert sent(a_fills(talk, 40)) == [], "the hedge would meet the rest of the quote"
    out = talk.a_says(announce=None, fills=(fills(filled=40, closed=True),))
    assert request_of(out).lots == 40


def test_while_a_is_silent_b_hedges_only_out_of_reach_of_its_rest() -> None:
    talk = armed()
    a_fills(talk, 40)
    talk.alive = False
    out = talk.wait(3_200)
    request = request_of(out)
    assert request.price == PRICE + 1
    out = talk.hear(OrderReported(role=Role.HEDGER, report=row(2, lots=40, closed=True, status="canceled")))
    assert state(talk).tries == 0, "out of reach: no try"
    assert sent(out) == []
    assert len(sent(talk.wait(2_100))) == 1


def test_an_expired_rest_of_a_silent_a_does_not_keep_b_waiting() -> None:
    talk = hedger_side()
    talk.a_says(announce=announce(expires_ms=WALL_MS + 20_000), round=1)
    talk.alive = False
    a_fills(talk, 40)
    talk.ms = 20_000 + LAG_MS + 1
    assert request_of(talk.hear(Ticked())).price == PRICE - 2_000


def test_what_as_own_open_order_may_still_hedge_is_left_to_it() -> None:
    talk = hedger_side()
    talk.a_says(announce=announce(2, side=Side.ASK), round=2)
    out = a_fills(talk, 60)  # a late fill of an older buy
    assert sent(out) == []


# --- foreign changes and exposure --------------------------------------------------------------------------------


def test_a_foreign_trade_asks_for_a_pause_with_an_id_in_the_journal() -> None:
    talk = hedger_side()
    out = talk.hear(TradeReported(role=Role.HEDGER, trade=trade(1, coid=5, kind="liquidation")))
    assert "FOREIGN_TRADE" in codes(out)
    asked = entries(out, AskKnown)[0].pause
    assert asked is not None
    assert state(talk).pause_ask == asked
    assert state(talk).disarmed == "", "there is nothing to arm for yet"
    talk.a_says(announce=QUOTE, round=1)
    assert state(talk).disarmed.startswith("pause asked for")


def test_an_ask_is_over_once_a_has_ended_it() -> None:
    talk = hedger_side(remembers=memory(ask=pause(id=9)))
    assert state(talk).pause_ask == pause(id=9)
    talk.a_says(ended_asks=(8,))
    assert state(talk).pause_ask is not None
    out = talk.a_says(ended_asks=(9,))
    assert entries(out, AskKnown) == [AskKnown(pause=None)]
    assert state(talk).pause_ask is None


def test_a_position_that_two_reads_prove_different_stops_b() -> None:
    talk = armed()
    talk.positions[Role.HEDGER] = -7
    talk.hear(PositionReported(role=Role.HEDGER, lots=-7))
    talk.wait(40_000, step_ms=500)
    asked = state(talk).pause_ask
    assert asked is not None
    assert asked.code == "POSITION_DIFFERS"
    assert sent(a_fills(talk)) == [], "its own books are wrong: nothing is sent on their strength"


def test_exposure_that_lasts_too_long_alerts_once_and_asks_for_a_pause() -> None:
    talk = armed()
    a_fills(talk, 40)  # kept waiting by A's rest
    talk.wait(91_000, step_ms=500)
    alerts = [alert.code for alert in only(talk.log, Alert)]
    assert alerts.count("UNHEDGED_TOO_LONG") == 1
    assert state(talk).pause_ask is not None


def test_a_fill_that_no_frame_told_of_is_read_from_as_position() -> None:
    talk = armed()
    talk.positions[Role.MAKER] = 100
    out = talk.wait(45_000, step_ms=500)
    assert [tx for tx in sent(out) if tx.startswith("order")][:1]


# --- clear, withdraw, stop ---------------------------------------------------------------------------------------


def test_clear_closes_what_b_holds_once_a_is_flat() -> None:
    remembers = memory(fresh=False, baseline=BaselineSet(maker=0, hedger=-30))
    talk = Talk(machine=Hedger.create(settings(), remembers), positions={Role.MAKER: 0, Role.HEDGER: -30})
    recover(talk, MessagingChanged(up=True), FeedOpened())
    talk.hear(OperatorAsked(command=OperatorCommand(id="c1", verb="clear")))
    assert talk.machine.closing.wanted


def test_a_quote_that_was_announced_and_never_sent_is_withdrawn() -> None:
    talk = armed()
    talk.a_says(announce=announce(2, attempt=1))
    first = talk.core.maker.orders[coid(1)]
    assert first.closed
    assert first.status == "withdrawn"
    assert state(talk).armed is not None


def test_b_stops_at_once_when_nothing_is_in_flight() -> None:
    talk = armed()
    out = talk.hear(StopAsked())
    assert one(out, Exit).code == 0
    assert talk.hear(Ticked()) == [], "it is over"


def test_b_stops_only_when_its_hedge_has_ended() -> None:
    talk = armed()
    a_fills(talk)
    assert only(talk.hear(StopAsked()), Exit) == []
    assert one(b_fills(talk), Exit).code == 0


def test_b_stops_with_exposure_once_its_tries_are_used_up() -> None:
    talk = armed()
    a_fills(talk)
    for serial in (1, 2, 3):
        try_once(talk, serial)
        talk.wait(2_100)
    assert one(talk.hear(StopAsked()), Exit).code == 0


def test_b_waits_no_longer_than_it_may() -> None:
    talk = armed()
    a_fills(talk)
    talk.hear(StopAsked())
    assert only(talk.wait(14_000, step_ms=500), Exit) == []
    assert len(only(talk.wait(2_000, step_ms=500), Exit)) == 1


def test_a_stopping_b_is_armed_for_nothing() -> None:
    talk = armed()
    a_fills(talk, 40)
    talk.hear(StopAsked())
    assert state(talk).disarmed == "stopping"


def test_a_superseded_b_exits_with_8_and_sends_nothing() -> None:
    talk = armed()
    out = talk.hear(NonceRead(nonce=99))
    assert one(out, Exit).code == 8
    assert a_fills(talk) == []


# --- what others hear --------------------------------------------------------------------------------------------


def test_the_state_is_told_on_change_and_every_second() -> None:
    talk = hedger_side()
    talk.alive = False
    talk.wait(1_000)
    told = len(only(talk.log, PublishState))
    talk.wait(5_000)
    assert 5 <= len(only(talk.log, PublishState)) - told <= 6


def test_arming_and_disarming_are_said_once() -> None:
    talk = armed()
    assert codes(talk.log).count("ARMED") == 1
    out = talk.hear(FeedClosed(reason="gone")) + talk.wait(3_000)
    assert [code for code in codes(out) if code == "DISARMED"] == ["DISARMED"]


def test_before_its_baseline_b_folds_what_a_had_filled() -> None:
    talk = Talk(machine=Hedger.create(settings(), memory()))
    talk.follow(talk.machine.start())
    talk.a_says(fills=(fills(5),))
    assert talk.core.maker.folded_serial == 5
    assert not talk.core.maker.orders


def test_a_start_expects_the_quote_it_was_armed_for() -> None:
    side = Hedger.create(settings(), memory(announce=QUOTE))
    assert side.core.maker.orders[coid(1)].expected
    assert BID == PRICE


@pytest.mark.parametrize("wanted", [order().coid])
def test_a_hedge_that_is_not_in_the_books_is_not_wanted(wanted: int) -> None:
    side = Hedger.create(settings(), memory())
    assert not side._wanted(order(coid=wanted))

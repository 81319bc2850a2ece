"""Account A: one quote at a time, and nothing new until the last round is hedged."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.builders import (
    A_EPOCH,
    ASK,
    BID,
    LAG_MS,
    MARKET,
    PRICE,
    Talk,
    announce,
    armed_for,
    candidate,
    codes,
    coid,
    confirm,
    entries,
    failed,
    filled_row,
    fills,
    frame,
    maker_side,
    maker_state,
    memory,
    one,
    only,
    pause,
    quote,
    row,
    sent,
    settings,
    trade,
)

from lighter_hedge.domain.commands import (
    Alert,
    Announced,
    BaselineSet,
    Command,
    Exit,
    ModeChanged,
    Prepare,
    PublishFill,
    PublishState,
    ReadAccount,
    RoundChanged,
    Say,
    Send,
)
from lighter_hedge.domain.events import (
    AnswerKind,
    CancelRequest,
    FeedClosed,
    HedgerHeard,
    MessagingChanged,
    NonceRead,
    OperatorAsked,
    OrderKind,
    OrderReported,
    OrderRequest,
    PositionReported,
    PrepareFailed,
    StopAsked,
    Ticked,
    TradeReported,
    TxStatus,
)
from lighter_hedge.domain.maker import Maker
from lighter_hedge.domain.settings import Direction
from lighter_hedge.domain.states import Announce, Leg, MakerState, Mode, OperatorCommand, Role
from lighter_hedge.domain.units import Lots, Side


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


def sending(**changes: Any) -> Talk:
    talk = announcing(**changes)
    talk.b_says(armed=armed_for(wanted(talk)))
    return talk


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
    assert any("not active" in why for why in state(talk).waiting)


# --- the round ---------------------------------------------------------------------------------------------------


def test_nothing_is_announced_until_the_fill_is_hedged_confirmed_and_seen() -> None:
    talk = quoting()
    out = fill(talk)
    assert "QUOTE_FILLED" in codes(out)
    assert state(talk).announce is None
    talk.b_says(armed=None, confirm=confirm())
    assert state(talk).announce is None, "B says so, and A's own copy does not show it"
    out = hedge(talk)
    assert "ROUND_HEDGED" in codes(out)
    closed = [entry for entry in entries(out, RoundChanged) if entry.closed]
    assert [(entry.round, entry.net, entry.side) for entry in closed] == [(1, 0, "bid")]
    announced = wanted(talk)
    assert (announced.round, announced.side, announced.leg, announced.lots) == (2, Side.ASK, Leg.CLOSE, 100)
    assert announced.price == ASK


def test_equal_positions_open_no_gate_while_b_has_something_unresolved() -> None:
    """Interleaving E17."""
    talk = quoting()
    fill(talk)
    talk.b_says(unresolved=1)
    hedge(talk)
    assert state(talk).announce is None
    talk.b_says(unresolved=0)
    assert wanted(talk).round == 2


def test_a_confirmation_of_another_epoch_round_or_amount_is_none() -> None:
    talk = quoting()
    fill(talk)
    hedge(talk)
    talk = quoting()
    fill(talk)
    talk.hear(TradeReported(role=Role.HEDGER, trade=trade(71, 1)))
    talk.hear(PositionReported(role=Role.HEDGER, lots=-100))
    for wrong in (confirm(epoch=1), confirm(round=2), confirm(cum=60)):
        talk.b_says(armed=None, confirm=wrong)
        assert talk.machine.round == 1
    talk.b_says(confirm=confirm())
    assert talk.machine.round == 2


def test_a_residual_is_carried_on() -> None:
    talk = quoting()
    fill(talk, 105 - 100, ended=True)
    assert state(talk).residual == 5
    out = talk.b_says(armed=None, confirm=confirm(cum=5, net=5))
    assert any("carried on" in say.text for say in only(out, Say))
    assert (wanted(talk).side, wanted(talk).lots) == (Side.BID, 100), "less than a minimum counts as flat"


def test_people_hear_of_a_fill_with_its_trades() -> None:
    talk = quoting()
    fill(talk)
    news = talk.hear(TradeReported(role=Role.MAKER, trade=trade(5, 1, side=Side.BID)))
    assert one(news, PublishFill).trade_ids == (5,)


def test_a_late_fill_of_an_ended_round_pauses() -> None:
    talk = quoting()
    talk.hear(OrderReported(role=Role.MAKER, report=row(side=Side.BID, closed=True, status="canceled")))
    talk.machine.round += 1
    out = talk.hear(TradeReported(role=Role.MAKER, trade=trade(5, 1, side=Side.BID, lots=40)))
    assert "LATE_FILL" in codes(out)
    assert state(talk).mode is Mode.PAUSED


def test_alternating_opens_the_other_way_next_time() -> None:
    remembers = memory(
        Role.MAKER,
        fresh=False,
        baseline=BaselineSet(maker=0, hedger=0),
        round=RoundChanged(round=4, closed=True, net=0, leg="close", side="ask"),
    )
    talk = maker_side(remembers=remembers, direction=Direction.ALTERNATE)
    talk.b_says()
    assert (wanted(talk).round, wanted(talk).side) == (5, Side.ASK), "round 4 closed a long"


def test_a_restart_goes_on_with_the_open_round() -> None:
    entry = RoundChanged(round=4, closed=False, net=0, leg="open", side="bid")
    side = Maker.create(settings(), memory(Role.MAKER, round=entry))
    assert (side.round, side.round_open, side._opened_side) == (4, True, Side.BID)


# --- waiting -----------------------------------------------------------------------------------------------------


def test_the_wait_says_where_it_stands_and_times_out_once_with_reads_of_both_accounts() -> None:
    talk = quoting()
    fill(talk)
    out = talk.wait(61_000, step_ms=500)
    assert codes(out).count("HEDGE_TIMEOUT") == 1
    assert codes(out).count("WAITING") == 6
    assert {read.role for read in only(out, ReadAccount)} == set(Role)
    assert state(talk).mode is Mode.RUNNING, "a timeout crashes and pauses nothing"


def test_exposure_that_lasts_pauses_with_an_alert() -> None:
    talk = quoting()
    fill(talk)
    out = talk.wait(91_000, step_ms=500)
    assert [alert.code for alert in only(out, Alert)] == ["UNHEDGED_TOO_LONG"]
    assert state(talk).mode is Mode.PAUSED


def test_without_a_hedger_a_says_so_and_times_out() -> None:
    talk = maker_side()
    out = talk.wait(61_000, step_ms=500)
    assert codes(out).count("HEDGE_TIMEOUT") == 1
    assert "WAITING" in codes(out)


def test_a_foreign_trade_pauses() -> None:
    talk = quoting()
    talk.hear(TradeReported(role=Role.MAKER, trade=trade(1, coid=5)))
    assert state(talk).mode is Mode.PAUSED
    assert any(alert.code == "FOREIGN_TRADE" for alert in only(talk.log, Alert))


def test_bs_ask_for_a_pause_is_latched() -> None:
    talk = maker_side()
    talk.b_says(pause_ask=pause(id=77, code="HEDGE_FAILED", reason="tries"), failed=failed())
    held = state(talk).pause
    assert held is not None
    assert (held.code, held.reason) == ("HEDGE_FAILED", "tries")


# --- a person ----------------------------------------------------------------------------------------------------


def test_a_pause_takes_the_quote_away_and_is_acknowledged() -> None:
    talk = quoting()
    out = ask(talk, "pause", reason="lunch")
    assert cancels(out) == ["cancel1@9"]
    assert state(talk).acks == (f"c{talk.seq}",)
    assert entries(out, ModeChanged)[0].by == "person"
    assert talk.hear(OperatorAsked(command=OperatorCommand(id=f"c{talk.seq}", verb="drain"))) == []


def test_while_paused_the_loop_says_so_every_ten_seconds() -> None:
    talk = maker_side()
    talk.b_says()
    talk.machine._quote = None
    ask(talk, "pause")
    assert codes(talk.wait(31_000, step_ms=500)).count("PAUSED") == 3


def test_a_resume_reads_the_venue_first() -> None:
    talk = maker_side()
    ask(talk, "pause")
    held = state(talk).pause
    assert held is not None
    talk.b_says()
    out = ask(talk, "resume", pause_id=held.id)
    assert state(talk).mode is Mode.PAUSED
    out = talk.wait(2_000)
    assert "RESUMED" in codes(out)
    assert state(talk).mode is Mode.RUNNING


def test_a_resume_of_another_pause_is_void() -> None:
    talk = maker_side()
    assert "RESUME_VOID" in codes(ask(talk, "resume", pause_id=1))
    ask(talk, "pause")
    assert "RESUME_VOID" in codes(ask(talk, "resume", pause_id=1))


def test_a_resume_with_open_exposure_is_refused_with_the_numbers() -> None:
    talk = quoting()
    fill(talk)
    ask(talk, "pause")
    held = state(talk).pause
    assert held is not None
    ask(talk, "resume", pause_id=held.id)
    out = talk.wait(11_000)
    refused = [say.text for say in only(out, Say) if say.code == "RESUME_REFUSED"]
    assert len(refused) == 1
    assert "0.00100 BTC is unhedged" in refused[0]
    assert state(talk).mode is Mode.PAUSED


def test_a_resume_ends_bs_ask_too() -> None:
    talk = maker_side()
    talk.b_says(pause_ask=pause(id=77))
    held = state(talk).pause
    assert held is not None
    ask(talk, "resume", pause_id=held.id)
    talk.wait(2_000)
    assert state(talk).ended_asks == (77,)
    assert state(talk).mode is Mode.RUNNING, "the ended ask does not pause again"


def test_a_persons_start_ends_the_pause() -> None:
    remembers = memory(
        Role.MAKER,
        fresh=False,
        by_person=True,
        mode=Mode.PAUSED,
        pause=pause(),
        baseline=BaselineSet(maker=0, hedger=0),
    )
    talk = maker_side(remembers=remembers)
    talk.b_says()
    talk.wait(3_000)
    assert state(talk).mode is Mode.RUNNING


def test_a_pause_survives_a_crash() -> None:
    remembers = memory(
        Role.MAKER, fresh=False, mode=Mode.PAUSED, pause=pause(), baseline=BaselineSet(maker=0, hedger=0)
    )
    talk = maker_side(remembers=remembers)
    talk.b_says()
    talk.wait(5_000)
    assert state(talk).pause == pause()
    assert state(talk).announce is None


def test_a_drain_of_a_flat_desk_pauses() -> None:
    talk = maker_side()
    talk.b_says()
    talk.machine._quote = None
    out = ask(talk, "drain")
    out += talk.wait(500)
    assert "DRAINED" in codes(out)
    assert state(talk).mode is Mode.PAUSED


def test_while_draining_a_close_is_still_quoted() -> None:
    talk = quoting()
    fill(talk)
    ask(talk, "drain")
    hedge(talk)
    assert wanted(talk).leg is Leg.CLOSE


def test_clear_pauses_and_closes_with_a_reduce_only_order() -> None:
    talk = quoting()
    fill(talk)
    hedge(talk)
    talk.machine._quote = None
    out = ask(talk, "clear")
    assert state(talk).mode is Mode.PAUSED
    requests = [command.candidate.request for command in only(out + talk.wait(1_000), Send)]
    closing = [one for one in requests if isinstance(one, OrderRequest) and one.reduce_only]
    assert [(one.side, one.lots, one.kind) for one in closing] == [(Side.ASK, 100, OrderKind.HEDGE)]
    closed = row(3, lots=100, filled=100, closed=True, status="filled")
    talk.hear(OrderReported(role=Role.MAKER, report=closed), PositionReported(role=Role.MAKER, lots=0))
    talk.wait(2_000)
    assert not talk.machine.closing.wanted


def test_an_unknown_verb_is_said() -> None:
    assert "COMMAND_UNKNOWN" in codes(ask(maker_side(), "dance"))


# --- the end -----------------------------------------------------------------------------------------------------


def test_a_stop_withdraws_an_unsent_quote_and_ends() -> None:
    talk = announcing()
    out = talk.hear(StopAsked())
    assert one(out, Exit).code == 0
    assert talk.hear(Ticked()) == []


def test_a_stop_cancels_what_rests_and_ends_when_it_is_gone() -> None:
    talk = quoting()
    out = talk.hear(StopAsked())
    assert cancels(out) == ["cancel1@9"]
    assert only(out, Exit) == []
    talk.executes("cancel1@9")
    out = talk.hear(OrderReported(role=Role.MAKER, report=row(side=Side.BID, closed=True, status="canceled")))
    assert one(out, Exit).code == 0


def test_a_stop_waits_no_longer_than_it_may_for_something_unresolved() -> None:
    talk = sending()
    talk.hear(StopAsked())
    talk.answers("order1@8", AnswerKind.REJECTED, 21_701)
    assert len(only(talk.log, Exit)) == 1
    talk = maker_side()
    talk.core.own.intend(quote(7), talk.now.wall_ms)
    talk.hear(StopAsked())
    talk.wait(14_000, step_ms=500)
    assert only(talk.log, Exit) == []
    talk.wait(2_000, step_ms=500)
    assert len(only(talk.log, Exit)) == 1


def test_a_superseded_a_exits_with_8_and_never_sends_again() -> None:
    talk = quoting()
    out = talk.hear(NonceRead(nonce=99))
    assert one(out, Exit).code == 8
    assert talk.b_says(armed=None) == []


# --- what others hear --------------------------------------------------------------------------------------------


def test_the_state_is_told_on_change_and_every_second() -> None:
    talk = quoting()
    told = len(only(talk.log, PublishState))
    talk.wait(3_000)
    assert 3 <= len(only(talk.log, PublishState)) - told <= 4


def test_a_state_of_b_that_is_older_than_the_last_is_nothing() -> None:
    talk = announcing()
    old = talk.b_state
    assert old is not None
    armed = replace(old, armed=armed_for(wanted(talk)))
    assert sent(talk.hear(HedgerHeard(state=armed))) == []


def test_redis_down_takes_the_quote_away() -> None:
    talk = quoting()
    assert cancels(talk.hear(MessagingChanged(up=False))) == ["cancel1@9"]


def test_a_lost_stream_takes_the_quote_away() -> None:
    talk = quoting()
    assert cancels(talk.hear(FeedClosed(reason="gone"))) == ["cancel1@9"]


def test_before_its_baseline_a_folds_what_b_had_filled() -> None:
    talk = Talk(machine=Maker.create(settings(), memory(Role.MAKER)))
    talk.follow(talk.machine.start())
    talk.b_says(fills=(fills(5, side=Side.ASK),))
    assert talk.core.hedger.folded_serial == 5
    assert not talk.core.hedger.orders


def test_the_builders_announce_is_what_a_would_say() -> None:
    assert announce().price == PRICE
    assert maker_state().announce is None
    assert candidate(CancelRequest(coid=coid(1))).tx_hash == "cancel1@7"

"""Account A: one quote at a time, and nothing new until the last round is hedged."""

from dataclasses import replace

from tests.unit.domain.builders import (
    ASK,
    PRICE,
    announce,
    armed_for,
    candidate,
    codes,
    coid,
    confirm,
    entries,
    failed,
    fills,
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
from tests.unit.domain.maker_talk import announcing, ask, cancels, fill, hedge, quoting, sending, state, wanted
from tests.unit.domain.talk import Talk, maker_side

from lighter_hedge.domain.commands import (
    Alert,
    BaselineSet,
    Exit,
    ModeChanged,
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
    StopAsked,
    Ticked,
    TradeReported,
)
from lighter_hedge.domain.maker import Maker
from lighter_hedge.domain.settings import Direction
from lighter_hedge.domain.states import Leg, Mode, OperatorCommand, Role
from lighter_hedge.domain.units import Side

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
    talk.machine.quoter.quote = None
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


def test_a_start_tells_again_of_the_pause_that_holds() -> None:
    """The life that paused may have died before its alert was stored."""
    remembers = memory(Role.MAKER, fresh=False, mode=Mode.PAUSED, pause=pause())
    (alert,) = [one for one in Maker.create(settings(), remembers).start() if isinstance(one, Alert)]
    assert alert.code == pause().code
    assert not [one for one in Maker.create(settings(), memory(Role.MAKER)).start() if isinstance(one, Alert)]


def test_a_drain_of_a_flat_desk_pauses() -> None:
    talk = maker_side()
    talk.b_says()
    talk.machine.quoter.quote = None
    out = ask(talk, "drain")
    out += talk.wait(500)
    assert "DRAINED" in codes(out)
    assert state(talk).mode is Mode.PAUSED


def test_a_drained_desk_pauses_though_no_quote_would_be_allowed_now() -> None:
    talk = sending(orders_per_minute_max=1)
    talk.answers("order1@8", AnswerKind.REJECTED, 21_701)
    talk.wait(2_000)
    assert any("orders in the last minute" in why for why in state(talk).waiting)
    out = ask(talk, "drain") + talk.wait(500)
    assert "DRAINED" in codes(out)


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
    talk.machine.quoter.quote = None
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


def test_a_persons_start_of_a_running_desk_resumes_nothing() -> None:
    talk = maker_side(remembers=memory(Role.MAKER, by_person=True))
    talk.b_says()
    assert "RESUMED" not in codes(talk.log)
    assert wanted(talk).round == 1


def test_a_pause_takes_back_the_wish_for_a_quote_that_may_not_have_arrived() -> None:
    talk = sending()
    talk.nonce = 8
    ask(talk, "pause")
    assert sent(talk.answers("order1@8", AnswerKind.UNKNOWN)) == ["burn@8"]


def test_the_end_of_a_quote_that_is_shown_no_more_is_not_said_twice() -> None:
    talk = sending()
    talk.answers("order1@8", AnswerKind.REJECTED, 21_701)
    assert talk.machine.quoter.drop(coid(1), "again", talk.now) == []


def test_a_without_its_journal_numbers_above_what_b_counts_no_more() -> None:
    talk = maker_side()
    talk.b_says(maker_serial=30)
    assert wanted(talk).coid == coid(31)
    talk.b_says(maker_serial=4)
    assert talk.core.next_coid() == coid(32), "an older word takes nothing back"


def test_a_says_which_orders_of_b_it_counts_no_more() -> None:
    talk = maker_side()
    talk.core.hedger.folded_serial = 9
    assert state(talk).hedger_serial == 9

"""Account A: what each of its rules does at its edge."""

from typing import Any

import pytest
from tests.unit.domain.builders import (
    ASK,
    PRICE,
    announce,
    codes,
    coid,
    entries,
    failed,
    frame,
    hedger_state,
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
from tests.unit.domain.maker_talk import announcing, ask, fill, hedge, quoting, sending, state, wanted
from tests.unit.domain.talk import Talk, maker_side, recover

from lighter_hedge.domain.book import Book
from lighter_hedge.domain.budget import HEDGE_RESERVE, QUOTE_RESERVE
from lighter_hedge.domain.commands import (
    Alert,
    BaselineSet,
    Command,
    DayOpened,
    Exit,
    ModeChanged,
    ReadNonce,
    ReadOrders,
    RoundChanged,
    Say,
    Send,
)
from lighter_hedge.domain.events import (
    AnswerKind,
    FeedClosed,
    FeedOpened,
    MessagingChanged,
    OrderReported,
    OrderRequest,
    StopAsked,
    Ticked,
    TradeReported,
)
from lighter_hedge.domain.gate import Peer
from lighter_hedge.domain.maker import Maker
from lighter_hedge.domain.settings import Direction
from lighter_hedge.domain.states import Flatten, Leg, Mode, Role
from lighter_hedge.domain.units import Side

BASE = BaselineSet(maker=0, hedger=0)


def reasons(talk: Talk) -> list[str]:
    found = talk.machine._reasons(talk.machine._view(talk.now))
    assert isinstance(found, list)
    return found


def said(commands: list[Command], code: str) -> Say:
    return one([say for say in only(commands, Say) if say.code == code], Say)


# --- a start -----------------------------------------------------------------------------------------------------


def test_a_first_start_knows_nothing() -> None:
    side = Maker.create(settings(), memory(Role.MAKER))
    assert not side.messaging_up
    assert (side.round, side.attempt, side.round_open) == (0, 0, False)
    assert side._min_lots() == 10


def test_a_restart_goes_on_with_all_that_its_journal_holds() -> None:
    wish, day = Flatten(id=5, round=1, net=100), DayOpened(day=7, value=9)
    remembers = memory(
        Role.MAKER, mode=Mode.DRAINING, flatten=wish, day=day, asks_ended=(4,), announce=announce(min_lots=33)
    )
    side = Maker.create(settings(), remembers)
    assert side.latch.mode is Mode.DRAINING
    assert side.flattening.wish == wish
    assert side.limits.opened == day
    assert side._ended_asks == (4,)
    assert side._min_lots() == 33


@pytest.mark.parametrize(("bid", "mark", "lots"), [(True, 0, 11), (False, PRICE // 2, 21), (True, PRICE // 2, 11)])
def test_before_the_first_announce_the_minimum_goes_by_the_price(bid: bool, mark: int, lots: int) -> None:
    side = Maker.create(settings(), memory(Role.MAKER))
    if bid:
        side.core.book.apply(frame(), 0)
    side.core.book.mark = mark
    assert side._min_lots() == lots


def test_hearing_b_is_looking_for_it_and_says_whether_it_is_busy() -> None:
    talk = Talk(machine=Maker.create(settings(), memory(Role.MAKER)))
    talk.follow(talk.machine.start())
    talk.b_says(unresolved=1)
    assert talk.core.peer_known
    assert talk.core.peer_busy
    talk.b_says(unresolved=0)
    assert not talk.core.peer_busy


def test_a_persons_start_waits_for_the_new_tries_of_b_and_resumes_once() -> None:
    remembers = memory(Role.MAKER, fresh=False, by_person=True, mode=Mode.PAUSED, pause=pause(), baseline=BASE)
    talk = Talk(machine=Maker.create(settings(), remembers), b_state=hedger_state(failed=failed()))
    out = recover(talk, MessagingChanged(up=True), FeedOpened(), frame()) + talk.wait(15_000, step_ms=500)
    assert not {"RESUMED", "RESUME_REFUSED"} & set(codes(out))
    out = talk.b_says(failed=None) + talk.wait(2_000)
    assert "RESUMED" in codes(out)
    assert "start" in state(talk).acks
    ask(talk, "pause")
    talk.wait(3_000)
    assert state(talk).mode is Mode.PAUSED


# --- a person ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "mode", "code"),
    [("pause", Mode.PAUSED, "PAUSED"), ("clear", Mode.PAUSED, "CLEARED"), ("drain", Mode.DRAINING, None)],
)
def test_what_a_person_asks_for_is_done_in_a_persons_name(verb: str, mode: Mode, code: str | None) -> None:
    talk = quoting()
    (entry,) = entries(ask(talk, verb), ModeChanged)
    assert (entry.mode, entry.by) == (mode, "person")
    assert (entry.pause.code if entry.pause is not None else None) == code


@pytest.mark.parametrize(("reason", "kept"), [("lunch", "lunch"), ("", "by a person")])
def test_a_pause_keeps_its_reason(reason: str, kept: str) -> None:
    talk = quoting()
    ask(talk, "pause", reason=reason)
    assert talk.machine.latch.pause.reason == kept


def test_a_resume_is_acknowledged_ends_a_clear_and_is_a_persons() -> None:
    talk = maker_side()
    ask(talk, "clear")
    talk.machine.closing.wanted = True
    talk.b_says()
    held = state(talk).pause
    assert held is not None
    assert "not paused" in said(ask(maker_side(), "resume", pause_id=1), "RESUME_VOID").text
    assert "no such pause" in said(ask(talk, "resume", pause_id=1), "RESUME_VOID").text
    out = ask(talk, "resume", pause_id=held.id)
    asked = f"c{talk.seq}"
    out += talk.wait(2_000)
    assert asked in state(talk).acks
    assert not talk.machine.closing.wanted
    assert [entry.by for entry in entries(out, ModeChanged)] == ["person"]


def test_a_drain_ends_in_a_persons_pause_that_shows_the_positions() -> None:
    talk = maker_side()
    ask(talk, "drain")
    (entry,) = entries(talk.b_says() + talk.log, ModeChanged)[-1:]
    assert entry.pause is not None
    assert (entry.by, entry.pause.code) == ("person", "DRAINED")
    assert entry.pause.reason.startswith("drained: A ")


def test_a_limit_drains_the_desk_in_its_own_name_once() -> None:
    talk = quoting(notional_hour_quote_max=100_000_000)
    out = fill(talk)
    assert [alert.code for alert in only(out, Alert)] == ["NOTIONAL_LIMIT"]
    (entry,) = entries(out, ModeChanged)
    assert (entry.mode, entry.by) == (Mode.DRAINING, "desk")
    assert "NOTIONAL_LIMIT" not in codes(talk.wait(1_000))
    why = talk.machine.latch.draining_for
    hedge(talk)
    assert wanted(talk).leg is Leg.CLOSE, "at a limit, closing goes on"
    talk.machine.quoter.quote = None
    for ledger in talk.core.ledgers.values():
        ledger.rebase(ledger.position)
        ledger.base = 0
        talk.core.checks[ledger.role].heard(0, ledger, talk.now.mono_ms)
    talk.hear(Ticked())
    assert talk.machine.latch.pause.reason.startswith(f"drained ({why}): A ")


# --- fates -------------------------------------------------------------------------------------------------------


def test_a_quote_refused_for_a_halted_market_halts_the_quoting() -> None:
    talk = sending()
    out = talk.answers("order1@8", AnswerKind.REJECTED, 21605, "invalid market status")
    assert talk.core.halted(talk.now)
    assert "21605 invalid market status" in said(out, "QUOTE_REFUSED").text
    talk = sending()
    talk.answers("order1@8", AnswerKind.REJECTED, 21701, "size")
    assert not talk.core.halted(talk.now)
    assert talk.core.own.orders[coid(1)].status == "21701 size"


def test_a_quote_that_did_not_leave_can_never_go() -> None:
    talk = sending()
    out = talk.answers("order1@8", AnswerKind.THROTTLED, 429, "slow down")
    assert "slow down" in said(out, "QUOTE_REFUSED").text
    assert talk.core.lane.prepared(coid(1)) is None


def test_a_resting_quote_is_not_asked_for() -> None:
    talk = quoting()
    assert [asked for asked in only(talk.wait(3_000), ReadOrders) if coid(1) in asked.coids] == []


def closing() -> Talk:
    """A holds 100 that B has hedged, and closes them at a person's word."""
    talk = quoting()
    fill(talk)
    hedge(talk)
    talk.machine.quoter.quote = None
    ask(talk, "clear")
    talk.wait(1_000)
    return talk


def test_the_end_of_a_closing_order_is_asked_for() -> None:
    talk = closing()
    talk.hear(OrderReported(role=Role.MAKER, report=row(3)))
    assert [asked for asked in only(talk.wait(1_500), ReadOrders) if coid(3) in asked.coids] != []


def test_a_refused_closing_order_is_said() -> None:
    talk = closing()
    tx_hash = [tx for tx in sent(talk.log) if tx.startswith("order3")][-1]
    out = talk.answers(tx_hash, AnswerKind.REJECTED, 21_701, "size")
    assert "21701 size" in said(out, "CLOSE_REFUSED").text


# --- late fills --------------------------------------------------------------------------------------------------


def late(talk: Talk, trade_id: int, lots: int) -> list[str]:
    return codes(talk.hear(TradeReported(role=Role.MAKER, trade=trade(trade_id, 1, side=Side.BID, lots=lots))))


def test_a_late_fill_of_the_open_round_is_hedged_like_any_other() -> None:
    talk = quoting()
    talk.hear(OrderReported(role=Role.MAKER, report=row(side=Side.BID, closed=True, status="canceled")))
    assert "LATE_FILL" not in late(talk, 5, 40)


def test_a_late_fill_of_the_round_that_is_closed_pauses_before_another_begins() -> None:
    talk = quoting()
    fill(talk, 40)
    talk.b_says(disarmed="margin")
    hedge(talk, 40)
    assert not talk.machine.round_open
    late(talk, 5, 40)
    assert "LATE_FILL" in late(talk, 6, 10)


def test_a_round_is_closed_once() -> None:
    talk = quoting()
    fill(talk)
    talk.b_says(disarmed="margin")
    out = hedge(talk) + talk.wait(2_000)
    assert codes(out).count("ROUND_HEDGED") == 1
    assert said(out, "ROUND_HEDGED").text.endswith("confirmed by B")


# --- A alone -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "net", "hedging"),
    [
        ({}, 0, False),
        ({}, 9, False),
        ({}, 100, True),
        ({"unresolved": 1}, 0, True),
        ({"unresolved": 1, "failed": failed()}, 100, False),
    ],
)
def test_b_may_have_a_hedge_on_its_way(changes: dict[str, Any], net: int, hedging: bool) -> None:
    talk = maker_side()
    talk.core.maker.base = net
    assert not talk.machine._hedging(talk.now), "never heard"
    talk.machine.peer = Peer(hedger_state(**changes), talk.now.mono_ms)
    assert talk.machine._hedging(talk.now) is hedging
    talk.ms += 3_001
    assert not talk.machine._hedging(talk.now), "silent"


def closes(talk: Talk) -> bool:
    requests = [command.candidate.request for command in only(talk.hear(Ticked()), Send)]
    return any(isinstance(request, OrderRequest) and request.reduce_only for request in requests)


def test_a_closes_alone_only_while_paused_and_while_b_hedges_nothing() -> None:
    talk = quoting()
    fill(talk)
    talk.b_says(armed=None, unresolved=1)
    hedge(talk)
    talk.machine.closing.wanted = True
    talk.core.book.heard(0, talk.now.mono_ms)
    assert not closes(talk), "not paused"
    ask(talk, "pause")
    assert not closes(talk), "B has a hedge on its way"
    talk.machine.flattening.wish = Flatten(id=1, round=1, net=0)
    talk.machine.core.own.intend(quote(8), 0)
    talk.b_says(unresolved=0)
    assert not closes(talk), "it flattens already"
    talk.core.own.withdraw(coid(8))
    talk.machine.flattening.wish = None
    talk.ms += 100
    assert closes(talk)


def test_b_reconciles_for_both_while_it_is_heard() -> None:
    talk = maker_side()
    assert talk.core.reconciles
    talk.b_says()
    assert not talk.core.reconciles
    talk.alive = False
    talk.wait(3_100)
    assert talk.core.reconciles


# --- pace --------------------------------------------------------------------------------------------------------


def test_the_quiet_after_too_many_requests_ends_in_time() -> None:
    talk = sending()
    talk.answers("order1@8", AnswerKind.THROTTLED, 429)
    talk.ms += talk.core.settings.throttle_ms - 1
    assert any("too many requests" in why for why in reasons(talk))
    talk.ms += 1
    assert not any("too many requests" in why for why in reasons(talk))


def test_a_keeps_requests_for_the_quote_and_its_cancel() -> None:
    talk = maker_side(maker_share=100)
    talk.machine.peer = Peer(hedger_state(), talk.now.mono_ms)
    left = talk.core.budget.left(talk.now)
    assert left is not None
    assert left < 100, "what the start has sent and read is counted"
    talk.core.budget.count([ReadNonce()] * (left - QUOTE_RESERVE), talk.now)
    assert reasons(talk) == []
    talk.core.budget.count([ReadNonce()], talk.now)
    assert reasons(talk) == ["requests of this minute are used up"]


def test_a_quotes_only_while_b_has_requests_for_the_hedge() -> None:
    talk = maker_side()
    talk.machine.peer = Peer(hedger_state(share=HEDGE_RESERVE), talk.now.mono_ms)
    assert reasons(talk) == []
    talk.machine.peer = Peer(hedger_state(share=HEDGE_RESERVE - 1), talk.now.mono_ms)
    assert reasons(talk) == ["account B's requests of this minute are used up"]


def test_a_while_after_quoting_the_first_status_is_said() -> None:
    talk = quoting()
    talk.wait(15_000)
    out = fill(talk) + talk.wait(9_900)
    assert "WAITING" not in codes(out)
    assert "WAITING" in codes(talk.wait(200))


# --- what is quoted ----------------------------------------------------------------------------------------------


def test_a_quantity_of_just_the_minimum_is_quoted() -> None:
    talk = announcing(quantity=11)
    assert wanted(talk).lots == wanted(talk).min_lots == 11


def alternating(**changes: Any) -> Talk:
    known = memory(Role.MAKER, fresh=False, baseline=BASE, **changes)
    talk = maker_side(remembers=known, direction=Direction.ALTERNATE)
    talk.b_says()
    return talk


def test_another_attempt_keeps_its_side_and_a_new_round_changes_it() -> None:
    talk = alternating()
    assert wanted(talk).side is Side.BID
    talk.wait(4_000)
    assert (wanted(talk).round, wanted(talk).attempt, wanted(talk).side) == (1, 1, Side.BID)
    carried = RoundChanged(round=4, closed=True, net=0, leg="open", side="bid")
    assert wanted(alternating(round=carried)).side is Side.ASK


def test_a_closing_quote_is_no_turn_of_the_alternation() -> None:
    talk = quoting(direction=Direction.ALTERNATE)
    assert talk.machine._opened_side is Side.BID
    fill(talk)
    hedge(talk)
    assert (wanted(talk).side, wanted(talk).leg, wanted(talk).price) == (Side.ASK, Leg.CLOSE, ASK)
    assert talk.machine._opened_side is Side.BID


# --- the end -----------------------------------------------------------------------------------------------------


def test_a_hedged_stop_is_no_alarm() -> None:
    talk = announcing()
    out = talk.hear(StopAsked())
    assert one(out, Exit).why == "stopped"
    assert only(out, Alert) == []


def test_a_stop_with_exposure_waits_as_long_as_it_may_and_alerts() -> None:
    talk = quoting()
    fill(talk)
    talk.hear(StopAsked())
    assert only(talk.wait(14_999, step_ms=14_999), Exit) == []
    out = talk.wait(1)
    assert [alert.code for alert in only(out, Alert)] == ["STOPPED_UNHEDGED"]
    assert len(only(out, Exit)) == 1


# --- what others hear --------------------------------------------------------------------------------------------


def test_a_tells_its_market_its_wish_and_no_residual_where_there_is_exposure() -> None:
    talk = quoting()
    told = state(talk)
    assert (told.seq, told.market_index, told.flatten, told.ready) == (0, 1, None, True)
    talk.hear(FeedClosed(reason="gone"))
    assert not state(talk).ready
    fill(talk)
    assert state(talk).residual == 0
    wish = Flatten(id=5, round=1, net=100)
    talk.machine.flattening.wish = wish
    assert state(talk).flatten == wish


def test_a_clear_that_could_not_be_done_is_over_once_a_person_goes_on() -> None:
    talk = quoting()
    fill(talk)
    hedge(talk)
    talk.machine.quoter.quote = None
    talk.core.book = Book()  # without a price nothing is closed
    ask(talk, "clear")
    assert talk.machine.closing.wanted
    ask(talk, "resume", pause_id=talk.machine.latch.pause.id)
    talk.wait(2_000)
    assert state(talk).mode is Mode.RUNNING
    assert not talk.machine.closing.wanted

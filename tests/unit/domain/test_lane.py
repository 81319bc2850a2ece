"""One API key: what is sent, when the nonce is settled, and by what."""

import pytest
from tests.unit.domain.builders import (
    LAG_MS,
    MONO_MS,
    WALL_MS,
    LaneTalk,
    at,
    booted,
    candidate,
    coid,
    entries,
    filled_row,
    one,
    only,
    order,
    row,
    sent,
)

from lighter_hedge.domain.commands import NonceSettled, Prepare, ReadNonce, ReadOrders, ReadTx
from lighter_hedge.domain.events import (
    AnswerKind,
    BurnRequest,
    CancelRequest,
    NonceRead,
    Prepared,
    PrepareFailed,
    TxStatus,
)
from lighter_hedge.domain.lane import Lane
from lighter_hedge.domain.lane_limits import (
    ANSWER_MS_MAX,
    EVIDENCE_MS_MAX,
    POLL_MS,
    POLL_MS_MAX,
    PROBE_AFTER_MS,
    THROTTLED_MS,
)
from lighter_hedge.domain.lane_words import LanePhase

UNKNOWN, ACCEPTED, REJECTED = AnswerKind.UNKNOWN, AnswerKind.ACCEPTED, AnswerKind.REJECTED
EXECUTED, NOT_FOUND, FAILED, PENDING = TxStatus.EXECUTED, TxStatus.NOT_FOUND, TxStatus.FAILED, TxStatus.PENDING
ORDER, BURN, PROBE = "order1@7", "burn@7", "burn@8"


def lost(talk: LaneTalk) -> str:
    """Send an order whose answer is lost."""
    tx_hash = talk.submit(order())
    talk.answers(tx_hash, UNKNOWN)
    return tx_hash


def probed(talk: LaneTalk) -> None:
    """An order lost, its nonce consumed by nobody known, the next nonce burnt to prove it."""
    lost(talk)
    talk.nonce(8)
    talk.ms += PROBE_AFTER_MS
    assert sent(talk.nonce(8)) == [PROBE]


# --- the start ---------------------------------------------------------------------------------------------------


def test_a_start_burns_the_current_nonce_and_waits_out_the_lag() -> None:
    talk = LaneTalk(Lane(read_lag_ms=LAG_MS))
    assert talk.lane.start() == [ReadNonce()]
    assert sent(talk.nonce(7)) == [BURN]
    talk.answers(BURN, ACCEPTED)
    assert entries(talk.tx(BURN, EXECUTED), NonceSettled) == [NonceSettled(nonce=7, winner=BURN, why="executed")]
    assert talk.lane.phase is LanePhase.LAGGING
    assert talk.wait(LAG_MS - 1) == []
    assert not talk.lane.booted
    talk.wait(1)
    assert talk.lane.booted
    assert talk.lane.ready
    assert talk.lane.nonce == 8
    assert talk.lane.unresolved == 0


def test_a_start_asks_for_the_nonce_until_it_is_told() -> None:
    talk = LaneTalk(Lane(read_lag_ms=LAG_MS))
    talk.lane.start()
    assert talk.nonce(None) == []
    assert talk.wait(POLL_MS) == [ReadNonce()]
    assert talk.lane.unresolved == 1


def test_a_burn_that_cannot_be_signed_is_tried_again() -> None:
    talk = LaneTalk(Lane(read_lag_ms=LAG_MS))
    talk.lane.start()
    prepare = one(talk.lane.step(NonceRead(nonce=7), talk.now, talk.wanted), Prepare)
    assert talk.lane.step(PrepareFailed(ticket=prepare.ticket, reason="busy"), talk.now, talk.wanted) == []
    assert talk.wait(POLL_MS) == [ReadNonce()]
    assert sent(talk.nonce(7)) == [BURN]


def test_a_refused_burn_is_sent_again_later() -> None:
    talk = LaneTalk(Lane(read_lag_ms=LAG_MS))
    talk.lane.start()
    talk.nonce(7)
    talk.answers(BURN, AnswerKind.THROTTLED, 429)
    assert talk.wait(THROTTLED_MS - 1) == []
    assert ReadNonce() in talk.wait(1)
    assert sent(talk.nonce(7)) == [BURN]
    assert talk.fates() == []


def test_fates_of_an_earlier_life_are_read_after_the_lag() -> None:
    old = candidate(order(), nonce=5)
    talk = booted(restored=(old,))
    assert not talk.lane.booted
    assert talk.tx(old.tx_hash, None) == []
    assert talk.tx(old.tx_hash, PENDING) == []
    assert talk.wait(POLL_MS) == [ReadTx(tx_hash=old.tx_hash)]
    talk.tx(old.tx_hash, NOT_FOUND)
    assert talk.fates() == [("order1", "without effect")]
    assert talk.lane.booted


def test_an_order_of_an_earlier_life_that_took_the_burns_nonce_is_told_executed() -> None:
    old = candidate(order(), nonce=7)
    talk = LaneTalk(Lane(read_lag_ms=LAG_MS, restored=(old,)))
    talk.lane.start()
    talk.nonce(7)
    talk.answers(BURN, AnswerKind.BAD_NONCE)
    talk.nonce(8)  # consumed: now all candidates are asked for
    talk.tx(old.tx_hash, EXECUTED)
    talk.orders((coid(1),), row())
    assert talk.fates() == [("burn", "without effect"), ("order1", "executed")]
    assert talk.lane.phase is LanePhase.BOOT, "an order is no fence: the next nonce is burnt too"
    assert sent(talk.nonce(8)) == [PROBE]


def test_at_a_start_the_burn_alone_is_asked_for_until_its_nonce_is_consumed() -> None:
    armed = tuple(candidate(order(serial), nonce=7) for serial in range(1, 6))
    talk = LaneTalk(Lane(read_lag_ms=LAG_MS, restored=armed))
    talk.lane.start()
    talk.nonce(7)
    asked = talk.answers(BURN, UNKNOWN)
    assert asked == [ReadTx(tx_hash=BURN), ReadNonce()]
    assert len(only(talk.nonce(8), ReadTx)) == 6


def test_an_order_of_an_earlier_life_is_never_sent_again() -> None:
    talk = LaneTalk(Lane(read_lag_ms=LAG_MS, restored=(candidate(order(), nonce=7),)))
    talk.lane.start()
    talk.nonce(7)
    talk.answers(BURN, UNKNOWN)
    assert sent(talk.nonce(7)) == [BURN]


def test_at_a_start_a_nonce_taken_by_a_stranger_is_followed_upwards() -> None:
    old = candidate(order(), nonce=7)
    talk = LaneTalk(Lane(read_lag_ms=LAG_MS, restored=(old,)))
    talk.lane.start()
    talk.nonce(7)
    talk.answers(BURN, AnswerKind.BAD_NONCE)
    talk.nonce(8)
    talk.ms += PROBE_AFTER_MS
    assert sent(talk.nonce(8)) == [PROBE]
    talk.tx(PROBE, EXECUTED)
    talk.wait(LAG_MS)
    assert not talk.lane.booted, "what was held under 7 is read first"
    talk.tx(BURN, NOT_FOUND)
    talk.tx(old.tx_hash, NOT_FOUND)
    assert ("order1", "without effect") in talk.fates()
    talk.wait(POLL_MS)
    assert talk.lane.ready
    assert talk.lane.nonce == 9


def test_a_stale_nonce_at_a_start_does_not_lead_back_to_a_settled_one() -> None:
    talk = LaneTalk(Lane(read_lag_ms=LAG_MS, restored=(candidate(order(), nonce=7),)))
    talk.lane.start()
    talk.nonce(7)
    talk.answers(BURN, AnswerKind.BAD_NONCE)
    talk.tx(ORDER, EXECUTED, error="21706")
    assert talk.lane.phase is LanePhase.BOOT
    assert sent(talk.nonce(7)) == [PROBE], "7 is settled: the next one is burnt, whatever a lagging read says"


def test_a_start_whose_nonce_read_lagged_by_two_burns_the_real_one() -> None:
    talk = LaneTalk(Lane(read_lag_ms=LAG_MS))
    talk.lane.start()
    talk.nonce(7)  # stale: the venue expects 9
    talk.answers(BURN, AnswerKind.BAD_NONCE)
    burns = []
    for _ in range(20):
        out = talk.wait(5_000)
        if ReadNonce() in out:
            out += talk.nonce(9)
        for tx_hash in (BURN, PROBE):
            out += talk.tx(tx_hash, NOT_FOUND)
        burns += sent(out)
    assert "burn@9" in burns


# --- the plain way -----------------------------------------------------------------------------------------------


def test_an_order_whose_row_is_seen_is_executed() -> None:
    talk = booted()
    assert talk.submit(order()) == ORDER
    assert talk.lane.unresolved == 1
    talk.answers(ORDER, ACCEPTED)
    assert entries(talk.lane.evidence(coid(1), talk.now), NonceSettled)
    assert talk.fates() == [("order1", "executed")]
    assert talk.lane.nonce == 8
    assert talk.lane.ready


def test_a_cancel_is_settled_by_its_status_alone() -> None:
    talk = booted()
    cancel = talk.submit(CancelRequest(coid=coid(1)))
    talk.tx(cancel, EXECUTED)
    assert talk.fates() == [("cancel1", "executed")]


def test_an_order_executed_with_an_error_had_no_effect() -> None:
    talk = booted()
    talk.submit(order())
    talk.tx(ORDER, EXECUTED, error="21706 too large")
    assert talk.fates() == [("order1", "without effect")]
    assert talk.lane.ready


def test_an_executed_order_without_a_row_waits_for_the_lag_before_it_is_told_dead() -> None:
    talk = booted()
    talk.submit(order())
    talk.tx(ORDER, EXECUTED)
    assert talk.wait(POLL_MS) == [ReadOrders(coids=(coid(1),))]
    talk.orders((coid(1),), asked_ms=talk.ms + LAG_MS - POLL_MS - 1)
    assert talk.fates() == []
    talk.nonce(8)  # says nothing new
    talk.orders((coid(2),), asked_ms=talk.ms + LAG_MS)
    assert talk.fates() == []
    talk.orders((coid(1),), asked_ms=talk.ms + LAG_MS - POLL_MS)
    assert talk.fates() == [("order1", "without effect")]


def test_a_second_report_of_execution_changes_nothing() -> None:
    talk = booted()
    talk.submit(order())
    talk.tx(ORDER, EXECUTED)
    assert talk.tx(ORDER, EXECUTED) == []
    assert talk.lane.phase is LanePhase.RESOLVING


def test_evidence_for_an_unknown_or_unsent_order_is_nothing() -> None:
    talk = booted()
    talk.signed(talk.lane.prepare(order(2)))
    assert talk.lane.evidence(coid(1), talk.now) == []
    assert talk.lane.evidence(coid(2), talk.now) == []
    assert talk.lane.ready


# --- signed ahead ------------------------------------------------------------------------------------------------


def test_an_armed_order_goes_without_another_signature() -> None:
    talk = booted()
    prepare = talk.lane.prepare(order())
    assert talk.lane.preparing(coid(1))
    assert talk.signed(prepare) == []
    held = talk.lane.prepared(coid(1))
    assert held is not None
    assert sent(talk.lane.send_prepared(held, talk.now)) == [ORDER]
    assert talk.lane.prepared(coid(1)) is None, "it has left"


def test_a_forgotten_order_is_gone_and_the_nonce_stays() -> None:
    talk = booted()
    talk.signed(talk.lane.prepare(order()))
    talk.lane.forget(coid(1))
    talk.lane.forget(coid(1))
    assert talk.lane.prepared(coid(1)) is None
    assert talk.submit(order(2)) == "order2@7"


def test_a_sent_order_cannot_be_forgotten() -> None:
    talk = booted()
    talk.submit(order())
    talk.lane.forget(coid(1))
    talk.lane.evidence(coid(1), talk.now)
    assert talk.fates() == [("order1", "executed")]


def test_an_armed_order_dies_with_its_nonce() -> None:
    talk = booted()
    talk.signed(talk.lane.prepare(order(1)))
    talk.submit(order(2))
    talk.lane.evidence(coid(2), talk.now)
    assert talk.lane.prepared(coid(1)) is None
    assert talk.fates() == [("order2", "executed")], "what never left needs no fate"


def test_an_order_signed_ahead_too_late_for_its_nonce_is_dropped() -> None:
    talk = booted()
    slow = one(talk.lane.prepare(order(1)), Prepare)
    talk.submit(order(2))
    talk.lane.evidence(coid(2), talk.now)
    talk.fates()
    late = Prepared(ticket=slow.ticket, candidate=candidate(order(1), nonce=7))
    assert talk.lane.step(late, talk.now, talk.wanted) == []
    assert talk.fates() == []


def test_an_order_signed_to_be_sent_too_late_for_its_nonce_is_told_unsigned() -> None:
    talk = booted()
    talk.signed(talk.lane.prepare(order(2)))
    slow = one(talk.lane.submit(order(1)), Prepare)
    assert not talk.lane.ready, "one thing at a time"
    talk.lane.nonce = 8  # as if the nonce had gone meanwhile
    talk.lane.step(Prepared(ticket=slow.ticket, candidate=candidate(order(1), nonce=7)), talk.now, talk.wanted)
    assert talk.fates() == [("order1", "unsigned")]


def test_what_cannot_be_signed_is_told() -> None:
    talk = booted()
    failed = [one(talk.lane.submit(request), Prepare) for request in (order(), CancelRequest(coid=coid(1)))[:1]]
    talk.lane.step(PrepareFailed(ticket=failed[0].ticket, reason="no key"), talk.now, talk.wanted)
    assert talk.fates() == [("order1", "unsigned")]
    assert talk.lane.ready


def test_answers_to_unknown_tickets_are_nothing() -> None:
    talk = booted()
    assert talk.lane.step(Prepared(ticket=99, candidate=candidate()), talk.now, talk.wanted) == []
    assert talk.lane.step(PrepareFailed(ticket=99, reason=""), talk.now, talk.wanted) == []


# --- refusals ----------------------------------------------------------------------------------------------------


def test_a_refusal_of_the_only_send_frees_the_nonce() -> None:
    talk = booted()
    talk.submit(order())
    talk.answers(ORDER, REJECTED, 21701, "size")
    assert talk.fates() == [("order1", "refused")]
    assert talk.submit(order(2)) == "order2@7"


@pytest.mark.parametrize("kind", [AnswerKind.NOT_SENT, AnswerKind.THROTTLED])
def test_what_never_reached_the_venue_bounces_and_its_bytes_stay_good(kind: AnswerKind) -> None:
    talk = booted()
    talk.submit(order())
    talk.answers(ORDER, kind)
    assert talk.fates() == [("order1", "bounced")]
    assert talk.lane.ready
    assert talk.lane.prepared(coid(1)) is not None


def test_a_refusal_of_a_second_send_proves_nothing_about_the_first() -> None:
    talk = booted()
    lost(talk)
    assert sent(talk.nonce(7)) == [ORDER]
    talk.answers(ORDER, REJECTED, 21701)
    assert talk.fates() == []
    assert talk.lane.phase is LanePhase.RESOLVING
    assert ReadTx(tx_hash=ORDER) in talk.wait(POLL_MS)


def test_an_answer_to_something_settled_is_nothing() -> None:
    talk = booted()
    talk.submit(order())
    talk.lane.evidence(coid(1), talk.now)
    assert talk.answers(ORDER, UNKNOWN) == []
    assert talk.lane.ready


# --- unknown -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "silence_ms"), [(None, ANSWER_MS_MAX), (ACCEPTED, EVIDENCE_MS_MAX)])
def test_silence_makes_the_lane_ask(kind: AnswerKind | None, silence_ms: int) -> None:
    talk = booted()
    talk.submit(order())
    if kind is not None:
        talk.answers(ORDER, kind)
    assert talk.wait(silence_ms - 1) == []
    assert talk.wait(1) == [ReadTx(tx_hash=ORDER), ReadNonce()]
    assert talk.lane.phase is LanePhase.RESOLVING


def test_each_further_question_waits_twice_as_long() -> None:
    talk = booted()
    lost(talk)
    waits: list[int] = []
    while len(waits) < 6:
        began = talk.ms
        while not talk.wait(100):
            pass
        waits.append(talk.ms - began)
    assert waits == [POLL_MS, 2 * POLL_MS, 4 * POLL_MS, 8 * POLL_MS, POLL_MS_MAX, POLL_MS_MAX]


def test_a_lost_answer_sends_the_identical_bytes_again_while_wanted() -> None:
    talk = booted()
    lost(talk)
    assert sent(talk.nonce(7)) == [ORDER]


def test_an_order_no_longer_wanted_is_fenced_off_by_a_burn() -> None:
    talk = booted()
    lost(talk)
    talk.wanted = lambda _: False
    assert sent(talk.nonce(7)) == [BURN]
    talk.tx(BURN, EXECUTED)
    assert talk.fates() == [("order1", "without effect"), ("burn", "executed")]
    assert talk.lane.ready


def test_an_order_that_won_against_its_burn_is_told_executed() -> None:
    talk = booted()
    lost(talk)
    talk.wanted = lambda _: False
    talk.nonce(7)
    talk.lane.evidence(coid(1), talk.now)
    assert talk.fates() == [("burn", "without effect"), ("order1", "executed")]


def test_a_burn_whose_answer_is_lost_is_sent_again_and_signed_anew_when_old() -> None:
    talk = booted()
    lost(talk)
    talk.wanted = lambda _: False
    talk.nonce(7)
    talk.answers(BURN, UNKNOWN)
    assert sent(talk.nonce(7)) == [BURN]
    talk.ms += 590_000
    prepare = one(talk.lane.step(NonceRead(nonce=7), talk.now, talk.wanted), Prepare)
    assert (prepare.nonce, prepare.request) == (7, BurnRequest())


def test_an_order_whose_signature_ends_is_not_sent_again() -> None:
    talk = booted()
    lost(talk)
    talk.ms += 590_000
    assert sent(talk.nonce(7)) == [BURN]


def test_a_cancel_is_sent_again_whoever_wants_what() -> None:
    talk = booted()
    cancel = talk.submit(CancelRequest(coid=coid(1)))
    talk.answers(cancel, UNKNOWN)
    talk.wanted = lambda _: False
    assert sent(talk.nonce(7)) == [cancel]


def test_while_a_burn_is_being_signed_nothing_else_is_begun() -> None:
    talk = booted()
    lost(talk)
    refuses = lambda _: False  # noqa: E731
    one(talk.lane.step(NonceRead(nonce=7), talk.now, refuses), Prepare)
    assert talk.lane.step(NonceRead(nonce=7), talk.now, refuses) == []
    assert talk.lane.step(NonceRead(nonce=6), talk.now, refuses) == []


def test_a_nonce_below_ours_is_filled_with_a_burn() -> None:
    talk = booted()
    lost(talk)
    assert sent(talk.nonce(6)) == ["burn@6"]


def test_a_consumed_nonce_without_a_known_consumer_is_asked_for_by_order_too() -> None:
    talk = booted()
    lost(talk)
    assert talk.nonce(8) == [ReadTx(tx_hash=ORDER), ReadOrders(coids=(coid(1),)), ReadNonce()]
    talk.orders((coid(1),), filled_row())
    assert talk.fates() == [("order1", "executed")]


def test_a_failed_read_says_nothing() -> None:
    talk = booted()
    lost(talk)
    assert talk.tx(ORDER, None) == []
    assert talk.nonce(None) == []
    talk.orders((coid(1),))
    assert talk.fates() == []
    assert talk.lane.phase is LanePhase.RESOLVING


def test_a_pending_consumer_is_waited_for_without_a_probe() -> None:
    talk = booted()
    lost(talk)
    talk.nonce(8)
    talk.tx(ORDER, PENDING)
    talk.ms += 10 * PROBE_AFTER_MS
    assert talk.nonce(8) == []


def test_not_found_settles_nothing_before_the_next_nonce_and_the_lag() -> None:
    talk = booted()
    probed(talk)
    assert talk.lane.unresolved == 1
    assert sent(talk.nonce(8)) == [PROBE], "until the probe has executed"
    talk.tx(PROBE, NOT_FOUND)
    talk.tx(PROBE, EXECUTED)
    talk.tx(PROBE, EXECUTED)
    talk.ms += LAG_MS - 1
    talk.tx(ORDER, NOT_FOUND)
    assert talk.nonce(9) == []
    talk.ms += 1
    assert talk.nonce(9) == [], "read before the lag was over"
    talk.tx(ORDER, NOT_FOUND)
    talk.nonce(9)
    assert talk.lane.superseded, "nobody of ours took the nonce"


def test_an_order_found_after_the_probe_settles_both_nonces() -> None:
    talk = booted()
    probed(talk)
    talk.tx(PROBE, EXECUTED)
    settled = entries(talk.lane.evidence(coid(1), talk.now), NonceSettled)
    assert [(entry.nonce, entry.winner) for entry in settled] == [(7, ORDER), (8, PROBE)]
    assert talk.lane.nonce == 9
    assert talk.lane.ready


def test_an_order_found_before_the_probe_ran_leaves_the_probe_as_the_current_nonce() -> None:
    talk = booted()
    probed(talk)
    asked = talk.lane.evidence(coid(1), talk.now)
    assert ReadTx(tx_hash=PROBE) in asked
    assert talk.fates() == [("order1", "executed")]
    assert (talk.lane.nonce, talk.lane.phase) == (8, LanePhase.RESOLVING)
    talk.tx(PROBE, EXECUTED)
    assert talk.lane.ready


def test_a_question_during_the_probe_asks_for_it_too() -> None:
    talk = booted()
    probed(talk)
    assert ReadTx(tx_hash=PROBE) in talk.wait(60_000)


def test_a_failed_order_whose_nonce_is_consumed_had_no_effect() -> None:
    talk = booted()
    talk.submit(order())
    assert talk.tx(ORDER, FAILED) == [ReadNonce()]
    talk.nonce(8)
    talk.nonce(8)
    assert talk.fates() == [("order1", "without effect")]
    assert talk.lane.ready


def test_a_failed_order_whose_nonce_is_free_is_followed_by_a_burn() -> None:
    talk = booted()
    talk.submit(order())
    talk.tx(ORDER, FAILED)
    assert sent(talk.nonce(7)) == [BURN]


def test_a_failed_order_beside_an_absent_burn_is_the_consumer_in_the_end() -> None:
    talk = booted()
    talk.submit(order())
    talk.tx(ORDER, FAILED)
    talk.nonce(7)
    talk.answers(BURN, UNKNOWN)
    talk.nonce(8)
    talk.ms += PROBE_AFTER_MS
    talk.nonce(8)
    talk.tx(PROBE, EXECUTED)
    talk.ms += LAG_MS
    talk.tx(BURN, NOT_FOUND)
    talk.nonce(9)
    assert talk.fates() == [("burn", "without effect"), ("order1", "without effect")]
    assert talk.lane.ready


def test_a_slow_answer_is_no_proof_of_absence() -> None:
    """Asked before the lag was over, answered after it: what it saw is older than the lag allows."""
    old = candidate(order(), nonce=7)
    talk = LaneTalk(Lane(read_lag_ms=500, restored=(old,)))
    talk.lane.start()
    talk.nonce(7)
    talk.answers(BURN, UNKNOWN)
    assert ReadTx(tx_hash=old.tx_hash) in talk.nonce(8)  # the question that will be answered late
    talk.tx(BURN, EXECUTED)
    talk.ms += 400
    assert talk.tx(old.tx_hash, NOT_FOUND) == []


# --- findings: what must not happen ------------------------------------------------------------------------------


def test_a_bad_nonce_answer_while_reads_lag_does_not_send_again_at_once() -> None:
    talk = booted()
    lost(talk)  # it has executed, but no read shows it yet
    sends = len(sent(talk.nonce(7)))
    for _ in range(5):
        for command in talk.answers(ORDER, AnswerKind.BAD_NONCE):
            if isinstance(command, ReadNonce):
                sends += len(sent(talk.nonce(7)))
    assert sends <= 2, f"{sends} sends in one moment"


def test_a_failed_probe_is_signed_anew() -> None:
    talk = booted()
    probed(talk)
    talk.tx(PROBE, FAILED)
    prepare = only(talk.lane.step(NonceRead(nonce=8), talk.now, talk.wanted), Prepare)
    assert [(one.nonce, one.request) for one in prepare] == [(8, BurnRequest())]


def test_an_expired_probe_is_signed_anew() -> None:
    talk = booted()
    probed(talk)
    talk.ms += 700_000
    prepare = only(talk.lane.step(NonceRead(nonce=8), talk.now, talk.wanted), Prepare)
    assert [(one.nonce, one.request) for one in prepare] == [(8, BurnRequest())]


def test_a_failed_burn_is_signed_anew() -> None:
    talk = LaneTalk(Lane(read_lag_ms=LAG_MS))
    talk.lane.start()
    talk.nonce(7)
    talk.tx(BURN, FAILED)
    prepare = only(talk.lane.step(NonceRead(nonce=7), talk.now, talk.wanted), Prepare)
    assert [(one.nonce, one.request) for one in prepare] == [(7, BurnRequest())]


# --- superseded --------------------------------------------------------------------------------------------------


def test_a_nonce_that_moves_while_nothing_of_ours_is_out_means_superseded() -> None:
    talk = booted()
    assert talk.nonce(7) == []
    assert not talk.lane.superseded
    talk.nonce(8)
    assert talk.lane.superseded
    assert talk.lane.unresolved == 0


def test_a_nonce_far_above_what_we_sent_means_superseded() -> None:
    talk = booted()
    lost(talk)
    talk.nonce(10)
    talk.nonce(10)
    assert talk.lane.superseded


def test_a_superseded_lane_says_nothing_ever_again() -> None:
    talk = booted()
    talk.nonce(8)
    assert talk.wait(60_000) == []
    assert talk.nonce(9) == []
    assert talk.tx(ORDER, EXECUTED) == []
    assert not talk.lane.ready


def test_the_clock_of_the_builders_begins_where_they_say() -> None:
    assert at(0) == (MONO_MS, WALL_MS)

"""One API key: what is sent, when the nonce is settled, and by what."""

import pytest
from tests.unit.domain.builders import (
    LAG_MS,
    MONO_MS,
    WALL_MS,
    at,
    candidate,
    coid,
    entries,
    filled_row,
    one,
    only,
    order,
    sent,
)
from tests.unit.domain.lane_talk import (
    ACCEPTED,
    BURN,
    EXECUTED,
    FAILED,
    NOT_FOUND,
    ORDER,
    PENDING,
    PROBE,
    REJECTED,
    UNKNOWN,
    lost,
    probed,
)
from tests.unit.domain.talk import LaneTalk, booted

from lighter_hedge.domain.commands import NonceSettled, Prepare, ReadNonce, ReadOrders, ReadTx
from lighter_hedge.domain.events import (
    AnswerKind,
    BurnRequest,
    CancelRequest,
    NonceRead,
    PrepareFailed,
)
from lighter_hedge.domain.lane import Lane
from lighter_hedge.domain.lane_limits import (
    ANSWER_MS_MAX,
    EVIDENCE_MS_MAX,
    POLL_MS,
    POLL_MS_MAX,
    PROBE_AFTER_MS,
)
from lighter_hedge.domain.lane_words import LanePhase

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


def test_a_refusal_proves_nothing_about_a_transaction_that_has_executed() -> None:
    """The network may double a request: one copy executes, and the answer that comes is that of the other."""
    talk = booted()
    talk.submit(order())
    talk.tx(ORDER, EXECUTED)
    assert talk.answers(ORDER, REJECTED, 21734) == []
    assert ReadOrders(coids=(coid(1),)) in talk.wait(ANSWER_MS_MAX + POLL_MS_MAX)
    talk.lane.evidence(coid(1), talk.now)
    assert talk.fates() == [("order1", "executed")]


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


def test_a_nonce_beyond_the_probe_means_superseded() -> None:
    talk = booted()
    probed(talk)
    talk.nonce(10)
    assert talk.lane.superseded


def test_a_status_of_an_order_that_was_not_sent_settles_nothing() -> None:
    talk = booted()
    talk.signed(talk.lane.prepare(order()))
    assert talk.tx(ORDER, NOT_FOUND) == []
    assert talk.lane.ready
    assert talk.fates() == []


def test_a_cancel_that_cannot_be_signed_is_told() -> None:
    talk = booted()
    prepare = one(talk.lane.submit(CancelRequest(coid=coid(1))), Prepare)
    talk.lane.step(PrepareFailed(ticket=prepare.ticket, reason="no key"), talk.now, talk.wanted)
    assert talk.fates() == [("cancel1", "unsigned")]


def test_a_new_probe_remembers_the_ones_before_it() -> None:
    """Any of them may have used the nonce up."""
    talk = booted()
    probed(talk)
    first = talk.lane._probe
    talk.tx(PROBE, FAILED)
    talk.wait(2_000)
    assert sent(talk.nonce(8)) == [PROBE]
    second = talk.lane._probe
    assert first is not None
    assert second is not None
    assert second.all == (first, second)

"""One API key: how long it waits for what, and what exactly it says when it is over."""

import pytest
from tests.unit.domain.builders import LAG_MS, SIGNATURE_MS, candidate, coid, entries, one, order, row, sent
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

from lighter_hedge.domain.commands import Command, NonceSettled, Prepare, ReadNonce, ReadTx
from lighter_hedge.domain.events import AnswerKind, CancelRequest, Candidate, NonceRead, Prepared, PrepareFailed
from lighter_hedge.domain.lane import Lane
from lighter_hedge.domain.lane_limits import (
    ANSWER_MS_MAX,
    POLL_MS,
    POLL_MS_MAX,
    PROBE_AFTER_MS,
    SIGNATURE_MARGIN_MS,
)
from lighter_hedge.domain.lane_words import Fate, LanePhase, Settlement


def starting(*restored: Candidate) -> LaneTalk:
    talk = LaneTalk(Lane(read_lag_ms=LAG_MS, restored=restored))
    talk.lane.start()
    return talk


def unsigned(talk: LaneTalk, nonce: int) -> list[Command]:
    """The nonce is read, and the signer takes its time."""
    return talk.lane.step(NonceRead(nonce=nonce), talk.now, talk.wanted)


def quiet_until(talk: LaneTalk, ms: int) -> list[Command]:
    """Nothing is asked before ``ms`` are over; what is asked then."""
    assert talk.wait(ms - 1) == []
    return talk.wait(1)


# --- waits ----------------------------------------------------------------------------------------------------------


def test_a_start_asks_for_the_nonce_twice_a_second() -> None:
    talk = starting()
    assert talk.wait(0) == [ReadNonce()]
    for _ in range(3):
        assert quiet_until(talk, POLL_MS) == [ReadNonce()]


def test_older_fates_are_asked_for_ever_less_often_until_one_is_told() -> None:
    talk = booted(restored=(candidate(order(1), nonce=4), candidate(order(2), nonce=5)))
    for ms in (POLL_MS, 2 * POLL_MS, 4 * POLL_MS, 8 * POLL_MS, POLL_MS_MAX, POLL_MS_MAX):
        assert len(quiet_until(talk, ms)) == 2
    talk.tx("order1@4", NOT_FOUND)
    assert talk.wait(POLL_MS_MAX) == [ReadTx(tx_hash="order2@5")]
    assert quiet_until(talk, POLL_MS) == [ReadTx(tx_hash="order2@5")]


def test_a_burn_that_cannot_be_signed_is_not_asked_for_again_at_once() -> None:
    talk = starting()
    prepare = one(unsigned(talk, 7), Prepare)
    talk.lane.step(PrepareFailed(ticket=prepare.ticket, reason="busy"), talk.now, talk.wanted)
    assert quiet_until(talk, POLL_MS) == [ReadNonce()]


def test_while_the_first_burn_is_being_signed_nothing_is_asked() -> None:
    talk = starting()
    unsigned(talk, 7)
    assert quiet_until(talk, ANSWER_MS_MAX) == [ReadNonce()]


def test_while_a_burn_is_being_signed_nothing_is_asked() -> None:
    talk = booted()
    lost(talk)
    talk.wanted = lambda _: False
    unsigned(talk, 7)
    assert quiet_until(talk, ANSWER_MS_MAX) == [ReadTx(tx_hash=ORDER), ReadNonce()]


def test_a_bad_nonce_is_looked_into_after_a_moment() -> None:
    talk = booted()
    talk.submit(order())
    assert talk.answers(ORDER, AnswerKind.BAD_NONCE) == []
    assert talk.lane.phase is LanePhase.RESOLVING
    assert quiet_until(talk, POLL_MS) == [ReadTx(tx_hash=ORDER), ReadNonce()]


def test_a_row_is_asked_for_a_moment_after_the_execution() -> None:
    talk = booted()
    talk.submit(order())
    talk.tx(ORDER, EXECUTED)
    assert quiet_until(talk, POLL_MS)


def test_a_proved_nonce_is_looked_up_when_the_lag_is_over() -> None:
    talk = booted()
    probed(talk)
    talk.tx(PROBE, EXECUTED)
    assert ReadTx(tx_hash=ORDER) in quiet_until(talk, LAG_MS)


def test_a_probe_that_was_not_found_delays_no_question() -> None:
    talk = booted()
    probed(talk)
    talk.ms += 10 * ANSWER_MS_MAX
    talk.tx(PROBE, NOT_FOUND)
    assert ReadTx(tx_hash=PROBE) in talk.wait(0)


def test_a_consumed_nonce_is_probed_after_its_time_and_not_before() -> None:
    talk = booted()
    lost(talk)
    talk.nonce(8)
    assert talk.nonce(8) == []
    talk.ms += PROBE_AFTER_MS - 1
    assert talk.nonce(8) == []
    talk.ms += 1
    assert sent(talk.nonce(8)) == [PROBE]


def test_the_next_unknown_is_asked_for_as_quickly_as_the_first_and_probed_as_late() -> None:
    talk = booted()
    lost(talk)
    for _ in range(4):
        talk.wait(POLL_MS_MAX)
    talk.nonce(8)
    talk.lane.evidence(coid(1), talk.now)
    talk.answers(talk.submit(order(2)), UNKNOWN)
    assert quiet_until(talk, POLL_MS)
    talk.ms += PROBE_AFTER_MS
    assert sent(talk.nonce(9)) == [], "only now is it known to be consumed"


def test_at_a_start_a_higher_burn_has_its_own_time() -> None:
    talk = starting()
    talk.nonce(7)
    talk.answers(BURN, AnswerKind.BAD_NONCE)
    talk.nonce(8)
    talk.ms += PROBE_AFTER_MS
    assert sent(talk.nonce(8)) == [PROBE]
    assert sent(talk.nonce(9)) == []
    talk.tx(PROBE, EXECUTED)
    assert ReadTx(tx_hash=BURN) in talk.wait(LAG_MS), "what the lower one became is still to be read"


@pytest.mark.parametrize(("left_ms", "again"), [(SIGNATURE_MARGIN_MS + 1, True), (SIGNATURE_MARGIN_MS, False)])
def test_bytes_are_sent_again_until_their_signature_is_about_to_end(left_ms: int, again: bool) -> None:
    talk = booted()
    lost(talk)
    talk.ms += SIGNATURE_MS - left_ms
    assert sent(talk.nonce(7)) == [ORDER if again else BURN]

    fenced = booted()
    lost(fenced)
    fenced.wanted = lambda _: False
    fenced.nonce(7)
    fenced.ms += SIGNATURE_MS - left_ms
    assert bool(sent(unsigned(fenced, 7))) is again, "a burn that ends is signed anew"


# --- one thing at a time --------------------------------------------------------------------------------------------


def test_a_probe_is_asked_to_be_signed_once() -> None:
    talk = booted()
    lost(talk)
    talk.nonce(8)
    talk.ms += PROBE_AFTER_MS
    assert [type(command) for command in unsigned(talk, 8)] == [Prepare]
    assert unsigned(talk, 8) == []


def test_a_failed_probe_is_asked_to_be_signed_anew_once() -> None:
    talk = booted()
    probed(talk)
    talk.tx(PROBE, FAILED)
    assert [type(command) for command in unsigned(talk, 8)] == [Prepare]
    assert unsigned(talk, 8) == []


def test_a_refused_burn_says_nothing_of_the_order_sent_before_it() -> None:
    talk = booted()
    lost(talk)
    talk.wanted = lambda _: False
    assert sent(talk.nonce(7)) == [BURN]
    talk.answers(BURN, REJECTED, 21701)
    assert talk.fates() == []
    assert talk.lane.phase is LanePhase.RESOLVING


def test_a_refused_orders_bytes_are_of_no_use() -> None:
    talk = booted()
    talk.submit(order())
    talk.answers(ORDER, REJECTED, 21701)
    assert talk.lane.prepared(coid(1)) is None


def test_what_is_pending_beside_a_burn_is_waited_for() -> None:
    talk = booted()
    lost(talk)
    talk.wanted = lambda _: False
    talk.nonce(7)
    talk.answers(BURN, UNKNOWN)
    talk.nonce(8)
    talk.tx(ORDER, PENDING)
    talk.tx(BURN, NOT_FOUND)
    talk.ms += 10 * PROBE_AFTER_MS
    assert talk.nonce(8) == []


def test_a_status_of_one_that_never_left_says_nothing_of_the_one_that_did() -> None:
    talk = booted()
    talk.signed(talk.lane.prepare(order(1)))
    talk.submit(order(2))
    assert talk.tx(ORDER, FAILED) == []
    assert talk.lane.phase is LanePhase.SENT


def test_every_row_of_an_answer_is_looked_at() -> None:
    talk = booted()
    lost(talk)
    talk.orders((coid(2), coid(1)), row(2), row(1))
    assert talk.fates() == [("order1", "executed")]


def test_two_nonces_above_without_a_probe_of_ours_means_superseded() -> None:
    talk = booted()
    talk.signed(talk.lane.prepare(order(2)))
    lost(talk)
    talk.nonce(9)
    talk.nonce(9)
    assert talk.lane.superseded
    assert talk.lane.prepared(coid(2)) is None, "nothing of it will ever be sent"


def test_absence_is_no_proof_before_the_probe_and_the_lag() -> None:
    talk = booted()
    probed(talk)
    talk.tx(PROBE, EXECUTED)
    talk.ms += LAG_MS - 1
    talk.tx(ORDER, NOT_FOUND)
    talk.nonce(9)
    assert not talk.lane.superseded


# --- words ----------------------------------------------------------------------------------------------------------


def test_a_settlement_says_what_settled_it_and_what_the_venue_said() -> None:
    talk = booted()
    lost(talk)
    talk.wanted = lambda _: False
    talk.nonce(7)
    talk.tx(BURN, EXECUTED, error="21706 too large")
    burnt, ran = talk.lane.take_settlements()
    assert (burnt.tx_hash, burnt.code, burnt.message) == (ORDER, 0, "another transaction took its nonce")
    assert (ran.tx_hash, ran.fate, ran.message) == (BURN, Fate.WITHOUT_EFFECT, "21706 too large")


def test_a_refusal_says_the_venues_code_and_words() -> None:
    talk = booted()
    talk.submit(order())
    talk.answers(ORDER, REJECTED, 21701, "size")
    refused = Settlement(request=order(), fate=Fate.REFUSED, tx_hash=ORDER, code=21701, message="size")
    assert talk.lane.take_settlements() == [refused]


def test_what_could_not_be_signed_says_why() -> None:
    talk = booted()
    prepare = one(talk.lane.submit(CancelRequest(coid=coid(1))), Prepare)
    talk.lane.step(PrepareFailed(ticket=prepare.ticket, reason="no key"), talk.now, talk.wanted)
    assert [settled.message for settled in talk.lane.take_settlements()] == ["no key"]


def test_what_was_signed_too_late_says_so() -> None:
    talk = booted()
    slow = one(talk.lane.submit(order(1)), Prepare)
    talk.lane.nonce = 8  # as if the nonce had gone meanwhile
    talk.lane.step(Prepared(ticket=slow.ticket, candidate=candidate(order(1), nonce=7)), talk.now, talk.wanted)
    assert [settled.message for settled in talk.lane.take_settlements()] == [
        "its nonce was consumed while it was being signed"
    ]


def test_both_nonces_say_why_they_are_settled() -> None:
    talk = booted()
    probed(talk)
    talk.tx(PROBE, EXECUTED)
    settled = entries(talk.lane.evidence(coid(1), talk.now), NonceSettled)
    assert [entry.why for entry in settled] == ["executed", "probe"]


def test_a_start_that_lost_its_nonce_to_an_older_order_asks_for_the_next() -> None:
    talk = starting(candidate(order(), nonce=7))
    talk.nonce(7)
    talk.answers(BURN, AnswerKind.BAD_NONCE)
    talk.nonce(8)
    talk.tx(ORDER, EXECUTED)
    assert ReadNonce() in talk.orders((coid(1),), row())


def test_what_lost_against_the_starts_burn_need_not_be_read() -> None:
    talk = starting(candidate(order(), nonce=7))
    talk.nonce(7)
    talk.answers(BURN, ACCEPTED)
    talk.tx(BURN, EXECUTED)
    assert talk.fates() == [("order1", "without effect"), ("burn", "executed")]
    assert talk.wait(LAG_MS) == []
    assert talk.lane.booted

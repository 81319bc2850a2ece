"""One API key: what is sent, when the nonce is settled, and by what."""

from tests.unit.domain.builders import LAG_MS, candidate, coid, entries, one, only, order, row, sent
from tests.unit.domain.lane_talk import ACCEPTED, BURN, EXECUTED, NOT_FOUND, ORDER, PENDING, PROBE, UNKNOWN
from tests.unit.domain.talk import LaneTalk, booted

from lighter_hedge.domain.commands import NonceSettled, Prepare, ReadNonce, ReadOrders, ReadTx
from lighter_hedge.domain.events import (
    AnswerKind,
    CancelRequest,
    NonceRead,
    Prepared,
    PrepareFailed,
)
from lighter_hedge.domain.lane import Lane
from lighter_hedge.domain.lane_limits import (
    POLL_MS,
    PROBE_AFTER_MS,
    THROTTLED_MS,
)
from lighter_hedge.domain.lane_words import LanePhase

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

"""Bugs in what is known of a transaction: the nonce as a fence, and when its fate is known."""

from typing import Any

from tests.mutants.bug import Plant, bug

from lighter_hedge.domain import lane_limits
from lighter_hedge.domain.commands import NonceSettled, Record
from lighter_hedge.domain.events import AnswerKind, BurnRequest, TxStatus
from lighter_hedge.domain.lane import Lane
from lighter_hedge.domain.lane_words import Fate, LanePhase


def _give_up(lane: Any, held: Any, why: str) -> list[Any]:
    """Call a transaction dead, and take the next nonce."""
    lane._settle(held, Fate.WITHOUT_EFFECT, message=why)
    commands = [Record(entry=NonceSettled(nonce=lane.nonce, winner="", why=why))]
    lane.nonce += 1
    lane._held.clear()
    lane._winner, lane._consumed_ms, lane._probe = "", None, None
    lane.phase = LanePhase.READY
    return commands


def _given_up_at(kind: AnswerKind) -> Any:
    def make(real: Any) -> Any:
        def on_answer(lane: Any, event: Any, now: Any) -> Any:
            held = lane._held.get(event.tx_hash)
            known = held is not None and lane.phase in (LanePhase.SENT, LanePhase.RESOLVING)
            if known and not lane._booting and event.answer.kind is kind:
                return _give_up(lane, held, "given up")
            return real(lane, event, now)

        return on_answer

    return make


@bug("domain.lane._on_answer", "H6 H10", "once gate")
def unanswered_send_counts_as_lost(plant: Plant) -> None:
    """A send without an answer has failed: the next order goes out under a fresh nonce."""
    plant.around(Lane, "_on_answer", _given_up_at(AnswerKind.UNKNOWN))


@bug("domain.lane._on_answer", "H10 E2", "once gate")
def bad_nonce_proves_death(plant: Plant) -> None:
    """21104 alone says that the order never executes."""
    plant.around(Lane, "_on_answer", _given_up_at(AnswerKind.BAD_NONCE))


@bug("domain.lane._on_tx", "H6 E2", "once gate")
def not_found_proves_death(plant: Plant) -> None:
    """A transaction that cannot be read by its hash was never taken."""

    def make(real: Any) -> Any:
        def on_tx(lane: Any, event: Any, now: Any) -> Any:
            held = lane._held.get(event.tx_hash)
            resolving = lane.phase is LanePhase.RESOLVING and not lane._booting and lane._probe is None
            if held is not None and held.sends and resolving and event.status is TxStatus.NOT_FOUND:
                return _give_up(lane, held, "not found")
            return real(lane, event, now)

        return on_tx

    plant.around(Lane, "_on_tx", make)


@bug("domain.lane._on_orders", "H39 E2", "once gate")
def missing_row_before_the_read_lag_proves_death(plant: Plant) -> None:
    """An executed order whose row cannot be read at once does not exist."""

    def make(real: Any) -> Any:
        def on_orders(lane: Any, event: Any, now: Any) -> Any:
            lag_ms, lane.read_lag_ms = lane.read_lag_ms, -1_000_000
            try:
                return real(lane, event, now)
            finally:
                lane.read_lag_ms = lag_ms

        return on_orders

    plant.around(Lane, "_on_orders", make)


@bug("domain.lane._boot_burn", "H20 H27 H28 E6", "once gate")
def no_burn_at_a_start(plant: Plant) -> None:
    """A start takes the key's nonce as it is: nothing fences what is still on its way."""

    def boot(lane: Any, nonce: int, now: Any) -> list[Any]:
        lane.nonce = max(nonce, lane.nonce)
        lane.phase = LanePhase.LAGGING
        lane._deadline_ms = now.mono_ms
        lane._fates.readable_from(now.mono_ms)
        return []

    plant.set(Lane, "_boot_burn", boot)


@bug("domain.fates.Fates.readable_from", "H20 E6", "once gate")
def old_fates_are_read_before_the_read_lag(plant: Plant) -> None:
    """After the start's burn, a reading counts at once."""

    def make(real: Any) -> Any:
        def next_nonce(lane: Any, winner: str, why: str, now: Any, *, fenced: bool = False) -> Any:
            commands = real(lane, winner, why, now, fenced=fenced)
            if lane.phase is LanePhase.LAGGING:
                lane._deadline_ms = now.mono_ms
                lane._fates.readable_from(-1_000_000)
            return commands

        return next_nonce

    plant.around(Lane, "_next_nonce", make)


@bug("domain.lane._on_refusal", "H6 H7", "superseded_by_nobody once gate assertion")
def refusal_of_one_send_speaks_for_all(plant: Plant) -> None:
    """The refusal of a re-sent order says that no earlier send of it executes."""

    def on_refusal(lane: Any, held: Any, fate: Fate, answer: Any, now: Any) -> list[Any]:
        if lane._booting:
            lane.phase, lane._deadline_ms = LanePhase.RESOLVING, now.mono_ms + lane_limits.POLL_MS
            return []
        held.sends = 0
        lane.phase = LanePhase.READY
        lane._held.drop(held.candidate.tx_hash)
        lane._settle(held, fate, code=answer.code, message=answer.message)
        return []

    plant.set(Lane, "_on_refusal", on_refusal)


@bug("domain.probe.Probe", "E2", "once gate")
def time_alone_makes_a_zero(plant: Plant) -> None:
    """A consumed nonce whose consumer cannot be read for two seconds was consumed by nothing: no proof by the next."""

    def make(real: Any) -> Any:
        def resolve(lane: Any, nonce: int, now: Any, wanted: Any) -> Any:
            late = lane._consumed_ms is not None and now.mono_ms - lane._consumed_ms >= lane_limits.PROBE_AFTER_MS
            if late and not lane._booting and not lane._winner and nonce > lane.nonce and lane._held.sent():
                return _give_up(lane, lane._held.sent()[0], "nobody knows")
            return real(lane, nonce, now, wanted)

        return resolve

    plant.around(Lane, "_resolve", make)


@bug("domain.lane._still_wanted", "H6 E4", "sent_in_time once gate")
def lost_order_is_sent_again_unwanted(plant: Plant) -> None:
    """An order that did not arrive is sent again, whatever has happened since."""

    def wanted(lane: Any, held: Any, now: Any, wanted: Any) -> bool:
        request = held.candidate.request
        return not lane._booting and not held.dead and not isinstance(request, BurnRequest)

    plant.set(Lane, "_still_wanted", wanted)


@bug("domain.tickets.Tickets.sending", "H10", "once gate assertion")
def second_order_while_one_is_being_signed(plant: Plant) -> None:
    """The key counts as free while an order is being signed for it, and once one has left."""
    plant.set(Lane, "ready", property(lambda lane: lane.phase in (LanePhase.READY, LanePhase.SENT)))

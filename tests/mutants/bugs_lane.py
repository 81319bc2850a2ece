"""Bugs in what is known of a transaction: the nonce as a fence, and when its fate is known."""

from typing import Any

from tests.mutants.bug import Plant, bug

from lighter_hedge.domain import lane_limits
from lighter_hedge.domain.candidates import Candidates
from lighter_hedge.domain.commands import NonceSettled, Record
from lighter_hedge.domain.events import AnswerKind, BurnRequest, TxStatus
from lighter_hedge.domain.fates import Fates
from lighter_hedge.domain.lane import Lane
from lighter_hedge.domain.lane_words import Fate, LanePhase, Settlement
from lighter_hedge.domain.probe import Probe


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


@bug("domain.lane._next_nonce", "H20 E6", "once gate")
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


@bug("domain.fates.Fates.ask", "H3 H20 E1", "once gate nothing_lost assertion")
def old_orders_count_as_never_sent(plant: Plant) -> None:
    """At a start, whatever was signed before and has no known fate was never sent."""

    def forget(fates: Any) -> list[Any]:
        fates.unread.clear()
        return []

    plant.set(Fates, "ask", forget)

    def end_boot(lane: Any) -> list[Any]:
        lane._booting = False
        lane.phase = LanePhase.READY
        for candidate in lane.restored:
            lane.settlements.append(_dead(candidate))
        return []

    plant.set(Lane, "_end_boot", end_boot)


def _dead(candidate: Any) -> Any:
    return Settlement(request=candidate.request, fate=Fate.WITHOUT_EFFECT, tx_hash=candidate.tx_hash, message="old")


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


@bug("domain.lane._supersede", "H27 H28", "once gate assertion")
def superseded_instance_goes_on(plant: Plant) -> None:
    """Who finds its nonce used by a stranger takes the next one and goes on."""

    def adopt(lane: Any, nonce: int) -> None:
        for held in lane._held:
            if held.sends:
                lane._settle(held, Fate.WITHOUT_EFFECT, message="a stranger took its nonce")
        lane.nonce = nonce
        lane._held.clear()
        lane._winner, lane._consumed_ms, lane._probe = "", None, None
        lane.phase = LanePhase.READY

    plant.set(Lane, "_supersede", adopt)


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


@bug("domain.probe.Probe.reported", "E2", "once gate")
def probe_proves_before_it_has_run(plant: Plant) -> None:
    """An accepted no-op at the next nonce settles this one, executed or not, and at once."""

    def reported(probe: Any, status: TxStatus, mono_ms: int) -> bool:
        probe._status = status
        return bool(probe._prove(-1_000_000))

    plant.set(Probe, "reported", reported)


@bug("domain.lane._still_wanted", "H6 E4", "sent_in_time once gate")
def lost_order_is_sent_again_unwanted(plant: Plant) -> None:
    """An order that did not arrive is sent again, whatever has happened since."""

    def wanted(lane: Any, held: Any, now: Any, wanted: Any) -> bool:
        request = held.candidate.request
        return not lane._booting and not held.dead and not isinstance(request, BurnRequest)

    plant.set(Lane, "_still_wanted", wanted)


@bug("domain.candidates.Candidates.absent", "E2", "once gate")
def one_reading_of_many_proves_absence(plant: Plant) -> None:
    """Of several candidates of a nonce, only the last one's reading counts, however old."""
    plant.set(Candidates, "absent", lambda held, since_ms: True)


@bug("domain.tickets.Tickets.sending", "H10", "once gate assertion")
def second_order_while_one_is_being_signed(plant: Plant) -> None:
    """The key counts as free while an order is being signed for it, and once one has left."""
    plant.set(Lane, "ready", property(lambda lane: lane.phase in (LanePhase.READY, LanePhase.SENT)))

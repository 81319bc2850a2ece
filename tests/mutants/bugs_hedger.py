"""Bugs of account B: what it hedges, how much, at what price, and when it stops."""

from dataclasses import replace
from typing import Any

from tests.mutants.bug import Plant, bug
from tests.mutants.bugs_books import guard_off
from tests.mutants.bugs_maker import hedge_reasons_without

from lighter_hedge.domain import arming, quoting, reach
from lighter_hedge.domain.arming import Arming
from lighter_hedge.domain.commands import Prepare, Record, StoodDownChanged
from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import TradeReported
from lighter_hedge.domain.flattening import StandingDown
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.reach import Reach
from lighter_hedge.domain.states import Armed, Confirm, Role, StoodDown
from lighter_hedge.domain.tries import Tries
from lighter_hedge.domain.units import Side


@bug("domain.hedger._hedge", "H8 H38", "once", saved_by="domain.guard.SendGuard._hedge", unsave=guard_off)
def hedges_more_than_is_missing(plant: Plant) -> None:
    """A hedge is half as large again as what is missing."""

    def make(real: Any) -> Any:
        def order(machine: Any, side: Any, lots: int, *rest: Any, **options: Any) -> Any:
            return real(machine, side, lots * 3 // 2, *rest, **options)

        return order

    plant.around(Hedger, "_order", make)


@bug("domain.arming.Arming.update", "H13 E7", "once", saved_by="domain.guard.SendGuard._hedge", unsave=guard_off)
def arms_for_the_quote_alone(plant: Plant) -> None:
    """The armed hedge is of the quote's size, without the residual, and goes out as it is."""

    def make(real: Any) -> Any:
        def update(armed: Any, announce: Any, unfit: str, make_order: Any, now: Any) -> Any:
            def of_quote(side: Any, lots: int, cap: int, number: int) -> Any:
                lots, side = announce.lots, Side.of_sign(-announce.side.sign)
                return make_order(side, lots, cap, number)

            return real(armed, announce, unfit, of_quote, now)

        return update

    plant.around(Arming, "update", make)


@bug("domain.arming.Arming.candidate", "H1 E1", "once", saved_by="domain.guard.SendGuard._hedge", unsave=guard_off)
def armed_hedge_goes_for_any_fill(plant: Plant) -> None:
    """The armed hedge of a full fill is sent for a part of it too."""

    def candidate(armed: Any, wanted: int) -> Any:
        held = armed._held
        fits = held is not None and held.lots * wanted > 0
        return armed.core.lane.prepared(held.coid) if fits else None

    plant.set(Arming, "candidate", candidate)


@bug("domain.hedger._hedge", "H5 H22", "prompt false_pause never_silent")
def hedges_by_messages_alone(plant: Plant) -> None:
    """B hears of A's fills from A alone: its own copy of A's account is not looked at."""

    def make(real: Any) -> Any:
        def step(core: Any, event: Any, now: Any, wanted: Any) -> Any:
            if core.role is Role.HEDGER and isinstance(event, TradeReported) and event.role is Role.MAKER:
                return []
            return real(core, event, now, wanted)

        return step

    plant.around(Core, "step", make)
    plant.set(Core, "attribute_unseen_fills", lambda core, now, *, silent: [])


@bug("domain.hedger._hedge", "H22 H19", "prompt never_silent")
def hedges_only_while_the_maker_is_heard(plant: Plant) -> None:
    """B waits for A's word before it hedges."""

    def make(real: Any) -> Any:
        def hedge(machine: Any, wanted: int, now: Any) -> Any:
            silent = machine.peer.silent(now, machine.core.settings.heartbeat_ms_max)
            return [] if silent else real(machine, wanted, now)

        return hedge

    plant.around(Hedger, "_hedge", make)


@bug("domain.hedger._too_little", "H13 E8 H38", "runaway needless_pause")
def dust_is_hedged(plant: Plant) -> None:
    """B tries to hedge less than the exchange takes, until its tries are used up."""
    plant.set(Hedger, "_too_little", lambda machine, lots: False)


@bug("domain.tries.Tries.count_one", "H9 E20", "tries_kept")
def tries_are_not_counted(plant: Plant) -> None:
    """B tries for ever, and never says that it cannot."""

    def make(real: Any) -> Any:
        def count_one(tries: Any, word: str, settings: Any, mono_ms: int) -> Any:
            commands = real(tries, word, settings, mono_ms)
            tries.count = 0
            return commands

        return count_one

    plant.around(Tries, "count_one", make)


@bug("domain.tries.Tries.fail", "E20 E21", "tries_hold")
def failure_is_only_said(plant: Plant) -> None:
    """B says that it has failed, and goes on."""

    def make(real: Any) -> Any:
        def fail(tries: Any, *args: Any) -> Any:
            return real(tries, *args)

        return fail

    plant.around(Tries, "fail", make)

    def make_hedge(real: Any) -> Any:
        def hedge(machine: Any, wanted: int, now: Any) -> Any:
            failed, count = machine.tries.failed, machine.tries.count
            if failed is None:
                return real(machine, wanted, now)
            machine.tries.failed, machine.tries.count = None, 0
            commands = real(machine, wanted, now)
            machine.tries.failed, machine.tries.count = failed, count
            return commands

        return hedge

    plant.around(Hedger, "_hedge", make_hedge)


@bug("domain.reach.Reach.cap", "H33 E14", "no_self_trade")
def hedge_may_meet_the_makers_rest(plant: Plant) -> None:
    """B does not look where A's order rests."""

    def make(real: Any) -> Any:
        def cap(reach: Any, side: Any, tries: int, now: Any) -> Any:
            settings = reach.core.settings
            reference = reach.reference()
            if reference <= 0:
                return 0, False
            ladder = settings.slippage_ladder_percent[min(tries, len(settings.slippage_ladder_percent) - 1)]
            return quoting.hedge_cap(reference, side, settings.slippage_bps_e2_max, ladder), False

        return cap

    plant.around(Reach, "cap", make)


@bug("domain.reach.Reach._expired", "H33 E14", "no_self_trade")
def dead_makers_quote_counts_as_gone(plant: Plant) -> None:
    """Where A is silent, its quote has ended."""
    plant.set(Reach, "_expired", lambda reach, order, now: True)


@bug("domain.hedger._order", "H33", "no_self_trade")
def self_trade_flags_are_left_out(plant: Plant) -> None:
    """Hedges do not ask the exchange to keep the accounts of one wallet apart."""

    def make(real: Any) -> Any:
        def order(*args: Any, **options: Any) -> Any:
            return replace(real(*args, **options), cross_account_guard=False)

        return order

    plant.around(Hedger, "_order", make)


@bug("domain.quoting.hedge_cap", "H9 H37", "collar")
def hedge_has_no_worst_price(plant: Plant) -> None:
    """A hedge takes whatever the market gives."""

    def cap(reference: int, side: Any, slippage: int, ladder: int) -> int:
        return max(1, reference - side.sign * -reference // 2) if side is Side.BID else max(1, reference // 2)

    plant.set(arming, "hedge_cap", cap)
    plant.set(reach, "hedge_cap", cap)
    plant.set(Reach, "_in_collar", lambda reach, cap, side: cap)


@bug("domain.arming._margin_reason", "H11 E15", "margin")
def margin_is_not_looked_at(plant: Plant) -> None:
    """B arms although it cannot pay for the hedge."""
    plant.set(Arming, "_margin_reason", lambda armed, announce: "")


@bug("domain.arming.Arming.update", "H3 E13", "armed rests_unarmed")
def arms_with_words_alone(plant: Plant) -> None:
    """B says that it is armed, and has signed nothing."""

    def answer(armed: Any) -> Any:
        announce = armed._held.announce if armed._held is not None else None
        if announce is None:
            return None
        return Armed(
            epoch=announce.epoch,
            round=announce.round,
            attempt=announce.attempt,
            coid=announce.coid,
            lots=-announce.side.sign * announce.lots,
        )

    plant.set(Arming, "answer", answer)
    plant.set(Arming, "_still_good", lambda armed, held, announce, lots, now: held.announce == announce)

    def make(real: Any) -> Any:
        def update(armed: Any, *args: Any) -> Any:
            return [one for one in real(armed, *args) if not isinstance(one, Prepare)]

        return update

    plant.around(Arming, "update", make)


@bug("domain.hedger._confirmation", "H15 H16", "gate")
def confirms_what_is_not_hedged(plant: Plant) -> None:
    """B confirms a round with its hedge open, and A takes B's word without its own books."""

    def confirmation(machine: Any) -> Any:
        core, state = machine.core, machine.peer.state
        if state is None or not core.recovered:
            return None
        cum = core.maker.round_filled(state.round)
        return Confirm(epoch=state.epoch, round=state.round, cum=cum, net=core.net)

    plant.set(Hedger, "_confirmation", confirmation)
    hedge_reasons_without(plant, "waiting for the hedge", "account B has a hedge", "position of account")


@bug("domain.flattening.StandingDown.blocks", "E5 H9", "stands_down standing_down_written once gate")
def stands_down_with_words_alone(plant: Plant) -> None:
    """B says that it has stood down, and goes on hedging."""
    plant.set(StandingDown, "blocks", lambda standing, state: False)

    def make(real: Any) -> Any:
        def decide(machine: Any, now: Any) -> Any:
            commands = real(machine, now)
            state, standing = machine.peer.state, machine.standing_down
            if state is not None and machine.core.recovered:
                wish = state.flatten
                standing.held = None if wish is None else _stood_down(wish, state)
            return commands

        return decide

    plant.around(Hedger, "_decide", make)


def _stood_down(wish: Any, state: Any) -> StoodDown:
    return StoodDown(id=wish.id, round=wish.round, cum=0, maker_epoch=state.epoch, maker_seq=state.seq)


@bug("domain.flattening.StandingDown.step", "E5 H6", "burnt once gate")
def stands_down_without_a_burn(plant: Plant) -> None:
    """B stands down while a hedge may still be on its way."""

    def make(real: Any) -> Any:
        def step(standing: Any, state: Any, now: Any) -> Any:
            wish = state.flatten if state is not None else None
            if wish is not None and (standing.held is None or standing.held.id != wish.id):
                standing.held = _stood_down(wish, state)
                return [Record(entry=StoodDownChanged(stood_down=standing.held))]
            return real(standing, state, now)

        return step

    plant.around(StandingDown, "step", make)

    def state_of(real: Any) -> Any:
        def state(machine: Any, now: Any, last: Any = None) -> Any:
            told = real(machine, now, last)
            return replace(told, unresolved=0) if told.stood_down is not None else told

        return state

    plant.around(Hedger, "state", state_of)


@bug("domain.closing.Closing.step", "E4", "clears_after_the_maker once gate nothing_lost converge go_on resume_works")
def hedger_clears_before_the_maker_is_flat(plant: Plant) -> None:
    """On ``clear`` B closes its own account at once, instead of following A."""
    plant.set(Hedger, "_maker_is_flat", lambda machine: True)

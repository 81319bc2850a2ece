"""Bugs of account A: when it may quote, how its quote ends, and what ends a pause."""

from dataclasses import replace
from typing import Any

from tests.mutants.bug import Plant, bug
from tests.mutants.bugs_books import guard_off

from lighter_hedge.domain import gate, guard, maker, quoting
from lighter_hedge.domain.book import Book
from lighter_hedge.domain.budget import Budget
from lighter_hedge.domain.commands import Alert, ModeChanged, Record
from lighter_hedge.domain.exposure import Since
from lighter_hedge.domain.flattening import Flattening
from lighter_hedge.domain.gate import Peer, View
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.lane_words import Fate
from lighter_hedge.domain.latch import Latch
from lighter_hedge.domain.limits import Limits
from lighter_hedge.domain.maker import Maker
from lighter_hedge.domain.peer import Heard
from lighter_hedge.domain.quoter import Quoter
from lighter_hedge.domain.resuming import Resuming
from lighter_hedge.domain.skew import Skew
from lighter_hedge.domain.states import Leg, Role

# --- arming -----------------------------------------------------------------------------------------------------------


@bug("domain.gate.Peer.armed_for", "H11 E13", "armed rests_unarmed")
def quotes_without_an_armed_hedger(plant: Plant) -> None:
    """A sends its quote without B's answer."""
    plant.set(Peer, "armed_for", lambda peer, announce: True)


@bug("domain.gate.Peer.armed_for", "E13 H16", "armed rests_unarmed")
def any_answer_of_the_hedger_counts(plant: Plant) -> None:
    """B armed for something once: that is enough for every quote."""

    def armed_for(peer: Any, announce: Any) -> bool:
        return peer.state is not None and peer.state.armed is not None

    plant.set(Peer, "armed_for", armed_for)


@bug("domain.gate.View.against_sending", "E13 H28 H15", "armed sent_in_time")
def answer_may_be_old(plant: Plant) -> None:
    """A sends its quote however long ago it was announced."""

    def make(real: Any) -> Any:
        def against_sending(view: Any, quote: Any) -> Any:
            return real(view, replace_announced(quote, view.now.mono_ms))

        return against_sending

    plant.around(View, "against_sending", make)


def replace_announced(quote: Any, mono_ms: int) -> Any:
    """A quote as if it had just been announced."""
    return gate.Quote(quote.announce, mono_ms, quote.sent_ms, quote.cancel_ms, quote.cancel_why)


@bug("domain.guard.SendGuard.refuses", "H28 E13", "armed")
def quote_may_be_held_up(plant: Plant) -> None:
    """A quote that was decided long ago is written when the process wakes."""
    plant.set(guard, "HELD_MS_MAX", 10**9)


@bug("domain.gate.View.against_resting", "E13", "rests_unarmed")
def quote_stays_without_an_armed_hedger(plant: Plant) -> None:
    """A's quote stays when B is no longer armed for it, whatever B says of itself."""
    no_more = "account B is no longer armed", "account B is not armed", "account B is starting"

    def make(real: Any) -> Any:
        def against_resting(view: Any, quote: Any, order: Any) -> str:
            why: str = real(view, quote, order)
            return "" if why.startswith(no_more) else why

        return against_resting

    plant.around(View, "against_resting", make)


@bug("domain.peer.Heard.silent", "H22 E13", "gone_when_silent rests_unarmed")
def silence_is_not_noticed(plant: Plant) -> None:
    """A hedger once heard is there for ever."""
    plant.set(Heard, "silent", lambda heard, now, limit_ms: heard.state is None)


@bug("domain.peer.Heard.hear", "H16 H17 H20", "converge prompt gone_when_silent")
def states_of_a_new_start_are_not_heard(plant: Plant) -> None:
    """A state counts as newer by its number alone: one that has started afresh is taken for an old one."""

    def make(real: Any) -> Any:
        def hear(heard: Any, state: Any, now: Any) -> bool:
            older = heard.state is not None and state.seq < heard.state.seq
            return False if older else bool(real(heard, state, now))

        return hear

    plant.around(Heard, "hear", make)


# --- the gate ---------------------------------------------------------------------------------------------------------


def hedge_reasons_without(plant: Plant, *words: str) -> None:
    """The gate's reasons about open rounds, without those that begin so."""

    def make(real: Any) -> Any:
        def hedge_reasons(core: Any, peer: Any, min_lots: int) -> list[str]:
            return [why for why in real(core, peer, min_lots) if not why.startswith(words)]

        return hedge_reasons

    plant.everywhere(gate.hedge_reasons, make(gate.hedge_reasons))


@bug("domain.gate.Peer.confirms", "H15 H16", "gate")
def any_confirmation_counts(plant: Plant) -> None:
    """The round is closed by whatever B says, and A's own books are not asked."""
    plant.set(Peer, "confirms", lambda peer, *_: peer.state is not None)
    hedge_reasons_without(plant, "waiting for the hedge", "account B has a hedge", "position of account")


@bug("domain.gate.hedge_reasons", "H15 E17", "gate")
def next_quote_does_not_wait_for_the_hedge(plant: Plant) -> None:
    """A announces its next quote while A + B is open, and closes the round by itself."""
    plant.set(Peer, "confirms", lambda peer, *_: True)
    hedge_reasons_without(plant, "waiting for the hedge", "account B has a hedge")


@bug("domain.gate.hedge_reasons", "H1 H2", "gate assertion")
def own_orders_are_forgotten(plant: Plant) -> None:
    """A quotes again although an order of its own has not ended, or a transaction is unresolved."""
    hedge_reasons_without(plant, "an order of account A", "a transaction of account A")

    def make(real: Any) -> Any:
        def cancel_settled(quoter: Any, settlement: Any, coid: int, now: Any) -> Any:
            commands = real(quoter, settlement, coid, now)
            if settlement.fate is Fate.EXECUTED and quoter.quote is not None and quoter.quote.announce.coid == coid:
                quoter.quote = None
            return commands

        return cancel_settled

    plant.around(Quoter, "cancel_settled", make)


@bug("domain.quoter.Quoter.cancel_settled", "H1", "gate once converge")
def cancel_is_trusted(plant: Plant) -> None:
    """An executed cancel ends the order with what it had filled by then."""

    def make(real: Any) -> Any:
        def cancel_settled(quoter: Any, settlement: Any, coid: int, now: Any) -> Any:
            if settlement.fate is Fate.EXECUTED:
                order = quoter.core.own.orders.get(coid)
                quoter.core.own.close(coid, "canceled")
                if order is not None:
                    order.lots = order.filled
            return real(quoter, settlement, coid, now)

        return cancel_settled

    plant.around(Quoter, "cancel_settled", make)


@bug("domain.quoter.Quoter.wanted", "H6 H28", "sent_in_time gate")
def lost_quote_is_sent_again_unasked(plant: Plant) -> None:
    """A quote that did not arrive is sent again, whatever the gate says by then."""
    plant.set(Quoter, "wanted", lambda quoter, request, view: not request.reduce_only)


@bug("domain.book.Book.stale", "H5 H37", "book_age")
def stale_book_is_quoted_from(plant: Plant) -> None:
    """A book without a frame for seconds is as good as a fresh one."""
    plant.set(Book, "stale", lambda book, mono_ms, age_ms_max: book.heard_ms < 0)


@bug("domain.skew.Skew.reasons", "H26 E23", "skewed")
def clock_is_trusted(plant: Plant) -> None:
    """A quotes by a clock that is minutes off."""
    plant.set(Skew, "reasons", lambda skew, now: [])


@bug("domain.budget.Budget.lacks", "H35 E16", "budget")
def requests_are_not_counted(plant: Plant) -> None:
    """A quotes on while the minute's requests are used up."""
    plant.set(Budget, "lacks", lambda budget, reserve, now: False)
    plant.set(maker, "HEDGE_RESERVE", -1)


@bug("domain.limits.Limits.exceeded", "H38", "notional")
def limits_are_never_reached(plant: Plant) -> None:
    """The day's loss and the hour's notional are not looked at."""
    plant.set(Limits, "exceeded", lambda limits, now: None)


# --- what is quoted, with the last look before the socket taken away --------------------------------------------------


@bug("domain.quoting.next_quote", "H38", "size_limit", saved_by="domain.guard.SendGuard._quote", unsave=guard_off)
def opening_quote_is_too_large(plant: Plant) -> None:
    """An opening quote is half as large again as configured."""

    def make(real: Any) -> Any:
        def next_quote(*args: Any, **options: Any) -> Any:
            side, lots, leg = real(*args, **options)
            return side, lots * 3 // 2 if leg is Leg.OPEN else lots, leg

        return next_quote

    plant.everywhere(quoting.next_quote, make(quoting.next_quote))


@bug("domain.quoting.next_quote", "H13 H38", "close_size", saved_by="domain.guard.SendGuard._quote", unsave=guard_off)
def closing_quote_is_too_large(plant: Plant) -> None:
    """A closing quote is of the configured quantity, not of what is held."""

    def make(real: Any) -> Any:
        def next_quote(settings: Any, position: int, *args: Any, **options: Any) -> Any:
            side, lots, leg = real(settings, position, *args, **options)
            return side, max(lots, settings.quantity) if leg is Leg.CLOSE else lots, leg

        return next_quote

    plant.everywhere(quoting.next_quote, make(quoting.next_quote))


@bug("domain.quoting.quote_price", "H37", "quote_collar", saved_by="domain.guard.SendGuard._quote", unsave=guard_off)
def price_is_a_fat_finger(plant: Plant) -> None:
    """Now and then a quote's price lies ten per cent away from the market."""

    def make(real: Any) -> Any:
        def quote_price(book: Any, side: Any, depth: int, own: Any = None) -> Any:
            price = real(book, side, depth, own)
            return None if price is None else price - side.sign * price // 10

        return quote_price

    plant.everywhere(quoting.quote_price, make(quoting.quote_price))


@bug("domain.maker._reasons", "H38", "order_rate")
def orders_of_a_minute_are_not_counted(plant: Plant) -> None:
    """A opens as often as it likes."""
    plant.set(Quoter, "orders_last_minute", lambda quoter, now: 0)


@bug("domain.quoter.QUOTE_EXPIRY_MARGIN_MS", "E14", "expiry")
def quotes_do_not_end_by_themselves(plant: Plant) -> None:
    """A quote rests for a day where nobody cancels it."""
    plant.set(maker, "QUOTE_EXPIRY_MARGIN_MS", 86_400_000)


# --- pauses -----------------------------------------------------------------------------------------------------------


@bug("domain.gate.latch_reasons", "H30 H31", "pause_holds")
def pause_does_not_hold(plant: Plant) -> None:
    """A quotes while the desk is paused."""
    plant.everywhere(gate.latch_reasons, lambda latch, *, flat: [])


@bug("domain.latch.Latch.hold", "E12 H19", "pause_written")
def pause_is_not_written_down(plant: Plant) -> None:
    """A pause lives in memory alone: a crash ends it."""

    def make(real: Any) -> Any:
        def hold(held: Any, *args: Any, **options: Any) -> Any:
            return [one for one in real(held, *args, **options) if not _is_mode(one)]

        return hold

    plant.around(Latch, "hold", make)


def _is_mode(command: Any) -> bool:
    return isinstance(command, Record) and isinstance(command.entry, ModeChanged)


@bug("domain.latch.Latch.hold", "H41", "alert_stored")
def pause_stores_no_alert(plant: Plant) -> None:
    """The desk pauses by itself, and no alert is stored."""

    def make(real: Any) -> Any:
        def hold(held: Any, *args: Any, **options: Any) -> Any:
            return [one for one in real(held, *args, **options) if not isinstance(one, Alert)]

        return hold

    plant.around(Latch, "hold", make)


@bug("domain.maker._on_operator", "E12", "ended_by_a_person")
def any_resume_ends_any_pause(plant: Plant) -> None:
    """A resume that names another pause ends this one."""

    def make(real: Any) -> Any:
        def on_operator(machine: Any, command: Any, now: Any) -> Any:
            pause = machine.latch.pause
            if command.verb == "resume" and pause is not None:
                command = replace(command, pause_id=pause.id)
            return real(machine, command, now)

        return on_operator

    plant.around(Maker, "_on_operator", make)


@bug("domain.resuming.Resuming._against", "E11 E12", "ended_by_a_person")
def resume_reads_nothing(plant: Plant) -> None:
    """A resume ends the pause, whatever is open."""
    plant.set(Resuming, "_against", lambda resuming, wish, view, min_lots: [])


@bug("domain.maker._try_resume", "E10 E12", "ended_by_a_person")
def every_start_ends_a_pause(plant: Plant) -> None:
    """A crash and restart counts as a person's start."""

    def make(real: Any) -> Any:
        def create(settings: Any, memory: Any) -> Any:
            return real(settings, replace(memory, by_person=True))

        return staticmethod(create)

    plant.set(Maker, "create", make(Maker.create))


@bug("domain.exposure.Since.age_ms", "H29 E20", "never_silent")
def exposure_has_no_age(plant: Plant) -> None:
    """However long something is unhedged, nobody pauses."""
    plant.set(Since, "age_ms", lambda since, mono_ms: 0)


@bug("domain.watch.Watch._time", "H29 E24", "never_silent")
def nobody_pauses_for_an_exposure(plant: Plant) -> None:
    """A does not pause for what is unhedged too long, and B does not ask for it."""

    def make(real: Any) -> Any:
        def hold(held: Any, code: str, *args: Any, **options: Any) -> Any:
            return [] if code == "UNHEDGED_TOO_LONG" else real(held, code, *args, **options)

        return hold

    plant.around(Latch, "hold", make)

    def make_ask(real: Any) -> Any:
        def ask(machine: Any, code: str, *args: Any) -> Any:
            return [] if code == "UNHEDGED_TOO_LONG" else real(machine, code, *args)

        return ask

    plant.around(Hedger, "_ask_pause", make_ask)


# --- flatten ----------------------------------------------------------------------------------------------------------


@bug("domain.flattening.Flattening._carry_out", "E5 H9", "flattens_by_leave once gate")
def flattens_without_the_hedgers_word(plant: Plant) -> None:
    """A closes what is unhedged although B has not stood down."""

    def make(real: Any) -> Any:
        def carry_out(flattening: Any, wish: Any, view: Any, round_number: int, *, ended: bool) -> Any:
            core = flattening.core
            if ended or core.own.open_orders or core.lane.unresolved:
                return real(flattening, wish, view, round_number, ended=ended)
            lots = min(abs(core.net), abs(core.maker.position)) if core.net * core.maker.position > 0 else 0
            if not lots:
                return []
            return flattening.closing.close(lots if core.net < 0 else -lots, view.now, round_number)

        return carry_out

    plant.around(Flattening, "_carry_out", make)


@bug("domain.core.Core.create", "H3 H19", "gate once false_pause armed")
def restart_forgets_its_fills(plant: Plant) -> None:
    """After a restart the books are empty: what the journal holds of fills and orders is not taken."""

    def make(real: Any) -> Any:
        def create(settings: Any, memory: Any) -> Any:
            empty = dict.fromkeys(Role, ())
            return real(settings, replace(memory, fills=empty, intents=()))

        return staticmethod(create)

    plant.set(Maker, "create", make(Maker.create))

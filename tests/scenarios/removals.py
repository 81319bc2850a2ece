"""The defences of the desk, each one taken away: as other bots are, or as a hasty change would leave it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

from tests.scenarios.faults import blind_to_positions
from tests.scenarios.stories import patched, patched_function
from tests.simulation.memory_journal import MemoryJournal
from tests.simulation.sim_venue import SimVenue

from lighter_hedge.domain import gate, hedger, quoting
from lighter_hedge.domain.arming import Arming
from lighter_hedge.domain.budget import Budget
from lighter_hedge.domain.commands import Command, Prepare
from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import (
    AnswerKind,
    Instant,
    OrdersRead,
    Prepared,
    SendAnswered,
    TxReported,
    TxStatus,
)
from lighter_hedge.domain.gate import Peer, View
from lighter_hedge.domain.guard import SendGuard
from lighter_hedge.domain.lane import Lane
from lighter_hedge.domain.lane_words import LanePhase
from lighter_hedge.domain.ledger import Ledger, Order
from lighter_hedge.domain.maker import Maker
from lighter_hedge.domain.pair import Agreement, PositionCheck
from lighter_hedge.domain.quoter import Quoter
from lighter_hedge.domain.reach import Reach
from lighter_hedge.domain.reads import Reads
from lighter_hedge.domain.skew import Skew
from lighter_hedge.domain.states import MakerState, OperatorCommand, Role
from lighter_hedge.domain.units import Side
from lighter_hedge.messaging import memory_stream
from lighter_hedge.messaging.memory_stream import MemoryHub
from lighter_hedge.messaging.messages import decode_state
from lighter_hedge.processes.driver import Driver
from lighter_hedge.processes.journal_file import JournalError
from lighter_hedge.venue.errors import ReadFailed

# --- orders -----------------------------------------------------------------------------------------------------


@contextmanager
def start_reads_no_orders() -> Iterator[None]:
    """A start that believes its journal and asks the exchange for nothing."""
    on_orders_read = Core._on_orders_read

    def read(core: Core, event: OrdersRead, now: Instant, wanted: Any) -> list[Command]:
        return on_orders_read(core, replace(event, rows=()), now, wanted)

    unproven = patched_function("lighter_hedge.domain.foreign", "proven_difference", lambda _: "")
    with blind_to_positions(), patched(Core, "_on_orders_read", read), unproven:
        yield


def patched_method(owner: type, name: str, answer: Any) -> AbstractContextManager[None]:
    """The method always answers the same."""
    return patched(owner, name, lambda *_, **__: answer)


@contextmanager
def failed_is_still_pending() -> Iterator[None]:
    """Nobody asks what became of a transaction that the API has taken."""
    on_tx = Lane._on_tx

    def told(lane: Lane, event: TxReported, now: Instant) -> list[Command]:
        failed = event.status is TxStatus.FAILED
        return on_tx(lane, replace(event, status=TxStatus.PENDING) if failed else event, now)

    with patched(Lane, "_on_tx", told):
        yield


def partly_filled_is_failed() -> AbstractContextManager[None]:
    """As bots do that take a cancelled hedge for one that filled nothing."""

    def filled(order: Order) -> int:
        known = max(order.by_row, order.by_trades, order.by_peer, order.by_guess)
        return 0 if order.side is Side.ASK and known < order.lots else known

    return patched(Order, "filled", property(filled))


@contextmanager
def tries_do_not_reach_further() -> Iterator[None]:
    """Each try has the worst price of the first."""

    def first(reference: int, side: Side, slippage_bps_e2: int, ladder_percent: int) -> int:
        return hedge_cap(reference, side, slippage_bps_e2, 100)

    hedge_cap = quoting.hedge_cap
    with patched_function("lighter_hedge.domain.quoting", "hedge_cap", first):
        yield


@contextmanager
def residual_is_exposure() -> Iterator[None]:
    """Whatever is not zero must be hedged first."""
    with patched_function("lighter_hedge.domain.pair", "residual", lambda lots, _: lots == 0):
        yield


@contextmanager
def hedge_at_any_price() -> Iterator[None]:
    """B hedges at once, wherever A's rest stands."""
    cap = Reach.cap

    def plain(reach: Reach, side: Side, tries: int, now: Instant) -> tuple[int, bool]:
        with patched(Ledger, "open_orders", property(lambda _: [])):
            return cap(reach, side, tries, now)

    with patched(Reach, "cap", plain):
        yield


@contextmanager
def sources_are_added() -> Iterator[None]:
    """A fill that is told by a row and by its trades counts twice."""
    total = property(lambda order: order.by_row + order.by_trades + max(order.by_peer, order.by_guess))
    with patched(Order, "filled", total), blind_to_positions():
        yield


# --- nonces and starts ------------------------------------------------------------------------------------------


def higher_nonce_is_adopted() -> AbstractContextManager[None]:
    """As bots do that read the nonce again and go on."""

    def adopt(lane: Lane, nonce: int) -> None:
        lane.nonce, lane.phase = nonce, LanePhase.READY
        lane._held.clear()

    return patched(Lane, "_supersede", adopt)


@contextmanager
def start_burns_nothing() -> Iterator[None]:
    """A start takes the nonce as it is, and reads at once."""

    def ready(lane: Lane, nonce: int, now: Instant) -> list[Command]:
        lane.nonce, lane.phase, lane._booting = nonce, LanePhase.READY, False
        return []

    memory = MemoryJournal.memory

    def forgetful(journal: MemoryJournal, **how: Any) -> Any:
        return replace(memory(journal, **how), unsettled=(), intents=())

    with patched(Lane, "_boot_burn", ready), patched(MemoryJournal, "memory", forgetful), blind_to_positions():
        yield


@contextmanager
def start_does_not_wait_for_reads() -> Iterator[None]:
    """What the exchange shows right after the burn is taken for the truth."""
    start = Lane.start

    def hasty(lane: Lane) -> list[Command]:
        lane.read_lag_ms = 0
        return start(lane)

    agreed = patched_method(PositionCheck, "agreement", Agreement.AGREES)
    with patched(Lane, "start", hasty), agreed, blind_to_positions():
        yield


@contextmanager
def every_start_is_a_persons() -> Iterator[None]:
    """A reboot looks like a person."""
    memory = MemoryJournal.memory

    def by_person(journal: MemoryJournal, **how: Any) -> Any:
        return replace(memory(journal, **how), by_person=True)

    with patched(MemoryJournal, "memory", by_person):
        yield


@contextmanager
def no_start_is_a_persons() -> Iterator[None]:
    """A person's own steps do not lead back."""
    memory = MemoryJournal.memory

    def by_nobody(journal: MemoryJournal, **how: Any) -> Any:
        return replace(memory(journal, **how), by_person=False)

    with patched(MemoryJournal, "memory", by_nobody):
        yield


@contextmanager
def journal_errors_are_logged() -> Iterator[None]:
    """What cannot be written down is passed over."""
    commit = Driver._commit

    def lenient(driver: Driver) -> None:
        try:
            commit(driver)
        except JournalError:
            driver._entries, driver._must_commit = [], False

    async def prepare(driver: Driver, command: Prepare) -> None:
        candidate = await driver.venue.sign(command.request, command.nonce)
        driver.dispatch(Prepared(ticket=command.ticket, candidate=candidate))

    with patched(Driver, "_commit", lenient), patched(Driver, "_prepare", prepare):
        yield


# --- what is heard ----------------------------------------------------------------------------------------------


@contextmanager
def versions_are_not_looked_at() -> Iterator[None]:
    """Another version's words are taken for ours."""

    def lenient(role: Role, body: bytes) -> Any:
        return decode_state(role, body.replace(b'"schema":2', b'"schema":1'))

    with patched(memory_stream, "decode_state", lenient):
        yield


@contextmanager
def b_is_never_unresolved() -> Iterator[None]:
    """Equal positions are enough."""
    reasons = gate.hedge_reasons

    def fewer(core: Core, peer: Peer, min_lots: int) -> list[str]:
        return [reason for reason in reasons(core, peer, min_lots) if reason != "account B has a hedge in flight"]

    with (
        patched_method(Peer, "confirms", True),
        patched(Maker, "_reasons", positions_alone(Maker._reasons)),
        patched_function("lighter_hedge.domain.gate", "hedge_reasons", fewer),
    ):
        yield


def positions_alone(reasons: Callable[[Maker, View], list[str]]) -> Callable[[Maker, View], list[str]]:
    """The reasons against quoting without those that are B's word."""
    return lambda maker, view: [why for why in reasons(maker, view) if "has not confirmed" not in why]


@contextmanager
def any_confirmation_will_do() -> Iterator[None]:
    """Whatever round B confirms."""
    with patched_method(Peer, "confirms", True), patched(Maker, "_reasons", positions_alone(Maker._reasons)):
        yield


@contextmanager
def announce_ends_with_the_cancel() -> Iterator[None]:
    """A cancelled quote is not announced any more, though it may still fill."""
    state = Maker.state

    def told(maker: Maker, now: Instant, last: MakerState | None = None) -> MakerState:
        quote, whole = maker.quoter.quote, state(maker, now, last)
        return replace(whole, announce=None) if quote and quote.cancel_why else whole

    with patched(Maker, "state", told):
        yield


@contextmanager
def other_account_cannot_be_read() -> Iterator[None]:
    """Not even by its public reads."""
    read_account = SimVenue.read_account

    async def read(venue: SimVenue, role: Role) -> tuple[int, int, int]:
        if role is not venue.role:
            raise ReadFailed("not allowed")
        return await read_account(venue, role)

    with patched(SimVenue, "read_account", read):
        yield


@contextmanager
def guesses_stand() -> Iterator[None]:
    """What was once taken for a fill of an order stays one."""
    with patched(Ledger, "take_back", lambda *_: None):
        yield


@contextmanager
def positions_are_read_by_the_clock_alone() -> Iterator[None]:
    """A difference is no reason to read."""

    def due(reads: Reads, role: Role, check: object, now: Instant, *, regularly: bool) -> int:
        return reads._due_ms.get(role, 0) if regularly else now.mono_ms + 1

    with patched(Reads, "_account_due_ms", due):
        yield


@contextmanager
def one_read_proves() -> Iterator[None]:
    """A single read that differs is a difference."""

    def proven(check: PositionCheck, position: int, ledger: Ledger, *, mono_ms: int, **_: Any) -> None:
        check.heard(position, ledger, mono_ms)
        check._proven = check.differs_since_ms is not None

    with patched(PositionCheck, "read", proven):
        yield


@contextmanager
def any_resume_will_do() -> Iterator[None]:
    """A resume ends whatever pause there is."""
    on_operator = Maker._on_operator

    def asked(maker: Maker, command: OperatorCommand, now: Instant) -> list[Command]:
        pause = maker.latch.pause
        return on_operator(maker, replace(command, pause_id=pause.id) if pause else command, now)

    with patched(Maker, "_on_operator", asked):
        yield


@contextmanager
def old_instances_are_heard() -> Iterator[None]:
    """Redis takes what an older instance says, and its nonces are no fence."""

    def taken(hub: MemoryHub, key: str, entry_id: Any, body: bytes, *, keep: int | None = None) -> bool:
        epoch, number = hub.top(key)
        return append(hub, key, max(entry_id or (0, 0), (epoch, number + 1)), body, keep=keep)

    append = MemoryHub.append
    with patched(MemoryHub, "append", taken), higher_nonce_is_adopted():
        yield


@contextmanager
def old_quotes_are_sent() -> Iterator[None]:
    """However long ago a quote was announced or decided."""
    with patched_method(View, "against_sending", ""), patched_method(SendGuard, "refuses", ""):
        yield


def foreign_trades_are_not_looked_at() -> AbstractContextManager[None]:
    """Only positions tell."""
    return patched_function("lighter_hedge.domain.foreign", "take_foreign", lambda _: [])


# --- limits -----------------------------------------------------------------------------------------------------


@contextmanager
def throttled_is_refused() -> Iterator[None]:
    """ "Too many requests" is a refusal like any other."""
    on_answer = Lane._on_answer

    def answered(lane: Lane, event: SendAnswered, now: Instant) -> list[Command]:
        answer = event.answer
        if answer.kind is AnswerKind.THROTTLED:
            event = replace(event, answer=replace(answer, kind=AnswerKind.REJECTED))
        return on_answer(lane, event, now)

    with patched(Lane, "_on_answer", answered):
        yield


@contextmanager
def armed_for_the_quote_alone() -> Iterator[None]:
    """B arms for the size of A's quote, whatever is open beside it."""
    update = Arming.update

    def plain(arming: Arming, *what: Any) -> list[Command]:
        with patched(Core, "net", property(lambda _: 0)):
            return update(arming, *what)

    with patched(Arming, "update", plain):
        yield


@contextmanager
def margin_for_every_hedge() -> Iterator[None]:
    """A hedge needs margin for its full size, also where it shrinks the position."""

    def full(arming: Arming, announce: Any) -> str:
        market = arming.core.settings.market
        needed = market.quote(announce.lots, announce.price) * market.initial_margin_fraction // 10_000
        return "" if needed <= (arming.core.available or 0) else "margin"

    with patched(Arming, "_margin_reason", full):
        yield


@contextmanager
def orders_are_not_counted() -> Iterator[None]:
    """Neither by the gate nor before the socket."""
    with patched_method(Quoter, "orders_last_minute", 0), patched_method(SendGuard, "_count", ""):
        yield


@contextmanager
def clocks_are_trusted() -> Iterator[None]:
    """Whatever the venue's stamps say."""
    with patched_method(Skew, "reasons", []):
        yield


@contextmanager
def budget_is_not_counted() -> Iterator[None]:
    """Requests are sent until the venue refuses them."""
    with patched_method(Budget, "left", None):
        yield


def any_price_will_do() -> AbstractContextManager[None]:
    """However far from the mark price."""
    return patched_function("lighter_hedge.domain.guard", "within_collar", lambda *_: True)


@contextmanager
def collar_is_around_the_mark_alone() -> Iterator[None]:
    """A hedge is held to the mark price, wherever the book stands."""

    def collared(reach: Reach, cap: int, side: Side) -> int:
        mark = reach.core.book.mark
        collar = mark * reach.core.settings.price_collar_bps_e2 // quoting.BPS_E2
        return max(cap, mark - collar) if side is Side.ASK else min(cap, mark + collar)

    with patched(Reach, "_in_collar", collared):
        yield


def halt_is_a_try() -> AbstractContextManager[None]:
    """A halted market is a refusal like any other."""
    return patched(hedger, "MARKET_HALTED", 0)


@contextmanager
def limit_holds_for_closes_too() -> Iterator[None]:
    """At the limit nothing is quoted at all."""
    reasons = Maker._reasons

    def limited(maker: Maker, view: View) -> list[str]:
        over = maker.quoter.orders_last_minute(view.now) >= maker.core.settings.orders_per_minute_max
        return [*reasons(maker, view), *(["limit"] if over else [])]

    with patched(Maker, "_reasons", limited):
        yield

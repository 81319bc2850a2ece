"""What the defences promise beside the invariants: each is read from the journals and from the exchange's own record.

Same form as ``checkers``: a function of what has happened, which raises ``Violation``.
"""

from collections import deque
from typing import Any

from tests.simulation.facts import FOREIGN_CODES, UNSURE, clock_is_off
from tests.simulation.process import Process
from tests.simulation.sim_server import API_KEY, WALL_BASE_MS
from tests.simulation.sim_venue import SimVenue
from tests.simulation.truth import HELD_SECONDS, Truth, Violation
from tests.simulation.world import World

from lighter_hedge.domain.commands import AskKnown, FlattenChanged, ModeChanged, StoodDownChanged, TriesCounted
from lighter_hedge.domain.events import Candidate, OrderKind, OrderRequest
from lighter_hedge.domain.states import HedgerState, Leg, MakerState, Mode, Role
from lighter_hedge.simulator.core.orders import OrderStatus

NAMED_SECONDS = 12.0
"""A foreign change is named after so long: a reconcile, two reads a lag apart."""
PROMPT_SECONDS = 15.0
HEDGED_SECONDS = 8.0
FAILED_SECONDS = 1.5
"""B knows of its own fills sooner: it says that it has failed only with nothing unresolved."""
TOLD_SECONDS = 15.0
"""A side that has not heard the other, and has started blind, may well pause for what it cannot explain."""
RUNAWAY = 12
RUNAWAY_SECONDS = 5.0
CANCEL_SECONDS = 9.0
CLEAR_SECONDS = 5.0
"""A's quote may fill at the very moment in which B begins to close."""
WRITTEN_SECONDS = 6.0
"""How long a write may be held up, and a disk be full."""
NONCES_BACK = 64
LANDED_SECONDS = 3.0
"""A copy that lands so long after its bytes have left may come after their refusal: A tends it no more."""
TWICE = (
    "second_instance",
    "second_from_backup",
    "sleeper_replaced",
    "restored",
    "journal_lost",
    "journals_lost",
    "request_twice",
)
"""Faults after which a side may find its key used by somebody else, or its messages refused. A copy of a request may
land after the request itself has been refused, which freed its nonce."""
EXIT_SUPERSEDED = 8


# --- at every order whose bytes leave a process ---------------------------------------------------------------------


def pause_holds(truth: Truth, venue: SimVenue, request: OrderRequest) -> None:
    """While A's journal says paused nothing is quoted; while it says draining nothing is opened."""
    if request.kind is not OrderKind.QUOTE:
        return
    newest = truth.facts.process(venue).journal._last(ModeChanged)
    if newest is None or newest.mode is Mode.RUNNING or truth.facts.now - truth.facts.mode_at < HELD_SECONDS:
        return
    if newest.mode is Mode.PAUSED or request.opens:
        raise Violation(f"a quote of round {request.round} left while the desk is {newest.mode.value}")


def close_size(truth: Truth, venue: SimVenue, request: OrderRequest) -> None:
    """I8: a closing quote is no larger than what A holds."""
    if request.kind is not OrderKind.QUOTE or request.coid not in truth.announced or not truth.facts.sure():
        return
    announce, _ = truth.announced[request.coid]
    held = abs(truth.totals[Role.MAKER])
    if announce.leg is Leg.CLOSE and request.lots > held:
        raise Violation(f"I8: a quote closes {request.lots}, and A holds {held}")


def quote_collar(truth: Truth, venue: SimVenue, request: OrderRequest) -> None:
    """I8: a quote's price lies inside the collar around the mark price of the last seconds."""
    if request.kind is not OrderKind.QUOTE:
        return
    mids = [*(mid for _, mid in truth.facts.mids), truth.facts.stage.market.mid]
    collar = truth.desk.price_collar_bps_e2
    if all(abs(request.price - mid) * 1_000_000 > 1.05 * collar * mid for mid in mids):
        raise Violation(f"I8: a quote at {request.price} while the mark price is {mids[-1]}")


def skewed(truth: Truth, venue: SimVenue, request: OrderRequest) -> None:
    """No quote by a clock that has been wrong for seconds."""
    since = truth.facts.skewed_since.get(venue.role)
    off = request.kind is OrderKind.QUOTE and clock_is_off(venue)
    if off and since is not None and truth.facts.now - max(since, truth.able_since[venue.role]) > 3.0:
        raise Violation(f"a quote left by a clock that is off by {venue.skew_ms} ms")


def margin(truth: Truth, venue: SimVenue, request: OrderRequest) -> None:
    """No opening quote while B has long had too little for its hedge, and could read so."""
    known = truth.facts
    since = known.poor_since if known.poor() else None
    opens = request.kind is OrderKind.QUOTE and request.opens
    if opens and since is not None and known.now - max(since, known.unread_at, known.starved_at) > 8.0:
        raise Violation("a quote left, and B cannot pay for its hedge")


def expiry(truth: Truth, venue: SimVenue, request: OrderRequest) -> None:
    """Every quote ends by itself: not before 5 minutes (the venue drops it in silence), and soon after."""
    learning = bool(venue.skew_ms) or truth.facts.now - truth.facts.skewed_at < 3.0
    if request.kind is not OrderKind.QUOTE or learning:
        return
    ends_in_ms = request.expires_ms - truth.server.now_ms()
    latest_ms = truth.desk.maker_order_timeout_ms + 330_000
    if not 300_000 <= ends_in_ms <= latest_ms + 3_000:
        raise Violation(f"a quote ends in {ends_in_ms} ms; at most {latest_ms} is meant")


def tries_hold(truth: Truth, venue: SimVenue, request: OrderRequest) -> None:
    """After B has written down its failure it hedges nothing before a person gives it new tries."""
    if venue.role is not Role.HEDGER or request.reduce_only:
        return
    tries = truth.facts.process(venue).journal.tries
    if tries is not None and tries.failed is not None:
        raise Violation(f"a hedge of round {request.round} left after B had failed")


def stands_down(truth: Truth, venue: SimVenue, request: OrderRequest) -> None:
    """E5: B hedges nothing while its journal says that it has stood down."""
    if venue.role is not Role.HEDGER or request.reduce_only:
        return
    newest = truth.facts.process(venue).journal._last(StoodDownChanged)
    if newest is not None and newest.stood_down is not None:
        raise Violation(f"a hedge of round {request.round} left while B stands down")


def flattens_by_leave(truth: Truth, venue: SimVenue, request: OrderRequest) -> None:
    """E5: A closes what is unhedged only where B has stood down for this very wish."""
    known = truth.facts
    if venue.role is not Role.MAKER or not request.reduce_only or not known.sure():
        return
    wish = known.process(venue).journal._last(FlattenChanged)
    if wish is None or wish.flatten is None:
        return
    held = known.stage.world.b.journal._last(StoodDownChanged)
    if held is None or held.stood_down is None or held.stood_down.id != wish.flatten.id:
        raise Violation(f"A closes {request.lots}, and B has not stood down for it")


def clears_after_the_maker(truth: Truth, venue: SimVenue, request: OrderRequest) -> None:
    """E4: B closes its own account only once A is flat."""
    if venue.role is not Role.HEDGER or not request.reduce_only or not truth.facts.sure():
        return
    held = before = truth.facts.stage.world.position(Role.MAKER)
    for fill in reversed(truth.fills):
        if not before or truth.facts.now - fill.at > CLEAR_SECONDS:
            break
        before -= fill.lots if fill.role is Role.MAKER else 0
    if held and before:
        raise Violation(f"B closes {request.lots}, and A holds {held}")


def runaway(truth: Truth, venue: SimVenue, request: OrderRequest) -> None:
    """H38: B does not send hedge after hedge of which none fills. A person's word gives it new tries."""
    if venue.role is not Role.HEDGER:
        return
    filled = truth.fills[-1].at if truth.fills else 0.0
    since = max(truth.facts.now - RUNAWAY_SECONDS, filled, truth.person_asked)
    sent = sum(one.at > since for one in list(truth.sent[Role.HEDGER].values())[-2 * RUNAWAY :])
    if sent > RUNAWAY:
        raise Violation(f"{sent} hedges within {RUNAWAY_SECONDS} s, and none fills anything")


def budget(truth: Truth, venue: SimVenue, request: OrderRequest) -> None:
    """No opening quote once A's share of the minute's requests is used up."""
    share = truth.desk.maker_share
    if not share or request.kind is not OrderKind.QUOTE or not request.opens:
        return
    used = truth.facts.requests.get(truth.facts.process(venue).name, deque())
    if len(used) > share:
        raise Violation(f"a quote left after {len(used)} requests within a minute, of {share}")


def notional(truth: Truth, venue: SimVenue, request: OrderRequest) -> None:
    """I8: nothing is opened once A has traded more within the hour than allowed."""
    over = truth.facts.traded_over
    if request.kind is OrderKind.QUOTE and request.opens and over is not None and truth.facts.now - over > 5.0:
        raise Violation(f"I8: a quote opens, and A has traded {truth.facts.traded} within the hour")


# --- at every effect ------------------------------------------------------------------------------------------------


def unwritten(truth: Truth, process: Process, candidate: Candidate) -> None:
    """R6: no bytes leave before they are in the journal."""
    if candidate.tx_hash not in process.journal._hashes:
        raise Violation(f"{process.name} sends what it has not written down: nonce {candidate.nonce}")


def sent_in_time(truth: Truth, process: Process, candidate: Candidate) -> None:
    """I7: a quote is not sent again either once its announce is old."""
    request = candidate.request
    if not isinstance(request, OrderRequest) or request.kind is not OrderKind.QUOTE:
        return
    _, announced = truth.announced[request.coid]
    age = truth.facts.now - announced
    if age > truth.desk.arm_ms_max / 1000 + HELD_SECONDS:
        raise Violation(f"I7: a quote of round {request.round} is sent {age:.3f} s after its announce")


def pause_written(truth: Truth, process: Process, state: Any) -> None:
    """A tells of no pause that is not in its journal: a crash would end it."""
    told = state.pause if isinstance(state, MakerState) else None
    if told is not None and told != process.journal.pause:
        raise Violation(f"{process.name} tells of its pause {told.code}, which is not written down")


def standing_down_written(truth: Truth, process: Process, state: Any) -> None:
    """B tells of no standing down that is not in its journal: after a crash it would hedge beside A."""
    told = state.stood_down if isinstance(state, HedgerState) else None
    if told is None:
        return
    newest = process.journal._last(StoodDownChanged)
    if newest is None or newest.stood_down != told:
        raise Violation(f"{process.name} tells that it stands down, which is not written down")


# --- at every commit ------------------------------------------------------------------------------------------------


def false_pause(truth: Truth, process: Process, entry: Any) -> None:
    """The desk never pauses for a foreign change where there was none, and where the accounts could be read."""
    pause = entry.pause if isinstance(entry, ModeChanged | AskKnown) else None
    known = truth.facts
    silent = known.now - known.heard.get(process.name, -1e9) > truth.desk.heartbeat_ms_max / 1000
    cut_at = max(known.redis_cut_at, *known.cut_at.values())  # either side pauses for what the other asks
    told = not silent and known.now - cut_at > TOLD_SECONDS
    told = told and known.now - known.unread_at > truth.desk.unhedged_ms_max / 1000
    told = told and not truth.desk.maker_share  # a read may wait a minute there, longer than a difference may last
    if pause is not None and pause.code in FOREIGN_CODES and truth.facts.sure() and told:
        raise Violation(f"{process.name} pauses for {pause.code}, and there is none: {pause.reason}")


def needless_pause(truth: Truth, process: Process, entry: Any) -> None:
    """Nobody pauses for an exposure where there has long been none."""
    known = truth.facts
    code = entry.pause.code if isinstance(entry, ModeChanged | AskKnown) and entry.pause is not None else ""
    failed = isinstance(entry, TriesCounted) and entry.failed is not None
    if not failed and code not in ("HEDGE_FAILED", "UNHEDGED_TOO_LONG"):
        return
    # Where a frame was lost, A knows of a hedge by B alone, and B of a fill by A.
    able = failed or all(known.now - since > HEDGED_SECONDS for since in truth.able_since.values())
    calm_seconds = FAILED_SECONDS if failed else HEDGED_SECONDS
    calm = known.hedged_since is not None and known.now - known.hedged_since > calm_seconds
    if able and calm and known.sure():
        raise Violation(f"{process.name} pauses for {code or 'a failed hedge'} with A + B at {truth.net}")


def burnt(truth: Truth, process: Process, entry: StoodDownChanged) -> None:
    """E5: where B stands down, the nonces of all that it has sent are used up, or it has heard the refusal."""
    sent = truth.sent[Role.HEDGER]
    if entry.stood_down is None or not sent or not truth.facts.sure():
        return
    newest = [one for one in process.journal.candidates[-NONCES_BACK:] if _coid(one) in sent]
    used = truth.server.account(Role.HEDGER).keys[API_KEY].nonce
    if any(one.nonce >= used and one.tx_hash not in truth.facts.refused for one in newest):
        raise Violation("B stands down, and a hedge may still execute")


def _coid(candidate: Candidate) -> int:
    return candidate.request.coid if isinstance(candidate.request, OrderRequest) else 0


def ended_by_a_person(truth: Truth, process: Process, entry: Any) -> None:
    """Only a person ends a pause, by its id or by a start after a recorded stop; and only while nothing is open."""
    if not isinstance(entry, ModeChanged) or entry.mode is not Mode.RUNNING:
        return
    before = next((one for one in reversed(process.journal.entries[:-1]) if isinstance(one, ModeChanged)), None)
    if before is None or before.pause is None:
        return
    known = truth.facts
    if before.pause.id not in known.resumes and not known.by_person.get(process.name):
        raise Violation(f"{process.name} ended its pause {before.pause.code}, and nobody had asked")
    quiet = not truth.fills or known.now - truth.fills[-1].at > 5.0
    if abs(truth.net) >= truth.min_lots and quiet and known.sure():
        raise Violation(f"{process.name} ended its pause {before.pause.code} with A + B at {truth.net}")


def no_old_clear(truth: Truth, process: Process, entry: ModeChanged) -> None:
    """No life carries out a ``clear`` that a person asked for before it began: an old one closes nothing today."""
    pause, asked = entry.pause, truth.facts.stage.cleared_at
    if pause is not None and pause.code == "CLEARED" and process.started > asked:
        raise Violation(f"{process.name} carries out a clear of {truth.facts.now - asked:.1f} s ago: older than itself")


def tries_kept(truth: Truth, process: Process, entry: Any) -> None:
    """Each try counts one more, until they are void or used up."""
    if not isinstance(entry, TriesCounted) or entry.tries == 0 or entry.failed is not None:
        return
    before = next((one for one in reversed(process.journal.entries[:-1]) if isinstance(one, TriesCounted)), None)
    expected = before.tries + 1 if before is not None else 1
    if entry.tries != expected:
        raise Violation(f"{process.name} counts try {entry.tries} after {expected - 1}")


# --- as time passes -------------------------------------------------------------------------------------------------


def alert_stored(truth: Truth, world: World) -> None:
    """I3: a pause by the desk itself is in the stored outbox too."""
    for process in world.processes.values():
        newest = process.journal._last(ModeChanged)
        if newest is None or newest.pause is None or newest.by != "desk" or not process.running or process.frozen:
            continue
        known = truth.facts
        first = known.paused_at.setdefault((process.name, newest.pause.id), known.now)
        stored = newest.pause.code in {code for code, _ in process.journal.alerts}
        if not stored and known.now - first > WRITTEN_SECONDS:
            raise Violation(f"I3: {process.name} is paused for {newest.pause.code}, and has stored no alert")


def superseded_by_nobody(truth: Truth, world: World) -> None:
    """A side ends as superseded only where there is, or was, another instance of it."""
    counts = truth.facts.stage.counts
    if any(counts[kind] for kind in TWICE):
        return
    for process in world.processes.values():
        if process.exit_code == EXIT_SUPERSEDED:
            raise Violation(f"{process.name} is superseded, and by nobody")


def prompt(truth: Truth, world: World) -> None:
    """B hedges what it can see by itself, with A or Redis gone."""
    known, b = truth.facts, world.b
    exposed = truth.exposed_since
    if exposed is None or not b.running or b.journal.ask is not None or b.driver is None:
        return
    tries = b.journal.tries
    if (tries is not None and tries.failed is not None) or b.journal.pause is not None or not known.sure():
        return
    if world.resting(Role.MAKER) or world.hedger.standing_down.blocks(world.hedger.peer.state):
        return
    since = max(exposed, truth.able_since[Role.HEDGER], known.started.get(Role.HEDGER, 0.0))
    sent = max((one.at for one in truth.sent[Role.HEDGER].values()), default=-1.0)
    if known.now - max(since, sent) > PROMPT_SECONDS + 3 * truth.desk.read_lag_ms / 1000:
        raise Violation(f"B sees {truth.net} lots unhedged for {known.now - since:.1f} s, and sends nothing")


def rests_unarmed(truth: Truth, world: World) -> None:
    """I7: A's quote does not stay when B has started afresh and is not armed for it."""
    known, b = truth.facts, world.b
    began = known.started.get(Role.HEDGER)
    if began is None or not b.running or not world.a.running:
        return
    for order in world.resting(Role.MAKER):
        coid = order.client_order_index
        if order.status is not OrderStatus.OPEN or coid not in truth.announced or truth.armed.get(coid, -1.0) > began:
            continue
        sent = truth.sent[Role.MAKER].get(coid)
        if sent is None or order.created_us / 1e6 - WALL_BASE_MS / 1e3 - max(sent.at, sent.again) > LANDED_SECONDS:
            continue
        created = sent.at
        age = known.now - max(began, truth.able_since[Role.MAKER], created)
        if age > truth.desk.heartbeat_ms_max / 1000 + CANCEL_SECONDS:
            raise Violation(f"I7: a quote rests, and B has not armed for it since its start {age:.1f} s ago")


# --- at the end -----------------------------------------------------------------------------------------------------


def foreign_named(truth: Truth, world: World) -> None:
    """A trade that is not the desk's, or a position that moves without one, is named."""
    known = truth.facts
    lost = any(known.stage.counts[kind] for kind in ("restored", "journal_lost", "journals_lost"))
    known.look()
    if not known.foreign_seen or known.named or known.stage.mended or lost:
        return
    world.run(NAMED_SECONDS)
    if not known.named:
        raise Violation("a foreign change, and nobody has named it")


def resume_works(truth: Truth, world: World) -> None:
    """I6: where everything has healed and nothing foreign has happened, a person's word is enough to go on."""
    known = truth.facts
    if known.healed_in_vain and not any(known.stage.counts[kind] for kind in UNSURE):
        raise Violation(f"I6: still paused after a resume in a healed world: {known.healed_in_vain}")


AT_SEND = (
    pause_holds,
    close_size,
    quote_collar,
    skewed,
    margin,
    expiry,
    tries_hold,
    stands_down,
    flattens_by_leave,
    clears_after_the_maker,
    runaway,
    budget,
    notional,
)
AT_EFFECT = {"send": (unwritten, sent_in_time), "append": (pause_written, standing_down_written)}
AT_COMMIT = {
    ModeChanged: (false_pause, needless_pause, ended_by_a_person, no_old_clear),
    AskKnown: (false_pause, needless_pause),
    TriesCounted: (needless_pause, tries_kept),
    StoodDownChanged: (burnt,),
}
IN_TIME = (alert_stored, superseded_by_nobody, prompt, rests_unarmed)
AT_END = (foreign_named, resume_works)

"""What must never happen, read from the exchange's own record, and from what was written down before each send.

Each checker is one function of ``Truth`` that raises ``Violation``. Its own test shows that it can fail.
"""

from collections import deque

from tests.simulation.process import Process
from tests.simulation.sim_server import ACCOUNTS, BTC, ROLES, signed
from tests.simulation.sim_venue import SimVenue
from tests.simulation.truth import HELD_SECONDS, KNOWN_SECONDS, Fill, Sent, Truth, Violation
from tests.simulation.world import World

from lighter_hedge.domain.events import OrderKind, OrderRequest
from lighter_hedge.domain.quoting import hedge_cap
from lighter_hedge.domain.states import Leg, Role
from lighter_hedge.simulator.core.orders import Order

__all__ = ["Violation", "check_gate", "check_once", "signed"]

SLACK_SECONDS = 1.5
"""Ticks, the way through the network and the exchange's own latency."""
SILENCE_SLACK_SECONDS = 12.0
"""How long a cancel may take beside that: it waits for the lane, is sent again, and its order must be seen to end."""
PERSON_SECONDS = 120.0
"""For so long after a person's word, hedges may go from where the market is."""


# --- at every quote of A that comes to rest -------------------------------------------------------------------------


def gate(truth: Truth, order: Order, sent: Sent) -> None:
    """I1: a quote rests only when every earlier order of A has ended and A + B is zero or a residual."""
    state = truth.server.exchange.state
    others = [index for index in state.open_of[ACCOUNTS[Role.MAKER]] if index != order.order_index]
    if others:
        raise Violation(f"I1: A has {len(others) + 1} orders in the book")
    if sent.request.kind is not OrderKind.QUOTE or truth.late_at > sent.at - KNOWN_SECONDS:
        return  # the exchange has taken back the end of an order, and A could not know when it sent this one
    announce, _ = truth.announced[order.client_order_index]
    if abs(truth.net) >= announce.min_lots:
        raise Violation(f"I1: a quote of round {announce.round} rests while A + B is {truth.net}")


def now_excused(truth: Truth) -> bool:
    """The exchange has just taken back the end of an order, and the sides need not know yet."""
    return truth.excused_lots(truth.server.loop.time()) > 0


# --- at every fill --------------------------------------------------------------------------------------------------


def once(truth: Truth, fill: Fill) -> None:
    """I2: no fill of B moves A + B away from zero, or through it, but a person's ``clear``."""
    if fill.role is not Role.HEDGER or fill.closing:
        return
    excused = truth.excused_lots(fill.at) + truth.crossed_lots(fill)
    held = fill.before + truth.foreign_met(fill)
    if all(_away(before, before + fill.lots, excused) for before in (fill.before, held)):
        raise Violation(f"I2: a hedge of {fill.lots} moved A + B from {fill.before} to {fill.after}")


def _away(before: int, after: int, excused: int) -> bool:
    return abs(after) > max(abs(before), excused) or (after * before < 0 and abs(after) > excused)


def no_self_trade(truth: Truth, fill: Fill) -> None:
    """I4: A and B never trade with each other."""
    if fill.counterparty in ROLES:
        raise Violation(f"I4: {fill.role.letter} traded {fill.lots} at {fill.price} with account {fill.counterparty}")


# --- at every order whose bytes leave a process ---------------------------------------------------------------------


def armed(truth: Truth, venue: SimVenue, request: OrderRequest) -> None:
    """I7: A sends a quote only when B has written down the hedge of this very announce, and in time."""
    if request.kind is not OrderKind.QUOTE:
        return
    announce, announced = truth.announced[request.coid]
    if request.coid not in truth.armed:
        raise Violation(f"I7: a quote of round {request.round} was sent, and B never armed for it")
    if now_excused(truth):
        return
    full = truth.net + request.side.sign * request.lots
    needed = abs(full) >= announce.min_lots or not truth.desk.takers_need_minimum
    if needed and truth.hedge_signed.get(request.round, -1.0) < announced:
        raise Violation(f"I7: a quote of round {request.round} was sent, and B had signed no hedge for it")
    age = truth.server.loop.time() - announced
    if age > truth.desk.arm_ms_max / 1000 + HELD_SECONDS:
        raise Violation(f"I7: a quote of round {request.round} was sent {age:.3f} s after its announce")


def size_limit(truth: Truth, venue: SimVenue, request: OrderRequest) -> None:
    """I8: no quote opens more than the quantity, and none is larger than what it closes."""
    if request.kind is not OrderKind.QUOTE:
        return
    if truth.server.loop.time() - truth.foreign_at < HELD_SECONDS:
        return  # somebody else has just closed a part of it
    position = abs(truth.server.account(Role.MAKER).position(BTC).lots)
    if request.lots > max(truth.desk.quantity, position + truth.late_lots):
        raise Violation(f"I8: a quote of {request.lots} with {truth.desk.quantity} allowed and {position} held")


def order_rate(truth: Truth, venue: SimVenue, request: OrderRequest) -> None:
    """I8: no more opening quotes a minute than the configuration allows, by one life of A."""
    if request.kind is not OrderKind.QUOTE:
        return
    announce, _ = truth.announced[request.coid]
    now = truth.server.loop.time()
    sent = truth.quotes_sent.setdefault(str(announce.epoch), deque())
    sent.append(now)
    while now - sent[0] >= 60.0 - HELD_SECONDS:
        sent.popleft()
    if announce.leg is Leg.OPEN and len(sent) > truth.desk.orders_per_minute_max:
        raise Violation(f"I8: {len(sent)} quotes in a minute")


def collar(truth: Truth, venue: SimVenue, request: OrderRequest) -> None:
    """I8: a hedge never carries a price further from A's fill than the widest slippage allows."""
    now = truth.server.loop.time()
    if venue.role is not Role.HEDGER or request.reduce_only or now - truth.person_asked < PERSON_SECONDS:
        return
    prices = [fill.price for fill in truth.fills[-8:] if fill.role is Role.MAKER]
    if not prices:
        return
    widest, ladder = truth.desk.slippage_bps_e2_max, max(truth.desk.slippage_ladder_percent)
    bounds = [hedge_cap(price, request.side, widest, ladder) for price in prices]
    beyond = request.price < min(bounds) if request.side.sign < 0 else request.price > max(bounds)
    if beyond:
        raise Violation(f"I8: a hedge at {request.price}, and A's fills allow {bounds}")


def book_age(truth: Truth, venue: SimVenue, request: OrderRequest) -> None:
    """I8: no quote leaves on a book older than the configuration allows."""
    age = truth.server.loop.time() - venue.book_heard
    if request.kind is OrderKind.QUOTE and age > truth.desk.book_age_ms_max / 1000 + 0.001:
        raise Violation(f"I8: a quote left on a book {age:.3f} s old")


# --- as time passes -------------------------------------------------------------------------------------------------


def never_silent(truth: Truth, world: World) -> None:
    """I3: exposure older than ``unhedged_ms_max`` means a pause in a journal, while anybody runs and reads.

    What a side knows it knows a reconcile and a read lag later at worst, and its own clock starts there.
    """
    now = truth.server.loop.time()
    if truth.exposed_since is None:
        return
    desk = truth.desk
    limit = (desk.unhedged_ms_max + desk.reconcile_ms + 3 * desk.read_lag_ms) / 1000 + 2 * SLACK_SECONDS
    age = now - truth.exposed_since
    if age < limit or all(now - truth.able_since[role] < limit for role in Role):
        return
    if not any(named(process) for process in world.everybody()):
        raise Violation(f"I3: {truth.net} lots unhedged for {age:.1f} s, and no journal says so")


def named(process: Process) -> bool:
    """Whether an instance has latched a pause, asks for one, or has stored its failure."""
    tries = process.journal.tries
    return (
        process.journal.pause is not None
        or process.journal.ask is not None
        or (tries is not None and tries.failed is not None)
    )


def gone_when_silent(truth: Truth, world: World) -> None:
    """I7: once B is silent, A's quote is gone in time, while A runs and can send."""
    now = truth.server.loop.time()
    limit = truth.desk.heartbeat_ms_max / 1000 + SILENCE_SLACK_SECONDS
    silent = now - truth.heard
    if silent < limit or now - truth.able_since[Role.MAKER] < limit:
        return
    for order in world.resting(Role.MAKER):
        if truth.server.now_us() - order.created_us > limit * 1e6 and order.client_order_index:
            raise Violation(f"I7: a quote rests while B has been silent for {silent:.1f} s")


# --- at the end -----------------------------------------------------------------------------------------------------


def nothing_lost(truth: Truth, world: World) -> None:
    """I5: after everything has healed, A + B is a residual, or a journal names it."""
    if abs(truth.net) >= truth.min_lots and not any(named(process) for process in world.processes.values()):
        raise Violation(f"I5: {truth.net} lots unhedged at the end, and nobody says so")


AT_QUOTE = (gate,)
AT_FILL = (once, no_self_trade)
AT_SEND = (armed, size_limit, order_rate, collar, book_age)
IN_TIME = (never_silent, gone_when_silent)
AT_END = (nothing_lost,)


# --- for scenarios: a whole world at once ---------------------------------------------------------------------------


def check_once(world: World, late_lots: int = 0) -> None:
    """I2 and I4 over everything that has happened so far.

    ``late_lots``: what the venue may have filled after it had called an order ended. A hedge that is under way at
    that moment was right when it was sent, and may end that much on the other side.
    """
    a, b = ACCOUNTS[Role.MAKER], ACCOUNTS[Role.HEDGER]
    trades = {trade.trade_id: trade for role in Role for trade in world.trades(role)}
    net = 0
    for trade in sorted(trades.values(), key=lambda one: one.trade_id):
        parties = {trade.ask.account_index, trade.bid.account_index}
        if parties == {a, b}:
            raise Violation(f"I4: A and B traded with each other: {trade}")
        if a in parties:
            net += signed(trade, a)
            continue
        moved = net + signed(trade, b)
        if abs(moved) > max(abs(net), late_lots) or (moved * net < 0 and abs(moved) > late_lots):
            raise Violation(f"I2: B's trade {trade.trade_id} moved the net from {net} to {moved}")
        net = moved


def check_gate(world: World) -> None:
    """I1, as the exchange sees it: A never has more than one order, and none is placed while the net is not zero."""
    resting = world.resting(Role.MAKER)
    if len(resting) > 1:
        raise Violation(f"I1: A has {len(resting)} orders in the book")

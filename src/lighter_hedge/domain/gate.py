"""Whether account A may quote: the list of reasons against it. Empty means go; the same list is the status line.

Three questions, asked with the same parts: may A announce a quote, may it send the announced one now, and may the one
that rests stay.
"""

from dataclasses import dataclass

from lighter_hedge.domain.book import Resting
from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import Instant
from lighter_hedge.domain.foreign import differences
from lighter_hedge.domain.latch import Latch
from lighter_hedge.domain.ledger import Order
from lighter_hedge.domain.pair import Agreement, residual
from lighter_hedge.domain.peer import Heard
from lighter_hedge.domain.quoting import drifted, quote_price
from lighter_hedge.domain.states import Announce, HedgerState, Leg, Mode

PRICE_MOVED = "price moved"


@dataclass(slots=True)
class Peer(Heard[HedgerState]):
    """Account B as A hears it."""

    def armed_for(self, announce: Announce) -> bool:
        """Whether B answers this very announce."""
        armed = self.state.armed if self.state is not None else None
        if armed is None:
            return False
        answer = (armed.epoch, armed.round, armed.attempt, armed.coid)
        return answer == (announce.epoch, announce.round, announce.attempt, announce.coid)

    def confirms(self, epoch: int, round_number: int, cum: int) -> bool:
        """Whether B confirms this round up to this cumulative amount, to this A."""
        confirm = self.state.confirm if self.state is not None else None
        return confirm is not None and (confirm.epoch, confirm.round, confirm.cum) == (epoch, round_number, cum)


@dataclass(slots=True)
class Quote:
    """The quote that A wants to show, or shows."""

    announce: Announce
    announced_ms: int
    sent_ms: int | None = None
    cancel_ms: int | None = None
    """When the newest cancel was sent; None while no cancel is under way."""
    cancel_why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the gate looks at."""

    core: Core
    latch: Latch
    peer: Peer
    messaging_up: bool
    now: Instant

    def against_quoting(self, min_lots: int) -> list[str]:
        """Why no quote may be announced."""
        flat = residual(self.core.maker.position, min_lots)
        return [*self._always(flat=flat), *hedge_reasons(self.core, self.peer, min_lots), *self._hedger()]

    def against_sending(self, quote: Quote) -> str:
        """Why the announced quote may not be sent any more; ``PRICE_MOVED`` asks for another at once."""
        core, announce = self.core, quote.announce
        reasons = self._always(flat=announce.leg is Leg.OPEN)
        reasons += hedge_reasons(core, self.peer, announce.min_lots)
        reasons += self._hedger()
        if reasons:
            return reasons[0]
        if self.now.mono_ms - quote.announced_ms > core.settings.arm_ms_max:
            return "account B did not arm in time"
        level = quote_price(core.book, announce.side, core.settings.depth)
        touch = core.book.best(announce.side.opposite)
        if level is None or touch is None or drifted(announce.price, level, core.settings.requote_bps_e2):
            return PRICE_MOVED
        return PRICE_MOVED if (touch - announce.price) * announce.side.sign <= 0 else ""

    def against_resting(self, quote: Quote, order: Order) -> str:
        """Why the quote that stands must go; empty while it may stay."""
        core, announce, settings = self.core, quote.announce, self.core.settings
        assert quote.sent_ms is not None
        reasons = self._always(flat=announce.leg is Leg.OPEN) + self._hedger() + differences(core, self.now)
        if reasons:
            return reasons[0]
        hedging = order.filled and self.peer.state is not None and self.peer.state.unresolved
        if not self.peer.armed_for(announce) and not hedging:
            return "account B is no longer armed for it"
        if order.filled and settings.cancel_first:
            return "partly filled: its rest goes before the hedge"
        if core.maker.round_filled(announce.round) != order.side.sign * order.filled:
            return "an earlier attempt of the round has filled after all"
        age_ms = self.now.mono_ms - quote.sent_ms
        if age_ms >= settings.maker_order_timeout_ms:
            return f"older than {settings.maker_order_timeout_ms // 1000} s"
        own = Resting(side=order.side, price=order.price, lots=order.leaves)
        level = quote_price(core.book, order.side, settings.depth, own)
        if level is None or age_ms < settings.requote_ms_min:
            return ""
        if drifted(announce.price, level, settings.requote_bps_e2):
            return f"its level moved to {settings.market.price_text(level)}"
        return ""

    def _always(self, *, flat: bool) -> list[str]:
        reasons = latch_reasons(self.latch, flat=flat)
        return reasons + feed_reasons(self.core, self.now, messaging_up=self.messaging_up)

    def _hedger(self) -> list[str]:
        return hedger_reasons(self.peer, self.now, self.core.settings.heartbeat_ms_max)


def hedger_reasons(peer: Peer, now: Instant, silent_ms_max: int) -> list[str]:
    """Why B cannot be relied on now."""
    state = peer.state
    if state is None:
        return ["account B has not been heard"]
    if peer.silent(now, silent_ms_max):
        return [f"account B is silent for {(now.mono_ms - peer.heard_ms) // 1000} s"]
    reasons = []
    if not state.ready:
        reasons.append("account B is starting")
    if state.failed is not None:
        reasons.append(f"account B has failed: {state.failed.reason} in round {state.failed.round}")
    if state.pause_ask is not None:
        reasons.append(f"account B asks for a pause: {state.pause_ask.reason}")
    if state.disarmed:
        reasons.append(f"account B is not armed: {state.disarmed}")
    return reasons


def feed_reasons(core: Core, now: Instant, *, messaging_up: bool) -> list[str]:
    """Why A sees too little to quote."""
    reasons = []
    if not core.recovered:
        reasons.append("recovering")
    elif not core.feed_open:
        reasons.append("stream is down")
    elif not core.synced:
        reasons.append("reading accounts after a reconnect")
    if core.book.stale(now.mono_ms, core.settings.book_age_ms_max):
        reasons.append("book is stale")
    if not messaging_up:
        reasons.append("Redis is down")
    if core.halted(now):
        reasons.append(f"market {core.settings.market.symbol} is halted")
    return reasons + core.skew.reasons(now)


def hedge_reasons(core: Core, peer: Peer, min_lots: int) -> list[str]:
    """Why the rounds so far are not closed."""
    reasons = []
    if not residual(core.net, min_lots):
        reasons.append(f"waiting for the hedge of {core.size(core.net)}")
    if peer.state is not None and peer.state.unresolved:
        reasons.append("account B has a hedge in flight")
    unseen = [role.letter for role, check in core.checks.items() if check.agreement() is not Agreement.AGREES]
    if core.recovered and unseen:
        reasons.append(f"position of account {' and '.join(unseen)} not yet seen at the venue")
    if core.own.open_orders:
        reasons.append("an order of account A has not ended")
    if core.lane.unresolved:
        reasons.append("a transaction of account A is unresolved")
    return reasons


def latch_reasons(latch: Latch, *, flat: bool) -> list[str]:
    """Why the desk is not to open anything."""
    if latch.pause is not None:
        return [f"paused: {latch.pause.reason}"]
    if latch.mode is Mode.DRAINING and flat:
        return ["drained"]
    return []

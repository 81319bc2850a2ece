"""A's one quote: announced, sent once B has armed for it, watched while it rests, cancelled, ended."""

from collections import deque
from dataclasses import dataclass, field

from lighter_hedge.domain.commands import Announced, Command, Level, Record, Say
from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import CancelRequest, Instant, OrderKind, OrderRequest
from lighter_hedge.domain.gate import PRICE_MOVED, Quote, View, latch_reasons
from lighter_hedge.domain.lane_words import Fate, Settlement
from lighter_hedge.domain.ledger import Order
from lighter_hedge.domain.reads import READ_AGAIN_MS
from lighter_hedge.domain.states import Announce, Leg

MINUTE_MS = 60_000
QUOTE_EXPIRY_MARGIN_MS = 330_000
"""A quote ends by itself this long after it would have been replaced: less than 5 minutes is dropped in silence."""


@dataclass(slots=True, kw_only=True)
class Quoter:
    """At most one quote, and when the next may be announced."""

    core: Core
    quote: Quote | None = None
    next_announce_ms: int = 0
    urgent: list[Command] = field(default_factory=list)
    """Sends that go before this step's own records: what they rest on was journalled before."""
    _next_cancel_ms: int = 0
    _sent_ms: deque[int] = field(default_factory=deque)

    def orders_last_minute(self, now: Instant) -> int:
        """Quotes sent within the last minute."""
        while self._sent_ms and now.mono_ms - self._sent_ms[0] >= MINUTE_MS:
            self._sent_ms.popleft()
        return len(self._sent_ms)

    def announce(self, announce: Announce, now: Instant) -> list[Command]:
        """Say what A wants to show, and sign it while B arms."""
        assert self.quote is None
        self.quote = Quote(announce, now.mono_ms)
        request = OrderRequest(
            kind=OrderKind.QUOTE,
            coid=announce.coid,
            side=announce.side,
            lots=announce.lots,
            price=announce.price,
            expires_ms=announce.expires_ms,
            round=announce.round,
            attempt=announce.attempt,
            opens=announce.leg is Leg.OPEN,
            cross_account_guard=True,
        )
        return [Record(entry=Announced(announce=announce)), *self.core.lane.prepare(request)]

    def tend(self, view: View, *, stopping: bool) -> list[Command]:
        """Do what the quote needs now: send or withdraw it, leave it, cancel it, or see that it has ended."""
        quote = self.quote
        if quote is None:
            return []
        if quote.sent_ms is None:
            return self._send_or_withdraw(quote, view, stopping=stopping)
        order = self.core.own.orders.get(quote.announce.coid)
        if order is None:
            return []  # its send bounced; the settlement has dropped it
        if order.closed:
            return self._conclude(order)
        if not quote.cancel_why:
            quote.cancel_why = "stopping" if stopping else view.against_resting(quote, order)
        return self._cancel(quote, view.now) if quote.cancel_why else []

    def wanted(self, request: OrderRequest, view: View) -> bool:
        """Whether a quote that may not have arrived is still wanted: only while everything would still allow it."""
        quote = self.quote
        if quote is None or quote.announce.coid != request.coid or quote.cancel_why or request.reduce_only:
            return False
        if view.now.mono_ms - quote.announced_ms > self.core.settings.arm_ms_max:
            return False
        return view.peer.armed_for(quote.announce) and not latch_reasons(view.latch, flat=True)

    def drop(self, coid: int, why: str, now: Instant) -> list[Command]:
        """The quote did not stand: another attempt, a moment later."""
        if self.quote is None or self.quote.announce.coid != coid:
            return []
        self.quote = None
        self.next_announce_ms = now.mono_ms + READ_AGAIN_MS
        return [Say(level=Level.WARNING, code="QUOTE_REFUSED", text=f"quote did not stand: {why}")]

    def cancel_settled(self, settlement: Settlement, coid: int, now: Instant) -> list[Command]:
        """The fate of a cancel. Taken: the order's row says how it ended. Not taken: cancel again."""
        if settlement.fate in (Fate.EXECUTED, Fate.WITHOUT_EFFECT):
            self.core.watch(coid, now.mono_ms + READ_AGAIN_MS)
            return []
        if self.quote is not None and self.quote.announce.coid == coid:
            self.quote.cancel_ms = None
            self._next_cancel_ms = now.mono_ms + READ_AGAIN_MS
        text = f"cancel was not taken ({settlement.fate.value}: {settlement.code} {settlement.message})"
        return [Say(level=Level.WARNING, code="CANCEL_REFUSED", text=text)]

    def _send_or_withdraw(self, quote: Quote, view: View, *, stopping: bool) -> list[Command]:
        """Send the announced quote once B answers this very announce, in time, and nothing speaks against it."""
        core, announce, now = self.core, quote.announce, view.now
        why = "stopping" if stopping else view.against_sending(quote)
        if why:
            core.lane.forget(announce.coid)
            self.quote = None
            self.next_announce_ms = now.mono_ms + (0 if why == PRICE_MOVED else READ_AGAIN_MS)
            return [Say(level=Level.DEBUG, code="QUOTE_WITHDRAWN", text=f"quote withdrawn unsent: {why}")]
        candidate = core.lane.prepared(announce.coid)
        if candidate is None or not view.peer.armed_for(announce) or not core.lane.ready:
            return []
        age_ms = now.mono_ms - quote.announced_ms
        assert isinstance(candidate.request, OrderRequest)
        quote.sent_ms = now.mono_ms
        self._sent_ms.append(now.mono_ms)
        core.own.intend(candidate.request, core.skew.newest_ms)
        self.urgent += core.lane.send_prepared(candidate, now)
        at = core.settings.market.price_text(announce.price)
        what = f"{announce.leg.value}: {announce.side.word} {core.size(announce.lots)} at {at}"
        text = f"round {announce.round} attempt {announce.attempt}, {what}, armed in {age_ms} ms"
        return [Say(level=Level.INFO, code="QUOTE_SENT", text=text)]

    def _cancel(self, quote: Quote, now: Instant) -> list[Command]:
        """Cancel, and cancel again while the order still stands. An acknowledged cancel proves nothing."""
        core, settings = self.core, self.core.settings
        if quote.cancel_ms is not None and now.mono_ms < quote.cancel_ms + max(READ_AGAIN_MS, settings.read_lag_ms):
            return []
        if not core.lane.ready or now.mono_ms < self._next_cancel_ms:
            return []
        level = Level.INFO if quote.cancel_ms is None else Level.WARNING
        quote.cancel_ms = now.mono_ms
        self.urgent += core.lane.submit(CancelRequest(coid=quote.announce.coid))
        text = f"cancelling the quote of round {quote.announce.round}: {quote.cancel_why}"
        return [Say(level=level, code="QUOTE_CANCELLED", text=text)]

    def _conclude(self, order: Order) -> list[Command]:
        """The quote has ended. Filled: the round waits for its hedge. Not filled: the next attempt."""
        assert order.closed
        self.quote = None
        if order.filled or order.status in ("", "filled", "canceled"):
            return []
        return [Say(level=Level.INFO, code="QUOTE_ENDED", text=f"quote ended unfilled: {order.status}")]

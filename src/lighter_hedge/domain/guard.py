"""Hard limits of what a process may send, apart from what its machine decides: the last look before the socket.

A machine gone wrong in a loop, or a price or size gone wrong, ends here. Bytes that were sent before may always be sent
again: at most one copy executes. Beyond a number per round orders slow down; hedges are held to what is missing, and
never stopped: they must go on.
"""

from collections import deque
from dataclasses import dataclass, field

from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import Candidate, Instant, OrderKind, OrderRequest
from lighter_hedge.domain.quoting import BPS_E2
from lighter_hedge.domain.seen import Seen
from lighter_hedge.domain.units import Side

MINUTE_MS = 60_000
HELD_MS_MAX = 1_000
"""A quote that was decided longer ago is not sent: what allowed it may be gone."""
SLOWLY_MS = 10_000
"""Beyond the number per round an order goes only so long after the last: a quiet market may need many quotes, and what
is missing stays missing; a loop needs many in a second."""
HASHES_MAX = 256


@dataclass(slots=True, kw_only=True)
class SendGuard:
    """Looks at every send of one process."""

    core: Core
    _hashes: Seen = field(default_factory=lambda: Seen(HASHES_MAX))
    _round: int | None = None
    _in_round: int = field(init=False)
    _last_ms: int | None = None
    _opened_ms: deque[int] = field(default_factory=deque)

    def refuses(self, candidate: Candidate, decided: Instant, now: Instant) -> str:
        """Why these bytes must not leave; empty where they may, and then they count as sent.

        ``decided``: when the machine wanted them sent. A process that stood still in between must not quote.
        """
        request = candidate.request
        if not isinstance(request, OrderRequest):
            return ""
        held_ms = now.mono_ms - decided.mono_ms
        if request.kind is OrderKind.QUOTE and held_ms > HELD_MS_MAX:
            return f"held up for {held_ms} ms"
        if candidate.tx_hash in self._hashes:
            return ""
        why = self._count(request, now) or (
            self._quote(request, now) if request.kind is OrderKind.QUOTE else self._hedge(request)
        )
        if not why:
            self._hashes.add(candidate.tx_hash)
            self._in_round += 1
            self._last_ms = now.mono_ms
            if request.opens:
                self._opened_ms.append(now.mono_ms)
        return why

    def _count(self, request: OrderRequest, now: Instant) -> str:
        settings = self.core.settings
        if request.round != self._round:
            self._round, self._in_round = request.round, 0
        soon = self._last_ms is not None and now.mono_ms - self._last_ms < SLOWLY_MS
        if self._in_round >= settings.orders_per_round_max and soon:
            return f"{settings.orders_per_round_max} orders in round {request.round}"
        while self._opened_ms and now.mono_ms - self._opened_ms[0] >= MINUTE_MS:
            self._opened_ms.popleft()
        if request.opens and len(self._opened_ms) >= settings.orders_per_minute_max:
            return f"{settings.orders_per_minute_max} opening orders in the last minute"
        return ""

    def _quote(self, request: OrderRequest, now: Instant) -> str:
        core, settings = self.core, self.core.settings
        if request.opens and request.lots > settings.quantity:
            return f"size {core.size(request.lots)} is more than the quantity {core.size(settings.quantity)}"
        if not request.opens and request.lots > abs(core.maker.position):
            return f"size {core.size(request.lots)} is more than the position {core.size(core.maker.position)}"
        if core.book.stale(now.mono_ms, settings.book_age_ms_max):
            return "book is stale"
        return "" if within_collar(core, request) else "price is outside the collar around the mark price"

    def _hedge(self, request: OrderRequest) -> str:
        core = self.core
        allowed = core.own.position if request.reduce_only else core.net
        if request.lots > abs(allowed) or request.side is not Side.of_sign(-allowed):
            what = "held" if request.reduce_only else "missing"
            return f"{request.side.word} {core.size(request.lots)} is more than is {what}: {core.size(allowed)}"
        return ""


def within_collar(core: Core, request: OrderRequest) -> bool:
    """Whether a price lies near enough to the mark price. Without a mark price nothing does."""
    mark = core.book.mark
    return bool(mark) and abs(request.price - mark) * BPS_E2 <= core.settings.price_collar_bps_e2 * mark

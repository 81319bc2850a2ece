"""Arming: the hedge that a full fill of A's quote would leave missing, signed and journalled before A sends the quote.

B says what it is armed for in its state; A sends no quote without that answer. What is armed stays so until A's order
has ended, even while B tells A not to rely on it: it costs nothing to hold, and the fill may come all the same.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lighter_hedge.domain.commands import Announced, Command, Record
from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import Candidate, Instant, OrderRequest
from lighter_hedge.domain.foreign import differences
from lighter_hedge.domain.pair import residual
from lighter_hedge.domain.quoting import hedge_cap
from lighter_hedge.domain.states import Announce, Armed
from lighter_hedge.domain.units import Side, quote_text

RENEW_BEFORE_MS = 60_000
"""An armed hedge is signed anew this long before its signature ends."""
MARGIN_FACTOR_PERCENT = 105

MakeOrder = Callable[[Side, int, int, int], OrderRequest]
"""Makes a hedge of (side, lots, worst price, round)."""


@dataclass(slots=True)
class _Held:
    """What B holds ready for one announce."""

    announce: Announce
    lots: int
    """Signed lots that a full fill would leave missing; 0 where that is too little for the venue."""
    coid: int = 0


@dataclass(slots=True, kw_only=True)
class Arming:
    """What B holds ready, and why A must not rely on it."""

    core: Core
    reason: str = ""
    """Why B is not armed for the announce it has seen; empty where it is, or where there is none."""
    _held: _Held | None = None

    def answer(self) -> Armed | None:
        """What B says it is armed for."""
        held = self._held
        if held is None or self.reason or (held.lots and self.core.lane.prepared(held.coid) is None):
            return None
        announce = held.announce
        return Armed(
            epoch=announce.epoch,
            round=announce.round,
            attempt=announce.attempt,
            coid=announce.coid,
            lots=held.lots,
        )

    def candidate(self, wanted: int) -> Candidate | None:
        """The signed hedge, if it is exactly what is missing now (signed lots)."""
        held = self._held
        return self.core.lane.prepared(held.coid) if held is not None and held.lots == wanted else None

    def update(self, announce: Announce | None, unfit: str, make_order: MakeOrder, now: Instant) -> list[Command]:
        """Arm for A's announced quote, keep armed, or drop what is held once A's order has ended."""
        core = self.core
        order = core.maker.orders.get(announce.coid) if announce is not None else None
        if announce is None or (order is not None and order.closed):
            self._drop()
            self.reason = ""
            return []
        new = self._held is None or self._held.announce != announce
        seen = self._feed_reason(now, new=new)
        self.reason = unfit or self._age_reason(announce) or seen or self._margin_reason(announce)
        if self.reason:
            return []
        commands: list[Command] = []
        if new:
            order = core.maker.expect(announce)
            commands.append(Record(entry=Announced(announce=announce)))
        assert order is not None
        target = -(core.net + core.own.in_flight + order.side.sign * order.leaves)
        lots = 0 if residual(target, announce.min_lots) and core.settings.takers_need_minimum else target
        if not core.lane.ready or (self._held is not None and self._still_good(self._held, announce, lots, now)):
            return commands
        self._drop()
        self._held = _Held(announce, lots)
        if lots:
            side, settings = Side.of_sign(lots), core.settings
            cap = hedge_cap(announce.price, side, settings.slippage_bps_e2_max, settings.slippage_ladder_percent[0])
            request = make_order(side, abs(lots), cap, announce.round)
            self._held.coid = request.coid
            commands += core.lane.prepare(request)
        return commands

    def _still_good(self, held: _Held, announce: Announce, lots: int, now: Instant) -> bool:
        if held.announce != announce or held.lots != lots:
            return False
        candidate = self.core.lane.prepared(held.coid)
        if candidate is None:
            return self.core.lane.preparing(held.coid)
        return candidate.expires_ms - now.wall_ms > RENEW_BEFORE_MS

    def _drop(self) -> None:
        if self._held is not None and self._held.coid:
            self.core.lane.forget(self._held.coid)
        self._held = None

    def _age_reason(self, announce: Announce) -> str:
        """A quote that was announced before B's baseline: what it has filled may stand in there already."""
        return "" if self.core.maker.counts(announce.coid) else "the quote is older than account B's baseline"

    def _feed_reason(self, now: Instant, *, new: bool) -> str:
        """What B does not see. Both positions must agree with the books where a hedge is first sized by them; later a
        trade may be a moment ahead of its position.
        """
        core = self.core
        if not core.synced:
            return "stream is down" if not core.feed_open else "reading accounts"
        if core.book.stale(now.mono_ms, core.settings.book_age_ms_max):
            return "book is stale"
        if core.halted(now):
            return f"market {core.settings.market.symbol} is halted"
        reasons = core.skew.reasons(now) + differences(core, None if core.unclear or new else now)
        return reasons[0] if reasons else ""

    def _margin_reason(self, announce: Announce) -> str:
        core, market = self.core, self.core.settings.market
        before = abs(core.hedger.position)
        after = abs(core.hedger.position - announce.side.sign * announce.lots)
        if after <= before:
            return ""  # a hedge that shrinks the position needs no margin
        if core.available is None:
            return "free collateral is not known"
        needed = market.quote(after - before, announce.price) * market.initial_margin_fraction // 10_000
        needed = needed * MARGIN_FACTOR_PERCENT // 100
        if needed <= core.available:
            return ""
        return f"margin: needs {quote_text(needed)} USD, has {quote_text(core.available)} USD"

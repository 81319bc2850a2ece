"""How far a hedge may reach: its worst price, and A's own rest, which it must not meet."""

from dataclasses import dataclass

from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import Instant
from lighter_hedge.domain.ledger import Order
from lighter_hedge.domain.peer import Heard
from lighter_hedge.domain.quoting import BPS_E2, hedge_cap
from lighter_hedge.domain.states import MakerState
from lighter_hedge.domain.units import Side


@dataclass(slots=True, kw_only=True)
class Reach:
    """Prices of B's hedges."""

    core: Core
    peer: Heard[MakerState]
    from_market: bool = False
    """New tries at a person's word go from where the market is now, not from A's old price alone."""

    def reference(self) -> int:
        """Price against which a hedge's slippage is limited: that of A's newest order that has filled; 0 if unknown."""
        for order in reversed(self.core.maker.orders.values()):
            if order.filled and order.price:
                return order.price
        return self.core.book.mark or self.core.book.best(Side.BID) or self.core.book.best(Side.ASK) or 0

    def cap(self, side: Side, tries: int, now: Instant) -> tuple[int, bool]:
        """Worst price of a hedge now, and whether it had to be set out of reach of A's rest; 0 where B must wait."""
        core, settings = self.core, self.core.settings
        reference = self.reference()
        if not reference:
            return 0, False
        touch = core.book.best(side.opposite)
        if self.from_market and touch is not None:
            reference = min(reference, touch) if side is Side.ASK else max(reference, touch)
        ladder = settings.slippage_ladder_percent[min(tries, len(settings.slippage_ladder_percent) - 1)]
        cap = self._in_collar(hedge_cap(reference, side, settings.slippage_bps_e2_max, ladder), side)
        for order in core.maker.open_orders:
            if not settings.cancel_first or order.side is side or not order.leaves or self._expired(order, now):
                continue
            met = cap <= order.price if side is Side.ASK else cap >= order.price
            if order.price and not met:
                continue
            if not order.price or not self.peer.silent(now, settings.heartbeat_ms_max):
                return 0, False  # A cancels its rest first, and says when it is gone; nobody knows where it rests
            return (order.price + 1 if side is Side.ASK else order.price - 1), True
        return cap, False

    def _in_collar(self, cap: int, side: Side) -> int:
        """No further past mark and market than the collar: the venue refuses what looks like an accident.

        Where the market has moved in B's favour the old cap lies far behind it; a hedge at the collar fills as well.
        A mark price alone that has run away from the book must not put the book out of reach.
        """
        core = self.core
        prices = [price for price in (core.book.mark, core.book.best(side.opposite)) if price]
        if not prices:
            return cap
        collar = max(prices) * core.settings.price_collar_bps_e2 // BPS_E2
        return max(cap, min(prices) - collar) if side is Side.ASK else min(cap, max(prices) + collar)

    def _expired(self, order: Order, now: Instant) -> bool:
        """Whether the venue has ended A's quote by its own expiry, whatever became of A."""
        state = self.peer.state
        announce = state.announce if state is not None else self.core.memory.announce
        if announce is None or announce.coid != order.coid:
            return False
        return self.core.skew.venue_ms(now) > announce.expires_ms + self.core.settings.read_lag_ms

"""Closing an account's position: immediate, reduce-only orders until it is done.

Used at a person's word on a running desk (A closes, B follows as with any fill of A, last B closes what no fill of A
explains) and on a stopped one (each account by itself), and by A for what B could not hedge.
"""

from dataclasses import dataclass

from lighter_hedge.domain.commands import Command
from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import Instant, OrderKind, OrderRequest
from lighter_hedge.domain.quoting import hedge_cap
from lighter_hedge.domain.reads import READ_AGAIN_MS, READ_AGAIN_MS_MAX
from lighter_hedge.domain.units import Side


@dataclass(slots=True, kw_only=True)
class Closing:
    """Whether the own position is to be closed, and when the next order may go."""

    core: Core
    wanted: bool = False
    """A person wants all of it closed."""
    _next_ms: int = 0
    _wait_ms: int = READ_AGAIN_MS

    def step(self, now: Instant, round_number: int) -> list[Command]:
        """Send the next closing order, if one is wanted and possible; done once the position is flat."""
        position = self.core.own.position
        if not position or not self.wanted:
            self.wanted, self._wait_ms = False, READ_AGAIN_MS
            return []
        return self.close(-position, now, round_number)

    def close(self, lots: int, now: Instant, round_number: int) -> list[Command]:
        """Trade these signed lots, reduce-only, if nothing is under way and the last order is some time ago."""
        core, settings = self.core, self.core.settings
        if core.own.open_orders or not core.lane.ready or now.mono_ms < self._next_ms:
            return []
        side = Side.of_sign(lots)
        touch = core.book.best(side.opposite)
        if touch is None:
            return []
        self._next_ms = now.mono_ms + self._wait_ms
        self._wait_ms = min(2 * self._wait_ms, READ_AGAIN_MS_MAX)
        request = OrderRequest(
            kind=OrderKind.HEDGE,
            coid=core.next_coid(),
            side=side,
            lots=abs(lots),
            price=hedge_cap(touch, side, settings.slippage_bps_e2_max, settings.slippage_ladder_percent[-1]),
            reduce_only=True,
            round=round_number,
            cross_account_guard=True,
        )
        core.own.intend(request, core.skew.newest_ms)
        return core.lane.submit(request)

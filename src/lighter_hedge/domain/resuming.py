"""Ending a pause: a person's wish, carried out only once the venue, read after the wish, shows a hedged desk."""

from dataclasses import dataclass

from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import Instant
from lighter_hedge.domain.foreign import differences
from lighter_hedge.domain.gate import View
from lighter_hedge.domain.pair import residual
from lighter_hedge.domain.reads import READ_AGAIN_MS
from lighter_hedge.domain.states import Role

RESUME_MS_MAX = 10_000
"""How long a resume may take to read the venue before it is refused."""


@dataclass(slots=True)
class _Wish:
    pause_id: int
    asked_ms: int
    hedge_now: bool
    by: str


@dataclass(slots=True, kw_only=True)
class Resuming:
    """At most one wish to go on."""

    core: Core
    _wish: _Wish | None = None

    def begin(self, pause_id: int, now: Instant, *, hedge_now: bool, by: str) -> None:
        """A person asks to end this pause; ``hedge_now`` waits for B's new tries."""
        self._wish = _Wish(pause_id, now.mono_ms, hedge_now, by)
        self.core.reads.pressing = True
        for role in Role:
            self.core.reads.now(role)

    @property
    def hedges_now(self) -> bool:
        """Whether B has been asked for new tries, and their end is awaited."""
        return self._wish is not None and self._wish.hedge_now

    def attempt(self, view: View, min_lots: int) -> tuple[str, list[str]] | None:
        """Who asked, and what speaks against it (empty: end the pause); None while there is nothing to say yet."""
        wish, latch, now = self._wish, view.latch, view.now
        if wish is None:
            return None
        if latch.pause is None or wish.pause_id != latch.pause.id:
            self._end()
            return wish.by, ["that pause has ended already"]
        against = self._against(wish, view, min_lots)
        hedge_ms = self.core.settings.hedge_confirm_timeout_ms
        limit_ms = max(hedge_ms, RESUME_MS_MAX) if wish.hedge_now else RESUME_MS_MAX
        if against and now.mono_ms - wish.asked_ms < limit_ms and not self._final(wish, view):
            self._read_again(now)
            return None
        self._end()
        return wish.by, against

    def _end(self) -> None:
        self._wish, self.core.reads.pressing = None, False

    def _final(self, wish: _Wish, view: View) -> bool:
        """Whether waiting changes nothing: B's tries are used up, and what was read cannot be older than the wish."""
        core, state = self.core, view.peer.state
        fresh_ms = wish.asked_ms + core.settings.read_lag_ms
        fresh = all(role in core.reads.last and core.reads.last[role][0] >= fresh_ms for role in Role)
        return fresh and not wish.hedge_now and state is not None and state.failed is not None

    def _read_again(self, now: Instant) -> None:
        for role in Role:
            last = self.core.reads.last.get(role)
            if last is None or now.mono_ms - last[0] >= READ_AGAIN_MS:
                self.core.reads.now(role)

    def _against(self, wish: _Wish, view: View, min_lots: int) -> list[str]:
        core, state = self.core, view.peer.state
        positions = []
        for role in Role:
            last = core.reads.last.get(role)
            if last is None or last[0] < wish.asked_ms:
                used_up = self.core.budget.lacks(1, view.now)
                return ["the requests of this minute are used up" if used_up else "the venue has not been read yet"]
            positions.append(last[1])
        against = []
        if not residual(sum(positions), min_lots):
            a, b = (core.size(position) for position in positions)
            against.append(f"A {a} and B {b}: {core.size(sum(positions))} is unhedged")
        if core.open_orders[Role.MAKER]:
            against.append("an order of account A rests")
        if core.lane.unresolved or core.own.open_orders:
            against.append("a transaction of account A is unresolved")
        if state is not None and state.unresolved:
            against.append("a transaction of account B is unresolved")
        if state is not None and state.failed is not None:
            against.append("account B has used its tries up: `resume --hedge-now` gives it new ones")
        return against + differences(core, view.now)

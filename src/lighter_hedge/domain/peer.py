"""The other side as this one hears it, and this one's own state as it is told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from lighter_hedge.domain.events import Instant
from lighter_hedge.domain.states import HedgerState, MakerState

ACKS_TOLD = 16
ALONE_MS = 10_000
"""So long an instance that stands behind the known one must go on, and the known one say nothing, before it is
believed."""

S = TypeVar("S", bound=MakerState | HedgerState)


@dataclass(slots=True)
class Heard(Generic[S]):
    """The newest state of the other side."""

    state: S | None = None
    heard_ms: int = -1
    """By this side's monotonic clock; -1 before the first."""
    _behind: tuple[int, int, int] | None = None
    """Of an instance that stands behind the known one: its epoch, newest number, and since when it is heard."""

    def hear(self, state: S, now: Instant) -> bool:
        """Take a state; False where it is no newer than the known one."""
        known = self.state
        newer = known is None or (state.epoch, state.seq) > (known.epoch, known.seq)
        if not newer and not self._goes_on_alone(state, now):
            return False
        self.state, self.heard_ms, self._behind = state, now.mono_ms, None
        return True

    def _goes_on_alone(self, state: S, now: Instant) -> bool:
        """An instance that has lost its journal counts its epochs by a clock that may be behind the one before; one
        that has an older copy of it may count to the very same."""
        if self._behind is None or self._behind[0] != state.epoch:
            self._behind = (state.epoch, state.seq, now.mono_ms)
            return False
        epoch, seq, since_ms = self._behind
        self._behind = (epoch, max(seq, state.seq), since_ms)
        return state.seq > seq and now.mono_ms - since_ms >= ALONE_MS and self.silent(now, ALONE_MS)

    def silent(self, now: Instant, limit_ms: int) -> bool:
        """Whether nothing was heard for too long, by this side's clock."""
        return self.state is None or now.mono_ms - self.heard_ms > limit_ms


@dataclass(slots=True)
class Telling(Generic[S]):
    """When the own state is told: whenever it has changed, and every heartbeat."""

    heartbeat_ms: int
    told: S | None = None
    _told_ms: int = field(init=False)

    def due(self, state_at: Callable[[Instant, S | None], S], now: Instant) -> S | None:
        """The state to tell now, which then counts as told; None where the last one still says all.

        ``state_at``: makes the state; where it is given the last one, what may wait for the next beat is as it was.
        """
        last = self.told
        if last is not None and now.mono_ms - self._told_ms < self.heartbeat_ms and state_at(now, last) == last:
            return None
        self.told, self._told_ms = state_at(now, None), now.mono_ms
        return self.told


@dataclass(slots=True)
class Acks:
    """Ids of a person's commands that this side has carried out or refused, newest last."""

    ids: list[str] = field(default_factory=list)

    def add(self, command_id: str) -> None:
        """This one is done with."""
        self.ids = [*self.ids, command_id][-ACKS_TOLD:]

    def __contains__(self, command_id: object) -> bool:
        return command_id in self.ids

"""The other side as this one hears it, and this one's own state as it is told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from lighter_hedge.domain.events import Instant
from lighter_hedge.domain.states import HedgerState, MakerState

ACKS_TOLD = 16

S = TypeVar("S", MakerState, HedgerState)


@dataclass(slots=True)
class Heard(Generic[S]):
    """The newest state of the other side."""

    state: S | None = None
    heard_ms: int = -1
    """By this side's monotonic clock; -1 before the first."""

    def hear(self, state: S, now: Instant) -> bool:
        """Take a state; False where it is no newer than the known one."""
        known = self.state
        if known is not None and (state.epoch, state.seq) <= (known.epoch, known.seq):
            return False
        self.state, self.heard_ms = state, now.mono_ms
        return True

    def silent(self, now: Instant, limit_ms: int) -> bool:
        """Whether nothing was heard for too long, by this side's clock."""
        return self.state is None or now.mono_ms - self.heard_ms > limit_ms


@dataclass(slots=True)
class Telling(Generic[S]):
    """When the own state is told: whenever it has changed, and every heartbeat."""

    heartbeat_ms: int
    told: S | None = None
    _told_ms: int = -1

    def due(self, state_at: Callable[[Instant], S], now: Instant) -> S | None:
        """The state to tell now, which then counts as told; None where the last one still says all.

        ``state_at``: makes the state; of the wall clock it may hold only its own stamp.
        """
        last = self.told
        beat = last is None or now.mono_ms - self._told_ms >= self.heartbeat_ms
        if not beat and last is not None and state_at(Instant(now.mono_ms, last.at_ms)) == last:
            return None
        self.told, self._told_ms = state_at(now), now.mono_ms
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

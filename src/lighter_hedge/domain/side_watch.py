"""One side as the monitor hears it: whether it speaks, and whether it says of its position what the venue says."""

from collections.abc import Callable
from dataclasses import dataclass

from lighter_hedge.domain.events import Instant
from lighter_hedge.domain.incidents import Condition
from lighter_hedge.domain.monitor_words import LookForStop, MonitorCommand
from lighter_hedge.domain.states import HedgerState, MakerState, Role

START_GRACE_MS = 30_000
"""How long a side may take to say its first word after the monitor has started."""

STOP_ANSWER_MS = 1_000
"""How long a silence waits for the answer whether a person has stopped that side …"""

STOP_LOOK_MS = 5_000
"""… which is asked again this often while it lasts."""


@dataclass(slots=True, kw_only=True)
class SideWatch:
    """What one side has said, and since when it says nothing."""

    role: Role
    silent_ms_max: int
    silent: Condition
    differs: Condition
    state: MakerState | HedgerState | None = None
    stopped: bool = False
    """A person has stopped it, as far as its journal here tells."""
    heard_ms: int | None = None
    """When its newest state arrived; None while it has not spoken in this life of the monitor."""
    _waited_since_ms: int | None = None
    """Since when it could have been heard; None while the states cannot be seen."""
    _looked_ms: int | None = None

    @staticmethod
    def create(role: Role, *, silent_ms_max: int, read_lag_ms: int) -> "SideWatch":
        """Nothing heard yet."""
        differs_ms = read_lag_ms + silent_ms_max
        return SideWatch(
            role=role,
            silent_ms_max=silent_ms_max,
            silent=Condition(code="SIDE_SILENT", about=role.letter, limit_ms=STOP_ANSWER_MS),
            differs=Condition(code="POSITION_DIFFERS", about=role.letter, limit_ms=differs_ms),
        )

    def wait(self, now: Instant | None) -> None:
        """It can be heard from now on, and could not before; None: it cannot be heard."""
        self._waited_since_ms = None if now is None else now.mono_ms

    def hear(self, state: MakerState | HedgerState, now: Instant) -> bool:
        """Take a state. Whether it is newer than the last one."""
        known = self.state
        if known is not None and (state.epoch, state.seq) <= (known.epoch, known.seq):
            return False
        self.state = state
        # The first entry of a stream may be the last word of a side that died long ago.
        if known is not None or now.wall_ms - state.at_ms <= self.silent_ms_max:
            self.heard_ms, self.stopped = now.mono_ms, False
        return True

    def speaks(self, now: Instant) -> bool:
        """Whether it has been heard of late."""
        heard = self.heard_ms is not None and now.mono_ms - self.heard_ms <= self.silent_ms_max
        return heard and self._waited_since_ms is not None

    def position(self, now: Instant) -> int | None:
        """Signed lots by its own word; None while it is silent or does not know."""
        return self.state.position if self.state is not None and self.speaks(now) else None

    def look(self, held: int | None, now: Instant, size: Callable[[int], str]) -> list[MonitorCommand]:
        """Tell what is wrong. ``held`` is its position at the venue, None while unknown."""
        silent = self._silent_ms(now) > (START_GRACE_MS if self.heard_ms is None else self.silent_ms_max)
        commands = self._look_for_stop(now) if silent else []
        if not silent:
            self._looked_ms = None
        # Only a word ends a silence that was told.
        unknown = self.silent.alerted and not self.speaks(now)
        commands += self.silent.look(
            (silent and not self.stopped) or (None if unknown else False),
            now,
            f"account {self.role.letter} has said nothing for {self._silent_ms(now) // 1000} s",
            f"account {self.role.letter} speaks again",
        )
        told = self.position(now)
        commands += self.differs.look(
            None if told is None or held is None else told != held,
            now,
            f"account {self.role.letter} has {size(held or 0)} at the exchange and says {size(told or 0)}",
            f"account {self.role.letter} says what the exchange says: {size(held or 0)}",
        )
        return commands

    def _silent_ms(self, now: Instant) -> int:
        """For how long it could have been heard and was not."""
        if self._waited_since_ms is None or self.speaks(now):
            return 0
        return now.mono_ms - max(self.heard_ms or 0, self._waited_since_ms)

    def _look_for_stop(self, now: Instant) -> list[MonitorCommand]:
        if self._looked_ms is not None and now.mono_ms - self._looked_ms < STOP_LOOK_MS:
            return []
        self._looked_ms = now.mono_ms
        return [LookForStop(role=self.role)]

"""Running, draining or paused. A pause is latched with an id and a reason, and only a person ends it, by that id."""

from dataclasses import dataclass

from lighter_hedge.domain.commands import Alert, Command, Level, ModeChanged, Record, Say
from lighter_hedge.domain.states import Mode, Pause


@dataclass(slots=True)
class Latch:
    """State of the desk. Kept by A, stored in its journal, over crashes and restarts."""

    mode: Mode = Mode.RUNNING
    pause: Pause | None = None
    draining_for: str = ""
    """The limit that made the desk drain; empty where a person did."""

    def hold(self, code: str, reason: str, wall_ms: int, *, by: str = "desk") -> list[Command]:
        """Pause. The first reason stands until it is ended; a later one is only said."""
        if self.pause is not None:
            return []
        self.mode = Mode.PAUSED
        self.pause = Pause(id=wall_ms, reason=reason, code=code, since_ms=wall_ms)
        record = Record(entry=ModeChanged(mode=self.mode, pause=self.pause, by=by))
        if by == "desk":
            return [record, Alert(code=code, text=f"paused: {reason}")]
        return [record, Say(level=Level.WARNING, code=code, text=f"paused: {reason}")]

    def drain(self, *, by: str, code: str = "DRAINING", reason: str = "") -> list[Command]:
        """Close what is open, open nothing, then pause. Void while paused."""
        if self.mode is not Mode.RUNNING:
            return []
        self.mode, self.draining_for = Mode.DRAINING, reason
        record = Record(entry=ModeChanged(mode=self.mode, pause=None, by=by))
        text = "draining: closing what is open, opening nothing"
        if reason:
            return [record, Alert(code=code, text=f"{reason}; {text}")]
        return [record, Say(level=Level.INFO, code=code, text=text)]

    def release(self, *, by: str) -> list[Command]:
        """Run again. The caller has read the venue and found the desk hedged."""
        self.mode, self.pause = Mode.RUNNING, None
        return [
            Record(entry=ModeChanged(mode=self.mode, pause=None, by=by)),
            Say(level=Level.INFO, code="RESUMED", text=f"running again, by {by}"),
        ]

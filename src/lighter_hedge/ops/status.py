"""What a desk is doing, from the newest states of A and B: one view for people, JSON and exit codes. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from lighter_hedge.domain.states import Announce, HedgerState, MakerState, Pause
from lighter_hedge.domain.units import MarketSpec
from lighter_hedge.ops.exit_codes import ExitCode
from lighter_hedge.ops.pids import MONITOR

FRESH_FACTOR = 3
"""A state is alive for this many ``heartbeat_seconds_max``: clocks of two machines may differ a little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskView:
    """One moment of a desk."""

    desk: str
    running: bool
    mode: str
    """``running``, ``draining``, ``paused``; ``stopped`` where neither side lives, ``unknown`` without a word of A."""
    pause: Pause | None
    round: int
    announce: Announce | None
    """The quote that A wants to show."""
    waiting: tuple[str, ...]
    """Why A does not quote."""
    a_position: int | None
    b_position: int | None
    net: int | None
    """A + B, signed lots; None while one of them is unknown."""
    hedged: bool | None
    """None while unknown."""
    a_age_ms: int | None
    """Age of A's newest state; None where there is none."""
    b_age_ms: int | None
    a_alive: bool
    b_alive: bool
    pids: Mapping[str, int]
    monitor_pid: int | None
    """The monitor on this machine; None where it does not run. The desk does not depend on it."""
    notes: tuple[str, ...]
    """What else a person should know."""

    @property
    def exit_code(self) -> ExitCode:
        """0 running and hedged, 5 unhedged, 1 unknown, 4 where A or B does not run."""
        if not self.running:
            return ExitCode.NOT_RUNNING
        if self.hedged is None or self.mode == "unknown":
            return ExitCode.FAILED
        if not self.hedged:
            return ExitCode.UNHEDGED
        return ExitCode.OK if self.a_alive and self.b_alive else ExitCode.NOT_RUNNING

    def as_json(self) -> dict[str, Any]:
        """The object that ``status --json`` prints."""
        pause = self.pause
        return {
            "desk": self.desk,
            "running": self.running,
            "mode": self.mode,
            "pause": None
            if pause is None
            else {"id": pause.id, "reason": pause.reason, "code": pause.code, "since_ms": pause.since_ms},
            "round": self.round,
            "announce": _announce_json(self.announce),
            "waiting": list(self.waiting),
            "a_position_lots": self.a_position,
            "b_position_lots": self.b_position,
            "net_lots": self.net,
            "hedged": self.hedged,
            "a_age_ms": self.a_age_ms,
            "b_age_ms": self.b_age_ms,
            "a_alive": self.a_alive,
            "b_alive": self.b_alive,
            "monitor_alive": self.monitor_pid is not None,
            "pids": {**self.pids, **({} if self.monitor_pid is None else {MONITOR: self.monitor_pid})},
            "notes": list(self.notes),
        }


def is_hedged(net: int, maker: MakerState | None) -> bool:
    """Whether ``net`` is nothing but a residual that A carries or that the venue would not take."""
    if net == 0:
        return True
    if maker is None:
        return False
    least = maker.announce.min_lots if maker.announce else 0
    return abs(net) < least or net == maker.residual


def view(
    desk: str,
    maker: MakerState | None,
    hedger: HedgerState | None,
    *,
    now_ms: int,
    stale_ms: int,
    pids: Mapping[str, int],
    monitor_pid: int | None = None,
    ended: Collection[str] = (),
    notes: tuple[str, ...] = (),
) -> DeskView:
    """Fold both states into one view.

    Args:
        desk: the desk's name.
        maker: A's newest state, or None.
        hedger: B's newest state, or None.
        now_ms: wall clock.
        stale_ms: age at which a side counts as gone.
        pids: processes of this machine that are alive.
        monitor_pid: the monitor of this machine, where it is alive.
        ended: sides that have ended on this machine, however fresh their last words are.
        notes: what else is known.
    """
    a_age = None if maker is None else max(0, now_ms - maker.at_ms)
    b_age = None if hedger is None else max(0, now_ms - hedger.at_ms)
    a_fresh = a_age is not None and a_age < stale_ms and "A" not in ended
    b_fresh = b_age is not None and b_age < stale_ms and "B" not in ended
    a_alive, b_alive = a_fresh or "A" in pids, b_fresh or "B" in pids
    running = a_alive or b_alive
    a = maker.position if maker is not None and a_fresh else None
    b = hedger.position if hedger is not None and b_fresh else None
    net = None if a is None or b is None else a + b
    pause = maker.pause if maker else None
    if pause is None and hedger is not None:
        pause = hedger.pause_ask
    mode = "paused" if pause and maker is None else (maker.mode.value if maker else "unknown")
    return DeskView(
        desk=desk,
        running=running,
        mode=mode if running else "stopped",
        pause=pause,
        round=maker.round if maker else 0,
        announce=maker.announce if maker and a_fresh else None,
        waiting=maker.waiting if maker and a_fresh else (),
        a_position=a,
        b_position=b,
        net=net,
        hedged=None if net is None else is_hedged(net, maker),
        a_age_ms=a_age,
        b_age_ms=b_age,
        a_alive=a_alive,
        b_alive=b_alive,
        pids=pids,
        monitor_pid=monitor_pid,
        notes=notes,
    )


def _announce_json(quote: Announce | None) -> dict[str, Any] | None:
    if quote is None:
        return None
    return {
        "round": quote.round,
        "attempt": quote.attempt,
        "leg": quote.leg.value,
        "side": quote.side.word,
        "lots": quote.lots,
        "price_ticks": quote.price,
        "client_order_index": quote.coid,
    }


def _announced(quote: Announce, spec: MarketSpec | None) -> str:
    price = spec.price_text(quote.price) if spec else f"{quote.price} ticks"
    size = _amount(quote.lots, spec)
    return f"{quote.side.word} {size} at {price} to {quote.leg.value} (attempt {quote.attempt})"


def lines(seen: DeskView, spec: MarketSpec | None = None) -> list[str]:
    """The view as text, one line each; amounts in the base currency where ``spec`` is known."""
    word = {True: "hedged", False: "UNHEDGED", None: "unknown"}[seen.hedged]
    sides = ", ".join(
        f"{letter} {'alive' if alive else 'not running'}{_heard(age)}"
        for letter, alive, age in (("A", seen.a_alive, seen.a_age_ms), ("B", seen.b_alive, seen.b_age_ms))
    )
    monitor = "not running here" if seen.monitor_pid is None else "alive"
    result = [
        f"desk      {seen.desk}",
        f"state     {seen.mode}, {word}",
        f"sides     {sides}",
        f"monitor   {monitor}",
        f"position  A {_amount(seen.a_position, spec)}, B {_amount(seen.b_position, spec)}, "
        f"net {_amount(seen.net, spec)}",
        f"round     {seen.round}",
    ]
    if seen.announce:
        result.append(f"quote     {_announced(seen.announce, spec)}")
    if seen.pause:
        result.append(f"paused    {seen.pause.reason} [{seen.pause.code}], pause id {seen.pause.id}")
    result += [f"waiting   {reason}" for reason in seen.waiting]
    result += [f"note      {note}" for note in seen.notes]
    return result


def _heard(age_ms: int | None) -> str:
    return " (never heard)" if age_ms is None else f" (heard {age_ms / 1000:.1f} s ago)"


def _amount(lots: int | None, spec: MarketSpec | None) -> str:
    if lots is None:
        return "unknown"
    return f"{spec.size_text(lots)} {spec.symbol}" if spec else f"{lots} lots"

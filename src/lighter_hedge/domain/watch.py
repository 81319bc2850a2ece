"""What A watches while it waits: exposure, a hedger that is not armed, what is not the desk's own; and what it says."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lighter_hedge.domain.commands import Alert, Command, Level, Say
from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import Instant
from lighter_hedge.domain.exposure import Since
from lighter_hedge.domain.foreign import proven_difference, take_foreign
from lighter_hedge.domain.gate import View, hedger_reasons
from lighter_hedge.domain.latch import Latch
from lighter_hedge.domain.pair import Agreement, residual
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import quote_text


@dataclass(slots=True, kw_only=True)
class Watch:
    """Timers of the wait, and the status line."""

    core: Core
    exposed: Since = field(default_factory=Since)
    """From the first unhedged fill on."""
    unarmed: Since = field(default_factory=Since)
    _timeout_said: bool = False
    _start_judged: bool = False
    _residual_said: bool = False
    _status_ms: int | None = None

    def step(self, view: View, min_lots: int, ended_asks: Sequence[int]) -> list[Command]:
        """Pause the desk where it must be paused; say when the wait has timed out."""
        core, latch, now = self.core, view.latch, view.now
        commands = core.attribute_unseen_fills(now, silent=view.peer.silent(now, core.settings.heartbeat_ms_max))
        foreign = take_foreign(core)
        if foreign:
            commands += foreign + latch.hold("FOREIGN_TRADE", "a trade that is not this desk's", now.wall_ms)
        proven = proven_difference(core, now)
        if proven:
            commands += latch.hold("POSITION_DIFFERS", proven, now.wall_ms)
        ask = view.peer.state.pause_ask if view.peer.state is not None else None
        if ask is not None and ask.id not in ended_asks:
            commands += latch.hold(ask.code, ask.reason, now.wall_ms)
        commands += self._judge_start(view, min_lots) + self._watch_residual(min_lots)
        return commands + self._time(view, min_lots)

    def _judge_start(self, view: View, min_lots: int) -> list[Command]:
        """An exposure that this start has found may be as old as A's last order: then nobody was there to pause."""
        core, now = self.core, view.now
        if self._start_judged or any(check.agreement() is not Agreement.AGREES for check in core.checks.values()):
            return []
        self._start_judged = True
        signed_ms = max((intent.signed_ms for intent in core.memory.intents), default=now.wall_ms)
        age_ms = now.wall_ms - signed_ms
        if residual(core.net, min_lots) or age_ms < core.settings.unhedged_ms_max:
            return []
        text = f"found {core.size(core.net)} unhedged at the start, for up to {age_ms // 1000} s"
        return view.latch.hold("UNHEDGED_TOO_LONG", text, now.wall_ms)

    def _watch_residual(self, min_lots: int) -> list[Command]:
        """A residual is no exposure, but one that is worth much is reported, once."""
        core = self.core
        net = core.net
        worth = core.settings.market.quote(net, core.book.mark)
        large = worth > core.settings.residual_quote_max and residual(net, min_lots)
        said, self._residual_said = self._residual_said, large
        if not large or said:
            return []
        text = f"residual of {core.size(net)} is worth {quote_text(worth)} USD"
        return [Alert(code="RESIDUAL_LARGE", text=text)]

    def _time(self, view: View, min_lots: int) -> list[Command]:
        """The wait for B, timed from the first unhedged fill; and how long nobody has been armed."""
        core, settings, now = self.core, self.core.settings, view.now
        exposed = not residual(core.net, min_lots)
        self.exposed.update(exposed, now.mono_ms)
        self.unarmed.update(bool(hedger_reasons(view.peer, now, settings.heartbeat_ms_max)), now.mono_ms)
        if self.exposed.began_ms is None and self.unarmed.began_ms is None:
            self._timeout_said = False
        commands: list[Command] = []
        age_ms = self.exposed.age_ms(now.mono_ms) or self.unarmed.age_ms(now.mono_ms)
        if age_ms >= settings.hedge_confirm_timeout_ms and not self._timeout_said:
            self._timeout_said = True
            what = f"{core.size(core.net)} is unhedged" if exposed else "account B is not armed"
            text = f"timed out after {age_ms // 1000} s waiting for account B: {what}; reading both accounts"
            commands.append(Say(level=Level.ERROR, code="HEDGE_TIMEOUT", text=text))
            for role in Role:
                core.reads.now(role)
        if self.exposed.age_ms(now.mono_ms) >= settings.unhedged_ms_max:
            text = f"{core.size(core.net)} unhedged for more than {settings.unhedged_ms_max // 1000} s"
            commands += view.latch.hold("UNHEDGED_TOO_LONG", text, now.wall_ms)
        return commands

    def quiet(self, now: Instant) -> None:
        """A quotes: nothing to say."""
        self._status_ms = now.mono_ms

    def status(self, waiting: Sequence[str], latch: Latch, now: Instant) -> list[Command]:
        """While waiting or paused: where it stands, every ``status_interval``."""
        if self._status_ms is None:
            self._status_ms = now.mono_ms
        if now.mono_ms - self._status_ms < self.core.settings.status_interval_ms:
            return []
        self._status_ms = now.mono_ms
        since = ""
        if self.exposed.began_ms is not None:
            limit_s = self.core.settings.hedge_confirm_timeout_ms // 1000
            since = f", {self.exposed.age_ms(now.mono_ms) // 1000} s of {limit_s} s"
        text = f"not quoting{since}: {'; '.join(waiting)}"
        if latch.pause is not None:
            return [Say(level=Level.WARNING, code="PAUSED", text=text)]
        return [Say(level=Level.INFO, code="WAITING", text=text)]

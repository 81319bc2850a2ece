"""One account of a stopped desk, closed at a person's word: burn the nonce, cancel, close reduce-only, read back."""

from dataclasses import dataclass

from lighter_hedge.domain.closing import Closing
from lighter_hedge.domain.commands import Command, Exit
from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import Event, Instant, OrderRequest, Ticked
from lighter_hedge.domain.lane_words import Fate
from lighter_hedge.domain.memory import Memory
from lighter_hedge.domain.recovery import recover
from lighter_hedge.domain.settings import DeskSettings
from lighter_hedge.domain.states import Role

EXIT_TIMED_OUT = 6


@dataclass(slots=True, kw_only=True)
class Clearer:
    """The state machine of ``clear`` on a stopped desk, for one account."""

    core: Core
    closing: Closing
    ms_max: int
    """How long it may take."""
    _started_ms: int | None = None
    _flat_since_ms: int | None = None
    _done: bool = False

    @staticmethod
    def create(role: Role, settings: DeskSettings, memory: Memory, ms_max: int) -> "Clearer":
        """An account as its journal left it; its position is taken as the venue shows it."""
        core = Core.create(role, settings, memory)
        core.rebase = True
        return Clearer(core=core, closing=Closing(core=core), ms_max=ms_max)

    def start(self) -> list[Command]:
        """Begin: the lane's burn cancels every order in the market."""
        return self.core.start()

    def step(self, event: Event, now: Instant) -> list[Command]:
        """Apply one event; return what must now be done, in order."""
        if self._done:
            return []
        if self._started_ms is None:
            self._started_ms = now.mono_ms
        core = self.core
        commands = core.step(event, now, self._wanted)
        if isinstance(event, Ticked):
            commands += core.tick(now)
        commands += recover(core, now)
        for settlement in core.lane.take_settlements():
            if isinstance(settlement.request, OrderRequest):
                if settlement.fate is Fate.EXECUTED:
                    core.executed(settlement.request.coid, now)
                else:
                    commands += core.closed_without_effect(settlement.request.coid, settlement.message, now)
        commands += self._decide(now)
        self._done = any(isinstance(command, Exit) for command in commands)
        return commands

    def _decide(self, now: Instant) -> list[Command]:
        core = self.core
        assert self._started_ms is not None
        if core.lane.superseded:
            return core.superseded()
        if now.mono_ms - self._started_ms > self.ms_max:
            text = f"account {core.role.letter} still has {core.size(core.own.position)}"
            return [Exit(code=EXIT_TIMED_OUT, why=text)]
        if not core.synced:
            return []
        if core.own.position or core.own.open_orders:
            self._flat_since_ms = None
            return self.closing.close(-core.own.position, now, 0)  # only cancels are awaited where nothing is held
        if self._flat_since_ms is None:
            self._flat_since_ms = now.mono_ms
        asked_ms, position = core.reads.last[core.role]
        if asked_ms < self._flat_since_ms + core.settings.read_lag_ms:
            core.reads.again(core.role)
            return []
        if position or core.open_orders[core.role]:
            core.own.base += position
            return []
        return [Exit(code=0, why=f"account {core.role.letter} is flat")]

    def _wanted(self, request: OrderRequest) -> bool:
        order = self.core.own.orders.get(request.coid)
        return order is not None and not order.closed

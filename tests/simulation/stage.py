"""Where a seed is played: the world with everything that a fault, a person or the supervisor needs to reach it."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.simulation.market import Market, Takers
from tests.simulation.memory_journal import MemoryJournal
from tests.simulation.process import Process
from tests.simulation.trace import Trace
from tests.simulation.truth import Truth
from tests.simulation.world import DESK, World

from lighter_hedge.domain.states import Mode, Role

if TYPE_CHECKING:
    from tests.simulation.watching import Watching

EXIT_REFUSED, EXIT_SUPERSEDED = 7, 8
TRIES_OF_A_PERSON, PATIENCE_SECONDS = 3, 4.0
"""A pause that so many resumes do not end within so long has something that only a fresh start mends."""


@dataclass(slots=True)
class Stage:
    """One world on its way through time."""

    rng: random.Random
    world: World
    truth: Truth
    market: Market
    takers: Takers
    trace: Trace
    patience: float = 0.5
    """Share of steps in which a person looks whether the desk is paused."""
    counts: Counter[str] = field(default_factory=Counter)
    """Faults that have struck, by kind."""
    armed: list[tuple[str, int]] = field(default_factory=list)
    """Faults of the exchange that are armed: kind and id."""
    backups: dict[Role, MemoryJournal] = field(default_factory=dict)
    undo: list[Callable[[], None]] = field(default_factory=list)
    """Ends what lasts."""
    _asked: tuple[int, float, int] = (0, 0.0, 0)
    """The pause that a person has tried to end: its id, since when, how often."""
    cleared_at: float = -1e9
    """When a person last asked to close everything."""
    redis_age: int = 0
    """How often a person has emptied Redis for good: an older copy is not loaded after that."""
    mended: int = 0
    """How often a person had to start the desk afresh."""
    healed: bool = False
    """Nothing goes wrong any more."""
    look: Callable[[], None] = lambda: None
    """Whether anything has broken so far: for a fault that lets time pass."""
    watching: "Watching | None" = None
    """The monitor, in some worlds."""

    # --- what faults use ---

    def side(self) -> Role:
        """A side, by chance."""
        return self.rng.choice((Role.MAKER, Role.HEDGER))

    def process(self) -> Process:
        """The newest instance of a side, by chance."""
        return self.world.processes[self.side()]

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """Do something after a while; all of it is done at once when everything heals."""
        done = False

        def once() -> None:
            nonlocal done
            if not done:
                done = True
                do()
                for role in Role:
                    self.truth.hamper(role)

        self.undo.append(once)
        self.world.loop.call_later(seconds, once)

    def arm(self, kind: str, role: Role | None, **parameters: object) -> str:
        """Arm a fault of the exchange."""
        self.armed.append((kind, self.world.fault(kind, role, **parameters)))
        return f"{role.letter if role else 'all'} {parameters}"

    def rename(self, process: Process) -> None:
        """An instance that stands beside an older one counts its starts on."""
        process.starts = max(other.starts for other in self.world.everybody() if other.role is process.role)

    # --- the supervisor, and a person who looks after the desk ---

    def tend(self) -> None:
        """Start what has ended, and end what pauses the desk, sooner or later."""
        now = self.world.loop.time()
        for process in self.world.processes.values():
            if process.running:
                continue
            if process.restart_at is None:
                process.restart_at = now + self._wait(process)
            elif now >= process.restart_at:
                self._start_again(process)
        self.world.others = [process for process in self.world.others if process.running]
        if self.rng.random() < self.patience:
            self._end_pause()

    def _wait(self, process: Process) -> float:
        if process.exit_code in (EXIT_REFUSED, EXIT_SUPERSEDED):
            return self.rng.uniform(1, 10)
        return self.rng.choice((0.05, 0.3, 1.0, 1.0, 2.0, 10.0)) * self.rng.random()

    def _start_again(self, process: Process) -> None:
        refused = process.exit_code == EXIT_REFUSED
        if process.exit_code == EXIT_SUPERSEDED and not self.world.hub.is_cut:
            self.trace.add("------ a person ends the other instance, and deletes its states")
            for other in [other for other in self.world.others if other.role is process.role]:
                self.world.end(other)
                self.world.others.remove(other)
            self.world.hub.wipe()
        process.restart_at = None
        if refused:
            self.start_over()
            return
        person = process.journal.person_stopped
        self.trace.add(f"------ {process.role.letter} starts again{' by a person' if person else ''}")
        self.world.start_process(process, by_person=person, adopt=not process.journal.entries)
        self.truth.hamper(process.role)

    def _end_pause(self) -> None:
        a = self.world.a
        if not a.running or a.driver is None or self.world.maker.latch.mode is not Mode.PAUSED:
            return
        pause = self.world.maker.latch.pause
        assert pause is not None
        now = self.world.loop.time()
        if self._asked[0] != pause.id:
            self._asked = (pause.id, now, 0)
        since, often = self._asked[1], self._asked[2] + 1
        self._asked = (pause.id, since, often)
        if often > TRIES_OF_A_PERSON and now - since > PATIENCE_SECONDS:
            self.start_over()
            return
        hedge_now = self.rng.random() < 0.7
        if hedge_now:
            self.truth.person_asked = self.world.loop.time()
        self.trace.add(f"------ a person resumes {pause.code}")
        self.say("resume", pause_id=pause.id, hedge_now=hedge_now)

    def say(self, verb: str, **parameters: Any) -> None:
        """A person's command, unless Redis is gone."""
        if verb == "resume":
            self.truth.facts.resumed(parameters["pause_id"])
        if verb == "clear":
            self.cleared_at = self.world.loop.time()
        if not self.world.hub.is_cut:
            self.world.ask(verb, **parameters)

    def start_over(self) -> None:
        """A person who cannot explain the positions: stops both, closes everything by hand, empties journals
        and Redis, and starts."""
        world = self.world
        self.trace.add("------ a person closes everything by hand and starts afresh")
        why = self._unhedged()
        self.mended += 1
        for process in [*world.processes.values(), *world.others]:
            world.end(process)
        world.others.clear()
        self.flatten()
        while any(world.position(role) for role in Role):
            self.flatten()  # a hedge that was under way came after it
        self.truth.rebase()
        self.redis_age += 1
        world.hub.wipe()
        world.server.venue._last_told.clear()  # it takes a person longer than the exchange replays old frames
        for role in (Role.HEDGER, Role.MAKER):
            process = world.processes[role]
            process.journal = MemoryJournal(DESK)
            self.truth.watch(process)
            process.restart_at, process.exit_code = None, None
            world.start_process(process)
            self.truth.hamper(role)
        self.backups.clear()
        self.truth.facts.started_over(why)

    def _unhedged(self) -> str:
        """Why the desk is still paused, where that is an exposure and everything has healed."""
        pause = self.world.maker.latch.pause if self.world.a.driver is not None else None
        if not self.healed or pause is None or pause.code not in ("HEDGE_FAILED", "UNHEDGED_TOO_LONG"):
            return ""
        return pause.reason

    def flatten(self) -> None:
        """By hand, at the exchange: nothing rests, nothing is held, nothing is on its way."""
        world = self.world
        world.run(1.0)  # what has been sent has run
        for role in Role:
            for kind, fault_id in self.armed:
                if kind in ("halted", "reject", "key_revoked"):
                    world.clear_fault(fault_id)
            world.server.burn_by_hand(role)
            for order in world.resting(role):
                world.server.cancel_by_hand(role, order.order_index)
        world.run(1.0)
        self.market.lots, self.market.sides = 5_000, Market().sides
        self.market.show(world.server)
        for role in Role:
            world.processes[role].venue.skew_ms = 0
            held = world.position(role)
            if held:
                price = self.market.mid * (96 if held > 0 else 104) // 100
                world.server.by_hand(role, is_ask=held > 0, lots=abs(held), price=price, reduce_only=True)
        world.run(1.0)
        self.market.lots = Market().lots

    # --- what holds now ---

    def able(self) -> None:
        """Note which sides are hampered now."""
        for role, process in self.world.processes.items():
            venue = process.venue
            driver = process.driver
            hampered = (
                not process.running
                or process.frozen
                or venue.cut
                or venue.network.read_errors
                or venue.network.sends
                or venue.network.frames_late > 1
                or process.journal.full
                or driver is None
                or not driver.machine.core.recovered  # type: ignore[attr-defined]
            )
            if hampered or self.armed_now():
                self.truth.hamper(role)

    def armed_now(self) -> bool:
        """Whether the exchange refuses or hides anything now."""
        shown = self.world.server.exchange.faults.shown(self.world.server.now_us())
        return any(fault["kind"] in HINDERING for fault in shown)


HINDERING = frozenset({"account_error", "history_lag", "halted", "reject", "key_revoked", "lose_answer"})

"""Plays seeds in order until a planted bug is seen, and says by whom."""

import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.mutants.bug import ASSERTION, BUGS, Bug, Plant, planted
from tests.simulation import faults
from tests.simulation import play as play_module
from tests.simulation.faults import Kind
from tests.simulation.play import play
from tests.simulation.truth import Violation

from lighter_hedge.domain.guard import SendGuard
from lighter_hedge.processes.journal_file import JournalConflict

WORLD_SECONDS_MAX = 60
"""Of real time: a bug can make a machine run in a circle without time passing."""
LONG_EVERY = 4
"""Every so many worlds one is long: some promises are broken only after a while."""
UNSOUND = "unsound without it too"
BROKEN_MAX = 3
"""So many programming errors of a plant itself end its hunt."""


class Endless(Exception):
    """A world that does not come to an end."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What ended one world."""

    by: str
    """Name of the checker; ``assertion``; ``broken`` for a programming error; ``endless``; ``harness``."""
    where: str
    """File and function that raised it."""
    text: str


@dataclass(slots=True)
class Verdict:
    """What became of one planted bug."""

    name: str
    defence: str
    found: bool = False
    sight: Sight | None = None
    seed: int = -1
    worlds: int = 0
    seconds: float = 0.0
    others: dict[str, int] = field(default_factory=dict)
    """Worlds that ended by something that is not on the bug's own list, or that end so without the bug too."""
    struck: tuple[str, ...] = ()
    """Fault kinds that had struck in the world that found it."""
    needed: tuple[str, ...] = ()
    """Those of them without which the very same seed finds nothing."""
    saved: str = ""
    """Where a second defence was taken out with it: how that defence alone fares."""

    def note(self, what: str) -> None:
        """A world ended by something that does not count."""
        self.others[what] = self.others.get(what, 0) + 1

    @property
    def ok(self) -> bool:
        """Found; and stopped by its second defence where it has one."""
        return self.found and not self.saved.startswith("no")


def sight_of(error: BaseException) -> Sight:
    """Who has seen what."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frame = traceback.extract_tb(error.__traceback__)[-1]
    file = frame.filename
    below = file.rpartition("/lighter_hedge/")[2].removesuffix(".py").replace("/", ".")
    own = "/lighter_hedge/" in file
    where = f"{below}.{frame.name}" if own else frame.name
    text = str(error).partition("\n")[0][:160]
    if isinstance(error, Violation):
        return Sight(frame.name.lstrip("_"), where, text)
    if isinstance(error, JournalConflict):
        return Sight(ASSERTION, "processes.journal", text)
    if isinstance(error, AssertionError):
        return Sight(ASSERTION if own else "harness", where, text)
    if isinstance(error, Endless):
        return Sight("endless", where, text)
    return Sight("broken", where, f"{type(error).__name__}: {text}")


def look(seed: int, favoured: tuple[str, ...] = (), *, long: bool | None = None) -> Sight | None:
    """Play one world; what ended it before its time, if anything did.

    ``favoured``: hazards and sequences whose faults come more often in it.
    ``long``: every so many worlds where nothing is said.
    """

    def ring(*_: object) -> None:
        raise Endless(f"seed {seed} took more than {WORLD_SECONDS_MAX} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(WORLD_SECONDS_MAX)
    try:
        play(seed, long=seed % LONG_EVERY == LONG_EVERY - 1 if long is None else long, favoured=favoured)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a planted bug makes of the code is what is looked for
        return sight_of(error)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return None


@contextmanager
def struck_faults() -> Iterator[Callable[[], Counter[str]]]:
    """Which faults have struck in the newest world."""
    stages: list[Any] = []
    plant = Plant()

    def make(real: Any) -> Any:
        def staged(*args: Any, **options: Any) -> Any:
            stages[:] = [real(*args, **options)]
            return stages[0]

        return staged

    plant.around(play_module, "staged", make)
    try:
        yield lambda: Counter(stages[0].counts) if stages else Counter()
    finally:
        plant.remove()


def hunt(one: Bug, worlds: int, *, first: int = 0, needs: bool = False) -> Verdict:
    """Play seeds until the bug is seen by one of those who must see it, in a world that is sound without it."""
    verdict = Verdict(one.name, one.defence)
    began = time.monotonic()
    for seed in range(first, first + worlds):
        verdict.worlds += 1
        with planted(one), struck_faults() as struck:
            seen = look(seed, one.serves)
            faults_struck = struck()
        if seen is None:
            continue
        if seen.by not in one.seen_by:
            verdict.note(f"{seen.by}: {seen.where}")
            if verdict.sight is None or seen.by == "broken":
                verdict.sight = seen
            if seen.by == "broken" and verdict.others[f"{seen.by}: {seen.where}"] >= BROKEN_MAX:
                break
            continue
        if look(seed, one.serves) is not None:
            verdict.note(UNSOUND)
            continue
        verdict.found, verdict.sight, verdict.seed = True, seen, seed
        verdict.struck = tuple(sorted(faults_struck))
        break
    verdict.seconds = time.monotonic() - began
    if verdict.found and one.unsave is not None:
        verdict.saved = saved(one, range(first, verdict.seed + 1))
    if verdict.found and needs:
        verdict.needed = tuple(kind for kind in verdict.struck if not seen_without(one, verdict.seed, kind))
    return verdict


def saved(one: Bug, seeds: range) -> str:
    """Whether the second defence alone stops the bug in the same worlds: it must have had something to stop."""
    refused = 0
    for seed in seeds:
        with planted(one, saved=True) as plant, counted_refusals(plant):
            seen = look(seed, one.serves)
            refused += plant.refused
        if seen is not None and seen.by in one.seen_by and look(seed, one.serves) is None:
            return f"no: {seen.by} at seed {seed}"
    if not one.saved_by.startswith("domain.guard"):
        return f"stands in {len(seeds)} worlds"
    return f"{refused} sends refused" if refused else "no: nothing was refused"


@contextmanager
def counted_refusals(plant: Plant) -> Iterator[None]:
    """Counts what the last look before the socket refuses."""

    def make(real: Any) -> Any:
        def refuses(*args: Any) -> str:
            why: str = real(*args)
            plant.refused += bool(why)
            return why

        return refuses

    plant.around(SendGuard, "refuses", make)
    yield


def seen_without(one: Bug, seed: int, kind: str) -> bool:
    """Whether the same seed finds the bug too when one kind of fault strikes in vain."""
    known = faults.KINDS[kind]
    faults.KINDS[kind] = Kind(lambda stage: None, known.weight, known.serves)
    try:
        with planted(one):
            seen = look(seed, one.serves)
    finally:
        faults.KINDS[kind] = known
    return seen is not None and seen.by in one.seen_by


def named(names: str) -> list[Bug]:
    """Bugs by name, all of them where none is given.

    Raises:
        KeyError: there is no such bug.
    """
    return [BUGS[name] for name in names.split(",")] if names else list(BUGS.values())

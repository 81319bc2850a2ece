"""Breadth-first to the end: every state that a small world can reach, each looked at once.

A *world* gives its first states, what may happen in a state, and what comes of it. States are plain tuples, so that two
ways to the same state meet. A promise that breaks raises ``Broken``; the walk then tells the shortest story that leads
there. Progress is checked as well: from every state the world's *friendly* course (faults have ended, whatever is asked
is answered truly) must reach a goal.
"""

import hashlib
import marshal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

State = tuple[Any, ...]
"""Nested tuples of integers, texts, truth values and None."""
Label = tuple[Any, ...]
Digest = bytes

FRIENDLY_MAX = 400
"""Steps of a friendly course: one that is longer goes round in circles."""


class Broken(AssertionError):
    """A promise was broken."""


class World(Protocol):
    """What can be walked."""

    def first(self) -> Iterable[State]:
        """States to begin with."""

    def labels(self, state: State) -> list[Label]:
        """Everything that may happen next."""

    def after(self, state: State, label: Label) -> State:
        """What comes of it.

        Raises:
            Broken: a promise does not hold.
        """

    def friendly(self, state: State) -> Label | None:
        """The friendly next step; None where a goal is reached."""


@dataclass(slots=True)
class Walk:
    """What has been seen."""

    states: int = 0
    transitions: int = 0
    depth: int = 0
    seconds: float = 0.0
    ended: bool = False
    """Whether nothing was left to look at: false where a limit stopped the walk."""
    seen: dict[Digest, tuple[Digest, Label] | None] = field(default_factory=dict)
    reached: dict[str, int] = field(default_factory=dict)
    """How often each kind of step was taken."""

    def measured(self, begun: float) -> "Walk":
        """Count what has been seen so far."""
        self.states, self.seconds = len(self.seen), time.monotonic() - begun
        return self


def digest(state: State) -> Digest:
    """A name of 128 bits: two states of one walk share one with a chance below 10⁻²⁴."""
    return hashlib.blake2b(marshal.dumps(state, 2), digest_size=16).digest()


def story(walk: Walk, last: Digest) -> list[Label]:
    """How a state was first reached."""
    labels: list[Label] = []
    step = walk.seen[last]
    while step is not None:
        labels.append(step[1])
        step = walk.seen[step[0]]
    return labels[::-1]


def explore(
    world: World,
    *,
    states_max: int = 1 << 62,
    seconds_max: float = float("inf"),
    say: Callable[[str], None] = lambda _: None,
) -> Walk:
    """Walk to the end, or to a limit.

    Raises:
        Broken: with the shortest story that breaks a promise as a note.
    """
    walk, good, begun = Walk(), set[Digest](), time.monotonic()
    level: list[tuple[Digest, State]] = []
    for state in world.first():
        name = digest(state)
        walk.seen[name] = None
        level.append((name, state))
    while level:
        further: list[tuple[Digest, State]] = []
        for name, state in level:
            if len(walk.seen) > states_max or time.monotonic() - begun > seconds_max:
                return walk.measured(begun)
            _progress(world, walk, name, state, good)
            for label in world.labels(state):
                try:
                    after = world.after(state, label)
                except AssertionError as error:
                    _tell(error, [*story(walk, name), label])
                    raise
                walk.transitions += 1
                walk.reached[str(label[0])] = walk.reached.get(str(label[0]), 0) + 1
                found = digest(after)
                if found not in walk.seen:
                    walk.seen[found] = (name, label)
                    further.append((found, after))
        walk.depth += 1
        walk.measured(begun)
        say(f"depth {walk.depth}: {walk.states:,} states, {walk.transitions:,} transitions, {walk.seconds:.0f} s")
        level = further
    walk.ended = True
    return walk


def _tell(error: AssertionError, labels: list[Label]) -> None:
    error.add_note("story:\n  " + "\n  ".join(" ".join(str(part) for part in label) for label in labels))


def _progress(world: World, walk: Walk, name: Digest, state: State, good: set[Digest]) -> None:
    """From here the friendly course must reach a goal."""
    passed = []
    labels: list[Label] = []
    here, now = name, state
    while here not in good:
        label = world.friendly(now)
        passed.append(here)
        if label is None:
            break
        labels.append(label)
        if len(labels) > FRIENDLY_MAX:
            error = Broken("no way to go on although all faults have ended")
            _tell(error, [*story(walk, name), ("faults end",), *labels[:60]])
            raise error
        try:
            now = world.after(now, label)
        except AssertionError as error:
            _tell(error, [*story(walk, name), ("faults end",), *labels])
            raise
        here = digest(now)
    good.update(passed)

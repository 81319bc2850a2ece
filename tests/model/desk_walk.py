"""Every way through a small desk's story with at most so many faults and crashes, each followed to its end.

The story is walked once without faults. At each happening the world is copied, once for each way in which it may go
wrong, and each copy is followed in the same manner with one fault less.

A process may be killed after each effect that somebody else or the disk can see (a send, a record, a message), and
before each happening at the exchange. Those are all moments that differ: what a machine computes between two effects
dies with it, and happenings of one process leave the other and the exchange as they are, so a crash before one of them
is a crash after the last effect before it. Happenings that are not touched keep their order: what is late is behind all
that was under way with it.
"""

import pickle
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.model.desk_world import END_MS, DeskWorld, Due
from tests.model.walk import Broken

from lighter_hedge.domain.commands import PublishState, Record, Send
from lighter_hedge.domain.states import Role

Step = tuple[int, str, str]
"""At which happening of the story, which one, and what went wrong."""

HAPPENINGS_MAX = 6_000
SEEN_BY_OTHERS = (Send, Record, PublishState)


@dataclass(slots=True)
class Stories:
    """What has been walked."""

    stories: int = 0
    happenings: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    wrongs: Counter[str] = field(default_factory=Counter)
    slowest_ms: int = 0
    """Virtual time of the longest story."""


def walk_desk(
    make: Callable[[], DeskWorld],
    *,
    faults: int,
    crashes: int,
    only: Callable[[int], bool] = lambda _: True,
) -> Stories:
    """Follow every story. ``only`` picks first faults by their number, to walk a part.

    Raises:
        Broken: with the story as a note.
    """
    found = Stories()
    for first, (step, world, left) in enumerate(_ways(make(), 0, faults, crashes, [], found), start=1):
        if only(first):
            _follow(world, *left, [step], found)
    return found


def _follow(world: DeskWorld, number: int, faults: int, crashes: int, story: list[Step], found: Stories) -> None:
    for step, copy, left in _ways(world, number, faults, crashes, story, found):
        _follow(copy, *left, [*story, step], found)


def _ways(
    world: DeskWorld, number: int, faults: int, crashes: int, story: list[Step], found: Stories
) -> Iterator[tuple[Step, DeskWorld, tuple[int, int, int]]]:
    """Follow the story to its end without a further fault; yield every copy that goes another way."""
    try:
        while not (end := world.ended()):
            number += 1
            due = world.next()
            found.happenings += 1
            if world.now > END_MS or number > HAPPENINGS_MAX:
                raise Broken(f"not at rest after {world.now} ms: {_state(world)}")
            name = f"{due.role.letter} {due.kind} {type(due.what).__name__}"
            if faults:
                for wrong in world.wrongs(due):
                    copy, its_due = pickle.loads(pickle.dumps((world, due)))
                    step = (number, name, wrong)
                    found.wrongs[f"{due.kind} {wrong}"] += 1
                    _happen(copy, its_due, wrong, None, [*story, step])
                    yield step, copy, (number, faults - 1, crashes)
            if crashes:
                for step, copy in _crashes(world, due, number, name, story):
                    found.wrongs[f"{due.kind} crash"] += 1
                    yield step, copy, (number, faults, crashes - 1)
            world.happen(due)
    except AssertionError as error:
        _tell(error, story)
        raise
    found.stories += 1
    found.ends[end] += 1
    found.slowest_ms = max(found.slowest_ms, world.now)


def _crashes(world: DeskWorld, due: Due, number: int, name: str, story: list[Step]) -> Iterator[tuple[Step, DeskWorld]]:
    if due.kind in ("arrive", "fill"):
        for role in Role:
            if world.sides[role].machine is not None:
                copy, its_due = pickle.loads(pickle.dumps((world, due)))
                copy.kill(role)
                copy.happen(its_due)
                yield (number, name, f"{role.letter} dies before"), copy
        return
    if due.kind in ("book", "restart"):
        return
    probe, its_due = pickle.loads(pickle.dumps((world, due)))
    probe.effects = []
    probe.happen(its_due)
    for place, command in enumerate(probe.effects, start=1):
        if isinstance(command, SEEN_BY_OTHERS):
            copy, its_due = pickle.loads(pickle.dumps((world, due)))
            step = (number, name, f"{due.role.letter} dies after {type(command).__name__} ({place})")
            _happen(copy, its_due, "", place, [*story, step])
            yield step, copy


def _happen(world: DeskWorld, due: Due, wrong: str, stop_after: int | None, story: list[Step]) -> None:
    try:
        world.happen(due, wrong, stop_after)
    except AssertionError as error:
        _tell(error, story)
        raise


def _tell(error: AssertionError, story: list[Step]) -> None:
    if not getattr(error, "__notes__", None):
        error.add_note("story: " + "; ".join(f"{number} {name}: {wrong}" for number, name, wrong in story))


def _state(world: DeskWorld) -> str:
    maker = world.sides[Role.MAKER].machine
    waiting = getattr(maker, "waiting", [])
    return f"A + B is {world.venue.net}, round {world.closed_rounds} closed, A waits: {'; '.join(waiting)}"

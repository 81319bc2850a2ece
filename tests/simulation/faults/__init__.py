"""Everything that can go wrong in a world: one dictionary of named kinds, and how a world draws among them.

Each kind is a function that strikes once (and undoes itself where it lasts), with a weight and the hazards (H1 … H42)
and sequences (E1 … E25) that it makes reachable. A world draws which kinds it knows and how strongly: a swarm of worlds
finds what an even mixture hides.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.simulation.faults import at_exchange, at_once, in_network, in_processes, in_redis, of_people
from tests.simulation.stage import Stage

Strike = Callable[[Stage], str | None]
"""Does it, and says what it did; None where it could not be done now."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault."""

    strike: Strike
    weight: float
    serves: tuple[str, ...]
    """Hazards and sequences."""


def _kinds(*families: Mapping[str, tuple[Strike, float, str]]) -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for family in families:
        for name, (strike, weight, serves) in family.items():
            assert name not in kinds, name
            kinds[name] = Kind(strike, weight, tuple(serves.split()))
    return kinds


KINDS = _kinds(at_exchange.KINDS, in_network.KINDS, in_processes.KINDS, in_redis.KINDS, of_people.KINDS, at_once.KINDS)


FAVOURED_SHARE = 0.7
"""Share of the worlds that know a kind which serves what is looked for, …"""
FAVOURED_WEIGHT = 4.0
"""… and its weight there, at least."""


def swarm(rng: random.Random, favoured: tuple[str, ...] = ()) -> dict[str, float]:
    """The kinds that one world knows, with their weights; those that serve something ``favoured`` more often."""
    share = rng.choice((0.15, 0.3, 0.5, 0.8))
    drawn = {name: kind.weight * rng.choice((0.3, 1.0, 3.0)) for name, kind in KINDS.items() if rng.random() < share}
    for name, kind in KINDS.items():
        if set(favoured) & set(kind.serves) and rng.random() < FAVOURED_SHARE:
            drawn[name] = max(FAVOURED_WEIGHT, kind.weight) * rng.choice((1.0, 3.0))
    return drawn or {"partial_fill": 1.0}


def strike(stage: Stage, weights: dict[str, float]) -> None:
    """Let one thing go wrong."""
    name = stage.rng.choices(list(weights), weights=list(weights.values()))[0]
    before = len(stage.armed)
    said = KINDS[name].strike(stage)
    if said is None:
        return
    stage.counts[name] += 1
    stage.trace.add(f"****** {name} {said}")
    assert len(stage.armed) >= before

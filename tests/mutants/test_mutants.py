"""The list of planted bugs is whole; a few of them, and the plain protocol, are found in every test run."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.mutants import ALL
from tests.mutants.bug import ASSERTION, BUGS, Bug, Plant, planted
from tests.mutants.hunt import hunt, look
from tests.mutants.plain import hunt_plain, plain_desk
from tests.simulation import checkers, promises
from tests.simulation import play as play_module
from tests.simulation.play import play

from lighter_hedge import domain
from lighter_hedge.domain.ledger import Ledger, Order

BUGS_MIN = 60
QUICK = (
    "sources_are_added",
    "hedges_more_than_is_missing",
    "arms_for_the_quote_alone",
    "armed_hedge_goes_for_any_fill",
    "quotes_without_an_armed_hedger",
    "pause_does_not_hold",
    "quotes_do_not_end_by_themselves",
)
QUICK_WORLDS = 12

CHECKERS = {
    checker.__name__
    for checker in (
        *checkers.AT_QUOTE,
        *checkers.AT_FILL,
        *checkers.AT_SEND,
        *checkers.IN_TIME,
        *promises.AT_SEND,
        *(checker for group in promises.AT_COMMIT.values() for checker in group),
        *(checker for group in promises.AT_EFFECT.values() for checker in group),
        *promises.IN_TIME,
        *promises.AT_END,
        checkers.nothing_lost,
        play_module.converge,
        play_module.go_on,
        play_module.drain,
    )
}
NO_DEFENCE = {
    "candidates": "two of one nonce that both stay unread need the live read lag: tests/model walks them all",
    "clearer": "of a stopped desk: no world has one",
    "commands": "words",
    "drop_copy": "of the monitor: no world has one",
    "events": "words",
    "incidents": "of the monitor: no world has one",
    "lane_limits": "figures of lane",
    "lane_words": "words of lane",
    "memory": "words; what it holds is journalled and read back",
    "monitor": "of the monitor: no world has one",
    "monitor_words": "words of the monitor",
    "news": "tells people, decides nothing",
    "recovery": "a second look: without it the gate and ``Core.unclear`` still wait for the exchange",
    "seen": "how a ledger remembers trade ids: the bug is planted there",
    "settings": "words",
    "side_watch": "of the monitor: no world has one",
    "states": "words",
    "units": "arithmetic, with properties of its own",
}
"""Modules of the domain in which no bug is planted, and why."""


def owner(dotted: str) -> Any:
    """The function, class or constant that a bug's defence names, or None."""
    parts = dotted.split(".")
    for split in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module("lighter_hedge." + ".".join(parts[:split]))
        except ModuleNotFoundError:
            continue
        for name in parts[split:]:
            classes = [one for one in vars(found).values() if isinstance(one, type)] if split else []
            found = getattr(found, name, None) or next((vars(c)[name] for c in classes if name in vars(c)), None)
            if found is None:
                return None
        return found
    return None


def modules() -> Iterator[str]:
    """Names of the domain's modules."""
    folder = Path(domain.__path__[0])
    return (path.stem for path in folder.glob("*.py") if path.stem != "__init__")


def test_there_are_enough_and_each_stands_in_one_of_the_lists() -> None:
    assert len(ALL) == 5
    assert len(BUGS) >= BUGS_MIN


@pytest.mark.parametrize("one", BUGS.values(), ids=lambda one: one.name)
def test_a_bug_names_what_it_takes_out_what_that_is_for_and_who_must_see_it(one: Bug) -> None:
    assert owner(one.defence) is not None, one.defence
    assert one.serves
    for word in one.serves:
        assert word[0] in "HE"
        assert 1 <= int(word[1:]) <= {"H": 42, "E": 25}[word[0]]
    assert one.seen_by
    assert set(one.seen_by) <= CHECKERS | {ASSERTION}


def test_every_defence_of_the_domain_has_a_bug() -> None:
    planted_in = {one.defence.split(".")[1] for one in BUGS.values() if one.defence.startswith("domain.")}
    planted_in |= {one.saved_by.split(".")[1] for one in BUGS.values() if one.saved_by}
    assert set(modules()) - planted_in == set(NO_DEFENCE)


def test_every_checker_has_a_bug() -> None:
    assert {name for one in BUGS.values() for name in one.seen_by} - {ASSERTION} == CHECKERS


def test_a_bug_is_taken_out_again() -> None:
    filled, applied = Order.filled, Ledger.apply_trade
    for one in BUGS.values():
        with planted(one) as plant:
            assert plant._undo, one.name
    assert (Order.filled, Ledger.apply_trade) == (filled, applied)


def test_a_plant_that_is_wrong_itself_counts_as_broken_not_as_found() -> None:
    def plant(one: Plant) -> None:
        one.set(Ledger, "apply_trade", lambda ledger: None)

    wrong = Bug(name="wrong", what="", defence="", serves=("H1",), seen_by=("once",), plant=plant)
    verdict = hunt(wrong, 5)
    assert not verdict.found
    assert verdict.sight is not None
    assert verdict.sight.by == "broken"


def test_a_change_that_is_no_bug_survives() -> None:
    same = Bug(
        name="same",
        what="",
        defence="",
        serves=("H1",),
        seen_by=tuple(CHECKERS),
        plant=lambda plant: plant.around(Ledger, "apply_trade", lambda real: lambda *args: real(*args)),
    )
    assert not hunt(same, 3).found


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_bug_is_found(name: str) -> None:
    verdict = hunt(BUGS[name], QUICK_WORLDS)
    assert verdict.ok, verdict


def test_the_plain_protocol_fails_at_once() -> None:
    verdict = hunt_plain(20)
    assert verdict.found, verdict
    assert verdict.seed < 3


def test_the_plain_protocol_works_where_nothing_goes_wrong() -> None:
    """It is the world that breaks it: with whole fills and no fault it hedges round after round."""
    with plain_desk():
        assert max(_calm_rounds(seed) for seed in range(3)) >= 3


def _calm_rounds(seed: int) -> int:
    try:
        return play(seed, only=("funding",)).rounds
    except AssertionError:
        return 0


def test_the_code_as_it_is_breaks_nothing_in_the_first_worlds() -> None:
    assert [look(seed) for seed in range(8)] == [None] * 8

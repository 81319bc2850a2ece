"""The mutation tester: what it changes, what it leaves, and what it calls wrong."""

import ast
from pathlib import Path

import pytest
from tests.mutation import mutate
from tests.mutation.mutate import Tally, judged, killed, listed
from tests.mutation.mutations import mutations

SOURCE = '''
"""Prose."""
from a import b

LIMIT = 4


@dataclass(frozen=True)
class Order:
    """Prose."""

    lots: int = 0

    def ask(self, often=False):
        pass

    @property
    def leaves(self) -> int:
        """Prose."""
        assert self.lots >= 0
        if self.closed or not self.known:
            return 0
        self.asked += 1
        assert_never(self)
        say(f"{self.lots} of 7", word="two words", code="one")
        return max(self.lots - self.filled, 1)
'''


def test_each_mutation_changes_one_thing_and_names_it() -> None:
    made = {mutation.name: ast.unparse(mutation.tree()) for mutation in mutations(SOURCE)}
    plain = ast.unparse(ast.parse(SOURCE))
    assert set(made) == {
        "LIMIT: 4 -> 5",
        "Order.lots: 0 -> 1",
        "Order.ask(): False -> True",
        "Order.leaves: assert self.lots >= 0 -> assert not self.lots >= 0",
        "Order.leaves: if self.closed or not self.known: return 0 -> if not (self.closed or not self.known): return 0",
        "Order.leaves: self.closed or not self.known -> self.closed and (not self.known)",
        "Order.leaves: not self.known -> self.known",
        "Order.leaves: 0 -> 1",
        "Order.leaves: self.asked += 1 -> pass",
        "Order.leaves: self.asked += 1 -> self.asked -= 1",
        "Order.leaves: 1 -> 2",
        "Order.leaves: say(f'{self.lots} of 7', word='two words', code='one') -> pass",
        "Order.leaves: say(f'{self.lots} of 7', word='two words', code='one') -> say(f'{self.lots} of 7', code='one')",
        "Order.leaves: say(f'{self.lots} of 7', word='two words', code='one')"
        " -> say(f'{self.lots} of 7', word='two words')",
        "Order.leaves: 'one' -> 'one?'",
        "Order.leaves: return max(self.lots - self.filled, 1) -> return None",
        "Order.leaves: max -> min",
        "Order.leaves: self.lots - self.filled -> self.lots + self.filled",
        "Order.leaves: 1 -> 2 (2)",
    }
    assert all(text != plain for text in made.values())
    assert len(set(made.values())) == len(made)


def test_a_fork_that_fails_or_dies_has_killed_its_mutant(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> bool:
        raise KeyError

    def hangs() -> bool:
        while True:
            pass

    monkeypatch.setattr(mutate, "SECONDS_MAX", 1)
    assert [killed(run) for run in (lambda: True, lambda: False, fails, hangs)] == [False, True, True, True]


def test_a_survivor_needs_a_reason_and_a_reason_needs_its_survivor() -> None:
    tally = Tally("pair", killed=5, survived=["net: 1 -> 2"])
    assert judged([tally], {"pair.py net: 1 -> 2": "nothing reads it"}) == []
    assert judged([tally], {}) == ["survived: pair.py net: 1 -> 2"]
    assert judged([tally], {"pair.py net: 1 -> 2": ""}) == ["no reason given: pair.py net: 1 -> 2"]
    gone = judged([Tally("pair", killed=6)], {"pair.py net: 1 -> 2": "x", "lane.py tick: 1 -> 2": "not asked for"})
    assert gone == ["killed or gone, take it off the list: pair.py net: 1 -> 2"]


def test_every_listed_survivor_is_a_mutation_that_there_is() -> None:
    """A name in the list goes stale when its line changes: then the reason must be thought of anew."""
    known = listed()
    assert known
    assert all(known.values())
    for module in {name.split(".py ")[0] for name in known}:
        source = Path(mutate.SOURCES, f"{module}.py").read_text(encoding="utf-8")
        there = {f"{module}.py {mutation.name}" for mutation in mutations(source)}
        assert {name for name in known if name.startswith(f"{module}.py ")} <= there

"""The tables of ``docs/hazards.md``: every row is there, and what it names exists."""

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from tests.simulation.faults import KINDS

ROOT = Path(__file__).parents[2]
NUMBERS = [f"H{n}" for n in range(1, 43)] + [f"E{n}" for n in range(1, 26)]
WITHOUT_FAULT = {"H14", "H38"}
"""A rule over the source, and a machine gone wrong: nothing outside can cause them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One hazard, as the table has it."""

    number: str
    happens: str
    does: str
    code: list[str]
    tests: list[str]
    faults: list[str]


def rows() -> list[Row]:
    """Every row of both tables, in their order."""
    found = []
    for line in (ROOT / "docs" / "hazards.md").read_text().splitlines():
        if re.match(r"\| [HE]\d+ \|", line):
            number, happens, does, *named = (cell.strip() for cell in line.strip("|").split(" | "))
            code, tests, faults = (re.findall(r"`([^`]+)`", cell) for cell in named)
            found.append(Row(number, happens, does, code, tests, faults))
    return found


ROWS = {row.number: row for row in rows()}


@cache
def names(path: Path) -> frozenset[str]:
    """Functions, classes, constants, and members as ``Class.member``, of a module."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        found |= _named(node)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{member}" for inner in node.body for member in _named(inner)}
    return frozenset(found)


def _named(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {node.name}
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
            return {name}
        case _:
            return set()


def test_every_fault_is_a_kind_of_the_simulation() -> None:
    """The last column names what the simulation can do."""
    named = {fault for row in rows() for fault in row.faults}
    assert named
    assert named <= set(KINDS), named - set(KINDS)


def test_every_hazard_has_its_row_once_and_in_order() -> None:
    """42 hazards and 25 sequences."""
    assert [row.number for row in rows()] == NUMBERS


@pytest.mark.parametrize("number", NUMBERS)
def test_what_a_row_names_exists(number: str) -> None:
    """Words for people, code, tests that name the hazard, and faults."""
    row = ROWS[number]
    assert row.happens
    assert row.does
    assert row.code
    for reference in row.code:
        path, _, name = reference.partition(": ")
        assert name in names(ROOT / "src" / "lighter_hedge" / path), reference
    for reference in row.tests:
        path, _, test = reference.partition("::")
        function, _, case = test.rstrip("]").partition("[")
        assert function in names(ROOT / "tests" / path), reference
        if case:
            sources = [ROOT / "tests" / path, ROOT / "tests" / "scenarios" / "faults.py"]
            assert any(case in source.read_text() for source in sources), reference
    assert bool(row.faults) != (number in WITHOUT_FAULT)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_scenario_names_its_hazard(number: str) -> None:
    """At least one test has the number in its name, unless what it is about lies below any world of two sides."""
    row = ROWS[number]
    named = re.compile(rf"(^|[_\[-]){number.lower()}[_-]")
    below = all(reference.startswith(("unit/", "test_tidy.py")) for reference in row.tests)
    assert below or any(named.search(reference.partition("::")[2]) for reference in row.tests), row.tests
    assert not below or number in ("H14", "H36")

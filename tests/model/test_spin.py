"""The model of the protocol: a small configuration holds, and planted bugs are found. ``make model`` does the rest."""

import os
from pathlib import Path

import pytest
from tests.model.spin import LONG, MODEL, MUTANTS, SMALL, missing, run


@pytest.fixture(autouse=True)
def _spin() -> None:
    if not missing():
        return
    if os.environ.get("CI") == "true":
        pytest.fail(missing())
    pytest.skip(missing())


def test_the_protocol_holds_in_a_small_world(tmp_path: Path) -> None:
    found = run(tmp_path, SMALL, build="-O1")
    assert found.errors == 0, found.broken
    assert found.ended
    assert found.states > 500_000


def test_no_story_goes_round_for_ever(tmp_path: Path) -> None:
    found = run(tmp_path, {**SMALL, "CRASHES": 0}, cycles=True, build="-O1")
    assert found.errors == 0, found.broken
    assert found.ended


@pytest.mark.parametrize("mutant", ["MUTANT_ABSENT", "MUTANT_CONSUMED"])
def test_a_planted_bug_is_found(mutant: str, tmp_path: Path) -> None:
    found = run(tmp_path, MUTANTS[mutant], mutant=mutant, build="-O0")
    assert found.errors == 1
    assert "assertion violated" in found.broken


def test_every_planted_bug_of_the_model_is_tried() -> None:
    named = {word for word in MODEL.read_text().replace("\n", " ").split() if word.startswith("MUTANT_")}
    assert named - {"MUTANT_…"} == set(MUTANTS)
    assert LONG

"""The diagrams of docs/flow.md are what the machines do, in both languages, and leave out no state."""

import re

import pytest
from tests.model.diagrams import DIAGRAMS, PAGES, drawn, observe

from lighter_hedge.domain.lane_words import LanePhase
from lighter_hedge.domain.states import Mode


@pytest.fixture(scope="module")
def seen() -> dict[str, dict[tuple[str, str], set[str]]]:
    return observe()


def test_both_pages_show_what_the_machines_do(seen: dict[str, dict[tuple[str, str], set[str]]]) -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert drawn(text, seen) == text, "the machines have changed: make diagrams, then read the page again"


def test_every_mode_and_every_phase_of_a_lane_is_reached(seen: dict[str, dict[tuple[str, str], set[str]]]) -> None:
    reached = {name: {state for arrow in seen[name] for state in arrow} for name in DIAGRAMS}
    assert reached["desk"] == {mode.value for mode in Mode}
    assert reached["lane"] == {phase.value for phase in LanePhase}


def test_the_text_names_every_state_of_a_round_and_of_a_hedge(
    seen: dict[str, dict[tuple[str, str], set[str]]],
) -> None:
    drawn_states = {state for name in ("round", "hedge") for arrow in seen[name] for state in arrow}
    for page in PAGES:
        told = set(re.findall(r"\*\*(\w+)\.?\*\*", page.read_text(encoding="utf-8")))
        assert drawn_states - told == {"idle", "recovering"}

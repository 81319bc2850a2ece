"""Verbs where no desk runs, and what ``clear`` asks before it does anything."""

import json
from pathlib import Path

import pytest
from tests.fake_venue import FakeVenue
from tests.unit.cli.conftest import Invoke

from lighter_hedge.domain.states import Role
from lighter_hedge.ops.exit_codes import ExitCode


@pytest.mark.parametrize("verb", ["pause", "resume", "drain"])
def test_a_verb_without_redis_is_one_line(folder: Path, invoke: Invoke, verb: str) -> None:
    shown = invoke(verb)
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr.startswith("error: ")
    assert "secret" not in shown.stderr


def test_clear_asks_and_no_is_the_default(folder: Path, venue: FakeVenue, invoke: Invoke) -> None:
    venue.lots = {65: 20, 66: -20}
    for answer in ("\n", "n\n", ""):
        shown = invoke("clear", "--stopped", input=answer)
        assert shown.exit_code == 7
        assert "nothing was done" in shown.stderr


def test_clear_of_one_account_names_the_exposure_that_stays(folder: Path, venue: FakeVenue, invoke: Invoke) -> None:
    venue.lots = {65: 20, 66: -20}
    shown = invoke("clear", "--stopped", "--account", "a", input="n\n")
    assert "B keeps -0.00020 BTC: that is exposure" in shown.stderr


def test_clear_knows_three_accounts(folder: Path, invoke: Invoke) -> None:
    assert invoke("clear", "--account", "c").exit_code == 2


def test_clear_does_not_take_a_silent_redis_for_a_stopped_desk(folder: Path, venue: FakeVenue, invoke: Invoke) -> None:
    venue.lots = {65: 20, 66: -20}
    shown = invoke("clear", "--yes")
    assert (shown.exit_code, shown.stdout) == (7, "")
    assert "nothing was done" in shown.stderr
    assert "cannot be ruled out: start Redis; or add --stopped" in shown.stderr
    assert "secret" not in shown.stderr


def test_what_a_clear_would_find_is_one_object(folder: Path, venue: FakeVenue, invoke: Invoke) -> None:
    venue.lots = {65: 20, 66: -20}
    shown = invoke("clear", "--stopped", "--dry-run", "--json")
    assert shown.exit_code == 0
    assert json.loads(shown.stdout)["net_lots"] == 0


@pytest.mark.parametrize(("left", "code"), [(0, 0), (20, 5)])
def test_clear_of_a_stopped_desk_hands_its_time_on_and_ends_with_one_object(
    folder: Path, venue: FakeVenue, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, left: int, code: int
) -> None:
    asked: list[tuple[tuple[Role, ...], float]] = []

    def cleared(_settings: object, roles: tuple[Role, ...], _tell: object, *, timeout_seconds: float) -> ExitCode:
        asked.append((roles, timeout_seconds))
        venue.lots = {65: 0, 66: left}
        return ExitCode.UNHEDGED if left else ExitCode.OK

    monkeypatch.setattr("lighter_hedge.processes.clear.clear_stopped", cleared)
    venue.lots = {65: 20, 66: left}
    shown = invoke("clear", "--stopped", "--yes", "--account", "a", "--timeout", "7", "--json")
    assert shown.exit_code == code
    assert asked == [((Role.MAKER,), 7.0)]
    assert json.loads(shown.stdout)["net_lots"] == left

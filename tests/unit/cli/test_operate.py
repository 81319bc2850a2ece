"""Verbs where no desk runs, and what ``clear`` asks before it does anything."""

from pathlib import Path

import pytest
from tests.fake_venue import FakeVenue
from tests.unit.cli.conftest import Invoke


@pytest.mark.parametrize("verb", ["pause", "resume", "drain"])
def test_a_verb_without_redis_is_one_line(folder: Path, invoke: Invoke, verb: str) -> None:
    shown = invoke(verb)
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr.startswith("error: ")
    assert "secret" not in shown.stderr


def test_clear_asks_and_no_is_the_default(folder: Path, venue: FakeVenue, invoke: Invoke) -> None:
    venue.lots = {65: 20, 66: -20}
    for answer in ("\n", "n\n", ""):
        shown = invoke("clear", input=answer)
        assert shown.exit_code == 7
        assert "nothing was done" in shown.stderr


def test_clear_of_one_account_names_the_exposure_that_stays(folder: Path, venue: FakeVenue, invoke: Invoke) -> None:
    venue.lots = {65: 20, 66: -20}
    shown = invoke("clear", "--account", "a", input="n\n")
    assert "B keeps -0.00020 BTC: that is exposure" in shown.stderr


def test_clear_knows_three_accounts(folder: Path, invoke: Invoke) -> None:
    assert invoke("clear", "--account", "c").exit_code == 2

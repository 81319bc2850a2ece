"""``events`` from the command line; ``tests/unit/ops/test_events.py`` has what it shows."""

from pathlib import Path

import pytest
from tests.unit.cli.conftest import Invoke


def test_without_redis_it_says_what_to_do(folder: Path, invoke: Invoke) -> None:
    seen = invoke("events")
    assert (seen.exit_code, seen.stdout) == (1, "")
    assert "Redis at 127.0.0.1:1/0 does not answer" in seen.stderr
    assert "correct redis.url" in seen.stderr
    assert "secret" not in seen.stderr


@pytest.mark.parametrize("wrong", [("--level", "loud"), ("--source", "C"), ("--last", "0")])
def test_choices_are_checked(folder: Path, invoke: Invoke, wrong: tuple[str, str]) -> None:
    assert invoke("events", *wrong).exit_code == 2

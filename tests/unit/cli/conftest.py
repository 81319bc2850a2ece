"""A configured desk in a folder, with a venue that answers and nothing else running."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.fake_venue import FakeVenue, fake_venue
from typer.testing import CliRunner, Result

from lighter_hedge.cli.main import app

Invoke = Callable[..., Result]


@pytest.fixture
def venue() -> Iterator[FakeVenue]:
    with fake_venue() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, venue: FakeVenue, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a configuration whose Redis nobody serves."""
    config = tmp_path / "config.yaml"
    config.write_text(
        f"venue: {{base_url: '{venue.base_url}'}}\n"
        "redis: {url: 'redis://:secret@127.0.0.1:1/0'}\n"
        "accounts:\n"
        "  account_a: {account_name: a, account_index: 65, api_key_index: 4}\n"
        "  account_b: {account_name: b, account_index: 66, api_key_index: 4}\n"
    )
    for name, digits in (("A", "a1"), ("B", "b2")):
        monkeypatch.setenv(f"LIGHTER_HEDGE_ACCOUNT_{name}_PRIVATE_KEY", digits * 40)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def invoke() -> Invoke:
    """Run a command line in this process."""
    return lambda *arguments, **options: CliRunner().invoke(app, list(arguments), catch_exceptions=False, **options)

"""A desk in an empty folder."""

import stat
from pathlib import Path
from typing import Any

import pytest
from tests.unit.cli.conftest import Invoke

from lighter_hedge.cli import init
from lighter_hedge.config import load
from lighter_hedge.domain.states import Role

KEYS = {"a": "a1" * 40, "b": "b2" * 40}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and a paper exchange that makes keys at once."""

    async def paper(_root: Path) -> list[dict[str, Any]]:
        return [
            {"name": name, "account_index": 100 + number, "api_key_index": 4, "private_key": f"0x{key}", "base_url": "http://127.0.0.1:8700"}
            for number, (name, key) in enumerate(KEYS.items())
        ]  # fmt: skip

    monkeypatch.setattr(init, "_paper", paper)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_defaults_make_a_paper_desk_whose_configuration_loads(here: Path, invoke: Invoke) -> None:
    done = invoke("init", "--defaults")
    assert done.exit_code == 0, done.stderr
    assert done.stdout == "next: lighter-hedge doctor && lighter-hedge up\n"
    settings = load(here / "config.yaml", overrides={}, credentials=None, env={}, keys=tuple(Role))
    assert (settings.venue.network, settings.paper.managed, settings.desk.market) == ("paper", True, "BTC")
    assert settings.accounts.account_b.private_key.get_secret_value() == KEYS["b"]
    assert settings.warnings == ()
    for path in (here / "config.yaml", here / "secrets" / "account_a", here / "secrets" / "account_b"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_is_overwritten(here: Path, invoke: Invoke) -> None:
    (here / "config.yaml").write_text("mine")
    done = invoke("init", "--defaults")
    assert done.exit_code == 7
    assert (here / "config.yaml").read_text() == "mine"
    assert not (here / "secrets").exists()


def test_questions_make_a_desk_of_ones_own(here: Path, invoke: Invoke) -> None:
    answers = ["testnet", "ETH", "0.01", "65", "4", KEYS["a"], "66", "5", f"0x{KEYS['b']}", ""]
    done = invoke("init", "desk", input="\n".join(answers))
    assert done.exit_code == 0, done.stderr
    assert done.stdout.endswith("next: cd desk && lighter-hedge doctor && lighter-hedge up\n")
    assert KEYS["a"] not in done.output
    settings = load(here / "desk" / "config.yaml", overrides={}, credentials=None, env={}, keys=tuple(Role))
    assert (settings.venue.network, settings.paper.managed) == ("testnet", False)
    assert (settings.desk.market, str(settings.desk.quantity)) == ("ETH", "0.01")
    assert (settings.accounts.account_b.account_index, settings.accounts.account_b.api_key_index) == (66, 5)


@pytest.mark.parametrize(
    ("arguments", "answers", "code"),
    [
        (["--network", "moonnet"], "", 2),
        (["--network", "mainnet", "--defaults"], "", 2),
        (["--network", "mainnet", "--market", "BTC", "--quantity", "1"], "six\n4\n", 2),
        (["--network", "mainnet", "--market", "BTC", "--quantity", "1"], "65\n4\n0x1234\n", 3),
        ([], "", 7),
    ],
)
def test_wrong_answers_write_nothing(here: Path, invoke: Invoke, arguments: list[str], answers: str, code: int) -> None:
    done = invoke("init", *arguments, input=answers)
    assert done.exit_code == code, done.output
    assert not (here / "config.yaml").exists()
    assert not (here / "secrets").exists()
    assert "1234" not in done.output

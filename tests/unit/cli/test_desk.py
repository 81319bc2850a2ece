"""``up`` and ``down`` where something is in the way."""

from pathlib import Path

import pytest
from tests.fake_venue import FakeVenue
from tests.unit.cli.conftest import Invoke

from lighter_hedge.config import Settings
from lighter_hedge.ops.pids import write_pid
from lighter_hedge.ops.started import Started, remember


def test_no_redis_names_it_without_its_password(folder: Path, invoke: Invoke) -> None:
    shown = invoke("up")
    assert shown.exit_code == 1
    assert "127.0.0.1:1" in shown.stderr
    assert "redis-server" in shown.stderr
    assert "secret" not in shown.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("--depth", "0"), 2, "--depth"),
        (("--quantity", "lots"), 3, "--quantity  desk.quantity"),
        (("--direction", "up"), 3, "--direction  desk.direction"),
        (("--config", "none.yaml"), 3, "cannot be read"),
    ],
)
def test_wrong_arguments(folder: Path, invoke: Invoke, arguments: tuple[str, ...], code: int, text: str) -> None:
    shown = invoke("up", *arguments)
    assert shown.exit_code == code
    assert text in shown.stderr


def test_a_key_that_is_missing_is_named(folder: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIGHTER_HEDGE_ACCOUNT_B_PRIVATE_KEY")
    shown = invoke("up")
    assert shown.exit_code == 3
    assert "account_b (account B) has no private key" in shown.stderr


def test_there_are_two_sides(folder: Path, invoke: Invoke) -> None:
    shown = invoke("run", "C")
    assert shown.exit_code == 2
    assert "run A, run B, run monitor, run web or run notify" in shown.stderr


def test_the_monitor_runs_without_any_key(folder: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "AB":
        monkeypatch.delenv(f"LIGHTER_HEDGE_ACCOUNT_{name}_PRIVATE_KEY")
    ran: list[Settings] = []
    monkeypatch.setattr("lighter_hedge.processes.monitor.run_monitor", ran.append)
    assert invoke("run", "monitor", "--market", "BTC").exit_code == 0
    (settings,) = ran
    assert settings.accounts.account_a.private_key.get_secret_value() == ""


def test_down_of_a_stopped_desk_still_tells_what_is_left(folder: Path, venue: FakeVenue, invoke: Invoke) -> None:
    shown = invoke("down")
    assert shown.exit_code == 4
    assert "A + B  0.00000 BTC  flat" in shown.stdout
    venue.lots = {65: 20, 66: 0}
    shown = invoke("down")
    assert shown.exit_code == 5
    assert "UNHEDGED" in shown.stdout


def test_down_does_not_call_unknown_positions_hedged(folder: Path, venue: FakeVenue, invoke: Invoke) -> None:
    venue.status = 503
    shown = invoke("down")
    assert shown.exit_code == 1
    assert "unknown" in shown.stderr


def test_a_foreign_process_in_a_pid_file_is_left_alone(folder: Path, invoke: Invoke) -> None:
    write_pid(folder, "A", 1)
    assert invoke("down").exit_code == 4


def test_later_commands_mean_the_market_that_was_started(folder: Path, invoke: Invoke) -> None:
    remember(folder / "run", Started(overrides={"desk.market": "ETH"}))
    assert "no market ETH" in invoke("down").stderr
    assert invoke("down", "--market", "BTC").exit_code == 4

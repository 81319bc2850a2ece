"""The paper exchange's command: wrong settings are refused before anything listens."""

import socket
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Invoke

from lighter_hedge.simulator.edge.settings import PaperSettings
from lighter_hedge.simulator.edge.stream_limits import VENUE_LIMITS, StreamLimits


@pytest.mark.parametrize(
    "arguments",
    [
        ("--tier", "gold"),
        ("--wallets", "three"),
        ("--tx-hash", "maybe"),
        ("--verify-signatures", "--tx-hash", "fast"),
        ("--port", "x"),
        ("--traffic", "live"),
        ("--staked-lit", "1000"),
    ],
)
def test_wrong_settings_are_usage_errors(invoke: Invoke, arguments: tuple[str, ...]) -> None:
    assert invoke("paper", *arguments).exit_code == 2


@pytest.mark.parametrize(("flags", "limits"), [((), StreamLimits()), (("--stream-limits",), VENUE_LIMITS)])
def test_limits_of_the_stream_hold_by_flag(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], limits: StreamLimits
) -> None:
    """By default no program of one user is hurt."""
    asked: list[PaperSettings] = []

    async def serve(settings: PaperSettings) -> None:
        asked.append(settings)

    monkeypatch.setattr("lighter_hedge.cli.paper._serve", serve)
    assert invoke("paper", *flags).exit_code == 0
    assert asked[0].stream_limits == limits
    assert limits.messages_per_minute_max == (200 if flags else None)


def test_a_taken_port_is_named(invoke: Invoke, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        shown = invoke("paper", "--port", port, "--credentials", str(tmp_path / "c.json"))
    assert shown.exit_code == 1
    assert f"port {port}" in shown.stderr


def test_signatures_of_a_cheap_hash_cannot_be_checked(invoke: Invoke) -> None:
    shown = invoke("paper", "--verify-signatures", "--tx-hash", "fast")
    assert "needs the true tx_hash" in shown.stderr


def test_faults_and_stakes_are_taken_from_the_command_line(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[PaperSettings] = []

    async def serve(settings: PaperSettings) -> None:
        asked.append(settings)

    monkeypatch.setattr("lighter_hedge.cli.paper._serve", serve)
    flags = ("--faults", "plan.yaml", "--fault-seed", "7", "--tier", "premium", "--staked-lit", "30000")
    assert invoke("paper", *flags).exit_code == 0
    assert (asked[0].faults, asked[0].fault_seed, asked[0].staked_lit) == (Path("plan.yaml"), 7, 30_000)


def test_a_bad_plan_of_faults_is_told_by_entry(invoke: Invoke, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("faults: [{at_seconds: 5, kind: storm}]")
    shown = invoke("paper", "--port", "0", "--traffic", "none", "--faults", str(plan))
    assert shown.exit_code == 1
    assert "entry 1 (storm)" in shown.stderr

"""The demo: one command, no keys, live figures from the exchange's own record."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.desk import COMMAND, ROOT, environment
from tests.recordings import DATA

RECORDED = DATA / "tapes" / "lighter_btc_eth_20251009_30s.jsonl.gz"
COMMITTED = ROOT / "tests" / "data" / "synthetic_btc_eth_10s.jsonl.gz"
KEYS = {
    "rounds_closed",
    "rounds_failed",
    "a_filled_lots",
    "b_filled_lots",
    "net_lots",
    "a_orders",
    "b_orders",
    "self_trades",
    "unhedged_ms_max",
    "hedge_ms",
    "requests_per_round",
    "redis_version",
    "sdk_version",
    "traffic",
    "seed",
    "seconds",
}


def demo(folder: Path, rounds: int, *flags: str) -> dict[str, Any]:
    """Run a demo, and hold what every demo must show."""
    command = (*COMMAND, "demo", "--rounds", str(rounds), "--json", "--timeout", "100", *flags)
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr
    body: dict[str, Any] = json.loads(done.stdout)
    assert set(body) == KEYS
    assert body["rounds_closed"] >= rounds
    assert (body["rounds_failed"], body["net_lots"], body["self_trades"]) == (0, 0, 0)
    # Parts below the minimum may cancel out within A, so B may fill less than A; the net above is the promise.
    assert 0 < body["b_filled_lots"] <= body["a_filled_lots"]
    assert body["hedge_ms"]["p50"] <= body["hedge_ms"]["p99"] <= body["unhedged_ms_max"]
    assert set(body["requests_per_round"]) == {"tx", "read"}
    assert body["requests_per_round"]["tx"] >= 2
    assert body["requests_per_round"]["read"] > 0
    return body


def test_six_rounds_of_made_traffic(tmp_path: Path) -> None:
    body = demo(tmp_path, 6, "--seed", "3")
    assert (body["traffic"], body["seed"]) == ("synthetic", 3)


def test_the_committed_tape(tmp_path: Path) -> None:
    assert demo(tmp_path, 3, "--tape", str(COMMITTED))["traffic"] == "tape"


@pytest.mark.parametrize(("market", "depth"), [("BTC", 1), ("ETH", 3)])
def test_the_recorded_tape(tmp_path: Path, market: str, depth: int) -> None:
    if not RECORDED.exists():
        pytest.skip(f"no recorded tape at {DATA}: set LIGHTER_HEDGE_DATA")
    demo(tmp_path, 2, "--tape", str(RECORDED), "--market", market, "--depth", str(depth))

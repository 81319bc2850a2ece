"""Same seed and same requests, same replies and frames, byte for byte."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def played(seed: int, hash_seed: int) -> list[str]:
    """What the exchange says, in a process of its own: nothing hangs on the order of a set, or on an earlier run."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.paper_script", str(seed)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_the_same_seed_and_requests_get_the_same_bytes() -> None:
    first, again = played(1, 1), played(1, 2)
    assert len(first) > 500
    for ours, theirs in zip(first, again, strict=True):
        assert ours == theirs


def test_all_kinds_of_answers_were_among_them() -> None:
    text = "\n".join(played(1, 1))
    for wanted in (
        '"session_id"',
        '"tx_hash"',
        '"predicted_execution_time_ms"',
        '"code": 21601',
        "502 {",
        '"status":"canceled"',
        '"type":"liquidation"',
        '"update/candle"',
        '"update/height"',
        '"update/account_all_trades"',
    ):
        assert wanted in text, wanted


def test_another_seed_gets_others() -> None:
    assert played(2, 1) != played(1, 1)

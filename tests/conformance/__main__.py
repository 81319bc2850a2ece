"""Plays the conformance cases against a venue that is running: the testnet, or a paper exchange.

python -m tests.conformance CREDENTIALS [--symbol BTC] [--only C013,C021] [--meet]

CREDENTIALS is a file like the one that ``lighter-hedge paper`` writes: ``base_url``, ``ws_url``, and two accounts with
a key each, which need free collateral for the smallest order. Orders rest three percent below the market and are
cancelled; with ``--meet`` the two accounts also trade with each other at the middle of the spread, once.
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from tests.conformance.cases import CASES, Case
from tests.conformance.session import Session, session


async def played(case: Case, venue: Session) -> None:
    """Play one case and leave nothing resting.

    Raises:
        AssertionError: the statement does not hold here.
    """
    try:
        await case.play(venue)
    finally:
        for account in (venue.a, venue.b):
            await venue.cancel_all(account)


async def play_all(wanted: list[Case], credentials: dict[str, Any], symbol: str, pause: float) -> int:
    """How many do not hold."""
    failed = 0
    async with session(credentials, symbol=symbol, quiet=False, first_coid=int(time.time())) as venue:
        for case in wanted:
            try:
                await played(case, venue)
                said = "holds"
            except Exception as error:  # noqa: BLE001 whatever a case ends with is its result
                failed += 1
                said = f"DOES NOT HOLD: {type(error).__name__}: {error}"
            print(f"{case.number}  {case.words}  [{case.source}]  {said}", flush=True)
            await asyncio.sleep(pause)
    return failed


def main() -> int:
    """Exit code 1 where a case does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("credentials", type=Path)
    parser.add_argument("--symbol", default="BTC")
    parser.add_argument("--only", default="", help="numbers, with commas")
    parser.add_argument("--meet", action="store_true", help="also cases in which the two accounts trade")
    parser.add_argument("--pause", type=float, default=10.0, help="seconds between two cases: requests are limited")
    asked = parser.parse_args()
    only = set(filter(None, asked.only.split(",")))
    wanted = [case for case in CASES if (case.number in only if only else asked.meet or not case.meets)]
    if not wanted:
        parser.error(f"--only {asked.only}: no such case; there are {CASES[0].number} to {CASES[-1].number}")
    credentials = json.loads(asked.credentials.read_text(encoding="utf-8"))
    failed = asyncio.run(play_all(wanted, credentials, asked.symbol, asked.pause))
    print(f"{len(wanted) - failed} of {len(wanted)} hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

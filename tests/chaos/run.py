"""``make chaos``: kills and other faults by seed against real desks, until enough kills are counted.

Each desk has a folder, a seed and a number of kills of its own, and runs in a process of its own; some run side by
side, since a desk mostly waits. ``python -m tests.chaos.run --kills 1000 --seed 1 --desks 3 --json FILE``.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib import metadata
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos import checks
from tests.chaos.disk import small_disk
from tests.chaos.faults import Faults, note
from tests.chaos.inside import POINTS
from tests.chaos.person import answer_pause, stop_desk
from tests.chaos.takeover import second_by_hand, take_over
from tests.chaos.world import MARKET, MIN_LOTS, UP_SECONDS, Tally, Violation, World, world

from lighter_hedge.ops.truth import figures, percentile

KILLS_A_DESK = 100
"""The exchange's record of one desk grows with it, and with it the time to look at it."""
DESK_SECONDS_MAX = 3_600
POWER_CUTS = 0.02
REVOKED = 0.03
SECONDS_BY_HAND = 0.02
AT_EFFECTS = 0.35
"""Parts of the episodes."""
TAKEOVERS = 0.5
"""Part of the desks that end with one."""


def one_desk(root: Path, seed: int, kills: int) -> dict[str, Any]:
    """Run one desk until ``kills`` are counted; what it came to."""
    chance = Random(seed)
    began = time.monotonic()
    direction = chance.choice(("long", "short", "alternate"))
    wallets = chance.choice(("shared", "separate"))
    delay = chance.choice((0.0, 0.0, 0.02, 0.1))
    tally, failed, truth = Tally(), "", {}
    with (
        small_disk(root / "run", wanted=chance.random() < 0.5) as disk,
        world(root, direction=direction, wallets=wallets, delay_seconds=delay) as made,
    ):
        made.disk, made.tally = disk, tally
        try:
            made.up()
            made.converge(UP_SECONDS)
            tally.converged.clear()
            faults = Faults(made, chance)
            while tally.kills.total() < kills:
                episode(made, faults, chance)
            if chance.random() < TAKEOVERS:
                note(made, "takeover")
                take_over(made, chance)
            truth = finish(made)
        except (Violation, AssertionError, OSError, subprocess.SubprocessError) as error:
            failed = f"{type(error).__name__}: {error}"
            note(made, "failed", why=failed)
    body = {
        "seed": seed,
        "direction": direction,
        "wallets": wallets,
        "delay_seconds": delay,
        "disk": "tmpfs" if disk else "limit",
        "failed": failed,
        "kills": dict(tally.kills),
        "effects": dict(tally.effects),
        "faults": dict(tally.faults),
        "pauses": dict(tally.pauses),
        "answers": dict(tally.answers),
        "ended": dict(tally.ended),
        "converged": [round(each, 2) for each in tally.converged],
        "truth": figures(truth, MARKET, min_lots=MIN_LOTS) if truth else {},
        "seconds": round(time.monotonic() - began, 1),
    }
    (root / "result.json").write_text(json.dumps(body))
    return body


def episode(made: World, faults: Faults, chance: Random) -> None:
    """Some waves of faults, their end, convergence, and a look at the record."""
    if chance.random() < POWER_CUTS:
        faults.fill()
        note(made, "power cut")
        made.tally.faults["power_cut"] += 1
        made.power_cut()
        made.settle()
        made.up()
    elif chance.random() < REVOKED:
        note(made, "key revoked")
        faults.revoked()
        made.settle()
    elif chance.random() < AT_EFFECTS:
        note(made, "at effects")
        faults.die_at_effects()
        made.settle()
    elif chance.random() < SECONDS_BY_HAND:
        note(made, "second instance")
        second_by_hand(made, chance)
    else:
        for _ in range(chance.choice((1, 2, 4, 6, 9))):
            begun = faults.wave()
            note(made, "wave", faults=begun)
            made.sleep(chance.choice((0.0, chance.uniform(0.0, 1.0), chance.uniform(1.0, 2.5))))
        made.settle()
    goal = made.converge()
    note(made, goal, seconds=made.tally.converged[-1])
    made.check()
    while goal == "paused":
        note(made, "answer", did=answer_pause(made))
        goal = made.converge()
        made.tally.converged.pop()  # a person took part


def finish(made: World) -> dict[str, Any]:
    """Stop as a person does; what is left must be hedged."""
    stop_desk(made)
    truth = made.check()
    net = checks.net_of(truth, MARKET)
    if abs(net) >= MIN_LOTS:
        raise Violation(f"{net} lots unhedged at the end")
    return truth


# --- many desks -----------------------------------------------------------------------------------------------------


def run_desks(folder: Path, seed: int, kills: int, side_by_side: int, *, keep: bool) -> list[dict[str, Any]]:
    """Desks with seeds from ``seed`` on; ends early at the first that fails."""
    running: dict[int, subprocess.Popen[bytes]] = {}
    try:
        return _run_desks(folder, seed, kills, side_by_side, running, keep=keep)
    finally:
        for child in running.values():
            child.terminate()
        for child in running.values():
            child.wait()


def _run_desks(
    folder: Path,
    seed: int,
    kills: int,
    side_by_side: int,
    running: "dict[int, subprocess.Popen[bytes]]",
    *,
    keep: bool,
) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    at, promised = seed, 0
    while running or promised < kills:
        while promised < kills and len(running) < side_by_side and not any(each["failed"] for each in results):
            running[at] = _start(folder, at, min(KILLS_A_DESK, kills - promised), slot=at % (side_by_side + 1))
            promised, at = promised + KILLS_A_DESK, at + 1
        time.sleep(0.2)
        for number in [number for number, child in running.items() if child.poll() is not None]:
            running.pop(number)
            results.append(_result(folder / str(number), number))
            shown = results[-1]
            print(_line(shown), file=sys.stderr, flush=True)
            if not shown["failed"] and not keep:
                shutil.rmtree(folder / str(number), ignore_errors=True)
        if any(each["failed"] for each in results):
            promised = kills
    return results


def _start(folder: Path, seed: int, kills: int, slot: int) -> "subprocess.Popen[bytes]":
    root = folder / str(seed)
    root.mkdir(parents=True)
    command = [sys.executable, "-m", "tests.chaos.run", "--one", str(root), "--seed", str(seed), "--kills", str(kills)]
    with (root / "harness.log").open("wb") as log:
        env = {**os.environ, "TEST_PORTS_FROM": str(30_000 + 300 * slot)}
        return subprocess.Popen(command, env=env, stdout=log, stderr=log)


def _result(root: Path, seed: int) -> dict[str, Any]:
    try:
        body: dict[str, Any] = json.loads((root / "result.json").read_text())
    except (OSError, ValueError):
        last = (root / "harness.log").read_text(errors="replace")[-2_000:]
        body = {"seed": seed, "failed": f"the harness ended: {last}", "converged": [], "seconds": 0, "truth": {}}
    return body


def _line(body: dict[str, Any]) -> str:
    kills = sum(body.get("kills", {}).values())
    worst = max(body["converged"], default=0)
    word = f"FAILED {body['failed']}" if body["failed"] else f"slowest convergence {worst:g} s"
    return f"desk {body['seed']}: {kills} kills, {len(body['converged'])} convergences, {body['seconds']:g} s, {word}"


def report(results: list[dict[str, Any]], seconds: float) -> dict[str, Any]:
    """All desks together."""

    def added(name: str) -> dict[str, int]:
        total: Counter[str] = Counter()
        for each in results:
            total.update(each.get(name, {}))
        return dict(sorted(total.items()))

    waits = [round(1000 * wait) for each in results for wait in each["converged"]]
    shares = {f"p{percent}": _seconds(percentile(waits, percent)) for percent in (50, 99)}
    kills, effects = added("kills"), added("effects")
    return {
        "kills_total": sum(kills.values()),
        "kills": kills,
        "kills_and_stops_at_effects": effects,
        "effects_never_struck": [f"{n} {point}" for n in "AB" for point in POINTS if f"{n} {point}" not in effects],
        "faults": added("faults"),
        "rounds_closed": sum(each["truth"].get("rounds_closed", 0) for each in results),
        "a_filled_lots": sum(each["truth"].get("a_filled_lots", 0) for each in results),
        "b_filled_lots": sum(each["truth"].get("b_filled_lots", 0) for each in results),
        "violations": [each["failed"] for each in results if each["failed"]],
        "unhedged": sum("unhedged" in each["failed"] for each in results),
        "not_converged": sum("I6" in each["failed"] for each in results),
        "double": sum("I2" in each["failed"] for each in results),
        "self_trades": sum(each["truth"].get("self_trades", 0) for each in results),
        "convergence_seconds": shares | {"max": _seconds(max(waits, default=None)), "count": len(waits)},
        "ended": added("ended"),
        "pauses": added("pauses"),
        "answers_by_a_person": added("answers"),
        "desks": len(results),
        "seeds": sorted(each["seed"] for each in results),
        "wall_seconds": round(seconds, 1),
        "kills_a_minute": round(60 * sum(kills.values()) / max(seconds, 1), 1),
        "cold_starts": os.environ.get("CHAOS_COLD") == "1",
        "sdk_version": metadata.version("lighter-sdk"),
        "python": sys.version.split()[0],
    }


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--desks", type=int, default=3, help="side by side")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--folder", type=Path, help="keeps everything; without it only what failed")
    parser.add_argument("--one", type=Path, help="run one desk in this folder, in this process")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))
    if asked.one is not None:
        return int(bool(one_desk(asked.one, asked.seed, asked.kills)["failed"]))
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="lighter-hedge-chaos-"))
    began = time.monotonic()
    results = run_desks(folder, asked.seed, asked.kills, asked.desks, keep=asked.folder is not None)
    body = report(results, time.monotonic() - began)
    text = json.dumps(body, indent=1)
    print(text)
    if asked.json is not None:
        asked.json.write_text(text + "\n")
    for each in results:
        if each["failed"]:
            print(f"logs: {folder / str(each['seed'])}", file=sys.stderr)
            print(f"again: make chaos KILLS={KILLS_A_DESK} SEED={each['seed']} DESKS=1", file=sys.stderr)
    if not body["violations"] and asked.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    return int(bool(body["violations"]))


if __name__ == "__main__":
    sys.exit(main())

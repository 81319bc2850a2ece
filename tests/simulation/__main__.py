"""Plays many seeds on all cores, or one with a readable trace.

python -m tests.simulation world 17            one seed, every line of its trace, and the verdict
python -m tests.simulation many 0:5000         a range of seeds, and a table; --json FILE keeps it
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

from tests.simulation.faults import KINDS
from tests.simulation.play import Converged, Report, play

CHUNK = 10
CHUNKS_PER_PROCESS = 3
"""Worlds leave something behind, and a heap that grows slows the search for garbage."""
TELL_SECONDS = 30.0


@dataclass(slots=True)
class Table:
    """What many seeds have played."""

    seeds: str
    long: bool
    worlds: int = 0
    rounds: int = 0
    fills: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    virtual_seconds: float = 0.0
    core_seconds: float = 0.0
    wall_seconds: float = 0.0
    paused: Counter[str] = field(default_factory=Counter)
    mended: int = 0
    converged: list[Converged] = field(default_factory=list)
    watched: int = 0
    alerts: Counter[str] = field(default_factory=Counter)
    violations: dict[int, str] = field(default_factory=dict)

    def add(self, report: Report) -> None:
        """One more world without a violation."""
        self.worlds += 1
        self.rounds += report.rounds
        self.fills += report.fills
        self.faults.update(report.faults)
        self.virtual_seconds += report.virtual_seconds
        self.paused[report.paused or "running"] += 1
        self.mended += report.mended
        self.converged.append(report.converged)
        if report.alerts is not None:
            self.watched += 1
            self.alerts.update(report.alerts)

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return {
            "code": code(),
            "seeds": self.seeds,
            "long": self.long,
            "python": platform.python_version(),
            "worlds": self.worlds,
            "rounds": self.rounds,
            "fills": self.fills,
            "faults": sum(self.faults.values()),
            "faults_by_kind": {name: self.faults[name] for name in KINDS},
            "virtual_hours": round(self.virtual_seconds / 3600, 2),
            "wall_seconds": round(self.wall_seconds, 1),
            "core_seconds": round(self.core_seconds, 1),
            "rounds_per_core_second": round(self.rounds / self.core_seconds, 1) if self.core_seconds else 0.0,
            "exposed_p99_seconds": p99([one.exposed_seconds for one in self.converged]),
            "quoting_p99_seconds": p99([one.quoting_seconds for one in self.converged]),
            "after_healing": dict(sorted(self.paused.items())),
            "started_afresh": self.mended,
            "with_a_monitor": self.watched,
            "alerts_of_the_monitor": dict(sorted(self.alerts.items())),
            "violations": {str(seed): text for seed, text in sorted(self.violations.items())},
        }


def code() -> str:
    """The commit that is played, with ``+`` where files have changed since; empty outside a repository."""
    command = ["git", "describe", "--always", "--dirty=+", "--abbrev=9", "--exclude=*"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def p99(seconds: list[float]) -> float | None:
    """Of a hundred, the largest but one."""
    return round(sorted(seconds)[len(seconds) * 99 // 100], 2) if seconds else None


def _some(task: tuple[int, int, bool]) -> tuple[list[Report], dict[int, str], float]:
    first, last, long = task
    began = time.process_time()
    reports: list[Report] = []
    broken: dict[int, str] = {}
    for seed in range(first, last):
        try:
            reports.append(play(seed, long=long))
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 whatever a world ends with is looked for
            text = "".join(traceback.format_exception_only(error)).strip()
            broken[seed] = text
    return reports, broken, time.process_time() - began


def _chunks(first: int, last: int, long: bool) -> Iterator[tuple[int, int, bool]]:
    for start in range(first, last, CHUNK):
        yield start, min(start + CHUNK, last), long


def many(
    seeds: str, *, long: bool, workers: int, seconds: float = inf, keep: Callable[[Table], None] = lambda table: None
) -> Table:
    """Play a range of seeds, ``first:last``, on so many processes.

    Args:
        seeds: the range.
        long: worlds of 20 rounds and more.
        workers: processes.
        seconds: begin nothing more after so long; the table then says how far it came.
        keep: gets the table every half minute, and at the end: what was played counts, whatever ends this.
    """
    first, last = (int(part) for part in seeds.split(":"))
    table, began, told = Table(seeds, long), time.monotonic(), time.monotonic()
    with multiprocessing.Pool(workers, maxtasksperchild=CHUNKS_PER_PROCESS) as pool:
        for reports, broken, core_seconds in pool.imap(_some, _chunks(first, last, long)):
            for report in reports:
                table.add(report)
            table.core_seconds += core_seconds
            for seed, text in broken.items():
                table.violations[seed] = text
                print(f"seed {seed}: {text}\n    make world SEED={seed}{'' if long else ' ARGS=--short'}", flush=True)
            table.seeds = f"{first}:{first + table.worlds + len(table.violations)}"
            table.wall_seconds = time.monotonic() - began
            if time.monotonic() - told > TELL_SECONDS:
                told = time.monotonic()
                print(f"seeds {table.seeds}, {table.rounds} rounds, {len(table.violations)} violations", flush=True)
                keep(table)
            if table.wall_seconds > seconds:
                break
    keep(table)
    return table


def show(table: Table) -> None:
    """The table, for people."""
    found = table.as_json()
    by_kind = found.pop("faults_by_kind")
    violations = found.pop("violations")
    for name, count in sorted(by_kind.items(), key=lambda item: -item[1]):
        print(f"  {name:22} {count:>9}   {' '.join(KINDS[name].serves)}")
    for name, value in found.items():
        print(f"{name:24} {value}")
    print(f"{'violations':24} {len(violations)}{': seeds ' + ', '.join(violations) if violations else ''}")


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("what", choices=("world", "many"))
    parser.add_argument("seeds", help="one seed, or a range first:last")
    parser.add_argument("--short", action="store_true", help="five rounds a world instead of 20 to 160")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=inf, help="begin no further world after so long")
    parser.add_argument("--json", help="also write the table to this file, again and again")
    parser.add_argument("--hash", action="store_true", help="only the trace hashes, one line a seed")
    arguments = parser.parse_args()
    long = not arguments.short
    if arguments.hash:
        first, last = (int(part) for part in arguments.seeds.split(":"))
        for seed in range(first, last):
            print(seed, play(seed, long=long).digest)
        return 0
    if arguments.what == "world":
        return _world(int(arguments.seeds), long)

    def keep(table: Table) -> None:
        if arguments.json:
            Path(arguments.json).write_text(json.dumps(table.as_json(), indent=1))

    table = many(arguments.seeds, long=long, workers=arguments.workers, seconds=arguments.seconds, keep=keep)
    show(table)
    return 1 if table.violations else 0


def _world(seed: int, long: bool) -> int:
    try:
        report = play(seed, long=long, show=print)
    except Exception:  # noqa: BLE001 the verdict is printed
        traceback.print_exc(file=sys.stdout)
        print(f"seed {seed}: VIOLATION")
        return 1
    print(f"seed {seed}: no violation, {report.rounds} rounds, {sum(report.faults.values())} faults, {report.digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Fuzzing of every parser: ``make fuzz ARGS="--target frames --seconds 60 --seed 1"``.

Without ``--coverage`` inputs are made by ``mutator`` alone: fast, and the same for the same seed and count. With it
atheris guides them by the code that they reach; its own process, one target at a time, after
``.venv/bin/uv pip install -e '.[fuzz]'``.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from tests.fuzz.mutator import Mutator

if TYPE_CHECKING:
    from tests.fuzz.targets import Run

CHUNK = 200
"""Inputs between two looks at the clock."""
SECONDS_MAX = 10
"""A chunk that takes longer hangs."""
FINDINGS_MAX = 5
"""Of one target; then its code should be mended first."""


class Hang(BaseException):
    """An input that does not come to an end. No ``Exception``, so that nobody catches it on its way."""


@dataclass(slots=True, kw_only=True)
class Report:
    """What one target did."""

    target: str
    executions: int = 0
    accepted: int = 0
    seconds: float = 0.0
    findings: list[str] | None = None

    def __str__(self) -> str:
        rate = self.executions / self.seconds if self.seconds else 0.0
        found = len(self.findings or [])
        return (
            f"{self.target:14} {self.executions:12,} executions {self.accepted:11,} accepted "
            f"{self.seconds:7.1f} s {rate:9,.0f}/s  findings {found}"
        )


def fuzz(name: str, run: "Run", seeds: Sequence[bytes], *, seed: int, count: int = 0, seconds: float = 0.0) -> Report:
    """Feed one target until ``count`` inputs or ``seconds`` are over. The seeds themselves come first, undamaged."""
    report, source = Report(target=name, findings=[]), Mutator(seeds, seed)
    seen: set[str] = set()
    previous = signal.signal(signal.SIGALRM, _hangs)
    started = time.perf_counter()
    waiting = list(seeds)
    try:
        while (report.executions < count) if count else (time.perf_counter() - started < seconds):
            signal.alarm(SECONDS_MAX)
            for _ in range(min(CHUNK, count - report.executions) if count else CHUNK):
                data = waiting.pop() if waiting else source.next()
                report.executions += 1
                try:
                    report.accepted += run(data)
                except (Exception, Hang) as error:
                    _note(report, error, data, seen)
            if len(report.findings or []) >= FINDINGS_MAX:
                break
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    report.seconds = time.perf_counter() - started
    return report


def _hangs(number: int, frame: FrameType | None) -> None:
    raise Hang(f"no end within {SECONDS_MAX} s")


def _note(report: Report, error: BaseException, data: bytes, seen: set[str]) -> None:
    """Keep one finding of each kind and place."""
    assert report.findings is not None
    frames = traceback.extract_tb(error.__traceback__)
    place = next((f for f in reversed(frames) if "/lighter_hedge/" in f.filename or "/fuzz/" in f.filename), frames[-1])
    kind = f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"
    if kind in seen:
        return
    seen.add(kind)
    shown = data if len(data) <= 1200 else data[:1000] + b" ... " + data[-100:]
    report.findings.append(f"{report.target}: {kind}: {str(error)[:200]}\n    {shown!r}")
    print(report.findings[-1], file=sys.stderr, flush=True)


def guided(name: str, folder: Path, *, seed: int, count: int, seconds: float) -> None:
    """Let atheris guide the inputs by coverage. Ends the process."""
    import atheris  # the extra ``fuzz``

    with atheris.instrument_imports(include=["lighter_hedge"]):
        from tests.fuzz.targets import TARGETS
    target = TARGETS[name]
    run, seeds = target.make(folder), target.seeds()
    source = Mutator(seeds, seed)
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, data in enumerate(seeds):
        (corpus / str(number)).write_bytes(data)

    def mutate(data: bytes, most: int, number: int) -> bytes:
        return (source.next() if number % 3 == 0 else bytes(atheris.Mutate(data, most)))[:most]

    limit = [f"-runs={count}"] if count else [f"-max_total_time={int(seconds)}"]
    options = [f"-seed={seed}", "-max_len=4096", f"-timeout={SECONDS_MAX}", f"-artifact_prefix={Path.cwd()}/"]
    atheris.Setup([name, *limit, *options, str(corpus)], run, custom_mutator=mutate)
    atheris.Fuzz()


def _guided_apart(name: str, folder: Path, asked: argparse.Namespace) -> int:
    """In a fork, since atheris ends its process: 1 if it found something."""
    child = os.fork()
    if child == 0:
        guided(name, folder, seed=asked.seed, count=asked.count, seconds=asked.seconds)
    return 1 if os.waitpid(child, 0)[1] else 0


def main() -> int:
    """Fuzz the targets asked for, all in turn without a name; 1 if something was found."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--target", action="append", default=[], help="again for more; all without")
    parser.add_argument("--seconds", type=float, default=60.0, help="together (60)")
    parser.add_argument("--count", type=int, default=0, help="executions together, in place of a time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--coverage", action="store_true", help="guided by atheris; one target")
    asked = parser.parse_args()
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=memory) as folder:
        if asked.coverage:
            return _guided_apart((asked.target or ["frames"])[0], Path(folder), asked)
        return _all(asked, Path(folder))


def _all(asked: argparse.Namespace, folder: Path) -> int:
    from tests.fuzz.targets import TARGETS

    names = asked.target or list(TARGETS)
    if unknown := [name for name in names if name not in TARGETS]:
        print(f"no such target: {', '.join(unknown)}; there are {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    print(f"Python {sys.version.split()[0]}, msgspec {version('msgspec')}, seed {asked.seed}", flush=True)
    shares = sum(TARGETS[name].share for name in names)
    reports = []
    for name in names:
        target = TARGETS[name]
        part = target.share / shares
        count = max(1, round(asked.count * part)) if asked.count else 0
        reports.append(
            fuzz(name, target.make(folder), target.seeds(), seed=asked.seed, count=count, seconds=asked.seconds * part)
        )
        print(reports[-1], flush=True)
    total, seconds = sum(one.executions for one in reports), sum(one.seconds for one in reports)
    found = sum(len(one.findings or []) for one in reports)
    print(f"together {total:,} executions in {seconds:,.1f} s, {total / seconds:,.0f}/s, {found} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

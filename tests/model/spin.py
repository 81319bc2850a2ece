"""``models/hedge.pml`` under spin: configurations that must hold, and planted bugs that must be found.

A configuration is walked to its end: no assertion fails, nothing is stuck, and between them no line stays unreached.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MODEL = Path(__file__).resolve().parents[2] / "models" / "hedge.pml"
DEPTH_MAX = 200_000
SECONDS_MAX = 3_000
MEMORY_MB_MAX = 12_000
WHERE = "spin and a C compiler are not here: `apt-get install spin gcc` (Debian, Ubuntu), `brew install spin` (macOS)"

Sizes = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What spin has found."""

    states: int
    transitions: int
    depth: int
    seconds: float
    megabytes: float
    errors: int
    ended: bool
    """Whether all states were looked at."""
    broken: str
    """The assertion that failed; empty where none did."""
    unreached: frozenset[str]
    """Lines of the model that were never run."""


def sizes(**changes: int) -> dict[str, int]:
    return {"ROUNDS": 1, "LOTS": 1, "ATTEMPTS": 1, "CRASHES": 0} | changes


SMALL = sizes(LOTS=2, CRASHES=1)
LONG: dict[str, dict[str, int]] = {
    "rounds, part fills, requotes, a crash": sizes(ROUNDS=2, LOTS=2, ATTEMPTS=3, CRASHES=1),
    "two instances of B": sizes(LOTS=2, INSTANCES=2),
    "two instances of B, a crash": sizes(CRASHES=1, INSTANCES=2),
    "residuals, three rounds": sizes(ROUNDS=3, LOTS=3, MIN=2, ATTEMPTS=3),
    "a person resumes, a crash": sizes(ROUNDS=2, ATTEMPTS=2, CRASHES=1, RESUMES=1),
}
CYCLES: dict[str, dict[str, int]] = {
    "a crash": SMALL,
    "two instances of B": sizes(INSTANCES=2),
    "residuals": sizes(ROUNDS=2, LOTS=3, MIN=2, ATTEMPTS=2),
}
"""Walked once more for stories that go round for ever."""
MUTANTS: dict[str, dict[str, int]] = {
    "MUTANT_ABSENT": sizes(ATTEMPTS=2),
    "MUTANT_CANCEL_ACK": sizes(LOTS=2, ATTEMPTS=2),
    "MUTANT_ANY_CONFIRM": sizes(ROUNDS=2, ATTEMPTS=2),
    "MUTANT_NEW_NONCE": SMALL,
    "MUTANT_NO_START_BURN": sizes(LOTS=2, INSTANCES=2),
    "MUTANT_NO_ARMING": SMALL,
    "MUTANT_ARMED_SIZE": SMALL,
    "MUTANT_RESEND": SMALL,
    "MUTANT_CONSUMED": SMALL,
    "MUTANT_NO_LAG": SMALL,
    "MUTANT_PAUSE_LOST": sizes(ROUNDS=2, ATTEMPTS=2, CRASHES=1, RESUMES=1),
    "MUTANT_NO_RESIDUAL": sizes(ROUNDS=3, LOTS=3, MIN=2, ATTEMPTS=3),
    "MUTANT_ADOPT": sizes(LOTS=2, INSTANCES=2),
    "MUTANT_NO_FLAGS": SMALL,
}
ENDLESS = '"-end-"'
"""The end of a process that has none: never reached, and rightly so."""


def missing() -> str:
    """Why the model cannot be checked here; empty where it can."""
    return "" if shutil.which("spin") and compiler() else WHERE


def compiler() -> str:
    return next(
        (found for name in (os.environ.get("CC", ""), "gcc", "cc", "clang") if (found := shutil.which(name))), ""
    )


def run(work: Path, chosen: Sizes, *, mutant: str = "", cycles: bool = False, build: str = "-O2") -> Result:
    """Check the model in a folder of its own. ``cycles``: look for stories that go round for ever instead."""
    flags = [f"-D{name}={value}" for name, value in chosen.items()] + ([f"-D{mutant}"] if mutant else [])
    here = {"cwd": work, "check": True, "capture_output": True, "text": True}
    subprocess.run(["spin", *flags, "-a", str(MODEL)], **here)  # type: ignore[call-overload]
    kind = "-DNP" if cycles else "-DSAFETY"
    compile_it = [compiler(), "-w", build, kind, "-DNOBOUNDCHECK", f"-DMEMLIM={MEMORY_MB_MAX}", "-o", "pan", "pan.c"]
    subprocess.run(compile_it, **here)  # type: ignore[call-overload]
    walk = ["./pan", f"-m{DEPTH_MAX}", *(["-l"] if cycles else [])]
    done = subprocess.run(walk, cwd=work, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    return _read(done.stdout)


def _read(text: str) -> Result:
    def number(pattern: str) -> float:
        found = re.search(pattern, text)
        return float(found[1]) if found else 0.0

    broken = re.search(r"^pan:\d+: (.*?) \(at depth", text, re.MULTILINE)
    unreached = re.findall(r"^\s+\S*hedge\.pml:(\d+), state \d+, (.*)$", text, re.MULTILINE)
    errors = re.search(r"errors: (\d+)", text)
    return Result(
        states=int(number(r"([\d.e+]+) states, stored")),
        transitions=int(number(r"([\d.e+]+) transitions")),
        depth=int(number(r"depth reached (\d+)")),
        seconds=number(r"elapsed time ([\d.]+)"),
        megabytes=number(r"([\d.]+)\s+total actual memory"),
        errors=int(errors[1]) if errors else -1,
        ended="Search not completed" not in text and "max search depth too small" not in text,
        broken=broken[1] if broken else "",
        unreached=frozenset(f"{line} {what}" for line, what in unreached if what != ENDLESS),
    )

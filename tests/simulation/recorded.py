"""The record of long runs: every table that ``many --json`` has written, added up in docs/evidence.md.

python -m tests.simulation.recorded                 writes the tables of docs/evidence.md anew
python -m tests.simulation.recorded FILE …          adds runs first; one that begins with the same seed is replaced
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from textwrap import wrap
from typing import Any

from tests.simulation.faults import KINDS

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "docs" / "evidence" / "worlds.json"
PAGE = ROOT / "docs" / "evidence.md"
BEGIN, END = "<!-- worlds: begin -->", "<!-- worlds: end -->"
COLUMNS = ("code", "seeds", "worlds", "rounds", "fills", "faults", "virtual_hours", "core_seconds")

Run = dict[str, Any]


def runs() -> list[Run]:
    """What is recorded, oldest first."""
    found: list[Run] = json.loads(RECORD.read_text()) if RECORD.exists() else []
    return found


def add(known: list[Run], run: Run) -> list[Run]:
    """The record with one more run."""
    return [*(one for one in known if first(one) != first(run)), run]


def first(run: Run) -> int:
    """The seed that a run begins with."""
    return int(run["seeds"].split(":")[0])


def tables(known: list[Run]) -> str:
    """The runs, their sums, and how often each kind of fault has struck."""
    heads = [*(name.replace("_", " ") for name in COLUMNS), "violations"]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    lines += [_row([one[name] for name in COLUMNS] + [len(one["violations"])]) for one in known]
    sums = [sum(one[name] for one in known) for name in COLUMNS[2:]]
    lines.append(_row(["**all**", "", *sums, sum(len(one["violations"]) for one in known)]))
    struck: Counter[str] = Counter()
    for one in known:
        struck.update(one["faults_by_kind"])
    counts = ", ".join(f"{name} {struck[name]:,}" for name in sorted(KINDS, key=lambda name: -struck[name]))
    return "\n".join([*lines, "", *wrap(f"How often each kind has struck: {counts}.", 118, break_on_hyphens=False)])


def _row(cells: list[Any]) -> str:
    return f"| {' | '.join(f'{cell:,.0f}' if isinstance(cell, int | float) else str(cell) for cell in cells)} |"


def page(text: str, known: list[Run]) -> str:
    """The page with the tables as they are now."""
    head, rest = text.split(BEGIN)
    return f"{head}{BEGIN}\n\n{tables(known)}\n\n{END}{rest.split(END)[1]}"


def main() -> int:
    """Add, and write."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.recorded", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="tables of ``many --json``")
    known = runs()
    for file in parser.parse_args().files:
        known = add(known, json.loads(file.read_text()))
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(json.dumps(known, indent=1) + "\n")
    PAGE.write_text(page(PAGE.read_text(), known))
    print(tables(known))
    return 0


if __name__ == "__main__":
    sys.exit(main())

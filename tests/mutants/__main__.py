"""``python -m tests.mutants``: every planted bug against the simulation; exit code 1 where one survives."""

import argparse
import dataclasses
import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

from tests.mutants import ALL
from tests.mutants.bug import BUGS
from tests.mutants.hunt import UNSOUND, Verdict, hunt, named
from tests.mutants.plain import hunt_plain
from tests.simulation.faults import KINDS

PLAIN = "plain_protocol"


def _hunt(job: tuple[str, int, bool]) -> Verdict:
    name, worlds, needs = job
    return hunt_plain(worlds) if name == PLAIN else hunt(BUGS[name], worlds, needs=needs)


def main() -> int:
    """Hunt, and print a table."""
    arguments = _arguments()
    names = [PLAIN] if not arguments.bugs else []
    wanted = arguments.bugs.split(",") if arguments.bugs else []
    names += [one for one in wanted if one == PLAIN]
    names += [one.name for one in named(",".join(one for one in wanted if one != PLAIN))] if wanted != [PLAIN] else []
    began = time.monotonic()
    verdicts: list[Verdict] = []
    jobs = [(name, arguments.worlds, arguments.needs) for name in names]
    context = multiprocessing.get_context("fork")
    with context.Pool(arguments.cores, maxtasksperchild=1) as pool:
        for verdict in pool.imap_unordered(_hunt, jobs, chunksize=1):
            verdicts.append(verdict)
            print(_line(verdict), flush=True)
            if arguments.json:
                rows = [dataclasses.asdict(verdict) for verdict in verdicts]
                Path(arguments.json).write_text(json.dumps(rows, indent=1), encoding="utf-8")
    unsound = sum(verdict.others.get(UNSOUND, 0) for verdict in verdicts)
    survivors = [verdict for verdict in verdicts if not verdict.ok]
    print(f"\n{len(verdicts) - len(survivors)} of {len(verdicts)} bugs found, {time.monotonic() - began:.0f} s")
    print(f"worlds that break a promise without the bug too: {unsound}")
    for verdict in survivors:
        print(f"SURVIVES: {verdict.name}: {dict(verdict.others)}")
    silent = sorted(_checkers() - {verdict.sight.by for verdict in verdicts if verdict.sight is not None})
    if not wanted:
        print(f"checkers that found nothing: {', '.join(silent) or 'none'}")
        struck = {kind for verdict in verdicts for kind in verdict.struck}
        needed = {kind for verdict in verdicts for kind in verdict.needed}
        print(f"faults in no finding world: {', '.join(sorted(set(KINDS) - struck)) or 'none'}")
        if arguments.needs:
            print(f"faults that no finding seed needs: {', '.join(sorted(set(KINDS) - needed)) or 'none'}")
    return 1 if survivors or unsound else 0


def _checkers() -> set[str]:
    return {name for one in BUGS.values() for name in one.seen_by}


def _line(verdict: Verdict) -> str:
    sight = verdict.sight
    found = "found" if verdict.ok else "SURVIVES"
    by = f"{sight.by} ({sight.text[:70]})" if sight is not None else "nobody"
    saved = f"; second defence: {verdict.saved}" if verdict.saved else ""
    needs = f"; needs {' '.join(verdict.needed)}" if verdict.needed else ""
    return (
        f"{found:8} {verdict.name:48} {verdict.defence:44} {verdict.worlds:4} worlds {verdict.seconds:6.1f} s  "
        f"seed {verdict.seed:4}  by {by}{saved}{needs}"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--bugs", default="", help="names, with commas; all where none is given")
    parser.add_argument("--worlds", type=int, default=1000, help="at most so many for each bug")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", default="", help="writes everything to this file")
    parser.add_argument("--needs", action="store_true", help="asks of each finding seed which faults it needs")
    return parser.parse_args()


if __name__ == "__main__":
    assert ALL
    sys.exit(main())

"""``make model``: the long forms, with a table of what was walked. Ends with 1 where a promise breaks.

Parts are ``spin``, ``lane`` and ``desk``; all by default. The desk takes other bounds.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.model import spin
from tests.model.desk_scenes import SCENES
from tests.model.desk_walk import Stories, walk_desk
from tests.model.desk_world import DeskWorld
from tests.model.lane_moment import LONG, short_waits
from tests.model.lane_world import LaneWorld
from tests.model.walk import Walk, explore

HEAD = ("what", "states", "transitions", "seconds", "MB", "result")
DESK_LONG = ((2, 0), (1, 1), (0, 2))
"""Faults and crashes in one story."""


LANE_SECONDS_MAX = 900
"""For each set of bounds; one that takes longer is walked as deep as that, and the table says so."""


def how_far(walk: Walk) -> str:
    return "to its end" if walk.ended else f"all stories of up to {walk.depth} steps"


def row(*cells: object) -> None:
    print("| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells) + " |", flush=True)


def head(title: str, cells: tuple[str, ...] = HEAD) -> None:
    print(f"\n{title}\n")
    row(*cells)
    row(*("---" for _ in cells))


def check_spin() -> Iterator[str]:
    """The model of the protocol; yields what is wrong."""
    if spin.missing():
        yield spin.missing()
        return
    head("models/hedge.pml: every state")
    unreached: list[frozenset[str]] = []
    for name, chosen in spin.LONG.items():
        found = _spin(name, chosen)
        unreached.append(found.unreached)
        if found.errors or not found.ended:
            yield f"{name}: {found.broken or 'not walked to its end'}"
    never = frozenset.intersection(*unreached)
    print(f"\nlines that no configuration reaches: {', '.join(sorted(never)) or 'none'}")
    if never:
        yield f"lines of the model are never reached: {sorted(never)}"
    head("models/hedge.pml: no story goes round for ever")
    for name, chosen in spin.CYCLES.items():
        found = _spin(name, chosen, cycles=True)
        if found.errors or not found.ended:
            yield f"{name}: {found.broken or 'not walked to its end'}"
    head("models/hedge.pml: planted bugs")
    for mutant, chosen in spin.MUTANTS.items():
        if _spin(mutant, chosen, mutant=mutant).errors != 1:
            yield f"{mutant} was not found"


def _spin(name: str, chosen: spin.Sizes, *, mutant: str = "", cycles: bool = False) -> spin.Result:
    with tempfile.TemporaryDirectory() as work:
        found = spin.run(Path(work), chosen, mutant=mutant, cycles=cycles)
    result = f"found: {found.broken[:60]}" if mutant and found.errors else f"{found.errors} errors"
    sizes = " ".join(f"{key}={value}" for key, value in chosen.items())
    row(f"{name} ({sizes})", found.states, found.transitions, round(found.seconds), round(found.megabytes), result)
    return found


def check_lane() -> Iterator[str]:
    """``lane`` alone."""
    head("domain/lane.py: every state")
    for name, bounds in LONG.items():
        with short_waits():
            try:
                walk = explore(LaneWorld(bounds), seconds_max=LANE_SECONDS_MAX)
            except AssertionError as error:
                yield "\n".join([f"lane, {name}: {error}", *getattr(error, "__notes__", [])])
                continue
        row(name, walk.states, walk.transitions, round(walk.seconds), "", f"0 errors, {how_far(walk)}")


def check_desk(bounds: tuple[tuple[int, int], ...], scenes: tuple[str, ...], every: int) -> Iterator[str]:
    """Both machines."""
    head("domain/maker.py, domain/hedger.py: every story", ("scene", "stories", "happenings", "seconds", "ends"))
    for faults, crashes in bounds:
        for scene in scenes:
            begun = time.monotonic()
            try:
                found = _desk(scene, faults, crashes, every)
            except AssertionError as error:
                yield "\n".join([f"desk, {scene}: {error}", *getattr(error, "__notes__", [])])
                continue
            ends = ", ".join(f"{count:,} {end}" for end, count in found.ends.most_common())
            name = f"{scene}: {faults} faults, {crashes} crashes"
            row(name, found.stories, found.happenings, round(time.monotonic() - begun), ends)


def _desk(scene: str, faults: int, crashes: int, every: int) -> Stories:
    return walk_desk(
        lambda: DeskWorld.scene(scene), faults=faults, crashes=crashes, only=lambda number: number % every == 0
    )


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="make model", description=__doc__)
    parser.add_argument("parts", nargs="*", default=["spin", "lane", "desk"], help="spin, lane, desk")
    parser.add_argument("--faults", type=int, help="desk: faults in one story")
    parser.add_argument("--crashes", type=int, help="desk: crashes in one story")
    parser.add_argument("--scene", choices=list(SCENES), default="", help="desk: this scene alone")
    parser.add_argument("--every", type=int, default=1, help="desk: of the first steps aside, only each n-th")
    asked = parser.parse_args()
    chosen = asked.faults is not None or asked.crashes is not None
    bounds = ((asked.faults or 0, asked.crashes or 0),) if chosen else DESK_LONG
    scenes = (asked.scene,) if asked.scene else tuple(SCENES) if chosen else ("a part, then the rest",)
    wrong: list[str] = []
    for part in asked.parts:
        match part:
            case "spin":
                wrong += check_spin()
            case "lane":
                wrong += check_lane()
            case "desk":
                if not chosen and not asked.scene:
                    wrong += check_desk(((1, 0), (0, 1)), tuple(SCENES), 1)
                wrong += check_desk(bounds, scenes, asked.every)
            case _:
                parser.error(f"no such part: {part}")
    print("\n" + ("\n".join(wrong) or "all promises kept"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

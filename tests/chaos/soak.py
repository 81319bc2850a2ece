"""``make soak``: one desk for a long time, with light traffic and rare faults; what grows in it.

Nobody is killed, so that each process grows old: the faults are those of network, Redis and exchange, and short stops.
``python -m tests.chaos.soak --seconds 3600 --json FILE``.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import redis
from tests.chaos.faults import Faults, note
from tests.chaos.person import answer_pause, stop_desk
from tests.chaos.world import MARKET, MIN_LOTS, UP_SECONDS, Violation, World, world

from lighter_hedge.ops.truth import figures, percentile

SAMPLE_SECONDS = 10.0
FILL_SECONDS = 3.0
FAULT_SECONDS = 60.0
WARM = 0.2
"""Part of the run that is left out of the growth: caches fill."""
HOUR = 3600.0

Sample = tuple[float, int]


def sizes(made: World) -> dict[str, int]:
    """Everything that could grow, now: bytes, and numbers of descriptors."""
    found: dict[str, int] = {}
    pids = {name: made.pid(name) for name in (*made.children, "supervisor")}
    pids |= {"redis": made.desk.redis.pid, "exchange": made.desk.paper.pid}
    for name, pid in pids.items():
        if pid is not None:
            rows = Path(f"/proc/{pid}/status").read_text().splitlines()
            found[f"{name} memory"] = next(int(row.split()[1]) * 1024 for row in rows if row.startswith("VmRSS"))
            found[f"{name} descriptors"] = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    for path in (*made.desk.root.glob("run/*.sqlite*"), *made.desk.root.glob("logs/*.log*")):
        found[f"{path.name} size"] = path.stat().st_size
    with redis.Redis(port=made.desk.redis.port, socket_timeout=2) as client:
        info: Any = client.info("memory")
    found["redis used_memory"] = int(info["used_memory"])
    return found


def growth(samples: Sequence[Sample]) -> float:
    """Slope of a straight line through the samples, per hour."""
    if len(samples) < 2:
        return 0.0
    mean_at = sum(at for at, _ in samples) / len(samples)
    mean = sum(value for _, value in samples) / len(samples)
    spread = sum((at - mean_at) ** 2 for at, _ in samples)
    return HOUR * sum((at - mean_at) * (value - mean) for at, value in samples) / spread


def soak(root: Path, seconds: float, seed: int) -> dict[str, Any]:
    """Run one desk for ``seconds``; what has grown, and what the exchange says.

    Raises:
        Violation: what must never be has been.
    """
    chance = Random(seed)
    samples: dict[str, list[Sample]] = defaultdict(list)
    with world(root, direction="alternate", wallets="separate", delay_seconds=0.02) as made:
        made.up()
        made.converge(UP_SECONDS)
        faults = Faults(made, chance)
        began = time.monotonic()
        sample_at = fault_at = 0.0
        while (at := time.monotonic() - began) < seconds:
            faults.fill()
            made.sleep(FILL_SECONDS)
            if at >= sample_at:
                sample_at = at + SAMPLE_SECONDS
                for name, value in sizes(made).items():
                    samples[name].append((at, value))
            if at >= fault_at:
                fault_at = at + FAULT_SECONDS
                _trouble(made, faults, chance)
        while made.converge() == "paused":
            answer_pause(made)
        stop_desk(made)
        truth = made.check()
        waits = [round(1000 * each) for each in made.tally.converged]
        return {
            "seconds": round(time.monotonic() - began),
            "seed": seed,
            "truth": figures(truth, MARKET, min_lots=MIN_LOTS),
            "faults": dict(made.tally.faults),
            "pauses": dict(made.tally.pauses),
            "answers_by_a_person": dict(made.tally.answers),
            "convergence_ms": {f"p{percent}": percentile(waits, percent) for percent in (50, 99, 100)},
            "growth": {name: _grown(found, seconds) for name, found in sorted(samples.items())},
        }


def _trouble(made: World, faults: Faults, chance: Random) -> None:
    """One fault, its end, convergence and a look at the record."""
    work = chance.choice((faults.stop, faults.network, faults.network, faults.redis, faults.exchange))
    note(made, "fault", kind=work.__name__)
    work()
    made.settle()
    while made.converge() == "paused":
        note(made, "answer", did=answer_pause(made))
    made.check()


def _grown(found: list[Sample], seconds: float) -> dict[str, float]:
    warm = [sample for sample in found if sample[0] >= WARM * seconds]
    values = [value for _, value in found]
    return {"first": values[0], "last": values[-1], "max": max(values), "per_hour": round(growth(warm))}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--seconds", type=float, default=HOUR)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    root = asked.folder or Path(tempfile.mkdtemp(prefix="lighter-hedge-soak-"))
    root.mkdir(parents=True, exist_ok=True)
    try:
        body = soak(root, asked.seconds, asked.seed)
    except (Violation, AssertionError) as error:
        print(f"FAILED {error}\nlogs: {root}", file=sys.stderr)
        return 1
    text = json.dumps(body, indent=1)
    print(text)
    if asked.json is not None:
        asked.json.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

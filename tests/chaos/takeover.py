"""Second instances: in the same folder one is refused; in a folder of its own it takes the account over.

A takeover is the last act of a desk, since the first instance's journal knows nothing of the second's orders.
"""

import shutil
import signal
import subprocess
import time
from pathlib import Path
from random import Random

from tests.chaos.person import answer_pause
from tests.chaos.world import UP_SECONDS, Violation, World
from tests.e2e.desk import COMMAND, environment, eventually

from lighter_hedge.ops.exit_codes import ExitCode

SUPERSEDED_SECONDS = 20.0
REFUSED_SECONDS = 90.0
"""A start imports for some seconds, more on a busy machine."""


def second_by_hand(made: World, chance: Random) -> None:
    """Start one more A or B beside the living ones, in the desk's own folder, while the desk trades.

    Raises:
        Violation: it is not refused.
    """
    name = chance.choice("AB")
    made.tally.faults["second instance in the same folder"] += 1
    second = _start(made, name, made.desk.root, ())
    ends = time.monotonic() + REFUSED_SECONDS
    while second.poll() is None and time.monotonic() < ends:
        made.desk.paper.fill()
        made.sleep(1)
    if second.poll() != ExitCode.REFUSED:
        second.kill()
        second.wait()
        raise Violation(f"a second {name} was not refused, but ended with {second.returncode}")


def take_over(made: World, chance: Random) -> None:
    """Start a second A or B elsewhere; the first must send nothing more, and end as superseded.

    Raises:
        Violation: it goes on, or the desk does not.
    """
    name = chance.choice("AB")
    sleeps = chance.random() < 0.5
    key = "AB".index(name)
    before, mark = made.states()[key]["epoch"], made.desk.mark(name)
    old = made.signal(name, signal.SIGSTOP if sleeps else 0)
    folder = made.desk.root / "second"
    folder.mkdir()
    shutil.copy(made.desk.config_file, folder / "config.yaml")
    second = _start(made, name, folder, ("--adopt",))
    made.tally.faults[f"takeover of a {'sleeping' if sleeps else 'living'} {name}"] += 1
    try:
        eventually(lambda: made.states()[key].get("epoch", 0) > before, f"the second {name} speaks", UP_SECONDS)
        if sleeps and old is not None:
            made.signal(name, signal.SIGCONT)
        superseded = f"exit code {ExitCode.SUPERSEDED.value}"
        eventually(
            lambda: any(superseded in line.text for line in made.desk.log(name, "EXIT", after=mark)),
            f"the first {name} ends as superseded",
            SUPERSEDED_SECONDS,
        )
        for _ in range(3):
            while made.converge() == "paused":
                answer_pause(made)
            made.desk.paper.fill()
            made.sleep(0.3)
        made.converge()
        if second.poll() is not None:
            raise Violation(f"the second {name} has ended with {second.returncode}")
        made.check()
    finally:
        second.send_signal(signal.SIGTERM)
        try:
            second.wait(30)
        except subprocess.TimeoutExpired:
            second.kill()
            second.wait()


def _start(made: World, name: str, folder: Path, flags: tuple[str, ...]) -> "subprocess.Popen[bytes]":
    credentials = str(made.desk.paper.credentials)
    with (made.folder / "second.log").open("ab") as log:
        return subprocess.Popen(
            (*COMMAND, "run", name, "--credentials", credentials, *flags),
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )

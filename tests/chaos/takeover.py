"""Split brain: a second instance of a side in a folder of its own takes the account over from a living or sleeping one.

The last act of a desk, since the first instance's journal knows nothing of the second's orders.
"""

import shutil
import signal
import subprocess
from random import Random

from tests.chaos.person import answer_pause
from tests.chaos.world import UP_SECONDS, Violation, World
from tests.e2e.desk import COMMAND, environment, eventually

from lighter_hedge.ops.exit_codes import ExitCode

SUPERSEDED_SECONDS = 20.0


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
    second = _start(made, name)
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


def _start(made: World, name: str) -> "subprocess.Popen[bytes]":
    folder = made.desk.root / "second"
    folder.mkdir()
    config = folder / "config.yaml"
    shutil.copy(made.desk.config_file, config)
    credentials = str(made.desk.paper.credentials)
    with (folder / "output.log").open("ab") as log:
        return subprocess.Popen(
            (*COMMAND, "run", name, "--config", str(config), "--credentials", credentials, "--adopt"),
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )

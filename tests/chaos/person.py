"""What a person does at a desk under chaos: answers its pauses, and stops it in the end."""

import time

from tests.chaos.world import MARKET, MIN_LOTS, Violation, World

from lighter_hedge.ops.exit_codes import ExitCode

PATIENCE = 4


def answer_pause(made: World) -> str:
    """Look, then end the pause as gently as it goes; what has ended it.

    Raises:
        Violation: nothing ends it.
    """
    pause = made.states()[0].get("pause") or {}
    made.tally.pauses[str(pause.get("code"))] += 1
    made.desk.command("status")
    said = []
    for verb in (("resume",), ("resume", "--hedge-now")) * PATIENCE:
        done = made.desk.command(*verb)
        if done.returncode == ExitCode.OK:
            made.tally.answers[" ".join(verb)] += 1
            return " ".join(verb)
        said.append(done.stderr.strip()[-300:])
        made.sleep(1)
    began_ms = int(time.time() * 1000)
    done = made.desk.command("clear", "--yes")
    made.cleared.append((began_ms, time.time() * 1000 + 1000))
    if done.returncode != ExitCode.OK:
        raise Violation(f"no person can end the pause {pause}: {said[-2:]} {done.stderr[-500:]}")
    made.tally.answers["clear"] += 1
    if made.states()[0].get("pause") and made.desk.command("resume").returncode != ExitCode.OK:
        raise Violation(f"after clear the pause stands: {made.shown()}")
    return "clear"


def stop_desk(made: World) -> None:
    """``down``: its answer must be *hedged*.

    Raises:
        Violation: it is not, or not stopped.
    """
    done = made.desk.command("down")
    if done.returncode != ExitCode.OK:
        raise Violation(
            f"down ended with {done.returncode}: {done.stdout[-500:]} {done.stderr[-500:]} ({MARKET}, {MIN_LOTS})"
        )
    left = made.names()
    if left:
        raise Violation(f"still running after down: {left}")

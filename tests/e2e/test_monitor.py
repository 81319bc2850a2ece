"""The monitor beside a real desk: nothing depends on it, and it sees what goes wrong."""

import os
import signal
from typing import Any

from tests.e2e.desk import COMMAND, Desk, Process, eventually

from lighter_hedge.processes.outbox import MONITOR_FILE, StoredAlert, read_pending


def stored(desk: Desk) -> list[StoredAlert]:
    path = desk.root / "run" / MONITOR_FILE
    return list(read_pending(path)) if path.is_file() else []


def test_killed_in_a_round_it_comes_back_and_changes_nothing_for_a_and_b(desk: Desk) -> None:
    desk.up()
    sides = {name: desk.pid(name) for name in ("A", "B")}
    eventually(lambda: desk.log("monitor", "FEED_OPEN"), "the monitor sees the exchange")
    desk.quote()
    killed = desk.signal("monitor", signal.SIGKILL)
    desk.paper.fill()
    desk.hedged(20)
    assert {name: desk.pid(name) for name in ("A", "B")} == sides
    eventually(lambda: desk.pid("monitor") not in (None, killed), "the monitor is started again")
    eventually(lambda: len(desk.log("monitor", "FEED_OPEN")) == 2, "the monitor sees the exchange again")
    code, view = desk.status()
    assert (code, view["monitor_alive"], view["pids"]["monitor"]) == (0, True, desk.pid("monitor"))
    desk.quote()
    desk.paper.fill()
    desk.hedged(40)
    exits = [line.text for line in desk.log("supervisor", "CHILD_EXITED")]
    assert exits == ["monitor exited with exit code -9"]

    down = desk.command("down")
    assert down.returncode == 0, down.stderr
    assert desk.pid("monitor") is None
    order = [line.text.split()[0] for line in desk.log("supervisor", "CHILD_EXITED")]
    assert order == ["monitor", "A", "B", "monitor"]
    assert stored(desk) == [], "neither rounds nor a stop by a person are worth an alert"


def test_a_silent_b_and_an_exposure_are_alerted_and_a_obeys_its_pause(desk: Desk) -> None:
    """A monitor of its own, with a shorter limit than A's and B's: so it is the one that pauses the desk."""
    desk.up()
    pid = desk.signal("monitor", signal.SIGTERM)
    eventually(lambda: desk.pid("monitor") != pid, "the supervised monitor has ended")
    limit = {"LIGHTER_HEDGE_LIMITS__UNHEDGED_SECONDS_MAX": "5"}
    run = (*COMMAND, "run", "monitor", "--config", str(desk.config_file), "--credentials", str(desk.paper.credentials))
    alone = Process(("/usr/bin/env", *(f"{name}={value}" for name, value in limit.items()), *run), desk.root / "alone")
    mark = desk.mark("monitor")
    alone.start()
    try:
        eventually(lambda: desk.log("monitor", "FEED_OPEN", after=mark), "the monitor sees the exchange")
        desk.quote()
        b = desk.signal("B", signal.SIGSTOP)
        desk.paper.fill()
        eventually(lambda: desk.log("monitor", "SIDE_SILENT", after=mark), "B's silence is alerted")
        eventually(lambda: desk.log("monitor", "PAUSE_ASKED", after=mark), "A is asked to pause")
        code, view = eventually(lambda: paused(desk), "A is paused")
        assert code == 5
        assert view["pause"]["reason"].endswith("unhedged for 5 s, says the monitor")
        assert any("account B has said nothing" in note for note in view["notes"])
        os.kill(b, signal.SIGCONT)
        desk.hedged(20)
        eventually(lambda: len(stored(desk)) == 4, "both are over")
        assert sorted((alert.level, alert.code) for alert in stored(desk)) == [
            ("error", "SIDE_SILENT"),
            ("error", "UNHEDGED_TOO_LONG"),
            ("info", "SIDE_SILENT"),
            ("info", "UNHEDGED_TOO_LONG"),
        ]
        assert len(desk.log("monitor", "PAUSE_ASKED", after=mark)) == 1
    finally:
        alone.stop(signal.SIGTERM)


def paused(desk: Desk) -> "tuple[int, dict[str, Any]] | None":
    code, view = desk.status()
    return (code, view) if view["pause"] else None

"""The supervisor with small real children: who is restarted, who is not, and who is stopped first."""

import asyncio
import os
import signal
import sys
import textwrap
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.ops.logs import open_logs
from lighter_hedge.ops.pids import pid_file, running
from lighter_hedge.ops.ready import await_ready
from lighter_hedge.ops.supervisor import (
    Child,
    ChildEvent,
    Supervisor,
    desk_children,
    log_event,
    reports_to,
    start_detached,
)

CHILD = """\
import os, signal, sys, time
side, folder, plan = sys.argv[1], sys.argv[2], sys.argv[3]
starts = os.path.join(folder, "starts_" + side)
with open(starts, "a") as file:
    file.write(" ".join(sys.argv[4:]) + ".\\n")

def stop(*_):
    with open(os.path.join(folder, "stops"), "a") as file:
        file.write(side + "\\n")
    sys.exit(0)

if plan != "deaf":
    signal.signal(signal.SIGTERM, stop)
else:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if plan.startswith("fail"):
    print("the cause of " + side, file=sys.stderr)
    sys.exit(int(plan[4:]))
if plan.startswith("then"):
    signal.signal(signal.SIGUSR1, lambda *_: os._exit(int(plan[4:])))
os.write(int(os.environ["LIGHTER_HEDGE_READY_FD"]), b"ready\\n")
while True:
    signal.pause()
"""


class Desk:
    """A supervisor over fake children, with what it reported."""

    def __init__(self, folder: Path, grace_seconds: float = 20.0, **plans: str) -> None:
        script = folder / "lighter-hedge"
        script.write_text(textwrap.dedent(CHILD))
        self.folder = folder
        self.events: list[ChildEvent] = []
        self.changed = asyncio.Event()
        children = [
            Child(
                side=side,
                argv=(sys.executable, str(script), side, str(folder), plan),
                first_extra=("first",),
                optional=side == "monitor",
            )
            for side, plan in plans.items()
        ]
        self.supervisor = Supervisor(
            children,
            root=folder,
            run_dir=folder / "run",
            report=self.hear,
            env=os.environ,
            stderr_dir=folder / "logs",
            backoff_seconds=(0.0,),
            grace_seconds=grace_seconds,
        )

    def hear(self, event: ChildEvent) -> None:
        self.events.append(event)
        self.changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self.changed.clear()
            await self.changed.wait()

    def count(self, side: str, event: str) -> int:
        return sum(each.side == side and each.event == event for each in self.events)

    async def both_ready(self) -> None:
        await self.until(lambda: self.count("A", "ready") > 0 and self.count("B", "ready") > 0)

    def starts(self, side: str) -> list[str]:
        return (self.folder / f"starts_{side}").read_text().splitlines()

    def stops(self) -> list[str]:
        return (self.folder / "stops").read_text().splitlines()


async def running_desk(desk: Desk, story: Callable[[], object]) -> int:
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        task = group.create_task(desk.supervisor.run())
        outcome = story()
        assert asyncio.iscoroutine(outcome)
        await outcome
        return await task


def signal_child(folder: Path, side: str, number: int) -> None:
    os.kill(int(pid_file(folder, side).read_text()), number)


def test_both_start_and_a_is_stopped_before_b(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path, B="run", A="run")

        async def story() -> None:
            await desk.both_ready()
            assert set(running(tmp_path)) == {"A", "B"}  # this test's own process is not named after the project
            assert pid_file(tmp_path, "supervisor").read_text() == f"{os.getpid()}\n"
            desk.supervisor.ask_stop()

        assert await running_desk(desk, story) == 0
        assert desk.stops() == ["A", "B"]

    asyncio.run(main())
    assert not list(tmp_path.glob(".pid_*"))


def test_a_crash_is_restarted_without_the_arguments_of_the_first_start(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path, B="run", A="run")

        async def story() -> None:
            await desk.both_ready()
            signal_child(tmp_path, "A", signal.SIGKILL)
            await desk.until(lambda: desk.count("A", "ready") == 2)
            desk.supervisor.ask_stop()

        assert await running_desk(desk, story) == 0
        assert desk.starts("A") == ["first.", "."]
        assert desk.starts("B") == ["first."]

    asyncio.run(main())


@pytest.mark.parametrize(("plan", "number", "code"), [("run", signal.SIGTERM, 0), ("then8", signal.SIGUSR1, 8)])
def test_a_stopped_or_superseded_child_stays_down_while_the_other_runs_on(
    tmp_path: Path, plan: str, number: int, code: int
) -> None:
    async def main() -> None:
        desk = Desk(tmp_path, B=plan, A="run")

        async def story() -> None:
            await desk.both_ready()
            signal_child(tmp_path, "B", number)
            await desk.until(lambda: desk.count("B", "exited") == 1)
            assert desk.events[-1].code == code
            assert set(running(tmp_path)) == {"A"}
            desk.supervisor.ask_stop()

        assert await running_desk(desk, story) == code
        assert desk.count("B", "restarting") == 0

    asyncio.run(main())


def test_a_key_that_is_refused_at_a_restart_may_come_back(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path, B="then3", A="run")

        async def story() -> None:
            await desk.both_ready()
            signal_child(tmp_path, "B", signal.SIGUSR1)
            await desk.until(lambda: desk.count("B", "ready") == 2)
            desk.supervisor.ask_stop()

        assert await running_desk(desk, story) == 0
        assert desk.count("B", "restarting") == 1

    asyncio.run(main())


def test_a_start_that_fails_stops_the_other_and_passes_the_cause_on(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path, B="run", A="fail3")

        async def story() -> None:
            await desk.until(lambda: desk.count("A", "exited") == 1)

        assert await running_desk(desk, story) == 3
        (failed,) = [each for each in desk.events if each.side == "A"]
        assert (failed.code, failed.message) == (3, "the cause of A")
        assert len(desk.starts("A")) == 1

    asyncio.run(main())


def test_a_child_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path, grace_seconds=0.05, B="run", A="deaf")

        async def story() -> None:
            await desk.both_ready()
            desk.supervisor.ask_stop()

        assert await running_desk(desk, story) == 0
        assert [each.code for each in desk.events if each.side == "A" and each.event == "exited"] == [-9]
        assert desk.stops() == ["B"]

    asyncio.run(main())


@pytest.mark.parametrize("plan", ["fail1", "fail3", "run"])
def test_a_desk_starts_runs_and_stops_whatever_becomes_of_its_monitor(tmp_path: Path, plan: str) -> None:
    async def main() -> None:
        desk = Desk(tmp_path, monitor=plan, B="run", A="run")

        async def story() -> None:
            await desk.both_ready()
            if plan == "run":
                await desk.until(lambda: desk.count("monitor", "ready") == 1)
                signal_child(tmp_path, "monitor", signal.SIGKILL)
                await desk.until(lambda: desk.count("monitor", "ready") == 2)
            elif plan == "fail1":
                await desk.until(lambda: desk.count("monitor", "exited") >= 3)
            else:
                await desk.until(lambda: desk.count("monitor", "exited") == 1)
            assert set(running(tmp_path)) == {"A", "B"}
            desk.supervisor.ask_stop()

        assert await running_desk(desk, story) == 0
        assert desk.stops() == (["A", "B", "monitor"] if plan == "run" else ["A", "B"])
        assert len(desk.starts("A")) == len(desk.starts("B")) == 1
        restarts = desk.count("monitor", "restarting")
        assert restarts >= 1 if plan != "fail3" else restarts == 0, "a code that no restart mends"

    asyncio.run(main())


def test_a_monitor_that_is_stopped_stays_stopped_and_one_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path, grace_seconds=0.2, monitor="deaf", B="run", A="run")

        async def story() -> None:
            await desk.both_ready()
            await desk.until(lambda: desk.count("monitor", "ready") == 1)
            desk.supervisor.ask_stop()

        assert await running_desk(desk, story) == 0
        assert [each.code for each in desk.events if each.side == "monitor" and each.event == "exited"] == [-9]

    asyncio.run(main())


def test_a_desk_whose_sides_have_ended_does_not_stay_for_its_monitor(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path, monitor="run", B="then8", A="then8")

        async def story() -> None:
            await desk.both_ready()
            await desk.until(lambda: desk.count("monitor", "ready") == 1)
            signal_child(tmp_path, "A", signal.SIGUSR1)
            signal_child(tmp_path, "B", signal.SIGUSR1)

        assert await running_desk(desk, story) == 8
        assert desk.stops() == ["monitor"]

    asyncio.run(main())


def test_a_monitor_that_a_killed_supervisor_has_left_is_ended_first(tmp_path: Path) -> None:
    async def main() -> None:
        left = Desk(tmp_path, monitor="run", B="run", A="run")
        child = left.supervisor._kept[0].child
        read, write = os.pipe()
        process = await asyncio.create_subprocess_exec(
            *child.argv, env={**os.environ, "LIGHTER_HEDGE_READY_FD": str(write)}, pass_fds=(write,)
        )
        os.close(write)
        assert await await_ready(read)
        pid_file(tmp_path, "monitor").write_text(f"{process.pid}\n")
        desk = Desk(tmp_path, monitor="run", B="run", A="run")

        async def story() -> None:
            assert await process.wait() == 0
            await desk.both_ready()
            desk.supervisor.ask_stop()

        assert await running_desk(desk, story) == 0

    asyncio.run(main())


def test_events_go_to_every_report_and_to_the_log(tmp_path: Path) -> None:
    heard: list[ChildEvent] = []
    event = ChildEvent(side="A", event="exited", code=-9, message="last words")
    logs = open_logs(tmp_path / "supervisor.log")
    reports_to(heard.append, log_event, heard.append)(event)
    log_event(ChildEvent(side="B", event="restarting", message="in 1 s"))
    logs.close()
    assert heard == [event, event]
    first, second = (tmp_path / "supervisor.log").read_text().splitlines()
    assert first.endswith("error   CHILD_EXITED A exited with exit code -9: last words")
    assert second.endswith("info    CHILD_RESTARTING B restarting: in 1 s")


def test_what_runs_beside_the_desk_is_last_to_stop_and_gets_no_argument_of_a_person() -> None:
    monitor, web, b, a = desk_children(["--config", "c.yaml"], ["--started-by-person"], beside=["monitor", "web"])
    assert [monitor.side, web.side, b.side, a.side] == ["monitor", "web", "B", "A"]
    assert (monitor.optional, web.optional, a.optional, b.optional) == (True, True, False, False)
    assert (monitor.first_extra, web.first_extra, a.first_extra) == ((), (), ("--started-by-person",))
    assert monitor.argv[-4:] == ("run", "monitor", "--config", "c.yaml")
    assert [child.side for child in desk_children([], beside=["monitor"])] == ["monitor", "B", "A"]


def test_a_second_supervisor_is_refused_with_the_pids(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path, B="run", A="run")

        async def story() -> None:
            await desk.both_ready()
            pid = pid_file(tmp_path, "A").read_text().strip()
            with pytest.raises(OpsError, match=f"A pid {pid}") as refused:
                await Desk(tmp_path, B="run", A="run").supervisor.run()
            assert refused.value.code is ExitCode.REFUSED
            desk.supervisor.ask_stop()

        assert await running_desk(desk, story) == 0

    asyncio.run(main())


def test_a_command_that_does_not_exist_is_a_failed_start(tmp_path: Path) -> None:
    async def main() -> None:
        desk = Desk(tmp_path, B="run")
        child = Child(side="A", argv=("/nonexistent/lighter",))
        desk.supervisor = Supervisor(
            [child], root=tmp_path, run_dir=tmp_path / "run", report=desk.hear, env={}, stderr_dir=tmp_path
        )
        assert await desk.supervisor.run() == 127
        assert "cannot start /nonexistent/lighter" in desk.events[0].message

    asyncio.run(main())


DETACHED = """\
import os, sys
descriptor = int(sys.argv[sys.argv.index("--report-fd") + 1])
for line in sys.argv[1].split("|"):
    os.write(descriptor, line.encode() + b"\\n")
print("last words", file=sys.stderr)
sys.exit(int(sys.argv[2]))
"""


def detached(folder: Path, lines: str, code: int) -> None:
    script = folder / "lighter_fake.py"
    script.write_text(DETACHED)
    argv = [sys.executable, str(script), lines, str(code)]
    start_detached(argv, log_file=folder / "logs" / "s.log", timeout_seconds=20, sides=("A", "B"))


READY = '{"side": "%s", "event": "ready", "code": null, "message": ""}'


def test_a_failed_side_is_reported_with_its_code_and_words(tmp_path: Path) -> None:
    failed = '{"side": "B", "event": "exited", "code": 1, "message": "no Redis at x"}'
    with pytest.raises(OpsError, match="no Redis at x") as caught:
        detached(tmp_path, f"{READY % 'A'}|{failed}", 1)
    assert caught.value.code is ExitCode.FAILED


def test_a_supervisor_that_dies_silently_is_reported_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="last words") as caught:
        detached(tmp_path, READY % "A", 7)
    assert caught.value.code is ExitCode.REFUSED


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_becomes_of_the_monitor_is_nobodys_cause(tmp_path: Path) -> None:
    failed = '{"side": "monitor", "event": "exited", "code": 1, "message": "no disk"}'
    detached(tmp_path, f"{READY % 'monitor'}|{failed}|{READY % 'A'}|{READY % 'B'}", 0)


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_ready_is_when_both_sides_are(tmp_path: Path) -> None:
    detached(tmp_path, f"{READY % 'A'}|{READY % 'B'}", 0)


def runs(script: Path) -> bool:
    """Whether a process on this machine executes the script."""
    commands = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            commands.append(entry.read_bytes().split(b"\0"))
    return any(str(script).encode() in command for command in commands)


def test_what_is_not_ready_in_time_is_stopped_again(tmp_path: Path) -> None:
    script = tmp_path / "never_ready.py"
    script.write_text("import signal\nsignal.pause()\n")
    with pytest.raises(OpsError, match="not ready within") as late:
        start_detached(
            [sys.executable, str(script)], log_file=tmp_path / "s.log", timeout_seconds=0.05, sides=("A", "B")
        )
    assert late.value.code is ExitCode.TIMED_OUT
    assert not runs(script)

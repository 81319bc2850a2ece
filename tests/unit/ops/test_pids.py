"""The lock, the pid files, and that a foreign process is never touched."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from lighter_hedge.ops import pids
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.ops.pids import (
    already_running,
    desk_lock,
    ended_here,
    forget_pid,
    is_ours,
    pid_file,
    running,
    stop_desk,
    write_pid,
)


def test_a_pid_of_another_program_is_not_ours(tmp_path: Path) -> None:
    write_pid(tmp_path, "A", 1)
    write_pid(tmp_path, "B", 2**40)
    (tmp_path / ".pid_supervisor").write_text("nonsense")
    assert running(tmp_path) == {}
    assert asyncio.run(stop_desk(tmp_path, timeout_seconds=1)) == {}
    forget_pid(tmp_path, "A")
    forget_pid(tmp_path, "A")


def test_the_dead_are_not_ours() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    assert not is_ours(child)


def test_a_side_without_a_living_process_in_its_journals_lock_has_ended(tmp_path: Path) -> None:
    assert ended_here(tmp_path) == set()
    (tmp_path / "journal_A.sqlite.lock").write_text("")
    (tmp_path / "journal_B.sqlite.lock").write_text("1\n")
    assert ended_here(tmp_path) == {"A", "B"}


def test_the_lock_is_held_once_and_freed(tmp_path: Path) -> None:
    with desk_lock(tmp_path, tmp_path / "run"):
        with pytest.raises(OpsError, match="already running") as refused, desk_lock(tmp_path, tmp_path / "run"):
            pass
        assert refused.value.code is ExitCode.REFUSED
    with desk_lock(tmp_path, tmp_path / "run"):
        pass


def test_half_a_desk_is_named_and_the_way_out_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pids, "is_ours", lambda _: True)
    write_pid(tmp_path, "supervisor", 11)
    write_pid(tmp_path, "B", 12)
    refused = already_running(tmp_path)
    assert refused.message == "A does not run, but the rest does (supervisor pid 11, B pid 12)"
    assert refused.remedy == "to start anew: lighter-hedge down, then lighter-hedge up"
    write_pid(tmp_path, "A", 13)
    assert "already running (supervisor pid 11, A pid 13, B pid 12)" in already_running(tmp_path).message


def test_a_monitor_alone_is_no_running_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pids, "is_ours", lambda _: True)
    write_pid(tmp_path, "monitor", 11)
    assert running(tmp_path) == {}
    assert running(tmp_path, ("monitor",)) == {"monitor": 11}
    with desk_lock(tmp_path, tmp_path / "run"):
        pass


@pytest.mark.parametrize("deaf", [False, True])
def test_a_monitor_that_is_left_ends_with_the_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deaf: bool) -> None:
    monkeypatch.setattr(pids, "BESIDE_SECONDS", 0.1 if deaf else 5.0)
    sent: list[int] = []
    alive = {11}

    def kill(pid: int, number: int) -> None:
        sent.append(number)
        if number == signal.SIGKILL or not deaf:
            alive.discard(pid)

    monkeypatch.setattr(pids, "is_ours", lambda pid: pid in alive)
    monkeypatch.setattr(os, "kill", kill)
    write_pid(tmp_path, "monitor", 11)
    assert asyncio.run(stop_desk(tmp_path, timeout_seconds=1)) == {}
    assert sent == ([signal.SIGTERM, signal.SIGKILL] if deaf else [signal.SIGTERM])
    assert not pid_file(tmp_path, "monitor").exists()

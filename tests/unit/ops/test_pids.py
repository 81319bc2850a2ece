"""The lock, the pid files, and that a foreign process is never touched."""

import asyncio
import os
from pathlib import Path

import pytest

from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.ops.pids import desk_lock, ended_here, forget_pid, is_ours, running, stop_desk, write_pid


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

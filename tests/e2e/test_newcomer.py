"""The path that the README shows a newcomer, from an empty folder."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.e2e.desk import COMMAND, environment, eventually

from lighter_hedge.ops.pids import running
from lighter_hedge.ops.redis_server import RedisNotFound, find_program

NAMES = ("supervisor", "A", "B", "monitor", "web", "paper", "redis")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An empty folder; nothing that was started in it is left."""
    try:
        find_program()
    except RedisNotFound as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    yield tmp_path
    for name in NAMES:
        with suppress(OSError, ValueError):
            os.kill(int((tmp_path / f".pid_{name}").read_text()), signal.SIGKILL)


def test_from_an_empty_folder_to_a_flat_desk(folder: Path) -> None:
    def run(*arguments: str, code: int = 0) -> str:
        command = [*COMMAND, *arguments]
        done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    assert "lighter-hedge doctor && lighter-hedge up" in run("init", "--defaults")
    with (folder / "config.yaml").open("a") as config:
        config.write("web: {port: 0}\n")
    assert "0 failed" in run("doctor")
    assert "page: http://127.0.0.1:" in run("up")
    assert "running" in run("status")
    assert run("web").startswith("http://127.0.0.1:")
    run("pause")
    run("resume")
    assert "flat" in run("clear", "--yes")
    assert "flat" in run("down")
    eventually(lambda: not running(folder, NAMES), "everything has ended")
    assert not (folder / ".pid_redis").exists()
    run("status", code=4)

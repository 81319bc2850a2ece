"""Readiness is said once, and to nobody where nobody waits."""

import asyncio
import os
import socket
from pathlib import Path

from lighter_hedge.ops.ready import READY_FD, keep_watchdog, say_ready


def test_the_word_goes_through_the_pipe() -> None:
    read, write = os.pipe()
    say_ready({READY_FD: str(write)})
    assert os.read(read, 100) == b"ready\n"
    assert os.read(read, 100) == b""
    os.close(read)


def test_nobody_waits() -> None:
    say_ready({})
    read, write = os.pipe()
    os.close(read)
    os.close(write)
    say_ready({READY_FD: str(write)})


def test_systemd_hears_that_it_is_ready(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        say_ready({"NOTIFY_SOCKET": str(tmp_path / "notify")})
        assert heard.recv(100) == b"READY=1"
    say_ready({"NOTIFY_SOCKET": str(tmp_path / "nobody")})


def test_the_watchdog_is_told_again_and_again(tmp_path: Path) -> None:
    async def main(env: dict[str, str]) -> None:
        async with asyncio.TaskGroup() as group:
            keeping = group.create_task(keep_watchdog(env))
            words = [await asyncio.get_running_loop().sock_recv(heard, 100) for _ in range(3)]
            assert words == [b"WATCHDOG=1"] * 3
            keeping.cancel()

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind("\0" + str(tmp_path / "notify"))
        heard.setblocking(False)
        asyncio.run(main({"NOTIFY_SOCKET": f"@{tmp_path / 'notify'}", "WATCHDOG_USEC": "2000"}))


def test_without_a_watchdog_it_ends_at_once() -> None:
    asyncio.run(keep_watchdog({}))
    asyncio.run(keep_watchdog({"WATCHDOG_USEC": "2000", "WATCHDOG_PID": "1"}))

"""The paper exchange and the Redis of a desk that rehearses (``paper.managed``): started by ``up``, ended by ``down``.

Both keep what they know beside the desk, so that a desk that goes on tomorrow finds its positions and its states.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from lighter_hedge.config import Settings
from lighter_hedge.ops import pids
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.ops.ready import READY_FD, await_ready
from lighter_hedge.ops.redis_server import RedisNotFound, RedisUnreachable, find_program, probe
from lighter_hedge.ops.supervisor import tail

PAPER, REDIS = "paper", "redis"
READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.05


def paper_arguments(root: Path, port: int) -> list[str]:
    """The paper exchange of the desk in ``root``: it keeps itself there, accounts and keys too."""
    folder = root / "run" / "paper"
    arguments = ["paper", "--port", str(port), "--tier", "premium", "--state", str(folder)]
    return [*arguments, "--credentials", str(folder / "credentials.json")]


async def start_paper(root: Path, port: int) -> None:
    """Start the paper exchange unless it runs, and wait until it answers.

    Raises:
        OpsError: it did not start; with its last words.
    """
    if pids.running(root, (PAPER,)):
        return
    (root / "run" / "paper").mkdir(parents=True, exist_ok=True)
    log = _log(root, PAPER)
    read, write = os.pipe()
    command = (sys.executable, "-m", "lighter_hedge.cli.main", *paper_arguments(root, port))
    process = _detached(command, log, {READY_FD: str(write)}, (write,))
    os.close(write)
    try:
        async with asyncio.timeout(READY_SECONDS):
            ready = await await_ready(read)
    except TimeoutError:
        ready = False
    if not ready:
        process.kill()
        process.wait()
        raise OpsError(ExitCode.FAILED, f"the paper exchange did not start: {tail(log)}", f"read {log}")
    pids.write_pid(root, PAPER, process.pid)


async def start_redis(root: Path, url: str) -> None:
    """Start a Redis at ``url`` unless one answers there.

    Raises:
        OpsError: there is none to start, or it does not answer.
    """
    if await _answers(url):
        return
    try:
        program = find_program()
    except RedisNotFound as error:
        raise OpsError(ExitCode.FAILED, str(error)) from None
    folder, log = root / "run" / "redis", _log(root, REDIS)
    folder.mkdir(parents=True, exist_ok=True)
    options = ["--port", str(urlsplit(url).port), "--bind", "127.0.0.1", "--dir", str(folder)]
    process = _detached((str(program.path), *options, "--save", "", "--appendonly", "yes"), log, {}, ())
    pids.write_pid(root, REDIS, process.pid)
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not await _answers(url):
                if process.poll() is not None:
                    raise OpsError(ExitCode.FAILED, f"Redis did not start: {tail(log)}", f"read {log}")
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise OpsError(ExitCode.FAILED, f"Redis did not answer at {url}: {tail(log)}", f"read {log}") from None


async def start_services(settings: Settings) -> None:
    """What a rehearsal wants beside the desk."""
    await start_redis(settings.root, settings.redis.url)
    port = urlsplit(settings.venue.base_url).port
    assert port is not None, "checked with the configuration"
    await start_paper(settings.root, port)


async def stop_services(root: Path) -> None:
    """End what ``start_services`` has started here, the exchange first."""
    for name in (PAPER, REDIS):
        try:
            pid = int(pids.pid_file(root, name).read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
        if _is(pid, name):
            os.kill(pid, signal.SIGTERM)
            for _ in range(round(STOP_SECONDS / POLL_SECONDS)):
                if not _is(pid, name):
                    break
                await asyncio.sleep(POLL_SECONDS)
            else:
                os.kill(pid, signal.SIGKILL)
        pids.forget_pid(root, name)


def _is(pid: int, name: str) -> bool:
    """Whether ``pid`` still is that program and no other that was given its number."""
    if name == PAPER:
        return pids.is_ours(pid)
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"redis-server" in command


async def _answers(url: str) -> bool:
    try:
        await probe(url)
    except RedisUnreachable:
        return False
    return True


def _log(root: Path, name: str) -> Path:
    (root / "logs").mkdir(parents=True, exist_ok=True)
    return root / "logs" / f"{name}.log"


def _detached(
    command: Sequence[str], log: Path, env: dict[str, str], descriptors: tuple[int, ...]
) -> "subprocess.Popen[bytes]":
    with log.open("ab") as out:
        return subprocess.Popen(  # noqa: S603 - our own program, or the server that was found
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            pass_fds=descriptors,
            env={**os.environ, **env},
            start_new_session=True,
        )

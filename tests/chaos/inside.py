"""What chaos changes inside the desk's own processes, without a hook in the product.

Loaded by ``site/sitecustomize.py``. Three things, each by replacing a name of the running program:

- **Addresses.** A connection to the exchange or to Redis goes to a proxy of this process's own.
- **Effects.** The ports that the driver uses are wrapped: at the n-th time that a named effect is reached, the process
  kills or stops itself, with nothing after it. The harness asks for it through a file, at any time.
- **Warm starts.** The supervisor has everything imported already and forks its children: real processes, with their
  own journals, sockets and signing library, 2.5 CPU seconds cheaper. ``CHAOS_COLD=1`` leaves the plain start.

The supervisor's waits stay at their first step (1 s): chaos kills more often than a backoff is made for.
"""

import asyncio
import gc
import importlib
import inspect
import json
import os
import pkgutil
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

PROGRAM = "lighter_hedge.cli.main"
OTHERS = "M"
"""Proxies of every process that is neither A nor B."""
POLL_SECONDS = 0.01

WATCHED = {
    "LighterVenue": ("venue", ("sign", "send", "read_nonce", "read_tx", "read_orders", "read_account")),
    "RedisMessaging": ("messaging", ("open", "append_state", "publish")),
    "Journal": ("journal", ("commit_candidate", "commit_all", "alert")),
}
"""Class of a port, its word, and its effects."""
MOMENTS = ("before", "during", "after")
POINTS = tuple(
    f"{word}.{effect}.{moment}"
    for word, effects in WATCHED.values()
    for effect in effects
    for moment in MOMENTS
    if not (word == "journal" and moment == "during")
)
"""Every place at which a process can be told to end."""


def folder() -> Path:
    """Where harness and processes meet."""
    return Path(os.environ["CHAOS_FOLDER"])


def name_of(argv: Sequence[str]) -> str:
    """``supervise``, ``A``, ``B``, or the word of another command; empty where it is no process of a desk."""
    words = list(argv[argv.index(PROGRAM) + 1 :]) if PROGRAM in argv else []
    if words[:1] == ["run"]:
        words = words[1:]
    return words[0] if words else ""


def install() -> None:
    """Change this process, if it is the supervisor or one of its children."""
    name = name_of(sys.orig_argv)
    if name == "supervise":
        _change_supervisor(warm=os.environ.get("CHAOS_COLD") != "1")
    elif name in ("A", "B", "monitor"):
        become(name)


def become(name: str) -> None:
    """This process is a side: give it its proxies and its effects."""
    ports: dict[str, dict[str, int]] = json.loads((folder() / "ports.json").read_text())
    _reroute({int(port): proxy for port, proxy in ports.get(name, ports[OTHERS]).items()})
    if name in ("A", "B"):
        _watch_effects(Effects(folder(), name))


def _reroute(proxies: Mapping[int, int]) -> None:
    plain = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[1] in proxies:
            address = (address[0], proxies[address[1]], *address[2:])
        plain(self, address)

    socket.socket.connect = connect  # type: ignore[method-assign, assignment]


# --- effects --------------------------------------------------------------------------------------------------------


class Effects:
    """Looks at every effect whether this process is to end here.

    The order stands in ``arm_<name>``: an id, the point, how often it must be reached, a signal, and for ``during``
    how many milliseconds after the beginning. Before the signal it becomes ``struck_<id>``, which holds the pid.
    """

    def __init__(self, directory: Path, name: str) -> None:
        self._file = directory / f"arm_{name}"
        self._directory = directory
        self._seen: dict[str, int] = {}

    def at(self, point: str) -> None:
        """End here, if so ordered."""
        strike = self.ordered(point)
        if strike is not None:
            strike[1]()

    def ordered(self, point: str) -> tuple[float, Callable[[], None]] | None:
        """After how many seconds to end, and how; None in nearly every case."""
        try:
            order, wanted, count, number, delay_ms = self._file.read_text().split()
        except (OSError, ValueError):
            return None
        if wanted != point:
            return None
        self._seen[order] = self._seen.get(order, 0) + 1
        if self._seen[order] < int(count):
            return None

        def strike() -> None:
            try:
                self._file.unlink()
                (self._directory / f"struck_{order}").write_text(str(os.getpid()))
            except OSError:
                return  # taken back, or the disk is full
            os.kill(os.getpid(), int(number))

        return int(delay_ms) / 1000, strike


class _Watched:
    """A port whose effects are looked at."""

    def __init__(self, port: Any, word: str, effects: Sequence[str], looked: Effects) -> None:
        self._port = port
        self._word = word
        self._effects = effects
        self._looked = looked

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._port, name)
        if name not in self._effects:
            return value
        point = f"{self._word}.{name}"
        return self._slow(point, value) if inspect.iscoroutinefunction(value) else self._quick(point, value)

    def _quick(self, point: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            self._looked.at(f"{point}.before")
            done = work(*args, **named)
            self._looked.at(f"{point}.after")
            return done

        return call

    def _slow(self, point: str, work: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **named: Any) -> Any:
            self._looked.at(f"{point}.before")
            strike = self._looked.ordered(f"{point}.during")
            if strike is not None:
                asyncio.get_running_loop().call_later(*strike)
            done = await work(*args, **named)
            self._looked.at(f"{point}.after")
            return done

        return call


def _watch_effects(looked: Effects) -> None:
    """Wrap the ports where a side gives them to its driver."""
    side = importlib.import_module("lighter_hedge.processes.side")
    plain = side.driver_of

    def watched(value: Any) -> Any:
        found = WATCHED.get(type(value).__name__)
        return value if found is None else _Watched(value, *found, looked)

    def driver_of(*args: Any, **named: Any) -> Any:
        return plain(*map(watched, args), **{name: watched(value) for name, value in named.items()})

    side.driver_of = driver_of  # type: ignore[attr-defined]


# --- the supervisor -------------------------------------------------------------------------------------------------


def _change_supervisor(*, warm: bool) -> None:
    supervisor = importlib.import_module("lighter_hedge.ops.supervisor")
    supervisor.HEALTHY_SECONDS = 0.0  # type: ignore[attr-defined]
    if not warm:
        return
    processes = importlib.import_module("lighter_hedge.processes")
    for module in pkgutil.iter_modules(processes.__path__):
        importlib.import_module(f"lighter_hedge.processes.{module.name}")
    for name in ("lighter.signer_client", "lighter_hedge.cli.desk", "lighter_hedge.config", "ruamel.yaml"):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    asyncio.create_subprocess_exec = _start_warm  # type: ignore[assignment]


class Forked:
    """A forked child, with what the supervisor uses of ``asyncio.subprocess.Process``."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    async def wait(self) -> int:
        while self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)  # noqa: ASYNC222 - it does not wait
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
            else:
                await asyncio.sleep(POLL_SECONDS)
        return self.returncode

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)


async def _start_warm(
    *argv: str, env: Mapping[str, str], pass_fds: Sequence[int], stderr: int | None, **_named: Any
) -> Forked:
    loop = asyncio.get_running_loop()
    made: asyncio.Future[int] = loop.create_future()
    # From a callback, not from within a task: the child begins without a current one.
    loop.call_soon(lambda: made.set_result(_fork(argv, env, pass_fds, stderr)))
    return Forked(await made)


def _fork(argv: Sequence[str], env: Mapping[str, str], pass_fds: Sequence[int], stderr: int | None) -> int:
    pid = os.fork()
    if pid == 0:
        _child(argv, env, pass_fds, stderr)
    return pid


def _child(argv: Sequence[str], env: Mapping[str, str], pass_fds: Sequence[int], stderr: int | None) -> NoReturn:
    """What a start would do after ``exec``; never returns into the supervisor's code."""
    code = 1
    try:
        gc.freeze()
        _forget_parent(pass_fds, stderr)
        os.environ.clear()
        os.environ.update(env)
        sys.orig_argv = list(argv)
        sys.argv = ["lighter-hedge", *argv[list(argv).index(PROGRAM) + 1 :]]
        become(name_of(argv))
        importlib.import_module(PROGRAM).main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter does at the end of a program
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _forget_parent(pass_fds: Sequence[int], stderr: int | None) -> None:
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    asyncio.set_event_loop(None)
    asyncio._set_running_loop(None)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    if stderr is not None:
        os.dup2(stderr, 2)
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > 2 and descriptor not in pass_fds:
            try:
                os.close(descriptor)
            except OSError:
                continue  # the listing's own

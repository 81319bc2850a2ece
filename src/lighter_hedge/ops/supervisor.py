"""Keeps A, B and what runs beside them alive: starts all, restarts crashes, stops A before B, and the rest last.

A child says ``ready`` once over a pipe whose descriptor stands in ``LIGHTER_HEDGE_READY_FD``. Until every child has
said so, the first one that ends takes the whole desk down again with its exit code. After that only crashes are
restarted: a child that ends by itself with a code that a restart cannot mend, or that somebody else has told to stop,
stays ended. What runs beside A and B is *optional*: the desk neither waits for it nor ends with it, and it is restarted
whatever happened before it was ready.
"""

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lighter_hedge.ops.exit_codes import NOT_RESTARTED, ExitCode, OpsError
from lighter_hedge.ops.logs import redacted, say
from lighter_hedge.ops.pids import (
    BESIDE_SECONDS,
    MONITOR,
    NOTIFY,
    SUPERVISOR,
    WEB,
    desk_lock,
    end_beside,
    forget_pid,
    write_pid,
)
from lighter_hedge.ops.ready import READY_FD, await_ready

if TYPE_CHECKING:
    from lighter_hedge.config import Settings

BACKOFF_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
HEALTHY_SECONDS = 60.0
"""A child that has run this long starts again at the first step of the backoff."""
GRACE_SECONDS = 60.0
"""How long a child may take to finish after SIGTERM before it is killed."""
TAIL_LINES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One process to keep running."""

    side: str
    """``A``, ``B``, ``monitor`` or ``web``."""
    argv: tuple[str, ...]
    first_extra: tuple[str, ...] = ()
    """Arguments of the first start alone: a restart is no start by a person."""
    optional: bool = False
    """The desk does not depend on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildEvent:
    """What became of a child."""

    side: str
    event: str
    """``ready``, ``exited`` or ``restarting``."""
    code: int | None = None
    """Exit code; negative where a signal ended it."""
    message: str = ""
    """The last lines that it wrote to stderr."""

    def line(self) -> str:
        """One line of JSON."""
        body = {"side": self.side, "event": self.event, "code": self.code, "message": self.message}
        return json.dumps(body) + "\n"


Report = Callable[[ChildEvent], None]


@dataclass(slots=True, kw_only=True)
class _Kept:
    """A child and where it stands."""

    child: Child
    process: asyncio.subprocess.Process | None = None
    ready: bool = False
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """Keeps a list of children running; the list is in start order and is stopped from its end."""

    def __init__(
        self,
        children: Sequence[Child],
        *,
        root: Path,
        run_dir: Path,
        report: Report,
        env: Mapping[str, str],
        stderr_dir: Path | None = None,
        backoff_seconds: Sequence[float] = BACKOFF_SECONDS,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        """Prepare.

        Args:
            children: what runs beside the desk, then B, then A.
            root: folder of the pid files.
            run_dir: folder of the lock.
            report: called with everything that happens to a child.
            env: environment of the children.
            stderr_dir: folder for the children's stderr; None lets them write to this process's own.
            backoff_seconds: waits before the first, second … restart; the last one repeats.
            grace_seconds: from SIGTERM to SIGKILL.
        """
        self._kept = [_Kept(child=child) for child in children]
        self._root = root
        self._run_dir = run_dir
        self._report = report
        self._env = dict(env)
        self._stderr_dir = stderr_dir
        self._backoff = tuple(backoff_seconds)
        self._grace = grace_seconds
        self._stop = asyncio.Event()
        self._code = 0

    def ask_stop(self) -> None:
        """Stop all children in order, then return from ``run``."""
        self._stop.set()

    async def run(self) -> int:
        """Run until told to stop or until no child is left.

        Returns:
            0, or the exit code of the child that ended the desk.

        Raises:
            OpsError: the desk is already running.
        """
        with desk_lock(self._root, self._run_dir):
            write_pid(self._root, SUPERVISOR, os.getpid())
            try:
                await end_beside(self._root)  # of a supervisor that was killed
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._wind_down())
                    for kept in self._kept:
                        group.create_task(self._keep(kept, group))
            finally:
                forget_pid(self._root, SUPERVISOR)
        return self._code

    async def _keep(self, kept: _Kept, group: asyncio.TaskGroup) -> None:
        """Start the child, and again after each crash."""
        extra, failures = kept.child.first_extra, 0
        while not kept.stopping.is_set():
            began = time.monotonic()
            code, message = await self._run_once(kept, extra, group)
            self._report(ChildEvent(side=kept.child.side, event="exited", code=code, message=message))
            if kept.stopping.is_set() or not self._to_be_restarted(kept.child, code):
                break
            failures = 0 if time.monotonic() - began > HEALTHY_SECONDS else failures
            delay = self._backoff[min(failures, len(self._backoff) - 1)]
            extra, failures = (), failures + 1
            self._report(ChildEvent(side=kept.child.side, event="restarting", message=f"in {delay:g} s"))
            await _wait(kept.stopping, delay)
        kept.done.set()
        if all(other.done.is_set() for other in self._needed):
            self._stop.set()

    @property
    def _needed(self) -> list[_Kept]:
        """What the desk consists of."""
        return [kept for kept in self._kept if not kept.child.optional]

    def _to_be_restarted(self, child: Child, code: int) -> bool:
        """Whether this end was a crash; a failed start takes the desk down.

        A desk that has run was configured rightly: a key that the venue refuses at a restart may come back, and the
        other side waits for this one.
        """
        if child.optional:
            return code not in NOT_RESTARTED and code != -signal.SIGTERM
        ended = code in NOT_RESTARTED - {ExitCode.CONFIGURATION} or code == -signal.SIGTERM
        if not all(kept.ready for kept in self._needed):
            self._code = self._code or (code if code > 0 else ExitCode.FAILED)
            self._stop.set()
            return False
        if ended:
            self._code = self._code or max(code, 0)
        return not ended

    async def _run_once(self, kept: _Kept, extra: Sequence[str], group: asyncio.TaskGroup) -> tuple[int, str]:
        child = kept.child
        ready_read, ready_write = os.pipe()
        stderr, offset = self._stderr(child.side)
        try:
            process = await asyncio.create_subprocess_exec(
                *child.argv,
                *extra,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                pass_fds=(ready_write,),
                env=self._env | {READY_FD: str(ready_write)},
                start_new_session=True,
            )
        except OSError as error:
            os.close(ready_read)
            return 127, f"cannot start {child.argv[0]}: {error.strerror}"
        finally:
            os.close(ready_write)
            if stderr is not None:
                os.close(stderr)
        kept.process = process
        write_pid(self._root, child.side, process.pid)
        if kept.stopping.is_set():
            process.terminate()
        group.create_task(self._await_ready(kept, ready_read))
        try:
            code = await process.wait()
        finally:
            kept.process = None
            forget_pid(self._root, child.side)
            if process.returncode is None:
                process.terminate()
        return code, self._tail(child.side, offset)

    async def _await_ready(self, kept: _Kept, descriptor: int) -> None:
        """Wait for the child's word, or for its end."""
        if await await_ready(descriptor):
            kept.ready = True
            self._report(ChildEvent(side=kept.child.side, event="ready"))

    async def _wind_down(self) -> None:
        """When told to: stop the children from the end of the list, each after the one before it has finished."""
        await self._stop.wait()
        for kept in reversed(self._kept):
            kept.stopping.set()
            if kept.process is not None:
                kept.process.terminate()
            grace = min(self._grace, BESIDE_SECONDS) if kept.child.optional else self._grace
            if not await _wait(kept.done, grace) and kept.process is not None:
                kept.process.kill()
            await kept.done.wait()

    def _stderr(self, side: str) -> tuple[int | None, int]:
        """A descriptor for the child's stderr, and where its lines begin."""
        if self._stderr_dir is None:
            return None, 0
        self._stderr_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._stderr_dir / f"stderr_{side}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return descriptor, os.fstat(descriptor).st_size

    def _tail(self, side: str, offset: int) -> str:
        if self._stderr_dir is None:
            return ""
        return tail(self._stderr_dir / f"stderr_{side}.log", offset)


async def _wait(event: asyncio.Event, seconds: float) -> bool:
    """Whether ``event`` came within ``seconds``."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


def tail(path: Path, offset: int = 0) -> str:
    """The last lines of a file after ``offset`` bytes, without secrets."""
    try:
        text = path.read_bytes()[offset:].decode("utf-8", errors="replace")
    except OSError:
        return ""
    return redacted("\n".join(text.strip().splitlines()[-TAIL_LINES:]))


async def supervise(supervisor: Supervisor) -> int:
    """Run ``supervisor`` in this process until SIGTERM, SIGINT or SIGHUP, or its own end."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, supervisor.ask_stop)
    try:
        return await supervisor.run()
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


def report_to(descriptor: int) -> Report:
    """A report that writes JSON lines to ``descriptor``; once nobody reads there it says nothing more."""
    os.set_inheritable(descriptor, False)
    listening = True

    def report(event: ChildEvent) -> None:
        nonlocal listening
        if not listening:
            return
        try:
            os.write(descriptor, event.line().encode())
        except OSError:
            listening = False

    return report


def reports_to(*reports: Report) -> Report:
    """Everything to each of them."""

    def report(event: ChildEvent) -> None:
        for each in reports:
            each(event)

    return report


def log_event(event: ChildEvent) -> None:
    """A report that writes to the log of this process."""
    level, text = "info", f"{event.side} {event.event}"
    if event.code is not None:
        level = "error" if event.code else "info"
        text += f" with exit code {event.code}"
    if event.message:
        text += f": {event.message}"
    say("lighter_hedge.supervisor", level, f"CHILD_{event.event.upper()}", text)


def desk_children(arguments: Sequence[str], first_extra: Sequence[str] = (), *, beside: Sequence[str]) -> list[Child]:
    """What runs beside the desk, B and A, as this program's own ``run`` command.

    Args:
        arguments: configuration and overrides, for each of them.
        first_extra: what goes to A and B at their first start.
        beside: what runs beside A and B, of ``pids.BESIDE``, in start order.
    """
    command = (sys.executable, "-m", "lighter_hedge.cli.main", "run")
    others = [Child(side=name, argv=(*command, name, *arguments), optional=True) for name in beside]
    sides = [Child(side=side, argv=(*command, side, *arguments), first_extra=tuple(first_extra)) for side in ("B", "A")]
    return [*others, *sides]


def beside_of(settings: "Settings") -> list[str]:
    """What the configuration wants beside A and B, in start order."""
    return [MONITOR, *([WEB] if settings.web.enabled else []), *([NOTIFY] if settings.alerts.wanted else [])]


def start_detached(argv: Sequence[str], *, log_file: Path, timeout_seconds: float, sides: Sequence[str]) -> None:
    """Start a supervisor that outlives this process, and wait until every side is ready.

    Args:
        argv: the supervisor's command; ``--report-fd N`` is added.
        log_file: its stdout and stderr.
        timeout_seconds: for all sides together.
        sides: for example ``A`` and ``B``.

    Raises:
        OpsError: a side has ended (with its exit code and last words), or not all were ready in time.
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    report_read, report_write = os.pipe()
    with log_file.open("ab") as log:
        offset = log.tell()
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*argv, "--report-fd", str(report_write)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(report_write,),
            start_new_session=True,
        )
    os.close(report_write)
    ready = False
    try:
        _await_sides(report_read, frozenset(sides), time.monotonic() + timeout_seconds)
        ready = True
    except TimeoutError:
        message = f"not ready within {timeout_seconds:g} s; stopped again"
        raise OpsError(ExitCode.TIMED_OUT, message, f"read {log_file.parent}") from None
    except _Ended as ended:
        code = process.wait()
        message = ended.message or tail(log_file, offset) or f"exit code {code}"
        raise OpsError(_exit_code(code), message.removeprefix("error: ")) from None
    finally:
        os.close(report_read)
        if not ready:  # also after a Ctrl-C: what was not reported as up is not left behind
            process.terminate()
            process.wait()


class _Ended(Exception):
    """The supervisor has closed its pipe before every side was ready."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


def _await_sides(descriptor: int, sides: frozenset[str], deadline: float) -> None:
    missing, buffer, cause = set(sides), b"", ""
    while missing:
        if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise TimeoutError
        chunk = os.read(descriptor, 65536)
        if not chunk:
            raise _Ended(cause)
        *lines, buffer = (buffer + chunk).split(b"\n")
        for line in lines:
            event: dict[str, Any] = json.loads(line)
            if event["side"] not in sides:
                continue
            if event["event"] == "ready":
                missing.discard(event["side"])
            elif event["event"] == "exited" and event["code"] != 0 and not cause:
                cause = event["message"] or f"{event['side']} ended with exit code {event['code']}"


def _exit_code(code: int) -> ExitCode:
    try:
        return ExitCode(code) if code else ExitCode.FAILED
    except ValueError:
        return ExitCode.FAILED

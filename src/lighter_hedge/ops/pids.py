"""Who runs a desk: its lock, its pid files, and how its processes are found and stopped."""

import asyncio
import fcntl
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lighter_hedge.ops.exit_codes import ExitCode, OpsError

SUPERVISOR = "supervisor"
STOP_ORDER = ("A", "B")
"""A first: it cancels what rests, while B still hedges."""
MONITOR = "monitor"
WEB = "web"
NOTIFY = "notify"
BESIDE = (NOTIFY, WEB, MONITOR)
"""What runs beside A and B, in the order in which it ends. A desk runs without it, so it is no reason to call a desk
running."""
BESIDE_SECONDS = 5.0
"""How long one of them may take to end before it is killed."""

POLL_SECONDS = 0.05
PROGRAMS = (b"lighter-hedge", b"hedge")
"""Names under which the command is installed."""


def pid_file(root: Path, name: str) -> Path:
    """The pid file of ``A``, ``B``, ``monitor``, ``web`` or ``supervisor`` beside the configuration file."""
    return root / f".pid_{name}"


def write_pid(root: Path, name: str, pid: int) -> None:
    """Remember a process."""
    pid_file(root, name).write_text(f"{pid}\n", encoding="ascii")


def forget_pid(root: Path, name: str) -> None:
    """Remove a pid file; it may be gone already."""
    pid_file(root, name).unlink(missing_ok=True)


def running(root: Path, names: Sequence[str] = (SUPERVISOR, "A", "B")) -> dict[str, int]:
    """The processes of this desk that are alive, by name. A pid that has become another program's does not count."""
    found: dict[str, int] = {}
    for name in names:
        try:
            pid = int(pid_file(root, name).read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
        if is_ours(pid):
            found[name] = pid
    return found


def is_ours(pid: int) -> bool:
    """Whether ``pid`` is alive and, where the system tells, one of our processes."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return False
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return not Path("/proc/self").exists()
    return _is_our_command(command.split(b"\0")) and stat.rpartition(") ")[2][:1] != "Z"


def _is_our_command(words: Sequence[bytes]) -> bool:
    """Our own program, not for example an editor with one of our files."""
    return b"lighter_hedge.cli.main" in words or any(os.path.basename(word) in PROGRAMS for word in words[:2])


def ended_here(run_dir: Path) -> set[str]:
    """The sides that have run on this machine and do not any more: nobody alive stands in their journal's lock."""
    ended: set[str] = set()
    for name in STOP_ORDER:
        try:
            text = (run_dir / f"journal_{name}.sqlite.lock").read_text(encoding="ascii")
        except (OSError, ValueError):
            continue
        if not (text.strip().isdecimal() and is_ours(int(text))):
            ended.add(name)
    return ended


@contextmanager
def desk_lock(root: Path, run_dir: Path) -> Iterator[None]:
    """Hold the desk's lock; the system frees it when the process ends, however it ends.

    Raises:
        OpsError: another supervisor holds it, or A or B still run without one; the message names the pids.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(run_dir / "supervisor.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise already_running(root) from None
        if running(root, STOP_ORDER):
            raise already_running(root)
        yield
    finally:
        os.close(descriptor)


def already_running(root: Path) -> OpsError:
    """The refusal of a second start."""
    found = running(root)
    named = ", ".join(f"{name} pid {pid}" for name, pid in found.items()) or "its lock is held"
    missing = [name for name in STOP_ORDER if name not in found]
    if found and missing:
        text = f"{' and '.join(missing)} {'does' if len(missing) == 1 else 'do'} not run, but the rest does ({named})"
        return OpsError(ExitCode.REFUSED, text, "to start anew: lighter-hedge down, then lighter-hedge up")
    return OpsError(ExitCode.REFUSED, f"this desk is already running ({named})", "stop it first: lighter-hedge down")


async def stop_desk(root: Path, *, timeout_seconds: float) -> dict[str, int]:
    """End the desk: through its supervisor, or A and then B where it has none; what is left beside them, last.

    Returns:
        What was running of the desk, by name; empty where nothing was, whatever became of what runs beside them.

    Raises:
        OpsError: something still runs after ``timeout_seconds``.
    """
    found = running(root)
    order = [name for name in (SUPERVISOR, *STOP_ORDER) if name in found]
    for name in order:
        if is_ours(found[name]):
            os.kill(found[name], signal.SIGTERM)
            await _gone(name, found[name], timeout_seconds)
    await end_beside(root)
    return found


async def end_beside(root: Path) -> None:
    """End what has no supervisor any more and no part in a hedge, by force if need be: it has nothing to lose."""
    for name, pid in running(root, BESIDE).items():
        os.kill(pid, signal.SIGTERM)
        try:
            await _gone(name, pid, BESIDE_SECONDS)
        except OpsError:
            os.kill(pid, signal.SIGKILL)
        forget_pid(root, name)


async def _gone(name: str, pid: int, timeout_seconds: float) -> None:
    try:
        async with asyncio.timeout(timeout_seconds):
            while is_ours(pid):  # noqa: ASYNC110 - another program's child: there is nothing to wait on but the pid
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise OpsError(
            ExitCode.TIMED_OUT,
            f"{name} (pid {pid}) still runs {timeout_seconds:g} s after it was told to stop",
            "read logs/, then try again",
        ) from None

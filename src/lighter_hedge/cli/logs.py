"""``logs``: the log files of this machine's processes, as one."""

import heapq
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from lighter_hedge.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    CredentialsOption,
    MarketOption,
    guarded,
    overrides_of,
    result,
    settings_of,
)
from lighter_hedge.ops.exit_codes import ExitCode, OpsError

FILES = {
    "A": "main_A.log",
    "B": "main_B.log",
    "monitor": "monitor.log",
    "web": "web.log",
    "supervisor": "supervisor.log",
}
POLL_SECONDS = 0.25


@guarded
def logs(
    who: Annotated[list[str] | None, typer.Argument(help="A, B, monitor, web or supervisor; none for all.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    credentials: CredentialsOption = None,
    market: MarketOption = None,
    last: Annotated[int, typer.Option("--last", "-n", min=0, help="Lines of the past.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
) -> None:
    """Print the newest lines of the logs on this machine, in the order of their times."""
    wanted = _names(who or [])
    settings = settings_of(config, credentials=credentials, overrides=overrides_of(market), quiet=True)
    paths = {name: settings.log_dir / FILES[name] for name in wanted}
    if not follow and not any(path.is_file() for path in paths.values()):
        raise OpsError(ExitCode.FAILED, f"no log in {settings.log_dir}", "has this desk been started here?")
    ends = {name: path.stat().st_size if path.is_file() else 0 for name, path in paths.items()}
    for line in newest(paths, last):
        result(line)
    try:
        while follow:
            time.sleep(POLL_SECONDS)
            for line in added(paths, ends):
                result(line)
    except KeyboardInterrupt:
        return


def _names(who: list[str]) -> list[str]:
    known = {name.lower(): name for name in FILES}
    for name in who:
        if name.lower() not in known:
            raise OpsError(ExitCode.USAGE, f"there is no log of {name}", f"use one of {', '.join(FILES)}")
    return [known[name.lower()] for name in who] or list(FILES)


def newest(paths: dict[str, Path], last: int) -> list[str]:
    """The last lines of all files together, by their times, each with its name in front where there are several."""
    streams = [
        _labelled(name, path.read_text(errors="replace"), paths) for name, path in paths.items() if path.is_file()
    ]
    return [line for _, line in deque(heapq.merge(*streams, key=lambda each: each[0]), maxlen=last)]


def added(paths: dict[str, Path], ends: dict[str, int]) -> Iterator[str]:
    """Whole lines that have come since ``ends``, which are moved on; a file that was rotated begins anew."""
    fresh: list[tuple[str, str]] = []
    for name, path in paths.items():
        if not path.is_file():
            continue
        if path.stat().st_size < ends[name]:
            ends[name] = 0
        with path.open("rb") as file:
            file.seek(ends[name])
            whole = file.read().rpartition(b"\n")
        ends[name] += len(whole[0]) + len(whole[1])
        fresh += _labelled(name, whole[0].decode(errors="replace"), paths)
    yield from (line for _, line in sorted(fresh, key=lambda each: each[0]))


def _labelled(name: str, text: str, paths: dict[str, Path]) -> Iterator[tuple[str, str]]:
    """(time, line) of each line; a line without a time, of a traceback, goes with the one before it."""
    label = f"{name:<10} " if len(paths) > 1 else ""
    at = ""
    for line in text.splitlines():
        at = line.split(" ", 1)[0] if line[:4].isdecimal() and line[4:5] == "-" else at
        yield at, f"{label}{line}"

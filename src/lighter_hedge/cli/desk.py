"""Starting and stopping a desk: ``up``, ``down``, and the hidden ``supervise`` and ``run``."""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lighter_hedge.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    CredentialsOption,
    DepthOption,
    DeskOption,
    DirectionOption,
    JsonOption,
    MarketOption,
    QuantityOption,
    ends_with,
    guarded,
    note,
    overrides_of,
    passed_on,
    result,
    result_json,
    settings_of,
)
from lighter_hedge.cli.watch import position_lines, positions_json
from lighter_hedge.ops.exit_codes import ExitCode, OpsError

if TYPE_CHECKING:
    from lighter_hedge.config import Settings
    from lighter_hedge.ops.health import Positions
    from lighter_hedge.ops.supervisor import ChildEvent

READY_SECONDS = 150.0
"""A start that must burn a nonce and wait out the read lag can take 90 seconds."""
STOP_SECONDS = 150.0

AdoptOption = Annotated[bool, typer.Option("--adopt", help="Take present positions as the new baseline.")]
ByPersonOption = Annotated[bool, typer.Option("--started-by-person", hidden=True)]


@guarded
def up(
    config: ConfigOption = DEFAULT_CONFIG,
    credentials: CredentialsOption = None,
    market: MarketOption = None,
    quantity: QuantityOption = None,
    depth: DepthOption = None,
    direction: DirectionOption = None,
    desk: DeskOption = None,
    adopt: AdoptOption = False,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay, and show what happens.")] = False,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds until both are ready.")] = READY_SECONDS,
) -> None:
    """Start A, B, the monitor and the page, and return when A and B are ready."""
    from lighter_hedge.domain.states import Role
    from lighter_hedge.ops import pids
    from lighter_hedge.ops.health import check_before_start
    from lighter_hedge.ops.page import page_address
    from lighter_hedge.ops.started import Started, remember
    from lighter_hedge.ops.supervisor import start_detached

    overrides = overrides_of(market, quantity, depth, direction)
    settings = settings_of(
        config, overrides=overrides, credentials=credentials, keys=tuple(Role), desk=desk, like_last_start=False
    )
    if pids.running(settings.root):
        raise pids.already_running(settings.root)
    if settings.paper.managed:
        from lighter_hedge.ops.rehearsal import start_services

        note("starting the paper exchange of this desk ...")
        asyncio.run(start_services(settings))
    asyncio.run(check_before_start(settings))
    remember(settings.run_dir, Started(credentials=credentials, overrides=overrides))
    arguments = passed_on(config, credentials, overrides)
    first = ["--started-by-person", *(["--adopt"] if adopt else [])]
    if foreground:
        ends_with(_supervise(settings, arguments, first, report_fd=None))
    note(f"starting desk {settings.desk_id} on {settings.venue.network} ...")
    command = [sys.executable, "-m", "lighter_hedge.cli.main", "supervise", *arguments, *first]
    log_file = settings.log_dir / "stderr_supervisor.log"
    start_detached(command, log_file=log_file, timeout_seconds=timeout, sides=pids.STOP_ORDER)
    found = pids.running(settings.root, (pids.SUPERVISOR, *pids.STOP_ORDER, *pids.BESIDE))
    named = ", ".join(f"{name} pid {pid}" for name, pid in found.items())
    result(f"desk {settings.desk_id} is up ({named}); logs in {settings.log_dir}")
    if settings.web.enabled:
        not_yet = "not there yet; lighter-hedge web names it, logs/web.log says why"
        result(f"page: {page_address(settings.run_dir) or not_yet}")


@guarded
def supervise(
    config: ConfigOption = DEFAULT_CONFIG,
    credentials: CredentialsOption = None,
    market: MarketOption = None,
    quantity: QuantityOption = None,
    depth: DepthOption = None,
    direction: DirectionOption = None,
    adopt: AdoptOption = False,
    started_by_person: ByPersonOption = False,
    report_fd: Annotated[int | None, typer.Option("--report-fd", hidden=True)] = None,
) -> None:
    """Keep A, B and the monitor running (what ``up`` starts)."""
    overrides = overrides_of(market, quantity, depth, direction)
    settings = settings_of(config, overrides=overrides, credentials=credentials, like_last_start=False)
    first = [*(["--started-by-person"] if started_by_person else []), *(["--adopt"] if adopt else [])]
    ends_with(_supervise(settings, passed_on(config, credentials, overrides), first, report_fd=report_fd))


def _supervise(settings: "Settings", arguments: list[str], first: list[str], *, report_fd: int | None) -> int:
    from lighter_hedge.ops.logs import open_logs
    from lighter_hedge.ops.supervisor import (
        Supervisor,
        beside_of,
        desk_children,
        log_event,
        report_to,
        reports_to,
        supervise,
    )

    logs = open_logs(settings.log_dir / "supervisor.log", level=settings.log.level)
    supervisor = Supervisor(
        desk_children(arguments, first, beside=beside_of(settings)),
        root=settings.root,
        run_dir=settings.run_dir,
        report=reports_to(log_event, _say if report_fd is None else report_to(report_fd)),
        env=os.environ,
        stderr_dir=None if report_fd is None else settings.log_dir,
    )
    try:
        return asyncio.run(supervise(supervisor))
    finally:
        logs.close()


def _say(event: "ChildEvent") -> None:
    code = "" if event.code is None else f" with exit code {event.code}"
    note(f"{event.side} {event.event}{code} {event.message}".rstrip())


@guarded
def run(
    side: Annotated[str, typer.Argument(help="A, B, monitor, web or notify.")],
    config: ConfigOption = DEFAULT_CONFIG,
    credentials: CredentialsOption = None,
    market: MarketOption = None,
    quantity: QuantityOption = None,
    depth: DepthOption = None,
    direction: DirectionOption = None,
    adopt: AdoptOption = False,
    started_by_person: ByPersonOption = False,
) -> None:
    """Run one side, the monitor or the page in this process (what the supervisor and service units start)."""
    from lighter_hedge.domain.states import Role
    from lighter_hedge.ops import pids

    overrides = overrides_of(market, quantity, depth, direction)
    if side.lower() in pids.BESIDE:
        _run_beside(side.lower(), config, credentials, overrides)
        return
    roles = {"A": Role.MAKER, "B": Role.HEDGER}
    if side.upper() not in roles:
        raise OpsError(ExitCode.USAGE, f"there is no side {side}", "run A, run B, run monitor, run web or run notify")
    role = roles[side.upper()]
    settings = settings_of(config, overrides=overrides, credentials=credentials, keys=(role,), like_last_start=False)
    from lighter_hedge.processes.side import run_side

    run_side(role, settings, by_person=started_by_person, adopt=adopt)


def _run_beside(name: str, config: Path, credentials: Path | None, overrides: dict[str, object]) -> None:
    settings = settings_of(config, overrides=overrides, credentials=credentials, like_last_start=False)
    if name == "web":
        from lighter_hedge.processes.web import run_web

        run_web(settings)
    elif name == "notify":
        from lighter_hedge.processes.notifier import run_notifier

        run_notifier(settings)
    else:
        from lighter_hedge.processes.monitor import run_monitor

        run_monitor(settings)


@guarded
def down(
    config: ConfigOption = DEFAULT_CONFIG,
    credentials: CredentialsOption = None,
    market: MarketOption = None,
    desk: DeskOption = None,
    json_: JsonOption = False,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds until both have ended.")] = STOP_SECONDS,
) -> None:
    """Stop A, let B finish, end the monitor, and verify that what is left is hedged. Ends with 0 hedged, 5 unhedged."""
    settings = settings_of(config, credentials=credentials, overrides=overrides_of(market), desk=desk, quiet=json_)
    record_stop(settings)
    found, held = asyncio.run(_down(settings, timeout))
    stopped = bool(found)
    if settings.paper.managed:
        from lighter_hedge.ops.rehearsal import stop_services

        asyncio.run(stop_services(settings.root))
    if json_:
        result_json({"stopped": stopped} | positions_json(held))
    else:
        note("stopped: A, then B" if stopped else "the desk was not running")
        for line in position_lines(held):
            result(line)
    if not held.hedged:
        ends_with(ExitCode.UNHEDGED)
    ends_with(ExitCode.OK if stopped else ExitCode.NOT_RUNNING)


async def _down(settings: "Settings", timeout_seconds: float) -> "tuple[dict[str, int], Positions]":
    from lighter_hedge.ops.health import read_positions
    from lighter_hedge.ops.pids import stop_desk
    from lighter_hedge.venue.errors import VenueError

    found = await stop_desk(settings.root, timeout_seconds=timeout_seconds)
    try:
        held = await read_positions(settings)
        if found and not held.hedged:
            await asyncio.sleep(settings.read_lag_seconds)
            held = await read_positions(settings)
    except VenueError as error:
        raise OpsError(
            ExitCode.FAILED,
            f"{'stopped' if found else 'was not running'}, but the positions left are unknown: {error}",
            "read them again: lighter-hedge positions",
        ) from None
    return found, held


def record_stop(settings: "Settings") -> None:
    """Write into both journals that a person stops the desk: only a start after this may end a pause."""
    from lighter_hedge.domain.states import Role
    from lighter_hedge.ops.operate import wall_ms
    from lighter_hedge.processes.journal import Journal
    from lighter_hedge.processes.journal_file import JournalError

    for role in Role:
        path: Path = settings.journal_file(role)
        if not path.is_file():
            continue
        try:
            Journal.record_stop_by_person(path, wall_ms())
        except JournalError as error:
            note(f"warning: the stop is not recorded in the journal of {role.letter}: {error}")

"""A person's verbs: ``pause``, ``resume``, ``drain``, ``clear``."""

import asyncio
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lighter_hedge.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    CredentialsOption,
    DeskOption,
    JsonOption,
    MarketOption,
    ends_with,
    guarded,
    note,
    overrides_of,
    result,
    result_json,
    settings_of,
)
from lighter_hedge.cli.watch import position_lines, positions_json
from lighter_hedge.ops.exit_codes import ExitCode, OpsError

if TYPE_CHECKING:
    from lighter_hedge.config import Settings
    from lighter_hedge.domain.states import MakerState, OperatorCommand
    from lighter_hedge.ops.health import Positions

ACK_SECONDS = 15.0
CLEAR_SECONDS = 120.0
"""A stopped desk burns a nonce and waits the read lag out twice, for each account."""
POLL_SECONDS = 0.5

TimeoutOption = Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds to wait for A and B.")]
ACCOUNTS = ("a", "b", "all")


@guarded
def pause(
    config: ConfigOption = DEFAULT_CONFIG,
    credentials: CredentialsOption = None,
    market: MarketOption = None,
    desk: DeskOption = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; shown until the pause ends.")] = "by a person",
    timeout: TimeoutOption = ACK_SECONDS,
    json_: JsonOption = False,
) -> None:
    """Open nothing more, and keep hedging what is open, until ``resume``."""
    settings = settings_of(config, credentials=credentials, overrides=overrides_of(market), desk=desk, quiet=json_)
    _told(asyncio.run(_ask(settings, "pause", reason, timeout)), json_)


@guarded
def drain(
    config: ConfigOption = DEFAULT_CONFIG,
    credentials: CredentialsOption = None,
    market: MarketOption = None,
    desk: DeskOption = None,
    reason: Annotated[str, typer.Option("--reason", help="Why.")] = "by a person",
    timeout: TimeoutOption = ACK_SECONDS,
    json_: JsonOption = False,
) -> None:
    """Close what is open, open nothing more, then pause."""
    settings = settings_of(config, credentials=credentials, overrides=overrides_of(market), desk=desk, quiet=json_)
    _told(asyncio.run(_ask(settings, "drain", reason, timeout)), json_)


@guarded
def resume(
    config: ConfigOption = DEFAULT_CONFIG,
    credentials: CredentialsOption = None,
    market: MarketOption = None,
    desk: DeskOption = None,
    hedge_now: Annotated[bool, typer.Option("--hedge-now", help="Let B try again what is missing.")] = False,
    timeout: TimeoutOption = ACK_SECONDS,
    json_: JsonOption = False,
) -> None:
    """End the present pause; refused, with the numbers, while exposure is open."""
    settings = settings_of(config, credentials=credentials, overrides=overrides_of(market), desk=desk, quiet=json_)
    _told(asyncio.run(_resume(settings, hedge_now, timeout)), json_)


async def _ask(settings: "Settings", verb: str, reason: str, timeout_seconds: float) -> "MakerState":
    from lighter_hedge.domain.states import OperatorCommand
    from lighter_hedge.ops.operate import ask, desk_messaging, living_maker

    async with desk_messaging(settings) as stream:
        await living_maker(stream, settings)
        command = OperatorCommand(id=str(uuid.uuid4()), verb=verb, reason=reason)
        return await ask(stream, command, timeout_seconds=timeout_seconds, tell=note)


async def _resume(settings: "Settings", hedge_now: bool, timeout_seconds: float) -> "MakerState":
    from lighter_hedge.ops.operate import (
        ask,
        check_resumed,
        desk_messaging,
        last_hedger,
        living_maker,
        present_pause,
        resume_command,
    )

    async with desk_messaging(settings) as stream:
        before = await living_maker(stream, settings)
        hedger = await last_hedger(stream)
        stands = present_pause(before, hedger)
        command = resume_command(str(uuid.uuid4()), before, hedger, hedge_now=hedge_now)
        after = await ask(stream, command, timeout_seconds=timeout_seconds, tell=note)
    check_resumed(stands, after)
    return after


def _told(state: "MakerState", json_: bool) -> None:
    pause_id = state.pause.id if state.pause else None
    if json_:
        result_json({"acknowledged": ["A", "B"], "mode": state.mode.value, "pause_id": pause_id})
    else:
        result(f"the desk is {state.mode.value}" + (f" (pause id {pause_id})" if pause_id is not None else ""))


@guarded
def clear(
    config: ConfigOption = DEFAULT_CONFIG,
    credentials: CredentialsOption = None,
    account: Annotated[str, typer.Option("--account", help="a, b or all.")] = "all",
    market: MarketOption = None,
    desk: DeskOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    stopped: Annotated[
        bool, typer.Option("--stopped", help="A and B run nowhere, and Redis cannot tell: you know it.")
    ] = False,
    timeout: Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds until all is closed.")] = CLEAR_SECONDS,
    json_: JsonOption = False,
) -> None:
    """Cancel all orders and close all positions of A, B or both; verified by reading back."""
    if account not in ACCOUNTS:
        raise OpsError(ExitCode.USAGE, f"there is no account {account}", f"use one of {', '.join(ACCOUNTS)}")
    settings = settings_of(
        config, overrides=overrides_of(market), credentials=credentials, desk=desk, keys=(), quiet=json_
    )
    alive = _alive(settings, stopped=stopped)
    if alive and account != "all":
        raise OpsError(
            ExitCode.REFUSED,
            f"the desk is running, and account {account} alone would leave exposure",
            "clear --account all, or stop the desk first: lighter-hedge down",
        )
    before = _show_before(settings, account)
    if not dry_run and not yes:
        _confirm(account)
    if dry_run:
        _cleared(before, json_)
    elif alive:
        _clear_running(settings, timeout_seconds=timeout, json_=json_)
    else:
        _clear_stopped(config, market, account, credentials, timeout_seconds=timeout, json_=json_)


def _show_before(settings: "Settings", account: str) -> "Positions":
    from lighter_hedge.ops.health import read_positions

    held = asyncio.run(read_positions(settings))
    for line in position_lines(held):
        note(line)
    stays = {"a": held.b, "b": held.a}.get(account)
    if stays is not None and stays.lots:
        note(
            f"{stays.letter} keeps {held.market.spec.size_text(stays.lots)} {held.market.spec.symbol}: that is exposure"
        )
    return held


def _confirm(account: str) -> None:
    whose = {"a": "account A", "b": "account B", "all": "both accounts"}[account]
    try:
        agreed = typer.confirm(f"Cancel all orders and close all positions of {whose}?", default=False, err=True)
    except typer.Abort:
        agreed = False
    if not agreed:
        raise OpsError(ExitCode.REFUSED, "nothing was done", "answer y, or use --yes")


def _alive(settings: "Settings", *, stopped: bool) -> bool:
    """Whether A or B lives, here or on another machine.

    Raises:
        OpsError: Redis does not tell, and neither does the person.
    """
    from lighter_hedge.ops.pids import running

    if running(settings.root):
        return True
    try:
        return asyncio.run(_anybody_lives(settings))
    except OpsError as error:
        if stopped:
            return False
        raise OpsError(
            ExitCode.REFUSED,
            f"nothing was done: {error.message}, so a desk that runs on another machine cannot be ruled out",
            "start Redis; or add --stopped where you know that A and B run nowhere",
        ) from None


async def _anybody_lives(settings: "Settings") -> bool:
    from lighter_hedge.ops.operate import desk_messaging, living_sides

    async with desk_messaging(settings) as stream:
        return bool(await living_sides(stream, settings))


def _clear_running(settings: "Settings", *, timeout_seconds: float, json_: bool) -> None:
    from lighter_hedge.domain.states import OperatorCommand

    command = OperatorCommand(id=str(uuid.uuid4()), verb="clear", account="all")
    held = asyncio.run(_clear_and_verify(settings, command, timeout_seconds))
    _cleared(held, json_)
    if not held.flat:
        raise OpsError(
            ExitCode.TIMED_OUT if held.hedged else ExitCode.UNHEDGED,
            f"not closed within {timeout_seconds:g} s",
            "see lighter-hedge status and positions",
        )


async def _clear_and_verify(settings: "Settings", command: "OperatorCommand", timeout_seconds: float) -> "Positions":
    from lighter_hedge.ops.health import read_positions
    from lighter_hedge.ops.operate import ask, desk_messaging

    async with desk_messaging(settings) as stream:
        await ask(stream, command, timeout_seconds=ACK_SECONDS, tell=note)
    held = await read_positions(settings)
    try:
        async with asyncio.timeout(timeout_seconds):
            while not held.flat:
                await asyncio.sleep(POLL_SECONDS)
                held = await read_positions(settings)
    except TimeoutError:
        pass
    return held


def _cleared(held: "Positions", json_: bool) -> None:
    if json_:
        result_json(positions_json(held))
    else:
        for line in position_lines(held):
            result(line)


def _clear_stopped(
    config: Path, market: str | None, account: str, credentials: Path | None, *, timeout_seconds: float, json_: bool
) -> None:
    from lighter_hedge.domain.states import Role
    from lighter_hedge.ops.health import read_positions
    from lighter_hedge.processes.clear import clear_stopped

    roles = {"a": (Role.MAKER,), "b": (Role.HEDGER,)}.get(account, tuple(Role))
    settings = settings_of(config, overrides=overrides_of(market), credentials=credentials, keys=roles, quiet=True)
    code = clear_stopped(settings, roles, note, timeout_seconds=timeout_seconds)
    _cleared(asyncio.run(read_positions(settings)), json_)
    ends_with(code)

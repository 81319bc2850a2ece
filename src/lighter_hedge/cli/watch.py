"""Commands that only look: ``status`` and ``positions``."""

import asyncio
import sys
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

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
    overrides_of,
    result,
    result_json,
    settings_of,
)
from lighter_hedge.ops.exit_codes import ExitCode, OpsError

if TYPE_CHECKING:
    from lighter_hedge.config import Settings
    from lighter_hedge.domain.units import MarketSpec
    from lighter_hedge.ops.health import Positions
    from lighter_hedge.ops.status import DeskView

WATCH_SECONDS = 1.0
SETTLE_SECONDS = 1.0
"""A hedge on its way is no exposure worth an alarm: an unhedged desk is looked at twice."""


@guarded
def status(
    config: ConfigOption = DEFAULT_CONFIG,
    credentials: CredentialsOption = None,
    market: MarketOption = None,
    desk: DeskOption = None,
    json_: JsonOption = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Look again every second, until Ctrl-C.")] = False,
) -> None:
    """Say what the desk is doing. Ends with 0 hedged, 4 not running, 5 unhedged, 1 unknown."""
    from lighter_hedge.ops.status import lines

    settings = settings_of(config, credentials=credentials, overrides=overrides_of(market), desk=desk, quiet=json_)
    if watch:
        with suppress(KeyboardInterrupt):
            asyncio.run(_watch(settings, json_=json_))
        return
    seen = asyncio.run(_settled(settings))
    if json_:
        result_json(seen.as_json())
    else:
        for line in lines(seen, asyncio.run(_spec(settings))):
            result(line)
    ends_with(seen.exit_code)


async def _watch(settings: "Settings", *, json_: bool) -> None:
    """Each view in the place of the last one on a terminal, elsewhere below it; one object a line with ``--json``."""
    from lighter_hedge.ops.status import lines

    spec = None if json_ else await _spec(settings)
    clear = "\x1b[H\x1b[2J" if sys.stdout.isatty() else ""
    while True:
        seen = await look(settings)
        if json_:
            result_json(seen.as_json())
        else:
            result("\n".join([clear + lines(seen, spec)[0], *lines(seen, spec)[1:], *([] if clear else [""])]))
        await asyncio.sleep(WATCH_SECONDS)


async def _spec(settings: "Settings") -> "MarketSpec | None":
    """The market's rules, for amounts that people read; None where the venue does not tell them now."""
    from lighter_hedge.ops.health import read_market, reading
    from lighter_hedge.venue.errors import VenueError

    try:
        async with reading(settings.venue.base_url) as reader:
            return (await read_market(reader, settings.desk.market)).spec
    except VenueError:
        return None


async def _settled(settings: "Settings") -> "DeskView":
    seen = await look(settings)
    if seen.running and seen.hedged is False:
        await asyncio.sleep(SETTLE_SECONDS)
        seen = await look(settings)
    return seen


async def _settled_positions(settings: "Settings") -> "Positions":
    """Positions of the venue; looked at twice where a hedge may just be under way."""
    from lighter_hedge.ops.health import read_positions

    held = await read_positions(settings)
    if not held.hedged:
        await asyncio.sleep(SETTLE_SECONDS)
        held = await read_positions(settings)
    return held


async def look(settings: "Settings") -> "DeskView":
    """One view of the desk: from its streams, with journals and the venue where the streams say nothing."""
    from lighter_hedge.ops import pids
    from lighter_hedge.ops.operate import desk_messaging, last_hedger, last_maker, stale_ms, wall_ms
    from lighter_hedge.ops.status import view

    notes: list[str] = []
    maker = hedger = None
    try:
        async with desk_messaging(settings) as stream:
            maker, hedger = await last_maker(stream), await last_hedger(stream)
    except OpsError as error:
        notes.append(error.message)
    alive = pids.running(settings.root)
    heard = {letter for letter, state in (("A", maker), ("B", hedger)) if state is not None and letter in alive}
    notes += _journal_notes(settings, heard)
    seen = view(
        str(settings.desk_id),
        maker,
        hedger,
        now_ms=wall_ms(),
        stale_ms=stale_ms(settings),
        pids=alive,
        monitor_pid=pids.running(settings.root, (pids.MONITOR,)).get(pids.MONITOR),
        ended=pids.ended_here(settings.run_dir),
        notes=tuple(notes),
    )
    return await _with_venue(settings, seen) if seen.net is None else seen


async def _with_venue(settings: "Settings", seen: "DeskView") -> "DeskView":
    """Positions from the venue where a side does not tell its own."""
    import dataclasses

    from lighter_hedge.ops.health import read_positions
    from lighter_hedge.venue.errors import VenueError

    try:
        held = await read_positions(settings)
    except VenueError as error:
        return dataclasses.replace(seen, notes=(*seen.notes, str(error)))
    return dataclasses.replace(
        seen,
        a_position=held.a.lots,
        b_position=held.b.lots,
        net=held.net,
        hedged=held.hedged,
        notes=(*seen.notes, "positions are read from the venue"),
    )


def _journal_notes(settings: "Settings", heard: Collection[str]) -> list[str]:
    """What the journals say that a person should know: pauses that outlive a stop, alerts nobody has heard."""
    from lighter_hedge.domain.states import Role
    from lighter_hedge.processes.journal import read_summary
    from lighter_hedge.processes.journal_file import JournalError
    from lighter_hedge.processes.told import TOLD_FILE, told_in

    notes: list[str] = []
    told = told_in(settings.run_dir / TOLD_FILE)
    for role in Role:
        path = settings.journal_file(role)
        if not path.is_file():
            continue
        try:
            summary = read_summary(path)
        except JournalError as error:
            notes.append(f"journal of {role.letter}: {error}")
            continue
        untold = [alert for alert in summary.alerts if (role.letter, alert.id, alert.wall_ms) not in told]
        notes += [f"alert of {role.letter}: {alert.text}" for alert in untold[-3:]]
        if role.letter in heard:
            continue  # its state tells the rest, and newer
        if summary.pause is not None:
            notes.append(f"journal of {role.letter}: {summary.mode.value}: {summary.pause.reason}")
        if summary.unsettled:
            notes.append(
                f"journal of {role.letter}: {summary.unsettled} signed transactions that the next start settles"
            )
    return notes + _monitor_notes(settings, told)


def _monitor_notes(settings: "Settings", told: Collection[tuple[str, int, int]]) -> list[str]:
    """What the monitor has called for people about, and nobody has delivered."""
    from lighter_hedge.processes.journal_file import JournalError
    from lighter_hedge.processes.outbox import MONITOR_FILE, read_pending

    path = settings.run_dir / MONITOR_FILE
    if not path.is_file():
        return []
    try:
        untold = [alert for alert in read_pending(path) if ("monitor", alert.id, alert.wall_ms) not in told]
        return [f"alert of the monitor: {alert.text}" for alert in untold[-3:]]
    except JournalError as error:
        return [f"file of the monitor: {error}"]


@guarded
def positions(
    config: ConfigOption = DEFAULT_CONFIG,
    credentials: CredentialsOption = None,
    market: MarketOption = None,
    desk: DeskOption = None,
    json_: JsonOption = False,
) -> None:
    """Print what A and B hold at the venue. Ends with 0 hedged, 5 unhedged."""
    settings = settings_of(config, credentials=credentials, overrides=overrides_of(market), desk=desk, quiet=json_)
    held = asyncio.run(_settled_positions(settings))
    if json_:
        result_json(positions_json(held))
    else:
        for line in position_lines(held):
            result(line)
    ends_with(ExitCode.OK if held.hedged else ExitCode.UNHEDGED)


def positions_json(held: "Positions") -> dict[str, Any]:
    """Both accounts as one object, amounts as decimal strings."""
    spec = held.market.spec
    body: dict[str, Any] = {"market": spec.symbol}
    for each in (held.a, held.b):
        body[f"account_{each.letter.lower()}"] = {
            "account_name": each.account_name,
            "account_index": each.account_index,
            "position": spec.size_text(each.lots),
            "position_lots": each.lots,
            "open_orders": each.open_orders,
            "avg_entry_price": each.entry_price,
            "unrealized_pnl": each.unrealized_pnl,
            "available_balance": each.available,
        }
    return body | {"net": spec.size_text(held.net), "net_lots": held.net, "hedged": held.hedged, "flat": held.flat}


def position_lines(held: "Positions") -> list[str]:
    """Both accounts and the net as text."""
    spec = held.market.spec
    rows = [
        f"{each.letter}  {each.account_name} ({each.account_index})  {spec.size_text(each.lots)} {spec.symbol}  "
        f"entry {each.entry_price}  open orders {each.open_orders}  available {each.available}"
        for each in (held.a, held.b)
    ]
    word = "flat" if held.flat else ("hedged" if held.hedged else "UNHEDGED")
    return [*rows, f"A + B  {spec.size_text(held.net)} {spec.symbol}  {word}"]

"""``events``: what A, B and the monitor say, in one list."""

import asyncio
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from lighter_hedge.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    CredentialsOption,
    DeskOption,
    MarketOption,
    guarded,
    overrides_of,
    result,
    result_json,
    settings_of,
)

if TYPE_CHECKING:
    from lighter_hedge.config import Settings
    from lighter_hedge.messaging.telemetry import Record
    from lighter_hedge.ops.events import Wanted


class Level(Enum):
    """How grave an event is."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Source(Enum):
    """Whose event it is."""

    A = "A"
    B = "B"
    MONITOR = "monitor"
    WEB = "web"


@guarded
def events(
    config: ConfigOption = DEFAULT_CONFIG,
    credentials: CredentialsOption = None,
    market: MarketOption = None,
    desk: DeskOption = None,
    last: Annotated[int, typer.Option("--last", "-n", min=1, max=20_000, help="How many, the newest ones.")] = 50,
    level: Annotated[Level, typer.Option("--level", help="Nothing below this.")] = Level.INFO,
    source: Annotated[
        list[Source] | None, typer.Option("--source", help="Of this process alone; may be given more than once.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")] = False,
) -> None:
    """Say what A, B and the monitor have told, oldest first; with the times of each hedge's stages."""
    from lighter_hedge.ops.events import Wanted

    settings = settings_of(config, credentials=credentials, overrides=overrides_of(market), desk=desk, quiet=json_)
    wanted = Wanted(level=level.value, sources=tuple(each.value for each in source or ()))
    try:
        asyncio.run(_show(settings, wanted, last, follow=follow, as_json=json_))
    except KeyboardInterrupt:
        if not follow:
            raise


async def _show(settings: "Settings", wanted: "Wanted", last: int, *, follow: bool, as_json: bool) -> None:
    from lighter_hedge.messaging.keys import DeskKeys
    from lighter_hedge.messaging.redis_stream import connect
    from lighter_hedge.ops.events import EventStream

    client = connect(settings.redis.url)
    try:
        stream = EventStream(client=client, key=DeskKeys(desk=settings.desk_id).telemetry, url=settings.redis.url)
        records, after = await stream.newest(wanted, last)
        for record in records:
            _print(record, as_json=as_json)
        if follow:
            async for record in stream.follow(wanted, after):
                _print(record, as_json=as_json)
    finally:
        await client.aclose()


def _print(record: "Record", *, as_json: bool) -> None:
    from lighter_hedge.ops import events as ops

    if as_json:
        result_json(ops.as_json(record))
    else:
        result(ops.line(record))

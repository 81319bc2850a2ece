"""Recording a venue's public feed as a command."""

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lighter_hedge.cli.common import guarded, note
from lighter_hedge.ops.exit_codes import ExitCode, OpsError

if TYPE_CHECKING:
    from lighter_hedge.simulator.traffic.feed import FeedSettings
    from lighter_hedge.simulator.traffic.record import Recording


@guarded
def record(
    url: Annotated[str, typer.Option("--url", help="The venue, for example https://mainnet.zklighter.elliot.ai.")],
    market: Annotated[list[str], typer.Option("--market", help="For example BTC; give it once for each market.")],
    out: Annotated[Path, typer.Option("--out", help="The tape: a new file, packed if it ends in .gz.")],
    seconds: Annotated[float | None, typer.Option("--seconds", min=0.001, help="End by itself after so long.")] = None,
) -> None:
    """Write a venue's public feed as a tape, until Ctrl-C or SIGTERM. No keys needed."""
    from lighter_hedge.simulator.traffic.feed import FeedError, FeedSettings
    from lighter_hedge.simulator.traffic.record import Recording

    try:
        settings = FeedSettings(base_url=url)
        recording = Recording(out)
    except FeedError as error:
        raise OpsError(ExitCode.USAGE, str(error)) from None
    try:
        asyncio.run(_record(settings, tuple(dict.fromkeys(market)), recording, seconds))
    except* FeedError as group:
        raise OpsError(ExitCode.FAILED, str(group.exceptions[0])) from None
    finally:
        recording.close()
    if recording.snapshots == 0:
        raise OpsError(ExitCode.FAILED, f"no book came from {url}: nothing recorded", "is the venue reachable?")
    note(f"{out}: {recording.snapshots} snapshots, {recording.changes} changes, {recording.trades} trades")


async def _record(
    settings: "FeedSettings", symbols: tuple[str, ...], recording: "Recording", seconds: float | None
) -> None:
    from lighter_hedge.simulator.traffic.feed import Feed, listed
    from lighter_hedge.simulator.traffic.record import record as follow

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    markets = await listed(settings, symbols)
    if seconds is not None:
        loop.call_later(seconds, stop.set)
    await follow(Feed(settings, tuple(markets), say=note), recording, stop)

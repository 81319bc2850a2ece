"""Run a paper exchange with a small explicit book in its own process: ``python -m … SETTINGS_AS_JSON``."""

import asyncio
import json
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.events import BookChange, Mark, TrafficEvent
from lighter_hedge.simulator.edge.server import PaperSettings, serve
from lighter_hedge.simulator.edge.stream_limits import StreamLimits

MID = 1_000_000
"""100,000.0 USDC in ticks of BTC."""
PATHS = ("state_dir", "credentials")


def small_book() -> Iterator[tuple[int, TrafficEvent]]:
    """Two levels on each side of BTC, which stand still; the mark price is told twice a second for ever."""
    levels = (
        (Side.BID, MID - 10, 1000),
        (Side.BID, MID - 20, 1000),
        (Side.ASK, MID + 10, 1000),
        (Side.ASK, MID + 20, 1000),
    )
    yield 0, BookChange(market_index=1, updates=levels, snapshot=True)
    for number in count():
        yield number * 500_000, Mark(market_index=1, mark_ticks=MID, index_ticks=MID)


def settings_of(text: str) -> PaperSettings:
    wanted: dict[str, Any] = json.loads(text)
    for name in PATHS:
        if name in wanted:
            wanted[name] = Path(wanted[name])
    if "stream_limits" in wanted:
        wanted["stream_limits"] = StreamLimits(**wanted["stream_limits"])
    return PaperSettings(**{**wanted, "tier": Tier(wanted.get("tier", "unlimited"))})


if __name__ == "__main__":
    settings = settings_of(sys.argv[1])
    asyncio.run(
        serve(
            settings,
            ready=lambda url: print(url, flush=True),
            traffic=None if settings.traffic == "live" else small_book(),
        )
    )

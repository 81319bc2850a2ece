"""Mirror the public feed of a real venue: its books, trades and prices, one second late.

Orders of ours fill as on a tape: they queue behind the mirrored size, trades of the venue consume the queue,
and what we take is missing until the venue next tells that level. Nothing of ours is ever sent to the venue.

A book that is not known (connection lost, silent, or a gap not yet mended) stands as it was for
``grace_seconds`` and is then emptied: against an empty book nothing fills, and a client sees that there is no
price. The venue's next snapshot fills it again.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lighter_hedge.domain.units import MarketSpec
from lighter_hedge.simulator.core.events import BookChange, TrafficEvent
from lighter_hedge.simulator.traffic.feed import Feed, Frame, Unreadable
from lighter_hedge.simulator.traffic.holdback import Holdback
from lighter_hedge.simulator.traffic.rounding import Rounding
from lighter_hedge.simulator.traffic.tape_lines import BookLine, TapeLine

Play = Callable[[TrafficEvent], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSettings:
    """Times of a mirrored market, in seconds."""

    delay_seconds: float = 1.0
    """How late the market is played, so that trades come before the changes that they caused."""
    grace_seconds: float = 2.0
    """How long a book that is not known may stand."""
    watch_seconds: float = 0.25

    def __post_init__(self) -> None:
        # Else what is held back would fill a book that has been emptied.
        assert self.delay_seconds < self.grace_seconds


class Live:
    """Plays what a feed tells."""

    def __init__(
        self,
        feed: Feed,
        markets: Mapping[int, MarketSpec],
        play: Play,
        settings: LiveSettings | None = None,
        *,
        now: Callable[[], float] | None = None,
    ) -> None:
        """``markets`` are ours, by the venue's index; ``now`` is the feed's clock, in seconds."""
        self._feed = feed
        self._markets = markets
        self._play = play
        self._settings = settings or LiveSettings()
        self._roundings = {index: Rounding(market) for index, market in markets.items()}
        self._held = Holdback(self._settings.delay_seconds * 1000)
        self._empty = set(markets)
        self._now = now or _loop_seconds
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Mirror until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._feed.run(self.hear))
            group.create_task(self._keep_playing())

    def hear(self, _frame: Frame, lines: list[TapeLine]) -> None:
        """Take what the feed tells.

        Raises:
            Unreadable: a price or size is no number.
        """
        now_ms = self._now() * 1000
        for line in lines:
            rounding = self._roundings[int(line.market)]
            if isinstance(line, BookLine) and line.snapshot:
                self._held.restart()
            try:
                self._held.add(now_ms, line, rounding)
            except ValueError as error:
                raise Unreadable(str(error)) from error
        self._wake.set()

    def advance(self, now_ms: float) -> None:
        """Play what is due, and empty the books that have not been known for too long."""
        for event in self._held.due(now_ms):
            self._play(event)
        for index, chain in self._feed.chains.items():
            if chain.broken_since is None:
                self._empty.discard(index)
            elif index not in self._empty and now_ms / 1000 - chain.broken_since >= self._settings.grace_seconds:
                self._empty.add(index)
                self._play(BookChange(market_index=self._markets[index].market_index, updates=(), snapshot=True))

    async def _keep_playing(self) -> None:
        while True:
            now_ms = self._now() * 1000
            self.advance(now_ms)
            self._wake.clear()
            due_ms = self._held.next_due_ms()
            seconds = self._settings.watch_seconds
            if due_ms is not None:
                seconds = min(seconds, max(0.0, due_ms - now_ms) / 1000)
            try:
                async with asyncio.timeout(seconds):
                    await self._wake.wait()
            except TimeoutError:
                continue


def _loop_seconds() -> float:
    return asyncio.get_running_loop().time()

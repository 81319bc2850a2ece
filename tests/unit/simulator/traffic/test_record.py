"""What is recorded of a venue plays back as the same book and the same trades."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fakes.public_feed import PublicFeed, book, trade
from tests.unit.simulator.paper_edge import edge, run

from lighter_hedge.simulator.core.events import BookChange, Mark, Print, TrafficEvent
from lighter_hedge.simulator.core.markets import BTC, ETH
from lighter_hedge.simulator.traffic import play_once, synthetic, until
from lighter_hedge.simulator.traffic.ambient import AmbientBook
from lighter_hedge.simulator.traffic.feed import Feed, FeedError, FeedSettings, Frame
from lighter_hedge.simulator.traffic.record import Recording, record
from lighter_hedge.simulator.traffic.tape_lines import TapeLine


class Watched(Recording):
    """A recording that can be waited for."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, clock=lambda: 7)
        self.last: dict[str, Frame] = {}
        self._written = asyncio.Event()

    def write(self, frame: Frame, lines: list[TapeLine]) -> None:
        super().write(frame, lines)
        self.last[frame["channel"]] = frame
        self._written.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._written.clear()
            await self._written.wait()

    async def until_nonce(self, market: int, nonce: int) -> None:
        await self.until(lambda: self.last[f"order_book:{market}"]["order_book"]["nonce"] == nonce)


@pytest.mark.parametrize("name", ["tape.jsonl", "tape.jsonl.gz"])
def test_a_recorded_paper_exchange_plays_back_the_same(tmp_path: Path, name: str) -> None:
    """Five seconds of two markets: in the end the books agree level by level, and every trade is there."""
    events = list(until(synthetic(3, (ETH, BTC)), 5_000_000))
    shown: dict[int, dict[int, int]] = {}

    async def test() -> None:
        stop, recording = asyncio.Event(), Watched(tmp_path / name)
        async with edge() as venue, asyncio.TaskGroup() as group:
            feed = Feed(FeedSettings(base_url=str(venue.client.make_url(""))), [1, 0])
            group.create_task(record(feed, recording, stop))
            await recording.until(lambda: recording.snapshots == 2)
            start_us = venue.world.now_us
            for at_us, event in events:
                venue.world.now_us = start_us + at_us
                venue.venue.play(event)
            venue.world.now_us += 50_000
            venue.venue.step()
            state = venue.world.exchange.state
            for market, sides in state.books.items():
                shown[market] = dict([*sides.bids.displayed(), *sides.asks.displayed()])
                await recording.until_nonce(market, state.market_states[market].published_nonce)
            stop.set()
        recording.close()

    run(test)
    played = [event for _at_us, event in play_once(tmp_path / name, (ETH, BTC))]
    for spec in (ETH, BTC):
        mirrored = AmbientBook()
        for event in played:
            if isinstance(event, BookChange) and event.market_index == spec.market_index:
                mirrored.apply(event)
        assert {price: lots for _side, price, lots in mirrored.levels()} == shown[spec.market_index]
        for kind in (Print, Mark):
            heard, said = (_of(each, kind, spec.market_index) for each in (played, [one for _at, one in events]))
            assert heard[-len(said) :] == said
            assert len(said) > 10


def _of(events: list[TrafficEvent], kind: type[Print] | type[Mark], market: int) -> list[TrafficEvent]:
    return [event for event in events if isinstance(event, kind) and event.market_index == market]


def test_frames_are_written_as_they_came_with_the_time_of_receipt(tmp_path: Path) -> None:
    """History is no part of a tape, and after a gap it goes on with the next snapshot."""
    path = tmp_path / "tape.jsonl"
    told = [book(0, 5, ("100.0", "1")), trade(3, "100.0", "1"), book(0, 20), book(20, 21)]

    async def test() -> None:
        stop, recording = asyncio.Event(), Watched(path)
        async with PublicFeed().serving() as venue, asyncio.TaskGroup() as group:
            group.create_task(record(Feed(FeedSettings(base_url=venue.base_url), [1]), recording, stop))
            client = await venue.connected()
            await client.say(trade(2, "100.0", "1", history=True), *told[:2], book(9, 10), *told[2:])
            await recording.until(lambda: recording.changes == 1)
            stop.set()
        recording.close()
        assert (recording.snapshots, recording.changes, recording.trades) == (2, 1, 1)

    run(test)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [{"r": 7, "frame": one} for one in told]


def test_a_tape_is_never_overwritten_and_an_empty_one_not_left(tmp_path: Path) -> None:
    path = tmp_path / "tape.jsonl"
    recording = Recording(path)
    with pytest.raises(FeedError, match="exists: choose another name"):
        Recording(path)
    recording.close()
    assert not path.exists()
    with pytest.raises(OSError, match="No such file"):
        Recording(tmp_path / "none" / "tape.jsonl")

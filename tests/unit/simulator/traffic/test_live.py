"""A mirrored market: a second paper exchange stands in for the venue."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.fakes.public_feed import PublicFeed, book
from tests.unit.simulator.paper_edge import Edge, edge, run
from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, World, book_change, make_world, print_trade

from lighter_hedge.simulator.core.events import BookChange, Mark, Print, TrafficEvent
from lighter_hedge.simulator.core.markets import BTC
from lighter_hedge.simulator.traffic.feed import Chain, Feed, FeedSettings, Unreadable, listed
from lighter_hedge.simulator.traffic.live import Live, LiveSettings
from lighter_hedge.simulator.traffic.tape_lines import parse_frame

PATIENT = LiveSettings(delay_seconds=0.0, grace_seconds=60.0)
QUICK = LiveSettings(delay_seconds=0.0, grace_seconds=0.05, watch_seconds=0.01)


class Mirror:
    """A paper exchange that mirrors another."""

    def __init__(self) -> None:
        self.world = make_world(book=False)
        self.played: list[TrafficEvent] = []
        self._changed = asyncio.Event()

    def play(self, event: TrafficEvent) -> None:
        self.played.append(event)
        self.world.traffic(event)
        self._changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    def shown(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        return _shown(self.world)

    @property
    def printed(self) -> list[tuple[int, int]]:
        return [(event.price_ticks, event.lots) for event in self.played if isinstance(event, Print)]


def _shown(world: World) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    sides = world.exchange.state.books[1]
    return sides.bids.displayed(), sides.asks.displayed()


@asynccontextmanager
async def _mirroring(base_url: str, settings: LiveSettings = QUICK) -> AsyncIterator[Mirror]:
    mirror = Mirror()
    where = FeedSettings(base_url=base_url, retry_seconds_first=0.001, retry_seconds_max=0.01)
    markets = dict.fromkeys(await listed(where, ["BTC"]), BTC)
    live = Live(Feed(where, tuple(markets)), markets, mirror.play, settings)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(live.run())
        yield mirror
        running.cancel()


def _url(venue: Edge) -> str:
    return str(venue.client.make_url(""))


def _happens(venue: Edge, event: TrafficEvent) -> None:
    """Something happens at the venue, and its batch of the book leaves."""
    venue.venue.play(event)
    venue.world.now_us += 50_000
    venue.venue.step()


def test_book_trades_and_prices_of_the_venue_are_mirrored_and_fill_our_orders() -> None:
    """Its book is ours; its trades consume the queue of our order, then fill it, in parts."""

    async def test() -> None:
        async with edge() as venue, _mirroring(_url(venue)) as mirror:
            await mirror.until(lambda: mirror.shown() == _shown(venue.world))
            await mirror.until(lambda: Mark(market_index=1, mark_ticks=MID, index_ticks=MID) in mirror.played)
            order = mirror.world.rest(A, BID, 30, MID - 10)
            assert order.queue_ahead == 100
            _happens(venue, print_trade(MID - 10, 80, ASK))
            _happens(venue, book_change((BID, MID - 10, 20), (ASK, MID + 10, 70)))
            await mirror.until(lambda: (MID + 10, 70) in mirror.shown()[1])
            assert (order.queue_ahead, order.filled_lots) == (20, 0)
            _happens(venue, print_trade(MID - 10, 32, ASK))
            await mirror.until(lambda: order.filled_lots > 0)
            assert (order.filled_lots, order.is_open) == (12, True)
            assert mirror.printed == [(MID - 10, 80), (MID - 10, 32)]
            _happens(venue, Mark(market_index=1, mark_ticks=MID + 7, index_ticks=MID + 8))
            await mirror.until(lambda: mirror.world.exchange.state.market_states[1].index_ticks == MID + 8)

    run(test)


def test_what_real_clients_do_at_the_venue_is_mirrored_too() -> None:
    """An order there is size in the book here; a fill there is a print here; ours are never seen there."""

    async def test() -> None:
        async with edge() as venue, _mirroring(_url(venue)) as mirror:
            await mirror.until(lambda: mirror.shown() == _shown(venue.world))
            before = _shown(venue.world)
            mirror.world.rest(A, ASK, 40, MID + 5)
            assert _shown(venue.world) == before
            assert venue.world.order(A, BID, 25, MID - 5).accepted
            venue.venue.step()
            venue.world.now_us += 50_000
            venue.venue.step()
            await mirror.until(lambda: (MID - 5, 25) in mirror.shown()[0])
            assert venue.world.order(B, ASK, 25, MID - 5, tif=0).accepted
            venue.venue.step()
            await mirror.until(lambda: mirror.printed == [(MID - 5, 25)])

    run(test)


def test_a_dropped_connection_comes_back_with_the_book_as_it_is_then() -> None:
    """What changed meanwhile is in the snapshot; our order keeps its place, cut to what is left of the level."""

    async def test() -> None:
        async with edge() as venue, _mirroring(_url(venue), PATIENT) as mirror:
            await mirror.until(lambda: mirror.shown() == _shown(venue.world))
            order = mirror.world.rest(A, BID, 30, MID - 10)
            for connection in list(venue.venue.connections):
                connection.drop()
            _happens(venue, book_change((BID, MID - 10, 40), (BID, MID - 15, 7)))
            await mirror.until(lambda: (MID - 15, 7) in mirror.shown()[0])
            assert order.queue_ahead == 40
            _happens(venue, print_trade(MID - 10, 45, ASK))
            await mirror.until(lambda: order.filled_lots == 5)

    run(test)


def test_a_lost_venue_empties_the_book_and_its_return_fills_it() -> None:
    """Nothing fills meanwhile: an order that takes finds no liquidity, one that rests waits."""

    async def test() -> None:
        async with PublicFeed().serving() as venue, _mirroring(venue.base_url) as mirror:
            client = await venue.connected()
            await client.say(book(0, 5, ("100000.0", "1")))
            await mirror.until(lambda: mirror.shown()[0] == [(MID, 100_000)])
            order = mirror.world.rest(A, BID, 30, MID)
            await client.drop()
            client = await venue.connected()
            await mirror.until(lambda: mirror.shown()[0] == [(MID, 30)])
            taken = mirror.world.take(B, ASK, 50, MID)
            assert (taken.filled_lots, order.filled_lots) == (30, 30)
            assert taken.status.value == "canceled-not-enough-liquidity"
            await client.say(book(0, 9, ("100000.0", "2")), book(9, 10, ("100000.0", "3")))
            await mirror.until(lambda: mirror.shown()[0] == [(MID, 300_000)])

    run(test)


def test_a_short_loss_leaves_the_book_as_it_was() -> None:
    async def test() -> None:
        async with PublicFeed().serving() as venue, _mirroring(venue.base_url, PATIENT) as mirror:
            client = await venue.connected()
            await client.say(book(0, 5, ("100000.0", "1")), book(9, 10, ("100000.0", "4")))
            assert await client.hears(2) == ["unsubscribe order_book/1", "subscribe order_book/1"]
            await client.say(book(0, 12, ("100000.0", "2")))
            await mirror.until(lambda: mirror.shown()[0] == [(MID, 200_000)])
            books = [event for event in mirror.played if isinstance(event, BookChange)]
            assert [(event.snapshot, len(event.updates)) for event in books] == [(True, 1), (True, 1)]

    run(test)


class _NoFeed:
    """A feed that stands still; a test says what is known."""

    def __init__(self) -> None:
        self.chains = {1: Chain(0.0)}


def test_a_book_that_is_not_known_stands_for_the_grace_and_is_emptied_once() -> None:
    async def test() -> None:
        feed: Any = _NoFeed()
        played: list[TrafficEvent] = []
        live = Live(feed, {1: BTC}, played.append)
        live.advance(1e6)
        assert played == [], "nothing to empty before the first book"
        feed.chains[1].broken_since = None
        live.advance(1e6)
        feed.chains[1].broken_since = 1_000.0
        live.advance(1_001_999.0)
        assert played == []
        live.advance(1_002_000.0)
        live.advance(1_009_000.0)
        assert played == [BookChange(market_index=1, updates=(), snapshot=True)]

    run(test)


def test_the_venues_index_of_a_market_need_not_be_ours() -> None:
    async def test() -> None:
        played: list[TrafficEvent] = []
        feed: Any = _NoFeed()
        live = Live(feed, {1: make_world().exchange.state.markets[0]}, played.append, QUICK)
        frame = book(0, 5, ("10.5", "1"))
        live.hear(frame, list(parse_frame(0, frame)))
        live.advance(asyncio.get_running_loop().time() * 1000)
        assert played == [BookChange(market_index=0, updates=((BID, 1_050, 10_000),), snapshot=True)]

    run(test)


def test_a_price_that_is_no_number_is_unreadable() -> None:
    async def test() -> None:
        feed: Any = _NoFeed()
        live = Live(feed, {1: BTC}, lambda _event: None)
        frame = book(0, 5, ("1e5", "1"))
        with pytest.raises(Unreadable, match="plain decimal"):
            live.hear(frame, list(parse_frame(0, frame)))

    run(test)

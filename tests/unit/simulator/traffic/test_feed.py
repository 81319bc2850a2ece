"""The public feed: what it follows, what it leaves out, and how it comes back."""

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.fakes.public_feed import PublicFeed, book, trade
from tests.recordings import DATA
from tests.unit.simulator.paper_edge import edge, run

from lighter_hedge.simulator.traffic.feed import (
    Chain,
    Feed,
    FeedError,
    FeedSettings,
    Frame,
    Unreadable,
    Verdict,
    listed,
)
from lighter_hedge.simulator.traffic.tape_lines import BookLine, TapeLine, parse_frame


def _quick(base_url: str, **changed: float) -> FeedSettings:
    times = {"silence_seconds": 10.0, "ping_seconds": 0.02, "retry_seconds_first": 0.001, "retry_seconds_max": 0.01}
    return FeedSettings(base_url=base_url, **{**times, **changed})


class Ears:
    """What a feed has told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.frames: asyncio.Queue[Frame] = asyncio.Queue()
        self.refuse = False

    def hear(self, frame: Frame, lines: list[TapeLine]) -> None:
        assert lines
        if self.refuse:
            self.refuse = False
            raise Unreadable("no such price")
        self.frames.put_nowait(frame)

    async def nonces(self, count: int) -> list[int]:
        return [int((await self.frames.get())["order_book"]["nonce"]) for _ in range(count)]


@asynccontextmanager
async def _following(venue: PublicFeed, **changed: float) -> AsyncIterator[tuple[Feed, Ears]]:
    ears = Ears()
    feed = Feed(_quick(venue.base_url, **changed), [1], say=ears.said.append)
    async with asyncio.TaskGroup() as group:
        following = group.create_task(feed.run(ears.hear))
        yield feed, ears
        following.cancel()


def _tested(test: Callable[[PublicFeed], Awaitable[None]]) -> None:
    async def served() -> None:
        async with PublicFeed().serving() as venue:
            await test(venue)

    run(served)


@pytest.mark.parametrize("url", ["mainnet.zklighter.elliot.ai", "wss://host/stream", "https://", "http://host/api", ""])
def test_an_address_that_is_none_of_a_venue_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(FeedError, match=r"scheme and host alone, for example https://") as raised:
        FeedSettings(base_url=url)
    assert repr(url) in str(raised.value)


def test_the_stream_is_found_from_the_address() -> None:
    """Read only, which the venue serves everywhere; a slash at the end does not matter."""
    assert FeedSettings(base_url="https://host/").stream_url == "wss://host/stream?readonly=true"
    assert FeedSettings(base_url="http://host:1").stream_url == "ws://host:1/stream?readonly=true"


def test_markets_are_found_by_symbol_at_a_paper_exchange_too() -> None:
    async def test() -> None:
        async with edge() as paper:
            settings = _quick(str(paper.client.make_url("")))
            assert await listed(settings, ["BTC"]) == {1: "BTC"}
            assert await listed(settings, ["BTC", "ETH"]) == {1: "BTC", 0: "ETH"}
            with pytest.raises(FeedError, match="no market 'DOGE'; it lists: BTC, ETH"):
                await listed(settings, ["DOGE"])

    run(test)


def test_what_is_no_venue_is_named() -> None:
    async def test(venue: PublicFeed) -> None:
        bodies: list[Any] = [[], {"order_books": [{"symbol": "BTC"}]}, {"code": 20001}]
        for venue.order_books in bodies:
            with pytest.raises(FeedError, match="does not list markets"):
                await listed(_quick(venue.base_url), ["BTC"])
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        with pytest.raises(FeedError, match=f"nothing answers at http://127.0.0.1:{port}"):
            await listed(_quick(f"http://127.0.0.1:{port}"), ["BTC"])

    _tested(test)


def _verdicts(*frames: dict[str, Any]) -> list[Verdict]:
    chain = Chain(0.0)
    lines = [next(parse_frame(0, frame)) for frame in frames]
    return [chain.take(frame, line) for frame, line in zip(frames, lines, strict=True) if isinstance(line, BookLine)]


def test_a_chain_takes_what_follows_and_finds_what_is_missing() -> None:
    """Changes before the snapshot and repeated ones are left; one that overlaps is taken, sizes being absolute."""
    take, leave, gap = Verdict.TAKE, Verdict.LEAVE, Verdict.GAP
    frames = [book(4, 5), book(0, 10), book(8, 10), book(10, 12), book(11, 13), book(10, 12), book(14, 15)]
    assert _verdicts(*frames) == [leave, take, leave, take, take, leave, gap]


def test_frames_of_2025_have_only_an_offset() -> None:
    """It rises and may jump: no gap can be seen, and none is."""
    frames = [book(0, 10, begun=False), book(1, 11, begun=False), book(1, 11, begun=False), book(1, 20, begun=False)]
    assert _verdicts(*frames) == [Verdict.TAKE, Verdict.TAKE, Verdict.LEAVE, Verdict.TAKE]


def test_since_when_a_book_is_not_known() -> None:
    chain = Chain(1.0)
    chain.lose(5.0)
    assert chain.broken_since == 1.0
    frame = book(0, 1)
    line = next(parse_frame(0, frame))
    assert isinstance(line, BookLine)
    chain.take(frame, line)
    assert chain.broken_since is None
    chain.lose(7.0)
    assert chain.broken_since == 7.0


def test_books_trades_and_statistics_are_told_and_history_is_not() -> None:
    async def test(venue: PublicFeed) -> None:
        async with _following(venue) as (_feed, ears):
            client = await venue.connected()
            stats = {"market_id": 1, "mark_price": "1", "index_price": "1"}
            told = [
                book(0, 5, ("100.0", "1")),
                trade(8, "100.0", "1"),
                {"channel": "market_stats:1", "market_stats": stats, "type": "update/market_stats"},
            ]
            await client.say(
                book(3, 4), trade(7, "100.0", "1", history=True), {"type": "pong"}, {"channel": "height:1", "type": "x"}
            )
            await client.say(*told)
            assert [await ears.frames.get() for _ in told] == told

    _tested(test)


def test_a_gap_is_mended_by_subscribing_anew() -> None:
    """What follows the gap is left out until the new snapshot; trades go on."""

    async def test(venue: PublicFeed) -> None:
        async with _following(venue) as (feed, ears):
            client = await venue.connected()
            await client.say(book(0, 5), book(5, 6), book(7, 8))
            assert await client.hears(2) == ["unsubscribe order_book/1", "subscribe order_book/1"]
            assert feed.chains[1].broken_since is not None
            await client.say(book(8, 9), {"type": "unsubscribed", "channel": "order_book:1"}, book(0, 20), book(20, 21))
            assert await ears.nonces(4) == [5, 6, 20, 21]
            assert feed.chains[1].broken_since is None
            assert ears.said == ["gap in the book of market 1: subscribing anew"]

    _tested(test)


def test_gap_after_gap_ends_the_connection() -> None:
    async def test(venue: PublicFeed) -> None:
        async with _following(venue) as (_feed, ears):
            client = await venue.connected()
            await client.say(book(0, 5), book(7, 8))
            await client.hears(2)
            await client.say(book(0, 10), book(12, 13))
            client = await venue.connected()
            await client.say(book(0, 20))
            assert await ears.nonces(3) == [5, 10, 20]
            assert "gap after gap" in ears.said[1]
            assert ears.said[2] == "feed is back"

    _tested(test)


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ({"channel": "order_book:1", "type": "update/order_book"}, "cannot be read"),
        (book(0, 1, ("1", "1")) | {"channel": "order_book:7"}, "cannot be read"),
        ({"error": {"code": 30005, "message": "Invalid Channel"}}, "refused with 30005: Invalid Channel"),
        ({"type": "error", "code": 30012, "message": "failed to subscribe"}, "refused with 30012: failed to subscribe"),
        ({"error": "no"}, "cannot be read"),
        (
            {
                "channel": "market_stats:1",
                "type": "update/market_stats",
                "market_stats": {"market_id": 2, "mark_price": "1", "index_price": "1"},
            },
            "market 2 in a frame of market 1",
        ),
    ],
)
def test_a_frame_that_cannot_be_followed_ends_the_connection(frame: Any, why: str) -> None:
    """It may have held what is needed: the next connection starts with a snapshot."""

    async def test(venue: PublicFeed) -> None:
        async with _following(venue) as (_feed, ears):
            client = await venue.connected()
            await client.say(frame)
            client = await venue.connected()
            await client.say(book(0, 20))
            assert await ears.nonces(1) == [20]
            assert why in ears.said[0]

    _tested(test)


def test_who_hears_may_find_a_frame_unreadable() -> None:
    async def test(venue: PublicFeed) -> None:
        async with _following(venue) as (_feed, ears):
            ears.refuse = True
            client = await venue.connected()
            await client.say(book(0, 5))
            client = await venue.connected()
            await client.say(book(0, 20))
            assert await ears.nonces(1) == [20]
            assert "no such price" in ears.said[0]

    _tested(test)


def test_a_lost_connection_comes_back_and_its_loss_is_said_once() -> None:
    async def test(venue: PublicFeed) -> None:
        async with _following(venue) as (feed, ears):
            for _ in range(3):
                client = await venue.connected()
                await client.drop()
            client = await venue.connected()
            assert feed.chains[1].broken_since is not None
            await client.say(book(0, 20))
            await ears.nonces(1)
            assert len(ears.said) == 2, ears.said
            assert ears.said[0].startswith("feed lost: closed by the venue")

    _tested(test)


def test_a_quiet_venue_is_pinged_and_a_silent_one_left() -> None:
    """The venue's pings are answered; an answer to ours shows that it lives."""

    async def test(venue: PublicFeed) -> None:
        async with _following(venue, silence_seconds=0.4, ping_seconds=0.04) as (_feed, ears):
            client = await venue.connected()
            await client.say({"type": "ping"})
            assert await client.hears(1) == ["pong"]
            for _ in range(10):
                assert (await client.heard.get())["type"] == "ping"
                await client.say({"type": "pong"})
            assert ears.said == []
            await venue.connected()
            assert "nothing heard for 0.4 s" in ears.said[0]

    _tested(test)


def test_a_venue_that_was_asked_too_often_is_left_alone_for_a_minute() -> None:
    async def test(venue: PublicFeed) -> None:
        venue.refuse_with = 429
        async with _following(venue, throttled_seconds=0.05) as (feed, ears):
            await venue.refused.wait()
            venue.refuse_with = 0
            client = await venue.connected()
            assert "HTTP 429" in ears.said[0]
            await client.say({"error": {"code": 30009, "message": "Too Many Messages!"}})
            await venue.connected()
            assert "refused with 30009" in ears.said[1]
            assert feed.settings.throttled_seconds > feed.settings.retry_seconds_max

    _tested(test)


def test_nobody_there_is_tried_again() -> None:
    async def test() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        said: asyncio.Queue[str] = asyncio.Queue()
        feed = Feed(_quick(f"http://127.0.0.1:{port}"), [1], say=said.put_nowait)
        async with asyncio.TaskGroup() as group:
            following = group.create_task(feed.run(lambda _frame, _lines: None))
            assert "no stream at ws://127.0.0.1" in await said.get()
            following.cancel()

    run(test)


needs_data = pytest.mark.skipif(not (DATA / "ws_frames").is_dir(), reason="no recordings; set LIGHTER_HEDGE_DATA")


@needs_data
def test_the_venues_own_frames_are_followed() -> None:
    """Captured public frames, of 2025 and 2026: none ends the connection, and each book is taken."""
    heard: list[TapeLine] = []
    for path in sorted((DATA / "ws_frames").glob("*.json")):
        captured = json.loads(path.read_text())
        channel = re.search(r'"channel": "(?:order_book|trade|market_stats):(\d+)"', json.dumps(captured["frame"]))
        if captured["source"]["provenance"].startswith("live") and channel is not None:
            feed = Feed(FeedSettings(base_url="http://venue"), [int(channel[1])], now=lambda: 0.0)
            feed.chains[int(channel[1])] = Chain(0.0)
            text = json.dumps(captured["frame"])
            assert feed._hear(text, lambda _frame, lines: heard.extend(lines)) == "", path.name
    assert {type(line).__name__ for line in heard} >= {"BookLine", "TradeLine", "StatsLine"}


@needs_data
def test_captured_books_of_2026_are_chains_and_a_captured_gap_is_one() -> None:
    def captured(name: str) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads((DATA / "ws_frames" / f"cmc_{name}.json").read_text())["frame"]
        return frame

    crv = [captured(f"update_order_book_crv_{number}") for number in range(1, 7)]
    assert _verdicts(captured("subscribed_order_book_crv_full"), *crv) == [Verdict.TAKE] * 7
    eth = [captured(f"update_order_book_eth_{name}") for name in ("1", "2", "3", "delete_gap")]
    assert _verdicts(captured("subscribed_order_book_eth_truncated"), *eth) == [Verdict.TAKE] * 4 + [Verdict.GAP]

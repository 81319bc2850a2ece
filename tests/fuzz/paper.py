"""The paper exchange as a target: whatever a client says, it gets an answer, and the exchange stays sound."""

import asyncio
import io
import itertools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import CIMultiDict, MultiDict
from tests.unit.simulator.paper_world import ASK, BID, MID, World, book_change, make_world

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.events import BookChange, Mark, Print, TrafficEvent
from lighter_hedge.simulator.core.faults.board import FaultError
from lighter_hedge.simulator.core.markets import MARKETS
from lighter_hedge.simulator.edge.connections import Connection
from lighter_hedge.simulator.edge.faults.plan import read_plan
from lighter_hedge.simulator.edge.rest.paths import BASE, Rest, json_errors
from lighter_hedge.simulator.edge.settings import PaperError, PaperSettings
from lighter_hedge.simulator.edge.stream import Stream, StreamError
from lighter_hedge.simulator.edge.venue import Venue
from lighter_hedge.simulator.traffic.feed import Chain, Feed, FeedSettings
from lighter_hedge.simulator.traffic.live import Live, LiveSettings
from lighter_hedge.simulator.traffic.tape import play_once
from lighter_hedge.simulator.traffic.tape_lines import TapeError

WORLD_MAX = 2_000
"""Inputs that one exchange takes: then a fresh one, so that a finding needs few inputs to be found again."""


class Paper:
    """A small exchange with a book, made anew now and then."""

    def __init__(self) -> None:
        self.world: World = make_world()
        self.venue: Venue
        self.left = 0

    def renew(self) -> None:
        """A fresh exchange, every ``WORLD_MAX`` inputs."""
        self.world = make_world()
        self.world.traffic(book_change((BID, MID - 10, 10_000), (ASK, MID + 10, 10_000), snapshot=True))
        self.venue = Venue(self.world.exchange, PaperSettings(traffic="none"), clock=lambda: self.world.now_us)
        self.left = WORLD_MAX

    def step(self, data: bytes) -> bytes:
        """Let a moment pass; the input with the next nonce of the first account's key in it."""
        self.left -= 1
        if self.left < 0:
            self.renew()
        self.world.now_us += 20_000
        if b"777777" not in data:
            return data
        account = 102 if b'"AccountIndex":102' in data or b'"AccountIndex": 102' in data else 101
        nonce = self.world.nonce(account)
        return data.replace(b"777777", b"%d" % nonce).replace(b"777778", b"%d" % (nonce + 1))

    def sound(self) -> None:
        """Nothing that cannot be stands in the exchange's books."""
        state = self.world.exchange.state
        for order in state.orders.values():
            assert 0 <= order.filled_lots <= order.size_lots
            assert order.price_ticks > 0
            assert type(order.side) is Side
        for account in state.accounts.values():
            assert type(account.collateral) is int
            assert all(key.nonce >= 0 for key in account.keys.values())


class PaperSocket(Paper):
    """What comes through a socket."""

    def renew(self) -> None:
        super().renew()
        self.stream = Stream(self.venue)
        self.connection = Connection(drop=lambda: None, outbox=asyncio.Queue())
        self.venue.connections.add(self.connection)

    def message(self, data: bytes) -> bool:
        """One text message; replies are JSON objects with a type or an error."""
        text = self.step(data).decode("utf-8", errors="replace")
        if self.left % 16 == 0:
            self.venue.connections.discard(self.connection)
            self.venue.connections.add(self.connection)
        try:
            self.stream._message(self.connection, text, "127.0.0.1")
        except StreamError as error:
            assert error.frame["error"]["code"] >= 20_000
            return False
        outbox = self.connection.outbox
        accepted = True
        while not outbox.empty():
            reply = json.loads(outbox.get_nowait())
            accepted &= reply.get("code", 200) == 200
        if self.left % 256 == 0:
            self.sound()
        return accepted


class _Request:
    """As much of a request as the handlers look at."""

    content_type = "application/x-www-form-urlencoded"

    def __init__(self, method: str, query: MultiDict[str]) -> None:
        self.method = method
        self.query = query
        self.headers: CIMultiDict[str] = CIMultiDict()
        self.remote = "127.0.0.1"
        self.transport = None

    async def post(self) -> MultiDict[str]:
        return self.query


class PaperRest(Paper):
    """What comes as a request."""

    def renew(self) -> None:
        super().renew()
        routes = Rest(self.venue).routes()
        self.handlers = {one.path.removeprefix(BASE): (one.method, one.handler) for one in routes}

    def request(self, data: bytes) -> bool:
        """One request, ``name?query``; the answer is JSON with a code, never an error of the server's own."""
        name, _, query = self.step(data).decode("utf-8", errors="replace").partition("?")
        if name not in self.handlers:
            return False
        method, handler = self.handlers[name]
        asked: MultiDict[str] = MultiDict(parse_qsl(query, keep_blank_values=True))
        answer = _done(json_errors(_Request(method, asked), handler))  # type: ignore[arg-type]
        assert isinstance(answer, web.Response)
        said = json.loads(answer.text or "")
        assert isinstance(said, dict)
        assert 200 <= answer.status < 600
        assert "code" in said or answer.status == 200
        if self.left % 256 == 0:
            self.sound()
        return answer.status == 200


def _done(work: Any) -> object:
    """The result of a coroutine that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("a handler waits")


def faults_taken() -> Callable[[bytes], bool]:
    """Faults armed by hand, as ``POST /paper/faults`` takes them."""
    paper = Paper()

    def run(data: bytes) -> bool:
        data = paper.step(data)
        try:
            asked = json.loads(data)
        except (ValueError, RecursionError):
            return False
        if not isinstance(asked, dict):
            return False
        try:
            shown = paper.venue.arm_fault(asked)
        except FaultError:
            return False
        json.dumps(shown, allow_nan=False)
        paper.venue.exchange.faults.clear(shown["id"])
        return True

    return run


def plan_taken(folder: Path) -> Callable[[bytes], bool]:
    """A plan of faults; what it holds can be armed."""
    path, board = folder / "plan.yaml", make_world().exchange.faults

    def run(data: bytes) -> bool:
        path.write_bytes(data)
        try:
            planned = read_plan(path, board)
        except PaperError:
            return False
        for one in planned:
            assert one.after_us >= 0
            json.dumps(board.arm(one.request, one.after_us).shown(), allow_nan=False)
        board.clear_all()
        return True

    return run


class _Memory:
    """A file that stands in memory: as much of a path as the reader of a tape looks at."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def open(self, mode: str) -> io.BytesIO:
        assert mode == "rb"
        return io.BytesIO(self._data)


def tape_taken(folder: Path) -> Callable[[bytes], bool]:
    """A tape; one that begins like gzip as a real file."""
    path = folder / "tape.jsonl"
    markets = tuple(MARKETS.values())

    def run(data: bytes) -> bool:
        file: Any = _Memory(data)
        if data[:2] == b"\x1f\x8b":
            path.write_bytes(data)
            file = path
        try:
            events = list(play_once(file, markets))
        except TapeError:
            return False
        for at_us, event in events:
            assert type(at_us) is int
            assert at_us >= 0
            _possible(event)
        return True

    return run


def _possible(event: TrafficEvent) -> None:
    match event:
        case BookChange():
            assert all(price > 0 and lots >= 0 for _, price, lots in event.updates)
        case Print():
            assert event.price_ticks > 0
            assert event.lots > 0
        case Mark():
            assert event.mark_ticks >= 0
            assert event.index_ticks >= 0


def feed_taken() -> Callable[[bytes], bool]:
    """Frames of a mirrored venue: followed, or the connection ends with a reason."""
    clock = itertools.count()
    feed = Feed(FeedSettings(base_url="http://venue"), [1], now=lambda: next(clock))
    feed.chains[1] = Chain(0.0)
    played: list[TrafficEvent] = []
    live = Live(feed, {1: MARKETS[1]}, played.append, LiveSettings(delay_seconds=0.0), now=lambda: next(clock))

    def run(data: bytes) -> bool:
        why = feed._hear(data.decode("utf-8", errors="replace"), live.hear)
        if why:
            feed.chains[1].lose(next(clock))
        live.advance(math.inf)
        while played:
            _possible(played.pop())
        feed._outbox.clear()
        return not why

    return run

"""The paper exchange with a stopwatch at its edge, and the conductor that fills and times one hedge after another.

Both times are read here, in one process, from ``CLOCK_MONOTONIC``: just before the first frame that tells A of its
fill is written to A's socket, and when B's transaction has been received whole and unpacked from its WebSocket frame,
before anything is done with it (over HTTP: when its headers have been read).
"""

import argparse
import asyncio
import json
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from lighter_hedge.domain.units import Side
from lighter_hedge.ops.ready import say_ready
from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.events import BookChange, Mark, TrafficEvent
from lighter_hedge.simulator.edge.connections import Connection
from lighter_hedge.simulator.edge.credentials import credentials, sdk_key, write_private
from lighter_hedge.simulator.edge.rest.paths import Handler
from lighter_hedge.simulator.edge.server import PaperSettings, application, build
from lighter_hedge.simulator.edge.stream import Stream
from lighter_hedge.simulator.edge.venue import Venue, clock_us

MARKET = 1
MID = 1_000_000
"""100,000.0 USDC in ticks of BTC."""
LOTS = 1_000_000
BOOK_EVERY_US = 50_000
HEDGE_SECONDS_MAX = 20.0
QUOTE_SECONDS_MAX = 60.0
POLL_SECONDS = 0.001
REST_SECONDS = (0.015, 0.030)
"""How long a quote of the desk rests before it is filled: what came before is done by then, and no fill meets a fixed
phase of the book's frames."""
PAUSE_SECONDS = (0.003, 0.008)
"""Between two hedges of the floor and of the plain way."""
SIGNATURE_MS = 599_000
"""Between signing and the signature's end, by the SDK."""


def busy_book() -> Iterator[tuple[int, TrafficEvent]]:
    """A deep book whose far levels change for ever, 20 times a second; its touch stays, so that no quote is moved."""
    near = tuple((side, MID - side.sign * 10 * step, LOTS) for side in Side for step in range(1, 21))
    yield 0, BookChange(market_index=MARKET, updates=near, snapshot=True)
    number = 0
    while True:
        number += 1
        at_us = number * BOOK_EVERY_US
        far = (Side.BID, MID - 300, LOTS + number % 7), (Side.ASK, MID + 300, LOTS + number % 5)
        yield at_us, BookChange(market_index=MARKET, updates=(*near[:1], *near[20:21], *far), snapshot=False)
        if number % 4 == 0:
            yield at_us, Mark(market_index=MARKET, mark_ticks=MID, index_ticks=MID)


class StampedQueue(asyncio.Queue[str]):
    """A connection's outbox that knows when a frame is about to be written, and can hold frames back."""

    def __init__(self, edge: "Edge") -> None:
        super().__init__()
        self.edge = edge
        self.connection: Connection | None = None

    def put_nowait(self, item: str) -> None:
        """Queue a frame, unless it is held back."""
        if not self.edge.holds_back(self, item):
            super().put_nowait(item)

    async def get(self) -> str:
        """The next frame; its writer writes it at once."""
        text = await super().get()
        self.edge.about_to_write(self, text)
        return text


class StampedStream(Stream):
    """The exchange's WebSocket with stamped outboxes."""

    def __init__(self, venue: Venue, edge: "Edge") -> None:
        super().__init__(venue)
        self.edge = edge

    def connection(self, request: web.Request) -> Connection:
        """What the exchange keeps of a new socket, with a stamped outbox."""
        connection = super().connection(request)
        outbox = connection.outbox = StampedQueue(self.edge)
        outbox.connection = connection
        return connection

    def _message(self, connection: Connection, text: str, address: str) -> None:
        self.edge.received(connection, text, time.monotonic_ns())
        super()._message(connection, text, address)


class Edge:
    """Fills, stamps, and plays the venue for the floor and the plain way."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        names = {account.name: index for index, account in venue.exchange.state.accounts.items()}
        self.maker, self.hedger = names["a"], names["b"]
        self.chance = random.Random(1)
        self.players: dict[str, web.WebSocketResponse] = {}
        """The processes of the floor and of the plain way, by name."""
        self.mode = ""
        self.fill_frame = ""
        """The last frame that told A of a fill."""
        self.hedge_bytes = ""
        """The last transaction of B."""
        self.armed = 0
        self._order_word = ""
        self._began_ns = 0
        self._began_ms = 0
        self._took: asyncio.Future[int] | None = None
        self._held: list[tuple[StampedQueue, str]] = []

    # --- stamps ---------------------------------------------------------------------------------------------------

    def about_to_write(self, queue: StampedQueue, text: str) -> None:
        """The clock starts at the first frame on A's own socket that tells of the awaited fill."""
        if self._took is None or self._began_ns or not self._order_word or self._order_word not in text:
            return
        if queue.connection is not None and f"account_all_orders:{self.maker}" in queue.connection.channels:
            self.fill_frame = text
            self._began_ms = time.time_ns() // 1_000_000
            self._began_ns = time.monotonic_ns()

    def received(self, connection: Connection, text: str, at_ns: int) -> None:
        """The clock stops at B's transaction."""
        if f"account_all_orders:{self.hedger}" not in connection.channels or "jsonapi/sendtx" not in text[:40]:
            return
        self.stop(at_ns)
        self.hedge_bytes = text
        signed_ms = int(json.loads(text)["data"]["tx_info"]["ExpiredAt"]) - SIGNATURE_MS
        self.armed += signed_ms < self._began_ms
        held, self._held = self._held, []
        for queue, frame in held:
            asyncio.Queue.put_nowait(queue, frame)

    def stop(self, at_ns: int) -> None:
        """A hedge has arrived."""
        if self._took is not None and not self._took.done() and self._began_ns:
            self._took.set_result(at_ns - self._began_ns)

    def holds_back(self, queue: StampedQueue, text: str) -> bool:
        """Whether a frame is B's drop copy of A's account, and must wait until B has hedged without it."""
        wanted = self.mode == "redis" and self._took is not None and not self._took.done()
        if not wanted or f'"account_all:{self.maker}"' not in text:
            return False
        if queue.connection is None or f"account_all_orders:{self.hedger}" not in queue.connection.channels:
            return False
        self._held.append((queue, text))
        return True

    # --- conducting -----------------------------------------------------------------------------------------------

    async def run(self, mode: str, count: int) -> dict[str, Any]:
        """Time ``count`` hedges: ``redis``, ``both``, ``floor`` or ``plain``."""
        self.mode, self.armed = mode, 0
        if mode == "floor":
            await self.players["floor_b"].send_str(self.hedge_bytes)
            await asyncio.sleep(0.1)
        times = [await (self._desk() if mode in ("redis", "both") else self._player(f"{mode}_a")) for _ in range(count)]
        return {"ns": times, "armed": self.armed}

    async def _desk(self) -> int:
        orders = self.venue.exchange.state.open_of[self.maker]
        async with asyncio.timeout(QUOTE_SECONDS_MAX):
            while not orders:  # noqa: ASYNC110 - the exchange's state tells nobody
                await asyncio.sleep(POLL_SECONDS)
        await asyncio.sleep(self.chance.uniform(*REST_SECONDS))
        self._order_word = str(next(iter(orders)))
        self._expect()
        self.venue.arm_fault({"kind": "fill_now", "account": "a"})
        return await self._awaited()

    async def _player(self, name: str) -> int:
        await asyncio.sleep(self.chance.uniform(*PAUSE_SECONDS))
        self._expect()
        self._began_ns = time.monotonic_ns()
        await self.players[name].send_str(self.fill_frame)
        return await self._awaited()

    def _expect(self) -> None:
        self._began_ns = 0
        self._took = asyncio.get_running_loop().create_future()

    async def _awaited(self) -> int:
        assert self._took is not None
        async with asyncio.timeout(HEDGE_SECONDS_MAX):
            took = await self._took
        self._took = None
        return took

    # --- routes ---------------------------------------------------------------------------------------------------

    def routes(self) -> list[web.RouteDef]:
        """What the benchmark adds to the exchange."""
        return [web.get("/bench/player/{name}", self.player), web.post("/bench/run", self.ask)]

    async def player(self, request: web.Request) -> web.WebSocketResponse:
        """A process of the floor or of the plain way: hears fills, or sends hedges."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.players[request.match_info["name"]] = socket
        async for message in socket:
            at_ns = time.monotonic_ns()
            if message.type is WSMsgType.TEXT:
                self.stop(at_ns)
        return socket

    async def ask(self, request: web.Request) -> web.Response:
        """Run a block; answers when it is over."""
        wanted = await request.json()
        return web.json_response(await self.run(wanted["mode"], wanted["count"]))

    @web.middleware
    async def stamp_http(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The plain way's clock stops when its request's headers have been read."""
        if request.path == "/api/v1/sendTx" and self.mode == "plain":
            self.stop(time.monotonic_ns())
        return await handler(request)


async def main(credentials_file: Path) -> None:
    """Serve until SIGTERM."""
    settings = PaperSettings(
        tier=Tier.UNLIMITED, wallets="shared", accounts=("a", "b", "plain_a", "plain_b"), collateral=1_000_000
    )
    exchange, secrets = build(settings, None, clock_us(), sdk_key)
    venue = Venue(exchange, settings)
    edge = Edge(venue)
    app = application(venue)
    stream = StampedStream(venue, edge)
    outer = web.Application(middlewares=[edge.stamp_http, *app.middlewares])
    outer.add_routes([web.get("/stream", stream.handle), *edge.routes()])
    outer.add_routes(list(_plain_routes(app)))
    runner = web.AppRunner(outer, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    exchange.attach_traffic(busy_book(), venue.now_us())
    venue.step()
    accounts = list(exchange.state.accounts.values())
    write_private(credentials_file, credentials(base_url, settings.chain_id, accounts, secrets))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    say_ready(os.environ)
    with suppress(asyncio.CancelledError):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(venue.run()), group.create_task(venue.heartbeat())]
            await stop.wait()
            for task in tasks:
                task.cancel()
    await runner.cleanup()


def _plain_routes(app: web.Application) -> Iterator[web.RouteDef]:
    """The exchange's own routes but its WebSocket."""
    for route in app.router.routes():
        assert route.resource is not None
        if route.method != "HEAD" and route.resource.canonical != "/stream":
            yield web.route(route.method, route.resource.canonical, route.handler)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--credentials", type=Path, required=True)
    asyncio.run(main(parser.parse_args().credentials))

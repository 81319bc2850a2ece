"""A venue's public feed that says what a test tells it to: REST ``orderBooks`` and ``/stream``."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer


class Socket:
    """One connection of the client under test."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def say(self, *frames: Any) -> None:
        for frame in frames:
            await self._socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))

    async def hears(self, count: int) -> list[str]:
        """The next requests but pings, as ``verb channel``."""
        found: list[str] = []
        while len(found) < count:
            message = await self.heard.get()
            if message["type"] != "ping":
                found.append(f"{message['type']} {message.get('channel', '')}".strip())
        return found

    async def drop(self) -> None:
        await self._socket.close()


class PublicFeed:
    """The venue; each connection waits in ``sockets``."""

    def __init__(self) -> None:
        self.sockets: asyncio.Queue[Socket] = asyncio.Queue()
        self.refuse_with = 0
        self.refused = asyncio.Event()
        self.order_books: Any = {"order_books": [{"symbol": "ETH", "market_id": 0}, {"symbol": "BTC", "market_id": 1}]}
        self.base_url = ""

    async def connected(self) -> Socket:
        """The next connection, after its subscriptions to one market."""
        socket = await self.sockets.get()
        assert await socket.hears(3) == ["subscribe order_book/1", "subscribe trade/1", "subscribe market_stats/1"]
        return socket

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if self.refuse_with:
            self.refused.set()
            return web.Response(status=self.refuse_with)
        assert request.query["readonly"] == "true"
        raw = web.WebSocketResponse()
        await raw.prepare(request)
        socket = Socket(raw)
        await socket.say({"session_id": "s", "type": "connected"})
        self.sockets.put_nowait(socket)
        async for message in raw:
            socket.heard.put_nowait(json.loads(message.data))
        return raw

    async def _order_books(self, _request: web.Request) -> web.Response:
        return web.json_response(self.order_books)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["PublicFeed"]:
        app = web.Application()
        app.add_routes([web.get("/stream", self._stream), web.get("/api/v1/orderBooks", self._order_books)])
        async with TestServer(app) as server:
            self.base_url = str(server.make_url("")).rstrip("/")
            yield self


def book(begin: int, nonce: int, *bids: tuple[str, str], t: int = 1_000, begun: bool = True) -> dict[str, Any]:
    """A frame of the book of BTC: the snapshot if ``begin`` is 0."""
    body: dict[str, Any] = {
        "code": 0,
        "asks": [],
        "bids": [{"price": price, "size": size} for price, size in bids],
        "offset": nonce,
    }
    if begun:
        body |= {"nonce": nonce, "begin_nonce": begin}
    verb = "update" if begin else "subscribed"
    return {"channel": "order_book:1", "order_book": body, "timestamp": t, "type": f"{verb}/order_book"}


def trade(trade_id: int, price: str, size: str, *, t: int = 1_000, history: bool = False) -> dict[str, Any]:
    """A frame with one sale of BTC."""
    row = {"trade_id": trade_id, "price": price, "size": size, "is_maker_ask": False, "timestamp": t}
    return {"channel": "trade:1", "trades": [row], "type": "subscribed/trade" if history else "update/trade"}

"""A few hundred words of the venue: enough HTTP and WebSocket to test the adapter against, on a free local port."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web

OWN, OTHER, KEY = 51, 52, 4
WALLET = "0xAbc0000000000000000000000000000000000001"

Body = dict[str, Any]


def market_row(symbol: str = "BTC", market_id: int = 1) -> Body:
    return {
        "symbol": symbol,
        "market_id": market_id,
        "market_type": "perp",
        "status": "active",
        "min_base_amount": "0.00020",
        "min_quote_amount": "10.000000",
        "size_decimals": 5,
        "price_decimals": 1,
        "default_initial_margin_fraction": 500,
    }


def account_row(index: int, **changes: Any) -> Body:
    row: Body = {
        "index": index,
        "l1_address": WALLET,
        "available_balance": "1000.500000",
        "total_order_count": 3,
        "positions": [],
    }
    return row | changes


def trade_row(**changes: Any) -> Body:
    row: Body = {
        "trade_id": 900,
        "market_id": 1,
        "type": "trade",
        "size": "0.00100",
        "price": "64500.5",
        "usd_amount": "64.500500",
        "ask_id": 281474976710700,
        "bid_id": 562949953421400,
        "ask_client_id": 77,
        "bid_client_id": 88,
        "ask_account_id": OWN,
        "bid_account_id": OTHER,
        "is_maker_ask": True,
        "timestamp": 1785431769123,
    }
    return row | changes


def order_row(**changes: Any) -> Body:
    row: Body = {
        "order_index": 281474976710700,
        "client_order_index": 77,
        "market_index": 1,
        "initial_base_amount": "0.00100",
        "price": "64500.5",
        "filled_base_amount": "0.00040",
        "filled_quote_amount": "25.800200",
        "is_ask": True,
        "status": "open",
        "created_at": 1785431769,
        "unknown_to_us": [1],
    }
    return row | changes


def book(kind: str = "subscribed", **changes: Any) -> Body:
    body: Body = {"code": 0, "asks": [], "bids": [], "nonce": 10, "begin_nonce": 0, "offset": 1}
    return {"type": f"{kind}/order_book", "channel": "order_book:1", "order_book": body | changes}


class FakeLighter:
    """Answers reads with ``bodies`` and greets every subscription with a snapshot."""

    def __init__(self) -> None:
        self.port = 0
        self.bodies: dict[str, tuple[int, Any]] = {
            "accountLimits": (200, {"code": 200, "user_tier": "premium"}),
            "orderBookDetails": (200, {"code": 200, "order_book_details": [market_row(), market_row("ETH", 0)]}),
            "nextNonce": (200, {"code": 200, "nonce": 7}),
            "apikeys": (200, {"code": 200, "api_keys": []}),
            "sendTx": (200, {"code": 200, "tx_hash": "ab"}),
        }
        self.accounts = {OWN: account_row(OWN), OTHER: account_row(OTHER)}
        self.requests: list[tuple[str, dict[str, str], str]] = []
        """Endpoint, query or form, authorization."""
        self.heard: list[Body] = []
        """What clients said over the socket."""
        self.connections = 0
        self.sockets: list[web.WebSocketResponse] = []
        self.silent_channels: set[str] = set()
        self.snapshots: dict[str, Body] = {}
        self.replies: Callable[[Body], list[Body]] = lambda data: [
            {"type": "jsonapi/sendtx", "id": data["id"], "code": 200, "tx_hash": "ab"}
        ]
        self.hang_up = False
        self.refusal = 0
        """HTTP status instead of a stream."""
        self.greet = True
        self.heard_something = asyncio.Event()
        self.met_someone = asyncio.Event()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/stream"

    def hold_key(self, public_key: str, account: int = OWN, index: int = KEY) -> None:
        row = {"account_index": account, "api_key_index": index, "nonce": 7, "public_key": public_key}
        self.bodies["apikeys"] = (200, {"code": 200, "api_keys": [row]})

    async def push(self, frame: Body) -> None:
        for socket in self.sockets:
            await socket.send_json(frame)

    async def drop(self) -> None:
        for socket in self.sockets:
            await socket.close()
        self.sockets.clear()

    async def heard_until(self, wanted: Callable[[Body], bool]) -> Body:
        async with asyncio.timeout(5):
            while True:
                for message in self.heard:
                    if wanted(message):
                        return message
                self.heard_something.clear()
                await self.heard_something.wait()

    async def connected(self, times: int) -> None:
        while self.connections < times:
            self.met_someone.clear()
            await self.met_someone.wait()

    # --- server -------------------------------------------------------------------------------------------------

    async def _rest(self, request: web.Request) -> web.Response:
        endpoint = request.match_info["endpoint"]
        fields = dict(request.query) | {name: str(value) for name, value in (await request.post()).items()}
        self.requests.append((endpoint, fields, request.headers.get("authorization", "")))
        if endpoint == "account" and "account" not in self.bodies:
            row = self.accounts[int(fields["value"])]
            return web.json_response({"code": 200, "accounts": [row]})
        status, body = self.bodies.get(endpoint, (404, {"code": 29404, "message": "not found"}))
        if status == 0:
            assert request.transport is not None
            request.transport.close()
        if isinstance(body, str):
            return web.Response(status=status, text=body)
        return web.json_response(body, status=status or 200)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        if self.refusal:
            raise web.HTTPTooManyRequests if self.refusal == 429 else web.HTTPServiceUnavailable
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        self.met_someone.set()
        if self.hang_up:
            await socket.close()
            return socket
        self.sockets.append(socket)
        if self.greet:
            await socket.send_json({"session_id": "s", "type": "connected"})
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._hear(socket, message.json())
        return socket

    async def _hear(self, socket: web.WebSocketResponse, said: Body) -> None:
        self.heard.append(said)
        self.heard_something.set()
        match said["type"]:
            case "subscribe" if said["channel"] not in self.silent_channels:
                await socket.send_json(self._snapshot(said["channel"]))
            case "unsubscribe":
                await socket.send_json({"type": "unsubscribed", "channel": said["channel"].replace("/", ":")})
            case "ping":
                await socket.send_json({"type": "pong"})
            case "jsonapi/sendtx":
                for frame in self.replies(said["data"]):
                    await socket.send_json(frame)
            case _:
                pass

    def _snapshot(self, channel: str) -> Body:
        if channel in self.snapshots:
            return self.snapshots[channel]
        name = channel.partition("/")[0]
        parts: dict[str, Body] = {
            "order_book": {"order_book": book()["order_book"]},
            "market_stats": {"market_stats": {"mark_price": "64500.12"}},
            "user_stats": {"stats": {"available_balance": "12.345678"}},
        }
        envelope = {"type": f"subscribed/{name}", "channel": channel.replace("/", ":")}
        return envelope | parts.get(name, {})


@asynccontextmanager
async def lighter_server() -> AsyncIterator[FakeLighter]:
    """The fake, listening until the end of the block."""
    fake = FakeLighter()
    app = web.Application()
    app.router.add_route("*", "/api/v1/{endpoint}", fake._rest)
    app.router.add_get("/stream", fake._stream)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.port = runner.addresses[0][1]
    try:
        yield fake
    finally:
        await fake.drop()
        await runner.cleanup()

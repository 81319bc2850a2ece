"""WebSocket of the paper exchange: subscriptions, snapshots, pings, and transactions over the socket."""

import asyncio
import json
import uuid
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from lighter_hedge.simulator.core.pushes import BestChanged, Traded
from lighter_hedge.simulator.edge import wire
from lighter_hedge.simulator.edge.auth import AuthError, check_token
from lighter_hedge.simulator.edge.numerals import whole_number
from lighter_hedge.simulator.edge.sending import Answer, send_batch, send_one
from lighter_hedge.simulator.edge.venue import Connection, Venue, account_of, height_frame, is_private, text_of

NEEDS_AUTH = frozenset(
    {"account_all_orders", "account_orders", "account_all_trades", "account_all_positions", "account_tx"}
)
PUBLIC_ACCOUNT = frozenset({"account_all", "user_stats"})
PER_MARKET = frozenset({"order_book", "ticker", "trade", "market_stats"})
HISTORY_TRADES = 50


class StreamError(Exception):
    """A message that is answered with an error frame."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.frame = wire.error(code, message)


class Stream:
    """Handler of ``/stream``."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.state = venue.exchange.state

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one socket until it ends."""
        socket = web.WebSocketResponse(max_msg_size=1 << 20)
        await socket.prepare(request)
        transport = request.transport
        assert transport is not None
        connection = Connection(drop=transport.abort, outbox=asyncio.Queue(self.venue.settings.send_queue_max))
        self.venue.connections.add(connection)
        try:
            async with asyncio.TaskGroup() as group:
                heard = asyncio.Event()
                tasks = [
                    group.create_task(_write(socket, connection)),
                    group.create_task(self._keep_alive(socket, connection, heard)),
                ]
                connection.send(text_of({"session_id": str(uuid.uuid4()), "type": "connected"}))
                await self._read(socket, connection, request.remote or "", heard)
                for task in tasks:
                    task.cancel()
        finally:
            self.venue.connections.discard(connection)
        return socket

    async def _read(
        self, socket: web.WebSocketResponse, connection: Connection, address: str, heard: asyncio.Event
    ) -> None:
        async for message in socket:
            heard.set()
            if message.type is WSMsgType.TEXT:
                try:
                    self._message(connection, message.data, address)
                except StreamError as error:
                    connection.send(text_of(error.frame))

    async def _keep_alive(self, socket: web.WebSocketResponse, connection: Connection, heard: asyncio.Event) -> None:
        """Ping a silent client; close with 1008 when it stays silent."""
        pinged = False
        while True:
            heard.clear()
            try:
                async with asyncio.timeout(self.venue.settings.ping_seconds):
                    await heard.wait()
                pinged = False
            except TimeoutError:
                if pinged:
                    await socket.close(code=1008, message=b"no pong")
                    return
                connection.send(text_of({"type": "ping"}))
                pinged = True

    def _message(self, connection: Connection, text: str, address: str) -> None:
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            raise StreamError(30000, "Invalid JSON") from None
        if not isinstance(message, dict):
            raise StreamError(30000, "Invalid JSON")
        match message.get("type"):
            case "ping":
                connection.send(text_of({"type": "pong"}))
            case "pong":
                return
            case "subscribe":
                self._subscribe(connection, message)
            case "unsubscribe":
                self._unsubscribe(connection, message)
            case "jsonapi/sendtx" | "jsonapi/sendtxbatch":
                self._send(connection, message, address)
            case _:
                raise StreamError(30001, "Invalid Type")

    # --- transactions ---

    def _send(self, connection: Connection, message: dict[str, Any], address: str) -> None:
        data = message.get("data")
        if not isinstance(data, dict):
            raise StreamError(30007, "Invalid Data")
        if message["type"] == "jsonapi/sendtx":
            answer: Answer = send_one(self.venue, data.get("tx_type"), data.get("tx_info"), address)
        else:
            answer = send_batch(self.venue, data.get("tx_types"), data.get("tx_infos"), address)
        if not answer.lost:
            connection.send(text_of({"type": message["type"], "id": data.get("id", ""), **answer.body}))

    # --- subscriptions ---

    def _unsubscribe(self, connection: Connection, message: dict[str, Any]) -> None:
        channel = str(message.get("channel", "")).replace("/", ":")
        if channel not in connection.channels:
            raise StreamError(30002, f"Not Subscribed to : {channel}")
        connection.channels.discard(channel)
        connection.send(text_of({"type": "unsubscribed", "channel": channel}))

    def _subscribe(self, connection: Connection, message: dict[str, Any]) -> None:
        channel = str(message.get("channel", "")).replace("/", ":")
        if channel in connection.channels:
            raise StreamError(30003, f"Already Subscribed to : {channel}")
        now_us = self.venue.step()
        snapshot = self._snapshot(channel, message, now_us)
        connection.channels.add(channel)
        connection.send(text_of(snapshot))
        if is_private(channel):
            connection.accounts.add(account_of(channel))
        for text in self.venue.replayed(channel, now_us):
            connection.send(text)

    def _snapshot(self, channel: str, message: dict[str, Any], now_us: int) -> dict[str, Any]:
        name, *parts = channel.split(":")
        if channel == "height":
            return height_frame(self.state.height(now_us), now_us, "subscribed")
        if channel == "market_stats:all":
            return self._all_market_stats(now_us)
        numbers = [number for part in parts if (number := whole_number(part)) is not None]
        if not parts or len(numbers) != len(parts):
            raise StreamError(30005, "Invalid Channel")
        if name in PER_MARKET and len(numbers) == 1:
            return self._market_snapshot(name, numbers[0], now_us)
        if name in NEEDS_AUTH | PUBLIC_ACCOUNT and len(numbers) == (2 if name == "account_orders" else 1):
            return self._account_snapshot(name, numbers, message, now_us)
        raise StreamError(30005, "Invalid Channel")

    def _all_market_stats(self, now_us: int) -> dict[str, Any]:
        return {
            "channel": "market_stats:all",
            "market_stats": {
                str(index): wire.market_stats(self.state.stats(index, now_us), self.state.markets)
                for index in self.state.markets
            },
            "timestamp": now_us // 1000,
            "type": "subscribed/market_stats",
        }

    def _market_snapshot(self, name: str, market: int, now_us: int) -> dict[str, Any]:
        exchange, markets = self.venue.exchange, self.state.markets
        if market not in markets:
            raise StreamError(30005, "Invalid Channel:  (marketId)")
        published = self.state.market_states[market]
        match name:
            case "order_book":
                self.venue.publish(exchange.publisher.flush_book(market, now_us), now_us)
                return wire.order_book(exchange.publisher.book_snapshot(market, now_us), markets)
            case "ticker":
                bid, ask = exchange.publisher.best(market)
                nonce = self.state.counters.sequence
                best = BestChanged(market_index=market, nonce=nonce, bid=bid, ask=ask, at_us=now_us, snapshot=True)
                return wire.ticker(best, markets)
            case "trade":
                trades = tuple(published.trades)[:HISTORY_TRADES]
                nonce = self.state.counters.sequence
                traded = Traded(market_index=market, nonce=nonce, trades=trades, snapshot=True)
                return wire.trade_frame(traded, markets)
            case _:
                return {
                    "channel": f"market_stats:{market}",
                    "market_stats": wire.market_stats(self.state.stats(market, now_us), markets),
                    "timestamp": now_us // 1000,
                    "type": "subscribed/market_stats",
                }

    def _account_snapshot(self, name: str, numbers: list[int], message: dict[str, Any], now_us: int) -> dict[str, Any]:
        index = numbers[-1]
        if name in NEEDS_AUTH:
            self._check_auth(name, numbers, message.get("auth"), now_us)
        account = self.venue.account(index)
        if account is None:
            raise StreamError(30005, "Invalid Channel:  (accountId)")
        positions = {
            str(market): wire.position(self.state.position_view(account, market), self.state.markets)
            for market in sorted(account.positions)
        }
        orders = wire.orders_by_market(tuple(self.state.open_of[index].values()), self.state.markets)
        channel = ":".join([name, *map(str, numbers)])
        head = {"channel": channel, "type": f"subscribed/{name}"}
        volume = account.volume / 1_000_000
        builders: dict[str, Callable[[], dict[str, Any]]] = {
            "account_all": lambda: wire.account_all_snapshot(account, positions),
            "account_all_orders": lambda: {"orders": orders},
            "account_orders": lambda: {
                "account": index,
                "nonce": self.state.counters.sequence,
                "orders": {key: rows for key, rows in orders.items() if key == str(numbers[0])},
            },
            "account_all_trades": lambda: {
                "trades": {},
                **{f"{span}_volume": volume for span in ("total", "monthly", "weekly", "daily")},
            },
            "account_all_positions": lambda: {"positions": positions, "shares": []},
            "user_stats": lambda: {
                "stats": wire.user_stats(account.collateral, self.state.health(account)),
                "timestamp": now_us // 1000,
            },
            "account_tx": dict,
        }
        return {**builders[name](), **head}

    def _check_auth(self, name: str, numbers: list[int], token: object, now_us: int) -> None:
        if not isinstance(token, str) or not token:
            channel = ":".join([name, *map(str, numbers)])
            raise StreamError(20001, f"invalid param : auth field is required: {channel}")
        try:
            verify = self.venue.settings.verify_signatures
            check_token(self.venue.exchange, token, numbers[-1], now_us, verify=verify)
        except AuthError as error:
            raise StreamError(error.code, error.message) from None


async def _write(socket: web.WebSocketResponse, connection: Connection) -> None:
    while True:
        text = await connection.outbox.get()
        try:
            await socket.send_str(text)
        except ConnectionResetError:
            connection.drop()
            return

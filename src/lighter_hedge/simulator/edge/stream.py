"""WebSocket of the paper exchange: subscriptions, pings, limits, and transactions over the socket."""

import asyncio
import json
import uuid
from typing import Any

from aiohttp import WSMessage, WSMsgType, web

from lighter_hedge.simulator.edge import channels
from lighter_hedge.simulator.edge.answers import Answer
from lighter_hedge.simulator.edge.auth import AuthError, check_token
from lighter_hedge.simulator.edge.channels import NoChannel, Topic
from lighter_hedge.simulator.edge.connections import Connection, Outbox
from lighter_hedge.simulator.edge.sending import send_batch, send_one
from lighter_hedge.simulator.edge.venue import Venue, text_of

BATCH_MAX = 15
"""Transactions in one batch over the WebSocket."""
SHOWN_MAX = 100
"""Characters of what a client has said that an error repeats."""
CLOSE_SECONDS = 5.0
"""How long a closed client may take to agree, before it is dropped."""
CLOSES = {1001: "going away", 1008: "no pong"}
"""What is said with a code."""
WORDS = {
    20001: "invalid param : auth field is required",
    23001: "Too Many Subscriptions!",
    23002: "Too Many Different Accounts!",
    23003: "Too Many Connections!",
    30000: "Invalid Json",
    30001: "Invalid Type",
    30002: "Not Subscribed to ",
    30003: "Already Subscribed to ",
    30004: "Failed to fetch ",
    30005: "Invalid Channel",
    30006: "Operation isn't supported ",
    30007: "Invalid Data",
    30008: "Invalid account type",
    30009: "Too Many Websocket Messages!",
    30010: "Too Many Inflight Messages!",
    30011: "Failed to connect",
    30012: "Failed to subscribe",
}
"""The venue's words. 20001, 30003, 30005 and 30009 as recorded, the others from its list of errors."""


class StreamError(Exception):
    """A message that is answered with an error frame."""

    def __init__(self, code: int, detail: str = "", *, words: str = "") -> None:
        """Take the words, or what the venue adds to its own after a colon."""
        said = words or WORDS.get(code, "error") + (f": {detail[:SHOWN_MAX]}" if detail else "")
        super().__init__(said)
        self.frame: dict[str, Any] = {"error": {"code": code, "message": said}}
        """It has no type, and names neither message nor channel but in its words."""


class Stream:
    """Handler of ``/stream``."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.state = venue.exchange.state

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one socket until it ends."""
        socket = web.WebSocketResponse(max_msg_size=1 << 20, autoping=False)
        await socket.prepare(request)
        connection, address = self.connection(request), request.remote or ""
        if not self.venue.addresses.opens(address, self.venue.now_us()):
            await socket.send_str(text_of(StreamError(23003).frame))
            await socket.close(code=1008, message=b"too many connections")
            return socket
        self.venue.connections.add(connection)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(_write(socket, connection)),
                    group.create_task(self._keep_alive(socket, connection)),
                ]
                connection.send(text_of({"session_id": str(self._session_id()), "type": "connected"}))
                await self._read(socket, connection, address)
                for task in tasks:
                    task.cancel()
        finally:
            self.venue.connections.discard(connection)
            self.venue.addresses.closes(address)
        return socket

    def _session_id(self) -> uuid.UUID:
        """The same ones for the same seed."""
        return uuid.UUID(int=self.venue.session_ids.getrandbits(128), version=4)

    def connection(self, request: web.Request) -> Connection:
        """What the exchange keeps of a new socket."""
        assert request.transport is not None
        return Connection(
            drop=request.transport.abort,
            outbox=Outbox(self.venue.settings.outbox_length_max),
            read_only=request.query.get("readonly") == "true",
            heard_at=asyncio.get_running_loop().time(),
        )

    async def _read(self, socket: web.WebSocketResponse, connection: Connection, address: str) -> None:
        clock = asyncio.get_running_loop().time
        async for message in socket:
            connection.heard_at = clock()
            if message.type is WSMsgType.PING:
                await _pong(socket, message)
            elif message.type is not WSMsgType.PONG:
                text = message.data if message.type is WSMsgType.TEXT else ""
                try:
                    self._message(connection, text, address)
                except StreamError as error:
                    connection.send(text_of(error.frame))

    async def _keep_alive(self, socket: web.WebSocketResponse, connection: Connection) -> None:
        """Ping a silent client; close with 1008 when it stays silent."""
        every, clock = self.venue.settings.ping_seconds, asyncio.get_running_loop().time
        pinged_at = -1.0
        while True:
            silent = clock() - connection.heard_at
            if silent >= 2 * every:
                await _close(socket, connection, 1008, "no pong")
                return
            if silent >= every and pinged_at < connection.heard_at:
                connection.send(text_of({"type": "ping"}))
                pinged_at = clock()
            await asyncio.sleep((every if silent < every else 2 * every) - silent)

    def _message(self, connection: Connection, text: str, address: str) -> None:
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            raise StreamError(30000) from None
        if not isinstance(message, dict):
            raise StreamError(30000)
        kind = message.get("type")
        if kind == "jsonapi/sendtx" or kind == "jsonapi/sendtxbatch":
            self._send(connection, message, address)
            return
        if kind == "pong":
            return
        self._check_limits(connection, address)
        match kind:
            case "ping":
                connection.send(text_of({"type": "pong"}))
            case "subscribe":
                self._subscribe(connection, message)
            case "unsubscribe":
                self._unsubscribe(connection, message)
            case _:
                raise StreamError(30001)

    def _check_limits(self, connection: Connection, address: str) -> None:
        if not self.venue.addresses.speaks(address, self.venue.now_us()):
            raise StreamError(30009)
        most = self.venue.settings.stream_limits.in_flight_max
        if most is None:
            return
        if connection.in_flight() >= most:
            raise StreamError(30010)
        connection.unanswered.append(connection.queued + 1)

    # --- transactions ---

    def _send(self, connection: Connection, message: dict[str, Any], address: str) -> None:
        if connection.read_only:
            raise StreamError(30006, message["type"])
        data = message.get("data")
        if not isinstance(data, dict):
            raise StreamError(30007)
        if message["type"] == "jsonapi/sendtx":
            answer = send_one(self.venue, data.get("tx_type"), data.get("tx_info"), address)
        else:
            types, infos = data.get("tx_types"), data.get("tx_infos")
            answer = send_batch(self.venue, types, infos, address, most=BATCH_MAX)
        self._answer(connection, answer, {"type": message["type"], "id": data.get("id", "")})

    def _answer(self, connection: Connection, answer: Answer, head: dict[str, Any]) -> None:
        text = text_of({**head, **answer.body})
        if answer.dropped:
            connection.drop()
        elif answer.delay_ms and not answer.lost:
            self.venue.frame_faults.later(connection, text, self.venue.now_us() + answer.delay_ms * 1000)
            self.venue.wake.set()
        elif not answer.lost:
            connection.send(text)

    # --- subscriptions ---

    def _unsubscribe(self, connection: Connection, message: dict[str, Any]) -> None:
        channel = str(message.get("channel", "")).replace("/", ":")
        if channel not in connection.channels:
            raise StreamError(30002, channel)
        self.venue.connections.unsubscribe(connection, channel)
        # The one frame that the venue writes with blanks.
        connection.send(json.dumps({"type": "unsubscribed", "channel": channel}))

    def _subscribe(self, connection: Connection, message: dict[str, Any]) -> None:
        try:
            topic = channels.find(self.venue.exchange, str(message.get("channel", "")))
        except NoChannel as error:
            raise StreamError(30005, f" {error}" if error.args else "") from None
        if topic.text in connection.channels:
            raise StreamError(30003, topic.text)
        now_us = self.venue.step()
        if topic.kind.auth:
            self._check_auth(topic, message.get("auth"), now_us)
        if topic.account_index is not None and self.venue.account(topic.account_index) is None:
            raise StreamError(30005, " (accountId)")
        self._check_room(connection, topic)
        self._check_fault(topic, now_us)
        snapshot = self.venue.snapshot(topic, now_us)
        self.venue.connections.subscribe(connection, topic.text)
        connection.send(snapshot)
        if topic.account_index is not None:
            connection.accounts.add(topic.account_index)
        for text in self.venue.replayed(topic.text, now_us):
            connection.send(text)

    def _check_room(self, connection: Connection, topic: Topic) -> None:
        limits = self.venue.settings.stream_limits
        if limits.subscriptions_max is not None and len(connection.channels) >= limits.subscriptions_max:
            raise StreamError(23001)
        is_new = topic.account_index is not None and topic.account_index not in connection.accounts
        if is_new and limits.accounts_max is not None and len(connection.accounts) >= limits.accounts_max:
            raise StreamError(23002)

    def _check_fault(self, topic: Topic, now_us: int) -> None:
        fault = self.venue.exchange.faults.strike("refuse_subscribe", now_us, topic.account_index)
        if fault is not None:
            code = fault.number("code")
            raise StreamError(code, topic.text if WORDS.get(code, "").endswith(" ") else "")

    def _check_auth(self, topic: Topic, token: object, now_us: int) -> None:
        if not isinstance(token, str) or not token:
            raise StreamError(20001, topic.text)
        assert topic.account_index is not None
        try:
            verify = self.venue.settings.verify_signatures
            check_token(self.venue.exchange, token, topic.account_index, now_us, verify=verify)
        except AuthError as error:
            raise StreamError(error.code, words=error.message) from None


async def _pong(socket: web.WebSocketResponse, message: WSMessage) -> None:
    try:
        await socket.pong(message.data)
    except ConnectionError:
        return


async def _close(socket: web.WebSocketResponse, connection: Connection, code: int, why: str) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await socket.close(code=code, message=why.encode())
    except TimeoutError:
        connection.drop()


async def _write(socket: web.WebSocketResponse, connection: Connection) -> None:
    while True:
        text = await connection.outbox.get()
        if not text:
            await _close(socket, connection, connection.close_code, CLOSES.get(connection.close_code, ""))
            return
        try:
            await socket.send_str(text)
        except ConnectionError:
            connection.drop()
            return
        connection.written += 1

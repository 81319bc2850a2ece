"""Bad WebSocket messages, each with what the venue answers: an error frame with a code, or a close with one."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
from aiohttp import WSCloseCode, WSMsgType
from tests.fuzz.corpus import HEAD, socket_messages
from tests.fuzz.mutator import Mutator
from tests.integration.paper_client import Paper

TX = "jsonapi/sendtx"
BATCH = "jsonapi/sendtxbatch"
HALF = "\ud800"
"""Half a character: JSON can escape it, UTF-8 cannot write it."""


def _said(**message: Any) -> str:
    return json.dumps(message)


def _sent(data: Any, kind: str = TX) -> str:
    return json.dumps({"type": kind, "data": data})


def _with_token(auth: Any) -> str:
    return _said(type="subscribe", channel="account_tx/{a}", auth=auth)


NO_JSON = (
    "", " ", "{", "}", "hello", "\x00", "\ufeff{}", "{'type':'ping'}", '{"type":"ping"', '{"type":"ping"}}', "[]", "1",
    "null", '"x"', "NaN", "[" * 100_000, '{"a":' * 100_000, "9" * 5_000, '{"type":' + "9" * 5_000 + "}", "[" * 500_000,
)  # fmt: skip


def _each(code: int, make: Callable[[Any], str], *values: Any) -> list[tuple[str, int]]:
    """A message with each of these values in it, all answered with the same code."""
    return [(make(value), code) for value in values]


ANSWERED = [
    *_each(30000, str, *NO_JSON),
    *_each(30001, lambda kind: _said(type=kind), None, 1, 1.5, [], {}, "", "nope", "PING", HALF, "x" * 100_000),
    ("{}", 30001),
    *_each(
        30005,
        lambda channel: _said(type="subscribe", channel=channel),
        None, 5, [], {}, "", "x", "order_book", "order_book/", "order_book/1/2", "order_book/-1", "order_book/99",
        "order_book/²", "order_book/1.0", "order_book/ 1", "order_book/all", "account_all/1", "candle/1/9m",
        "account_all/" + "9" * 400, "/" * 10_000, "x" * 100_000, HALF, f"order_book/{HALF}", "ORDER_BOOK/1",
    ),
    (_said(type="subscribe"), 30005),
    *_each(20001, _with_token, None, "", 5, [], {}, True),
    *_each(
        20013, _with_token,
        "x", ":::", "1:{a}:4:00", "9" * 5_000, HALF, "ro:1:single:1:00", "²:²:²:²", "x" * 100_000,
    ),
    *_each(
        30002, lambda channel: _said(type="unsubscribe", channel=channel),
        None, 5, "", "order_book/0", HALF, "x" * 100_000,
    ),
    *_each(30007, lambda data: _sent(data), None, 1, [], "{}", HALF),
    *_each(30007, lambda data: _sent(data, BATCH), None, 1, [], "{}", HALF),
    *_each(
        21505, lambda kind: _sent({"tx_type": kind, "tx_info": HEAD}),
        None, "", "x", -1, 1.5, [], True, 10**40, 99,
    ),
    *_each(
        21501, lambda info: _sent({"tx_type": 14, "tx_info": info}),
        None, "", "{", "[]", [], 5, {"x": HALF}, HALF,
    ),
    *_each(
        21513, lambda two: _sent({"tx_types": two[0], "tx_infos": two[1]}, BATCH),
        (None, None), ("[14]", "[]"), ("x", "x"), ([], []), ("[" * 10_000, "["), (5, 5),
    ),
    (_sent({"tx_types": [14] * 16, "tx_infos": ["{}"] * 16}, BATCH), 21514),
    (_sent({"tx_types": [14, 14], "tx_infos": ["{}", "["]}, BATCH), 21121),
    *_each(
        21505, lambda own: _sent({"id": own, "tx_type": 99, "tx_info": HEAD}), HALF, 10**40, [[]], {"x": HALF}, None
    ),
]  # fmt: skip
"""What is said, and the code of the error; ``{a}`` is the account."""
CLOSED: tuple[tuple[WSMsgType, bytes, int], ...] = (
    (WSMsgType.TEXT, b"x" * (1 << 20) + b"xx", 1009),
    (WSMsgType.BINARY, b"\x00" * (1 << 21), 1009),
    (WSMsgType.TEXT, b'{"type":"\xff\xfe"}', 1007),
    (WSMsgType.CLOSE, b"\x00", 1002),
)
"""What breaks the protocol, and the code of the close."""


class Frames:
    """A client that says anything, and a witness that must notice nothing of it."""

    def __init__(self, paper: Paper, http: aiohttp.ClientSession) -> None:
        self.paper = paper
        self.http = http
        self.account = paper.accounts[0]

    @contextlib.asynccontextmanager
    async def socket(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A socket that has been greeted."""
        async with self.http.ws_connect(self.paper.credentials["ws_url"], max_msg_size=0) as socket:
            assert (await socket.receive_json())["type"] == "connected"
            yield socket

    async def said(self, socket: aiohttp.ClientWebSocketResponse, message: str | bytes) -> list[dict[str, Any]] | int:
        """The frames that answer a message, or the code with which the exchange closes."""
        if isinstance(message, bytes):
            await socket.send_bytes(message)
        else:
            await socket.send_str(message)
        await socket.send_str('{"type":"ping"}')
        found: list[dict[str, Any]] = []
        while True:
            one = await socket.receive()
            if one.type is not WSMsgType.TEXT:
                assert socket.close_code is not None
                return socket.close_code
            frame = json.loads(one.data)
            if frame == {"type": "pong"}:
                return found
            found.append(frame)

    async def table(self) -> None:
        """Each bad message gets its error, alone, and the socket goes on."""
        async with self.socket() as socket:
            for text, code in ANSWERED:
                answers = await self.said(socket, text.replace("{a}", str(self.account)))
                assert isinstance(answers, list), (text[:200], answers)
                codes = [one.get("error", one)["code"] for one in answers]
                assert codes == [code], (text[:200], answers)
            assert await self.said(socket, b"\x00\xff\xfe") == [{"error": {"code": 30000, "message": "Invalid Json"}}]
            assert await self.said(socket, b'{"type":"ping"}') == [
                {"error": {"code": 30000, "message": "Invalid Json"}}
            ]

    async def broken(self) -> None:
        """What is no WebSocket message ends its own connection with the code of the protocol."""
        for kind, data, code in CLOSED:
            # A client that is still sending may hear of the reset before it has read the close.
            too_big = code == WSCloseCode.MESSAGE_TOO_BIG
            async with self.socket() as socket:
                with contextlib.suppress(*([OSError] if too_big else [])):
                    await socket._writer.send_frame(data, kind)
                while (await socket.receive()).type is WSMsgType.TEXT:
                    pass
                expected = (code, WSCloseCode.ABNORMAL_CLOSURE) if too_big else (code,)
                assert socket.close_code in expected, (kind, data[:20], socket.close_code)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(self.paper.url.rsplit(":", 1)[1]))
        key = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
        writer.write(b"GET /stream HTTP/1.1\r\nHost: x\r\n" + key + b"AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n" + b"\xff" * 500)
        assert b"101 " in await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            await reader.read()
        writer.close()

    async def damaged(self, count: int, seed: int) -> int:
        """Good messages, damaged at random; how many were answered with an error."""
        good = [one.replace(b"101", b"%d" % self.account) for one in socket_messages()]
        mutator, errors = Mutator(good, seed), 0
        left = count
        while left:
            async with self.socket() as socket:
                for _ in range(min(left, 200)):
                    left -= 1
                    text = mutator.next().decode(errors="replace")
                    answers = await self.said(socket, text)
                    assert isinstance(answers, list), (text[:500], answers)
                    errors += any("error" in one or one.get("code", 200) != 200 for one in answers)
        return errors

    @contextlib.asynccontextmanager
    async def witnessed(self) -> AsyncIterator[None]:
        """Somebody else listens all the while: the book chain does not break, and afterwards an order is told of."""
        async with self.socket() as socket:
            await socket.send_json({"type": "subscribe", "channel": "order_book/1"})
            auth = f"{int(time.time()) + 600}:{self.paper.accounts[1]}:4:00"
            channel = f"account_all_orders/{self.paper.accounts[1]}"
            await socket.send_json({"type": "subscribe", "channel": channel, "auth": auth})
            async with asyncio.TaskGroup() as group:
                told = asyncio.Event()
                listening = group.create_task(_listen(socket, told))
                yield
                async with self.paper.clients(4) as (_, b):
                    assert (await b.create_order(1, 0, 20, 900_000, False, 0, 2))[2] is None
                await told.wait()
                listening.cancel()


async def _listen(socket: aiohttp.ClientWebSocketResponse, told: asyncio.Event) -> None:
    """Answer pings, hold every book against the one before, and note the first order that is told of."""
    last = None
    while True:
        frame = await socket.receive_json()
        book = frame.get("order_book")
        if book is not None:
            assert book["begin_nonce"] == (0 if last is None else last)
            last = book["nonce"]
        if frame.get("type") == "ping":
            await socket.send_json({"type": "pong"})
        if last is not None and frame.get("type") == "update/account_all_orders":
            told.set()

"""Many clients at once: readers, readers that do not read, and a flood of orders of both accounts.

What must hold: nobody who reads is dropped or misses a change of the book; who does not read is dropped, and holds no
more memory than his outbox; each order is answered, and each accepted one has run; lots and money are conserved.
"""

import asyncio
import json
import random
import socket
import time
from contextlib import AsyncExitStack, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
from tests.integration.paper_client import Paper, fetched
from tests.integration.paper_process import MID

WINDOW = 8
"""Transactions of one key on their way."""
AT_ONCE = 50
"""Connections that are opened at the same time."""
SENTINEL = 900_000
"""A price far below the market: an order there shows every reader that all is over."""
SNAPSHOTS = 2_000
CREATE, LOTS = 14, 20
GREETING = (
    b"GET /stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class Reader:
    """A client that follows a book and notices a gap."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.nonce: int | None = None
        self.frames = 0

    async def until_sentinel(self) -> None:
        """Read until the level of the sentinel is told."""
        wanted = f'"price":"{SENTINEL / 10:.1f}"'
        while True:
            text = (await self.socket.receive()).data
            assert isinstance(text, str), f"dropped: {self.socket.close_code}"
            self.frames += 1
            if '"begin_nonce"' not in text:
                if text == '{"type":"ping"}':
                    await self.socket.send_str('{"type":"pong"}')
                continue
            book = json.loads(text)["order_book"]
            assert book["begin_nonce"] == (self.nonce or 0), "a gap"
            self.nonce = book["nonce"]
            if wanted in text:
                return


class Lane:
    """One key that sends as fast as it is answered. ``skip_nonce`` lets a refusal break no chain."""

    def __init__(self, account: int, key: int, seed: int) -> None:
        self.account, self.key = account, key
        self.rng = random.Random(seed)
        self.accepted: dict[str, int] = {}
        """Client order index by hash."""
        self.refused: dict[int, int] = {}
        self.serial = 0

    def order(self, **wanted: Any) -> tuple[int, str]:
        """Some order around the middle, inside everybody else's spread."""
        self.serial += 1
        coid, now_ms = seed_of(self.account, self.key) + self.serial, int(time.time() * 1000)
        rests = self.rng.random() < 0.5
        info = {
            "AccountIndex": self.account, "ApiKeyIndex": self.key, "MarketIndex": 1, "ClientOrderIndex": coid,
            "BaseAmount": LOTS, "Price": MID + self.rng.randint(-4, 4), "IsAsk": self.rng.randint(0, 1), "Type": 0,
            "TimeInForce": 2 if rests else 0, "ReduceOnly": 0, "TriggerPrice": 0,
            "OrderExpiry": now_ms + 3_600_000 if rests else 0, "ExpiredAt": now_ms + 599_000,
            "Nonce": 1_000 + self.serial, "Sig": "", "L2TxAttributes": {"4": 1}, **wanted,
        }  # fmt: skip
        return coid, json.dumps(
            {"type": "jsonapi/sendtx", "data": {"id": str(coid), "tx_type": CREATE, "tx_info": info}}
        )

    async def flood(self, socket: aiohttp.ClientWebSocketResponse, count: int) -> None:
        """Send so many orders; each must be answered."""
        waiting: set[int] = set()
        while count or waiting:
            while count and len(waiting) < WINDOW:
                coid, text = self.order()
                await socket.send_str(text)
                waiting.add(coid)
                count -= 1
            await self.answer(socket, waiting)

    async def send(self, socket: aiohttp.ClientWebSocketResponse, **wanted: Any) -> None:
        """One order that must be accepted."""
        coid, text = self.order(**wanted)
        await socket.send_str(text)
        await self.answer(socket, {coid})
        assert coid in self.accepted.values(), self.refused

    async def answer(self, socket: aiohttp.ClientWebSocketResponse, waiting: set[int]) -> None:
        """Hear one answer."""
        said = await socket.receive_json()
        if said["type"] == "ping":
            await socket.send_str('{"type":"pong"}')
            return
        assert said["type"] == "jsonapi/sendtx", said
        waiting.remove(int(said["id"]))
        if said["code"] == 200:
            self.accepted[said["tx_hash"]] = int(said["id"])
        else:
            self.refused[said["code"]] = self.refused.get(said["code"], 0) + 1


def seed_of(account: int, key: int) -> int:
    """Where the client order indexes of a key begin."""
    return (account % 2 * 10 + key) * 1_000_000


def masked(text: str) -> bytes:
    """A short WebSocket message of a client; the mask is zero."""
    data = text.encode()
    assert len(data) < 126
    return bytes((0x81, 0x80 | len(data))) + bytes(4) + data


async def slow_reader(port: int) -> int:
    """Ask for snapshots and read none of them until the exchange has had enough; how many were asked for."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=4_096)
    writer.write(GREETING)
    ask = masked('{"type":"subscribe","channel":"trade/1"}') + masked('{"type":"unsubscribe","channel":"trade/1"}')
    asked = 0
    with suppress(ConnectionError):
        while asked < SNAPSHOTS:
            asked += 1
            writer.write(ask)
            await writer.drain()
        while await reader.read(1 << 16):
            pass
    writer.close()
    return asked


def resident(pid: int) -> int:
    """Bytes of a process that are in memory."""
    rows = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(row.split()[1]) * 1024 for row in rows if row.startswith("VmRSS"))


async def crowd(paper: Paper, *, clients: int, slow: int, orders: int) -> dict[str, Any]:
    """All of it at once, with ``orders`` of each of the six keys; the figures, once everything has held."""
    began, port = time.monotonic(), int(paper.url.rsplit(":", 1)[1])
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        gate = asyncio.Semaphore(AT_ONCE)

        async def opened() -> aiohttp.ClientWebSocketResponse:
            async with gate:
                made = await http.ws_connect(paper.credentials["ws_url"], compress=0)
                assert (await made.receive_json())["type"] == "connected"
                return made

        async def reader(number: int) -> Reader:
            made = await opened()
            channels = ["order_book/1", "ticker/1", f"account_all/{paper.accounts[number % 2]}"]
            for channel in channels[: 3 if number % 10 == 0 else 1]:
                await made.send_json({"type": "subscribe", "channel": channel})
            return Reader(made)

        readers = await asyncio.gather(*(reader(number) for number in range(clients)))
        lanes = [Lane(account, key, key) for account in paper.accounts for key in (4, 5, 6)]
        sockets = [await opened() for _ in lanes]
        connected = time.monotonic() - began
        before = resident(paper.process.pid)
        reading = asyncio.gather(*(one.until_sentinel() for one in readers))
        flooded = time.monotonic()
        await asyncio.gather(*(lane.flood(one, orders) for lane, one in zip(lanes, sockets, strict=True)))
        flood_seconds = time.monotonic() - flooded
        asked = await asyncio.gather(*(slow_reader(port) for _ in range(slow)))
        await flat(paper, lanes, sockets)
        await lanes[0].send(sockets[0], Price=SENTINEL, IsAsk=0, TimeInForce=2, OrderExpiry=_later_ms())
        await reading
        after = resident(paper.process.pid)
        assert (await fetched(paper, "/paper/info"))["connections"] == clients + len(lanes), (
            "a slow reader is still there"
        )
        await asyncio.gather(*(one.socket.close() for one in readers), *(one.close() for one in sockets))
    accepted = await conserved(paper, lanes)
    return {
        "clients": clients,
        "connected_seconds": round(connected, 2),
        "frames_read": sum(one.frames for one in readers),
        "orders_accepted": accepted,
        "orders_refused": {
            code: sum(lane.refused.get(code, 0) for lane in lanes) for lane in lanes for code in lane.refused
        },
        "orders_a_second": round(orders * len(lanes) / flood_seconds),
        "slow_readers_dropped": len(asked),
        "snapshots_they_asked_for": asked,
        "rss_mb_before": before >> 20,
        "rss_mb_after": after >> 20,
        "seconds": round(time.monotonic() - began, 1),
    }


def _later_ms() -> int:
    return int(time.time() * 1000) + 3_600_000


async def flat(paper: Paper, lanes: list[Lane], sockets: list[aiohttp.ClientWebSocketResponse]) -> None:
    """Cancel all, then let the two accounts close their positions with each other."""
    for lane, one in ((lanes[0], sockets[0]), (lanes[3], sockets[3])):
        lane.serial += 1
        info = {"AccountIndex": lane.account, "ApiKeyIndex": lane.key, "TimeInForce": 0, "Time": 0, "Sig": ""}
        info |= {"Nonce": 1_000 + lane.serial, "ExpiredAt": _later_ms(), "L2TxAttributes": {"4": 1}}
        await one.send_json({"type": "jsonapi/sendtx", "data": {"id": "0", "tx_type": 16, "tx_info": info}})
        while (said := await one.receive_json())["type"] != "jsonapi/sendtx":
            pass
        assert said["code"] == 200, said
    held = (await fetched(paper, "/paper/truth"))["accounts"][0]["position_lots"].get("BTC", 0)
    if held:
        whole = {"BaseAmount": abs(held), "Price": MID}
        is_ask = int(held > 0)
        await lanes[3].send(sockets[3], IsAsk=1 - is_ask, TimeInForce=2, OrderExpiry=_later_ms(), **whole)
        await lanes[0].send(sockets[0], IsAsk=is_ask, TimeInForce=0, OrderExpiry=0, **whole)


async def conserved(paper: Paper, lanes: list[Lane]) -> int:
    """Every accepted order has run, and nothing was made or lost; how many were accepted."""
    said = (await fetched(paper, "/paper/truth"))["accounts"]
    orders = {row["client_order_index"]: row for account in said for row in account["orders"]}
    accepted = {coid for lane in lanes for coid in lane.accepted.values()}
    assert accepted <= orders.keys(), "an accepted order is lost"
    filled = [0, 0]
    for number, account in enumerate(said):
        for row in account["orders"]:
            assert 0 <= row["filled_lots"] <= row["size_lots"]
            filled[number] += row["filled_lots"] * (1 if row["side"] == "buy" else -1)
        assert account["position_lots"].get("BTC", 0) == filled[number] == 0
    assert sum(Decimal(account["collateral"]) for account in said) == 20_000, "money was made or lost"
    assert paper.said() == ""
    return len(accepted)

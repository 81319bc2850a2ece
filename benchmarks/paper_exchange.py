"""How much the paper exchange takes: its matching, transactions over HTTP and WebSocket, and readers of one book.

The exchange runs in a process of its own, the clients in this one: on two cores the figures are the exchange's, as long
as the clients are the faster of the two, which raw sockets and ready-made bytes see to.
"""

import argparse
import asyncio
import json
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, urlsplit

import aiohttp

from benchmarks.edge import busy_book
from benchmarks.figures import percentile
from benchmarks.hedge_latency import child
from lighter_hedge.domain.units import Side
from lighter_hedge.ops.ready import say_ready
from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.matching import Book
from lighter_hedge.simulator.core.orders import Order, OrderType, TimeInForce
from lighter_hedge.simulator.edge.server import PaperSettings, serve

MARKET, MID = 1, 1_000_000
CREATE, CANCEL = 14, 15
WINDOW = 16
"""Transactions of one key on their way over a WebSocket."""
STAMP = re.compile(rb'"last_updated_at":(\d{16})')

GOALS = {
    "matching, operations/s": 50_000,
    "sendTx over HTTP, fast hashes, /s": 1_500,
    "sendTx over WebSocket, fast hashes, /s": 3_000,
    "sendTx over HTTP, true hashes, /s": 500,
    "fan-out to 200 readers, p99 ms": 25,
}


# --- matching -------------------------------------------------------------------------------------------------------


def matching(operations: int, seed: int) -> float:
    """Operations a second on one book: orders that rest, orders that take, cancels."""
    rng, book = random.Random(seed), Book()
    resting: list[Order] = []
    began = time.perf_counter()
    for number in range(operations):
        if resting and rng.random() < 0.4:
            order = resting.pop(rng.randrange(len(resting)))
            if order.is_open:
                book.remove(order)
            continue
        side = rng.choice((Side.BID, Side.ASK))
        price = MID + rng.randint(-50, 50) - side.sign * 20
        order = _order(number, side, price, rng.randint(1, 100))
        if book.crosses(side, price):
            book.take(order, price)
        else:
            book.rest(order)
            resting.append(order)
    return operations / (time.perf_counter() - began)


def _order(number: int, side: Side, price: int, lots: int) -> Order:
    return Order(
        order_index=number + 1,
        client_order_index=number,
        account_index=number % 7,
        wallet=f"0x{number % 7}",
        market_index=MARKET,
        side=side,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTT,
        reduce_only=False,
        price_ticks=price,
        size_lots=lots,
        expiry_ms=0,
        tx_hash="",
        created_us=0,
        updated_us=0,
        sequence=number,
    )


# --- transactions ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lane:
    """One key: its transactions must arrive one after the other."""

    account: int
    key: int

    def transactions(self, count: int) -> Iterator[tuple[int, str]]:
        """Orders that rest far below the market, each cancelled by the next transaction."""
        soon_ms = int(time.time() * 1000) + 500_000
        base: dict[str, Any] = {"AccountIndex": self.account, "ApiKeyIndex": self.key, "MarketIndex": MARKET}
        for nonce in range(count):
            tail = {"ExpiredAt": soon_ms, "Nonce": nonce, "Sig": "", "L2TxAttributes": None}
            coid = 1 + nonce // 2 + self.key * 10_000_000
            if nonce % 2:
                yield CANCEL, json.dumps({**base, "Index": coid, **tail})
                continue
            order = {"ClientOrderIndex": coid, "BaseAmount": 20, "Price": MID - 5_000, "IsAsk": 0, "Type": 0}
            order |= {"TimeInForce": 2, "ReduceOnly": 0, "TriggerPrice": 0, "OrderExpiry": soon_ms + 3_600_000}
            yield CREATE, json.dumps({**base, **order, **tail})


async def over_http(url: str, lanes: list[Lane], count: int) -> float:
    """Transactions a second, one connection a key."""
    where = urlsplit(url)

    def request(tx_type: int, tx_info: str) -> bytes:
        body = f"tx_type={tx_type}&tx_info={quote_plus(tx_info)}".encode()
        head = f"POST /api/v1/sendTx HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + body

    async def send(lane: Lane) -> None:
        requests = [request(*one) for one in lane.transactions(count)]
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        gate.release()
        await start.wait()
        for one in requests:
            writer.write(one)
            head = await reader.readuntil(b"\r\n\r\n")
            size = re.search(rb"Content-Length: (\d+)", head)
            assert size is not None
            answer = await reader.readexactly(int(size[1]))
            assert b'"code": 200' in answer or b'"code":200' in answer, answer
        writer.close()

    gate, start = asyncio.Semaphore(0), asyncio.Event()
    return await _timed([send(lane) for lane in lanes], gate, start, count * len(lanes))


async def over_websocket(url: str, lanes: list[Lane], count: int) -> float:
    """Transactions a second, one socket a key, several on their way."""

    async def send(lane: Lane) -> None:
        texts = [
            f'{{"type":"jsonapi/sendtx","data":{{"id":"1","tx_type":{tx_type},"tx_info":{tx_info}}}}}'
            for tx_type, tx_info in lane.transactions(count)
        ]
        async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
            await socket.receive()
            gate.release()
            await start.wait()
            for text in texts[:WINDOW]:
                await socket.send_str(text)
            for sent in range(count):
                answer = (await socket.receive()).data
                assert '"code":200' in answer or '"code": 200' in answer, answer
                if sent + WINDOW < count:
                    await socket.send_str(texts[sent + WINDOW])

    gate, start = asyncio.Semaphore(0), asyncio.Event()
    return await _timed([send(lane) for lane in lanes], gate, start, count * len(lanes))


async def _timed(work: list[Any], gate: asyncio.Semaphore, start: asyncio.Event, count: int) -> float:
    """Everybody gets ready, then all begin at once."""
    async with asyncio.TaskGroup() as group:
        for one in work:
            group.create_task(one)
        for _ in work:
            await gate.acquire()
        began = time.perf_counter()
        start.set()
    return count / (time.perf_counter() - began)


# --- readers --------------------------------------------------------------------------------------------------------


async def fan_out(url: str, readers: int, seconds: float) -> tuple[int, float]:
    """Frames read and the 99th percentile of their age in ms, from the book's change to the last reader's hands."""
    ages: list[int] = []

    async def read() -> None:
        async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
            await socket.receive()
            await socket.send_str(f'{{"type":"subscribe","channel":"order_book/{MARKET}"}}')
            await socket.receive()
            gate.release()
            while True:
                data = (await socket.receive()).data
                stamp = STAMP.search(data.encode())
                if stamp is not None:
                    ages.append(time.time_ns() // 1000 - int(stamp[1]))

    gate = asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(read()) for _ in range(readers)]
        for _ in tasks:
            await gate.acquire()
        ages.clear()
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
    return len(ages), percentile(ages, 0.99) / 1000


# --- running --------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def exchange(folder: Path, tx_hash: str) -> AsyncIterator[dict[str, Any]]:
    """An exchange in a process of its own: what its credentials file says."""
    file = folder / f"{tx_hash}.json"
    file.unlink(missing_ok=True)
    async with child("benchmarks.paper_exchange", ["--serve", tx_hash, str(file)], folder / "exchange.log"):
        yield json.loads(file.read_text(encoding="utf-8"))


def lanes_of(content: dict[str, Any]) -> list[Lane]:
    """Every key of every account."""
    return [
        Lane(account["account_index"], key["api_key_index"])
        for account in content["accounts"]
        for key in account["api_keys"]
    ]


async def _serve(tx_hash: str, credentials: Path) -> None:
    settings = PaperSettings(
        tier=Tier.UNLIMITED, traffic="none", tx_hash=tx_hash, credentials=credentials, latency_scale=0.0
    )
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    await serve(settings, ready=lambda url: say_ready(os.environ), traffic=busy_book())


async def measure(count: int, readers: int, seconds: float) -> dict[str, float]:
    """All figures, in the order of ``GOALS``."""
    names = iter(GOALS)
    found = {next(names): matching(200_000, 1)}
    ways: list[tuple[str, Callable[[dict[str, Any], list[Lane]], Any]]] = [
        ("fast", lambda content, lanes: over_http(content["base_url"], lanes, count)),
        ("fast", lambda content, lanes: over_websocket(content["ws_url"], lanes, count)),
        ("true", lambda content, lanes: over_http(content["base_url"], lanes, max(1, count // 4))),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for tx_hash, way in ways:
            async with exchange(Path(folder), tx_hash) as content:
                found[next(names)] = await way(content, lanes_of(content))
        async with exchange(Path(folder), "fast") as content:
            _, found[next(names)] = await fan_out(content["ws_url"], readers, seconds)
    return found


def main() -> int:
    """Print each figure beside its goal; exit code 1 where one is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paper_exchange", description=__doc__)
    parser.add_argument("--serve", nargs=2, metavar=("HASH", "FILE"), help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, default=2_000, help="transactions of each of six keys")
    parser.add_argument("--readers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long the readers read")
    asked = parser.parse_args()
    if asked.serve:
        try:
            asyncio.run(_serve(asked.serve[0], Path(asked.serve[1])))
        except (asyncio.CancelledError, KeyboardInterrupt):
            return 0
    found = asyncio.run(measure(asked.count, asked.readers, asked.seconds))
    print("| figure | goal | measured |\n| --- | ---: | ---: |")
    for name, value in found.items():
        print(f"| {name} | {GOALS[name]:,} | {value:,.0f} |")
    missed = [name for name, value in found.items() if (value > GOALS[name] if "ms" in name else value < GOALS[name])]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

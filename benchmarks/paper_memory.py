"""Whether the paper exchange's memory stays flat: an hour of its own time as fast as it goes, and real minutes.

The first runs in this process on a virtual clock: made traffic, two accounts that send eighty transactions a second,
readers that come and go, and slow ones. The second is a server in a process of its own, with clients of every kind over
real sockets. Both are sampled; the slope is that of a straight line through the second half, when the history that is
remembered has filled up.
"""

import argparse
import asyncio
import gc
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import aiohttp

from benchmarks.hedge_latency import child
from lighter_hedge.ops.ready import say_ready
from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.markets import MARKETS
from lighter_hedge.simulator.edge import channels
from lighter_hedge.simulator.edge.connections import Connection, Outbox
from lighter_hedge.simulator.edge.server import PaperSettings, build, serve
from lighter_hedge.simulator.edge.venue import Venue
from lighter_hedge.simulator.traffic import synthetic

START_US = 1_800_000_000_000_000
STEP_US = 50_000
MARKET = 1
SIGNATURE_MS = 599_000
READERS = 20
READS = (
    "orderBooks",
    "orderBookDetails",
    "exchangeStats",
    f"orderBookOrders?market_id={MARKET}&limit=250",
    f"recentTrades?market_id={MARKET}&limit=100",
    "txs?limit=100",
    "account?by=index&value={0}",
    "account?by=index&value={1}",
    "accountActiveOrders?account_index={0}",
    "accountInactiveOrders?account_index={0}&limit=100",
    "trades?sort_by=timestamp&limit=100&account_index={0}",
    "nextNonce?account_index={1}&api_key_index=4",
    "noSuch/{1}",
)
"""``{0}`` is an account that is there, ``{1}`` another one each time that is not."""
PUBLIC = ("order_book:1", "ticker:1", "trade:1", "market_stats:all", "candle:1:1m", "height")
PRIVATE = (
    "account_all",
    "account_all_orders",
    "account_all_trades",
    "account_all_positions",
    "account_tx",
    "user_stats",
)
MB = 1 << 20
Sample = tuple[float, int]


class Flow:
    """What one key of an account sends for ever: orders that rest, cancels, changes, and orders that take."""

    def __init__(self, account: int, key: int, seed: int) -> None:
        self.rng = random.Random(seed)
        self.base = {"AccountIndex": account, "ApiKeyIndex": key, "MarketIndex": MARKET}
        self.resting: list[int] = []
        self.nonce = self.taken = 0
        self.coid = 1 + key * 10**9

    def next(self, now_ms: int, mid: int) -> tuple[int, dict[str, Any]]:
        """The next transaction; ``answered`` must hear of it before the next."""
        tail = {"ExpiredAt": now_ms + SIGNATURE_MS, "Nonce": self.nonce, "Sig": "", "L2TxAttributes": None}
        dice = self.rng.random()
        if self.resting and (dice < 0.4 or len(self.resting) > 20):
            return 15, {**self.base, "Index": self.resting.pop(0), **tail}
        if self.resting and dice < 0.5:
            change = {"Index": self.resting[-1], "BaseAmount": 30, "Price": mid * 98 // 100, "TriggerPrice": 0}
            return 17, {**self.base, **change, **tail}
        self.coid += 1
        order = {"ClientOrderIndex": self.coid, "BaseAmount": 20, "ReduceOnly": 0, "TriggerPrice": 0}
        if dice < 0.7:
            is_ask = self.taken % 2
            self.taken += 1
            worst = mid * (98 if is_ask else 102) // 100
            order |= {"Price": worst, "IsAsk": is_ask, "Type": 1, "TimeInForce": 0, "OrderExpiry": 0}
        else:
            self.resting.append(self.coid)
            expiry = now_ms + 28 * 86_400_000
            order |= {"Price": mid * 98 // 100, "IsAsk": 0, "Type": 0, "TimeInForce": 2, "OrderExpiry": expiry}
        return 14, {**self.base, **order, **tail}

    def answered(self, code: int) -> None:
        """The answer to the last one: what was accepted has used its nonce."""
        self.nonce += code == 200


def weight(root: object) -> int:
    """Bytes of everything that hangs on an object."""
    shared = (ModuleType, type, FunctionType, BuiltinFunctionType)
    seen: dict[int, object] = {id(root): root}
    found, total = [root], 0
    while found:
        one = found.pop()
        total += sys.getsizeof(one)
        for other in gc.get_referents(one):
            if id(other) not in seen and not isinstance(other, shared):
                seen[id(other)] = other
                found.append(other)
    return total


def resident(pid: int | str = "self") -> int:
    """Bytes of a process that are in memory."""
    rows = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(row.split()[1]) * 1024 for row in rows if row.startswith("VmRSS"))


def slope(samples: list[Sample], hour: float) -> float:
    """Growth of an hour by a straight line through the second half of the samples; times in any unit."""
    warm = samples[len(samples) // 2 :]
    mean_at = sum(at for at, _ in warm) / len(warm)
    mean = sum(value for _, value in warm) / len(warm)
    spread = sum((at - mean_at) ** 2 for at, _ in warm) or 1.0
    return hour * sum((at - mean_at) * (value - mean) for at, value in warm) / spread


# --- an hour of its own time ----------------------------------------------------------------------------------------


class Hour:
    """A venue on a clock of its own, with clients that cost nothing."""

    def __init__(self, seed: int, *, history_max: int | None = None) -> None:
        self.now_us = START_US
        settings = PaperSettings(tier=Tier.UNLIMITED, tx_hash="fast", latency_scale=0.0, seed=seed)
        exchange, _ = build(settings, None, START_US, lambda: ("00" * 40, "00" * 40))
        if history_max is not None:
            exchange.state.history_max = history_max
        self.venue = Venue(exchange, settings, clock=lambda: self.now_us)
        exchange.attach_traffic(synthetic(seed, tuple(MARKETS.values())), START_US)
        self.accounts = list(exchange.state.accounts)
        self.flows = [Flow(account, key, key) for account in self.accounts for key in (4, 5)]
        self.rng = random.Random(seed)
        self.open: list[Connection] = []
        self.sent = self.dropped = self.steps = 0

    def run(self, seconds: int) -> None:
        """Let so much of its time pass."""
        for _ in range(seconds * 1_000_000 // STEP_US):
            self.steps += 1
            self.now_us += STEP_US
            self.venue.step()
            for flow in self.flows:
                tx_type, info = flow.next(self.now_us // 1000, self.venue.exchange.state.mark(MARKET))
                result = self.venue.submit(tx_type, info, json.dumps(info))
                flow.answered(result.code)
                self.sent += result.accepted
            if self.steps % 20 == 0:
                self._second()

    def _second(self) -> None:
        """Readers read, all but the slow ones; some come and go."""
        self.venue.tell_candles(self.now_us)
        for number, one in enumerate(self.open):
            while number % 5 and not one.outbox.empty():
                one.outbox.get_nowait()
        if self.open and self.rng.random() < 0.2:
            self._close(self.rng.choice(self.open))
        while len(self.open) < READERS:
            self._open()

    def _open(self) -> None:
        connection = Connection(drop=lambda: self._drop(connection), outbox=Outbox(4_000_000))
        self.venue.connections.add(connection)
        self.open.append(connection)
        account = self.rng.choice(self.accounts)
        for name in (*PUBLIC, *(f"{channel}:{account}" for channel in PRIVATE)):
            connection.send(self.venue.snapshot(channels.find(self.venue.exchange, name), self.now_us))
            self.venue.connections.subscribe(connection, name)

    def _drop(self, connection: Connection) -> None:
        self.dropped += 1
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        if connection in self.open:
            self.open.remove(connection)
            self.venue.connections.discard(connection)


def virtual(seconds: int, seed: int) -> dict[str, Any]:
    """An hour of its own time: what it holds after each minute."""
    hour, began = Hour(seed), time.monotonic()
    samples: list[dict[str, float]] = []
    for minute in range(1, seconds // 60 + 1):
        hour.run(60)
        gc.collect()
        samples.append({"minute": minute, "rss_mb": resident() / MB})
        print(json.dumps(samples[-1]), file=sys.stderr, flush=True)
    grown = [(one["minute"], int(one["rss_mb"] * MB)) for one in samples]
    return {
        "seconds": seconds,
        "took_seconds": round(time.monotonic() - began),
        "transactions": hour.sent,
        "slow_readers_dropped": hour.dropped,
        "rss_mb_per_hour": round(slope(grown, 60) / MB, 2),
        "samples": samples,
    }


# --- real minutes ---------------------------------------------------------------------------------------------------


async def real(seconds: float, seed: int, rate: float, readers: int) -> dict[str, Any]:
    """A server and its clients for so long: what its process holds every ten seconds."""
    counted = {"sent": 0, "frames": 0, "reads": 0, "sockets": 0}
    samples: list[Sample] = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "paper.json"
        log = Path(folder) / "exchange.log"
        async with child("benchmarks.paper_memory", ["--serve", str(seed), str(file)], log) as pid:
            content = json.loads(file.read_text(encoding="utf-8"))
            began = time.monotonic()
            async with asyncio.TaskGroup() as group, aiohttp.ClientSession() as http:
                tasks = [group.create_task(work) for work in _clients(http, content, counted, rate, readers)]
                while (at := time.monotonic() - began) < seconds:
                    samples.append((at, resident(pid)))
                    print(json.dumps({"seconds": round(at), "rss_mb": samples[-1][1] / MB, **counted}), file=sys.stderr)
                    await asyncio.sleep(min(10.0, seconds / 20))
                for task in tasks:
                    task.cancel()
            said = log.read_text(errors="replace")
    return {
        "seconds": round(seconds),
        **counted,
        "rss_mb_per_hour": round(slope(samples, 3_600) / MB, 2),
        "samples": [{"seconds": round(at), "rss_mb": value / MB} for at, value in samples],
        "said_on_stderr": said[-2_000:],
    }


def _clients(
    http: aiohttp.ClientSession, content: dict[str, Any], counted: dict[str, int], rate: float, readers: int
) -> Iterator[Any]:
    keys = [(one["account_index"], key["api_key_index"]) for one in content["accounts"] for key in one["api_keys"]]
    for number, (account, key) in enumerate(keys):
        yield _trader(http, content, Flow(account, key, number), counted, rate / len(keys))
    for number in range(readers):
        yield _reader(http, content, keys[number % len(keys)], counted, seed=number)
    yield _slow_reader(http, content, counted)
    yield _rest_reader(http, content, counted)


async def _trader(http: Any, content: dict[str, Any], flow: Flow, counted: dict[str, int], rate: float) -> None:
    mark = 0
    async with http.ws_connect(content["ws_url"]) as socket:
        await socket.receive()
        while True:
            if counted["sent"] % 500 == 0 or not mark:
                async with http.get(f"{content['base_url']}/api/v1/orderBookDetails?market_id={MARKET}") as answer:
                    detail = (await answer.json())["order_book_details"][0]
                    mark = int(float(detail["mark_price"]) * 10 ** detail["price_decimals"])
            tx_type, info = flow.next(time.time_ns() // 1_000_000, mark)
            await socket.send_json({"type": "jsonapi/sendtx", "data": {"tx_type": tx_type, "tx_info": info}})
            while (said := await socket.receive_json())["type"] != "jsonapi/sendtx":
                await socket.send_json({"type": "pong"})
            flow.answered(said["code"])
            counted["sent"] += said["code"] == 200
            await asyncio.sleep(1 / rate)


def _token(account: int, key: int) -> str:
    return f"{int(time.time()) + 600}:{account}:{key}:{'0' * 160}"


async def _reader(http: Any, content: dict[str, Any], who: tuple[int, int], counted: dict[str, int], seed: int) -> None:
    """Comes, reads for some seconds and goes, politely or not."""
    rng, (account, key) = random.Random(seed), who
    while True:
        async with http.ws_connect(content["ws_url"]) as socket:
            counted["sockets"] += 1
            for name in (*PUBLIC, *(f"{channel}:{account}" for channel in PRIVATE)):
                await socket.send_json({"type": "subscribe", "channel": name, "auth": _token(account, key)})
            with suppress(TimeoutError):
                async with asyncio.timeout(rng.uniform(2, 30)):
                    while (await socket.receive()).type != aiohttp.WSMsgType.CLOSED:
                        counted["frames"] += 1
            if rng.random() < 0.5:
                socket._response.close()


async def _slow_reader(http: Any, content: dict[str, Any], counted: dict[str, int]) -> None:
    """Asks for snapshots and reads nothing until it is dropped; then again."""
    while True:
        async with http.ws_connect(content["ws_url"]) as socket:
            counted["sockets"] += 1
            with suppress(ConnectionError):
                for number in range(10_000):
                    await socket.send_json({"type": "subscribe", "channel": f"order_book/{number % 2}"})
                    await socket.send_json({"type": "unsubscribe", "channel": f"order_book:{number % 2}"})
                    if number % 100 == 0:
                        await asyncio.sleep(0.5)
            socket._response.close()


async def _rest_reader(http: Any, content: dict[str, Any], counted: dict[str, int]) -> None:
    """Every kind of read, of accounts that are there and of ever new ones that are not."""
    account, key = content["accounts"][0]["account_index"], content["accounts"][0]["api_keys"][0]["api_key_index"]
    while True:
        for path in READS:
            url = f"{content['base_url']}/api/v1/{path.format(account, counted['reads'])}"
            async with http.get(url, headers={"authorization": _token(account, key)}) as answer:
                await answer.read()
            counted["reads"] += 1
            await asyncio.sleep(0.02)


async def _serve(seed: int, credentials: Path) -> None:
    settings = PaperSettings(
        tier=Tier.UNLIMITED, tx_hash="fast", latency_scale=0.0, seed=seed, credentials=credentials, outbox_length_max=MB
    )
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await serve(settings, ready=lambda url: say_ready(os.environ))


def main() -> int:
    """Print the slopes and, with ``--json``, everything."""
    parser = argparse.ArgumentParser(prog="make bench-memory", description=__doc__)
    parser.add_argument("--serve", nargs=2, metavar=("SEED", "FILE"), help=argparse.SUPPRESS)
    parser.add_argument("--virtual-seconds", type=int, default=3_600, help="of the exchange's own time; 0: none")
    parser.add_argument("--seconds", type=float, default=1_200.0, help="real seconds; 0: none")
    parser.add_argument("--rate", type=float, default=200.0, help="transactions a real second")
    parser.add_argument("--readers", type=int, default=READERS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if asked.serve:
        with suppress(asyncio.CancelledError, KeyboardInterrupt):
            asyncio.run(_serve(int(asked.serve[0]), Path(asked.serve[1])))
        return 0
    found: dict[str, Any] = {}
    if asked.virtual_seconds:
        found["virtual"] = virtual(asked.virtual_seconds, asked.seed)
    if asked.seconds:
        found["real"] = asyncio.run(real(asked.seconds, asked.seed, asked.rate, asked.readers))
    if asked.json is not None:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    for name, one in found.items():
        rss = [sample["rss_mb"] for sample in one["samples"]]
        said = f"{rss[0]:.0f} MB at first, {rss[len(rss) // 2]:.0f} half-way, {rss[-1]:.0f} at the end"
        print(f"{name}: {one['seconds']} s, {said}, {one['rss_mb_per_hour']:+.1f} MB an hour in the second half")
    return 0


if __name__ == "__main__":
    sys.exit(main())

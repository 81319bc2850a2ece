"""Play one script against a whole paper exchange on a told clock, and print all that it says, byte for byte.

``python -m tests.integration.paper_script SEED``: made traffic, true hashes, a plan of faults with dice.
"""

import asyncio
import itertools
import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from aiohttp.test_utils import TestClient, TestServer

from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.edge.server import application, build, plans_of, traffic_of
from lighter_hedge.simulator.edge.settings import PaperSettings
from lighter_hedge.simulator.edge.venue import Venue

START_US = 1_800_000_000_000_000
STEPS = 120
CHANNELS = ("order_book/1", "ticker/1", "trade/1", "market_stats/1", "candle/1/1m", "height")
OF_ACCOUNT = ("account_all_orders/{}", "account_all_trades/{}", "account_all/{}", "account_tx/{}", "user_stats/{}")
READS = (
    "account?by=index&value={}",
    "orderBookOrders?market_id=1&limit=3",
    "recentTrades?market_id=1&limit=5",
    "nextNonce?account_index={}&api_key_index=4",
    "accountTxs?by=account_index&value={}&limit=5",
)
PLAN = """
faults:
  - {at_seconds: 0.5, kind: part_fill, lots: 3, probability: 0.5, count: 20}
  - {at_seconds: 1, kind: lose_frames, probability: 0.1, seconds: 60}
  - {at_seconds: 1, kind: late_frames, delay_ms: 130, probability: 0.2, seconds: 60}
  - {at_seconds: 1, kind: swap_frames, probability: 0.2, seconds: 60}
  - {at_seconds: 2, kind: duplicate_frames, seconds: 2}
  - {at_seconds: 2, kind: book_gap, probability: 0.1, count: 5}
  - {at_seconds: 2, kind: reject, code: 21601, probability: 0.2, seconds: 60}
  - {at_seconds: 3, kind: error_after, probability: 0.2, seconds: 60}
  - {at_seconds: 3, kind: accept_then_cancel, probability: 0.3, seconds: 60}
  - {at_seconds: 4, kind: history_lag, seconds: 1, for_seconds: 2}
  - {at_seconds: 5, kind: halted, account: b, seconds: 1}
  - {at_seconds: 7, kind: liquidation, account: a}
"""


class Script:
    """One client that asks at random, from a seed, and keeps all that it hears."""

    def __init__(self, venue: Venue, client: Any, clock: list[int], seed: int) -> None:
        self.venue = venue
        self.client = client
        self.clock = clock
        self.rng = random.Random(f"script {seed}")
        self.accounts = list(venue.exchange.state.accounts)
        self.said: list[str] = []

    async def play(self) -> None:
        """Subscribe to everything, then send and read while time passes."""
        async with self.client.ws_connect("/stream") as self.socket:
            await self.hear()
            wanted = [*CHANNELS, *(name.format(index) for index in self.accounts for name in OF_ACCOUNT)]
            for channel in wanted:
                account = channel.rsplit("/", 1)[1] if "/" in channel else ""
                auth = f"{self.clock[0] // 1_000_000 + 600}:{account}:4:{'ab' * 80}"
                await self.socket.send_json({"type": "subscribe", "channel": channel, "auth": auth})
            for step in range(STEPS):
                self.clock[0] += self.rng.randint(1_000, 150_000)
                self.venue.step()
                self.venue.beat(step)
                await self.act()
                await self.hear()

    async def act(self) -> None:
        """Send or read something."""
        account = self.rng.choice(self.accounts)
        choice = self.rng.random()
        if choice < 0.3:
            path = "/api/v1/" + self.rng.choice(READS).format(account)
            async with self.client.get(path) as response:
                self.said.append(f"{response.status} {await response.text()}")
        elif choice < 0.65:
            form = {"tx_type": "14", "tx_info": json.dumps(self.order(account))}
            async with self.client.post("/api/v1/sendTx", data=form) as response:
                self.said.append(f"{response.status} {await response.text()}")
        else:
            data = {"id": "x", "tx_type": 14, "tx_info": self.order(account)}
            await self.socket.send_json({"type": "jsonapi/sendtx", "data": data})

    def order(self, account: int) -> dict[str, Any]:
        """A limit order near the middle, which rests or takes."""
        state, now_ms = self.venue.exchange.state, self.clock[0] // 1000
        takes = self.rng.random() < 0.5
        is_ask = self.rng.random() < 0.5
        away = self.rng.randint(-50, 50) if takes else (300 if is_ask else -300)
        return {
            "AccountIndex": account,
            "ApiKeyIndex": 4,
            "MarketIndex": 1,
            "ClientOrderIndex": self.rng.randint(1, 2**40),
            "BaseAmount": self.rng.randint(20, 60),
            "Price": state.mark(1) + away,
            "IsAsk": int(is_ask),
            "Type": 0,
            "TimeInForce": 0 if takes else 2,
            "ReduceOnly": 0,
            "TriggerPrice": 0,
            "OrderExpiry": 0 if takes else now_ms + 3_600_000,
            "ExpiredAt": now_ms + 599_000,
            "Nonce": state.accounts[account].keys[4].nonce,
            "Sig": "",
            "L2TxAttributes": None,
        }

    async def hear(self) -> None:
        """Keep all frames that wait."""
        await self.socket.send_json({"type": "ping"})
        while (text := await self.socket.receive_str()) != '{"type":"pong"}':
            self.said.append(text)


def keys() -> Any:
    """A maker of key pairs that always makes the same ones."""
    numbers = itertools.count(1)

    def key() -> tuple[str, str]:
        number = next(numbers)
        return f"0x{number:080x}", f"0x{number + 10**6:080x}"

    return key


async def said(seed: int) -> list[str]:
    """All that the exchange says to the script."""
    clock = [START_US]
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "plan.yaml"
        plan.write_text(PLAN, encoding="utf-8")
        settings = PaperSettings(tier=Tier.UNLIMITED, seed=seed, faults=plan)
        exchange, _ = build(settings, None, START_US, keys())
        venue = Venue(exchange, settings, clock=lambda: clock[0])
        exchange.attach_traffic(traffic_of(settings), START_US)
        venue.schedule.start(plans_of(settings, exchange), START_US)
        venue.step()
        async with TestClient(TestServer(application(venue))) as client:
            script = Script(venue, client, clock, seed)
            await script.play()
    return script.said


if __name__ == "__main__":
    print("\n".join(asyncio.run(said(int(sys.argv[1])))))

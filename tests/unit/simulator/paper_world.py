"""A small exchange for tests: two accounts, an explicit book, time in whole numbers."""

import json
from dataclasses import dataclass, field
from typing import Any

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.accounts import Account, ApiKey, Tier
from lighter_hedge.simulator.core.events import BookChange, Mark, Print
from lighter_hedge.simulator.core.exchange import Exchange, SubmitResult, TxHash, fast_hash
from lighter_hedge.simulator.core.markets import BTC, ETH
from lighter_hedge.simulator.core.orders import Order
from lighter_hedge.simulator.core.pushes import Push
from lighter_hedge.simulator.core.rules import ExchangeSettings, Latency

A, B = 101, 102
STRANGER = 999
START_US = 1_800_000_000_000_000
BID, ASK = Side.BID, Side.ASK
MID = 1_000_000
"""100,000.0 USDC in ticks of BTC."""


def make_account(index: int, name: str, wallet: str = "0xw", tier: Tier = Tier.UNLIMITED) -> Account:
    account = Account(account_index=index, name=name, l1_address=wallet, tier=tier, collateral=10_000_000_000)
    for key in (4, 5):
        account.keys[key] = ApiKey(api_key_index=key, public_key=f"{index:040x}{key:040x}")
    return account


def book_change(*updates: tuple[Side, int, int], snapshot: bool = False) -> BookChange:
    return BookChange(market_index=1, updates=updates, snapshot=snapshot)


def print_trade(price: int, lots: int, taker: Side) -> Print:
    return Print(market_index=1, price_ticks=price, lots=lots, taker_side=taker)


@dataclass(slots=True)
class World:
    """An exchange with a clock that moves when told; pushes of each step are kept."""

    exchange: Exchange
    now_us: int = START_US
    pushes: list[Push] = field(default_factory=list)

    def run(self, ms: int = 0) -> list[Push]:
        self.now_us += ms * 1000
        self.pushes = self.exchange.advance(self.now_us)
        return self.pushes

    def traffic(self, event: BookChange | Print | Mark) -> list[Push]:
        self.pushes = self.exchange.apply_traffic(event, self.now_us)
        return self.pushes

    def nonce(self, account: int, key: int = 4) -> int:
        return self.exchange.state.accounts[account].keys[key].nonce

    def send(self, tx_type: int, account: int, fields: dict[str, Any]) -> SubmitResult:
        return self.exchange.submit(self.now_us, tx_type, self.info(account, fields))

    def info(self, account: int, fields: dict[str, Any]) -> dict[str, Any]:
        """``tx_info`` with the key's next nonce."""
        key = fields.get("ApiKeyIndex", 4)
        return {
            "AccountIndex": account,
            "ApiKeyIndex": key,
            "ExpiredAt": self.now_us // 1000 + 599_000,
            "Nonce": 0 if "Nonce" in fields or account == STRANGER else self.nonce(account, key),
            "Sig": "x",
            "L2TxAttributes": None,
            **fields,
        }

    def order(
        self, account: int, side: Side, lots: int, price: int, tif: int = 2, client: int = 0, **more: Any
    ) -> SubmitResult:
        return self.send(14, account, self.order_fields(side, lots, price, tif, client, **more))

    def order_fields(
        self, side: Side, lots: int, price: int, tif: int = 2, client: int = 0, **more: Any
    ) -> dict[str, Any]:
        """What a CreateOrder of BTC holds of its own."""
        expiry = 0 if tif == 0 else self.now_us // 1000 + 3_600_000
        return {
            "MarketIndex": 1,
            "ClientOrderIndex": client,
            "BaseAmount": lots,
            "Price": price,
            "IsAsk": int(side is ASK),
            "Type": 0,
            "TimeInForce": tif,
            "ReduceOnly": 0,
            "TriggerPrice": 0,
            "OrderExpiry": expiry,
            **more,
        }

    def rest(self, account: int, side: Side, lots: int, price: int, client: int = 0, **more: Any) -> Order:
        """Send a post-only order and run it; it must be resting then."""
        assert self.order(account, side, lots, price, client=client, **more).accepted
        self.run()
        return self.last_order(account)

    def take(self, account: int, side: Side, lots: int, price: int, **more: Any) -> Order:
        """Send an immediate-or-cancel order and run it."""
        assert self.order(account, side, lots, price, tif=0, **more).accepted
        self.run()
        return self.last_order(account)

    def cancel(self, account: int, index: int, **more: Any) -> SubmitResult:
        return self.send(15, account, {"MarketIndex": 1, "Index": index, **more})

    def last_order(self, account: int) -> Order:
        return self.exchange.state.orders[self.exchange.state.orders_of[account][-1]]

    def position(self, account: int) -> int:
        return self.exchange.state.accounts[account].position(BTC).lots

    def mark(self, ticks: int, index: int = 0) -> list[Push]:
        """A new mark price; the index price follows it unless given."""
        return self.traffic(Mark(market_index=1, mark_ticks=ticks, index_ticks=index or ticks))

    def ae(self, result: SubmitResult) -> int:
        """Error code in the event info of an executed transaction, 0 for none."""
        text = json.loads(self.exchange.state.txs[result.tx_hash].event_info)["ae"]
        return int(json.loads(text)["code"]) if text else 0

    def account(self, index: int) -> Account:
        return self.exchange.state.accounts[index]

    def fault(self, **request: Any) -> None:
        self.exchange.arm_fault(request, self.now_us)


def make_world(
    *,
    wallets: tuple[str, str] = ("0xw", "0xw"),
    tier: Tier = Tier.UNLIMITED,
    latency: Latency | None = None,
    settings: ExchangeSettings | None = None,
    book: bool = True,
    tx_hash: TxHash = fast_hash,
) -> World:
    accounts = [make_account(A, "a", wallets[0], tier), make_account(B, "b", wallets[1], tier)]
    if settings is None:
        settings = ExchangeSettings(latencies={tier: latency or Latency()}, book_interval_us=50_000)
    world = World(Exchange((ETH, BTC), accounts, settings=settings, tx_hash=tx_hash))
    if book:
        world.traffic(
            book_change(
                (BID, MID - 10, 100),
                (BID, MID - 20, 300),
                (ASK, MID + 10, 100),
                (ASK, MID + 20, 300),
                snapshot=True,
            )
        )
        world.traffic(Mark(market_index=1, mark_ticks=MID, index_ticks=MID))
    return world

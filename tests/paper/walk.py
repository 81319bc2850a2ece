"""A random walk over everything that an account can send and a market can do, with what must hold after every step.

Lots: over all accounts, the ambient one too, positions sum to zero in each market. Money: collateral, margin of
isolated positions and what open positions have cost sum to what there was at the start, less the fees of the trades, to
the last millionth. Orders: none is filled beyond its size, the filled ones are those that are filled, the living ones
are in the account's list, the open ones in the book, none that is reduce-only exceeds its position, and no two living
ones of an account carry one client order index.
"""

import random
from collections import Counter
from typing import Any

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.accounts import Account, ApiKey, Tier
from lighter_hedge.simulator.core.events import BookChange, Mark, Print
from lighter_hedge.simulator.core.exchange import Exchange
from lighter_hedge.simulator.core.markets import BTC, ETH
from lighter_hedge.simulator.core.orders import Order, OrderStatus, Trade
from lighter_hedge.simulator.core.rules import ExchangeSettings, Latency

START_US = 1_800_000_000_000_000
MID = 1_000_000
MARKET = BTC.market_index
ACCOUNTS = {101: "0x1", 102: "0x1", 201: "0x2", 301: "0x3"}
COLLATERAL = 60_000_000
LIFE = 4_000
"""Operations of one exchange; then the next begins, so that memory stays flat."""


class Walk:
    """One exchange and its walk."""

    def __init__(self, seed: str) -> None:
        self.rng = random.Random(seed)
        accounts = [
            Account(account_index=index, name=str(index), l1_address=wallet, tier=Tier.PREMIUM, collateral=COLLATERAL)
            for index, wallet in ACCOUNTS.items()
        ]
        for account in accounts:
            account.keys[4] = ApiKey(api_key_index=4, public_key="00" * 40)
        latency = Latency(taker_us=self.rng.choice((0, 150_000)))
        settings = ExchangeSettings(
            latencies={Tier.PREMIUM: latency},
            quota_start=10**9,
            insurance_fund=self.rng.choice((0, 10**12)),
        )
        self.exchange = Exchange((ETH, BTC), accounts, settings=settings, tx_hash=self._number)
        self.state = self.exchange.state
        self.now_us = START_US
        self.mid = MID
        self.hashes = self.fees = self.count = 0
        self.seen: Counter[str] = Counter()

        def counted(trade: Trade) -> None:
            self.seen[trade.kind] += 1
            self.fees += sum(trade.quote * side.fee // 1_000_000 for side in (trade.maker, trade.taker))

        self.state.on_trade.append(counted)
        self._snapshot()

    def _number(self, *_: object) -> str:
        self.hashes += 1
        return str(self.hashes)

    # --- steps ---

    def step(self) -> None:
        """Do one thing, let its consequences happen, and look."""
        self.count += 1
        act = self.rng.choices(_ACTS, _WEIGHTS)[0]
        act(self)
        self.now_us += self.rng.choice((0, 0, 1_000, 200_000))
        self.exchange.advance(self.now_us)
        self.check()

    def send(self, tx_type: int, **fields: Any) -> None:
        """Send for a random account; refusals are as good as anything."""
        index = fields.pop("account", None) or self.rng.choice(list(self.state.accounts))
        keys = self.state.accounts[index].keys
        info = {
            "AccountIndex": index,
            "FromAccountIndex": index,
            "ApiKeyIndex": 4,
            "Nonce": keys[4].nonce if 4 in keys else 0,
            "ExpiredAt": self.now_us // 1000 + 1_000,
            "L2TxAttributes": None,
            **fields,
        }
        result = self.exchange.submit(self.now_us, tx_type, info, "{}")
        self.seen[f"{tx_type} {result.code}"] += 1

    def order(self, **more: Any) -> dict[str, Any]:
        """Fields of some order."""
        rng = self.rng
        kind = rng.choices((0, 1, 2, 3, 4, 5), (8, 3, 1, 1, 1, 1))[0]
        tif = 0 if kind in (1, 2, 4) else rng.choice((0, 1, 2))
        near = self.mid + rng.randint(-30, 30)
        fields = {
            "MarketIndex": MARKET,
            "ClientOrderIndex": rng.randint(0, 40),
            "BaseAmount": rng.randint(20, 1_500),
            "Price": near,
            "IsAsk": rng.randint(0, 1),
            "Type": kind,
            "TimeInForce": tif,
            "ReduceOnly": int(rng.random() < 0.3),
            "TriggerPrice": self.mid + rng.randint(-3_000, 3_000) if kind > 1 else 0,
            "OrderExpiry": 0 if kind < 2 and tif == 0 else self.now_us // 1000 + rng.choice((310_000, 3_600_000)),
        }
        return {**fields, **more}

    def create(self) -> None:
        """An order of any kind."""
        attributes = {"6": self.rng.choice((0, 1, 2, 3)), "7": self.rng.choice((0, 0, 1))}
        self.send(14, **self.order(), L2TxAttributes=attributes)

    def group(self) -> None:
        """OTO, OCO or OTOCO."""
        grouping, expiry = self.rng.choice((1, 2, 3)), self.now_us // 1000 + 3_600_000
        side = self.rng.randint(0, 1)
        child = {"IsAsk": 1 - side, "BaseAmount": 0 if grouping != 2 else 30, "ReduceOnly": 1, "OrderExpiry": expiry}
        children = [
            self.order(**child, Type=kind, TimeInForce=0, TriggerPrice=self.mid + self.rng.randint(-2_000, 2_000))
            for kind in (4, 2)
        ]
        parent = self.order(Type=0, IsAsk=side, TimeInForce=1, TriggerPrice=0, OrderExpiry=expiry, ReduceOnly=0)
        legs = {1: [parent, children[0]], 2: children, 3: [parent, *children]}[grouping]
        self.send(28, GroupingType=grouping, Orders=legs)

    def _some_order(self) -> tuple[int, int]:
        account = self.rng.choice(list(self.state.accounts))
        indices = self.state.orders_of[account]
        return account, self.rng.choice(indices[-20:]) if indices else 1

    def cancel(self) -> None:
        """A cancel, perhaps of a dead order."""
        account, index = self._some_order()
        self.send(15, account=account, MarketIndex=MARKET, Index=index)

    def cancel_all(self) -> None:
        """At once, scheduled, or the abort of a scheduled one."""
        mode = self.rng.choice((0, 1, 2))
        self.send(16, TimeInForce=mode, Time=self.now_us // 1000 + 301_000 if mode == 1 else 0)

    def modify(self) -> None:
        """Another size, price and trigger."""
        account, index = self._some_order()
        price, trigger = (self.mid + self.rng.randint(-reach, reach) for reach in (30, 3_000))
        lots = self.rng.randint(20, 500)
        self.send(
            17, account=account, MarketIndex=MARKET, Index=index, BaseAmount=lots, Price=price, TriggerPrice=trigger
        )

    def leverage(self) -> None:
        """Leverage and margin mode."""
        fraction = self.rng.choice((200, 500, 2_000))
        self.send(20, MarketIndex=MARKET, InitialMarginFraction=fraction, MarginMode=self.rng.randint(0, 1))

    def margin(self) -> None:
        """Margin to or from an isolated position."""
        self.send(29, MarketIndex=MARKET, USDCAmount=self.rng.randint(1, 3_000_000), Direction=self.rng.randint(0, 1))

    def transfer(self) -> None:
        """Money to another account."""
        self.send(
            12,
            ToAccountIndex=self.rng.choice(list(self.state.accounts)),
            AssetIndex=3,
            FromRouteType=0,
            ToRouteType=0,
            Amount=self.rng.randint(1, 5_000_000),
            USDCFee=self.rng.choice((0, 3)),
            L1Sig=self.rng.choice(("", "0x1")),
        )

    def sub_account(self) -> None:
        """One more account of a wallet."""
        self.send(9)

    def market(self) -> None:
        """A market is halted, takes only reductions, or opens again."""
        rng = self.rng
        self.exchange.set_market(MARKET, halted=rng.random() < 0.1, force_reduce_only=rng.random() < 0.1)

    def trade(self) -> None:
        """A public trade."""
        price, side = self.mid + self.rng.randint(-30, 30), self.rng.choice((Side.BID, Side.ASK))
        event = Print(market_index=MARKET, price_ticks=price, lots=self.rng.randint(1, 800), taker_side=side)
        self.exchange.apply_traffic(event, self.now_us)

    def _snapshot(self) -> None:
        sizes = [self.rng.randint(0, 900) for _ in range(8)]
        updates = [
            (side, self.mid - side.sign * 5 * (n % 4 + 1), lots)
            for n, lots in enumerate(sizes)
            for side in ((Side.BID,) if n < 4 else (Side.ASK,))
        ]
        self.exchange.apply_traffic(BookChange(market_index=MARKET, updates=tuple(updates), snapshot=True), self.now_us)
        mark = Mark(market_index=MARKET, mark_ticks=self.mid, index_ticks=self.mid + self.rng.randint(-900, 900))
        self.exchange.apply_traffic(mark, self.now_us)

    def move(self) -> None:
        """The price moves, now and then far enough to liquidate."""
        far = 60_000 if self.rng.random() < 0.05 else 600
        self.mid = min(1_400_000, max(600_000, self.mid + self.rng.randint(-far, far)))
        self._snapshot()

    def wait(self) -> None:
        """Minutes pass; now and then an hour of funding."""
        self.now_us += self.rng.choice((30, 400, 3_600)) * 1_000_000

    # --- what must hold ---

    def check(self) -> None:
        """Look at everything that the last step may have touched."""
        parties = [*self.state.accounts.values(), self.state.ambient]
        for market_index in self.state.markets:
            assert sum(one.positions[market_index].lots for one in parties if market_index in one.positions) == 0
        money = 0
        for one in parties:
            money += one.collateral
            for position in one.positions.values():
                assert (position.lots == 0) <= (position.entry_quote == 0 and position.allocated == 0)
                assert position.entry_quote >= 0
                money += position.allocated - position.entry_quote * (1 if position.lots > 0 else -1)
        assert money == COLLATERAL * len(ACCOUNTS) - self.fees
        changes = self.state.collect_changes()
        for order in changes.orders:
            self._check_order(order)
        for account_index in {order.account_index for order in changes.orders}:
            living = self.state.open_of[account_index].values()
            clients = [order.client_order_index for order in living if order.client_order_index]
            assert len(set(clients)) == len(clients)
            assert all(order.is_alive for order in living)
            held = self.state.accounts[account_index].position(BTC).lots
            reducing = [order for order in living if order.reduce_only and order.is_open]
            assert all(order.leaves_lots <= -held * order.side.sign for order in reducing)
        book = self.state.books[MARKET]
        resting = [*book.bids.orders(), *book.asks.orders()]
        assert len(resting) == sum(one.is_open for open_of in self.state.open_of.values() for one in open_of.values())
        bid, ask = book.bids.best_price(), book.asks.best_price()
        assert bid is None or ask is None or bid < ask or not {one.price_ticks for one in resting} & {bid, ask}

    def _check_order(self, order: Order) -> None:
        assert 0 <= order.filled_lots <= order.size_lots
        if order.size_lots:
            assert (order.status is OrderStatus.FILLED) == (order.filled_lots == order.size_lots)
        self.seen[order.status.value] += 1


_ACTS, _WEIGHTS = zip(
    (Walk.create, 40),
    (Walk.group, 4),
    (Walk.cancel, 10),
    (Walk.cancel_all, 1),
    (Walk.modify, 6),
    (Walk.leverage, 2),
    (Walk.margin, 2),
    (Walk.transfer, 2),
    (Walk.sub_account, 0.1),
    (Walk.market, 0.5),
    (Walk.trade, 10),
    (Walk.move, 20),
    (Walk.wait, 0.5),
    strict=True,
)


def walk(operations: int, seed: int) -> Counter[str]:
    """Walk so many operations; return what was met. An assertion names seed, life and step."""
    seen: Counter[str] = Counter()
    for life in range(-(-operations // LIFE)):
        one = Walk(f"{seed}/{life}")
        for step in range(min(LIFE, operations - life * LIFE)):
            try:
                one.step()
            except AssertionError as error:
                raise AssertionError(f"seed {seed}, life {life}, step {step}: {error}") from error
        seen += one.seen
    return seen

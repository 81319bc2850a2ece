"""The exchange core under virtual time, with everything that stands between it and a socket."""

import asyncio
import json
from typing import Any

from lighter_hedge.domain.states import Role
from lighter_hedge.simulator.core.accounts import Account, ApiKey, Tier
from lighter_hedge.simulator.core.exchange import Exchange
from lighter_hedge.simulator.core.limits import RateLimiter
from lighter_hedge.simulator.core.markets import MARKETS
from lighter_hedge.simulator.core.orders import Trade
from lighter_hedge.simulator.core.rules import DEFAULT_LATENCIES, ExchangeSettings
from lighter_hedge.simulator.edge.answers import Answer
from lighter_hedge.simulator.edge.sending import send_one
from lighter_hedge.simulator.edge.settings import PaperSettings
from lighter_hedge.simulator.edge.stream import Stream
from lighter_hedge.simulator.edge.venue import Venue
from lighter_hedge.venue.lighter import models

WALL_BASE_MS = 1_800_000_000_000
API_KEY = 4
"""The desk's own key of each account."""
PERSON_KEY = 7
"""Another key of each account, for what the user trades by hand."""
ACCOUNTS = {Role.MAKER: 101, Role.HEDGER: 102}
ROLES = {account: role for role, account in ACCOUNTS.items()}
BTC = next(market for market in MARKETS.values() if market.symbol == "BTC")


class _Wake(asyncio.Event):
    """What the exchange's edge sets when something new may be due."""

    def __init__(self, server: "SimServer") -> None:
        super().__init__()
        self._server = server

    def set(self) -> None:
        self._server.arm_timer()


class SimServer:
    """One exchange. Everything that it does is told to ``on_trade`` and ``on_order`` at once: its own truth."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        tier: Tier = Tier.STANDARD,
        same_wallet: bool = True,
        speed: float = 1.0,
    ) -> None:
        self.loop = loop
        accounts = [
            Account(
                account_index=index,
                name=role.letter.lower(),
                l1_address="0x1" if same_wallet or role is Role.MAKER else "0x2",
                tier=tier,
                collateral=10_000_000_000,
                keys={key: ApiKey(api_key_index=key, public_key="00" * 40) for key in (API_KEY, PERSON_KEY)},
            )
            for role, index in ACCOUNTS.items()
        ]
        latencies = {one: latency.scaled(speed) for one, latency in DEFAULT_LATENCIES.items()}
        # Faults take collateral away, and count the trades that the exchange makes for an account themselves.
        settings = ExchangeSettings(latencies=latencies, liquidates=False)
        self.exchange = Exchange(MARKETS.values(), accounts, settings=settings)
        self.venue = Venue(self.exchange, PaperSettings(tier=tier), clock=self.now_us)
        self.venue.limiter = RateLimiter(Tier.UNLIMITED)
        self.stream = Stream(self.venue)
        self.sends: list[tuple[int, int, str]] = []
        """Everything that reached the API: when (ms), transaction type, payload."""
        self.nonces: dict[Role, list[tuple[int, int]]] = {role: [(0, 0)] for role in Role}
        """When (µs) the desk's key of an account had used up how many nonces, for reads that lag."""
        self.on_trade, self.on_order = self.exchange.state.on_trade, self.exchange.state.on_order
        self.venue.wake = _Wake(self)
        self._timer: Any = None

    def now_us(self) -> int:
        """The exchange's clock, unix microseconds."""
        return WALL_BASE_MS * 1000 + round(self.loop.time() * 1_000_000)

    def now_ms(self) -> int:
        """The exchange's clock, unix milliseconds."""
        return self.now_us() // 1000

    def account(self, role: Role) -> Account:
        """An account of the desk."""
        return self.exchange.state.accounts[ACCOUNTS[role]]

    def arm_timer(self) -> None:
        """Wake when the exchange next has something to do."""
        due_us = self.venue.next_due_us()
        if due_us is None:
            return
        when = (due_us - WALL_BASE_MS * 1000) / 1e6
        if self._timer is not None and self._timer.when() <= when and self._timer.when() > self.loop.time():
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_at(max(when, self.loop.time()), self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self.venue.step()
        self.arm_timer()

    def land(self, tx_type: int, payload: str) -> Answer:
        """A transaction reaches the API."""
        self.sends.append((int(self.loop.time() * 1000), tx_type, payload))
        answer = send_one(self.venue, tx_type, payload, "sim")
        self._note_nonces()
        return answer

    def _note_nonces(self) -> None:
        now_us = self.now_us()
        for role, seen in self.nonces.items():
            nonce = self.account(role).keys[API_KEY].nonce
            if nonce != seen[-1][1]:
                seen.append((now_us, nonce))

    def nonce_at(self, role: Role, cutoff_us: int) -> int:
        """The next nonce of the desk's key as it was at a moment."""
        return next((nonce for at_us, nonce in reversed(self.nonces[role]) if at_us <= cutoff_us), 0)

    def position_at(self, role: Role, cutoff_us: int) -> int:
        """Signed lots of an account as they were at a moment."""
        state = self.exchange.state
        lots = self.account(role).position(BTC).lots
        for trade in reversed(state.trades_of[ACCOUNTS[role]]):
            if trade.time_us <= cutoff_us:
                break
            lots -= signed(trade, ACCOUNTS[role])
        return lots

    def burn_by_hand(self, role: Role) -> Answer:
        """``clear`` on a stopped desk burns the nonce of the desk's own key first: what is under way never runs."""
        body = {"TimeInForce": 0, "Time": 0, "L2TxAttributes": {"5": BTC.market_index}}
        return self._person_sends(role, models.TX_CANCEL_ALL, body, API_KEY)

    def by_hand(self, role: Role, *, is_ask: bool, lots: int, price: int, reduce_only: bool = False) -> Answer:
        """The user trades on the account with another key: immediate, or not at all."""
        body = {
            "MarketIndex": BTC.market_index,
            "ClientOrderIndex": 0,
            "BaseAmount": lots,
            "Price": price,
            "IsAsk": int(is_ask),
            "Type": 0,
            "TimeInForce": 0,
            "ReduceOnly": int(reduce_only),
            "TriggerPrice": 0,
            "OrderExpiry": 0,
            "L2TxAttributes": None,
        }
        return self._person_sends(role, models.TX_CREATE_ORDER, body)

    def cancel_by_hand(self, role: Role, order_index: int) -> Answer:
        """The user cancels an order with another key."""
        body = {"MarketIndex": BTC.market_index, "Index": order_index, "L2TxAttributes": None}
        return self._person_sends(role, models.TX_CANCEL_ORDER, body)

    def _person_sends(self, role: Role, tx_type: int, body: dict[str, Any], api_key: int = PERSON_KEY) -> Answer:
        key = self.account(role).keys[api_key]
        head = {"AccountIndex": ACCOUNTS[role], "ApiKeyIndex": api_key}
        tail = {"ExpiredAt": self.now_ms() + 599_000, "Nonce": key.nonce, "Sig": f"by hand {key.nonce}"}
        answer = send_one(self.venue, tx_type, json.dumps({**head, **body, **tail}), "person")
        self._note_nonces()
        return answer


def signed(trade: Trade, account: int) -> int:
    """What a trade did to an account, signed lots."""
    return (trade.lots if trade.bid.account_index == account else 0) - (
        trade.lots if trade.ask.account_index == account else 0
    )

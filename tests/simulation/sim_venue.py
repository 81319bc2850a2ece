"""The venue's port on top of the exchange core: the real frames and the real parser, without sockets."""

import asyncio
import hashlib
import json
from collections.abc import Callable
from typing import Any

import msgspec

from lighter_hedge.domain.events import (
    Answer,
    Candidate,
    FeedClosed,
    FeedOpened,
    OrderReport,
    OrderRequest,
    Request,
    TxStatus,
)
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import MarketSpec
from lighter_hedge.simulator import reads, wire, wire_rest
from lighter_hedge.simulator.accounts import Account, ApiKey, Tier
from lighter_hedge.simulator.exchange import Exchange, fast_hash
from lighter_hedge.simulator.markets import MARKETS
from lighter_hedge.simulator.orders import Order
from lighter_hedge.simulator.rules import ExchangeSettings
from lighter_hedge.simulator.sending import send_one
from lighter_hedge.simulator.settings import PaperSettings
from lighter_hedge.simulator.stream import Stream
from lighter_hedge.simulator.venue import Connection, Venue
from lighter_hedge.venue.errors import ReadFailed
from lighter_hedge.venue.lighter import answers, models, parse
from lighter_hedge.venue.lighter.encode import CancelAll, CancelOrder, CreateOrder, encode
from lighter_hedge.venue.port import OnEvent

WALL_BASE_MS = 1_800_000_000_000
API_KEY = 4
REPLY_MS_MAX = 2_000
SIGN_MS = 3
SIGNATURE_MS = 599_000

ACCOUNTS = {Role.MAKER: 101, Role.HEDGER: 102}


class SimServer:
    """The exchange under virtual time, with everything that stands between it and a socket."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, *, tier: Tier = Tier.STANDARD, same_wallet: bool = True
    ) -> None:
        self.loop = loop
        accounts = [
            Account(
                account_index=index,
                name=role.letter.lower(),
                l1_address="0x1" if same_wallet or role is Role.MAKER else "0x2",
                tier=tier,
                collateral=10_000_000_000,
                keys={API_KEY: ApiKey(api_key_index=API_KEY, public_key="00" * 40)},
            )
            for role, index in ACCOUNTS.items()
        ]
        self.exchange = Exchange(MARKETS.values(), accounts, settings=ExchangeSettings())
        self.venue = Venue(self.exchange, PaperSettings(tier=tier), clock=self.now_us)
        self.venue.limiter.allow = lambda *_: True  # type: ignore[method-assign]
        self.stream = Stream(self.venue)
        self.sends: list[tuple[int, int, str]] = []
        """Everything that reached the API: when (ms), transaction type, payload."""

    def now_us(self) -> int:
        return WALL_BASE_MS * 1000 + int(self.loop.time() * 1_000_000)

    async def run(self) -> None:
        await self.venue.run()


class SimVenue:
    """One account's access: ``Venue`` of ``venue/port.py``."""

    def __init__(self, server: SimServer, role: Role, market: MarketSpec, *, latency_ms: float = 1.0) -> None:
        self.server = server
        self.role = role
        self.market = market
        self.latency = latency_ms / 1000
        self.cut = False
        """No connection and no answer at all: the network of this side is gone."""
        self.deaf: set[str] = set()
        """Channels whose frames are lost on the way."""
        self.lose_requests = 0
        """So many of the next sends never arrive."""
        self._connection: Connection | None = None
        self._closed = asyncio.Event()
        self._subscribed: set[str] = set()

    # --- signing and sending ---

    async def sign(self, request: Request, nonce: int) -> Candidate:
        await asyncio.sleep(SIGN_MS / 1000)
        now_ms = self.server.now_us() // 1000
        tx_type, body = _body(request, self.market)
        info = {
            "AccountIndex": ACCOUNTS[self.role],
            "ApiKeyIndex": API_KEY,
            **body,
            "ExpiredAt": now_ms + SIGNATURE_MS,
            "Nonce": nonce,
            "Sig": hashlib.sha256(repr((request, nonce, now_ms)).encode()).hexdigest(),
        }
        return Candidate(
            nonce=nonce,
            request=request,
            tx_hash=fast_hash(304, tx_type, info),
            tx_type=tx_type,
            payload=json.dumps(info),
            signed_ms=now_ms,
            expires_ms=now_ms + SIGNATURE_MS,
        )

    async def send(self, candidate: Candidate) -> Answer:
        await asyncio.sleep(self.latency)
        if self.cut or self.lose_requests:
            self.lose_requests = max(0, self.lose_requests - 1)
            await asyncio.sleep(REPLY_MS_MAX / 1000)
            return answers.unknown("nothing heard")
        self.server.sends.append((int(self.server.loop.time() * 1000), candidate.tx_type, candidate.payload))
        answer = send_one(self.server.venue, candidate.tx_type, candidate.payload, "sim")
        if answer.lost:
            await asyncio.sleep(REPLY_MS_MAX / 1000)
            return answers.unknown("nothing heard")
        await asyncio.sleep(self.latency)
        return answers.answer_of_http(answer.status, json.dumps(answer.body).encode())

    # --- reading ---

    async def _read(self, what: Callable[[int], Any]) -> Any:
        await asyncio.sleep(self.latency)
        if self.cut:
            await asyncio.sleep(5)
            raise ReadFailed("no answer")
        now_us = self.server.venue.step()
        found = what(now_us)
        await asyncio.sleep(self.latency)
        return found

    async def read_nonce(self) -> int:
        account = self.server.exchange.state.accounts[ACCOUNTS[self.role]]
        found: int = await self._read(lambda _: account.keys[API_KEY].nonce)
        return found

    async def read_tx(self, tx_hash: str) -> tuple[TxStatus, str]:
        def look(now_us: int) -> tuple[TxStatus, str]:
            tx = self.server.exchange.state.txs.get(tx_hash)
            cutoff_us = self.server.venue.cutoff_us(ACCOUNTS[self.role], now_us)
            shown = reads.transaction(tx, cutoff_us) if tx is not None else None
            if shown is None:
                return TxStatus.NOT_FOUND, ""
            return parse.tx_status(shown.status), parse.sequencer_error(shown.event_info)

        found: tuple[TxStatus, str] = await self._read(look)
        return found

    async def read_orders(self, coids: tuple[int, ...]) -> tuple[OrderReport, ...]:
        def look(now_us: int) -> tuple[OrderReport, ...]:
            state, own = self.server.exchange.state, ACCOUNTS[self.role]
            cutoff_us = self.server.venue.cutoff_us(own, now_us)
            found = reads.orders(state, own, cutoff_us, self.market.market_index)
            return tuple(self._report(o) for o in found if not coids or o.client_order_index in coids)

        rows: tuple[OrderReport, ...] = await self._read(look)
        return rows

    def _report(self, order: Order) -> OrderReport:
        row = msgspec.json.encode(wire.order(order, self.server.exchange.state.markets))
        return parse.order(msgspec.json.decode(row, type=models.OrderRow, strict=False), self.market)

    async def read_account(self, role: Role) -> tuple[int, int, int]:
        def look(now_us: int) -> tuple[int, int, int]:
            account = self.server.exchange.state.accounts[ACCOUNTS[role]]
            if self.server.venue.strike("account_error", account.account_index):
                raise ReadFailed("account: HTTP 500")
            body = wire_rest.account_detail(self.server.exchange.state, account, active_only=False)
            row = msgspec.json.decode(msgspec.json.encode(body), type=models.AccountDetails, strict=False)
            return parse.account(row, self.market)

        found: tuple[int, int, int] = await self._read(look)
        return found

    # --- the stream ---

    async def stream(self, on_event: OnEvent) -> None:
        was_open = False
        while True:
            if not self.cut:
                was_open = await self._follow(on_event)
            if was_open:
                on_event(FeedClosed(reason="connection lost"))
                was_open = False
            await asyncio.sleep(0.3)

    async def _follow(self, on_event: OnEvent) -> bool:
        self._closed = closed = asyncio.Event()
        self._connection = connection = Connection(drop=closed.set, outbox=asyncio.Queue())
        self.server.venue.connections.add(connection)
        scope = parse.Scope(market=self.market, roles={n: r for r, n in ACCOUNTS.items()}, own=self.role)
        own, other, market = ACCOUNTS[self.role], ACCOUNTS[self.role.other], self.market.market_index
        channels = [
            f"order_book/{market}",
            f"market_stats/{market}",
            f"account_all/{own}",
            f"account_all/{other}",
            f"account_all_orders/{own}",
            f"account_tx/{own}",
            f"user_stats/{own}",
        ]
        token = f"{self.server.now_us() // 1_000_000 + 28_000}:{own}:{API_KEY}:{'00' * 80}"
        opened = False
        try:
            for channel in channels:
                message = {"type": "subscribe", "channel": channel, "auth": token}
                self.server.stream._message(connection, json.dumps(message), "sim")
            waiting = {channel.replace("/", ":") for channel in channels}
            while not closed.is_set() and not self.cut:
                try:
                    async with asyncio.timeout(1.0):
                        text = await connection.outbox.get()
                except TimeoutError:
                    continue
                await asyncio.sleep(self.latency)
                if closed.is_set() or self.cut:
                    break
                frame = json.loads(text)
                waiting.discard(frame.get("channel", ""))
                if frame.get("channel", "") not in self.deaf:
                    decoded = parse.frame_of(text)
                    if not isinstance(decoded, models.BareFrame):
                        for event in parse.events_of(decoded, scope):
                            on_event(event)
                if not waiting and not opened:
                    opened = True
                    on_event(FeedOpened())
        finally:
            self.server.venue.connections.discard(connection)
            self._connection = None
        return opened

    def drop(self) -> None:
        """Lose the connection now."""
        self._closed.set()

    def resubscribe_book(self) -> None:
        if self._connection is not None:
            channel = f"order_book/{self.market.market_index}"
            for verb in ("unsubscribe", "subscribe"):
                self.server.stream._message(self._connection, json.dumps({"type": verb, "channel": channel}), "sim")

    async def close(self) -> None:
        self.drop()


def _body(request: Request, market: MarketSpec) -> tuple[int, dict[str, Any]]:
    """Transaction type and body, as the official signer writes them."""
    encoded = encode(request, market)
    match encoded:
        case CreateOrder():
            assert isinstance(request, OrderRequest)
            attributes = {"7": 1} if encoded.self_trade_equality_mode else None
            body = {
                "MarketIndex": encoded.market_index,
                "ClientOrderIndex": encoded.client_order_index,
                "BaseAmount": encoded.base_amount,
                "Price": encoded.price,
                "IsAsk": int(encoded.is_ask),
                "Type": encoded.order_type,
                "TimeInForce": encoded.time_in_force,
                "ReduceOnly": int(encoded.reduce_only),
                "TriggerPrice": 0,
                "OrderExpiry": encoded.order_expiry,
                "L2TxAttributes": attributes,
            }
            return models.TX_CREATE_ORDER, body
        case CancelOrder():
            return models.TX_CANCEL_ORDER, {
                "MarketIndex": encoded.market_index,
                "Index": encoded.order_index,
                "L2TxAttributes": None,
            }
        case CancelAll():
            return models.TX_CANCEL_ALL, {
                "TimeInForce": encoded.time_in_force,
                "Time": encoded.timestamp_ms,
                "L2TxAttributes": {"5": encoded.cancel_all_market_index},
            }

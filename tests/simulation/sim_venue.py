"""The venue's port on top of the exchange core: the real frames and the real parser, without sockets.

Between the two lies one process's network, with everything that may happen there: see ``Network``.
"""

import asyncio
import hashlib
import json
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec
from tests.simulation.sim_server import ACCOUNTS, API_KEY, ROLES, WALL_BASE_MS, SimServer
from tests.simulation.virtual_time import OWNER, effect

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
from lighter_hedge.domain.units import MarketSpec, UnitError
from lighter_hedge.simulator.core import reads
from lighter_hedge.simulator.core.exchange import fast_hash
from lighter_hedge.simulator.core.orders import Order
from lighter_hedge.simulator.edge import answers as paper_answers
from lighter_hedge.simulator.edge import wire, wire_rest
from lighter_hedge.simulator.edge.connections import Connection
from lighter_hedge.simulator.edge.stream import StreamError
from lighter_hedge.venue.errors import ReadFailed
from lighter_hedge.venue.lighter import answers, models, parse
from lighter_hedge.venue.lighter.encode import CancelAll, CancelOrder, CreateOrder, encode
from lighter_hedge.venue.port import OnEvent

__all__ = ["ACCOUNTS", "API_KEY", "WALL_BASE_MS", "Network", "SendFault", "SimServer", "SimVenue"]

REPLY_MS_MAX = 2_000
SIGN_MS = 3
SIGNATURE_MS = 599_000
RECONNECT_SECONDS = 0.3
SUBSCRIBE_SECONDS = 5.0
"""How long a snapshot is waited for, before the connection is given up."""

SendHook = Callable[["SimVenue", Candidate], None]


class SendFault(NamedTuple):
    """What happens to one send on its way."""

    kind: str
    """``lost``, ``late`` (lands after ``seconds``), ``twice`` (unless it is refused, a copy lands after ``seconds``),
    ``deaf`` (its answer is lost), ``status`` (the edge answers with an HTTP status and passes nothing on) or ``ran``
    (with one, though it has passed everything on)."""
    seconds: float = 0.0
    status: int = 0


@dataclass(slots=True)
class Network:
    """What lies between one process and the exchange."""

    latency: float = 0.001
    frames_late: float = 0.0
    """Every frame comes so many seconds later."""
    channel_late: dict[str, float] = field(default_factory=dict)
    """Frames of a channel come so many seconds later than the others."""
    drop: dict[str, int] = field(default_factory=dict)
    """So many of the next frames of a channel are lost."""
    twice: dict[str, int] = field(default_factory=dict)
    """So many of the next frames of a channel come twice."""
    swap: set[str] = field(default_factory=set)
    """The next two frames of a channel come in the wrong order."""
    apart: float = 0.0
    """Of several trades in one frame the first is told at once, and all of them so many seconds later."""
    garble: int = 0
    """So many of the next frames cannot be read."""
    sends: deque[SendFault] = field(default_factory=deque)
    """What happens to the next sends, one each."""
    read_lag_us: int = 0
    """Accounts and nonces are read as they were so long ago."""
    read_errors: int = 0
    """So many of the next reads fail."""


class SimVenue:
    """One account's access: ``Venue`` of ``venue/port.py``."""

    def __init__(self, server: SimServer, role: Role, market: MarketSpec, *, latency_ms: float = 1.0) -> None:
        self.server = server
        self.role = role
        self.market = market
        self.network = Network(latency=latency_ms / 1000)
        self.cut = False
        """No connection and no answer at all: the network of this side is gone."""
        self.deaf: set[str] = set()
        """Channels whose frames are lost on the way."""
        self.rows_late_us = 0
        """Rows of orders are readable so long after they have been made."""
        self.lose_requests = 0
        """So many of the next sends never arrive."""
        self.skew_ms = 0
        """How far this process's wall clock is ahead of the exchange's."""
        self.on_send: SendHook = lambda venue, candidate: None
        self.book_heard: float = -1.0
        """When the last public frame of the market reached the process."""
        self._connection: Connection | None = None
        self._closed = asyncio.Event()

    # --- signing and sending ---

    async def sign(self, request: Request, nonce: int) -> Candidate:
        await asyncio.sleep(SIGN_MS / 1000)
        now_ms = self.server.now_ms() + self.skew_ms
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
            payload=msgspec.json.encode(info).decode(),
            signed_ms=now_ms,
            expires_ms=now_ms + SIGNATURE_MS,
        )

    async def send(self, candidate: Candidate) -> Answer:
        effect("send", candidate)
        self.on_send(self, candidate)
        fault = SendFault("lost") if self.cut else self._next_fault()
        latency, loop = self.network.latency, self.server.loop
        if fault.kind == "lost":
            return await self._nothing_heard()
        if fault.kind == "status":
            await asyncio.sleep(2 * latency)
            return answers.answer_of_http(fault.status, b"")
        answer: asyncio.Future[paper_answers.Answer] = loop.create_future()
        if fault.kind == "ran":
            loop.call_later(latency, self._land, candidate, answer, context=_WORLD)
            await answer
            return answers.answer_of_http(fault.status, b"")
        late = fault.seconds if fault.kind == "late" else 0.0
        again = fault.seconds if fault.kind == "twice" else None
        loop.call_later(latency + late, self._land, candidate, answer, again, context=_WORLD)
        effect("sent", candidate)
        if late or fault.kind == "deaf":
            return await self._nothing_heard()
        got = await answer
        if got.lost or self.cut:
            return await self._nothing_heard()
        await asyncio.sleep(latency)
        return answers.answer_of_http(got.status, msgspec.json.encode(got.body))

    def _next_fault(self) -> SendFault:
        if self.lose_requests:
            self.lose_requests -= 1
            return SendFault("lost")
        return self.network.sends.popleft() if self.network.sends else SendFault("")

    def _land(
        self, candidate: Candidate, answer: "asyncio.Future[paper_answers.Answer]", again: float | None = None
    ) -> None:
        found = self.server.land(candidate.tx_type, candidate.payload)
        if again is not None and found.status == HTTPStatus.OK:  # nobody sends again what was refused
            land = self.server.land
            self.server.loop.call_later(again, land, candidate.tx_type, candidate.payload, context=_WORLD)
        if not answer.done():
            answer.set_result(found)

    @staticmethod
    async def _nothing_heard() -> Answer:
        await asyncio.sleep(REPLY_MS_MAX / 1000)
        return answers.unknown("nothing heard")

    # --- reading ---

    async def _read(self, what: Callable[[int], Any]) -> Any:
        effect("read")
        await asyncio.sleep(self.network.latency)
        if self.cut:
            await asyncio.sleep(5)
            raise ReadFailed("no answer")
        if self.network.read_errors:
            self.network.read_errors -= 1
            raise ReadFailed("HTTP 502")
        now_us = self.server.venue.step()
        found = what(now_us)
        await asyncio.sleep(self.network.latency)
        return found

    async def read_nonce(self) -> int:
        found: int = await self._read(lambda now_us: self.server.nonce_at(self.role, now_us - self.network.read_lag_us))
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
            before_us = now_us - self.rows_late_us
            wanted = (o for o in found if not coids or o.client_order_index in coids)
            return tuple(self._report(o) for o in wanted if o.created_us <= before_us)

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
            position, available, orders = parse.account(row, self.market)
            if self.network.read_lag_us:
                position = self.server.position_at(role, now_us - self.network.read_lag_us)
            return position, available, orders

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
            await asyncio.sleep(RECONNECT_SECONDS)

    def channels(self) -> list[str]:
        """What is subscribed to, in this order."""
        own, other, market = ACCOUNTS[self.role], ACCOUNTS[self.role.other], self.market.market_index
        return [
            f"order_book/{market}",
            f"market_stats/{market}",
            f"account_all/{own}",
            f"account_all/{other}",
            f"account_all_orders/{own}",
            f"account_tx/{own}",
            f"user_stats/{own}",
        ]

    async def _follow(self, on_event: OnEvent) -> bool:
        own, channels = ACCOUNTS[self.role], self.channels()
        self._closed = closed = asyncio.Event()
        scope = parse.Scope(market=self.market, roles=ROLES, own=self.role)
        link = _Link(self, scope, on_event, closed, {channel.replace("/", ":") for channel in channels})
        self._connection = connection = Connection(drop=closed.set, outbox=link)  # type: ignore[arg-type]
        self.server.venue.connections.add(connection)
        token = f"{self.server.now_us() // 1_000_000 + 28_000}:{own}:{API_KEY}:{'00' * 80}"
        try:
            for channel in channels:
                message = {"type": "subscribe", "channel": channel, "auth": token}
                self.server.stream._message(connection, json.dumps(message), "sim")
            await closed.wait()
            if link.error is not None:
                raise link.error
        except StreamError:
            return False  # the venue refuses a channel: a token of a revoked key
        finally:
            self.server.venue.connections.discard(connection)
            if self._connection is connection:
                self._connection = None
        return link.opened

    def drop(self) -> None:
        """Lose the connection now."""
        self._closed.set()

    def resubscribe_book(self) -> None:
        effect("resubscribe")
        link = self._connection.outbox if self._connection is not None else None
        if isinstance(link, _Link) and link.ask_again(f"order_book:{self.market.market_index}"):
            channel = f"order_book/{self.market.market_index}"
            for verb in ("unsubscribe", "subscribe"):
                self.server.stream._message(self._connection, json.dumps({"type": verb, "channel": channel}), "sim")

    async def close(self) -> None:
        self.drop()


_WORLD = Context()
"""Whatever is on its way in the network belongs to no process: it arrives even if its sender is dead."""


class _Link:
    """One connection: frames on their way to the process, in the order of their due times."""

    def __init__(
        self, venue: SimVenue, scope: parse.Scope, on_event: OnEvent, closed: asyncio.Event, waiting: set[str]
    ) -> None:
        self.opened = False
        self.error: Exception | None = None
        """What the process itself has run into while it took a frame: its own stream ends with it."""
        self._venue, self._scope, self._on_event = venue, scope, on_event
        self._closed, self._waiting = closed, waiting
        self._context = copy_context()
        self._life = OWNER.get()
        self._batches: deque[tuple[float, list[str]]] = deque()
        self._held: dict[str, str] = {}

    def put_nowait(self, text: str) -> None:
        """The exchange has sent a frame."""
        network, channel = self._venue.network, _channel_of(text)
        if self._closed.is_set() or channel in self._venue.deaf:
            if channel.startswith("account_all:"):
                self._waiting.discard(channel)  # it may look subscribed, and still say nothing
            elif channel in self._waiting:
                self._give_up_soon()
            return
        if network.drop.get(channel, 0) > 0:
            network.drop[channel] -= 1
            if channel in self._waiting:
                self._give_up_soon()
            return
        texts = [text]
        if network.twice.get(channel, 0) > 0:
            network.twice[channel] -= 1
            texts = [text, text]
        if channel in self._held:
            texts.append(self._held.pop(channel))
        elif channel in network.swap and not self._waiting:
            network.swap.discard(channel)
            self._held[channel] = text
            return
        if network.garble and not self._waiting:
            network.garble -= 1
            texts = [one.replace('"', "'", 7) for one in texts]
        late = network.frames_late + network.channel_late.get(channel, 0.0)
        when = self._venue.server.loop.time() + network.latency + late
        first = _first_trade(text) if network.apart and channel.startswith("account_all:") else ""
        if first:
            self._schedule(when, [first])
            when += network.apart
        self._schedule(when, texts)

    def ask_again(self, channel: str) -> bool:
        """A snapshot of this channel is awaited; False where one is under way already."""
        under_way = channel in self._waiting
        self._waiting.add(channel)
        return not under_way

    def _give_up_soon(self) -> None:
        """As the real client does when a snapshot does not come: it begins anew."""
        self._venue.server.loop.call_later(SUBSCRIBE_SECONDS, self._closed.set, context=_WORLD)

    def _schedule(self, when: float, texts: list[str]) -> None:
        if self._batches and self._batches[-1][0] == when:
            self._batches[-1][1].extend(texts)
            return
        self._batches.append((when, list(texts)))
        self._venue.server.loop.call_at(when, self._deliver, self._batches[-1], context=self._context)

    def _deliver(self, batch: tuple[float, list[str]]) -> None:
        self._batches.remove(batch)
        for text in batch[1]:
            if self._closed.is_set() or self._venue.cut or (self._life is not None and self._life.dead):
                self._closed.set()
                return
            try:
                self._take(text)
            except (msgspec.DecodeError, UnitError):
                self._closed.set()
                return
            except Exception as error:  # noqa: BLE001 its own task raises it
                self.error = error
                self._closed.set()
                return

    def _take(self, text: str) -> None:
        frame = parse.frame_of(text)
        channel = _channel_of(text)
        if isinstance(frame, models.BareFrame) or not channel:
            return
        if channel.startswith(("order_book", "market_stats")):
            self._venue.book_heard = self._venue.server.loop.time()
        for event in parse.events_of(frame, self._scope):
            self._on_event(event)
        if self._waiting:
            self._waiting.discard(channel)
            if not self._waiting and not self.opened:
                self.opened = True
                self._on_event(FeedOpened())


def _first_trade(text: str) -> str:
    """A frame of several trades with the first of them alone, and no position; empty where it has not several."""
    frame = json.loads(text)
    trades = frame.get("trades")
    several = [market for market, listed in trades.items() if len(listed) > 1] if isinstance(trades, dict) else []
    if not several or frame["type"].startswith("subscribed"):
        return ""
    frame["trades"] = {several[0]: trades[several[0]][:1]}
    return json.dumps({**frame, "positions": {}}, separators=(",", ":"))


def _channel_of(text: str) -> str:
    """The channel that a frame names. Frames differ in where it stands, so the text is searched."""
    start = text.find('"channel":"')
    return text[start + 11 : text.index('"', start + 11)] if start >= 0 else ""


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

"""The running exchange: core, clock, store and subscribers in one place, shared by REST and WebSocket.

Order of effects: run what is due, save it, then tell it. Nothing leaves before it is saved.
"""

import asyncio
import json
import random
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import count
from typing import Any

import msgspec

from lighter_hedge.simulator.core.accounts import Account
from lighter_hedge.simulator.core.events import TrafficEvent
from lighter_hedge.simulator.core.exchange import Exchange, SubmitResult
from lighter_hedge.simulator.core.faults.board import Fault
from lighter_hedge.simulator.core.limits import RateLimiter, RequestCounts
from lighter_hedge.simulator.core.pushes import Push
from lighter_hedge.simulator.edge import channels, market_channels
from lighter_hedge.simulator.edge.channels import Topic
from lighter_hedge.simulator.edge.connections import GOING_AWAY, Connection, Connections
from lighter_hedge.simulator.edge.faults.frames import FrameFaults, disconnected, is_private
from lighter_hedge.simulator.edge.faults.requests import RequestFaults
from lighter_hedge.simulator.edge.faults.schedule import Schedule
from lighter_hedge.simulator.edge.settings import PaperSettings
from lighter_hedge.simulator.edge.store import Store
from lighter_hedge.simulator.edge.stream_limits import Addresses
from lighter_hedge.simulator.edge.wire import Json

CANDLE_SECONDS = 0.5
REPLAYED_FRAMES = 5


def clock_us() -> int:
    """Wall clock in microseconds."""
    return time.time_ns() // 1000


class Venue:
    """The exchange with its edges."""

    def __init__(
        self,
        exchange: Exchange,
        settings: PaperSettings,
        *,
        store: Store | None = None,
        clock: Callable[[], int] = clock_us,
    ) -> None:
        self.exchange = exchange
        self.settings = settings
        self.limiter = RateLimiter(settings.tier, staked_lit=settings.staked_lit)
        self.requests = RequestCounts(exchange.state.accounts)
        self.connections = Connections()
        self.addresses = Addresses(settings.stream_limits)
        self.request_faults = RequestFaults(exchange.faults)
        self.frame_faults = FrameFaults(exchange.faults)
        self.schedule = Schedule()
        """Faults that are planned."""
        self.session_ids = random.Random(settings.seed)  # noqa: S311
        self.wake = asyncio.Event()
        self._store = store
        self._clock = clock
        self._last_us = 0
        self._last_candles: dict[str, Any] = {}
        self._last_told: dict[str, deque[Callable[[], Json]]] = {}

    def now_us(self) -> int:
        """Time that never runs backwards."""
        self._last_us = max(self._last_us, self._clock())
        return self._last_us

    def step(self) -> int:
        """Run, save and tell all that is due; return the time."""
        now_us = self.now_us()
        while (due_us := self.schedule.next_due_us()) is not None and due_us <= now_us:
            self._step_to(due_us)
            self._arm(self.schedule.pop(), due_us)
        self._step_to(now_us)
        return now_us

    def _step_to(self, now_us: int) -> None:
        pushes = self.exchange.advance(now_us)
        self.save()
        self.frame_faults.release(now_us)
        self.publish(pushes, now_us)

    def next_due_us(self) -> int | None:
        """When ``step`` next has something to do, or None."""
        every = (self.exchange.next_due_us(), self.schedule.next_due_us(), self.frame_faults.next_due_us())
        return min((due for due in every if due is not None), default=None)

    def save(self) -> None:
        """Save what has changed."""
        changes = self.exchange.state.collect_changes()
        if self._store is not None:
            self._store.save(changes)

    def submit(self, tx_type: int, tx_info: Mapping[str, Any], info_text: str) -> SubmitResult:
        """Take one transaction at the time of the last step; an accepted one is saved before this returns."""
        result = self.exchange.submit(self._last_us, tx_type, tx_info, info_text)
        self.save()
        self.wake.set()
        return result

    def play(self, event: TrafficEvent) -> None:
        """Let one thing happen in the market now."""
        now_us = self.step()
        pushes = self.exchange.apply_traffic(event, now_us)
        self.save()
        self.publish(pushes, now_us)
        self.wake.set()

    def set_market(self, market_index: int, *, halted: bool | None, force_reduce_only: bool | None) -> None:
        """Halt a market, let it only reduce positions, or open it again."""
        self.step()
        self.exchange.set_market(market_index, halted=halted, force_reduce_only=force_reduce_only)
        self.save()

    def arm_fault(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Arm a fault; ``disconnect`` and ``shutdown`` strike at once.

        Raises:
            FaultError: the request does not fit.
        """
        shown = self._arm(request, self.step())
        self.wake.set()
        return shown

    def _arm(self, request: Mapping[str, Any], now_us: int) -> dict[str, Any]:
        fault = self.exchange.arm_fault(request, now_us)
        shown = fault.shown()
        if fault.kind in ("disconnect", "shutdown"):
            self._end_sockets(self.exchange.faults.strike(fault.kind, now_us, fault.account_index))
        return shown

    def _end_sockets(self, fault: Fault | None) -> None:
        """Drop or close the sockets that a fault is for, unless its dice say no."""
        if fault is None:
            return
        wanted = list(disconnected(self.connections, fault))
        if fault.kind == "shutdown":
            self.shut_down(wanted, fault.number("close_in_ms"))
        for connection in wanted if fault.kind == "disconnect" else ():
            if "close_code" in fault.parameters:
                connection.close(fault.number("close_code"))
            else:
                connection.drop()

    def strike(self, kind: str, account_index: int | None) -> bool:
        """Use up one strike of a fault of the edge."""
        return self.exchange.faults.strike(kind, self._last_us, account_index) is not None

    def publish(self, pushes: list[Push], now_us: int) -> None:
        """Send frames to those who listen; a frame that nobody hears is not made."""
        markets = self.exchange.state.markets
        for push in pushes:
            for channel, build in channels.tellings(push):
                self.tell(channel, partial(build, markets, now_us), now_us)

    def tell(self, channel: str, build: Callable[[], Json], now_us: int) -> None:
        """Send one frame to all subscribers of its channel."""
        if is_private(channel):
            self._last_told.setdefault(channel, deque(maxlen=REPLAYED_FRAMES)).append(build)
        listeners = self.connections.listening(channel)
        if not listeners:
            return
        self.frame_faults.tell(channel, text_of(channels.update(channel, build())), listeners, now_us)

    def snapshot(self, topic: Topic, now_us: int) -> str:
        """The first frame of a new subscriber."""
        if topic.kind.name == "order_book":
            for market_index in topic.values:
                assert isinstance(market_index, int)
                self.publish(self.exchange.publisher.flush_book(market_index, now_us), now_us)
        return text_of(channels.first(self.exchange, topic, now_us))

    def replayed(self, channel: str, now_us: int) -> list[str]:
        """Old frames that a fault sends again to a new subscriber."""
        if not is_private(channel) or self.frame_faults.doubles(channel, now_us) is None:
            return []
        return [text_of(channels.update(channel, build())) for build in self._last_told.get(channel, ())]

    def account(self, account_index: int) -> Account | None:
        """The account with this index."""
        return self.exchange.state.accounts.get(account_index)

    def cutoff_us(self, account_index: int | None, now_us: int) -> int:
        """What REST reads of orders, trades and transactions may show."""
        fault = self.exchange.faults.active("history_lag", now_us, account_index)
        return now_us if fault is None else now_us - int(fault.parameters["seconds"] * 1_000_000)

    def who(self, account_index: int | None, address: str) -> str:
        """Whose rate limit a request counts on: the wallet's, else the address's."""
        account = None if account_index is None else self.account(account_index)
        return f"ip {address}" if account is None else f"wallet {account.l1_address}"

    async def run(self) -> None:
        """Keep the exchange going, for ever."""
        while True:
            now_us = self.step()
            self.wake.clear()
            due_us = self.next_due_us()
            try:
                async with asyncio.timeout(None if due_us is None else max(0, due_us - now_us) / 1e6):
                    await self.wake.wait()
            except TimeoutError:
                continue

    async def heartbeat(self) -> None:
        """Tell what the clock tells: candles twice a second, the height of the blocks once."""
        for beats in count():
            self.beat(beats)
            await asyncio.sleep(CANDLE_SECONDS)

    def beat(self, number: int) -> None:
        """One beat of the clock."""
        now_us = self.now_us()
        self.tell_candles(now_us)
        if number % 2 == 0:
            self.tell("height", partial(market_channels.height_now, self.exchange, now_us), now_us)

    def tell_candles(self, now_us: int) -> None:
        """Send each candle that somebody hears and that has had a trade since it was last sent."""
        for channel in self.connections.heard():
            if not channel.startswith("candle:"):
                continue
            topic = channels.find(self.exchange, channel)
            body = topic.kind.first(self.exchange, now_us, *topic.values)
            if body["candles"] and body["candles"] != self._last_candles.get(channel):
                self._last_candles[channel] = body["candles"]
                self.tell(channel, partial(dict, body), now_us)

    def shut_down(self, connections: Iterable[Connection], close_in_ms: int) -> None:
        """Tell connections that they end, and close them then."""
        for connection in connections:
            connection.send(text_of({"type": "shutdown", "close_in_ms": close_in_ms}))
            asyncio.get_running_loop().call_later(close_in_ms / 1000, connection.close, GOING_AWAY)


def text_of(frame: Mapping[str, Any]) -> str:
    """A frame as it goes over the wire."""
    try:
        return msgspec.json.encode(frame).decode()
    except UnicodeEncodeError:
        # It repeats half a character that a client has said: JSON can escape it, UTF-8 cannot write it.
        return json.dumps(frame)

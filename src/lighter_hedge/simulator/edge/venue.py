"""The running exchange: core, clock, store and subscribers in one place, shared by REST and WebSocket.

Order of effects: run what is due, save it, then tell it. Nothing leaves before it is saved.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import msgspec

from lighter_hedge.simulator.core.accounts import Account
from lighter_hedge.simulator.core.events import TrafficEvent
from lighter_hedge.simulator.core.exchange import Exchange, SubmitResult
from lighter_hedge.simulator.core.limits import RateLimiter, RequestCounts
from lighter_hedge.simulator.core.pushes import Push
from lighter_hedge.simulator.edge import channels, market_channels
from lighter_hedge.simulator.edge.channels import Topic
from lighter_hedge.simulator.edge.connections import END, Connection, Connections
from lighter_hedge.simulator.edge.settings import PaperSettings
from lighter_hedge.simulator.edge.store import Store
from lighter_hedge.simulator.edge.stream_limits import Addresses
from lighter_hedge.simulator.edge.wire import Json

PRIVATE_PREFIXES = ("account_", "user_stats:", "notification:")
CANDLE_SECONDS = 0.5
REPLAYED_FRAMES = 5


def clock_us() -> int:
    """Wall clock in microseconds."""
    return time.time_ns() // 1000


def is_private(channel: str) -> bool:
    """Whether a channel is about one account."""
    return channel.startswith(PRIVATE_PREFIXES)


def account_of(channel: str) -> int:
    """Account index at the end of a private channel's name."""
    return int(channel.rsplit(":", 1)[1])


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
        self.limiter = RateLimiter(settings.tier)
        self.requests = RequestCounts(exchange.state.accounts)
        self.connections = Connections()
        self.addresses = Addresses(settings.stream_limits)
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
        pushes = self.exchange.advance(now_us)
        self.save()
        self.publish(pushes, now_us)
        return now_us

    def save(self) -> None:
        """Save what has changed."""
        changes = self.exchange.state.collect_changes()
        if self._store is not None:
            self._store.save(changes)

    def submit(self, tx_type: int, tx_info: Mapping[str, Any], info_text: str) -> SubmitResult:
        """Take one transaction; an accepted one is saved before this returns."""
        now_us = self.step()
        result = self.exchange.submit(now_us, tx_type, tx_info, info_text)
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

    def arm_fault(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Arm a fault; ``disconnect`` and ``shutdown`` strike at once.

        Raises:
            FaultError: the request does not fit.
        """
        now_us = self.step()
        fault = self.exchange.arm_fault(request, now_us)
        shown = fault.shown()
        if fault.kind in ("disconnect", "shutdown"):
            self.exchange.faults.strike(fault.kind, now_us, fault.account_index)
            wanted = [
                one for one in self.connections if fault.account_index is None or fault.account_index in one.accounts
            ]
            if fault.kind == "shutdown":
                self.shut_down(wanted, fault.number("close_in_ms"))
            else:
                for connection in wanted:
                    connection.drop()
        self.wake.set()
        return shown

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
        private = is_private(channel)
        if private:
            self._last_told.setdefault(channel, deque(maxlen=REPLAYED_FRAMES)).append(build)
        listeners = self.connections.listening(channel)
        if not listeners:
            return
        times = 2 if private and self.duplicates(channel, now_us) else 1
        text = text_of(channels.update(channel, build()))
        for connection in listeners:
            for _ in range(times):
                connection.send(text)

    def snapshot(self, topic: Topic, now_us: int) -> str:
        """The first frame of a new subscriber."""
        if topic.kind.name == "order_book":
            for market_index in topic.values:
                assert isinstance(market_index, int)
                self.publish(self.exchange.publisher.flush_book(market_index, now_us), now_us)
        return text_of(channels.first(self.exchange, topic, now_us))

    def duplicates(self, channel: str, now_us: int) -> bool:
        """Whether a fault doubles the frames of a private channel."""
        fault = self.exchange.faults.active("duplicate_frames", now_us, account_of(channel))
        if fault is not None:
            self.exchange.faults.strike("duplicate_frames", now_us, account_of(channel))
        return fault is not None

    def replayed(self, channel: str, now_us: int) -> list[str]:
        """Old frames that a fault sends again to a new subscriber."""
        if not is_private(channel) or not self.duplicates(channel, now_us):
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
            due_us = self.exchange.next_due_us()
            try:
                async with asyncio.timeout(None if due_us is None else max(0, due_us - now_us) / 1e6):
                    await self.wake.wait()
            except TimeoutError:
                continue

    async def heartbeat(self) -> None:
        """Tell what the clock tells: candles twice a second, the height of the blocks once."""
        beats = 0
        while True:
            now_us = self.now_us()
            self.tell_candles(now_us)
            if beats % 2 == 0:
                self.tell("height", partial(market_channels.height_now, self.exchange, now_us), now_us)
            beats += 1
            await asyncio.sleep(CANDLE_SECONDS)

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
            asyncio.get_running_loop().call_later(close_in_ms / 1000, connection.send, END)


def text_of(frame: Mapping[str, Any]) -> str:
    """A frame as it goes over the wire."""
    try:
        return msgspec.json.encode(frame).decode()
    except UnicodeEncodeError:
        # It repeats half a character that a client has said: JSON can escape it, UTF-8 cannot write it.
        return json.dumps(frame)

"""The running exchange: core, clock, store and subscribers in one place, shared by REST and WebSocket.

Order of effects: run what is due, save it, then tell it. Nothing leaves before it is saved.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from lighter_hedge.simulator.core.accounts import Account
from lighter_hedge.simulator.core.events import TrafficEvent
from lighter_hedge.simulator.core.exchange import Exchange, SubmitResult
from lighter_hedge.simulator.core.limits import RateLimiter, RequestCounts
from lighter_hedge.simulator.core.pushes import Push
from lighter_hedge.simulator.edge import wire
from lighter_hedge.simulator.edge.settings import PaperSettings
from lighter_hedge.simulator.edge.store import Store

PRIVATE_PREFIXES = ("account_", "user_stats:")
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


@dataclass(slots=True, kw_only=True, eq=False)
class Connection:
    """One WebSocket: what it listens to and what waits to be sent."""

    drop: Callable[[], None]
    """Breaks the connection at once."""
    outbox: asyncio.Queue[str]
    channels: set[str] = field(default_factory=set)
    accounts: set[int] = field(default_factory=set)
    """Accounts that it has listened to or sent for."""

    def send(self, text: str) -> None:
        """Queue a frame; a reader too slow for its queue is dropped."""
        try:
            self.outbox.put_nowait(text)
        except asyncio.QueueFull:
            self.drop()


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
        self.requests = RequestCounts()
        self.connections: set[Connection] = set()
        self.wake = asyncio.Event()
        self._store = store
        self._clock = clock
        self._last_us = 0
        self._last_frames: dict[str, deque[Mapping[str, Any]]] = {}

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
        """Arm a fault; ``disconnect`` strikes at once.

        Raises:
            FaultError: the request does not fit.
        """
        now_us = self.step()
        fault = self.exchange.arm_fault(request, now_us)
        shown = fault.shown()
        if fault.kind == "disconnect":
            self.exchange.faults.strike("disconnect", now_us, fault.account_index)
            for connection in list(self.connections):
                if fault.account_index is None or fault.account_index in connection.accounts:
                    connection.drop()
        self.wake.set()
        return shown

    def strike(self, kind: str, account_index: int | None) -> bool:
        """Use up one strike of a fault of the edge."""
        return self.exchange.faults.strike(kind, self._last_us, account_index) is not None

    def publish(self, pushes: list[Push], now_us: int) -> None:
        """Send frames to those who listen."""
        for push in pushes:
            public = wire.public_channel(push)
            if public is None or any(public in one.channels for one in self.connections):
                for channel, frame in wire.frames(push, self.exchange.state.markets):
                    self.send(channel, frame, now_us)

    def send(self, channel: str, frame: Mapping[str, Any], now_us: int) -> None:
        """Send one frame to all subscribers of its channel."""
        private = is_private(channel)
        listeners = [one for one in self.connections if channel in one.channels]
        if not listeners and not private:
            return
        times = 1
        if private:
            self._last_frames.setdefault(channel, deque(maxlen=REPLAYED_FRAMES)).append(frame)
            times = 2 if self.duplicates(channel, now_us) else 1
        if not listeners:
            return
        text = text_of(frame)
        for connection in listeners:
            for _ in range(times):
                connection.send(text)

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
        return [text_of(frame) for frame in self._last_frames.get(channel, ())]

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
        """Tell the block height every second."""
        while True:
            now_us = self.now_us()
            height = self.exchange.state.height(now_us)
            self.send("height", height_frame(height, now_us, "update"), now_us)
            await asyncio.sleep(1)


def text_of(frame: Mapping[str, Any]) -> str:
    """A frame as it goes over the wire."""
    return msgspec.json.encode(frame).decode()


def height_frame(height: int, now_us: int, verb: str) -> dict[str, Any]:
    """A frame of the ``height`` channel."""
    return {"channel": "height", "height": height, "timestamp": now_us // 1000, "type": f"{verb}/height"}

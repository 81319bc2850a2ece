"""What a process tells beside its state, for people alone: log lines with codes, and when a hedge passed which stage.

One stream per desk (``keys.DeskKeys.telemetry``), appended by a task of its own that nothing waits for. Loss is
allowed: the log files hold every line, and no rule of the desk reads from here.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from lighter_hedge.domain.states import DeskId
from lighter_hedge.messaging.keys import FIELD, DeskKeys
from lighter_hedge.messaging.redis_stream import connect

TELEMETRY_KEPT = 20_000
"""Entries that the stream keeps, about."""
QUEUED_MAX = 1_000
RETRY_SECONDS = 1.0
CLOSE_SECONDS = 0.5

FILL_STAGES = ("filled", "told")
"""Of a fill of A: its frame has come in; the state that tells of it stands in Redis."""
HEDGE_STAGES = ("heard", "decided", "leaving", "answered", "filled")
"""Of a hedge of B: the news has come in; the machine wants the send; the bytes leave; the venue has answered; B's own
fill has come in."""


class Said(msgspec.Struct, frozen=True, kw_only=True, tag="said", forbid_unknown_fields=True):
    """One line of a log."""

    at_ms: int
    """Unix milliseconds."""
    source: str
    """``A``, ``B``, ``monitor`` …"""
    level: str
    """``debug``, ``info``, ``warning`` or ``error``."""
    code: str
    text: str


class Stamped(msgspec.Struct, frozen=True, kw_only=True, tag="stamped", forbid_unknown_fields=True):
    """When one fill of A, or one hedge of B, passed its stages."""

    source: str
    """``A`` or ``B``."""
    round: int
    coid: int
    """Client order index of the quote (A) or of the hedge (B)."""
    lots: int
    """A's cumulative fill, or the hedge's size, without sign."""
    armed: bool = False
    """B: the bytes were signed before the fill."""
    at_us: dict[str, int]
    """Stage to Unix microseconds by the writer's own clock: ``FILL_STAGES`` or ``HEDGE_STAGES``, as far as it came."""


Record = Said | Stamped

_DECODER: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


def decode_record(body: bytes) -> Record | None:
    """Read one entry; None for what another version wrote."""
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


@dataclass(slots=True, kw_only=True)
class Telemetry:
    """Takes records from a process and appends them when it can. ``offer`` never waits and never fails."""

    client: Redis
    key: str
    _queued: deque[Record] = field(default_factory=lambda: deque(maxlen=QUEUED_MAX))
    _waiting: asyncio.Event = field(default_factory=asyncio.Event)

    @staticmethod
    def open(url: str, desk: DeskId) -> "Telemetry":
        """Telemetry of one process of ``desk``, on a connection of its own, made at the first record."""
        return Telemetry(client=connect(url), key=DeskKeys(desk=desk).telemetry)

    def offer(self, record: Record) -> None:
        """Queue ``record``; the oldest goes where too many wait."""
        self._queued.append(record)
        self._waiting.set()

    async def run(self) -> None:
        """Append what is queued, until cancelled. A Redis that is away is tried again."""
        while True:
            await self._waiting.wait()
            self._waiting.clear()
            try:
                await self.flush()
            except (RedisError, OSError):
                self._waiting.set()
                await asyncio.sleep(RETRY_SECONDS)

    async def flush(self) -> None:
        """Append all that is queued now. Raises ``RedisError`` or ``OSError``; what was not appended stays."""
        while self._queued:
            taken = list(self._queued)
            async with self.client.pipeline(transaction=False) as pipe:
                for record in taken:
                    _ = pipe.xadd(
                        self.key, {FIELD: msgspec.json.encode(record)}, maxlen=TELEMETRY_KEPT, approximate=True
                    )
                await pipe.execute()
            for record in taken:
                if self._queued and self._queued[0] is record:  # not pushed out meanwhile
                    self._queued.popleft()

    async def close(self) -> None:
        """Append what is queued, where Redis is there, and release the connection."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.flush()
        except (RedisError, OSError, TimeoutError):
            pass  # the log file has it
        await self.client.aclose()

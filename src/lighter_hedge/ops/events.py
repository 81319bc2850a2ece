"""The newest of what the desk's processes have told people, from their telemetry stream."""

from collections.abc import AsyncIterator, Awaitable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from lighter_hedge.messaging.keys import FIELD
from lighter_hedge.messaging.redis_stream import place_of
from lighter_hedge.messaging.telemetry import FILL_STAGES, HEDGE_STAGES, Record, Said, Stamped, decode_record
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.ops.operate import REDIS_REMEDY

LEVELS: Final = ("debug", "info", "warning", "error")
PAGE: Final = 500
"""Entries that one read of the stream takes."""
BLOCK_MS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which records somebody wants to see."""

    level: str = "info"
    """This one and those above it."""
    sources: Collection[str] = ()
    """``A``, ``B``, ``monitor``; none for all."""

    def __contains__(self, record: Record) -> bool:
        if self.sources and record.source not in self.sources:
            return False
        level = record.level if isinstance(record, Said) else "info"
        return level in LEVELS[LEVELS.index(self.level) :]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStream:
    """The telemetry stream of one desk, for reading."""

    client: Redis
    key: str
    url: str

    async def newest(self, wanted: Wanted, last: int) -> tuple[list[Record], str]:
        """Up to ``last`` records that are wanted, oldest first, and where ``follow`` goes on.

        Raises:
            OpsError: Redis does not answer.
        """
        found: list[Record] = []
        end, tip = "+", ""
        while len(found) < last:
            rows = await self._asked(self.client.xrevrange(self.key, max=end, count=PAGE))
            if not rows:
                break
            tip = tip or rows[0][0].decode()
            found += [record for record in _records(rows) if record in wanted]
            end = f"({rows[-1][0].decode()}"
        return found[:last][::-1], tip or "0-0"

    async def follow(self, wanted: Wanted, after: str) -> AsyncIterator[Record]:
        """Wanted records as they come, for ever. Raises ``OpsError`` where Redis does not answer."""
        while True:
            streams = await self._asked(self.client.xread({self.key: after}, count=PAGE, block=BLOCK_MS))
            for _, rows in streams:
                after = rows[-1][0].decode()
                for record in _records(rows):
                    if record in wanted:
                        yield record

    async def _asked(self, answer: Awaitable[Any]) -> Any:
        try:
            return await answer
        except (RedisError, OSError) as error:
            text = f"Redis at {place_of(self.url)} does not answer: {type(error).__name__}"
            raise OpsError(ExitCode.FAILED, text, REDIS_REMEDY) from None


def _records(rows: Any) -> list[Record]:
    """Entries that this version can read."""
    read = (decode_record(fields.get(FIELD, b"")) for _, fields in rows)
    return [record for record in read if record is not None]


def as_json(record: Record) -> dict[str, Any]:
    """The record as the stream holds it."""
    body: dict[str, Any] = msgspec.to_builtins(record)
    return body


def line(record: Record) -> str:
    """The record as one line: UTC time, source, level, code, text."""
    if isinstance(record, Said):
        return _line(record.at_ms, record.source, record.level, record.code, record.text)
    at_us = sorted(record.at_us.values()) or [0]
    return _line(at_us[0] // 1000, record.source, "info", "TIMES", _times(record))


def _line(at_ms: int, source: str, level: str, code: str, text: str) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    return f"{at}Z {source:<7} {level:<7} {code} {text}"


def _times(record: Stamped) -> str:
    """Stages after the first one, in milliseconds."""
    of_b = record.source == "B"
    what = f"hedge of {record.lots} lots{' (armed)' if record.armed else ''}" if of_b else f"fill of {record.lots} lots"
    stages = HEDGE_STAGES if of_b else FILL_STAGES
    passed = [(stage, record.at_us[stage]) for stage in stages if stage in record.at_us]
    began = passed[0][1] if passed else 0
    times = ", ".join(f"{stage} +{(at - began) / 1000:.2f} ms" for stage, at in passed[1:])
    return f"round {record.round}, {what}: " + ", ".join(filter(None, (passed[0][0] if passed else "", times)))

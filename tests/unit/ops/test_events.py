"""What people see of the telemetry stream."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import fakeredis
import pytest
from fakeredis import FakeAsyncRedis

from lighter_hedge.messaging.telemetry import Record, Said, Stamped, Telemetry
from lighter_hedge.ops.events import EventStream, Wanted, as_json, line
from lighter_hedge.ops.exit_codes import OpsError

T = TypeVar("T")
KEY = "h:a_b:BTC:telemetry"
ALL = Wanted(level="debug")
TIMES = Stamped(
    source="B", round=3, coid=7, lots=20, armed=True,
    at_us={"heard": 1_000_000, "decided": 1_000_250, "filled": 1_004_000},
)  # fmt: skip


def said(text: str, level: str = "info", source: str = "A") -> Said:
    return Said(at_ms=1000, source=source, level=level, code="X", text=text)


def with_stream(records: list[Record], ask: Callable[[EventStream, Telemetry], Awaitable[T]]) -> T:
    """Ask a stream that holds ``records`` and one entry that nobody can read."""

    async def scenario() -> T:
        client = FakeAsyncRedis(server=fakeredis.FakeServer())
        telemetry = Telemetry(client=client, key=KEY)
        for record in records:
            telemetry.offer(record)
            await telemetry.flush()
        await client.xadd(KEY, {"m": "{}"})
        return await ask(EventStream(client=client, key=KEY, url="redis://127.0.0.1:6379/0"), telemetry)

    return asyncio.run(scenario())


async def texts(stream: EventStream, wanted: Wanted, last: int) -> list[str]:
    records, _ = await stream.newest(wanted, last)
    return [record.text for record in records if isinstance(record, Said)]


def test_the_newest_are_shown_oldest_first() -> None:
    told: list[Record] = [said(str(n)) for n in range(1200)]
    assert with_stream(told, lambda stream, _: texts(stream, ALL, 3)) == ["1197", "1198", "1199"]
    assert with_stream(told, lambda stream, _: texts(stream, ALL, 5000)) == [str(n) for n in range(1200)]


def test_level_and_source_choose() -> None:
    told: list[Record] = [said("d", "debug"), said("i"), said("w", "warning", "B"), said("e", "error")]
    assert with_stream(told, lambda stream, _: texts(stream, Wanted(), 9)) == ["i", "w", "e"]
    assert with_stream(told, lambda stream, _: texts(stream, Wanted(level="warning"), 9)) == ["w", "e"]
    assert with_stream(told, lambda stream, _: texts(stream, Wanted(sources=("B",)), 9)) == ["w"]
    assert with_stream([], lambda stream, _: texts(stream, ALL, 9)) == []


def test_following_goes_on_where_the_newest_ended() -> None:
    async def ask(stream: EventStream, telemetry: Telemetry) -> list[Record]:
        _, after = await stream.newest(ALL, 1)
        telemetry.offer(said("unwanted", "debug"))
        telemetry.offer(TIMES)
        telemetry.offer(said("next"))
        await telemetry.flush()
        found: list[Record] = []
        async for record in stream.follow(Wanted(), after):
            found.append(record)
            if len(found) == 2:
                break
        return found

    assert with_stream([said("before")], ask) == [TIMES, said("next")]


def test_a_redis_that_is_away_is_named_without_its_password() -> None:
    async def scenario() -> None:
        server = fakeredis.FakeServer()
        server.connected = False
        stream = EventStream(client=FakeAsyncRedis(server=server), key=KEY, url="redis://:secret@10.0.0.1:6379/2")
        await stream.newest(ALL, 1)

    with pytest.raises(OpsError, match=r"10\.0\.0\.1:6379/2 does not answer") as caught:
        asyncio.run(scenario())
    assert "secret" not in str(caught.value)


def test_a_line_of_a_log_and_the_times_of_a_hedge() -> None:
    assert line(said("quoted", "warning")) == "1970-01-01T00:00:01.000Z A       warning X quoted"
    assert line(TIMES) == (
        "1970-01-01T00:00:01.000Z B       info    TIMES "
        "round 3, hedge of 20 lots (armed): heard, decided +0.25 ms, filled +4.00 ms"
    )
    fill = Stamped(source="A", round=3, coid=6, lots=20, at_us={"filled": 5_000, "told": 5_900})
    assert line(fill).endswith("A       info    TIMES round 3, fill of 20 lots: filled, told +0.90 ms")
    assert as_json(TIMES)["at_us"]["decided"] == 1_000_250

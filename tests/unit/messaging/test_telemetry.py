import asyncio
from typing import Any

import fakeredis
import msgspec
import pytest
from fakeredis import FakeAsyncRedis
from redis.exceptions import RedisError

from lighter_hedge.messaging import telemetry
from lighter_hedge.messaging.keys import FIELD
from lighter_hedge.messaging.telemetry import QUEUED_MAX, Record, Said, Stamped, Telemetry, decode_record

KEY = "h:a_b:BTC:telemetry"


def said(text: str) -> Said:
    return Said(at_ms=1, source="A", level="info", code="X", text=text)


def told(server: fakeredis.FakeServer) -> list[Record | None]:
    rows: Any = fakeredis.FakeRedis(server=server).xrange(KEY)
    return [decode_record(fields[FIELD]) for _, fields in rows]


def test_records_are_appended_in_their_order() -> None:
    server = fakeredis.FakeServer()
    stamped = Stamped(source="B", round=3, coid=7, lots=20, armed=True, at_us={"heard": 5})

    async def scenario() -> None:
        one = Telemetry(client=FakeAsyncRedis(server=server), key=KEY)
        one.offer(said("first"))
        one.offer(stamped)
        await one.close()

    asyncio.run(scenario())
    assert told(server) == [said("first"), stamped]


def test_what_redis_did_not_take_is_appended_once_it_is_back() -> None:
    server = fakeredis.FakeServer()
    server.connected = False

    async def scenario() -> None:
        one = Telemetry(client=FakeAsyncRedis(server=server), key=KEY)
        one.offer(said("kept"))
        with pytest.raises(RedisError):
            await one.flush()
        server.connected = True
        await one.close()

    asyncio.run(scenario())
    assert told(server) == [said("kept")]


class Flaky(Telemetry):
    """Fails at its first try."""

    tries = 0

    async def flush(self) -> None:
        self.tries += 1
        if self.tries == 1:
            raise RedisError("away")
        raise asyncio.CancelledError


def test_a_redis_that_is_away_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "RETRY_SECONDS", 0.0)
    one = Flaky(client=FakeAsyncRedis(server=fakeredis.FakeServer()), key=KEY)
    one.offer(said("kept"))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(one.run())
    assert one.tries == 2


def test_too_many_records_push_the_oldest_out() -> None:
    server = fakeredis.FakeServer()

    async def scenario() -> None:
        one = Telemetry(client=FakeAsyncRedis(server=server), key=KEY)
        for number in range(QUEUED_MAX + 1):
            one.offer(said(str(number)))
        await one.close()

    asyncio.run(scenario())
    found = told(server)
    assert len(found) == QUEUED_MAX
    assert found[0] == said("1")


def test_a_redis_that_is_away_at_the_end_is_not_waited_for() -> None:
    server = fakeredis.FakeServer()
    server.connected = False

    async def scenario() -> None:
        one = Telemetry(client=FakeAsyncRedis(server=server), key=KEY)
        one.offer(said("lost"))
        await one.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("body", [b"", b"{", b'{"type":"said"}', b'{"type":"other"}', b"\xff"])
def test_what_another_version_wrote_is_nothing(body: bytes) -> None:
    assert decode_record(body) is None


def test_a_record_survives_its_way() -> None:
    one = said("text")
    assert decode_record(msgspec.json.encode(one)) == one

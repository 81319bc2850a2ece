"""What only a real connection has, beside the contract (``test_port.py``): lost answers, retries, trimming, secrets."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, Protocol, Self

import pytest
from redis.asyncio import Redis

from lighter_hedge.domain.states import DeskId, MakerState, Mode, OperatorCommand, Role
from lighter_hedge.messaging import redis_stream
from lighter_hedge.messaging.port import MessagingError
from lighter_hedge.messaging.redis_stream import BLOCK_MS, READ_TIMEOUT_SECONDS, RedisMessaging, connect, place_of
from lighter_hedge.ops.redis_server import RedisServer


class Link(Protocol):
    cut_at_answer: bool
    cut_at_request: bool
    requests: bytearray


class RedisWorld(Protocol):
    links: dict[Any, Any]

    async def client(self, *, states_kept: int = 1000) -> RedisMessaging: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *_: object) -> None: ...


def maker(seq: int, *, epoch: int = 5) -> MakerState:
    return MakerState(
        epoch=epoch, seq=seq, at_ms=0, mode=Mode.RUNNING, pause=None, announce=None, fills=(), round=1, position=None
    )


def play(world: RedisWorld, scenario: Callable[[RedisMessaging, Link], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10), world:
            client = await world.client()
            await client.open()
            await scenario(client, world.links[client])

    asyncio.run(bounded())


def test_append_whose_answer_is_lost_is_read_back(redis_world: RedisWorld) -> None:
    async def scenario(client: RedisMessaging, link: Link) -> None:
        link.cut_at_answer = True
        await client.append_state(maker(1))
        assert not link.cut_at_answer
        assert link.requests.count(b"XADD") == 1
        assert await client.last_state(Role.MAKER) == maker(1)

    play(redis_world, scenario)


def test_append_that_never_arrived_is_an_error_and_not_repeated(redis_world: RedisWorld) -> None:
    async def scenario(client: RedisMessaging, link: Link) -> None:
        link.cut_at_request = True
        with pytest.raises(MessagingError, match="did not answer"):
            await client.append_state(maker(1))
        assert b"XADD" not in link.requests
        assert await client.last_state(Role.MAKER) is None
        await client.append_state(maker(2))
        assert await client.last_state(Role.MAKER) == maker(2)

    play(redis_world, scenario)


def test_nothing_is_repeated_in_secret(redis_world: RedisWorld) -> None:
    """A command has no id of its own to be read back by: the person is told, and asks again."""

    async def scenario(client: RedisMessaging, link: Link) -> None:
        link.cut_at_answer = True
        with pytest.raises(MessagingError, match="did not answer"):
            await client.append_command(OperatorCommand(id="c1", verb="pause"))
        assert link.requests.count(b"XADD") == 1
        async with aclosing(client.commands("0")) as commands:
            assert (await anext(commands))[1].id == "c1"

    play(redis_world, scenario)


def test_state_stream_keeps_a_fixed_number(redis_world: RedisWorld, real_redis: RedisServer) -> None:
    async def scenario() -> None:
        async with asyncio.timeout(10), redis_world:
            client = await redis_world.client(states_kept=5)
            for seq in range(1, 21):
                await client.append_state(maker(seq))
            raw = connect(real_redis.url)
            rows: Any = await raw.xrange(client._keys.state(Role.MAKER))
            await raw.aclose()
            assert [row_id for row_id, _ in rows] == [f"5-{seq}".encode() for seq in range(16, 21)]

    asyncio.run(scenario())


def test_emptied_stream_still_refuses_an_old_instance(redis_world: RedisWorld, real_redis: RedisServer) -> None:
    async def scenario(client: RedisMessaging, link: Link) -> None:
        await client.append_state(maker(1, epoch=8))
        raw = connect(real_redis.url)
        await raw.xtrim(client._keys.state(Role.MAKER), maxlen=0, approximate=False)
        await raw.aclose()
        with pytest.raises(MessagingError, match="8-1 and refuses 7-2: a newer instance"):
            await client.append_state(maker(2, epoch=7))

    play(redis_world, scenario)


def test_entry_of_someone_else_is_refused_and_not_read_for_ever(
    redis_world: RedisWorld, real_redis: RedisServer
) -> None:
    async def scenario(client: RedisMessaging, link: Link) -> None:
        raw = connect(real_redis.url)
        await raw.xadd(client._keys.commands, {"strange": "1"})
        await raw.aclose()
        with pytest.raises(MessagingError, match="cannot be read"):
            await anext(client.commands("0"))

    play(redis_world, scenario)


def test_refusal_that_is_no_matter_of_ids_is_told(redis_world: RedisWorld, real_redis: RedisServer) -> None:
    async def scenario(client: RedisMessaging, link: Link) -> None:
        raw = connect(real_redis.url)
        await raw.set(client._keys.state(Role.MAKER), "no stream")
        await raw.aclose()
        with pytest.raises(MessagingError, match="WRONGTYPE"):
            await client.append_state(maker(1))

    play(redis_world, scenario)


def test_cancellation_is_never_lost(redis_world: RedisWorld) -> None:
    """Python 3.11 loses some where redis-py ends a write; a reader that loses one never ends."""

    async def scenario(client: RedisMessaging, link: Link) -> None:
        async def follow() -> None:
            async for _ in client.states(Role.MAKER):
                pass

        for steps in range(30):
            async with asyncio.timeout(5), asyncio.TaskGroup() as group:
                reader = group.create_task(follow())
                for _ in range(steps):
                    await asyncio.sleep(0)
                reader.cancel()
            assert reader.cancelled()

    play(redis_world, scenario)


def test_url_cannot_bring_back_what_is_switched_off(real_redis: RedisServer) -> None:
    client: Redis = connect(f"{real_redis.url}?protocol=3&socket_timeout=0.001&decode_responses=yes&retry_on_timeout=1")
    options = client.connection_pool.connection_kwargs
    assert (options["protocol"], options["socket_timeout"], options["decode_responses"]) == (2, 2.0, False)
    assert options["retry"].get_retries() == 0


def test_quiet_stream_is_not_taken_for_a_dead_server() -> None:
    assert READ_TIMEOUT_SECONDS * 1000 >= 3 * BLOCK_MS


def test_lost_uuid_between_two_commands_is_an_error(redis_world: RedisWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(client: RedisMessaging, link: Link) -> None:
        async def nothing(_: str) -> None:
            return None

        monkeypatch.setattr(client._client, "get", nothing)
        with pytest.raises(MessagingError, match="wiped"):
            await client.open()

    play(redis_world, scenario)


@pytest.mark.parametrize(
    ("url", "place"),
    [("redis://127.0.0.1:6380/2", "127.0.0.1:6380/2"), ("redis://", "localhost:6379/0"),
     ("redis://desk:secret@redis.example:7000/1", "redis.example:7000/1"),
     ("rediss://:secret@redis.example", "redis.example:6379/0 (TLS)"),
     ("unix:///run/redis.sock?db=3", "/run/redis.sock/3")],
)  # fmt: skip
def test_place_names_everything_but_the_password(url: str, place: str) -> None:
    assert place_of(url) == place
    assert RedisMessaging(url, DeskId(pair="a_b", market="BTC")).place == place


@pytest.mark.parametrize("url", ["http://:secret@host", "secret", "redis://:secret/with@host/0", "redis://host:secret"])
def test_url_that_cannot_be_read_is_not_quoted(url: str) -> None:
    with pytest.raises(MessagingError, match="cannot be read") as caught:
        place_of(url)
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_password_is_in_no_error(real_redis: RedisServer) -> None:
    async def scenario() -> None:
        port = real_redis.url.rsplit(":", 1)[1]
        for url in (f"redis://:secret@127.0.0.1:{port}", "redis://:secret@127.0.0.1:1/0"):
            client = RedisMessaging(url, DeskId(pair="a_b", market="BTC"))
            with pytest.raises(MessagingError, match=r"127\.0\.0\.1") as caught:
                await client.open()
            assert "secret" not in repr(caught.value) + repr(caught.value.__cause__)
            await client.close()

    asyncio.run(scenario())


def test_uuid_comes_from_whoever_is_first(redis_world: RedisWorld) -> None:
    async def scenario(client: RedisMessaging, link: Link) -> None:
        assert len(await client.open()) == 36
        assert redis_stream._text_uuid() != redis_stream._text_uuid()

    play(redis_world, scenario)

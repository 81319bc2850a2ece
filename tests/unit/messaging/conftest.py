"""Worlds for the contract of the messaging port: the memory hub, a real Redis, and the stand-in of the demo."""

import asyncio
import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from lighter_hedge.domain.states import DeskId
from lighter_hedge.messaging.memory_stream import MemoryHub, MemoryMessaging
from lighter_hedge.messaging.redis_stream import RedisMessaging, connect
from lighter_hedge.ops.redis_server import Kind, Program, RedisNotFound, RedisServer, find_program, running_redis

Client = MemoryMessaging | RedisMessaging
DESK = DeskId(pair="a_b", market="BTC")
BLOCK_MS = 30
_numbers = itertools.count(1)


class MemoryWorld:
    """Clients of one hub."""

    def __init__(self) -> None:
        self.hub = MemoryHub(lambda: 1_800_000_000_000)

    async def client(self, desk: DeskId = DESK, *, states_kept: int = 1000) -> Client:
        return MemoryMessaging(self.hub, desk, states_kept=states_kept)

    async def cut(self, client: Client) -> None:
        assert isinstance(client, MemoryMessaging)
        client.cut()

    async def heal(self, client: Client) -> None:
        assert isinstance(client, MemoryMessaging)
        client.heal()

    async def wipe(self) -> None:
        self.hub.wipe()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


class Link:
    """A wire between one client and the server, which can be cut and can swallow answers."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.cut_at_answer = False
        """Cut the next connection on which an answer comes, before the answer is passed on."""
        self.cut_at_request = False
        """Cut the next connection on which a request comes, before the request is passed on."""
        self.requests = bytearray()
        """Everything that the client has sent."""

    async def up(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._writers):
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there = await asyncio.open_connection("127.0.0.1", self._server_port)
        self._writers |= {writer, there}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, there, answers=False))
                group.create_task(self._pump(there_reader, writer, answers=True))
        finally:
            self._writers -= {writer, there}

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        try:
            while data := await reader.read(65536):
                if answers and self.cut_at_answer:
                    self.cut_at_answer = False
                    break
                if not answers and self.cut_at_request:
                    self.cut_at_request = False
                    break
                if not answers:
                    self.requests += data
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


class RedisWorld:
    """Clients of one server, each over a link of its own."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._number = next(_numbers)
        self.links: dict[Client, Link] = {}

    async def client(self, desk: DeskId = DESK, *, states_kept: int = 1000) -> Client:
        link = Link(int(self._server.url.rsplit(":", 1)[1].split("/")[0]))
        await link.up()
        own = DeskId(pair=f"{desk.pair}.{self._number}", market=desk.market)
        made = RedisMessaging(f"redis://127.0.0.1:{link.port}/0", own, states_kept=states_kept, block_ms=BLOCK_MS)
        self.links[made] = link
        return made

    async def cut(self, client: Client) -> None:
        await self.links[client].down()

    async def heal(self, client: Client) -> None:
        await self.links[client].up()

    async def wipe(self) -> None:
        admin = connect(self._server.url)
        await admin.flushall()
        await admin.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client, link in self.links.items():
            await client.close()
            await link.down()


def real_program() -> Program:
    """The server of this machine; in CI it must be there wherever a wheel of one exists."""
    try:
        return find_program()
    except RedisNotFound as missing:
        if os.environ.get("CI") == "true" and sys.version_info < (3, 13):
            pytest.fail(f"CI tests against a real Redis: {missing}")
        return fake_program()


def fake_program() -> Program:
    """The stand-in of the demo."""
    return Program(kind=Kind.FAKE, path=Path(sys.executable), version="fakeredis")


def serve(program: Program) -> Iterator[RedisServer]:
    with asyncio.Runner() as runner:
        context = running_redis(program=program)
        server = runner.run(context.__aenter__())
        try:
            yield server
        finally:
            runner.run(context.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def real_redis() -> Iterator[RedisServer]:
    yield from serve(real_program())


@pytest.fixture(scope="session")
def fake_redis() -> Iterator[RedisServer]:
    yield from serve(fake_program())


@pytest.fixture
def redis_world(real_redis: RedisServer) -> RedisWorld:
    return RedisWorld(real_redis)


@pytest.fixture(params=["memory", "redis", "stand-in"])
def world(request: pytest.FixtureRequest) -> MemoryWorld | RedisWorld:
    match request.param:
        case "memory":
            return MemoryWorld()
        case "redis":
            return RedisWorld(request.getfixturevalue("real_redis"))
        case _:
            return RedisWorld(request.getfixturevalue("fake_redis"))

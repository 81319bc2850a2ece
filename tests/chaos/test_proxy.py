"""The proxy carries bytes, and every trouble is what it says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from tests.chaos.proxy import DOWN, HOST, UP, Link, ended
from tests.e2e.desk import free_port


@asynccontextmanager
async def echo() -> AsyncIterator[tuple[Link, asyncio.StreamReader, asyncio.StreamWriter]]:
    """A server that repeats, a proxy before it, and a connection through both."""

    async def repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(100):
                writer.write(data)
        except OSError:
            pass
        finally:
            await ended(writer)
            gone.set()

    gone = asyncio.Event()

    server = await asyncio.start_server(repeat, HOST, free_port())
    link = Link(free_port(), server.sockets[0].getsockname()[1])
    await link.start()
    try:
        async with connected(link) as (reader, writer):
            yield link, reader, writer
    finally:
        await link.stop()
        server.close()
        await gone.wait()


@asynccontextmanager
async def connected(link: Link) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(HOST, link.listen)
    try:
        yield reader, writer
    finally:
        await ended(writer)


async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: bytes) -> bytes:
    writer.write(text)
    async with asyncio.timeout(5):
        return await reader.readexactly(len(text))


def test_bytes_go_both_ways() -> None:
    async def run() -> None:
        async with echo() as (_, reader, writer):
            assert await said(reader, writer, b"one") == b"one"

    asyncio.run(run())


@pytest.mark.parametrize("way", [UP, DOWN])
def test_held_bytes_come_when_the_trouble_ends(way: str) -> None:
    async def run() -> None:
        async with echo() as (link, reader, writer):
            link.ways[way].flows.clear()
            writer.write(b"two")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await reader.readexactly(3)
            link.heal()
            assert await reader.readexactly(3) == b"two"

    asyncio.run(run())


@pytest.mark.parametrize("way", [UP, DOWN])
def test_swallowed_bytes_never_come_and_the_connection_ends(way: str) -> None:
    async def run() -> None:
        async with echo() as (link, reader, writer):
            assert await said(reader, writer, b"before") == b"before"
            link.ways[way].swallows = True
            writer.write(b"lost")
            while not link.ways[way].lost:  # noqa: ASYNC110 - the proxy has no event for it
                await asyncio.sleep(0)
            link.heal()
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await said(reader, writer, b"after")

    asyncio.run(run())


def test_who_is_refused_hears_nothing() -> None:
    async def run() -> None:
        async with echo() as (link, _, _writer):
            link.refuses = True
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                async with connected(link) as (reader, writer):
                    await said(reader, writer, b"hello")

    asyncio.run(run())

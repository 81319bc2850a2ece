"""A TCP proxy between one process and one server, whose trouble can be switched while connections live.

``hold`` keeps bytes and lets them go later, as a network that repeats what was lost; ``swallow`` loses them, and the
connection ends with the trouble, since a stream with a hole is none. Each direction has its own: ``up`` carries
requests, ``down`` answers and pushes.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

HOST = "127.0.0.1"
CHUNK = 65_536
UP, DOWN = "up", "down"


@dataclass(slots=True)
class Direction:
    """Trouble of one direction."""

    flows: asyncio.Event = field(default_factory=asyncio.Event)
    swallows: bool = False
    lost: int = 0
    """Bytes swallowed so far."""
    delay_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.flows.set()


async def ended(writer: asyncio.StreamWriter) -> None:
    """End a connection now, and wait until it has."""
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()


class Link:
    """One proxy: listens on a port, connects to another."""

    def __init__(self, listen: int, target: int, delay_seconds: float = 0.0) -> None:
        self.listen, self.target = listen, target
        self.refuses = False
        self.ways = {UP: Direction(), DOWN: Direction()}
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._usual_seconds = delay_seconds
        self.heal()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, HOST, self.listen)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.heal()
        self.cut()
        if self._serving:
            await asyncio.wait(self._serving)

    def cut(self) -> None:
        """Reset every connection."""
        for writer in list(self._open):
            writer.transport.abort()

    def heal(self) -> None:
        """End all trouble; connections that have lost bytes end with it."""
        if any(way.swallows for way in self.ways.values()):
            self.cut()
        self.refuses = False
        for way in self.ways.values():
            way.swallows, way.delay_seconds = False, self._usual_seconds
            way.flows.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            if not self.refuses:
                await self._serve(reader, writer)
        finally:
            self._serving.discard(task)
            await ended(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(HOST, self.target)
        except OSError:
            return
        self._open |= {writer, back}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, back, self.ways[UP]))
                group.create_task(self._pump(there, writer, self.ways[DOWN]))
        finally:
            self._open -= {writer, back}
            await ended(back)

    @staticmethod
    async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Direction) -> None:
        try:
            while data := await reader.read(CHUNK):
                if way.delay_seconds:
                    await asyncio.sleep(way.delay_seconds)
                await way.flows.wait()
                if way.swallows:
                    way.lost += len(data)
                    continue
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
        except (OSError, RuntimeError):
            writer.transport.abort()


class Links:
    """Proxies of all processes to all servers, on a thread of their own: ``at[side, server]``."""

    def __init__(self) -> None:
        self.at: dict[tuple[str, str], Link] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._thread.start()

    def add(self, side: str, server: str, link: Link) -> None:
        self.at[side, server] = link
        self.do(link.start())

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Run on the proxies' loop, and wait for it."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def tell(self, change: Callable[[], None]) -> None:
        """Change something on the proxies' loop, and wait until it is done."""

        async def changed() -> None:
            change()

        self.do(changed())

    def close(self) -> None:
        for link in self.at.values():
            self.do(link.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

"""A TCP proxy between one process and one server, whose trouble can be switched while connections live.

``hold`` keeps bytes and lets them go later, as a network that repeats what was lost; ``swallow`` loses them, and the
connection ends with the trouble, since a stream with a hole is none. Each direction has its own: ``up`` carries
requests, ``down`` answers and pushes.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
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
    delay_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.flows.set()


class Link:
    """One proxy: listens on a port, connects to another."""

    def __init__(self, listen: int, target: int) -> None:
        self.listen, self.target = listen, target
        self.refuses = False
        self.ways = {UP: Direction(), DOWN: Direction()}
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, HOST, self.listen)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()

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
            way.swallows, way.delay_seconds = False, 0.0
            way.flows.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection(HOST, self.target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, back}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, back, self.ways[UP]))
                group.create_task(self._pump(there, writer, self.ways[DOWN]))
        finally:
            self._open -= {writer, back}
            writer.transport.abort()
            back.transport.abort()

    @staticmethod
    async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Direction) -> None:
        try:
            while data := await reader.read(CHUNK):
                if way.delay_seconds:
                    await asyncio.sleep(way.delay_seconds)
                await way.flows.wait()
                if not way.swallows:
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

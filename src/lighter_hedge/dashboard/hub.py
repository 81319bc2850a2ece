"""Sends what changes to everybody who looks at the page: encoded once, however many look."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final

import msgspec

from lighter_hedge.dashboard.projection import Projection
from lighter_hedge.dashboard.schema import Update

FLUSH_SECONDS: Final = 0.2
"""Changes are gathered for this long."""
BEAT_SECONDS: Final = 1.0
"""Something is sent at least this often: silence means that the connection is lost."""
WAITING_MAX: Final = 50
"""Updates that wait for a slow viewer; then it gets everything anew instead."""
VIEWERS_MAX: Final = 40
ASKED_MS: Final = 60_000


class TooManyViewers(Exception):
    """Every place is taken."""


@dataclass(slots=True)
class _Viewer:
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(WAITING_MAX))
    lost: bool = False


@dataclass(slots=True, kw_only=True)
class Hub:
    """Everybody who looks, and what they are sent."""

    projection: Projection
    clock: Callable[[], int]
    """Unix milliseconds."""
    _viewers: list[_Viewer] = field(default_factory=list)
    _closed: bool = False
    _asked_ms: int = 0

    async def run(self) -> None:
        """Send changes and beats until cancelled."""
        quiet = 0.0
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            quiet += FLUSH_SECONDS
            if self.projection.dirty or quiet >= BEAT_SECONDS:
                self.flush()
                quiet = 0.0

    def flush(self) -> None:
        """Send what has changed now."""
        update = self.projection.update(self.clock())
        if not self._viewers:
            return
        body = frame("delta", update)
        for viewer in self._viewers:
            self._offer(viewer, body)

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        for viewer in self._viewers:
            while viewer.queue.full():
                viewer.queue.get_nowait()
            viewer.queue.put_nowait(None)

    @property
    def viewers(self) -> int:
        """How many look."""
        return len(self._viewers)

    def asked(self) -> None:
        """Somebody has asked for a single answer: a scrape, or a program."""
        self._asked_ms = self.clock()

    @property
    def watched(self) -> bool:
        """Whether anybody looks, or has asked within a minute."""
        return bool(self._viewers) or self.clock() - self._asked_ms < ASKED_MS

    @property
    def full(self) -> bool:
        """Whether nobody more may look."""
        return len(self._viewers) >= VIEWERS_MAX

    async def stream(self) -> AsyncIterator[bytes]:
        """Server-sent events for one viewer: everything, then what changes, until ``close``.

        Raises:
            TooManyViewers: every place is taken.
        """
        if self.full:
            raise TooManyViewers
        viewer = _Viewer()
        self._viewers.append(viewer)
        try:
            yield b"retry: 1000\n\n" + self._everything(viewer)
            while not self._closed:
                body = await viewer.queue.get()
                if body is None:
                    return
                if viewer.lost:
                    viewer.lost = False
                    body = self._everything(viewer)
                yield body
        finally:
            self._viewers.remove(viewer)

    def _everything(self, viewer: _Viewer) -> bytes:
        """All of it; what waits for others to be told, or for this one, is in it and must not come again."""
        self.flush()
        while not viewer.queue.empty():
            viewer.queue.get_nowait()
        return frame("full", self.projection.whole(self.clock()))

    @staticmethod
    def _offer(viewer: _Viewer, body: bytes) -> None:
        if viewer.queue.full():
            while not viewer.queue.empty():
                viewer.queue.get_nowait()
            viewer.lost = True
        viewer.queue.put_nowait(body)


def frame(event: str, update: Update) -> bytes:
    """One server-sent event; JSON has no line breaks."""
    return b"event: " + event.encode() + b"\ndata: " + msgspec.json.encode(update) + b"\n\n"

"""Write the public feed of a venue as a tape of frames, as they come.

A lost connection or a gap leaves a hole, after which the tape goes on with the venue's next snapshot.
"""

import asyncio
import gzip
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import msgspec

from lighter_hedge.simulator.traffic.feed import Feed, FeedError, Frame
from lighter_hedge.simulator.traffic.tape_lines import BookLine, TapeLine, TradeLine


def clock_ms() -> int:
    """Wall clock in milliseconds."""
    return time.time_ns() // 1_000_000


class Recording:
    """A tape that is being written, and what it holds so far."""

    def __init__(self, path: Path, *, clock: Callable[[], int] = clock_ms) -> None:
        """Open a new file, packed if its name ends in ``.gz``.

        Raises:
            FeedError: the file exists.
            OSError: it cannot be written.
        """
        self.snapshots = 0
        self.changes = 0
        self.trades = 0
        self._path = path
        self._clock = clock
        try:
            self._file: BinaryIO | gzip.GzipFile = (
                gzip.GzipFile(path, "xb") if path.suffix == ".gz" else path.open("xb")
            )
        except FileExistsError:
            raise FeedError(f"{path} exists: choose another name, or remove it") from None

    def write(self, frame: Frame, lines: list[TapeLine]) -> None:
        """Add a frame that says ``lines``."""
        self._file.write(msgspec.json.encode({"r": self._clock(), "frame": frame}) + b"\n")
        for line in lines:
            self.trades += isinstance(line, TradeLine)
            if isinstance(line, BookLine):
                self.snapshots += line.snapshot
                self.changes += not line.snapshot

    def close(self) -> None:
        """End the file; one without any book is removed, since no tape starts without."""
        self._file.close()
        if self.snapshots == 0:
            self._path.unlink()


async def record(feed: Feed, recording: Recording, stop: asyncio.Event) -> None:
    """Write what ``feed`` tells until ``stop`` is set."""
    async with asyncio.TaskGroup() as group:
        following = group.create_task(feed.run(recording.write))
        await stop.wait()
        following.cancel()

"""WebSocket connections: what each listens to, and what waits to be sent to it."""

import asyncio
from bisect import insort
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

GOING_AWAY = 1001
"""The code with which a server that ends closes a connection."""


class Outbox(asyncio.Queue[str]):
    """Frames for one reader, bounded by what they take: one too slow holds no more memory than that."""

    def __init__(self, length_max: int) -> None:
        super().__init__()
        self._length_max = length_max
        self._length = 0

    def put_nowait(self, item: str) -> None:
        """Queue a frame; one that is larger than the bound fits an empty queue.

        Raises:
            asyncio.QueueFull: it does not fit.
        """
        if self._length and self._length + len(item) > self._length_max:
            raise asyncio.QueueFull
        super().put_nowait(item)

    def _put(self, item: str) -> None:
        self._length += len(item)
        super()._put(item)

    def _get(self) -> str:
        item = super()._get()
        self._length -= len(item)
        return item


@dataclass(slots=True, kw_only=True, eq=False)
class Connection:
    """One WebSocket."""

    drop: Callable[[], None]
    """Breaks the connection at once."""
    outbox: asyncio.Queue[str]
    read_only: bool = False
    """Transactions are refused."""
    number: int = 0
    """Older connections have smaller numbers and hear first."""
    channels: set[str] = field(default_factory=set)
    accounts: set[int] = field(default_factory=set)
    """Accounts that it has listened to."""
    heard_at: float = 0.0
    """When the client last said something, by the event loop's clock."""
    queued: int = 0
    """Frames that were ever put into the outbox."""
    close_code: int = GOING_AWAY
    """With which it is closed when it comes to the empty frame."""
    written: int = 0
    """Frames that have left it for the socket."""
    unanswered: deque[int] = field(default_factory=deque)
    """For each message that is in flight: the number of queued frames with which it is answered."""

    def send(self, text: str) -> None:
        """Queue a frame; a reader too slow for its queue is dropped."""
        try:
            self.outbox.put_nowait(text)
        except asyncio.QueueFull:
            self.drop()
        else:
            self.queued += 1

    def close(self, code: int) -> None:
        """Close the connection with a code, once everything before is written."""
        self.close_code = code
        self.send("")

    def in_flight(self) -> int:
        """How many of the client's messages wait for their answer to be written."""
        while self.unanswered and self.unanswered[0] <= self.written:
            self.unanswered.popleft()
        return len(self.unanswered)


class Connections:
    """All connections, oldest first, and who listens to what."""

    def __init__(self) -> None:
        self._open: dict[Connection, None] = {}
        self._listeners: dict[str, list[Connection]] = {}
        self._count = 0

    def __len__(self) -> int:
        """How many are open."""
        return len(self._open)

    def __iter__(self) -> Iterator[Connection]:
        """Those that are open now; they may go while one looks."""
        return iter(list(self._open))

    def add(self, connection: Connection) -> None:
        """A connection has opened."""
        self._count += 1
        connection.number = self._count
        self._open[connection] = None

    def discard(self, connection: Connection) -> None:
        """A connection has ended."""
        self._open.pop(connection, None)
        for channel in list(connection.channels):
            self.unsubscribe(connection, channel)

    def subscribe(self, connection: Connection, channel: str) -> None:
        """Let a connection hear a channel."""
        connection.channels.add(channel)
        insort(self._listeners.setdefault(channel, []), connection, key=lambda one: one.number)

    def unsubscribe(self, connection: Connection, channel: str) -> None:
        """Let a connection hear a channel no more."""
        connection.channels.discard(channel)
        listeners = self._listeners[channel]
        listeners.remove(connection)
        if not listeners:
            del self._listeners[channel]

    def listening(self, channel: str) -> list[Connection]:
        """Who hears a channel, oldest first."""
        return self._listeners.get(channel, [])

    def heard(self) -> list[str]:
        """Channels that somebody hears."""
        return list(self._listeners)

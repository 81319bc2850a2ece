"""What faults do to the frames of the stream, on their way from the exchange to those who listen. Pure.

A fault strikes private frames, or those of the ``channel`` that it names; first frames of a subscription are never
struck.
"""

import heapq
from collections.abc import Iterable, Iterator

from lighter_hedge.simulator.core.faults.board import Fault, FaultBoard
from lighter_hedge.simulator.edge.connections import Connection

PRIVATE_PREFIXES = ("account_", "user_stats:", "notification:")
SWAP_US_MAX = 1_000_000
"""A frame that waits for the one behind it waits no longer than this."""


def is_private(channel: str) -> bool:
    """Whether a channel is about one account."""
    return channel.startswith(PRIVATE_PREFIXES)


def account_of(channel: str) -> int | None:
    """The account that a channel is about."""
    return int(channel.rsplit(":", 1)[1]) if is_private(channel) else None


def market_of(channel: str) -> int | None:
    """The market that a channel is about, if it is about one alone."""
    name, _, rest = channel.partition(":")
    if name == "height" or (is_private(channel) and rest.count(":") == 0):
        return None
    market = rest.partition(":")[0]
    return int(market) if market.isdecimal() else None


class FrameFaults:
    """Passes frames on: at once, late, twice, behind the next one, or never."""

    def __init__(self, board: FaultBoard) -> None:
        self._board = board
        self._late: list[tuple[int, int, Connection, str]] = []
        self._count = 0
        self._waiting: dict[Connection, list[str]] = {}
        """Frames that let the next one pass first."""

    def next_due_us(self) -> int | None:
        """When the next late frame is due."""
        return self._late[0][0] if self._late else None

    def later(self, connection: Connection, text: str, due_us: int) -> None:
        """Send a frame when its time has come."""
        self._count += 1
        heapq.heappush(self._late, (due_us, self._count, connection, text))

    def release(self, now_us: int) -> None:
        """Send what is due."""
        while self._late and self._late[0][0] <= now_us:
            _, _, connection, text = heapq.heappop(self._late)
            if text:
                connection.send(text)
            else:
                self._let_go(connection)

    def tell(self, channel: str, text: str, listeners: Iterable[Connection], now_us: int) -> None:
        """Send a frame to those who listen, unless something goes wrong."""
        if not self._board:
            for connection in listeners:
                connection.send(text)
        elif not self._is_lost(channel, now_us):
            self._tell(channel, text, listeners, now_us)

    def _is_lost(self, channel: str, now_us: int) -> bool:
        is_book = channel.startswith("order_book:")
        if is_book and self._board.strike("book_gap", now_us, None, market_of(channel)) is not None:
            return True
        return self._strike("lose_frames", channel, now_us) is not None

    def _tell(self, channel: str, text: str, listeners: Iterable[Connection], now_us: int) -> None:
        late = self._strike("late_frames", channel, now_us)
        if late is not None:
            for connection in listeners:
                self.later(connection, text, now_us + late.number("delay_ms") * 1000)
        elif self._strike("swap_frames", channel, now_us) is not None:
            for connection in listeners:
                self._waiting.setdefault(connection, []).append(text)
                self.later(connection, "", now_us + SWAP_US_MAX)
        else:
            times = 1 if self.doubles(channel, now_us) is None else 2
            for connection in listeners:
                for _ in range(times):
                    connection.send(text)
                self._let_go(connection)

    def _let_go(self, connection: Connection) -> None:
        for text in self._waiting.pop(connection, ()):
            connection.send(text)

    def doubles(self, channel: str, now_us: int) -> Fault | None:
        """What doubles the frames of a channel."""
        return self._strike("duplicate_frames", channel, now_us)

    def _strike(self, kind: str, channel: str, now_us: int) -> Fault | None:
        name = channel.partition(":")[0]

        def fits(fault: Fault) -> bool:
            wanted = fault.word("channel")
            return wanted == name if wanted else is_private(channel)

        return self._board.strike(kind, now_us, account_of(channel), market_of(channel), fits=fits)


def disconnected(connections: Iterable[Connection], fault: Fault) -> Iterator[Connection]:
    """The sockets that a fault of sockets is for: all, or those that listen to its account."""
    return (one for one in connections if fault.account_index is None or fault.account_index in one.accounts)

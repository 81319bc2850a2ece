import asyncio
from typing import Any

import pytest
from tests.unit.simulator.paper_world import START_US, A, B

from lighter_hedge.simulator.core.faults.board import FaultBoard
from lighter_hedge.simulator.edge.connections import Connection
from lighter_hedge.simulator.edge.faults.frames import (
    SWAP_US_MAX,
    FrameFaults,
    account_of,
    disconnected,
    is_private,
    market_of,
)

OF_A, OF_B, BOOK = f"account_all_orders:{A}", f"account_all_orders:{B}", "order_book:1"


class Story:
    """One listener, and what may go wrong on the way to it."""

    def __init__(self, **fault: Any) -> None:
        self.board = FaultBoard({"a": A, "b": B}, {"BTC": 1, "ETH": 0})
        self.board.arm(fault, START_US)
        self.faults = FrameFaults(self.board)
        self.listener = Connection(drop=lambda: None, outbox=asyncio.Queue())

    def tell(self, *texts: str, channel: str = OF_A, at_us: int = START_US) -> None:
        for text in texts:
            self.faults.tell(channel, text, [self.listener], at_us)

    def heard(self) -> list[str]:
        outbox = self.listener.outbox
        return [outbox.get_nowait() for _ in range(outbox.qsize())]


@pytest.mark.parametrize(
    ("channel", "private", "account", "market"),
    [
        ("height", False, None, None),
        ("trade:1", False, None, 1),
        ("market_stats:all", False, None, None),
        ("candle:1:1m", False, None, 1),
        ("account_all:5", True, 5, None),
        ("user_stats:5", True, 5, None),
        ("notification:5", True, 5, None),
        ("account_orders:1:77", True, 77, 1),
    ],
)
def test_a_channel_tells_whom_and_what_it_is_about(
    channel: str, private: bool, account: int | None, market: int | None
) -> None:
    assert (is_private(channel), account_of(channel), market_of(channel)) == (private, account, market)


def test_a_frame_is_lost() -> None:
    story = Story(kind="lose_frames", account="a")
    story.tell("b", channel=OF_B)
    story.tell("1", "2")
    assert story.heard() == ["b", "2"]


def test_public_frames_are_struck_only_by_name() -> None:
    story = Story(kind="lose_frames", channel="order_book", market="BTC")
    story.tell("private")
    story.tell("eth", channel="order_book:0")
    story.tell("lost", "told", channel=BOOK)
    assert story.heard() == ["private", "eth", "told"]


def test_a_gap_loses_a_batch_of_the_book() -> None:
    story = Story(kind="book_gap", market="BTC", count=2)
    story.tell("private")
    story.tell("trade", channel="trade:1")
    story.tell("1", "2", "3", channel=BOOK)
    assert story.heard() == ["private", "trade", "3"]


def test_a_late_frame_is_overtaken_and_comes_in_its_time() -> None:
    story = Story(kind="late_frames", account="a", delay_ms=300)
    story.tell("1", "2")
    assert (story.heard(), story.faults.next_due_us()) == (["2"], START_US + 300_000)
    story.faults.release(START_US + 299_999)
    assert story.heard() == []
    story.faults.release(START_US + 300_000)
    assert (story.heard(), story.faults.next_due_us()) == (["1"], None)


def test_two_frames_change_places() -> None:
    story = Story(kind="swap_frames", account="a")
    story.tell("1", "2", "3")
    assert story.heard() == ["2", "1", "3"]
    story.faults.release(START_US + SWAP_US_MAX)
    assert story.heard() == []


def test_a_frame_with_none_behind_it_waits_a_second_at_most() -> None:
    story = Story(kind="swap_frames", account="a")
    story.tell("1")
    story.faults.release(START_US + SWAP_US_MAX)
    assert story.heard() == ["1"]


def test_frames_come_twice_until_that_ends() -> None:
    story = Story(kind="duplicate_frames", account="a", seconds=1)
    story.tell("1")
    story.tell("b", channel=OF_B)
    story.tell("2", at_us=START_US + 1_000_000)
    assert story.heard() == ["1", "1", "b", "2"]


def test_sockets_are_those_that_listen_to_the_account() -> None:
    one, other = (Connection(drop=lambda: None, outbox=asyncio.Queue()) for _ in range(2))
    one.accounts.add(A)
    board = FaultBoard({"a": A}, {})
    assert [*disconnected([one, other], board.arm({"kind": "disconnect", "account": "a"}, 0))] == [one]
    assert [*disconnected([one, other], board.arm({"kind": "disconnect"}, 0))] == [one, other]

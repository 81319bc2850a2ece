"""Bad WebSocket messages against a paper exchange in another process."""

import os
from collections.abc import Awaitable, Callable

import aiohttp
from tests.abuse.frames import Frames
from tests.integration.paper_client import Paper, run

DAMAGED = int(os.environ.get("ABUSE_FRAMES", "5000"))
SEED = 1 + int(os.environ.get("ABUSE_SEED", "0"))


def _under(paper: Paper, work: Callable[[Frames], Awaitable[object]]) -> None:
    """Do something bad while somebody else listens; the exchange says nothing of it on stderr."""

    async def test() -> None:
        async with aiohttp.ClientSession() as http:
            frames = Frames(paper, http)
            async with frames.witnessed():
                await work(frames)

    run(test, seconds=30 + DAMAGED / 20)
    assert paper.said() == ""


def test_each_bad_message_gets_the_venues_error_and_the_socket_goes_on(paper: Paper) -> None:
    _under(paper, Frames.table)


def test_what_breaks_the_protocol_ends_its_own_connection_only(paper: Paper) -> None:
    _under(paper, Frames.broken)


def test_damaged_messages_are_answered_and_nobody_else_is_disturbed(paper: Paper) -> None:
    async def damaged(frames: Frames) -> None:
        assert await frames.damaged(DAMAGED, seed=SEED) > DAMAGED // 2

    _under(paper, damaged)

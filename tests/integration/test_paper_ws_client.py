"""The SDK's own WsClient, blocking and not, against a paper exchange in another process."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import lighter
import pytest
from tests.integration.paper_client import Paper, fault, run
from tests.integration.paper_process import MID

WAYS = ("async", "sync")


@pytest.fixture(scope="module")
def pinging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paper]:
    """A paper exchange that pings soon."""
    running = Paper(tmp_path_factory.mktemp("pinging"), ping_seconds=0.4)
    yield running
    running.kill()


class Client(lighter.WsClient):  # type: ignore[misc] # the SDK has no types
    """The SDK's client as it is; what reaches it and its callbacks is kept in order."""

    def __init__(self, paper: Paper) -> None:
        self.loop = asyncio.get_running_loop()
        self.told: asyncio.Queue[tuple[str, Any, Any]] = asyncio.Queue()
        super().__init__(
            ws_url=paper.credentials["ws_url"],
            order_book_ids=[1],
            account_ids=[paper.accounts[0]],
            on_order_book_update=lambda market, book: self.tell("book", market, book),
            on_account_update=lambda account, frame: self.tell("account", account, frame),
            on_shutdown=lambda close_in_ms: self.tell("shutdown", close_in_ms, None),
            on_unhandled_message=lambda frame: self.tell("unhandled", frame, None),
        )

    def tell(self, kind: str, first: Any, second: Any) -> None:
        self.loop.call_soon_threadsafe(self.told.put_nowait, (kind, first, copy.deepcopy(second)))

    def on_message(self, ws: Any, message: Any) -> None:
        frame = json.loads(message) if isinstance(message, str) else message
        super().on_message(ws, message)
        self.tell("frame", frame["type"], None)

    async def on_message_async(self, ws: Any, message: Any) -> None:
        await super().on_message_async(ws, message)
        if json.loads(message)["type"] in ("connected", "ping"):
            self.tell("frame", json.loads(message)["type"], None)

    async def until(self, kind: str, **wanted: Any) -> Any:
        """The next told thing of a kind, where given with truthy fields."""
        while True:
            found, first, second = await self.told.get()
            assert found != "unhandled", first
            if found == kind and all(bool(second.get(name)) is value for name, value in wanted.items()):
                return first if second is None else second


@asynccontextmanager
async def client_of(paper: Paper, way: str) -> AsyncIterator[Client]:
    """A running client; it ends, without an error, when the exchange closes it."""
    client = Client(paper)
    async with asyncio.TaskGroup() as group:
        group.create_task(client.run_async() if way == "async" else asyncio.to_thread(client.run))
        try:
            yield client
        finally:
            await fault(paper, kind="shutdown")


def prices(book: Any, side: str) -> list[str]:
    return [level["price"] for level in book[side]]


@pytest.mark.parametrize("way", WAYS)
def test_its_book_follows_ours(pinging: Paper, way: str) -> None:
    async def test() -> None:
        async with client_of(pinging, way) as client, pinging.clients(4) as (a, _):
            book = await client.until("book")
            assert prices(book, "bids") == ["99999.0", "99998.0"]
            assert prices(book, "asks") == ["100001.0", "100002.0"]
            assert (await a.create_order(1, 71, 20, MID - 5, False, 0, 2))[2] is None
            assert "99999.5" in prices(await client.until("book"), "bids")
            assert (await a.cancel_order(1, 71))[2] is None
            assert prices(await client.until("book"), "bids") == ["99999.0", "99998.0"]

    run(test)


@pytest.mark.parametrize("way", WAYS)
def test_its_account_hears_trades_and_then_positions(pinging: Paper, way: str) -> None:
    async def test() -> None:
        async with client_of(pinging, way) as client, pinging.clients(5) as (a, _):
            account = await client.until("account")
            assert (account["type"], account["account"]) == ("subscribed/account_all", pinging.accounts[0])
            is_ask = way == "sync"
            assert (await a.create_market_order(1, 72, 20, MID - 20 if is_ask else MID + 20, is_ask))[2] is None
            trades = (await client.until("account", trades=True))["trades"]["1"]
            assert [row["size"] for row in trades] == ["0.00020"]
            positions = (await client.until("account", positions=True))["positions"]
            assert positions["1"]["position"] == ("0.00000" if is_ask else "0.00020")

    run(test)


@pytest.mark.parametrize("way", WAYS)
def test_it_answers_pings_and_stays_connected(pinging: Paper, way: str) -> None:
    """After a second ping the first has been answered: else the connection would have ended."""

    async def test() -> None:
        async with client_of(pinging, way) as client:
            for _ in range(3):
                while await client.until("frame") != "ping":
                    pass

    run(test)


@pytest.mark.parametrize("way", WAYS)
def test_it_hears_of_a_shutdown_and_ends_without_an_error(pinging: Paper, way: str) -> None:
    async def test() -> None:
        async with client_of(pinging, way) as client:
            await client.until("book")
            await fault(pinging, kind="shutdown", close_in_ms=50)
            assert await client.until("shutdown") == 50

    run(test)

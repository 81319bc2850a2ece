"""The edges of a paper exchange in this process: a test world behind a real port, and a clock told."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from tests.unit.simulator.paper_world import World, make_world

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.edge.server import application
from lighter_hedge.simulator.edge.settings import PaperSettings
from lighter_hedge.simulator.edge.venue import Venue


class Edge:
    """A venue and a client of it."""

    def __init__(self, world: World, client: Any, venue: Venue) -> None:
        self.world = world
        self.client = client
        self.venue = venue

    def token(self, account: int, *, key: int = 4, seconds: int = 600) -> str:
        return f"{self.world.now_us // 1_000_000 + seconds}:{account}:{key}:{'ab' * 80}"

    async def get(self, path: str, status: int = 200, **query: Any) -> dict[str, Any]:
        async with self.client.get(path, params=query) as response:
            body: dict[str, Any] = await response.json()
            assert response.status == status, body
            return body

    async def api(self, name: str, status: int = 200, **query: Any) -> dict[str, Any]:
        return await self.get(f"/api/v1/{name}", status, **query)

    async def send(self, account: int, tx_type: int, fields: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """``sendTx``: its status and body."""
        form = {"tx_type": str(tx_type), "tx_info": json.dumps(self.world.info(account, fields))}
        async with self.client.post("/api/v1/sendTx", data=form) as response:
            return response.status, await response.json()

    async def order(self, account: int, side: Side, lots: int, price: int, **more: Any) -> tuple[int, dict[str, Any]]:
        """``sendTx`` of an order, which then runs."""
        answer = await self.send(account, 14, self.world.order_fields(side, lots, price, **more))
        self.venue.step()
        return answer

    def wait(self, ms: int) -> None:
        """Let time pass."""
        self.world.now_us += ms * 1000
        self.venue.step()

    async def post(self, path: str, request: Any, status: int = 200) -> dict[str, Any]:
        async with self.client.post(path, json=request) as response:
            body: dict[str, Any] = await response.json()
            assert response.status == status, body
            return body

    async def arm(self, status: int = 200, /, **request: Any) -> dict[str, Any]:
        return await self.post("/paper/faults", request, status)


@asynccontextmanager
async def edge(world: World | None = None, **settings: Any) -> AsyncIterator[Edge]:
    """Serve a world on a free port."""
    world = world or make_world()
    venue = Venue(world.exchange, PaperSettings(traffic="none", **settings), clock=lambda: world.now_us)
    async with TestClient(TestServer(application(venue))) as client:
        yield Edge(world, client, venue)


class Socket:
    """A socket that asks and hears."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket

    async def hear(self) -> dict[str, Any]:
        frame: dict[str, Any] = await self.socket.receive_json()
        return frame

    async def ask(self, **message: Any) -> dict[str, Any]:
        await self.socket.send_json(message)
        return await self.hear()

    async def subscribe(self, channel: str, auth: str | None = None) -> dict[str, Any]:
        more = {} if auth is None else {"auth": auth}
        return await self.ask(type="subscribe", channel=channel, **more)


@asynccontextmanager
async def socket_of(paper: Edge) -> AsyncIterator[Socket]:
    async with paper.client.ws_connect("/stream") as raw:
        socket = Socket(raw)
        assert (await socket.hear())["type"] == "connected"
        yield socket


def run(test: Callable[[], Awaitable[None]]) -> None:
    """Run a test, and not for ever."""

    async def limited() -> None:
        async with asyncio.timeout(20):
            await test()

    asyncio.run(limited())

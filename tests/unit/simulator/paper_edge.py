"""The edges of a paper exchange in this process: a test world behind a real port, and a clock told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp.test_utils import TestClient, TestServer
from tests.unit.simulator.paper_world import World, make_world

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

    async def arm(self, status: int = 200, **request: Any) -> dict[str, Any]:
        async with self.client.post("/paper/faults", json=request) as response:
            body: dict[str, Any] = await response.json()
            assert response.status == status, body
            return body


@asynccontextmanager
async def edge(world: World | None = None, **settings: Any) -> AsyncIterator[Edge]:
    """Serve a world on a free port."""
    world = world or make_world()
    venue = Venue(world.exchange, PaperSettings(traffic="none", **settings), clock=lambda: world.now_us)
    async with TestClient(TestServer(application(venue))) as client:
        yield Edge(world, client, venue)


def run(test: Callable[[], Awaitable[None]]) -> None:
    """Run a test, and not for ever."""

    async def limited() -> None:
        async with asyncio.timeout(20):
            await test()

    asyncio.run(limited())

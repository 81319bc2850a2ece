"""A paper exchange in another process, and what tests ask of it: clients, truth, faults, sockets."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import lighter

ROOT = Path(__file__).parents[2]
LOCAL = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}


class Paper:
    """A running paper exchange."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.credentials_file = directory / "credentials.json"
        self.settings = {"traffic": "none", "credentials": str(self.credentials_file), **settings}
        self.said_file = directory / "stderr.txt"
        self.start()

    def said(self) -> str:
        """What it has said on stderr: nothing, unless something went wrong inside."""
        return self.said_file.read_text()

    def start(self) -> None:
        with self.said_file.open("a") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.paper_process", json.dumps(self.settings)],
                cwd=ROOT,
                env={**os.environ, **LOCAL},
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url, f"the exchange did not start: {self.said()}"
        self.credentials = json.loads(self.credentials_file.read_text())
        self.accounts = [account["account_index"] for account in self.credentials["accounts"]]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    @contextlib.asynccontextmanager
    async def clients(self, *keys: int) -> Any:
        """SignerClients of both accounts, with the given keys."""
        made = [
            lighter.SignerClient(
                self.url,
                account["account_index"],
                {
                    key["api_key_index"]: key["private_key"]
                    for key in account["api_keys"]
                    if key["api_key_index"] in keys
                },
            )
            for account in self.credentials["accounts"]
        ]
        try:
            yield made
        finally:
            for client in made:
                await client.close()


def run(test: Callable[[], Awaitable[None]], *, seconds: float = 30) -> None:
    async def limited() -> None:
        async with asyncio.timeout(seconds):
            await test()

    asyncio.run(limited())


async def truth(paper: Paper) -> list[dict[str, Any]]:
    return list((await fetched(paper, "/paper/truth"))["accounts"])


async def fetched(paper: Paper, path: str) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.get(paper.url + path) as response:
        body: dict[str, Any] = await response.json()
        return body


async def fault(paper: Paper, **request: Any) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(paper.url + "/paper/faults", json=request) as answer,
    ):
        assert answer.status == 200, await answer.text()
        return int((await answer.json())["id"])


def token(client: Any) -> str:
    made, error = client.create_auth_token_with_expiry(600, api_key_index=4)
    assert error is None
    return str(made)


class Listener:
    """A socket that keeps every frame, by type."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            frame: dict[str, Any] = await self.socket.receive_json()
            self.frames.append(frame)
            if wanted(frame):
                return frame

    async def of_type(self, name: str) -> dict[str, Any]:
        return await self.until(lambda frame: frame.get("type") == name)

    async def ask(self, **message: Any) -> None:
        await self.socket.send_json(message)

    async def subscribed(self, channel: str, auth: str | None = None) -> dict[str, Any]:
        await self.ask(type="subscribe", channel=channel, **({} if auth is None else {"auth": auth}))
        return await self.of_type("subscribed/" + channel.split("/")[0])


@contextlib.asynccontextmanager
async def listening(paper: Paper) -> Any:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(paper.credentials["ws_url"]) as socket,
    ):
        yield Listener(socket)


def filled(index: int) -> Callable[[dict[str, Any]], bool]:
    def is_it(frame: dict[str, Any]) -> bool:
        rows = [row for rows in frame.get("orders", {}).values() for row in rows]
        return any(row["client_order_index"] == index and row["status"] == "filled" for row in rows)

    return is_it


def order_state(index: int, status: str) -> Callable[[dict[str, Any]], bool]:
    def is_it(frame: dict[str, Any]) -> bool:
        rows = [row for rows in frame.get("orders", {}).values() for row in rows]
        return any(row["client_order_index"] == index and row["status"] == status for row in rows)

    return is_it

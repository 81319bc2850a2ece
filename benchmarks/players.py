"""The two ways that the desk is compared with, each as two processes: ``python -m benchmarks.players floor_a ...``.

The floor has the desk's hops and libraries, and nothing in between: A parses the frame and appends to a stream; B, in
a blocked read of that stream, writes bytes that it holds to its WebSocket.

The plain way is what a bot does that was written in an afternoon: A publishes the fill on a channel; B signs an
order with the SDK as it comes and sends it by HTTP.
"""

import argparse
import asyncio
import importlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from lighter_hedge.messaging import redis_stream
from lighter_hedge.ops.ready import say_ready

STREAM = "bench:floor"
CHANNEL = "bench:filled"
QUIET_MS = 1_000
"""A blocked read that hears nothing for so long ends the floor's block."""
KEY_INDEX = 4
MARKET = 1
LOTS = 20
PRICES = {True: 998_000, False: 1_002_000}
"""Worst price by whether it is a sale: 20 basis points from the middle."""


def _redis(url: str) -> Any:
    """A connection as the desk's own."""
    return redis_stream.connect(url, timeout_seconds=3600)


async def floor_a(socket: ClientConnection, redis: Any) -> None:
    """Parse the frame, append it."""
    while True:
        raw = await socket.recv(decode=False)
        frame = msgspec.json.decode(raw)
        await redis.xadd(STREAM, {"m": msgspec.json.encode(frame)}, maxlen=64, approximate=False)


async def floor_b(socket: ClientConnection, redis: Any) -> None:
    """Blocked in a read; what is written then was handed over before."""
    cursor = "0"
    held = ""
    while True:
        held = await socket.recv(decode=True) or held
        while held:
            answer = await redis.xread({STREAM: cursor}, count=16, block=QUIET_MS)
            if not answer:
                break  # the block is over: wait for the bytes of the next one
            cursor = answer[0][1][-1][0]
            await socket.send(held)


async def plain_a(socket: ClientConnection, redis: Any) -> None:
    """Parse the frame, publish it."""
    while True:
        frame = json.loads(await socket.recv(decode=True))
        await redis.publish(CHANNEL, json.dumps(frame))


async def plain_b(redis: Any, account_index: int, private_key: str, base_url: str) -> None:
    """Sign with the SDK, send by HTTP, wait for the answer."""
    sdk = importlib.import_module("lighter.signer_client")
    client = sdk.SignerClient(base_url, account_index, {KEY_INDEX: private_key})
    pubsub = redis.pubsub()
    await pubsub.subscribe(CHANNEL)
    say_ready(os.environ)
    number = 0
    async for message in pubsub.listen():
        if message["type"] != "message":
            continue
        json.loads(message["data"])
        number += 1
        sell = number % 2 == 0
        _, _, error = await client.create_order(
            MARKET,
            number,
            LOTS,
            PRICES[sell],
            sell,
            client.ORDER_TYPE_LIMIT,
            client.ORDER_TIME_IN_FORCE_IMMEDIATE_OR_CANCEL,
            order_expiry=client.DEFAULT_IOC_EXPIRY,
            api_key_index=KEY_INDEX,
        )
        if error is not None:
            raise SystemExit(f"the exchange refuses the plain way's order: {error}")


async def main(name: str, redis_url: str, found: dict[str, Any]) -> None:
    """Play until SIGTERM, or until the exchange is gone; ``found`` is what its credentials file holds."""
    redis = _redis(redis_url)
    if name == "plain_b":
        account = next(each for each in found["accounts"] if each["name"] == name)
        key = next(each for each in account["api_keys"] if each["api_key_index"] == KEY_INDEX)
        await plain_b(redis, account["account_index"], key["private_key"], found["base_url"])
        return
    url = found["base_url"].replace("http://", "ws://", 1) + f"/bench/player/{name}"
    async with connect(url, compression=None, ping_interval=None, proxy=None) as socket:
        say_ready(os.environ)
        with suppress(ConnectionClosed):
            await {"floor_a": floor_a, "floor_b": floor_b, "plain_a": plain_a}[name](socket, redis)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=["floor_a", "floor_b", "plain_a", "plain_b"])
    parser.add_argument("--redis", required=True)
    parser.add_argument("--credentials", type=Path, required=True)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.name, arguments.redis, json.loads(arguments.credentials.read_text())))

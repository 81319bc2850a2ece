"""From A's fill to B's hedge: the desk, beside a floor and the plain way, all in one run.

Blocks of the four ways take turns, so that whatever else the machine does hits all of them. Real processes (A, B, the
paper exchange, Redis), real loopback sockets; ``benchmarks/edge.py`` says what exactly is timed.
"""

import argparse
import asyncio
import json
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.figures import Figures, figures, percentile, table
from lighter_hedge.ops.ready import READY_FD, await_ready
from lighter_hedge.ops.redis_server import RedisServer, RedisServerError, running_redis

WAYS = {
    "redis": "the desk, armed, over Redis alone",
    "both": "the desk, armed, Redis and drop copy",
    "floor": "floor: the same hops, nothing in between",
    "plain": "plain way: Pub/Sub, sign on demand, HTTP",
}
READY_SECONDS = 60.0
STOP_SECONDS = 20.0
FSYNCS = 20
WARM_UP = 20
"""Hedges of each way before the first block that are not counted."""


@asynccontextmanager
async def child(module: str, arguments: Sequence[str], log: Path) -> AsyncIterator[int]:
    """A Python module as a child process that says when it is ready; ends it with SIGTERM."""
    read, write = os.pipe()
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(write,),
            env={**os.environ, READY_FD: str(write)},
            start_new_session=True,
        )
    os.close(write)
    try:
        async with asyncio.timeout(READY_SECONDS):
            if not await await_ready(read):
                raise SystemExit(f"{module} {arguments[0]} did not start: {last_words(log)}")
        yield process.pid
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def last_words(log: Path) -> str:
    """The end of a log."""
    return log.read_text(errors="replace")[-2000:]


def write_config(folder: Path, redis_url: str) -> Path:
    """The desk's settings: the defaults, but no limit on orders and no reason to move a quote. JSON is YAML too."""
    body = {
        "redis": {"url": redis_url},
        "desk": {"market": "BTC", "quantity": "0.0002"},
        "strategy": {"maker_order_timeout": 3600, "requote_bps": "1000", "hedge_confirm_timeout": 60},
        "limits": {"orders_per_minute_max": 1_000_000, "daily_loss_usd_max": "100000"},
    }
    config = folder / "config.yaml"
    config.write_text(json.dumps(body, indent=1))
    config.chmod(0o600)
    return config


@asynccontextmanager
async def world(folder: Path, redis: RedisServer, *, show_pids: bool) -> AsyncIterator[str]:
    """Everything that runs, as processes of its own; gives the exchange's address."""
    credentials = folder / "credentials.json"
    config = write_config(folder, redis.url)
    desk = ["--config", str(config), "--credentials", str(credentials), "--started-by-person"]
    async with AsyncExitStack() as stack:
        pids = {}

        async def start(name: str, module: str, *arguments: str) -> None:
            pids[name] = await stack.enter_async_context(child(module, arguments, folder / f"{name}.log"))

        await start("exchange", "benchmarks.edge", "--credentials", str(credentials))
        for player in ("floor_b", "floor_a", "plain_b", "plain_a"):
            await start(player, "benchmarks.players", player, "--redis", redis.url, "--credentials", str(credentials))
        for side in ("B", "A"):
            await start(side, "lighter_hedge.cli.main", "run", side, *desk)
        if show_pids:
            print(f"processes: {pids}", file=sys.stderr, flush=True)
        yield str(json.loads(credentials.read_text())["base_url"])


def fsync_ns(folder: Path) -> int:
    """What one small durable write costs on the journals' disk just now, nanoseconds: a median of several."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(FSYNCS):
            file.write(b"x" * 4096)
            file.flush()
            before = time.monotonic_ns()
            os.fsync(file.fileno())
            times.append(time.monotonic_ns() - before)
    return percentile(times, 0.5)


async def measure(base_url: str, folder: Path, *, hedges: int, repeats: int) -> dict[str, list[dict[str, Any]]]:
    """All blocks of all ways; each repeat starts with another way, and with a look at what a durable write costs."""
    names = list(WAYS)
    blocks: dict[str, list[dict[str, Any]]] = {name: [] for name in (*names, "fsync")}
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(base_url, timeout=timeout) as session:

        async def block(name: str, count: int) -> dict[str, Any]:
            async with session.post("/bench/run", json={"mode": name, "count": count}) as answer:
                if answer.status != 200:
                    raise SystemExit(f"the block of {WAYS[name]!r} broke off: {(await answer.text())[:500]}")
                result: dict[str, Any] = await answer.json()
                return result

        for name in names:
            await block(name, WARM_UP)
        for repeat in range(repeats):
            blocks["fsync"].append({"ns": [fsync_ns(folder)]})
            turn = repeat % len(names)
            for name in names[turn:] + names[:turn]:
                blocks[name].append(await block(name, -(-hedges // repeats)))
                print(f"repeat {repeat + 1} of {repeats}: {WAYS[name]}", file=sys.stderr, flush=True)
    return blocks


async def run(*, hedges: int, repeats: int, keep: Path | None, show_pids: bool) -> dict[str, Any]:
    """One whole run; gives the object of ``--json``."""
    async with AsyncExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lighter-hedge-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        try:
            redis = await stack.enter_async_context(running_redis(directory=folder / "redis", fake_allowed=False))
        except RedisServerError as error:
            raise SystemExit(f"the benchmark needs a real Redis: {error}") from None
        base_url = await stack.enter_async_context(world(folder, redis, show_pids=show_pids))
        blocks = await measure(base_url, folder, hedges=hedges, repeats=repeats)
        version = redis.version
    fsyncs = figures([block["ns"] for block in blocks.pop("fsync")])
    ways = {name: figures([block["ns"] for block in each]) for name, each in blocks.items()}
    armed = {name: sum(block["armed"] for block in blocks[name]) for name in ("redis", "both")}
    return {
        "redis_version": version,
        "redis_persistence": "appendonly yes, appendfsync everysec",
        "python_version": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "repeats": repeats,
        "fsync_ms": fsyncs.p50,
        "armed": armed,
        "ways": {name: asdict(each) for name, each in ways.items()},
        "blocks_p50_ms": {name: [figures([block["ns"]]).p50 for block in each] for name, each in blocks.items()},
    }


def shown(result: dict[str, Any]) -> str:
    """The result for people, in Markdown."""
    ways = {WAYS[name]: Figures(**each) for name, each in result["ways"].items()}
    hedges = result["ways"]["redis"]["count"] + result["ways"]["both"]["count"]
    head = (
        f"{result['cores']} cores, Python {result['python_version']}, Redis {result['redis_version']} "
        f"({result['redis_persistence']}), {result['repeats']} repeats; "
        f"a durable write of 4 KiB takes {result['fsync_ms']:.2f} ms; "
        f"{sum(result['armed'].values())} of the desk's {hedges} hedges were signed before their fill"
    )
    return f"{head}\n\n{table(ways, floor=WAYS['floor'], plain=WAYS['plain'])}"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--hedges", type=int, default=2_000, help="of each way")
    parser.add_argument("--repeats", type=int, default=5, help="blocks of each way; they take turns")
    parser.add_argument("--json", action="store_true", help="one object on stdout instead of the table")
    parser.add_argument("--keep", type=Path, help="an empty folder for logs and journals; default: a temporary one")
    parser.add_argument("--pids", action="store_true", help="name the processes on stderr, for a profiler")
    arguments = parser.parse_args()
    if arguments.hedges < 1 or arguments.repeats < 1:
        parser.error("--hedges and --repeats must be positive")
    result = asyncio.run(
        run(hedges=arguments.hedges, repeats=arguments.repeats, keep=arguments.keep, show_pids=arguments.pids)
    )
    print(json.dumps(result) if arguments.json else shown(result))


if __name__ == "__main__":
    main()

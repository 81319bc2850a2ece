"""The whole desk on one machine: a Redis, a paper exchange, A and B, watched at the exchange and stopped cleanly."""

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from lighter_hedge.config import Settings, load
from lighter_hedge.config_source import ENV_PREFIX
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.ops.health import Market, check_before_start, read_market, reading
from lighter_hedge.ops.narrate import Line, Narrator, Tone
from lighter_hedge.ops.operate import desk_messaging, last_maker
from lighter_hedge.ops.page import is_free, page_address
from lighter_hedge.ops.pids import BESIDE, WEB
from lighter_hedge.ops.ready import READY_FD, await_ready
from lighter_hedge.ops.redis_server import RedisServer, RedisServerError, running_redis
from lighter_hedge.ops.supervisor import ChildEvent, Supervisor, beside_of, desk_children, tail
from lighter_hedge.ops.truth import figures
from lighter_hedge.venue.errors import VenueError

POLL_SECONDS = 0.2
PAPER_STOP_SECONDS = 10.0
PAPER_READY_SECONDS = 60.0
PAGE_PORT = 8280
"""Where the page is, if nobody else listens there."""

Show = Callable[[Line], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSettings:
    """What the demo is to show."""

    rounds: int | None = None
    """Closed rounds until it ends; None goes on until it is told to stop."""
    market: str = "BTC"
    quantity: str | None = None
    """None takes a small size that the market allows."""
    depth: int = 1
    direction: str = "long"
    tier: str = "premium"
    seed: int = 1
    tape: Path | None = None
    keep: Path | None = None
    """Folder that stays afterwards; None takes a temporary one."""
    timeout_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """What it came to."""

    code: ExitCode
    body: dict[str, Any]
    """The object of ``demo --json``."""


async def run_demo(demo: DemoSettings, show: Show) -> DemoResult:
    """Run the demo to its end; SIGINT and SIGTERM end it cleanly.

    Raises:
        OpsError: something did not start.
    """
    asked = asyncio.Event()
    with _folder(demo.keep) as folder, _signals(asked):
        try:
            async with running_redis(directory=folder / "redis", fake_allowed=True) as redis:
                show(Line(tone=Tone.NOTE, text=redis.notice or f"Redis {redis.version} at {redis.url}"))
                async with _paper(demo, folder) as credentials:
                    return await _with_exchange(demo, folder, redis, credentials, show, asked)
        except RedisServerError as error:
            raise OpsError(ExitCode.FAILED, str(error)) from None


@contextmanager
def _signals(asked: asyncio.Event) -> Iterator[None]:
    """SIGINT and SIGTERM ask for the end instead of cutting everything off."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        if (keep / "run").exists():
            # The journals there know of an exchange that is gone: A and B would rightly refuse its positions.
            raise OpsError(ExitCode.REFUSED, f"{keep} holds an earlier demo", "name an empty folder with --keep")
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.absolute()
        return
    folder = Path(tempfile.mkdtemp(prefix="lighter-hedge-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def _paper(demo: DemoSettings, folder: Path) -> AsyncIterator[Path]:
    """A paper exchange as a child process; gives its credentials file."""
    credentials = folder / "credentials.json"
    credentials.unlink(missing_ok=True)
    arguments = ["paper", "--port", "0", "--tier", demo.tier, "--seed", str(demo.seed)]
    arguments += ["--credentials", str(credentials)]
    if demo.tape is not None:
        arguments += ["--tape", str(demo.tape.absolute())]
    log = folder / "logs" / "paper.log"
    process = await _start(arguments, log)
    try:
        if not await _is_ready(process):
            await process.process.wait()
            raise OpsError(ExitCode.FAILED, f"the paper exchange did not start: {tail(log)}")
        yield credentials
    finally:
        await _stop(process.process)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Started:
    process: asyncio.subprocess.Process
    ready_read: int


async def _start(arguments: list[str], log: Path) -> _Started:
    log.parent.mkdir(parents=True, exist_ok=True)
    read, write = os.pipe()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "lighter_hedge.cli.main",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            pass_fds=(write,),
            env={**os.environ, READY_FD: str(write)},
            start_new_session=True,
        )
    finally:
        os.close(write)
        os.close(descriptor)
    return _Started(process=process, ready_read=read)


async def _is_ready(started: _Started) -> bool:
    try:
        async with asyncio.timeout(PAPER_READY_SECONDS):
            return await await_ready(started.ready_read)
    except TimeoutError:
        return False


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(PAPER_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _with_exchange(
    demo: DemoSettings, folder: Path, redis: RedisServer, credentials: Path, show: Show, asked: asyncio.Event
) -> DemoResult:
    base_url = _address(credentials)
    show(Line(tone=Tone.NOTE, text=f"paper exchange at {base_url} ({demo.tier} accounts, {_traffic(demo)} traffic)"))
    try:
        async with reading(base_url) as reader:
            market = await read_market(reader, demo.market)
    except VenueError as error:
        raise OpsError(ExitCode.CONFIGURATION, str(error), "correct --market") from None
    config = _write_config(demo, folder, redis, market)
    settings = load(config, overrides={}, credentials=credentials, env={})
    await check_before_start(settings)
    desk = _DemoDesk(demo, settings, credentials, market, show, asked)
    code = await desk.run()
    body = await desk.result(redis)
    return DemoResult(code=_judged(code, body, market), body=body)


def _address(credentials: Path) -> str:
    return str(json.loads(credentials.read_text(encoding="utf-8"))["base_url"])


def _traffic(demo: DemoSettings) -> str:
    return "synthetic" if demo.tape is None else "tape"


def _write_config(demo: DemoSettings, folder: Path, redis: RedisServer, market: Market) -> Path:
    """A configuration beside which everything of the demo lies; JSON is YAML too."""
    lots = market.min_lots * (2 if market.min_lots > market.spec.min_base_lots else 1)
    body = {
        "redis": {"url": redis.url},
        "desk": {
            "market": demo.market,
            "quantity": demo.quantity or market.spec.size_text(lots),
            "depth": demo.depth,
            "direction": demo.direction,
        },
        "web": {"port": PAGE_PORT if is_free("127.0.0.1", PAGE_PORT) else 0},
    }
    config = folder / "config.yaml"
    config.write_text(json.dumps(body, indent=1))
    config.chmod(0o600)
    return config


class _DemoDesk:
    """A and B under the ordinary supervisor, watched at the exchange."""

    def __init__(
        self,
        demo: DemoSettings,
        settings: Settings,
        credentials: Path,
        market: Market,
        show: Show,
        asked: asyncio.Event,
    ) -> None:
        self._demo = demo
        self._settings = settings
        self._market = market
        self._show = show
        self._narrator = Narrator(market.spec, min_lots=market.min_lots)
        self._ready: set[str] = set()
        self._both_ready = asyncio.Event()
        self._asked = asked
        self._failure = ""
        self._pause: int | None = None
        self._began = time.monotonic()
        self._arguments = ["--config", str(settings.file), "--credentials", str(credentials)]
        self._supervisor = Supervisor(
            desk_children(self._arguments, ["--started-by-person"], beside=beside_of(settings)),
            root=settings.root,
            run_dir=settings.run_dir,
            report=self._hear,
            env=_without_ours(os.environ),
            stderr_dir=settings.log_dir,
        )

    async def run(self) -> ExitCode:
        """Until enough rounds are closed, a signal comes, or the desk ends by itself."""
        async with asyncio.TaskGroup() as group:
            desk = group.create_task(self._supervisor.run())
            desk.add_done_callback(lambda _: self._asked.set())
            try:
                code = await self._watch()
            finally:
                self._supervisor.ask_stop()
                ended = await desk
        if len(self._ready) < 2 and ended:
            known = ended in set(ExitCode)
            raise OpsError(ExitCode(ended) if known else ExitCode.FAILED, self._failure or "A and B did not start")
        await self._close_residual()
        return code

    async def _close_residual(self) -> None:
        """A quote that the stop caught half filled leaves less than the venue takes: close it as a person would."""
        left = self._figures(await self._truth())["net_lots"]
        if not 0 < abs(left) < self._market.min_lots:
            return
        size = self._market.spec.size_text(left)
        self._show(Line(tone=Tone.NOTE, text=f"closing the residual of {size} {self._market.spec.symbol}"))
        clear = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "lighter_hedge.cli.main", "clear", "--yes", *self._arguments),
            env=_without_ours(os.environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        await clear.wait()

    def _hear(self, event: ChildEvent) -> None:
        if event.side in BESIDE:
            if event.event == "exited" and event.code:
                text = f"{event.side} ended with exit code {event.code} {event.message}"
                self._show(Line(tone=Tone.NOTE, text=text))
            elif event.side == WEB and event.event == "ready":
                self._show(Line(tone=Tone.NOTE, text=f"page: {page_address(self._settings.run_dir)}"))
        elif event.event == "ready":
            self._ready.add(event.side)
            self._show(Line(tone=Tone.NOTE, text=f"{event.side} is ready"))
            if len(self._ready) == 2 and not self._both_ready.is_set():
                self._began = time.monotonic()
                self._both_ready.set()
        elif event.event == "exited" and event.code:
            self._failure = self._failure or event.message or f"{event.side} ended with exit code {event.code}"
            self._show(Line(tone=Tone.TROUBLE, text=f"{event.side} ended with exit code {event.code} {event.message}"))

    async def _watch(self) -> ExitCode:
        try:
            async with asyncio.timeout(self._demo.timeout_seconds):
                while not self._asked.is_set() and not self._enough():
                    await self._look()
                    await _either(self._asked, POLL_SECONDS)
        except TimeoutError:
            self._show(Line(tone=Tone.TROUBLE, text=f"not finished within {self._demo.timeout_seconds:g} s; stopping"))
            return ExitCode.TIMED_OUT
        self._show(Line(tone=Tone.NOTE, text="stopping: A, then B, then the exchange, then Redis"))
        return ExitCode.FAILED if self._pause is not None else ExitCode.OK

    def _enough(self) -> bool:
        done = self._demo.rounds is not None and self._narrator.closed >= self._demo.rounds
        return done or self._pause is not None

    async def _look(self) -> None:
        for line in self._narrator.feed(await self._truth()):
            self._show(line)
        async with desk_messaging(self._settings) as stream:
            state = await last_maker(stream)
        if state is not None and state.pause is not None and self._pause is None:
            self._pause = state.pause.id
            self._show(Line(tone=Tone.TROUBLE, text=f"paused: {state.pause.reason} [{state.pause.code}]"))

    async def _truth(self) -> dict[str, Any]:
        try:
            async with reading(self._settings.venue.base_url) as reader:
                body: dict[str, Any] = await reader.get("/paper/truth")
        except VenueError as error:
            raise OpsError(ExitCode.FAILED, f"the paper exchange is gone: {error}") from None
        return body

    def _figures(self, truth: dict[str, Any]) -> dict[str, Any]:
        return figures(truth, self._market.spec.symbol, min_lots=self._market.min_lots)

    async def result(self, redis: RedisServer) -> dict[str, Any]:
        """The object of ``demo --json``, from the exchange's own record."""
        truth = await self._truth()
        for line in self._narrator.feed(truth):
            self._show(line)
        seconds = round(time.monotonic() - self._began, 1)
        return self._figures(truth) | {
            "redis_version": redis.version,
            "sdk_version": metadata.version("lighter-sdk"),
            "traffic": _traffic(self._demo),
            "seed": self._demo.seed,
            "seconds": seconds,
        }


async def _either(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


def _without_ours(env: Mapping[str, str]) -> dict[str, str]:
    """The environment without settings of a real desk: the demo must not be changed by them."""
    return {name: value for name, value in env.items() if not name.startswith(ENV_PREFIX)}


def _judged(code: ExitCode, body: dict[str, Any], market: Market) -> ExitCode:
    """0 only where nothing but a residual is left and every round was hedged."""
    unhedged = bool(body["rounds_failed"]) or abs(body["net_lots"]) >= market.min_lots
    if unhedged and code is not ExitCode.TIMED_OUT:
        return ExitCode.UNHEDGED
    return code

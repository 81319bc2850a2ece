"""A whole desk for a test: a paper exchange, a Redis, the supervisor with A and B, all real processes in one folder.

Nothing here waits for a fixed time: ``eventually`` polls until something is so, or says what never came.
"""

import itertools
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
import redis

from lighter_hedge.ops.pids import running
from lighter_hedge.ops.redis_server import RedisNotFound, find_program
from lighter_hedge.ops.truth import Execution, executions

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
COMMAND = (sys.executable, "-m", "lighter_hedge.cli.main")
A_FILLED, B_FILLED, B_FAILED = (
    "hedge:account_a_filled",
    "hedge:account_b_filled",
    "hedge:account_b_hedge_failed",
)
POLL_SECONDS = 0.05
PATIENCE = 60.0
"""Seconds for what usually takes a few: the machine may be busy."""
COMMAND_SECONDS = 120.0
PORTS = 2_000
PORTS_FROM = int(os.environ.get("TEST_PORTS_FROM", "0")) or (
    20_000 + PORTS * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 5)
)

_T = TypeVar("_T")
_LINE = re.compile(r"(\S+)Z (\w+) +(\S+) (.*)")


def eventually(condition: Callable[[], _T | None], what: str, seconds: float = PATIENCE) -> _T:
    """The first true answer of ``condition``; fails with ``what`` where there is none in time."""
    ends = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > ends:
            pytest.fail(f"not within {seconds:g} s: {what}")
        time.sleep(POLL_SECONDS)


def environment() -> dict[str, str]:
    """Of every process that a test starts: no proxy, no settings of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIGHTER_HEDGE_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    return {**kept, "PATH": path, "NO_PROXY": f"{HOST},localhost", "no_proxy": f"{HOST},localhost"}


_ports = itertools.cycle(range(PORTS_FROM, PORTS_FROM + PORTS))


def free_port() -> int:
    """A port that nobody listens on, below those that the system gives away, and of this worker of the tests alone."""
    for port in _ports:
        with socket.socket() as found:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                found.bind((HOST, port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


@dataclass(slots=True)
class Process:
    """A child of the test, its output in a file."""

    argv: tuple[str, ...]
    log: Path
    child: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        assert self.child is None
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                self.argv,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self, number: int = signal.SIGKILL) -> None:
        if self.child is not None:
            self.child.send_signal(number)
            self.child.wait(20)
            self.child = None

    @property
    def alive(self) -> bool:
        return self.child is not None and self.child.poll() is None

    @property
    def pid(self) -> int | None:
        return self.child.pid if self.child is not None and self.child.poll() is None else None


class RedisServer:
    """A Redis with a file of its own; keeps its port over restarts."""

    def __init__(self, directory: Path) -> None:
        try:
            program = find_program()
        except RedisNotFound as error:
            if os.environ.get("CI") == "true":
                pytest.fail(str(error))
            pytest.skip(str(error))
        self.directory = directory
        self.port = free_port()
        self.url = f"redis://{HOST}:{self.port}/0"
        options = ["--port", str(self.port), "--bind", HOST, "--dir", str(directory), "--save", ""]
        options += ["--appendonly", "yes", "--appendfsync", "always"]
        directory.mkdir()
        self._process = Process((str(program.path), *options), directory / "redis.log")

    def start(self) -> None:
        self._process.start()
        eventually(self._answers, f"Redis answers on port {self.port}")

    def stop(self, number: int = signal.SIGKILL) -> None:
        self._process.stop(number)

    @property
    def alive(self) -> bool:
        return self._process.alive

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def wipe(self) -> None:
        """Remove what a stopped Redis has kept."""
        assert not self._process.alive
        for kept in (*self.directory.glob("*.aof"), *self.directory.glob("*.rdb")):
            kept.unlink()
        shutil.rmtree(self.directory / "appendonlydir", ignore_errors=True)

    def flush(self) -> None:
        with redis.Redis(port=self.port) as client:
            client.flushall()

    def _answers(self) -> bool:
        with redis.Redis(port=self.port) as client, suppress(redis.RedisError):
            return bool(client.ping())
        return False


class Listener:
    """Hears the three channels, as anybody may: a plain SUBSCRIBE."""

    def __init__(self, port: int) -> None:
        self._client = redis.Redis(port=port)
        self._pubsub: Any = self._client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        self._pubsub.subscribe(A_FILLED, B_FILLED, B_FAILED)
        self._heard: dict[str, list[dict[str, Any]]] = {A_FILLED: [], B_FILLED: [], B_FAILED: []}

    def heard(self, channel: str) -> list[dict[str, Any]]:
        """Everything said on ``channel`` so far."""
        # The answers to SUBSCRIBE are swallowed one by one, as nothing.
        quiet = 0
        while quiet < 4:
            message = self._pubsub.get_message(timeout=0.01)
            quiet = 0 if message else quiet + 1
            if message:
                self._heard[message["channel"].decode()].append(json.loads(message["data"]))
        return self._heard[channel]

    def close(self) -> None:
        self._pubsub.close()
        self._client.close()


class Paper:
    """A paper exchange in which nothing happens by itself; keeps its port over restarts where it keeps its state."""

    def __init__(self, directory: Path, flags: tuple[str, ...] = (), *, keeps: bool = False) -> None:
        self.credentials = directory / "credentials.json"
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        argv = [*COMMAND, "paper", "--port", str(self.port), "--credentials", str(self.credentials)]
        argv += ["--traffic", "quiet", "--tier", "premium", *flags]
        if keeps:
            argv += ["--state", str(directory / "state")]
        self._process = Process(tuple(argv), directory / "paper.log")
        self._opener = build_opener(ProxyHandler({}))

    def start(self) -> None:
        self._process.start()
        eventually(
            lambda: self._ended() or (self.credentials.exists() and self._answers()), "the paper exchange answers"
        )
        assert not self._ended(), self._process.log.read_text(errors="replace")[-2_000:]

    def _ended(self) -> bool:
        return not self._process.alive

    def stop(self, number: int = signal.SIGKILL) -> None:
        self._process.stop(number)

    @property
    def alive(self) -> bool:
        return self._process.alive

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def _answers(self) -> bool:
        try:
            self.ask("GET", "/paper/info")
        except (URLError, OSError):
            return False
        return True

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request; the JSON of its answer."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}{path}", data=data, method=method)
        with self._opener.open(request, timeout=20) as response:
            return json.loads(response.read())

    def fault(self, kind: str, account: str, **parameters: Any) -> int:
        """Arm a fault; its id."""
        body = {"kind": kind, "account": account, **parameters}
        return int(self.ask("POST", "/paper/faults", body)["id"])

    def mend(self, fault: int) -> None:
        """End a fault."""
        self.ask("DELETE", f"/paper/faults/{fault}")

    def fill(self, count: int = 1) -> int:
        """Let A's quote fill, and the next ``count - 1`` as soon as they rest."""
        return self.fault("fill_now", "a", count=count)

    def truth(self) -> "Truth":
        return Truth(self.ask("GET", "/paper/truth"))


@dataclass(frozen=True, slots=True)
class Truth:
    """The exchange's own record."""

    body: dict[str, Any]
    market: str = "BTC"

    def orders(self, account: int) -> list[dict[str, Any]]:
        """Orders of account 0 (A) or 1 (B), oldest first."""
        return list(self.body["accounts"][account]["orders"])

    def trades(self, account: int) -> list[dict[str, Any]]:
        return list(self.body["accounts"][account]["trades"])

    def position(self, account: int) -> int:
        return int(self.body["accounts"][account]["position_lots"].get(self.market, 0))

    @property
    def net(self) -> int:
        return self.position(0) + self.position(1)

    @property
    def resting(self) -> list[dict[str, Any]]:
        """A's orders that stand."""
        return [order for order in self.orders(0) if order["status"] == "open"]

    @property
    def steps(self) -> list[Execution]:
        return executions(self.body, self.market)

    def filled(self, account: int) -> int:
        """Lots that an account has traded, both sides together."""
        return sum(abs(step.signed) for step in self.steps if step.letter == "AB"[account])

    def check(self) -> None:
        """Each fill of A hedged once: no trade of B away from zero or through it, and no trade between A and B."""
        net = 0
        for step in self.steps:
            before, net = net, net + step.signed
            if step.letter == "B":
                assert abs(net) < abs(before), f"B moved A + B from {before} to {net} lots"
                assert net * before >= 0, f"B moved A + B through zero, from {before} to {net} lots"
        assert net == self.net
        assert self.body["self_trades"] == 0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a log."""

    at: datetime
    level: str
    code: str
    text: str


@dataclass(slots=True)
class Desk:
    """The folder of a desk and what runs in it."""

    root: Path
    paper: Paper
    redis: RedisServer
    config: dict[str, Any] = field(default_factory=dict)
    _listeners: list[Listener] = field(default_factory=list)

    @property
    def config_file(self) -> Path:
        return self.root / "config.yaml"

    def write_config(self, **changes: Any) -> None:
        """Short waits, and ``changes`` by section; JSON is YAML."""
        self.config = {
            "redis": {"url": self.redis.url},
            "desk": {"market": "BTC", "quantity": "0.0002", "depth": 1, "direction": "long"},
            "strategy": {"hedge_confirm_timeout": 4, "status_interval": 1, "maker_order_timeout": 120},
            "limits": {"unhedged_seconds_max": 120, "book_age_ms_max": 10_000, "orders_per_minute_max": 600},
            "reconcile_seconds": 10,
            "arm_seconds_max": 5,
            "heartbeat_seconds": 0.5,
            "heartbeat_seconds_max": 3,
            "read_lag_seconds": 0.5,
            "web": {"enabled": False},
        }
        for section, values in changes.items():
            self.config[section] = {**self.config.get(section, {}), **values} if isinstance(values, dict) else values
        self.config_file.write_text(json.dumps(self.config, indent=1))
        self.config_file.chmod(0o600)

    # --- commands

    def command(self, *arguments: str, extra: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        """Run one command of the command line to its end, from the desk's folder; ``extra`` environment."""
        return self.execute(*COMMAND, *arguments, extra=extra)

    def execute(self, *argv: str, extra: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        """Run a program to its end, from the desk's folder."""
        return subprocess.run(
            argv,
            cwd=self.root,
            env={**environment(), **(extra or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def start(self, *flags: str) -> "subprocess.CompletedProcess[str]":
        """``up`` with the exchange's credentials, whatever comes of it."""
        return self.command("up", "--credentials", str(self.paper.credentials), *flags)

    def up(self, *flags: str) -> None:
        """``up``, which must succeed."""
        done = self.start(*flags)
        assert done.returncode == 0, done.stderr

    def status(self) -> tuple[int, dict[str, Any]]:
        """Exit code and object of ``status --json``."""
        done = self.command("status", "--json")
        return done.returncode, json.loads(done.stdout)

    def page(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask the desk's page, as its own script does; the JSON of its answer."""
        origin = self.command("web").stdout.strip()
        headers = {"Origin": origin, "Content-Type": "application/json", "X-Asked-By": "page"}
        data = None if body is None else json.dumps(body).encode()
        opener = build_opener(ProxyHandler({}))
        with opener.open(Request(f"{origin}{path}", data=data, headers=headers), timeout=20) as response:
            return json.loads(response.read())

    # --- processes

    def pid(self, name: str) -> int | None:
        """Of ``A``, ``B``, ``monitor`` or ``supervisor``, by its pid file; None while it does not run."""
        return running(self.root, (name,)).get(name)

    def signal(self, name: str, number: int) -> int:
        """Send a signal to ``A``, ``B`` or ``monitor``; its pid."""
        pid = self.pid(name)
        assert pid is not None, f"{name} does not run"
        os.kill(pid, number)
        return pid

    def kill_all(self) -> None:
        """End everything of this desk, the supervisor first; stopped processes too."""
        for name in ("supervisor", "A", "B", "monitor", "web"):
            pid = self.pid(name)
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                eventually(lambda name=name: self.pid(name) is None, f"{name} is gone", 20)  # type: ignore[misc]
        for listener in self._listeners:
            listener.close()
        self.paper.stop()
        self.redis.stop()

    # --- what can be seen

    def listen(self) -> Listener:
        """Subscribe to the channels from now on."""
        self._listeners.append(Listener(self.redis.port))
        return self._listeners[-1]

    def log(self, side: str, *codes: str, after: int = 0) -> list[Line]:
        """Lines of the log of A, B, the monitor or the supervisor from line ``after`` on; with ``codes`` only those."""
        return [line for line in self._lines(side)[after:] if not codes or line.code in codes]

    def mark(self, side: str) -> int:
        """How many lines a log has now."""
        return len(self._lines(side))

    def _lines(self, side: str) -> list[Line]:
        path = self.root / "logs" / (f"main_{side}.log" if side in "AB" else f"{side}.log")
        if not path.exists():
            return []
        found = (_LINE.fullmatch(row) for row in path.read_text(errors="replace").splitlines())
        return [Line(at=datetime.fromisoformat(row[1]), level=row[2], code=row[3], text=row[4]) for row in found if row]

    def quote(self) -> dict[str, Any]:
        """Wait until a quote of A rests, and the desk is hedged; the order."""
        return eventually(lambda: self._quoted(self.paper.truth()), "a quote of A rests on a hedged desk")

    @staticmethod
    def _quoted(truth: Truth) -> dict[str, Any] | None:
        return truth.resting[0] if truth.resting and not truth.net else None

    def hedged(self, lots: int) -> Truth:
        """Wait until A and B have each traded ``lots`` in all; check the record."""

        def done() -> Truth | None:
            truth = self.paper.truth()
            return truth if truth.filled(0) == truth.filled(1) == lots else None

        truth = eventually(done, f"A and B have each traded {lots} lots")
        truth.check()
        return truth


@contextmanager
def folder_of_desk(root: Path, paper_flags: tuple[str, ...] = (), *, keeps: bool = False) -> Iterator[Desk]:
    """A desk that is not up yet: its exchange and its Redis run, its configuration is written."""
    desk = Desk(root, Paper(root, paper_flags, keeps=keeps), RedisServer(root / "redis"))
    try:
        desk.redis.start()
        desk.paper.start()
        desk.write_config()
        yield desk
    finally:
        desk.kill_all()

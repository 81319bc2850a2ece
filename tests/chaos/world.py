"""One desk under chaos: its processes by name, what can be done to them, and what can be seen of it."""

import heapq
import itertools
import json
import os
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

import redis
from tests.chaos import checks
from tests.chaos.disk import SmallDisk
from tests.chaos.inside import OTHERS
from tests.chaos.proxy import Link, Links
from tests.e2e.desk import ROOT, Desk, Paper, RedisServer, eventually, free_port

from lighter_hedge.messaging.keys import FIELD
from lighter_hedge.ops.pids import is_ours

MARKET = "BTC"
QUANTITY = "0.0006"
MIN_LOTS = 20
SIDES = ("A", "B", OTHERS)
SERVERS = ("exchange", "redis")
LOOK_SECONDS = 0.03
CONVERGE_SECONDS = 100.0
"""Past this a desk counts as stuck: a nonce to be resolved may take 90 s."""
UP_SECONDS = 60.0


class Violation(Exception):
    """What must never be has been; the text says what."""


@dataclass(slots=True)
class Tally:
    """What a run has come to."""

    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)
    """Signals that struck exactly at an effect."""
    pauses: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    """What a person did about the pauses."""
    converged: list[float] = field(default_factory=list)
    """Seconds from the end of the last fault to hedged-and-quoting, or paused with a reason."""
    ended: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class World:
    """A desk and everything around it. Ends of faults are due at their time, while ``sleep`` or ``settle`` runs."""

    desk: Desk
    links: Links
    tally: Tally = field(default_factory=Tally)
    cleared: list[checks.Window] = field(default_factory=list)
    disk: SmallDisk | None = None
    children: list[str] = field(default_factory=list)
    """Who the supervisor keeps running: A, B and whoever else had a pid file after ``up``."""
    stopped: set[int] = field(default_factory=set)
    """Processes that a SIGSTOP of ours holds."""
    _due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _number: Iterator[int] = field(default_factory=itertools.count)
    _client: "redis.Redis | None" = None

    # --- time

    def later(self, seconds: float, work: Callable[[], None]) -> None:
        """Do something after ``seconds``."""
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._number), work))

    def sleep(self, seconds: float) -> None:
        """Let time go, and do what becomes due."""
        ends = time.monotonic() + seconds
        while self._due and self._due[0][0] <= ends:
            self._do_next()
        time.sleep(max(0.0, ends - time.monotonic()))

    def settle(self) -> None:
        """Wait until every fault has ended."""
        while self._due:
            self._do_next()

    def _do_next(self) -> None:
        at, _, work = heapq.heappop(self._due)
        time.sleep(max(0.0, at - time.monotonic()))
        work()

    # --- processes

    @property
    def folder(self) -> Path:
        return self.desk.root / "chaos"

    def names(self) -> list[str]:
        """The children that run now."""
        return [name for name in self.children if self.pid(name) is not None]

    def pid(self, name: str) -> int | None:
        try:
            pid = int((self.desk.root / f".pid_{name}").read_text())
        except (OSError, ValueError):
            return None
        return pid if is_ours(pid) else None

    def signal(self, name: str, number: int) -> int | None:
        """Send a signal to a child, if it runs; its pid."""
        pid = self.pid(name)
        if pid is None:
            return None
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            return pid
        return None

    def wake(self, pid: int) -> None:
        """SIGCONT."""
        self.stopped.discard(pid)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    def kill(self, name: str) -> bool:
        """``kill -9`` of a child; whether there was one."""
        if self.signal(name, signal.SIGKILL) is None:
            return False
        self.tally.kills[name] += 1
        return True

    def up(self, *flags: str) -> None:
        """Start the desk; A and B ready."""
        extra = {"CHAOS_FOLDER": str(self.folder), "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests/chaos/site'}"}
        extra |= {name: value for name, value in os.environ.items() if name == "CHAOS_COLD"}
        credentials = str(self.desk.paper.credentials)
        done = self.desk.command("up", "--credentials", credentials, *flags, extra=extra)
        if done.returncode != 0:
            raise Violation(f"up ended with {done.returncode}: {done.stderr[-1500:]}")
        found = {path.name.removeprefix(".pid_") for path in self.desk.root.glob(".pid_*")}
        self.children = sorted(found - {"supervisor"})

    def power_cut(self) -> None:
        """``kill -9`` of everything at once, the supervisor too."""
        for name in ("supervisor", *self.children):
            pid = self.pid(name)
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
                self.tally.kills[name] += 1
                eventually(lambda pid=pid: not is_ours(pid), f"{name} is gone", 20)  # type: ignore[misc]

    def order_end(self, name: str, point: str, count: int, number: int, delay_ms: int) -> Callable[[], int | None]:
        """Tell a side to end itself at an effect. The answer takes the order back and gives the pid that was struck."""
        order = f"{name}{next(self._number)}"
        file, made = self.folder / f"arm_{name}", self.folder / "arming"
        made.write_text(f"{order} {point} {count} {number} {delay_ms}")
        made.rename(file)

        def struck() -> int | None:
            file.unlink(missing_ok=True)
            with suppress(OSError, ValueError):
                return int((self.folder / f"struck_{order}").read_text())
            return None

        return struck

    def limit_files(self, pid: int, size: int) -> None:
        """Let a process write no file beyond ``size`` bytes (-1: any); works for a user's own processes."""
        with suppress(ProcessLookupError):
            hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, hard))

    # --- what can be seen

    def states(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The newest states of A and B in Redis, read past the proxies; empty where there is none."""
        if self._client is None:
            self._client = redis.Redis(port=self.desk.redis.port, socket_timeout=1, socket_connect_timeout=1)
        found = []
        for word in ("maker", "hedger"):
            try:
                rows: Any = self._client.xrevrange(f"h:a_b:{MARKET}:{word}", count=1)
            except redis.RedisError:
                rows = []
            found.append(json.loads(rows[0][1][FIELD]) if rows else {})
        return found[0], found[1]

    def truth(self) -> dict[str, Any]:
        """The exchange's own record; it may be busy after its start."""

        def asked() -> Any:
            with suppress(URLError, OSError):
                return self.desk.paper.ask("GET", "/paper/truth")
            return None

        body: dict[str, Any] = eventually(asked, "the exchange tells the truth", 20)
        return body

    def check(self) -> dict[str, Any]:
        """Hold the record against what must never be.

        Raises:
            Violation: named.
        """
        truth = self.truth()
        found = checks.violations(truth, MARKET, MIN_LOTS, self.cleared)
        if found:
            raise Violation("; ".join(found[:5]))
        return truth

    def goal(self, since_ms: int) -> str:
        """``quoting`` or ``paused``, if the desk has come there after ``since_ms``; else empty."""
        a, b = self.states()
        if not a or not b or min(a["at_ms"], b["at_ms"]) < since_ms:
            return ""
        if a["pause"]:
            return "paused"
        if b["pause_ask"] and b["pause_ask"]["id"] not in a["ended_asks"]:
            return ""
        announce, armed = a["announce"], b["armed"]
        same = ("epoch", "round", "attempt", "coid")
        if not announce or a["waiting"] or not armed or any(announce[key] != armed[key] for key in same):
            return ""
        truth = self.truth()
        resting = [o for o in truth["accounts"][0]["orders"] if o["status"] == "open"]
        shown = [order["client_order_index"] for order in resting] == [announce["coid"]]
        return "quoting" if shown and abs(checks.net_of(truth, MARKET)) < MIN_LOTS else ""

    def converge(self, seconds: float = CONVERGE_SECONDS) -> str:
        """Wait for the goal from now on; ``quoting`` or ``paused``.

        Raises:
            Violation: not reached.
        """
        self._end_faults_of_exchange()
        began, since_ms = time.monotonic(), int(time.time() * 1000)
        while not (goal := self.goal(since_ms)):
            if time.monotonic() - began > seconds:
                raise Violation(f"I6: neither quoting nor paused after {seconds:g} s: {self.shown()}")
            time.sleep(LOOK_SECONDS)
        self.tally.converged.append(time.monotonic() - began)
        self.tally.ended[goal] += 1
        return goal

    def _end_faults_of_exchange(self) -> None:
        """Faults that have not struck yet, fills too: a desk that trades all the time is never seen to rest."""
        for fault in self.desk.paper.ask("GET", "/paper/faults")["faults"]:
            with suppress(HTTPError):  # it has struck just now
                self.desk.paper.mend(fault["id"])

    def shown(self) -> str:
        """What both sides say, for a person."""
        a, b = self.states()
        pids = {name: self.pid(name) for name in ("supervisor", *self.children)}
        words = {"A": a.get("waiting"), "A pause": a.get("pause"), "B": b.get("disarmed"), "ask": b.get("pause_ask")}
        return f"{words} pids {pids} net {checks.net_of(self.truth(), MARKET)}"

    def close(self) -> None:
        """End everything, stopped processes too."""
        for name in self.children:
            self.signal(name, signal.SIGCONT)
        if self._client is not None:
            self._client.close()
        self.desk.kill_all()
        for name in self.children:
            self.signal(name, signal.SIGKILL)
        self.links.close()


@contextmanager
def world(root: Path, *, direction: str, wallets: str, delay_seconds: float = 0.0) -> Iterator[World]:
    """A desk behind proxies, not up yet: its exchange and its Redis run.

    The exchange's tier has no limits of requests: with them a start after every few seconds would mostly wait.
    """
    paper = Paper(root, ("--wallets", wallets, "--tier", "unlimited"), keeps=True)
    desk = Desk(root, paper, RedisServer(root / "redis"))
    made = World(desk, Links())
    try:
        desk.redis.start()
        paper.start()
        made.folder.mkdir()
        targets = {"exchange": paper.port, "redis": desk.redis.port}
        ports: dict[str, dict[str, int]] = {}
        for side, server in itertools.product(SIDES, SERVERS):
            link = Link(free_port(), targets[server], delay_seconds if server == "exchange" else 0.0)
            made.links.add(side, server, link)
            ports.setdefault(side, {})[str(link.target)] = link.listen
        (made.folder / "ports.json").write_text(json.dumps(ports))
        desk.write_config(desk={"market": MARKET, "quantity": QUANTITY, "depth": 1, "direction": direction})
        yield made
    finally:
        made.close()

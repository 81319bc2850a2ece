"""The faults that chaos chooses from: each begins at once and sees to its own end."""

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.error import URLError

import redis
from tests.chaos.inside import POINTS
from tests.chaos.proxy import DOWN, UP, Link
from tests.chaos.world import SERVERS, SIDES, World

KILL, STOP = int(signal.SIGKILL), int(signal.SIGSTOP)
EFFECT_SECONDS = 2.0
"""How long an order to end at an effect waits for the effect."""
START_SECONDS = 4.0
"""The same for an effect of a start, which a kill brings about."""
EVERY_ROUND = ("journal.", "venue.sign", "venue.send", "messaging.append_state", "messaging.publish")
"""Effects of every round; the others belong to starts and to trouble."""
LOTS = (60, 20, 25, 40, 59, 1)
"""Parts of a quote of 60 lots, the minimum being 20: all, the minimum, with a residual, a residual alone."""


@dataclass(slots=True)
class Faults:
    """Faults against one world, by one seed."""

    world: World
    chance: Random
    _turn: dict[str, list[str]] = field(default_factory=dict)
    """By side: effects whose turn is still to come, so that none is left to chance."""

    # --- processes

    def kill(self, names: list[str] | None = None) -> None:
        """``kill -9`` of some children at once; killed Redis and exchange come back after a pause."""
        chosen = names or self._several()
        for name in chosen:
            if name == "redis":
                self.kill_redis(wiped=self.chance.random() < 0.3)
            elif name == "exchange":
                self.kill_exchange()
            else:
                self.world.kill(name)

    def _several(self) -> list[str]:
        children = self.world.children
        # A kill of Redis is cheap; the exchange needs half a second of computing to come back.
        choices = [*children, *children, "redis", "redis", "exchange"]
        if self.chance.random() < 0.6:
            return [*children, *(["redis"] if self.chance.random() < 0.5 else [])]
        return [self.chance.choice(choices)]

    def kill_redis(self, *, wiped: bool) -> None:
        server = self.world.desk.redis
        if not server.alive:
            return
        server.stop(signal.SIGKILL)
        self.world.tally.kills["redis"] += 1

        def back() -> None:
            if wiped:
                server.wipe()
            server.start()

        self.world.tally.faults["redis_restarted_empty" if wiped else "redis_restarted"] += 1
        self.world.later(self.chance.uniform(0, 1.5), back)

    def kill_exchange(self) -> None:
        paper = self.world.desk.paper
        if not paper.alive:
            return
        paper.stop(signal.SIGKILL)
        self.world.tally.kills["exchange"] += 1
        self.world.later(self.chance.uniform(0, 1.0), paper.start)

    def end_at_effect(self) -> None:
        """A side kills or stops itself at an effect, amid other faults."""
        name = self.chance.choice("AB")
        number = STOP if self.chance.random() < 0.2 else KILL
        self._order_end(name, self._next_effect(name), number, self.chance.choice((1, 1, 2, 3)))
        self.fill()

    def die_at_effects(self) -> None:
        """A and B end themselves, each at the effect whose turn it is, with nothing else to disturb them."""
        for name in "AB":
            self._order_end(name, self._next_effect(name), KILL, 1)
        self._arm(kind="fill_now")
        ends = time.monotonic() + START_SECONDS
        while time.monotonic() < ends and any((self.world.folder / f"arm_{name}").exists() for name in "AB"):
            self.world.sleep(0.05)

    def _order_end(self, name: str, point: str, number: int, count: int) -> None:
        in_round = point.startswith(EVERY_ROUND)
        if not in_round:
            self.world.kill(name)
        stopped = self._seconds()
        struck = self.world.order_end(name, point, count, number, self.chance.choice((0, 1, 5, 40)))

        def over() -> None:
            pid = struck()
            if pid is None:
                return
            self.world.tally.effects[f"{name} {point}"] += 1
            if number == KILL:
                self.world.tally.kills[name] += 1
            else:
                self.world.stopped.add(pid)
                self.world.later(stopped, lambda: self.world.wake(pid))

        self.world.later(EFFECT_SECONDS if in_round else START_SECONDS, over)

    def _next_effect(self, name: str) -> str:
        turn = self._turn.setdefault(name, [])
        if not turn:
            turn += POINTS
            self.chance.shuffle(turn)
        return turn.pop()

    def stop(self) -> None:
        """SIGSTOP, and SIGCONT later: of one, or of A and B together."""
        names = [self.chance.choice([*self.world.children, "redis", "exchange"])]
        if self.chance.random() < 0.2:
            names = ["A", "B"]
        for name in names:
            pid = self._pid(name)
            if pid is not None:
                os.kill(pid, STOP)
                self.world.stopped.add(pid)
                self.world.later(self._seconds(), lambda pid=pid: self.world.wake(pid))  # type: ignore[misc]

    def _pid(self, name: str) -> int | None:
        if name == "redis":
            return self.world.desk.redis.pid
        return self.world.desk.paper.pid if name == "exchange" else self.world.pid(name)

    def _answers(self, server: str) -> bool:
        """Whether Redis or the exchange runs, and is not stopped by ourselves."""
        pid = self._pid(server)
        return pid is not None and pid not in self.world.stopped

    def _seconds(self) -> float:
        """Mostly short; at times up to half a minute."""
        return self.chance.uniform(10, 30) if self.chance.random() < 0.04 else self.chance.uniform(0.05, 3)

    # --- disk

    def disk_full(self) -> None:
        """Nothing can be written: by a full file system where the desk has one of its own, else by a limit."""
        seconds = self.chance.uniform(0.2, 3)
        if self.world.disk is not None:
            disk = self.world.disk
            disk.fill()
            self.world.tally.faults["disk_full by a small tmpfs"] += 1
            self.world.later(seconds, disk.empty)
            return
        pid = self.world.pid(self.chance.choice(self.world.children))
        if pid is not None:
            self.world.limit_files(pid, 4096)
            self.world.tally.faults["disk_full by RLIMIT_FSIZE"] += 1
            self.world.later(seconds, lambda: self.world.limit_files(pid, -1))

    # --- network

    def network(self) -> None:
        """One kind of trouble on one connection, or on all of one process."""
        side = self.chance.choice(SIDES[:2])
        server = self.chance.choice(SERVERS)
        links = [self.world.links.at[side, server]]
        if self.chance.random() < 0.2:
            links = [link for (_, at), link in self.world.links.at.items() if at == server]
        kind = self.chance.choice(("cut", "refuse", "hold", "hold_requests", "hold_answers"))
        kind = self.chance.choice((kind, "swallow_requests", "swallow_answers", "delay"))
        self.world.tally.faults[f"network {kind} {server}"] += 1
        delay = self.chance.uniform(0.02, 0.8)
        for link in links:
            self.world.links.tell(lambda link=link: _trouble(link, kind, delay))  # type: ignore[misc]
        if kind != "cut":
            self.world.later(self._seconds(), lambda: self._heal(links))

    def _heal(self, links: list[Link]) -> None:
        for link in links:
            self.world.links.tell(link.heal)

    # --- Redis

    def redis(self) -> None:
        """Wiped, or full, while it runs."""
        if not self._answers("redis"):
            return
        kind = self.chance.choice(("flush", "full"))
        self.world.tally.faults[f"redis_{kind}"] += 1
        if kind == "flush":
            with suppress(redis.RedisError):
                self.world.desk.redis.flush()
            return
        self._redis_memory("1")
        self.world.later(self.chance.uniform(0.2, 2), self._redis_has_room)

    def _redis_has_room(self) -> None:
        """A Redis that is stopped just now is told later; one that was killed has forgotten."""
        if self.world.desk.redis.alive and not (self._answers("redis") and self._redis_memory("0")):
            self.world.later(0.3, self._redis_has_room)

    def _redis_memory(self, most: str) -> bool:
        with suppress(redis.RedisError), redis.Redis(port=self.world.desk.redis.port, socket_timeout=1) as client:
            return bool(client.config_set("maxmemory", most))
        return False

    # --- exchange

    def fill(self) -> None:
        """A's quote fills: whole, in part, in two trades, against its cancel or after it."""
        lots = self.chance.choice(LOTS)
        roll = self.chance.random()
        if roll < 0.55:
            self._arm(kind="fill_now")
        elif roll < 0.75:
            self._arm(kind="part_fill", lots=lots, count=self.chance.randint(1, 3))
        elif roll < 0.85:
            self._arm(kind="two_trades")
            self._arm(kind="fill_now")
        elif roll < 0.95:
            self._arm(kind="cancel_race", lots=lots, count=1, seconds=3)
        else:
            self._arm(kind="late_fill", lots=lots, count=1, seconds=3)

    def exchange(self) -> None:
        """Trouble that the exchange itself makes."""
        seconds = self.chance.uniform(0.2, 4)
        account = self.chance.choice("ab")
        kind, more = self.chance.choice(
            (
                ("lose_answer", {"count": 2, "seconds": seconds}),
                ("reject", {"code": self.chance.choice((21500, 23000, 21104, 21739)), "seconds": seconds, "count": 2}),
                ("history_lag", {"seconds": 2, "for_seconds": seconds}),
                ("account_error", {"seconds": seconds}),
                ("duplicate_frames", {"seconds": seconds}),
                ("disconnect", {}),
                ("key_revoked", {"seconds": seconds}),
            )
        )
        if self._arm(kind=kind, account=account, **more):
            self.world.later(seconds, lambda: None)

    def revoked(self) -> None:
        """B's key is refused when A is filled: B uses its tries up, and the desk pauses."""
        seconds = self.chance.uniform(1, 6)
        if self._arm(kind="key_revoked", account="b", seconds=seconds):
            self.fill()
            self.world.later(seconds, lambda: None)

    def _arm(self, *, kind: str, account: str = "a", **more: Any) -> bool:
        if not self._answers("exchange"):
            return False
        try:
            self.world.desk.paper.fault(kind, account, **more)
        except (URLError, OSError):
            return False
        self.world.tally.faults[kind] += 1
        return True

    # --- choosing

    def one(self) -> str:
        """Begin one fault; its name."""
        kinds: list[tuple[int, Callable[[], None]]] = [
            (50, self.kill),
            (22, self.end_at_effect),
            (9, self.stop),
            (9, self.network),
            (3, self.redis),
            (6, self.exchange),
            (2, self.disk_full),
        ]
        (_, work) = self.chance.choices(kinds, [weight for weight, _ in kinds])[0]
        name = work.__name__
        if name not in ("network", "redis", "exchange", "disk_full"):
            self.world.tally.faults[name] += 1
        work()
        return name

    def wave(self) -> list[str]:
        """A fill, as a rule, and some faults in its midst."""
        if self.chance.random() < 0.75:
            self.fill()
            self.world.sleep(self.chance.choice((0.0, 0.0, 0.005, 0.02, 0.1)))
        begun = []
        for _ in range(self.chance.choice((1, 1, 2, 3))):
            begun.append(self.one())
            self.world.sleep(self.chance.choice((0.0, 0.0, 0.02, 0.2)))
        return begun


def _trouble(link: Link, kind: str, delay: float) -> None:
    match kind:
        case "cut":
            link.cut()
        case "refuse":
            link.refuses = True
            link.cut()
        case "hold" | "hold_requests" | "hold_answers":
            for word, way in link.ways.items():
                if kind == "hold" or (word == UP) == (kind == "hold_requests"):
                    way.flows.clear()
        case "swallow_requests":
            link.ways[UP].swallows = True
        case "swallow_answers":
            link.ways[DOWN].swallows = True
        case "delay":
            for way in link.ways.values():
                way.delay_seconds = delay
        case _:
            raise AssertionError(kind)


def note(world: World, event: str, **more: Any) -> None:
    """One line of what chaos did, for the reader of a failed run."""
    line = json.dumps({"at": round(time.time(), 3), "event": event, **more})
    with (world.folder / "events.jsonl").open("a") as log:
        log.write(line + "\n")

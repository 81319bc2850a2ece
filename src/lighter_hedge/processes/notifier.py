"""The notifier as a process: takes stored alerts to people. No key; nothing waits for it.

It only reads the outboxes of A, B and the monitor, and notes what has reached people in a file of its own, so that it
never holds a lock that a send waits for. An alert counts as told when every target that wants it has taken it; killed
before that is noted, the next notifier tells it again. So none is lost, and one may come twice.
"""

import asyncio
import logging
import os
import signal
import stat
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import aiohttp

from lighter_hedge.config import Settings
from lighter_hedge.domain.states import HedgerState, MakerState, Role
from lighter_hedge.language import _
from lighter_hedge.messaging.port import MessagingError
from lighter_hedge.messaging.redis_stream import RedisMessaging
from lighter_hedge.ops import pids
from lighter_hedge.ops.alerts import Message, Policy, Raised, Target, read_targets
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.ops.health import Positions, read_positions
from lighter_hedge.ops.logs import open_logs, say
from lighter_hedge.ops.operate import stale_ms, wall_ms
from lighter_hedge.ops.ready import keep_watchdog, say_ready
from lighter_hedge.ops.status import DeskView, lines, view
from lighter_hedge.processes.journal_file import JournalError
from lighter_hedge.processes.outbox import MONITOR_FILE, alerts_after
from lighter_hedge.processes.side import expected_errors
from lighter_hedge.processes.told import TOLD_FILE, ToldFile
from lighter_hedge.venue.errors import VenueError

LOOK_SECONDS: Final = 1.0
HEARTBEAT_SECONDS: Final = 60.0
SEND_SECONDS: Final = 30.0
"""For one target; apprise has no limit of its own for every service."""
RETRY_MS: Final = (5_000, 30_000, 120_000, 600_000)
"""After a target has not taken a message; the last one repeats."""

Send = Callable[[Target, str, str], Awaitable[bool]]
"""Gives a target a title and a body; whether it took them."""


@dataclass(slots=True, kw_only=True)
class Notifier:
    """Reads outboxes, decides by the policy, sends, and notes what has been told."""

    outboxes: dict[str, Path]
    """By source: ``A``, ``B``, ``monitor``."""
    targets: Sequence[Target]
    policy: Policy
    file: ToldFile
    send: Send
    tell: Callable[[str, str, str], None]
    _waiting: dict[tuple[str, int, int], Raised] = field(default_factory=dict)
    _last: dict[str, int] = field(default_factory=dict)
    _failures: dict[str, int] = field(default_factory=dict)
    """By target: how often in a row it has not taken a message."""
    _quiet_until_ms: dict[str, int] = field(default_factory=dict)
    _taken: dict[tuple[int, tuple[tuple[str, int], ...]], bool] = field(default_factory=dict)
    """Which target has taken which alerts, until all have."""

    def remember(self) -> None:
        """What an earlier notifier has told."""
        for alert, at_ms in self.file.history():
            self.policy.told([alert], at_ms)

    def gather(self) -> None:
        """Take in what the outboxes hold that nobody has been told of."""
        for source, path in self.outboxes.items():
            if not path.is_file():
                self._last[source] = 0
                continue
            try:
                found = alerts_after(path, self._last.get(source, 0))
            except JournalError as error:
                self.tell("warning", "OUTBOX_UNREADABLE", str(error))
                continue
            for stored in found:
                self._last[source] = stored.id
                alert = Raised(
                    source=source,
                    id=stored.id,
                    level=stored.level,
                    code=stored.code,
                    text=stored.text,
                    wall_ms=stored.wall_ms,
                )
                if not self.file.knows(alert):
                    self._waiting[source, stored.id, stored.wall_ms] = alert

    async def deliver(self, now_ms: int) -> None:
        """Send what is due; what a target did not take stays."""
        for message in self.policy.due(self._waiting.values(), now_ms):
            if await self._told(message, now_ms):
                self.file.note(message.alerts, now_ms)
                self.policy.told(message.alerts, now_ms)
                for alert in message.alerts:
                    self._waiting.pop((alert.source, alert.id, alert.wall_ms), None)

    async def say(self, route: str, title: str, body: str, now_ms: int) -> bool:
        """Send something that is no alert; whether anybody took it."""
        taken = [await self._give(target, title, body, now_ms) for target in self.targets if route in target.routes]
        return any(taken)

    async def _told(self, message: Message, now_ms: int) -> bool:
        """Whether every target that wants it has it; one that has it is not asked twice while another is away."""
        about = tuple((each.source, each.id) for each in message.alerts)
        done = True
        for number, target in enumerate(self.targets):
            if message.route not in target.routes or self._taken.get((number, about)):
                continue
            if await self._give(target, message.title, message.body, now_ms):
                self._taken[number, about] = True
            else:
                done = False
        if done:
            self._taken = {key: taken for key, taken in self._taken.items() if key[1] != about}
        return done

    async def _give(self, target: Target, title: str, body: str, now_ms: int) -> bool:
        if now_ms < self._quiet_until_ms.get(target.url, 0):
            return False
        if await self.send(target, title, body):
            if self._failures.pop(target.url, 0):
                self.tell("info", "NOTIFY_AGAIN", f"{target.shown} takes messages again")
            return True
        failures = self._failures[target.url] = self._failures.get(target.url, 0) + 1
        wait_ms = RETRY_MS[min(failures, len(RETRY_MS)) - 1]
        self._quiet_until_ms[target.url] = now_ms + wait_ms
        if failures == 1:
            self.tell("error", "NOTIFY_FAILED", f"{target.shown} did not take a message; tried again until it does")
        return False


async def send_by_apprise(target: Target, title: str, body: str) -> bool:
    """Through apprise, on a thread; False where it failed, was refused or took too long."""

    def call() -> bool:
        import apprise

        logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it may name addresses, which are secrets
        sender = apprise.Apprise()
        return bool(sender.add(target.url)) and bool(sender.notify(body=body, title=title))

    try:
        async with asyncio.timeout(SEND_SECONDS):
            return await asyncio.to_thread(call)
    except (OSError, TimeoutError, TypeError, ValueError):
        return False


def targets_of(settings: Settings) -> list[Target]:
    """The targets of the configuration; none where no file is named.

    Raises:
        OpsError: the file is missing, can be read by others, or holds a line that is none.
    """
    if settings.alerts.targets_file is None:
        return []
    path = settings.root / settings.alerts.targets_file
    try:
        text, mode = path.read_text(encoding="utf-8"), path.stat().st_mode
        if stat.S_IMODE(mode) & 0o077:
            raise OpsError(ExitCode.CONFIGURATION, f"others can read {path}, which holds secrets", f"chmod 600 {path}")
        return read_targets(text)
    except OSError as error:
        text = f"alerts.targets_file {path} cannot be read: {error.strerror}"
        raise OpsError(ExitCode.CONFIGURATION, text, "write one target a line into it, mode 0600") from None
    except ValueError as error:
        raise OpsError(ExitCode.CONFIGURATION, f"{path}: {error}", "see docs/alerts.md") from None


async def look(settings: Settings, messaging: RedisMessaging) -> DeskView:
    """The desk as A and B tell it. Raises ``MessagingError``."""
    maker, hedger = await messaging.last_state(Role.MAKER), await messaging.last_state(Role.HEDGER)
    assert maker is None or isinstance(maker, MakerState)
    assert hedger is None or isinstance(hedger, HedgerState)
    return view(
        str(settings.desk_id),
        maker,
        hedger,
        now_ms=wall_ms(),
        stale_ms=stale_ms(settings),
        pids=pids.running(settings.root),
        ended=pids.ended_here(settings.run_dir),
    )


def report_text(seen: DeskView | None, held: Positions | None, alerts: int) -> str:
    """The daily report: what the desk does, what both accounts have, how much went wrong."""
    spec = held.market.spec if held else None
    rows = lines(seen, spec) if seen else [_("Redis does not answer: what A and B do is not known")]
    if held is None:
        rows.append(_("the exchange does not answer: what both accounts have is not known"))
    else:
        for each in (held.a, held.b):
            rows.append(
                _("{side}: free collateral {free} USD, unrealized PnL {pnl} USD").format(
                    side=each.letter, free=each.available, pnl=each.unrealized_pnl
                )
            )
    return "\n".join([*rows, _("alerts since the last report: {count}").format(count=alerts)])


@dataclass(slots=True, kw_only=True)
class Reporter:
    """The daily report and the heartbeat."""

    settings: Settings
    notifier: Notifier
    messaging: RedisMessaging

    async def daily(self, now_ms: int) -> None:
        """Send the report of today, once its time has come."""
        alerts = self.settings.alerts
        here = datetime.fromtimestamp(now_ms / 1000, ZoneInfo(alerts.time_zone))
        day = here.date().isoformat()
        if not alerts.daily_report or here.strftime("%H:%M") < alerts.daily_report or self.notifier.file.reported(day):
            return
        seen = held = None
        with suppress(MessagingError):  # the report says so
            seen = await look(self.settings, self.messaging)
        with suppress(VenueError):  # the report says so
            held = await read_positions(self.settings)
        count = sum(now_ms - at_ms < 24 * 3_600_000 for _alert, at_ms in self.notifier.file.history())
        title = _("{desk}: report of {day}").format(desk=self.settings.desk_id, day=day)
        if await self.notifier.say("daily", title, report_text(seen, held, count), now_ms):
            self.notifier.file.report(day)

    async def beat(self, session: aiohttp.ClientSession) -> bool:
        """Ask the heartbeat address while the desk is well; whether it was asked."""
        try:
            seen = await look(self.settings, self.messaging)
        except MessagingError:
            return False
        if seen.exit_code is not ExitCode.OK or seen.mode == "paused":
            return False
        try:
            async with session.get(self.settings.alerts.heartbeat_url.get_secret_value()) as answer:
                await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            self.notifier.tell("warning", "HEARTBEAT_FAILED", f"the heartbeat address: {type(error).__name__}")
        return True


async def _run(settings: Settings, targets: list[Target], file: ToldFile) -> None:
    messaging = RedisMessaging(settings.redis.url, settings.desk_id)
    notifier = Notifier(
        outboxes={
            "A": settings.journal_file(Role.MAKER),
            "B": settings.journal_file(Role.HEDGER),
            "monitor": settings.run_dir / MONITOR_FILE,
        },
        targets=targets,
        policy=Policy(desk=str(settings.desk_id), repeat_ms=tuple(m * 60_000 for m in settings.alerts.repeat_minutes)),
        file=file,
        send=send_by_apprise,
        tell=lambda level, code, text: say("lighter_hedge.notify", level, code, text),
    )
    notifier.remember()
    reporter = Reporter(settings=settings, notifier=notifier, messaging=messaging)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    notifier.tell("info", "NOTIFYING", f"alerts go to {len(targets)} targets")
    say_ready(os.environ)
    timeout = aiohttp.ClientTimeout(total=SEND_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session, asyncio.TaskGroup() as group:
            work = [group.create_task(_every(LOOK_SECONDS, lambda: _turn(notifier, reporter)))]
            work.append(group.create_task(keep_watchdog(os.environ)))
            if settings.alerts.heartbeat_url.get_secret_value():
                work.append(group.create_task(_every(HEARTBEAT_SECONDS, lambda: reporter.beat(session))))
            await ended.wait()
            for task in work:
                task.cancel()
    finally:
        await messaging.close()


async def _turn(notifier: Notifier, reporter: Reporter) -> None:
    notifier.gather()
    await notifier.deliver(wall_ms())
    await reporter.daily(wall_ms())


async def _every(seconds: float, turn: Callable[[], Awaitable[object]]) -> None:
    while True:
        await turn()
        await asyncio.sleep(seconds)


def run_notifier(settings: Settings) -> None:
    """Tell people until told to stop.

    Raises:
        OpsError: the targets cannot be read, or nobody is to be told.
    """
    console = sys.stderr if sys.stderr.isatty() else None
    with expected_errors("notify"):
        targets = targets_of(settings)
        if not settings.alerts.wanted:
            raise OpsError(
                ExitCode.CONFIGURATION, "nobody is to be told", "set alerts.targets_file, see docs/alerts.md"
            )
        logs = open_logs(settings.log_dir / "notify.log", level=settings.log.level, console=console)
        file = ToldFile(settings.run_dir / TOLD_FILE)
        try:
            asyncio.run(_run(settings, targets, file))
        finally:
            file.close()
            logs.close()

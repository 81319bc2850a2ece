"""The monitor as a process: no key, no order. Follows the venue's public stream and the states of A and B.

Each of its two eyes comes and goes by itself; neither waits for the other. An alert is logged at once and stored by a
thread, in order; a disk that cannot take it is tried again until it can.
"""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, assert_never

from lighter_hedge.config import Settings
from lighter_hedge.domain.commands import Alert, Level, ReadAccount, Say
from lighter_hedge.domain.events import (
    AccountRead,
    HedgerHeard,
    Instant,
    MakerHeard,
    MessagingChanged,
    OperatorAsked,
    Ticked,
)
from lighter_hedge.domain.incidents import Incident, Recovered
from lighter_hedge.domain.monitor import Monitor
from lighter_hedge.domain.monitor_words import (
    AskPause,
    LookForStop,
    MarketLearned,
    MonitorCommand,
    MonitorEvent,
    MonitorSettings,
    PauseSent,
    Remember,
    StopLearned,
)
from lighter_hedge.domain.states import MakerState, Role
from lighter_hedge.domain.units import MarketSpec
from lighter_hedge.messaging.messages import UnreadableMessage
from lighter_hedge.messaging.port import Messaging, MessagingError
from lighter_hedge.messaging.redis_stream import RedisMessaging
from lighter_hedge.messaging.telemetry import Said, Telemetry
from lighter_hedge.ops.logs import open_logs, say
from lighter_hedge.ops.ready import keep_watchdog, say_ready
from lighter_hedge.processes.journal_file import JournalError
from lighter_hedge.processes.outbox import MONITOR_FILE, MonitorFile, stopped_by_person
from lighter_hedge.processes.side import expected_errors, now
from lighter_hedge.venue.errors import VenueError
from lighter_hedge.venue.lighter.public import PublicSettings, connect_public
from lighter_hedge.venue.port import OnEvent

TICK_SECONDS = 0.25
RECONNECT_SECONDS = 0.5
VENUE_SECONDS = 5.0
"""Between two attempts to learn the market from a venue that does not answer."""
STORE_SECONDS = 1.0
"""Between two attempts to write to a disk that takes nothing."""
FLUSH_SECONDS = 2.0
STORED_MAX = 1_000
"""What waits for the disk; each alert is in the log too."""


class PublicVenue(Protocol):
    """What the monitor needs of a venue."""

    market: MarketSpec

    async def read_account(self, role: Role) -> tuple[int, int, int]:
        """Position in signed lots, free collateral in millionths, number of open orders."""

    async def stream(self, on_event: OnEvent) -> None:
        """Follow the market and both accounts until cancelled."""

    async def close(self) -> None:
        """Release sockets."""


class Store(Protocol):
    """Where alerts wait for whoever delivers them. Called by one thread at a time."""

    def alert(self, level: str, code: str, text: str, wall_ms: int) -> None:
        """Store an alert until it is delivered."""

    def remember(self, incidents: tuple[Incident, ...], wall_ms: int) -> None:
        """Keep what is wrong now."""


@dataclass(slots=True, kw_only=True)
class MonitorDriver:
    """Runs the monitor's machine against a venue, the desk's streams and a store."""

    machine: Monitor
    connect: Callable[[], Coroutine[Any, Any, PublicVenue]]
    messaging: Messaging
    store: Store
    journal_of: Callable[[Role], Path]
    clock: Callable[[], Instant]
    say: Callable[[str, str, str], None]
    """Logs (level, code, text)."""
    beside: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
    """Work for people's eyes that runs as long as the monitor does."""
    _group: asyncio.TaskGroup = field(init=False)
    _venue: PublicVenue | None = None
    _streams_up: set[Role] = field(default_factory=set)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _to_store: deque[Callable[[], None]] = field(default_factory=deque)
    _stored: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """End; there is nothing to finish."""
        self._ended.set()

    async def run(self) -> None:
        """Run until stopped. Programmer errors are not caught."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            work = [self._follow_venue(), self._follow_commands(), self._tick()]
            work += [self._follow_states(role) for role in Role]
            tasks = [group.create_task(each) for each in work]
            storing = group.create_task(self._store_all())
            tasks += [group.create_task(work()) for work in self.beside]
            await self._ended.wait()
            for task in tasks:
                task.cancel()
            await self._flush()
            storing.cancel()

    # --- events in --------------------------------------------------------------------------------------------------

    def dispatch(self, event: MonitorEvent) -> None:
        """Give the machine one event and carry out what it wants. Nothing here awaits."""
        if not self._ended.is_set():
            for command in self.machine.step(event, self.clock()):
                self._execute(command)

    async def _tick(self) -> None:
        while True:
            self.dispatch(Ticked())
            await asyncio.sleep(TICK_SECONDS)

    async def _follow_venue(self) -> None:
        venue = self._venue = await self._connected()
        try:
            self.dispatch(MarketLearned(market=venue.market))
            await venue.stream(self.dispatch)
        finally:
            await venue.close()

    async def _connected(self) -> PublicVenue:
        """The venue, as soon as it answers."""
        said = ""
        while True:
            try:
                return await self.connect()
            except VenueError as error:
                if str(error) != said:
                    said = str(error)
                    self.say("error", "VENUE_DOWN", said)
            await asyncio.sleep(VENUE_SECONDS)

    async def _follow_states(self, role: Role) -> None:
        while True:
            try:
                await self.messaging.open()
                self._set_stream(role, up=True)
                async for state in self.messaging.states(role):
                    heard = MakerHeard(state=state) if isinstance(state, MakerState) else HedgerHeard(state=state)
                    self.dispatch(heard)
            except UnreadableMessage as error:
                self.say("error", "MESSAGE_UNREADABLE", str(error))
            except MessagingError:
                self._set_stream(role, up=False)
            await asyncio.sleep(RECONNECT_SECONDS)

    def _set_stream(self, role: Role, *, up: bool) -> None:
        (self._streams_up.add if up else self._streams_up.discard)(role)
        self.dispatch(MessagingChanged(up=len(self._streams_up) == len(Role)))

    async def _follow_commands(self) -> None:
        """What people have asked for, from the oldest that is kept: a ``clear`` may be under way."""
        cursor = "0-0"
        while True:
            try:
                async for entry_id, command in self.messaging.commands(cursor):
                    cursor = entry_id
                    self.dispatch(OperatorAsked(command=command))
            except UnreadableMessage as error:
                cursor = error.entry_id or cursor
                self.say("error", "MESSAGE_UNREADABLE", str(error))
            except MessagingError:
                pass
            await asyncio.sleep(RECONNECT_SECONDS)

    # --- commands out -----------------------------------------------------------------------------------------------

    def _execute(self, command: MonitorCommand) -> None:
        match command:
            case Alert() | Recovered():
                level = Level.ERROR.value if isinstance(command, Alert) else Level.INFO.value
                wall_ms = self.clock().wall_ms
                self.say(level, command.code, command.text)
                self._later(lambda: self.store.alert(level, command.code, command.text, wall_ms))
            case Say():
                self.say(command.level.value, command.code, command.text)
            case Remember():
                wall_ms = self.clock().wall_ms
                self._later(lambda: self.store.remember(command.incidents, wall_ms))
            case ReadAccount():
                self._group.create_task(self._read(command.role))
            case AskPause():
                self._group.create_task(self._ask(command))
            case LookForStop():
                self._group.create_task(self._look_for_stop(command.role))
            case _:
                assert_never(command)

    async def _read(self, role: Role) -> None:
        """A read that fails is unknown, never zero."""
        asked_ms = self.clock().mono_ms
        position, available, orders = None, 0, 0
        if self._venue is not None:
            try:
                position, available, orders = await self._venue.read_account(role)
            except VenueError as error:
                self.say("warning", "READ_FAILED", str(error))
        self.dispatch(
            AccountRead(role=role, position=position, available=available, open_orders=orders, asked_ms=asked_ms)
        )

    async def _ask(self, ask: AskPause) -> None:
        sent = False
        try:
            await self.messaging.append_command(ask.command)
            sent = True
            self.say("warning", "PAUSE_ASKED", f"account A is asked to pause: {ask.command.reason}")
        except MessagingError as error:
            self.say("error", "PAUSE_NOT_ASKED", str(error))
        self.dispatch(PauseSent(sent=sent))

    async def _look_for_stop(self, role: Role) -> None:
        by_person = False
        path = self.journal_of(role)
        if path.is_file():
            try:
                by_person = await asyncio.to_thread(stopped_by_person, path)
            except JournalError as error:
                self.say("warning", "JOURNAL_UNREADABLE", str(error))
        self.dispatch(StopLearned(role=role, by_person=by_person))

    # --- storing ----------------------------------------------------------------------------------------------------

    def _later(self, write: Callable[[], None]) -> None:
        if len(self._to_store) == STORED_MAX:
            self._to_store.popleft()
        self._to_store.append(write)
        self._stored.set()

    async def _store_all(self) -> None:
        """Write what waits, in order; what the disk does not take is tried again."""
        said = ""
        while True:
            await self._stored.wait()
            try:
                await self._store_waiting()
                said = ""
            except JournalError as error:
                if str(error) != said:
                    said = str(error)
                    self.say("error", "ALERT_NOT_STORED", said)
                await asyncio.sleep(STORE_SECONDS)

    async def _store_waiting(self) -> None:
        while self._to_store:
            write = self._to_store[0]
            await asyncio.to_thread(write)
            if self._to_store and self._to_store[0] is write:  # not pushed out meanwhile
                self._to_store.popleft()
        self._stored.clear()

    async def _flush(self) -> None:
        """Before the end: let what waits be stored, if the disk takes it."""
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                while self._to_store:  # noqa: ASYNC110 - the writer is another task, and may be between two tries
                    await asyncio.sleep(TICK_SECONDS / 10)
        except TimeoutError:
            self.say("error", "ALERT_NOT_STORED", f"{len(self._to_store)} alerts are in this log alone")


def monitor_settings(settings: Settings) -> MonitorSettings:
    """The configuration in the machine's units."""
    return MonitorSettings(
        desk=settings.desk_id,
        accounts={role: settings.account(role).account_index for role in Role},
        unhedged_ms_max=round(settings.limits.unhedged_seconds_max * 1000),
        heartbeat_ms_max=round(settings.heartbeat_seconds_max * 1000),
        read_lag_ms=round(settings.read_lag_seconds * 1000),
        reconcile_ms=round(settings.reconcile_seconds * 1000),
    )


async def _run(settings: Settings, file: MonitorFile) -> None:
    public = PublicSettings(
        base_url=settings.venue.base_url,
        ws_url=settings.venue.ws_url,
        accounts={role: settings.account(role).account_index for role in Role},
        market=settings.desk.market,
    )
    messaging = RedisMessaging(settings.redis.url, settings.desk_id)
    telemetry = Telemetry.open(settings.redis.url, settings.desk_id)

    def tell(level: str, code: str, text: str) -> None:
        say("lighter_hedge.monitor", level, code, text)
        telemetry.offer(Said(at_ms=now().wall_ms, source="monitor", level=level, code=code, text=text))

    driver = MonitorDriver(
        machine=Monitor.create(monitor_settings(settings), file.incidents()),
        connect=lambda: connect_public(public),
        messaging=messaging,
        store=file,
        journal_of=settings.journal_file,
        clock=now,
        say=tell,
        beside=(telemetry.run, lambda: keep_watchdog(os.environ)),
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, driver.stop)
    driver.say("info", "STARTED", f"watching desk {settings.desk_id}, without keys")
    say_ready(os.environ)
    try:
        await driver.run()
    finally:
        await messaging.close()
        await telemetry.close()
    driver.say("info", "EXIT", "stopped (exit code 0)")


def run_monitor(settings: Settings) -> None:
    """Run the monitor until it is told to stop.

    Raises:
        OpsError: another monitor of this desk runs here, or its file cannot be written.
    """
    console = sys.stderr if sys.stderr.isatty() else None
    with expected_errors("monitor"), ExitStack() as stack:
        logs = open_logs(settings.log_dir / "monitor.log", level=settings.log.level, console=console)
        stack.callback(logs.close)
        file = MonitorFile.open(settings.run_dir / MONITOR_FILE)
        stack.callback(file.close)
        asyncio.run(_run(settings, file))

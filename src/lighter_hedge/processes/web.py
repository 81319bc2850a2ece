"""The page as a process: no key. Reads what A, B and the monitor tell, and asks the desk for what a person confirms.

Nothing waits for it. Each of its eyes (states, telemetry, processes of this machine, the venue) comes and goes by
itself; the venue is read only while somebody looks.
"""

import asyncio
import os
import signal
import socket
import stat
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import msgspec
import uvicorn

from lighter_hedge import __version__
from lighter_hedge.config import Settings
from lighter_hedge.dashboard.app import Page
from lighter_hedge.dashboard.guard import LOCAL, Guard
from lighter_hedge.dashboard.hub import Hub
from lighter_hedge.dashboard.projection import About, AtVenue, Local, Projection
from lighter_hedge.dashboard.schema import Ask, Command
from lighter_hedge.domain.states import HedgerState, MakerState, OperatorCommand, Role
from lighter_hedge.messaging.keys import DeskKeys
from lighter_hedge.messaging.messages import UnreadableMessage
from lighter_hedge.messaging.port import Messaging, MessagingError
from lighter_hedge.messaging.redis_stream import RedisMessaging, connect
from lighter_hedge.messaging.telemetry import Said, Telemetry
from lighter_hedge.ops import pids
from lighter_hedge.ops.events import EventStream, Wanted
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.ops.health import Positions, read_positions
from lighter_hedge.ops.logs import open_logs, say
from lighter_hedge.ops.operate import ACK_SECONDS, resume_command, stale_ms, wall_ms
from lighter_hedge.ops.page import address_of, forget_address, listening, write_address
from lighter_hedge.ops.ready import keep_watchdog, say_ready
from lighter_hedge.processes.side import expected_errors
from lighter_hedge.venue.errors import VenueError

LOOK_SECONDS: Final = 1.0
VENUE_SECONDS: Final = 15.0
RETRY_SECONDS: Final = 0.5
EVENTS_FIRST: Final = 300
"""Lines of the past that a page begins with."""


class _Server(uvicorn.Server):
    """Leaves the signals to this process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass(slots=True, kw_only=True)
class Commander:
    """Carries commands to the desk, one task each, and follows them until A and B acknowledge."""

    projection: Projection
    messaging: Messaging
    tell: Callable[[str, str, str], None]
    group: asyncio.TaskGroup | None = None

    def ask(self, command: Ask, who: str) -> str:
        """See ``dashboard.app.Commander``."""
        assert self.group is not None, "asked before the process runs"
        command_id = str(uuid.uuid4())
        begun = Command(id=command_id, verb=command.verb, who=who, at_ms=wall_ms(), state="sending")
        self.projection.commanded(begun)
        self.tell("info", "COMMAND_ASKED", f"{command.verb} asked for at the page from {who}")
        self.group.create_task(self._carry(begun, command))
        return command_id

    async def _carry(self, command: Command, asked: Ask) -> None:
        if not self.projection.running(wall_ms()):
            remedy = "lighter-hedge clear" if command.verb == "clear" else "lighter-hedge up"
            self._became(command, "failed", f"the desk is not running: {remedy}")
            return
        try:
            await self.messaging.append_command(await self._wanted(command, asked))
        except MessagingError as error:
            self._became(command, "failed", str(error))
            return
        self._became(command, "sent")
        await asyncio.sleep(ACK_SECONDS)
        missing = self.projection.unanswered(command.id)
        if missing:
            text = f"not acknowledged by {' and '.join(missing)} within {ACK_SECONDS:g} s; it may still be obeyed"
            self._became(command, "failed", text)

    async def _wanted(self, command: Command, asked: Ask) -> OperatorCommand:
        reason = f"at the page, from {command.who}"
        if command.verb != "resume":
            return OperatorCommand(id=command.id, verb=command.verb, reason=reason)
        maker = await self.messaging.last_state(Role.MAKER)
        hedger = await self.messaging.last_state(Role.HEDGER)
        if not isinstance(maker, MakerState):
            raise MessagingError("account A has said nothing yet")
        assert hedger is None or isinstance(hedger, HedgerState)
        return resume_command(command.id, maker, hedger, hedge_now=asked.hedge_now)

    def _became(self, command: Command, state: str, text: str = "") -> None:
        self.projection.commanded(msgspec.structs.replace(command, state=state, text=text))
        if text:
            self.tell("warning", "COMMAND_FAILED", f"{command.verb}: {text}")


@dataclass(slots=True, kw_only=True)
class Eyes:
    """Feeds the projection from everything that tells of the desk."""

    settings: Settings
    projection: Projection
    hub: Hub
    messaging: Messaging
    _names: tuple[str, ...] = field(default=("A", "B", pids.SUPERVISOR, pids.MONITOR))

    async def follow_states(self, role: Role) -> None:
        """What one side says of itself."""
        while True:
            try:
                async for state in self.messaging.states(role):
                    self.projection.heard(state)
            except UnreadableMessage:
                pass  # of another version: the page says that nothing is heard
            except MessagingError:
                self.projection.reached(redis=False)
            await asyncio.sleep(RETRY_SECONDS)

    async def follow_telemetry(self) -> None:
        """Log lines and times, some of the past first."""
        key, after = DeskKeys(desk=self.settings.desk_id).telemetry, ""
        wanted = Wanted(level="debug")
        while True:
            client = connect(self.settings.redis.url)
            stream = EventStream(client=client, key=key, url=self.settings.redis.url)
            try:
                if not after:
                    past, after = await stream.newest(wanted, EVENTS_FIRST)
                    for record in past:
                        self.projection.told(record)
                async for record in stream.follow(wanted, after):
                    self.projection.told(record)
            except OpsError:
                self.projection.reached(redis=False)
            finally:
                await client.aclose()
            await asyncio.sleep(RETRY_SECONDS)

    async def look_here(self) -> None:
        """Which processes of the desk are alive on this machine."""
        root, run_dir = self.settings.root, self.settings.run_dir
        while True:
            alive = pids.running(root, self._names)
            monitor = alive.pop(pids.MONITOR, None)
            self.projection.looked(Local(pids=alive, monitor_pid=monitor, ended=pids.ended_here(run_dir)))
            await asyncio.sleep(LOOK_SECONDS)

    async def look_at_venue(self) -> None:
        """Entries, profits and free collateral, while somebody looks; the market's rules at once."""
        while True:
            if self.hub.watched or self.projection.words.spec is None:
                try:
                    held = await read_positions(self.settings)
                except VenueError:
                    pass  # the age of these figures is shown
                else:
                    self.projection.learned(held.market.spec, held.market.price)
                    self.projection.read(at_venue(held))
            await asyncio.sleep(VENUE_SECONDS if self.projection.words.spec else LOOK_SECONDS)


def at_venue(held: Positions) -> AtVenue:
    """What the page shows of a read of both accounts."""
    return AtVenue(
        entry={each.letter: each.entry_price for each in (held.a, held.b)},
        pnl={each.letter: each.unrealized_pnl for each in (held.a, held.b)},
        available={each.letter: each.available for each in (held.a, held.b)},
    )


def token_of(settings: Settings) -> str:
    """The token that every viewer must show; empty where none is wanted.

    Raises:
        OpsError: the page would be open to others without one, or its file is missing, empty or readable by others.
    """
    web = settings.web
    if web.token_file is None:
        if web.host not in LOCAL:
            text = f"web.host is {web.host}: whoever reaches that address could steer the desk"
            remedy = "set web.token_file, or web.host: 127.0.0.1"
            raise OpsError(ExitCode.CONFIGURATION, text, remedy)
        return ""
    path = settings.root / web.token_file
    try:
        token = path.read_text(encoding="utf-8").strip()
        mode = path.stat().st_mode
    except OSError as error:
        text = f"web.token_file {path} cannot be read: {error.strerror}"
        raise OpsError(ExitCode.CONFIGURATION, text, "write a long random word into it, mode 0600") from None
    if stat.S_IMODE(mode) & 0o077:
        raise OpsError(ExitCode.CONFIGURATION, f"others can read {path}", f"chmod 600 {path}")
    if len(token) < 16:
        raise OpsError(
            ExitCode.CONFIGURATION, f"the token in {path} has fewer than 16 characters", "write a longer one"
        )
    return token


def projection_of(settings: Settings) -> Projection:
    """An empty view of the desk."""
    return Projection(
        about=About(
            desk=str(settings.desk_id),
            market=settings.desk.market,
            network=settings.venue.network,
            version=__version__,
            names={role: settings.account(role).account_name for role in Role},
            indices={role: settings.account(role).account_index for role in Role},
            quantity=settings.desk.quantity,
            unhedged_ms_max=round(settings.limits.unhedged_seconds_max * 1000),
            stale_ms=stale_ms(settings),
            read_only=settings.web.read_only,
        )
    )


async def _run(settings: Settings, token: str, bound: socket.socket) -> None:
    projection = projection_of(settings)
    hub = Hub(projection=projection, clock=wall_ms)
    messaging = RedisMessaging(settings.redis.url, settings.desk_id)
    telemetry = Telemetry.open(settings.redis.url, settings.desk_id)

    def tell(level: str, code: str, text: str) -> None:
        say("lighter_hedge.web", level, code, text)
        telemetry.offer(Said(at_ms=wall_ms(), source="web", level=level, code=code, text=text))

    commander = Commander(projection=projection, messaging=messaging, tell=tell)
    guard = Guard(token=token, read_only=settings.web.read_only)
    page = Page(hub=hub, guard=guard, commander=commander, market=settings.desk.market)
    options = uvicorn.Config(
        page.app(), log_config=None, access_log=False, lifespan="off", server_header=False, timeout_graceful_shutdown=1
    )
    server = _Server(options)

    def stop() -> None:
        hub.close()
        server.should_exit = True

    eyes = Eyes(settings=settings, projection=projection, hub=hub, messaging=messaging)
    try:
        async with asyncio.TaskGroup() as group:
            commander.group = group
            work = [eyes.follow_states(role) for role in Role]
            work += [
                eyes.follow_telemetry(),
                eyes.look_here(),
                eyes.look_at_venue(),
                hub.run(),
                telemetry.run(),
                keep_watchdog(os.environ),
            ]
            tasks = [group.create_task(each) for each in work]
            serving = group.create_task(server.serve([bound]))
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, stop)
            tell("info", "PAGE_OPEN", f"the page is at {address_of(bound)}")
            say_ready(os.environ)
            await serving
            for task in tasks:
                task.cancel()
    finally:
        await messaging.close()
        await telemetry.close()


def run_web(settings: Settings) -> None:
    """Serve the page until told to stop.

    Raises:
        OpsError: the address is taken or would be open to others, or the token file does not do.
    """
    console = sys.stderr if sys.stderr.isatty() else None
    with expected_errors("web"):
        token = token_of(settings)
        bound = listening(settings.web.host, settings.web.port)
        logs = open_logs(settings.log_dir / "web.log", level=settings.log.level, console=console)
        write_address(settings.run_dir, address_of(bound))
        try:
            asyncio.run(_run(settings, token, bound))
        finally:
            forget_address(settings.run_dir)
            logs.close()

"""The monitor's shell: eyes that come and go, alerts that reach the store, one command to A."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest
from tests.unit.domain.builders import DESK, MARKET, announce, hedger_state, maker_state
from tests.unit.domain.monitor_talk import SETTINGS
from tests.unit.processes.test_side import configured

from lighter_hedge.domain.commands import Alert, Level, ReadAccount, Say
from lighter_hedge.domain.events import (
    AccountRead,
    FeedOpened,
    HedgerHeard,
    Instant,
    MakerHeard,
    MessagingChanged,
    OperatorAsked,
    PositionReported,
)
from lighter_hedge.domain.incidents import Incident, Recovered
from lighter_hedge.domain.monitor import Monitor
from lighter_hedge.domain.monitor_words import (
    AskPause,
    LookForStop,
    MarketLearned,
    MonitorCommand,
    MonitorEvent,
    PauseSent,
    Remember,
    StopLearned,
)
from lighter_hedge.domain.states import OperatorCommand, Role
from lighter_hedge.domain.units import MarketSpec
from lighter_hedge.messaging.keys import DeskKeys
from lighter_hedge.messaging.memory_stream import MemoryHub, MemoryMessaging
from lighter_hedge.messaging.messages import encode
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.processes import monitor as shell
from lighter_hedge.processes.journal import Journal
from lighter_hedge.processes.journal_file import JournalUnwritable
from lighter_hedge.processes.monitor import MonitorDriver, monitor_settings, run_monitor
from lighter_hedge.processes.outbox import MONITOR_FILE, MonitorFile
from lighter_hedge.venue.errors import ReadFailed, VenueUnreachable
from lighter_hedge.venue.port import OnEvent

_T = TypeVar("_T")


@dataclass
class Recorder(Monitor):
    """The real machine, and what it was told; ``then`` is what it wants next."""

    heard: list[MonitorEvent] = field(default_factory=list)
    then: list[MonitorCommand] = field(default_factory=list)

    def step(self, event: MonitorEvent, now: Instant) -> list[MonitorCommand]:
        self.heard.append(event)
        wanted, self.then = self.then, []
        return wanted


def recorder() -> Recorder:
    plain = Monitor.create(SETTINGS)
    names = [name for name in Monitor.__slots__ if not name.startswith("_")]
    return Recorder(**{name: getattr(plain, name) for name in names})


class FakeVenue:
    """Opens at once, and shows a position."""

    market: MarketSpec = MARKET

    def __init__(self) -> None:
        self.closed = False
        self.readable = True

    async def read_account(self, role: Role) -> tuple[int, int, int]:
        if not self.readable:
            raise ReadFailed("account: HTTP 503")
        return 20, 1_000, 1

    async def stream(self, on_event: OnEvent) -> None:
        on_event(PositionReported(role=Role.MAKER, lots=20))
        on_event(FeedOpened())
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.closed = True


class FakeStore:
    def __init__(self) -> None:
        self.stored: list[tuple[str, str, str]] = []
        self.remembered: list[tuple[Incident, ...]] = []
        self.broken = 0

    def alert(self, level: str, code: str, text: str, wall_ms: int) -> None:
        if self.broken:
            self.broken -= 1
            raise JournalUnwritable("the disk is full")
        self.stored.append((level, code, text))

    def remember(self, incidents: tuple[Incident, ...], wall_ms: int) -> None:
        self.remembered.append(incidents)


class World:
    """A monitor's shell with everything around it in memory."""

    def __init__(self, folder: Path) -> None:
        self.hub = MemoryHub()
        self.messaging = MemoryMessaging(self.hub, DESK)
        self.venue = FakeVenue()
        self.refusals = 0
        self.store = FakeStore()
        self.said: list[tuple[str, str, str]] = []
        self.machine = recorder()
        self.driver = MonitorDriver(
            machine=self.machine,
            connect=self.connect,
            messaging=self.messaging,
            store=self.store,
            journal_of=lambda role: folder / f"journal_{role.letter}.sqlite",
            clock=lambda: Instant(int(asyncio.get_running_loop().time() * 1000), 1_800_000_000_000),
            say=lambda level, code, text: self.said.append((level, code, text)),
        )

    async def connect(self) -> FakeVenue:
        if self.refusals:
            self.refusals -= 1
            raise VenueUnreachable("nothing answers at x")
        return self.venue

    def wants(self, *commands: MonitorCommand) -> None:
        self.machine.then += commands

    async def heard(self, condition: Callable[[MonitorEvent], bool]) -> MonitorEvent:
        return await self.until(lambda: next((event for event in self.machine.heard if condition(event)), None))

    async def until(self, found: Callable[[], _T | None]) -> _T:
        while not (answer := found()):  # noqa: ASYNC110 - what is waited for is anywhere in the shell
            await asyncio.sleep(0.001)
        return answer

    def codes(self) -> list[str]:
        return [code for _, code, _ in self.said]


def tell(
    folder: Path, story: Callable[[World], Awaitable[None]], prepare: Callable[[World], None] = lambda _: None
) -> World:
    async def run() -> World:
        world = World(folder)
        prepare(world)
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            running = group.create_task(world.driver.run())
            await story(world)
            world.driver.stop()
            await running
        return world

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TICK_SECONDS", "RECONNECT_SECONDS", "VENUE_SECONDS", "STORE_SECONDS"):
        monkeypatch.setattr(shell, name, 0.001)


def test_both_eyes_open_and_what_they_see_arrives(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.heard(lambda event: isinstance(event, FeedOpened))
        await world.heard(lambda event: event == MessagingChanged(up=True))
        side = MemoryMessaging(world.hub, DESK)
        await side.append_state(maker_state(announce=announce()))
        await side.append_state(hedger_state())
        await side.append_command(OperatorCommand(id="id-1", verb="clear"))
        await world.heard(lambda event: isinstance(event, MakerHeard))
        await world.heard(lambda event: isinstance(event, HedgerHeard))
        await world.heard(lambda event: isinstance(event, OperatorAsked))

    world = tell(tmp_path, story)
    learned = [event for event in world.machine.heard if isinstance(event, MarketLearned | PositionReported)]
    assert learned == [MarketLearned(market=MARKET), PositionReported(role=Role.MAKER, lots=20)]
    assert world.venue.closed


def test_a_command_that_stands_already_is_heard(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.heard(lambda event: isinstance(event, OperatorAsked) and event.command.id == "early")

    def prepare(world: World) -> None:
        world.hub.append(DeskKeys(desk=DESK).commands, None, encode(OperatorCommand(id="early", verb="clear")))

    tell(tmp_path, story, prepare)


def test_a_venue_that_does_not_answer_is_said_once_and_tried_again(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.heard(lambda event: event == MessagingChanged(up=True))
        await world.heard(lambda event: isinstance(event, FeedOpened))

    world = tell(tmp_path, story, lambda world: setattr(world, "refusals", 3))
    assert world.codes().count("VENUE_DOWN") == 1


def test_redis_goes_and_comes_back_while_the_venue_is_seen(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.heard(lambda event: event == MessagingChanged(up=True))
        world.machine.heard.clear()
        world.hub.cut()
        await world.heard(lambda event: event == MessagingChanged(up=False))
        world.machine.heard.clear()
        world.hub.heal()
        await world.heard(lambda event: event == MessagingChanged(up=True))

    tell(tmp_path, story)


def test_an_entry_that_nobody_can_read_stops_nobody(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        keys = DeskKeys(desk=DESK)
        await world.heard(lambda event: event == MessagingChanged(up=True))
        world.hub.append(keys.commands, None, b"nonsense")
        world.hub.append(keys.state(Role.MAKER), (1, 1), b"nonsense")
        await world.until(lambda: world.codes().count("MESSAGE_UNREADABLE") >= 2)
        side = MemoryMessaging(world.hub, DESK)
        await side.append_command(OperatorCommand(id="id-2", verb="pause"))
        await side.append_state(maker_state())
        await world.heard(lambda event: isinstance(event, OperatorAsked))
        await world.heard(lambda event: isinstance(event, MakerHeard))

    tell(tmp_path, story)


def test_alerts_are_logged_at_once_and_stored_in_order_though_the_disk_refuses_at_first(tmp_path: Path) -> None:
    kept = (Incident(code="X", about="A", since_ms=1, alerted=True),)

    async def story(world: World) -> None:
        world.store.broken = 2
        world.wants(Alert(code="X", text="bad"), Remember(incidents=kept), Recovered(code="X", text="good"))
        await world.until(lambda: len(world.store.stored) == 2)

    world = tell(tmp_path, story)
    assert world.store.stored == [("error", "X", "bad"), ("info", "X", "good")]
    assert world.store.remembered == [kept]
    lines = [line for line in world.said if line[1] in ("X", "ALERT_NOT_STORED")]
    assert lines[:2] == [("error", "X", "bad"), ("info", "X", "good")]
    assert world.codes().count("ALERT_NOT_STORED") == 1


def test_an_alert_of_the_last_moment_is_stored_before_the_end(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.wants(Alert(code="X", text="last"))
        await world.until(lambda: ("error", "X", "last") in world.said)

    assert tell(tmp_path, story).store.stored == [("error", "X", "last")]


def test_a_disk_that_is_full_to_the_end_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "FLUSH_SECONDS", 0.01)
    monkeypatch.setattr(shell, "STORED_MAX", 2)

    async def story(world: World) -> None:
        world.store.broken = 1_000_000
        world.wants(*(Alert(code="X", text=str(number)) for number in range(3)))
        await world.until(lambda: "ALERT_NOT_STORED" in world.codes())

    world = tell(tmp_path, story)
    assert world.store.stored == []
    assert world.said[-1] == ("error", "ALERT_NOT_STORED", "2 alerts are in this log alone")


def test_reads_answer_and_a_failed_one_is_unknown(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.heard(lambda event: isinstance(event, FeedOpened))
        world.wants(ReadAccount(role=Role.HEDGER))
        found = await world.heard(lambda event: isinstance(event, AccountRead))
        assert isinstance(found, AccountRead)
        assert (found.role, found.position, found.open_orders) == (Role.HEDGER, 20, 1)
        world.venue.readable = False
        world.machine.heard.clear()
        world.wants(ReadAccount(role=Role.HEDGER))
        failed = await world.heard(lambda event: isinstance(event, AccountRead))
        assert isinstance(failed, AccountRead)
        assert failed.position is None

    assert "READ_FAILED" in tell(tmp_path, story).codes()


def test_a_read_before_the_venue_has_answered_is_unknown(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        world.wants(ReadAccount(role=Role.MAKER))
        found = await world.heard(lambda event: isinstance(event, AccountRead))
        assert isinstance(found, AccountRead)
        assert found.position is None

    tell(tmp_path, story, lambda world: setattr(world, "refusals", 1_000_000))


def test_the_pause_reaches_the_command_stream_or_is_answered_as_not_sent(tmp_path: Path) -> None:
    ask = AskPause(command=OperatorCommand(id="monitor-7", verb="pause", reason="20 lots unhedged for 90 s"))

    async def story(world: World) -> None:
        world.wants(ask)
        await world.heard(lambda event: event == PauseSent(sent=True))
        heard = await world.heard(lambda event: isinstance(event, OperatorAsked))
        assert heard == OperatorAsked(command=ask.command)
        world.hub.cut()
        world.wants(ask)
        await world.heard(lambda event: event == PauseSent(sent=False))

    codes = tell(tmp_path, story).codes()
    assert "PAUSE_ASKED" in codes
    assert "PAUSE_NOT_ASKED" in codes


def test_a_persons_stop_is_read_from_the_journal_that_is_here(tmp_path: Path) -> None:
    path = tmp_path / "journal_A.sqlite"
    Journal.open(path, desk=DESK, role=Role.MAKER, wall_ms=1).close()
    Journal.record_stop_by_person(path, 2)
    (tmp_path / "journal_B.sqlite").write_text("no journal")

    async def story(world: World) -> None:
        world.wants(
            LookForStop(role=Role.MAKER), LookForStop(role=Role.HEDGER), Say(level=Level.INFO, code="S", text="")
        )
        await world.heard(lambda event: event == StopLearned(role=Role.MAKER, by_person=True))
        await world.heard(lambda event: event == StopLearned(role=Role.HEDGER, by_person=False))

    codes = tell(tmp_path, story).codes()
    assert "S" in codes
    assert "JOURNAL_UNREADABLE" in codes


def test_the_settings_arrive_in_milliseconds_and_no_key_is_needed(tmp_path: Path) -> None:
    told = monitor_settings(configured(tmp_path, heartbeat_seconds_max=4, read_lag_seconds="0.25"))
    assert (told.unhedged_ms_max, told.heartbeat_ms_max, told.read_lag_ms, told.reconcile_ms) == (
        90_000,
        4_000,
        250,
        30_000,
    )
    assert told.accounts == {Role.MAKER: 65, Role.HEDGER: 66}


def test_a_second_monitor_is_refused(tmp_path: Path) -> None:
    settings = configured(tmp_path)
    file = MonitorFile.open(settings.run_dir / MONITOR_FILE)
    with pytest.raises(OpsError, match="held by process") as refused:
        run_monitor(settings)
    file.close()
    assert refused.value.code is ExitCode.REFUSED

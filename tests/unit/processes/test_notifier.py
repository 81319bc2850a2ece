"""Alerts reach people whatever is killed or away in between."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from lighter_hedge.config import Settings, load
from lighter_hedge.ops.alerts import Policy, Target, read_targets
from lighter_hedge.ops.exit_codes import OpsError
from lighter_hedge.processes import notifier as module
from lighter_hedge.processes.notifier import Notifier, Reporter, report_text, send_by_apprise, targets_of
from lighter_hedge.processes.outbox import MonitorFile, read_pending
from lighter_hedge.processes.told import ToldFile

EVERYBODY = read_targets("json://one/\ncritical json://two/\n")


class Killed(BaseException):
    """The process ends here."""


class World:
    """An outbox, targets, and a notifier that can be killed and started again."""

    def __init__(self, folder: Path, targets: list[Target] = EVERYBODY) -> None:
        self.folder = folder
        self.path = folder / "journal_monitor.sqlite"
        self.outbox = MonitorFile.open(self.path)
        self.targets = targets
        self.now_ms = 1_000_000
        self.got: list[tuple[str, str]] = []
        """(target, title) of everything that was taken."""
        self.away: set[str] = set()
        self.effects_left = 1_000_000
        self.said: list[str] = []
        self.start()

    def start(self) -> None:
        self.file = ToldFile(self.folder / "notifier.sqlite")
        self.notifier = Notifier(
            outboxes={"monitor": self.path, "A": self.folder / "missing"},
            targets=self.targets,
            policy=Policy(desk="a_b:BTC"),
            file=self.file,
            send=self._send,
            tell=lambda level, code, text: self.said.append(f"{code} {text}"),
        )
        self.notifier.remember()

    def restart(self) -> None:
        self.file.close()
        self.start()

    def alert(self, code: str, level: str = "error") -> None:
        self.outbox.alert(level, code, f"about {code}", self.now_ms)

    def turn(self, seconds: float = 1) -> None:
        self.now_ms += round(seconds * 1_000)
        self.notifier.gather()
        asyncio.run(self.notifier.deliver(self.now_ms))

    def effect(self) -> None:
        self.effects_left -= 1
        if self.effects_left < 0:
            raise Killed

    async def _send(self, target: Target, title: str, body: str) -> bool:
        self.effect()
        if target.url in self.away:
            return False
        self.got.append((target.url, title.partition(": ")[2]))
        self.effect()
        return True

    def close(self) -> None:
        self.file.close()
        self.outbox.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def test_routes_are_kept_and_nothing_is_told_twice(world: World) -> None:
    world.alert("HEDGED_TWICE")
    world.alert("RESIDUAL_LARGE")
    world.turn()
    assert world.got == [
        ("json://one/", "HEDGED_TWICE"),
        ("json://two/", "HEDGED_TWICE"),
        ("json://one/", "RESIDUAL_LARGE"),
    ]
    world.turn()
    world.restart()
    world.turn()
    assert len(world.got) == 3


def test_the_outbox_is_only_read(world: World) -> None:
    world.alert("HEDGED_TWICE")
    world.turn()
    assert len(read_pending(world.path)) == 1


@pytest.mark.parametrize("effects", range(8))
def test_killed_between_any_two_effects_none_is_lost(world: World, effects: int) -> None:
    """A message may come twice after a kill, and is told to everybody who wants it."""
    world.alert("HEDGED_TWICE")
    world.alert("RESIDUAL_LARGE")
    world.effects_left = effects
    try:
        world.turn()
    except Killed:
        world.restart()
    world.effects_left = 1_000
    world.turn()
    assert set(world.got) == {
        ("json://one/", "HEDGED_TWICE"), ("json://two/", "HEDGED_TWICE"), ("json://one/", "RESIDUAL_LARGE"),
    }  # fmt: skip
    assert len(world.got) <= 5


def test_killed_before_it_was_noted_it_is_told_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: Any) -> None:
        raise Killed

    world.alert("HEDGED_TWICE")
    monkeypatch.setattr(ToldFile, "note", killed)
    with pytest.raises(Killed):
        world.turn()
    monkeypatch.undo()
    world.restart()
    world.turn()
    assert world.got == [("json://one/", "HEDGED_TWICE"), ("json://two/", "HEDGED_TWICE")] * 2


def test_a_target_that_is_away_gets_it_later_and_the_other_one_only_once(world: World) -> None:
    world.away = {"json://two/"}
    world.alert("HEDGED_TWICE")
    for _ in range(20):
        world.turn()
    world.away = set()
    world.turn(600)
    assert world.got == [("json://one/", "HEDGED_TWICE"), ("json://two/", "HEDGED_TWICE")]
    assert [text.split()[0] for text in world.said] == ["NOTIFY_FAILED", "NOTIFY_AGAIN"]
    assert "two" not in "".join(world.said)


def test_intervals_go_on_over_a_restart(world: World) -> None:
    world.alert("HEDGED_TWICE")
    world.turn()
    world.restart()
    world.alert("HEDGED_TWICE")
    world.turn()
    assert len(world.got) == 2
    world.turn(60)
    assert len(world.got) == 4


def test_an_outbox_that_begins_anew_is_read_from_its_beginning(world: World) -> None:
    world.alert("HEDGED_TWICE")
    world.turn()
    world.outbox.close()
    world.path.unlink()
    world.notifier.gather()
    world.outbox = MonitorFile.open(world.path)
    world.alert("RESIDUAL_LARGE")
    world.turn()
    assert world.got[-1] == ("json://one/", "RESIDUAL_LARGE")


def test_a_damaged_outbox_is_told_and_hides_no_other(world: World) -> None:
    (world.folder / "missing").write_text("no database, and long enough to be looked at as one " * 20)
    world.alert("HEDGED_TWICE")
    world.turn()
    assert len(world.got) == 2
    assert world.said[0].startswith("OUTBOX_UNREADABLE")


# --- apprise, targets, reports ------------------------------------------------------------------------------------


@contextmanager
def listener(status: int = 200) -> Iterator[tuple[str, list[bytes]]]:
    """A target of this machine."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"json://127.0.0.1:{server.server_port}/secret", bodies
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("status", "taken"), [(200, True), (500, False)])
def test_apprise_takes_it_there(status: int, taken: bool) -> None:
    with listener(status) as (url, bodies):
        (target,) = read_targets(url)
        assert asyncio.run(send_by_apprise(target, "a title", "a body")) is taken
    assert b"a body" in bodies[0]


def test_what_apprise_does_not_know_is_not_taken() -> None:
    (target,) = read_targets("nothing://x")
    assert asyncio.run(send_by_apprise(target, "a", "b")) is False


def settings_of(folder: Path, text: str) -> Settings:
    config = folder / "config.yaml"
    config.write_text(
        "venue: {network: paper, base_url: 'http://127.0.0.1:1'}\n"
        "redis: {url: 'redis://127.0.0.1:1/0'}\n"
        "accounts:\n"
        "  account_a: {account_name: a, account_index: 65, api_key_index: 4}\n"
        "  account_b: {account_name: b, account_index: 66, api_key_index: 4}\n" + text
    )
    return load(config, overrides={}, credentials=None, env={}, keys=())


def test_a_targets_file_must_be_ours_alone(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "alerts: {targets_file: targets}\n")
    with pytest.raises(OpsError, match="cannot be read"):
        targets_of(settings)
    (tmp_path / "targets").write_text("critical tgram://secret/1\n")
    (tmp_path / "targets").chmod(0o644)
    with pytest.raises(OpsError, match="chmod 600"):
        targets_of(settings)
    (tmp_path / "targets").chmod(0o600)
    assert [target.shown for target in targets_of(settings)] == ["tgram://…"]
    assert targets_of(settings_of(tmp_path, "")) == []


class Silent:
    """A Redis in which nobody has said anything."""

    async def last_state(self, _role: object) -> None:
        return None


def test_the_daily_report_comes_once_a_day_at_its_time(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, "alerts: {daily_report: '08:00', time_zone: Asia/Shanghai}\n")
    world = World(tmp_path, read_targets("daily json://one/\n"))
    messaging: Any = Silent()
    reporter = Reporter(settings=settings, notifier=world.notifier, messaging=messaging)
    eight = 1_760_054_400_000  # 2025-10-10 08:00 in Shanghai
    for at_ms in (eight - 1_000, eight, eight + 1_000, eight + 24 * 3_600_000):
        asyncio.run(reporter.daily(at_ms))
    world.close()
    assert world.got == [("json://one/", "report of 2025-10-10"), ("json://one/", "report of 2025-10-11")]


def test_a_report_says_what_is_not_known() -> None:
    text = report_text(None, None, 3)
    assert "Redis does not answer" in text
    assert "the exchange does not answer" in text
    assert text.endswith("alerts since the last report: 3")


def test_no_heartbeat_while_the_desk_is_not_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(tmp_path, "alerts: {heartbeat_url: 'http://127.0.0.1:1/'}\n")
    world = World(tmp_path)
    messaging: Any = Silent()
    session: Any = None
    reporter = Reporter(settings=settings, notifier=world.notifier, messaging=messaging)
    assert asyncio.run(reporter.beat(session)) is False
    world.close()
    assert module.HEARTBEAT_SECONDS == 60

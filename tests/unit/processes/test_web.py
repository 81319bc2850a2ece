"""The page's process: whom it lets in, and what becomes of a command."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.fake_venue import fake_venue
from tests.page_story import Story

from lighter_hedge.config import Settings, load
from lighter_hedge.dashboard.hub import Hub
from lighter_hedge.dashboard.schema import Ask
from lighter_hedge.domain.states import DeskId, Mode, OperatorCommand, Pause, Role
from lighter_hedge.messaging.memory_stream import MemoryHub, MemoryMessaging
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.ops.operate import wall_ms
from lighter_hedge.processes import web
from lighter_hedge.processes.web import Commander, Eyes, projection_of, token_of

DESK = DeskId(pair="a_b", market="BTC")
TOKEN = "a-long-random-word"


def settings_of(folder: Path, text: str = "", base_url: str = "http://127.0.0.1:1") -> Settings:
    config = folder / "config.yaml"
    config.write_text(
        f"venue: {{network: paper, base_url: '{base_url}'}}\n"
        "accounts:\n"
        "  account_a: {account_name: a, account_index: 65, api_key_index: 4}\n"
        "  account_b: {account_name: b, account_index: 66, api_key_index: 4}\n" + text
    )
    return load(config, overrides={}, credentials=None, env={}, keys=())


def test_on_this_machine_no_token_is_wanted(tmp_path: Path) -> None:
    assert token_of(settings_of(tmp_path)) == ""


def test_an_open_address_without_a_token_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OpsError, match="whoever reaches that address") as refused:
        token_of(settings_of(tmp_path, "web: {host: 0.0.0.0}\n"))
    assert refused.value.code is ExitCode.CONFIGURATION


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [(None, 0o600, "cannot be read"), (TOKEN, 0o644, "others can read"), ("short", 0o600, "fewer than 16")],
)
def test_a_token_file_that_does_not_do(tmp_path: Path, text: str | None, mode: int, words: str) -> None:
    settings = settings_of(tmp_path, "web: {host: 0.0.0.0, token_file: web.token}\n")
    if text is not None:
        (tmp_path / "web.token").write_text(text)
        (tmp_path / "web.token").chmod(mode)
    with pytest.raises(OpsError, match=words) as refused:
        token_of(settings)
    assert text is None or text not in str(refused.value)


def test_a_token_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "web.token").write_text(TOKEN + "\n")
    (tmp_path / "web.token").chmod(0o600)
    assert token_of(settings_of(tmp_path, "web: {host: 0.0.0.0, token_file: web.token}\n")) == TOKEN


class Desk:
    """A commander whose desk is told by hand."""

    def __init__(self) -> None:
        self.hub = MemoryHub()
        self.messaging = MemoryMessaging(self.hub, DESK)
        self.story = Story(clock=wall_ms)
        self.said: list[str] = []
        self.commander = Commander(
            projection=self.story.projection,
            messaging=self.messaging,
            tell=lambda level, code, text: self.said.append(f"{code} {text}"),
        )

    def command(self) -> Any:
        update: Any = self.story.projection.whole(wall_ms())
        return update.commands[-1]

    async def asked(self) -> OperatorCommand:
        async for _, command in self.messaging.commands("0-0"):
            return command
        raise AssertionError


def with_desk(scenario: Callable[[Desk], Awaitable[None]], monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(web, "ACK_SECONDS", 0.01)

    async def main() -> Desk:
        desk = Desk()
        async with asyncio.TaskGroup() as group:
            desk.commander.group = group
            await scenario(desk)
        return desk

    return asyncio.run(main())


def test_a_command_is_sent_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(desk: Desk) -> None:
        desk.story.a()
        desk.story.b()
        command_id = desk.commander.ask(Ask(verb="drain"), "10.0.0.7")
        assert desk.command().state == "sending"
        command = await desk.asked()
        assert (command.id, command.verb, command.reason) == (command_id, "drain", "at the page, from 10.0.0.7")
        desk.story.a(acks=(command_id,))
        desk.story.b(acks=(command_id,))

    desk = with_desk(scenario, monkeypatch)
    assert (desk.command().state, desk.command().acked) == ("sent", ("A", "B"))
    assert desk.said == ["COMMAND_ASKED drain asked for at the page from 10.0.0.7"]


def test_who_has_not_acknowledged_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(desk: Desk) -> None:
        desk.story.a()
        desk.story.b(acks=(desk.commander.ask(Ask(verb="pause"), "x"),))

    desk = with_desk(scenario, monkeypatch)
    assert desk.command().state == "failed"
    assert desk.command().text.startswith("not acknowledged by A within")
    assert desk.said[-1].startswith("COMMAND_FAILED pause: not acknowledged")


def test_resume_ends_the_pause_that_stands_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.messaging.append_state(
            desk.story.a(mode=Mode.PAUSED, pause=Pause(id=7, reason="r", code="C", since_ms=1))
        )
        desk.commander.ask(Ask(verb="resume", hedge_now=True), "x")
        command = await desk.asked()
        assert (command.verb, command.pause_id, command.hedge_now) == ("resume", 7, True)

    with_desk(scenario, monkeypatch)


def test_a_desk_that_does_not_run_is_asked_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(desk: Desk) -> None:
        desk.commander.ask(Ask(verb="clear"), "x")

    assert with_desk(scenario, monkeypatch).command().text == "the desk is not running: lighter-hedge clear"


def test_without_redis_a_command_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(desk: Desk) -> None:
        desk.story.a()
        desk.hub.cut()
        desk.commander.ask(Ask(verb="pause"), "x")

    assert with_desk(scenario, monkeypatch).command().state == "failed"


class Watched:
    """Eyes on a desk whose Redis is in this process."""

    def __init__(self, settings: Settings) -> None:
        self.redis = MemoryHub()
        self.messaging = MemoryMessaging(self.redis, DESK)
        self.projection = projection_of(settings)
        hub = Hub(projection=self.projection, clock=wall_ms)
        self.eyes = Eyes(settings=settings, projection=self.projection, hub=hub, messaging=self.messaging)

    def seen(self) -> Any:
        return self.projection.whole(wall_ms())

    async def until(self, so: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not so():  # noqa: ASYNC110 - the eyes tell nobody but the page
                await asyncio.sleep(0.001)


def watch(watched: Watched, eye: Coroutine[Any, Any, None], scenario: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(eye)
            await scenario()
            task.cancel()

    asyncio.run(main())


def test_the_venue_is_read_at_once_and_then_only_for_a_viewer(tmp_path: Path) -> None:
    with fake_venue() as venue:
        venue.lots = {65: 20, 66: -20}
        watched = Watched(settings_of(tmp_path, base_url=venue.base_url))

        async def scenario() -> None:
            await watched.until(lambda: watched.projection.words.spec is not None)

        watch(watched, watched.eyes.look_at_venue(), scenario)
    update = watched.seen()
    assert [(one.entry, one.pnl, one.collateral) for one in update.accounts] == [("99999.9", "0.1", "10000.000000")] * 2
    assert update.badge.size_decimals == 5


def test_states_are_followed_and_a_redis_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "RETRY_SECONDS", 0.001)
    watched = Watched(settings_of(tmp_path))

    async def scenario() -> None:
        await watched.messaging.append_state(Story(clock=wall_ms).a())
        await watched.until(lambda: watched.seen().ages.redis)
        watched.redis.cut()
        await watched.until(lambda: not watched.seen().ages.redis)

    watch(watched, watched.eyes.follow_states(Role.MAKER), scenario)

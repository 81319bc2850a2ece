"""A page in a real browser: the application on a port of this machine, its desk told by hand, and one chromium."""

import asyncio
import os
import shutil
import threading
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from tests.page_story import PRICE, SPEC, Story, about

from lighter_hedge.dashboard import app
from lighter_hedge.dashboard.guard import Guard
from lighter_hedge.dashboard.hub import Hub
from lighter_hedge.dashboard.projection import Projection
from lighter_hedge.dashboard.schema import Ask, Command
from lighter_hedge.ops.operate import wall_ms
from lighter_hedge.ops.page import address_of, listening

PATIENCE_MS = 20_000
"""For what usually takes a moment: the machine may be busy."""
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


class Sent:
    """Takes commands as the desk's stream does; the test says when A and B have them."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self.asked: list[Ask] = []

    def ask(self, command: Ask, who: str) -> str:
        self.asked.append(command)
        told = Command(id=str(len(self.asked)), verb=command.verb, who=who, at_ms=wall_ms(), state="sent")
        self._story.projection.commanded(told)
        return told.id


class Site:
    """The page's server, which can be killed and started again on the same port."""

    def __init__(self, guard: Guard) -> None:
        self.story = Story(
            projection=Projection(about=about(read_only=guard.read_only, stale_ms=600_000)), clock=wall_ms
        )
        self.sent = Sent(self.story)
        self._guard = guard
        self._port = 0
        self.url = ""
        self.start()

    def start(self) -> None:
        bound = listening("127.0.0.1", self._port)
        self._port, self.url = bound.getsockname()[1], address_of(bound)
        hub = Hub(projection=self.story.projection, clock=wall_ms)
        page = app.Page(hub=hub, guard=self._guard, commander=self.sent, market="BTC")
        options = uvicorn.Config(
            page.app(), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(options)
        started = threading.Event()
        self._loop = asyncio.new_event_loop()

        async def serve() -> None:
            async with asyncio.TaskGroup() as group:
                beats = group.create_task(hub.run())
                started.set()
                await server.serve([bound])
                beats.cancel()

        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(serve(),), daemon=True)
        self._thread.start()
        assert started.wait(20)
        self._hub, self._server = hub, server

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._hub.close)
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()
        self._loop.close()

    def tell(self, *tellings: Callable[[Story], object]) -> None:
        """Let the desk say something, on the server's thread, at once."""
        done = threading.Event()

        def all_of_it() -> None:
            for telling in tellings:
                telling(self.story)
            done.set()

        self._loop.call_soon_threadsafe(all_of_it)
        assert done.wait(20)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        text = f"no browser: install one of {', '.join(PROGRAMS)}"
        pytest.fail(text) if os.environ.get("CI") else pytest.skip(text)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def guard() -> Guard:
    """Whom the page lets in; a test may say otherwise."""
    return Guard()


@pytest.fixture
def site(guard: Guard) -> Iterator[Site]:
    """A page whose desk is hedged and runs."""
    made = Site(guard)
    made.tell(lambda story: story.projection.learned(SPEC, PRICE), Story.a, Story.b)
    yield made
    made.stop()


@pytest.fixture
def context(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A visitor; parametrize it to make it another one."""
    visitor = chromium.new_context(**{"locale": "en-GB", **getattr(request, "param", {})})
    visitor.set_default_timeout(PATIENCE_MS)
    yield visitor
    visitor.close()


@pytest.fixture
def page(context: BrowserContext, site: Site) -> Iterator[Page]:
    """The page, open and alive; whatever its script complains of fails the test."""
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(site.url)
    yield opened
    assert complaints == []

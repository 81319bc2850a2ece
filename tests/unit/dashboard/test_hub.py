import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from tests.page_story import BEGAN_MS, Story

from lighter_hedge.dashboard.hub import VIEWERS_MAX, WAITING_MAX, Hub, TooManyViewers


def with_hub(scenario: Callable[[Hub, Story], Awaitable[None]]) -> None:
    story = Story()
    asyncio.run(scenario(Hub(projection=story.projection, clock=lambda: BEGAN_MS), story))  # type: ignore[arg-type]


def read(body: bytes) -> tuple[str, dict[str, object]]:
    lines = body.decode().split("\n")
    event = next(line for line in lines if line.startswith("event: "))
    data = next(line for line in lines if line.startswith("data: "))
    return event.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def test_a_viewer_gets_everything_then_what_changes() -> None:
    async def scenario(hub: Hub, story: Story) -> None:
        stream = hub.stream()
        event, body = read(await anext(stream))
        assert (event, body["events"]) == ("full", [])
        story.say("X", "one")
        hub.flush()
        event, body = read(await anext(stream))
        assert event == "delta"
        assert [line["text"] for line in body["events"]] == ["one"]  # type: ignore[attr-defined]
        hub.close()
        assert [body async for body in stream] == []
        assert hub.viewers == 0

    with_hub(scenario)


def test_a_slow_viewer_gets_everything_anew() -> None:
    async def scenario(hub: Hub, story: Story) -> None:
        stream = hub.stream()
        await anext(stream)
        for number in range(WAITING_MAX + 1):
            story.say("X", str(number))
            hub.flush()
        event, body = read(await anext(stream))
        assert event == "full"
        assert len(body["events"]) == WAITING_MAX + 1  # type: ignore[arg-type]
        await stream.aclose()  # type: ignore[attr-defined]

    with_hub(scenario)


def test_what_a_viewer_has_seen_whole_does_not_come_again() -> None:
    async def scenario(hub: Hub, story: Story) -> None:
        story.say("X", "before")
        stream = hub.stream()
        _, body = read(await anext(stream))
        assert len(body["events"]) == 1  # type: ignore[arg-type]
        story.say("X", "after")
        hub.flush()
        _, body = read(await anext(stream))
        assert [line["text"] for line in body["events"]] == ["after"]  # type: ignore[attr-defined]
        await stream.aclose()  # type: ignore[attr-defined]

    with_hub(scenario)


def test_a_scrape_looks_for_a_minute() -> None:
    now = [BEGAN_MS]
    hub = Hub(projection=Story().projection, clock=lambda: now[0])
    assert not hub.watched
    hub.asked()
    assert hub.watched
    now[0] += 60_000
    assert not hub.watched


def test_places_are_limited() -> None:
    async def scenario(hub: Hub, story: Story) -> None:
        streams = [hub.stream() for _ in range(VIEWERS_MAX)]
        for stream in streams:
            await anext(stream)
        assert hub.full
        with pytest.raises(TooManyViewers):
            await anext(hub.stream())
        for stream in streams:
            await stream.aclose()  # type: ignore[attr-defined]
        assert not hub.full

    with_hub(scenario)

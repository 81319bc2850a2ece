"""What the memory hub has beside the contract (``test_port.py``): faults, determinism, any event loop."""

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing
from typing import Any

import pytest

from lighter_hedge.domain.states import DeskId, MakerState, Mode, OperatorCommand, Role
from lighter_hedge.messaging.keys import DeskKeys
from lighter_hedge.messaging.memory_stream import MemoryHub, MemoryMessaging
from lighter_hedge.messaging.port import MessagingError

DESK = DeskId(pair="a_b", market="BTC")


def maker(seq: int) -> MakerState:
    return MakerState(
        epoch=5, seq=seq, at_ms=0, mode=Mode.RUNNING, pause=None, announce=None, fills=(), round=1, position=None
    )


class StandingClock(asyncio.SelectorEventLoop):
    """A loop on which no time passes: whoever needs time to pass never ends."""

    def time(self) -> float:
        return 0.0


def run_without_time(scenario: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=StandingClock) as runner:
        runner.run(scenario)


def test_it_needs_no_time() -> None:
    async def scenario() -> None:
        hub = MemoryHub()
        a, b = MemoryMessaging(hub, DESK), MemoryMessaging(hub, DESK)
        seen: list[int] = []

        async def follow() -> None:
            async for state in b.states(Role.MAKER):
                seen.append(state.seq)
                if state.seq == 3:
                    return

        async with asyncio.TaskGroup() as group:
            group.create_task(follow())
            for seq in (1, 2, 3):
                await a.append_state(maker(seq))
                for _ in range(3):
                    await asyncio.sleep(0)
        assert seen == [1, 2, 3]

    run_without_time(scenario())


def test_one_hub_outlives_its_loops() -> None:
    hub = MemoryHub()

    async def write(seq: int) -> None:
        await MemoryMessaging(hub, DESK).append_state(maker(seq))

    async def read() -> None:
        async with aclosing(MemoryMessaging(hub, DESK).states(Role.MAKER)) as states:
            assert await anext(states) == maker(2)

    for scenario in (write(1), write(2), read()):
        run_without_time(scenario)


def test_waiting_readers_are_told_of_a_cut() -> None:
    async def scenario() -> None:
        hub = MemoryHub()
        mine, other = MemoryMessaging(hub, DESK), MemoryMessaging(hub, DESK)
        told: list[str] = []

        async def follow(name: str, client: MemoryMessaging) -> None:
            try:
                async for _ in client.states(Role.MAKER):
                    pass
            except MessagingError:
                told.append(name)

        async with asyncio.TaskGroup() as group:
            group.create_task(follow("mine", mine))
            group.create_task(follow("other", other))
            await asyncio.sleep(0)
            mine.cut()
            for _ in range(3):
                await asyncio.sleep(0)
            assert told == ["mine"]
            hub.cut()
        assert told == ["mine", "other"]
        hub.heal()
        await other.append_state(maker(1))
        with pytest.raises(MessagingError, match="cut"):
            await mine.append_state(maker(2))
        mine.heal()
        await mine.append_state(maker(2))

    run_without_time(scenario())


def test_lost_answer_leaves_the_entry_and_a_repetition_is_harmless() -> None:
    async def scenario() -> None:
        a = MemoryMessaging(MemoryHub(), DESK)
        a.lose_answers(2)
        with pytest.raises(MessagingError, match="not known whether"):
            await a.append_state(maker(1))
        with pytest.raises(MessagingError, match="not known whether"):
            await a.append_command(OperatorCommand(id="c1", verb="pause"))
        await a.append_state(maker(1))
        assert await a.last_state(Role.MAKER) == maker(1)
        async with aclosing(a.commands("0")) as commands:
            assert (await anext(commands))[1].id == "c1"

    run_without_time(scenario())


def test_state_stream_keeps_a_fixed_number() -> None:
    async def scenario() -> None:
        hub = MemoryHub()
        a = MemoryMessaging(hub, DESK, states_kept=5)
        for seq in range(1, 21):
            await a.append_state(maker(seq))
        key = DeskKeys(desk=DESK).state(Role.MAKER)
        assert [entry_id for entry_id, _ in hub.after(key, (0, 0))] == [(5, seq) for seq in range(16, 21)]

    run_without_time(scenario())


def test_published_bodies_are_kept_in_order() -> None:
    async def scenario() -> None:
        hub = MemoryHub()
        await MemoryMessaging(hub, DESK).publish("hedge:account_a_filled", b"1")
        await MemoryMessaging(hub, DESK).publish("hedge:account_b_filled", b"2")
        assert hub.published == [("hedge:account_a_filled", b"1"), ("hedge:account_b_filled", b"2")]

    run_without_time(scenario())


def test_uuids_are_the_same_in_every_run() -> None:
    async def uuids() -> list[str]:
        hub = MemoryHub()
        a, found = MemoryMessaging(hub, DESK), []
        for _ in range(2):
            found.append(await a.open())
            hub.wipe()
        return found

    assert asyncio.run(uuids()) == asyncio.run(uuids()) == ["memory-1", "memory-2"]


def test_cancelled_reader_leaves_nothing_behind() -> None:
    async def scenario() -> None:
        hub = MemoryHub()
        a = MemoryMessaging(hub, DESK)

        async def follow() -> None:
            async for _ in a.states(Role.MAKER):
                pass

        async with asyncio.TaskGroup() as group:
            reader = group.create_task(follow())
            await asyncio.sleep(0)
            reader.cancel()
        assert hub._waiting == []

    run_without_time(scenario())

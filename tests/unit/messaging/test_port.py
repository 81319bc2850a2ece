"""The contract of the messaging port, kept by every adapter alike."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol, Self

import pytest

from lighter_hedge.domain.states import DeskId, HedgerState, MakerState, Mode, OperatorCommand, Role
from lighter_hedge.messaging.memory_stream import MemoryMessaging
from lighter_hedge.messaging.messages import SchemaMismatch
from lighter_hedge.messaging.port import Messaging, MessagingError, SupersededError
from lighter_hedge.messaging.redis_stream import RedisMessaging

Client = MemoryMessaging | RedisMessaging
BTC = DeskId(pair="a_b", market="BTC")
ETH = DeskId(pair="a_b", market="ETH")


class World(Protocol):
    async def client(self, desk: DeskId = BTC, *, states_kept: int = 1000) -> Client: ...
    async def cut(self, client: Client) -> None: ...
    async def heal(self, client: Client) -> None: ...
    async def wipe(self) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *_: object) -> None: ...


def maker(epoch: int, seq: int, *, round_number: int = 1) -> MakerState:
    return MakerState(
        epoch=epoch, seq=seq, at_ms=seq, mode=Mode.RUNNING, pause=None, announce=None, fills=(), round=round_number,
        position=None,
    )  # fmt: skip


def hedger(epoch: int, seq: int) -> HedgerState:
    return HedgerState(
        epoch=epoch, seq=seq, at_ms=seq, armed=None, disarmed="", confirm=None, failed=None, pause_ask=None, fills=(),
        unresolved=0, tries=0, position=-20,
    )  # fmt: skip


def play(world: World, scenario: Callable[[World], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(10), world:
            await scenario(world)

    asyncio.run(bounded())


def test_adapters_are_messaging(world: World) -> None:
    async def scenario(world: World) -> None:
        client: Messaging = await world.client()
        await client.close()
        await client.close()

    play(world, scenario)


def test_uuid_is_the_same_for_all_until_the_wipe(world: World) -> None:
    async def scenario(world: World) -> None:
        a, b = await world.client(), await world.client()
        first = await a.open()
        assert first == await b.open() == await a.open()
        await world.wipe()
        second = await b.open()
        assert second not in {first, ""}
        assert await a.open() == second

    play(world, scenario)


def test_reader_starts_at_the_newest_state_and_follows(world: World) -> None:
    async def scenario(world: World) -> None:
        a, b = await world.client(), await world.client()
        for seq in (1, 2, 3):
            await a.append_state(maker(5, seq))
        async with aclosing(b.states(Role.MAKER)) as states:
            assert await anext(states) == maker(5, 3)
            await a.append_state(maker(5, 4))
            assert await anext(states) == maker(5, 4)
            await a.append_state(maker(6, 1))
            assert await anext(states) == maker(6, 1)
        assert await b.last_state(Role.MAKER) == maker(6, 1)

    play(world, scenario)


def test_reader_waits_where_nothing_was_written_yet(world: World) -> None:
    async def scenario(world: World) -> None:
        a, b = await world.client(), await world.client()
        assert await b.last_state(Role.MAKER) is None
        async with aclosing(b.states(Role.MAKER)) as states, asyncio.TaskGroup() as group:
            first = group.create_task(anext(states))
            await a.append_state(maker(5, 0))
            assert await first == maker(5, 0)

    play(world, scenario)


def test_slow_reader_goes_to_the_newest(world: World) -> None:
    async def scenario(world: World) -> None:
        a, b = await world.client(), await world.client()
        await a.append_state(maker(5, 1))
        async with aclosing(b.states(Role.MAKER)) as states:
            assert await anext(states) == maker(5, 1)
            for seq in range(2, 61):
                await a.append_state(maker(5, seq))
            assert await anext(states) == maker(5, 60)

    play(world, scenario)


def test_sides_and_desks_do_not_mix(world: World) -> None:
    async def scenario(world: World) -> None:
        btc, eth = await world.client(BTC), await world.client(ETH)
        await btc.append_state(maker(5, 1))
        await btc.append_state(hedger(7, 3))
        await eth.append_state(maker(4, 9))
        assert await btc.last_state(Role.MAKER) == maker(5, 1)
        assert await btc.last_state(Role.HEDGER) == hedger(7, 3)
        assert await eth.last_state(Role.MAKER) == maker(4, 9)
        assert await eth.last_state(Role.HEDGER) is None

    play(world, scenario)


def test_repeated_append_is_a_no_op(world: World) -> None:
    async def scenario(world: World) -> None:
        a = await world.client()
        await a.append_state(maker(5, 1))
        await a.append_state(maker(5, 1))
        await a.append_state(maker(5, 2))
        await a.append_state(maker(5, 1))  # late, and it stands already
        assert await a.last_state(Role.MAKER) == maker(5, 2)

    play(world, scenario)


def test_other_words_under_a_used_id_are_refused(world: World) -> None:
    async def scenario(world: World) -> None:
        a = await world.client()
        await a.append_state(maker(5, 1))
        with pytest.raises(MessagingError, match="refuses 5-1") as caught:
            await a.append_state(maker(5, 1, round_number=2))
        assert not isinstance(caught.value, SupersededError)
        with pytest.raises(MessagingError, match="refuses 5-0"):
            await a.append_state(maker(5, 0))
        assert await a.last_state(Role.MAKER) == maker(5, 1)

    play(world, scenario)


def test_old_instance_that_wakes_up_is_superseded(world: World) -> None:
    async def scenario(world: World) -> None:
        old, new = await world.client(), await world.client()
        await old.append_state(maker(7, 3))
        await new.append_state(maker(8, 0))
        with pytest.raises(SupersededError, match="8-0"):
            await old.append_state(maker(7, 4))
        assert await old.last_state(Role.MAKER) == maker(8, 0)

    play(world, scenario)


def test_wiped_stream_is_whole_again_with_the_next_state(world: World) -> None:
    async def scenario(world: World) -> None:
        a, b = await world.client(), await world.client()
        await a.append_state(maker(5, 9))
        async with aclosing(b.states(Role.MAKER)) as states:
            assert await anext(states) == maker(5, 9)
            await world.wipe()
            assert await b.last_state(Role.MAKER) is None
            await a.append_state(maker(5, 10))
            assert await anext(states) == maker(5, 10)

    play(world, scenario)


def test_reader_follows_a_lower_epoch_after_a_wipe(world: World) -> None:
    """Redis and the journal are lost together, and the writer's clock stands behind."""

    async def scenario(world: World) -> None:
        a, b = await world.client(), await world.client()
        await a.append_state(maker(500, 9))
        async with aclosing(b.states(Role.MAKER)) as states:
            assert await anext(states) == maker(500, 9)
            await world.wipe()
            await a.append_state(maker(3, 1))
            assert await anext(states) == maker(3, 1)
            await a.append_state(maker(3, 2))
            assert await anext(states) == maker(3, 2)

    play(world, scenario)


def test_state_of_another_version_is_refused_by_its_reader(world: World) -> None:
    async def scenario(world: World) -> None:
        a, b = await world.client(), await world.client()
        await a.append_state(replace(maker(5, 1), schema=2))
        with pytest.raises(SchemaMismatch, match="version 2, this process speaks 1"):
            await anext(b.states(Role.MAKER))
        with pytest.raises(SchemaMismatch):
            await b.last_state(Role.MAKER)

    play(world, scenario)


def command(name: str) -> OperatorCommand:
    return OperatorCommand(id=name, verb="resume", pause_id=4, hedge_now=True, reason="mended")


def test_commands_come_in_order_each_once_from_where_one_left(world: World) -> None:
    async def scenario(world: World) -> None:
        person, a = await world.client(), await world.client()
        names = [f"c{number}" for number in range(40)]
        for name in names:
            await person.append_command(command(name))
        async with aclosing(a.commands("0")) as commands:
            heard = [await anext(commands) for _ in names]
            assert [one for _, one in heard] == [command(name) for name in names]
            await person.append_command(command("late"))
            assert (await anext(commands))[1] == command("late")
        async with aclosing(a.commands(heard[-2][0])) as commands:
            assert [(await anext(commands))[1].id for _ in range(2)] == ["c39", "late"]

    play(world, scenario)


def test_commands_are_kept_until_trimmed(world: World) -> None:
    async def scenario(world: World) -> None:
        person, a = await world.client(), await world.client()
        for name in ("one", "two", "three"):
            await person.append_command(command(name))
        async with aclosing(a.commands("0")) as commands:
            heard = [(await anext(commands))[0] for _ in range(3)]
        await a.trim_commands(heard[1])
        async with aclosing(a.commands("0")) as commands:
            assert (await anext(commands))[1].id == "two"

    play(world, scenario)


def test_stream_that_has_lost_its_newest_commands_is_read_from_there_on(world: World) -> None:
    """What a backup holds is not carried out once more; what comes behind it is heard."""

    async def scenario(world: World) -> None:
        person, a = await world.client(), await world.client()
        await person.append_command(command("old"))
        heard: list[OperatorCommand] = []

        async def read() -> None:
            async with aclosing(a.commands("9999999999999-5")) as commands:
                heard.append((await anext(commands))[1])

        async with asyncio.TaskGroup() as group:
            group.create_task(read())
            while not heard:
                await person.append_command(command("new"))
                await asyncio.sleep(0.02)
        assert heard == [command("new")]

    play(world, scenario)


def test_first_contact_with_an_empty_stream_voids_what_comes_back_with_a_replica(world: World) -> None:
    """An old ``clear`` has a lower id than what is asked for from now on."""

    async def scenario(world: World) -> None:
        person, a = await world.client(), await world.client()
        since = await a.last_command()
        await person.append_command(command("new"))
        async with aclosing(a.commands(since)) as commands:
            entry_id, heard = await anext(commands)
        assert heard.id == "new"
        assert "0-0" < since < entry_id

    play(world, scenario)


def test_command_of_another_version_names_its_entry(world: World) -> None:
    """So that its reader can pause the desk and still hear what comes behind it."""

    async def scenario(world: World) -> None:
        person, a = await world.client(), await world.client()
        await person.append_command(replace(command("strange"), schema=9))
        await person.append_command(command("ours"))
        with pytest.raises(SchemaMismatch, match="version 9") as caught:
            await anext(a.commands("0"))
        async with aclosing(a.commands(caught.value.entry_id)) as commands:
            assert (await anext(commands))[1].id == "ours"

    play(world, scenario)


def test_cursor_that_is_none_is_refused(world: World) -> None:
    async def scenario(world: World) -> None:
        with pytest.raises(MessagingError, match="no entry id"):
            await anext((await world.client()).commands("yesterday"))

    play(world, scenario)


def test_cut_link_fails_every_call_and_heals(world: World) -> None:
    async def scenario(world: World) -> None:
        a, b = await world.client(), await world.client()
        await a.append_state(maker(5, 1))
        await world.cut(a)
        calls: list[Callable[[], Awaitable[object]]] = [
            a.open,
            lambda: a.append_state(maker(5, 2)),
            lambda: a.last_state(Role.MAKER),
            lambda: a.append_command(command("one")),
            lambda: a.publish("hedge:account_a_filled", b"{}"),
            lambda: a.trim_commands("5"),
            lambda: anext(a.states(Role.MAKER)),
            lambda: anext(a.commands("0")),
        ]
        for call in calls:
            with pytest.raises(MessagingError) as caught:
                await call()
            assert not isinstance(caught.value, SupersededError)
        assert await b.last_state(Role.MAKER) == maker(5, 1)
        await world.heal(a)
        await a.append_state(maker(5, 3))
        assert await b.last_state(Role.MAKER) == maker(5, 3)

    play(world, scenario)


def test_reader_is_told_of_a_cut_and_can_start_again(world: World) -> None:
    async def scenario(world: World) -> None:
        a, b = await world.client(), await world.client()
        await a.append_state(maker(5, 1))
        async with aclosing(b.states(Role.MAKER)) as states:
            assert await anext(states) == maker(5, 1)
            await world.cut(b)
            with pytest.raises(MessagingError):
                await anext(states)
        await a.append_state(maker(5, 2))
        await world.heal(b)
        async with aclosing(b.states(Role.MAKER)) as states:
            assert await anext(states) == maker(5, 2)

    play(world, scenario)


def test_publishing_needs_no_listener(world: World) -> None:
    async def scenario(world: World) -> None:
        await (await world.client()).publish("hedge:account_b_filled", b"{}")

    play(world, scenario)


def test_reader_that_is_cancelled_lets_others_go_on(world: World) -> None:
    async def scenario(world: World) -> None:
        a, b = await world.client(), await world.client()

        async def follow(client: Client, seen: asyncio.Event) -> None:
            async for state in client.states(Role.MAKER):
                if state == maker(5, 2):
                    seen.set()

        mine, theirs = asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            first = group.create_task(follow(a, mine))
            second = group.create_task(follow(b, theirs))
            await a.append_state(maker(5, 1))
            first.cancel()
            await a.append_state(maker(5, 2))
            await theirs.wait()
            second.cancel()
        assert not mine.is_set()
        assert await a.last_state(Role.MAKER) == maker(5, 2)

    play(world, scenario)

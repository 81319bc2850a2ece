import asyncio

from tests.unit.simulator.paper_edge import run
from tests.unit.simulator.paper_world import BID, MID, A, make_world

from lighter_hedge.simulator.edge.settings import PaperSettings
from lighter_hedge.simulator.edge.venue import Connection, Venue, account_of, is_private


def test_private_channels_name_their_account() -> None:
    assert [is_private(name) for name in ("account_all:5", "user_stats:5", "trade:1", "height")] == [
        True,
        True,
        False,
        False,
    ]
    assert account_of("account_orders:1:77") == 77


def test_time_never_runs_backwards() -> None:
    times = iter([5, 3, 9])
    venue = Venue(make_world().exchange, PaperSettings(traffic="none"), clock=lambda: next(times))
    assert [venue.now_us() for _ in range(3)] == [5, 5, 9]


def test_a_full_outbox_drops_its_connection() -> None:
    dropped: list[bool] = []
    connection = Connection(drop=lambda: dropped.append(True), outbox=asyncio.Queue(1))
    connection.send("one")
    assert not dropped
    connection.send("two")
    assert dropped


def test_frames_go_to_those_who_listen() -> None:
    world = make_world()
    venue = Venue(world.exchange, PaperSettings(traffic="none"), clock=lambda: world.now_us)
    listening, other = (Connection(drop=lambda: None, outbox=asyncio.Queue()) for _ in range(2))
    listening.channels.add(f"account_all_orders:{A}")
    venue.connections |= {listening, other}
    world.order(A, BID, 20, MID)
    venue.step()
    assert (listening.outbox.qsize(), other.outbox.qsize()) == (1, 0)


def test_the_pump_wakes_for_a_new_transaction() -> None:
    async def test() -> None:
        world = make_world()
        venue = Venue(world.exchange, PaperSettings(traffic="none"), clock=lambda: world.now_us)
        async with asyncio.TaskGroup() as group:
            pump = group.create_task(venue.run())
            world.now_us += 100_000
            await asyncio.sleep(0)
            world.order(A, BID, 20, MID)
            venue.wake.set()
            for _ in range(10):
                await asyncio.sleep(0)
            assert world.exchange.state.orders_of[A]
            pump.cancel()

    run(test)

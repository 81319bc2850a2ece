import asyncio
from typing import Any

from tests.unit.simulator.paper_edge import run
from tests.unit.simulator.paper_world import ASK, BID, MID, A, make_world, print_trade

from lighter_hedge.simulator.edge.connections import Connection
from lighter_hedge.simulator.edge.settings import PaperSettings
from lighter_hedge.simulator.edge.venue import Venue


def test_time_never_runs_backwards() -> None:
    times = iter([5, 3, 9])
    venue = Venue(make_world().exchange, PaperSettings(traffic="none"), clock=lambda: next(times))
    assert [venue.now_us() for _ in range(3)] == [5, 5, 9]


def test_frames_go_to_those_who_listen() -> None:
    world = make_world()
    venue = Venue(world.exchange, PaperSettings(traffic="none"), clock=lambda: world.now_us)
    listening, other = (Connection(drop=lambda: None, outbox=asyncio.Queue()) for _ in range(2))
    for connection in (listening, other):
        venue.connections.add(connection)
    venue.connections.subscribe(listening, f"account_all_orders:{A}")
    world.order(A, BID, 20, MID)
    venue.step()
    assert (listening.outbox.qsize(), other.outbox.qsize()) == (1, 0)


def test_a_frame_that_nobody_hears_is_not_made() -> None:
    world = make_world()
    venue = Venue(world.exchange, PaperSettings(traffic="none"), clock=lambda: world.now_us)
    made: list[int] = []

    def build() -> dict[str, Any]:
        made.append(1)
        return {}

    venue.tell("height", build, world.now_us)
    assert made == []
    connection = Connection(drop=lambda: None, outbox=asyncio.Queue())
    venue.connections.add(connection)
    venue.connections.subscribe(connection, "height")
    venue.tell("height", build, world.now_us)
    assert made == [1]


def test_a_candle_is_told_when_it_has_changed_and_only_then() -> None:
    world = make_world()
    venue = Venue(world.exchange, PaperSettings(traffic="none"), clock=lambda: world.now_us)
    connection = Connection(drop=lambda: None, outbox=asyncio.Queue())
    venue.connections.add(connection)
    venue.connections.subscribe(connection, "candle:1:5m")
    venue.tell_candles(world.now_us)
    assert connection.outbox.qsize() == 0
    for expected in (1, 2):
        world.traffic(print_trade(MID, 50, ASK))
        for _ in range(2):
            venue.tell_candles(world.now_us)
            assert connection.outbox.qsize() == expected


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

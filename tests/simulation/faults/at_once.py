"""Several things at once: what goes wrong at the one moment at which it hurts."""

from tests.simulation.market import LOTS
from tests.simulation.memory_journal import MemoryJournal
from tests.simulation.process import Process
from tests.simulation.sim_server import ACCOUNTS, BTC
from tests.simulation.sim_venue import SendFault
from tests.simulation.stage import Stage
from tests.simulation.world import DESK

from lighter_hedge.domain.states import Role
from lighter_hedge.simulator.core.orders import Order

NOBODY_SECONDS, CANNOT_SECONDS = 60.0, 25.0
"""Longer than an exposure may last; longer than A waits before it flattens."""
QUOTE_LOOKS = 20


def answer_crossed(stage: Stage) -> str:
    """The way to the exchange is slow: a send that counts as lost lands just before it is sent again, unseen."""
    process = stage.process()
    network = process.venue.network
    network.latency = 0.3
    network.sends.append(SendFault("late", stage.rng.uniform(1.9, 2.7)))
    _hide(stage, process, 6.0)
    _fill_quote(stage)

    def back() -> None:
        network.latency = 0.001

    stage.later(6.0, back)
    return process.role.letter


def refused_again(stage: Stage) -> str:
    """A send takes long, counts as lost, and is refused when it is sent again; then the first one lands."""
    process = stage.process()
    late, refused = SendFault("late", stage.rng.uniform(3.0, 6.0)), SendFault("status", status=405)
    process.venue.network.sends.extend((late, refused))
    _fill_quote(stage)
    return process.role.letter


def blind(stage: Stage) -> str:
    """Nothing of what becomes of the next order arrives, and reads lag as far as they may."""
    process = stage.process()
    _hide(stage, process, stage.rng.choice((3.0, 8.0)))
    if stage.rng.random() < 0.5:
        process.venue.network.sends.append(SendFault("ran", status=500))
    lag = stage.truth.desk.read_lag_ms / 1000 * 0.95
    return stage.arm("history_lag", process.role, seconds=lag, for_seconds=8)


def rows_late(stage: Stage) -> str:
    """What a transaction has done is readable later than that it has run, and no frame tells."""
    process = stage.process()
    process.venue.rows_late_us = stage.truth.desk.read_lag_ms * 950
    channels = {f"account_all:{ACCOUNTS[process.role]}", f"account_all_orders:{ACCOUNTS[process.role]}"}
    process.venue.deaf |= channels

    def back() -> None:
        process.venue.deaf.difference_update(channels)
        process.venue.rows_late_us = 0

    stage.later(stage.rng.choice((4.0, 10.0)), back)
    return process.role.letter


def dies_in_doubt(stage: Stage) -> str | None:
    """A side dies with its order on the way, and starts again while nothing of it can be read yet."""
    world, process = stage.world, stage.process()
    order = _quote(stage)
    if order is None or not process.running:
        return None
    lag_ms = stage.truth.desk.read_lag_ms * 95 // 100
    said = stage.arm("history_lag", process.role, seconds=lag_ms / 1000, for_seconds=8)
    _hide(stage, process, 5.0, tx=False)
    stage.takers.fill(order)
    world.run(0.010 + stage.rng.uniform(0.002, 0.1))
    world.end(process)
    world.start_process(process)
    world.run(0.005)
    process.venue.network.read_lag_us = lag_ms * 1000

    def back() -> None:
        process.venue.network.read_lag_us = 0

    stage.later(6.0, back)
    return said


def clear_in_doubt(stage: Stage) -> str | None:
    """A's quote fills, B's hedge is lost on its way, and a person clears the desk before B knows."""
    order = _quote(stage)
    if order is None or not stage.world.b.running:
        return None
    stage.world.b.venue.lose_requests += stage.rng.choice((1, 6))
    stage.takers.fill(order)
    stage.world.run(stage.rng.uniform(0.02, 0.5))
    stage.truth.person_asked = stage.world.loop.time()
    stage.say("clear")
    if stage.rng.random() < 0.7:
        messaging = stage.world.b.messaging
        messaging.cut()  # A hears no more of B, and closes alone
        stage.later(20.0, messaging.heal)
    return f"{order.size_lots} lots"


def hedger_gone(stage: Stage) -> str | None:
    """Nobody trades with A's quote; B dies, and is away for long, or comes back at once and sees no book."""
    world = stage.world
    if world.desk.maker_order_timeout_ms < 30_000:
        return None
    on = stage.takers.on
    found = _quiet_quote(stage)
    if found is not None:
        b = world.b
        world.end(b)
        comes_back = stage.rng.random() < 0.6
        market = {f"order_book:{BTC.market_index}", f"market_stats:{BTC.market_index}"}
        if comes_back:
            b.venue.deaf |= market
            world.run(0.3)
            world.start_process(b)
        _pass(stage, 21.0)
        b.venue.deaf -= market
    stage.takers.on = on
    return None if found is None else f"{found.size_lots} lots rest"


def nobody_hedges(stage: Stage) -> str | None:
    """A's quote fills, and B is dead, or cut off from the exchange, for longer than an exposure may last."""
    world, b, order = stage.world, stage.world.b, _quote(stage)
    if order is None or not b.running:
        return None
    dies = stage.rng.random() < 0.5
    if dies:
        world.end(b)
    else:
        b.venue.cut = True
    stage.takers.fill(order)
    _pass(stage, NOBODY_SECONDS)
    b.venue.cut = False
    return f"{order.size_lots} lots, B {'is dead' if dies else 'is cut off'}"


def hedger_cannot(stage: Stage) -> str | None:
    """A's quote fills, every hedge is refused, and nobody looks after the desk."""
    order = _quote(stage)
    if order is None or not stage.world.b.running:
        return None
    stage.arm("reject", Role.HEDGER, code=21739, count=50, seconds=stage.rng.choice((6.0, 20.0)))
    stage.takers.fill(order)
    _pass(stage, CANNOT_SECONDS)
    return f"{order.size_lots} lots"


def maker_gone(stage: Stage) -> str | None:
    """A dies with its quote in the book, and it fills when A has long been silent."""
    world = stage.world
    on = stage.takers.on
    found = _quiet_quote(stage)
    if found is not None:
        world.end(world.a)
        world.run(4.0)
        stage.takers.fill(found)
        _pass(stage, 20.0)
    stage.takers.on = on
    return None if found is None else f"{found.size_lots} lots"


def redis_gone(stage: Stage) -> str:
    """Redis is away for longer than an exposure may last, and A with it."""
    hub, seconds = stage.world.hub, stage.rng.uniform(20.0, 50.0)
    hub.cut()
    stage.later(seconds, hub.heal)
    if stage.rng.random() < 0.7:
        stage.world.end(stage.world.a)
        stage.world.a.restart_at = stage.world.loop.time() + stage.rng.uniform(5.0, seconds)
    return f"{seconds:.0f} s"


def journals_lost(stage: Stage) -> str:
    """Both disks are gone, B first and A as its quote fills; a person starts both again without their journals."""
    resting = stage.world.resting(Role.MAKER)
    if resting and stage.rng.random() < 0.5:
        stage.world.end(stage.world.b)
        stage.takers.fill(resting[0])
        stage.world.run(0.05)
    for process in stage.world.processes.values():
        stage.world.end(process)
        process.journal = MemoryJournal(DESK)
        stage.backups.pop(process.role, None)
        stage.truth.watch(process)
    return "both"


def rest_in_reach(stage: Stage) -> str | None:
    """A part of A's quote fills in a market so thin that the hedge would meet the rest, and A is slow, or dead."""
    world, rng, on = stage.world, stage.rng, stage.takers.on
    order, process = _quiet_quote(stage), world.a
    if order is None or order.size_lots < 2:
        stage.takers.on = on
        return None
    stage.market.lots = rng.choice((1, 3))
    stage.market.show(world.server)
    dies = rng.random() < 0.5
    if dies:
        world.end(process)
        process.restart_at = world.loop.time() + rng.uniform(1.0, 10.0)
    else:
        process.venue.network.latency = 0.6
    lots = rng.randint(order.size_lots * 2 // 3, order.size_lots - 1)
    stage.takers.fill(order, lots)

    def back() -> None:
        stage.market.lots, stage.takers.on = LOTS, on
        process.venue.network.latency = 0.001

    stage.later(rng.choice((2.0, 5.0)), back)
    return f"{lots} of {order.size_lots} lots, A is {'dead' if dies else 'slow'}"


def _quote(stage: Stage) -> Order | None:
    """A quote that nobody has traded with, a moment from now at most."""
    for _ in range(QUOTE_LOOKS):
        for order in stage.world.resting(Role.MAKER):
            if not order.filled_lots:
                return order
        stage.world.run(0.1)
        stage.tend()
    return None


def _fill_quote(stage: Stage) -> None:
    """Somebody takes A's quote, if it has one."""
    for order in stage.world.resting(Role.MAKER)[:1]:
        stage.takers.fill(order)


def _hide(stage: Stage, process: Process, seconds: float, *, tx: bool = True) -> None:
    """No frame tells a side of its own account."""
    own = ACCOUNTS[process.role]
    channels = {f"account_all:{own}", f"account_all_orders:{own}"} | ({f"account_tx:{own}"} if tx else set())
    process.venue.deaf |= channels
    stage.later(seconds, lambda: process.venue.deaf.difference_update(channels))


def _pass(stage: Stage, seconds: float) -> None:
    """Let time pass under the eyes of the checkers, and nobody starts anything."""
    for _ in range(int(2 * seconds)):
        stage.world.run(0.5)
        stage.look()


def _quiet_quote(stage: Stage) -> Order | None:
    """A quote of A that nobody trades with: the takers are off from now on."""
    world, stage.takers.on = stage.world, False
    began_us = world.server.now_us()
    for _ in range(20):
        world.run(0.5)
        stage.tend()
        quotes = [order for order in world.resting(Role.MAKER) if order.created_us > began_us]
        if quotes and world.a.running and world.b.running:
            return quotes[0]
    return None


KINDS = {
    "answer_crossed": (answer_crossed, 0.5, "H6 H10 E2"),
    "refused_again": (refused_again, 0.5, "H6 H7 H35"),
    "blind": (blind, 0.5, "H39 E2"),
    "rows_late": (rows_late, 0.5, "H39 E2"),
    "dies_in_doubt": (dies_in_doubt, 0.5, "H3 H20 E1 E6"),
    "rest_in_reach": (rest_in_reach, 0.5, "H33 E14"),
    "clear_in_doubt": (clear_in_doubt, 0.3, "E4 H6"),
    "hedger_gone": (hedger_gone, 0.3, "H20 E13"),
    "hedger_cannot": (hedger_cannot, 0.3, "H9 E5 E20"),
    "nobody_hedges": (nobody_hedges, 0.3, "H20 H29 E5 E24"),
    "maker_gone": (maker_gone, 0.15, "H19 H22 E14"),
    "redis_gone": (redis_gone, 0.15, "H22 H19"),
    "journals_lost": (journals_lost, 0.1, "H25 E9 E24"),
}

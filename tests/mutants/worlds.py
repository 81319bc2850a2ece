"""The simulation's worlds with a few more settings, faults and checkers: what the planted bugs need beside its own."""

import asyncio
import random
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from tests.mutants import promises
from tests.mutants.bug import Plant
from tests.mutants.promises import Facts
from tests.simulation import checkers, faults
from tests.simulation import play as play_module
from tests.simulation.faults import Kind
from tests.simulation.memory_journal import MemoryJournal
from tests.simulation.process import Process
from tests.simulation.sim_server import ACCOUNTS, BTC
from tests.simulation.sim_venue import SendFault, SimVenue
from tests.simulation.stage import Stage
from tests.simulation.truth import Truth
from tests.simulation.world import DESK, World

from lighter_hedge.domain.states import Role
from lighter_hedge.processes.driver import Driver
from lighter_hedge.simulator.orders import Order

# --- faults -----------------------------------------------------------------------------------------------------------


def write_held_up(stage: Stage) -> str | None:
    """The machine decides, and what it decided reaches the socket only later."""
    process = stage.process()
    if process.driver is None:
        return None
    seconds = stage.rng.choice((0.5, 1.5, 2.5, 5.0))
    process.driver.__dict__["held_up"] = seconds
    return f"{process.name} {seconds} s"


def redis_gone(stage: Stage) -> str:
    """Redis is away for longer than an exposure may last, and A with it."""
    hub, seconds = stage.world.hub, stage.rng.uniform(20.0, 50.0)
    hub.cut()
    stage.later(seconds, hub.heal)
    if stage.rng.random() < 0.7:
        stage.world.end(stage.world.a)
        stage.world.a.restart_at = stage.world.loop.time() + stage.rng.uniform(5.0, seconds)
    return f"{seconds:.0f} s"


def blind(stage: Stage) -> str:
    """Nothing of what becomes of the next order arrives, and reads lag as far as they may."""
    process = stage.process()
    _hide(stage, process, stage.rng.choice((3.0, 8.0)))
    lag = stage.truth.desk.read_lag_ms / 1000 * 0.95
    return stage.arm("history_lag", process.role, seconds=lag, for_seconds=8)


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


def _fill_quote(stage: Stage) -> None:
    """Somebody takes A's quote, if it has one."""
    for order in stage.world.resting(Role.MAKER)[:1]:
        stage.takers.fill(order)


def rows_late(stage: Stage) -> str:
    """What a transaction has done is readable later than that it has run, and no frame tells."""
    process = stage.process()
    process.venue.__dict__["rows_late_ms"] = stage.truth.desk.read_lag_ms * 95 // 100
    channels = {f"account_all:{ACCOUNTS[process.role]}", f"account_all_orders:{ACCOUNTS[process.role]}"}
    process.venue.deaf |= channels

    def back() -> None:
        process.venue.deaf.difference_update(channels)
        process.venue.__dict__.pop("rows_late_ms", None)

    stage.later(stage.rng.choice((4.0, 10.0)), back)
    return process.role.letter


def dies_in_doubt(stage: Stage) -> str | None:
    """A side dies with its order on the way, and starts again while nothing of it can be read yet."""
    world, process = stage.world, stage.process()
    resting = world.resting(Role.MAKER)
    if not resting or not process.running:
        return None
    lag_ms = stage.truth.desk.read_lag_ms * 95 // 100
    said = stage.arm("history_lag", process.role, seconds=lag_ms / 1000, for_seconds=8)
    _hide(stage, process, 5.0, tx=False)
    stage.takers.fill(resting[0])
    world.run(0.010 + stage.rng.uniform(0.002, 0.1))
    world.end(process)
    world.start_process(process)
    world.run(0.005)
    process.venue.network.read_lag_us = lag_ms * 1000

    def back() -> None:
        process.venue.network.read_lag_us = 0

    stage.later(6.0, back)
    return said


def _hide(stage: Stage, process: Process, seconds: float, *, tx: bool = True) -> None:
    """No frame tells a side of its own account."""
    own = ACCOUNTS[process.role]
    channels = {f"account_all:{own}", f"account_all_orders:{own}"} | ({f"account_tx:{own}"} if tx else set())
    process.venue.deaf |= channels
    stage.later(seconds, lambda: process.venue.deaf.difference_update(channels))


def poor(stage: Stage) -> str | None:
    """B has next to nothing left, for a good while."""
    account = stage.world.server.account(Role.HEDGER)
    taken = account.collateral - 200_000
    if taken <= 0:
        return None
    account.collateral -= taken

    def back() -> None:
        account.collateral += taken

    stage.later(stage.rng.uniform(15.0, 30.0), back)
    return "B"


def pushes_late(stage: Stage) -> str:
    """The exchange's stream lags for both sides alike, while its transactions run as ever."""
    seconds = stage.rng.choice((0.5, 1.2, 2.5))
    networks = [process.venue.network for process in stage.world.everybody()]
    for network in networks:
        network.frames_late = seconds

    def back() -> None:
        for network in networks:
            network.frames_late = 0.0

    stage.later(stage.rng.uniform(3.0, 8.0), back)
    return f"{seconds} s"


def _pass(stage: Stage, seconds: float) -> None:
    """Let time pass under the eyes of the checkers, and nobody starts anything."""
    for _ in range(int(2 * seconds)):
        stage.world.run(0.5)
        play_module.look(stage)


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
    """A's quote fills, and B is away for longer than an exposure may last."""
    world, b = stage.world, stage.world.b
    resting = world.resting(Role.MAKER)
    if not resting or not b.running:
        return None
    world.end(b)
    stage.takers.fill(resting[0])
    _pass(stage, 45.0)
    return f"{resting[0].size_lots} lots"


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


def skewed_for_long(stage: Stage) -> str:
    """A's clock is wrong by seconds, and stays so."""
    process = stage.world.a
    process.venue.skew_ms = stage.rng.choice((-1, 1)) * stage.rng.choice((1_500, 3_000))

    def back() -> None:
        stage.world.a.venue.skew_ms = process.venue.skew_ms = 0

    stage.later(stage.rng.uniform(10.0, 25.0), back)
    return f"{process.venue.skew_ms} ms"


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


def clear_in_doubt(stage: Stage) -> str | None:
    """A's quote fills, B's hedge is lost on its way, and a person clears the desk before B knows."""
    resting = stage.world.resting(Role.MAKER)
    if not resting or not stage.world.b.running:
        return None
    stage.world.b.venue.lose_requests += 1
    stage.takers.fill(resting[0])
    stage.world.run(stage.rng.uniform(0.02, 0.5))
    stage.truth.person_asked = stage.world.loop.time()
    stage.say("clear")
    return f"{resting[0].size_lots} lots"


KINDS = {
    "answer_crossed": (answer_crossed, 1.0, "H6 H10 E2"),
    "refused_again": (refused_again, 1.0, "H6 H7 H35"),
    "rows_late": (rows_late, 1.0, "H39 E2"),
    "dies_in_doubt": (dies_in_doubt, 1.0, "H3 H20 E1 E6"),
    "pushes_late": (pushes_late, 1.0, "H1 H5 H40 E17"),
    "hedger_gone": (hedger_gone, 0.5, "H20 E13"),
    "journals_lost": (journals_lost, 0.3, "H25 E9 E24"),
    "clear_in_doubt": (clear_in_doubt, 0.5, "E4 H6"),
    "write_held_up": (write_held_up, 1.5, "H28 E13"),
    "redis_gone": (redis_gone, 0.4, "H22 H19"),
    "blind": (blind, 1.0, "H39 E2"),
    "nobody_hedges": (nobody_hedges, 0.3, "H20 H29 E24"),
    "maker_gone": (maker_gone, 0.4, "H19 H22 E14"),
    "poor": (poor, 0.4, "H11"),
    "skewed_for_long": (skewed_for_long, 0.4, "H26 E23"),
}

RARE = {
    "thin_book": 3.0,
    "resume_stale": 2.0,
    "journal_lost": 0.5,
    "restored": 0.5,
    "second_instance": 1.0,
    "second_from_backup": 0.6,
    "sleeper_replaced": 0.8,
}
"""Weights of faults that the simulation lets strike too rarely for a thousand worlds."""

# --- settings ---------------------------------------------------------------------------------------------------------


def drawn(desk: Any, rng: random.Random) -> Any:
    """The settings that the simulation does not draw."""
    if rng.random() < 0.3:
        desk = replace(desk, flatten=True, force_close_ms=rng.choice((2_000, 5_000)))
    if rng.random() < 0.15:
        desk = replace(desk, read_lag_ms=4_000)
    if rng.random() < 0.35:
        desk = replace(desk, maker_order_timeout_ms=60_000)
    if rng.random() < 0.15:
        desk = replace(desk, maker_share=rng.choice((24, 40)), hedger_share=rng.choice((28, 48)))
    if rng.random() < 0.2:
        desk = replace(desk, notional_hour_quote_max=desk.market.quote(2 * desk.quantity, 1_210_000))
    return desk


# --- hooks ------------------------------------------------------------------------------------------------------------


@contextmanager
def hostile() -> Iterator[None]:
    """Worlds as the planted bugs are hunted in them."""
    plant = Plant()
    for name, (strike, weight, serves) in KINDS.items():
        faults.KINDS.setdefault(name, Kind(strike, weight, tuple(serves.split())))
    for name, weight in RARE.items():
        known = faults.KINDS[name]
        plant.put(faults.KINDS, name, Kind(known.strike, weight, known.serves))
    plant.around(checkers, "nothing_lost", _at_end)
    plant.set(checkers, "AT_SEND", (*checkers.AT_SEND, *promises.AT_SEND))
    plant.set(checkers, "AT_FILL", (*checkers.AT_FILL, *promises.AT_FILL))
    plant.set(checkers, "IN_TIME", (_note, *checkers.IN_TIME, *promises.IN_TIME))
    plant.around(play_module, "drawn_desk", _drawn)
    plant.around(play_module, "staged", _staged)
    plant.around(Truth, "on_commit", _on_commit)
    plant.around(Stage, "say", _say)
    plant.around(Stage, "start_over", _start_over)
    plant.around(World, "start_process", _start_process)
    plant.around(Driver, "_send", _held_up)
    plant.around(SimVenue, "read_orders", _rows_late)
    try:
        yield
    finally:
        plant.remove()
        promises.current.clear()
        for name in KINDS:
            faults.KINDS.pop(name)


def _note(truth: Truth, world: World) -> None:
    promises.facts(truth).note()


def _at_end(real: Any) -> Any:
    def nothing_lost(truth: Truth, world: World) -> None:
        real(truth, world)
        for checker in promises.AT_END:
            checker(truth, world)

    return nothing_lost


def _drawn(real: Any) -> Any:
    def drawn_desk(rng: random.Random) -> Any:
        desk, options = real(rng)
        return drawn(desk, random.Random(rng.random())), options

    return drawn_desk


def _staged(real: Any) -> Any:
    def staged(*args: Any, **options: Any) -> Any:
        stage = real(*args, **options)
        promises.current[:] = [Facts(stage)]
        told = stage.world.on_effect

        def on_effect(process: Any, what: str, detail: object) -> None:
            if what in ("send", "read"):
                _count_request(process.name)
            elif what == "alert":
                promises.name(str(detail))
            for checker in promises.AT_EFFECT.get(what, ()):
                stage.truth._check(lambda truth, check=checker: check(truth, process, detail))
            told(process, what, detail)

        stage.world.on_effect = on_effect
        return stage

    return staged


def _count_request(name: str) -> None:
    known = promises.current[0]
    seen = known.requests.setdefault(name, deque())
    seen.append(known.now)
    while known.now - seen[0] >= 60.0:
        seen.popleft()


def _on_commit(real: Any) -> Any:
    def on_commit(truth: Truth, process: Any, what: Any) -> None:
        real(truth, process, what)
        if promises.current and promises.current[0].stage.truth is truth:
            promises.name_entry(what)
            for checker in promises.AT_COMMIT:
                truth._check(lambda _, check=checker: check(truth, process, what))

    return on_commit


def _say(real: Any) -> Any:
    def say(stage: Stage, verb: str, **parameters: Any) -> None:
        known = promises.current[0]
        if verb == "resume":
            known.resumes[parameters["pause_id"]] = known.last_resume = known.now
            known.traded, known.traded_over = 0, None
        real(stage, verb, **parameters)

    return say


def _start_over(real: Any) -> Any:
    def start_over(stage: Stage) -> None:
        known = promises.current[0]
        maker = stage.world.maker if stage.world.a.driver is not None else None
        pause = maker.latch.pause if maker is not None else None
        if not stage.takers.on and pause is not None and pause.code in ("HEDGE_FAILED", "UNHEDGED_TOO_LONG"):
            known.healed_in_vain = pause.reason
        real(stage)
        known.hedged_since, known.traded, known.traded_over = known.now, 0, None

    return start_over


def _start_process(real: Any) -> Any:
    def start_process(world: World, process: Any, *, by_person: bool = False, adopt: bool = False) -> None:
        person = by_person and process.journal.person_stopped
        real(world, process, by_person=by_person, adopt=adopt)
        if promises.current:
            known = promises.current[0]
            known.by_person[process.name] = person
            known.started[process.role] = known.now
            if process.role is Role.MAKER:
                known.traded, known.traded_over = 0, None

    return start_process


def _held_up(real: Any) -> Any:
    async def send(driver: Any, candidate: Any, decided: Any) -> None:
        seconds = driver.__dict__.pop("held_up", 0.0)
        if seconds:
            await asyncio.sleep(seconds)
        await real(driver, candidate, decided)

    return send


def _rows_late(real: Any) -> Any:
    async def read_orders(venue: Any, coids: Any) -> Any:
        rows = await real(venue, coids)
        late_ms = venue.__dict__.get("rows_late_ms", 0)
        return tuple(row for row in rows if row.created_ms <= venue.server.now_ms() - late_ms)

    return read_orders

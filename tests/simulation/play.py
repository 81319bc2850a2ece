"""One seed, one world: faults for a while, then everything heals, and the desk must finish.

The safety phase lets anything happen; what must never happen is checked at every order that leaves, at every quote that
rests and at every fill. In the healed phase nothing goes wrong any more, and the desk must reach hedged-and-quoting, or
paused with a reason, in time; a person then ends the pause, and it must run again.
"""

import gc
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.simulation import checkers, faults, promises
from tests.simulation.facts import Facts
from tests.simulation.faults import of_monitor
from tests.simulation.market import Market, Takers
from tests.simulation.stage import Stage
from tests.simulation.trace import Trace
from tests.simulation.truth import Truth, Violation
from tests.simulation.watching import Watching
from tests.simulation.world import World, settings

from lighter_hedge.domain.settings import DeskSettings, Direction
from lighter_hedge.domain.states import Mode, Role
from lighter_hedge.simulator.core.accounts import Tier

LONG = ((20, 120.0), (40, 120.0), (80, 120.0), (160, 120.0))
"""Rounds, and virtual seconds at most, of a world: one of these …"""
SHORT = (4, 15.0)
"""… or this."""
WATCHED = 4
"""One world in so many has a monitor."""
EXPOSED_SECONDS = 15.0
"""Beside the read lag, how long an exposure may last once both sides run and nothing goes wrong any more: the longest
wait between two questions about an outcome (8 s), then what the answer asks for (a burn or a send, and its evidence:
3 s at most), a read of both accounts (1 s), and the hedge, with three tries at most (2.5 s)."""
STARTED_SECONDS = 15.0
"""What a start may take, or an outcome to be resolved: as an exposure. Beside it the desk may have to wait for one of
two things until it quotes again, or is paused: for a difference between books and venue that no two reads prove, which
is named once it is as old as ``unhedged_ms_max``; or …"""
MINUTE_SECONDS = 60.0
"""… where requests or quotes of a minute are limited, for what the faults have used up. Shorter, and meanwhile: 10 s
after the venue's last word of a halt, 5 s after "too many requests", 10 s for a person to end a second instance."""
BY_PERSON = ("PAUSED", "DRAINED", "CLEARED")
"""Pauses that say nothing of an exposure: B hedges on."""
DRAIN_SECONDS = 90.0
SLICE_SECONDS = 0.4
"""How often the supervisor and the person look."""


@dataclass(frozen=True, slots=True)
class Converged:
    """What I6 bounds, from the end of the faults."""

    exposed_seconds: float
    """The longest exposure, from when both sides ran; 0 where none had to wait for anything but a person."""
    quoting_seconds: float
    """Until hedged and quoting, or paused with a reason."""


@dataclass(slots=True)
class Report:
    """What a seed has played, without a violation."""

    seed: int
    rounds: int
    fills: int
    faults: Counter[str]
    virtual_seconds: float
    digest: str
    lines: int
    paused: str
    """Why the desk was paused when everything had healed; empty where it ran."""
    mended: int
    """How often a person had to close everything by hand and start afresh."""
    converged: Converged
    alerts: Counter[str] | None
    """What the monitor has stored, by code; None where there was none."""
    kept: list[str] = field(default_factory=list)


def play(
    seed: int,
    *,
    long: bool = False,
    show: Callable[[str], None] | None = None,
    keep: bool = False,
    only: tuple[str, ...] = (),
    favoured: tuple[str, ...] = (),
    watched: bool | None = None,
) -> Report:
    """Play one seed.

    Args:
        seed: which world.
        long: 20 to 160 rounds instead of four.
        show: gets every line of the trace as it happens.
        keep: keeps the lines in the report.
        only: fault kinds to draw from, instead of what the seed would draw.
        favoured: hazards and sequences whose faults come more often.
        watched: with a monitor; by default in one world of ``WATCHED``.

    Raises:
        Violation: an invariant is broken; a note tells the seed and how to play it again.
        BaseException: whatever a side has raised.
    """
    collecting = gc.isenabled()
    gc.disable()  # what is collected when must not depend on what ran before
    try:
        return _play(seed, long=long, show=show, keep=keep, only=only, favoured=favoured, watched=watched)
    except BaseException as error:
        error.add_note(f"seed {seed}: play it again with  make world SEED={seed}{'' if long else ' ARGS=--short'}")
        raise error  # noqa: TRY201 a bare one would lose it where mypyc has compiled this
    finally:
        if collecting:
            gc.enable()
            gc.collect(0)


def _play(
    seed: int,
    *,
    long: bool,
    show: Callable[[str], None] | None,
    keep: bool,
    only: tuple[str, ...],
    favoured: tuple[str, ...],
    watched: bool | None,
) -> Report:
    rng = random.Random(seed)
    desk, options = drawn_desk(rng)
    with World(desk, **options) as world:
        stage = staged(rng, world, keep=keep, show=show)
        stage.trace.add(f"====== seed {seed}: {_named(desk)}, {_options(options)}")
        if seed % WATCHED == 1 if watched is None else watched:
            stage.watching = Watching.begin(stage, random.Random(f"monitor {seed}"))
        weights = dict.fromkeys(only, 1.0) if only else faults.swarm(rng, favoured)
        unsafe(stage, weights, *(rng.choice(LONG) if long else SHORT))
        heal(stage)
        converged = converge(stage)
        paused = reason(world)
        go_on(stage)
        if rng.random() < 0.3:
            drain(stage)
        for checker in (*checkers.AT_END, *promises.AT_END):
            checker(stage.truth, world)
        stage.trace.add(f"====== {len(stage.truth.rounds)} rounds, {sum(stage.counts.values())} faults, no violation")
        return Report(
            seed=seed,
            rounds=len(stage.truth.rounds),
            fills=len(stage.truth.fills),
            faults=stage.counts,
            virtual_seconds=world.loop.time() - 1_000.0,
            digest=stage.trace.digest,
            lines=stage.trace.count,
            paused=paused,
            mended=stage.mended,
            converged=converged,
            alerts=stage.watching.alerts() if stage.watching is not None else None,
            kept=stage.trace.lines,
        )


def drawn_desk(rng: random.Random) -> tuple[DeskSettings, dict[str, Any]]:
    """A desk and an exchange, by chance."""
    same_wallet = rng.random() < 0.6
    desk = settings(
        quantity=rng.choice((20, 20, 45, 60, 130)),
        direction=rng.choice(tuple(Direction)),
        depth=rng.choice((1, 1, 1, 2)),
        cancel_first=not same_wallet or rng.random() < 0.4,
        hedge_confirm_timeout_ms=rng.choice((5_000, 20_000)),
        unhedged_ms_max=30_000,
        maker_order_timeout_ms=rng.choice((2_000, 3_000, 30_000, 60_000)),
        requote_ms_min=rng.choice((500, 5_000)),
        reconcile_ms=5_000,
        orders_per_minute_max=rng.choice((1_000, 1_000, 1_000, 1_000, 60, 20)),
        throttle_ms=rng.choice((1_000, 5_000)),
        read_lag_ms=rng.choice((200, 200, 500, 500, 4_000)),
        retry_times=rng.choice((1, 3, 3)),
        **_drawn_limits(rng),
    )
    notional = rng.choice((1_000_000_000_000, 1_000_000_000_000, desk.market.quote(4 * desk.quantity, 1_210_000)))
    desk = replace(desk, notional_hour_quote_max=notional)
    options = {
        "same_wallet": same_wallet,
        "tier": rng.choice((Tier.STANDARD, Tier.STANDARD, Tier.PREMIUM, Tier.UNLIMITED)),
        "speed": rng.choice((1.0, 0.5, 0.2)),
        "tick_seconds": rng.choice((0.05, 0.1, 0.2, 0.2, 0.2, 0.3, 0.3, 0.4, 0.4, 0.5)),
        "shuffled": random.Random(rng.random()) if rng.random() < 0.15 else None,
    }
    return desk, options


def _named(desk: DeskSettings) -> str:
    return (
        f"{desk.quantity} lots {desk.direction.value}, depth {desk.depth}, "
        f"{'cancel first' if desk.cancel_first else 'venue flags'}, {desk.retry_times} tries, "
        f"on unhedged {'flatten' if desk.flatten else 'pause'}"
    )


def _drawn_limits(rng: random.Random) -> dict[str, Any]:
    """Limits that most worlds never reach, and some do."""
    maker_share, hedger_share = rng.choice(((0, 0),) * 7 + ((24, 28),))
    return {
        "flatten": rng.random() < 0.33,
        "force_close_ms": rng.choice((3_000, 8_000)),
        "orders_per_round_max": rng.choice((50, 50, 12)),
        "daily_loss_quote_max": rng.choice((100_000_000, 100_000_000, 500_000)),
        "maker_share": maker_share,
        "hedger_share": hedger_share,
    }


def _options(options: dict[str, Any]) -> str:
    return ", ".join(
        ("shuffled" if value else "in order") if name == "shuffled" else f"{name} {getattr(value, 'value', value)}"
        for name, value in options.items()
    )


def staged(rng: random.Random, world: World, *, keep: bool = False, show: Callable[[str], None] | None = None) -> Stage:
    """A world with everything around it that watches it."""
    truth = Truth(
        world.server,
        world.desk,
        at_send=(*checkers.AT_SEND, *promises.AT_SEND),
        at_quote=checkers.AT_QUOTE,
        at_fill=checkers.AT_FILL,
        at_effect=promises.AT_EFFECT,
        at_commit=promises.AT_COMMIT,
    )
    trace = Trace(world.loop.time, keep=keep, show=show)
    market = Market()
    world.server.exchange.attach_traffic(market.traffic(), world.server.now_us())
    takers = Takers(
        world.server,
        rng,
        appetite=rng.choice((0.95, 0.95, 0.7)),
        parts=rng.choice((0.1, 0.3, 0.6)),
        slow_ms=rng.choice((50, 300, 1_500)),
    )
    for process in world.everybody():
        truth.watch(process)
    world.on_process = truth.watch
    world.on_line = trace.add

    def done(process: Any, what: str, detail: object) -> None:
        truth.on_effect(process, what, detail)
        trace.effect(process.name, what, detail)

    world.on_effect = done

    def heard(process: Any, event: Any) -> None:
        truth.on_event(process, event)
        trace.event(process.name, event)

    world.on_event = heard
    world.server.on_trade += [trace.trade, truth.on_trade]
    world.server.on_order += [trace.order, truth.on_order, takers.order]
    stage = Stage(rng, world, truth, market, takers, trace, patience=rng.choice((0.5, 0.5, 0.5, 0.5, 0.05)))
    stage.look = lambda: look(stage)
    truth.facts = Facts(stage)
    truth.facts.look()
    world.on_start = truth.facts.started_now
    return stage


def unsafe(stage: Stage, weights: dict[str, float], rounds: int, seconds: float) -> None:
    """The safety phase."""
    rng, world, truth = stage.rng, stage.world, stage.truth
    world.start(Role.HEDGER)
    world.start(Role.MAKER)
    world.run(rng.uniform(0.0, 3.0))
    end = world.loop.time() + seconds
    gaps = rng.choice(((0.0, 0.1, 0.5), (0.1, 2.0, 4.0), (1.0, 4.0, 8.0), (2.0, 6.0, 12.0)))
    while len(truth.rounds) < rounds and world.loop.time() < end:
        faults.strike(stage, weights)
        gap = (rng.choice(gaps) if rng.random() < 0.97 else rng.uniform(5.0, 25.0)) * rng.random()
        while gap > 0.0:
            world.run(min(gap, SLICE_SECONDS))
            gap -= SLICE_SECONDS
            look(stage)
            if stage.watching is not None:
                of_monitor.strike(stage.watching)
            stage.tend()
        if rng.random() < 0.1:
            role = stage.side()
            stage.backups[role] = world.processes[role].journal.copied()


def look(stage: Stage) -> None:
    """Whether anything has broken so far."""
    stage.able()
    stage.truth.facts.look()
    stage.truth.raise_first()
    for checker in (*checkers.IN_TIME, *promises.IN_TIME):
        checker(stage.truth, stage.world)
    if stage.watching is not None:
        stage.watching.look()


def heal(stage: Stage) -> None:
    """Everything works again; the market is calm, and nobody trades with A."""
    world = stage.world
    stage.trace.add("====== everything heals")
    stage.takers.on, stage.healed = False, True
    for _, fault_id in stage.armed:
        world.clear_fault(fault_id)
    for end in stage.undo:
        end()
    stage.undo.clear()
    for process in world.everybody():
        process.venue.cut = False
        process.venue.deaf.clear()
        process.venue.lose_requests = 0
        process.venue.network = type(process.venue.network)()
        process.venue.skew_ms = 0
        process.messaging.mend()
        process.journal.full = False
        if process.life is not None:
            process.life.dies_in = None
        process.restart_at = world.loop.time() if not process.running else None
    if stage.watching is not None:
        stage.watching.heal()
    world.hub.heal()
    stage.market.show(world.server)


def reason(world: World) -> str:
    """Why the desk is paused; empty where it is not."""
    pause = world.maker.latch.pause if world.a.running and world.a.driver is not None else None
    return pause.code if pause is not None else ""


def hedged(stage: Stage) -> bool:
    """A + B is less than a minimum, or a journal names an exposure that only a person's act can end."""
    if abs(stage.truth.net) < stage.truth.min_lots:
        return True
    pause = stage.world.a.journal.pause
    return (pause is not None and pause.code not in BY_PERSON) or checkers.named(stage.world.b)


def settled(stage: Stage) -> bool:
    """Hedged and quoting, or paused with a reason."""
    world = stage.world
    if not (world.a.running and world.b.running) or world.a.driver is None or world.b.driver is None:
        return False
    if any(process.running for process in world.others):
        return False
    if not (world.maker.core.recovered and world.hedger.core.recovered) or not hedged(stage):
        return False
    return world.maker.latch.mode is Mode.PAUSED or bool(world.resting(Role.MAKER))


def exposed_seconds(stage: Stage, began: float) -> float:
    """How long A + B has been exposed since then, with both sides running."""
    world, since = stage.world, stage.truth.exposed_since
    if since is None or hedged(stage) or not (world.a.running and world.b.running):
        return 0.0
    return world.loop.time() - max(began, since, world.a.started, world.b.started)


def quoting_bound(desk: DeskSettings) -> float:
    """Seconds within which the desk quotes again, or is paused."""
    counted = desk.maker_share or desk.hedger_share or desk.orders_per_minute_max <= 60
    return STARTED_SECONDS + max(desk.unhedged_ms_max / 1000, MINUTE_SECONDS if counted else 0.0)


def converge(stage: Stage) -> Converged:
    """I6: each exposure ends in time, and the desk quotes again or is paused with a reason in time."""
    world, truth = stage.world, stage.truth
    began, longest = world.loop.time(), 0.0
    exposed_max, quoting_max = EXPOSED_SECONDS + world.desk.read_lag_ms / 1000, quoting_bound(world.desk)
    while not settled(stage):
        longest = max(longest, exposed_seconds(stage, began))
        if longest > exposed_max:
            raise Violation(f"I6: unhedged for {longest:.1f} s after everything had healed: {_standing(stage)}")
        if world.loop.time() - began > quoting_max:
            raise Violation(f"I6: not settled {quoting_max:.0f} s after everything had healed: {_standing(stage)}")
        world.run(0.1)
        truth.raise_first()
        if stage.watching is not None:
            stage.watching.look()
        supervise(stage)
    look(stage)
    return Converged(exposed_seconds=longest, quoting_seconds=world.loop.time() - began)


def supervise(stage: Stage) -> None:
    """What has ended is started again; no person ends a pause."""
    patience, stage.patience = stage.patience, 0.0
    stage.tend()
    stage.patience = patience


def _standing(stage: Stage) -> str:
    world = stage.world
    said = [f"A + B is {stage.truth.net}"]
    for process in world.everybody():
        lines = "; ".join(line[9:] for line in process.lines[-4:])
        said.append(f"{process.name} {'runs' if process.running else f'ended {process.exit_code}'}: {lines}")
    if world.a.running and world.a.driver is not None:
        said.append(f"A waits: {world.maker.waiting}")
    return "\n".join(said)


def go_on(stage: Stage) -> None:
    """A person ends the pause. Where that cannot be, everything is closed by hand and begun afresh.

    Then it must run.
    """
    world = stage.world
    for _ in range(2):
        if world.maker.latch.mode is not Mode.PAUSED:
            return
        pause = world.maker.latch.pause
        assert pause is not None
        stage.truth.person_asked = world.loop.time()
        stage.say("resume", pause_id=pause.id, hedge_now=True)
        world.run(stage.world.desk.hedge_confirm_timeout_ms / 1000 + 2.0)
        converge(stage)
    if world.maker.latch.mode is Mode.PAUSED:
        stage.start_over()
        converge(stage)
        again = world.maker.latch.pause
        if again is not None and again.code != "DRAINED":  # what an hour allows may be used up again
            raise Violation(f"I6: paused again after a fresh start: {again}")


def drain(stage: Stage) -> None:
    """Closing what is open, opening nothing: in the end both are flat, but for residuals."""
    world, truth = stage.world, stage.truth
    stage.trace.add("====== a person drains the desk")
    stage.takers.on, stage.takers.appetite, stage.takers.parts = True, 1.0, 0.0
    for order in world.resting(Role.MAKER):
        stage.takers.fill(order)
    stage.say("drain")
    began = world.loop.time()
    while world.maker.latch.mode is not Mode.PAUSED:
        if world.loop.time() - began > DRAIN_SECONDS:
            raise Violation(f"I6: not drained after {DRAIN_SECONDS:.0f} s: {_standing(stage)}")
        world.run(0.2)
        look(stage)
        supervise(stage)
    pause = world.maker.latch.pause
    named = pause is not None and pause.code != "DRAINED"  # it has found something that a person must see first
    named = named or truth.late_at >= began  # or an order of A whose end the exchange has taken back
    if not named and (abs(world.position(Role.MAKER)) >= truth.min_lots or abs(truth.net) >= truth.min_lots):
        raise Violation(f"I6: drained with {world.position(Role.MAKER)} of A and {truth.net} in all: {reason(world)}")

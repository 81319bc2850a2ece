"""One seed, one world: random faults for a while, then everything heals and the desk must finish."""

import random
from dataclasses import dataclass, field

from tests.simulation.checkers import Violation, check_gate, check_once
from tests.simulation.world import World, settings

from lighter_hedge.domain.states import Mode, Role

HEAL_SECONDS = 90.0


@dataclass(slots=True)
class Chance:
    """Draws what happens next, and undoes it in the end."""

    seed: int
    verbose: bool = False
    steps: int = 30
    rng: random.Random = field(init=False)
    log: list[str] = field(default_factory=list)
    late_lots: int = 0

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def run(self) -> dict[str, int]:
        """Play the world; raise ``Violation`` (or any error of the sides) with the log of what was done."""
        rng = self.rng
        desk = settings(
            cancel_first=rng.random() < 0.7,
            hedge_confirm_timeout_ms=20_000,
            unhedged_ms_max=30_000,
            maker_order_timeout_ms=rng.choice([3_000, 30_000]),
            reconcile_ms=5_000,
        )
        counts = {"fills": 0, "rounds": 0, "paused": 0}
        with World(desk, verbose=self.verbose) as world:
            try:
                world.start(Role.HEDGER)
                world.start(Role.MAKER)
                world.run(rng.uniform(0.0, 3.0))
                for _ in range(self.steps):
                    self.act(world)
                    world.run(rng.choice([0.0, 0.01, 0.05, 0.3, 1.0, 3.0]) * rng.random())
                    check_once(world, self.late_lots)
                    check_gate(world)
                self.heal(world)
                counts["paused"] = int(world.maker.latch.mode is not Mode.RUNNING)
            except BaseException as error:
                error.add_note(f"seed {self.seed}: " + "; ".join(self.log))
                raise
            counts["fills"] = len(world.trades(Role.MAKER))
            counts["rounds"] = world.maker.round
        return counts

    def act(self, world: World) -> None:
        """Do one thing."""
        name = self.rng.choices(list(ACTIONS), weights=list(ACTIONS.values()))[0]
        self.log.append(f"{world.loop.time() - 1000:.3f} {name}")
        if self.verbose:
            print("   ---", self.log[-1])
        getattr(self, name)(world)

    def side(self) -> Role:
        return self.rng.choice(list(Role))

    # --- what may happen ---

    def fill(self, world: World) -> None:
        world.fault("fill_now", delay_ms=self.rng.choice([0, 1, 50, 300]), seconds=5)

    def part(self, world: World) -> None:
        world.fault("part_fill", lots=self.rng.randint(1, 19), delay_ms=self.rng.choice([0, 50, 300]), seconds=5)

    def two(self, world: World) -> None:
        world.fault("two_trades", seconds=5)
        world.fault("fill_now", seconds=5)

    def lose_answer(self, world: World) -> None:
        world.fault("lose_answer", self.side(), seconds=5)

    def lose_request(self, world: World) -> None:
        world.processes[self.side()].venue.lose_requests += 1

    def reject(self, world: World) -> None:
        world.fault("reject", self.side(), code=21701, seconds=3)

    def cancel_race(self, world: World) -> None:
        world.fault("cancel_race", seconds=5)

    def late_fill(self, world: World) -> None:
        """Once a world: a venue that takes back two ends of orders can make any hedge wrong."""
        if not self.late_lots:
            self.late_lots = 40  # A never has more in one order
            world.fault("late_fill", delay_ms=self.rng.choice([10, 200, 1500]), count=1)

    def lag(self, world: World) -> None:
        world.fault("history_lag", self.side(), seconds=self.rng.choice([0.1, 0.4]), for_seconds=5)

    def account_error(self, world: World) -> None:
        world.fault("account_error", self.side(), seconds=3)

    def duplicate(self, world: World) -> None:
        world.fault("duplicate_frames", self.side(), seconds=5)

    def disconnect(self, world: World) -> None:
        world.fault("disconnect", self.side())

    def cut(self, world: World) -> None:
        venue = world.processes[self.side()].venue
        venue.cut = not venue.cut

    def deaf(self, world: World) -> None:
        process = world.processes[self.side()]
        channel = self.rng.choice(["account_all:101", "account_all:102", "account_all_orders:101", "account_tx:102"])
        process.venue.deaf ^= {channel}

    def redis(self, world: World) -> None:
        what = self.rng.choice(["cut", "wipe", "one"])
        if what == "cut":
            (world.hub.heal if world.hub.is_cut else world.hub.cut)()
        elif what == "wipe":
            world.hub.wipe()
        else:
            world.processes[self.side()].messaging.lose_answers(1)

    def kill(self, world: World) -> None:
        process = world.processes[self.side()]
        if process.running:
            world.kill(process.role)
        else:
            world.start(process.role)

    # --- the end of it ---

    def heal(self, world: World) -> None:
        """Everything works again; the desk must reach hedged-and-quoting, or paused with a reason."""
        for fault in world.server.exchange.faults.shown(world.server.now_us()):
            world.clear_fault(int(fault["id"]))
        if world.hub.is_cut:
            world.hub.heal()
        for process in world.processes.values():
            process.venue.cut = False
            process.venue.deaf.clear()
            process.venue.lose_requests = 0
            process.messaging.heal()
            if not process.running:
                world.start(process.role)
        self.log.append(f"{world.loop.time() - 1000:.3f} healed")
        try:
            world.until(lambda: settled(world), HEAL_SECONDS, "the desk to settle")
        except AssertionError as error:
            raise Violation(f"I6: {error}") from None
        check_once(world, self.late_lots)
        check_gate(world)


def settled(world: World) -> bool:
    """Hedged and quoting, or paused with a reason."""
    maker = world.maker
    if maker.latch.mode is Mode.PAUSED:
        return abs(world.net) < 20 or world.hedger.tries.failed is not None or bool(maker.latch.pause)
    return abs(world.net) < 20 and bool(world.resting(Role.MAKER))


ACTIONS = {
    "fill": 10,
    "part": 6,
    "two": 2,
    "lose_answer": 3,
    "lose_request": 3,
    "reject": 1,
    "cancel_race": 2,
    "late_fill": 1,
    "lag": 1,
    "account_error": 1,
    "duplicate": 1,
    "disconnect": 2,
    "cut": 2,
    "deaf": 1,
    "redis": 2,
    "kill": 4,
}

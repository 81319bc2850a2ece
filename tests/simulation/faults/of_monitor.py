"""What goes wrong with the monitor: its process, its network, its way to Redis, its disk and its clock.

Drawn from a chance of its own: a world with a monitor has the same faults of A, B and the exchange as without.
"""

from tests.simulation.sim_server import ACCOUNTS
from tests.simulation.watching import Watching

from lighter_hedge.domain.states import Role

SKEWS_MS = (-240_000, -2_500, 2_500, 240_000)


def kill(watching: Watching) -> None:
    watching.monitor.end(watching.stage.world.loop)


def stall(watching: Watching) -> None:
    """The event loop hangs, or the machine sleeps."""
    loop, monitor = watching.stage.world.loop, watching.monitor
    monitor.freeze()
    watching.later(watching.rng.choice((0.5, 3.0, 20.0)) * watching.rng.random(), lambda: monitor.thaw(loop))


def cut(watching: Watching) -> None:
    """No connection, no answer."""
    venue = watching.monitor.venue
    venue.cut = True
    if watching.rng.random() < 0.5:
        venue.drop()

    def back() -> None:
        venue.cut = False

    watching.later(watching.rng.choice((1.0, 15.0)) * watching.rng.random(), back)


def drop(watching: Watching) -> None:
    watching.monitor.venue.drop()


def deaf(watching: Watching) -> None:
    """Frames of one account are lost, and nothing says so."""
    deaf, channel = watching.monitor.venue.deaf, _account(watching)
    deaf.add(channel)
    watching.later(watching.rng.choice((1.0, 10.0)), lambda: deaf.discard(channel))


def frames_lost(watching: Watching) -> None:
    drop, channel = watching.monitor.venue.network.drop, _account(watching)
    drop[channel] = watching.rng.choice((1, 3))
    watching.later(5.0, lambda: drop.update({channel: 0}))


def frames_twice(watching: Watching) -> None:
    watching.monitor.venue.network.twice[_account(watching)] = watching.rng.choice((1, 3))


def frames_late(watching: Watching) -> None:
    network = watching.monitor.venue.network
    network.frames_late = watching.rng.random()

    def back() -> None:
        network.frames_late = 0.0

    watching.later(watching.rng.choice((1.0, 5.0)), back)


def reads_fail(watching: Watching) -> None:
    watching.monitor.venue.network.read_errors += watching.rng.choice((1, 4))


def link_cut(watching: Watching) -> None:
    messaging = watching.monitor.messaging
    messaging.cut()
    watching.later(watching.rng.choice((1.0, 15.0)) * watching.rng.random(), messaging.heal)


def states_lost(watching: Watching) -> None:
    watching.monitor.messaging.lose += watching.rng.choice((1, 10))


def disk_full(watching: Watching) -> None:
    outbox = watching.monitor.outbox
    outbox.full = True

    def back() -> None:
        outbox.full = False

    watching.later(watching.rng.choice((0.5, 5.0)), back)


def clock_skew(watching: Watching) -> None:
    venue = watching.monitor.venue
    venue.skew_ms = watching.rng.choice(SKEWS_MS)

    def back() -> None:
        venue.skew_ms = 0

    watching.later(watching.rng.choice((2.0, 10.0)), back)


def _account(watching: Watching) -> str:
    """One account's public channel."""
    return f"account_all:{ACCOUNTS[watching.rng.choice(tuple(Role))]}"


KINDS = (
    kill,
    stall,
    cut,
    drop,
    deaf,
    frames_lost,
    frames_twice,
    frames_late,
    reads_fail,
    link_cut,
    states_lost,
    disk_full,
    clock_skew,
)


def strike(watching: Watching) -> None:
    """Let one thing go wrong with it, by its own chance."""
    if watching.rng.random() >= watching.rate or not watching.monitor.running or watching.monitor.frozen:
        return
    kind = watching.rng.choice(KINDS)
    kind(watching)
    watching.struck.append(kind.__name__)
    watching.hamper()
    watching.stage.trace.add(f"****** {watching.monitor.name}: {kind.__name__}")

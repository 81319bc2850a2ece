"""What goes wrong with Redis and with the way to it."""

from tests.simulation.stage import Stage
from tests.simulation.world import DESK

from lighter_hedge.messaging.keys import DeskKeys

KEYS = DeskKeys(desk=DESK)


def redis_cut(stage: Stage) -> str:
    seconds = stage.rng.choice((0.1, 1.0, 5.0, 20.0)) * stage.rng.random()
    hub = stage.world.hub
    hub.cut()
    stage.later(seconds, hub.heal)
    return f"{seconds:.1f} s"


def link_cut(stage: Stage) -> str:
    process = stage.process()
    messaging = process.messaging
    messaging.cut()
    stage.later(stage.rng.choice((0.5, 4.0)) * stage.rng.random(), messaging.heal)
    return process.role.letter


def redis_wiped(stage: Stage) -> str:
    stage.world.hub.wipe()
    return ""


def redis_failed_over(stage: Stage) -> str:
    """A replica takes over that has not seen the newest entries; or an old backup is loaded."""
    hub = stage.world.hub
    saved, age = hub.saved(), stage.redis_age

    def take_over() -> None:
        if stage.redis_age == age:
            hub.restore(saved)

    stage.later(stage.rng.choice((0.05, 0.5, 3.0, 15.0)), take_over)
    return ""


def append_unknown(stage: Stage) -> str:
    process = stage.process()
    process.messaging.lose_answers(stage.rng.choice((1, 3)))
    return process.role.letter


def states_lost(stage: Stage) -> str:
    process = stage.process()
    process.messaging.lose += stage.rng.choice((1, 4, 15))
    return process.role.letter


def states_twice(stage: Stage) -> str:
    process = stage.process()
    process.messaging.twice += stage.rng.choice((1, 5))
    return process.role.letter


def states_old(stage: Stage) -> str:
    process = stage.process()
    process.messaging.old_after_new += stage.rng.choice((1, 5))
    return process.role.letter


def states_late(stage: Stage) -> str:
    process = stage.process()
    messaging = process.messaging
    messaging.late = stage.rng.choice((0.05, 0.5, 4.0)) * stage.rng.random()

    def back() -> None:
        messaging.late = 0.0

    stage.later(stage.rng.choice((1.0, 5.0)), back)
    return f"{process.role.letter} {messaging.late:.2f} s"


def append_slow(stage: Stage) -> str:
    process = stage.process()
    messaging = process.messaging
    messaging.latency = stage.rng.choice((0.001, 0.05, 0.7))

    def back() -> None:
        messaging.latency = 0.0

    stage.later(stage.rng.choice((1.0, 5.0)), back)
    return process.role.letter


def state_damaged(stage: Stage) -> str:
    role = stage.side()
    at = stage.rng.random()

    def flipped(body: bytes) -> bytes:
        place = int(at * len(body))
        return body[:place] + b"?" + body[place + 1 :]

    stage.world.hub.damage(KEYS.state(role), flipped)
    return f"{role.letter}'s newest state"


def other_schema(stage: Stage) -> str:
    """The newest state is of another version: somebody is upgrading."""
    role = stage.side()

    def newer(body: bytes) -> bytes:
        return body.replace(b'"schema":1', b'"schema":2')

    stage.world.hub.damage(KEYS.state(role), newer)
    return f"{role.letter}'s newest state"


KINDS = {
    "redis_cut": (redis_cut, 1.5, "H22"),
    "link_cut": (link_cut, 1.5, "H22 H15"),
    "redis_wiped": (redis_wiped, 1.0, "H23 E9 E22"),
    "redis_failed_over": (redis_failed_over, 1.0, "H23 H24 E22"),
    "append_unknown": (append_unknown, 2.0, "H15 H17 H22"),
    "states_lost": (states_lost, 2.0, "H15 H17"),
    "states_twice": (states_twice, 2.0, "H17"),
    "states_old": (states_old, 2.0, "H16 H17 E12"),
    "states_late": (states_late, 2.0, "H15 H16 E17"),
    "append_slow": (append_slow, 1.0, "H15"),
    "state_damaged": (state_damaged, 1.0, "H18"),
    "other_schema": (other_schema, 1.0, "H18 H42"),
}

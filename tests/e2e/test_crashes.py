"""Crashes: A, B, both, the exchange, Redis. Whatever is killed, every fill is hedged exactly once and rounds go on."""

import os
import signal

import pytest
from tests.e2e.desk import Desk, eventually


def crash(desk: Desk, names: str) -> None:
    """Kill -9, all at once."""
    pids = {name: desk.pid(name) for name in names}
    for pid in pids.values():
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    for name, pid in pids.items():
        eventually(lambda name=name, pid=pid: desk.pid(name) not in (None, pid), f"{name} is started again")  # type: ignore[misc]


def test_killed_right_after_a_fill_everything_is_hedged_once(desk: Desk) -> None:
    desk.up()
    lots = 0
    for names in ("A", "B", "AB"):
        desk.quote()
        desk.paper.fill()
        lots += 20
        eventually(lambda lots=lots: desk.paper.truth().filled(0) == lots, "A is filled")  # type: ignore[misc]
        crash(desk, names)
        desk.hedged(lots)
    desk.quote()
    desk.paper.fill()
    desk.hedged(lots + 20)
    assert [line for side in "AB" for line in desk.log(side) if line.level == "error" and "paused" in line.text] == []


def test_a_fill_while_both_are_dead_is_hedged_after_the_restart(desk: Desk) -> None:
    """B stands still when A is filled, so that neither has acted; then both are killed."""
    desk.up()
    desk.quote()
    b = desk.signal("B", signal.SIGSTOP)
    a = desk.signal("A", signal.SIGSTOP)
    desk.paper.fill()
    eventually(lambda: desk.paper.truth().position(0) == 20, "A is filled")
    assert desk.paper.truth().trades(1) == []
    os.kill(a, signal.SIGKILL)
    os.kill(b, signal.SIGKILL)
    desk.hedged(20)
    desk.quote()
    desk.paper.fill()
    desk.hedged(40)


def test_the_exchange_comes_back_and_the_desk_goes_on_hedged(lasting_desk: Desk) -> None:
    desk = lasting_desk
    desk.up()
    desk.quote()
    desk.paper.fill(count=2)
    desk.hedged(40)
    desk.quote()
    desk.paper.fill()
    eventually(lambda: desk.paper.truth().filled(0) == 60, "A is filled")
    desk.paper.stop(signal.SIGKILL)
    eventually(lambda: desk.log("A", "FEED_LOST") and desk.log("B", "FEED_LOST"), "both see that the stream is lost")
    desk.paper.start()
    desk.hedged(60)
    desk.quote()
    desk.paper.fill()
    desk.hedged(80)


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "wiped"])
def test_redis_goes_and_comes_back_in_a_round(desk: Desk, kept: bool) -> None:
    """The quote is filled in the moment in which A cancels it because Redis is gone."""
    desk.up()
    desk.quote()
    desk.paper.fault("cancel_race", "a")
    desk.redis.stop(signal.SIGTERM)
    desk.hedged(20)
    assert desk.log("A", "REDIS_DOWN")
    assert desk.paper.truth().resting == []
    if not kept:
        desk.redis.wipe()
    desk.redis.start()
    desk.quote()
    desk.paper.fill()
    desk.hedged(40)


def test_a_redis_that_is_flushed_in_a_round_loses_nothing(desk: Desk) -> None:
    desk.up()
    desk.quote()
    b = desk.signal("B", signal.SIGSTOP)
    desk.paper.fill()
    eventually(lambda: desk.log("A", "QUOTE_FILLED"), "A is filled")
    desk.redis.flush()
    os.kill(b, signal.SIGCONT)
    desk.hedged(20)
    desk.quote()
    desk.paper.fill()
    desk.hedged(40)

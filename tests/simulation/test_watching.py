"""What holds the monitor against the exchange's truth can fail, each part of it; and an honest monitor passes."""

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.simulation.faults import of_monitor
from tests.simulation.play import look, play, staged
from tests.simulation.stage import Stage
from tests.simulation.truth import Violation
from tests.simulation.watching import MANY, QUOTED, RESTS, TWICE, UNHEDGED, Watching, only_watches
from tests.simulation.world import World, settings

from lighter_hedge.domain.events import BurnRequest
from lighter_hedge.domain.guard import SendGuard
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.monitor import Monitor
from lighter_hedge.domain.states import OperatorCommand, Role
from lighter_hedge.processes.monitor import MonitorDriver

Staged = tuple[Stage, Watching]
ABLE_SECONDS = 45.0


@pytest.fixture
def watched() -> Iterator[Staged]:
    """A desk that quotes, and a monitor that nothing has hampered for as long as any limit."""
    limits = {"unhedged_ms_max": 30_000, "hedge_confirm_timeout_ms": 20_000}
    with World(settings(**limits, reconcile_ms=5_000, maker_order_timeout_ms=5_000)) as world:
        stage = staged(random.Random(1), world)
        stage.takers.on = False
        stage.watching = Watching.begin(stage, random.Random(1))
        stage.watching.rate = 0.0
        world.start_both()
        run(stage, ABLE_SECONDS)
        yield stage, stage.watching


def run(stage: Stage, seconds: float) -> None:
    """Let time pass, with everybody who looks."""
    for _ in range(round(seconds * 2)):
        stage.world.run(0.5)
        look(stage)


def unhedged(stage: Stage) -> None:
    """A fills, and B is stopped: an exposure that lasts."""
    stage.world.b.freeze()
    stage.world.fault("fill_now")


def hedged_twice(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """B hedges half as much again, and nothing but the monitor is asked what it makes of that."""
    order = Hedger._order

    def greedy(hedger: Hedger, side: object, lots: int, *rest: object, **options: object) -> object:
        return order(hedger, side, lots * 3 // 2, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Hedger, "_order", greedy)
    monkeypatch.setattr(SendGuard, "refuses", lambda *_: "")
    stage.truth.at_fill = ()
    run(stage, 10.0)  # until an armed hedge is a greedy one
    stage.takers.fill(stage.world.resting(Role.MAKER)[0])


def test_an_honest_monitor_tells_an_exposure_and_its_end(watched: Staged) -> None:
    stage, watching = watched
    unhedged(stage)
    run(stage, 40.0)
    assert watching.monitor.outbox.open[UNHEDGED]
    stage.world.b.thaw(stage.world.loop)
    run(stage, 5.0)
    assert not watching.monitor.outbox.open[UNHEDGED]


def test_a_monitor_that_tells_no_exposure_is_seen(watched: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Monitor, "_look_at_exposure", lambda monitor, now: [])
    unhedged(watched[0])
    with pytest.raises(Violation, match="silent: 20 lots unhedged for 33"):
        run(watched[0], 40.0)


def test_a_monitor_that_is_hampered_need_not_tell(watched: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, watching = watched
    monkeypatch.setattr(Monitor, "_look_at_exposure", lambda monitor, now: [])
    unhedged(stage)
    run(stage, 20.0)
    watching.monitor.venue.drop()
    run(stage, 20.0)
    with pytest.raises(Violation, match="silent"):
        run(stage, 20.0)


def test_an_honest_monitor_tells_a_double_hedge(watched: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, watching = watched
    hedged_twice(stage, monkeypatch)
    run(stage, 5.0)
    assert TWICE in [code for _, code, _ in watching.monitor.outbox.alerts]


def test_a_monitor_that_tells_no_double_hedge_is_seen(watched: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Monitor, "_judge", lambda monitor, step, now: [])
    hedged_twice(watched[0], monkeypatch)
    with pytest.raises(Violation, match=f"silent: {TWICE}"):
        run(watched[0], 5.0)


def test_a_clear_that_nobody_hears_explains_a_hedge_for_a_minute(
    watched: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, watching = watched
    monkeypatch.setattr(Monitor, "_judge", lambda monitor, step, now: [])
    stage.cleared_at = watching.now
    hedged_twice(stage, monkeypatch)
    run(stage, 50.0)
    watching.due.append((watching.now, TWICE))
    with pytest.raises(Violation, match=f"silent: {TWICE}"):
        run(stage, 5.0)


def test_a_clear_explains_hedges_until_its_pause_ends(watched: Staged) -> None:
    stage, watching = watched
    stage.say("clear")
    run(stage, 70.0)
    watching.due.append((watching.now, TWICE))
    run(stage, 5.0)
    pause = stage.world.a.journal.pause
    assert pause is not None
    stage.say("resume", pause_id=pause.id)
    run(stage, 5.0)
    watching.due.append((watching.now, TWICE))
    with pytest.raises(Violation, match=f"silent: {TWICE}"):
        run(stage, 5.0)


@pytest.mark.parametrize("code", [UNHEDGED, TWICE, QUOTED, RESTS, MANY])
def test_a_false_alarm_is_seen(watched: Staged, code: str) -> None:
    stage, watching = watched
    watching.on_say("info", code)
    watching.on_say("error", "SIDE_SILENT")
    stage.truth.raise_first()
    watching.on_say("error", code)
    with pytest.raises(Violation, match=f"false: {code}"):
        stage.truth.raise_first()


def test_an_alarm_of_a_monitor_that_was_hampered_is_no_false_one(watched: Staged) -> None:
    stage, watching = watched
    watching.hamper()
    watching.on_say("error", UNHEDGED)
    stage.truth.raise_first()


def test_an_exposure_is_no_alarm_before_its_limit(watched: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    """A monitor that counts too fast."""
    stage, watching = watched
    assert watching.monitor.driver is not None
    watching.monitor.driver.machine.unhedged.limit_ms = 20_000
    unhedged(stage)
    with pytest.raises(Violation, match=f"false: {UNHEDGED}"):
        run(stage, 30.0)


def test_a_monitor_that_sends_is_seen(watched: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    async def send(driver: MonitorDriver, role: Role) -> None:
        venue: Any = driver._venue
        await venue.send(await venue.sign(BurnRequest(), 0))

    monkeypatch.setattr(MonitorDriver, "_read", send)
    with pytest.raises(Violation, match="more than watch: send"):
        run(watched[0], 10.0)


def test_a_monitor_that_speaks_for_a_side_or_commands_is_seen(watched: Staged) -> None:
    watching = watched[1]
    with pytest.raises(Violation, match="more than watch: append"):
        only_watches(watching, "append", None)
    only_watches(watching, "ask", OperatorCommand(id="m1", verb="pause"))
    with pytest.raises(Violation, match="more than a pause"):
        only_watches(watching, "ask", OperatorCommand(id="m1", verb="resume"))


@pytest.mark.parametrize("kind", of_monitor.KINDS)
def test_the_monitor_comes_back_after_each_of_its_faults(watched: Staged, kind: Callable[[Watching], None]) -> None:
    stage, watching = watched
    kind(watching)
    run(stage, 3.0)
    watching.heal()
    run(stage, 12.0)
    assert watching.able_for(8.0)
    assert watching.monitor.driver is not None
    assert watching.monitor.driver.machine.copies.counting


def test_faults_of_the_monitor_strike_in_a_world() -> None:
    """Whatever is wrong with the monitor, the desk plays on as it does without it."""
    assert play(4, watched=True).fills > 0

from tests.unit.domain.builders import codes, fills, only, pause
from tests.unit.domain.talk import Talk, maker_side

from lighter_hedge.domain.commands import Say
from lighter_hedge.domain.gate import View
from lighter_hedge.domain.states import Role


def view(talk: Talk) -> View:
    made = talk.machine._view(talk.now)
    assert isinstance(made, View)
    return made


def test_the_wait_is_timed_from_the_first_unhedged_fill() -> None:
    talk = maker_side()
    talk.b_says()
    talk.core.maker.apply_peer(fills())
    watch = talk.machine.watch
    watch.step(view(talk), 10, ())
    watch.quiet(talk.now)
    talk.ms += 12_000
    line = only(watch.status(["waiting"], talk.machine.latch, talk.now), Say)[0]
    assert line.text == "not quoting, 12 s of 60 s: waiting"


def test_a_status_line_comes_every_ten_seconds() -> None:
    talk = maker_side()
    watch = talk.machine.watch
    watch.quiet(talk.now)
    talk.ms += 9_999
    assert watch.status(["x"], talk.machine.latch, talk.now) == []
    talk.ms += 1
    assert codes(watch.status(["x"], talk.machine.latch, talk.now)) == ["WAITING"]
    assert watch.status(["x"], talk.machine.latch, talk.now) == []


def test_an_ask_that_was_ended_does_not_pause_again() -> None:
    talk = maker_side()
    talk.b_says()
    assert talk.b_state is not None
    talk.machine.peer.state = None
    talk.machine.watch.step(view(talk), 10, ())
    talk.b_says(pause_ask=None)
    talk.machine.peer.state = type(talk.b_state)(
        **{name: getattr(talk.b_state, name) for name in talk.b_state.__slots__} | {"pause_ask": pause(id=7)}
    )
    talk.machine.watch.step(view(talk), 10, (7,))
    assert talk.machine.latch.pause is None
    talk.machine.watch.step(view(talk), 10, ())
    assert talk.machine.latch.pause is not None


def test_a_timeout_reads_both_accounts_once() -> None:
    talk = maker_side()
    talk.b_says()
    talk.core.maker.apply_peer(fills())
    talk.machine.watch.step(view(talk), 10, ())
    talk.ms += 60_000
    assert codes(talk.machine.watch.step(view(talk), 10, ())) == ["HEDGE_TIMEOUT"]
    assert talk.core.reads.awaited == set(Role)
    assert talk.machine.watch.step(view(talk), 10, ()) == []

import pytest
from tests.unit.domain.builders import PRICE, candidate, codes, fills, memory, only, pause, quote, trade
from tests.unit.domain.talk import Talk, maker_side

from lighter_hedge.domain.commands import Alert, Say
from lighter_hedge.domain.gate import View
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.watch import Watch


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


def paused_for(talk: Talk) -> str:
    held = talk.machine.latch.pause
    return str(held.code) if held is not None else ""


def watching(talk: Talk) -> Watch:
    """A watch that has seen nothing yet."""
    return Watch(core=talk.core)


@pytest.mark.parametrize(
    ("age_ms", "lots", "paused"), [(90_000, 100, True), (89_999, 100, False), (90_000, 9, False), (None, 100, False)]
)
def test_an_exposure_found_at_a_start_is_as_old_as_the_last_order(age_ms: int | None, lots: int, paused: bool) -> None:
    talk = maker_side()
    talk.b_says()
    signed = [] if age_ms is None else [age_ms + 50_000, age_ms]
    intents = tuple(candidate(quote(), signed_ms=talk.now.wall_ms - ms) for ms in signed)
    talk.core.memory = memory(Role.MAKER, intents=intents)
    talk.core.maker.base = lots
    watch = watching(talk)
    talk.core.checks[Role.MAKER].heard(0, talk.core.maker, talk.now.mono_ms)
    watch.step(view(talk), 10, ())
    assert talk.machine.latch.pause is None, "the venue must show it first"
    talk.core.checks[Role.MAKER].heard(lots, talk.core.maker, talk.now.mono_ms)
    watch.step(view(talk), 10, ())
    held = talk.machine.latch.pause
    assert (held.code if held is not None else None) == ("UNHEDGED_TOO_LONG" if paused else None)


def test_what_comes_later_is_no_exposure_of_the_start() -> None:
    talk = maker_side()
    talk.b_says()
    old = candidate(quote(), signed_ms=talk.now.wall_ms - 100_000)
    talk.core.memory = memory(Role.MAKER, intents=(old,))
    watch = watching(talk)
    watch.step(view(talk), 10, ())
    talk.core.maker.base = 100
    talk.core.checks[Role.MAKER].heard(100, talk.core.maker, talk.now.mono_ms)
    watch.step(view(talk), 10, ())
    assert talk.machine.latch.pause is None


def test_a_residual_that_is_worth_much_is_told_once_until_it_is_gone() -> None:
    talk = maker_side(residual_quote_max=5_000_000)
    talk.b_says()
    talk.core.book.mark = PRICE
    watch = watching(talk)

    def told(net: int) -> list[str]:
        talk.core.maker.base = net
        return [alert.text for alert in only(watch.step(view(talk), 10, ()), Alert) if alert.code == "RESIDUAL_LARGE"]

    assert told(5) == []
    assert told(6) == ["residual of 0.00006 BTC is worth 6.000000 USD"]
    assert told(7) == []
    assert told(0) == []
    assert len(told(-6)) == 1
    assert told(20) == [], "that is an exposure"
    watch = watching(talk)
    assert len(told(6)) == 1


def test_each_wait_times_out_and_says_what_is_wrong() -> None:
    talk = maker_side()
    talk.b_says()
    talk.alive = False
    watch = watching(talk)

    def timed_out() -> list[str]:
        return [say.text for say in only(watch.step(view(talk), 10, ()), Say) if say.code == "HEDGE_TIMEOUT"]

    texts = []
    for _ in range(2):
        talk.core.maker.base = 100
        assert timed_out() == []
        talk.ms += 60_000
        talk.b_says()
        texts += timed_out()
        talk.core.maker.base = 0
        assert timed_out() == []
    assert len(texts) == 2
    assert all("0.00100 BTC is unhedged" in text for text in texts)
    talk.ms += 5_000
    assert timed_out() == [], "silent from now on"
    talk.ms += 60_000
    (text,) = timed_out()
    assert "account B is not armed" in text


def test_exposure_pauses_from_its_limit_on() -> None:
    talk = maker_side()
    talk.b_says()
    talk.core.maker.base = 100
    watch = watching(talk)
    watch.step(view(talk), 10, ())
    talk.ms += 89_999
    watch.step(view(talk), 10, ())
    assert paused_for(talk) == ""
    talk.ms += 1
    watch.step(view(talk), 10, ())
    assert paused_for(talk) == "UNHEDGED_TOO_LONG"


def test_a_foreign_trade_pauses_by_its_name() -> None:
    talk = maker_side()
    talk.core.maker.apply_trade(trade(5, coid=5))
    watching(talk).step(view(talk), 10, ())
    assert talk.machine.latch.pause.code == "FOREIGN_TRADE"


def test_a_status_without_exposure_has_no_time() -> None:
    talk = maker_side()
    watch = watching(talk)
    watch.quiet(talk.now)
    talk.ms += 10_000
    assert only(watch.status(["x"], talk.machine.latch, talk.now), Say)[0].text == "not quoting: x"

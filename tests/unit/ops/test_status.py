"""One view of a desk from two states, and its exit code."""

from dataclasses import replace

import pytest

from lighter_hedge.domain.states import Announce, HedgerState, Leg, MakerState, Mode, Pause
from lighter_hedge.domain.units import Lots, MarketSpec, Side
from lighter_hedge.ops.exit_codes import ExitCode
from lighter_hedge.ops.status import DeskView, lines, view

NOW = 1_000_000
PAUSE = Pause(id=7, reason="max_retries_exceeded", code="H3001", since_ms=1)
QUOTE = Announce(
    epoch=1, round=3, attempt=2, leg=Leg.OPEN, coid=5, side=Side.BID, lots=20, price=1000, min_lots=20, expires_ms=0
)
MAKER = MakerState(
    epoch=1, seq=1, at_ms=NOW - 100, mode=Mode.RUNNING, pause=None, announce=QUOTE, fills=(), round=3, position=20
)
HEDGER = HedgerState(
    epoch=1, seq=1, at_ms=NOW - 200, armed=None, disarmed="", confirm=None, failed=None, pause_ask=None, fills=(),
    unresolved=0, tries=0, position=-20,
)  # fmt: skip


def seen(maker: MakerState | None = MAKER, hedger: HedgerState | None = HEDGER, **pids: int) -> DeskView:
    return view("a_b:BTC", maker, hedger, now_ms=NOW, stale_ms=9000, pids=pids)


def test_a_hedged_running_desk() -> None:
    desk = seen()
    assert desk.exit_code is ExitCode.OK
    assert (desk.mode, desk.net, desk.hedged, desk.a_age_ms) == ("running", 0, True, 100)
    assert "quote     buy 20 lots at 1000 ticks to open (attempt 2)" in lines(desk)
    assert desk.as_json()["net_lots"] == 0


def test_amounts_are_written_in_the_market_where_it_is_known() -> None:
    spec = MarketSpec(
        market_index=1,
        symbol="BTC",
        size_decimals=5,
        price_decimals=1,
        min_base_lots=Lots(20),
        min_quote=1,
        initial_margin_fraction=1,
    )
    assert "quote     buy 0.00020 BTC at 100.0 to open (attempt 2)" in lines(seen(), spec)
    assert "position  A 0.00020 BTC, B -0.00020 BTC, net 0.00000 BTC" in lines(seen(), spec)


def test_fresh_words_of_a_side_that_has_ended_here_are_no_life() -> None:
    both = view("a_b:BTC", MAKER, HEDGER, now_ms=NOW, stale_ms=9000, pids={}, ended={"A", "B"})
    assert (both.running, both.mode, both.announce, both.net) == (False, "stopped", None, None)


def test_an_unhedged_desk() -> None:
    desk = seen(hedger=replace(HEDGER, position=0))
    assert desk.exit_code is ExitCode.UNHEDGED
    assert any("UNHEDGED" in line for line in lines(desk))


@pytest.mark.parametrize(("net", "residual", "hedged"), [(19, 0, True), (20, 0, False), (25, 25, True), (25, 5, False)])
def test_a_residual_is_hedged(net: int, residual: int, hedged: bool) -> None:
    assert seen(maker=replace(MAKER, position=20 + net, residual=residual)).hedged is hedged


def test_nobody_lives() -> None:
    assert seen(None, None).exit_code is ExitCode.NOT_RUNNING
    old = seen(replace(MAKER, at_ms=NOW - 9000), replace(HEDGER, at_ms=NOW - 9000))
    assert (old.exit_code, old.mode, old.net) == (ExitCode.NOT_RUNNING, "stopped", None)


def test_half_a_desk_is_not_running_and_what_it_knew_is_unknown() -> None:
    desk = seen(hedger=replace(HEDGER, at_ms=NOW - 9000))
    assert desk.running
    assert desk.b_position is None
    assert desk.exit_code is ExitCode.FAILED
    assert replace(desk, net=0, hedged=True).exit_code is ExitCode.NOT_RUNNING


def test_processes_without_a_word_are_in_a_state_that_nobody_knows() -> None:
    """A pause may stand behind the silence: that is no "running", however flat the venue says they are."""
    desk = seen(None, None, A=1, B=2)
    assert (desk.running, desk.mode) == (True, "unknown")
    assert replace(desk, net=0, hedged=True).exit_code is ExitCode.FAILED


def test_a_pause_shows_its_reason_and_id() -> None:
    desk = seen(maker=replace(MAKER, mode=Mode.PAUSED, pause=PAUSE, waiting=("B missing 20 lots",)))
    assert "paused    max_retries_exceeded [H3001], pause id 7" in lines(desk)
    assert "waiting   B missing 20 lots" in lines(desk)
    assert desk.as_json()["pause"] == {"id": 7, "reason": "max_retries_exceeded", "code": "H3001", "since_ms": 1}


def test_a_pause_that_only_b_has_asked_for_shows_too() -> None:
    assert seen(hedger=replace(HEDGER, pause_ask=PAUSE)).pause == PAUSE


def test_the_monitor_shows_and_changes_nothing_else() -> None:
    without = seen(A=1)
    desk = view("a_b:BTC", MAKER, HEDGER, now_ms=NOW, stale_ms=9000, pids={"A": 1}, monitor_pid=5)
    assert "monitor   alive" in lines(desk)
    assert "monitor   not running here" in lines(without)
    assert (desk.as_json()["monitor_alive"], desk.as_json()["pids"]) == (True, {"A": 1, "monitor": 5})
    assert (without.as_json()["monitor_alive"], without.as_json()["pids"]) == (False, {"A": 1})
    assert desk.exit_code is without.exit_code
    nobody = view("a_b:BTC", None, None, now_ms=NOW, stale_ms=9000, pids={}, monitor_pid=5)
    assert (nobody.running, nobody.exit_code) == (False, ExitCode.NOT_RUNNING)

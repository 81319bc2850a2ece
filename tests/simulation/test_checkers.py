"""Every checker can fail: what it looks for is shown to it, and it says so."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tests.simulation import checkers
from tests.simulation.checkers import Violation, check_once
from tests.simulation.play import converge, drain, settled, staged
from tests.simulation.stage import Stage
from tests.simulation.truth import Fill, Sent
from tests.simulation.world import World
from tests.unit.domain.builders import trade

from lighter_hedge.domain.commands import ModeChanged
from lighter_hedge.domain.events import OrderKind, OrderRequest, TradeReported
from lighter_hedge.domain.guard import SendGuard
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.latch import Latch
from lighter_hedge.domain.maker import Maker
from lighter_hedge.domain.states import Leg, Mode, Role
from lighter_hedge.domain.units import Side


@pytest.fixture
def quoting() -> Iterator[Stage]:
    """A desk whose quote rests, with everything watched and nothing broken."""
    with World() as world:
        stage = staged(random.Random(1), world)
        stage.takers.on = False
        world.start_both()
        stage.truth.raise_first()
        yield stage


def fill(**changes: Any) -> Fill:
    known = Fill(
        at=1_000.0, role=Role.HEDGER, lots=-20, price=1, coid=1, late=False, before=20, counterparty=9, closing=False
    )
    return replace(known, **changes)


def quote(stage: Stage, **changes: Any) -> OrderRequest:
    """The request of the quote that rests, or one like it."""
    (sent,) = stage.truth.sent[Role.MAKER].values()
    return replace(sent.request, **changes)


def hedge(price: int) -> OrderRequest:
    return OrderRequest(kind=OrderKind.HEDGE, coid=1, side=Side.ASK, lots=20, price=price)


def test_gate_sees_a_quote_that_rests_beside_an_exposure(quoting: Stage) -> None:
    (order,) = quoting.world.resting(Role.MAKER)
    sent = Sent(quote(quoting), quoting.world.loop.time())
    checkers.gate(quoting.truth, order, sent)
    quoting.truth.totals[Role.MAKER] += 20
    with pytest.raises(Violation, match="I1"):
        checkers.gate(quoting.truth, order, sent)


def test_gate_sees_two_orders(quoting: Stage) -> None:
    (order,) = quoting.world.resting(Role.MAKER)
    second = replace(order, order_index=order.order_index + 1)
    with pytest.raises(Violation, match="2 orders"):
        checkers.gate(quoting.truth, second, Sent(quote(quoting), 0.0))


@pytest.mark.parametrize(("before", "lots"), [(0, -20), (20, -41), (20, 5), (-20, -1), (20, -25)])
def test_once_sees_a_hedge_away_from_zero_or_through_it(quoting: Stage, before: int, lots: int) -> None:
    with pytest.raises(Violation, match="I2"):
        checkers.once(quoting.truth, fill(before=before, lots=lots))


def test_once_excuses_what_was_on_its_way_while_a_closed_alone(quoting: Stage) -> None:
    truth = quoting.truth
    truth.alone_at, truth.alone_lots = 1_000.0, 20
    truth.sent[Role.HEDGER][9] = Sent(hedge(1), 999.0, 1_000.2)
    checkers.once(truth, fill(before=0, lots=-20, coid=9))
    for broken in (fill(before=0, lots=-21, coid=9), fill(before=0, lots=-20, coid=9, at=1_011.0)):
        with pytest.raises(Violation, match="I2"):
            checkers.once(truth, broken)
    truth.sent[Role.HEDGER][9].again = 1_000.6
    with pytest.raises(Violation, match="I2"):
        checkers.once(truth, fill(before=0, lots=-20, coid=9))
    truth.alone_coids = {7}
    checkers.once(truth, fill(before=0, lots=-20, coid=9))
    seen = TradeReported(role=Role.MAKER, trade=replace(trade(), coid=7))
    truth.on_event(quoting.world.b, seen)
    with pytest.raises(Violation, match="I2"):
        checkers.once(truth, fill(before=0, lots=-20, coid=9))


def test_once_takes_what_both_accounts_hold_where_a_foreign_trade_came_just_before(quoting: Stage) -> None:
    truth = quoting.truth
    truth.foreign_lots, truth.foreign_at = -32, 998.0
    truth.sent[Role.HEDGER][9] = Sent(hedge(1), 999.0)
    checkers.once(truth, fill(before=0, lots=32, coid=9))
    for lots in (33, -5):
        with pytest.raises(Violation, match="I2"):
            checkers.once(truth, fill(before=0, lots=lots, coid=9))
    for sent in (997.0, 1_009.0):
        truth.sent[Role.HEDGER][9].at = sent
        with pytest.raises(Violation, match="I2"):
            checkers.once(truth, fill(before=0, lots=32, coid=9))
    truth.foreign_unseen = {5}
    checkers.once(truth, fill(before=0, lots=32, coid=9))
    truth.on_event(quoting.world.b, TradeReported(role=Role.MAKER, trade=trade(5)))
    with pytest.raises(Violation, match="I2"):
        checkers.once(truth, fill(before=0, lots=32, coid=9))


def test_once_takes_the_baseline_of_when_the_hedge_left(quoting: Stage) -> None:
    truth = quoting.truth
    truth.sent[Role.HEDGER][9] = Sent(hedge(1), 999.0, base=truth.base)
    truth.base += 6
    checkers.once(truth, fill(before=-14, lots=20, coid=9))
    for lots in (21, -1):
        with pytest.raises(Violation, match="I2"):
            checkers.once(truth, fill(before=-14, lots=lots, coid=9))


@pytest.mark.parametrize(("before", "lots"), [(20, -20), (20, -5), (-20, 20)])
def test_once_lets_a_hedge_be(quoting: Stage, before: int, lots: int) -> None:
    checkers.once(quoting.truth, fill(before=before, lots=lots))
    checkers.once(quoting.truth, fill(before=0, lots=lots, closing=True))
    checkers.once(quoting.truth, fill(before=0, lots=lots, role=Role.MAKER))


def test_a_late_fill_excuses_no_more_than_its_own_lots_and_not_for_long(quoting: Stage) -> None:
    quoting.truth.late_lots, quoting.truth.late_at = 20, 1_000.0
    checkers.once(quoting.truth, fill(before=0, lots=-20))
    with pytest.raises(Violation, match="I2"):
        checkers.once(quoting.truth, fill(before=0, lots=-21))
    with pytest.raises(Violation, match="I2"):
        checkers.once(quoting.truth, fill(before=0, lots=-20, at=1_011.0))


def test_self_trade_is_seen(quoting: Stage) -> None:
    with pytest.raises(Violation, match="I4"):
        checkers.no_self_trade(quoting.truth, fill(counterparty=101))


def test_a_quote_that_nobody_has_armed_for_is_seen(quoting: Stage) -> None:
    request = quote(quoting)
    checkers.armed(quoting.truth, quoting.world.a.venue, request)
    signed = quoting.truth.hedge_signed.pop(request.round)
    with pytest.raises(Violation, match="signed no hedge"):
        checkers.armed(quoting.truth, quoting.world.a.venue, request)
    quoting.truth.hedge_signed[request.round] = signed
    del quoting.truth.armed[request.coid]
    with pytest.raises(Violation, match="never armed"):
        checkers.armed(quoting.truth, quoting.world.a.venue, request)


def test_a_quote_that_is_sent_too_late_is_seen(quoting: Stage) -> None:
    quoting.world.run(3.5)
    with pytest.raises(Violation, match="after its announce"):
        checkers.armed(quoting.truth, quoting.world.a.venue, quote(quoting))


def test_a_quote_that_is_too_large_is_seen(quoting: Stage) -> None:
    with pytest.raises(Violation, match="I8"):
        checkers.size_limit(quoting.truth, quoting.world.a.venue, quote(quoting, lots=21))
    quoting.truth.foreign_at = quoting.world.loop.time()
    checkers.size_limit(quoting.truth, quoting.world.a.venue, quote(quoting, lots=21))


def test_too_many_quotes_are_seen(quoting: Stage) -> None:
    quoting.truth.desk = replace(quoting.truth.desk, orders_per_minute_max=3)
    request = quote(quoting)
    assert quoting.truth.announced[request.coid][0].leg is Leg.OPEN
    for _ in range(2):
        checkers.order_rate(quoting.truth, quoting.world.a.venue, request)
    with pytest.raises(Violation, match="I8"):
        checkers.order_rate(quoting.truth, quoting.world.a.venue, request)


def test_a_hedge_beyond_the_slippage_is_seen(quoting: Stage) -> None:
    quoting.truth.fills.append(fill(role=Role.MAKER, price=1_000_000))
    checkers.collar(quoting.truth, quoting.world.b.venue, hedge(992_000))
    with pytest.raises(Violation, match="I8"):
        checkers.collar(quoting.truth, quoting.world.b.venue, hedge(991_999))


def test_a_quote_on_an_old_book_is_seen(quoting: Stage) -> None:
    quoting.world.a.venue.book_heard = quoting.world.loop.time() - 2.1
    with pytest.raises(Violation, match="I8"):
        checkers.book_age(quoting.truth, quoting.world.a.venue, quote(quoting))


def test_silence_about_an_exposure_is_seen(quoting: Stage) -> None:
    truth = quoting.truth
    quoting.world.run(1.0)
    truth.exposed_since = truth.able_since[Role.MAKER] = quoting.world.loop.time() - 200.0
    with pytest.raises(Violation, match="I3"):
        checkers.never_silent(truth, quoting.world)
    truth.hamper(Role.MAKER)
    truth.hamper(Role.HEDGER)
    checkers.never_silent(truth, quoting.world)  # nobody could see it for so long


def test_a_quote_that_outlives_its_hedger_is_seen(quoting: Stage) -> None:
    quoting.world.run(20.0)
    checkers.gone_when_silent(quoting.truth, quoting.world)
    quoting.truth.heard = quoting.truth.able_since[Role.MAKER] = quoting.world.loop.time() - 18.0
    with pytest.raises(Violation, match="I7"):
        checkers.gone_when_silent(quoting.truth, quoting.world)


def test_an_exposure_that_nobody_names_is_seen(quoting: Stage) -> None:
    checkers.nothing_lost(quoting.truth, quoting.world)
    quoting.truth.totals[Role.HEDGER] -= 20
    with pytest.raises(Violation, match="I5"):
        checkers.nothing_lost(quoting.truth, quoting.world)


def test_an_exposure_that_outlasts_the_healing_is_seen(quoting: Stage) -> None:
    """Account B runs, and never does anything again."""
    quoting.world.b.freeze()
    quoting.world.fault("fill_now")
    quoting.world.until(lambda: bool(quoting.truth.net), 10, "the fill")
    with pytest.raises(Violation, match="I6: unhedged for 15"):
        converge(quoting)


def test_a_desk_that_never_quotes_again_is_seen(quoting: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Maker, "_announce", lambda maker, now: [])
    quoting.world.kill(Role.MAKER)
    with pytest.raises(Violation, match="I6: not settled 105 s"):
        converge(quoting)


def test_a_desk_that_never_ends_to_drain_is_seen(quoting: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Latch, "hold", lambda latch, *reason, **by: [])
    with pytest.raises(Violation, match="I6: not drained after 90 s"):
        drain(quoting)


def test_a_side_that_ends_while_the_desk_drains_is_started_again(quoting: Stage) -> None:
    """A's key has been used by something that is gone: a person starts A, which drains on."""
    quoting.counts["second_instance"] += 1
    quoting.world.server.burn_by_hand(Role.MAKER)
    quoting.takers.fill(quoting.world.resting(Role.MAKER)[0])
    drain(quoting)
    assert quoting.world.a.starts == 2


def test_only_a_pause_that_names_an_exposure_settles_it(quoting: Stage) -> None:
    """While a person's pause lasts, account B hedges on."""
    world, latch = quoting.world, quoting.world.maker.latch
    world.ask("pause", reason="a person looks")
    world.until(lambda: latch.mode is Mode.PAUSED, 10, "the pause")
    assert settled(quoting)
    quoting.truth.totals[Role.MAKER] += 20
    assert not settled(quoting)
    assert latch.pause is not None
    named = ModeChanged(mode=Mode.PAUSED, pause=replace(latch.pause, code="UNHEDGED_TOO_LONG"), by="desk")
    world.a.journal.commit_all([named])
    assert settled(quoting)


def test_a_hedger_that_trades_half_as_much_again_is_found_as_it_fills(monkeypatch: pytest.MonkeyPatch) -> None:
    order = Hedger._order

    def greedy(hedger: Hedger, side: object, lots: int, *rest: object, **options: object) -> object:
        return order(hedger, side, lots * 3 // 2, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Hedger, "_order", greedy)
    monkeypatch.setattr(SendGuard, "refuses", lambda *_: "")
    with World() as world:
        stage = staged(random.Random(1), world)
        stage.takers.on = False
        world.start_both()
        world.fault("fill_now")
        world.until(lambda: world.position(Role.HEDGER) != 0, 10, "the hedge")
        with pytest.raises(Violation, match="I2"):
            stage.truth.raise_first()
        with pytest.raises(Violation, match="I2"):
            check_once(world)

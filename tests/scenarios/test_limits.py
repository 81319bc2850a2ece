"""Hazards of limits, budgets, prices and clocks: nothing is opened then; what is open is hedged and closed."""

import pytest
from tests.scenarios.stories import (
    book,
    by_another_hand,
    check,
    finished,
    jump_mark,
    orders_sent,
    paused,
    quoting_again,
    set_clock,
    set_levels,
)
from tests.simulation.world import ASK, BID, World, settings

from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.states import Mode, Role
from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.limits import RateLimiter


@pytest.mark.parametrize("ahead_ms", [180_000, -180_000], ids=["ahead", "behind"])
@pytest.mark.parametrize("role", list(Role))
def test_h26_e23_clock_that_jumps_stops_quotes_and_no_hedge(role: Role, ahead_ms: int) -> None:
    """A host's clock is three minutes off: nothing is quoted until it is right again; a fill is hedged all the same."""
    with World() as world:
        world.start_both()
        set_clock(world, role, ahead_ms)
        world.fault("cancel_race")
        world.until(lambda: not world.resting(Role.MAKER), 5, "the quote to go")
        world.until(lambda: world.position(Role.MAKER) == 20 and world.hedged(), 10, "the hedge")
        world.run(10)
        assert world.resting(Role.MAKER) == []
        assert world.maker.latch.mode is Mode.RUNNING
        set_clock(world, role, 0)
        quoting_again(world)


def test_h35_e16_ten_partial_fills_on_a_standard_wallet() -> None:
    """Sixty requests a minute for both: A slows down, B joins parts, and no hedge is ever refused."""
    desk = settings(quantity=400, cancel_first=False, maker_share=24, hedger_share=28, orders_per_minute_max=20)
    with World(desk) as world:
        world.server.venue.limiter = RateLimiter(Tier.STANDARD)
        world.start_both()
        for number in range(10):
            world.fault("part_fill", lots=25)
            world.run(1.5 if number % 2 else 0.2)
        world.until(lambda: world.hedged() and world.position(Role.MAKER) > 0, 60, "the hedge")
        world.run(60)
        assert world.hedged()
        assert world.said(Role.HEDGER, "HEDGE_BOUNCED") == []
        assert world.maker.latch.mode is Mode.RUNNING
        check(world)


def test_h35_quoting_slows_down_before_the_budget_is_gone() -> None:
    """A requotes as fast as it can; its share of the minute leaves room for a cancel, and B's is untouched."""
    desk = settings(maker_order_timeout_ms=1_000, maker_share=24, hedger_share=28)
    with World(desk) as world:
        world.server.venue.limiter = RateLimiter(Tier.STANDARD)
        world.start_both()
        world.run(120)
        assert world.said(Role.MAKER, "CANCEL_REFUSED") == world.said(Role.MAKER, "QUOTE_REFUSED") == []
        assert len(orders_sent(world, Role.MAKER)) <= 24
        world.until(lambda: bool(world.resting(Role.MAKER)), 60, "a quote")
        world.fault("fill_now")
        finished(world, 20)


def test_h37_price_far_from_the_mark_is_not_quoted() -> None:
    """The book stands 4 % away from the mark price: whose error it is, nothing is quoted there."""
    with World() as world:
        world.start_both()
        jump_mark(world, BID // 25)
        world.until(lambda: not world.resting(Role.MAKER), 60, "the quote to go")
        world.run(20)
        assert world.resting(Role.MAKER) == []
        jump_mark(world, 0)
        quoting_again(world)


def test_h37_mark_price_alone_stops_no_hedge() -> None:
    """The mark price has run away upwards, the book has not: A's part is hedged where the book stands."""
    with World(settings(quantity=100)) as world:
        world.start_both()
        jump_mark(world, BID // 30)
        world.run(0.1)
        world.fault("part_fill", lots=60)
        finished(world, 60)
        assert world.said(Role.HEDGER, "HEDGE_TRY_FAILED") == []


def test_h38_machine_gone_wrong_is_stopped_before_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """B wants half as much again as is missing: the last look refuses it, and the exposure pauses the desk."""
    order = Hedger._order

    def greedy(hedger: Hedger, side: Side, lots: int, *rest: int, **options: bool) -> object:
        return order(hedger, side, lots * 3 // 2, *rest, **options)

    monkeypatch.setattr(Hedger, "_order", greedy)
    with World(settings(hedge_confirm_timeout_ms=5_000, unhedged_ms_max=10_000)) as world:
        world.start_both()
        world.fault("fill_now")
        paused(world, "UNHEDGED_TOO_LONG", 30)
        assert world.trades(Role.HEDGER) == []
        assert any(code == "SEND_REFUSED" for code, _ in world.b.journal.alerts)


@pytest.mark.parametrize(
    ("code", "limits"),
    [("NOTIONAL_LIMIT", {"notional_hour_quote_max": 20_000_000}), ("DAILY_LOSS", {"daily_loss_quote_max": 10_000})],
)
def test_h38_limits_of_the_hour_and_the_day_drain(code: str, limits: dict[str, int]) -> None:
    """B sells 100 USD lower than A has bought: what is open is closed by a quote, and a person is asked."""
    with World(settings(**limits), traffic=book(bids=((BID, 500), (BID - 1_000, 500)), asks=((ASK, 500),))) as world:
        world.start_both()
        set_levels(world, (Side.BID, BID, 0))
        world.fault("fill_now")
        world.until(lambda: world.position(Role.MAKER) == 20 and world.hedged(), 10, "the hedge")
        assert quoting_again(world).side is Side.ASK
        world.fault("fill_now")
        paused(world, "DRAINED", 20)
        assert (world.position(Role.MAKER), world.position(Role.HEDGER)) == (0, 0)
        assert any(alert == code for alert, _ in world.a.journal.alerts)


def test_e24_exposure_found_at_a_start_pauses_and_is_hedged() -> None:
    """The whole host was gone for longer than an exposure may last: the start says so, and hedges."""
    with World(settings(hedge_confirm_timeout_ms=20_000, unhedged_ms_max=30_000)) as world:
        world.start_both()
        for role in Role:
            world.kill(role)
        world.fault("fill_now")
        world.run(60)
        for role in Role:
            world.start(role)
        paused(world, "UNHEDGED_TOO_LONG", 20)
        assert [code for code, _ in world.a.journal.alerts] == ["UNHEDGED_TOO_LONG"]
        world.until(world.hedged, 10, "the hedge")
        world.run(20)
        assert world.resting(Role.MAKER) == []
        check(world)


def test_h41_halt_and_its_alert_outlive_everything() -> None:
    """Nobody takes the alert: it stays stored, and the pause stays latched over any number of restarts."""
    with World() as world:
        world.start_both()
        by_another_hand(world, Role.MAKER, 30)
        paused(world, "FOREIGN_TRADE")
        stored = list(world.a.journal.alerts)
        assert "FOREIGN_TRADE" in [code for code, _ in stored]
        for _ in range(2):
            world.kill(Role.MAKER)
            world.start(Role.MAKER)
            world.run(10)
        assert world.maker.latch.mode is Mode.PAUSED
        assert world.a.journal.alerts[: len(stored)] == stored

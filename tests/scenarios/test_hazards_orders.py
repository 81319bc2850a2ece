"""Hazards of orders and fills: what an order has done is known from the exchange alone, and hedged exactly once."""

import json

import pytest
from tests.scenarios.stories import (
    book,
    check,
    closed_since,
    finished,
    hedges,
    last_trade,
    orders_sent,
    paused,
    play_rounds,
    quoting_again,
    sequencer_drops,
    set_levels,
)
from tests.simulation.sim_venue import ACCOUNTS
from tests.simulation.world import ASK, BID, World, settings

from lighter_hedge.domain.commands import FillsKnown
from lighter_hedge.domain.events import OrderRequest
from lighter_hedge.domain.states import Mode, Role
from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.orders import OrderStatus

FAR_BID, FAR_ASK = (1_200_000, 500), (1_220_000, 500)
"""Levels out of reach of a first try."""


def test_h2_fill_after_its_round_was_closed_is_hedged_and_pauses() -> None:
    """The exchange fills an order long after it has called it cancelled, and its round is over."""
    with World(settings(quantity=60)) as world:
        world.fault("late_fill", delay_ms=4_000, lots=20)
        world.start_both()
        world.fault("part_fill", lots=30)
        world.until(lambda: closed_since(world, 1), 4, "the round of 30 to be closed")
        assert (world.position(Role.MAKER), world.position(Role.HEDGER)) == (30, -30)
        paused(world, "LATE_FILL")
        assert world.position(Role.MAKER) == 50
        world.until(world.hedged, 10, "the late fill's hedge")
        check(world)


@pytest.mark.parametrize("together", [False, True], ids=["one-after-the-other", "together"])
def test_h3_fill_between_crash_and_journal_is_found(together: bool) -> None:
    """Both sides die at the very moment of the fill: it stands in no journal, only at the exchange."""
    with World() as world:
        world.start_both()
        world.fault("fill_now")
        assert world.position(Role.MAKER) == 20
        for role in Role:
            world.kill(role)
            known = [entry for entry in world.processes[role].journal.entries if isinstance(entry, FillsKnown)]
            assert all(entry.fills.filled == 0 for entry in known)
        for role in Role:
            world.start(role)
            world.run(0 if together else 5)
        finished(world, 20)


@pytest.mark.parametrize("role", list(Role))
def test_h6_order_that_never_arrived_is_sent_again_byte_for_byte(role: Role) -> None:
    """The send times out. At most the identical bytes go again: no second order is ever signed for the same purpose."""
    with World() as world:
        if role is Role.MAKER:
            world.a.venue.lose_requests = 1
            world.start_both()
        else:
            world.start_both()
            world.b.venue.lose_requests = 1
        world.fault("fill_now")
        world.until(lambda: world.position(Role.HEDGER) == -20, 40, "the hedge")
        signed = [json.loads(c.payload) for c in world.b.journal.candidates if isinstance(c.request, OrderRequest)]
        assert all(sent == signed[0] for sent in orders_sent(world, Role.HEDGER))
        finished(world, 20)


@pytest.mark.parametrize("silently", [False, True], ids=["told", "untold"])
@pytest.mark.parametrize("role", list(Role))
def test_h7_accepted_order_that_the_sequencer_drops(role: Role, silently: bool) -> None:
    """200 says accepted, not executed. The next attempt, or the next try, does it once."""
    with World() as world:
        sequencer_drops(world, role, silently=silently)
        world.start(Role.HEDGER)
        world.start(Role.MAKER)
        quoting_again(world, 40)
        world.fault("fill_now")
        finished(world, 20)
        assert len(world.said(Role.HEDGER, "HEDGE_TRY_FAILED")) == (role is Role.HEDGER)


def test_h8_hedge_that_is_partly_filled_is_followed_by_the_rest() -> None:
    """The next order is for what remains, and no try is counted."""
    with World(settings(quantity=100), traffic=book(bids=((BID, 60), FAR_BID), asks=((ASK, 500),))) as world:
        world.start_both()
        world.fault("fill_now")
        world.until(lambda: world.position(Role.HEDGER) == -60, 5, "the part")
        set_levels(world, (Side.BID, BID, 500))
        finished(world, 100)
        assert [(order.size_lots, order.filled_lots) for order in hedges(world)] == [(100, 60), (40, 40)]
        assert world.said(Role.HEDGER, "HEDGE_TRY_FAILED") == []


def test_h9_each_try_reaches_further() -> None:
    """The market has gone 30 bps away: the first try fills nothing, the second reaches it."""
    away = (BID - 3_600, 500)
    with World(traffic=book(bids=((BID, 500), away), asks=((ASK, 500),))) as world:
        world.start_both()
        set_levels(world, (Side.BID, BID, 0))
        world.fault("fill_now")
        finished(world, 20)
        assert len(world.said(Role.HEDGER, "HEDGE_TRY_FAILED")) == 1
        assert [order.status for order in world.orders(Role.HEDGER)] == [
            OrderStatus.CANCELED_TOO_MUCH_SLIPPAGE,
            OrderStatus.FILLED,
        ]


def test_h9_tries_are_bounded_and_end_in_a_pause() -> None:
    """Nobody buys at any price that B may take: three tries, the failure, a pause, and not one order more."""
    with World(traffic=book(bids=((BID, 500), FAR_BID), asks=((ASK, 500),))) as world:
        world.start_both()
        set_levels(world, (Side.BID, BID, 0))
        world.fault("fill_now")
        paused(world, "HEDGE_FAILED", 20)
        world.run(30)
        assert len(world.orders(Role.HEDGER)) == 3
        assert (world.position(Role.MAKER), world.position(Role.HEDGER)) == (20, 0)


def test_h11_quote_that_b_could_not_hedge_is_never_shown() -> None:
    """B's free collateral does not carry the hedge of a full fill: B is not armed, and says why."""
    with World() as world:
        account = world.server.exchange.state.accounts[ACCOUNTS[Role.HEDGER]]
        account.collateral = 1_000_000
        world.start(Role.HEDGER)
        world.start(Role.MAKER)
        world.run(15)
        assert world.orders(Role.MAKER) == []
        assert "margin" in world.said(Role.HEDGER, "DISARMED")[-1]
        account.collateral = 10_000_000_000
        world.kill(Role.HEDGER)
        world.start(Role.HEDGER)
        quoting_again(world)


def test_h12_reduce_only_order_that_vanishes_is_sent_again() -> None:
    """No hedge is reduce-only. A close that leaves no trace is zero once the read lag is over, and is tried anew."""
    with World() as world:
        world.start_both()
        play_rounds(world, 1)
        assert not any(order["ReduceOnly"] for role in Role for order in orders_sent(world, role))
        sequencer_drops(world, Role.MAKER, silently=True, reduce_only=True)
        world.ask("clear")
        flat = lambda: world.position(Role.MAKER) == 0 == world.position(Role.HEDGER)  # noqa: E731
        world.until(flat, 30, "flat")
        assert len(orders_sent(world, Role.MAKER)) == 4  # two quotes, the close that vanished, the one that closed
        check(world)


def test_h13_e8_residual_below_the_minimum_is_carried() -> None:
    """Less than the exchange takes is no exposure: A opens again, and it is hedged with what comes next."""
    with World() as world:
        world.start_both()
        world.fault("part_fill", lots=5)
        world.until(lambda: len(world.orders(Role.MAKER)) == 2, 20, "the next quote")
        assert (world.position(Role.MAKER), world.position(Role.HEDGER)) == (5, 0)
        assert world.maker.latch.mode is Mode.RUNNING
        assert world.resting(Role.MAKER)[0].side is Side.BID
        world.fault("fill_now")
        finished(world, 25)
        assert quoting_again(world).size_lots == 25


def alone_at_the_top(world: World) -> int:
    """A's quote stands alone at the best price, and the next one is just below: a hedge would meet it first."""
    world.start(Role.HEDGER)
    world.start(Role.MAKER)
    price = quoting_again(world).price_ticks
    set_levels(world, (Side.BID, price, 0), (Side.BID, price - 10, 500))
    return price


def test_h33_hedge_never_meets_the_rest_of_the_quote() -> None:
    """Two wallets: the exchange would let A and B trade with each other. A's rest goes first, however long it takes."""
    with World(settings(quantity=100), same_wallet=False, traffic=book(bids=(FAR_BID,), asks=((ASK, 500),))) as world:
        price = alone_at_the_top(world)
        world.a.venue.lose_requests = 1
        world.fault("part_fill", lots=60)
        finished(world, 60)
        assert last_trade(world, Role.HEDGER).price_ticks == price - 10


def test_h33_one_wallet_leaves_self_trades_to_the_exchange() -> None:
    """With the exchange's own guard the hedge itself expires the rest of the quote."""
    with World(settings(quantity=100, cancel_first=False), traffic=book(bids=(FAR_BID,), asks=((ASK, 500),))) as world:
        alone_at_the_top(world)
        world.fault("part_fill", lots=60)
        finished(world, 60)
        assert world.orders(Role.MAKER)[0].status is OrderStatus.CANCELED_SELF_TRADE


def test_h34_quote_that_would_have_crossed_is_priced_anew() -> None:
    """The market falls onto A's quote while it is under way: no fill, the same round, another price."""
    with World(traffic=book(bids=((BID, 500), (BID - 100, 500)), asks=((ASK, 500),))) as world:
        world.start(Role.HEDGER)
        world.start(Role.MAKER)
        world.until(lambda: bool(orders_sent(world, Role.MAKER)), 20, "the send")
        set_levels(world, (Side.BID, BID, 0), (Side.ASK, BID, 500))
        quote = quoting_again(world)
        assert world.orders(Role.MAKER)[0].status is OrderStatus.CANCELED_POST_ONLY
        assert quote.price_ticks < BID
        assert (world.maker.round, world.position(Role.MAKER)) == (1, 0)
        play_rounds(world, 1)

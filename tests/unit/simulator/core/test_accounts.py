import pytest
from tests.unit.simulator.paper_world import ASK, BID, MID, make_account

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.accounts import Account, Tier, apply_fill, health
from lighter_hedge.simulator.core.markets import BTC, MARKETS

LOT_QUOTE = 1_000_000
"""One lot of BTC at 100,000.0 is one USDC."""


def fill(account: Account, side: Side, lots: int, quote: int, fee: int = 0) -> int:
    return apply_fill(account, BTC, side, lots, quote, fee).realized_pnl


def test_opening_costs_no_collateral_and_closing_realizes_the_difference() -> None:
    account = make_account(1, "a")
    assert fill(account, BID, 10, 100) == 0
    assert fill(account, ASK, 10, 130) == 30
    assert account.collateral == 10_000_000_030
    assert account.position(BTC).lots == 0
    assert account.position(BTC).entry_quote == 0


def test_a_short_earns_when_bought_back_cheaper() -> None:
    account = make_account(1, "a")
    fill(account, ASK, 10, 100)
    assert fill(account, BID, 5, 40) == 10
    assert account.position(BTC).lots == -5


def test_a_fill_through_zero_closes_and_opens() -> None:
    account = make_account(1, "a")
    fill(account, BID, 10, 100)
    effect = apply_fill(account, BTC, ASK, 15, 150, 0)
    assert effect.sign_changed
    assert (effect.lots_before, effect.entry_quote_before) == (10, 100)
    assert (account.position(BTC).lots, account.position(BTC).entry_quote) == (-5, 50)


def test_fees_are_millionths_of_the_notional() -> None:
    account = make_account(1, "a", tier=Tier.PREMIUM)
    fill(account, BID, 10, 10_000_000, fee=Tier.PREMIUM.taker_fee)
    assert account.collateral == 10_000_000_000 - 2_800


def test_fees_are_of_the_tier() -> None:
    fees = {tier.value: (tier.maker_fee, tier.taker_fee) for tier in Tier}
    paying = {"premium": (40, 280), "plus": (50, 50)}
    assert fees == {"standard": (0, 0), "builder": (0, 0), "unlimited": (0, 0), **paying}


def test_staked_lit_lowers_the_fees_of_a_premium_wallet_alone() -> None:
    account = make_account(1, "a", tier=Tier.PREMIUM)
    account.staked_lit = 500_000
    assert (account.maker_fee, account.taker_fee) == (28, 196)
    account.tier = Tier.PLUS
    assert (account.maker_fee, account.taker_fee) == (50, 50)


def test_rounding_of_partial_closes_loses_nothing() -> None:
    account = make_account(1, "a")
    fill(account, BID, 3, 100)
    for _ in range(3):
        fill(account, ASK, 1, 33)
    assert account.collateral == 10_000_000_000 - 1


def test_health_counts_unrealized_profit_and_initial_margin() -> None:
    account = make_account(1, "a")
    fill(account, BID, 1000, 1000 * LOT_QUOTE)
    state = health(account, MARKETS, {1: MID * 2})
    assert state.portfolio_value == 11_000 * LOT_QUOTE
    assert state.initial_requirement == 100 * LOT_QUOTE
    assert state.maintenance_requirement == 24 * LOT_QUOTE
    assert state.available == 10_900 * LOT_QUOTE


@pytest.mark.parametrize(("side", "sign"), [(BID, 1), (ASK, -1)])
def test_unrealized_profit_follows_the_side(side: Side, sign: int) -> None:
    account = make_account(1, "a")
    fill(account, side, 10, 10 * LOT_QUOTE)
    assert health(account, MARKETS, {1: MID + MID // 10}).portfolio_value == (10_000 + sign) * LOT_QUOTE

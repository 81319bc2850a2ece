import json
from typing import Any

import pytest
from tests.recordings import DATA
from tests.unit.simulator.paper_world import BID, MID, A, make_world

from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.markets import ETH
from lighter_hedge.simulator.edge import wire_rest


def captured(name: str) -> dict[str, Any]:
    if not DATA.is_dir():
        pytest.skip(f"no captured bodies at {DATA}: set LIGHTER_HEDGE_DATA")
    body: dict[str, Any] = json.loads((DATA / "rest_bodies" / f"{name}.json").read_text())["frame"]
    return body


def test_order_books_row_is_the_recorded_one() -> None:
    recorded = captured("cmc_orderBooks_mainnet_5rows")["order_books"][0]
    ours = wire_rest.order_book(ETH)
    assert {key: ours[key] for key in recorded} == recorded
    assert ours.keys() - recorded.keys() == {*wire_rest.NOT_SETTLED, "open_interest"}


def test_order_book_details_has_every_recorded_field() -> None:
    world = make_world()
    recorded = captured("nautilus_http_order_book_details")["order_book_details"][0]
    ours = wire_rest.order_book_detail(
        ETH, world.exchange.state.stats(0, world.now_us), world.exchange.state.market_states[0]
    )
    assert recorded.keys() - ours.keys() == set()
    assert recorded["market_config"].keys() == ours["market_config"].keys()
    assert ours["min_initial_margin_fraction"] == recorded["min_initial_margin_fraction"]


def test_account_has_every_recorded_field() -> None:
    world = make_world()
    world.take(A, BID, 20, MID + 10)
    recorded = captured("nautilus_http_account")["accounts"][0]
    account = world.exchange.state.accounts[A]
    ours = wire_rest.account_detail(world.exchange.state, account, active_only=False)
    assert recorded.keys() - ours.keys() == set()
    assert recorded["positions"][0].keys() - ours["positions"][0].keys() == set()


def test_limits_are_the_recorded_ones_of_a_standard_account() -> None:
    account = make_world(tier=Tier.STANDARD).exchange.state.accounts[A]
    ours, recorded = wire_rest.account_limits(account), captured("cmc_accountLimits_standard")
    assert {key: ours[key] for key in recorded} == recorded
    assert ours.keys() - recorded.keys() == {"bo_user_tier_name", "bo_fee_rate"}


def test_book_orders_have_the_recorded_fields() -> None:
    world = make_world()
    world.rest(A, BID, 20, MID)
    recorded = captured("nautilus_http_order_book_orders")
    ours = wire_rest.order_book_orders(world.exchange.state, 1, 10)
    assert ours.keys() == recorded.keys()
    assert all(row.keys() == recorded["bids"][0].keys() for row in ours["bids"])


def test_a_premium_account_shows_its_fees() -> None:
    account = make_world(tier=Tier.PREMIUM).exchange.state.accounts[A]
    limits = wire_rest.account_limits(account)
    assert (limits["current_maker_fee_tick"], limits["current_taker_fee_tick"]) == (40, 280)

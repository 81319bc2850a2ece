import base64
from typing import Any

import pytest
from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, World, make_world

from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.exchange import SubmitResult
from lighter_hedge.simulator.core.orders import OrderStatus
from lighter_hedge.simulator.core.pushes import PositionsChanged

CROSS, ISOLATED = 0, 1
USDC = 1_000_000


def leverage(world: World, fraction: int, mode: int = CROSS) -> SubmitResult:
    result = world.send(20, A, {"MarketIndex": 1, "InitialMarginFraction": fraction, "MarginMode": mode})
    world.run()
    return result


def margin(world: World, amount: int, direction: int) -> SubmitResult:
    result = world.send(29, A, {"MarketIndex": 1, "USDCAmount": amount, "Direction": direction})
    world.run()
    return result


def transfer(world: World, amount: int, to: int = B, **more: Any) -> SubmitResult:
    fields = {"FromAccountIndex": A, "ToAccountIndex": to, "AssetIndex": 3, "FromRouteType": 0, "ToRouteType": 0}
    result = world.send(12, A, {**fields, "Amount": amount, "USDCFee": 0, "L1Sig": "", **more})
    world.run()
    return result


def isolated(world: World) -> World:
    """A holds 100 lots, isolated, with a tenth of their cost as margin."""
    assert leverage(world, 1_000, ISOLATED).accepted
    world.take(A, BID, 100, MID + 10)
    return world


def test_the_margin_of_an_isolated_position_leaves_the_collateral_and_comes_back() -> None:
    world = isolated(make_world())
    account, position = world.account(A), world.account(A).positions[1]
    assert (position.entry_quote, position.allocated) == (100_001_000, 10_000_100)
    assert account.collateral == 10_000_000_000 - 10_000_100
    assert world.exchange.state.health(account).notional == 0
    world.take(A, ASK, 50, MID - 10)
    assert position.allocated == 5_000_050
    world.take(A, ASK, 50, MID - 20)
    assert (position.allocated, account.collateral) == (0, 10_000_000_000 + position.realized_pnl)


def test_margin_mode_stays_while_there_is_a_position_or_an_order() -> None:
    world = make_world()
    order = world.rest(A, BID, 20, MID - 5)
    assert leverage(world, 500, ISOLATED).code == 21132
    world.cancel(A, order.order_index)
    world.run()
    world.take(A, BID, 20, MID + 10)
    assert leverage(world, 500, ISOLATED).code == 21132
    assert leverage(world, 1_000).accepted


def test_leverage_may_not_fall_below_what_the_account_can_carry() -> None:
    world = make_world()
    world.account(A).collateral = 12 * USDC
    world.take(A, BID, 100, MID + 10)
    assert leverage(world, 2_000).code == 21133
    assert leverage(world, 1_000).accepted
    assert leverage(world, 200).accepted


def test_margin_is_added_and_removed_down_to_the_initial_requirement() -> None:
    world = isolated(make_world())
    position = world.account(A).positions[1]
    assert margin(world, 5 * USDC, 1).accepted
    assert position.allocated == 15_000_100
    assert any(isinstance(push, PositionsChanged) for push in world.pushes)
    assert margin(world, 6 * USDC, 0).code == 21508
    assert margin(world, 4 * USDC, 0).accepted
    assert margin(world, 10_000 * USDC, 1).code == 21301


def test_margin_belongs_to_isolated_positions_alone() -> None:
    world = make_world()
    assert margin(world, USDC, 1).code == 21613
    leverage(world, 500, ISOLATED)
    assert margin(world, USDC, 1).code == 21614


def test_a_new_key_signs_from_nonce_zero_and_a_changed_one_keeps_its_nonce() -> None:
    world = make_world()
    key = base64.b64encode(bytes(40)).decode()
    assert world.send(8, A, {"ApiKeyIndex": 9, "Nonce": 0, "PubKey": key, "L1Sig": "0x1"}).accepted
    world.run()
    assert world.account(A).keys[9].public_key == "00" * 40
    assert world.order(A, BID, 20, MID - 5, ApiKeyIndex=9).accepted
    assert world.send(8, A, {"PubKey": key, "L1Sig": "0x1"}).accepted
    world.run()
    assert (world.account(A).keys[4].public_key, world.nonce(A)) == ("00" * 40, 1)
    assert world.send(8, A, {"PubKey": "x", "L1Sig": "0x1"}).code == 21108
    assert world.send(8, A, {"ApiKeyIndex": 255, "Nonce": 0, "PubKey": key, "L1Sig": "0x1"}).code == 21110


def test_a_sub_account_has_the_wallet_and_tier_of_its_master_and_needs_a_key() -> None:
    world = make_world(tier=Tier.STANDARD)
    assert world.send(9, A, {}).accepted
    world.run()
    sub = world.account(2**47)
    assert (sub.l1_address, sub.tier, sub.collateral, sub.account_type) == ("0xw", Tier.STANDARD, 0, 1)
    assert world.send(15, 2**47, {"MarketIndex": 1, "Index": 1, "Nonce": 0}).code == 21109
    assert transfer(world, 5 * USDC, 2**47).accepted
    assert sub.collateral == 5 * USDC


def test_a_wallet_has_as_many_sub_accounts_as_its_tier_allows() -> None:
    world = make_world(tier=Tier.STANDARD)
    for _ in range(4):
        assert world.send(9, A, {}).accepted
        world.run()
    assert world.send(9, B, {}).code == 21129


def test_a_transfer_within_a_wallet_moves_collateral_and_both_hear_of_it() -> None:
    world = make_world()
    assert transfer(world, 7 * USDC, USDCFee=3).accepted
    assert world.account(A).collateral == 10_000 * USDC - 7 * USDC - 3
    assert world.account(B).collateral == 10_007 * USDC
    told = [push.account_index for push in world.pushes if isinstance(push, PositionsChanged)]
    assert told == [A, B]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"ToAccountIndex": 5}, 21100),
        ({"ToAccountIndex": A}, 21501),
        ({"Amount": 10_001 * USDC}, 21301),
        ({"AssetIndex": 1}, 21805),
        ({"FromRouteType": 1}, 21501),
        ({"Amount": 0}, 21807),
    ],
)
def test_what_cannot_be_transferred_has_its_code(change: dict[str, Any], code: int) -> None:
    assert transfer(make_world(), USDC, **change).code == code


def test_margin_in_use_cannot_be_transferred() -> None:
    world = make_world()
    world.account(A).collateral = 6 * USDC
    world.take(A, BID, 100, MID + 10)
    assert transfer(world, 2 * USDC).code == 21301


def test_between_wallets_the_l1_key_signs() -> None:
    world = make_world(wallets=("0x1", "0x2"))
    assert transfer(world, USDC).code == 21504
    assert transfer(world, USDC, L1Sig="0x1").accepted


def test_what_no_longer_holds_when_it_runs_is_refused_there() -> None:
    world = make_world()
    first = world.send(12, A, _transfer_of(6_000 * USDC))
    second = world.send(12, A, _transfer_of(6_000 * USDC))
    world.run()
    assert (first.accepted, second.accepted, world.ae(second)) == (True, True, 21301)
    assert world.account(A).collateral == 4_000 * USDC


def _transfer_of(amount: int) -> dict[str, Any]:
    fields = {"FromAccountIndex": A, "ToAccountIndex": B, "AssetIndex": 3, "FromRouteType": 0, "ToRouteType": 0}
    return {**fields, "Amount": amount, "USDCFee": 0, "L1Sig": ""}


def test_an_isolated_order_needs_margin_too() -> None:
    world = isolated(make_world())
    assert world.order(A, BID, 2_000_000, MID - 5).code == 21739
    assert world.rest(A, BID, 20, MID - 5).status is OrderStatus.OPEN

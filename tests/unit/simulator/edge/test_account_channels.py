from typing import Any

from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, World, make_world

from lighter_hedge.simulator.core.markets import MARKETS
from lighter_hedge.simulator.core.pushes import FundingPaid
from lighter_hedge.simulator.edge import channels


def first(world: World, asked: str) -> dict[str, Any]:
    return channels.first(world.exchange, channels.find(world.exchange, asked), world.now_us)


def frames(world: World, channel: str) -> list[dict[str, Any]]:
    told = [one for push in world.pushes for one in channels.updates(push, MARKETS, world.now_us)]
    return [frame for name, frame in told if name == channel]


def filled_world() -> World:
    world = make_world()
    world.rest(A, BID, 40, MID, client=7)
    world.take(B, ASK, 20, MID - 10, client=8)
    return world


def liquidated_world() -> World:
    world = filled_world()
    world.pushes = world.exchange.force_trade(A, 1, ASK, 20, "liquidation", world.now_us)
    return world


def test_one_market_of_an_account_tells_one_thing_at_a_time() -> None:
    """Orders, then trades, then the position; all else is null."""
    found = frames(filled_world(), f"account_market:1:{A}")
    parts = ("assets", "funding_history", "orders", "position", "trades")
    told = [[part for part in parts if frame[part] is not None] for frame in found]
    assert told == [["orders"], ["trades"], ["position"]]
    assert found[2]["position"]["position"] == "0.00020"
    assert {frame["account"] for frame in found} == {A}


def test_one_market_of_an_account_begins_with_open_orders_and_the_position() -> None:
    frame = first(filled_world(), f"account_market/1/{A}")
    assert [row["client_order_index"] for row in frame["orders"]] == [7]
    assert (frame["position"]["position"], frame["trades"], frame["assets"]) == ("0.00020", [], None)
    assert first(filled_world(), f"account_market/0/{A}")["position"] is None


def test_orders_of_another_market_are_not_told() -> None:
    world = filled_world()
    assert first(world, f"account_orders/0/{A}")["orders"] == {}
    assert list(first(world, f"account_orders/1/{A}")["orders"]) == ["1"]


def test_assets_show_the_collateral_first_and_after_a_fill() -> None:
    world = filled_world()
    (then,) = frames(world, f"account_all_assets:{B}")
    for frame in (first(world, f"account_all_assets/{B}"), then):
        assert frame["assets"]["3"]["margin_balance"] == "10000.000000"
        assert frame["assets"]["3"]["symbol"] == "USDC"
    assert first(world, f"account_all/{B}")["assets"] == then["assets"]


def test_account_all_says_null_of_assets_that_have_not_changed() -> None:
    """As recorded in 2026."""
    assert {frame["assets"] for frame in frames(filled_world(), f"account_all:{A}")} == {None}


def test_balances_are_stamped_when_they_are_sent() -> None:
    world = filled_world()
    (then,) = frames(world, f"user_stats:{A}")
    assert then["timestamp"] == first(world, f"user_stats/{A}")["timestamp"] == world.now_us // 1000


def test_the_liquidated_hear_of_it_and_read_it_again_later() -> None:
    world = liquidated_world()
    (frame,) = frames(world, f"notification:{A}")
    (told,) = frame["notifs"]
    assert (told["kind"], told["account_index"], told["ack"], told["acked_at"]) == ("liquidation", A, False, None)
    assert told["created_at"] == told["updated_at"] == "2027-01-15T08:00:00.000Z"
    assert told["content"] == {
        "id": told["id"],
        "is_ask": True,
        "usdc_amount": "20.000000",
        "size": "0.00020",
        "market_index": 1,
        "price": "100000.0",
        "avg_price": "100000.0",
        "timestamp": world.now_us // 1_000_000,
    }
    assert first(world, f"notification/{A}")["notifs"] == [told]
    assert first(world, f"notification/{B}")["notifs"] == []


def test_a_deleveraging_tells_its_settlement_price() -> None:
    world = filled_world()
    world.pushes = world.exchange.force_trade(A, 1, ASK, 20, "deleverage", world.now_us)
    (frame,) = frames(world, f"notification:{A}")
    assert frame["notifs"][0]["kind"] == "deleverage"
    assert frame["notifs"][0]["content"]["settlement_price"] == "100000.0"


def test_funding_is_told_alone() -> None:
    world = filled_world()
    world.pushes = [
        FundingPaid(
            account_index=A, market_index=1, funding_id=7, rate=1_200, change=-240, lots=-20, at_us=world.now_us
        )
    ]
    (frame,) = frames(world, f"account_all:{A}")
    (market,) = frames(world, f"account_market:1:{A}")
    (row,) = frame["funding_histories"]["1"]
    assert row == {
        "timestamp": world.now_us // 1_000_000,
        "market_id": 1,
        "funding_id": 7,
        "change": "-0.000240",
        "rate": "0.000012",
        "position_size": "0.00020",
        "position_side": "short",
        "discount": "0.000000",
    }
    assert (frame["positions"], frame["trades"], market["funding_history"]) == ({}, {}, row)


def test_an_ordinary_fill_is_no_notification() -> None:
    assert frames(filled_world(), f"notification:{A}") == []

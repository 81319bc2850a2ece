from typing import Any

from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, World, make_world, print_trade

from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.markets import BTC, MARKETS
from lighter_hedge.simulator.edge import channels, wire


def frames(world: World) -> list[tuple[str, dict[str, Any]]]:
    return [frame for push in world.pushes for frame in channels.updates(push, MARKETS, world.now_us)]


def filled_world(tier: Tier = Tier.UNLIMITED) -> World:
    world = make_world(tier=tier)
    world.rest(A, BID, 20, MID, client=7)
    world.take(B, ASK, 20, MID - 10, client=8)
    return world


def test_private_frames_after_a_fill_come_in_the_recorded_order() -> None:
    names = [channel.split(":")[0] for channel, _ in frames(filled_world()) if channel.endswith(f":{B}")]
    assert names == [
        "account_all_orders",
        "account_orders",
        "account_market",
        "account_all",
        "account_all_trades",
        "account_market",
        "user_stats",
        "account_all",
        "account_all_positions",
        "account_all_assets",
        "account_market",
        "account_tx",
    ]


def test_account_all_carries_trades_or_positions_never_both() -> None:
    found = [frame for channel, frame in frames(filled_world()) if channel == f"account_all:{A}"]
    assert [(bool(frame["trades"]), bool(frame["positions"])) for frame in found] == [
        (True, False),
        (False, True),
    ]


def test_amounts_have_the_markets_decimals() -> None:
    channels = dict(frames(filled_world()))
    row = channels[f"account_all_orders:{A}"]["orders"]["1"][0]
    assert (row["initial_base_amount"], row["price"], row["filled_quote_amount"]) == (
        "0.00020",
        "100000.0",
        "20.000000",
    )
    assert (row["status"], row["remaining_base_amount"], row["base_size"]) == ("filled", "0.00000", 0)
    assert (row["time_in_force"], row["type"], row["side"]) == ("post-only", "limit", "")
    position = channels[f"account_all_positions:{B}"]["positions"]["1"]
    assert (position["sign"], position["position"], position["avg_entry_price"]) == (
        -1,
        "0.00020",
        "100000.0",
    )
    assert position["initial_margin_fraction"] == "5.00"


def test_times_have_the_recorded_units() -> None:
    world = filled_world()
    channels = dict(frames(world))
    row = channels[f"account_all_orders:{A}"]["orders"]["1"][0]
    assert row["timestamp"] == world.now_us // 1_000_000
    assert row["transaction_time"] == world.now_us
    trade = channels["trade:1"]["trades"][0]
    assert trade["timestamp"] == world.now_us // 1000


def test_zero_fees_are_left_out_and_others_are_millionths() -> None:
    free = dict(frames(filled_world()))["trade:1"]["trades"][0]
    paid = dict(frames(filled_world(Tier.PREMIUM)))["trade:1"]["trades"][0]
    assert not {"taker_fee", "maker_fee"} & set(free)
    assert (paid["maker_fee"], paid["taker_fee"]) == (40, 280)


def test_both_client_ids_and_accounts_are_in_a_trade() -> None:
    trade = dict(frames(filled_world()))[f"account_all_trades:{A}"]["trades"]["1"][0]
    assert (trade["bid_client_id"], trade["ask_client_id"]) == (7, 8)
    assert (trade["bid_account_id"], trade["ask_account_id"]) == (A, B)
    assert trade["is_maker_ask"] is False
    assert len(trade["tx_hash"]) == 80


def test_a_deleted_level_has_size_zero_with_decimals() -> None:
    world = make_world()
    world.run(ms=100)
    world.rest(A, BID, 20, MID - 5)
    world.run(ms=100)
    world.cancel(A, world.last_order(A).order_index)
    world.run(ms=100)
    book = dict(frames(world))["order_book:1"]["order_book"]
    assert book["bids"] == [{"price": "99999.5", "size": "0.00000"}]


def test_public_prints_are_newest_first() -> None:
    world = make_world()
    world.rest(A, BID, 20, MID)
    world.pushes = world.traffic(print_trade(MID, 50, ASK))
    sizes = [row["size"] for channel, frame in frames(world) if channel == "trade:1" for row in frame["trades"]]
    assert sizes == ["0.00020", "0.00030"]


def test_mean_price_is_rounded_to_the_nearest_tick() -> None:
    assert wire.average_ticks(BTC, 3, 3_000_001) == MID
    assert wire.average_ticks(BTC, 2, 2_000_003) == MID + 2
    assert wire.average_ticks(BTC, 0, 0) == 0

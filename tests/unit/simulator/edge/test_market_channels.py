from typing import Any

from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, World, book_change, make_world, print_trade

from lighter_hedge.simulator.core.markets import MARKETS
from lighter_hedge.simulator.core.pushes import Push
from lighter_hedge.simulator.edge import channels


def first(world: World, asked: str) -> dict[str, Any]:
    return channels.first(world.exchange, channels.find(world.exchange, asked), world.now_us)


def frames(world: World, pushes: list[Push], channel: str) -> list[dict[str, Any]]:
    told = [one for push in pushes for one in channels.updates(push, MARKETS, world.now_us)]
    return [frame for name, frame in told if name == channel]


def test_a_book_is_stamped_when_it_last_changed_and_when_it_was_sent() -> None:
    world = make_world()
    world.run(ms=100)
    changed_us = world.exchange.state.market_states[1].book_us
    world.run(ms=5_000)
    book = first(world, "order_book/1")
    assert book["last_updated_at"] == book["order_book"]["last_updated_at"] == changed_us
    assert book["timestamp"] == world.now_us // 1000


def test_a_book_in_which_nothing_has_happened_has_no_stamp_at_the_top() -> None:
    """As recorded of an empty market."""
    world = make_world()
    for asked, inner in (("order_book/0", "order_book"), ("ticker/0", "ticker")):
        frame = first(world, asked)
        assert "last_updated_at" not in frame
        assert frame[inner]["last_updated_at"] == 0


def test_liquidations_have_a_list_of_their_own_first_and_then() -> None:
    world = make_world()
    world.rest(A, BID, 20, MID - 5)
    world.take(B, ASK, 20, MID - 5)
    pushes = world.exchange.force_trade(A, 1, ASK, 20, "liquidation", world.now_us)
    (frame,) = frames(world, pushes, "trade:1")
    assert (frame["trades"], [one["type"] for one in frame["liquidation_trades"]]) == ([], ["liquidation"])
    history = first(world, "trade/1")
    assert [one["type"] for one in history["trades"]] == ["trade"]
    assert [one["type"] for one in history["liquidation_trades"]] == ["liquidation"]


def test_the_history_has_the_last_fifty_trades_newest_first() -> None:
    world = make_world()
    for _ in range(60):
        world.traffic(print_trade(MID, 1, ASK))
    ids = [one["trade_id"] for one in first(world, "trade/1")["trades"]]
    assert len(ids) == 50
    assert ids == sorted(ids, reverse=True)


def test_stats_of_all_are_a_map_whole_at_first_and_of_one_market_then() -> None:
    world = make_world()
    assert set(first(world, "market_stats/all")["market_stats"]) == {"0", "1"}
    (then,) = frames(world, [world.exchange.state.stats(1, world.now_us)], "market_stats:all")
    assert set(then["market_stats"]) == {"1"}
    assert first(world, "market_stats/1")["market_stats"]["symbol"] == "BTC"


def test_a_candle_has_floats_and_the_last_trade() -> None:
    world = make_world()
    assert first(world, "candle/1/1m")["candles"] == []
    for price, lots in ((MID, 50), (MID + 30, 50)):
        world.traffic(print_trade(price, lots, BID))
    (candle,) = first(world, "candle/1/1m")["candles"]
    trade_id = world.exchange.state.market_states[1].trades[0].trade_id
    assert candle == {
        "t": world.now_us // 60_000_000 * 60_000,
        "o": 100000.0,
        "h": 100003.0,
        "l": 100000.0,
        "c": 100003.0,
        "v": 0.001,
        "V": 100.0015,
        "i": trade_id,
    }


def test_the_ticker_does_not_wait_for_the_batch() -> None:
    world = make_world()
    world.run(ms=100)
    pushes = world.traffic(book_change((ASK, MID + 5, 7)))
    (frame,) = frames(world, pushes, "ticker:1")
    assert frame["ticker"]["a"] == {"price": "100000.5", "size": "0.00007"}
    assert frames(world, pushes, "order_book:1") == []

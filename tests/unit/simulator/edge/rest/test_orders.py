from typing import Any

from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, World, make_world
from tests.unit.simulator.rest_asking import asked, code_of, token, venue_of

from lighter_hedge.simulator.edge.rest.orders import Orders


def own(world: World, **more: Any) -> Any:
    return asked(token(world, A), account_index=A, **more)


def clients(body: dict[str, Any]) -> list[int]:
    return [row["client_order_index"] for row in body["orders"]]


def dead(world: World, client: int, side: Any = BID, **more: Any) -> None:
    world.rest(A, side, 60, MID + (-10 if side is BID else 10), client=client, **more)
    world.cancel(A, client)
    world.run(ms=1000)


def test_open_orders_of_one_market_or_of_all() -> None:
    world = make_world()
    ours = Orders(venue_of(world))
    world.rest(A, BID, 20, MID - 10, client=1)
    world.rest(A, BID, 100, 300_000, client=2, MarketIndex=0)
    assert clients(ours.active(own(world))) == [2, 1]
    assert clients(ours.active(own(world, market_id=1, market_type="perp"))) == [1]
    assert clients(ours.active(own(world, market_type="spot"))) == []
    assert code_of(lambda: ours.active(own(world, market_type="x"))) == 20001
    assert code_of(lambda: ours.active(asked(account_index=A))) == 20001


def test_dead_orders_by_page_side_and_time() -> None:
    world = make_world()
    ours = Orders(venue_of(world))
    start_ms = world.now_us // 1000
    dead(world, 1)
    dead(world, 2, ASK)
    dead(world, 3)
    first = ours.inactive(own(world, limit=2))
    assert clients(first) == [3, 2]
    assert clients(ours.inactive(own(world, limit=2, cursor=first["next_cursor"]))) == [1]
    assert clients(ours.inactive(own(world, limit=9, ask_filter=1))) == [2]
    assert clients(ours.inactive(own(world, limit=9, ask_filter=0))) == [3, 1]
    assert clients(ours.inactive(own(world, limit=9, ask_filter=-1))) == [3, 2, 1]
    assert clients(ours.inactive(own(world, limit=9, between_timestamps=f"{start_ms}-{start_ms + 999}"))) == [1]
    assert clients(ours.inactive(own(world, limit=9, between_timestamps=f"{start_ms + 1000},{10**13}"))) == [3, 2]
    for bad in ({"limit": 9, "between_timestamps": "5"}, {"limit": 9, "ask_filter": 2}, {"limit": 101}, {}):
        assert code_of(lambda bad=bad: ours.inactive(own(world, **bad))) == 20001  # type: ignore[misc]


def test_orders_by_client_index_of_the_account_or_of_the_tokens_holder() -> None:
    world = make_world()
    ours = Orders(venue_of(world))
    world.rest(A, BID, 20, MID - 10, client=7)
    dead(world, 8)
    assert clients(ours.by_client_indexes(own(world, client_order_indexes="7,8,9"))) == [8, 7]
    assert clients(ours.by_client_indexes(asked(token(world, A), client_order_indexes="7"))) == [7]
    assert clients(ours.by_client_indexes(asked(token(world, B), client_order_indexes="7"))) == []
    for bad in ("", "x", ",".join(map(str, range(21)))):
        assert code_of(lambda bad=bad: ours.by_client_indexes(own(world, client_order_indexes=bad))) == 20001  # type: ignore[misc]


def traded() -> World:
    """A makes a bid that B hits, then takes an ask of the market; both in BTC."""
    world = make_world()
    world.rest(A, BID, 20, MID, client=1)
    world.take(B, ASK, 20, MID)
    world.run(ms=1000)
    world.take(A, BID, 30, MID + 10)
    return world


def sizes(body: dict[str, Any]) -> list[str]:
    return [row["size"] for row in body["trades"]]


def test_trades_of_an_account_by_role_side_order_and_direction() -> None:
    world = traded()
    ours = Orders(venue_of(world))

    def found(**more: Any) -> list[str]:
        return sizes(ours.trades(own(world, sort_by="timestamp", limit=9, **more)))

    assert found() == ["0.00030", "0.00020"]
    assert found(sort_dir="asc") == ["0.00020", "0.00030"]
    assert (found(role="maker"), found(role="taker")) == (["0.00020"], ["0.00030"])
    assert (found(ask_filter=1), found(ask_filter=0)) == ([], ["0.00030", "0.00020"])
    order = world.exchange.state.orders_of[A][0]
    assert (found(order_index=order), found(order_index_str=order, order_index=5)) == (["0.00020"], ["0.00020"])
    assert (found(type="trade"), found(type="liquidation")) == (["0.00030", "0.00020"], [])
    assert (found(market_id=0), found(market_type="spot")) == ([], [])
    last = world.exchange.state.trades_of[A][-1].trade_id
    assert found(**{"from": last}) == ["0.00030"]


def test_a_side_of_anothers_own_trade_is_not_mine() -> None:
    world = traded()
    body = Orders(venue_of(world)).trades(
        asked(token(world, B), account_index=B, sort_by="trade_id", limit=9, role="taker", ask_filter=1)
    )
    assert sizes(body) == ["0.00020"]


def test_trades_of_everybody_need_no_token_and_a_good_question() -> None:
    world = traded()
    ours = Orders(venue_of(world))
    assert sizes(ours.trades(asked(sort_by="trade_id", limit=1, account_index=-1))) == ["0.00030"]
    assert sizes(ours.recent_trades(asked(market_id=1, limit=9))) == ["0.00030", "0.00020"]
    assert sizes(ours.recent_trades(asked(market_id=0, limit=9))) == []
    assert code_of(lambda: ours.trades(asked(limit=1))) == 20001
    assert code_of(lambda: ours.trades(asked(sort_by="size", limit=1))) == 20001
    assert code_of(lambda: ours.trades(asked(sort_by="trade_id", limit=1, role="x"))) == 20001
    assert code_of(lambda: ours.trades(asked(sort_by="trade_id", limit=1, order_index_str="x"))) == 20001
    assert code_of(lambda: ours.trades(asked(sort_by="trade_id", limit=1, account_index=A))) == 20001
    assert code_of(lambda: ours.recent_trades(asked(market_id=1, limit=101))) == 20001

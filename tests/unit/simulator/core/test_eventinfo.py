import json

from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, make_world

from lighter_hedge.simulator.core import eventinfo


def test_a_fill_shows_trade_and_both_orders() -> None:
    world = make_world()
    quote = world.rest(A, BID, 20, MID, client=7)
    hedge = world.take(B, ASK, 20, MID - 10, client=8)
    info = json.loads(world.exchange.state.txs[hedge.tx_hash].event_info)
    assert set(info) == {"m", "t", "mo", "to", "ae"}
    assert info["t"] == {"p": MID, "s": 20, "tf": 0, "mf": 0}
    assert (info["mo"]["i"], info["mo"]["u"], info["mo"]["st"]) == (quote.order_index, 7, 3)
    assert (info["to"]["a"], info["to"]["ia"], info["to"]["rs"]) == (B, 1, 0)
    assert info["ae"] == ""


def test_a_no_op_cancel_carries_21600_as_json_text() -> None:
    info = json.loads(eventinfo.cancel_event(A, None, 5))
    assert (info["a"], info["i"]) == (A, 5)
    assert json.loads(info["ae"])["code"] == 21600


def test_a_modification_shows_old_and_new() -> None:
    world = make_world()
    order = world.rest(A, BID, 20, MID)
    info = json.loads(eventinfo.modify_event(1, order, order))
    assert info["oo"]["i"] == info["no"]["i"] == order.order_index
    assert json.loads(json.loads(eventinfo.modify_event(1, None, None))["ae"])["code"] == 21600


def test_plain_and_refused() -> None:
    assert json.loads(eventinfo.plain_event()) == {"ae": ""}
    assert json.loads(json.loads(eventinfo.refused_event(21728, "x"))["ae"]) == {
        "code": 21728,
        "message": "x",
    }

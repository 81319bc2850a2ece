import json
from typing import Any

from tests.unit.simulator.paper_world import MID, A, B, World, make_world

from lighter_hedge.simulator.edge.sending import send_batch, send_one
from lighter_hedge.simulator.edge.settings import PaperSettings
from lighter_hedge.simulator.edge.venue import Venue


def venue_of(world: World) -> Venue:
    return Venue(world.exchange, PaperSettings(traffic="none"), clock=lambda: world.now_us)


def order(world: World, account: int, nonce: int) -> dict[str, Any]:
    return {
        "AccountIndex": account,
        "ApiKeyIndex": 4,
        "MarketIndex": 1,
        "ClientOrderIndex": 0,
        "BaseAmount": 20,
        "Price": MID,
        "IsAsk": 0,
        "Type": 0,
        "TimeInForce": 2,
        "ReduceOnly": 0,
        "TriggerPrice": 0,
        "OrderExpiry": world.now_us // 1000 + 3_600_000,
        "ExpiredAt": world.now_us // 1000 + 599_000,
        "Nonce": nonce,
    }


def test_one_as_text_or_object() -> None:
    world = make_world()
    venue = venue_of(world)
    first = send_one(venue, "14", json.dumps(order(world, A, 0)), "ip")
    second = send_one(venue, 14, order(world, A, 1), "ip")
    assert (first.status, second.status) == (200, 200)
    assert first.body["tx_hash"] != second.body["tx_hash"]
    assert world.nonce(A) == 2


def test_the_text_that_was_signed_is_kept() -> None:
    world = make_world()
    text = json.dumps(order(world, A, 0), indent=3)
    answer = send_one(venue_of(world), 14, text, "ip")
    assert world.exchange.state.txs[answer.body["tx_hash"]].info == text


def test_a_batch_stops_at_its_first_refusal() -> None:
    world = make_world()
    infos = [json.dumps(order(world, A, nonce)) for nonce in (0, 1, 5)]
    answer = send_batch(venue_of(world), "[14,14,14]", json.dumps(infos), "ip")
    assert (answer.status, answer.body["code"], world.nonce(A)) == (400, 21104, 2)


def test_a_batch_is_of_one_account_and_not_too_long() -> None:
    world = make_world()
    venue = venue_of(world)
    infos = [order(world, A, 0), order(world, B, 0)]
    assert send_batch(venue, [14, 14], infos, "ip").body["code"] == 21121
    assert send_batch(venue, [14] * 51, [order(world, A, 0)] * 51, "ip").body["code"] == 21514
    assert send_batch(venue, "[14", "[]", "ip").body["code"] == 21513


def test_a_lost_answer_is_marked_and_the_transaction_runs() -> None:
    world = make_world()
    venue = venue_of(world)
    world.fault(kind="lose_answer", account="a")
    assert send_one(venue, 14, order(world, A, 9), "ip").status == 400
    assert send_one(venue, 14, order(world, A, 0), "ip").lost
    assert not send_one(venue, 14, order(world, A, 1), "ip").lost
    assert world.nonce(A) == 2


def test_half_a_character_makes_it_no_transaction() -> None:
    world = make_world()
    venue = venue_of(world)
    broken = json.dumps({**order(world, A, 0), "Sig": "\ud800"})
    for info in (broken, json.loads(broken)):
        assert send_one(venue, 14, info, "ip").body["code"] == 21501
    assert send_batch(venue, "[14]", json.dumps([broken]), "ip").status == 400

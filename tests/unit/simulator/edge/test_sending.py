import json
from base64 import b64encode
from typing import Any

from tests.unit.simulator.own_signer import public_key_of, signed
from tests.unit.simulator.paper_world import MID, A, B, World, make_world

from lighter_hedge.simulator.edge.sending import send_batch, send_one
from lighter_hedge.simulator.edge.settings import PaperSettings
from lighter_hedge.simulator.edge.venue import Venue
from lighter_hedge.simulator.signing.txhash import tx_hash

MINE, OTHER, CHAIN = 11, 12, 304
"""Private keys, and the chain that is signed."""


def venue_of(world: World, *, verify_signatures: bool = False) -> Venue:
    world.exchange.state.accounts[A].keys[4].public_key = public_key_of(MINE).hex()
    settings = PaperSettings(traffic="none", verify_signatures=verify_signatures)
    return Venue(world.exchange, settings, clock=lambda: world.now_us)


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


def test_only_what_the_registered_key_has_signed_is_taken_and_the_nonce_stays() -> None:
    world = make_world()
    venue = venue_of(world, verify_signatures=True)
    good = signed(MINE, CHAIN, 14, order(world, A, 0))
    wrong = [
        order(world, A, 0),
        signed(OTHER, CHAIN, 14, order(world, A, 0)),
        signed(MINE, 300, 14, order(world, A, 0)),
        {**good, "Price": good["Price"] - 1},
        {**good, "L2TxAttributes": {"4": 1}},
        {**good, "ApiKeyIndex": 5},
    ]
    for one in wrong:
        answer = send_one(venue, 14, one, "ip")
        assert (answer.status, answer.body) == (400, {"code": 21120, "message": "invalid signature"})
    assert world.nonce(A) == 0
    assert send_one(venue, 14, json.dumps(good), "ip").status == 200
    assert world.nonce(A) == 1


def test_a_batch_ends_at_a_wrong_signature() -> None:
    world = make_world()
    venue = venue_of(world, verify_signatures=True)
    infos = [signed(key, CHAIN, 14, order(world, A, nonce)) for nonce, key in enumerate((MINE, OTHER, MINE))]
    answer = send_batch(venue, [14] * 3, infos, "ip")
    assert (answer.status, answer.body["code"], world.nonce(A)) == (400, 21120, 1)


def test_what_names_no_key_or_cannot_be_hashed_keeps_its_own_error() -> None:
    world = make_world()
    venue = venue_of(world, verify_signatures=True)
    good = order(world, A, 0)
    for changed, code in (
        ({"AccountIndex": 9}, 21100),
        ({"AccountIndex": [9]}, 21102),
        ({"ApiKeyIndex": 9}, 21109),
        ({"ApiKeyIndex": "4"}, 21110),
        ({"Price": None}, 21702),
    ):
        assert send_one(venue, 14, {**good, **changed}, "ip").body["code"] == code
    assert send_one(venue, 99, good, "ip").body["code"] == 21505


def test_a_key_that_registers_itself_needs_its_own_signature_only() -> None:
    """Whether the wallet wanted it, the signature of the wallet says, which no paper account has."""
    world = make_world()
    venue = venue_of(world, verify_signatures=True)
    head = {name: order(world, A, 0)[name] for name in ("AccountIndex", "ApiKeyIndex", "ExpiredAt", "Nonce")}
    change = {**head, "PubKey": b64encode(public_key_of(OTHER)).decode(), "L1Sig": "0x"}
    assert send_one(venue, 8, signed(MINE, CHAIN, 8, change), "ip").body["code"] == 21120
    assert send_one(venue, 8, signed(OTHER, CHAIN, 8, change), "ip").body["code"] != 21120


def test_what_the_true_hash_cannot_take_is_refused() -> None:
    """Fields that nothing but the hash looks at may be absent, and attributes may be nonsense."""
    world = make_world(tx_hash=tx_hash)
    venue = venue_of(world)
    info = order(world, A, 0)
    without = {name: value for name, value in info.items() if name != "TriggerPrice"}
    for wrong in (without, {**info, "L2TxAttributes": {"x": 1}}, {**info, "L2TxAttributes": {"4": 0.5}}):
        answer = send_one(venue, 14, wrong, "ip")
        assert (answer.status, answer.body["code"]) == (400, 21501)
    assert send_one(venue, 14, info, "ip").status == 200

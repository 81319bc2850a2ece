from typing import Any

from tests.unit.simulator.paper_world import BID, MID, A, make_world
from tests.unit.simulator.rest_asking import asked, code_of, venue_of

from lighter_hedge.simulator.edge.rest.transactions import Transactions


def hashes(body: dict[str, Any]) -> list[str]:
    return [row["hash"] for row in body["txs"]]


def test_the_next_nonce_of_an_unknown_key_is_zero() -> None:
    world = make_world()
    world.rest(A, BID, 20, MID - 10)
    ours = Transactions(venue_of(world))
    nonces = [ours.next_nonce(asked(account_index=a, api_key_index=k))["nonce"] for a, k in ((A, 4), (A, 9), (7, 4))]
    assert nonces == [1, 0, 0]
    assert code_of(lambda: ours.next_nonce(asked(account_index=A))) == 20001


def test_a_transaction_by_hash_and_by_sequence() -> None:
    world = make_world()
    sent = world.order(A, BID, 20, MID - 10)
    world.run()
    ours = Transactions(venue_of(world))
    found = ours.tx(asked(by="hash", value="0x" + sent.tx_hash.upper()))
    assert (found["status"], found["nonce"], found["hash"]) == (2, 0, sent.tx_hash)
    assert ours.tx(asked(by="sequence_index", value=found["sequence_index"]))["hash"] == sent.tx_hash
    assert code_of(lambda: ours.tx(asked(by="hash", value="00"))) == 21500
    assert code_of(lambda: ours.tx(asked(by="sequence_index", value=1))) == 21500
    assert code_of(lambda: ours.tx(asked(by="sequence_index", value="x"))) == 20001
    assert code_of(lambda: ours.tx(asked(by="nonce", value=1))) == 20001
    assert code_of(lambda: ours.tx_from_l1(asked(hash="00"))) == 21500
    assert code_of(lambda: ours.tx_from_l1(asked())) == 20001


def test_transactions_of_an_account_and_of_all_newest_first() -> None:
    world = make_world()
    first, second = world.order(A, BID, 20, MID - 10, client=1), world.cancel(A, 1)
    world.run()
    ours = Transactions(venue_of(world))
    of_a = {"by": "account_index", "value": A}
    assert hashes(ours.account_txs(asked(**of_a, limit=9))) == [second.tx_hash, first.tx_hash]
    assert hashes(ours.account_txs(asked(**of_a, limit=9, types="14"))) == [first.tx_hash]
    page = ours.account_txs(asked(**of_a, limit=1))
    assert hashes(ours.account_txs(asked(**of_a, limit=1, cursor=page["next_cursor"]))) == [first.tx_hash]
    assert hashes(ours.account_txs(asked(**of_a, limit=1, index=1))) == [first.tx_hash]
    assert hashes(ours.account_txs(asked(by="account_index", value=7, limit=1))) == []
    assert hashes(ours.txs(asked(limit=1))) == [second.tx_hash]
    assert code_of(lambda: ours.account_txs(asked(by="l1_address", value=A, limit=9))) == 20001
    assert code_of(lambda: ours.account_txs(asked(by="account_index", value="x", limit=9))) == 20001
    assert code_of(lambda: ours.txs(asked())) == 20001


def test_what_has_not_run_is_in_no_block() -> None:
    world = make_world()
    sent = world.order(A, BID, 20, MID - 10)
    ours = Transactions(venue_of(world))
    assert hashes(ours.txs(asked(limit=9))) == []
    world.run()
    height = ours.current_height(asked())["height"]
    assert world.exchange.state.txs[sent.tx_hash].height == height
    block = ours.block(asked(by="height", value=height))["blocks"][0]
    assert (block["height"], block["size"], hashes(block)) == (height, 1, [sent.tx_hash])
    again = ours.block(asked(by="commitment", value=block["commitment"]))
    assert again["blocks"][0]["height"] == height
    assert hashes(ours.block_txs(asked(by="block_height", value=height))) == [sent.tx_hash]
    assert hashes(ours.block_txs(asked(by="block_height", value=height - 1))) == []


def test_blocks_go_up_or_down_and_end_at_the_newest() -> None:
    ours = Transactions(venue_of(make_world()))
    newest = ours.current_height(asked())["height"]

    def heights(**more: Any) -> list[int]:
        return [row["height"] - newest for row in ours.blocks(asked(**more))["blocks"]]

    assert heights(limit=3) == [-2, -1, 0]
    assert heights(limit=3, sort="desc") == [0, -1, -2]
    assert heights(limit=3, index=newest - 1) == [-1, 0]
    assert heights(limit=3, index=1, sort="desc") == [1 - newest, -newest]
    assert ours.blocks(asked(limit=1))["total"] == newest
    assert code_of(lambda: ours.block(asked(by="height", value=newest + 1)), status=404) == 29404
    assert code_of(lambda: ours.block(asked(by="commitment", value="ab")), status=404) == 29404
    assert code_of(lambda: ours.block(asked(by="height", value="x"))) == 20001
    assert code_of(lambda: ours.block(asked(by="hash", value="1"))) == 20001


def test_a_send_needs_both_its_fields() -> None:
    ours = Transactions(venue_of(make_world()))
    for values in ({}, {"tx_type": 14}, {"tx_info": "{}"}, {"tx_type": 14, "tx_info": "{}", "price_protection": "x"}):
        assert code_of(lambda values=values: ours.send_tx(asked(**values), "1")) == 20001  # type: ignore[misc]
    assert code_of(lambda: ours.send_tx_batch(asked(tx_types="[14]"), "1")) == 20001
    assert ours.send_tx(asked(tx_type=14, tx_info="{", price_protection="False"), "1").body["code"] == 21501
    assert ours.send_tx_batch(asked(tx_types="[14]", tx_infos="[]"), "1").body["code"] == 21513

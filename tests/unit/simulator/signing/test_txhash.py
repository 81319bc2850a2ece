"""The hash of a transaction, against recorded vectors.

That it is the signer's for random transactions of every type, ``tests/properties/test_signing.py`` shows.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.recordings import DATA
from tests.sdk_signer import KINDS

from lighter_hedge.simulator.signing.poseidon2_constants import P
from lighter_hedge.simulator.signing.txhash import account_field, tx_hash

MAINNET = 304


def _vectors() -> Iterator[dict[str, Any]]:
    for vector in json.loads((DATA / "signing" / "vectors.json").read_text()):
        if "tx_type" in vector:
            yield vector


@pytest.mark.skipif(
    not (DATA / "signing").is_dir(), reason="no recorded vectors; set LIGHTER_HEDGE_DATA to where they are"
)
def test_the_hash_agrees_with_recorded_vectors() -> None:
    """Every recorded transaction hashes to the recorded hash."""
    checked = 0
    for vector in _vectors():
        assert tx_hash(vector["chain_id"], vector["tx_type"], vector["tx_info"]) == vector["tx_hash"]
        checked += 1
    assert checked >= 48


CANCEL = {"AccountIndex": 1, "ApiKeyIndex": 2, "MarketIndex": 1, "Index": 9, "ExpiredAt": 5, "Nonce": 3}


def test_a_nil_attribute_does_not_change_the_hash() -> None:
    """Zero, and 255 for the market attribute, mean that the attribute is not set."""
    plain = tx_hash(MAINNET, 15, CANCEL)
    assert tx_hash(MAINNET, 15, {**CANCEL, "L2TxAttributes": {"4": 0, "5": 255}}) == plain
    assert tx_hash(MAINNET, 15, {**CANCEL, "L2TxAttributes": {"5": 0}}) != plain


def test_attributes_are_hashed_by_type_whatever_their_order() -> None:
    """The map of a client need not be sorted."""
    one, other = {"4": 1, "5": 0, "8": 2}, {"8": 2, "5": 0, "4": 1}
    assert tx_hash(MAINNET, 15, {**CANCEL, "L2TxAttributes": one}) == tx_hash(
        MAINNET, 15, {**CANCEL, "L2TxAttributes": other}
    )


def test_what_cannot_be_hashed_is_named() -> None:
    """Unknown types, absent fields and surplus attributes are refused with their name."""
    with pytest.raises(ValueError, match="transaction type 99 has no known hash"):
        tx_hash(MAINNET, 99, CANCEL)
    with pytest.raises(ValueError, match="fields Price, TriggerPrice are absent"):
        tx_hash(MAINNET, 17, {**CANCEL, "BaseAmount": 4})
    with pytest.raises(ValueError, match="5 transaction attributes"):
        tx_hash(MAINNET, 15, {**CANCEL, "L2TxAttributes": {str(kind): 1 for kind in range(6, 11)}})
    with pytest.raises(ValueError, match="L2TxAttributes is not a map"):
        tx_hash(MAINNET, 15, {**CANCEL, "L2TxAttributes": [4, 1]})
    with pytest.raises(ValueError, match="Orders"):
        tx_hash(MAINNET, 28, {**CANCEL, "GroupingType": 1})


def test_every_type_of_the_signer_is_known_and_says_what_it_lacks() -> None:
    """The account of a transfer and of a withdrawal has a name of its own."""
    for tx_type in KINDS:
        with pytest.raises(ValueError, match=f"fields Nonce, ExpiredAt, {account_field(tx_type)}, ApiKeyIndex"):
            tx_hash(MAINNET, tx_type, {})
    assert {tx_type for tx_type in KINDS if account_field(tx_type) == "FromAccountIndex"} == {12, 13}


def test_a_memo_is_not_hashed_and_both_halves_of_an_amount_are() -> None:
    head = {"Nonce": 1, "ExpiredAt": 2, "FromAccountIndex": 3, "ApiKeyIndex": 4, "ToAccountIndex": 5}
    transfer = {**head, "AssetIndex": 3, "FromRouteType": 0, "ToRouteType": 0, "Amount": 7, "USDCFee": 0, "Memo": [1]}
    plain = tx_hash(MAINNET, 12, transfer)
    assert tx_hash(MAINNET, 12, {**transfer, "Memo": [2]}) == plain
    assert len({plain, *(tx_hash(MAINNET, 12, {**transfer, "Amount": 7 + 2**at}) for at in (3, 33, 59))}) == 4


@pytest.mark.parametrize("beyond", [2**63, P + 5, -(2**63) - 1])
def test_no_other_number_has_the_hash_of_one_of_64_bits(beyond: int) -> None:
    """Numbers are hashed modulo the prime: without a limit, an altered deadline would keep its signature."""
    with pytest.raises(ValueError, match="ExpiredAt"):
        tx_hash(MAINNET, 15, {**CANCEL, "ExpiredAt": beyond})
    with pytest.raises(ValueError, match="L2TxAttributes"):
        tx_hash(MAINNET, 15, {**CANCEL, "L2TxAttributes": {"1": beyond}})

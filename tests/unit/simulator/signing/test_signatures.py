"""Who has signed a transaction or a token. Random ones of every type are in ``tests/properties/test_signing.py``."""

import json
import random
from typing import Any

import pytest
from tests.recordings import DATA
from tests.sdk_signer import MAINNET, key_pair, signers

from lighter_hedge.simulator.signing.schnorr import key_table
from lighter_hedge.simulator.signing.signatures import prepare, token_is_signed, tx_is_signed

CANCEL = {"AccountIndex": 1, "ApiKeyIndex": 2, "MarketIndex": 1, "Index": 9, "ExpiredAt": 5, "Nonce": 3}
KEY = key_pair()[1]


@pytest.mark.skipif(
    not (DATA / "signing").is_dir(), reason="no recorded vectors; set LIGHTER_HEDGE_DATA to where they are"
)
def test_recorded_signatures_are_valid() -> None:
    """All of the vectors, and none of them for the other chain."""
    vectors: list[dict[str, Any]] = json.loads((DATA / "signing" / "vectors.json").read_text())
    transactions = [one for one in vectors if "tx_type" in one]
    tokens = [one for one in vectors if "auth_token" in one]
    assert (len(transactions), len(tokens)) == (48, 2)
    for one in transactions:
        signed = one["tx_type"], one["tx_info"], one["public_key"]
        assert tx_is_signed(one["chain_id"], *signed)
        assert not tx_is_signed(604 - one["chain_id"], *signed)
    assert all(token_is_signed(one["auth_token"], one["public_key"]) for one in tokens)


@pytest.mark.parametrize("wrong", [None, "", "x", "AA==", "ä", 5, [], "A" * 108])
def test_what_is_no_signature_is_no_error(wrong: object) -> None:
    assert not tx_is_signed(MAINNET, 15, {**CANCEL, "Sig": wrong}, KEY)


@pytest.mark.parametrize("token", ["", ":", "1:2:3:", "1:2:3:zz", "1:2:3:" + "00" * 80, "ä:1:2:" + "ff" * 80])
def test_a_token_without_a_signature_is_no_error(token: str) -> None:
    assert not token_is_signed(token, KEY)


def test_a_key_is_registered_by_its_own_signature() -> None:
    """The key that was there before, if any, has no say; one that is not the signer's own is refused."""
    signer = signers()[0]
    tx_info, _ = signer.sign(8, random.Random(7))
    assert tx_is_signed(MAINNET, 8, tx_info, "")
    assert tx_is_signed(MAINNET, 8, tx_info, KEY)
    for wrong in (None, "x", "AAAA", 5):
        with pytest.raises(ValueError, match="PubKey"):
            tx_is_signed(MAINNET, 8, {**tx_info, "PubKey": wrong}, signer.public_key)


def test_what_cannot_be_hashed_is_an_error() -> None:
    with pytest.raises(ValueError, match="99 has no known hash"):
        tx_is_signed(MAINNET, 99, CANCEL, KEY)


def test_tables_are_made_in_advance_for_what_is_a_key() -> None:
    key = key_pair()[1]
    prepare(["nonsense", "00" * 40, key])
    before = key_table.cache_info().hits
    key_table(bytes.fromhex(key))
    assert key_table.cache_info().hits == before + 1

"""What the SDK's own signer signs has the hash that it says and a valid signature; what was altered has not."""

import copy
import random
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from tests.properties.profile import asked, examples
from tests.sdk_signer import KINDS, MAINNET, TESTNET, Signer, signers

from lighter_hedge.simulator.signing.signatures import token_is_signed, tx_is_signed
from lighter_hedge.simulator.signing.txhash import tx_hash

EVERYDAY, PART = 4, 10
"""Transactions of each type: about 80 in all in ``make test``, a tenth of the examples otherwise; they are slow."""
NOT_SIGNED = ("L1Sig", "Memo", "Sig")
seeds = st.integers(0, 2**64 - 1)
some = settings(examples, max_examples=asked // PART or EVERYDAY)


@pytest.fixture(scope="module")
def clients() -> list[Signer]:
    return signers()


def altered(tx_info: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The transaction with one field changed that is signed, each once."""
    for name, value in tx_info.items():
        if name in NOT_SIGNED:
            continue
        if name == "PubKey":
            key = bytearray(b64decode(value))
            key[0] ^= 1
            yield {**tx_info, name: b64encode(key).decode()}
        elif name == "L2TxAttributes":
            yield {**tx_info, name: {**(value or {}), "3": (value or {}).get("3", 0) + 1}}
            if value:
                yield {**tx_info, name: None}
        elif name == "Orders":
            for place, order in enumerate(value):
                for field in order:
                    changed = copy.deepcopy(tx_info)
                    changed[name][place][field] += 1
                    yield changed
        else:
            yield {**tx_info, name: value + 1}


@pytest.mark.parametrize("tx_type", sorted(KINDS))
@some
@given(seed=seeds, place=st.integers(0, 1))
def test_what_the_signer_signs_is_valid_and_nothing_else(
    clients: list[Signer], tx_type: int, seed: int, place: int
) -> None:
    rng = random.Random(seed)
    signer, stranger = clients[place], clients[1 - place]
    tx_info, expected = signer.sign(tx_type, rng)
    event(f"chain {signer.chain_id}, {'attributes' if tx_info['L2TxAttributes'] else 'no attributes'}")
    other_chain = TESTNET if signer.chain_id == MAINNET else MAINNET
    assert tx_hash(signer.chain_id, tx_type, tx_info) == expected
    assert tx_is_signed(signer.chain_id, tx_type, tx_info, signer.public_key)
    assert not tx_is_signed(other_chain, tx_type, tx_info, signer.public_key)
    if tx_type != 8:
        assert not tx_is_signed(signer.chain_id, tx_type, tx_info, stranger.public_key)
    every = list(altered(tx_info))
    hashes = {tx_hash(signer.chain_id, tx_type, one) for one in every}
    assert len(hashes | {expected}) == len(every) + 1
    assert not tx_is_signed(signer.chain_id, tx_type, rng.choice(every), signer.public_key)
    signature = bytearray(b64decode(tx_info["Sig"]))
    signature[rng.randrange(80)] ^= 1 << rng.randrange(8)
    forged = {**tx_info, "Sig": b64encode(signature).decode()}
    assert not tx_is_signed(signer.chain_id, tx_type, forged, signer.public_key)


@some
@given(seed=seeds, place=st.integers(0, 1))
def test_a_token_is_its_key_s_and_no_other_s(clients: list[Signer], seed: int, place: int) -> None:
    rng = random.Random(seed)
    signer, stranger = clients[place], clients[1 - place]
    token = signer.token(rng.randrange(1, 30_000))
    assert token_is_signed(token, signer.public_key)
    assert not token_is_signed(token, stranger.public_key)
    at = rng.choice([place for place, digit in enumerate(token) if digit.isdigit()])
    changed = token[:at] + str((int(token[at]) + 1) % 10) + token[at + 1 :]
    assert not token_is_signed(changed, signer.public_key)

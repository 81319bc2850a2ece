"""Signatures made here from the definition, and key pairs of the SDK."""

import random

import pytest
from tests.sdk_signer import key_pair
from tests.unit.simulator.own_signer import octets, public_key_of, signature_of

from lighter_hedge.simulator.signing.curve import ORDER
from lighter_hedge.simulator.signing.poseidon2 import hashed
from lighter_hedge.simulator.signing.schnorr import is_valid, key_table, scalar_of

DIGEST = [1, 2, 3, 4, 5]


def test_public_keys_are_those_of_the_sdk() -> None:
    for _ in range(10):
        private_key, public_key = key_pair()
        assert public_key_of(int.from_bytes(bytes.fromhex(private_key), "little")).hex() == public_key


def test_a_signature_is_valid_for_its_key_and_digest_only() -> None:
    rng = random.Random(6)
    mine, other = (rng.randrange(1, ORDER) for _ in range(2))
    s, e = signature_of(mine, DIGEST)
    key = public_key_of(mine)
    assert is_valid(key, DIGEST, octets(s, e))
    assert not is_valid(public_key_of(other), DIGEST, octets(s, e))
    assert not is_valid(key, [1, 2, 3, 4, 6], octets(s, e))
    assert not is_valid(key, DIGEST, octets((s + 1) % ORDER, e))
    assert not is_valid(key, DIGEST, octets(s, e ^ 1))


def test_a_second_form_of_the_same_numbers_is_no_signature() -> None:
    """Each scalar has one form, below the order; and a signature has 80 bytes."""
    s, e = signature_of(77, DIGEST)
    key = public_key_of(77)
    assert is_valid(key, DIGEST, octets(s, e))
    assert not is_valid(key, DIGEST, octets(s + ORDER, e))
    assert not is_valid(key, DIGEST, octets(s, e + ORDER))
    assert not is_valid(key, DIGEST, octets(s, e) + b"\0")
    assert not is_valid(key, DIGEST, b"")


def test_a_sum_that_vanishes_is_checked_like_any_other() -> None:
    """s G + e P is the neutral element where s is -e times the private key."""
    e = scalar_of(hashed([0, 0, 0, 0, 0, *DIGEST]))
    assert is_valid(public_key_of(5), DIGEST, octets(-e * 5 % ORDER, e))


@pytest.mark.parametrize("key", [b"", bytes(40), b"\xff" * 40, bytes(39) + b"\1"])
def test_bytes_that_are_no_key_sign_nothing(key: bytes) -> None:
    with pytest.raises(ValueError, match=r"key|point|element"):
        key_table(key)
    assert not is_valid(key, DIGEST, octets(1, 1))

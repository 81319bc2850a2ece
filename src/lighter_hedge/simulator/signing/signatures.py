"""Whether transactions and auth tokens are signed by the key that they name."""

from base64 import b64decode
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from lighter_hedge.simulator.signing.poseidon2 import elements_of, hashed
from lighter_hedge.simulator.signing.schnorr import base_table, is_valid, key_table
from lighter_hedge.simulator.signing.txhash import CHANGE_PUB_KEY, public_key_of, tx_digest


def prepare(public_keys: Iterable[str]) -> None:
    """Make the tables of the generator and of these keys, so that no first signature has to wait for them."""
    base_table()
    for public_key in public_keys:
        with suppress(ValueError):  # what is no key signs nothing
            key_table(bytes.fromhex(public_key))


def tx_is_signed(chain_id: int, tx_type: int, tx_info: Mapping[str, Any], public_key: str) -> bool:
    """Whether the field ``Sig`` is a signature by this key, given in hex.

    A transaction that registers a key is signed by that one: the SDK signs it with a client of the new key.

    Raises:
        ValueError: the transaction cannot be hashed.
    """
    digest = tx_digest(chain_id, tx_type, tx_info)
    key = public_key_of(tx_info) if tx_type == CHANGE_PUB_KEY else bytes.fromhex(public_key)
    raw = tx_info.get("Sig")
    try:
        signature = b64decode(raw, validate=True) if isinstance(raw, str) else b""
    except ValueError:
        return False
    return is_valid(key, digest, signature)


def token_is_signed(token: str, public_key: str) -> bool:
    """Whether an auth token ``deadline:account:key:hex`` ends in a signature of the rest by this key, in hex."""
    message, _, signature = token.rpartition(":")
    try:
        return is_valid(bytes.fromhex(public_key), hashed(elements_of(message.encode())), bytes.fromhex(signature))
    except ValueError:
        return False

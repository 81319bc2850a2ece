"""Signatures from the definition, for tests that say what time it is: the SDK's signer looks at the clock itself."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from lighter_hedge.simulator.signing.curve import ORDER, encode, total
from lighter_hedge.simulator.signing.poseidon2 import elements_of, hashed
from lighter_hedge.simulator.signing.schnorr import base_table, scalar_of
from lighter_hedge.simulator.signing.txhash import tx_digest

_ONCE = 987_654_321
"""What a real signer draws anew each time."""


def public_key_of(private_key: int) -> bytes:
    encoded = encode(total(base_table().terms(private_key)))
    return b"".join(element.to_bytes(8, "little") for element in encoded)


def signature_of(private_key: int, digest: Sequence[int]) -> tuple[int, int]:
    """The scalars s and e."""
    e = scalar_of(hashed([*encode(total(base_table().terms(_ONCE))), *digest]))
    return (_ONCE - e * private_key) % ORDER, e


def octets(s: int, e: int) -> bytes:
    return s.to_bytes(40, "little") + e.to_bytes(40, "little")


def signed(private_key: int, chain_id: int, tx_type: int, tx_info: Mapping[str, Any]) -> dict[str, Any]:
    """The transaction with its ``Sig``."""
    signature = octets(*signature_of(private_key, tx_digest(chain_id, tx_type, tx_info)))
    return {**tx_info, "Sig": b64encode(signature).decode()}


def token_of(private_key: int, message: str) -> str:
    """``message`` is ``deadline:account:key``."""
    return f"{message}:{octets(*signature_of(private_key, hashed(elements_of(message.encode())))).hex()}"

"""Schnorr signatures of Lighter: 80 bytes s || e, valid when e = H(encode(s G + e P) || digest) modulo the order.

Sources: elliottech/poseidon_crypto, package ``signature/schnorr``, and lighter-sdk 1.1.8, whose signatures the
tests check. The hash is that of transactions; numbers are little-endian.

A public key's first signature costs its table, some 20 ms, the later ones about 2 ms.
"""

from collections.abc import Sequence
from functools import cache, lru_cache

from lighter_hedge.simulator.signing.curve import GENERATOR_W, ORDER, Table, decode, encode, total
from lighter_hedge.simulator.signing.poseidon2 import DIGEST, elements_of, hashed

SCALAR_BYTES = 40
SIGNATURE_BYTES = 2 * SCALAR_BYTES

_BASE_WIDTH = 7
_KEY_WIDTH = 5
_KEYS_MAX = 256
"""Tables kept; one takes about 300 kB."""


def is_valid(public_key: bytes, digest: Sequence[int], signature: bytes) -> bool:
    """Whether a signature of these five field elements is the key's."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    s = int.from_bytes(signature[:SCALAR_BYTES], "little")
    e = int.from_bytes(signature[SCALAR_BYTES:], "little")
    if s >= ORDER or e >= ORDER:
        return False
    try:
        key = key_table(public_key)
    except ValueError:
        return False
    seen = encode(total([*base_table().terms(s), *key.terms(e)]))
    return scalar_of(hashed([*seen, *digest])) == e


def scalar_of(elements: Sequence[int]) -> int:
    """Five field elements as one number modulo the order."""
    return sum(element << (64 * place) for place, element in enumerate(elements)) % ORDER


@cache
def base_table() -> Table:
    """Multiples of the generator."""
    return Table(decode(GENERATOR_W), _BASE_WIDTH)


@lru_cache(maxsize=_KEYS_MAX)
def key_table(public_key: bytes) -> Table:
    """Multiples of a public key.

    Raises:
        ValueError: the bytes encode no key.
    """
    if len(public_key) != 8 * DIGEST:
        raise ValueError(f"a public key has {8 * DIGEST} bytes")
    return Table(decode(elements_of(public_key)), _KEY_WIDTH)

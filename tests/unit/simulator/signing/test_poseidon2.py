"""The hash to five elements. That it is Lighter's, ``tests/properties/test_signing.py`` shows."""

import pytest

from lighter_hedge.simulator.signing.poseidon2 import DIGEST, elements_of, hashed
from lighter_hedge.simulator.signing.poseidon2_constants import P


def test_numbers_count_modulo_the_prime() -> None:
    assert hashed([-1, P + 5]) == hashed([P - 1, 5])
    assert len(hashed([1])) == DIGEST
    assert all(0 <= element < P for element in hashed(range(20)))


def test_each_number_counts_in_each_chunk() -> None:
    numbers = list(range(17))
    seen = {tuple(hashed(numbers))}
    for place in range(17):
        seen.add(tuple(hashed([*numbers[:place], 99, *numbers[place + 1 :]])))
    assert len(seen) == 18


def test_octets_are_elements_of_eight_little_endian_bytes() -> None:
    assert elements_of(b"\x01" + bytes(7) + b"\x02\x01") == [1, 258]
    assert elements_of((P - 1).to_bytes(8, "little")) == [P - 1]
    with pytest.raises(ValueError, match="not a field element"):
        elements_of(P.to_bytes(8, "little"))

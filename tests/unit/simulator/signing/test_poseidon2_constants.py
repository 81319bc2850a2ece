"""The numbers of the hash have the right shape; that they are the right ones, the signer's hashes prove."""

from lighter_hedge.simulator.signing.poseidon2_constants import DIAGONAL, EXTERNAL, INTERNAL, RATE, P

WIDTH = 12


def test_the_numbers_are_field_elements_of_the_right_count() -> None:
    """Eight full rounds, 22 partial rounds, twelve elements, all below the prime."""
    assert P == 18446744069414584321
    assert RATE < WIDTH
    assert [len(constants) for constants in EXTERNAL] == [WIDTH] * 8
    assert len(INTERNAL) == 22
    assert len(DIAGONAL) == WIDTH
    every = [*INTERNAL, *DIAGONAL, *(number for constants in EXTERNAL for number in constants)]
    assert all(0 < number < P for number in every)
    assert len(set(every)) == len(every)

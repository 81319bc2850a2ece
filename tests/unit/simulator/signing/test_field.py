"""The extension field against arithmetic coefficient by coefficient."""

import random

import pytest

from lighter_hedge.simulator.signing.field import BIAS, invert, is_square, mul, mul_sub, pack, root, unpack
from lighter_hedge.simulator.signing.poseidon2_constants import P

Coefficients = tuple[int, ...]
REDUCED_BELOW = 3 * 2**64


def plain_product(one: Coefficients, other: Coefficients) -> Coefficients:
    """Schoolbook, with z^5 = 3."""
    product = [0] * 5
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            product[(i + j) % 5] += a * b * (3 if i + j >= 5 else 1)
    return tuple(number % P for number in product)


def some(rng: random.Random) -> Coefficients:
    """Random coefficients, many of them at the ends of the field."""
    return tuple(rng.choice((0, 1, P - 1, 2**32, 2**32 - 1, rng.randrange(P))) for _ in range(5))


def slots(element: int) -> list[int]:
    return [element >> 144 * place & (2**144 - 1) for place in range(5)]


def test_products_and_differences_are_those_of_the_coefficients() -> None:
    rng = random.Random(1)
    for _ in range(300):
        a, b, c = some(rng), some(rng), some(rng)
        expected = plain_product(a, b)
        assert unpack(mul(pack(a), pack(b))) == expected
        less = mul_sub(pack(a), pack(b), pack(c))
        assert unpack(less) == tuple((x - y) % P for x, y in zip(expected, c, strict=True))


def test_results_are_reduced_also_for_the_largest_factors() -> None:
    largest = sum((2**69 - 1) << 144 * place for place in range(5))
    for result in (mul(largest, largest), mul_sub(largest, largest, 0), mul_sub(0, 0, BIAS)):
        assert all(slot < REDUCED_BELOW for slot in slots(result))
    residue = (2**69 - 1) % P
    assert unpack(mul(largest, largest)) == plain_product((residue,) * 5, (residue,) * 5)


def test_the_bias_is_zero_and_covers_the_sum_of_two_reduced_elements() -> None:
    assert unpack(BIAS) == (0,) * 5
    assert all(slot >= 2 * REDUCED_BELOW for slot in slots(BIAS))


def test_an_inverse_times_its_element_is_one() -> None:
    rng = random.Random(2)
    for coefficients in [(0, 0, 0, 0, 7), (P - 1, 0, 0, 0, 0), *(some(rng) for _ in range(50))]:
        element = pack(coefficients)
        if any(coefficients):
            assert unpack(mul(element, invert(element))) == (1, 0, 0, 0, 0)


@pytest.mark.parametrize("zero", [0, BIAS, pack((P, 0, 0, P, 0))])
def test_zero_in_any_form_has_no_inverse(zero: int) -> None:
    with pytest.raises(ZeroDivisionError):
        invert(zero)


def test_squares_have_roots_and_half_of_all_are_squares() -> None:
    rng = random.Random(3)
    squares = 0
    for _ in range(60):
        element = pack(some(rng))
        square = mul(element, element)
        assert is_square(square)
        found = root(square)
        assert unpack(mul(found, found)) == unpack(square)
        squares += is_square(pack([rng.randrange(P) for _ in range(5)]))
    assert 15 < squares < 45
    assert root(0) == 0
    assert is_square(0)
    assert not is_square(7), "a generator of the small field is no square in one of odd degree over it"

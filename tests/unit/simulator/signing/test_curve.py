"""The group of points: its laws, its order, its encoding."""

import random

import pytest

from lighter_hedge.simulator.signing.curve import GENERATOR_W, ORDER, Point, Table, decode, encode, total
from lighter_hedge.simulator.signing.field import BIAS, is_square, mul, pack, unpack

G = decode(GENERATOR_W)
TABLE = Table(G, 4)


def times(scalar: int) -> Point | None:
    return total(TABLE.terms(scalar))


def some_point(scalar: int) -> Point:
    point = times(scalar)
    assert point is not None
    return point


def minus(point: Point) -> Point:
    return point[0], BIAS - point[1]


def test_points_lie_on_the_curve_with_a_square_x() -> None:
    for scalar in (1, 2, 3, ORDER - 1, ORDER // 3):
        x, y = some_point(scalar)
        right = mul(x, mul(x, x + 2) + pack((0, 263, 0, 0, 0)))
        assert unpack(mul(y, y)) == unpack(right)
        assert is_square(x)


def test_the_order_times_the_generator_is_neutral() -> None:
    assert encode(total([some_point(ORDER - 1), G])) == (0,) * 5
    assert encode(some_point(ORDER - 1)) == encode(minus(G))
    assert times(0) is None


def test_products_are_repeated_sums_for_tables_of_any_width() -> None:
    """Also those whose sums meet equal, opposite and vanishing points on the way."""
    tables = TABLE, Table(G, 1), Table(G, 5)
    for scalar in range(1, 70):
        expected = encode(total([G] * scalar))
        for table in tables:
            assert encode(total(table.terms(scalar))) == expected


def test_sums_of_products_are_products_of_sums() -> None:
    rng = random.Random(4)
    for _ in range(10):
        a, b = rng.randrange(ORDER), rng.randrange(ORDER)
        assert encode(total([*TABLE.terms(a), *TABLE.terms(b)])) == encode(times((a + b) % ORDER))
        assert total([*TABLE.terms(a), *TABLE.terms(ORDER - a)]) is None


def test_equal_and_opposite_points_among_others_are_added_rightly() -> None:
    """Points that are equal but not the same object, and opposite ones, share a level with ordinary ones."""
    p, q = some_point(5), some_point(9)
    again = decode(encode(p))
    assert again is not p
    assert encode(total([p, again])) == encode(some_point(10))
    assert encode(total([p, minus(again), q, p])) == encode(some_point(14))
    assert total([p, minus(p)]) is None
    assert total([]) is None


def test_an_encoding_decodes_to_its_point() -> None:
    rng = random.Random(5)
    for _ in range(10):
        point = some_point(rng.randrange(1, ORDER))
        x, y = decode(encode(point))
        assert (unpack(x), unpack(y)) == (unpack(point[0]), unpack(point[1]))


def test_about_half_of_all_encodings_are_points() -> None:
    decoded = 0
    for number in range(60):
        try:
            decode((number, 1, 0, 0, 0))
        except ValueError:
            continue
        decoded += 1
    assert 15 < decoded < 45


def test_the_neutral_element_is_no_key() -> None:
    with pytest.raises(ValueError, match="neutral"):
        decode((0, 0, 0, 0, 0))

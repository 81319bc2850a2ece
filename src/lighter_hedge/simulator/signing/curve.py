"""The curve of Lighter's signatures, EcGFp5: y^2 = x^3 + 2 x^2 + 263 z x over GF(p^5), as a group of prime order.

Published: T. Pornin, "EcGFp5: a Specialized Elliptic Curve" (2022); the parameters are also in
elliottech/poseidon_crypto (Apache-2.0), package ``curve/ecgfp5``.

The curve's order is twice a prime. The published group takes the points outside the subgroup of prime order,
x no square, and encodes one as w = y/x. Adding the point (0, 0) leads from there to the subgroup itself, where
x is a square, and negates w; since negation respects sums, the subgroup with the very same w is the same
group. Here are the points of the subgroup; ``None`` is its neutral element, encoded as w = 0.

Points are affine. A sum of many is taken in pairs, level by level, so that one inversion serves a level: six
multiplications for an addition. What is multiplied often has a table, and then no doubling is left.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import TypeAlias

from lighter_hedge.simulator.signing.field import BIAS, Element, invert, is_square, mul, mul_sub, pack, root, unpack
from lighter_hedge.simulator.signing.poseidon2_constants import P

ORDER = 1067993516717146951041484916571792702745057740581727230159139685185762082554198619328292418486241
"""Points of the group, a prime."""
_ORDER_BITS = 319

_A = 2
_B = pack((0, 263, 0, 0, 0))
GENERATOR_W = (4, 0, 0, 0, 0)

_HALF = pow(2, -1, P)

Point: TypeAlias = tuple[Element, Element]


def decode(w: Sequence[int]) -> Point:
    """The point that five coefficients encode.

    Raises:
        ValueError: they encode no point, or the neutral one.
    """
    if not any(w):
        raise ValueError("the neutral element is no key")
    slope = pack(w)
    # On the line y = w x lie the roots of x^2 - (w^2 - a) x + b. Their product b is no square: one of them is.
    both = mul_sub(slope, slope, _A)
    square = mul_sub(both, both, 4 * _B)
    if not is_square(square):
        raise ValueError("no point of the curve has this encoding")
    distance = root(square)
    first, second = mul(both + distance, _HALF), mul(both + BIAS - distance, _HALF)
    x = first if is_square(first) else second
    return x, mul(x, slope)


def encode(point: Point | None) -> tuple[int, ...]:
    """The five coefficients of w = y/x."""
    return (0,) * 5 if point is None else unpack(mul(point[1], invert(point[0])))


def total(points: Sequence[Point]) -> Point | None:
    """The sum of any points."""
    while len(points) > 1:
        odd = points[-1:] if len(points) % 2 else ()
        sums = _sums(list(zip(points[::2], points[1::2], strict=False)))
        points = [*(point for point in sums if point is not None), *odd]
    return points[0] if points else None


class Table:
    """Multiples of one point, so that its product with a scalar is a sum of few points, without doublings.

    A scalar is cut into signed digits of ``width`` bits; for each place the table holds the point's multiples by
    1 to 2^(width - 1) times the place's weight.
    """

    def __init__(self, point: Point, width: int) -> None:
        self._width = width
        weighted = [point]
        while len(weighted) * width <= _ORDER_BITS:
            for _ in range(width):
                point = _some(_sums([(point, point)])[0])
            weighted.append(point)
        rows = [weighted]
        while len(rows) < 2 ** (width - 1):
            rows.append([_some(point) for point in _sums(list(zip(rows[-1], weighted, strict=True)))])
        self._places = list(zip(*rows, strict=True))

    def terms(self, scalar: int) -> list[Point]:
        """Points whose sum is the product with a scalar, which is at least 0 and below ``ORDER``."""
        assert 0 <= scalar < ORDER
        base = 1 << self._width
        half = base // 2
        found: list[Point] = []
        for multiples in self._places:
            digit, scalar = scalar & (base - 1), scalar >> self._width
            if digit > half:
                scalar += 1
                x, y = multiples[base - digit - 1]
                found.append((x, BIAS - y))
            elif digit:
                found.append(multiples[digit - 1])
        assert scalar == 0
        return found


def _some(point: Point | None) -> Point:
    assert point is not None, "a multiple below the prime order of the group"
    return point


def _sums(pairs: Sequence[tuple[Point, Point]]) -> list[Point | None]:
    """The sum of each pair, by one inversion for all."""
    slopes = [_slope(one, other) for one, other in pairs]
    products = list(accumulate((run for _, run in slopes), mul))
    try:
        inverse = invert(products[-1])
    except ZeroDivisionError:
        return [_sum_of_like(one, other) for one, other in pairs]
    sums: list[Point | None] = []
    for place in range(len(pairs) - 1, -1, -1):
        rise, run = slopes[place]
        own = mul(inverse, products[place - 1]) if place else inverse
        inverse = mul(inverse, run)
        slope = mul(own, rise)
        (x1, y1), (x2, _) = pairs[place]
        x = mul_sub(slope, slope, x1 + x2 + _A)
        sums.append((x, mul_sub(slope, x1 + BIAS - x, y1)))
    sums.reverse()
    return sums


def _slope(one: Point, other: Point) -> tuple[Element, Element]:
    """Rise and run of the line through two points, the tangent where they are one."""
    (x1, y1), (x2, y2) = one, other
    if one is other:
        return mul(x1, 3 * x1 + 2 * _A) + _B, 2 * y1
    return y2 + BIAS - y1, x2 + BIAS - x1


def _sum_of_like(one: Point, other: Point) -> Point | None:
    """The sum of two points that may be equal or opposite."""
    if unpack(one[0]) != unpack(other[0]):
        return _sums([(one, other)])[0]
    return _sums([(one, one)])[0] if unpack(one[1]) == unpack(other[1]) else None

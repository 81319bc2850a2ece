"""GF(p^5) over the Goldilocks field, with z^5 = 3: what the curve's coordinates are made of.

An element is one integer: its five coefficients in slots of 144 bits. One multiplication of two such integers
does the 25 of the coefficients, and a few shifts and masks reduce all five at once, which in plain Python is
more than twice as fast as coefficient by coefficient.

Coefficients are reduced lazily. A result of ``mul``, ``mul_sub``, ``invert`` and ``pack`` has coefficients
below 3 * 2^64, called reduced here; a factor may have them up to 2^69, so that one ``BIAS`` may be added to
the difference of two reduced elements. ``unpack`` gives the true residues.
"""

from collections.abc import Sequence
from typing import TypeAlias

from lighter_hedge.simulator.signing.poseidon2_constants import P

Element: TypeAlias = int
"""Five coefficients, 144 bits apart."""

DEGREE = 5
_ROOT = 3
"""What z^5 is."""
_SLOT = 144


def _in_each_slot(number: int) -> int:
    return sum(number << (_SLOT * place) for place in range(DEGREE))


BIAS = _in_each_slot(8 * P)
"""Zero of the field, larger than the sum of two reduced elements in every slot: makes differences positive."""

_SLOT_MASK = (1 << _SLOT) - 1
_PRODUCT_BITS = DEGREE * _SLOT
_PRODUCT_LOW = (1 << _PRODUCT_BITS) - 1
_BITS_0_63 = _in_each_slot(2**64 - 1)
_BITS_64_95 = _in_each_slot(2**32 - 1)
_BITS_96_UP = _in_each_slot(2**48 - 1)
_OVER = 2**32 - 1
"""What 2^64 is modulo p; and 2^96 is -1."""
_ONE_P = _in_each_slot(P)

_TWIST = pow(_ROOT, (P - 1) // DEGREE, P)
_FROBENIUS = tuple(pow(_TWIST, place, P) for place in range(DEGREE))
"""Raising to the p-th power multiplies coefficient i by the i-th of these."""
_FROBENIUS_2 = tuple(number * number % P for number in _FROBENIUS)
_FROBENIUS_3 = tuple(number * number * number % P for number in _FROBENIUS)

_TWO_ADICITY = 32
_NON_SQUARE = 7
"""A generator of the Goldilocks field, so no square in it."""


def pack(coefficients: Sequence[int]) -> Element:
    """The element with these coefficients, each below 2^64, lowest power of z first."""
    a, b, c, d, e = coefficients
    return a | b << _SLOT | c << 2 * _SLOT | d << 3 * _SLOT | e << 4 * _SLOT


def unpack(element: Element) -> tuple[int, int, int, int, int]:
    """The coefficients, fully reduced."""
    return (
        (element & _SLOT_MASK) % P,
        (element >> _SLOT & _SLOT_MASK) % P,
        (element >> 2 * _SLOT & _SLOT_MASK) % P,
        (element >> 3 * _SLOT & _SLOT_MASK) % P,
        (element >> 4 * _SLOT) % P,
    )


def mul(a: Element, b: Element) -> Element:
    """The product."""
    v = a * b
    v = (v & _PRODUCT_LOW) + 3 * (v >> _PRODUCT_BITS)
    return (v & _BITS_0_63) + (v >> 64 & _BITS_64_95) * _OVER + _ONE_P - (v >> 96 & _BITS_96_UP)


def mul_sub(a: Element, b: Element, c: Element) -> Element:
    """The product of ``a`` and ``b`` less ``c``, which is at most ``BIAS`` in every slot."""
    v = a * b
    v = (v & _PRODUCT_LOW) + 3 * (v >> _PRODUCT_BITS) + BIAS - c
    return (v & _BITS_0_63) + (v >> 64 & _BITS_64_95) * _OVER + _ONE_P - (v >> 96 & _BITS_96_UP)


def invert(element: Element) -> Element:
    """The inverse.

    Raises:
        ZeroDivisionError: the element is zero.
    """
    conjugates = _conjugates(element)
    norm = unpack(mul(element, conjugates))[0]
    if norm == 0:
        raise ZeroDivisionError("zero has no inverse")
    return mul(conjugates, pow(norm, -1, P))


def is_square(element: Element) -> bool:
    """Whether the element has a root; zero has."""
    return pow(_norm(element), (P - 1) // 2, P) != P - 1


def root(element: Element) -> Element:
    """A square root of a square.

    The norm is the power of ``r`` = 1 + p + p^2 + p^3 + p^4, which is odd, and lies in the field of p; so the
    root is the norm's root there over the power of (r - 1) / 2 = (p + 1) / 2 * (p + p^3).
    """
    norm = _norm(element)
    if norm == 0:
        return 0
    half = _power(element, (P + 1) // 2)
    divisor = mul(_raised(half, _FROBENIUS), _raised(half, _FROBENIUS_3))
    return mul(invert(divisor), _root_of_residue(norm))


def _norm(element: Element) -> int:
    return unpack(mul(element, _conjugates(element)))[0]


def _conjugates(element: Element) -> Element:
    """The power of p + p^2 + p^3 + p^4; times the element it is the norm."""
    two = mul(_raised(element, _FROBENIUS), _raised(element, _FROBENIUS_2))
    return mul(two, _raised(two, _FROBENIUS_2))


def _raised(element: Element, factors: Sequence[int]) -> Element:
    pairs = zip(unpack(element), factors, strict=True)
    return pack([coefficient * factor % P for coefficient, factor in pairs])


def _power(element: Element, exponent: int) -> Element:
    result = 1
    for bit in f"{exponent:b}":
        result = mul(result, result)
        if bit == "1":
            result = mul(result, element)
    return result


def _root_of_residue(number: int) -> int:
    """A square root of a square modulo p, after Tonelli and Shanks."""
    odd = (P - 1) >> _TWO_ADICITY
    twist = pow(_NON_SQUARE, odd, P)
    found, rest = pow(number, (odd + 1) // 2, P), pow(number, odd, P)
    for left in range(_TWO_ADICITY - 1, 0, -1):
        if pow(rest, 1 << (left - 1), P) != 1:
            found, rest = found * twist % P, rest * twist * twist % P
        twist = twist * twist % P
    return found

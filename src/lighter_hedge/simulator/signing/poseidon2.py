"""Lighter's hash: Poseidon2 over the Goldilocks field, to five elements.

The permutation is written for speed in plain Python: local variables instead of lists, and a reduction modulo
the prime only where the numbers would otherwise grow without end.
"""

from collections.abc import Sequence

from lighter_hedge.simulator.signing.poseidon2_constants import DIAGONAL, EXTERNAL, INTERNAL, RATE, P

DIGEST = 5
"""Elements of a hash."""

_ELEMENT_BYTES = 8

_State = tuple[int, int, int, int, int, int, int, int, int, int, int, int]


def hashed(numbers: Sequence[int]) -> list[int]:
    """Five field elements: each chunk of up to eight overwrites the head of the state, then permute."""
    state: tuple[int, ...] = (0,) * 12
    for start in range(0, len(numbers), RATE):
        chunk = [number % P for number in numbers[start : start + RATE]]
        state = _permute((*chunk, *state[len(chunk) :]))
    return list(state[:DIGEST])


def elements_of(octets: bytes) -> list[int]:
    """Field elements, little-endian, of eight bytes each; the last may be shorter.

    Raises:
        ValueError: one is not below the prime.
    """
    starts = range(0, len(octets), _ELEMENT_BYTES)
    elements = [int.from_bytes(octets[start : start + _ELEMENT_BYTES], "little") for start in starts]
    if any(element >= P for element in elements):
        raise ValueError("eight of these bytes are not a field element")
    return elements


def _permute(state: tuple[int, ...]) -> tuple[int, ...]:
    state = _mixed(*state)
    for constants in EXTERNAL[:4]:
        state = _full_round(state, constants)
    state = _partial_rounds(*state)
    for constants in EXTERNAL[4:]:
        state = _full_round(state, constants)
    return tuple(element % P for element in state)


def _full_round(state: tuple[int, ...], constants: tuple[int, ...]) -> _State:
    """Constants and S-box (x to the 7th) on every element, then the external matrix; sums stay unreduced."""
    return _mixed(
        *[
            (base := element + constant) * (square := base * base % P) * square * square % P
            for element, constant in zip(state, constants, strict=True)
        ]
    )


def _mixed(*state: int) -> _State:
    """The external matrix: a 4 by 4 matrix on each block, then each plus its column over the blocks."""
    a, b, c, d, e, f, g, h, i, j, k, m = state
    t = a + b + c + d
    a, b, c, d = t + a + 2 * b, t + b + 2 * c, t + c + 2 * d, t + d + 2 * a
    t = e + f + g + h
    e, f, g, h = t + e + 2 * f, t + f + 2 * g, t + g + 2 * h, t + h + 2 * e
    t = i + j + k + m
    i, j, k, m = t + i + 2 * j, t + j + 2 * k, t + k + 2 * m, t + m + 2 * i
    w, x, y, z = a + e + i, b + f + j, c + g + k, d + h + m
    return a + w, b + x, c + y, d + z, e + w, f + x, g + y, h + z, i + w, j + x, k + y, m + z


def _partial_rounds(*state: int) -> _State:
    """22 rounds: constant and S-box on the first only, then each becomes the sum plus its multiple."""
    a, b, c, d, e, f, g, h, i, j, k, m = state
    da, db, dc, dd, de, df, dg, dh, di, dj, dk, dm = DIAGONAL
    for constant in INTERNAL:
        a += constant
        square = a * a % P
        a = a * square * square * square % P
        t = a + b + c + d + e + f + g + h + i + j + k + m
        a, b, c, d = t + a * da, (t + b * db) % P, (t + c * dc) % P, (t + d * dd) % P
        e, f, g, h = (t + e * de) % P, (t + f * df) % P, (t + g * dg) % P, (t + h * dh) % P
        i, j, k, m = (t + i * di) % P, (t + j * dj) % P, (t + k * dk) % P, (t + m * dm) % P
    return a, b, c, d, e, f, g, h, i, j, k, m

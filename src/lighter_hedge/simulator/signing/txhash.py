"""The hash of a Lighter transaction, as the official signer computes it.

A signed transaction is hashed over ``chain_id, tx_type``, the four fields that every type has, and its body,
with Poseidon2 over the Goldilocks field. Attributes (``L2TxAttributes``) are hashed apart and folded in. The
answer of ``sendTx`` carries this hash, and the signer returns it before sending, so a client may know its
transaction by it.

The permutation is written for speed in plain Python: local variables instead of lists, and a reduction modulo
the prime only where the numbers would otherwise grow without end.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lighter_hedge.simulator.signing.poseidon2_constants import DIAGONAL, EXTERNAL, INTERNAL, RATE, P

_HEAD = ("Nonce", "ExpiredAt", "AccountIndex", "ApiKeyIndex")

_ORDER = (
    "MarketIndex",
    "ClientOrderIndex",
    "BaseAmount",
    "Price",
    "IsAsk",
    "Type",
    "TimeInForce",
    "ReduceOnly",
    "TriggerPrice",
    "OrderExpiry",
)

_BODIES: dict[int, tuple[str, ...]] = {
    14: _ORDER,
    15: ("MarketIndex", "Index"),
    16: ("TimeInForce", "Time"),
    17: ("MarketIndex", "Index", "BaseAmount", "Price", "TriggerPrice"),
    20: ("MarketIndex", "InitialMarginFraction", "MarginMode"),
}
_CREATE_GROUPED_ORDERS = 28
_UPDATE_MARGIN = 29

_DIGEST = 5
_ORDER_DIGEST = 4
"""Orders of a group are hashed to four elements each and chained."""
_ATTRIBUTE_PAIRS = 4
_ATTRIBUTE_NIL = {5: 255}
"""Attribute 5 names a market, where 255 means none; the others are nil at 0."""

_State = tuple[int, int, int, int, int, int, int, int, int, int, int, int]


def tx_hash(chain_id: int, tx_type: int, tx_info: Mapping[str, Any]) -> str:
    """Hash a transaction: 80 hex digits, no prefix, as in the answer of ``sendTx``.

    Args:
        chain_id: 304 on mainnet, 300 on testnet; it is hashed but not part of ``tx_info``.
        tx_type: 14 create, 15 cancel, 16 cancel all, 17 modify, 20 leverage, 28 grouped orders, 29 margin.
        tx_info: the signed transaction as it is sent; ``Sig`` is not hashed.

    Raises:
        ValueError: the type is not supported, a field is absent or no integer, or too many attributes.
    """
    digest = _hash([chain_id, tx_type, *_fields(tx_info, _HEAD), *_body(tx_type, tx_info)])
    pairs = _attributes(tx_info.get("L2TxAttributes"))
    if pairs:
        digest = _hash([*digest, *_hash(pairs)])
    return b"".join(element.to_bytes(8, "little") for element in digest).hex()


def _body(tx_type: int, tx_info: Mapping[str, Any]) -> list[int]:
    names = _BODIES.get(tx_type)
    if names is not None:
        return _fields(tx_info, names)
    if tx_type == _CREATE_GROUPED_ORDERS:
        return [*_fields(tx_info, ("GroupingType",)), *_chained_orders(tx_info.get("Orders"))]
    if tx_type == _UPDATE_MARGIN:
        market, amount, direction = _fields(tx_info, ("MarketIndex", "USDCAmount", "Direction"))
        return [market, amount & 0xFFFF_FFFF, amount >> 32, direction]
    known = ", ".join(str(each) for each in (*sorted(_BODIES), _CREATE_GROUPED_ORDERS, _UPDATE_MARGIN))
    raise ValueError(f"transaction type {tx_type} has no known hash; known are {known}")


def _chained_orders(orders: object) -> list[int]:
    if not isinstance(orders, list) or not orders or not all(isinstance(each, Mapping) for each in orders):
        raise ValueError("transaction field Orders is not a list of at least one order")
    chain: list[int] = []
    for order in orders:
        digest = _hash(_fields(order, _ORDER))[:_ORDER_DIGEST]
        chain = _hash([*chain, *digest])[:_ORDER_DIGEST] if chain else digest
    return chain


def _fields(tx_info: Mapping[str, Any], names: Iterable[str]) -> list[int]:
    values = [tx_info.get(name) for name in names]
    absent = [name for name, value in zip(names, values, strict=True) if not isinstance(value, int)]
    if absent:
        raise ValueError(f"transaction fields {', '.join(absent)} are absent or no integers")
    return [int(value) for value in values if value is not None]


def _attributes(raw: object) -> list[int]:
    """The attributes that are set, by type, as four (type, value) pairs; empty when none is set."""
    if raw is None:
        return []
    if not isinstance(raw, Mapping) or not all(isinstance(value, int) for value in raw.values()):
        raise ValueError("transaction field L2TxAttributes is not a map of integers")
    numbered = ((int(kind), value) for kind, value in raw.items())
    pairs = sorted(pair for pair in numbered if pair[1] != _ATTRIBUTE_NIL.get(pair[0], 0))
    if len(pairs) > _ATTRIBUTE_PAIRS:
        raise ValueError(f"{len(pairs)} transaction attributes; at most {_ATTRIBUTE_PAIRS} can be hashed")
    if not pairs:
        return []
    pairs += [(0, 0)] * (_ATTRIBUTE_PAIRS - len(pairs))
    return [number for pair in pairs for number in pair]


def _hash(numbers: Sequence[int]) -> list[int]:
    """Five field elements: each chunk of up to eight overwrites the head of the state, then permute."""
    state: tuple[int, ...] = (0,) * 12
    for start in range(0, len(numbers), RATE):
        chunk = [number % P for number in numbers[start : start + RATE]]
        state = _permute((*chunk, *state[len(chunk) :]))
    return list(state[:_DIGEST])


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

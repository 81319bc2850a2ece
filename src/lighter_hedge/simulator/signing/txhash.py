"""The hash of a Lighter transaction, as the official signer computes it.

A signed transaction is hashed over ``chain_id, tx_type``, the four fields that every type has, and its body,
with Poseidon2 over the Goldilocks field. Attributes (``L2TxAttributes``) are hashed apart and folded in. The
answer of ``sendTx`` carries this hash, and the signer returns it before sending, so a client may know its
transaction by it.

The fields and their order were found by comparing with the signer of lighter-sdk 1.1.8. ``Sig``, ``L1Sig`` and the
``Memo`` of a transfer are not hashed.
"""

from base64 import b64decode
from collections.abc import Iterable, Mapping
from typing import Any

from lighter_hedge.simulator.signing.poseidon2 import elements_of, hashed

CHANGE_PUB_KEY = 8

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
    CHANGE_PUB_KEY: ("PubKey",),
    9: (),
    10: ("OperatorFee", "InitialTotalShares", "MinOperatorShareRate"),
    11: ("PublicPoolIndex", "Status", "OperatorFee", "MinOperatorShareRate"),
    12: ("ToAccountIndex", "AssetIndex", "FromRouteType", "ToRouteType", "Amount", "USDCFee"),
    13: ("AssetIndex", "RouteType", "Amount"),
    14: _ORDER,
    15: ("MarketIndex", "Index"),
    16: ("TimeInForce", "Time"),
    17: ("MarketIndex", "Index", "BaseAmount", "Price", "TriggerPrice"),
    18: ("PublicPoolIndex", "ShareAmount"),
    19: ("PublicPoolIndex", "ShareAmount"),
    20: ("MarketIndex", "InitialMarginFraction", "MarginMode"),
    28: ("GroupingType", "Orders"),
    29: ("MarketIndex", "USDCAmount", "Direction"),
    35: ("StakingPoolIndex", "ShareAmount"),
    36: ("StakingPoolIndex", "ShareAmount"),
    41: ("AccountTradingMode",),
    42: ("AssetIndex", "AssetMarginMode"),
    45: (
        "IntegratorAccountIndex",
        "MaxPerpsTakerFee",
        "MaxPerpsMakerFee",
        "MaxSpotTakerFee",
        "MaxSpotMakerFee",
        "ApprovalExpiry",
    ),
}
"""Hashed fields of each type, in order."""

_TWO_ELEMENTS = ("Amount", "USDCAmount", "USDCFee")
"""Hashed as their lower 32 bits and the rest."""

_ORDER_DIGEST = 4
"""Orders of a group are hashed to four elements each and chained."""
_ATTRIBUTE_PAIRS = 4
_ATTRIBUTE_NIL = {5: 255}
"""Attribute 5 names a market, where 255 means none; the others are nil at 0."""


def account_field(tx_type: int) -> str:
    """Name of the field that says whose transaction it is; transfers and withdrawals have one of their own."""
    return "FromAccountIndex" if tx_type in (12, 13) else "AccountIndex"


def tx_hash(chain_id: int, tx_type: int, tx_info: Mapping[str, Any]) -> str:
    """Hash a transaction: 80 hex digits, no prefix, as in the answer of ``sendTx``.

    Args and errors are those of ``tx_digest``.
    """
    digest = tx_digest(chain_id, tx_type, tx_info)
    return b"".join(element.to_bytes(8, "little") for element in digest).hex()


def tx_digest(chain_id: int, tx_type: int, tx_info: Mapping[str, Any]) -> list[int]:
    """Hash a transaction to five field elements, which are what is signed.

    Args:
        chain_id: 304 on mainnet, 300 on testnet; it is hashed but not part of ``tx_info``.
        tx_type: any that ``SignerClient`` of lighter-sdk 1.1.8 signs, but those of binary options.
        tx_info: the signed transaction as it is sent.

    Raises:
        ValueError: the type is not supported, a field is absent or no integer of 64 bits, or too many attributes.
    """
    if tx_type not in _BODIES:
        known = ", ".join(map(str, _BODIES))
        raise ValueError(f"transaction type {tx_type} has no known hash; known are {known}")
    head = ("Nonce", "ExpiredAt", account_field(tx_type), "ApiKeyIndex")
    digest = hashed([chain_id, tx_type, *_fields(tx_info, head), *_body(tx_info, _BODIES[tx_type])])
    pairs = _attributes(tx_info.get("L2TxAttributes"))
    return hashed([*digest, *hashed(pairs)]) if pairs else digest


def public_key_of(tx_info: Mapping[str, Any]) -> bytes:
    """The key that a transaction of type 8 registers.

    Raises:
        ValueError: it holds none.
    """
    raw = tx_info.get("PubKey")
    try:
        key = b64decode(raw, validate=True) if isinstance(raw, str) else b""
    except ValueError:
        key = b""
    if len(key) != 40:
        raise ValueError("transaction field PubKey is not the base64 of 40 bytes")
    return key


def _body(tx_info: Mapping[str, Any], names: tuple[str, ...]) -> list[int]:
    if "PubKey" in names:
        return elements_of(public_key_of(tx_info))
    if "Orders" in names:
        return [*_fields(tx_info, ("GroupingType",)), *_chained_orders(tx_info.get("Orders"))]
    elements: list[int] = []
    for name, value in zip(names, _fields(tx_info, names), strict=True):
        elements += [value & 0xFFFF_FFFF, value >> 32] if name in _TWO_ELEMENTS else [value]
    return elements


def _chained_orders(orders: object) -> list[int]:
    if not isinstance(orders, list) or not orders or not all(isinstance(each, Mapping) for each in orders):
        raise ValueError("transaction field Orders is not a list of at least one order")
    chain: list[int] = []
    for order in orders:
        digest = hashed(_fields(order, _ORDER))[:_ORDER_DIGEST]
        chain = hashed([*chain, *digest])[:_ORDER_DIGEST] if chain else digest
    return chain


def _fields(tx_info: Mapping[str, Any], names: Iterable[str]) -> list[int]:
    values = [tx_info.get(name) for name in names]
    wrong = [name for name, value in zip(names, values, strict=True) if not _is_int64(value)]
    if wrong:
        raise ValueError(f"transaction fields {', '.join(wrong)} are absent or no integers of 64 bits")
    return [int(value) for value in values if value is not None]


def _is_int64(value: object) -> bool:
    """Whether a value is of the signer's own integers; a larger one would have the hash of a smaller."""
    return isinstance(value, int) and -(2**63) <= value < 2**63


def _attributes(raw: object) -> list[int]:
    """The attributes that are set, by type, as four (type, value) pairs; empty when none is set."""
    if raw is None:
        return []
    if not isinstance(raw, Mapping) or not all(_is_int64(value) for value in raw.values()):
        raise ValueError("transaction field L2TxAttributes is not a map of integers")
    numbered = ((int(kind), value) for kind, value in raw.items())
    pairs = sorted(pair for pair in numbered if pair[1] != _ATTRIBUTE_NIL.get(pair[0], 0))
    if len(pairs) > _ATTRIBUTE_PAIRS:
        raise ValueError(f"{len(pairs)} transaction attributes; at most {_ATTRIBUTE_PAIRS} can be hashed")
    if not pairs:
        return []
    pairs += [(0, 0)] * (_ATTRIBUTE_PAIRS - len(pairs))
    return [number for pair in pairs for number in pair]

"""The hash of a transaction, against the official signer and against recorded vectors."""

import asyncio
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import lighter
import pytest
from lighter.signer_client import CreateOrderTxReq, create_api_key
from tests.recordings import DATA

from lighter_hedge.simulator.signing.txhash import tx_hash

MAINNET = 304
TESTNET = 300
ACCOUNT = 7731
KEY = 4

Signed = tuple[int, str, str, str | None]


def _random_order(client: Any, rng: random.Random, common: dict[str, int]) -> Signed:
    resting = rng.random() < 0.5
    signed: Signed = client.sign_create_order(
        market_index=rng.randrange(200),
        client_order_index=rng.randrange(2**48),
        base_amount=rng.randrange(1, 2**40),
        price=rng.randrange(1, 2**32),
        is_ask=rng.random() < 0.5,
        order_type=0,
        time_in_force=rng.choice((1, 2)) if resting else 0,
        reduce_only=rng.random() < 0.3,
        order_expiry=-1 if resting else 0,
        self_trade_behavior_mode=rng.randrange(3),
        **common,
    )
    return signed


def _random_cancel(client: Any, rng: random.Random, common: dict[str, int]) -> Signed:
    signed: Signed = client.sign_cancel_order(rng.randrange(200), rng.randrange(1, 2**56), **common)
    return signed


def _random_cancel_all(client: Any, rng: random.Random, common: dict[str, int]) -> Signed:
    market = rng.choice((255, rng.randrange(200)))
    signed: Signed = client.sign_cancel_all_orders(0, 0, cancel_all_market_index=market, **common)
    return signed


def _random_modify(client: Any, rng: random.Random, common: dict[str, int]) -> Signed:
    amount, price = rng.randrange(1, 2**40), rng.randrange(1, 2**32)
    signed: Signed = client.sign_modify_order(1, rng.randrange(1, 2**48), amount, price, **common)
    return signed


def _random_leverage(client: Any, rng: random.Random, common: dict[str, int]) -> Signed:
    signed: Signed = client.sign_update_leverage(
        rng.randrange(200), rng.randrange(1, 10_000), rng.randrange(2), **common
    )
    return signed


def _random_margin(client: Any, rng: random.Random, common: dict[str, int]) -> Signed:
    signed: Signed = client.sign_update_margin(rng.randrange(200), rng.randrange(1, 2**50), rng.randrange(2), **common)
    return signed


def _random_group(client: Any, rng: random.Random, common: dict[str, int]) -> Signed:
    amount, price = rng.randrange(1, 2**40), rng.randrange(1000, 2**31)
    expiry = 1_900_000_000_000
    orders = [CreateOrderTxReq(1, 0, amount, price, 0, 0, 1, 0, 0, expiry)]
    orders.append(CreateOrderTxReq(1, 0, 0, price - 10, 1, 3, 1, 1, price - 9, expiry))
    if rng.random() < 0.5:
        orders.append(CreateOrderTxReq(1, 0, 0, price + 10, 1, 5, 1, 1, price + 9, expiry))
    signed: Signed = client.sign_create_grouped_orders(len(orders) * 2 - 3, orders, **common)
    return signed


KINDS: dict[int, Callable[[Any, random.Random, dict[str, int]], Signed]] = {
    14: _random_order,
    15: _random_cancel,
    16: _random_cancel_all,
    17: _random_modify,
    20: _random_leverage,
    28: _random_group,
    29: _random_margin,
}


async def _sign(kind: int, count: int) -> list[Signed]:
    private_key, _public_key, error = create_api_key()
    assert error is None
    client = lighter.SignerClient(url="http://127.0.0.1:1", account_index=ACCOUNT, api_private_keys={KEY: private_key})
    rng = random.Random(kind)
    try:
        return [
            KINDS[kind](
                client,
                rng,
                {"nonce": rng.randrange(2**40), "api_key_index": KEY, "skip_nonce": rng.randrange(2)},
            )
            for _ in range(count)
        ]
    finally:
        await client.close()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_hash_is_the_one_that_the_official_signer_returns(kind: int) -> None:
    """Random transactions of each type, with and without attributes, hash to what the signer says."""
    with_attributes = 0
    for tx_type, tx_info, expected, error in asyncio.run(_sign(kind, 8)):
        assert error is None
        assert tx_type == kind
        parsed = json.loads(tx_info)
        with_attributes += bool(parsed["L2TxAttributes"])
        assert tx_hash(MAINNET, kind, parsed) == expected
        assert tx_hash(TESTNET, kind, parsed) != expected
    assert 0 < with_attributes <= 8


def _vectors() -> Iterator[dict[str, Any]]:
    for vector in json.loads((DATA / "signing" / "vectors.json").read_text()):
        if "tx_type" in vector:
            yield vector


@pytest.mark.skipif(
    not (DATA / "signing").is_dir(), reason="no recorded vectors; set LIGHTER_HEDGE_DATA to where they are"
)
def test_the_hash_agrees_with_recorded_vectors() -> None:
    """Every recorded transaction hashes to the recorded hash."""
    checked = 0
    for vector in _vectors():
        assert tx_hash(vector["chain_id"], vector["tx_type"], vector["tx_info"]) == vector["tx_hash"]
        checked += 1
    assert checked >= 48


CANCEL = {"AccountIndex": 1, "ApiKeyIndex": 2, "MarketIndex": 1, "Index": 9, "ExpiredAt": 5, "Nonce": 3}


def test_a_nil_attribute_does_not_change_the_hash() -> None:
    """Zero, and 255 for the market attribute, mean that the attribute is not set."""
    plain = tx_hash(MAINNET, 15, CANCEL)
    assert tx_hash(MAINNET, 15, {**CANCEL, "L2TxAttributes": {"4": 0, "5": 255}}) == plain
    assert tx_hash(MAINNET, 15, {**CANCEL, "L2TxAttributes": {"5": 0}}) != plain


def test_attributes_are_hashed_by_type_whatever_their_order() -> None:
    """The map of a client need not be sorted."""
    one, other = {"4": 1, "5": 0, "8": 2}, {"8": 2, "5": 0, "4": 1}
    assert tx_hash(MAINNET, 15, {**CANCEL, "L2TxAttributes": one}) == tx_hash(
        MAINNET, 15, {**CANCEL, "L2TxAttributes": other}
    )


def test_what_cannot_be_hashed_is_named() -> None:
    """Unknown types, absent fields and surplus attributes are refused with their name."""
    with pytest.raises(ValueError, match="transaction type 99 has no known hash"):
        tx_hash(MAINNET, 99, CANCEL)
    with pytest.raises(ValueError, match="fields Price, TriggerPrice are absent"):
        tx_hash(MAINNET, 17, {**CANCEL, "BaseAmount": 4})
    with pytest.raises(ValueError, match="5 transaction attributes"):
        tx_hash(MAINNET, 15, {**CANCEL, "L2TxAttributes": {str(kind): 1 for kind in range(6, 11)}})
    with pytest.raises(ValueError, match="L2TxAttributes is not a map"):
        tx_hash(MAINNET, 15, {**CANCEL, "L2TxAttributes": [4, 1]})
    with pytest.raises(ValueError, match="Orders"):
        tx_hash(MAINNET, 28, {**CANCEL, "GroupingType": 1})

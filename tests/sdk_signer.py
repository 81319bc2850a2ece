"""Random transactions of every type, signed by the SDK's own signer. Nothing is sent anywhere."""

import asyncio
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import lighter
from lighter.signer_client import CreateOrderTxReq, create_api_key

MAINNET, TESTNET = 304, 300
ACCOUNT = 7731
POOL_MIN = 2**47
L1_KEY = "0x" + "11" * 32
EXPIRY_MS = 1_900_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A client of the SDK with one key, on one chain."""

    client: Any
    chain_id: int
    api_key_index: int
    public_key: str
    """80 hex digits."""

    def sign(self, tx_type: int, rng: random.Random) -> tuple[dict[str, Any], str]:
        """A random transaction of a type: ``tx_info`` and hash."""
        common = {"nonce": rng.randrange(2**46), "api_key_index": self.api_key_index, "skip_nonce": rng.randrange(2)}
        signed_type, tx_info, tx_hash, error = KINDS[tx_type](self, rng, common)
        assert (signed_type, error) == (tx_type, None)
        return json.loads(tx_info), tx_hash

    def token(self, seconds: int = 600) -> str:
        """An auth token."""
        token, error = self.client.create_auth_token_with_expiry(seconds, api_key_index=self.api_key_index)
        assert error is None
        return str(token)


def key_pair() -> tuple[str, str]:
    """Private and public key, 80 hex digits each."""
    private_key, public_key, error = create_api_key()
    assert error is None
    return private_key.removeprefix("0x"), public_key.removeprefix("0x")


def signers() -> list[Signer]:
    """One for each chain, with keys of their own. They sign; what they were made with to send is closed."""

    async def made() -> list[Signer]:
        found = []
        for api_key_index, chain_id in ((4, MAINNET), (5, TESTNET)):
            private_key, public_key = key_pair()
            keys = {api_key_index: private_key}
            client = lighter.SignerClient("http://127.0.0.1:1", ACCOUNT, keys, chain_id=chain_id)
            await client.close()
            one = Signer(client=client, chain_id=chain_id, api_key_index=api_key_index, public_key=public_key)
            found.append(one)
        return found

    return asyncio.run(made())


Signed = tuple[int, str, str, str | None]
Common = Mapping[str, int]


def _attributes(rng: random.Random) -> dict[str, int]:
    """A self-trade mode, an integrator, or nothing."""
    return rng.choice(
        [
            {},
            {"self_trade_behavior_mode": rng.randrange(3), "self_trade_equality_mode": rng.randrange(2)},
            {
                "integrator_account_index": rng.randrange(1, 2**40),
                "integrator_taker_fee": rng.randrange(1000),
                "integrator_maker_fee": rng.randrange(1000),
            },
        ]
    )


def _change_pub_key(signer: Signer, rng: random.Random, common: Common) -> Signed:
    signed: Signed = signer.client.sign_change_api_key(L1_KEY, "0x" + signer.public_key, **common)
    return signed


def _sub_account(signer: Signer, rng: random.Random, common: Common) -> Signed:
    signed: Signed = signer.client.sign_create_sub_account(**common)
    return signed


def _create_pool(signer: Signer, rng: random.Random, common: Common) -> Signed:
    shares, rate = rng.randrange(1, 2**31), rng.randrange(10_000)
    signed: Signed = signer.client.sign_create_public_pool(rng.randrange(1_000_000), shares, rate, **common)
    return signed


def _update_pool(signer: Signer, rng: random.Random, common: Common) -> Signed:
    pool, fee, rate = rng.randrange(1, 2**47), rng.randrange(1_000_000), rng.randrange(10_000)
    signed: Signed = signer.client.sign_update_public_pool(pool, rng.randrange(2), fee, rate, **common)
    return signed


def _transfer(signer: Signer, rng: random.Random, common: Common) -> Signed:
    to, asset, amount, fee = rng.randrange(1, 2**48 - 1), rng.randrange(1, 10), rng.randrange(1, 2**50), 2**33
    body = (to, asset, rng.randrange(2), rng.randrange(2), amount, rng.randrange(fee), "m" * 32)
    signed: Signed = (
        signer.client.sign_transfer(L1_KEY, *body, **common)
        if rng.randrange(2)
        else signer.client.sign_transfer_same_master_account(*body, **common)
    )
    return signed


def _withdraw(signer: Signer, rng: random.Random, common: Common) -> Signed:
    asset, amount = rng.randrange(1, 10), rng.randrange(1, 2**50)
    signed: Signed = signer.client.sign_withdraw(asset, rng.randrange(2), amount, **common)
    return signed


def _order(signer: Signer, rng: random.Random, common: Common) -> Signed:
    order_type, time_in_force, trigger, expiry = rng.choice(
        ((0, 0, 0, 0), (0, 1, 0, -1), (0, 2, 0, EXPIRY_MS), (1, 0, 0, 0), (2, 0, 5, -1), (3, 1, 6, -1), (5, 1, 7, -1))
    )
    signed: Signed = signer.client.sign_create_order(
        market_index=rng.randrange(200),
        client_order_index=rng.randrange(2**48),
        base_amount=rng.randrange(1, 2**48),
        price=rng.randrange(1, 2**32),
        is_ask=rng.random() < 0.5,
        order_type=order_type,
        time_in_force=time_in_force,
        reduce_only=rng.random() < 0.3,
        trigger_price=trigger and rng.randrange(1, 2**32),
        order_expiry=expiry,
        **_attributes(rng),
        **common,
    )
    return signed


def _cancel(signer: Signer, rng: random.Random, common: Common) -> Signed:
    signed: Signed = signer.client.sign_cancel_order(rng.randrange(200), rng.randrange(1, 2**56), **common)
    return signed


def _cancel_all(signer: Signer, rng: random.Random, common: Common) -> Signed:
    mode, time_ms, market = rng.choice(((0, 0, 255), (0, 0, rng.randrange(200)), (1, EXPIRY_MS, 255), (2, 0, 255)))
    signed: Signed = signer.client.sign_cancel_all_orders(mode, time_ms, cancel_all_market_index=market, **common)
    return signed


def _modify(signer: Signer, rng: random.Random, common: Common) -> Signed:
    index, amount, price = rng.randrange(1, 2**56), rng.randrange(1, 2**48), rng.randrange(1, 2**32)
    version = {} if rng.randrange(2) else {"order_version": rng.randrange(1, 2**40)}
    wanted = version or _attributes(rng)
    trigger = rng.choice((0, price))
    signed: Signed = signer.client.sign_modify_order(1, index, amount, price, trigger, **wanted, **common)
    return signed


def _shares(name: str, least: int) -> Callable[[Signer, random.Random, Common], Signed]:
    def sign(signer: Signer, rng: random.Random, common: Common) -> Signed:
        method = getattr(signer.client, f"sign_{name}")
        signed: Signed = method(rng.randrange(least, 2**48 - 1), rng.randrange(1, 2**60), **common)
        return signed

    return sign


def _leverage(signer: Signer, rng: random.Random, common: Common) -> Signed:
    market, fraction = rng.randrange(200), rng.randrange(1, 10_000)
    signed: Signed = signer.client.sign_update_leverage(market, fraction, rng.randrange(2), **common)
    return signed


def _group(signer: Signer, rng: random.Random, common: Common) -> Signed:
    amount, price = rng.randrange(1, 2**40), rng.randrange(1000, 2**31)
    orders = [CreateOrderTxReq(1, 0, amount, price, 0, 0, 1, 0, 0, EXPIRY_MS)]
    orders.append(CreateOrderTxReq(1, 0, 0, price - 10, 1, 3, 1, 1, price - 9, EXPIRY_MS))
    if rng.randrange(2):
        orders.append(CreateOrderTxReq(1, 0, 0, price + 10, 1, 5, 1, 1, price + 9, EXPIRY_MS))
    grouping = len(orders) * 2 - 3
    signed: Signed = signer.client.sign_create_grouped_orders(grouping, orders, **_attributes(rng), **common)
    return signed


def _margin(signer: Signer, rng: random.Random, common: Common) -> Signed:
    market, amount = rng.randrange(200), rng.randrange(1, 2**50)
    signed: Signed = signer.client.sign_update_margin(market, amount, rng.randrange(2), **common)
    return signed


def _account_config(signer: Signer, rng: random.Random, common: Common) -> Signed:
    signed: Signed = signer.client.sign_update_account_config(rng.randrange(2), **common)
    return signed


def _asset_config(signer: Signer, rng: random.Random, common: Common) -> Signed:
    asset, mode = rng.randrange(1, 10), rng.randrange(2)
    signed: Signed = signer.client.sign_update_account_asset_config(asset, mode, **common)
    return signed


def _integrator(signer: Signer, rng: random.Random, common: Common) -> Signed:
    fees = [rng.randrange(1, 1_000_000) for _ in range(4)]
    l1_key = rng.choice((None, L1_KEY))
    index, expiry_ms = rng.randrange(1, 2**40), rng.randrange(1, 2**47)
    signed: Signed = signer.client.sign_approve_integrator(l1_key, index, *fees, expiry_ms, **common)
    return signed


KINDS: dict[int, Callable[[Signer, random.Random, Common], Signed]] = {
    8: _change_pub_key,
    9: _sub_account,
    10: _create_pool,
    11: _update_pool,
    12: _transfer,
    13: _withdraw,
    14: _order,
    15: _cancel,
    16: _cancel_all,
    17: _modify,
    18: _shares("mint_shares", POOL_MIN),
    19: _shares("burn_shares", POOL_MIN),
    20: _leverage,
    28: _group,
    29: _margin,
    35: _shares("stake_assets", POOL_MIN),
    36: _shares("unstake_assets", POOL_MIN),
    41: _account_config,
    42: _asset_config,
    45: _integrator,
}
"""Every type that ``SignerClient`` signs, but those of binary options."""

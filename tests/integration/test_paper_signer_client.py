"""Every public method of the SDK's SignerClient, called well and badly: the code, and what becomes of the nonce.

The codes are those of the fact sheet; ``SIGNER`` means that the SDK's own signer refuses, and nothing is sent.
"""

import asyncio
import inspect
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lighter
import pytest
from lighter.signer_client import CreateOrderTxReq
from tests.integration.paper_client import Paper, run
from tests.integration.paper_process import MID

Args = dict[str, Any]
SIGNER = 0
"""In place of a code: refused before anything is sent."""
BTC, ETH, NOWHERE = 1, 0, 253
FAR = MID - 3_000
L1_KEY = "0x" + "11" * 32
CONSUMED, KEPT = 1, 0


class Called:
    """What the cases know of each other."""

    def __init__(self, client: Any, other: Any) -> None:
        self.client, self.other = client, other
        self.now_ms = int(time.time() * 1000)

    def signed(self, nonce: int, coid: int = 0) -> tuple[int, str]:
        """An order signed with an explicit nonce."""
        made = self.client.sign_create_order(BTC, coid, 20, FAR, False, 0, 2, nonce=nonce, api_key_index=4)
        assert made[3] is None
        return made[0], made[1]


Case = tuple[str, Callable[[Called], Args], int, int]


def case(method: str, code: int, moves: int, **arguments: Any) -> Case:
    """A call with fixed arguments."""
    return method, lambda _: arguments, code, moves


def order(**changes: Any) -> Args:
    """A post-only bid far below the market."""
    fixed = {"market_index": BTC, "client_order_index": 11, "base_amount": 20, "price": FAR, "is_ask": False}
    return {**fixed, "order_type": 0, "time_in_force": 2, **changes}


def taking(**changes: Any) -> Args:
    """An order that takes one level."""
    return {"market_index": BTC, "client_order_index": 0, "base_amount": 20, "is_ask": False, **changes}


def waiting(**changes: Any) -> Args:
    """A stop or a take-profit: sells when the mark has moved."""
    fixed = {"market_index": BTC, "client_order_index": 0, "base_amount": 20, "is_ask": True}
    return {**fixed, "trigger_price": MID - 900, "price": MID - 1_000, **changes}


def leg(**changes: Any) -> CreateOrderTxReq:
    """One leg of a group."""
    fixed = {"MarketIndex": BTC, "ClientOrderIndex": 0, "BaseAmount": 20, "Price": FAR, "IsAsk": 0, "Type": 0}
    fixed |= {"TimeInForce": 1, "ReduceOnly": 0, "TriggerPrice": 0, "OrderExpiry": -1}
    return CreateOrderTxReq(**{**fixed, **changes})


STOP = {
    "BaseAmount": 0,
    "IsAsk": 1,
    "Type": 2,
    "TimeInForce": 0,
    "ReduceOnly": 1,
    "TriggerPrice": FAR - 500,
    "Price": FAR - 900,
}
QUOTE = {"market_index": BTC, "client_order_index": 0, "max_slippage": 0.001, "is_ask": False}
ROUTES = {"asset_id": 3, "route_from": 0, "route_to": 0}
POOL = 2**47 + 5
OPTION: Args = {
    "market_slot": 1, "start_timestamp_ms": 1, "end_timestamp_ms": 2, "taker_fee": 0, "maker_fee": 0,
    "min_base_amount": 1, "min_quote_amount": 1, "order_quote_limit": 1, "open_interest_limit": 1, "is_frozen": 0,
}  # fmt: skip

CASES: list[Case] = [
    case("create_order", 200, CONSUMED, **order()),
    case("create_order", 200, CONSUMED, **order()),  # the same client index: 200, consumed, no order
    case("create_order", 21706, KEPT, **order(base_amount=1)),
    case("create_order", 21602, KEPT, **order(market_index=NOWHERE)),
    case("create_order", 21733, KEPT, **order(price=MID * 3 // 2, time_in_force=1)),
    case("create_order", 200, CONSUMED, **order(order_expiry=1)),  # too soon: accepted, and comes to nothing
    case("create_order", 21711, KEPT, **order(order_expiry=2**50)),
    case("create_order", 21739, KEPT, **order(base_amount=10**9)),
    case("create_order", SIGNER, KEPT, **order(client_order_index=2**48)),
    case("create_order", SIGNER, KEPT, **order(base_amount=0)),
    case("create_order", SIGNER, KEPT, **order(time_in_force=0)),
    case("create_market_order", 200, CONSUMED, **taking(avg_execution_price=MID + 100)),
    case("create_market_order", 21706, KEPT, **taking(avg_execution_price=MID + 100, base_amount=1)),
    case("create_market_order", SIGNER, KEPT, **taking(avg_execution_price=0)),
    case("create_market_order_limited_slippage", 200, CONSUMED, **taking(max_slippage=0.001)),
    case("create_market_order_limited_slippage", 21706, KEPT, **taking(max_slippage=0.001, base_amount=1)),
    case("create_market_order_if_slippage", 200, CONSUMED, **taking(max_slippage=0.001)),
    case("create_market_order_if_slippage", SIGNER, KEPT, **taking(max_slippage=0.001, base_amount=10**6)),
    case("create_market_order_if_slippage", SIGNER, KEPT, **taking(max_slippage=0.0, ideal_price=MID - 900)),
    case("create_market_order_quote_amount", 200, CONSUMED, **QUOTE, quote_amount=30),
    case("create_market_order_quote_amount", 21706, KEPT, **QUOTE, quote_amount=5),
    case("create_sl_order", 200, CONSUMED, **waiting()),
    case("create_sl_order", SIGNER, KEPT, **waiting(trigger_price=0)),
    case("create_sl_limit_order", 200, CONSUMED, **waiting()),
    case("create_sl_limit_order", SIGNER, KEPT, **waiting(trigger_price=0)),
    case("create_tp_order", 200, CONSUMED, **waiting(trigger_price=MID + 900)),
    case("create_tp_order", 21706, KEPT, **waiting(trigger_price=MID + 900, base_amount=1)),
    case("create_tp_limit_order", 200, CONSUMED, **waiting(trigger_price=MID + 900)),
    case("create_tp_limit_order", SIGNER, KEPT, **waiting(trigger_price=0)),
    case("modify_order", 200, CONSUMED, market_index=BTC, order_index=11, base_amount=30, price=FAR - 10),
    case("modify_order", 200, CONSUMED, market_index=BTC, order_index=999, base_amount=30, price=FAR - 10),
    case("modify_order", 21706, KEPT, market_index=BTC, order_index=11, base_amount=1, price=FAR),
    case("modify_order", SIGNER, KEPT, market_index=BTC, order_index=0, base_amount=30, price=FAR),
    case("cancel_order", 200, CONSUMED, market_index=BTC, order_index=11),
    case("cancel_order", 200, CONSUMED, market_index=BTC, order_index=11),  # dead: acknowledged, a no-op
    case("cancel_order", 21602, KEPT, market_index=NOWHERE, order_index=11),
    case("cancel_order", SIGNER, KEPT, market_index=BTC, order_index=0),
    case("create_grouped_orders", 200, CONSUMED, grouping_type=1, orders=[leg(), leg(**STOP)]),
    case("create_grouped_orders", SIGNER, KEPT, grouping_type=9, orders=[leg(), leg(**STOP)]),
    case("create_grouped_orders", SIGNER, KEPT, grouping_type=1, orders=[leg()]),
    ("cancel_all_orders", lambda c: {"time_in_force": 1, "timestamp_ms": c.now_ms + 60_000}, 21714, KEPT),
    ("cancel_all_orders", lambda c: {"time_in_force": 1, "timestamp_ms": c.now_ms + 900_000}, 200, CONSUMED),
    ("cancel_all_orders", lambda c: {"time_in_force": 1, "timestamp_ms": c.now_ms + 990_000}, 21712, KEPT),
    case("cancel_all_orders", 200, CONSUMED, time_in_force=2, timestamp_ms=0),
    case("cancel_all_orders", 200, CONSUMED, time_in_force=0, timestamp_ms=0),
    case("cancel_all_orders", SIGNER, KEPT, time_in_force=0, timestamp_ms=5),
    case("update_leverage", 200, CONSUMED, market_index=ETH, margin_mode=1, leverage=10),
    case("update_leverage", 21113, KEPT, market_index=ETH, margin_mode=1, leverage=1_000),
    case("update_leverage", 21132, KEPT, market_index=BTC, margin_mode=1, leverage=10),
    case("update_margin", 21613, KEPT, market_index=BTC, usdc_amount=1.0, direction=1),
    case("update_margin", 21614, KEPT, market_index=ETH, usdc_amount=1.0, direction=1),
    ("transfer_same_master_account", lambda c: {"to_account_index": c.other.account_index, "amount": 5.0, "fee": 0,
                                               "memo": "0x" + "00" * 32, **ROUTES}, 200, CONSUMED),
    ("transfer_same_master_account", lambda c: {"to_account_index": c.other.account_index, "amount": 10.0**9, "fee": 0,
                                               "memo": "0x" + "00" * 32, **ROUTES}, 21301, KEPT),
    case("transfer_same_master_account", 21100, KEPT, to_account_index=2**46, amount=5.0, fee=0,
         memo="0x" + "00" * 32, **ROUTES),
    # What a paper exchange does not have.
    case("withdraw", 21515, KEPT, asset_id=3, route_type=0, amount=5.0),
    case("update_public_pool", 21515, KEPT, public_pool_index=POOL, status=0, operator_fee=1,
         min_operator_share_rate=1_000),
    case("mint_shares", 21515, KEPT, public_pool_index=POOL, share_amount=1),
    case("burn_shares", 21515, KEPT, public_pool_index=POOL, share_amount=1),
    case("stake_assets", 21515, KEPT, staking_pool_index=POOL, share_amount=1),
    case("unstake_assets", 21515, KEPT, staking_pool_index=POOL, share_amount=1),
    case("update_account_config", 21515, KEPT, account_trading_mode=1),
    case("update_account_asset_config", 21515, KEPT, asset_index=3, asset_margin_mode=1),
    case("approve_integrator", 21515, KEPT, eth_private_key=L1_KEY, integrator_account_index=5, max_perps_taker_fee=1,
         max_perps_maker_fee=1, max_spot_taker_fee=1, max_spot_maker_fee=1, approval_expiry=1_900_000_000_000),
    case("binary_options_operator_create_market", SIGNER, KEPT, **OPTION, settlement_cap=1, settlement_type=0,
         default_price=1, symbol="X", size_decimals=1, price_decimals=1),
    case("binary_options_operator_update_market", SIGNER, KEPT, market_index=5, **OPTION),
    case("binary_options_operator_settle_market", SIGNER, KEPT, market_slot=1, market_index=5, settlement_price=1,
         is_refund=0),
    # Last: the key is another one afterwards.
    case("change_api_key", SIGNER, KEPT, eth_private_key=L1_KEY, new_pubkey="0x12"),
    case("change_api_key", 200, CONSUMED, eth_private_key=L1_KEY, new_pubkey="0x" + "12" * 40),
]  # fmt: skip

OF_A_MASTER: list[Case] = [
    case("create_sub_account", 200, CONSUMED),
    ("transfer", lambda c: {"eth_private_key": L1_KEY, "to_account_index": c.other.account_index, "amount": 5.0,
                            "fee": 0, "memo": "00" * 32, **ROUTES}, 200, CONSUMED),
    ("transfer", lambda c: {"eth_private_key": L1_KEY, "to_account_index": c.other.account_index, "amount": 10.0**9,
                            "fee": 0, "memo": "00" * 32, **ROUTES}, 21301, KEPT),
    ("transfer_same_master_account", lambda c: {"to_account_index": c.other.account_index, "amount": 5.0, "fee": 0,
                                               "memo": "00" * 32, **ROUTES}, 21504, KEPT),
    case("create_public_pool", 21515, KEPT, operator_fee=1, initial_total_shares=1_000_000,
         min_operator_share_rate=1_000),
    *(case("create_sub_account", 200, CONSUMED) for _ in range(7)),
    case("create_sub_account", 21129, KEPT),
]  # fmt: skip
"""What only a master account may: the accounts of this exchange are two wallets."""


def play(paper: Paper, cases: list[Case]) -> None:
    """Call each method; its code and what became of the nonce must be those of the case."""
    found: list[Any] = []

    async def test() -> None:
        async with paper.clients(4) as (a, b):
            called = Called(a, b)
            api = lighter.TransactionApi(a.api_client)

            async def nonce() -> int:
                return int((await api.next_nonce(account_index=a.account_index, api_key_index=4)).nonce)

            for method, arguments, code, moves in cases:
                before = await nonce()
                got, error = code_of(await getattr(a, method)(**arguments(called)))
                moved = await nonce() - before
                if (got, moved) != (code, moves):
                    found.append((method, arguments(called), got, moved, error))

    run(test)
    assert found == []


def test_every_method_that_sends_is_answered_as_the_fact_sheet_says(paper: Paper) -> None:
    play(paper, CASES)


def test_what_a_master_account_may_send(tmp_path: Path) -> None:
    paper = Paper(tmp_path, wallets="separate", tier="premium", latency_scale=0.0)
    try:
        play(paper, OF_A_MASTER)
    finally:
        paper.kill()


def test_collateral_goes_into_an_isolated_position_and_out_of_it(tmp_path: Path) -> None:
    paper = Paper(tmp_path, latency_scale=0.0)

    async def test() -> None:
        async with paper.clients(4) as (a, _):
            accounts = lighter.AccountApi(a.api_client)

            async def allocated() -> float:
                found = await accounts.account(by="index", value=str(a.account_index))
                return float(found.accounts[0].positions[0].allocated_margin)

            assert (await a.update_leverage(market_index=BTC, margin_mode=1, leverage=10))[-1] is None
            assert (await a.create_market_order(**taking(avg_execution_price=MID + 100)))[-1] is None
            at_first = await allocated()
            assert (await a.update_margin(market_index=BTC, usdc_amount=2.0, direction=1))[-1] is None
            assert await allocated() == pytest.approx(at_first + 2.0)
            assert (await a.update_margin(market_index=BTC, usdc_amount=1.5, direction=0))[-1] is None
            assert await allocated() == pytest.approx(at_first + 0.5)
            assert code_of(await a.update_margin(market_index=BTC, usdc_amount=10.0**6, direction=1))[0] == 21301

    try:
        run(test)
    finally:
        paper.kill()


def test_raw_sends_tokens_and_prices(tmp_path: Path) -> None:
    paper = Paper(tmp_path)

    async def test() -> None:
        async with paper.clients(4) as (a, b):
            called = Called(a, b)
            assert (await a.send_tx(*called.signed(0))).code == 200
            with pytest.raises(lighter.exceptions.BadRequestException, match="21104"):
                await a.send_tx(*called.signed(0))
            two = [called.signed(nonce) for nonce in (1, 2)]
            sent = await a.send_tx_batch([kind for kind, _ in two], [text for _, text in two])
            assert (sent.code, len(sent.tx_hash)) == (200, 2)
            with pytest.raises(lighter.exceptions.BadRequestException, match="21104"):
                await a.send_tx_batch([kind for kind, _ in two], [text for _, text in two])
            orders = lighter.OrderApi(a.api_client)
            auth, error = a.create_auth_token_with_expiry(600, api_key_index=4)
            assert error is None
            asked = {"account_index": a.account_index, "market_id": BTC}
            assert len((await orders.account_active_orders(authorization=auth, **asked)).orders) == 3
            assert a.create_auth_token_with_expiry(600, api_key_index=9)[1] is not None
            assert await a.get_best_price(BTC, is_ask=False) == MID + 10
            price, filled = await a.get_potential_execution_price(BTC, 1_500, is_ask=False)
            assert (price, filled) == ((1_000 * (MID + 10) + 500 * (MID + 20)) / 1_500, 1_500)
            with pytest.raises(lighter.exceptions.BadRequestException, match="21602"):
                await a.get_best_price(NOWHERE, is_ask=False)
            assert await asyncio.to_thread(a.check_client) is None
            a.create_client(4)

    try:
        run(test)
    finally:
        paper.kill()


ASKED_ABOVE = {"send_tx", "send_tx_batch", "create_auth_token_with_expiry", "get_best_price", "check_client"}
ASKED_ABOVE |= {"get_potential_execution_price", "create_client", "close"}
NOT_ASKED = {
    "are_keys_equal": "compares two texts; asks nothing",
    "create_api_key": "makes a key; asks nothing, and cannot be called on an object",
    "validate_api_private_keys": "looks at its argument; asks nothing",
    "sign_approve_integrator_same_master_account": "its transaction is that of approve_integrator",
}


def test_no_public_method_is_left_out() -> None:
    methods = {name for name, _ in inspect.getmembers(lighter.SignerClient, callable) if not name.startswith("_")}
    sent = {name for name, *_ in (*CASES, *OF_A_MASTER)}
    signed = {f"sign_{name}" for name in sent}
    assert methods - sent - signed - ASKED_ABOVE == NOT_ASKED.keys()
    codes = {name: {code for method, _, code, _ in (*CASES, *OF_A_MASTER) if method == name} for name in sent}
    refused_only = {name for name, met in codes.items() if 200 not in met}
    assert all(codes[name] <= {21515, SIGNER, 21613, 21614} for name in refused_only), "asked badly only"
    assert all(len(met) > 1 for name, met in codes.items() if name not in refused_only), "asked well only"


def code_of(said: tuple[Any, ...]) -> tuple[int, str]:
    """The code of an answer: of the body, or of the text of a refusal."""
    answer, error = said[-2], said[-1]
    if error is None:
        return int(answer.code), ""
    number = re.search(r"code=(\d+)", error)
    return (int(number[1]) if number else SIGNER), error

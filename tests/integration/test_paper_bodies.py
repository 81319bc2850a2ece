"""REST bodies of the paper exchange beside captured ones: the same keys, and the same formats where recorded live."""

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.recordings import DATA
from tests.unit.simulator.paper_edge import Edge, edge, run
from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, World, make_world

from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.events import Mark
from lighter_hedge.simulator.core.records import Funding, PositionFunding

ETH_MID = 236_131
HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """A captured body, and the request that it is the answer to here."""

    request: str
    """Path and query; ``{name}`` is filled in."""
    since: str = "example"
    """When it was recorded live, by month; an example of somebody's documents is compared by its keys alone."""
    form: str = ""
    """Form of a POST."""
    status: int = 200


def spec(request: str, since: str = "example", form: str = "", status: int = 200) -> Captured:
    return Captured(request=request, since=since, form=form, status=status)


OWN = "account_index={a}&auth={auth}"
SPAN = "start_timestamp={start}&end_timestamp={end}&count_back=9"
CAPTURED = {
    "ccxt_account_assets_subaccount": spec("account?by=index&value={a}", "2025-11"),
    "ccxt_account_with_position": spec("account?by=index&value={a}", "2025-11"),
    "ccxt_assetDetails": spec("assetDetails", "2025-11"),
    "ccxt_fetchStatus": spec("/", "2025-11"),
    "ccxt_fundingRates": spec("funding-rates", "2025-11"),
    "ccxt_orderBookDetails_eth": spec("orderBookDetails?market_id=0", "2025-11"),
    "ccxt_orderBookOrders": spec("orderBookOrders?market_id=0&limit=1", "2025-11"),
    "cmc_accountActiveOrders_auth_required": spec("accountActiveOrders?account_index={a}", "2026-07", status=400),
    "cmc_accountActiveOrders_empty": spec("accountActiveOrders?account_index={b}&auth={auth_b}", "2026-07"),
    "cmc_accountActiveOrders_one": spec(f"accountActiveOrders?market_id=1&{OWN}", "2026-07"),
    "cmc_accountLimits_standard": spec(f"accountLimits?{OWN}", "2026-07"),
    "cmc_error_20013_invalid_deadline": spec("accountLimits?account_index={a}&auth={far}", "2026-07", status=401),
    "cmc_orderBooks_mainnet_5rows": spec("orderBooks", "2026-07"),
    "cmc_orderBooks_testnet_all": spec("orderBooks", "2026-07"),
    "cmc_sendTx_error_21104_invalid_nonce": spec("sendTx", "2026-07", form="{replay}", status=400),
    "cmc_sendTx_ok": spec("sendTx", "2026-07", form="{order}"),
    "jkorf_GetAccountLimits": spec(f"accountLimits?{OWN}"),
    "jkorf_GetAccountMetadata": spec("accountMetadata?by=index&value={a}"),
    "jkorf_GetAccounts": spec("account?by=index&value={a}"),
    "jkorf_GetAccountsByL1Address": spec("accountsByL1Address?l1_address=0xw"),
    "jkorf_GetAnnouncements": spec("announcement"),
    "jkorf_GetApiKeys": spec("apikeys?account_index={a}"),
    "jkorf_GetAssets": spec("assetDetails"),
    "jkorf_GetClosedOrders": spec(f"accountInactiveOrders?limit=1&{OWN}"),
    "jkorf_GetDepositHistory": spec(f"deposit/history?l1_address=0xw&{OWN}"),
    "jkorf_GetExchangeStats": spec("exchangeStats"),
    "jkorf_GetFundingHistory": spec(f"positionFunding?limit=1&{OWN}"),
    "jkorf_GetFundingRateHistory": spec(f"fundings?market_id=0&resolution=1h&{SPAN}"),
    "jkorf_GetFundingRates": spec("funding-rates"),
    "jkorf_GetKlines": spec(f"candles?market_id=0&resolution=1m&{SPAN}"),
    "jkorf_GetLayer1BasicInfo": spec("layer1BasicInfo"),
    "jkorf_GetLiquidations": spec(f"liquidations?limit=1&{OWN}"),
    "jkorf_GetOpenOrders": spec(f"accountActiveOrders?{OWN}"),
    "jkorf_GetOrderBook": spec("orderBookOrders?market_id=0&limit=1"),
    "jkorf_GetPnl": spec(f"pnl?by=index&value={{a}}&auth={{auth}}&resolution=15m&{SPAN}"),
    "jkorf_GetRecentTrades": spec("recentTrades?market_id=0&limit=1"),
    "jkorf_GetSymbolDetails": spec("orderBookDetails?market_id=0"),
    "jkorf_GetSymbols": spec("orderBooks?market_id=0"),
    "jkorf_GetSystemConfig": spec("systemConfig"),
    "jkorf_GetTransferHistory": spec(f"transfer/history?{OWN}"),
    "jkorf_GetUserTrades": spec(f"trades?sort_by=timestamp&limit=1&{OWN}"),
    "jkorf_GetWithdrawHistory": spec(f"withdraw/history?{OWN}"),
    "jkorf_SetAccountTier": spec("changeAccountTier?auth={auth_b}", form="account_index={b}&new_tier=premium"),
    "nautilus_http_account": spec("account?by=index&value={a}"),
    "nautilus_http_candles": spec(f"candles?market_id=0&resolution=1m&{SPAN}"),
    "nautilus_http_fundings": spec(f"fundings?market_id=0&resolution=1h&{SPAN}"),
    "nautilus_http_next_nonce": spec("nextNonce?account_index={a}&api_key_index=4"),
    "nautilus_http_order_book_details": spec("orderBookDetails?market_id=0", "2026-05"),
    "nautilus_http_order_book_orders": spec("orderBookOrders?market_id=0&limit=1", "2026-05"),
    "nautilus_http_order_books": spec("orderBooks?market_id=0"),
    "nautilus_http_orders": spec(f"accountInactiveOrders?limit=1&{OWN}"),
    "nautilus_http_recent_trades": spec("recentTrades?market_id=0&limit=1", "2026-05"),
    "nautilus_http_recent_trades_unordered": spec("recentTrades?market_id=0&limit=1"),
}


# --- the differences, each with its reason ---

NEWER = {
    # Not in recordings of November 2025, but in those of May 2026.
    "2025-11": {
        "account_trading_mode",
        "approved_integrators",
        "base_asset_id",
        "can_rfq",
        "can_rfq_market_ids",
        "created_at",
        "cross_initial_margin_requirement",
        "cross_maintenance_margin_requirement",
        "funding_fee_discounts_enabled",
        "hidden",
        "is_maker_fee_enabled",
        "is_taker_fee_enabled",
        "margin_balance",
        "margin_mode",
        "market_type",
        "color",
        "pending_unlocks",
        "quote_asset_id",
        "rfq_enabled",
        "spot_order_book_details",
        "strategy_index",
        "transaction_time",
    },
    # Not in recordings of May 2026, but in those of July and August, or in frames of then.
    "2026-05": {
        "base_interest_rate",
        "created_at",
        "funding_clamp_big",
        "funding_clamp_small",
        "index_price",
        "margin_set_flag",
        "mark_price",
        "multiplier",
        "order_flags",
    },
    # In no recording; SDK 1.1.8 of autumn 2026 declares them as required.
    "2026-07": {
        "agent_enabled",
        "bo_fee_rate",
        "bo_positions",
        "bo_user_tier_name",
        "default_price",
        "end_timestamp",
        "fee_collector_account_index",
        "funding_premium_multiplier",
        "global_supply_cap",
        "is_frozen",
        "liquidation_factor",
        "liquidation_fee",
        "liquidation_threshold",
        "loan_to_value",
        "market_flags",
        "market_kind",
        "market_symbol",
        "next_cursor",
        "open_interest",
        "operator_account_index",
        "order_version",
        "outcome",
        "pool_info",
        "price_decimals",
        "settlement_cap",
        "settlement_price",
        "settlement_type",
        "start_timestamp",
        "total_discount",
        "total_supplied",
        "user_supply_cap",
        "volume_quota_remaining",
    },
}
"""Keys that we send and an older body does not have, by the time of the last recordings without them."""

EXAMPLES_LACK = {"code", "can_rfq_market_ids"}
"""Keys that we send, as recorded elsewhere, and that somebody's example has forgotten or that had no value in it."""

LEFT_OUT = {
    "message": "optional: told with a refusal and with sendTx only",
    "next_cursor": "optional: told only where there is a further page",
    "total_funding_paid_out": "optional: not in the recorded accounts of 2025 and 2026",
    "C": "optional: of mark prices, with merge_mark_price",
    "H": "optional: of mark prices, with merge_mark_price",
    "L": "optional: of mark prices, with merge_mark_price",
    "O": "optional: of mark prices, with merge_mark_price",
    "taker_position_sign_changed": "left out where false, as recorded in May 2026",
    "maker_position_sign_changed": "left out where false, as recorded in May 2026",
    "integrator_maker_fee": "left out where zero, as recorded in May 2026",
    "integrator_maker_fee_collector_index": "left out where zero, as recorded in May 2026",
    "integrator_taker_fee": "left out where zero, as recorded in May 2026",
    "integrator_taker_fee_collector_index": "left out where zero, as recorded in May 2026",
    "taker_allocated_margin_usdc_before": "left out where zero, as recorded in May 2026",
    "taker_allocated_margin_usdc_after": "left out where zero, as recorded in May 2026",
    "maker_allocated_margin_usdc_before": "left out where zero, as recorded in May 2026",
    "maker_allocated_margin_usdc_after": "left out where zero, as recorded in May 2026",
}
"""Keys of captured bodies that we do not send, and why."""

OTHERWISE = {
    ("ccxt_account_assets_subaccount", ".accounts[].assets[].balance"): "its first asset is ETH with 8 decimals",
    ("ccxt_account_assets_subaccount", ".accounts[].assets[].locked_balance"): "its first asset is ETH with 8 decimals",
    ("ccxt_account_with_position", ".accounts[].positions[].liquidation_price"): "a float as text in 2025; 0 is none",
    ("ccxt_account_with_position", ".accounts[].total_asset_value"): "a float as text in 2025, 6 decimals since",
    ("ccxt_account_with_position", ".accounts[].cross_asset_value"): "a float as text in 2025, 6 decimals since",
    ("ccxt_orderBookDetails_eth", ".order_book_details[].order_quote_limit"): "empty in 2025, a number since",
}
"""Values that are written otherwise in a live recording, and why."""

NOT_COMPARED = {
    "ccxt_candlesticks": "the endpoint `candlesticks` of 2025; `candles` has taken its place, with other keys",
    "nautilus_http_candles_null": "somebody's test of null lists, never recorded",
    "nautilus_http_order_book_depth": "a REST path that SDK 1.1.8 does not have, never recorded",
    "nautilus_http_order_book_depth_null": "a REST path that SDK 1.1.8 does not have, never recorded",
    "nautilus_http_recent_trades_missing": "somebody's test of missing lists, never recorded",
    "nautilus_http_recent_trades_null": "somebody's test of null lists, never recorded",
}
"""Captured bodies without a counterpart."""

# --- what is compared ---

OPTIONAL = {"bid_account_pnl", "ask_account_pnl", "taker_fee"}
"""Left out where zero, as in the live recording: its taker paid nothing."""
MAPS = {"mark_prices", "asset_index_prices", "daily_chart"}


def format_of(value: Any) -> str:
    """How a value is written: a number's kind, a text's decimals, what sort of text."""
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    if isinstance(value, int | float):
        return "number"
    text = str(value)
    decimal = re.fullmatch(r"-?\d+\.(\d+)", text)
    if decimal:
        return f"text of {len(decimal[1])} decimals"
    if re.fullmatch(r"[0-9a-f]{80}", text):
        return "hash"
    return "digits" if re.fullmatch(r"-?\d+", text) else "text"


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every place of a body and its format; a list by its first entry."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key in MAPS:
                yield f"{path}.{key}", "map"
            else:
                yield from leaves(item, f"{path}.{key}")
    elif isinstance(value, list):
        yield path + "[]", "list"
        if value:
            yield from leaves(value[0], path + "[]")
    else:
        yield path, format_of(value)


def raw(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((DATA / "rest_bodies" / f"{name}.json").read_text())["frame"]
    return body


TIERS = {"cmc_accountLimits_standard": Tier.STANDARD}
"""Premium pays fees, which is more to compare."""


def settled(tier: Tier) -> World:
    """A world with an order, trades, a position, funding and candles in ETH and in BTC."""
    world = make_world(tier=tier)
    world.traffic(Mark(market_index=0, mark_ticks=ETH_MID, index_ticks=ETH_MID))
    world.rest(A, BID, 100, ETH_MID, client=1, MarketIndex=0)
    world.run(1000)
    world.take(B, ASK, 50, ETH_MID, MarketIndex=0)
    world.run(1000)
    world.rest(A, ASK, 60, ETH_MID + 5, client=2, MarketIndex=0)
    world.rest(A, BID, 100, MID - 10, client=3)
    world.run(1000)
    world.take(B, BID, 50, ETH_MID + 5, MarketIndex=0)
    world.run(1000)
    note_funding(world)
    return world


def note_funding(world: World) -> None:
    """One hour's funding, which A, short, has got."""
    at_us = world.now_us // 3_600_000_000 * 3_600_000_000
    state = world.exchange.state
    state.fundings[0].append(Funding(market_index=0, time_us=at_us, rate=1_200, value=27_078))
    got = PositionFunding(funding_id=1, market_index=0, time_us=at_us, change=9, rate=1_200, lots=-10)
    state.position_fundings[A] = deque([got])


def order_form(world: World, nonce: int) -> dict[str, str]:
    info = {
        "AccountIndex": A,
        "ApiKeyIndex": 4,
        "MarketIndex": 1,
        "ClientOrderIndex": 9,
        "BaseAmount": 100,
        "Price": MID - 20,
        "IsAsk": 0,
        "Type": 0,
        "TimeInForce": 2,
        "ReduceOnly": 0,
        "TriggerPrice": 0,
        "OrderExpiry": world.now_us // 1000 + HOUR_MS,
        "ExpiredAt": world.now_us // 1000 + 599_000,
        "Nonce": nonce,
        "Sig": "x",
        "L2TxAttributes": None,
    }
    return {"tx_type": "14", "tx_info": json.dumps(info)}


async def answered(paper: Edge, one: Captured) -> dict[str, Any]:
    """Our body for the request of a captured one."""
    now_ms = paper.world.now_us // 1000
    names = {
        "a": A,
        "b": B,
        "auth": paper.token(A),
        "auth_b": paper.token(B),
        "far": paper.token(A, seconds=10 * 3600),
        "start": now_ms - 24 * HOUR_MS,
        "end": now_ms + HOUR_MS,
    }
    request = one.request.format(**names)
    path = request if request == "/" else f"/api/v1/{request}"
    nonce = paper.world.nonce(A)
    form = {
        "{order}": order_form(paper.world, nonce),
        "{replay}": order_form(paper.world, nonce - 1),
    }.get(one.form) or dict(pair.split("=") for pair in one.form.format(**names).split("&") if pair)
    sending = paper.client.post(path, data=form) if one.form else paper.client.get(path)
    async with sending as response:
        body: dict[str, Any] = await response.json()
        assert response.status == one.status, body
        return body


async def answer_of(name: str) -> dict[str, Any]:
    """Our body beside a captured one. A tier is changed only by a wallet without orders and positions."""
    world = make_world(tier=Tier.STANDARD) if name == "jkorf_SetAccountTier" else settled(TIERS.get(name, Tier.PREMIUM))
    async with edge(world) as paper:
        return await answered(paper, CAPTURED[name])


def hidden(path: str, other: Mapping[str, str]) -> bool:
    """Whether a place lies in a container that is empty or null in the other body."""
    parts = re.findall(r"\.[^.\[]+|\[\]", path)
    above = ["".join(parts[:end]) for end in range(1, len(parts))]
    return any(
        other.get(one) in ("list", "NoneType") and not any(p.startswith(one + ".") for p in other) for one in above
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Keys that only one side has, and places that are written otherwise."""

    left_out: set[str]
    added: set[str]
    otherwise: set[str]


def difference(captured: Mapping[str, str], ours: Mapping[str, str]) -> Difference:
    return Difference(
        left_out={path for path in captured if path not in ours and not hidden(path, ours)},
        added={path for path in ours if path not in captured and not hidden(path, captured)},
        otherwise={path for path in captured if path in ours and captured[path] != ours[path]},
    )


def key_of(path: str) -> str:
    return path.removesuffix("[]").rpartition(".")[2]


def newer_than(since: str) -> set[str]:
    """Keys that a body of this time need not have."""
    return {key for when, keys in NEWER.items() if since == "example" or when >= since for key in keys}


def compared(name: str) -> Difference:
    found: list[Difference] = []

    async def test() -> None:
        found.append(difference(dict(leaves(raw(name))), dict(leaves(await answer_of(name)))))

    run(test)
    return found[0]


needs_recordings = pytest.mark.skipif(not DATA.is_dir(), reason=f"no captured bodies at {DATA}: set LIGHTER_HEDGE_DATA")


@needs_recordings
def test_every_captured_body_is_compared_or_says_why_not() -> None:
    files = {path.stem for path in Path(DATA / "rest_bodies").glob("*.json")}
    assert files == CAPTURED.keys() | NOT_COMPARED.keys()
    assert CAPTURED.keys() & NOT_COMPARED.keys() == set()


@needs_recordings
@pytest.mark.parametrize("name", CAPTURED)
def test_a_body_is_the_captured_one_but_for_known_differences(name: str) -> None:
    one, found = CAPTURED[name], compared(name)
    example = one.since == "example"
    assert {path for path in found.left_out if key_of(path) not in LEFT_OUT} == set()
    allowed = newer_than(one.since) | OPTIONAL | (EXAMPLES_LACK if example else set())
    assert {path for path in found.added if key_of(path) not in allowed} == set()
    if not example:
        assert {path for path in found.otherwise if (name, path) not in OTHERWISE} == set()


@needs_recordings
def test_the_tables_of_differences_hold_nothing_that_is_not_so() -> None:
    found = {name: compared(name) for name in CAPTURED}
    left_out = {key_of(path) for one in found.values() for path in one.left_out}
    otherwise = {(name, path) for name, one in found.items() for path in one.otherwise}
    added = {
        since: {key_of(path) for name, one in found.items() if CAPTURED[name].since == since for path in one.added}
        for since in ("example", *NEWER)
    }
    everywhere = {key for keys in added.values() for key in keys}
    assert LEFT_OUT.keys() - left_out == set()
    assert OTHERWISE.keys() - otherwise == set()
    assert {key for keys in NEWER.values() for key in keys} - everywhere == set()
    assert EXAMPLES_LACK - added["example"] == set()

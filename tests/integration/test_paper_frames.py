"""Frames of the paper exchange beside captured ones: the same keys, the same types."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.integration.paper_client import Paper, filled, listening, order_state, run, token
from tests.integration.paper_process import MID
from tests.recordings import DATA

OPTIONAL = {
    "taker_fee",
    "maker_fee",
    "taker_position_sign_changed",
    "maker_position_sign_changed",
    "ask_account_pnl",
    "bid_account_pnl",
    "open_interest",
}
"""Left out where zero or false."""
NEWER = {
    "trade_id_str",
    "ask_id_str",
    "bid_id_str",
    "ask_client_id",
    "ask_client_id_str",
    "bid_client_id",
    "bid_client_id_str",
    "transaction_time",
    "api_key_index",
    "integrator_fee_collector_index",
    "integrator_taker_fee",
    "integrator_maker_fee",
    "order_flags",
    "account_trading_mode",
    "assets",
    "timestamp",
    "margin_set_flag",
}
"""In frames of 2026 that frames of 2025 do not have."""
MAPS = {"orders", "trades", "positions", "market_stats", "funding_histories"}


def shape(value: Any, *, of_map: bool = False) -> Any:
    """Key set and types of a frame: list and map entries by their first."""
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if isinstance(value, dict):
        if of_map and value and all(key.isdigit() for key in value):
            return {"*": shape(next(iter(value.values())))}
        return {key: shape(item, of_map=key in MAPS) for key, item in value.items()}
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def differences(ours: Any, captured: Any, path: str = "") -> list[str]:
    """Where our shape is not that of the captured frame; empty containers match anything."""
    if isinstance(ours, dict) and isinstance(captured, dict):
        if not ours or not captured:
            return []
        missing = captured.keys() - ours.keys() - OPTIONAL
        added = ours.keys() - captured.keys() - OPTIONAL - NEWER
        found = [f"{path}.{key} missing" for key in missing] + [f"{path}.{key} added" for key in added]
        for key in ours.keys() & captured.keys():
            found += differences(ours[key], captured[key], f"{path}.{key}")
        return found
    if isinstance(ours, list) and isinstance(captured, list):
        return differences(ours[0], captured[0], path + "[]") if ours and captured else []
    return [] if ours == captured else [f"{path}: {ours} is not {captured}"]


def newest(frames: list[dict[str, Any]], wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    return next(frame for frame in reversed(frames) if wanted(frame))


async def told(paper: Paper) -> list[dict[str, Any]]:
    """Every kind of frame: a round of A and B, and what a socket can be answered."""
    async with paper.clients(4) as (a, b), listening(paper) as ears:
        index, auth = a.account_index, token(a)
        await ears.of_type("connected")
        first = (await a.create_order(1, 9001, 20, MID - 5, False, 0, 2))[2]
        assert first is None
        for channel in (
            "order_book/1",
            "ticker/1",
            "trade/1",
            "market_stats/1",
            "market_stats/all",
            "height",
        ):
            await ears.subscribed(channel)
        for name in ("orders", "trades", "positions"):
            await ears.subscribed(f"account_all_{name}/{index}", auth)
        for name in ("account_tx", "account_all", "user_stats"):
            await ears.subscribed(f"{name}/{index}", auth)
        assert (await a.cancel_order(1, 9001))[2] is None
        await ears.until(order_state(9001, "canceled"))
        assert (await a.create_order(1, 9002, 20, MID, False, 0, 2))[2] is None
        assert (await b.create_market_order(1, 9003, 20, MID - 10, True))[2] is None
        await ears.until(filled(9002))
        await ears.of_type("update/account_all_positions")
        assert (await a.create_market_order(1, 9004, 20, MID - 20, True))[2] is None
        await ears.until(filled(9004))
        await ears.of_type("update/account_tx")
        await ears.of_type("update/order_book")
        await ears.ask(type="ping")
        await ears.of_type("pong")
        await ears.ask(type="unsubscribe", channel="order_book/1")
        await ears.of_type("unsubscribed")
        for channel in ("account_all_orders/1", "ticker/1", "no_such/1", "order_book/99"):
            await ears.ask(type="subscribe", channel=channel)
            await ears.until(lambda frame: "error" in frame)
        return list(ears.frames)


def of(name: str, *, key: str = "") -> Callable[[dict[str, Any]], bool]:
    return lambda frame: frame.get("type") == name and (not key or bool(frame.get(key)))


def error_of(code: int) -> Callable[[dict[str, Any]], bool]:
    return lambda frame: frame.get("error", {}).get("code") == code


CAPTURED = {
    "cmc_connected": of("connected"),
    "cmc_pong": of("pong"),
    "cmc_unsubscribed_order_book": of("unsubscribed"),
    "cmc_error_20001_auth_required_ws": error_of(20001),
    "cmc_error_30003_already_subscribed": error_of(30003),
    "cmc_error_30005_unknown_channel": error_of(30005),
    "cmc_subscribed_order_book_crv_full": of("subscribed/order_book"),
    "cmc_update_order_book_crv_1": of("update/order_book"),
    "cmc_update_ticker_btc": of("update/ticker"),
    "cmc_update_trade_eth": of("update/trade"),
    "cmc_update_market_stats_eth": lambda frame: frame.get("channel") == "market_stats:1",
    "cmc_update_market_stats_all": lambda frame: frame.get("channel") == "market_stats:all",
    "cmc_update_height": of("subscribed/height"),
    "cmc_subscribed_account_all_orders_open": of("subscribed/account_all_orders"),
    "cmc_update_account_all_orders_canceled": of("update/account_all_orders"),
    "qubx_update_account_all_orders_market_sell_filled": of("update/account_all_orders"),
    "cmc_subscribed_account_all_trades_empty": of("subscribed/account_all_trades"),
    "cmc_subscribed_account_all_positions_empty": of("subscribed/account_all_positions"),
    "cmc_update_account_all_positions_flat": of("update/account_all_positions"),
    "qubx_subscribed_account_all": of("subscribed/account_all"),
    "qubx_update_account_all_fill_open": of("update/account_all", key="trades"),
    "qubx_update_account_all_position_open": of("update/account_all", key="positions"),
    "qubx_subscribed_account_tx": of("subscribed/account_tx"),
    "qubx_update_account_tx_open_short": of("update/account_tx"),
    "qubx_subscribed_user_stats": of("subscribed/user_stats"),
    "qubx_update_user_stats_after_open": of("update/user_stats"),
}


def test_frames_have_the_shape_of_captured_ones(paper: Paper) -> None:
    if not DATA.is_dir():
        pytest.skip(f"no captured frames at {DATA}: set LIGHTER_HEDGE_DATA")
    frames: list[dict[str, Any]] = []

    async def test() -> None:
        frames.extend(await told(paper))

    run(test)
    found = {}
    for name, wanted in CAPTURED.items():
        captured = json.loads((DATA / "ws_frames" / f"{name}.json").read_text())["frame"]
        ours = newest(frames, wanted)
        unlike = differences(shape(ours), shape(captured))
        if unlike:
            found[name] = unlike
    assert found == {}

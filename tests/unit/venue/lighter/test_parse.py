"""Frames and rows become events with whole numbers."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.lighter_server import OTHER, OWN, account_row, book, market_row, order_row, trade_row
from tests.recordings import DATA

from lighter_hedge.domain.events import (
    BalanceReported,
    BookReported,
    MarketHeard,
    OrderReported,
    PositionReported,
    TradeReported,
    TxReported,
    TxStatus,
)
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import Lots, MarketSpec, Side, UnitError, decimal_text
from lighter_hedge.venue.lighter import models, parse

BTC = MarketSpec(
    market_index=1,
    symbol="BTC",
    size_decimals=5,
    price_decimals=1,
    min_base_lots=Lots(20),
    min_quote=10_000_000,
    initial_margin_fraction=500,
)
HYPE = MarketSpec(
    market_index=24,
    symbol="HYPE",
    size_decimals=2,
    price_decimals=4,
    min_base_lots=Lots(15),
    min_quote=10_000_000,
    initial_margin_fraction=1000,
)
SCOPE = parse.Scope(market=BTC, roles={OWN: Role.MAKER, OTHER: Role.HEDGER}, own=Role.MAKER)


def events(frame: dict[str, Any], scope: parse.Scope = SCOPE) -> list[parse.Emitted]:
    decoded = parse.frame_of(json.dumps(frame))
    assert not isinstance(decoded, models.BareFrame)
    return parse.events_of(decoded, scope)


def account_frame(account: int = OWN, kind: str = "update", **parts: Any) -> dict[str, Any]:
    return {"type": f"{kind}/account_all", "channel": f"account_all:{account}", "account": account} | parts


def recorded(name: str, scope: parse.Scope) -> list[parse.Emitted]:
    path = DATA / "ws_frames" / f"{name}.json"
    if not path.exists():
        pytest.skip(f"no recording at {path}: set LIGHTER_HEDGE_DATA")
    return events(json.loads(path.read_text())["frame"], scope)


# --- market -----------------------------------------------------------------------------------------------------


def test_book_frames_become_absolute_sizes() -> None:
    level = {"price": "64500.5", "size": "0.00000"}
    frame = book("update", nonce=12, begin_nonce=11, asks=[level], bids=[{"price": "64500", "size": "1.5"}])
    assert events(frame) == [
        BookReported(snapshot=False, nonce=12, begin_nonce=11, bids=((645000, 150000),), asks=((645005, 0),))
    ]
    assert events(book())[0] == BookReported(snapshot=True, nonce=10, begin_nonce=0, bids=(), asks=())


def test_statistics_carry_the_mark_rounded_down() -> None:
    stats = {"type": "update/market_stats", "channel": "market_stats:1", "market_stats": {"mark_price": "64500.19"}}
    assert events(stats) == [MarketHeard(mark=645001)]
    assert events({"type": "update/ticker", "channel": "ticker:1"}) == [MarketHeard(mark=0)]


# --- accounts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("account", "maker_is_ask", "side", "maker", "coid", "order_index"),
    [
        (OWN, True, Side.ASK, True, 77, 281474976710700),
        (OWN, False, Side.ASK, False, 77, 281474976710700),
        (OTHER, True, Side.BID, False, 88, 562949953421400),
        (OTHER, False, Side.BID, True, 88, 562949953421400),
    ],
)
def test_a_trade_is_told_from_the_side_of_its_account(
    account: int, maker_is_ask: bool, side: Side, maker: bool, coid: int, order_index: int
) -> None:
    (event,) = events(account_frame(account, trades={"1": [trade_row(is_maker_ask=maker_is_ask)]}))
    assert isinstance(event, TradeReported)
    trade = event.trade
    assert event.role is SCOPE.roles[account]
    assert (trade.side, trade.maker, trade.coid, trade.order_index) == (side, maker, coid, order_index)
    assert trade.counterparty == (OTHER if account == OWN else OWN)
    assert (trade.lots, trade.price, trade.quote, trade.trade_id) == (100, 645005, 64500500, 900)
    assert (trade.at_ms, trade.kind) == (1785431769123, "trade")


def test_what_a_trade_leaves_out_is_zero() -> None:
    row = trade_row()
    for name in ("ask_client_id", "bid_client_id", "is_maker_ask", "usd_amount", "type"):
        del row[name]
    (event,) = events(account_frame(trades={"1": [row]}))
    assert isinstance(event, TradeReported)
    assert (event.trade.coid, event.trade.maker, event.trade.quote) == (0, False, 64500500)


def test_trades_of_others_and_of_other_markets_are_left_out() -> None:
    assert events(account_frame(trades={"1": [trade_row(ask_account_id=9, bid_account_id=8)]})) == []
    assert events(account_frame(trades={"0": [trade_row()]})) == []
    assert events(account_frame(account=99, trades={"1": [trade_row(ask_account_id=99)]})) == []


def test_an_account_on_both_sides_did_both() -> None:
    found = events(account_frame(trades={"1": [trade_row(bid_account_id=OWN)]}))
    assert [event.trade.side for event in found if isinstance(event, TradeReported)] == [Side.ASK, Side.BID]


def test_trades_of_a_snapshot_are_history() -> None:
    """They may have been counted long ago: only the position is news."""
    held = {"1": {"market_id": 1, "sign": -1, "position": "0.00100"}}
    frame = account_frame(kind="subscribed", trades={"1": [trade_row()]}, positions=held)
    assert events(frame) == [PositionReported(role=Role.MAKER, lots=-100)]


@pytest.mark.parametrize("positions", [{}, None, {"0": {"market_id": 0, "sign": 1, "position": "5.0000"}}])
def test_a_market_missing_from_the_positions_is_unchanged(positions: object) -> None:
    assert events(account_frame(positions=positions)) == []


def test_positions_follow_the_trades_of_their_frame() -> None:
    held = {"1": {"market_id": 1, "sign": 1, "position": "0.00000"}}
    found = events(account_frame(OTHER, positions=held, trades={"1": [trade_row()]}))
    assert [type(event) for event in found] == [TradeReported, PositionReported]
    assert found[1] == PositionReported(role=Role.HEDGER, lots=0)


def test_snapshots_may_hold_a_list_of_trades() -> None:
    assert events(account_frame(trades=[])) == []


def test_null_is_an_empty_list() -> None:
    assert events(account_frame(trades={"1": None})) == []
    frame = {"type": "update/account_all_orders", "channel": f"account_all_orders:{OWN}", "orders": {"1": None}}
    assert events(frame) == []
    assert events(book(asks=None, bids=None))[0] == BookReported(
        snapshot=True, nonce=10, begin_nonce=0, bids=(), asks=()
    )
    row = msgspec.convert(account_row(OWN, positions=None), models.AccountDetails)
    assert parse.account(row, BTC)[0] == 0


def test_an_account_without_its_positions_is_not_flat() -> None:
    row = account_row(OWN)
    del row["positions"]
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(row, models.AccountDetails)


@pytest.mark.parametrize("kind", ["subscribed", "update"])
def test_order_rows_are_reported_from_snapshots_and_updates(kind: str) -> None:
    frame = {"type": f"{kind}/account_all_orders", "channel": f"account_all_orders:{OWN}"}
    (event,) = events(frame | {"orders": {"1": [order_row()], "0": [{"odd": True}]}})
    assert isinstance(event, OrderReported)
    report = event.report
    assert (event.role, report.coid, report.side, report.lots, report.price) == (Role.MAKER, 77, Side.ASK, 100, 645005)
    assert (report.filled, report.filled_quote, report.closed) == (40, 25800200, False)
    assert report.created_ms == 1785431769000
    assert events(frame | {"orders": {}}) == events(frame) == []


def test_stamps_are_milliseconds_whatever_the_venue_writes() -> None:
    assert parse.milliseconds(1785431769) == 1785431769000
    assert parse.milliseconds(1785431769123) == 1785431769123


@pytest.mark.parametrize(
    ("status", "closed"),
    [
        ("in-progress", False),
        ("pending", False),
        ("open", False),
        ("filled", True),
        ("canceled", True),
        ("canceled-too-much-slippage", True),
        ("a-word-of-tomorrow", False),
    ],
)
def test_only_known_final_words_close_an_order(status: str, closed: bool) -> None:
    assert parse.is_closed(status) is closed


def test_transactions_tell_their_fate() -> None:
    refused = json.dumps({"a": OWN, "ae": json.dumps({"code": 21600, "message": "inactive order"})})
    rows = [
        {"hash": "aa", "status": 0, "event_info": ""},
        {"hash": "bb", "status": 1},
        {"hash": "cc", "status": 2, "event_info": refused, "info": "{}"},
        {"hash": "dd", "status": 5, "event_info": json.dumps({"ae": "in words"})},
        {"hash": "ee", "status": 3, "event_info": "no json"},
    ]
    frame = {"type": "update/account_tx", "channel": f"account_tx:{OWN}", "txs": rows}
    assert events(frame) == [
        TxReported(tx_hash="aa", status=TxStatus.FAILED),
        TxReported(tx_hash="bb", status=TxStatus.PENDING),
        TxReported(tx_hash="cc", status=TxStatus.EXECUTED, error="21600 inactive order"),
        TxReported(tx_hash="dd", status=TxStatus.EXECUTED, error="in words"),
        TxReported(tx_hash="ee", status=TxStatus.EXECUTED),
    ]
    assert events({"type": "subscribed/account_tx", "channel": f"account_tx:{OWN}"}) == []


def test_free_collateral_is_reported() -> None:
    frame = {"type": "update/user_stats", "channel": f"user_stats:{OWN}", "stats": {"available_balance": "990.9096401"}}
    assert events(frame) == [BalanceReported(available=990909640)]


# --- what cannot be read ----------------------------------------------------------------------------------------


def test_a_row_that_cannot_be_read_raises() -> None:
    """It may be a fill, so it must not be passed over."""
    row = trade_row()
    del row["trade_id"]
    with pytest.raises(msgspec.ValidationError):
        events(account_frame(trades={"1": [row]}))
    with pytest.raises(UnitError):
        events(account_frame(trades={"1": [trade_row(size="0.000001")]}))


def test_unknown_types_are_set_aside_and_errors_kept() -> None:
    assert parse.frame_of('{"type":"update/height","height":5}') == models.BareFrame(type="update/height")
    bare = parse.frame_of('{"error":{"code":30003,"message":"Already Subscribed"}}')
    assert bare == models.BareFrame(error=models.ErrorBody(code=30003, message="Already Subscribed"))
    with pytest.raises(msgspec.DecodeError):
        parse.frame_of("<html>")


# --- REST rows --------------------------------------------------------------------------------------------------


def test_a_market_is_loaded_in_its_own_units() -> None:
    assert parse.market_spec(msgspec.convert(market_row(), models.MarketDetails)) == BTC
    halted = msgspec.convert(market_row() | {"status": "inactive"}, models.MarketDetails)
    assert parse.market_spec(halted).active is False


@pytest.mark.parametrize("odd", [{"size_decimals": 13}, {"price_decimals": 18}, {"symbol": ""}])
def test_a_market_that_we_cannot_hold_is_refused_alone(odd: dict[str, object]) -> None:
    """Found by fuzzing: it ended in an assertion. The list that it stands in is read all the same."""
    listed = msgspec.convert({"order_book_details": [market_row(), market_row() | odd]}, models.MarketList)
    ours, other = listed.order_book_details
    assert parse.market_spec(ours) == BTC
    with pytest.raises(UnitError, match="decimals"):
        parse.market_spec(other)


def test_a_row_of_another_market_is_a_frame_that_cannot_be_trusted() -> None:
    """Found by fuzzing: an order's ended the process, a trade's and a position's counted as ours."""
    position = {"market_id": 2, "sign": 1, "position": "1"}
    for frame in (
        account_frame(trades={"1": [trade_row(market_id=2)]}),
        account_frame(positions={"1": position}),
        {
            "type": "update/account_all_orders",
            "channel": f"account_all_orders:{OWN}",
            "orders": {"1": [order_row(market_index=2)]},
        },
    ):
        with pytest.raises(msgspec.DecodeError, match="a row of market 2"):
            events(frame)


def test_an_account_is_read_in_lots_and_millionths() -> None:
    held = {"market_id": 1, "sign": -1, "position": "0.00100", "open_order_count": 2}
    row = msgspec.convert(account_row(OWN, positions=[held]), models.AccountDetails)
    assert parse.account(row, BTC) == (-100, 1_000_500_000, 2)
    flat = msgspec.convert(account_row(OWN), models.AccountDetails)
    assert parse.account(flat, BTC) == (0, 1_000_500_000, 3)


@given(st.integers(0, 10**15), st.integers(0, 8))
def test_amounts_survive_the_wire(amount: int, decimals: int) -> None:
    assert parse.wire_int(decimal_text(amount, decimals), decimals) == amount
    assert parse.floor_of_wire(decimal_text(amount, decimals), decimals) == amount


@pytest.mark.parametrize(("text", "number"), [("1.50", 15), ("1.5000", 15), ("2", 20), ("1e1", 100)])
def test_amounts_with_other_decimals_are_read_too(text: str, number: int) -> None:
    assert parse.wire_int(text, 1) == number


@pytest.mark.parametrize("text", ["", "1.55", "x", "NaN", "Infinity", "-0.5"])
def test_amounts_that_do_not_fit_are_refused(text: str) -> None:
    with pytest.raises(UnitError):
        parse.wire_int(text, 1)


@pytest.mark.parametrize("text", ["x", "NaN", "Infinity"])
def test_rounding_refuses_what_is_no_number(text: str) -> None:
    with pytest.raises(UnitError):
        parse.floor_of_wire(text, 1)


# --- recordings -------------------------------------------------------------------------------------------------

RECORDED = parse.Scope(market=HYPE, roles={225671: Role.HEDGER, 61127: Role.MAKER}, own=Role.HEDGER)


def test_a_recorded_fill_is_read() -> None:
    """A market sell of 1.00 HYPE on mainnet, before trades carried client ids."""
    (event,) = recorded("qubx_update_account_all_fill_open", RECORDED)
    assert isinstance(event, TradeReported)
    trade = event.trade
    assert (trade.side, trade.maker, trade.lots, trade.price, trade.coid) == (Side.ASK, False, 100, 401342, 0)
    assert trade.counterparty == 61127


def test_recorded_positions_and_orders_are_read() -> None:
    assert recorded("qubx_update_account_all_position_open", RECORDED) == [
        PositionReported(role=Role.HEDGER, lots=-100)
    ]
    assert recorded("qubx_update_account_all_position_closed", RECORDED) == [PositionReported(role=Role.HEDGER, lots=0)]
    (event,) = recorded("qubx_update_account_all_orders_market_sell_filled", RECORDED)
    assert isinstance(event, OrderReported)
    assert (event.report.filled, event.report.closed, event.report.status) == (100, True, "filled")


def test_a_recorded_transaction_has_executed() -> None:
    (event,) = recorded("qubx_update_account_tx_open_short", RECORDED)
    assert isinstance(event, TxReported)
    assert (event.status, event.error) == (TxStatus.EXECUTED, "")


def test_recorded_open_and_cancelled_rows_are_read() -> None:
    scope = parse.Scope(market=BTC, roles={516: Role.MAKER}, own=Role.MAKER)
    (opened,) = recorded("cmc_subscribed_account_all_orders_open", scope)
    (closed,) = recorded("cmc_update_account_all_orders_canceled", scope)
    assert isinstance(opened, OrderReported)
    assert isinstance(closed, OrderReported)
    assert (opened.report.coid, opened.report.closed, opened.report.lots) == (424242424242, False, 100)
    assert (closed.report.closed, closed.report.filled) == (True, 0)

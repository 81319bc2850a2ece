"""Reading the two forms of a tape, and what is said about a line that cannot be read."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.traffic.tape_lines import BookLine, StatsLine, TapeError, TapeLine, TradeLine, read_lines

SNAP = {"t": 10, "r": 20, "m": "BTC", "k": "snap", "b": [["9.9", "1"]], "a": [["10.1", "2"]], "n": 5, "pn": 4}
TRADE = {"t": 12, "r": 30, "m": "BTC", "k": "trade", "id": 7, "px": "10.1", "sz": "0.5", "side": "buy"}
STATS = {"t": None, "r": 31, "m": "BTC", "k": "stats", "s": {"mark_price": "10.0", "index_price": "9.8"}}


def _write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _lines(path: Path) -> list[TapeLine]:
    return [line for _number, line in read_lines(path)]


def _frame(receive_ms: int, **frame: Any) -> dict[str, Any]:
    return {"r": receive_ms, "frame": frame}


def test_the_neutral_form_is_read(tmp_path: Path) -> None:
    """Books, trades and statistics keep their strings, times and numbers."""
    assert _lines(_write(tmp_path / "tape.jsonl", SNAP, TRADE, STATS)) == [
        BookLine(
            market="BTC",
            venue_ms=10,
            sequence=5,
            snapshot=True,
            levels=[(Side.BID, "9.9", "1"), (Side.ASK, "10.1", "2")],
        ),
        TradeLine(market="BTC", venue_ms=12, trade_id=7, price="10.1", size="0.5", taker_side=Side.BID),
        StatsLine(market="BTC", receive_ms=31, mark_price="10.0", index_price="9.8"),
    ]


def _trade(trade_id: int, *, is_maker_ask: bool) -> dict[str, Any]:
    return {
        "trade_id": trade_id,
        "price": "10.1",
        "size": "0.5",
        "is_maker_ask": is_maker_ask,
        "timestamp": 12,
    }


def test_frames_are_read_and_history_is_not(tmp_path: Path) -> None:
    """Trades of a subscribed frame are passed over, liquidations count, other channels are ignored."""
    book = {"offset": 5, "bids": [{"price": "9.9", "size": "1"}], "asks": None}
    chained = {"offset": 6, "nonce": 900, "begin_nonce": 899, "bids": [], "asks": []}
    stats = {"market_id": 1, "mark_price": "10.0", "index_price": "9.8"}
    path = _write(
        tmp_path / "frames.jsonl",
        _frame(1, type="connected", session_id="s"),
        _frame(2, type="subscribed/trade", channel="trade:1", trades=[_trade(1, is_maker_ask=True)]),
        _frame(3, type="subscribed/order_book", channel="order_book:1", order_book=book, timestamp=10),
        _frame(4, type="update/order_book", channel="order_book:1", order_book=chained, timestamp=11),
        _frame(
            5,
            type="update/trade",
            channel="trade:1",
            trades=[_trade(8, is_maker_ask=True)],
            liquidation_trades=[_trade(9, is_maker_ask=False)],
        ),
        _frame(6, type="update/trade", channel="trade:1", trades=None, liquidation_trades=None),
        _frame(7, type="update/market_stats", channel="market_stats:all", market_stats={"1": stats}),
        _frame(8, type="update/market_stats", channel="market_stats:1", market_stats=stats),
        _frame(9, type="update/market_stats", channel="market_stats:1", market_stats={"market_id": 1}),
        _frame(10, type="update/ticker", channel="ticker:1"),
    )
    assert _lines(path) == [
        BookLine(market=1, venue_ms=10, sequence=5, snapshot=True, levels=[(Side.BID, "9.9", "1")]),
        BookLine(market=1, venue_ms=11, sequence=900, snapshot=False, levels=[]),
        TradeLine(market=1, venue_ms=12, trade_id=8, price="10.1", size="0.5", taker_side=Side.BID),
        TradeLine(market=1, venue_ms=12, trade_id=9, price="10.1", size="0.5", taker_side=Side.ASK),
        StatsLine(market=1, receive_ms=7, mark_price="10.0", index_price="9.8"),
        StatsLine(market=1, receive_ms=8, mark_price="10.0", index_price="9.8"),
    ]


def test_gzip_is_told_by_content_not_by_name(tmp_path: Path) -> None:
    """A packed tape reads as the plain one, whatever its name."""
    plain = _write(tmp_path / "plain.gz", SNAP, TRADE)
    packed = tmp_path / "packed.jsonl"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert _lines(packed) == _lines(plain)
    assert len(_lines(packed)) == 2


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{", "is not JSON"),
        ("[1]", "is malformed"),
        ('{"m": "BTC", "k": "snap", "t": 1, "b": []}', "has no 'a'"),
        ('{"m": "BTC", "k": "funding"}', "unknown kind 'funding'"),
        (json.dumps({**TRADE, "t": None}), "is malformed"),
        (json.dumps({**TRADE, "t": 2**53}), "9007199254740992 is no time"),
        (json.dumps({**TRADE, "t": -1}), "-1 is no time"),
        (json.dumps({**TRADE, "side": "left"}), "has no 'left'"),
        (json.dumps({**SNAP, "b": [["1"]]}), "is malformed"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, row: str, said: str) -> None:
    """The error names the file and the line, and what is wrong with it."""
    path = tmp_path / "broken.jsonl"
    path.write_text(json.dumps(SNAP) + "\n" + row + "\n")
    with pytest.raises(TapeError, match=said) as raised:
        _lines(path)
    assert f"{path} line 2" in str(raised.value)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """A missing file, and one whose gzip stream is cut, are refused with their path."""
    absent = tmp_path / "absent.jsonl"
    with pytest.raises(TapeError, match=r"absent\.jsonl cannot be read"):
        _lines(absent)
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(json.dumps(SNAP).encode() * 200)[:-20])
    with pytest.raises(TapeError, match=r"cut\.gz"):
        _lines(cut)

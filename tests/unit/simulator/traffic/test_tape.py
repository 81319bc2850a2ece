"""Playing a tape: order, start, loop, rounding, and the recordings."""

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from tests.recordings import DATA, ROOT

from lighter_hedge.domain.units import Lots, MarketSpec, Side
from lighter_hedge.simulator.core.events import BookChange, Mark, Print, TrafficEvent
from lighter_hedge.simulator.traffic.ambient import AmbientBook
from lighter_hedge.simulator.traffic.tape import play_once, tape
from lighter_hedge.simulator.traffic.tape_lines import TapeError

OWN = ROOT / "tests" / "data"
OWN_NEUTRAL = OWN / "synthetic_btc_eth_10s.jsonl.gz"
OWN_FRAMES = OWN / "synthetic_btc_eth_10s_frames.jsonl.gz"


def _spec(market_index: int, symbol: str, size_decimals: int, price_decimals: int) -> MarketSpec:
    return MarketSpec(
        market_index=market_index,
        symbol=symbol,
        size_decimals=size_decimals,
        price_decimals=price_decimals,
        min_base_lots=Lots(1),
        min_quote=10_000_000,
        initial_margin_fraction=500,
    )


ETH, BTC = _spec(0, "ETH", 4, 2), _spec(1, "BTC", 5, 1)
COARSE = _spec(1, "BTC", 1, 0)
"""One lot is 0.1, one tick is 1."""


def _book(t: int, kind: str, n: int, bids: list[list[str]], asks: list[list[str]]) -> dict[str, Any]:
    return {"t": t, "r": t + 100, "m": "BTC", "k": kind, "b": bids, "a": asks, "n": n, "pn": n - 1}


def _trade(t: int, trade_id: int, price: str, size: str, side: str) -> dict[str, Any]:
    return {
        "t": t,
        "r": t + 250,
        "m": "BTC",
        "k": "trade",
        "id": trade_id,
        "px": price,
        "sz": size,
        "side": side,
    }


def _stats(r: int, mark: str) -> dict[str, Any]:
    return {"t": None, "r": r, "m": "BTC", "k": "stats", "s": {"mark_price": mark, "index_price": mark}}


def _write(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "tape.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def _change(*updates: tuple[Side, int, int], snapshot: bool = False) -> BookChange:
    return BookChange(market_index=1, updates=updates, snapshot=snapshot)


def _print(price: int, lots: int, taker_side: Side) -> Print:
    return Print(market_index=1, price_ticks=price, lots=lots, taker_side=taker_side)


SNAP = _book(1_000, "snap", 5, [["100", "1.0"], ["99", "2.0"]], [["102", "1.0"]])
SNAP_CHANGE = _change((Side.BID, 100, 10), (Side.BID, 99, 20), (Side.ASK, 102, 10), snapshot=True)


def test_trades_are_played_at_their_own_time_before_the_change_they_cause(tmp_path: Path) -> None:
    """Books and trades go by venue time, trades first and by id; statistics go by the time of receipt."""
    path = _write(
        tmp_path,
        SNAP,
        _book(1_050, "diff", 6, [["100", "0.4"]], []),
        _stats(1_060, "101"),
        _trade(1_050, 8, "100", "0.2", "sell"),
        _trade(1_050, 7, "100", "0.4", "sell"),
        _trade(1_020, 6, "102", "0.1", "buy"),
        _trade(1_000, 5, "102", "9.0", "buy"),
    )
    assert list(play_once(path, [COARSE])) == [
        (0, SNAP_CHANGE),
        (20_000, _print(102, 1, Side.BID)),
        (50_000, _print(100, 4, Side.ASK)),
        (50_000, _print(100, 2, Side.ASK)),
        (50_000, _change((Side.BID, 100, 4))),
        (60_000, Mark(market_index=1, mark_ticks=101, index_ticks=101)),
    ]


def test_changes_from_before_the_snapshot_line_are_kept_by_sequence(tmp_path: Path) -> None:
    """A recorder may receive changes before the snapshot that they follow; older ones are in the snapshot."""
    path = _write(
        tmp_path,
        _book(900, "diff", 4, [["100", "7.0"]], []),
        _book(950, "diff", 6, [["100", "3.0"]], []),
        SNAP,
        _book(1_100, "diff", 7, [["99", "0"]], []),
        _book(1_200, "snap", 20, [["90", "1.0"]], [["91", "1.0"]]),
        _book(1_210, "diff", 19, [["90", "5.0"]], []),
        _book(1_220, "diff", 21, [["90", "6.0"]], []),
    )
    assert list(play_once(path, [COARSE])) == [
        (0, SNAP_CHANGE),
        (0, _change((Side.BID, 100, 30))),
        (150_000, _change((Side.BID, 99, 0))),
        (250_000, _change((Side.BID, 90, 10), (Side.ASK, 91, 10), snapshot=True)),
        (270_000, _change((Side.BID, 90, 60))),
    ]


def test_the_loop_joins_the_best_bids(tmp_path: Path) -> None:
    """Each pass is shifted by whole ticks so that its first best bid is the last one of the pass before."""
    path = _write(
        tmp_path,
        SNAP,
        _trade(1_005, 1, "102", "0.1", "buy"),
        _stats(1_007, "101"),
        _book(1_010, "diff", 6, [["101", "1.0"]], []),
    )
    traffic = tape(path, [COARSE])
    first, second, third = (list(itertools.islice(traffic, 4)) for _pass in range(3))
    assert [at_us for at_us, _event in first] == [0, 5_000, 7_000, 10_000]
    assert second == [
        (11_000, _change((Side.BID, 101, 10), (Side.BID, 100, 20), (Side.ASK, 103, 10), snapshot=True)),
        (16_000, _print(103, 1, Side.BID)),
        (18_000, Mark(market_index=1, mark_ticks=102, index_ticks=102)),
        (21_000, _change((Side.BID, 102, 10))),
    ]
    assert third[3] == (32_000, _change((Side.BID, 103, 10)))


def test_a_price_that_drifts_too_far_starts_again(tmp_path: Path) -> None:
    """A falling tape is not shifted below half of its price, and loses the levels at 0 or below."""
    path = _write(
        tmp_path,
        _book(1_000, "snap", 1, [["10", "1.0"], ["1", "1.0"]], [["11", "1.0"]]),
        _book(1_010, "diff", 2, [["10", "0"], ["8", "1.0"]], []),
    )
    traffic = itertools.islice(tape(path, [COARSE]), 10)
    snapshots = [event for _at_us, event in traffic if isinstance(event, BookChange) and event.snapshot]
    assert [each.updates[0][1] for each in snapshots] == [10, 8, 6, 10, 8]
    assert [len(each.updates) for each in snapshots] == [3, 2, 2, 3, 2]


def test_a_price_that_rises_too_far_starts_again(tmp_path: Path) -> None:
    """A rising tape is not shifted above twice its price."""
    path = _write(tmp_path, SNAP, _book(1_010, "diff", 6, [["140", "1.0"]], [["102", "0"], ["141", "1.0"]]))
    traffic = itertools.islice(tape(path, [COARSE]), 10)
    snapshots = [event for _at_us, event in traffic if isinstance(event, BookChange) and event.snapshot]
    assert [each.updates[0][1] for each in snapshots] == [100, 140, 180, 100, 140]


def test_finer_tapes_are_rounded_outward_and_added_up(tmp_path: Path) -> None:
    """Bids and sales round down, asks and buys up, sizes down; recorded levels that share a tick add up."""
    path = _write(
        tmp_path,
        _book(1, "snap", 1, [["100.9", "0.19"], ["100.20", "0.3"]], [["101.1", "0.5"], ["102.0", "0.6"]]),
        _book(2, "diff", 2, [["100.9", "0"]], [["101.50", "0.21"]]),
        _book(3, "diff", 3, [["100.2", "0.05"]], []),
        _book(4, "snap", 9, [["100.7", "0.2"]], [["101.1", "0.4"]]),
        _trade(5, 1, "101.1", "0.29", "buy"),
        _trade(6, 2, "100.9", "0.10", "sell"),
        _trade(7, 3, "100.9", "0.09", "sell"),
    )
    assert [event for _at_us, event in play_once(path, [COARSE])] == [
        _change((Side.BID, 100, 4), (Side.ASK, 102, 11), snapshot=True),
        _change((Side.BID, 100, 3), (Side.ASK, 102, 13)),
        _change((Side.BID, 100, 0)),
        _change((Side.BID, 100, 2), (Side.ASK, 102, 4), snapshot=True),
        _print(102, 2, Side.BID),
        _print(100, 1, Side.ASK),
    ]


@pytest.mark.parametrize("symbol", ["BTC", "BTCUSDT", "btc-perp", "BTC-USD", "BTC_USDC"])
def test_markets_are_matched_by_their_base(tmp_path: Path, symbol: str) -> None:
    """The quote currency in a symbol does not matter."""
    path = _write(tmp_path, {**SNAP, "m": symbol})
    assert list(play_once(path, [ETH, COARSE])) == [(0, SNAP_CHANGE)]


def test_a_tape_without_a_wanted_market_is_refused(tmp_path: Path) -> None:
    """The error names the path, what was wanted and what it holds; like symbols are not the same market."""
    path = _write(tmp_path, SNAP, {**SNAP, "m": "ETHFI"})
    with pytest.raises(TapeError, match="no book of ETH") as raised:
        tape(path, [ETH])
    assert str(path) in str(raised.value)
    assert "BTC, ETHFI" in str(raised.value)
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    with pytest.raises(TapeError, match="on it: none"):
        tape(empty, [ETH])


@pytest.mark.parametrize("text", ["1e5", "-1", "", "1.-5", "nan"])
def test_a_number_that_is_none_is_named(tmp_path: Path, text: str) -> None:
    """The error names the line of the number."""
    path = _write(tmp_path, SNAP, _trade(1_001, 1, text, "1", "buy"))
    with pytest.raises(TapeError, match="line 2 has no number"):
        tape(path, [COARSE])


def _check_playable(events: Iterable[tuple[int, TrafficEvent]]) -> dict[int, int]:
    """Prints by market of a stream whose times do not decrease and whose books are never crossed."""
    books: dict[int, AmbientBook] = {}
    prints: dict[int, int] = {}
    last_us = 0
    for at_us, event in events:
        assert at_us >= last_us
        last_us = at_us
        if isinstance(event, Print):
            prints[event.market_index] = prints.get(event.market_index, 0) + 1
        if isinstance(event, BookChange):
            book = books.setdefault(event.market_index, AmbientBook())
            book.apply(event)
            assert book.spread is not None
            assert book.spread > 0
    return prints


def test_our_own_tape_reads_the_same_in_both_forms() -> None:
    """The committed tapes hold the same ten seconds, and three passes of them never cross."""
    neutral, frames = list(play_once(OWN_NEUTRAL, [ETH, BTC])), list(play_once(OWN_FRAMES, [BTC, ETH]))
    assert neutral == frames
    assert 9_000_000 < neutral[-1][0] < 10_000_000
    prints = _check_playable(itertools.islice(tape(OWN_NEUTRAL, [ETH, BTC]), 3 * len(neutral)))
    assert prints[0] > 30
    assert prints[1] > 300


needs_data = pytest.mark.skipif(
    not (DATA / "tapes").is_dir(), reason="no recorded tapes; set LIGHTER_HEDGE_DATA to where they are"
)


@needs_data
def test_the_lighter_recording_plays_the_same_in_both_forms() -> None:
    """Mainnet of 2025-10-09, two passes: nothing crossed, and both forms are one stream."""
    path = DATA / "tapes" / "lighter_btc_eth_20251009_30s.jsonl.gz"
    events = list(play_once(path, [ETH, BTC]))
    assert events == list(play_once(path.with_name("lighter_btc_eth_20251009_30s_frames.jsonl.gz"), [ETH, BTC]))
    prints = _check_playable(itertools.islice(tape(path, [ETH, BTC]), 2 * len(events)))
    assert prints == {0: 2 * 122, 1: 2 * 517}


@needs_data
@pytest.mark.parametrize("spec", [BTC, ETH], ids=lambda spec: spec.symbol)
def test_the_binance_recording_plays(spec: MarketSpec) -> None:
    """Nothing is crossed from the first snapshot on, which stands behind changes that follow it."""
    path = DATA / "tapes" / f"binance_usdm_{spec.symbol.lower()}usdt_20240808_345s.jsonl.gz"
    prints = _check_playable(play_once(path, [ETH, BTC]))
    assert list(prints) == [spec.market_index]
    assert prints[spec.market_index] > 14_000

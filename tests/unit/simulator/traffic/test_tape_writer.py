"""What is written reads back, in both forms, and the same traffic gives the same bytes."""

import json
from pathlib import Path

import pytest

from lighter_hedge.domain.units import Lots, MarketSpec, Side
from lighter_hedge.simulator.core.events import BookChange, Mark, Print, TrafficEvent
from lighter_hedge.simulator.traffic.tape import play_once
from lighter_hedge.simulator.traffic.tape_writer import TapeForm, write_tape

SPEC = MarketSpec(
    market_index=1,
    symbol="BTC",
    size_decimals=5,
    price_decimals=1,
    min_base_lots=Lots(1),
    min_quote=10_000_000,
    initial_margin_fraction=500,
)

EVENTS: list[tuple[int, TrafficEvent]] = [
    (0, BookChange(market_index=1, updates=((Side.BID, 999, 10), (Side.ASK, 1_001, 20)), snapshot=True)),
    (1_000, Print(market_index=1, price_ticks=1_001, lots=5, taker_side=Side.BID)),
    (2_000, Print(market_index=1, price_ticks=999, lots=7, taker_side=Side.ASK)),
    (2_000, BookChange(market_index=1, updates=((Side.BID, 999, 3), (Side.ASK, 1_001, 0)), snapshot=False)),
    (3_000, Mark(market_index=1, mark_ticks=1_000, index_ticks=998)),
]


@pytest.mark.parametrize("form", TapeForm)
@pytest.mark.parametrize("name", ["tape.jsonl", "tape.jsonl.gz"])
def test_what_is_written_reads_back(tmp_path: Path, form: TapeForm, name: str) -> None:
    """Each kind of event survives both forms, packed or not, whatever the time of the start."""
    path = tmp_path / name
    write_tape(EVENTS, path, form, [SPEC], start_ms=1_767_225_600_000)
    assert list(play_once(path, [SPEC])) == EVENTS


def test_the_neutral_form_is_the_documented_one(tmp_path: Path) -> None:
    """Strings have the market's decimals, the sequence is chained, statistics have no venue time."""
    path = tmp_path / "tape.jsonl"
    write_tape(EVENTS, path, TapeForm.NEUTRAL, [SPEC])
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert rows[0]["b"] == [["99.9", "0.00010"]]
    assert [(row["k"], row.get("n"), row.get("pn")) for row in rows if "n" in row] == [
        ("snap", 1, 0),
        ("diff", 2, 1),
    ]
    assert (rows[1]["px"], rows[1]["sz"], rows[1]["side"], rows[1]["id"]) == ("100.1", "0.00005", "buy", 1)
    assert rows[4]["t"] is None


def test_frames_are_the_venues(tmp_path: Path) -> None:
    """Frames carry the channel, the type, and what a client of the venue reads in them."""
    path = tmp_path / "tape.jsonl"
    write_tape(EVENTS, path, TapeForm.FRAMES, [SPEC])
    frames = [json.loads(line)["frame"] for line in path.read_text().splitlines()]
    assert [(frame["channel"], frame["type"]) for frame in frames] == [
        ("order_book:1", "subscribed/order_book"),
        ("trade:1", "update/trade"),
        ("trade:1", "update/trade"),
        ("order_book:1", "update/order_book"),
        ("market_stats:1", "update/market_stats"),
    ]
    assert frames[3]["order_book"]["begin_nonce"] == frames[0]["order_book"]["nonce"]
    assert frames[1]["trades"][0]["usd_amount"] == "0.005005"
    assert frames[1]["trades"][0]["is_maker_ask"] is True


def test_the_same_traffic_gives_the_same_file(tmp_path: Path) -> None:
    """The gzip stamp holds neither time nor name."""
    for name in ("one.gz", "two.gz"):
        write_tape(EVENTS, tmp_path / name, TapeForm.NEUTRAL, [SPEC])
    packed = (tmp_path / "one.gz").read_bytes()
    assert packed == (tmp_path / "two.gz").read_bytes()
    assert packed[4:8] == bytes(4), "the time of writing is in the gzip header"


def test_an_unknown_market_is_not_written(tmp_path: Path) -> None:
    """Without its market an event has no decimals."""
    with pytest.raises(KeyError):
        write_tape(EVENTS, tmp_path / "tape.jsonl", TapeForm.NEUTRAL, [])

"""Write traffic as a tape, in either form that ``tape`` plays.

Times are cut to the millisecond, as on the venue; sequences and trade ids count from 1. The gzip stamp is
0, so that the same traffic gives the same file.
"""

import gzip
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, assert_never

from lighter_hedge.domain.units import MarketSpec, Side, decimal_text
from lighter_hedge.simulator.core.events import BookChange, Mark, Print, TrafficEvent


class TapeForm(Enum):
    """How a tape is written."""

    NEUTRAL = "neutral"
    """One JSON object for each event, by symbol."""
    FRAMES = "frames"
    """The venue's WebSocket frames, by market index."""


def write_tape(
    events: Iterable[tuple[int, TrafficEvent]],
    path: Path,
    form: TapeForm,
    markets: Sequence[MarketSpec],
    *,
    start_ms: int = 0,
) -> None:
    """Write finite traffic as a tape, gzipped when the name ends in ``.gz``.

    Args:
        events: ``(at_us, event)`` in order of time.
        path: the file to write; its folder exists.
        form: neutral or frames.
        markets: the market of every event, for its symbol and decimals.
        start_ms: time of the start, epoch milliseconds.

    Raises:
        OSError: the file cannot be written.
        KeyError: an event of a market that is not among ``markets``.
    """
    writer = _Writer(form, markets, start_ms)
    raw = "".join(line + "\n" for line in writer.lines(events)).encode()
    if path.suffix == ".gz":
        packed = io.BytesIO()
        with gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=9, mtime=0) as file:
            file.write(raw)
        raw = packed.getvalue()
    path.write_bytes(raw)


class _Writer:
    def __init__(self, form: TapeForm, markets: Sequence[MarketSpec], start_ms: int) -> None:
        self._form = form
        self._specs = {spec.market_index: spec for spec in markets}
        self._start_ms = start_ms
        self._sequences = {spec.market_index: 0 for spec in markets}
        self._trade_ids = itertools.count(1)

    def lines(self, events: Iterable[tuple[int, TrafficEvent]]) -> Iterator[str]:
        for at_us, event in events:
            spec = self._specs[event.market_index]
            at_ms = self._start_ms + at_us // 1000
            match self._form:
                case TapeForm.NEUTRAL:
                    row = self._neutral(event, spec, at_ms)
                case TapeForm.FRAMES:
                    row = {"r": at_ms, "frame": self._frame(event, spec, at_ms)}
                case _:
                    assert_never(self._form)
            yield json.dumps(row, separators=(",", ":"))

    def _neutral(self, event: TrafficEvent, spec: MarketSpec, at_ms: int) -> dict[str, Any]:
        head: dict[str, Any] = {"t": at_ms, "r": at_ms, "m": spec.symbol}
        match event:
            case BookChange():
                sequence = self._next_sequence(spec)
                return head | {
                    "k": "snap" if event.snapshot else "diff",
                    "b": [list(level) for level in _levels(event, spec, Side.BID)],
                    "a": [list(level) for level in _levels(event, spec, Side.ASK)],
                    "n": sequence,
                    "pn": sequence - 1,
                }
            case Print():
                return head | {
                    "k": "trade",
                    "id": next(self._trade_ids),
                    "px": spec.price_text(event.price_ticks),
                    "sz": spec.size_text(event.lots),
                    "side": event.taker_side.word,
                }
            case Mark():
                return head | {"t": None, "k": "stats", "s": _stats(event, spec)}
            case _:
                assert_never(event)

    def _frame(self, event: TrafficEvent, spec: MarketSpec, at_ms: int) -> dict[str, Any]:
        market = spec.market_index
        match event:
            case BookChange():
                return {
                    "channel": f"order_book:{market}",
                    "order_book": self._book_body(event, spec),
                    "timestamp": at_ms,
                    "type": "subscribed/order_book" if event.snapshot else "update/order_book",
                }
            case Print():
                return {
                    "channel": f"trade:{market}",
                    "trades": [self._trade_body(event, spec, at_ms)],
                    "type": "update/trade",
                }
            case Mark():
                return {
                    "channel": f"market_stats:{market}",
                    "market_stats": _stats(event, spec),
                    "type": "update/market_stats",
                }
            case _:
                assert_never(event)

    def _book_body(self, event: BookChange, spec: MarketSpec) -> dict[str, Any]:
        sequence = self._next_sequence(spec)
        bids, asks = (
            [{"price": price, "size": size} for price, size in _levels(event, spec, side)]
            for side in (Side.BID, Side.ASK)
        )
        return {
            "code": 0,
            "asks": asks,
            "bids": bids,
            "offset": sequence,
            "nonce": sequence,
            "begin_nonce": sequence - 1,
        }

    def _trade_body(self, event: Print, spec: MarketSpec, at_ms: int) -> dict[str, Any]:
        usd = event.lots * event.price_ticks
        return {
            "trade_id": next(self._trade_ids),
            "type": "trade",
            "market_id": spec.market_index,
            "size": spec.size_text(event.lots),
            "price": spec.price_text(event.price_ticks),
            "usd_amount": decimal_text(usd, spec.size_decimals + spec.price_decimals),
            "is_maker_ask": event.taker_side is Side.BID,
            "timestamp": at_ms,
        }

    def _next_sequence(self, spec: MarketSpec) -> int:
        self._sequences[spec.market_index] += 1
        return self._sequences[spec.market_index]


def _levels(event: BookChange, spec: MarketSpec, side: Side) -> list[tuple[str, str]]:
    return [(spec.price_text(price), spec.size_text(lots)) for each, price, lots in event.updates if each is side]


def _stats(event: Mark, spec: MarketSpec) -> dict[str, Any]:
    return {
        "market_id": spec.market_index,
        "index_price": spec.price_text(event.index_ticks),
        "mark_price": spec.price_text(event.mark_ticks),
    }

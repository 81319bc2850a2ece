"""The two forms of a tape, read line by line.

*Neutral form*: one JSON object a line, ``{"t": venue_ms, "r": receive_ms, "m": symbol, "k": kind, …}`` with
kind ``snap`` or ``diff`` (``b``, ``a``: price and size strings, sizes absolute; ``n``: sequence), ``trade``
(``id``, ``px``, ``sz``, ``side`` of the taker) or ``stats`` (``s``: the venue's market statistics).

*Frames*: the venue's own WebSocket frames, ``{"r": receive_ms, "frame": {…}}``. Trades in a ``subscribed``
frame are history and no prints; frames of other channels are passed over.
"""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from lighter_hedge.domain.units import Side

_MS_MAX = 2**53
"""Any later is a damaged stamp: arithmetic on it would be wrong or fail."""
_GZIP_MAGIC = b"\x1f\x8b"


class TapeError(Exception):
    """A tape cannot be played; the message names the file, the line if there is one, and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLine:
    """A snapshot of a book or a change to it, as recorded."""

    market: str | int
    """Symbol in the neutral form, market index in frames."""
    venue_ms: int
    sequence: int
    snapshot: bool
    levels: list[tuple[Side, str, str]]
    """``(side, price, size)``; sizes are absolute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeLine:
    """A public trade, as recorded."""

    market: str | int
    venue_ms: int
    trade_id: int
    price: str
    size: str
    taker_side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsLine:
    """Mark and index price, as recorded; the venue does not stamp them, so the time is that of receipt."""

    market: str | int
    receive_ms: int
    mark_price: str
    index_price: str


TapeLine: TypeAlias = BookLine | TradeLine | StatsLine


def read_lines(path: Path) -> Iterator[tuple[int, TapeLine]]:
    """Read a tape of either form, gzipped or not: ``(line number, what the line says)``.

    Raises:
        TapeError: the file cannot be read or a line is not of either form.
    """
    number = 0
    try:
        for number, raw in enumerate(_raw_lines(path), start=1):
            for line in _parse(msgspec.json.decode(raw)):
                yield number, line
    except (OSError, EOFError, zlib.error) as error:
        raise TapeError(f"tape {path} cannot be read after line {number}: {error}") from error
    except msgspec.DecodeError as error:
        raise TapeError(f"tape {path} line {number} is not JSON: {error}") from error
    except KeyError as error:
        raise TapeError(f"tape {path} line {number} has no {error}") from error
    except (TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise TapeError(f"tape {path} line {number} is malformed: {error}") from error


def _raw_lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as plain:
        packed = plain.read(2) == _GZIP_MAGIC
    with gzip.open(path, "rb") if packed else path.open("rb") as file:
        for raw in file:
            if raw.strip():
                yield raw


def _parse(row: Any) -> Iterator[TapeLine]:
    frame = row.get("frame")
    if frame is None:
        yield from _parse_neutral(row)
    else:
        yield from parse_frame(_ms(row["r"]), frame)


def _ms(value: Any) -> int:
    milliseconds = int(value)
    if not 0 <= milliseconds < _MS_MAX:
        raise ValueError(f"{str(value)[:40]} is no time in milliseconds")
    return milliseconds


def _parse_neutral(row: dict[str, Any]) -> Iterator[TapeLine]:
    market = str(row["m"])
    match row["k"]:
        case "snap" | "diff":
            levels = [(Side.BID, str(price), str(size)) for price, size in row["b"]]
            levels += [(Side.ASK, str(price), str(size)) for price, size in row["a"]]
            yield BookLine(
                market=market,
                venue_ms=_ms(row["t"]),
                sequence=int(row["n"]),
                snapshot=row["k"] == "snap",
                levels=levels,
            )
        case "trade":
            yield TradeLine(
                market=market,
                venue_ms=_ms(row["t"]),
                trade_id=int(row["id"]),
                price=str(row["px"]),
                size=str(row["sz"]),
                taker_side={"buy": Side.BID, "sell": Side.ASK}[row["side"]],
            )
        case "stats":
            yield from _stats(market, _ms(row["r"]), row["s"])
        case kind:
            raise ValueError(f"unknown kind {kind!r}")


def parse_frame(receive_ms: int, frame: dict[str, Any]) -> Iterator[TapeLine]:
    """What one frame of the venue says, received at ``receive_ms``; nothing for a frame of another channel.

    Raises:
        LookupError, TypeError, ValueError, AttributeError, OverflowError: the frame is not as the venue's.
    """
    channel, _, market = str(frame.get("channel", "")).partition(":")
    subscribed = str(frame.get("type", "")).startswith("subscribed/")
    if channel == "order_book":
        yield _frame_book(int(market), frame, snapshot=subscribed)
    elif channel == "trade" and not subscribed:
        for trade in (frame.get("trades") or []) + (frame.get("liquidation_trades") or []):
            yield _frame_trade(int(market), trade)
    elif channel == "market_stats":
        body = frame["market_stats"]
        # One market's statistics, or those of several by market index.
        for stats in [body] if "market_id" in body else body.values():
            yield from _stats(int(stats["market_id"]), receive_ms, stats)


def _frame_book(market: int, frame: dict[str, Any], *, snapshot: bool) -> BookLine:
    body = frame["order_book"]
    levels = [(Side.BID, str(level["price"]), str(level["size"])) for level in body["bids"] or []]
    levels += [(Side.ASK, str(level["price"]), str(level["size"])) for level in body["asks"] or []]
    # Frames of 2025 have only the offset; since 2026 the nonce is what chains them.
    sequence = body["nonce"] if "nonce" in body else body["offset"]
    return BookLine(
        market=market,
        venue_ms=_ms(frame["timestamp"]),
        sequence=int(sequence),
        snapshot=snapshot,
        levels=levels,
    )


def _frame_trade(market: int, trade: dict[str, Any]) -> TradeLine:
    return TradeLine(
        market=market,
        venue_ms=_ms(trade["timestamp"]),
        trade_id=int(trade["trade_id"]),
        price=str(trade["price"]),
        size=str(trade["size"]),
        taker_side=Side.BID if trade["is_maker_ask"] else Side.ASK,
    )


def _stats(market: str | int, receive_ms: int, body: dict[str, Any]) -> Iterator[StatsLine]:
    if "mark_price" in body and "index_price" in body:
        yield StatsLine(
            market=market,
            receive_ms=receive_ms,
            mark_price=str(body["mark_price"]),
            index_price=str(body["index_price"]),
        )

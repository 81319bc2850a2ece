"""Play a recorded tape as endless market traffic.

Order. Books and trades are played by the venue's time, market statistics by the time of receipt, since the
venue does not stamp them. At the same millisecond trades come first, by trade id: the venue's trades are
stamped before the book changes that they cause.

Counting once. A trade becomes a ``Print``, and the decrease that it explains comes later in the absolute
size of a ``BookChange``, recorded as it was: 5 to 350 ms later on mainnet. So a ``Print`` consumes the queue at
its price, and a ``BookChange`` only states what is left. The tape itself never applies a trade to the book.

Queue. An order of ours stands behind all that the recorded book shows at its price when it joins
(``core/matching.py``). It moves up by what is printed at its price and by what the level falls to: a level that has
become smaller than its queue was cancelled ahead of it. Cancellations are taken to be behind us as long as they can
be, so an order never fills before the recorded size ahead of it has traded or gone. A print through its price
fills it at once, up to the printed size: all that was ahead had to be gone.

Start. A market starts with its first snapshot. Changes from before its sequence number are dropped and
later ones are kept wherever they stand in the file, as some recorders ask for the snapshot after
subscribing; trades up to the start are in the snapshot already.

Loop. At the end the tape starts again, with every price shifted by whole ticks so that the best bids of
both ends join. Levels that would fall to a price of 0 or below are left out. A tape whose shifted price
would leave half to double its recorded price starts again unshifted: one jump in a very long run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import assert_never

from lighter_hedge.domain.units import MarketSpec, Side
from lighter_hedge.simulator.core.events import BookChange, Mark, Print, TrafficEvent
from lighter_hedge.simulator.traffic.ambient import AmbientBook
from lighter_hedge.simulator.traffic.rounding import Rounding
from lighter_hedge.simulator.traffic.tape_lines import BookLine, StatsLine, TapeError, TapeLine, TradeLine, read_lines

_MS = 1_000
_SEAM_US = 1_000
"""Time between the last event of a pass and the snapshot of the next."""

_QUOTE_SUFFIXES = ("-PERP", "USDT", "USDC", "USD")

_Timed = tuple[int, TrafficEvent]
_Ordered = tuple[int, int, int, TrafficEvent]
"""Time in milliseconds, rank within it (trades, books, statistics), order within the rank, event."""


def tape(path: Path, markets: Sequence[MarketSpec]) -> Iterator[_Timed]:
    """Play a tape of either form again and again: ``(at_us, event)``, microseconds since the start.

    Wanted markets that are not on the tape are absent from the traffic. One pass is held in memory.

    Raises:
        TapeError: at the call, not while playing: the file cannot be read, a line is malformed, or none of
            the wanted markets has a snapshot on it.
    """
    return _loop(_load(path, markets))


def play_once(path: Path, markets: Sequence[MarketSpec]) -> Iterator[_Timed]:
    """Play a tape once, from its first snapshot to its last event.

    Raises:
        TapeError: as for ``tape``.
    """
    return iter(_load(path, markets))


def _load(path: Path, markets: Sequence[MarketSpec]) -> list[_Timed]:
    lines: dict[int, list[tuple[int, TapeLine]]] = {}
    names: set[str] = set()
    specs = {spec.market_index: spec for spec in markets}
    for number, line in read_lines(path):
        spec = _spec_of(line.market, markets)
        if spec is not None:
            lines.setdefault(spec.market_index, []).append((number, line))
        if isinstance(line, BookLine) and line.snapshot:
            names.add(str(line.market))
    tracks = [_Track(path, specs[index]).ordered(found) for index, found in sorted(lines.items())]
    events = sorted((each for track in tracks for each in track), key=_order_of)
    if not events:
        wanted = ", ".join(f"{spec.symbol} (market {spec.market_index})" for spec in markets)
        held = ", ".join(sorted(names)) or "none"
        raise TapeError(f"tape {path} has no book of {wanted}; markets with a snapshot on it: {held}")
    start_ms = min(at_ms for at_ms, rank, _order, _event in events if rank == _BOOK)
    return [(max(0, at_ms - start_ms) * _MS, event) for at_ms, _rank, _order, event in events]


def _spec_of(market: str | int, markets: Sequence[MarketSpec]) -> MarketSpec | None:
    for spec in markets:
        if market == spec.market_index if isinstance(market, int) else _base(market) == _base(spec.symbol):
            return spec
    return None


def _base(name: str) -> str:
    base = name.upper()
    for suffix in _QUOTE_SUFFIXES:
        base = base.removesuffix(suffix)
    return base.rstrip("-_/")


_TRADE, _BOOK, _STATS = 0, 1, 2


def _order_of(ordered: _Ordered) -> tuple[int, int, int]:
    return ordered[:3]


class _Track:
    """Turns one market's lines into events."""

    def __init__(self, path: Path, spec: MarketSpec) -> None:
        self._path = path
        self._spec = spec
        self._rounding = Rounding(spec)

    def ordered(self, lines: list[tuple[int, TapeLine]]) -> list[_Ordered]:
        """The market's events with their place in time; none when the market has no snapshot."""
        books = _chained([(number, line) for number, line in lines if isinstance(line, BookLine)])
        if not books:
            return []
        start_ms = min(line.venue_ms for _number, line in books)
        events: list[_Ordered] = []
        for number, line in [*books, *((n, each) for n, each in lines if not isinstance(each, BookLine))]:
            try:
                placed = self._place(number, line, start_ms)
            except ValueError as error:
                raise TapeError(f"tape {self._path} line {number} has no number: {error}") from error
            if placed is not None:
                events.append(placed)
        return events

    def _place(self, number: int, line: TapeLine, start_ms: int) -> _Ordered | None:
        match line:
            case BookLine():
                return line.venue_ms, _BOOK, line.sequence, self._rounding.book(line)
            case TradeLine():
                trade = self._rounding.trade(line)
                early = line.venue_ms <= start_ms
                return None if trade is None or early else (line.venue_ms, _TRADE, line.trade_id, trade)
            case StatsLine():
                return (max(line.receive_ms, start_ms), _STATS, number, self._rounding.mark(line))
            case _:
                assert_never(line)


def _chained(books: list[tuple[int, BookLine]]) -> list[tuple[int, BookLine]]:
    """The first snapshot, then the changes that follow it by sequence; later snapshots start a new chain."""
    first = next((index for index, (_number, line) in enumerate(books) if line.snapshot), None)
    if first is None:
        return []
    number, snapshot = books[first]
    chained = [each for each in books[:first] if each[1].sequence >= snapshot.sequence]
    at_sequence = snapshot.sequence
    for each in books[first + 1 :]:
        if each[1].snapshot:
            at_sequence = each[1].sequence
        if each[1].sequence >= at_sequence:
            chained.append(each)
    # The snapshot is first, even where the venue stamped a later change earlier.
    start_ms = min(line.venue_ms for _number, line in ((number, snapshot), *chained))
    return [(number, replace(snapshot, venue_ms=start_ms)), *chained]


def _loop(events: list[_Timed]) -> Iterator[_Timed]:
    length_us = events[-1][0] + _SEAM_US
    seams = _seams(events)
    shifts = dict.fromkeys(seams, 0)
    start_us = 0
    while True:
        for at_us, event in events:
            yield start_us + at_us, _shifted(event, shifts[event.market_index])
        start_us += length_us
        shifts = {market: _next_shift(shifts[market], *seam) for market, seam in seams.items()}


def _next_shift(shift: int, first_bid: int, last_bid: int) -> int:
    shift += last_bid - first_bid
    return shift if first_bid <= 2 * (first_bid + shift) <= 4 * first_bid else 0


def _seams(events: list[_Timed]) -> dict[int, tuple[int, int]]:
    """The first and the last best bid of each market."""
    books: dict[int, AmbientBook] = {}
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for _at_us, event in events:
        if not isinstance(event, BookChange):
            continue
        book = books.setdefault(event.market_index, AmbientBook())
        book.apply(event)
        best = book.best(Side.BID)
        if best is not None:
            first.setdefault(event.market_index, best)
            last[event.market_index] = best
    return {market: (first.get(market, 0), last.get(market, 0)) for market in books}


def _shifted(event: TrafficEvent, ticks: int) -> TrafficEvent:
    if ticks == 0:
        return event
    match event:
        case BookChange():
            return BookChange(
                market_index=event.market_index,
                updates=tuple((side, price + ticks, lots) for side, price, lots in event.updates if price + ticks > 0),
                snapshot=event.snapshot,
            )
        case Print():
            return replace(event, price_ticks=event.price_ticks + ticks)
        case Mark():
            return replace(event, mark_ticks=event.mark_ticks + ticks, index_ticks=event.index_ticks + ticks)
        case _:
            assert_never(event)

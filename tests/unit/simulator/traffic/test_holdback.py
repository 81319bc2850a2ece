"""What is received out of order is played in the order in which it happened."""

from tests.unit.simulator.paper_world import ASK, BID

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.events import BookChange, Mark, Print, TrafficEvent
from lighter_hedge.simulator.core.markets import BTC, ETH
from lighter_hedge.simulator.traffic.holdback import Holdback
from lighter_hedge.simulator.traffic.rounding import Rounding
from lighter_hedge.simulator.traffic.tape_lines import BookLine, StatsLine, TapeLine, TradeLine

DELAY = 1_000


class Desk:
    """A holdback and the markets that it holds."""

    def __init__(self) -> None:
        self.held = Holdback(DELAY)
        self._roundings = {spec.market_index: Rounding(spec) for spec in (BTC, ETH)}

    def add(self, now_ms: float, line: TapeLine) -> None:
        self.held.add(now_ms, line, self._roundings[int(line.market)])

    def kinds(self, now_ms: float) -> list[type[TrafficEvent]]:
        return [type(event) for event in self.held.due(now_ms)]


def _book(venue_ms: int, sequence: int, size: str = "1", market: int = 1) -> BookLine:
    levels: list[tuple[Side, str, str]] = [(BID, "100", size)]
    return BookLine(market=market, venue_ms=venue_ms, sequence=sequence, snapshot=sequence == 0, levels=levels)


def _trade(venue_ms: int, size: str = "1") -> TradeLine:
    return TradeLine(market=1, venue_ms=venue_ms, trade_id=1, price="100", size=size, taker_side=ASK)


def test_a_trade_that_comes_after_its_book_is_played_before_it() -> None:
    """Both are held for a second after the fastest line; the venue's clock does not matter."""
    desk = Desk()
    assert desk.held.next_due_ms() is None
    desk.add(70_000, _book(500, 0))
    desk.add(70_100, _book(600, 1))
    desk.add(70_700, _trade(590))
    assert desk.held.next_due_ms() == 71_000
    assert desk.kinds(70_999) == []
    assert desk.kinds(71_099) == [BookChange, Print]
    assert desk.kinds(71_100) == [BookChange]


def test_at_one_stamp_the_trade_is_first() -> None:
    desk = Desk()
    desk.add(10, _book(10, 0))
    desk.add(10, _trade(10))
    assert desk.kinds(2_000) == [Print, BookChange]


def test_statistics_go_by_their_receipt() -> None:
    desk = Desk()
    desk.add(5_000, StatsLine(market=1, receive_ms=0, mark_price="1", index_price="1"))
    assert desk.kinds(5_999) == []
    assert desk.kinds(6_000) == [Mark]


def test_what_is_too_late_is_played_at_once() -> None:
    desk = Desk()
    desk.add(0, _book(0, 0))
    desk.add(5_000, _trade(100))
    assert desk.kinds(5_000) == [BookChange, Print]


def test_changes_of_one_book_never_swap() -> None:
    """A stamp that runs backwards would else let an older size win; other markets are not held up by it."""
    desk = Desk()
    desk.add(0, _book(0, 0))
    desk.add(300, _book(300, 1, "3"))
    desk.add(310, _book(200, 2, "2"))
    desk.add(310, _book(250, 1, market=0))
    events = desk.held.due(1_299)
    assert [event.market_index for event in events] == [1, 0]
    last = desk.held.due(1_300)
    assert [event.updates[0][2] for event in last if isinstance(event, BookChange)] == [300_000, 200_000]


def test_another_server_has_another_clock() -> None:
    """After a restart the next line shows how far its clock is off."""
    desk = Desk()
    desk.add(1_000, _book(1_000, 0))
    assert desk.kinds(2_000) == [BookChange]
    desk.held.restart()
    desk.add(3_000, _book(500, 0))
    assert desk.kinds(3_999) == []
    assert desk.kinds(4_000) == [BookChange]


def test_a_trade_of_nothing_is_left_out() -> None:
    desk = Desk()
    desk.add(0, _trade(0, "0.000001"))
    assert desk.held.next_due_ms() is None

"""Our orders on a tape: they wait for what was recorded ahead of them, and for nothing else."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from tests.unit.simulator.paper_world import ASK, BID, START_US, A, B, World, make_world

from lighter_hedge.simulator.core.markets import BTC
from lighter_hedge.simulator.core.orders import Order
from lighter_hedge.simulator.core.pushes import BookChanged
from lighter_hedge.simulator.traffic.tape import play_once

PRICE = 1_000_000
"""The recorded best bid, in ticks; one lot is 0.00001 BTC."""


class Tape:
    """Lines of a tape on which only the best bid moves; sizes in lots."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._numbers = 0

    def book(self, at_ms: int, bid_lots: int, *more: tuple[int, int]) -> None:
        """The best bid's new size, and that of others as ``(ticks, lots)``."""
        levels = [[BTC.price_text(price), BTC.size_text(lots)] for price, lots in ((PRICE, bid_lots), *more)]
        asks = [] if self.rows else [[BTC.price_text(PRICE + 20), BTC.size_text(500)]]
        self._add(at_ms, k="diff" if self.rows else "snap", b=levels, a=asks)

    def trade(self, at_ms: int, lots: int, price: int = PRICE) -> None:
        """Somebody sells into the bids."""
        self._add(at_ms, k="trade", px=BTC.price_text(price), sz=BTC.size_text(lots), side="sell")

    def _add(self, at_ms: int, **fields: Any) -> None:
        self._numbers += 1
        self.rows.append({"t": at_ms, "r": at_ms, "m": "BTC", "n": self._numbers, "id": self._numbers, **fields})

    def playing(self, folder: Path) -> World:
        """A world whose traffic is this tape, at its start."""
        path = folder / "tape.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in self.rows))
        world = make_world(book=False)
        world.exchange.attach_traffic(play_once(path, [BTC]), START_US)
        world.run()
        return world


def _fills(world: World, order: Order) -> list[int]:
    trades = world.exchange.state.trades_of[order.account_index]
    return [trade.lots for trade in trades if order.order_index in (trade.maker.order_index, trade.taker.order_index)]


def test_an_order_fills_only_after_what_was_ahead_has_traded_in_parts_if_it_must(tmp_path: Path) -> None:
    """Ten ahead: eight trade, then four, of which two are ours, then three of our last six."""
    tape = Tape()
    tape.book(0, 100)
    for at_ms, lots, left in ((10, 80, 20), (20, 40, 0), (30, 30, 0)):
        tape.trade(at_ms, lots)
        tape.book(at_ms + 5, left, (PRICE - 10, 100 + at_ms))
    world = tape.playing(tmp_path)
    order = world.rest(A, BID, 80, PRICE)
    for ms, fills in ((15, []), (10, [20]), (10, [20, 30])):
        world.run(ms)
        assert _fills(world, order) == fills
    assert (order.leaves_lots, order.is_open) == (30, True)


def test_a_trade_and_the_change_that_it_caused_count_once_whichever_comes_between(tmp_path: Path) -> None:
    """The recorded level falls by what has been printed before, also in two steps: the queue moves up once."""
    tape = Tape()
    tape.book(0, 100)
    tape.trade(10, 40)
    tape.book(15, 110)
    tape.book(20, 70)
    tape.book(25, 60)
    tape.trade(30, 60)
    tape.book(35, 0)
    world = tape.playing(tmp_path)
    order = world.rest(A, BID, 25, PRICE)
    world.run(29)
    assert order.queue_ahead == 60
    world.run(5)
    assert (_fills(world, order), order.queue_ahead) == ([], 0)


def test_cancellations_come_from_behind_us_as_long_as_they_can(tmp_path: Path) -> None:
    """Fifty join behind: the next fifty that are cancelled are those; what goes then was ahead."""
    tape = Tape()
    tape.book(0, 100)
    tape.book(10, 150)
    tape.book(20, 100)
    tape.book(30, 30)
    tape.trade(40, 30)
    tape.trade(41, 5)
    world = tape.playing(tmp_path)
    order = world.rest(A, BID, 25, PRICE)
    for ms, ahead in ((10, 100), (10, 100), (10, 30), (10, 0)):
        world.run(ms)
        assert (order.queue_ahead, _fills(world, order)) == (ahead, [])
    world.run(10)
    assert _fills(world, order) == [5]


def test_a_trade_through_our_price_fills_us_up_to_its_size_and_leaves_us_first(tmp_path: Path) -> None:
    """What the venue sold below us had first to take all that was ahead; what joins later stands behind us."""
    tape = Tape()
    tape.book(0, 100, (PRICE - 10, 100))
    tape.trade(10, 15, PRICE - 10)
    tape.book(15, 40, (PRICE - 10, 85))
    tape.trade(20, 3)
    world = tape.playing(tmp_path)
    order = world.rest(A, BID, 25, PRICE)
    world.run(16)
    assert (_fills(world, order), order.queue_ahead) == ([15], 0)
    world.run(10)
    assert _fills(world, order) == [15, 3]


def test_two_of_our_orders_keep_their_places(tmp_path: Path) -> None:
    """The second also waits for what joined between them."""
    tape = Tape()
    tape.book(0, 100)
    tape.book(10, 150)
    tape.trade(20, 120)
    tape.trade(21, 60)
    world = tape.playing(tmp_path)
    first = world.rest(A, BID, 20, PRICE)
    world.run(15)
    second = world.rest(B, BID, 25, PRICE)
    world.run(5)
    assert (_fills(world, first), _fills(world, second), second.queue_ahead) == ([20], [], 50)
    world.run(5)
    assert _fills(world, second) == [10]


def test_the_published_batches_hold_recorded_size_and_ours_together(tmp_path: Path) -> None:
    """Batches are chained, and adding them up gives the recorded level plus what is left of our order."""
    tape = Tape()
    tape.book(0, 100)
    tape.trade(60, 110)
    tape.book(110, 40)
    world = tape.playing(tmp_path)
    order = world.rest(A, BID, 25, PRICE)
    batches: list[BookChanged] = []
    for _ in range(20):
        batches += [push for push in world.run(10) if isinstance(push, BookChanged) and push.market_index == 1]
    assert [after.begin_nonce for after in batches[1:]] == [before.nonce for before in batches[:-1]]
    # At 50 ms as joined, at 100 with ten of ours sold and the level not yet lowered, at 150 as recorded.
    assert [dict(batch.bids).get(PRICE) for batch in batches] == [125, 115, 55]
    assert order.leaves_lots == 15


@pytest.mark.parametrize("seed", range(40))
def test_the_queue_is_that_of_a_book_kept_lot_by_lot(tmp_path: Path, seed: int) -> None:
    """Against a plain model: a row of single lots, taken from the front, cancelled from the back."""
    rng = random.Random(seed)
    tape = Tape()
    level = rng.randint(30, 120)
    tape.book(0, level)
    shown: dict[int, int] = {}
    printed: dict[int, int] = {}
    for step in range(1, 25):
        at_ms = 10 * step
        unshown = 0
        if rng.random() < 0.5:
            unshown = printed[at_ms] = rng.randint(1, level + 5)
            tape.trade(at_ms, unshown)
        level = max(0, level - unshown) + rng.choice((0, 0, rng.randint(0, 60)))
        level -= rng.choice((0, 0, rng.randint(0, level)))
        shown[at_ms + rng.randint(0, 9)] = level
        tape.book(max(shown), level, (PRICE - 10, 1_000 + step))
    world = tape.playing(tmp_path)
    orders: list[Order] = []
    row: list[Order | None] = [None] * world.exchange.state.books[1].bids.ambient_lots(PRICE)
    filled: dict[int, int] = {}
    for at_ms in range(1, 260):
        world.run(1)
        if at_ms in printed:
            for owner in row[: printed[at_ms]]:
                if owner is not None:
                    filled[owner.order_index] = filled.get(owner.order_index, 0) + 1
            del row[: printed[at_ms]]
        if at_ms in shown:
            _show(row, shown[at_ms])
        assert [order.filled_lots for order in orders] == [filled.get(order.order_index, 0) for order in orders]
        if at_ms in (3, 73, 153):
            # An order joins behind what is shown: also what has traded and is not yet shown as gone.
            _show(row, world.exchange.state.books[1].bids.ambient_lots(PRICE), only_add=True)
            orders.append(world.rest(rng.choice((A, B)), BID, rng.randint(20, 60), PRICE))
            row += [orders[-1]] * orders[-1].size_lots
    assert len(orders) == 3


def _show(row: list[Order | None], lots: int, *, only_add: bool = False) -> None:
    """Make the ambient lots in a row so many, at its back."""
    row += [None] * (lots - row.count(None))
    if not only_add:
        for index in range(len(row) - 1, -1, -1):
            if row[index] is None and row.count(None) > lots:
                del row[index]


def test_the_same_tape_sells_to_asks(tmp_path: Path) -> None:
    """The other side is the mirror: a buy consumes the queue of an ask."""
    tape = Tape()
    tape.book(0, 100)
    tape.rows.append({**tape.rows[0], "k": "trade", "t": 5, "id": 9, "px": "100002", "sz": "0.00510", "side": "buy"})
    world = tape.playing(tmp_path)
    order = world.rest(A, ASK, 25, PRICE + 20)
    assert order.queue_ahead == 500
    world.run(10)
    assert _fills(world, order) == [10]

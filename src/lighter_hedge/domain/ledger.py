"""What one account has filled, from every source at once.

Each order's fill is the maximum of what its rows, its distinct trades and the other side's states say, never a sum of
sources. Only orders with the desk's client order indices count; any other trade is foreign. An order that may still
fill is in flight with its full size until it is known to be closed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lighter_hedge.domain.events import OrderReport, OrderRequest, TradeReport
from lighter_hedge.domain.seen import Seen
from lighter_hedge.domain.states import Announce, DeskId, OrderFills, Role
from lighter_hedge.domain.units import Side

ORDERS_MAX = 64
"""Orders remembered one by one; older closed ones are folded into one number."""

TRADES_MAX = 4_096
"""Trade ids remembered, against repetition."""

STAMP_MS = 1_000
"""Some rows are stamped in whole seconds."""

CREATED_SKEW_MS = 120_000
"""How far a row's time of creation may lie before our intent: clocks differ."""


@dataclass(slots=True, kw_only=True)
class Order:
    """One order of the desk and what each source says it has filled."""

    coid: int
    side: Side
    lots: int
    round: int = 0
    attempt: int = 0
    price: int = 0
    order_index: int = 0
    by_row: int = 0
    by_trades: int = 0
    by_peer: int = 0
    by_guess: int = 0
    """With what was attributed to it: the position has moved, and nobody has told of it."""
    guessed_position: int = 0
    """The account's position by the books, once that was attributed."""
    quote_by_row: int = 0
    quote_by_trades: int = 0
    quote_by_peer: int = 0
    quote_by_guess: int = 0
    trade_ids: list[int] = field(default_factory=list)
    closed: bool = False
    status: str = ""
    """The venue's word for how it ended."""
    intended_ms: int = 0
    """The venue's time when we meant it, or earlier; 0 where it is not known."""
    expected: bool = False
    """Its size is known from our own intent or the other side's announce."""

    @property
    def filled(self) -> int:
        """Lots filled: the maximum of the sources."""
        return max(self.by_row, self.by_trades, self.by_peer, self.by_guess)

    @property
    def guessed(self) -> int:
        """Lots that were attributed to it, and that no source has told of since."""
        return self.filled - max(self.by_row, self.by_trades, self.by_peer)

    @property
    def quote(self) -> int:
        """Quote amount of the fills, millionths, by the source that has seen the most."""
        if self.by_trades >= self.filled:
            return self.quote_by_trades
        if self.by_row >= self.filled:
            return self.quote_by_row
        return self.quote_by_peer if self.by_peer >= self.filled else self.quote_by_guess

    @property
    def leaves(self) -> int:
        """Lots that may still fill."""
        return 0 if self.closed else self.lots - self.filled

    def knows(self, fills: OrderFills) -> bool:
        """Whether this says nothing new: a state repeats the fills of the ones before."""
        return (
            self.side is fills.side
            and self.by_peer == fills.filled
            and self.quote_by_peer == fills.filled_quote
            and self.closed >= fills.closed
            and self.lots >= fills.lots
            and bool(self.round)
        )

    def fills(self) -> OrderFills:
        """What the other side is told."""
        return OrderFills(
            coid=self.coid,
            round=self.round,
            side=self.side,
            lots=self.lots,
            filled=self.filled,
            filled_quote=self.quote,
            closed=self.closed,
        )


@dataclass(slots=True)
class Ledger:
    """The books of one account since the baseline, in signed lots."""

    role: Role
    desk: DeskId
    base: int = 0
    """Position at the baseline."""
    folded: int = 0
    folded_serial: int = 0
    folded_cash: int = 0
    since_ms: int = 0
    """The venue's time of the baseline: what is dated before is in its position. No order rests at a baseline."""
    orders: dict[int, Order] = field(default_factory=dict)
    foreign: list[TradeReport] = field(default_factory=list)
    """Trades that are not ours, until somebody takes them."""
    foreign_lots: int = 0
    """Signed lots of all of them since the baseline."""
    highest_serial: int = 0
    _trades_seen: Seen = field(default_factory=lambda: Seen(TRADES_MAX))
    _parts: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    """By order, its signed lots filled and in flight and its cash, as they stand in the sums."""
    _filled: int = 0
    _cash: int = 0
    _in_flight: int = 0
    _open: list[Order] | None = None
    _newest: dict[tuple[int, int], tuple[OrderFills, ...]] = field(default_factory=dict)
    """Answers of ``newest`` since the last change: it is asked for at every step."""
    _of_round: dict[int, int] = field(default_factory=dict)
    """Answers of ``round_filled``, likewise."""

    def restore(self, fills: Iterable[OrderFills]) -> None:
        """Take the journal's orders."""
        for known in fills:
            self.apply_peer(known)

    # --- sums -----------------------------------------------------------------------------------------------------

    def _changed(self, order: Order) -> None:
        """An order has changed: bring the sums up to date. They are asked for many times a step."""
        sign, filled = order.side.sign, order.filled
        leaves = 0 if order.closed else order.lots - filled
        self._replace(order.coid, (sign * filled, sign * leaves, -sign * order.quote))

    def _left(self, coid: int) -> None:
        """An order has left the books."""
        self._replace(coid, (0, 0, 0))
        self._parts.pop(coid, None)

    def _replace(self, coid: int, part: tuple[int, int, int]) -> None:
        filled, in_flight, cash = self._parts.get(coid, (0, 0, 0))
        self._parts[coid] = part
        self._filled += part[0] - filled
        self._in_flight += part[1] - in_flight
        self._cash += part[2] - cash
        self._forget_answers()

    def _forget_answers(self) -> None:
        self._open = None
        self._newest.clear()
        self._of_round.clear()

    @property
    def total(self) -> int:
        """Signed lots filled since the baseline."""
        return self.folded + self._filled

    @property
    def position(self) -> int:
        """The position that the venue must show."""
        return self.base + self.folded + self._filled

    @property
    def cash(self) -> int:
        """What the fills since the baseline paid (-) or brought (+), millionths of the quote currency, without fees."""
        return self.folded_cash + self._cash

    @property
    def in_flight(self) -> int:
        """Signed lots that may still fill."""
        return self._in_flight

    @property
    def open_orders(self) -> list[Order]:
        """Orders not known to be closed."""
        if self._open is None:
            self._open = [order for order in self.orders.values() if not order.closed]
        return self._open

    def round_filled(self, round_number: int) -> int:
        """Signed lots filled by the orders of one round."""
        known = self._of_round.get(round_number)
        if known is None:
            known = sum(o.side.sign * o.filled for o in self.orders.values() if o.round == round_number)
            self._of_round[round_number] = known
        return known

    def told_filled(self, round_number: int, fills: Iterable[OrderFills], announce: Announce | None) -> int:
        """Signed lots of one round, of the orders alone that its own side tells or announces.

        A side without its journal counts its rounds from 1 again: these books may hold older orders of that number.
        An order that they no longer hold counts as it is told.
        """
        told = {one.coid: (one.side, one.filled) for one in fills if one.round == round_number}
        if announce is not None and announce.round == round_number:
            told.setdefault(announce.coid, (announce.side, 0))
        known = self.orders
        return sum(
            side.sign * (known[coid].filled if coid in known else filled) for coid, (side, filled) in told.items()
        )

    def newest(self, count: int, round_number: int = 0) -> tuple[OrderFills, ...]:
        """The newest orders, oldest first; before them whatever else has filled in this round, or may still fill.

        So who was told of an open order, and is told of it no more, knows that it has ended.
        """
        if (count, round_number) not in self._newest:
            orders = list(self.orders.values())
            told = [
                order
                for at, order in enumerate(orders, start=count - len(orders))
                if at >= 0 or not order.closed or (round_number and order.round == round_number and order.filled)
            ]
            self._newest[count, round_number] = tuple(order.fills() for order in told)
        return self._newest[count, round_number]

    def rebase(self, position: int, since_ms: int = 0) -> None:
        """Count from this position on: whatever filled before ``since_ms`` (the venue's time) is in it."""
        self.since_ms = since_ms
        self.folded_serial = max(self.folded_serial, self.highest_serial)
        self.orders.clear()
        self._parts.clear()
        self._forget_answers()
        self._filled = self._in_flight = self._cash = self.folded = self.folded_cash = 0
        self.base, self.foreign_lots = position, 0

    # --- sources --------------------------------------------------------------------------------------------------

    def intend(self, request: OrderRequest, venue_ms: int) -> Order:
        """An order of ours is about to be sent: in flight with its full size until it is known to be closed.

        ``venue_ms``: the venue's own newest stamp, or 0. Own clocks may be wrong, and no row would fit then.
        """
        order = self._order_of(request.coid, request.side, request.lots)
        assert order.lots == request.lots
        order.round, order.attempt, order.price = request.round, request.attempt, request.price
        order.intended_ms, order.expected = venue_ms, True
        self._changed(order)
        return order

    def apply_row(self, report: OrderReport) -> Order | None:
        """A row of an order. None where it is not ours, or does not fit what we meant."""
        if not self.counts(report.coid) or 0 < report.created_ms < self.since_ms - STAMP_MS:
            return None
        order = self._order_of(report.coid, report.side, report.lots)
        if not self._fits(order, report):
            return None
        order.lots = max(order.lots, report.lots)  # a trade may have come first, and told of its own size alone
        order.order_index = report.order_index
        order.price = order.price or report.price
        if report.filled >= order.by_row:
            order.by_row, order.quote_by_row = report.filled, report.filled_quote
        if report.closed:
            order.status = report.status
        self._settle(order, report.closed)
        return order

    def apply_trade(self, trade: TradeReport) -> Order | None:
        """An execution. None where it repeats a known one, or is foreign (then it stands in ``foreign``)."""
        if not self._trades_seen.add(trade.trade_id) or 0 < trade.at_ms < self.since_ms:
            return None
        serial = self.desk.serial(trade.coid)
        if serial is None or trade.kind != "trade":
            self._not_ours(trade)
            return None
        if serial <= self.folded_serial:
            return None
        order = self._order_of(trade.coid, trade.side, trade.lots)
        if order.side is not trade.side:
            self._not_ours(trade)
            return None
        order.order_index = order.order_index or trade.order_index
        if trade.maker:  # then it is the order's own price
            order.price = order.price or trade.price
        order.by_trades += trade.lots
        order.quote_by_trades += trade.quote
        order.trade_ids.append(trade.trade_id)
        self._settle(order, closed=False)
        return order

    def _not_ours(self, trade: TradeReport) -> None:
        self.foreign.append(trade)
        self.foreign_lots += trade.side.sign * trade.lots

    def expect(self, announce: Announce) -> Order:
        """The other side has announced a quote: its fills will carry this client order index."""
        order = self._as_told(announce.coid, announce.side, announce.lots)
        order.lots = max(order.lots, announce.lots)
        order.round, order.attempt, order.price = announce.round, announce.attempt, announce.price
        order.expected = True
        self._settle(order, closed=False)
        return order

    def attribute(self, coid: int, lots: int, quote: int) -> None:
        """The venue's position has moved by ``lots`` that no frame told of, within what this order may still fill."""
        order = self.orders[coid]
        assert 0 < lots <= order.leaves
        order.by_guess, order.quote_by_guess = order.filled + lots, order.quote + quote
        self._settle(order, closed=False)
        order.guessed_position = self.position

    def take_back(self, lots: int) -> Order | None:
        """Undo what was attributed to an order; None where there is none of which this holds:

        so many signed lots, and no less, were never told of it, and at least as many of others since then. It counts as
        open until its side says that it has ended: the guess alone may have closed it here.
        """
        for order in self.orders.values():
            guessed, told = order.side.sign * order.guessed, self.position - order.guessed_position
            if guessed == lots and order.side.sign * told >= order.guessed > 0:
                order.by_guess = order.quote_by_guess = 0
                order.closed = False
                self._settle(order, closed=False)
                return order
        return None

    def apply_peer(self, fills: OrderFills) -> Order | None:
        """What the other side, or the journal, says of an order. None where it is folded already."""
        if not self.counts(fills.coid):
            return None
        order = self._as_told(fills.coid, fills.side, fills.lots)
        order.round = order.round or fills.round
        order.lots = max(order.lots, fills.lots)
        if fills.filled >= order.by_peer:
            order.by_peer, order.quote_by_peer = fills.filled, fills.filled_quote
        self._settle(order, fills.closed)
        return order

    def withdraw(self, coid: int) -> None:
        """An intended order was not sent after all: it never was in flight."""
        order = self.orders.pop(coid, None)
        self._left(coid)
        assert order is None or order.filled == 0

    def close(self, coid: int, status: str) -> None:
        """An order is known to be dead: its transaction had no effect, or never will have."""
        order = self.orders.get(coid)
        if order is not None and not order.closed:
            order.closed, order.status = True, status
            self._changed(order)

    def close_untold(self, told: set[int], standing: int, *, all_seen: bool) -> None:
        """A quote that was announced and neither stands nor is among the orders told was never sent.

        One that its side has told of, as it would if it might still fill, has ended when it tells of newer ones alone.
        What has filled in part may have filled more, unless ``all_seen``: the venue's position is that of these books.
        """
        newest = max(told, default=0)
        for order in self.open_orders:
            ended = (order.expected and not order.filled) or (order.coid < newest and (all_seen or not order.filled))
            if ended and order.coid != standing and order.coid not in told:
                self.close(order.coid, "withdrawn")

    # --- within ---------------------------------------------------------------------------------------------------

    def counts(self, coid: int) -> bool:
        """Whether this order is one of the desk's, and not folded."""
        serial = self.desk.serial(coid)
        return serial is not None and serial > self.folded_serial

    @staticmethod
    def _fits(order: Order, report: OrderReport) -> bool:
        """A row counts for an intent only if side, size and time fit: ids can come back after a lost journal."""
        if order.side is not report.side:
            return False
        if order.intended_ms and report.created_ms and report.created_ms < order.intended_ms - CREATED_SKEW_MS:
            return False
        return order.lots == report.lots or not order.expected

    def _as_told(self, coid: int, side: Side, lots: int) -> Order:
        """An order as its own side tells of it.

        What a side has told of an order that it had not yet signed is void after a crash, and the next order bears its
        number: its fills must not be counted as those of the other side of the book.
        """
        known = self.orders.get(coid)
        if known is not None and known.side is not side and not known.filled:
            del self.orders[coid]
            self._left(coid)
        return self._order_of(coid, side, lots)

    def _order_of(self, coid: int, side: Side, lots: int) -> Order:
        known = self.orders.get(coid)
        if known is not None:
            return known
        order = Order(coid=coid, side=side, lots=lots)
        self.orders[coid] = order
        self._changed(order)
        serial = self.desk.serial(coid)
        assert serial is not None
        self.highest_serial = max(self.highest_serial, serial)
        self._fold()
        return order

    def _settle(self, order: Order, closed: bool) -> None:
        order.lots = max(order.lots, order.filled)
        if closed or (order.expected and order.filled == order.lots):
            order.closed = True
        self._changed(order)

    def _fold(self) -> None:
        """Keep the newest orders; fold the oldest while they are closed."""
        while len(self.orders) > ORDERS_MAX:
            coid, oldest = next(iter(self.orders.items()))
            if not oldest.closed:
                return
            serial = self.desk.serial(coid)
            assert serial is not None
            self.folded += oldest.side.sign * oldest.filled
            self.folded_cash -= oldest.side.sign * oldest.quote
            self.folded_serial = max(self.folded_serial, serial)
            del self.orders[coid]
            self._left(coid)

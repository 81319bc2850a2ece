"""The order book of one market: real orders in price-time priority among ambient liquidity. Pure integers.

*Ambient* size is everybody else's resting size at a price, set by the traffic. A real order that joins a
level stands behind the ambient size that is there (``queue_ahead``). That queue shrinks when a print trades
there, when a real taker eats it, or when the level itself becomes smaller; it never grows. Hence, at one
price, later orders never have less queue than earlier ones, and no queue exceeds the level.

What a taker eats of an ambient level is missing until the traffic next sets that level. A print comes before
the book change that it caused: the change then lowers the level to where the print has already brought the
queue, and nothing counts twice.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sortedcontainers import SortedDict

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.orders import Order, OrderStatus, SelfTrade, SelfTradeEquality


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """``lots`` changed hands at ``price_ticks``; a party that is ``None`` is ambient."""

    maker: Order | None
    taker: Order | None
    price_ticks: int
    lots: int
    taker_side: Side


@dataclass(slots=True, kw_only=True)
class Walk:
    """What an incoming order met."""

    executions: list[Execution] = field(default_factory=list)
    touched_makers: list[Order] = field(default_factory=list)
    """Own resting orders that self-trade prevention took out, their status set, or made smaller."""
    leaves_lots: int = 0
    taker_expired: bool = False
    book_exhausted: bool = False
    """The opposite side ran empty, as opposed to reaching the worst price."""


class BookSide:
    """One side: ambient levels and real orders. ``key`` orders prices from best to worst."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self._sign = -side.sign
        self._ambient: SortedDict[int, int] = SortedDict()
        self._levels: dict[int, list[Order]] = {}
        """Real orders by price key, oldest first."""
        self._keys: list[int] = []
        """Keys of these levels, best first."""

    def key(self, price: int) -> int:
        """A number that is lower for a better price."""
        return self._sign * price

    def ambient_lots(self, price: int) -> int:
        """Ambient size left at a price."""
        lots: int = self._ambient.get(self.key(price), 0)
        return lots

    def best_key(self) -> int | None:
        """Key of the best price of all, or None on an empty side."""
        ambient: int | None = self._ambient.peekitem(0)[0] if self._ambient else None
        real: int | None = self._keys[0] if self._keys else None
        if ambient is None or real is None:
            return ambient if real is None else real
        return min(ambient, real)

    def best_price(self) -> int | None:
        """Best price in ticks, or None on an empty side."""
        key = self.best_key()
        return None if key is None else self._sign * key

    def displayed_lots(self, price: int) -> int:
        """What the public book shows at a price: ambient and real size together."""
        return self.ambient_lots(price) + sum(order.leaves_lots for order in self.orders_at(price))

    def displayed(self) -> list[tuple[int, int]]:
        """All levels as ``(price_ticks, lots)``, best first."""
        keys = set(self._ambient) | self._levels.keys()
        return [(self._sign * key, self.displayed_lots(self._sign * key)) for key in sorted(keys)]

    def ambient_levels(self) -> Iterator[tuple[int, int]]:
        """Ambient levels as ``(price_ticks, lots)``, best first."""
        return ((self._sign * key, lots) for key, lots in self._ambient.items())

    def orders(self) -> list[Order]:
        """Real orders, best first."""
        return [order for key in self._keys for order in self._levels[key]]

    def orders_at(self, price: int) -> list[Order]:
        """Real orders at a price, oldest first."""
        level = self._levels.get(self.key(price))
        return [] if level is None else level.copy()

    def set_ambient(self, price: int, lots: int) -> None:
        """Set a level; queues longer than it are cut to it."""
        key = self.key(price)
        if lots > 0:
            self._ambient[key] = lots
        else:
            self._ambient.pop(key, None)
        for order in self.orders_at(price):
            order.queue_ahead = min(order.queue_ahead, max(lots, 0))

    def eat_ambient(self, price: int, lots: int) -> None:
        """Take size from the front of a level; everybody behind it moves up."""
        left = self.ambient_lots(price) - lots
        assert left >= 0
        for order in self.orders_at(price):
            order.queue_ahead = max(0, order.queue_ahead - lots)
        self.set_ambient(price, left)

    def add(self, order: Order) -> None:
        """Let an order rest behind the ambient size at its price."""
        order.queue_ahead = self.ambient_lots(order.price_ticks)
        self.restore(order)

    def restore(self, order: Order) -> None:
        """Let an order rest with the queue that it already has."""
        key = self.key(order.price_ticks)
        level = self._levels.get(key)
        if level is None:
            self._levels[key] = [order]
            insort(self._keys, key)
        else:
            insort(level, order, key=_sequence)

    def remove(self, order: Order) -> None:
        """Take an order out of the book."""
        key = self.key(order.price_ticks)
        level = [other for other in self._levels.get(key, ()) if other is not order]
        if level:
            self._levels[key] = level
        elif self._levels.pop(key, None) is not None:
            del self._keys[bisect_left(self._keys, key)]


class Book:
    """The book of one market. Callers account for executions; the book keeps sizes, queues and priority."""

    def __init__(self) -> None:
        self.bids = BookSide(Side.BID)
        self.asks = BookSide(Side.ASK)
        self.touched: set[tuple[Side, int]] = set()
        """Levels that may differ from the last published book."""

    def side(self, side: Side) -> BookSide:
        """The bids or the asks."""
        return self.bids if side is Side.BID else self.asks

    def crosses(self, side: Side, price: int) -> bool:
        """Whether an order of ``side`` at ``price`` would trade at once."""
        opposite = self.side(side.opposite)
        best = opposite.best_key()
        return best is not None and best <= opposite.key(price)

    def rest(self, order: Order) -> None:
        """Add an order that does not cross."""
        assert order.leaves_lots > 0
        self.side(order.side).add(order)
        self._touch(order.side, order.price_ticks)

    def restore(self, order: Order) -> None:
        """Put a saved order back with the queue that it had."""
        self.side(order.side).restore(order)
        self._touch(order.side, order.price_ticks)

    def remove(self, order: Order) -> None:
        """Take a resting order out."""
        self.side(order.side).remove(order)
        self._touch(order.side, order.price_ticks)

    def take(self, taker: Order, worst_ticks: int) -> Walk:
        """Execute an incoming order against the book, best price first, down to ``worst_ticks``.

        For a market order that bounds the average of all fills, not each one (docs, order types and matching). Fills
        are applied to ``taker.filled_lots`` and to the makers', but to nothing else of theirs.
        """
        opposite = self.side(taker.side.opposite)
        walk = Walk(leaves_lots=taker.leaves_lots)
        while walk.leaves_lots > 0 and not walk.taker_expired:
            best = opposite.best_key()
            if best is None:
                walk.book_exhausted = True
                break
            price = opposite.best_price() or 0
            if best <= opposite.key(worst_ticks):
                self._take_level(opposite, taker, price, walk)
            elif not taker.order_type.at_market or not self._take_on_average(opposite, taker, price, worst_ticks, walk):
                break
        return walk

    def _take_on_average(self, opposite: BookSide, taker: Order, price: int, worst_ticks: int, walk: Walk) -> bool:
        """Take as much of a level beyond the worst price as the fills so far pay for; say whether there may be more."""
        saved = sum((worst_ticks - one.price_ticks) * taker.side.sign * one.lots for one in walk.executions)
        room = saved // ((price - worst_ticks) * taker.side.sign)
        beyond = max(0, walk.leaves_lots - room)
        walk.leaves_lots -= beyond
        if walk.leaves_lots > 0:
            self._take_level(opposite, taker, price, walk)
        more = walk.leaves_lots > 0
        walk.leaves_lots += beyond
        return more

    def _take_level(self, opposite: BookSide, taker: Order, price: int, walk: Walk) -> None:
        self._touch(opposite.side, price)
        for maker in opposite.orders_at(price):
            self._take_ambient(opposite, taker, price, maker.queue_ahead, walk)
            if walk.leaves_lots == 0:
                return
            if _is_own(taker, maker):
                self._prevent_self_trade(taker, maker, walk)
                if walk.taker_expired or walk.leaves_lots == 0:
                    return
                continue
            self._execute(maker, taker, price, min(walk.leaves_lots, maker.leaves_lots), taker.side, walk)
            if walk.leaves_lots == 0:
                return
        self._take_ambient(opposite, taker, price, opposite.ambient_lots(price), walk)

    def _take_ambient(self, opposite: BookSide, taker: Order, price: int, limit: int, walk: Walk) -> None:
        lots = min(limit, walk.leaves_lots)
        if lots > 0:
            opposite.eat_ambient(price, lots)
            self._execute(None, taker, price, lots, taker.side, walk)

    def _execute(
        self, maker: Order | None, taker: Order | None, price: int, lots: int, taker_side: Side, walk: Walk
    ) -> None:
        assert lots > 0
        walk.executions.append(Execution(maker=maker, taker=taker, price_ticks=price, lots=lots, taker_side=taker_side))
        walk.leaves_lots -= lots
        if taker is not None:
            taker.filled_lots += lots
        if maker is not None:
            maker.filled_lots += lots
            if maker.filled_lots == maker.size_lots:
                self.remove(maker)
            else:
                self._touch(maker.side, maker.price_ticks)

    def _prevent_self_trade(self, taker: Order, maker: Order, walk: Walk) -> None:
        if taker.self_trade is SelfTrade.REDUCE:
            lots = min(walk.leaves_lots, maker.leaves_lots)
            walk.leaves_lots -= lots
            walk.touched_makers.append(maker)
            if lots < maker.leaves_lots:
                maker.size_lots -= lots
                self._touch(maker.side, maker.price_ticks)
                return
        if taker.self_trade is not SelfTrade.EXPIRE_TAKER:
            self.remove(maker)
            maker.status = OrderStatus.CANCELED_SELF_TRADE
            if taker.self_trade is not SelfTrade.REDUCE:
                walk.touched_makers.append(maker)
        if taker.self_trade in (SelfTrade.EXPIRE_TAKER, SelfTrade.EXPIRE_BOTH):
            walk.taker_expired = True

    def fill_resting(self, order: Order, lots: int) -> Execution:
        """Fill a resting order from an ambient taker, whatever its queue."""
        assert 0 < lots <= order.leaves_lots
        walk = Walk(leaves_lots=lots)
        self._execute(order, None, order.price_ticks, lots, order.side.opposite, walk)
        return walk.executions[0]

    def print_trade(self, price: int, lots: int, taker_side: Side) -> list[Execution]:
        """A public trade happened: fill the real orders that stood in its way, at their own prices.

        An order at a better price than the print's is filled without regard to its queue: what was ahead of it
        is gone. At the print's own price the queue ahead is consumed first. No more than the printed size is
        filled.
        """
        makers = self.side(taker_side.opposite)
        walk = Walk(leaves_lots=lots)
        for order in [order for order in makers.orders() if makers.key(order.price_ticks) < makers.key(price)]:
            if walk.leaves_lots == 0:
                return walk.executions
            order.queue_ahead = 0
            filled = min(order.leaves_lots, walk.leaves_lots)
            self._execute(order, None, order.price_ticks, filled, taker_side, walk)
        consumed = 0
        for order in makers.orders_at(price):
            ahead = max(0, order.queue_ahead - consumed)
            used = min(ahead, walk.leaves_lots)
            consumed += used
            walk.leaves_lots -= used
            order.queue_ahead = ahead - used
            if walk.leaves_lots > 0:
                filled = min(order.leaves_lots, walk.leaves_lots)
                self._execute(order, None, price, filled, taker_side, walk)
        return walk.executions

    def change_ambient(self, updates: Iterable[tuple[Side, int, int]], *, snapshot: bool) -> list[Execution]:
        """Set ambient levels; real orders that the new levels cross are filled at their own prices."""
        changes = {(side, price): lots for side, price, lots in updates}
        if snapshot:
            for side in (self.bids, self.asks):
                for price, _ in list(side.ambient_levels()):
                    changes.setdefault((side.side, price), 0)
        walk = Walk()
        for (side_name, price), lots in changes.items():
            side = self.side(side_name)
            if side.ambient_lots(price) != lots:
                side.set_ambient(price, lots)
                self._touch(side_name, price)
            if lots > 0:
                self._fill_crossed(side, price, walk)
        return walk.executions

    def _fill_crossed(self, side: BookSide, price: int, walk: Walk) -> None:
        opposite = self.side(side.side.opposite)
        for order in opposite.orders():
            available = side.ambient_lots(price)
            if opposite.key(order.price_ticks) > opposite.key(price) or available == 0:
                return
            lots = min(available, order.leaves_lots)
            side.eat_ambient(price, lots)
            self._execute(order, None, order.price_ticks, lots, side.side, walk)

    def _touch(self, side: Side, price: int) -> None:
        self.touched.add((side, price))


def _sequence(order: Order) -> int:
    return order.sequence


def _is_own(taker: Order, maker: Order) -> bool:
    if taker.equality is SelfTradeEquality.MASTER_ACCOUNT:
        return taker.wallet == maker.wallet
    return taker.account_index == maker.account_index

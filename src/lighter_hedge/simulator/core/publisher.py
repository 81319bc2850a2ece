"""The public side of the books: best prices, batches of levels chained by nonces, snapshots. Pure."""

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.pushes import BestChanged, BookChanged, Push
from lighter_hedge.simulator.core.state import State


class Publisher:
    """Remembers what was told and tells what differs."""

    def __init__(self, state: State) -> None:
        self.state = state

    def best_changed(self, market_index: int, at_us: int) -> BestChanged | None:
        """New best prices, or None if they are as last told."""
        best = self.best(market_index)
        market = self.state.market_states[market_index]
        if best == market.published_best:
            return None
        market.published_best, market.best_us = best, at_us
        nonce = self.state.next_sequence()
        return BestChanged(market_index=market_index, nonce=nonce, bid=best[0], ask=best[1], at_us=at_us)

    def best(self, market_index: int) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
        """Best bid and best ask as ``(price_ticks, lots)``."""
        sides = self.state.books[market_index].bids, self.state.books[market_index].asks
        prices = [side.best_price() for side in sides]
        bid, ask = (
            None if price is None else (price, side.displayed_lots(price))
            for side, price in zip(sides, prices, strict=True)
        )
        return bid, ask

    def flush_books(self, at_us: int) -> list[Push]:
        """Publish every changed level of every market."""
        return [push for market_index in self.state.books for push in self.flush_book(market_index, at_us)]

    def flush_book(self, market_index: int, at_us: int) -> list[Push]:
        """Publish the changed levels of one market; nothing if there are none."""
        book = self.state.books[market_index]
        if not book.touched:
            return []
        levels: dict[Side, list[tuple[int, int]]] = {Side.BID: [], Side.ASK: []}
        for side, price in book.touched:
            levels[side].append((price, book.side(side).displayed_lots(price)))
        book.touched.clear()
        market = self.state.market_states[market_index]
        begin_nonce, market.published_nonce = market.published_nonce, self.state.next_sequence()
        market.offset += 1
        market.book_us = at_us
        return [
            BookChanged(
                market_index=market_index,
                begin_nonce=begin_nonce,
                nonce=market.published_nonce,
                offset=market.offset,
                bids=tuple(sorted(levels[Side.BID], reverse=True)),
                asks=tuple(sorted(levels[Side.ASK])),
                at_us=at_us,
            )
        ]

    def book_snapshot(self, market_index: int) -> BookChanged:
        """The whole book, for a new subscriber. Call ``flush_book`` first: the next batch then continues
        it."""
        market, book = self.state.market_states[market_index], self.state.books[market_index]
        return BookChanged(
            market_index=market_index,
            begin_nonce=0,
            nonce=market.published_nonce,
            offset=market.offset,
            bids=tuple(book.bids.displayed()),
            asks=tuple(book.asks.displayed()),
            at_us=market.book_us,
        )

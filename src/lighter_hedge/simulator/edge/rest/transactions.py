"""REST endpoints of transactions and blocks."""

from lighter_hedge.simulator.core import reads
from lighter_hedge.simulator.core.orders import TX_PENDING, TxRecord
from lighter_hedge.simulator.edge import wire, wire_history
from lighter_hedge.simulator.edge.answers import Answer
from lighter_hedge.simulator.edge.numerals import whole_number
from lighter_hedge.simulator.edge.rest.context import Context
from lighter_hedge.simulator.edge.rest.query import ApiError, Query, invalid
from lighter_hedge.simulator.edge.sending import send_batch, send_one
from lighter_hedge.simulator.edge.wire import Json
from lighter_hedge.simulator.edge.wire_rest import ok


class Transactions(Context):
    """What has been sent, and the blocks that hold it."""

    def next_nonce(self, query: Query) -> Json:
        """``nextNonce``; an unknown account or key has nonce 0, as at the venue."""
        account, key_index = query.integer("account_index"), query.integer("api_key_index", most=255)
        known = self.venue.account(account)
        key = None if known is None else known.keys.get(key_index)
        return ok(nonce=0 if key is None else key.nonce)

    def tx(self, query: Query) -> Json:
        """``tx`` by hash or sequence index."""
        by, value = query.choice("by", ("hash", "sequence_index")), query.text("value")
        if by == "hash":
            found = self.state.txs.get(value.removeprefix("0x").lower())
        else:
            number = whole_number(value)
            if number is None:
                raise invalid("value")
            found = next((one for one in self.state.txs.values() if one.sequence_index == number), None)
        shown = None if found is None else reads.transaction(found, self.cutoff(found.account_index))
        if shown is None:
            raise _tx_not_found()
        return ok(**wire.tx(shown), committed_at=0, verified_at=0)

    def tx_from_l1(self, query: Query) -> Json:
        """``txFromL1TxHash``: nothing here comes from another chain."""
        query.text("hash")
        raise _tx_not_found()

    def account_txs(self, query: Query) -> Json:
        """``accountTxs``, newest first; ``index`` or ``cursor`` counts rows, ``types`` are the venue's numbers."""
        query.choice("by", ("account_index",))
        index = whole_number(query.text("value"))
        if index is None:
            raise invalid("value")
        types = set(query.integers("types"))
        every = (reads.transaction(one, self.cutoff(index)) for one in reversed(self.state.txs_of.get(index, [])))
        return self._page(query, [one for one in every if one is not None and (not types or one.tx_type in types)])

    def txs(self, query: Query) -> Json:
        """``txs``: all that has been executed, newest first."""
        return self._page(query, self._executed()[::-1])

    def _page(self, query: Query, txs: list[TxRecord]) -> Json:
        start = query.integer("index", 0)
        return query.page("txs", [wire.tx(one) for one in txs[start:]])

    def _executed(self) -> list[TxRecord]:
        """What is in blocks, oldest first."""
        shown = (reads.transaction(one, self.cutoff(one.account_index)) for one in self.state.txs.values())
        return [one for one in shown if one is not None and one.status != TX_PENDING]

    def current_height(self, query: Query) -> Json:
        """``currentHeight``."""
        return ok(height=self._height())

    def _height(self) -> int:
        return self.state.height(self.venue.now_us())

    def block(self, query: Query) -> Json:
        """``block`` by height or commitment."""
        height = self._block_height(query, "height", "commitment")
        return ok(total=self._height(), blocks=[wire_history.block(height, self._in_block(height))])

    def blocks(self, query: Query) -> Json:
        """``blocks`` from ``index`` on, oldest first unless ``sort`` is ``desc``."""
        limit, newest = query.limit(), self._height()
        down = query.choice("sort", ("asc", "desc"), "asc") == "desc"
        start = query.integer("index", newest if down else max(0, newest - limit + 1))
        heights = range(start, start - limit, -1) if down else range(start, start + limit)
        in_blocks: dict[int, list[TxRecord]] = {}
        for one in self._executed():
            in_blocks.setdefault(one.height, []).append(one)
        rows = [wire_history.block(at, in_blocks.get(at, [])) for at in heights if 0 <= at <= newest]
        return ok(total=newest, blocks=rows)

    def block_txs(self, query: Query) -> Json:
        """``blockTxs`` by height or commitment."""
        height = self._block_height(query, "block_height", "block_commitment")
        return ok(txs=[wire.tx(one) for one in self._in_block(height)])

    def _block_height(self, query: Query, by_height: str, by_commitment: str) -> int:
        value = query.text("value")
        if query.choice("by", (by_height, by_commitment)) == by_height:
            height = whole_number(value)
            if height is None:
                raise invalid("value")
        else:
            height = wire_history.height_of(value)
        if height is None or height > self._height():
            raise ApiError(29404, "block not found", 404)
        return height

    def _in_block(self, height: int) -> list[TxRecord]:
        return [one for one in self._executed() if one.height == height]

    def send_tx(self, query: Query, address: str) -> Answer:
        """``sendTx``: a form with ``tx_type`` and ``tx_info``."""
        query.flag("price_protection", default=True)
        return send_one(self.venue, query.text("tx_type"), query.text("tx_info"), address)

    def send_tx_batch(self, query: Query, address: str) -> Answer:
        """``sendTxBatch``: a form with JSON lists ``tx_types`` and ``tx_infos``."""
        return send_batch(self.venue, query.text("tx_types"), query.text("tx_infos"), address)


def _tx_not_found() -> ApiError:
    return ApiError(21500, "transaction not found")

"""All that the exchange knows, and what has changed of it since it was last saved. Pure."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from lighter_hedge.domain.units import MarketSpec, Side
from lighter_hedge.simulator.core.accounts import (
    MAINTENANCE_FRACTION,
    Account,
    Health,
    Position,
    Tier,
    health,
    unrealized_pnl,
)
from lighter_hedge.simulator.core.candles import CandleSeries
from lighter_hedge.simulator.core.markets import AMBIENT_ACCOUNT
from lighter_hedge.simulator.core.matching import Book
from lighter_hedge.simulator.core.orders import TX_EXECUTED, Order, OrderStatus, Trade, TxRecord
from lighter_hedge.simulator.core.pushes import MarketStats, PositionView
from lighter_hedge.simulator.core.records import (
    KEPT_OF_MARKET,
    RESTART_GAP,
    AccountFunding,
    Changes,
    Counters,
    Funding,
    House,
    PositionFunding,
)

HEIGHT_US = 100_000
"""A block every 100 ms."""
HEIGHT_START_US = 1_700_000_000_000_000
PUBLIC_TRADES_MAX = 200
FORCED_TRADES_MAX = 50
FUNDINGS_MAX = 1_000
HISTORY_MAX = 10_000
"""Of each account, so many ended orders, trades and transactions are remembered at least, and a tenth more at most (the
venue tells the last 10,000 orders too: fact sheet, section 4)."""


@dataclass(slots=True, kw_only=True)
class MarketState:
    """Prices and statistics of one market."""

    mark_ticks: int = 0
    index_ticks: int = 0
    last_ticks: int = 0
    open_ticks: int = 0
    low_ticks: int = 0
    high_ticks: int = 0
    volume_lots: int = 0
    volume_quote: int = 0
    trade_count: int = 0
    offset: int = 0
    published_nonce: int = 0
    published_best: tuple[tuple[int, int] | None, tuple[int, int] | None] = (None, None)
    book_us: int = 0
    """When the published book last changed."""
    best_us: int = 0
    """When the best prices last changed."""
    trades: deque[Trade] = field(default_factory=lambda: deque(maxlen=PUBLIC_TRADES_MAX))
    """Newest first, of every kind."""
    forced_trades: deque[Trade] = field(default_factory=lambda: deque(maxlen=FORCED_TRADES_MAX))
    """Liquidations and the like among them."""
    candles: CandleSeries = field(default_factory=CandleSeries)
    mark_candles: CandleSeries = field(default_factory=CandleSeries)
    halted: bool = False
    """Nothing may be created or modified; cancels still work."""
    force_reduce_only: bool = False
    """Only what reduces a position may be created."""
    premium_sum: int = 0
    """Premiums of the running hour, in 1e-8, and how many there are."""
    premium_count: int = 0
    premium_minute: int = 0
    funding_rate: int = 0
    """Last hourly rate paid, in 1e-8; positive means that longs pay."""
    funded_us: int = 0


CLAMP_SMALL = 50_000
CLAMP_BIG = 4_000_000
INTEREST = 10_000
"""0.05 %, 4 % and 0.01 %, in 1e-8: of most markets (docs, funding; as recorded in ``market_stats``)."""
FUNDING_HOURS = 8


def rate_now(market: MarketState) -> int:
    """The hourly funding rate that the premiums since the last funding make, in 1e-8."""
    premium = market.premium_sum // market.premium_count if market.premium_count else 0
    clamped = premium + max(-CLAMP_SMALL, min(CLAMP_SMALL, INTEREST - premium))
    return max(-CLAMP_BIG, min(CLAMP_BIG, clamped)) // FUNDING_HOURS


class State:
    """Accounts, books, orders, trades and transactions of one exchange."""

    def __init__(self, markets: Iterable[MarketSpec], accounts: Iterable[Account]) -> None:
        self.markets: dict[int, MarketSpec] = {market.market_index: market for market in markets}
        self.accounts: dict[int, Account] = {account.account_index: account for account in accounts}
        self.wallets: dict[str, list[int]] = {}
        """Accounts of each wallet."""
        for account in self.accounts.values():
            self.wallets.setdefault(account.l1_address, []).append(account.account_index)
        self.ambient = Account(
            account_index=AMBIENT_ACCOUNT,
            name="ambient",
            l1_address="0x" + "0" * 40,
            tier=Tier.UNLIMITED,
            collateral=0,
        )
        self.insurance = 0
        """What the insurance fund has gained, in millionths; its positions are the ambient account's."""
        self.books: dict[int, Book] = {index: Book() for index in self.markets}
        self.market_states: dict[int, MarketState] = {index: MarketState() for index in self.markets}
        self.counters = Counters()
        self.history_max = HISTORY_MAX
        self.orders: dict[int, Order] = {}
        self.versions: dict[int, list[Order]] = {}
        self.pending: dict[int, dict[int, Order]] = {index: {} for index in self.markets}
        """Of each market, orders that wait for its mark price or for a parent."""
        self.fundings: dict[int, deque[Funding]] = {index: deque(maxlen=FUNDINGS_MAX) for index in self.markets}
        self.position_fundings: dict[int, deque[PositionFunding]] = {}
        self.orders_of: dict[int, list[int]] = {index: [] for index in self.accounts}
        self.open_of: dict[int, dict[int, Order]] = {index: {} for index in self.accounts}
        """Living orders, open or pending, by order index, oldest first."""
        self.trades_of: dict[int, list[Trade]] = {index: [] for index in self.accounts}
        self.txs: dict[str, TxRecord] = {}
        self.txs_of: dict[int, list[TxRecord]] = {index: [] for index in self.accounts}
        self.on_trade: list[Callable[[Trade], None]] = []
        self.on_order: list[Callable[[Order], None]] = []
        """Who hears of each trade and of each new state of an order, in the order in which they happen."""
        self._dirty_accounts: dict[int, Account] = {}
        self._dirty_orders: dict[int, Order] = {}
        self._dirty_txs: dict[str, TxRecord] = {}
        self._new_trades: list[Trade] = []
        self._new_fundings: list[Funding] = []
        self._new_account_fundings: list[AccountFunding] = []
        self._house_is_dirty = False
        self._forgotten: list[tuple[str, str]] = []

    def add_account(self, account: Account) -> None:
        """Take up an account that did not exist before."""
        index = account.account_index
        self.accounts[index] = account
        self.wallets.setdefault(account.l1_address, []).append(index)
        self.orders_of[index], self.open_of[index], self.trades_of[index], self.txs_of[index] = [], {}, [], []
        self.note_account(account)

    def next_sequence(self) -> int:
        """The next of the venue's running numbers."""
        self.counters.sequence += 1
        return self.counters.sequence

    def next_order_index(self, market_index: int, side: Side) -> int:
        """A new order index: asks count up from (market+1)<<48, bids down from (market+2)<<48."""
        if side is Side.ASK:
            asks = self.counters.asks
            asks[market_index] = asks.get(market_index, (market_index + 1) << 48) + 1
            return asks[market_index]
        bids = self.counters.bids
        bids[market_index] = bids.get(market_index, (market_index + 2) << 48) - 1
        return bids[market_index]

    def next_trade_id(self) -> int:
        """A new trade id."""
        self.counters.trade_id += 1
        return self.counters.trade_id

    def height(self, at_us: int) -> int:
        """Block height at a time."""
        return max(0, at_us - HEIGHT_START_US) // HEIGHT_US

    def note_order(self, order: Order, at_us: int) -> Order:
        """Record a new state of an order; return it as a copy that stays as it is."""
        order.updated_us = at_us
        order.height = self.height(at_us)
        if order.order_index not in self.orders:
            self.orders[order.order_index] = order
            self.orders_of[order.account_index].append(order.order_index)
        if order.is_alive:
            self.open_of[order.account_index][order.order_index] = order
        else:
            self.open_of[order.account_index].pop(order.order_index, None)
            self._forget_orders(order.account_index)
        if order.order_type.waits:
            self._note_pending(order)
        shown = order.copied()
        self.versions.setdefault(order.order_index, []).append(shown)
        self._dirty_orders[order.order_index] = order
        for listener in self.on_order:
            listener(shown)
        return shown

    def _note_pending(self, order: Order) -> None:
        if order.status is OrderStatus.PENDING:
            self.pending[order.market_index][order.order_index] = order
        else:
            self.pending[order.market_index].pop(order.order_index, None)

    def note_account(self, account: Account) -> None:
        """Mark an account as changed."""
        if account is not self.ambient:
            self._dirty_accounts[account.account_index] = account

    def note_trade(self, trade: Trade) -> None:
        """Record a trade, with its effect on the market's statistics."""
        market = self.market_states[trade.market_index]
        market.trades.appendleft(trade)
        if trade.is_forced:
            market.forced_trades.appendleft(trade)
        price = trade.price_ticks
        market.last_ticks = price
        market.open_ticks = market.open_ticks or price
        market.low_ticks = min(market.low_ticks or price, price)
        market.high_ticks = max(market.high_ticks, price)
        market.volume_lots += trade.lots
        market.volume_quote += trade.quote
        market.trade_count += 1
        market.candles.add(trade.time_us, price, lots=trade.lots, quote=trade.quote, trade_id=trade.trade_id)
        real = [index for index in self.accounts if trade.of(index)]
        for index in real:
            self.trades_of[index].append(trade)
            self._forget_trades(index)
        if real:
            self._new_trades.append(trade)
            self._house_is_dirty = True
        for listener in self.on_trade:
            listener(trade)

    def note_mark(self, market_index: int, mark_ticks: int, index_ticks: int, at_us: int) -> None:
        """Record new mark and index prices."""
        market = self.market_states[market_index]
        market.mark_ticks, market.index_ticks = mark_ticks, index_ticks
        market.mark_candles.add(at_us, mark_ticks)

    def note_market(self) -> None:
        """Record that what is kept of a market has changed."""
        self._house_is_dirty = True

    def note_funding(self, funding: Funding) -> None:
        """Record one hour's funding of a market."""
        self.fundings[funding.market_index].append(funding)
        self._new_fundings.append(funding)
        self._house_is_dirty = True

    def note_account_funding(self, paid: AccountFunding) -> None:
        """Record what one position has paid or received."""
        known = self.position_fundings.setdefault(paid.account_index, deque(maxlen=FUNDINGS_MAX))
        known.append(paid.payment)
        self._new_account_fundings.append(paid)

    def note_tx(self, tx: TxRecord) -> None:
        """Record a transaction or its new state."""
        known = self.txs.get(tx.tx_hash)
        if known is not tx:
            if known is not None:
                # It had failed, its nonce was free again, and it was sent once more.
                self.txs_of[tx.account_index].remove(known)
            self.txs[tx.tx_hash] = tx
            self.txs_of[tx.account_index].append(tx)
            self._forget_txs(tx.account_index)
        self._dirty_txs[tx.tx_hash] = tx

    # --- forgetting ---

    def _surplus(self, remembered: int) -> int:
        """How many of the oldest to forget: a tenth at once, so that each costs little."""
        tenth = max(1, self.history_max // 10)
        return tenth if remembered >= self.history_max + tenth else 0

    def _forget_orders(self, account_index: int) -> None:
        indices, living = self.orders_of[account_index], self.open_of[account_index]
        surplus = self._surplus(len(indices) - len(living))
        if not surplus:
            return
        old = set(islice((index for index in indices if index not in living), surplus))
        for index in old:
            del self.orders[index]
            self.versions.pop(index, None)
            self._dirty_orders.pop(index, None)
            self._forgotten.append(("order", str(index)))
        self.orders_of[account_index] = [index for index in indices if index not in old]

    def _forget_trades(self, account_index: int) -> None:
        trades = self.trades_of[account_index]
        old = trades[: self._surplus(len(trades))]
        del trades[: len(old)]
        for trade in old:
            sides = {trade.maker.account_index, trade.taker.account_index}
            known = [one for index in sides for one in self.trades_of.get(index, [])[:1]]
            if all(one.trade_id > trade.trade_id for one in known):
                self._forgotten.append(("trade", str(trade.trade_id)))

    def _forget_txs(self, account_index: int) -> None:
        txs = self.txs_of[account_index]
        old = [tx for tx in txs[: self._surplus(len(txs))] if tx.status == TX_EXECUTED]
        if not old:
            return
        for tx in old:
            del self.txs[tx.tx_hash]
            self._dirty_txs.pop(tx.tx_hash, None)
            self._forgotten.append(("tx", tx.tx_hash))
        self.txs_of[account_index] = [tx for tx in txs if tx.tx_hash in self.txs]

    def collect_changes(self) -> Changes:
        """What has changed since the last call."""
        changes = Changes(
            accounts=list(self._dirty_accounts.values()),
            orders=list(self._dirty_orders.values()),
            trades=self._new_trades,
            txs=list(self._dirty_txs.values()),
            fundings=self._new_fundings,
            account_fundings=self._new_account_fundings,
            counters=self.counters,
            house=self.house() if self._house_is_dirty else None,
            forgotten=self._forgotten,
        )
        self._dirty_accounts, self._dirty_orders, self._dirty_txs = {}, {}, {}
        self._new_trades, self._forgotten = [], []
        self._new_fundings, self._new_account_fundings, self._house_is_dirty = [], [], False
        return changes

    def house(self) -> House:
        """What belongs to no client, as it is now."""
        kept = {
            index: {name: int(getattr(market, name)) for name in KEPT_OF_MARKET}
            for index, market in self.market_states.items()
        }
        return House(ambient=self.ambient, insurance=self.insurance, markets=kept)

    def restore_house(
        self, house: House | None, fundings: list[Funding], account_fundings: list[AccountFunding]
    ) -> None:
        """Take up what belongs to no client, and all funding. Trades come before: they count in the statistics."""
        for funding in sorted(fundings, key=lambda one: one.time_us):
            self.note_funding(funding)
        for paid in sorted(account_fundings, key=lambda one: one.payment.funding_id):
            self.note_account_funding(paid)
        if house is not None:
            self.ambient, self.insurance = house.ambient, house.insurance
            for index, kept in house.markets.items():
                market = self.market_states[index]
                for name, value in kept.items():
                    setattr(market, name, type(getattr(market, name))(value))
        self._new_fundings, self._new_account_fundings, self._house_is_dirty = [], [], False

    def restore(self, orders: list[Order], trades: list[Trade], txs: list[TxRecord], counters: Counters) -> None:
        """Take up saved records; accounts were given at construction."""
        self.counters = counters
        counters.skip(RESTART_GAP)
        for order in sorted(orders, key=lambda order: order.sequence):
            self.orders[order.order_index] = order
            self.orders_of[order.account_index].append(order.order_index)
            self.versions[order.order_index] = [order.copied()]
            if order.is_alive:
                self.open_of[order.account_index][order.order_index] = order
            if order.status is OrderStatus.PENDING:
                self._note_pending(order)
            if order.is_open:
                self.books[order.market_index].restore(order)
        for trade in sorted(trades, key=lambda trade: trade.trade_id):
            self.note_trade(trade)
        for tx in sorted(txs, key=lambda tx: tx.sequence_index):
            self.note_tx(tx)
        self._new_trades = []
        self._dirty_txs = {}

    def marks(self) -> Mapping[int, int]:
        """Mark price of each market: the traffic's, else the middle of the book, else the last trade."""
        return {index: self.mark(index) for index in self.markets}

    def mark(self, market_index: int) -> int:
        """Mark price in ticks, 0 while nothing is known."""
        market = self.market_states[market_index]
        if market.mark_ticks:
            return market.mark_ticks
        bid, ask = self.books[market_index].bids.best_price(), self.books[market_index].asks.best_price()
        if bid is not None and ask is not None:
            return (bid + ask) // 2
        return market.last_ticks or bid or ask or 0

    def health(self, account: Account) -> Health:
        """Margin state of an account now."""
        return health(account, self.markets, self.marks())

    def position_view(self, account: Account, market_index: int) -> PositionView:
        """One position with all that its JSON shows."""
        market, mark = self.markets[market_index], self.mark(market_index)
        position = account.position(market)
        alive = self.open_of.get(account.account_index, {}).values()
        return PositionView(
            market_index=market_index,
            lots=position.lots,
            entry_quote=position.entry_quote,
            mark_ticks=mark,
            unrealized_pnl=unrealized_pnl(position, market, mark),
            realized_pnl=position.realized_pnl,
            margin_fraction=position.margin_fraction,
            open_order_count=sum(order.market_index == market_index and order.is_open for order in alive),
            pending_order_count=sum(order.market_index == market_index and not order.is_open for order in alive),
            is_isolated=position.is_isolated,
            allocated=position.allocated,
            funding_paid=position.funding_paid,
            liquidation_ticks=self._liquidation_ticks(account, market, position),
        )

    def _liquidation_ticks(self, account: Account, market: MarketSpec, position: Position) -> int:
        if position.lots == 0:
            return 0
        sign = 1 if position.lots > 0 else -1
        margin = position.allocated if position.is_isolated else account.collateral
        lot_value = market.quote(position.lots, 10_000)
        numerator = (position.entry_quote - sign * margin) * 10_000 * 10_000
        return max(0, numerator // (lot_value * (10_000 - sign * MAINTENANCE_FRACTION))) if lot_value else 0

    def stats(self, market_index: int, at_us: int) -> MarketStats:
        """Statistics of a market now."""
        market, book = self.market_states[market_index], self.books[market_index]
        mark = self.mark(market_index)
        return MarketStats(
            market_index=market_index,
            mark_ticks=mark,
            index_ticks=market.index_ticks or mark,
            last_ticks=market.last_ticks,
            bid_ticks=book.bids.best_price() or 0,
            ask_ticks=book.asks.best_price() or 0,
            low_ticks=market.low_ticks,
            high_ticks=market.high_ticks,
            open_ticks=market.open_ticks,
            volume_lots=market.volume_lots,
            volume_quote=market.volume_quote,
            trade_count=market.trade_count,
            at_us=at_us,
            current_rate=rate_now(market),
            funding_rate=market.funding_rate,
            funded_us=market.funded_us,
        )

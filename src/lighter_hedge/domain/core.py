"""What account A and account B have in common: one lane, both ledgers, the book, recovery, and the third source (REST).

Start-up and recovery are one path: the lane burns the key's nonce and waits out the read lag, then own orders and both
positions are read, and only when the venue and the journal agree (or a baseline is set) the side is *recovered*.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from lighter_hedge.domain.book import Book
from lighter_hedge.domain.budget import Budget
from lighter_hedge.domain.commands import (
    Alert,
    Command,
    Exit,
    FillsKnown,
    Level,
    ReadAccount,
    ReadOrders,
    Record,
    Resubscribe,
    Say,
)
from lighter_hedge.domain.events import (
    AccountRead,
    BalanceReported,
    BookReported,
    Event,
    FeedClosed,
    FeedOpened,
    Instant,
    MarketHeard,
    NonceRead,
    OrderReported,
    OrderRequest,
    OrdersRead,
    PositionReported,
    Prepared,
    PrepareFailed,
    SendAnswered,
    TradeReported,
    TxReported,
)
from lighter_hedge.domain.lane import Lane
from lighter_hedge.domain.lane_limits import ORDERS_PER_READ_MAX
from lighter_hedge.domain.lane_words import LanePhase
from lighter_hedge.domain.ledger import Ledger, Order
from lighter_hedge.domain.memory import Memory
from lighter_hedge.domain.pair import Agreement, PositionCheck, net
from lighter_hedge.domain.quoting import hedge_cap
from lighter_hedge.domain.settings import DeskSettings
from lighter_hedge.domain.skew import Skew
from lighter_hedge.domain.states import OrderFills, Role
from lighter_hedge.domain.units import Side, decimal_text

READ_AGAIN_MS = 1_000
"""Between two reads of the same thing while it is not settled …"""

READ_AGAIN_MS_MAX = 8_000
"""… growing up to this, for accounts: reads cost the wallet's request budget."""

TRADES_MS_MAX = 250
"""How long a fill waits for its trades before people are told without them: a row comes before its trades."""

READS_RESERVE = 10
"""With fewer requests left in this minute, accounts are not read: what resolves an order comes first."""

HALTED_MS = 10_000
"""How long the market counts as halted after the venue has said so."""

MARKET_HALTED = 21605
"""The venue's code for an order in a market that does not trade now (SDK 1.1.8: invalid market status)."""

DIFFERS_GRACE_MS = 1_000
"""How long a position may differ from the books before somebody is told: its frame follows the trade's."""

EXIT_SUPERSEDED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An order has filled more, or has been closed."""

    role: Role
    order: Order
    lots: int
    """How much more, unsigned; 0 where it has only been closed."""
    late: bool = False
    """It filled after it was known to be closed."""


@dataclass(slots=True, kw_only=True)
class Core:
    """The common part of a side. The owner decides; this keeps what is known."""

    role: Role
    settings: DeskSettings
    memory: Memory
    lane: Lane
    ledgers: dict[Role, Ledger]
    checks: dict[Role, PositionCheck]
    budget: Budget
    book: Book = field(default_factory=Book)
    skew: Skew = field(default_factory=Skew)
    feed_open: bool = False
    recovered: bool = False
    fresh: bool = False
    """No baseline yet."""
    rebase: bool = False
    """Take the own position as the venue shows it, explained or not: it is to be closed."""
    available: int | None = None
    """Own free collateral, millionths; None while unknown."""
    open_orders: dict[Role, int] = field(default_factory=dict)
    """Resting orders of an account by its last read."""
    reconciles: bool = True
    """Whether this side reads both accounts regularly; one side is enough."""
    peer_known: bool = False
    """The other side's last state has been heard, or there is none."""
    peer_busy: bool = False
    """The other side says that something of it is in flight or unresolved."""
    last_read: dict[Role, tuple[int, int]] = field(default_factory=dict)
    """Of each account's last REST read: when it was asked, and the position."""
    last_change_ms: dict[Role, int] = field(default_factory=dict)
    """When an account's fills last changed here, monotonic."""
    changes: list[Change] = field(default_factory=list)
    _untold: dict[int, int] = field(default_factory=dict)
    """Own orders with fills that people have not been told of: since when, monotonic."""
    _halted_until_ms: int = -1
    _serial: int = 0
    orders_read: bool = False
    _resync: set[Role] = field(default_factory=set)
    """Accounts that must be read again before anything new is opened."""
    _read_due_ms: dict[Role, int] = field(default_factory=dict)
    _read_issued_ms: dict[Role, int] = field(default_factory=dict)
    _read_wait_ms: dict[Role, int] = field(default_factory=dict)
    _orders_due_ms: int = 0
    _watched: dict[int, int] = field(default_factory=dict)
    """Orders whose end is awaited: when to ask for them next."""
    _executed_ms: dict[int, int] = field(default_factory=dict)
    """Orders whose transaction has executed: since when a row must be readable, after the read lag."""

    @staticmethod
    def create(role: Role, settings: DeskSettings, memory: Memory) -> "Core":
        """The common part, as the journal left it."""
        ledgers = {r: Ledger(role=r, desk=settings.desk) for r in Role}
        for r, ledger in ledgers.items():
            ledger.folded = memory.folded.get(r, 0)
            ledger.folded_serial = memory.folded_serial.get(r, 0)
            ledger.folded_cash = memory.folded_cash.get(r, 0)
            ledger.restore(memory.fills.get(r, ()))
        if memory.baseline is not None:
            ledgers[Role.MAKER].base = memory.baseline.maker
            ledgers[Role.HEDGER].base = memory.baseline.hedger
        core = Core(
            role=role,
            settings=settings,
            memory=memory,
            lane=Lane(read_lag_ms=settings.read_lag_ms, restored=memory.unsettled),
            ledgers=ledgers,
            checks={r: PositionCheck(read_lag_ms=settings.read_lag_ms) for r in Role},
            fresh=memory.baseline is None,
            budget=Budget(settings.maker_share if role is Role.MAKER else settings.hedger_share),
        )
        for intent in memory.intents:
            if isinstance(intent.request, OrderRequest) and core.own.counts(intent.request.coid):
                core.own.intend(intent.request, intent.signed_ms)  # in flight until its end is known
        announced = memory.announce.coid if memory.announce is not None and role is Role.MAKER else 0
        core._serial = max(memory.serial, core.own.highest_serial, settings.desk.serial(announced) or 0)
        return core

    # --- what is known ----------------------------------------------------------------------------------------------

    @property
    def own(self) -> Ledger:
        """The books of this side's account."""
        return self.ledgers[self.role]

    @property
    def maker(self) -> Ledger:
        """The books of account A."""
        return self.ledgers[Role.MAKER]

    @property
    def hedger(self) -> Ledger:
        """The books of account B."""
        return self.ledgers[Role.HEDGER]

    @property
    def net(self) -> int:
        """A and B together, signed lots."""
        return net(self.maker, self.hedger)

    @property
    def synced(self) -> bool:
        """Recovered, connected, and read again since the last reconnect."""
        return self.recovered and self.feed_open and not self._resync

    def halt(self, now: Instant) -> None:
        """The venue has refused an order because the market does not trade now."""
        self._halted_until_ms = now.mono_ms + HALTED_MS

    def halted(self, now: Instant) -> bool:
        """Whether the market trades, as far as is known."""
        return not self.settings.market.active or now.mono_ms < self._halted_until_ms

    def next_coid(self) -> int:
        """A client order index that was never used."""
        self._serial = max(self._serial, self.own.highest_serial) + 1
        return self.settings.desk.client_order_index(self._serial)

    def size(self, lots: int) -> str:
        """Lots as people read them, with the market's symbol."""
        return f"{decimal_text(lots, self.settings.market.size_decimals)} {self.settings.market.symbol}"

    def min_lots(self, price: int) -> int:
        """Smallest size that can be quoted at ``price`` and hedged at the worst price that a hedge of it may carry.

        The venue holds an order's size times its own price against its minimum, and a selling hedge carries its cap.
        """
        settings = self.settings
        worst = hedge_cap(price, Side.ASK, settings.slippage_bps_e2_max, settings.slippage_ladder_percent[-1])
        return settings.market.min_lots(worst)

    def fills_to_tell(self, now: Instant) -> list[Order]:
        """Own orders whose new fills people should hear of now: once their trades are known too, or soon anyway."""
        told = []
        for coid, since_ms in list(self._untold.items()):
            order = self.own.orders.get(coid)
            if order is not None and order.by_trades < order.filled and now.mono_ms - since_ms < TRADES_MS_MAX:
                continue
            del self._untold[coid]
            if order is not None:
                told.append(order)
        return told

    def take_changes(self) -> list[Change]:
        """Fills and closings since the last call."""
        taken, self.changes = self.changes, []
        return taken

    # --- what happens -----------------------------------------------------------------------------------------------

    def start(self) -> list[Command]:
        """Begin the recovery."""
        return self.lane.start()

    def step(self, event: Event, now: Instant, wanted: Callable[[OrderRequest], bool]) -> list[Command]:
        """Take what an event says; the owner decides afterwards."""
        unknown = self.lane.phase is LanePhase.RESOLVING
        commands = self._take(event, now, wanted)
        if unknown and self.lane.ready and self.recovered:
            self.read_now(self.role)  # an outcome that was unknown: look at the account itself, too
        return commands

    def _take(self, event: Event, now: Instant, wanted: Callable[[OrderRequest], bool]) -> list[Command]:
        match event:
            case Prepared() | PrepareFailed() | SendAnswered() | NonceRead() | TxReported():
                return self.lane.step(event, now, wanted)
            case OrdersRead():
                return self._on_orders_read(event, now, wanted)
            case OrderReported():
                return self._on_order(event, now)
            case TradeReported():
                return self._on_trade(event, now)
            case PositionReported():
                self.checks[event.role].heard(event.lots, self.ledgers[event.role], now.mono_ms)
                return []
            case AccountRead():
                self._on_account(event, now)
                return []
            case BalanceReported():
                self.available = event.available
                return []
            case BookReported():
                self.skew.heard(event.at_ms, now)
                return [] if self.book.apply(event, now.mono_ms) else [Resubscribe()]
            case MarketHeard():
                self.book.heard(event.mark, now.mono_ms)
                return []
            case FeedOpened():
                return self._on_feed_opened()
            case FeedClosed():
                return self._on_feed_closed(event)
            case _:
                return []

    def tick(self, now: Instant) -> list[Command]:
        """Time has passed: ask for what is due."""
        commands = self.lane.tick(now)
        for check, ledger in zip(self.checks.values(), self.ledgers.values(), strict=True):
            check.refresh(ledger, now.mono_ms)
        if not self.lane.booted:
            return commands
        if not self.orders_read and now.mono_ms >= self._orders_due_ms:
            self._orders_due_ms = now.mono_ms + READ_AGAIN_MS
            commands.append(ReadOrders(coids=()))
        due = tuple(coid for coid, at_ms in self._watched.items() if now.mono_ms >= at_ms)[:ORDERS_PER_READ_MAX]
        if due:
            commands.append(ReadOrders(coids=due))
        self._watched.update(dict.fromkeys(due, now.mono_ms + READ_AGAIN_MS))
        if self.recovered and self.budget.lacks(READS_RESERVE, now):
            return commands
        for role in Role:
            if now.mono_ms >= self._account_due_ms(role, now):
                self._read_issued_ms[role] = now.mono_ms
                wait_ms = self._read_wait_ms.get(role, READ_AGAIN_MS)
                self._read_wait_ms[role] = min(2 * wait_ms, READ_AGAIN_MS_MAX)
                commands.append(ReadAccount(role=role))
        return commands

    def _account_due_ms(self, role: Role, now: Instant) -> int:
        """When an account is to be read: regularly, and sooner while its position and the books differ."""
        due_ms = self._read_due_ms.get(role, 0)
        if not self.reconciles and self.synced:
            due_ms = now.mono_ms + 1
        since_ms = self.checks[role].differs_since_ms
        if since_ms is not None and now.mono_ms - since_ms >= DIFFERS_GRACE_MS:
            asked_ms = self.last_read.get(role, (0, 0))[0]
            due_ms = min(due_ms, asked_ms + max(self.settings.read_lag_ms // 2, READ_AGAIN_MS))
        wait_ms = self._read_wait_ms.get(role, READ_AGAIN_MS)
        return max(due_ms, self._read_issued_ms.get(role, -wait_ms) + wait_ms)

    def read_again(self, role: Role) -> None:
        """Ask for an account soon, and open nothing until it has been read."""
        self._read_due_ms[role] = 0
        self._resync.add(role)

    def read_now(self, role: Role) -> None:
        """As ``read_again``, without the growing wait between reads of the same thing."""
        self._read_wait_ms.pop(role, None)
        self.read_again(role)

    def watch(self, coid: int, mono_ms: int) -> None:
        """The end of this order is awaited: ask for its row from then on."""
        order = self.own.orders.get(coid)
        if order is not None and not order.closed:
            self._watched.setdefault(coid, mono_ms)

    def executed(self, coid: int, now: Instant) -> None:
        """The order's transaction has executed: its row must be readable once the read lag is over."""
        self._executed_ms[coid] = now.mono_ms
        self.watch(coid, now.mono_ms + READ_AGAIN_MS)

    def attribute_unseen_fills(self, now: Instant) -> list[Command]:
        """The last resort for the other account's fills: its position has moved, and no frame told of it.

        Only a read asked a read lag after the last known change proves that; and only what the announced order may
        still fill is attributed to it. Anything else is a foreign change.
        """
        role = self.role.other
        asked_ms, position = self.last_read.get(role, (-1, 0))
        if asked_ms < self.last_change_ms.get(role, 0) + self.settings.read_lag_ms or asked_ms < 0:
            return []
        ledger = self.ledgers[role]
        unseen = position - ledger.position
        for order in reversed(ledger.orders.values()):
            if unseen * order.side.sign > 0 and order.expected and order.leaves >= abs(unseen):
                filled = order.filled
                ledger.attribute(order.coid, abs(unseen), self.settings.market.quote(abs(unseen), order.price))
                return self._changed(role, order, filled, now, was_closed=False)
        return []

    def closed_without_effect(self, coid: int, why: str, now: Instant) -> list[Command]:
        """An order's transaction had no effect: it will never fill."""
        order = self.own.orders.get(coid)
        if order is None or order.closed:
            return []
        self.own.close(coid, why)
        return self._changed(self.role, order, order.filled, now, was_closed=False)

    # --- sources ----------------------------------------------------------------------------------------------------

    def _on_order(self, event: OrderReported, now: Instant) -> list[Command]:
        ledger = self.ledgers[event.role]
        before = ledger.orders.get(event.report.coid)
        filled, was_closed = (before.filled, before.closed) if before is not None else (0, False)
        order = ledger.apply_row(event.report)
        if order is None:
            return []
        commands = self._changed(event.role, order, filled, now, was_closed=was_closed)
        if event.role is self.role:
            commands += self.lane.evidence(order.coid, now)
        return commands

    def _on_trade(self, event: TradeReported, now: Instant) -> list[Command]:
        ledger = self.ledgers[event.role]
        before = ledger.orders.get(event.trade.coid)
        filled, was_closed = (before.filled, before.closed) if before is not None else (0, False)
        order = ledger.apply_trade(event.trade)
        if order is None:
            return []
        commands = self._changed(event.role, order, filled, now, was_closed=was_closed)
        if event.role is self.role:
            commands += self.lane.evidence(order.coid, now)
            if not order.closed:
                self.watch(order.coid, now.mono_ms + READ_AGAIN_MS)
        return commands

    def on_peer_fills(self, fills: tuple[OrderFills, ...], now: Instant) -> list[Command]:
        """The other side's cumulative fills."""
        commands: list[Command] = []
        ledger = self.ledgers[self.role.other]
        for known in fills:
            before = ledger.orders.get(known.coid)
            filled, was_closed = (before.filled, before.closed) if before is not None else (0, False)
            order = ledger.apply_peer(known)
            if order is not None:
                commands += self._changed(self.role.other, order, filled, now, was_closed=was_closed)
        return commands

    def _changed(self, role: Role, order: Order, filled: int, now: Instant, *, was_closed: bool) -> list[Command]:
        if order.closed and role is self.role:  # both accounts count their orders from 1
            self._watched.pop(order.coid, None)
            self._executed_ms.pop(order.coid, None)
        if order.filled == filled and order.closed == was_closed:
            return []
        assert order.filled >= filled
        self.last_change_ms[role] = now.mono_ms
        self.checks[role].refresh(self.ledgers[role], now.mono_ms)  # until the venue has shown it, no gate opens
        lots = order.filled - filled
        if lots and role is self.role:
            self._untold.setdefault(order.coid, now.mono_ms)
        self.changes.append(Change(role=role, order=order, lots=lots, late=was_closed and lots > 0))
        return [Record(entry=FillsKnown(role=role, fills=order.fills()))]

    def _on_orders_read(self, event: OrdersRead, now: Instant, wanted: Callable[[OrderRequest], bool]) -> list[Command]:
        commands: list[Command] = []
        if event.rows is not None:
            if not event.coids and not self.orders_read:
                self._first_rows(event)
            for row in event.rows:
                commands += self._on_order(OrderReported(role=self.role, report=row), now)
            for coid in set(event.coids) - {row.coid for row in event.rows}:
                executed_ms = self._executed_ms.get(coid)
                order = self.own.orders.get(coid)
                if executed_ms is None or order is None or order.filled or order.order_index:
                    continue
                if event.asked_ms >= executed_ms + self.settings.read_lag_ms:
                    commands += self.closed_without_effect(coid, "no such order at the venue", now)
        return commands + self.lane.step(event, now, wanted)

    def _first_rows(self, event: OrdersRead) -> None:
        """All recent orders of the account, at the start. Without a baseline they are history, not fills of ours."""
        assert event.rows is not None
        self.orders_read = True
        serials = [self.settings.desk.serial(row.coid) or 0 for row in event.rows]
        highest = max(serials, default=0)
        self._serial = max(self._serial, highest)
        if self.fresh:
            self.own.folded_serial = max(self.own.folded_serial, highest)

    def _on_account(self, event: AccountRead, now: Instant) -> None:
        if event.position is None:
            return
        self.open_orders[event.role] = event.open_orders
        self._read_due_ms[event.role] = now.mono_ms + (self.settings.reconcile_ms if self.recovered else READ_AGAIN_MS)
        self.last_read[event.role] = (event.asked_ms, event.position)
        if event.role is self.role:
            self.available = event.available
        ledger, check = self.ledgers[event.role], self.checks[event.role]
        if self.fresh:
            check.reported = event.position
        else:
            quiet = not ledger.in_flight and not (event.role is not self.role and self.peer_busy)
            check.read(event.position, ledger, asked_ms=event.asked_ms, mono_ms=now.mono_ms, quiet=quiet)
        if self.recovered and check.agreement() is Agreement.AGREES:
            self._read_wait_ms.pop(event.role, None)
        self._resync.discard(event.role)

    # --- connection and recovery ------------------------------------------------------------------------------------

    def _on_feed_opened(self) -> list[Command]:
        self.feed_open = True
        if not self.recovered:
            return []
        for role in Role:
            self.read_now(role)
        for order in self.own.open_orders:
            self._watched[order.coid] = 0
        return [Say(level=Level.INFO, code="FEED_OPEN", text="stream is up again: reading orders and both accounts")]

    def _on_feed_closed(self, event: FeedClosed) -> list[Command]:
        was_open, self.feed_open = self.feed_open, False
        self.book.lose()
        if not was_open:
            return []
        return [Say(level=Level.WARNING, code="FEED_LOST", text=f"stream lost: {event.reason}")]

    def superseded(self) -> list[Command]:
        """Another instance holds this account's key: end, and let no supervisor restart this one."""
        text = f"another instance trades account {self.role.letter}: it has used this key's nonce"
        return [Alert(code="SUPERSEDED", text=text), Exit(code=EXIT_SUPERSEDED, why=text)]

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
    Attributed,
    Command,
    Exit,
    FillsKnown,
    Level,
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
from lighter_hedge.domain.lane_words import LanePhase
from lighter_hedge.domain.ledger import Ledger, Order
from lighter_hedge.domain.memory import Memory
from lighter_hedge.domain.pair import Agreement, PositionCheck
from lighter_hedge.domain.quoting import hedge_cap
from lighter_hedge.domain.reads import READ_AGAIN_MS, Reads
from lighter_hedge.domain.settings import DeskSettings
from lighter_hedge.domain.skew import Skew
from lighter_hedge.domain.states import OrderFills, Role
from lighter_hedge.domain.units import Side, decimal_text

TRADES_MS_MAX = 250
"""How long a fill waits for its trades before people are told without them: a row comes before its trades."""

HALTED_MS = 10_000
"""How long the market counts as halted after the venue has said so."""

MARKET_HALTED = 21605
"""The venue's code for an order in a market that does not trade now (SDK 1.1.8: invalid market status)."""

SERIALS_SKIPPED = 1_000
"""A start without its journal leaves out so many: orders that were told, and have never reached the venue, had them."""

EXIT_SUPERSEDED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An order has filled more, or has been closed."""

    role: Role
    order: Order
    lots: int
    """How much more, unsigned; 0 where it has only been closed."""
    late: bool
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
    reads: Reads
    own: Ledger = field(init=False)
    """The books of this side's account."""
    maker: Ledger = field(init=False)
    """The books of account A."""
    hedger: Ledger = field(init=False)
    """The books of account B."""
    book: Book = field(default_factory=Book)
    skew: Skew = field(default_factory=Skew)
    feed_open: bool = False
    recovered: bool = False
    fresh: bool
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
    peer_told_ms: int = -1
    """When a state of the other side was last heard, monotonic; -1 before the first."""
    peer_busy: bool = False
    """The other side says that something of it is in flight or unresolved."""
    attributed: bool
    """The books of the other account hold a fill that may stand there twice: it was attributed to an order, or told of
    one that was never announced here."""
    last_change_ms: dict[Role, int] = field(default_factory=dict)
    """When an account's fills last changed here, monotonic."""
    changes: list[Change] = field(default_factory=list)
    _untold: dict[int, int] = field(default_factory=dict)
    """Own orders with fills that people have not been told of: since when, monotonic."""
    _agreed: set[Role] = field(default_factory=set)
    """Accounts whose books have agreed with the venue since this start."""
    _halted_until_ms: int = -1
    _serial: int = field(init=False)
    """Highest serial used or seen."""
    _executed_ms: dict[int, int] = field(default_factory=dict)
    """Orders whose transaction has executed: since when a row must be readable, after the read lag."""

    def __post_init__(self) -> None:
        self.own = self.ledgers[self.role]
        self.maker, self.hedger = self.ledgers[Role.MAKER], self.ledgers[Role.HEDGER]

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
            for ledger in ledgers.values():
                ledger.since_ms = memory.baseline.at_ms
        core = Core(
            role=role,
            settings=settings,
            memory=memory,
            lane=Lane(read_lag_ms=settings.read_lag_ms, restored=memory.unsettled),
            ledgers=ledgers,
            checks={r: PositionCheck(read_lag_ms=settings.read_lag_ms) for r in Role},
            reads=Reads(read_lag_ms=settings.read_lag_ms),
            fresh=memory.baseline is None,
            attributed=memory.attributed,
            budget=Budget(settings.maker_share if role is Role.MAKER else settings.hedger_share),
        )
        for intent in memory.intents:
            if isinstance(intent.request, OrderRequest) and core.own.counts(intent.request.coid):
                core.own.intend(intent.request, 0)  # in flight until its end is known; its stamp is of this machine
        announced = [memory.announce.coid] if memory.announce is not None and role is Role.MAKER else []
        core._serial = max(memory.serial, core.own.highest_serial, settings.desk.highest_serial(announced))
        return core

    # --- what is known ----------------------------------------------------------------------------------------------

    @property
    def net(self) -> int:
        """A and B together, signed lots."""
        return self.maker.position + self.hedger.position

    @property
    def synced(self) -> bool:
        """Recovered, connected, and read again since the last reconnect."""
        return self.recovered and self.feed_open and not self.reads.awaited

    @property
    def unclear(self) -> bool:
        """Whether the books of an account may lack or double something: the venue does not show the same.

        Asked only where there is cause: since this start no read has agreed with them (the journal may be an old copy,
        and a frame an old one that says the same), or a fill was attributed. Else its fills come first by words and
        frames, and its position a moment later.
        """
        other = self.checks[self.role.other]
        return len(self._agreed) < len(Role) or (self.attributed and other.agreement() is not Agreement.AGREES)

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

    def number_above(self, serial: int) -> None:
        """The other side counts own orders up to this serial no more: a lost journal would begin below."""
        self._serial = max(self._serial, serial)

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
            self.reads.now(self.role)  # an outcome that was unknown: look at the account itself, too
        if self.recovered and len(self._agreed) < len(Role):
            read = {role for role, (_, lots) in self.reads.last.items() if lots == self.ledgers[role].position}
            self._agreed |= {role for role in read if self.checks[role].agreement() is Agreement.AGREES}
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
                self.skew.heard(event.at_ms, now)
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
        for role, check in self.checks.items():
            check.refresh(self.ledgers[role], now.mono_ms)
        if not self.lane.booted:
            return commands
        commands += self.reads.orders(now)
        if self.recovered and self.budget.lacks(self.reads.reserve, now):
            return commands
        return commands + self.reads.accounts(self.checks, now, regularly=self.reconciles or not self.synced)

    def watch(self, coid: int, mono_ms: int) -> None:
        """The end of this own order is awaited: ask for its row from then on."""
        order = self.own.orders.get(coid)
        if order is not None and not order.closed:
            self.reads.watch(coid, mono_ms)

    def not_sent(self, coid: int, now: Instant) -> None:
        """An own order was not sent after all. If it has filled all the same, another instance has sent its twin."""
        order = self.own.orders.get(coid)
        if order is not None and order.filled:
            self.executed(coid, now)
        else:
            self.reads.ended(coid)
            self.own.withdraw(coid)

    def executed(self, coid: int, now: Instant) -> None:
        """The order's transaction has executed: its row must be readable once the read lag is over."""
        self._executed_ms[coid] = now.mono_ms
        self.watch(coid, now.mono_ms + READ_AGAIN_MS)

    def attribute_unseen_fills(self, now: Instant, *, silent: bool) -> list[Command]:
        """The last resort for the other account's fills: its position has moved, and no frame told of it.

        Only while that side is silent: else its own word about its orders counts. Only a read asked a read lag after
        the last known change proves it; and only what the announced order may still fill is attributed to it. Anything
        else is a foreign change.
        """
        if not silent:
            return []
        role = self.role.other
        if role not in self.reads.last:
            return []
        asked_ms, position = self.reads.last[role]
        changed_ms = self.last_change_ms.get(role)
        if changed_ms is not None and asked_ms < changed_ms + self.settings.read_lag_ms:
            return []
        ledger = self.ledgers[role]
        unseen = position - ledger.position - ledger.foreign_lots  # what is known to be foreign is no fill of ours
        for order in reversed(ledger.orders.values()):
            if unseen * order.side.sign > 0 and order.expected and order.leaves >= abs(unseen):
                filled = order.filled
                ledger.attribute(order.coid, abs(unseen), self.settings.market.quote(abs(unseen), order.price))
                self.attributed = True
                known = Record(entry=Attributed(coid=order.coid, lots=abs(unseen)))
                return [known, *self._changed(role, order, filled, now, was_closed=False)]
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
        if self.fresh:
            return []  # without a baseline this is history: the positions that become the baseline hold it
        ledger = self.ledgers[event.role]
        filled, was_closed = _known(ledger.orders.get(event.report.coid))
        order = ledger.apply_row(event.report)
        if order is None:
            return []
        commands = self._changed(event.role, order, filled, now, was_closed=was_closed)
        if event.role is self.role:
            commands += self.lane.evidence(order.coid, now)
        return commands

    def _on_trade(self, event: TradeReported, now: Instant) -> list[Command]:
        if self.fresh:
            return []
        ledger = self.ledgers[event.role]
        filled, was_closed = _known(ledger.orders.get(event.trade.coid))
        order = ledger.apply_trade(event.trade)
        if order is None:
            return []
        commands = self._changed(event.role, order, filled, now, was_closed=was_closed)
        if event.role is self.role:
            commands += self.lane.evidence(order.coid, now)
            if not order.closed:
                self.watch(order.coid, now.mono_ms + READ_AGAIN_MS)
        return commands

    def on_peer_fills(self, fills: tuple[OrderFills, ...], now: Instant, standing: int = 0) -> list[Command]:
        """The other side's fills, and the order that it announces. Without a baseline they are history."""
        commands: list[Command] = []
        ledger = self.ledgers[self.role.other]
        if self.fresh:
            told = self.settings.desk.highest_serial(one.coid for one in fills)
            ledger.folded_serial = max(ledger.folded_serial, told)
            return []
        for known in fills:
            before = ledger.orders.get(known.coid)
            if before is not None and before.knows(known):
                continue
            filled, was_closed = _known(before)
            order = ledger.apply_peer(known)
            if order is not None:
                if order.by_peer > max(filled, order.by_row, order.by_trades) and not order.expected:
                    self.attributed = True  # of an order that was never announced here: a baseline may hold it already
                commands += self._changed(self.role.other, order, filled, now, was_closed=was_closed)
        all_seen = self.checks[ledger.role].agreement() is Agreement.AGREES
        ledger.close_untold({known.coid for known in fills}, standing, all_seen=all_seen)
        return commands

    def _changed(self, role: Role, order: Order, filled: int, now: Instant, *, was_closed: bool) -> list[Command]:
        if order.closed and role is self.role:  # both accounts count their orders from 1
            self.reads.ended(order.coid)
            self._executed_ms.pop(order.coid, None)
        if order.filled == filled and order.closed == was_closed:
            return []
        assert order.filled >= filled
        self.last_change_ms[role] = now.mono_ms
        self.checks[role].refresh(self.ledgers[role], now.mono_ms)  # until the venue has shown it, no gate opens
        lots = order.filled - filled
        if lots and role is self.role:
            self._untold.setdefault(order.coid, now.mono_ms)
        self.changes.append(Change(role=role, order=order, lots=lots, late=was_closed))  # closed once, closed for ever
        return [Record(entry=FillsKnown(role=role, fills=order.fills()))]

    def _on_orders_read(self, event: OrdersRead, now: Instant, wanted: Callable[[OrderRequest], bool]) -> list[Command]:
        commands: list[Command] = []
        if event.rows is not None:
            if not event.coids and not self.reads.orders_read:
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
        self.reads.orders_read = True
        highest = self.settings.desk.highest_serial(row.coid for row in event.rows)
        self._serial = max(self._serial, highest + (SERIALS_SKIPPED if self.fresh and highest else 0))
        if self.fresh:
            self.own.folded_serial = max(self.own.folded_serial, highest)

    def _on_account(self, event: AccountRead, now: Instant) -> None:
        if event.position is None:
            return
        self.open_orders[event.role] = event.open_orders
        due_ms = now.mono_ms + (self.settings.reconcile_ms if self.recovered else READ_AGAIN_MS)
        self.reads.account_read(event.role, event.position, event.asked_ms, due_ms)
        if event.role is self.role:
            self.available = event.available
        ledger, check = self.ledgers[event.role], self.checks[event.role]
        if self.fresh:
            check.reported = event.position
        else:
            busy, told_ms = (False, None) if event.role is self.role else (self.peer_busy, self.peer_told_ms)
            asked_ms, quiet = event.asked_ms, not ledger.in_flight and not busy
            check.read(event.position, ledger, asked_ms=asked_ms, mono_ms=now.mono_ms, quiet=quiet, told_ms=told_ms)
        if self.recovered and check.agreement() is Agreement.AGREES:
            self.reads.settled(event.role)

    # --- connection and recovery ------------------------------------------------------------------------------------

    def _on_feed_opened(self) -> list[Command]:
        self.feed_open = True
        if not self.recovered:
            return []
        for role in Role:
            self.reads.now(role)
        for order in self.own.open_orders:
            self.reads.watch_now(order.coid)
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


def _known(order: Order | None) -> tuple[int, bool]:
    """What an order has filled, and whether it is closed."""
    return (order.filled, order.closed) if order is not None else (0, False)

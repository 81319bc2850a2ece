"""The third process of a desk: watches both accounts and both states, holds no key, and calls for people.

It has two eyes: the venue's public stream (positions and trades of both accounts) and the states that A and B publish.
Either may be blind; it says so, and goes on with the other. It hedges nothing and cancels nothing. The one thing that
it does is to ask A to pause, by the same command that a person would give, once per exposure that is too old.
"""

from dataclasses import dataclass, field
from typing import assert_never

from lighter_hedge.domain.commands import Level, ReadAccount, Say
from lighter_hedge.domain.drop_copy import DropCopies, Step
from lighter_hedge.domain.events import (
    AccountRead,
    BalanceReported,
    BookReported,
    FeedClosed,
    FeedOpened,
    HedgerHeard,
    Instant,
    MakerHeard,
    MarketHeard,
    MessagingChanged,
    OperatorAsked,
    OrderReported,
    PositionReported,
    Ticked,
    TradeReported,
    TxReported,
    VenueEvent,
)
from lighter_hedge.domain.incidents import Condition, Incident, Occurrences
from lighter_hedge.domain.monitor_words import (
    AskPause,
    MarketLearned,
    MonitorCommand,
    MonitorEvent,
    MonitorSettings,
    PauseSent,
    Remember,
    StopLearned,
)
from lighter_hedge.domain.pair import residual
from lighter_hedge.domain.side_watch import SideWatch
from lighter_hedge.domain.states import MakerState, Mode, OperatorCommand, Role
from lighter_hedge.domain.units import MarketSpec, decimal_text

BLIND_MS_MAX = 10_000
"""How long an eye may be blind before people are told: a stream comes back by itself in a few seconds."""

STALL_MS = 2_000
"""A tick that is this late means that this process stood still: silence heard meanwhile is its own."""

QUOTE_MS_MAX = 2_000
"""How long A may want a quote while A + B is not hedged, by its state: states and positions come by two ways."""

REST_MS_MAX = 10_000
"""How old an exposure is when A's resting orders are read, and how often they are then."""

READ_AGAIN_MS = 1_000
"""Between a read that shows too many orders and the read that confirms it."""

CLEAR_MS_MAX = 60_000
"""How long a ``clear`` that A does not acknowledge explains closing trades."""


@dataclass(slots=True, kw_only=True)
class Monitor:
    """The state machine of the monitor."""

    settings: MonitorSettings
    copies: DropCopies
    sides: dict[Role, SideWatch]
    unseen_venue: Condition
    unseen_states: Condition
    unhedged: Condition
    quoting: Condition
    resting: Condition
    many: Condition
    market: MarketSpec | None = None
    streams_up: bool = False
    incidents: tuple[Incident, ...] = ()
    """Of an earlier life, then as last remembered."""
    _mark: int = 0
    _announced_min: int = 0
    _happened: Occurrences = field(default_factory=Occurrences)
    _tick_ms: int | None = None
    _exposed_by: int | None = None
    """A's order that has opened the newest exposure, by trades; None where B has, or nobody knows."""
    _judging: bool = False
    """A + B has been hedged since counting began: from then on A's trades are held against I1."""
    _clear: tuple[OperatorCommand, int] | None = None
    """A person's ``clear`` that is not over, and when it was heard."""
    _asked: str = ""
    """Id of the pause that stands in the command stream for the present exposure."""
    _ask_ms: int = 0
    _read_ms: dict[Role, int] = field(default_factory=dict)
    """When each account was last asked for over REST."""
    _orders: tuple[int, int] = (-1, 0)
    """Of the last read of A: when it was asked, and how many orders rested."""
    _many_reads: int = 0

    @staticmethod
    def create(settings: MonitorSettings, incidents: tuple[Incident, ...] = ()) -> "Monitor":
        """A monitor that goes on with the incidents of its earlier life."""

        def condition(code: str, limit_ms: int = 0) -> Condition:
            return Condition(code=code, about="desk", limit_ms=limit_ms)

        sides = {
            role: SideWatch.create(role, silent_ms_max=settings.heartbeat_ms_max, read_lag_ms=settings.read_lag_ms)
            for role in Role
        }
        return Monitor(
            settings=settings,
            copies=DropCopies(desk=settings.desk, read_lag_ms=settings.read_lag_ms),
            sides=sides,
            unseen_venue=condition("VENUE_UNSEEN", BLIND_MS_MAX),
            unseen_states=condition("STATES_UNSEEN", BLIND_MS_MAX),
            unhedged=condition("UNHEDGED_TOO_LONG", settings.unhedged_ms_max),
            quoting=condition("QUOTE_WHILE_UNHEDGED"),
            resting=condition("ORDER_RESTS_UNHEDGED"),
            many=condition("TOO_MANY_ORDERS"),
            incidents=incidents,
        )

    def step(self, event: MonitorEvent, now: Instant) -> list[MonitorCommand]:
        """Apply one event; return what must now be done, in order."""
        if self._tick_ms is None:
            self._begin(now)
        match event:
            case Ticked():
                return self._tick(now)
            case MakerHeard() | HedgerHeard() | MessagingChanged() | OperatorAsked():
                return self._on_state_event(event, now)
            case MarketLearned():
                self.market = event.market
            case StopLearned():
                self.sides[event.role].stopped = event.by_person
            case PauseSent():
                if not event.sent:
                    self._asked, self._ask_ms = "", now.mono_ms + READ_AGAIN_MS
            case _:
                return self._on_venue_event(event, now)
        return []

    # --- what is known ----------------------------------------------------------------------------------------------

    @property
    def conditions(self) -> list[Condition]:
        """Everything that may last too long."""
        desk = [self.unseen_venue, self.unseen_states, self.unhedged, self.quoting, self.resting, self.many]
        return desk + [one for side in self.sides.values() for one in (side.silent, side.differs)]

    @property
    def maker_state(self) -> MakerState | None:
        """A's newest state."""
        state = self.sides[Role.MAKER].state
        assert state is None or isinstance(state, MakerState)
        return state

    def net(self, now: Instant) -> int | None:
        """A and B together, signed lots: by the stream, else by what both say, else by REST; None while unknown."""
        by_venue = self.copies.net
        if by_venue is not None and self.copies.feed_open:
            return by_venue
        known = [position for side in self.sides.values() if (position := side.position(now)) is not None]
        return sum(known) if len(known) == len(self.sides) else by_venue

    def exposed(self, now: Instant) -> bool | None:
        """Whether A and B together are more than a residual; None while unknown."""
        net = self.net(now)
        return None if net is None else not residual(net, self._min_lots())

    def size(self, lots: int) -> str:
        """Lots as people read them."""
        if self.market is None:
            return f"{lots} lots"
        return f"{decimal_text(lots, self.market.size_decimals)} {self.market.symbol}"

    def _min_lots(self) -> int:
        """What is less is a residual: by A's last announce, and by the market's rules."""
        if self.market is not None:
            rules = self.market.min_lots(self._mark) if self._mark else self.market.min_base_lots
            return max(self._announced_min, rules)
        state = self.maker_state
        return self._announced_min or (abs(state.residual) + 1 if state is not None else 1)

    @property
    def _clearing(self) -> bool:
        """Whether a person's ``clear`` explains trades that hedge nothing."""
        state = self.maker_state
        cleared = state is not None and state.pause is not None and state.pause.code == "CLEARED"
        return cleared or self._clear is not None

    # --- the venue --------------------------------------------------------------------------------------------------

    def _on_venue_event(self, event: VenueEvent | TxReported, now: Instant) -> list[MonitorCommand]:
        match event:
            case TradeReported():
                return self._on_trade(event, now)
            case PositionReported():
                self.copies.on_position(event.role, event.lots, now)
            case AccountRead():
                return self._on_read(event)
            case FeedOpened() | FeedClosed():
                return self._on_feed(event, now)
            case MarketHeard():
                self._mark = event.mark or self._mark
            case OrderReported() | BalanceReported() | BookReported() | TxReported():
                pass  # of an account of one's own, or not needed here
            case _:
                assert_never(event)
        return []

    def _on_feed(self, event: FeedOpened | FeedClosed, now: Instant) -> list[MonitorCommand]:
        if isinstance(event, FeedOpened):
            self.copies.opened(now)
            self._read_ms.clear()
            return [Say(level=Level.INFO, code="FEED_OPEN", text="the exchange is seen: reading both accounts")]
        self.copies.closed()
        text = f"the exchange is not seen: {event.reason}; what A and B say is all there is"
        return [Say(level=Level.WARNING, code="FEED_LOST", text=text)]

    def _on_read(self, event: AccountRead) -> list[MonitorCommand]:
        corrected = self.copies.on_read(event.role, event.position, event.asked_ms)
        if event.position is None:
            return []
        commands: list[MonitorCommand] = []
        if corrected:
            text = f"account {event.role.letter} has {self.size(event.position)}, which no frame has told"
            commands.append(Say(level=Level.WARNING, code="FRAME_MISSED", text=text))
        if event.role is Role.MAKER:
            self._orders = (event.asked_ms, event.open_orders)
            self._many_reads = self._many_reads + 1 if event.open_orders > 1 else 0
        return commands

    def _on_trade(self, event: TradeReported, now: Instant) -> list[MonitorCommand]:
        role, trade = event.role, event.trade
        if not self.copies.on_trade(role, trade, now):
            return []
        what = f"account {role.letter}: {trade.kind} {trade.trade_id}, {trade.side.word} {self.size(trade.lots)}"
        commands: list[MonitorCommand] = []
        with_itself = trade.counterparty == self.settings.accounts[role.other]
        if with_itself and not self.copies.seen_by_other(role, trade.trade_id):
            text = f"{what} was with account {role.other.letter}: the desk traded with itself"
            commands += self._happened.happened("SELF_TRADE", "desk", text, now)
        if trade.kind != "trade":
            commands += self._happened.happened("LIQUIDATION", role.letter, f"{what} is no trade of the desk", now)
        elif not self.copies.ours(trade):
            commands += self._happened.happened("FOREIGN_TRADE", role.letter, f"{what} is not this desk's", now)
        return commands

    # --- the states -------------------------------------------------------------------------------------------------

    def _on_state_event(
        self, event: MakerHeard | HedgerHeard | MessagingChanged | OperatorAsked, now: Instant
    ) -> list[MonitorCommand]:
        match event:
            case MakerHeard():
                if self.sides[Role.MAKER].hear(event.state, now):
                    self._on_maker(event.state)
            case HedgerHeard():
                self.sides[Role.HEDGER].hear(event.state, now)
            case OperatorAsked():
                if event.command.verb == "clear":
                    self._clear = (event.command, now.mono_ms)
            case MessagingChanged():
                return self._on_messaging(event, now)
            case _:
                assert_never(event)
        return []

    def _on_maker(self, state: MakerState) -> None:
        if state.announce is not None:
            self._announced_min = state.announce.min_lots
        if self._clear is not None and self._clear[0].id in state.acks and state.mode is Mode.RUNNING:
            self._clear = None

    def _on_messaging(self, event: MessagingChanged, now: Instant) -> list[MonitorCommand]:
        was, self.streams_up = self.streams_up, event.up
        if was == event.up:
            return []
        for side in self.sides.values():
            side.wait(now if event.up else None)
        if event.up:
            return [Say(level=Level.INFO, code="REDIS_UP", text="the states of A and B are seen")]
        text = "Redis is down: what the exchange shows is all there is, and no pause can be asked for"
        return [Say(level=Level.WARNING, code="REDIS_DOWN", text=text)]

    # --- every tick -------------------------------------------------------------------------------------------------

    def _begin(self, now: Instant) -> None:
        self._tick_ms = now.mono_ms
        found = {(one.code, one.about): one for one in self.conditions}
        for incident in self.incidents:
            if (incident.code, incident.about) in found:
                found[incident.code, incident.about].restore(incident, now)

    def _tick(self, now: Instant) -> list[MonitorCommand]:
        commands: list[MonitorCommand] = []
        assert self._tick_ms is not None
        late_ms, self._tick_ms = now.mono_ms - self._tick_ms, now.mono_ms
        if late_ms >= STALL_MS:
            for side in self.sides.values():
                side.wait(now if self.streams_up else None)
            text = f"this process stood still for {late_ms} ms"
            commands.append(Say(level=Level.WARNING, code="STALLED", text=text))
        self._forget_clear(now)
        commands += self._judge_trades(now)
        commands += self._look_at_eyes(now)
        for role, side in self.sides.items():
            held = self.copies.position(role) if self.copies.feed_open else None
            commands += side.look(held, now, self.size)
        commands += self._look_at_exposure(now)
        commands += self._look_at_orders(now)
        commands += self._read(now)
        return commands + self._remember(now)

    def _forget_clear(self, now: Instant) -> None:
        """A ``clear`` that nobody carries out explains nothing."""
        if self._clear is None:
            return
        command, heard_ms = self._clear
        state = self.maker_state
        acked = state is not None and command.id in state.acks
        if not acked and now.mono_ms - heard_ms > CLEAR_MS_MAX:
            self._clear = None

    def _judge_trades(self, now: Instant) -> list[MonitorCommand]:
        commands: list[MonitorCommand] = []
        for step in self.copies.steps(now):
            commands += self._judge(step, now)
        for role in self.copies.anchor(now):
            text = f"account {role.letter}: its trades do not add up to its position; counting begins anew"
            commands.append(Say(level=Level.WARNING, code="TRADES_MISSED", text=text))
        if not self.copies.counting:
            self._judging, self._exposed_by = False, None
        elif not self._judging:
            net = self.copies.net
            self._judging = net is not None and residual(net, self._min_lots())
        return commands

    def _judge(self, step: Step, now: Instant) -> list[MonitorCommand]:
        """Hold one trade against I1 and I2."""
        was, became = (not residual(lots, self._min_lots()) for lots in (step.before, step.after))
        moved = f"A + B from {self.size(step.before)} to {self.size(step.after)}"
        known = self.copies.ours(step.trade) and not self._clearing
        # Which half of such a trade came first is anybody's guess, and SELF_TRADE tells of it.
        with_itself = step.trade.counterparty == self.settings.accounts[step.role.other]
        commands: list[MonitorCommand] = []
        if step.role is Role.HEDGER:
            if known and (abs(step.after) > abs(step.before) or step.before * step.after < 0):
                text = f"trade {step.trade.trade_id} of account B moved {moved}: no fill of A asked for it"
                commands += self._happened.happened("HEDGED_TWICE", "B", text, now)
        elif was and known and self._judging and not with_itself and step.trade.coid != self._exposed_by:
            state = self.maker_state
            announced = state is not None and state.announce is not None and state.announce.coid == step.trade.coid
            if announced or abs(step.after) > abs(step.before):
                text = f"trade {step.trade.trade_id} of account A moved {moved}: it quoted while that was not hedged"
                commands += self._happened.happened("QUOTE_WHILE_UNHEDGED", "A", text, now)
        if became and not was:
            self._exposed_by = step.trade.coid if step.role is Role.MAKER else None
        return commands

    def _look_at_eyes(self, now: Instant) -> list[MonitorCommand]:
        limit = BLIND_MS_MAX // 1000
        rest = "trades and resting orders are not checked" + ("" if self.streams_up else ", nor is anything else")
        commands: list[MonitorCommand] = []
        commands += self.unseen_venue.look(
            not self.copies.feed_open,
            now,
            f"the monitor has not seen the exchange for {limit} s: {rest}",
            "the monitor sees the exchange again",
        )
        commands += self.unseen_states.look(
            not self.streams_up,
            now,
            f"the monitor has not reached Redis for {limit} s: it does not know whether A and B live",
            "the monitor reaches Redis again",
        )
        return commands

    def _look_at_exposure(self, now: Instant) -> list[MonitorCommand]:
        exposed, net = self.exposed(now), self.net(now) or 0
        age = f"{self.unhedged.age_ms(now) // 1000} s"
        commands: list[MonitorCommand] = []
        commands += self.unhedged.look(
            exposed, now, f"{self.size(net)} unhedged for {age}", f"hedged again: A + B is {self.size(net)}"
        )
        if not exposed:
            self._asked = "" if exposed is False else self._asked
        elif self.unhedged.alerted:
            commands += self._ask_pause(f"{self.size(net)} unhedged for {age}, says the monitor", now)
        return commands

    def _ask_pause(self, reason: str, now: Instant) -> list[MonitorCommand]:
        state, began = self.maker_state, self.unhedged.began
        assert began is not None
        paused = state is not None and state.pause is not None
        if paused or self._asked or not self.streams_up or now.mono_ms < self._ask_ms:
            return []
        self._asked = f"monitor-{began.wall_ms}"  # the same after a restart: A obeys an id once
        return [AskPause(command=OperatorCommand(id=self._asked, verb="pause", reason=reason))]

    def _look_at_orders(self, now: Instant) -> list[MonitorCommand]:
        """I1 by what A says it wants, and by what rests at the venue."""
        exposed, state, side = self.exposed(now), self.maker_state, self.sides[Role.MAKER]
        commands: list[MonitorCommand] = []
        # A word from before the exposure, or from its first moment, proves nothing.
        told = self._since_exposed(side.heard_ms or 0, QUOTE_MS_MAX)
        commands += self.quoting.look(
            None if exposed is None else exposed and told and state is not None and self._wants_quote(state),
            now,
            f"account A wants a quote while {self.size(self.net(now) or 0)} is not hedged",
            "account A wants no quote any more, or A + B is hedged",
        )
        asked_ms, resting = self._orders
        seen = self._since_exposed(asked_ms, max(REST_MS_MAX, self.settings.read_lag_ms))
        commands += self.resting.look(
            None if exposed is None else exposed and seen and resting > 0,
            now,
            f"an order of account A rests while {self.size(self.net(now) or 0)} is not hedged",
            "no order of account A rests any more, or A + B is hedged",
        )
        commands += self.many.look(
            self._many_reads >= 2,
            now,
            f"account A has {resting} open orders: the desk has one at most",
            "account A has one open order at most",
        )
        return commands

    def _wants_quote(self, state: MakerState) -> bool:
        """Whether A wants or shows a quote that has not filled: one that has is the exposure itself."""
        wanted = state.announce
        if wanted is None or self.copies.has_traded(wanted.coid):
            return False
        return not any(fills.coid == wanted.coid and fills.filled for fills in state.fills)

    def _since_exposed(self, mono_ms: int, after_ms: int) -> bool:
        """Whether something happened at least ``after_ms`` into the present exposure."""
        began = self.unhedged.began
        return began is not None and mono_ms >= began.mono_ms + after_ms

    def _read(self, now: Instant) -> list[MonitorCommand]:
        """The third source: both accounts over REST, more often while something may rest beside an exposure."""
        commands: list[MonitorCommand] = []
        soon = self.unhedged.age_ms(now) >= REST_MS_MAX or not self.copies.feed_open
        for role in Role:
            wait_ms = min(self.settings.reconcile_ms, REST_MS_MAX) if soon else self.settings.reconcile_ms
            if role is Role.MAKER and self._many_reads == 1:
                wait_ms = READ_AGAIN_MS
            if now.mono_ms - self._read_ms.get(role, now.mono_ms - wait_ms) >= wait_ms:
                self._read_ms[role] = now.mono_ms
                commands.append(ReadAccount(role=role))
        return commands

    def _remember(self, now: Instant) -> list[MonitorCommand]:
        found = [incident for one in self.conditions if (incident := one.incident(now)) is not None]
        if tuple(found) == self.incidents:
            return []
        self.incidents = tuple(found)
        return [Remember(incidents=self.incidents)]

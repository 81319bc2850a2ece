"""Account B: hedges every fill of account A exactly once.

B never executes what a message asks. It keeps the books of both accounts, from every source, and trades what is
*missing*: ``-(A + B)`` less what it has in flight. A message lost, doubled or late changes nothing but the delay.

Before A quotes, B *arms*: it signs and journals the hedge that a full fill would leave missing, and says so. A full
fill then needs one send of bytes that are ready. A partial fill, or whatever else is missing, is signed on demand.

A *try* is a hedge known to have filled nothing. After ``retry_times`` of them, with nothing unresolved, B publishes the
failure, asks A to pause, and keeps watching; only a person gives it new tries. Fills of any size void the failure once
the exposure is gone.
"""

from dataclasses import dataclass, field
from typing import assert_never

from lighter_hedge.domain.arming import Arming
from lighter_hedge.domain.closing import Closing
from lighter_hedge.domain.commands import (
    Alert,
    AskKnown,
    Command,
    Exit,
    Level,
    PublishState,
    Record,
    Say,
    TriesCounted,
)
from lighter_hedge.domain.core import MARKET_HALTED, Change, Core
from lighter_hedge.domain.events import (
    BurnRequest,
    Event,
    Instant,
    MakerHeard,
    MessagingChanged,
    OperatorAsked,
    OrderKind,
    OrderRequest,
    PeerUnreadable,
    StopAsked,
    Ticked,
)
from lighter_hedge.domain.exposure import Since
from lighter_hedge.domain.flattening import StandingDown
from lighter_hedge.domain.foreign import proven_difference, take_back_guess, take_foreign
from lighter_hedge.domain.lane_words import Fate, Settlement
from lighter_hedge.domain.memory import Memory
from lighter_hedge.domain.news import fill_message
from lighter_hedge.domain.pair import Agreement, missing, residual
from lighter_hedge.domain.peer import Acks, Heard, Telling
from lighter_hedge.domain.reach import Reach
from lighter_hedge.domain.reads import READ_AGAIN_MS, READ_AGAIN_MS_MAX
from lighter_hedge.domain.recovery import fold_history, recover
from lighter_hedge.domain.settings import DeskSettings
from lighter_hedge.domain.states import (
    Confirm,
    HedgerState,
    Leg,
    MakerState,
    OperatorCommand,
    Pause,
    Role,
)
from lighter_hedge.domain.tries import Tries
from lighter_hedge.domain.units import Side

FILLS_TOLD = 8
JOIN_MS_MAX = 2_000
"""How long a part waits for more to be hedged with it, once half of the minute's requests is used."""
OUT_OF_REACH_MS, OUT_OF_REACH_MS_MAX = 2_000, 30_000
"""Between hedges priced out of reach of A's rest: growing, since A may be gone until its quote expires."""


@dataclass(slots=True, kw_only=True)
class Hedger:
    """The state machine of account B."""

    core: Core
    arming: Arming
    closing: Closing
    standing_down: StandingDown
    reach: Reach
    telling: Telling[HedgerState]
    peer: Heard[MakerState]
    acks: Acks = field(default_factory=Acks)
    tries: Tries = field(default_factory=Tries)
    ask: Pause | None = None
    stopping_since_ms: int | None = None
    _attempts: set[int] = field(default_factory=set)
    """Hedges of this life: one of an earlier life may never have been sent, so its end is no try."""
    _out_of_reach: set[int] = field(default_factory=set)
    """Hedges priced so that A's rest cannot meet them: no tries if they fill nothing."""
    _out_of_reach_ms: int = OUT_OF_REACH_MS
    _out_of_reach_due_ms: int = 0
    """When the next of them may go; any other hedge need not wait for that."""
    _bounce_wait_ms: int = READ_AGAIN_MS
    _exposed: Since = field(default_factory=Since)
    _min_lots: int = 0
    _last_said: str = ""
    _urgent: list[Command] = field(default_factory=list)
    """The send of an armed hedge: journalled long ago, so it goes before this step's own records."""
    _done: bool = False

    @staticmethod
    def create(settings: DeskSettings, memory: Memory) -> "Hedger":
        """Account B as its journal left it; a person's start gives new tries for what is missing."""
        core = Core.create(Role.HEDGER, settings, memory)
        peer: Heard[MakerState] = Heard()
        hedger = Hedger(
            core=core,
            arming=Arming(core=core),
            closing=Closing(core=core),
            standing_down=StandingDown(core=core, held=memory.stood_down),
            reach=Reach(core=core, peer=peer, from_market=memory.by_person),
            telling=Telling(settings.heartbeat_ms),
            peer=peer,
            ask=memory.ask,
        )
        if memory.tries is not None and not memory.by_person:
            hedger.tries = Tries(count=memory.tries.tries, failed=memory.tries.failed)
        if memory.announce is not None and core.maker.counts(memory.announce.coid):
            core.maker.expect(memory.announce)
        return hedger

    def start(self) -> list[Command]:
        """Begin."""
        commands = self.core.start()
        if self.core.memory.by_person:
            commands.insert(0, Record(entry=TriesCounted(tries=0, failed=None)))
        return commands

    def step(self, event: Event, now: Instant) -> list[Command]:
        """Apply one event; return what must now be done, in order."""
        if self._done:
            return []
        commands = self.core.step(event, now, self._wanted)
        match event:
            case MakerHeard():
                commands += self._on_maker(event.state, now)
            case PeerUnreadable():
                commands += self._ask_pause("VERSIONS_DIFFER", event.why, now)
            case MessagingChanged():
                self.core.peer_known = self.core.peer_known or event.up
            case OperatorAsked():
                commands += self._on_operator(event.command)
            case StopAsked():
                self.stopping_since_ms = now.mono_ms
            case Ticked():
                commands += self.core.tick(now)
            case _:
                pass
        commands += recover(self.core, now)
        commands += self._settle(now)
        commands += self._decide(now)
        commands += self._tell(now)
        self._done = any(isinstance(command, Exit) for command in commands)
        urgent, self._urgent = self._urgent, []
        commands = urgent + commands
        self.core.budget.count(commands, now)
        return commands

    # --- what happened --------------------------------------------------------------------------------------------

    def _on_maker(self, state: MakerState, now: Instant) -> list[Command]:
        core = self.core
        first = self.peer.state is None
        if not self.peer.hear(state, now):
            return []
        core.peer_known, core.peer_told_ms = True, now.mono_ms
        core.number_above(state.hedger_serial)
        commands: list[Command] = []
        told = core.settings.desk.highest_serial(one.coid for one in state.fills)
        if first and not core.fresh and core.memory.announce is None and told > core.maker.folded_serial:
            commands += fold_history(core, told)
        standing = state.announce.coid if state.announce is not None else 0
        commands += core.on_peer_fills(state.fills, now, standing)
        if self.ask is not None and self.ask.id in state.ended_asks:
            self.ask = None
            commands.append(Record(entry=AskKnown(pause=None)))
        return commands

    def _on_operator(self, command: OperatorCommand) -> list[Command]:
        if command.id in self.acks:
            return []
        self.acks.add(command.id)
        if command.verb == "resume" and command.hedge_now:
            self.reach.from_market = True
            text = "new tries for what is missing, asked for by a person"
            return [*self.tries.void(), Say(level=Level.WARNING, code="HEDGE_NOW", text=text)]
        self.closing.wanted = command.verb == "clear"
        return []

    def _settle(self, now: Instant) -> list[Command]:
        """Learn the fates of own transactions, then count what the changes mean."""
        commands: list[Command] = []
        for settlement in self.core.lane.take_settlements():
            commands += self._on_settlement(settlement, now)
        for change in self.core.take_changes():
            if change.role is Role.HEDGER:
                commands += self._on_own_change(change, now)
        return commands + [
            fill_message(self.core, order, self._announced_leg(), min_lots=self._minimum())
            for order in self.core.fills_to_tell(now)
        ]

    def _on_settlement(self, settlement: Settlement, now: Instant) -> list[Command]:
        request, core = settlement.request, self.core
        if isinstance(request, BurnRequest):
            return self.standing_down.settled(settlement, self.peer.state)
        if not isinstance(request, OrderRequest):
            return []
        sent = request.coid in core.own.orders
        halted = settlement.fate is Fate.REFUSED and settlement.code == MARKET_HALTED
        if halted:
            core.halt(now)
        fate = Fate.BOUNCED if halted and sent else settlement.fate
        match fate:
            case Fate.EXECUTED:
                core.executed(request.coid, now)
                self._bounce_wait_ms = READ_AGAIN_MS
                return []
            case Fate.BOUNCED:
                core.not_sent(request.coid, now)
                self.tries.next_ms = now.mono_ms + self._bounce_wait_ms
                self._bounce_wait_ms = min(2 * self._bounce_wait_ms, READ_AGAIN_MS_MAX)
                text = f"hedge was not taken ({settlement.message or 'not sent'}); sending it again soon"
                return [Say(level=Level.WARNING, code="HEDGE_BOUNCED", text=text)]
            case Fate.UNSIGNED if not sent:
                return [Say(level=Level.ERROR, code="SIGNER_FAILED", text=settlement.message)]
            case Fate.REFUSED | Fate.UNSIGNED | Fate.WITHOUT_EFFECT:
                code = f"{settlement.code} " if settlement.code else ""
                return core.closed_without_effect(request.coid, f"{code}{settlement.message}".strip(), now)
            case _:
                assert_never(fate)

    def _on_own_change(self, change: Change, now: Instant) -> list[Command]:
        order, core = change.order, self.core
        commands: list[Command] = []
        if change.lots:
            text = f"hedged {order.side.word} {core.size(change.lots)} of round {order.round}"
            commands.append(Say(level=Level.INFO, code="HEDGE_FILLED", text=text))
        if order.closed and order.coid in self._attempts:
            self._attempts.remove(order.coid)
            if order.filled:
                return commands
            if order.coid in self._out_of_reach:
                self._out_of_reach_due_ms = now.mono_ms + self._out_of_reach_ms
                self._out_of_reach_ms = min(2 * self._out_of_reach_ms, OUT_OF_REACH_MS_MAX)
            else:
                commands += self.tries.count_one(order.status or "canceled", core.settings, now.mono_ms)
        return commands

    # --- what is wanted -------------------------------------------------------------------------------------------

    def _decide(self, now: Instant) -> list[Command]:
        core = self.core
        if core.lane.superseded:
            return core.superseded()
        if self.stopping_since_ms is not None and self._may_stop(now):
            return [Exit(code=0, why="stopped")]
        if not core.recovered:
            self.arming.reason = "recovering"
            return []
        commands = self._find_foreign(now)
        commands += core.attribute_unseen_fills(now, silent=self.peer.silent(now, core.settings.heartbeat_ms_max))
        exposed = not residual(core.net, self._minimum())
        commands += self._time_exposure(exposed, now)
        if not exposed and not core.own.in_flight:
            self.reach.from_market = False
            self._out_of_reach_ms = OUT_OF_REACH_MS
            commands += self.tries.void()
        wanted = missing(core.maker, core.hedger)
        if self.standing_down.blocks(self.peer.state):
            return commands + self.standing_down.step(self.peer.state, now) + self._arm(now)
        if self.closing.wanted and self._maker_is_flat():
            commands += self.closing.step(now, self._round())
        elif wanted and not self._too_little(wanted):
            commands += self._hedge(wanted, now)
        return commands + self._arm(now)

    def _may_stop(self, now: Instant) -> bool:
        assert self.stopping_since_ms is not None
        core = self.core
        if not core.lane.booted or now.mono_ms - self.stopping_since_ms >= core.settings.stop_ms_max:
            return True
        if core.lane.unresolved or core.own.in_flight or core.maker.in_flight:
            return False  # A cancels when it hears that B stops, and what fills until then is hedged
        return self.tries.failed is not None or residual(core.net, self._minimum())

    def _minimum(self) -> int:
        """The venue's minimum: of the newest announce, which both sides use, else at the reference price."""
        if self.peer.state is not None and self.peer.state.announce is not None:
            self._min_lots = self.peer.state.announce.min_lots
        if not self._min_lots:
            announce = self.core.memory.announce
            price = self.reach.reference()
            self._min_lots = announce.min_lots if announce else self.core.min_lots(price) if price else 0
        return self._min_lots or self.core.settings.market.min_base_lots

    def _announced_leg(self) -> Leg:
        announce = self.peer.state.announce if self.peer.state is not None else self.core.memory.announce
        return announce.leg if announce is not None else Leg.OPEN

    def _round(self) -> int:
        """A's round that the exposure belongs to."""
        rounds = [order.round for order in self.core.maker.orders.values() if order.filled]
        known = self.peer.state.round if self.peer.state is not None else 0
        return max([*rounds, known])

    def _hedge(self, wanted: int, now: Instant) -> list[Command]:
        """Trade what is missing, one order at a time."""
        core = self.core
        if self.tries.failed is not None or self._blocked():
            return []
        if not core.lane.ready or core.own.in_flight:
            return []
        assert wanted * core.net < 0  # nothing in flight: a hedge can only move the exposure toward zero
        if self.tries.count >= core.settings.retry_times:
            return self._fail(now)
        if now.mono_ms < self.tries.next_ms:
            return []
        if core.unclear:
            return []
        side = Side.of_sign(wanted)
        lots = abs(wanted) - self._maker_may_hedge(side)
        if lots <= 0 or self._too_little(lots):
            return []
        if self._joins_parts(now):
            return []
        cap, out_of_reach = self.reach.cap(side, self.tries.count, now)
        if not cap or (out_of_reach and now.mono_ms < self._out_of_reach_due_ms):
            return []
        ready = not self.tries.count and not out_of_reach and lots == abs(wanted)
        candidate = self.arming.candidate(wanted) if ready else None
        if candidate is not None:
            assert isinstance(candidate.request, OrderRequest)
            self._attempts.add(candidate.request.coid)
            core.own.intend(candidate.request, core.skew.newest_ms)
            self._urgent += core.lane.send_prepared(candidate, now)
            return []
        request = self._order(side, lots, cap, self._round())
        if out_of_reach:
            self._out_of_reach.add(request.coid)
        self._attempts.add(request.coid)
        core.own.intend(request, core.skew.newest_ms)
        return core.lane.submit(request)

    def _joins_parts(self, now: Instant) -> bool:
        """Whether more of A's quote may fill in a moment, and requests are too few for a hedge of each part."""
        core = self.core
        more = any(order.filled and order.leaves for order in core.maker.open_orders)
        return more and core.budget.half_used(now) and self._exposed.age_ms(now.mono_ms) < JOIN_MS_MAX

    def _too_little(self, lots: int) -> bool:
        """Whether the venue would not take a hedge of this size."""
        return self.core.settings.takers_need_minimum and residual(lots, self._minimum())

    def _maker_may_hedge(self, side: Side) -> int:
        """Lots of A's own open orders that could still trade the same way: a hedge on top would go through zero.

        The gate lets no such quote out; it takes a late fill of an order that had ended.
        """
        return sum(order.leaves for order in self.core.maker.open_orders if order.side is side)

    def _order(self, side: Side, lots: int, price: int, round_number: int) -> OrderRequest:
        return OrderRequest(
            kind=OrderKind.HEDGE,
            coid=self.core.next_coid(),
            side=side,
            lots=lots,
            price=price,
            round=round_number,
            attempt=self.tries.count,
            cross_account_guard=True,
        )

    def _blocked(self) -> bool:
        """Whether B's own books and the venue disagree: then nothing may be sent on their strength."""
        return self.core.checks[Role.HEDGER].agreement() is Agreement.PROVEN

    def _wanted(self, request: OrderRequest) -> bool:
        """Whether a hedge that may not have arrived is still wanted: never more than is missing now."""
        core = self.core
        order = core.own.orders.get(request.coid)
        if order is None or order.closed or self.tries.failed is not None or self._blocked():
            return False
        without_it = missing(core.maker, core.hedger) + order.side.sign * order.leaves
        return without_it * request.side.sign >= request.lots

    def _fail(self, now: Instant) -> list[Command]:
        number = self._round()
        core, failed_before = self.core, self.tries.failed
        assert failed_before is None
        commands = self.tries.fail(core, number, self._announced_leg())
        assert self.tries.failed is not None
        text = f"round {number}: {core.size(core.net)} unhedged after {self.tries.count} tries"
        return commands + self._ask_pause("HEDGE_FAILED", text, now)

    # --- exposure and foreign changes -------------------------------------------------------------------------------

    def _time_exposure(self, exposed: bool, now: Instant) -> list[Command]:
        self._exposed.update(exposed, now.mono_ms)
        age_ms = self._exposed.age_ms(now.mono_ms)
        if age_ms < self.core.settings.unhedged_ms_max or self.ask is not None:
            return []
        text = f"{self.core.size(self.core.net)} unhedged for {age_ms // 1000} s"
        return [Alert(code="UNHEDGED_TOO_LONG", text=text), *self._ask_pause("UNHEDGED_TOO_LONG", text, now)]

    def _find_foreign(self, now: Instant) -> list[Command]:
        commands = take_foreign(self.core)
        if commands:
            return commands + self._ask_pause("FOREIGN_TRADE", "a trade that is not this desk's", now)
        commands = take_back_guess(self.core, now)
        proven = proven_difference(self.core, now)
        return commands + (self._ask_pause("POSITION_DIFFERS", proven, now) if proven else [])

    def _ask_pause(self, code: str, reason: str, now: Instant) -> list[Command]:
        if self.ask is not None:
            return []
        self.ask = Pause(id=now.wall_ms, reason=reason, code=code, since_ms=now.wall_ms)
        return [Record(entry=AskKnown(pause=self.ask))]

    def _arm(self, now: Instant) -> list[Command]:
        announce = self.peer.state.announce if self.peer.state is not None else None
        return self.arming.update(announce, self._unfit(), self._order, now)

    def _maker_is_flat(self) -> bool:
        """Whether A holds nothing and shows nothing: then what B holds explains itself by no fill of A."""
        state = self.peer.state
        return state is not None and state.announce is None and not self.core.maker.position

    def _unfit(self) -> str:
        """Why B itself must not be relied on; empty where it may."""
        if self.stopping_since_ms is not None:
            return "stopping"
        if self.standing_down.blocks(self.peer.state):
            return "stood down: A closes what is unhedged"
        if self.tries.failed is not None:
            return "tries used up"
        return f"pause asked for: {self.ask.reason}" if self.ask is not None else ""

    def _tell(self, now: Instant) -> list[Command]:
        """Publish the whole state when it has changed, and every heartbeat."""
        before, state = self.telling.told, self.telling.due(self.state, now)
        if state is None:
            return []
        return [PublishState(state=state), *self._say_changes(before, state)]

    def state(self, now: Instant, last: HedgerState | None = None) -> HedgerState:
        """B's whole state; beside the ``last`` one, with its stamp."""
        core = self.core
        return HedgerState(
            epoch=core.memory.epoch,
            seq=0,
            at_ms=last.at_ms if last is not None else now.wall_ms,
            armed=self.arming.answer(),
            disarmed=self.arming.reason,
            confirm=self._confirmation(),
            failed=self.tries.failed,
            pause_ask=self.ask,
            fills=core.own.newest(FILLS_TOLD),
            unresolved=core.lane.unresolved + len(core.own.open_orders),
            tries=self.tries.count,
            position=core.checks[Role.HEDGER].reported,
            acks=tuple(self.acks.ids),
            ready=core.recovered and core.feed_open,
            stood_down=self.standing_down.held,
            maker_serial=core.maker.folded_serial,
            share=core.budget.left(now),
        )

    def _confirmation(self) -> Confirm | None:
        core, state = self.core, self.peer.state
        if state is None or not core.recovered or core.lane.unresolved or core.own.in_flight:
            return None
        if not residual(core.net, self._minimum()):
            return None
        cum = core.maker.told_filled(state.round, state.fills, state.announce)
        return Confirm(epoch=state.epoch, round=state.round, cum=cum, net=core.net)

    def _say_changes(self, told: HedgerState | None, state: HedgerState) -> list[Command]:
        if state.armed is not None and (told is None or told.armed != state.armed):
            size = self.core.size(state.armed.lots)
            text = f"armed for round {state.armed.round} attempt {state.armed.attempt}: {size}"
            return [Say(level=Level.INFO, code="ARMED", text=text)]
        if state.disarmed and state.disarmed != self._last_said:
            self._last_said = state.disarmed
            return [Say(level=Level.WARNING, code="DISARMED", text=f"not armed: {state.disarmed}")]
        return []

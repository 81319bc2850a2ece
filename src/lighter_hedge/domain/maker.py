"""Account A: rests one post-only quote at a time, and opens nothing until account B has hedged the last.

A *round* is one quote from its announce until its fills are hedged: A announces what it wants to show, B arms for it
and answers, A sends. A quote that ends without a fill is followed by the next *attempt* of the same round, announced
and armed afresh. Once anything has filled there is no further quote in the round: A waits for B's confirmation, which
names the round and the cumulative amount, and for its own copy of both accounts to show it.

The wait is timed from the first unhedged fill. It says where it stands, logs an error when it times out, and goes on
waiting: only hedged, or a person, opens the gate.
"""

from dataclasses import dataclass, field
from typing import assert_never

from lighter_hedge.domain.budget import HEDGE_RESERVE, QUOTE_RESERVE
from lighter_hedge.domain.closing import Closing
from lighter_hedge.domain.commands import (
    Alert,
    AsksEnded,
    Command,
    Exit,
    Level,
    PublishState,
    Record,
    RoundChanged,
    Say,
)
from lighter_hedge.domain.core import MARKET_HALTED, Change, Core
from lighter_hedge.domain.events import (
    CancelRequest,
    Event,
    HedgerHeard,
    Instant,
    MessagingChanged,
    OperatorAsked,
    OrderKind,
    OrderRequest,
    PeerUnreadable,
    StopAsked,
    Ticked,
)
from lighter_hedge.domain.flattening import Flattening
from lighter_hedge.domain.gate import Peer, View, hedge_reasons
from lighter_hedge.domain.lane_words import Fate, Settlement
from lighter_hedge.domain.latch import Latch
from lighter_hedge.domain.limits import Limits
from lighter_hedge.domain.memory import Memory
from lighter_hedge.domain.news import fill_message
from lighter_hedge.domain.pair import residual
from lighter_hedge.domain.peer import Acks, Telling
from lighter_hedge.domain.quoter import QUOTE_EXPIRY_MARGIN_MS, Quoter
from lighter_hedge.domain.quoting import next_quote, quote_price
from lighter_hedge.domain.recovery import recover
from lighter_hedge.domain.resuming import Resuming
from lighter_hedge.domain.settings import DeskSettings
from lighter_hedge.domain.states import Announce, HedgerState, Leg, MakerState, Mode, OperatorCommand, Role
from lighter_hedge.domain.units import Side
from lighter_hedge.domain.watch import Watch

FILLS_TOLD = 8
ASKS_TOLD = 16


@dataclass(slots=True, kw_only=True)
class Maker:
    """The state machine of account A."""

    core: Core
    latch: Latch
    quoter: Quoter
    resuming: Resuming
    closing: Closing
    flattening: Flattening
    limits: Limits
    watch: Watch
    telling: Telling[MakerState]
    peer: Peer = field(default_factory=Peer)
    acks: Acks = field(default_factory=Acks)
    round: int = 0
    round_open: bool = False
    attempt: int = 0
    waiting: list[str] = field(default_factory=list)
    """Why A does not quote now."""
    messaging_up: bool = False
    stopping_since_ms: int | None = None
    _leg: Leg = Leg.OPEN
    _opened_side: Side | None = None
    """Side of the last opening quote, for alternation."""
    _announced_min: int = field(init=False)
    """The minimum of the newest announce; 0 before the first."""
    _throttled_until_ms: int = -1
    _start_resumed: bool = False
    _ended_asks: tuple[int, ...] = ()
    _done: bool = False

    @staticmethod
    def create(settings: DeskSettings, memory: Memory) -> "Maker":
        """Account A as its journal left it."""
        core = Core.create(Role.MAKER, settings, memory)
        closing = Closing(core=core)
        maker = Maker(
            core=core,
            latch=Latch(mode=memory.mode, pause=memory.pause),
            quoter=Quoter(core=core),
            resuming=Resuming(core=core),
            closing=closing,
            flattening=Flattening(core=core, closing=closing, wish=memory.flatten),
            limits=Limits(core=core, opened=memory.day),
            watch=Watch(core=core),
            telling=Telling(settings.heartbeat_ms),
        )
        maker._ended_asks = memory.asks_ended
        maker._announced_min = memory.announce.min_lots if memory.announce is not None else 0
        if memory.round is not None:
            maker.round = memory.round.round
            maker.round_open = not memory.round.closed
            side, maker._leg = Side(memory.round.side), Leg(memory.round.leg)
            maker._opened_side = side if maker._leg is Leg.OPEN else side.opposite
        return maker

    def start(self) -> list[Command]:
        """Begin. A pause of an earlier life is told again: that life may have died before anybody heard of it."""
        pause = self.latch.pause
        told: list[Command] = [] if pause is None else [Alert(code=pause.code, text=f"still paused: {pause.reason}")]
        return told + self.core.start()

    def step(self, event: Event, now: Instant) -> list[Command]:
        """Apply one event; return what must now be done, in order."""
        if self._done:
            return []
        commands = self.core.step(event, now, lambda request: self.quoter.wanted(request, self._view(now)))
        match event:
            case HedgerHeard():
                commands += self._on_hedger(event.state, now)
            case PeerUnreadable():
                commands += self.latch.hold("VERSIONS_DIFFER", event.why, now.wall_ms)
            case MessagingChanged():
                self.messaging_up = event.up
                self.core.peer_known = self.core.peer_known or event.up
            case OperatorAsked():
                commands += self._on_operator(event.command, now)
            case StopAsked():
                self.stopping_since_ms = now.mono_ms
            case Ticked():
                commands += self.core.tick(now)
            case _:
                pass
        commands += recover(self.core, now)
        commands += self._settle(now)
        commands += self._decide(now)
        if self.waiting:
            commands += self.watch.status(self.waiting, self.latch, now)
        else:
            self.watch.quiet(now)
        state = self.telling.due(self.state, now)
        told: list[Command] = [] if state is None else [PublishState(state=state)]
        self._done = any(isinstance(command, Exit) for command in commands)
        urgent, self.quoter.urgent = self.quoter.urgent, []
        commands = urgent + told + commands
        self.core.budget.count(commands, now)
        return commands

    # --- what happened --------------------------------------------------------------------------------------------

    def _on_hedger(self, state: HedgerState, now: Instant) -> list[Command]:
        if not self.peer.hear(state, now):
            return []
        core = self.core
        core.peer_known, core.peer_told_ms = True, now.mono_ms
        core.peer_busy = state.unresolved > 0
        core.number_above(state.maker_serial)
        return core.on_peer_fills(state.fills, now)

    def _on_operator(self, command: OperatorCommand, now: Instant) -> list[Command]:
        if command.id in self.acks:
            return []
        pause = self.latch.pause
        if command.verb == "resume" and pause is not None and pause.id == command.pause_id:
            self.resuming.begin(pause.id, now, hedge_now=command.hedge_now, by=command.id)
            return []
        self.acks.add(command.id)
        match command.verb:
            case "resume":
                text = "there is no such pause to end" if pause is not None else "the desk is not paused"
                return [Say(level=Level.WARNING, code="RESUME_VOID", text=text)]
            case "pause":
                return self.latch.hold("PAUSED", command.reason or "by a person", now.wall_ms, by="person")
            case "drain":
                return self.latch.drain(by="person")
            case "clear":
                self.closing.wanted = True
                return self.latch.hold("CLEARED", "cleared by a person", now.wall_ms, by="person")
            case _:
                text = f"unknown command {command.verb!r}: pause, resume, drain or clear"
                return [Say(level=Level.ERROR, code="COMMAND_UNKNOWN", text=text)]

    def _settle(self, now: Instant) -> list[Command]:
        commands: list[Command] = []
        for settlement in self.core.lane.take_settlements():
            commands += self._on_settlement(settlement, now)
        for change in self.core.take_changes():
            if change.role is Role.MAKER:
                commands += self._on_own_change(change, now)
        return commands + [fill_message(self.core, order, self._leg) for order in self.core.fills_to_tell(now)]

    def _on_settlement(self, settlement: Settlement, now: Instant) -> list[Command]:
        request, core = settlement.request, self.core
        if settlement.fate is Fate.BOUNCED and settlement.code:
            self._throttled_until_ms = now.mono_ms + core.settings.throttle_ms
        if settlement.code == MARKET_HALTED:
            core.halt(now)
        if isinstance(request, CancelRequest):
            return self.quoter.cancel_settled(settlement, request.coid, now)
        if not isinstance(request, OrderRequest):
            return []
        match settlement.fate:
            case Fate.EXECUTED:
                if request.kind is OrderKind.HEDGE or not core.own.orders[request.coid].order_index:
                    core.executed(request.coid, now)
                return []
            case Fate.BOUNCED:
                core.not_sent(request.coid, now)
                core.lane.forget(request.coid)
                return self.quoter.drop(request.coid, settlement.message or "not sent", now)
            case Fate.REFUSED | Fate.UNSIGNED | Fate.WITHOUT_EFFECT:
                why = f"{settlement.code or ''} {settlement.message}".strip() or settlement.fate.value
                commands = core.closed_without_effect(request.coid, why, now)
                if request.kind is OrderKind.HEDGE:
                    return [*commands, Say(level=Level.WARNING, code="CLOSE_REFUSED", text=f"not closed: {why}")]
                return commands + self.quoter.drop(request.coid, why, now)
            case _:
                assert_never(settlement.fate)

    def _on_own_change(self, change: Change, now: Instant) -> list[Command]:
        order, core = change.order, self.core
        commands: list[Command] = []
        self.limits.count(change, now)
        if change.lots:
            text = (
                f"{order.side.word} {core.size(change.lots)} filled, {core.size(order.filled)} in round {order.round}"
            )
            commands += [Say(level=Level.INFO, code="QUOTE_FILLED", text=text)]
        if change.late and (order.round != self.round or not self.round_open):
            text = f"order {order.coid} of round {order.round} filled {core.size(change.lots)} after it had ended"
            commands += self.latch.hold("LATE_FILL", text, now.wall_ms)
        return commands

    def _decide(self, now: Instant) -> list[Command]:
        core = self.core
        if core.lane.superseded:
            return core.superseded()
        commands: list[Command] = []
        core.reconciles = self.peer.silent(now, core.settings.heartbeat_ms_max)
        view = self._view(now)
        if core.recovered:
            commands += self.watch.step(view, self._min_lots(), self._ended_asks)
            commands += self._try_resume(view)
            commands += self._close_round(now)
            commands += self._keep_limits(now)
        commands += self.quoter.tend(view, stopping=self.stopping_since_ms is not None)
        if self.quoter.quote is not None:
            return commands  # announced when nothing was waited for
        if self.stopping_since_ms is not None:
            return commands + self._stop(now)
        if core.synced:
            commands += self._close_alone(view)
        self.waiting = self._reasons(view)
        if not self.waiting:
            commands += self._announce(now)
        elif self.latch.mode is Mode.DRAINING and self.waiting == ["drained"]:
            held = f"A {core.size(core.maker.position)}, B {core.size(core.hedger.position)}"
            why = f" ({self.latch.draining_for})" if self.latch.draining_for else ""
            commands += self.latch.hold("DRAINED", f"drained{why}: {held}", now.wall_ms, by="person")
        return commands

    def _keep_limits(self, now: Instant) -> list[Command]:
        """A limit that wants a person: close what is open, open nothing."""
        commands = self.limits.step(now)
        reached = self.limits.exceeded(now) if self.latch.mode is Mode.RUNNING else None
        if reached is None:
            return commands
        code, reason = reached
        return commands + self.latch.drain(by="desk", code=code, reason=reason)

    def _close_alone(self, view: View) -> list[Command]:
        """Trade without B: at a person's word, or because B could not hedge and has stood down."""
        held_back = self.closing.wanted or self.resuming.hedges_now
        commands = self.flattening.step(view, self._min_lots(), self.round, held_back=held_back)
        met = self.core.maker.position and self._hedging(view.now)
        if self.latch.pause is not None and self.flattening.wish is None and not met:
            commands += self.closing.step(view.now, self.round)
        return commands

    def _hedging(self, now: Instant) -> bool:
        """Whether B is about to hedge, or may have a hedge on its way: A's own closing would meet it."""
        state = self.peer.state
        if state is None or self.peer.silent(now, self.core.settings.heartbeat_ms_max) or state.failed is not None:
            return False
        return state.unresolved > 0 or not residual(self.core.net, self._min_lots())

    def _reasons(self, view: View) -> list[str]:
        core, now = self.core, view.now
        reasons = view.against_quoting(self._min_lots())
        if self.round_open and core.maker.round_filled(self.round):
            reasons.append(f"account B has not confirmed round {self.round}")
        if "drained" in reasons:
            return reasons  # nothing is to be opened: what paces quotes holds nothing up
        if now.mono_ms < self._throttled_until_ms:
            reasons.append(f"too many requests: quiet for {(self._throttled_until_ms - now.mono_ms) // 1000} s")
        opens = residual(core.maker.position, self._min_lots())  # at a limit, closing goes on
        if opens and self.quoter.orders_last_minute(now) >= core.settings.orders_per_minute_max:
            reasons.append(f"{core.settings.orders_per_minute_max} orders in the last minute")
        if core.budget.lacks(QUOTE_RESERVE, now):
            reasons.append("requests of this minute are used up")
        share = self.peer.state.share if self.peer.state is not None else None
        if share is not None and share < HEDGE_RESERVE:
            reasons.append("account B's requests of this minute are used up")
        if not reasons and now.mono_ms < self.quoter.next_announce_ms:
            reasons.append("a moment between attempts")
        return reasons

    def _view(self, now: Instant) -> View:
        return View(core=self.core, latch=self.latch, peer=self.peer, messaging_up=self.messaging_up, now=now)

    def _min_lots(self) -> int:
        """The minimum of the newest announce, which both sides use until the next."""
        if self._announced_min:
            return self._announced_min
        price = self.core.book.best(Side.BID) or self.core.book.mark
        return self.core.min_lots(price) if price else self.core.settings.market.min_base_lots

    def _announce(self, now: Instant) -> list[Command]:
        """Say what A wants to show, and sign it while B arms."""
        core, settings = self.core, self.core.settings
        opened = self._opened_side
        same = self.round_open and self._leg is Leg.OPEN
        side, lots, leg = next_quote(settings, core.maker.position, self._min_lots(), opened, same_round=same)
        price = quote_price(core.book, side, settings.depth)
        if price is None:
            self.waiting = [f"book has no level {settings.depth}"]
            return []
        if lots < core.min_lots(price):
            self.waiting = [f"{core.size(lots)} is below the venue's minimum of {core.size(core.min_lots(price))}"]
            return []
        commands: list[Command] = []
        if not self.round_open:
            self.round, self.attempt, self.round_open = self.round + 1, 0, True
            entry = RoundChanged(round=self.round, closed=False, net=core.net, leg=leg.value, side=side.value)
            commands.append(Record(entry=entry))
        else:
            self.attempt += 1
        self._leg, self._announced_min = leg, core.min_lots(price)
        if leg is Leg.OPEN:
            self._opened_side = side
        announce = Announce(
            epoch=core.memory.epoch,
            round=self.round,
            attempt=self.attempt,
            leg=leg,
            coid=core.next_coid(),
            side=side,
            lots=lots,
            price=price,
            min_lots=self._announced_min,
            expires_ms=core.skew.venue_ms(now) + settings.maker_order_timeout_ms + QUOTE_EXPIRY_MARGIN_MS,
        )
        return commands + self.quoter.announce(announce, now)

    def _close_round(self, now: Instant) -> list[Command]:
        """The round's fills are hedged: B says so of this round and amount, and the venue shows it."""
        core = self.core
        if not self.round_open or self.quoter.quote is not None:
            return []
        cum = core.maker.round_filled(self.round)
        if not cum or not self.peer.confirms(core.memory.epoch, self.round, cum):
            return []
        if hedge_reasons(core, self.peer, self._min_lots()):
            return []
        self.round_open = False
        carried = f", {core.size(core.net)} carried on" if core.net else ""
        text = f"round {self.round} hedged: A {core.size(cum)}, confirmed by B{carried}"
        side = Side.of_sign(cum)
        entry = RoundChanged(round=self.round, closed=True, net=core.net, leg=self._leg.value, side=side.value)
        return [Record(entry=entry), Say(level=Level.INFO, code="ROUND_HEDGED", text=text)]

    def _try_resume(self, view: View) -> list[Command]:
        now = view.now
        if self.core.memory.by_person and not self._start_resumed:
            self._start_resumed = True
            if self.latch.pause is not None:
                self.resuming.begin(self.latch.pause.id, now, hedge_now=True, by="start")
        ended = self.resuming.attempt(view, self._min_lots())
        if ended is None:
            return []
        by, against = ended
        self.acks.add(by)
        if against:
            return [Say(level=Level.ERROR, code="RESUME_REFUSED", text=f"still paused: {'; '.join(against)}")]
        ask = self.peer.state.pause_ask if self.peer.state is not None else None
        if ask is not None:
            self._ended_asks = (*self._ended_asks, ask.id)[-ASKS_TOLD:]
        self.closing.wanted = False
        ended_asks = Record(entry=AsksEnded(ids=self._ended_asks))
        return [ended_asks, *self.limits.restart(now), *self.latch.release(by="person")]

    def _stop(self, now: Instant) -> list[Command]:
        assert self.stopping_since_ms is not None
        core = self.core
        exposed = not residual(core.net, self._min_lots())
        overdue = now.mono_ms - self.stopping_since_ms >= core.settings.stop_ms_max
        if core.lane.booted and not overdue and (core.lane.unresolved or core.own.open_orders or exposed):
            return []
        alert = Alert(code="STOPPED_UNHEDGED", text=f"stopped while {core.size(core.net)} is unhedged")
        return [*([alert] if exposed else []), Exit(code=0, why="stopped")]

    def state(self, now: Instant, last: MakerState | None = None) -> MakerState:
        """A's whole state; beside the ``last`` one, what only people read may wait: why it does not quote."""
        core = self.core
        return MakerState(
            epoch=core.memory.epoch,
            seq=0,
            at_ms=last.at_ms if last is not None else now.wall_ms,
            mode=self.latch.mode,
            pause=self.latch.pause,
            announce=self.quoter.quote.announce if self.quoter.quote is not None else None,
            fills=core.own.newest(FILLS_TOLD, self.round),
            round=self.round,
            position=core.checks[Role.MAKER].reported,
            acks=tuple(self.acks.ids),
            waiting=last.waiting if last is not None else tuple(self.waiting),
            ready=core.recovered and core.feed_open,
            ended_asks=self._ended_asks,
            residual=core.net if residual(core.net, self._min_lots()) else 0,
            market_index=core.settings.market.market_index,
            flatten=self.flattening.wish,
            hedger_serial=core.hedger.folded_serial,
        )

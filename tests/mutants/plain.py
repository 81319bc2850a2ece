"""The plain protocol of the usual public bots, in the same worlds: it must fail in nearly every one.

A fill is told once, by a message, and the order is then forgotten; confirmation is a flag; whatever is not heard
to have worked has failed; a retry is a new order under a new id. Nothing is journalled or looked up at a start. It is
spared what it does not claim: that B is armed, that books are fresh, that orders are few.
"""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

from tests.mutants.bug import Plant
from tests.mutants.hunt import Verdict, look, struck_faults
from tests.simulation import checkers, promises

from lighter_hedge.domain.commands import Announced, Command, Prepare, PublishState, ReadNonce, Record, Send
from lighter_hedge.domain.events import (
    AnswerKind,
    BookReported,
    CancelRequest,
    Event,
    FeedClosed,
    FeedOpened,
    HedgerHeard,
    Instant,
    MakerHeard,
    MarketHeard,
    NonceRead,
    OrderKind,
    OrderReported,
    OrderRequest,
    PositionReported,
    Prepared,
    PrepareFailed,
    SendAnswered,
    Ticked,
    TradeReported,
)
from lighter_hedge.domain.guard import SendGuard
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.maker import Maker
from lighter_hedge.domain.quoting import hedge_cap, quote_price
from lighter_hedge.domain.states import (
    Announce,
    Confirm,
    HedgeFailed,
    HedgerState,
    Leg,
    MakerState,
    OrderFills,
    Role,
)
from lighter_hedge.domain.units import Side

CONFIRM_MS_MAX = 20_000
QUERY_MS_MAX = 3_000
RETRIES = 3
FAILING = 0.75
"""Share of worlds in which it must break a promise."""


@dataclass(slots=True)
class Key:
    """Nonces as the official SDK manages them: counted up here, read again after an error."""

    nonce: int = -1
    _ticket: int = 0
    _open: dict[int, Any] = field(default_factory=dict)

    def sign(self, request: Any) -> list[Command]:
        self._ticket += 1
        self._open[self._ticket] = request
        ticket, nonce = self._ticket, self.nonce
        self.nonce += 1
        return [Prepare(ticket=ticket, nonce=nonce, request=request)]

    def step(self, event: Event) -> list[Command]:
        match event:
            case NonceRead(nonce=int(nonce)):
                self.nonce = nonce
            case NonceRead():
                return [ReadNonce()]
            case Prepared():
                return [Send(candidate=event.candidate)] if self._open.pop(event.ticket, None) else []
            case PrepareFailed():
                self._open.pop(event.ticket, None)
            case SendAnswered() if event.answer.kind is not AnswerKind.ACCEPTED:
                return [ReadNonce()]
            case _:
                pass
        return []


def _sees(machine: Any, event: Event, now: Instant) -> None:
    if isinstance(event, BookReported | MarketHeard | FeedOpened | FeedClosed):
        machine.core.step(event, now, lambda request: False)


@dataclass(slots=True, kw_only=True)
class PlainMaker(Maker):
    """Account A: quote, tell the first fill, wait for the flag."""

    key: Key = field(default_factory=Key)
    position: int = 0
    order: OrderRequest | None = None
    order_ms: int = 0
    waiting_since_ms: int | None = None
    outbox: deque[OrderFills] = field(default_factory=deque)
    seq_told: int = 0

    def start(self) -> list[Command]:
        self.core.recovered = True
        return [ReadNonce()]

    def step(self, event: Event, now: Instant) -> list[Command]:
        _sees(self, event, now)
        commands = self.key.step(event)
        match event:
            case PositionReported(role=Role.MAKER):
                self.position = event.lots
            case TradeReported(role=Role.MAKER) if self.order is not None and event.trade.coid == self.order.coid:
                commands += self._filled(event.trade.lots, now)
            case OrderReported(role=Role.MAKER) if self.order is not None and event.report.coid == self.order.coid:
                if event.report.closed and not event.report.filled:
                    self.order = None
            case SendAnswered() if event.answer.kind is not AnswerKind.ACCEPTED and self.waiting_since_ms is None:
                self.order = None
            case HedgerHeard():
                if event.state.failed is not None:
                    commands += self.latch.hold("HEDGE_FAILED", "the hedge failed", now.wall_ms)
                elif event.state.confirm is not None:
                    self.waiting_since_ms = None
            case Ticked():
                commands += self._tick(now)
            case _:
                pass
        return commands

    def _filled(self, lots: int, now: Instant) -> list[Command]:
        assert self.order is not None
        fills = OrderFills(
            coid=self.order.coid,
            round=self.round,
            side=self.order.side,
            lots=lots,
            filled=lots,
            filled_quote=0,
            closed=True,
        )
        self.order, self.waiting_since_ms = None, now.mono_ms
        return self._tell((fills,), now)

    def _tell(self, told: tuple[OrderFills, ...], now: Instant) -> list[Command]:
        return [PublishState(state=self._state(told, now))]

    def _state(self, told: tuple[OrderFills, ...], now: Instant) -> MakerState:
        return MakerState(
            epoch=self.core.memory.epoch,
            seq=0,
            at_ms=now.wall_ms,
            mode=self.latch.mode,
            pause=self.latch.pause,
            announce=None,
            fills=told,
            round=self.round,
            position=self.position,
        )

    def _tick(self, now: Instant) -> list[Command]:
        core, settings = self.core, self.core.settings
        if self.key.nonce < 0 or self.latch.pause is not None:
            return []
        if self.waiting_since_ms is not None:
            if now.mono_ms - self.waiting_since_ms < CONFIRM_MS_MAX:
                return []
            self.waiting_since_ms = None  # the wait timed out: logged, and on
        if self.order is not None:
            if now.mono_ms - self.order_ms < settings.maker_order_timeout_ms:
                return []
            coid, self.order = self.order.coid, None
            return self.key.sign(CancelRequest(coid=coid))
        side = Side.of_sign(-self.position) if self.position else Side.BID
        price = quote_price(core.book, side, settings.depth)
        if price is None or core.book.broken:
            return []
        self.round += 1
        leg = Leg.CLOSE if self.position else Leg.OPEN
        expires_ms = now.wall_ms + settings.maker_order_timeout_ms + 330_000
        self.order, self.order_ms = (
            OrderRequest(
                kind=OrderKind.QUOTE,
                coid=core.next_coid(),
                side=side,
                lots=max(abs(self.position) or settings.quantity, core.min_lots(price)),
                price=price,
                opens=leg is Leg.OPEN,
                expires_ms=expires_ms,
                round=self.round,
                cross_account_guard=True,
            ),
            now.mono_ms,
        )
        announce = Announce(
            epoch=core.memory.epoch,
            round=self.round,
            attempt=0,
            leg=leg,
            coid=self.order.coid,
            side=side,
            lots=self.order.lots,
            price=price,
            min_lots=core.min_lots(price),
            expires_ms=expires_ms,
        )
        return [Record(entry=Announced(announce=announce)), *self.key.sign(self.order)]


@dataclass(slots=True, kw_only=True)
class PlainHedger(Hedger):
    """Account B: hedge what the message says; retry with a new id until it is heard to have worked."""

    key: Key = field(default_factory=Key)
    todo: deque[OrderFills] = field(default_factory=deque)
    order: OrderRequest | None = None
    order_ms: int = 0
    retries: int = 0
    heard: tuple[int, int] = (0, 0)

    def start(self) -> list[Command]:
        self.core.recovered = True
        return [ReadNonce()]

    def step(self, event: Event, now: Instant) -> list[Command]:
        _sees(self, event, now)
        commands = self.key.step(event)
        match event:
            case MakerHeard() if (event.state.epoch, event.state.seq) > self.heard:
                self.heard = (event.state.epoch, event.state.seq)
                self.todo.extend(event.state.fills)
                commands += self._next(now)
            case OrderReported(role=Role.HEDGER) if self.order is not None and event.report.coid == self.order.coid:
                if event.report.status == "filled":
                    commands += self._worked(now)
                elif event.report.closed:
                    commands += self._retry(now)
            case SendAnswered() if self.order is not None and event.answer.kind is not AnswerKind.ACCEPTED:
                commands += self._retry(now)
            case Ticked():
                if self.order is not None and now.mono_ms - self.order_ms >= QUERY_MS_MAX:
                    commands += self._retry(now)
                commands += self._next(now)
            case _:
                pass
        return commands

    def _next(self, now: Instant) -> list[Command]:
        if self.order is not None or not self.todo or self.key.nonce < 0:
            return []
        self.retries = 0
        return self._send(now)

    def _send(self, now: Instant) -> list[Command]:
        core, fill = self.core, self.todo[0]
        side = fill.side.opposite
        reference = core.book.best(side.opposite)
        if reference is None:
            return []
        self.order = OrderRequest(
            kind=OrderKind.HEDGE,
            coid=core.next_coid(),
            side=side,
            lots=fill.lots,
            price=hedge_cap(reference, side, core.settings.slippage_bps_e2_max, 100),
            round=fill.round,
            cross_account_guard=True,
        )
        self.order_ms = now.mono_ms
        return self.key.sign(self.order)

    def _worked(self, now: Instant) -> list[Command]:
        fill = self.todo.popleft()
        self.order = None
        return self._tell(now, confirm=Confirm(epoch=0, round=fill.round, cum=fill.side.sign * fill.lots, net=0))

    def _retry(self, now: Instant) -> list[Command]:
        self.retries += 1
        if self.retries <= RETRIES:
            return self._send(now)
        fill = self.todo.popleft()
        self.order = None
        failed = HedgeFailed(round=fill.round, cum=fill.lots, reason="max_retries_exceeded", tries=RETRIES)
        return self._tell(now, failed=failed)

    def _tell(
        self, now: Instant, *, confirm: Confirm | None = None, failed: HedgeFailed | None = None
    ) -> list[Command]:
        state = HedgerState(
            epoch=self.core.memory.epoch,
            seq=0,
            at_ms=now.wall_ms,
            armed=None,
            disarmed="",
            confirm=confirm,
            failed=failed,
            pause_ask=None,
            fills=(),
            unresolved=0,
            tries=0,
            position=None,
        )
        return [PublishState(state=state)]


@contextmanager
def plain_desk() -> Iterator[None]:
    """Both sides follow the plain protocol."""
    plant = Plant()

    def plainly(real: Any, plain: Any) -> Any:
        def create(settings: Any, memory: Any) -> Any:
            base = real(settings, memory)
            made = plain(**{one.name: getattr(base, one.name) for one in fields(base) if one.init})
            for one in fields(base):
                if not one.init:
                    setattr(made, one.name, getattr(base, one.name))
            return made

        return staticmethod(create)

    plant.set(Maker, "create", plainly(Maker.create, PlainMaker))
    plant.set(Hedger, "create", plainly(Hedger.create, PlainHedger))
    plant.set(SendGuard, "refuses", lambda *_: "")
    plant.set(checkers, "AT_SEND", ())
    plant.set(checkers, "IN_TIME", (checkers.never_silent,))
    for name in ("AT_SEND", "IN_TIME", "AT_END"):
        plant.set(promises, name, ())
    for name in ("AT_EFFECT", "AT_COMMIT"):
        plant.set(promises, name, {})
    try:
        yield
    finally:
        plant.remove()


def hunt_plain(worlds: int) -> Verdict:
    """Play it: it must be caught in the first worlds, and in most of twenty."""
    verdict = Verdict("plain_protocol", "all of it")
    began = time.monotonic()
    caught, played = 0, min(worlds, 20)
    with plain_desk(), struck_faults() as struck:
        for seed in range(played):
            verdict.worlds += 1
            seen = look(seed, long=True)
            if seen is None:
                continue
            if seen.by in ("broken", "harness", "endless"):
                verdict.note(f"{seen.by}: {seen.where}: {seen.text}")
                continue
            caught += 1
            if verdict.seed < 0:
                verdict.seed, verdict.sight, verdict.struck = seed, seen, tuple(sorted(struck()))
    verdict.others[f"breaks in {caught} of {played} worlds"] = caught
    verdict.found = caught >= FAILING * played
    verdict.seconds = time.monotonic() - began
    return verdict

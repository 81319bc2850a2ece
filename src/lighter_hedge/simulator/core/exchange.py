"""The exchange core: transactions in, facts out. Pure: no clock, no chance, no I/O; time comes with each
call.

A transaction passes two stages. ``submit`` is the API: it validates, checks key and nonce, and answers; what
it refuses does not consume the nonce. What it accepts runs later, in ``advance``, after the latency of its
kind and never before an earlier transaction of the same key: that is the sequencer, and its refusals show
only in the transaction's ``event_info``.

``advance`` runs everything that is due, in order of time: traffic, delayed transactions, expiries, faults,
book batches.
"""

import hashlib
import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

import msgspec

from lighter_hedge.domain.units import MarketSpec, Side
from lighter_hedge.simulator.core import eventinfo, funding, quota
from lighter_hedge.simulator.core.accounts import Account, Tier
from lighter_hedge.simulator.core.admission import Admission
from lighter_hedge.simulator.core.effects import Effects, announce
from lighter_hedge.simulator.core.engine import Engine
from lighter_hedge.simulator.core.events import BookChange, Mark, Print, TrafficEvent
from lighter_hedge.simulator.core.faults.board import Fault, FaultBoard
from lighter_hedge.simulator.core.faults.on_exchange import ExchangeFaults, Forced, ForcedFill, ForcedTrade
from lighter_hedge.simulator.core.liquidation import Liquidator
from lighter_hedge.simulator.core.orders import TX_EXECUTED, TX_FAILED, TX_PENDING, Order, OrderStatus, TxRecord
from lighter_hedge.simulator.core.publisher import Publisher
from lighter_hedge.simulator.core.pushes import Push, Traded, TxExecuted
from lighter_hedge.simulator.core.rules import ExchangeSettings, Latency
from lighter_hedge.simulator.core.state import State
from lighter_hedge.simulator.core.transactions import (
    CANCEL_ALL_ABORT,
    CANCEL_ALL_IMMEDIATE,
    CancelAll,
    CancelOrder,
    ChangePubKey,
    CreateGroup,
    CreateOrder,
    CreateSubAccount,
    ModifyOrder,
    Transfer,
    TxBody,
    TxRefused,
    UpdateLeverage,
    UpdateMargin,
    parse,
)

TxHash: TypeAlias = Callable[[int, int, Mapping[str, Any]], str]

SWEEP_EVERY = 10_000
"""After so many things to do, the expiries of ended orders are dropped: most orders end weeks before they expire."""
_NO_QUOTA = '{"ratelimit": "didn\'t use volume quota"}'


def fast_hash(chain_id: int, tx_type: int, tx_info: Mapping[str, Any]) -> str:
    """80 hex digits that depend on the whole transaction; not the venue's hash, but cheap."""
    text = msgspec.json.encode([chain_id, tx_type, tx_info], order="sorted")
    return hashlib.sha512(text).hexdigest()[:80]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitResult:
    """The API's answer to one transaction."""

    code: int
    message: str
    http_status: int = 200
    tx_hash: str = ""
    execution_time_ms: int = 0
    quota_remaining: int = 0
    """Volume quota left, of a premium wallet."""

    @property
    def accepted(self) -> bool:
        """Whether the nonce was consumed and the transaction will run."""
        return self.code == 200


@dataclass(frozen=True, slots=True, kw_only=True)
class _RunTx:
    tx_hash: str
    body: TxBody


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expire:
    order_index: int
    expiry_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _ScheduledCancelAll:
    account_index: int
    at_us: int


_Due: TypeAlias = _RunTx | _Expire | Forced | _ScheduledCancelAll


class Exchange:
    """One venue."""

    def __init__(
        self,
        markets: Iterable[MarketSpec],
        accounts: Iterable[Account],
        *,
        settings: ExchangeSettings | None = None,
        tx_hash: TxHash = fast_hash,
    ) -> None:
        self.settings = settings or ExchangeSettings()
        self.state = State(markets, accounts)
        self.faults = FaultBoard(
            {account.name: index for index, account in self.state.accounts.items()},
            {market.symbol: index for index, market in self.state.markets.items()},
            seed=self.settings.fault_seed,
        )
        self.engine = Engine(self.state)
        self._on_exchange = ExchangeFaults(self.engine, self.faults, self._schedule)
        self._admission = Admission(self.state, self.faults, self.settings)
        self.publisher = Publisher(self.state)
        self._liquidator = Liquidator(self.engine, self.settings.insurance_fund)
        self._hash = tx_hash
        self._heap: list[tuple[int, int, _Due]] = []
        self._heap_sequence = 0
        self._traffic: Iterator[tuple[int, TrafficEvent]] = iter(())
        self._traffic_start_us = 0
        self._next_traffic: tuple[int, TrafficEvent] | None = None
        self._batch_due_us: int | None = None
        self._funding_due_us: int | None = None
        self._now_us = 0

    # --- what comes in ---

    def attach_traffic(self, traffic: Iterator[tuple[int, TrafficEvent]], start_us: int) -> None:
        """Play a traffic source whose times count from ``start_us``."""
        self._traffic, self._traffic_start_us = traffic, start_us
        self._next_traffic = next(traffic, None)

    def submit(self, now_us: int, tx_type: int, tx_info: Mapping[str, Any], info_text: str = "") -> SubmitResult:
        """Take a transaction at the API: refuse it, or consume its nonce and queue it."""
        try:
            envelope = parse(tx_type, tx_info)
            account, key = self._admission.check(envelope, now_us)
            tx_hash = self._hashed(tx_type, tx_info)
            if quota.is_bound(account, envelope.body):
                quota.use(self.state, account, self.settings.quota_start, now_us)
        except TxRefused as refusal:
            return SubmitResult(code=refusal.code, message=refusal.message, http_status=refusal.http_status)
        account.keys.setdefault(key.api_key_index, key).nonce = envelope.nonce + 1
        latency = self.settings.latencies.get(account.tier, Latency())
        latency_us = latency.staked(account.stake).of(envelope.body)
        latency_us += self._on_exchange.delay_us(account.account_index, now_us)
        due_us = max(now_us + latency_us, key.last_due_us)
        key.last_due_us = due_us
        self.state.note_account(account)
        self.state.note_tx(
            TxRecord(
                tx_hash=tx_hash,
                tx_type=tx_type,
                info=info_text or json.dumps(tx_info, separators=(",", ":")),
                account_index=account.account_index,
                api_key_index=key.api_key_index,
                l1_address=account.l1_address,
                nonce=envelope.nonce,
                expire_at_ms=envelope.expired_at_ms,
                queued_us=now_us,
                due_us=due_us,
                sequence_index=self.state.next_sequence(),
            )
        )
        self._schedule(due_us, _RunTx(tx_hash=tx_hash, body=envelope.body))
        return self._accepted(account, envelope.body, tx_hash, due_us)

    def _accepted(self, account: Account, body: TxBody, tx_hash: str, due_us: int) -> SubmitResult:
        left = quota.remaining(self.state, account, self.settings.quota_start) if account.tier is Tier.PREMIUM else 0
        used = quota.is_bound(account, body)
        message = f'{{"ratelimit": "{left} volume quota remaining"}}' if used else _NO_QUOTA
        return SubmitResult(
            code=200, message=message, tx_hash=tx_hash, execution_time_ms=due_us // 1000, quota_remaining=left
        )

    def _hashed(self, tx_type: int, tx_info: Mapping[str, Any]) -> str:
        try:
            return self._hash(self.settings.chain_id, tx_type, tx_info)
        except ValueError as error:
            raise TxRefused(21501, f"invalid tx info: {error}") from None

    def arm_fault(self, request: Mapping[str, Any], now_us: int) -> Fault:
        """Arm a fault; one of orders or positions looks at once for those that are there.

        Raises:
            FaultError: the request does not fit.
        """
        fault = self.faults.arm(request, now_us)
        self._on_exchange.armed(fault, now_us)
        return fault

    def force_trade(
        self, account_index: int, market_index: int, side: Side, lots: int, kind: str, now_us: int
    ) -> list[Push]:
        """Liquidate or deleverage an account, unasked; return what there is to tell."""
        account, effects = self.state.accounts[account_index], Effects()
        self.engine.forced_trade(account, market_index, side, lots, kind, effects, now_us)
        return announce(self.state, effects, now_us)

    def set_market(
        self, market_index: int, *, halted: bool | None = None, force_reduce_only: bool | None = None
    ) -> None:
        """Halt a market, let it take only what reduces positions, or open it again."""
        market = self.state.market_states[market_index]
        market.halted = market.halted if halted is None else halted
        market.force_reduce_only = market.force_reduce_only if force_reduce_only is None else force_reduce_only
        self.state.note_market()

    def resume_saved(self, now_us: int) -> None:
        """After a restart: queue again the transactions, expiries and scheduled cancels that had not run."""
        for tx in list(self.state.txs.values()):
            if tx.status == TX_PENDING:
                envelope = parse(tx.tx_type, json.loads(tx.info))
                self._schedule(max(now_us, tx.due_us), _RunTx(tx_hash=tx.tx_hash, body=envelope.body))
        for orders in self.state.open_of.values():
            for order in orders.values():
                self._schedule_expiry(order)
        for account in self.state.accounts.values():
            if account.cancel_all_us:
                self._schedule_cancel_all(account, account.cancel_all_us)

    def key_revoked(self, account_index: int, api_key_index: int, now_us: int) -> bool:
        """Whether a fault has revoked the key."""
        return self._admission.key_revoked(account_index, api_key_index, now_us)

    # --- the passing of time ---

    def next_due_us(self) -> int | None:
        """When ``advance`` next has something to do, or None."""
        times = [due for due in (self._traffic_due_us(), self._batch_due_us, self._funding_due_us) if due is not None]
        if self._heap:
            times.append(self._heap[0][0])
        return min(times) if times else None

    def _traffic_due_us(self) -> int | None:
        return None if self._next_traffic is None else self._traffic_start_us + self._next_traffic[0]

    def advance(self, now_us: int) -> list[Push]:
        """Run everything that is due up to ``now_us``; return what there is to tell, in order."""
        pushes: list[Push] = []
        if self._funding_due_us is None:
            self._schedule_funding(now_us)
        while (due_us := self.next_due_us()) is not None and due_us <= now_us:
            at_us = max(due_us, self._now_us)
            self._now_us = at_us
            if due_us == self._traffic_due_us():
                pushes += self._run_traffic(at_us)
            elif self._heap and due_us == self._heap[0][0]:
                pushes += self._run_due(heapq.heappop(self._heap)[2], at_us)
            elif due_us == self._funding_due_us:
                self._schedule_funding(at_us)
                told, effects = funding.pay(self.state, at_us)
                pushes += told + self._finish(effects, at_us)
                pushes += self._liquidate(tuple(self.state.markets), at_us)
            else:
                self._batch_due_us = None
                pushes += self.publisher.flush_books(at_us)
        self._now_us = max(self._now_us, now_us)
        return pushes

    def _schedule(self, due_us: int, due: _Due) -> None:
        self._heap_sequence += 1
        heapq.heappush(self._heap, (due_us, self._heap_sequence, due))
        if self._heap_sequence % SWEEP_EVERY == 0:
            self._heap = [one for one in self._heap if not self._is_over(one[2])]
            heapq.heapify(self._heap)

    def _is_over(self, due: _Due) -> bool:
        """Whether it is the expiry of an order that has ended."""
        order = self.state.orders.get(due.order_index) if isinstance(due, _Expire) else None
        return isinstance(due, _Expire) and (order is None or not order.is_alive)

    def _schedule_funding(self, now_us: int) -> None:
        interval = self.settings.funding_interval_us
        self._funding_due_us = (now_us // interval + 1) * interval

    def _schedule_expiry(self, order: Order) -> None:
        if order.expiry_ms:
            self._schedule(order.expiry_ms * 1000, _Expire(order_index=order.order_index, expiry_ms=order.expiry_ms))

    def _schedule_cancel_all(self, account: Account, at_us: int) -> None:
        due_us = at_us + self.settings.cancel_all_delay_us
        self._schedule(due_us, _ScheduledCancelAll(account_index=account.account_index, at_us=at_us))

    def _run_due(self, due: _Due, at_us: int) -> list[Push]:
        match due:
            case _RunTx():
                return self._run_tx(self.state.txs[due.tx_hash], due.body, at_us)
            case _Expire():
                effects = Effects()
                order = self.state.orders.get(due.order_index)
                if order is not None and order.is_alive:
                    self.engine.end(order, OrderStatus.CANCELED_EXPIRED, effects)
                return self._finish(effects, at_us)
            case ForcedFill() | ForcedTrade():
                forced = self._on_exchange.run(due, at_us)
                return [] if forced is None else self._finish(forced, at_us)
            case _ScheduledCancelAll():
                account = self.state.accounts[due.account_index]
                if account.cancel_all_us != due.at_us:
                    return []
                account.cancel_all_us = 0
                self.state.note_account(account)
                body = CancelAll(mode=CANCEL_ALL_IMMEDIATE, time_ms=0, market_index=None)
                return self._finish(self.engine.cancel_all(account.account_index, body), at_us)
            case _:
                assert_never(due)

    def _run_tx(self, tx: TxRecord, body: TxBody, at_us: int) -> list[Push]:
        if tx.status != TX_PENDING:
            return []
        if tx.expire_at_ms * 1000 <= at_us:
            return self._return_nonce(tx, (21501, "invalid tx info: expired"), at_us)
        if self._on_exchange.returns(tx, at_us):
            return self._return_nonce(tx, (21508, "account is below initial margin, can't execute transaction"), at_us)
        pushes: list[Push] = []
        for order in self._cancelled_by(tx, body):
            race = self._on_exchange.race(order, at_us)
            pushes += [] if race is None else self._finish(race, at_us)
        effects = self._on_exchange.refused(tx, at_us) or self._execute(tx, body, at_us)
        tx.status, tx.executed_us, tx.height = TX_EXECUTED, at_us, self.state.height(at_us)
        tx.event_info = effects.event_info
        self.state.note_tx(tx)
        own = TxExecuted(account_index=tx.account_index, tx=tx.copied())
        return pushes + self._finish(effects, at_us, own)

    def _return_nonce(self, tx: TxRecord, why: tuple[int, str], at_us: int) -> list[Push]:
        """Fail a transaction whose nonce stays free, and those behind it on its key, which now have a wrong one.

        From the venue's page on troubleshooting (fact sheet, section 1.8): so for a passed ExpiredAt. One behind it
        that may skip nonces runs all the same.
        """
        key = self.state.accounts[tx.account_index].keys[tx.api_key_index]
        failed, kept = [tx], False
        for other in self.state.txs_of[tx.account_index]:
            behind = other.api_key_index == tx.api_key_index and other.nonce > tx.nonce
            if behind and other.status == TX_PENDING:
                kept = kept or parse(other.tx_type, json.loads(other.info)).skip_nonce
                failed += [] if kept else [other]
        if not kept:
            key.nonce = tx.nonce
            self.state.note_account(self.state.accounts[tx.account_index])
        for one in failed:
            code, message = why if one is tx else (21104, "invalid nonce")
            one.status, one.executed_us, one.height = TX_FAILED, at_us, self.state.height(at_us)
            one.event_info = eventinfo.refused_event(code, message)
            self.state.note_tx(one)
        return [TxExecuted(account_index=one.account_index, tx=one.copied()) for one in failed]

    def _execute(self, tx: TxRecord, body: TxBody, at_us: int) -> Effects:
        match body:
            case CreateOrder():
                return self.engine.create(tx, body, at_us, self._on_exchange.end_of(tx, body, at_us))
            case CancelOrder():
                return self.engine.cancel(tx, body)
            case CreateGroup():
                return self.engine.create_group(tx, body, at_us)
            case CancelAll():
                return self._cancel_all(tx, body)
            case ModifyOrder():
                return self.engine.modify(tx, body, at_us)
            case UpdateLeverage() | UpdateMargin() | ChangePubKey() | CreateSubAccount() | Transfer():
                account = self.state.accounts[tx.account_index]
                return self._admission.account_txs.run(account, tx.api_key_index, body, at_us)
            case _:
                assert_never(body)

    def _cancel_all(self, tx: TxRecord, body: CancelAll) -> Effects:
        if body.mode == CANCEL_ALL_IMMEDIATE:
            return self.engine.cancel_all(tx.account_index, body)
        account = self.state.accounts[tx.account_index]
        account.cancel_all_us = 0 if body.mode == CANCEL_ALL_ABORT else body.time_ms * 1000
        if account.cancel_all_us:
            self._schedule_cancel_all(account, account.cancel_all_us)
        self.state.note_account(account)
        return Effects(event_info=eventinfo.plain_event())

    def _cancelled_by(self, tx: TxRecord, body: TxBody) -> list[Order]:
        if isinstance(body, CancelOrder):
            order = self.engine.find_open(tx.account_index, body.market_index, body.index)
            return [] if order is None else [order]
        if isinstance(body, CancelAll) and body.mode == CANCEL_ALL_IMMEDIATE:
            every = self.state.open_of[tx.account_index].values()
            return [one for one in every if body.market_index in (None, one.market_index)]
        return []

    def _finish(self, effects: Effects, at_us: int, tx: TxExecuted | None = None) -> list[Push]:
        self.engine.follow(effects, at_us)
        pushes = announce(self.state, effects, at_us)
        if tx is not None:
            # Last of the account's own frames, before the public ones.
            public = [push for push in pushes if isinstance(push, Traded)]
            pushes = [push for push in pushes if not isinstance(push, Traded)] + [tx] + public
        for order in effects.rested:
            self._schedule_expiry(order)
            self._on_exchange.look_for_fill(order, at_us)
        for order in effects.pending:
            self._schedule_expiry(order)
        for order, leaves in effects.canceled:
            self._on_exchange.look_for_late_fill(order, leaves, at_us)
        if self.faults:
            for trade in effects.trades:
                for account_index in self.engine.settlement.parties([trade]):
                    self._on_exchange.look_for_trade(account_index, trade.market_index, at_us)
        return pushes + self._public(at_us)

    # --- traffic and the public book ---

    def _run_traffic(self, at_us: int) -> list[Push]:
        assert self._next_traffic is not None
        event = self._next_traffic[1]
        self._next_traffic = next(self._traffic, None)
        return self.apply_traffic(event, at_us)

    def apply_traffic(self, event: TrafficEvent, at_us: int) -> list[Push]:
        """Let one thing happen in the market; return what there is to tell."""
        match event:
            case BookChange():
                if event.market_index not in self.state.books:
                    return []
                book = self.state.books[event.market_index]
                executions = book.change_ambient(event.updates, snapshot=event.snapshot)
                effects = Effects()
                self.engine.book_executions(event.market_index, executions, effects, at_us)
                return self._finish(effects, at_us)
            case Print():
                return self._run_print(event, at_us) if event.market_index in self.state.books else []
            case Mark():
                return self._run_mark(event, at_us) if event.market_index in self.state.books else []
            case _:
                assert_never(event)

    def _run_mark(self, event: Mark, at_us: int) -> list[Push]:
        """A new mark price: premiums are sampled, margins looked at, and orders woken, in this order (inferred)."""
        market_index = event.market_index
        self.state.note_mark(market_index, event.mark_ticks, event.index_ticks, at_us)
        funding.sample(self.state, market_index, at_us)
        pushes: list[Push] = [self.state.stats(market_index, at_us)]
        pushes += self._liquidate((market_index,), at_us)
        if self.state.pending[market_index]:
            effects = Effects()
            self.engine.fire_due(market_index, at_us, effects)
            pushes += self._finish(effects, at_us)
        return pushes

    def _liquidate(self, market_indices: Iterable[int], at_us: int) -> list[Push]:
        if not self.settings.liquidates:
            return []
        found = [effects for index in market_indices for effects in self._liquidator.check_market(index, at_us)]
        return [push for effects in found for push in self._finish(effects, at_us)]

    def _run_print(self, event: Print, at_us: int) -> list[Push]:
        book = self.state.books[event.market_index]
        executions = book.print_trade(event.price_ticks, event.lots, event.taker_side)
        effects = Effects()
        self.engine.book_executions(event.market_index, executions, effects, at_us)
        rest = event.lots - sum(execution.lots for execution in executions)
        pushes = self._finish(effects, at_us)
        if rest > 0:
            trade = self.engine.settlement.ambient_trade(
                event.market_index, event.price_ticks, rest, event.taker_side, at_us
            )
            pushes.append(Traded(market_index=event.market_index, nonce=self.state.next_sequence(), trades=(trade,)))
        return pushes

    def _public(self, at_us: int) -> list[Push]:
        """Best prices at once; levels at once or with the next batch."""
        pushes: list[Push] = []
        for market_index, book in self.state.books.items():
            if not book.touched:
                continue
            best = self.publisher.best_changed(market_index, at_us)
            if best is not None:
                pushes.append(best)
            if self.settings.book_interval_us == 0:
                pushes += self.publisher.flush_book(market_index, at_us)
            elif self._batch_due_us is None:
                interval = self.settings.book_interval_us
                self._batch_due_us = (at_us // interval + 1) * interval
        return pushes

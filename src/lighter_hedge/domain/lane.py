"""One API key: its next nonce, what was signed for it, and what became of it.

The venue executes at most one transaction per nonce. So all transactions ever signed for a nonce are *candidates* that
exclude each other, and the nonce is the fence: where an outcome is unknown, the identical bytes may be sent again, or
something harmless may be sent under the same nonce (a *burn*: cancel all orders in the market), and at most one of
them happens. A fresh nonce is taken only when the old one is settled. At most one nonce is unsettled.

What settles a nonce is positive evidence alone: a transaction's own status by hash, or a row or trade that carries the
client order index of a candidate. An answer to a send speaks for that send only. "Not found" settles nothing, until a
later nonce has executed (then this one has run, or never will) and the venue's read lag is over.

States::

    BOOT ── nonce read ──> RESOLVING (the burn) ── executed ──> LAGGING ── lag over, old fates read ──> READY
    READY ── send ──> SENT ── evidence ──> READY          SENT ── silence ──> RESOLVING ── evidence ──> READY
    any ── our nonce was consumed by a stranger ──> SUPERSEDED, for ever

A start burns the key's current nonce first. That fences an older instance, and bytes still on their way.
"""

from dataclasses import dataclass, field
from typing import assert_never

from lighter_hedge.domain import lane_limits as limits
from lighter_hedge.domain.candidates import Candidates
from lighter_hedge.domain.commands import Command, NonceSettled, ReadNonce, ReadOrders, ReadTx, Record, Send
from lighter_hedge.domain.events import (
    Answer,
    AnswerKind,
    BurnRequest,
    Candidate,
    Instant,
    LaneEvent,
    NonceRead,
    OrderRequest,
    OrdersRead,
    Prepared,
    PrepareFailed,
    Request,
    SendAnswered,
    TxReported,
    TxStatus,
)
from lighter_hedge.domain.fates import Fates
from lighter_hedge.domain.lane_words import UNRESOLVED, Fate, Held, LanePhase, Settlement, Wanted
from lighter_hedge.domain.probe import Probe
from lighter_hedge.domain.tickets import Tickets


@dataclass(slots=True)
class Lane:
    """The state machine of one API key. The owner decides what is wanted; the lane decides what may be sent."""

    read_lag_ms: int
    restored: tuple[Candidate, ...] = ()
    """Transactions of an earlier life whose fate is not known: each counts as perhaps sent."""
    phase: LanePhase = LanePhase.BOOT
    nonce: int = -1
    settlements: list[Settlement] = field(default_factory=list)
    """Fates since the owner last took them."""
    _held: Candidates = field(default_factory=Candidates)
    _tickets: Tickets = field(default_factory=Tickets)
    _deadline_ms: int = 0
    _poll_ms: int = limits.POLL_MS
    _consumed_ms: int | None = None
    """When the nonce was first known to be consumed."""
    _winner: str = ""
    _winner_ms: int = 0
    _probe: Probe | None = None
    _fates: Fates = field(default_factory=Fates)
    _booting: bool = True

    # --- what the owner asks ------------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether something new may be sent now."""
        return self.phase is LanePhase.READY and not self._tickets.sending

    @property
    def booted(self) -> bool:
        """Whether the start's burn has executed and every older fate is known."""
        return not self._booting

    @property
    def superseded(self) -> bool:
        """Whether another instance holds the key: nothing may be sent, ever."""
        return self.phase is LanePhase.SUPERSEDED

    @property
    def unresolved(self) -> int:
        """Transactions whose outcome is not known."""
        return 1 if self.phase in UNRESOLVED else 0

    def take_settlements(self) -> list[Settlement]:
        """The fates learned since the last call."""
        taken, self.settlements = self.settlements, []
        return taken

    def prepare(self, request: OrderRequest) -> list[Command]:
        """Sign an order ahead, under the current nonce, without sending it."""
        assert self.phase is LanePhase.READY
        return self._prepare(request, self.nonce, at_once=False)

    def submit(self, request: Request) -> list[Command]:
        """Sign and send."""
        assert self.ready
        return self._prepare(request, self.nonce, at_once=True)

    def prepared(self, coid: int) -> Candidate | None:
        """The signed, unsent order of this client order index, if its nonce is still the next."""
        held = self._held.order(coid)
        return held.candidate if held is not None and held.sends == 0 else None

    def preparing(self, coid: int) -> bool:
        """Whether this order is being signed ahead right now."""
        return self._tickets.holds(coid)

    def send_prepared(self, candidate: Candidate, now: Instant) -> list[Command]:
        """Send an order that was signed ahead."""
        assert self.ready
        assert candidate.nonce == self.nonce
        held = self._held.get(candidate.tx_hash)
        assert held is not None
        return self._send(held, now)

    def forget(self, coid: int) -> None:
        """Drop an unsent order: its bytes have not left. The journal keeps it, and a start would burn its nonce."""
        held = self._held.order(coid)
        if held is not None and held.sends == 0:
            self._held.drop(held.candidate.tx_hash)

    def start(self) -> list[Command]:
        """Begin: ask for the key's next nonce, which the start then burns."""
        assert self.phase is LanePhase.BOOT
        self._fates.remember(self.restored)
        return [ReadNonce()]

    def step(self, event: LaneEvent, now: Instant, wanted: Wanted) -> list[Command]:
        """Apply one answer of the venue or the signer."""
        if self.superseded:
            return []
        match event:
            case Prepared():
                return self._on_prepared(event, now)
            case PrepareFailed():
                return self._on_prepare_failed(event, now)
            case SendAnswered():
                return self._on_answer(event, now)
            case NonceRead():
                return self._on_nonce(event.nonce, now, wanted)
            case TxReported():
                return self._on_tx(event, now)
            case OrdersRead():
                return self._on_orders(event, now)
            case _:
                assert_never(event)

    def evidence(self, coid: int, now: Instant) -> list[Command]:
        """A row or a trade carries this client order index: its transaction has executed."""
        held = self._held.order(coid)
        if held is None or held.sends == 0:
            return []
        held.row_seen = True
        held.status = TxStatus.EXECUTED
        return self._won(held, now)

    def tick(self, now: Instant) -> list[Command]:
        """Time has passed: ask again where something is unresolved."""
        if now.mono_ms < self._deadline_ms:
            return []
        if self.phase is LanePhase.BOOT:
            self._deadline_ms = now.mono_ms + limits.POLL_MS
            return [ReadNonce()]
        if self.phase is LanePhase.LAGGING:
            self._deadline_ms = now.mono_ms + self._poll_ms
            self._poll_ms = min(2 * self._poll_ms, limits.POLL_MS_MAX)
            return self._fates.ask() or self._end_boot()
        if self.phase in (LanePhase.SENT, LanePhase.RESOLVING):
            self.phase = LanePhase.RESOLVING
            return self._ask(now)
        return []

    def _prepare(self, request: Request, nonce: int, *, at_once: bool) -> list[Command]:
        return [self._tickets.issue(request, nonce, at_once=at_once)]

    def _on_prepared(self, event: Prepared, now: Instant) -> list[Command]:
        ticket = self._tickets.take(event.ticket)
        if ticket is None:
            return []
        request, nonce, at_once = ticket
        candidate = event.candidate
        assert candidate.nonce == nonce
        held = Held(candidate)
        if self.phase is LanePhase.RESOLVING and nonce == self.nonce + 1:
            self._probe = Probe(candidate, before=self._probe.all if self._probe is not None else ())
            return [Send(candidate=candidate)]
        if nonce != self.nonce:
            if nonce < self.nonce and isinstance(request, BurnRequest):
                return [Send(candidate=candidate)]  # fills a gap below; the next read of the nonce tells
            if at_once:
                self._settle(held, Fate.UNSIGNED, message="its nonce was consumed while it was being signed")
            return []
        self._held.keep(held)
        return self._send(held, now) if at_once else []

    def _on_prepare_failed(self, event: PrepareFailed, now: Instant) -> list[Command]:
        ticket = self._tickets.take(event.ticket)
        if ticket is None:
            return []
        if isinstance(ticket.request, BurnRequest):
            self._deadline_ms = now.mono_ms + limits.POLL_MS
        else:
            self.settlements.append(Settlement(request=ticket.request, fate=Fate.UNSIGNED, message=event.reason))
        return []

    def _send(self, held: Held, now: Instant) -> list[Command]:
        held.sends += 1
        if self.phase is LanePhase.READY:
            self.phase = LanePhase.SENT
        self._deadline_ms = now.mono_ms + limits.ANSWER_MS_MAX
        return [Send(candidate=held.candidate)]

    def _on_answer(self, event: SendAnswered, now: Instant) -> list[Command]:
        held = self._held.get(event.tx_hash)
        if held is None or self.phase not in (LanePhase.SENT, LanePhase.RESOLVING):
            return []
        answer = event.answer
        match answer.kind:
            case AnswerKind.ACCEPTED:
                soon = isinstance(held.candidate.request, BurnRequest)
                self._deadline_ms = now.mono_ms + (limits.POLL_MS if soon else limits.EVIDENCE_MS_MAX)
                return []
            case AnswerKind.REJECTED:
                return self._on_refusal(held, Fate.REFUSED, answer, now)
            case AnswerKind.NOT_SENT | AnswerKind.THROTTLED:
                return self._on_refusal(held, Fate.BOUNCED, answer, now)
            case AnswerKind.BAD_NONCE:
                self.phase = LanePhase.RESOLVING
                self._deadline_ms = now.mono_ms + self._poll_ms  # reads lag: asked at once, they say what they said
                return []
            case AnswerKind.UNKNOWN:
                self.phase = LanePhase.RESOLVING
                return self._ask(now)
            case _:
                assert_never(answer.kind)

    def _on_refusal(self, held: Held, fate: Fate, answer: Answer, now: Instant) -> list[Command]:
        """A refusal is proof for the one send that it answers; with no other send the nonce is free again."""
        if self._winner:
            return []  # that of a copy: what has executed stays so
        alone = held.sends == 1 and all(other is held or other.sends == 0 for other in self._held)
        if not alone or self._booting:
            self.phase = LanePhase.RESOLVING
            self._deadline_ms = now.mono_ms + (
                limits.THROTTLED_MS if answer.kind is AnswerKind.THROTTLED else limits.POLL_MS
            )
            return []
        held.sends = 0
        self.phase = LanePhase.READY
        if fate is Fate.REFUSED:
            self._held.drop(held.candidate.tx_hash)
        self._settle(held, fate, code=answer.code, message=answer.message)
        return []

    def _ask(self, now: Instant) -> list[Command]:
        """Ask for the fate of everything that may have been sent."""
        self._deadline_ms = now.mono_ms + self._poll_ms
        self._poll_ms = min(2 * self._poll_ms, limits.POLL_MS_MAX)
        if self._winner:
            return [ReadOrders(coids=(self._winner_request().coid,))]
        sent = self._held.sent()
        if self._booting and self._consumed_ms is None:  # the burn alone decides; there may be many armed hedges
            sent = [held for held in sent if isinstance(held.candidate.request, BurnRequest)]
        commands: list[Command] = [ReadTx(tx_hash=held.candidate.tx_hash) for held in sent]
        if self._probe is not None:
            commands.append(ReadTx(tx_hash=self._probe.candidate.tx_hash))
        coids = self._held.sent_coids()
        if coids and self._consumed_ms is not None:
            commands.append(ReadOrders(coids=coids))
        commands.append(ReadNonce())
        return commands

    def _winner_request(self) -> OrderRequest:
        held = self._held.get(self._winner)
        assert held is not None
        assert isinstance(held.candidate.request, OrderRequest)
        return held.candidate.request

    def _on_nonce(self, nonce: int | None, now: Instant, wanted: Wanted) -> list[Command]:
        if nonce is None:
            return []
        if self.phase is LanePhase.BOOT:
            return self._boot_burn(nonce, now)
        if self.phase is LanePhase.RESOLVING:
            return self._resolve(nonce, now, wanted)
        if self.phase is LanePhase.READY and nonce > self.nonce:
            self._supersede(nonce)
        return []

    def _boot_burn(self, nonce: int, now: Instant) -> list[Command]:
        """Burn the current nonce. Old candidates of that very nonce compete with the burn and are watched with it."""
        self.nonce = nonce = max(nonce, self.nonce)  # a read may lag behind what this start has settled
        self.phase = LanePhase.RESOLVING
        self._deadline_ms = now.mono_ms + limits.ANSWER_MS_MAX
        for candidate in self.restored:
            if candidate.nonce == nonce:
                self._held.add(candidate, sends=2)  # perhaps sent, perhaps more than once
        return self._prepare(BurnRequest(), nonce, at_once=True)

    def _resolve(self, nonce: int, now: Instant, wanted: Wanted) -> list[Command]:
        if self._winner:
            return []
        if nonce < self.nonce:
            return self._burn(nonce, now)
        if nonce == self.nonce:
            return self._send_again_or_burn(now, wanted)
        if self._consumed_ms is None:
            self._consumed_ms = now.mono_ms
            return self._ask(now)
        overdue = now.mono_ms - self._consumed_ms >= limits.PROBE_AFTER_MS and not self._tickets.sending
        unknown = overdue and not any(held.status is TxStatus.PENDING for held in self._held)
        if self._booting:
            return self._burn_higher(nonce, now) if unknown else []
        if self._held.dead() and not self._held.sent():
            return self._finish(self._held.dead()[0], Fate.WITHOUT_EFFECT, now)
        if self._probe is not None:
            return self._push_probe(self._probe, nonce, now)
        if nonce > self.nonce + 1:
            self._supersede(nonce)
            return []
        return self._prepare(BurnRequest(), self.nonce + 1, at_once=True) if unknown else []

    def _burn_higher(self, nonce: int, now: Instant) -> list[Command]:
        """At a start: somebody used the nonce, or the read lagged. What we hold is read once a higher burn has run."""
        for held in self._held:
            self._fates.add(held.candidate)
        self._held.clear()
        self._consumed_ms = None
        return self._boot_burn(nonce, now)

    def _push_probe(self, probe: Probe, nonce: int, now: Instant) -> list[Command]:
        """See the probe executed: send it again, or sign another where it is dead or its signature has ended."""
        if nonce > self.nonce + 2:
            self._supersede(nonce)
            return []
        if nonce > self.nonce + 1:
            probe.used(now.mono_ms)
            return self._conclude_absent(probe, nonce, now)
        if probe.usable(now.wall_ms):
            return [Send(candidate=probe.candidate)]
        return [] if self._tickets.sending else self._prepare(BurnRequest(), self.nonce + 1, at_once=True)

    def _conclude_absent(self, probe: Probe, nonce: int, now: Instant) -> list[Command]:
        """After the proof and the read lag, a candidate that cannot be read did not run."""
        if probe.proved_ms is None or not self._held.absent(probe.proved_ms + self.read_lag_ms):
            return []
        if self._held.dead():
            return self._finish(self._held.dead()[0], Fate.WITHOUT_EFFECT, now)
        self._supersede(nonce)
        return []

    def _send_again_or_burn(self, now: Instant, wanted: Wanted) -> list[Command]:
        """The nonce is not consumed: send the identical bytes while still wanted, else something harmless."""
        if self._tickets.sending:
            return []
        burn = self._held.burn()
        for held in self._held.sent():
            if held is not burn and self._still_wanted(held, now, wanted):
                return self._send(held, now)
        if burn is not None and burn.candidate.expires_ms > now.wall_ms + limits.SIGNATURE_MARGIN_MS:
            return self._send(burn, now)
        return self._burn(self.nonce, now)

    def _still_wanted(self, held: Held, now: Instant, wanted: Wanted) -> bool:
        if self._booting or held.dead or held.candidate.expires_ms <= now.wall_ms + limits.SIGNATURE_MARGIN_MS:
            return False
        request = held.candidate.request
        return not isinstance(request, OrderRequest) or wanted(request)

    def _burn(self, nonce: int, now: Instant) -> list[Command]:
        if self._tickets.sending:
            return []
        self._deadline_ms = now.mono_ms + limits.ANSWER_MS_MAX
        return self._prepare(BurnRequest(), nonce, at_once=True)

    def _on_tx(self, event: TxReported, now: Instant) -> list[Command]:
        if event.status is None:
            return []
        if self._probe is not None and event.tx_hash == self._probe.candidate.tx_hash:
            if self._probe.reported(event.status, now.mono_ms):
                self._deadline_ms = now.mono_ms + self.read_lag_ms
            return []
        if self.phase is LanePhase.LAGGING:
            return self._on_fate(event)
        held = self._held.get(event.tx_hash)
        if held is None or held.status is TxStatus.EXECUTED:
            return []
        held.status = event.status
        held.asked_ms = event.asked_ms
        held.error = event.error
        if held.sends == 0 or self.phase not in (LanePhase.SENT, LanePhase.RESOLVING):
            return []
        if event.status is TxStatus.EXECUTED:
            return self._won(held, now)
        if event.status is TxStatus.FAILED:
            self.phase = LanePhase.RESOLVING
            return self._ask(now)
        return []

    def _won(self, held: Held, now: Instant) -> list[Command]:
        """This candidate consumed the nonce. An order's row must still be seen, or be known not to exist."""
        if held.error:
            return self._finish(held, Fate.WITHOUT_EFFECT, now)
        if not isinstance(held.candidate.request, OrderRequest) or held.row_seen:
            return self._finish(held, Fate.EXECUTED, now)
        self._winner = held.candidate.tx_hash
        self._winner_ms = now.mono_ms
        self.phase = LanePhase.RESOLVING
        self._deadline_ms = now.mono_ms + limits.POLL_MS
        return []

    def _on_orders(self, event: OrdersRead, now: Instant) -> list[Command]:
        if event.rows is None or self.phase not in (LanePhase.SENT, LanePhase.RESOLVING):
            return []
        for row in event.rows:
            commands = self.evidence(row.coid, now)
            if commands:
                return commands
        if not self._winner:
            return []
        held = self._held.get(self._winner)
        assert held is not None
        if self._winner_request().coid in event.coids and event.asked_ms >= self._winner_ms + self.read_lag_ms:
            return self._finish(held, Fate.WITHOUT_EFFECT, now)
        return []

    def _finish(self, held: Held, fate: Fate, now: Instant) -> list[Command]:
        """The nonce of ``held`` is settled by it; every other candidate of that nonce is dead."""
        candidate = held.candidate
        assert candidate.nonce == self.nonce
        for other in self._held:
            if other is not held and other.sends > 0:
                self._settle(other, Fate.WITHOUT_EFFECT, message="another transaction took its nonce")
            self._fates.known(other.candidate.tx_hash)
        self._settle(held, fate, message=held.error)
        fenced = isinstance(candidate.request, BurnRequest) and fate is Fate.EXECUTED
        return self._next_nonce(candidate.tx_hash, fate.value, now, fenced=fenced)

    def _next_nonce(self, winner: str, why: str, now: Instant, *, fenced: bool = False) -> list[Command]:
        commands: list[Command] = [Record(entry=NonceSettled(nonce=self.nonce, winner=winner, why=why))]
        probe, self._probe = self._probe, None
        self._poll_ms = limits.POLL_MS
        self.nonce += 1
        self._held.clear()
        self._winner, self._consumed_ms = "", None
        if probe is not None and probe.proved_ms is None:  # it stands under the nonce that is now current
            for one in probe.all:
                self._held.add(one.candidate, sends=2).status = TxStatus.FAILED if one.failed else None
            self.phase = LanePhase.RESOLVING
            return commands + self._ask(now)
        if probe is not None:
            tx_hash = probe.candidate.tx_hash
            commands.append(Record(entry=NonceSettled(nonce=self.nonce, winner=tx_hash, why="probe")))
            self.nonce += 1
        if not self._booting:
            self.phase = LanePhase.READY
        elif fenced:
            self.phase = LanePhase.LAGGING
            self._deadline_ms = now.mono_ms + self.read_lag_ms
            self._fates.readable_from(self._deadline_ms)
        else:
            self.phase = LanePhase.BOOT
            commands.append(ReadNonce())
        return commands

    def _settle(self, held: Held, fate: Fate, *, code: int = 0, message: str = "") -> None:
        request, tx_hash = held.candidate.request, held.candidate.tx_hash
        self.settlements.append(Settlement(request=request, fate=fate, tx_hash=tx_hash, code=code, message=message))

    def _supersede(self, nonce: int) -> None:
        assert nonce > self.nonce
        self.phase = LanePhase.SUPERSEDED
        self._held.clear()

    def _on_fate(self, event: TxReported) -> list[Command]:
        read = self._fates.read(event)
        if read is None:
            return []
        settled, commands = read
        self.settlements += settled
        self._poll_ms = limits.POLL_MS
        return commands if self._fates.unread else commands + self._end_boot()

    def _end_boot(self) -> list[Command]:
        """The burn has executed, the lag is over, every older fate is known."""
        self._booting, self._poll_ms = False, limits.POLL_MS
        self.phase = LanePhase.READY
        return []

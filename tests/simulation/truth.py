"""What has happened at the exchange and in the journals, in the order in which it happened: what the checkers read."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.simulation.process import Process
from tests.simulation.sim_server import ACCOUNTS, ROLES, SimServer, signed
from tests.simulation.sim_venue import SimVenue

from lighter_hedge.domain.commands import Announced, BaselineSet, Entry
from lighter_hedge.domain.events import (
    AccountRead,
    AnswerKind,
    Candidate,
    Event,
    HedgerHeard,
    MakerHeard,
    OrderKind,
    OrderRequest,
    SendAnswered,
    TradeReported,
)
from lighter_hedge.domain.settings import DeskSettings
from lighter_hedge.domain.states import Announce, Role
from lighter_hedge.simulator.core.orders import Order, OrderStatus, Trade

if TYPE_CHECKING:
    from tests.simulation.facts import Facts

SEEN_SECONDS = 0.5
"""A trade is known to the other side after so long, where nothing hampers its stream."""
HELD_SECONDS = 1.05
"""A write may be held up for a second."""
KNOWN_SECONDS = 10.0
"""After so long, whatever the exchange has done is known to a side that runs."""
NOT_TAKEN = (AnswerKind.REJECTED, AnswerKind.NOT_SENT, AnswerKind.THROTTLED)
"""Answers which say that this send does not execute."""


class Violation(AssertionError):
    """An invariant is broken."""


@dataclass(slots=True)
class Sent:
    """An order of the desk and when its bytes first left a process."""

    request: OrderRequest
    at: float
    again: float = -1e9
    """When they last left it again."""
    base: int = 0
    """A + B at the baseline of then."""


@dataclass(slots=True)
class Fill:
    """One execution of one account of the desk."""

    at: float
    role: Role
    lots: int
    """Signed."""
    price: int
    coid: int
    late: bool
    """Its order had been called ended."""
    before: int
    """A + B before it."""
    counterparty: int
    """Account index of the other side, where that was an order of the desk too; else 0."""
    closing: bool
    """Of a reduce-only order: a person's ``clear``, or a flatten."""

    @property
    def after(self) -> int:
        """A + B after it."""
        return self.before + self.lots


@dataclass(slots=True)
class Truth:
    """The exchange's own record, with what was written down and sent before."""

    server: SimServer
    desk: DeskSettings
    at_send: "tuple[Callable[[Truth, SimVenue, OrderRequest], None], ...]" = ()
    """Checked when the bytes of an order first leave a process."""
    at_quote: "tuple[Callable[[Truth, Order, Sent], None], ...]" = ()
    """Checked when a quote of A comes to rest in the book."""
    at_fill: "tuple[Callable[[Truth, Fill], None], ...]" = ()
    """Checked at every fill."""
    at_effect: "Mapping[str, tuple[Callable[[Truth, Process, Any], None], ...]]" = field(default_factory=dict)
    """Checked at every effect of a process, by its kind."""
    at_commit: "Mapping[type, tuple[Callable[[Truth, Process, Any], None], ...]]" = field(default_factory=dict)
    """Checked at everything that is written down, by its kind."""
    facts: "Facts" = field(init=False)
    """What the world has seen beside all this."""
    totals: dict[Role, int] = field(default_factory=lambda: dict.fromkeys(Role, 0))
    """Signed lots that the desk's own orders have filled since the baseline."""
    base: int = 0
    """A + B when a side took over what it found: nothing, but for a residual or what was not the desk's own."""
    fills: list[Fill] = field(default_factory=list)
    sent: dict[Role, dict[int, Sent]] = field(default_factory=lambda: {role: {} for role in Role})
    announced: dict[int, tuple[Announce, float]] = field(default_factory=dict)
    """Announces in A's journals by client order index, and when they were written."""
    armed: dict[int, float] = field(default_factory=dict)
    """Announces in B's journals: since when."""
    hedge_signed: dict[int, float] = field(default_factory=dict)
    """By round, when B last wrote down a signed hedge of it."""
    quotes_sent: dict[str, deque[float]] = field(default_factory=dict)
    """By life of A, when it first sent its opening quotes of the last minute."""
    rounds: set[int] = field(default_factory=set)
    """Rounds in which A has filled something."""
    foreign: int = 0
    """Trades that are not the desk's."""
    foreign_lots: int = 0
    """What they have traded lately, signed: within ``KNOWN_SECONDS``, or as long as B has not seen all of them."""
    foreign_at: float = -1e9
    foreign_unseen: set[int] = field(default_factory=set)
    """Ids of those that B has not seen."""
    late_lots: int = 0
    """How much the exchange filled after it had called an order ended, and when."""
    late_at: float = -1e9
    alone_lots: int = 0
    """What A has closed at a person's word while it did not hear B, within ``KNOWN_SECONDS``."""
    alone_at: float = -1e9
    alone_coids: set[int] = field(default_factory=set)
    """The orders that closed it, as long as B has seen no trade of them."""
    exposed_since: float | None = None
    able_since: dict[Role, float] = field(default_factory=lambda: dict.fromkeys(Role, 0.0))
    """Since when a side has run and been able to read and send without hindrance."""
    heard: float = 0.0
    """When A last heard a state of B."""
    person_asked: float = -1e9
    """When a person last told B to go from where the market is."""
    broken: list[Violation] = field(default_factory=list)
    _newest: dict[Role, tuple[str, int, int]] = field(default_factory=dict)
    """The newest state that a side has heard: by which life, and its number."""

    # --- sources ---

    def watch(self, process: Process) -> None:
        """Hear of everything that this instance writes down and sends."""
        process.venue.on_send = self.on_send
        process.journal.on_commit = lambda what: self.on_commit(process, what)

    def on_commit(self, process: Process, what: Candidate | Entry) -> None:
        now = self.server.loop.time()
        if isinstance(what, BaselineSet):
            held = sum(self.server.account(role).position(self.desk.market).lots for role in Role)
            self.base = held - sum(self.totals.values())
            self.foreign_lots, self.foreign_unseen = 0, set()
        elif isinstance(what, Announced):
            if process.role is Role.MAKER:
                known, _ = self.announced.get(what.announce.coid, (what.announce, 0.0))
                if what.announce.epoch >= known.epoch:  # an older instance that wakes up numbers from the same journal
                    self.announced[what.announce.coid] = (what.announce, now)
            else:
                self.armed[what.announce.coid] = now
        elif isinstance(what, Candidate) and process.role is Role.HEDGER and isinstance(what.request, OrderRequest):
            self.hedge_signed[what.request.round] = now
        self.facts.written(what)
        for checker in self.at_commit.get(type(what), ()):
            self._check(checker, process, what)

    def on_effect(self, process: Process, what: str, detail: object) -> None:
        if what in ("send", "read"):
            self.facts.requested(process.name)
        elif what == "alert":
            self.facts.told(str(detail))
        for checker in self.at_effect.get(what, ()):
            self._check(checker, process, detail)

    def on_send(self, venue: SimVenue, candidate: Candidate) -> None:
        request = candidate.request
        if not isinstance(request, OrderRequest):
            return
        known = self.sent[venue.role].get(request.coid)
        if known is not None:
            known.again = self.server.loop.time()
            return
        self.sent[venue.role][request.coid] = Sent(request, self.server.loop.time(), base=self.base)
        for checker in self.at_send:
            self._check(checker, venue, request)

    def on_event(self, process: Process, event: Event) -> None:
        if isinstance(event, MakerHeard | HedgerHeard):
            newest = (process.name, event.state.epoch, event.state.seq)
            if newest != self._newest.get(process.role):  # the last state, read once more, says nothing about now
                self._newest[process.role] = newest
                self.facts.heard[process.name] = now = self.server.loop.time()
                if process.role is Role.MAKER:
                    self.heard = now
        elif isinstance(event, TradeReported) and process.role is Role.HEDGER:
            self.alone_coids.discard(event.trade.coid)
            self.foreign_unseen.discard(event.trade.trade_id)
        elif isinstance(event, SendAnswered) and event.answer.kind in NOT_TAKEN:
            self.facts.refused.add(event.tx_hash)
        elif isinstance(event, AccountRead) and event.position is None:
            self.facts.unread_at = self.server.loop.time()

    def on_order(self, order: Order) -> None:
        if order.account_index == ACCOUNTS[Role.MAKER] and order.is_open and not order.filled_lots:
            known = self.sent[Role.MAKER].get(order.client_order_index)
            versions = self.server.exchange.state.versions[order.order_index]
            if known is not None and len(versions) == 1:
                for checker in self.at_quote:
                    self._check(checker, order, known)

    def on_trade(self, trade: Trade) -> None:
        for side in (trade.maker, trade.taker):
            role = ROLES.get(side.account_index)
            if role is not None:
                self._fill(trade, role, side.client_order_index, side.order_index)

    def _fill(self, trade: Trade, role: Role, coid: int, order_index: int) -> None:
        serial = self.desk.desk.serial(coid)
        now = self.server.loop.time()
        if serial is None or trade.kind != "trade":
            self.foreign += 1
            if now - self.foreign_at >= KNOWN_SECONDS and not self.foreign_unseen:
                self.foreign_lots = 0
            self.foreign_lots, self.foreign_at = self.foreign_lots + signed(trade, ACCOUNTS[role]), now
            self.foreign_unseen.add(trade.trade_id)
            return
        known = self.server.exchange.state.orders.get(order_index)
        sent = self.sent[role].get(coid)
        fill = Fill(
            at=now,
            role=role,
            lots=signed(trade, ACCOUNTS[role]),
            price=trade.price_ticks,
            coid=coid,
            late=known is not None and known.status not in (OrderStatus.OPEN, OrderStatus.FILLED),
            before=self.net,
            counterparty=self._met(trade, role),
            closing=sent is not None and sent.request.reduce_only,
        )
        self.totals[role] += fill.lots
        self.fills.append(fill)
        if fill.late:
            self.late_lots += abs(fill.lots)
            self.late_at = fill.at
        if role is Role.MAKER and fill.closing and fill.at - self.heard > self.desk.heartbeat_ms_max / 1000:
            if fill.at - self.alone_at >= KNOWN_SECONDS:
                self.alone_lots, self.alone_coids = 0, set()
            self.alone_lots, self.alone_at = self.alone_lots + abs(fill.lots), fill.at
            self.alone_coids.add(coid)
        if role is Role.MAKER and sent is not None and sent.request.kind is OrderKind.QUOTE:
            self.rounds.add(sent.request.round)
        self._time_exposure(fill.at)
        self.facts.filled(fill, self.min_lots)
        for checker in self.at_fill:
            self._check(checker, fill)

    def _met(self, trade: Trade, role: Role) -> int:
        """Account of the other party, if that was an order of the desk; what the user trades by hand is his own."""
        for side in (trade.maker, trade.taker):
            if side.account_index != ACCOUNTS[role] and self.desk.desk.serial(side.client_order_index) is not None:
                return side.account_index
        return 0

    # --- what follows from it ---

    @property
    def net(self) -> int:
        """A fills + B fills since the baseline, signed lots."""
        return self.base + sum(self.totals.values())

    @property
    def min_lots(self) -> int:
        """The minimum that the newest announce carries, which both sides use."""
        if not self.announced:
            return self.desk.market.min_base_lots
        return next(reversed(self.announced.values()))[0].min_lots

    def excused_lots(self, now: float) -> int:
        """By how much a hedge may be wrong because the exchange has just taken back the end of an order."""
        return self.late_lots if now - self.late_at < KNOWN_SECONDS else 0

    def crossed_lots(self, fill: Fill) -> int:
        """What a hedge that was on its way while A closed alone may be wrong by: neither could know of the other."""
        sent = self.sent[Role.HEDGER].get(fill.coid)
        if sent is None or fill.at - self.alone_at >= KNOWN_SECONDS:
            return 0
        left = max(sent.at, sent.again)
        return self.alone_lots if self.alone_coids or left < self.alone_at + SEEN_SECONDS else 0

    def foreign_met(self, fill: Fill) -> int:
        """By what A + B was another for this hedge, since foreign trades are not the desk's.

        Those of before it left count, shortly or as long as B has not seen them: of an account whose trades are not
        shown, its position alone speaks. Those that a baseline has taken in since it left do not.
        """
        sent = self.sent[Role.HEDGER].get(fill.coid)
        if sent is None:
            return 0
        since = sent.at - self.foreign_at
        met = since >= 0 and (since < KNOWN_SECONDS or self.foreign_unseen)
        return self.foreign_lots if met else sent.base - self.base

    def rebase(self) -> None:
        """A person has made both accounts flat by hand, or taken the positions over: everything counts from here."""
        self.totals, self.base = dict.fromkeys(Role, 0), 0
        self.late_lots = self.foreign_lots = 0
        self.foreign_unseen = set()
        self.exposed_since = None

    def hamper(self, role: Role) -> None:
        """Something keeps a side from seeing or acting now: its time to do so begins anew."""
        self.able_since[role] = self.server.loop.time()

    def _time_exposure(self, now: float) -> None:
        if abs(self.net) < self.min_lots:
            self.exposed_since = None
        elif self.exposed_since is None:
            self.exposed_since = now

    def _check(self, checker: "Callable[..., None]", *what: object) -> None:
        """Keep what a checker finds: it looks in the middle of somebody's doing, who must not hear of it."""
        try:
            checker(self, *what)
        except Violation as violation:
            self.broken.append(violation)

    def raise_first(self) -> None:
        """Raises ``Violation`` with the first invariant that broke."""
        if self.broken:
            raise self.broken[0]

"""What the page shows, folded from what A and B say: states, log lines, times. Pure.

``update`` gives only the parts that have changed, so that a viewer costs next to nothing while nothing happens.
"""

import dataclasses
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import msgspec

from lighter_hedge.dashboard.rounds import Distribution, Hedges, RoundSteps
from lighter_hedge.dashboard.schema import (
    Account,
    Ages,
    Badge,
    Command,
    Cost,
    Event,
    Exposure,
    Position,
    Round,
    Totals,
    Update,
)
from lighter_hedge.dashboard.words import Words
from lighter_hedge.domain.states import HedgerState, MakerState, OrderFills, Role
from lighter_hedge.domain.units import MarketSpec, decimal_text
from lighter_hedge.messaging.telemetry import Said, Stamped
from lighter_hedge.ops.status import DeskView, view

EVENTS_KEPT: Final = 300
ROUNDS_KEPT: Final = 100
POSITIONS_KEPT: Final = 1_500
COMMANDS_KEPT: Final = 6
HEDGING_MS: Final = 3_000
"""A younger exposure is a hedge on its way, not yet an alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the configuration says of the desk."""

    desk: str
    market: str
    network: str
    version: str
    names: Mapping[Role, str]
    indices: Mapping[Role, int]
    quantity: Decimal
    """Of an opening quote, in the base currency."""
    unhedged_ms_max: int
    stale_ms: int
    read_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """What this machine knows of the desk's processes."""

    pids: Mapping[str, int] = field(default_factory=dict)
    monitor_pid: int | None = None
    ended: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AtVenue:
    """What a read of both accounts at the venue has said, by ``A`` and ``B``, as the venue writes it."""

    entry: Mapping[str, str] = field(default_factory=dict)
    pnl: Mapping[str, str] = field(default_factory=dict)
    available: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Sums:
    """Over the rounds seen so far; amounts in millionths of a dollar."""

    rounds: int = 0
    failed: int = 0
    volume: int = 0
    cost: int = 0


@dataclass(slots=True, kw_only=True)
class Projection:
    """The page's view of one desk."""

    about: About
    words: Words = field(default_factory=Words)
    dirty: bool = True
    """Whether something has come since the last ``update``."""
    levels: dict[str, int] = field(default_factory=dict)
    """Log lines by level, since the page began."""
    _mark: int = 0
    """Newest price known by the venue itself; 0 for none."""
    _maker: MakerState | None = None
    _hedger: HedgerState | None = None
    _local: Local = field(default_factory=Local)
    _venue: AtVenue = field(default_factory=AtVenue)
    _redis: bool = False
    _round: RoundSteps = field(default_factory=RoundSteps)
    _hedges: Hedges = field(default_factory=Hedges)
    _since_ms: int | None = None
    _started_ms: int | None = None
    _since_first: int = 0
    _sums: _Sums = field(default_factory=lambda: _Sums())
    _ended: RoundSteps | None = None
    """The round before this one: its times may come late."""
    _rounds: deque[Round] = field(default_factory=lambda: deque(maxlen=ROUNDS_KEPT))
    _serial: int = 0
    _events: deque[Event] = field(default_factory=lambda: deque(maxlen=EVENTS_KEPT))
    _positions: deque[Position] = field(default_factory=lambda: deque(maxlen=POSITIONS_KEPT))
    _costs: deque[Cost] = field(default_factory=lambda: deque(maxlen=POSITIONS_KEPT))
    _commands: dict[str, Command] = field(default_factory=dict)
    _shown: dict[str, Any] = field(default_factory=dict)
    _new: dict[str, list[Any]] = field(default_factory=dict)

    # --- what comes in ----------------------------------------------------------------------------------------------

    def heard(self, state: MakerState | HedgerState) -> None:
        """A new state of A or B."""
        self._since_first = self._since_first or state.at_ms
        if self._round.is_over(state):
            self._close_round(state.at_ms)
        if isinstance(state, MakerState):
            if self._maker is None or self._maker.epoch != state.epoch:
                self._started_ms = state.at_ms
            self._maker = state
            self._hedges.heard("A", state.fills)
        else:
            self._hedger = state
            self._hedges.heard("B", state.fills)
        self._round.heard(state)
        self._acknowledged(state)
        self._watch_exposure(state.at_ms)
        self._redis = self.dirty = True

    def told(self, record: Said | Stamped) -> None:
        """A log line, or the times of a fill or a hedge."""
        self.dirty = True
        if isinstance(record, Said):
            self._serial += 1
            self.levels[record.level] = self.levels.get(record.level, 0) + 1
            event = Event(
                id=self._serial,
                at_ms=record.at_ms,
                source=record.source,
                level=record.level,
                code=record.code,
                text=record.text,
            )
            self._events.append(event)
            self._new.setdefault("events", []).append(event)
            return
        self._round.timed(record)
        if self._ended is not None and self._ended.number == record.round:  # told after the next round had begun
            self._ended.timed(record)
            self._rounds.pop()
            self._tell_ended(self._ended)
        point = self._hedges.timed(record)
        if point is not None:
            self._new.setdefault("latencies", []).append(point)

    def looked(self, local: Local) -> None:
        """What this machine knows of the processes."""
        self.dirty = self.dirty or local != self._local
        self._local = local

    def reached(self, *, redis: bool) -> None:
        """Whether Redis answers."""
        self.dirty = self.dirty or redis != self._redis
        self._redis = redis

    def learned(self, spec: MarketSpec, price: int) -> None:
        """The market's rules, and its newest price in ticks (0 for none)."""
        self.words, self._mark, self.dirty = Words(spec=spec), price, True

    def read(self, venue: AtVenue) -> None:
        """Both accounts, as the venue tells."""
        self.dirty = self.dirty or venue != self._venue
        self._venue = venue

    def commanded(self, command: Command) -> None:
        """A command of this page, or how far it has come."""
        known = self._commands.get(command.id)
        if known is not None:
            command = msgspec.structs.replace(command, acked=known.acked)
        self._commands[command.id] = command
        while len(self._commands) > COMMANDS_KEPT:
            del self._commands[next(iter(self._commands))]
        self.dirty = True

    def unanswered(self, command_id: str) -> list[str]:
        """Who has not acknowledged a command of this page."""
        known = self._commands.get(command_id)
        return [] if known is None else [letter for letter in ("A", "B") if letter not in known.acked]

    @property
    def latency(self) -> Distribution:
        """Of all hedges since the page began."""
        return self._hedges.distribution

    def running(self, now_ms: int) -> bool:
        """Whether a side lives."""
        return self._view(now_ms).running

    # --- what goes out ----------------------------------------------------------------------------------------------

    def update(self, now_ms: int) -> Update:
        """What has changed since the last one."""
        parts = self._parts(now_ms)
        changed = {name: part for name, part in parts.items() if name not in self._shown or part != self._shown[name]}
        changed |= {name: tuple(rows) for name, rows in self._new.items()}
        self._shown, self._new, self.dirty = parts, {}, False
        return Update(server_ms=now_ms, **changed)

    def whole(self, now_ms: int) -> Update:
        """Everything."""
        return Update(
            server_ms=now_ms,
            **self._parts(now_ms),
            rounds=tuple(self._rounds),
            events=tuple(self._events),
            positions=tuple(self._positions),
            latencies=tuple(self._hedges.latencies),
            costs=tuple(self._costs),
        )

    def _parts(self, now_ms: int) -> dict[str, Any]:
        desk = self._view(now_ms)
        makers: dict[str, Callable[[], Any]] = {
            "badge": lambda: self._badge(desk),
            "exposure": lambda: self._exposure(desk, now_ms),
            "ages": self._ages,
            "accounts": lambda: (self._account_a(desk), self._account_b(desk)),
            "round": lambda: self._round.as_round(self.words),
            "hedge": lambda: self._hedges.as_hedge(self.words),
            "totals": self._totals,
            "commands": lambda: tuple(self._commands.values()),
        }
        return {name: make() for name, make in makers.items()}

    def _view(self, now_ms: int) -> DeskView:
        return view(
            self.about.desk,
            self._maker,
            self._hedger,
            now_ms=now_ms,
            stale_ms=self.about.stale_ms,
            pids=self._local.pids,
            monitor_pid=self._local.monitor_pid,
            ended=self._local.ended,
        )

    def _badge(self, desk: DeskView) -> Badge:
        about, pause = self.about, desk.pause
        return Badge(
            desk=about.desk,
            market=about.market,
            network=about.network,
            version=about.version,
            mode=desk.mode,
            pause_id=None if pause is None else pause.id,
            reason="" if pause is None else pause.reason,
            code="" if pause is None else pause.code,
            since_ms=None if pause is None else pause.since_ms,
            waiting=desk.waiting,
            notes=desk.notes,
            started_ms=self._started_ms if desk.a_alive else None,
            read_only=about.read_only,
            size_decimals=None if self.words.spec is None else self.words.spec.size_decimals,
        )

    def _exposure(self, desk: DeskView, now_ms: int) -> Exposure:
        net, residual = desk.net, self._maker.residual if self._maker else 0
        price = self._mark if self._maker is None or self._maker.announce is None else self._maker.announce.price
        if desk.hedged is None:
            word = "unknown"
        elif desk.hedged:
            word = "hedged"
        else:
            young = self._since_ms is not None and now_ms - self._since_ms < HEDGING_MS
            word = "hedging" if young else "unhedged"
        return Exposure(
            net=None if net is None else self.words.size(net),
            net_lots=net,
            usd=None if net is None else self.words.usd(net, price),
            price=self.words.price(price) if price else None,
            word=word,
            since_ms=None if desk.hedged else self._since_ms,
            limit_ms=self.about.unhedged_ms_max,
            residual=self.words.size(residual) if residual else None,
        )

    def _ages(self) -> Ages:
        return Ages(
            a_ms=None if self._maker is None else self._maker.at_ms,
            b_ms=None if self._hedger is None else self._hedger.at_ms,
            stale_ms=self.about.stale_ms,
            redis=self._redis,
        )

    def _totals(self) -> Totals:
        sums = self._sums
        return Totals(
            since_ms=self._since_first,
            rounds=sums.rounds,
            failed=sums.failed,
            volume_usd=decimal_text(sums.volume // 10_000, 2),
            cost_usd=decimal_text(sums.cost // 100, 4),
            cost_per_10000=decimal_text(sums.cost * 1_000_000 // sums.volume, 2) if sums.volume else None,
        )

    def _account_a(self, desk: DeskView) -> Account:
        state = self._maker
        return Account(
            letter="A",
            name=self.about.names[Role.MAKER],
            index=self.about.indices[Role.MAKER],
            alive=desk.a_alive,
            ready=state is not None and state.ready,
            position=None if desk.a_position is None else self.words.size(desk.a_position),
            open_orders=_open(state.fills) if state else 0,
            unresolved=0,
            tries=0,
            armed=None,
            said="; ".join(desk.waiting),
            **self._money("A"),
        )

    def _account_b(self, desk: DeskView) -> Account:
        state = self._hedger
        armed = state.armed if state else None
        return Account(
            letter="B",
            name=self.about.names[Role.HEDGER],
            index=self.about.indices[Role.HEDGER],
            alive=desk.b_alive,
            ready=state is not None and state.ready,
            position=None if desk.b_position is None else self.words.size(desk.b_position),
            open_orders=_open(state.fills) if state else 0,
            unresolved=state.unresolved if state else 0,
            tries=state.tries if state else 0,
            armed=self.words.size(armed.lots) if armed else None,
            said=state.disarmed if state else "",
            **self._money("B"),
        )

    def _money(self, letter: str) -> dict[str, Any]:
        """What the venue says of one account."""
        available = self._venue.available.get(letter)
        price = None if self.words.spec is None or not self._mark else Decimal(self.words.price(self._mark))
        quotes = None if available is None or price is None else int(Decimal(available) / (self.about.quantity * price))
        return {
            "entry": self._venue.entry.get(letter),
            "pnl": self._venue.pnl.get(letter),
            "collateral": available,
            "quotes": quotes,
        }

    # --- what it remembers ------------------------------------------------------------------------------------------

    def _close_round(self, at_ms: int) -> None:
        """The round that is shown has ended: another one begins."""
        self._ended = dataclasses.replace(self._round, times=dict(self._round.times))
        self._tell_ended(self._ended)
        volume, cost = self._hedges.of_round(self._ended.number)
        self._sums.rounds += volume > 0
        self._sums.failed += volume == 0
        self._sums.volume += volume
        self._sums.cost += cost
        point = Cost(at_ms=at_ms, cost=self._sums.cost)
        self._costs.append(point)
        self._new.setdefault("costs", []).append(point)

    def _tell_ended(self, steps: RoundSteps) -> None:
        ended = steps.as_round(self.words)
        assert ended is not None
        self._rounds.append(ended)
        self._new.setdefault("rounds", []).append(ended)

    def _watch_exposure(self, at_ms: int) -> None:
        desk = self._view(at_ms)
        if desk.hedged is not False:
            self._since_ms = None
        elif self._since_ms is None:
            self._since_ms = at_ms
        a, b = desk.a_position, desk.b_position
        if a is None or b is None:
            return
        last = self._positions[-1] if self._positions else None
        if last is None or (last.a, last.b) != (a, b):
            point = Position(at_ms=at_ms, a=a, b=b)
            self._positions.append(point)
            self._new.setdefault("positions", []).append(point)

    def _acknowledged(self, state: MakerState | HedgerState) -> None:
        letter = "A" if isinstance(state, MakerState) else "B"
        for known in self._commands.values():
            if known.id in state.acks and letter not in known.acked:
                acked = tuple(sorted((*known.acked, letter)))
                self._commands[known.id] = msgspec.structs.replace(known, acked=acked)


def _open(fills: Collection[OrderFills]) -> int:
    """How many orders have not ended."""
    return sum(not each.closed for each in fills)

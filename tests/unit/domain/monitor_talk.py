"""A dialogue with the monitor: what it sees, and whom it calls."""

from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from tests.unit.domain.builders import DESK, MARKET, PRICE, at, hedger_state, maker_state, trade

from lighter_hedge.domain.commands import Alert, ReadAccount
from lighter_hedge.domain.events import (
    AccountRead,
    FeedClosed,
    FeedOpened,
    HedgerHeard,
    Instant,
    MakerHeard,
    MarketHeard,
    MessagingChanged,
    PositionReported,
    Ticked,
    TradeReported,
)
from lighter_hedge.domain.incidents import Incident, Recovered
from lighter_hedge.domain.monitor import Monitor
from lighter_hedge.domain.monitor_words import MarketLearned, MonitorCommand, MonitorEvent, MonitorSettings
from lighter_hedge.domain.states import OperatorCommand, Role
from lighter_hedge.domain.units import Side

A, B = Role.MAKER, Role.HEDGER
TICK_MS = 250
SETTINGS = MonitorSettings(
    desk=DESK,
    accounts={A: 65, B: 66},
    unhedged_ms_max=90_000,
    heartbeat_ms_max=3_000,
    read_lag_ms=1_000,
    reconcile_ms=30_000,
)


@dataclass
class Watched:
    """A desk as the monitor sees it. Both sides speak every second, unless they are told not to."""

    machine: Monitor = field(default_factory=lambda: Monitor.create(SETTINGS))
    ms: int = 0
    log: list[MonitorCommand] = field(default_factory=list)
    speaking: set[Role] = field(default_factory=lambda: {A, B})
    reads: dict[Role, tuple[int | None, int]] = field(default_factory=lambda: {A: (0, 0), B: (0, 0)})
    """What REST shows of an account: position (None: the read fails) and open orders."""
    says: dict[Role, dict[str, Any]] = field(default_factory=lambda: {A: {}, B: {}})
    """What differs in a side's states from the builders' ones."""
    positions: dict[Role, int] = field(default_factory=lambda: {A: 0, B: 0})
    _seq: "count[int]" = field(default_factory=lambda: count(1))
    _trade_ids: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def now(self) -> Instant:
        return at(self.ms)

    def hear(self, event: MonitorEvent) -> list[MonitorCommand]:
        commands = self.machine.step(event, self.now)
        self.log += commands
        for command in commands:
            if isinstance(command, ReadAccount):
                position, orders = self.reads[command.role]
                self.hear(
                    AccountRead(
                        role=command.role,
                        position=position,
                        available=0,
                        open_orders=orders,
                        asked_ms=self.now.mono_ms,
                    )
                )
        return commands

    def wait(self, ms: int) -> None:
        """Time passes; who speaks says its whole state each second."""
        ends = self.ms + ms
        while self.ms < ends:
            self.ms += TICK_MS
            if self.ms % 1_000 == 0:
                for role in sorted(self.speaking, key=lambda each: each.letter):
                    self.speak(role)
            self.hear(Ticked())

    def speak(self, role: Role, **changes: Any) -> None:
        said: dict[str, Any] = {"position": self.positions[role], **self.says[role], **changes}
        said |= {"seq": next(self._seq), "at_ms": self.now.wall_ms}
        if role is A:
            self.hear(MakerHeard(state=maker_state(**said)))
        else:
            self.hear(HedgerHeard(state=hedger_state(**said)))

    def position(self, role: Role, lots: int) -> None:
        """The venue says what an account holds, and so does its side."""
        self.positions[role] = lots
        self.reads[role] = (lots, self.reads[role][1])
        self.hear(PositionReported(role=role, lots=lots))

    def trade(self, role: Role, signed: int, serial: int = 1, **changes: Any) -> None:
        """An account trades, in two frames: the trade, then the position."""
        side = Side.of_sign(signed)
        report = trade(next(self._trade_ids), serial, side=side, lots=abs(signed))
        self.hear(TradeReported(role=role, trade=replace(report, **changes)))
        self.position(role, self.positions[role] + signed)

    def alerts(self) -> list[str]:
        """Codes of all alerts so far."""
        return [command.code for command in self.log if isinstance(command, Alert)]

    def recovered(self) -> list[str]:
        return [command.code for command in self.log if isinstance(command, Recovered)]

    def texts(self) -> list[str]:
        return [command.text for command in self.log if isinstance(command, Alert | Recovered)]


def watching(*, venue: bool = True, states: bool = True, incidents: tuple[Incident, ...] = ()) -> Watched:
    """A quiet desk with both eyes open, and counting."""
    watched = Watched(machine=Monitor.create(SETTINGS, incidents))
    watched.hear(Ticked())
    if states:
        watched.hear(MessagingChanged(up=True))
    if not venue:
        watched.reads = {A: (None, 0), B: (None, 0)}
    else:
        watched.hear(MarketLearned(market=MARKET))
        watched.hear(MarketHeard(mark=PRICE))
        open_feed(watched)
    for role in watched.speaking if states else ():
        watched.speak(role)
    watched.wait(3_000)
    assert watched.alerts() == []
    return watched


def open_feed(watched: Watched) -> None:
    """The stream opens, with a snapshot of both positions."""
    for role in Role:
        watched.hear(PositionReported(role=role, lots=watched.positions[role]))
    watched.hear(FeedOpened())


def lose_feed(watched: Watched) -> None:
    watched.hear(FeedClosed(reason="gone"))


def command(verb: str, command_id: str = "id-1") -> OperatorCommand:
    return OperatorCommand(id=command_id, verb=verb)


def round_of(watched: Watched, serial: int, signed: int = 100) -> None:
    """A fills, B hedges."""
    watched.trade(A, signed, serial)
    watched.wait(250)
    watched.trade(B, -signed, serial)
    watched.wait(750)

"""What the monitor must do, held against the exchange's truth: send nothing, tell what is wrong, and nothing else.

Its truth is what the accounts hold, whosever trades these were. It is judged only where nothing has hampered it for
long enough: then what it says, and when, follows from what the exchange has shown.
"""

import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.monitor import MonitorProcess
from tests.simulation.sim_server import ACCOUNTS, BTC, ROLES, signed
from tests.simulation.stage import Stage
from tests.simulation.truth import Violation

from lighter_hedge.domain.events import OrderKind
from lighter_hedge.domain.monitor import CLEAR_MS_MAX, QUOTE_MS_MAX, REST_MS_MAX
from lighter_hedge.domain.states import OperatorCommand, Role
from lighter_hedge.simulator.core.orders import Trade

MAY = frozenset({"read", "alert", "recovered", "remember", "ask"})
"""All that others can see of it, or that outlives it."""
TICK_SECONDS = 1.0
"""A state of things that lasts less may go unseen between two ticks, with the way of a frame."""
TOLD_SECONDS = 3.0
"""After its limit, or after a trade, within which an alert must be stored."""
SETTLED_SECONDS = 8.0
"""Its trades are counted from its positions so soon after it sees both accounts again."""
UNHEDGED, TWICE, QUOTED = "UNHEDGED_TOO_LONG", "HEDGED_TWICE", "QUOTE_WHILE_UNHEDGED"
RESTS, MANY = "ORDER_RESTS_UNHEDGED", "TOO_MANY_ORDERS"


@dataclass(slots=True)
class Watching:
    """The monitor of a world, and what the exchange has shown meanwhile."""

    stage: Stage
    rng: random.Random
    monitor: MonitorProcess
    rate: float = 0.0
    """Chance of a fault of the monitor's own, each time that somebody looks."""
    struck: deque[str] = field(default_factory=deque)
    """Kinds of faults that have struck it."""
    restart_at: float | None = None
    able_since: float = 0.0
    """Since when it has run, heard and read without hindrance."""
    held: dict[Role, int] = field(default_factory=lambda: dict.fromkeys(Role, 0))
    """Signed lots of both accounts."""
    exposed_since: float | None = None
    """Since when A + B has clearly been an exposure."""
    hedged_since: float | None = 0.0
    """Since when A + B has clearly been none."""
    calm_at: float = 0.0
    """When it was last seen to be none for longer than a tick."""
    resting_at: float = -1e9
    many_at: float = -1e9
    """When an order of A, and more than one, were last open."""
    odd: dict[str, float] = field(default_factory=dict)
    """By code, when a trade last was what the code says."""
    due: list[tuple[float, str]] = field(default_factory=list)
    """Codes of trades that must be told, and since when."""
    told: dict[str, float] = field(default_factory=dict)
    """By code, when the monitor last said so, in its log or as an alert."""
    clearing_at: float = -1e9
    """When a person's ``clear`` was last under way: it explains trades that hedge nothing."""
    undo: list[Callable[[], None]] = field(default_factory=list)
    """Ends what lasts."""
    _opened_by: int | None = None
    """Order of A that has opened the present exposure."""

    @staticmethod
    def begin(stage: Stage, rng: random.Random) -> "Watching":
        """Start a monitor in this world, and watch it."""
        monitor = stage.world.add_monitor()
        watching = Watching(stage, rng, monitor, rate=rng.choice((0.0, 0.003, 0.003, 0.02)))
        monitor.on_effect = watching.on_effect
        monitor.on_say = watching.on_say
        server = stage.world.server
        server.on_trade.append(watching.on_trade)
        server.on_order.append(lambda order: watching.note())
        monitor.start(stage.world.loop)
        watching.hamper()
        return watching

    @property
    def now(self) -> float:
        return self.stage.world.loop.time()

    @property
    def net(self) -> int:
        """A + B, signed lots."""
        return sum(self.held.values())

    def able_for(self, seconds: float) -> bool:
        """Whether nothing has hampered it for so long."""
        return self.now - self.able_since >= seconds

    def hamper(self) -> None:
        """Something keeps it from seeing now: its time begins anew."""
        self.able_since = self.now

    def alerts(self) -> Counter[str]:
        """What it has stored so far, by code."""
        return Counter(code for level, code, _ in self.monitor.outbox.alerts if level == "error")

    # --- what happens -----------------------------------------------------------------------------------------------

    def on_effect(self, what: str, detail: object) -> None:
        """The monitor does something that others can see."""
        self.stage.trace.effect(self.monitor.name, what, detail)
        self._check(only_watches, what, detail)

    def on_say(self, level: str, code: str) -> None:
        """The monitor says something: each alert is said, at once."""
        if level == "error":
            self.note()
            self._check(no_false_alarm, code)
            self.told[code] = self.now

    def on_trade(self, trade: Trade) -> None:
        """The exchange's truth about a trade."""
        self.note()
        for side in (trade.maker, trade.taker):
            role = ROLES.get(side.account_index)
            if role is not None:
                self._count(role, signed(trade, ACCOUNTS[role]), side.client_order_index, trade)
        self.note()

    def _count(self, role: Role, lots: int, coid: int, trade: Trade) -> None:
        before = self.net
        self.held[role] += lots
        after = self.net
        if role is Role.HEDGER and (abs(after) > abs(before) or before * after < 0):
            residual = max(abs(before), abs(after)) < self.least  # which trade came first is then anybody's guess
            self._happened(TWICE, coid, trade, due=not residual)
        if role is Role.MAKER and abs(before) >= self.least and coid != self._opened_by:
            self._happened(QUOTED, 0, trade)
        if abs(after) < self.least:
            self._opened_by = None
        elif abs(before) < self.least:
            self._opened_by = coid if role is Role.MAKER else None

    def _happened(self, code: str, coid: int, trade: Trade, *, due: bool = True) -> None:
        self.odd[code] = self.now
        if not due:
            return
        sent = self.stage.truth.sent[Role.HEDGER].get(coid)
        ours = trade.kind == "trade" and sent is not None and sent.request.kind is OrderKind.HEDGE
        if ours and self.able_for(SETTLED_SECONDS):
            self.due.append((self.now, code))

    # --- as time passes ---------------------------------------------------------------------------------------------

    @property
    def least(self) -> int:
        """What is less than this is a residual, by the mark and by the newest announce."""
        return min(BTC.min_lots(self.stage.market.mid), self.stage.truth.min_lots)

    @property
    def clear(self) -> int:
        """What is as much as this is an exposure, by the mark and by the newest announce."""
        return max(BTC.min_lots(self.stage.market.mid), self.stage.truth.min_lots)

    def note(self) -> None:
        """See what holds now."""
        now, net = self.now, abs(self.net)
        if self.hedged_since is not None and now - self.hedged_since >= TICK_SECONDS:
            self.calm_at = now
        if net >= self.least:
            self.hedged_since = None
        elif self.hedged_since is None:
            self.hedged_since = now
        if net < self.clear:
            self.exposed_since = None
        elif self.exposed_since is None:
            self.exposed_since = now
        resting = len(self.stage.world.server.exchange.state.open_of[ACCOUNTS[Role.MAKER]])
        self.resting_at = now if resting else self.resting_at
        self.many_at = now if resting > 1 else self.many_at
        asked = now - self.stage.cleared_at < CLEAR_MS_MAX / 1000
        unended = self.clearing_at >= self.stage.cleared_at and self.stage.world.a.journal.pause is not None
        self.clearing_at = now if asked or unended else self.clearing_at

    def look(self) -> None:
        """The supervisor looks after it, and what must be told must have been told."""
        self.note()
        for role in Role:
            lots = self.stage.world.server.account(role).position(BTC).lots
            if lots != self.held[role]:  # moved without a trade: no count of trades explains it
                self.held[role] = lots
                self._opened_by = None
                self.hamper()
        self.note()
        if self._hampered():
            self.hamper()
        else:
            self.able_since = max(self.able_since, self.monitor.venue.open_since or 0.0)
        for checker in IN_TIME:
            checker(self)
        self._tend()

    def _hampered(self) -> bool:
        """By itself, or in what it sees of the exchange. Without Redis it goes by what the exchange shows."""
        monitor, venue = self.monitor, self.monitor.venue
        network = venue.network
        return bool(
            not monitor.running
            or monitor.frozen
            or monitor.outbox.full
            or venue.open_since is None
            or venue.cut
            or venue.deaf
            or venue.skew_ms
            or network.frames_late
            or any(network.drop.values())
            or network.read_errors
            or monitor.messaging.lose
        )

    def _tend(self) -> None:
        if self.monitor.running:
            return
        if self.restart_at is None:
            self.restart_at = self.now + self.rng.choice((0.05, 1.0, 10.0)) * self.rng.random()
        elif self.now >= self.restart_at:
            self.restart_at = None
            self.monitor.start(self.stage.world.loop)

    def heal(self) -> None:
        """Nothing hampers it any more."""
        self.rate = 0.0
        for end in self.undo:
            end()
        self.undo.clear()
        venue = self.monitor.venue
        venue.network = type(venue.network)()
        self.monitor.messaging.mend()
        if not self.monitor.running:
            self.restart_at = self.now
        self.hamper()

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        """End something after a while, or when everything heals."""
        done = False

        def end() -> None:
            nonlocal done
            if not done:
                done = True
                do()
                self.hamper()

        self.undo.append(end)
        self.stage.world.loop.call_later(seconds, end)

    def _check(self, checker: Callable[..., None], *what: object) -> None:
        """Keep what a checker finds: it looks in the middle of somebody's doing."""
        try:
            checker(self, *what)
        except Violation as violation:
            self.stage.truth.broken.append(violation)


# --- checkers -------------------------------------------------------------------------------------------------------


def only_watches(watching: Watching, what: str, detail: object) -> None:
    """It signs and sends nothing, tells nothing in the name of A or B, and asks for nothing but a pause."""
    if what not in MAY:
        raise Violation(f"the monitor has done more than watch: {what} {detail}")
    if isinstance(detail, OperatorCommand) and detail.verb != "pause":
        raise Violation(f"the monitor has asked for more than a pause: {detail}")


def exposure_is_told(watching: Watching) -> None:
    """I3: an exposure that the exchange has shown for longer than its limit stands in the monitor's outbox."""
    limit = watching.monitor.desk.unhedged_ms_max / 1000 + TOLD_SECONDS
    since = watching.exposed_since
    if since is None or watching.now - since < limit or not watching.able_for(limit):
        return
    if not watching.monitor.outbox.open.get(UNHEDGED):
        raise Violation(f"the monitor is silent: {watching.net} lots unhedged for {watching.now - since:.1f} s")


def trades_are_told(watching: Watching) -> None:
    """I2: a hedge away from zero, or through it, is told soon."""
    for at, code in list(watching.due):
        if watching.now - at < TOLD_SECONDS:
            continue
        watching.due.remove((at, code))
        if watching.clearing_at < at and watching.told.get(code, -1.0) < at and watching.able_for(watching.now - at):
            raise Violation(f"the monitor is silent: {code} {watching.now - at:.1f} s ago")


def no_false_alarm(watching: Watching, code: str) -> None:
    """Of I1, I2 and I3 it says nothing that the exchange has not shown."""
    exposed = watching.now - watching.calm_at
    unhedged = watching.monitor.desk.unhedged_ms_max / 1000

    def lasted(seconds: float) -> bool:
        return exposed >= seconds - TICK_SECONDS

    def lately(at: float, seconds: float = TOLD_SECONDS) -> bool:
        return watching.now - at <= seconds

    true = {
        UNHEDGED: lambda: lasted(unhedged),
        TWICE: lambda: lately(watching.odd.get(TWICE, -1e9)),
        QUOTED: lambda: lasted(QUOTE_MS_MAX / 1000) or lately(watching.odd.get(QUOTED, -1e9)),
        RESTS: lambda: lasted(REST_MS_MAX / 1000) and lately(watching.resting_at, 2 * REST_MS_MAX / 1000),
        MANY: lambda: lately(watching.many_at),
    }
    able = watching.able_for(SETTLED_SECONDS + (unhedged if code == UNHEDGED else REST_MS_MAX / 1000))
    if code in true and able and not true[code]():
        raise Violation(f"the monitor's alarm is false: {code}, and A + B has been exposed for {exposed:.1f} s")


IN_TIME = (exposure_is_told, trades_are_told)

"""What one world has seen beside the exchange's own record: what people did, what was told, what was out of order."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.process import Process
from tests.simulation.sim_server import BTC
from tests.simulation.sim_venue import SimVenue
from tests.simulation.stage import Stage
from tests.simulation.truth import Fill

from lighter_hedge.domain.commands import AskKnown, ModeChanged
from lighter_hedge.domain.reads import READS_RESERVE
from lighter_hedge.domain.states import Role

FOREIGN_CODES = ("POSITION_DIFFERS", "FOREIGN_TRADE")
UNSURE = (
    "manual_trade",
    "forced_trade",
    "transfer",
    "late_fill",
    "restored",
    "journal_lost",
    "journals_lost",
    "second_instance",
    "second_from_backup",
    "sleeper_replaced",
)
"""Faults after which a difference between books and exchange may be real."""
MID_SECONDS = 10.0
LATE_SECONDS = 1.0
MINUTE_SECONDS = 60.0
SKEW_MS = 1_000


def clock_is_off(venue: SimVenue) -> bool:
    """Whether a side must see that its clock is wrong: what its frames take on their way may hide as much."""
    late_ms = (venue.network.frames_late + venue.network.latency) * 1_000
    return abs(venue.skew_ms) > SKEW_MS + late_ms


@dataclass(slots=True)
class Facts:
    """Of one world."""

    stage: Stage
    resumes: dict[int, float] = field(default_factory=dict)
    """Pauses that a person has asked to end, and when last."""
    started: dict[Role, float] = field(default_factory=dict)
    """When the newest life of a side began."""
    by_person: dict[str, bool] = field(default_factory=dict)
    """Whether a life, by name, was started by a person after a recorded stop."""
    hedged_since: float | None = 0.0
    foreign_seen: int = 0
    """Foreign changes so far."""
    named: bool = False
    """Somebody has said so."""
    healed_in_vain: str = ""
    """Why the desk was still paused when everything had healed and a person had asked for new tries."""
    mids: deque[tuple[float, int]] = field(default_factory=deque)
    """The market's price in the last seconds."""
    skewed_since: dict[Role, float] = field(default_factory=dict)
    skewed_at: float = -1e9
    """When a clock was last seen to be wrong."""
    redis_cut_at: float = -1e9
    """When Redis was last seen to be gone."""
    cut_at: dict[Role, float] = field(default_factory=lambda: dict.fromkeys(Role, -1e9))
    """When the way of a side to the exchange was last seen to be gone."""
    refused: set[str] = field(default_factory=set)
    """Hashes of what a side has heard to be refused."""
    unread_at: float = -1e9
    """When a read of an account last failed."""
    heard: dict[str, float] = field(default_factory=dict)
    """When a life last heard a state of the other side."""
    mode_at: float = -1e9
    """When a mode of the desk was last written down."""
    paused_at: dict[tuple[str, int], float] = field(default_factory=dict)
    """When a life was first seen to be paused, by name and pause."""
    poor_since: float | None = None
    starved_at: float = -1e9
    """When B last had too few of its requests left to read an account, beside what it keeps to resolve an order."""
    traded: int = 0
    """Quote amount of A's fills since its newest life began, or a person last resumed."""
    traded_over: float | None = None
    requests: dict[str, deque[float]] = field(default_factory=dict)
    """Sends and reads of a life within the last minute."""

    @property
    def now(self) -> float:
        return self.stage.world.loop.time()

    def sure(self) -> bool:
        """Whether nothing has happened that can make books and exchange differ."""
        return not self.stage.mended and not any(self.stage.counts[kind] for kind in UNSURE)

    def process(self, venue: SimVenue) -> Process:
        """Whose way to the exchange this is."""
        return next(one for one in self.stage.world.everybody() if one.venue is venue)

    def poor(self) -> bool:
        """Whether B, who holds nothing, has not half of what a full hedge needs."""
        world = self.stage.world
        need = BTC.quote(world.desk.quantity, self.stage.market.mid) * BTC.initial_margin_fraction // 10_000
        return world.server.account(Role.HEDGER).collateral < need // 2 and not world.position(Role.HEDGER)

    def _starved(self) -> bool:
        """Whether what B has sent and read within the minute leaves it no read of an account."""
        world, share = self.stage.world, self.stage.world.desk.hedger_share
        used = sum(self.now - at < MINUTE_SECONDS for at in self.requests.get(world.b.name, ()))
        return bool(share) and share - used < READS_RESERVE

    # --- what happens ---

    def look(self) -> None:
        """Look around; called as time passes."""
        world, now = self.stage.world, self.now
        self.mids.append((now, self.stage.market.mid))
        while now - self.mids[0][0] > MID_SECONDS and len(self.mids) > 1:
            self.mids.popleft()
        for role, process in world.processes.items():
            if clock_is_off(process.venue):
                self.skewed_since.setdefault(role, now)
                self.skewed_at = now
            else:
                self.skewed_since.pop(role, None)
            if process.venue.cut or process.messaging.late > LATE_SECONDS:  # what a side tells is as good as untold
                self.cut_at[role] = now
        self.foreign_seen = self.stage.truth.foreign + self.stage.counts["transfer"]
        if world.hub.is_cut:
            self.redis_cut_at = now
        if not self.poor():
            self.poor_since = None
        elif self.poor_since is None:
            self.poor_since = now
        if self._starved():
            self.starved_at = now

    def started_now(self, process: Process, by_person: bool) -> None:
        """An instance begins a life."""
        self.by_person[process.name] = by_person
        self.started[process.role] = self.now
        if process.role is Role.MAKER:
            self.traded, self.traded_over = 0, None

    def filled(self, fill: Fill, min_lots: int) -> None:
        """An account has traded."""
        if abs(fill.after) >= min_lots:
            self.hedged_since = None
        elif self.hedged_since is None:
            self.hedged_since = fill.at
        if fill.role is Role.MAKER:
            self.traded += BTC.quote(abs(fill.lots), fill.price)
            if self.traded >= self.stage.world.desk.notional_hour_quote_max and self.traded_over is None:
                self.traded_over = fill.at

    def resumed(self, pause_id: int) -> None:
        """A person has asked to end a pause."""
        self.resumes[pause_id] = self.now
        self.traded, self.traded_over = 0, None

    def started_over(self, why: str) -> None:
        """A person has closed everything by hand. ``why`` the desk was still paused, where all had healed."""
        self.healed_in_vain = why or self.healed_in_vain
        self.hedged_since, self.traded, self.traded_over = self.now, 0, None

    def requested(self, name: str) -> None:
        """A life has sent or read something."""
        seen = self.requests.setdefault(name, deque())
        seen.append(self.now)
        while self.now - seen[0] >= MINUTE_SECONDS:
            seen.popleft()

    def told(self, code: str) -> None:
        """Somebody has stored an alert for this."""
        self.named = self.named or code in FOREIGN_CODES

    def written(self, entry: Any) -> None:
        """Somebody has written this down."""
        if isinstance(entry, ModeChanged):
            self.mode_at = self.now
        if isinstance(entry, ModeChanged | AskKnown) and entry.pause is not None:
            self.told(entry.pause.code)

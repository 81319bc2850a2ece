"""Both accounts as the venue shows them to anybody: positions, and trades held against I1 and I2 in the venue's order.

A frame of one account may overtake a frame of the other, so trades are held for a moment and counted in the order of
their ids. Counting starts from the venue's own positions, once a feed has been open for a while: what a new
subscription repeats is in them already. Positions are the truth; the count only says in which order they came about.
"""

from dataclasses import dataclass, field

from lighter_hedge.domain.events import Instant, TradeReport
from lighter_hedge.domain.seen import Seen
from lighter_hedge.domain.states import DeskId, Role

HOLD_MS = 300
"""How long a trade waits for one with a lower id."""

SETTLE_MS = 1_500
"""How long after a feed has opened counting starts …"""

QUIET_MS = 400
"""… once the account has been quiet for this long: a trade and its position come in two frames."""

ADRIFT_MS_MIN = 2_000
"""How long count and position may differ before counting starts anew, at least."""

TRADES_MAX = 4_096
"""Trade ids remembered of each account, against repetition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One trade, and what A and B came to together before and after it."""

    role: Role
    trade: TradeReport
    before: int
    after: int


@dataclass(slots=True, kw_only=True)
class _Held:
    role: Role
    trade: TradeReport
    heard_ms: int


@dataclass(slots=True, kw_only=True)
class _Copy:
    """One account."""

    position: int | None = None
    """By the venue; None while unknown."""
    counted: int | None = None
    """By trades since counting began; None while it has not."""
    changed_ms: int = 0
    """When a trade or another position was last heard."""
    adrift_since_ms: int | None = None
    seen: Seen = field(default_factory=lambda: Seen(TRADES_MAX))


@dataclass(slots=True, kw_only=True)
class DropCopies:
    """What the venue has told of both accounts."""

    desk: DeskId
    read_lag_ms: int
    feed_open: bool = False
    _copies: dict[Role, _Copy] = field(default_factory=lambda: {role: _Copy() for role in Role})
    _held: list[_Held] = field(default_factory=list)
    _open_since_ms: int = 0
    _traded: Seen = field(default_factory=lambda: Seen(TRADES_MAX))
    """Orders of A that have traded, by client order index."""

    # --- what is known ----------------------------------------------------------------------------------------------

    def position(self, role: Role) -> int | None:
        """Signed lots by the venue; None while unknown."""
        return self._copies[role].position

    @property
    def net(self) -> int | None:
        """A and B together, signed lots; None while one is unknown."""
        a, b = (self._copies[role].position for role in (Role.MAKER, Role.HEDGER))
        return None if a is None or b is None else a + b

    @property
    def counting(self) -> bool:
        """Whether trades are held against I1 and I2 now."""
        return all(copy.counted is not None for copy in self._copies.values())

    def ours(self, trade: TradeReport) -> bool:
        """Whether a trade is an ordinary one of an order of this desk."""
        return trade.kind == "trade" and self.desk.serial(trade.coid) is not None

    def has_traded(self, coid: int) -> bool:
        """Whether an order of A has been seen to trade."""
        return coid in self._traded

    # --- what arrives -----------------------------------------------------------------------------------------------

    def opened(self, now: Instant) -> None:
        """The stream is up, and every subscription has answered."""
        self.feed_open, self._open_since_ms = True, now.mono_ms
        self._recount()

    def closed(self) -> None:
        """The stream is lost. Whatever is known of positions is old from now on."""
        self.feed_open = False
        self._recount()
        for copy in self._copies.values():
            copy.position = None

    def on_position(self, role: Role, lots: int, now: Instant) -> None:
        """A position on the stream."""
        copy = self._copies[role]
        if copy.position != lots:
            copy.changed_ms = now.mono_ms
        copy.position = lots

    def on_read(self, role: Role, lots: int | None, asked_ms: int) -> bool:
        """A position read over REST, which may be a read lag old; None where the read failed.

        Whether it corrects what the stream has told.
        """
        copy = self._copies[role]
        if copy.position is None or not self.feed_open:
            copy.position = lots
            return False
        if lots is None:
            return False
        if copy.position == lots or asked_ms < copy.changed_ms + self.read_lag_ms:
            return False
        copy.position = lots
        return True

    def on_trade(self, role: Role, trade: TradeReport, now: Instant) -> bool:
        """A trade on the stream. Whether it is new."""
        copy = self._copies[role]
        if not copy.seen.add(trade.trade_id):
            return False
        copy.changed_ms = now.mono_ms
        self._held.append(_Held(role=role, trade=trade, heard_ms=now.mono_ms))
        if role is Role.MAKER:
            self._traded.add(trade.coid)
        return True

    def seen_by_other(self, role: Role, trade_id: int) -> bool:
        """Whether the other account's copy has this trade too."""
        return trade_id in self._copies[role.other].seen

    # --- counting ---------------------------------------------------------------------------------------------------

    def steps(self, now: Instant) -> list[Step]:
        """The trades whose turn has come, in the venue's order; none while nothing is counted."""
        due = [held for held in self._held if now.mono_ms - held.heard_ms >= HOLD_MS]
        if not due:
            return []
        # A lower id that came later goes first: it was only heard later.
        last = max(held.trade.trade_id for held in due)
        turn = sorted((held for held in self._held if held.trade.trade_id <= last), key=lambda h: h.trade.trade_id)
        self._held = [held for held in self._held if held.trade.trade_id > last]
        steps = [self._count(held) for held in turn]
        return [step for step in steps if step is not None]

    def _count(self, held: _Held) -> Step | None:
        own, other = self._copies[held.role], self._copies[held.role.other]
        if own.counted is None:
            return None
        before = own.counted
        own.counted += held.trade.side.sign * held.trade.lots
        if other.counted is None:
            return None
        return Step(role=held.role, trade=held.trade, before=before + other.counted, after=own.counted + other.counted)

    def anchor(self, now: Instant) -> list[Role]:
        """Begin to count where that is due; whose count has not come to the position and begins anew."""
        lost = [role for role in Role if self._adrift(role, now)]
        for role in lost:
            self._copies[role].counted = None
        if not self.feed_open or now.mono_ms - self._open_since_ms < SETTLE_MS:
            return lost
        for role, copy in self._copies.items():
            waits = any(held.role is role for held in self._held) or now.mono_ms - copy.changed_ms < QUIET_MS
            if copy.counted is None and copy.position is not None and not waits:
                copy.counted = copy.position
        return lost

    def _adrift(self, role: Role, now: Instant) -> bool:
        copy = self._copies[role]
        if copy.counted is None or copy.counted == copy.position:
            copy.adrift_since_ms = None
            return False
        if copy.adrift_since_ms is None:
            copy.adrift_since_ms = now.mono_ms
        if now.mono_ms - copy.adrift_since_ms < max(self.read_lag_ms, ADRIFT_MS_MIN):
            return False
        copy.adrift_since_ms = None
        return True

    def _recount(self) -> None:
        self._held.clear()
        for copy in self._copies.values():
            copy.counted, copy.adrift_since_ms = None, None

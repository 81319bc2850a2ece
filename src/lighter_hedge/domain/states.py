"""What each side tells the other: its whole state, on every change and every heartbeat.

Any single entry is enough: fills are cumulative per order, so a reader merges by maximum and loss,
repetition and reordering need no handling of their own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from lighter_hedge.domain.units import Side

SCHEMA = 1
"""Version of every message between processes. A mismatch pauses the desk."""

DESK_BITS = 4
SERIAL_BITS = 27
"""A client order index is (desk, serial): 4 + 27 bits, since sources disagree on more than 31."""


class Role(Enum):
    """Whose account: the maker is account A, the hedger is account B."""

    MAKER = "maker"
    HEDGER = "hedger"

    __hash__ = object.__hash__  # members are keys of most tables: an Enum's own hash is many times slower

    @property
    def other(self) -> "Role":
        """The other side of the desk."""
        return Role.HEDGER if self is Role.MAKER else Role.MAKER

    @property
    def letter(self) -> str:
        """What people read: ``A`` or ``B``."""
        return "A" if self is Role.MAKER else "B"


class Leg(Enum):
    """What a quote does to A's position."""

    OPEN = "open"
    CLOSE = "close"


class Mode(Enum):
    """State of a desk, one word each."""

    RUNNING = "running"
    DRAINING = "draining"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskId:
    """Names a desk: the pair of accounts and its market, for example ``a_b:BTC``."""

    pair: str
    market: str
    number: int = 1
    """0 to 15; the upper bits of every client order index of this desk."""

    def __post_init__(self) -> None:
        assert 0 <= self.number < 1 << DESK_BITS

    def __str__(self) -> str:
        return f"{self.pair}:{self.market}"

    def client_order_index(self, serial: int) -> int:
        """The client order index of ``serial``, unique on its account for ever."""
        assert 0 < serial < 1 << SERIAL_BITS
        return self.number << SERIAL_BITS | serial

    def serial(self, client_order_index: int) -> int | None:
        """The serial of one of this desk's own orders, or None where the order is not ours."""
        if client_order_index >> SERIAL_BITS != self.number:
            return None
        return client_order_index & ((1 << SERIAL_BITS) - 1) or None

    def highest_serial(self, coids: Iterable[int]) -> int:
        """The highest serial of the desk's own among these client order indices; 0 where there is none."""
        return max((self.serial(coid) or 0 for coid in coids), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """The quote that A wants to show. B arms for it and answers with the same words."""

    epoch: int
    round: int
    attempt: int
    leg: Leg
    coid: int
    side: Side
    lots: int
    price: int
    min_lots: int
    expires_ms: int
    """Wall clock at which the quote is gone at the venue whatever happens, milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFills:
    """What one order has filled so far. Cumulative; merged by maximum."""

    coid: int
    round: int
    side: Side
    lots: int
    filled: int
    filled_quote: int
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """One pause of the desk, latched until a person ends it by naming its id."""

    id: int
    reason: str
    code: str
    since_ms: int
    """Wall clock, milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flatten:
    """A's wish to close by itself what B could not hedge (``on_unhedged: flatten``)."""

    id: int
    round: int
    net: int
    """Signed lots of A and B together when the wish was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoodDown:
    """B sends nothing any more, for this wish of A: nothing is in flight and its nonce is burnt."""

    id: int
    """Of A's wish."""
    round: int
    cum: int
    """A's fill of that round as B knows it, signed lots."""
    maker_epoch: int
    maker_seq: int
    """A's state that B stood down for: only a newer one ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MakerState:
    """A's whole state."""

    epoch: int
    seq: int
    at_ms: int
    """Wall clock of the writer, milliseconds."""
    mode: Mode
    pause: Pause | None
    announce: Announce | None
    """The newest quote wanted or resting; None while A wants none."""
    fills: tuple[OrderFills, ...]
    """The newest orders of A, oldest first."""
    round: int
    position: int | None
    """A's position by its own copy, signed lots; None while unknown."""
    acks: tuple[str, ...] = ()
    """Ids of the operator commands that A has carried out or refused, newest last."""
    waiting: tuple[str, ...] = ()
    """Why A does not quote now; empty while it does."""
    ready: bool = False
    ended_asks: tuple[int, ...] = ()
    """Ids of B's pause requests that have been ended."""
    residual: int = 0
    market_index: int = 0
    flatten: Flatten | None = None
    hedger_serial: int = 0
    """Orders of B up to this serial are in A's sums for good and count no more: B numbers its next ones above."""
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class Armed:
    """B's answer to an announce: the hedge of its full fill is signed, journalled and can go at once."""

    epoch: int
    round: int
    attempt: int
    coid: int
    lots: int
    """Signed lots of the armed hedge; 0 where a full fill leaves nothing that the venue would take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """B's confirmation, from its own fills: A's round is hedged up to this cumulative amount."""

    epoch: int
    """Epoch of the maker whose state this answers."""
    round: int
    cum: int
    """A's cumulative fill of the round, signed lots."""
    net: int
    """A fills + B fills since the baseline, signed lots: 0 or a residual below the minimum."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeFailed:
    """B has used its tries up. Void once the round is hedged."""

    round: int
    cum: int
    reason: str
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgerState:
    """B's whole state."""

    epoch: int
    seq: int
    at_ms: int
    armed: Armed | None
    disarmed: str
    """Why B has not armed for the announce it has seen; empty where it has, or where there is none."""
    confirm: Confirm | None
    failed: HedgeFailed | None
    pause_ask: Pause | None
    fills: tuple[OrderFills, ...]
    unresolved: int
    """Transactions of B whose outcome is not known, plus hedges still in flight."""
    tries: int
    position: int | None
    acks: tuple[str, ...] = ()
    ready: bool = False
    stood_down: StoodDown | None = None
    maker_serial: int = 0
    """Orders of A up to this serial are in B's sums for good and count no more: A numbers its next ones above."""
    share: int | None = None
    """Requests that B has left in this minute; None where its account has no such limit."""
    schema: int = SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorCommand:
    """What a person asked for. Carries an id; A and B acknowledge it in their states."""

    id: str
    verb: str
    """``pause``, ``resume``, ``drain`` or ``clear``."""
    pause_id: int | None = None
    """For ``resume``: the pause it ends; void for any other."""
    hedge_now: bool = False
    reason: str = ""
    account: str = "all"
    """For ``clear``: ``a``, ``b`` or ``all``."""
    schema: int = SCHEMA

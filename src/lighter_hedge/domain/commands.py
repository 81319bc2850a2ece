"""Everything that a side can want done. Imperative; the driver carries them out in order.

The order of effects is contract: what must be durable before a send stands before it in the list.
"""

from dataclasses import dataclass
from enum import Enum

from lighter_hedge.domain.events import Candidate, Request
from lighter_hedge.domain.states import (
    Announce,
    Flatten,
    HedgeFailed,
    HedgerState,
    MakerState,
    Mode,
    OrderFills,
    Pause,
    Role,
    StoodDown,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """Sign ``request`` with ``nonce`` and commit it to the journal; answer ``Prepared`` or ``PrepareFailed``."""

    ticket: int
    nonce: int
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send the signed bytes; answer ``SendAnswered``."""

    candidate: Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadNonce:
    """Read the key's next nonce; answer ``NonceRead``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTx:
    """Read a transaction by hash; answer ``TxReported``."""

    tx_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOrders:
    """Read own orders by client order index, or all recent ones where none is given; answer ``OrdersRead``."""

    coids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAccount:
    """Read an account's position; answer ``AccountRead``."""

    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Resubscribe:
    """Take a fresh snapshot of the order book: its chain is broken."""


# --- what the journal keeps -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NonceSettled:
    """The fate of a nonce is known: which candidate executed, or none of them."""

    nonce: int
    winner: str
    """Transaction hash; empty where a foreign or no transaction of ours consumed it."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FillsKnown:
    """The newest cumulative fills of an order of ``role``."""

    role: Role
    fills: OrderFills


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundChanged:
    """A round began, or was closed with ``net`` lots carried on."""

    round: int
    closed: bool
    net: int
    leg: str
    side: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """The announce that A made, or that B has armed for."""

    announce: Announce


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeChanged:
    """The desk's state, with its pause."""

    mode: Mode
    pause: Pause | None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TriesCounted:
    """B's tries of the open exposure, and its failure if they are used up."""

    tries: int
    failed: HedgeFailed | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineSet:
    """Positions from which all fills are counted, signed lots."""

    maker: int
    hedger: int
    maker_serial: int = 0
    """Orders of A up to this serial are in its position, whether the journal holds them or not."""
    hedger_serial: int = 0
    at_ms: int = 0
    """The venue's time before which all fills are in these positions, Unix milliseconds; 0 where it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskKnown:
    """B's request for a pause, or that A has ended it."""

    pause: Pause | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AsksEnded:
    """Ids of B's requests for a pause that A has ended, newest last."""

    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlattenChanged:
    """A's wish to close what B could not hedge, or its end."""

    flatten: Flatten | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoodDownChanged:
    """B has stood down for A's wish, or hedges again."""

    stood_down: StoodDown | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOpened:
    """What a day (days since 1970, UTC) is measured from."""

    day: int
    value: int
    """Millionths of the quote currency, relative to the baseline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributed:
    """A fill that no frame told of was attributed to an order of the other account."""

    coid: int
    lots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FillTakenBack:
    """What was attributed to this order was not its fill: it has filled so much, whatever was recorded before."""

    role: Role
    fills: OrderFills


Note = (
    RoundChanged
    | Announced
    | ModeChanged
    | TriesCounted
    | AskKnown
    | AsksEnded
    | FlattenChanged
    | StoodDownChanged
    | DayOpened
    | Attributed
)
"""Entries of which the newest of its kind says all."""

Entry = NonceSettled | FillsKnown | FillTakenBack | BaselineSet | Note


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Commit an entry to the journal before anything that follows in the list."""

    entry: Entry


# --- what others hear -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishState:
    """Append the whole state to the own stream. Its epoch and sequence are set by the driver."""

    state: MakerState | HedgerState


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishFill:
    """Tell people and tools of a journalled fill, on the channel of the account."""

    role: Role
    fills: OrderFills
    order_index: int
    attempt: int
    leg: str
    trade_ids: tuple[int, ...]
    round_hedged: bool = False
    hedged: int = 0
    """B only: signed lots hedged in this round."""
    residual: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishFailure:
    """Tell people and tools that B has used its tries up."""

    failed: HedgeFailed
    maker_fill: PublishFill | None
    """The news of A's order that is not hedged, as B knows it."""
    unhedged: int
    tries: tuple[str, ...]
    """Status words of the tries."""


class Level(Enum):
    """How loud a log line is."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Log a line. ``code`` is stable and has an entry in the runbook."""

    level: Level
    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Store an alert in the outbox and log it."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """End the process with an exit code, after everything before it is done."""

    code: int
    why: str


Command = (
    Prepare
    | Send
    | ReadNonce
    | ReadTx
    | ReadOrders
    | ReadAccount
    | Resubscribe
    | Record
    | PublishState
    | PublishFill
    | PublishFailure
    | Say
    | Alert
    | Exit
)

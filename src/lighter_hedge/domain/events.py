"""Everything that can happen to a side of the desk. Past tense; facts, never orders.

Time arrives beside each event as an ``Instant``; nothing here reads a clock.
"""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from lighter_hedge.domain.states import HedgerState, MakerState, OperatorCommand, Role
from lighter_hedge.domain.units import Side


class Instant(NamedTuple):
    """When an event happened, by the process's own clocks."""

    mono_ms: int
    """Monotonic milliseconds: all waits and ages."""
    wall_ms: int
    """Unix milliseconds: what is compared with the venue's stamps and stored."""


class OrderKind(Enum):
    """How an order executes."""

    QUOTE = "quote"
    """Post-only limit, good till its expiry."""
    HEDGE = "hedge"
    """Immediate-or-cancel, with a worst price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """An order to be signed. Its client order index is the idempotency key."""

    kind: OrderKind
    coid: int
    side: Side
    lots: int
    price: int
    reduce_only: bool = False
    opens: bool = False
    """It opens a position: it counts against the limits of opening."""
    expires_ms: int = 0
    """Wall clock at which a quote ends, milliseconds; 0 for a hedge."""
    round: int = 0
    attempt: int = 0
    cross_account_guard: bool = False
    """Ask the venue to expire a resting order of the same wallet rather than trade with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequest:
    """Cancel one order by its client order index."""

    coid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnRequest:
    """Cancel all orders in the market at once; also how a nonce is consumed by something harmless."""


Request = OrderRequest | CancelRequest | BurnRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One signed and journalled transaction. All candidates of a nonce exclude each other at the venue."""

    nonce: int
    request: Request
    tx_hash: str
    tx_type: int
    payload: str
    """The signed bytes, sent again unchanged where an outcome is unknown."""
    signed_ms: int
    """Wall clock of the signature, milliseconds."""
    expires_ms: int
    """Wall clock at which the signature ends, milliseconds."""


class AnswerKind(Enum):
    """What the venue's answer to one send proves, for that send alone."""

    ACCEPTED = "accepted"
    """Taken into the sequencer. Not executed yet."""
    REJECTED = "rejected"
    """Refused with a code; this send executes nothing."""
    BAD_NONCE = "bad nonce"
    """21104: too low, or too high. Proves nothing alone."""
    NOT_SENT = "not sent"
    """Never left this process."""
    THROTTLED = "throttled"
    """429 or 405: refused before it was looked at."""
    UNKNOWN = "unknown"
    """Sent, nothing heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The venue's answer to one send."""

    kind: AnswerKind
    code: int = 0
    message: str = ""


class TxStatus(Enum):
    """Fate of a transaction by its hash."""

    NOT_FOUND = "not found"
    """Not readable now. Never a proof that it will not execute."""
    PENDING = "pending"
    EXECUTED = "executed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """A row of one order, from the stream or from REST."""

    coid: int
    order_index: int
    side: Side
    lots: int
    price: int
    filled: int
    filled_quote: int
    closed: bool
    status: str
    """The venue's word: ``open``, ``filled``, ``canceled-too-much-slippage`` …"""
    created_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeReport:
    """One execution of an account, unique by trade id."""

    trade_id: int
    coid: int
    """0 where the venue does not say."""
    order_index: int
    side: Side
    """What this account did."""
    lots: int
    price: int
    quote: int
    maker: bool
    counterparty: int
    kind: str
    """``trade``, ``liquidation``, ``deleverage`` or ``market-settlement``."""
    at_ms: int


# --- events -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """Time has passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A request is signed and journalled; the bytes have not left the process."""

    ticket: int
    candidate: Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareFailed:
    """A request could not be signed. Nothing was journalled, nothing sent."""

    ticket: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendAnswered:
    """The venue answered one send, or did not."""

    tx_hash: str
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class NonceRead:
    """The key's next nonce by the venue; None where the read failed."""

    nonce: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TxReported:
    """Status of a transaction by hash, read or pushed; None where the read failed."""

    tx_hash: str
    status: TxStatus | None
    error: str = ""
    """What the sequencer said where it executed the transaction without effect."""
    asked_ms: int = -1
    """Monotonic time of the question; -1 for a push. Only a read asked after the read lag proves absence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersRead:
    """Answer to a read of own orders by client order index. ``rows`` is None where the read failed."""

    coids: tuple[int, ...]
    rows: tuple[OrderReport, ...] | None
    asked_ms: int
    """Monotonic time of the question: only a read asked after the read lag proves absence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReported:
    """A row of an order on the stream of ``role``'s account."""

    role: Role
    report: OrderReport


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeReported:
    """An execution on ``role``'s account."""

    role: Role
    trade: TradeReport


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionReported:
    """The venue's position of ``role`` in this market on the stream, signed lots."""

    role: Role
    lots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRead:
    """Answer to a REST read of an account. ``position`` is None where the read failed: unknown, never flat."""

    role: Role
    position: int | None
    available: int
    """Free collateral, millionths of the quote currency."""
    open_orders: int
    asked_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceReported:
    """Free collateral of the own account on the stream, millionths of the quote currency."""

    available: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookReported:
    """A frame of the order book: absolute sizes, 0 deletes a level."""

    snapshot: bool
    nonce: int
    begin_nonce: int
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]
    at_ms: int = 0
    """The venue's stamp, Unix milliseconds; 0 where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketHeard:
    """Any other public frame of the market: the feed is alive. ``mark`` is 0 where the frame has none."""

    mark: int = 0
    at_ms: int = 0
    """The venue's stamp, Unix milliseconds; 0 where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedOpened:
    """The stream is connected and every subscription has answered with its snapshot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedClosed:
    """The stream is lost; whatever happens from now on is unknown until it is read again."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MakerHeard:
    """A state of A arrived at B."""

    state: MakerState


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgerHeard:
    """A state of B arrived at A."""

    state: HedgerState


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerUnreadable:
    """The other side speaks another version of the messages."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagingChanged:
    """Redis can be written, or no longer."""

    up: bool
    wiped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAsked:
    """A person's command arrived."""

    command: OperatorCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAsked:
    """The process is to end (SIGTERM): cancel what rests, finish what is in flight, then exit."""


LaneEvent = Prepared | PrepareFailed | SendAnswered | NonceRead | TxReported | OrdersRead
VenueEvent = (
    OrderReported
    | TradeReported
    | PositionReported
    | AccountRead
    | BalanceReported
    | BookReported
    | MarketHeard
    | FeedOpened
    | FeedClosed
)
PeerEvent = MakerHeard | HedgerHeard | PeerUnreadable | MessagingChanged | OperatorAsked | StopAsked
Event = Ticked | LaneEvent | VenueEvent | PeerEvent

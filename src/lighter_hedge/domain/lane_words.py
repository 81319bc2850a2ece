"""The words of a lane: its phases, and the fates of what it sends."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from lighter_hedge.domain.events import Candidate, OrderRequest, Request, TxStatus

Wanted = Callable[[OrderRequest], bool]
"""Whether an order that may not have arrived is still wanted, now."""


class LanePhase(Enum):
    """Where the key stands."""

    __hash__ = object.__hash__

    BOOT = "boot"
    LAGGING = "lagging"
    READY = "ready"
    SENT = "sent"
    RESOLVING = "resolving"
    SUPERSEDED = "superseded"


UNRESOLVED = frozenset({LanePhase.BOOT, LanePhase.LAGGING, LanePhase.SENT, LanePhase.RESOLVING})
"""Phases in which the outcome of a transaction is not known."""


class Fate(Enum):
    """What became of a transaction that was handed to the lane."""

    EXECUTED = "executed"
    """It ran; an order's fills are in its row."""
    WITHOUT_EFFECT = "without effect"
    """It ran or was dropped, and did nothing: the order does not exist."""
    REFUSED = "refused"
    """The venue refused it before taking it; the nonce is free."""
    BOUNCED = "bounced"
    """It never reached the venue's books (not sent, throttled); the nonce is free, the bytes are good."""
    UNSIGNED = "unsigned"
    """It could not be signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The known fate of one request."""

    request: Request
    fate: Fate
    tx_hash: str = ""
    code: int = 0
    message: str = ""


@dataclass(slots=True)
class Held:
    """A candidate of the current nonce and what is known about it."""

    candidate: Candidate
    sends: int = 0
    status: TxStatus | None = None
    asked_ms: int = -1
    """When its status was last answered, monotonic."""
    error: str = ""
    row_seen: bool = False

    @property
    def dead(self) -> bool:
        """Whether the sequencer has failed it: it will not execute."""
        return self.status is TxStatus.FAILED

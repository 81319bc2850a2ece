"""Both accounts together: what is exposed, what a hedge must still do, and whether the venue agrees."""

from dataclasses import dataclass
from enum import Enum, auto

from lighter_hedge.domain.ledger import Ledger


def net(maker: Ledger, hedger: Ledger) -> int:
    """Signed lots of A and B together: 0 is flat."""
    return maker.position + hedger.position


def missing(maker: Ledger, hedger: Ledger) -> int:
    """Signed lots that B must still trade, beyond what it has in flight."""
    return -net(maker, hedger) - hedger.in_flight


def residual(lots: int, min_lots: int) -> bool:
    """Whether ``lots`` is too little for the venue: carried on, no exposure."""
    assert min_lots >= 1
    return abs(lots) < min_lots


class Agreement(Enum):
    """Whether the venue's position is what the ledger says."""

    UNKNOWN = auto()
    AGREES = auto()
    DIFFERS = auto()
    PROVEN = auto()
    """Two reads, a read lag apart, with nothing in flight, agree with each other and not with the ledger."""


STALLED_MS = 2_000
"""A side that has looked at nothing for so long has slept: what it saw before is old, and lasts from now on alone."""


@dataclass(slots=True)
class PositionCheck:
    """Holds the venue's position of one account against its ledger."""

    read_lag_ms: int
    reported: int | None = None
    differs_since_ms: int | None = None
    _first_read: tuple[int, int, int] | None = None
    """Of the first read that differed: when asked, the position, and the ledger's position then."""
    _proven: bool = False
    _refreshed_ms: int | None = None

    def reported_now(self) -> int:
        """The venue's position, which must have been heard."""
        assert self.reported is not None
        return self.reported

    def heard(self, position: int, ledger: Ledger, mono_ms: int) -> None:
        """A position on the stream."""
        self.reported = position
        self.refresh(ledger, mono_ms)

    def refresh(self, ledger: Ledger, mono_ms: int) -> None:
        """The ledger may have moved: compare again."""
        stalled, self._refreshed_ms = self.stalled(mono_ms), mono_ms
        if self.reported is None:
            return
        if self.reported == ledger.position:
            self.differs_since_ms = None
            self._first_read = None
            self._proven = False
        elif self.differs_since_ms is None or stalled:
            self.differs_since_ms = mono_ms

    def stalled(self, mono_ms: int) -> bool:
        """Whether nothing has been looked at for long."""
        return self._refreshed_ms is not None and mono_ms - self._refreshed_ms > STALLED_MS

    def read(
        self, position: int, ledger: Ledger, *, asked_ms: int, mono_ms: int, quiet: bool, told_ms: int | None = None
    ) -> None:
        """A position read by REST.

        Args:
            position: signed lots.
            ledger: the books of this account.
            asked_ms: when the question left.
            mono_ms: now.
            quiet: nothing of this account was in flight at the question or since.
            told_ms: when its side, if that is the other one, was last heard: what it has done may be unheard.
        """
        self.heard(position, ledger, mono_ms)
        if self.differs_since_ms is None or not quiet:
            self._first_read = None
            return
        first = self._first_read
        if first is None or first[1:] != (position, ledger.position):
            self._first_read = (asked_ms, position, ledger.position)
        elif asked_ms - first[0] >= self.read_lag_ms and (told_ms is None or told_ms >= first[0]):
            self._proven = True

    def surplus(self, ledger: Ledger) -> int:
        """Signed lots of the books that the venue has been proved not to show; 0 where just this is not proved."""
        proved = self._first_read[1:] if self._proven and self._first_read is not None else None
        return ledger.position - self.reported_now() if proved == (self.reported, ledger.position) else 0

    def agreement(self) -> Agreement:
        """What is known now."""
        if self.reported is None:
            return Agreement.UNKNOWN
        if self.differs_since_ms is None:
            return Agreement.AGREES
        return Agreement.PROVEN if self._proven else Agreement.DIFFERS

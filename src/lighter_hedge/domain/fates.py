"""What became of the transactions of an earlier life.

They were journalled, and perhaps sent. Once the start's burn has executed, each of them has run or never will; once the
read lag is over, the venue says which.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lighter_hedge.domain.commands import Command, NonceSettled, ReadTx, Record
from lighter_hedge.domain.events import Candidate, TxReported, TxStatus
from lighter_hedge.domain.lane_words import Fate, Settlement


@dataclass(slots=True)
class Fates:
    """Transactions whose fate is to be read, and from when on a reading counts."""

    unread: dict[str, Candidate] = field(default_factory=dict)
    _from_ms: int | None = None
    _winners: dict[int, str] = field(default_factory=dict)
    """By nonce, the transaction that is known to have run."""

    def remember(self, candidates: Iterable[Candidate]) -> None:
        """Take what the journal holds unsettled."""
        self.unread = {candidate.tx_hash: candidate for candidate in candidates}

    def add(self, candidate: Candidate) -> None:
        """One more."""
        self.unread[candidate.tx_hash] = candidate

    def known(self, tx_hash: str) -> None:
        """This one's fate is known already."""
        self.unread.pop(tx_hash, None)

    def readable_from(self, mono_ms: int) -> None:
        """A reading before this proves nothing: the venue's reads lag behind."""
        self._from_ms = mono_ms

    def ask(self) -> list[Command]:
        """Read what is unread; empty when nothing is."""
        return [ReadTx(tx_hash=tx_hash) for tx_hash in self.unread]

    def read(self, event: TxReported) -> tuple[Settlement, list[Command]] | None:
        """Take a reading; the fate and what to journal, or None where it proves nothing."""
        candidate = self.unread.get(event.tx_hash)
        if candidate is None or event.status is None or event.status is TxStatus.PENDING:
            return None
        if self._from_ms is None or (event.status is TxStatus.NOT_FOUND and event.asked_ms < self._from_ms):
            return None
        ran = event.status is TxStatus.EXECUTED and not event.error
        del self.unread[event.tx_hash]
        fate = Fate.EXECUTED if ran else Fate.WITHOUT_EFFECT
        settlement = Settlement(request=candidate.request, fate=fate, tx_hash=candidate.tx_hash, message=event.error)
        if ran:
            self._winners[candidate.nonce] = event.tx_hash
        if any(other.nonce == candidate.nonce for other in self.unread.values()):
            return settlement, []
        entry = NonceSettled(nonce=candidate.nonce, winner=self._winners.get(candidate.nonce, ""), why="read at start")
        return settlement, [Record(entry=entry)]

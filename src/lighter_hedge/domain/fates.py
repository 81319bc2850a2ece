"""What became of the transactions of an earlier life.

They were journalled, and perhaps sent. Once the start's burn has executed, each of them has run or never will; once the
read lag is over, the venue says which.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lighter_hedge.domain.commands import Command, NonceSettled, ReadTx, Record
from lighter_hedge.domain.events import Candidate, TxReported, TxStatus
from lighter_hedge.domain.lane_words import Fate, Settlement

READS_MAX = 5
"""Transactions read at once: a maker that requotes leaves many armed hedges of one nonce behind."""


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
        """Read some of what is unread, the newest first; empty when nothing is. Reads cost the request budget."""
        return [ReadTx(tx_hash=tx_hash) for tx_hash in list(self.unread)[-READS_MAX:]]

    def read(self, event: TxReported) -> tuple[list[Settlement], list[Command]] | None:
        """Take a reading; the fates it tells and what to journal, or None where it proves nothing.

        One that has run tells the fate of every other of its nonce too.
        """
        candidate = self.unread.get(event.tx_hash)
        if candidate is None or event.status is None or event.status is TxStatus.PENDING:
            return None
        if self._from_ms is None or (event.status is TxStatus.NOT_FOUND and event.asked_ms < self._from_ms):
            return None
        ran = event.status is TxStatus.EXECUTED and not event.error
        del self.unread[event.tx_hash]
        fate = Fate.EXECUTED if ran else Fate.WITHOUT_EFFECT
        one = Settlement(request=candidate.request, fate=fate, tx_hash=candidate.tx_hash, message=event.error)
        settled = [one]
        if event.status is TxStatus.EXECUTED:
            self._winners[candidate.nonce] = event.tx_hash if ran else ""
            for other in [unread for unread in self.unread.values() if unread.nonce == candidate.nonce]:
                del self.unread[other.tx_hash]
                lost = "another transaction took its nonce"
                settled.append(
                    Settlement(request=other.request, fate=Fate.WITHOUT_EFFECT, tx_hash=other.tx_hash, message=lost)
                )
        if any(other.nonce == candidate.nonce for other in self.unread.values()):
            return settled, []
        entry = NonceSettled(nonce=candidate.nonce, winner=self._winners.get(candidate.nonce, ""), why="read at start")
        return settled, [Record(entry=entry)]

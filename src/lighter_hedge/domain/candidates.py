"""All transactions signed for one nonce: they exclude each other, and at most one of them ever executes."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lighter_hedge.domain.events import BurnRequest, Candidate, OrderRequest, TxStatus
from lighter_hedge.domain.lane_limits import ORDERS_PER_READ_MAX
from lighter_hedge.domain.lane_words import Held


@dataclass(slots=True)
class Candidates:
    """The candidates of the current nonce, by transaction hash."""

    _held: dict[str, Held] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Held]:
        return iter(self._held.values())

    def add(self, candidate: Candidate, *, sends: int = 0) -> Held:
        """Hold one more."""
        held = Held(candidate, sends=sends)
        self._held[candidate.tx_hash] = held
        return held

    def keep(self, held: Held) -> None:
        """Hold one that is known already."""
        self._held[held.candidate.tx_hash] = held

    def get(self, tx_hash: str) -> Held | None:
        """By hash."""
        return self._held.get(tx_hash)

    def drop(self, tx_hash: str) -> None:
        """It is of no use any more."""
        del self._held[tx_hash]

    def clear(self) -> None:
        """The nonce is settled."""
        self._held.clear()

    def order(self, coid: int) -> Held | None:
        """The newest order of this client order index."""
        for held in reversed(self._held.values()):
            request = held.candidate.request
            if isinstance(request, OrderRequest) and request.coid == coid:
                return held
        return None

    def burn(self) -> Held | None:
        """A burn that may still execute, if one was signed."""
        return next((held for held in self if isinstance(held.candidate.request, BurnRequest) and not held.dead), None)

    def sent(self) -> list[Held]:
        """Those that may have reached the venue and may still execute."""
        return [held for held in self if held.sends > 0 and not held.dead]

    def dead(self) -> list[Held]:
        """Those that the sequencer has failed."""
        return [held for held in self if held.sends > 0 and held.dead]

    def absent(self, since_ms: int) -> bool:
        """Whether none of those sent could be read, asked at or after ``since_ms``."""
        return all(held.status is TxStatus.NOT_FOUND and held.asked_ms >= since_ms for held in self.sent())

    def sent_coids(self) -> tuple[int, ...]:
        """Client order indices of the newest orders that may have reached the venue."""
        requests = [held.candidate.request for held in self if held.sends > 0]
        return tuple(one.coid for one in requests if isinstance(one, OrderRequest))[-ORDERS_PER_READ_MAX:]

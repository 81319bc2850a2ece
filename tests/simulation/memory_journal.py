"""A journal that outlives the process it serves, but not the test: the real one's semantics without a disk."""

from collections.abc import Iterable
from typing import TypeVar

from lighter_hedge.domain.commands import (
    Announced,
    AskKnown,
    AsksEnded,
    BaselineSet,
    DayOpened,
    Entry,
    FillsKnown,
    FlattenChanged,
    ModeChanged,
    NonceSettled,
    RoundChanged,
    StoodDownChanged,
    TriesCounted,
)
from lighter_hedge.domain.events import Candidate, OrderRequest
from lighter_hedge.domain.memory import Memory
from lighter_hedge.domain.states import DeskId, Mode, OrderFills, Pause, Role

_E = TypeVar("_E", bound=Entry)


class MemoryJournal:
    """What one side has committed."""

    def __init__(self, desk: DeskId) -> None:
        self._desk = desk
        self.candidates: list[Candidate] = []
        self.settled: dict[int, str] = {}
        self.entries: list[Entry] = []
        self.alerts: list[tuple[str, str]] = []
        self.person_stopped = False
        self._epoch = 0

    def commit_candidate(self, candidate: Candidate) -> None:
        self.candidates.append(candidate)

    def commit_all(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            self.entries.append(entry)
            if isinstance(entry, NonceSettled):
                self.settled[entry.nonce] = entry.winner

    def alert(self, code: str, text: str, wall_ms: int) -> None:
        self.alerts.append((code, text))

    def memory(self, *, wall_ms: int, by_person: bool = False, adopt: bool = False) -> Memory:
        self._epoch = max(self._epoch + 1, wall_ms // 1000)
        person, self.person_stopped = by_person and self.person_stopped, False
        start = max((i for i, entry in enumerate(self.entries) if isinstance(entry, BaselineSet)), default=0)
        fills: dict[Role, dict[int, OrderFills]] = {role: {} for role in Role}
        for entry in self.entries[start:]:
            if isinstance(entry, FillsKnown):
                fills[entry.role][entry.fills.coid] = entry.fills
        mode = self._newest(ModeChanged)
        announced = self._newest(Announced)
        asked = self._newest(AskKnown)
        ended, flatten, stood_down = (
            self._newest(AsksEnded),
            self._newest(FlattenChanged),
            self._newest(StoodDownChanged),
        )
        orders = [c for c in self.candidates if isinstance(c.request, OrderRequest)]
        alive = [c for c in orders if self.settled.get(c.nonce, c.tx_hash) == c.tx_hash]
        return Memory(
            epoch=self._epoch,
            fresh=not self.entries,
            by_person=person,
            adopt=adopt,
            baseline=self._newest(BaselineSet),
            mode=mode.mode if mode else Mode.RUNNING,
            pause=mode.pause if mode else None,
            ask=asked.pause if asked else None,
            round=self._newest(RoundChanged),
            announce=announced.announce if announced else None,
            tries=self._newest(TriesCounted),
            asks_ended=ended.ids if ended else (),
            flatten=flatten.flatten if flatten else None,
            stood_down=stood_down.stood_down if stood_down else None,
            day=self._newest(DayOpened),
            serial=max((self._serial(c) for c in orders), default=0),
            unsettled=tuple(c for c in self.candidates if c.nonce not in self.settled),
            intents=tuple(alive[-64:]),
            fills={role: tuple(known.values()) for role, known in fills.items()},
        )

    @property
    def pause(self) -> Pause | None:
        mode = self._newest(ModeChanged)
        return mode.pause if mode else None

    def _serial(self, candidate: Candidate) -> int:
        assert isinstance(candidate.request, OrderRequest)
        return self._desk.serial(candidate.request.coid) or 0

    def _newest(self, kind: type[_E]) -> _E | None:
        return next((entry for entry in reversed(self.entries) if isinstance(entry, kind)), None)

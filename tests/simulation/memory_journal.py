"""A journal that outlives the process it serves, but not the test: the real one's semantics without a disk."""

import copy
from collections.abc import Callable, Iterable
from typing import TypeVar

from tests.simulation.virtual_time import effect

from lighter_hedge.domain.commands import (
    Announced,
    AskKnown,
    AsksEnded,
    Attributed,
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
from lighter_hedge.processes.journal_file import JournalConflict, JournalUnwritable

_E = TypeVar("_E", bound=Entry)

INTENTS_KEPT = 64


class MemoryJournal:
    """What one side has committed."""

    def __init__(self, desk: DeskId) -> None:
        self._desk = desk
        self.candidates: list[Candidate] = []
        self.settled: dict[int, str] = {}
        self.entries: list[Entry] = []
        self.alerts: list[tuple[str, str]] = []
        self.person_stopped = False
        self.full = False
        """The disk takes nothing more."""
        self.on_commit: Callable[[Candidate | Entry], None] = lambda what: None
        self._epoch = 0
        self._hashes: set[str] = set()
        self._newest: dict[type[object], Entry] = {}
        self._fills: dict[Role, dict[int, OrderFills]] = {role: {} for role in Role}
        """Of each account since the newest baseline; an order that stood under an older one never counts again."""
        self._folded: dict[Role, set[int]] = {role: set() for role in Role}

    def copied(self) -> "MemoryJournal":
        """A copy of the file, as a restored backup or a second machine has it."""
        twin = copy.copy(self)
        twin.candidates, twin.entries, twin.alerts = list(self.candidates), list(self.entries), list(self.alerts)
        twin.settled, twin._hashes, twin._newest = dict(self.settled), set(self._hashes), dict(self._newest)
        twin._fills = {role: dict(fills) for role, fills in self._fills.items()}
        twin._folded = {role: set(coids) for role, coids in self._folded.items()}
        twin.full = False
        return twin

    def commit_candidate(self, candidate: Candidate) -> None:
        effect("sign", candidate)
        self._require_space()
        if candidate.tx_hash in self._hashes:
            raise JournalConflict(f"transaction {candidate.tx_hash} is there already")
        self._hashes.add(candidate.tx_hash)
        self.candidates.append(candidate)
        self.on_commit(candidate)
        effect("signed")

    def commit_all(self, entries: Iterable[Entry]) -> None:
        entries = list(entries)
        effect("commit", entries)
        self._require_space()
        for entry in entries:
            self._commit(entry)
        effect("committed")

    def _commit(self, entry: Entry) -> None:
        if isinstance(entry, NonceSettled):
            known = self.settled.get(entry.nonce, entry.winner)
            if known != entry.winner:
                raise JournalConflict(f"nonce {entry.nonce} was settled for {known}, and now for {entry.winner}")
            self.settled[entry.nonce] = entry.winner
        elif isinstance(entry, BaselineSet):
            for role, fills in self._fills.items():
                self._folded[role] |= set(fills)
                fills.clear()
        elif isinstance(entry, FillsKnown) and entry.fills.coid not in self._folded[entry.role]:
            self._fills[entry.role][entry.fills.coid] = entry.fills
        self._newest[type(entry)] = entry
        self.entries.append(entry)
        self.on_commit(entry)

    def alert(self, code: str, text: str, wall_ms: int) -> None:
        effect("alert", code)
        self._require_space()
        self.alerts.append((code, text))

    def _require_space(self) -> None:
        if self.full:
            raise JournalUnwritable("the disk is full")

    def memory(self, *, wall_ms: int, by_person: bool = False, adopt: bool = False) -> Memory:
        self._epoch = max(self._epoch + 1, wall_ms // 1000)
        person, self.person_stopped = by_person and self.person_stopped, False
        mode = self._last(ModeChanged)
        announced = self._last(Announced)
        asked = self._last(AskKnown)
        ended, flatten = self._last(AsksEnded), self._last(FlattenChanged)
        stood_down = self._last(StoodDownChanged)
        orders = [c for c in self.candidates if isinstance(c.request, OrderRequest)]
        alive = [c for c in orders[-4 * INTENTS_KEPT :] if self.settled.get(c.nonce, c.tx_hash) == c.tx_hash]
        return Memory(
            epoch=self._epoch,
            fresh=not self.entries,
            by_person=person,
            adopt=adopt,
            baseline=self._last(BaselineSet),
            mode=mode.mode if mode else Mode.RUNNING,
            pause=mode.pause if mode else None,
            ask=asked.pause if asked else None,
            round=self._last(RoundChanged),
            announce=announced.announce if announced else None,
            tries=self._last(TriesCounted),
            attributed=self._last(Attributed) is not None,
            asks_ended=ended.ids if ended else (),
            flatten=flatten.flatten if flatten else None,
            stood_down=stood_down.stood_down if stood_down else None,
            day=self._last(DayOpened),
            serial=max((self._serial(c) for c in orders), default=0),
            unsettled=tuple(c for c in self.candidates if c.nonce not in self.settled),
            intents=tuple(alive[-INTENTS_KEPT:]),
            fills={role: tuple(known.values()) for role, known in self._fills.items()},
        )

    @property
    def pause(self) -> Pause | None:
        mode = self._last(ModeChanged)
        return mode.pause if mode else None

    @property
    def ask(self) -> Pause | None:
        """B's request for a pause that A has not ended."""
        asked = self._last(AskKnown)
        return asked.pause if asked else None

    @property
    def tries(self) -> TriesCounted | None:
        """B's tries, and its failure."""
        return self._last(TriesCounted)

    def _serial(self, candidate: Candidate) -> int:
        assert isinstance(candidate.request, OrderRequest)
        return self._desk.serial(candidate.request.coid) or 0

    def _last(self, kind: type[_E]) -> _E | None:
        found = self._newest.get(kind)
        assert found is None or isinstance(found, kind)
        return found

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
    FillTakenBack,
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
        self.settled: dict[int, tuple[tuple[str, int], ...]] = {}
        """Of each nonce the winners, each with the number of candidates kept before it was known."""
        self._last_of: dict[int, int] = {}
        """Of each nonce the newest candidate's place."""
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
        self._folded: dict[Role, int] = dict.fromkeys(Role, 0)

    def copied(self) -> "MemoryJournal":
        """A copy of the file, as a restored backup or a second machine has it."""
        twin = copy.copy(self)
        twin.candidates, twin.entries, twin.alerts = list(self.candidates), list(self.entries), list(self.alerts)
        twin.settled, twin._hashes, twin._newest = dict(self.settled), set(self._hashes), dict(self._newest)
        twin._fills = {role: dict(fills) for role, fills in self._fills.items()}
        twin._folded, twin._last_of = dict(self._folded), dict(self._last_of)
        twin.full = False
        return twin

    def commit_candidate(self, candidate: Candidate) -> None:
        effect("sign", candidate)
        self._require_space()
        if candidate.tx_hash in self._hashes:
            raise JournalConflict(f"transaction {candidate.tx_hash} is there already")
        self._hashes.add(candidate.tx_hash)
        self._last_of[candidate.nonce] = len(self.candidates)
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
            known = self._winner(self._last_of.get(entry.nonce, -1), entry.nonce)
            if known is not None and known != entry.winner:
                raise JournalConflict(f"nonce {entry.nonce} was settled for {known}, and now for {entry.winner}")
            if known is None:
                self.settled[entry.nonce] = (*self.settled.get(entry.nonce, ()), (entry.winner, len(self.candidates)))
        elif isinstance(entry, BaselineSet):
            for role, told in ((Role.MAKER, entry.maker_serial), (Role.HEDGER, entry.hedger_serial)):
                self._folded[role] = max(
                    [self._folded[role], told, *(self._desk.serial(coid) or 0 for coid in self._fills[role])]
                )
                self._fills[role].clear()
        elif isinstance(entry, FillsKnown | FillTakenBack) and self._counts(entry.role, entry.fills):
            self._fills[entry.role][entry.fills.coid] = entry.fills
        self._newest[type(entry)] = entry
        self.entries.append(entry)
        self.on_commit(entry)

    def _counts(self, role: Role, fills: OrderFills) -> bool:
        return (self._desk.serial(fills.coid) or 0) > self._folded[role]

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
        fates = [(c, self._winner(number, c.nonce)) for number, c in enumerate(self.candidates)]
        recent = [one for one in fates if isinstance(one[0].request, OrderRequest)][-4 * INTENTS_KEPT :]
        alive = [c for c, winner in recent if winner is None or winner == c.tx_hash]
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
            unsettled=tuple(c for c, winner in fates if winner is None),
            intents=tuple(alive[-INTENTS_KEPT:]),
            fills={role: tuple(known.values()) for role, known in self._fills.items()},
            folded_serial=dict(self._folded),
        )

    def _winner(self, number: int, nonce: int) -> str | None:
        """For whom the nonce was settled after this candidate was kept; None where it was not."""
        return next((winner for winner, kept in self.settled.get(nonce, ()) if kept > number), None)

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

"""The journal of one side: what must be on the disk before anything is sent, and what a start needs of it.

How it counts:

- **Fills** belong to the baseline under which they were journalled (column ``baseline``, 0 before the first). Only
  those of the newest baseline count. An order that had a row under an earlier one never counts again, however late its
  last row comes: the baseline's own positions already hold it. So a new baseline is set only while nothing rests.
- **Taken back**: an order's fill only grows, unless it was a wrong guess. A row whose ``closed`` is ``TAKEN_BACK`` says
  so: the order's rows before it count no more.
- **Folding**: of each account the newest ``ORDERS_KEPT`` orders stay as they are; older ones become one number of
  signed lots and the serial up to which it reaches. An order not known to be closed is never folded, nor is any
  after it, since its fills may still grow.
- **Candidates** are unsettled until their nonce is settled after them. One that is signed later under a number that
  was settled before (another API key counts from its own beginning) counts as perhaps sent: the safe side.
- **A person's stop** is written by another process beside the running side, and used up by the next start that a
  person asks for.

Private keys never come here: a payload is a signed transaction.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar, assert_never

import msgspec

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
    Note,
    RoundChanged,
    StoodDownChanged,
    TriesCounted,
)
from lighter_hedge.domain.events import Candidate, OrderRequest
from lighter_hedge.domain.memory import Memory
from lighter_hedge.domain.states import DeskId, Mode, OrderFills, Pause, Role
from lighter_hedge.domain.units import Side
from lighter_hedge.processes.journal_file import (
    CANDIDATE_COLUMNS,
    JournalConflict,
    JournalMismatch,
    JournalUnreadable,
    Lock,
    candidate_of,
    errors_named,
    json_of,
    kind_of,
    open_for_reading,
    open_for_writing,
    transaction,
)
from lighter_hedge.processes.outbox import StoredAlert, add_alert, pending_alerts

ORDERS_KEPT: Final = 64
"""Orders of each account that a start gets one by one."""
INTENTS_KEPT: Final = 64
"""Own order intents that a start gets."""
TAKEN_BACK: Final = 2
"""In the column ``closed``, which is else 0 or 1: the order is open, and its rows before this one are void."""

SERIALS_BEFORE: Final = {
    Role.MAKER: "SELECT coalesce((SELECT max(serial) FROM fills WHERE role = 'maker'), 0),"
    " coalesce((SELECT max(maker_serial) FROM baselines), 0)",
    Role.HEDGER: "SELECT coalesce((SELECT max(serial) FROM fills WHERE role = 'hedger'), 0),"
    " coalesce((SELECT max(hedger_serial) FROM baselines), 0)",
}
"""What a new baseline already holds of each account: all that was journalled, and what an older one held."""

_N = TypeVar("_N", bound=Note)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a journal says of its side, for people."""

    desk: str
    role: Role
    epoch: int
    """Of the last start; 0 where there was none."""
    mode: Mode
    pause: Pause | None
    round: RoundChanged | None
    positions: dict[Role, int]
    """Signed lots by the record: baseline and all fills since. Not what the venue says."""
    unsettled: int
    """Signed transactions whose fate is not known."""
    alerts: tuple[StoredAlert, ...]
    """Not delivered yet, oldest first."""


class Journal:
    """The journal of one side, open for its one writer. Every ``commit`` is on the disk when it returns.

    Calls block for about a millisecond and must not overlap; which thread makes them does not matter.
    """

    def __init__(self, connection: sqlite3.Connection, lock: Lock, *, path: Path, desk: DeskId, wall_ms: int) -> None:
        self.path = path
        self._db = connection
        self._lock = lock
        self._desk = desk
        self._wall_ms = wall_ms
        self._baseline: int = connection.execute("SELECT coalesce(max(id), 0) FROM baselines").fetchone()[0]

    @staticmethod
    def open(path: Path, *, desk: DeskId, role: Role, wall_ms: int) -> "Journal":
        """Take the lock and open the journal, made where it is missing.

        Args:
            path: the file; its lock lies beside it.
            desk: whose it is.
            role: of which side.
            wall_ms: start of this process, Unix milliseconds; the epoch comes of it.

        Raises:
            JournalLocked: another process holds it.
            JournalUnwritable: it cannot be made or written.
            JournalMismatch: it belongs to another desk, side or version.
        """
        with errors_named(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as undo:
            lock = Lock(path)
            undo.callback(lock.release)
            connection = open_for_writing(path)
            undo.callback(connection.close)
            _claim(connection, path, desk, role, wall_ms)
            journal = Journal(connection, lock, path=path, desk=desk, wall_ms=wall_ms)
            undo.pop_all()
        return journal

    def close(self) -> None:
        """Close the file and let the next writer in."""
        self._db.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- writing

    def commit_candidate(self, candidate: Candidate) -> None:
        """Make a signed transaction durable, before its bytes can leave.

        Raises:
            JournalUnwritable: it does not stand; it must not be sent.
            JournalConflict: a transaction of this hash is there already.
        """
        request = candidate.request
        serial = self._serial(request.coid) if isinstance(request, OrderRequest) else None
        with transaction(self._db, self.path) as db:
            db.execute(
                f"INSERT INTO candidates ({CANDIDATE_COLUMNS}, serial) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 a constant
                (
                    kind_of(request),
                    json_of(request),
                    candidate.nonce,
                    candidate.tx_hash,
                    candidate.tx_type,
                    candidate.payload,
                    candidate.signed_ms,
                    candidate.expires_ms,
                    serial,
                ),
            )

    def commit(self, entry: Entry) -> None:
        """Make one entry durable. Raises as ``commit_all`` does."""
        self.commit_all([entry])

    def commit_all(self, entries: Iterable[Entry]) -> None:
        """Make all entries durable together, or none.

        Raises:
            JournalUnwritable: none of them stands.
            JournalConflict: one contradicts an earlier record; none of them stands.
        """
        with transaction(self._db, self.path):
            baseline = self._baseline
            for entry in entries:
                baseline = self._insert(entry, baseline)
        self._baseline = baseline

    def alert(self, code: str, text: str, wall_ms: int) -> None:
        """Store an alert until it is delivered."""
        with transaction(self._db, self.path) as db:
            add_alert(db, "error", code, text, wall_ms)

    @staticmethod
    def record_stop_by_person(path: Path, wall_ms: int) -> None:
        """Record that a person stops this side. For another process, while the side runs or after it.

        Raises:
            JournalUnreadable: there is no journal.
            JournalUnwritable: it could not be recorded.
        """
        if not path.is_file():
            raise JournalUnreadable(f"there is no journal at {path}: this side has never started here")
        connection = open_for_writing(path)
        try:
            with transaction(connection, path) as db:
                db.execute("INSERT INTO stops (wall_ms) VALUES (?)", (wall_ms,))
        finally:
            connection.close()

    # --- reading

    def memory(self, *, by_person: bool, adopt: bool) -> Memory:
        """Begin a new epoch, and give everything that a start needs.

        Args:
            by_person: a person has asked for this start; it counts only after a recorded stop, which it uses up.
            adopt: a person allows positions that the journal does not explain.

        Raises:
            JournalUnwritable: the epoch could not be recorded.
        """
        with transaction(self._db, self.path) as db:
            epoch = max(_epoch(db) + 1, self._wall_ms // 1000)
            stops = db.execute("SELECT id FROM stops WHERE id NOT IN (SELECT stop FROM stops_used)").fetchall()
            after_stop = by_person and bool(stops)
            if after_stop:
                db.executemany(
                    "INSERT INTO stops_used (stop, epoch) VALUES (?, ?)", [(stop, epoch) for (stop,) in stops]
                )
            db.execute("INSERT INTO starts VALUES (?, ?, ?, ?)", (epoch, self._wall_ms, after_stop, adopt))
        return _memory(self._db, epoch=epoch, by_person=after_stop, adopt=adopt)

    # --- helpers

    def _serial(self, coid: int) -> int:
        serial = self._desk.serial(coid)
        assert serial is not None, f"client order index {coid} is not of desk {self._desk}"
        return serial

    def _insert(self, entry: Entry, baseline: int) -> int:
        """Insert one entry under ``baseline``; return the baseline that the next one belongs to."""
        match entry:
            case NonceSettled():
                self._insert_settled(entry)
            case FillsKnown():
                self._insert_fills(entry, baseline, int(entry.fills.closed))
            case FillTakenBack():
                self._insert_fills(entry, baseline, TAKEN_BACK)
            case BaselineSet():
                return self._insert_baseline(entry)
            case _ if isinstance(entry, Note):
                row = (type(entry).__name__, json_of(entry))
                self._db.execute("INSERT INTO entries (kind, body) VALUES (?, ?)", row)
            case _:
                assert_never(entry)
        return baseline

    def _insert_settled(self, entry: NonceSettled) -> None:
        (last,) = self._db.execute("SELECT coalesce(max(id), 0) FROM candidates").fetchone()
        (newest,) = self._db.execute(
            "SELECT coalesce(max(id), 0) FROM candidates WHERE nonce = ?", (entry.nonce,)
        ).fetchone()
        before = self._db.execute(
            "SELECT winner FROM settled WHERE nonce = ? AND candidates_until >= ? ORDER BY id LIMIT 1",
            (entry.nonce, newest),
        ).fetchone()
        if before is not None:
            if before[0] != entry.winner:
                raise JournalConflict(
                    f"{self.path}: nonce {entry.nonce} was settled for {before[0] or 'none of ours'}, "
                    f"and now for {entry.winner or 'none of ours'}"
                )
            return
        self._db.execute(
            "INSERT INTO settled (nonce, winner, why, candidates_until) VALUES (?, ?, ?, ?)",
            (entry.nonce, entry.winner, entry.why, last),
        )

    def _insert_fills(self, entry: FillsKnown | FillTakenBack, baseline: int, closed: int) -> None:
        fills = entry.fills
        self._db.execute(
            "INSERT INTO fills (baseline, role, serial, coid, round, side, lots, filled, filled_quote, closed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                baseline,
                entry.role.value,
                self._serial(fills.coid),
                fills.coid,
                fills.round,
                fills.side.value,
                fills.lots,
                fills.filled,
                fills.filled_quote,
                closed,
            ),
        )

    def _insert_baseline(self, entry: BaselineSet) -> int:
        serials = [
            max(told, *self._db.execute(SERIALS_BEFORE[role]).fetchone())
            for role, told in ((Role.MAKER, entry.maker_serial), (Role.HEDGER, entry.hedger_serial))
        ]
        cursor = self._db.execute(
            "INSERT INTO baselines (maker, hedger, maker_serial, hedger_serial, at_ms) VALUES (?, ?, ?, ?, ?)",
            (entry.maker, entry.hedger, *serials, entry.at_ms),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid


def read_summary(path: Path) -> Summary:
    """What a journal says of its side; the side may be running.

    Raises:
        JournalUnreadable: missing or damaged.
        JournalMismatch: written by another version.
    """
    db = open_for_reading(path)
    try:
        db.execute("BEGIN")  # one moment for all that is read
        owner = db.execute("SELECT desk, role FROM journal").fetchone()
        if owner is None:
            raise JournalUnreadable(f"{path} belongs to no desk: its first start did not get so far")
        mode = _newest(db, ModeChanged)
        totals = {role: _Fold.of(db, role) for role in Role}
        baseline = _baseline(db)
        return Summary(
            desk=owner[0],
            role=Role(owner[1]),
            epoch=_epoch(db),
            mode=mode.mode if mode else Mode.RUNNING,
            pause=mode.pause if mode else None,
            round=_newest(db, RoundChanged),
            positions={
                Role.MAKER: (baseline.maker if baseline else 0) + totals[Role.MAKER].total,
                Role.HEDGER: (baseline.hedger if baseline else 0) + totals[Role.HEDGER].total,
            },
            unsettled=len(_unsettled(db)),
            alerts=pending_alerts(db),
        )
    except sqlite3.Error as error:
        raise JournalUnreadable(f"{path} cannot be read: {error}") from error
    finally:
        db.close()


def _claim(db: sqlite3.Connection, path: Path, desk: DeskId, role: Role, wall_ms: int) -> None:
    """Write whose journal this is, or check it."""
    with transaction(db, path):
        found = db.execute("SELECT desk, number, role FROM journal").fetchone()
        if found is None:
            db.execute("INSERT INTO journal VALUES (?, ?, ?, ?)", (str(desk), desk.number, role.value, wall_ms))
        elif found != (str(desk), desk.number, role.value):
            raise JournalMismatch(
                f"{path} belongs to the {found[2]} of desk {found[0]} number {found[1]}, "
                f"not to the {role.value} of desk {desk} number {desk.number}"
            )


def _memory(db: sqlite3.Connection, *, epoch: int, by_person: bool, adopt: bool) -> Memory:
    baseline = _baseline(db)
    mode, ask, announced = _newest(db, ModeChanged), _newest(db, AskKnown), _newest(db, Announced)
    asks_ended, flatten, stood_down = _newest(db, AsksEnded), _newest(db, FlattenChanged), _newest(db, StoodDownChanged)
    folds = {role: _Fold.of(db, role) for role in Role}
    (known,) = db.execute(
        "SELECT EXISTS (SELECT 1 FROM fills) OR EXISTS (SELECT 1 FROM candidates WHERE kind = 'order')"
    ).fetchone()
    (serial,) = db.execute("SELECT coalesce(max(serial), 0) FROM candidates").fetchone()
    return Memory(
        epoch=epoch,
        fresh=baseline is None and not known,
        by_person=by_person,
        adopt=adopt,
        baseline=baseline,
        mode=mode.mode if mode else Mode.RUNNING,
        pause=mode.pause if mode else None,
        ask=ask.pause if ask else None,
        round=_newest(db, RoundChanged),
        announce=announced.announce if announced else None,
        tries=_newest(db, TriesCounted),
        attributed=_newest(db, Attributed) is not None,
        asks_ended=asks_ended.ids if asks_ended else (),
        flatten=flatten.flatten if flatten else None,
        stood_down=stood_down.stood_down if stood_down else None,
        day=_newest(db, DayOpened),
        serial=serial,
        unsettled=_unsettled(db),
        intents=_intents(db),
        fills={role: fold.kept for role, fold in folds.items()},
        folded={role: fold.lots for role, fold in folds.items()},
        folded_serial={role: fold.serial for role, fold in folds.items()},
        folded_cash={role: fold.cash for role, fold in folds.items()},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fold:
    """The orders of one account since the baseline."""

    kept: tuple[OrderFills, ...]
    lots: int
    """Signed lots of the folded ones."""
    cash: int
    """What they paid (-) or brought (+), millionths of the quote currency."""
    serial: int
    """The last folded one; orders up to it count no more."""

    @property
    def total(self) -> int:
        return self.lots + sum(fills.side.sign * fills.filled for fills in self.kept)

    @staticmethod
    def of(db: sqlite3.Connection, role: Role) -> "_Fold":
        """Read and fold; of an order's rows since the last that took something back the maximum counts."""
        base = db.execute(f"SELECT id, {role.value}_serial FROM baselines ORDER BY id DESC LIMIT 1").fetchone()  # noqa: S608 one of two words
        baseline, serial = base or (0, 0)
        rows = db.execute(
            "WITH ours AS (SELECT * FROM fills WHERE baseline = ? AND role = ? AND serial > ?),"
            " back AS (SELECT serial, max(id) AS since FROM ours WHERE closed = ? GROUP BY serial)"
            " SELECT serial, coid, round, side, lots, max(filled), max(filled_quote), max(closed = 1)"
            " FROM ours LEFT JOIN back USING (serial) WHERE id >= coalesce(since, 0) GROUP BY serial ORDER BY serial",
            (baseline, role.value, serial, TAKEN_BACK),
        ).fetchall()
        orders = [(row[0], _fills_of(row[1:])) for row in rows]
        first, lots, cash = 0, 0, 0
        while len(orders) - first > ORDERS_KEPT and orders[first][1].closed:
            serial, fills = orders[first]
            lots += fills.side.sign * fills.filled
            cash -= fills.side.sign * fills.filled_quote
            first += 1
        return _Fold(kept=tuple(fills for _, fills in orders[first:]), lots=lots, cash=cash, serial=serial)


def _fills_of(row: tuple[int, int, str, int, int, int, int]) -> OrderFills:
    coid, number, side, lots, filled, filled_quote, closed = row
    return OrderFills(
        coid=coid,
        round=number,
        side=Side(side),
        lots=lots,
        filled=filled,
        filled_quote=filled_quote,
        closed=bool(closed),
    )


def _epoch(db: sqlite3.Connection) -> int:
    epoch: int = db.execute("SELECT coalesce(max(epoch), 0) FROM starts").fetchone()[0]
    return epoch


def _newest(db: sqlite3.Connection, kind: type[_N]) -> _N | None:
    row = db.execute("SELECT body FROM entries WHERE kind = ? ORDER BY id DESC LIMIT 1", (kind.__name__,)).fetchone()
    return msgspec.json.decode(row[0], type=kind) if row else None


def _baseline(db: sqlite3.Connection) -> BaselineSet | None:
    row = db.execute("SELECT maker, hedger, at_ms FROM baselines ORDER BY id DESC LIMIT 1").fetchone()
    return BaselineSet(maker=row[0], hedger=row[1], at_ms=row[2]) if row else None


def _unsettled(db: sqlite3.Connection) -> tuple[Candidate, ...]:
    rows = db.execute(
        f"SELECT {CANDIDATE_COLUMNS} FROM candidates WHERE NOT EXISTS (SELECT 1 FROM settled"  # noqa: S608 a constant
        " WHERE settled.nonce = candidates.nonce AND settled.candidates_until >= candidates.id) ORDER BY id"
    )
    return tuple(candidate_of(row) for row in rows)


def _intents(db: sqlite3.Connection) -> tuple[Candidate, ...]:
    rows = db.execute(
        f"SELECT {CANDIDATE_COLUMNS} FROM candidates WHERE kind = 'order' AND NOT EXISTS (SELECT 1 FROM settled"  # noqa: S608 constants
        " WHERE settled.nonce = candidates.nonce AND settled.candidates_until >= candidates.id"
        f" AND settled.winner <> candidates.tx_hash) ORDER BY id DESC LIMIT {INTENTS_KEPT}"
    ).fetchall()
    return tuple(candidate_of(row) for row in reversed(rows))

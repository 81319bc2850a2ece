"""Stored alerts: every process of a desk keeps its own until somebody has delivered them.

The journals of A and B and the file of the monitor hold the same two tables, so that a process of its own can read all
three and note what it has delivered, while their writers run. An alert is never changed: its delivery is a row of its
own, and noting it twice is harmless.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from lighter_hedge.domain.incidents import Incident
from lighter_hedge.processes.journal_file import (
    JournalUnreadable,
    Lock,
    errors_named,
    open_for_reading,
    open_for_writing,
    transaction,
)

MONITOR_FILE: Final = "journal_monitor.sqlite"
"""In the folder of the journals."""

INCIDENTS: Final = """
CREATE TABLE incidents (id INTEGER PRIMARY KEY, wall_ms INTEGER NOT NULL, open TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAlert:
    """An alert of an outbox."""

    id: int
    level: str
    """``error`` for what went wrong, ``info`` for what is over again."""
    code: str
    text: str
    wall_ms: int


def add_alert(db: sqlite3.Connection, level: str, code: str, text: str, wall_ms: int) -> None:
    """Store an alert, within the caller's transaction."""
    db.execute("INSERT INTO alerts (level, code, text, wall_ms) VALUES (?, ?, ?, ?)", (level, code, text, wall_ms))


def pending_alerts(db: sqlite3.Connection) -> tuple[StoredAlert, ...]:
    """Alerts not delivered yet, oldest first."""
    rows = db.execute(
        "SELECT id, level, code, text, wall_ms FROM alerts"
        " WHERE id NOT IN (SELECT alert FROM alerts_delivered) ORDER BY id"
    )
    return tuple(StoredAlert(id=row[0], level=row[1], code=row[2], text=row[3], wall_ms=row[4]) for row in rows)


def alerts_after(path: Path, last: int) -> tuple[StoredAlert, ...]:
    """Alerts of one file with ids above ``last``, oldest first, delivered or not; its writer may be running.

    Raises:
        JournalUnreadable: missing or damaged.
        JournalMismatch: written by another version.
    """
    db = open_for_reading(path)
    try:
        rows = db.execute("SELECT id, level, code, text, wall_ms FROM alerts WHERE id > ? ORDER BY id", (last,))
        return tuple(StoredAlert(id=row[0], level=row[1], code=row[2], text=row[3], wall_ms=row[4]) for row in rows)
    except sqlite3.Error as error:
        raise JournalUnreadable(f"{path} cannot be read: {error}") from error
    finally:
        db.close()


def read_pending(path: Path) -> tuple[StoredAlert, ...]:
    """Alerts of one file that nobody has delivered yet; its writer may be running.

    Raises:
        JournalUnreadable: missing or damaged.
        JournalMismatch: written by another version.
    """
    db = open_for_reading(path)
    try:
        return pending_alerts(db)
    except sqlite3.Error as error:
        raise JournalUnreadable(f"{path} cannot be read: {error}") from error
    finally:
        db.close()


def mark_delivered(path: Path, alerts: Iterable[int], wall_ms: int) -> None:
    """Note that alerts of one file have reached somebody; its writer may be running.

    Raises:
        JournalUnreadable: there is no such file.
        JournalUnwritable: it could not be noted.
    """
    if not path.is_file():
        raise JournalUnreadable(f"there is no journal at {path}")
    db = open_for_writing(path)
    try:
        with transaction(db, path):
            rows = [(alert, wall_ms) for alert in alerts]
            db.executemany("INSERT OR IGNORE INTO alerts_delivered (alert, wall_ms) VALUES (?, ?)", rows)
    finally:
        db.close()


def stopped_by_person(path: Path) -> bool:
    """Whether a person has stopped the side of this journal, and nobody has started it since.

    Raises:
        JournalUnreadable: missing or damaged.
        JournalMismatch: written by another version.
    """
    db = open_for_reading(path)
    try:
        found = db.execute("SELECT EXISTS (SELECT 1 FROM stops WHERE id NOT IN (SELECT stop FROM stops_used))")
        return bool(found.fetchone()[0])
    except sqlite3.Error as error:
        raise JournalUnreadable(f"{path} cannot be read: {error}") from error
    finally:
        db.close()


class MonitorFile:
    """The monitor's own file: its outbox, and what was wrong when it last looked. Every write is durable."""

    def __init__(self, connection: sqlite3.Connection, lock: Lock, path: Path) -> None:
        self.path = path
        self._db = connection
        self._lock = lock

    @staticmethod
    def open(path: Path) -> "MonitorFile":
        """Take the lock and open the file, made where it is missing.

        Raises:
            JournalLocked: another monitor holds it.
            JournalUnwritable: it cannot be made or written.
            JournalMismatch: written by another version.
        """
        with errors_named(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        lock = Lock(path)
        made = False
        try:
            connection = open_for_writing(path, INCIDENTS)
            made = True
        finally:
            if not made:
                lock.release()
        return MonitorFile(connection, lock, path)

    def alert(self, level: str, code: str, text: str, wall_ms: int) -> None:
        """Store an alert until it is delivered."""
        with transaction(self._db, self.path) as db:
            add_alert(db, level, code, text, wall_ms)

    def remember(self, incidents: tuple[Incident, ...], wall_ms: int) -> None:
        """Keep what is wrong now."""
        body = msgspec.json.encode(incidents).decode()
        with transaction(self._db, self.path) as db:
            db.execute("INSERT INTO incidents (wall_ms, open) VALUES (?, ?)", (wall_ms, body))

    def incidents(self) -> tuple[Incident, ...]:
        """What was wrong when it was last said."""
        with errors_named(self.path):
            row = self._db.execute("SELECT open FROM incidents ORDER BY id DESC LIMIT 1").fetchone()
        return () if row is None else msgspec.json.decode(row[0], type=tuple[Incident, ...])

    def close(self) -> None:
        """Close the file and let the next monitor in."""
        self._db.close()
        self._lock.release()

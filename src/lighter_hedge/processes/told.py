"""What has reached people, over restarts: the notifier's own file, so that it writes to nobody else's."""

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Final

from lighter_hedge.ops.alerts import Raised

TOLD_FILE: Final = "notifier.sqlite"
"""In the folder of the journals."""

TABLES: Final = """
CREATE TABLE IF NOT EXISTS told (
    source TEXT NOT NULL, alert INTEGER NOT NULL, raised_ms INTEGER NOT NULL, level TEXT NOT NULL, code TEXT NOT NULL,
    told_ms INTEGER NOT NULL, PRIMARY KEY (source, alert, raised_ms));
CREATE TABLE IF NOT EXISTS reports (day TEXT PRIMARY KEY);
"""


class ToldFile:
    """What has reached people, over restarts. Every write is durable."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {TABLES}")

    def note(self, alerts: Collection[Raised], at_ms: int) -> None:
        """These have been told."""
        rows = [(each.source, each.id, each.wall_ms, each.level, each.code, at_ms) for each in alerts]
        self._db.execute("BEGIN")
        self._db.executemany("INSERT OR IGNORE INTO told VALUES (?, ?, ?, ?, ?, ?)", rows)
        self._db.execute("COMMIT")

    def knows(self, alert: Raised) -> bool:
        """Whether it has been told."""
        key = (alert.source, alert.id, alert.wall_ms)
        found = self._db.execute("SELECT 1 FROM told WHERE source = ? AND alert = ? AND raised_ms = ?", key)
        return found.fetchone() is not None

    def history(self) -> list[tuple[Raised, int]]:
        """Everything told and when, oldest first; without the texts."""
        rows = self._db.execute(
            "SELECT source, alert, level, code, raised_ms, told_ms FROM told ORDER BY told_ms, alert"
        )
        return [
            (Raised(source=row[0], id=row[1], level=row[2], code=row[3], text="", wall_ms=row[4]), row[5])
            for row in rows
        ]

    def report(self, day: str) -> bool:
        """Note the report of a day; False where it has been noted before."""
        return self._db.execute("INSERT OR IGNORE INTO reports VALUES (?)", (day,)).rowcount == 1

    def reported(self, day: str) -> bool:
        """Whether the report of a day has been sent."""
        return self._db.execute("SELECT 1 FROM reports WHERE day = ?", (day,)).fetchone() is not None

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def told_in(path: Path) -> set[tuple[str, int, int]]:
    """(source, id, time) of every alert that has reached people; none where no notifier has ever run."""
    if not path.is_file():
        return set()
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        try:
            return set(db.execute("SELECT source, alert, raised_ms FROM told"))
        except sqlite3.Error:
            return set()

"""The file under a journal: its tables, its lock, its errors, and how records become rows.

::

    JournalError
      JournalLocked      another process writes this journal; names its pid
      JournalUnwritable  the disk is full, read-only or gone: nothing more may be sent
      JournalUnreadable  missing, or no journal
      JournalMismatch    of another desk, side or version
      JournalConflict    contradicts what is already in it

SQLite in WAL mode with ``synchronous=FULL``: a commit is on the disk when it returns. Tables are append-only, and
triggers hold them to it: what was once written before a send can never be changed after it.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from lighter_hedge.domain.commands import Note
from lighter_hedge.domain.events import BurnRequest, CancelRequest, Candidate, OrderRequest, Request

VERSION: Final = 2
"""Of the tables, in the file's ``user_version``."""
BUSY_SECONDS: Final = 5.0
"""How long a writer waits for the other writer: a person's stop is recorded while the side runs."""

SCHEMA: Final = """
CREATE TABLE journal (desk TEXT NOT NULL, number INTEGER NOT NULL, role TEXT NOT NULL, created_ms INTEGER NOT NULL);
CREATE TABLE starts (
    epoch INTEGER PRIMARY KEY, wall_ms INTEGER NOT NULL, by_person INTEGER NOT NULL, adopt INTEGER NOT NULL);
CREATE TABLE candidates (
    id INTEGER PRIMARY KEY, nonce INTEGER NOT NULL, kind TEXT NOT NULL, request TEXT NOT NULL, serial INTEGER,
    tx_hash TEXT NOT NULL UNIQUE, tx_type INTEGER NOT NULL, payload TEXT NOT NULL, signed_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL);
CREATE INDEX candidates_by_nonce ON candidates (nonce);
CREATE INDEX candidates_by_serial ON candidates (serial);
CREATE TABLE settled (
    id INTEGER PRIMARY KEY, nonce INTEGER NOT NULL, winner TEXT NOT NULL, why TEXT NOT NULL,
    candidates_until INTEGER NOT NULL);
CREATE INDEX settled_by_nonce ON settled (nonce, candidates_until);
CREATE TABLE baselines (
    id INTEGER PRIMARY KEY, maker INTEGER NOT NULL, hedger INTEGER NOT NULL, maker_serial INTEGER NOT NULL,
    hedger_serial INTEGER NOT NULL, at_ms INTEGER NOT NULL);
CREATE TABLE fills (
    id INTEGER PRIMARY KEY, baseline INTEGER NOT NULL, role TEXT NOT NULL, serial INTEGER NOT NULL,
    coid INTEGER NOT NULL, round INTEGER NOT NULL, side TEXT NOT NULL, lots INTEGER NOT NULL, filled INTEGER NOT NULL,
    filled_quote INTEGER NOT NULL, closed INTEGER NOT NULL);
CREATE INDEX fills_by_order ON fills (baseline, role, serial);
CREATE TABLE entries (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX entries_by_kind ON entries (kind, id);
CREATE TABLE stops (id INTEGER PRIMARY KEY, wall_ms INTEGER NOT NULL);
CREATE TABLE stops_used (stop INTEGER PRIMARY KEY, epoch INTEGER NOT NULL);
"""
OUTBOX: Final = """
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY, level TEXT NOT NULL, code TEXT NOT NULL, text TEXT NOT NULL, wall_ms INTEGER NOT NULL);
CREATE TABLE alerts_delivered (alert INTEGER PRIMARY KEY, wall_ms INTEGER NOT NULL);
"""
"""In every file that a process of the desk writes, so that one process can deliver the alerts of all."""


class JournalError(Exception):
    """The journal cannot do what is asked; the text can be shown to a person as it is."""


class JournalLocked(JournalError):
    """Another process holds this journal. ``pid`` is None where it has not said who it is yet."""

    def __init__(self, path: Path, pid: int | None) -> None:
        super().__init__(f"{path} is held by {f'process {pid}' if pid else 'another process'}: stop that one first")
        self.pid = pid


class JournalUnwritable(JournalError):
    """Nothing can be made durable, so nothing may be sent."""


class JournalUnreadable(JournalError):
    """There is no journal here, or it is damaged."""


class JournalMismatch(JournalError):
    """A journal of something else."""


class JournalConflict(JournalError):
    """A record that contradicts an earlier one."""


class Lock:
    """One writer at a time, by ``flock`` on a file beside the journal; it ends with the process, however it dies."""

    def __init__(self, journal: Path) -> None:
        path = journal.with_name(f"{journal.name}.lock")
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise JournalUnwritable(f"{path} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, 20).decode().strip()
            os.close(self._file)
            raise JournalLocked(journal, int(holder) if holder.isdigit() else None) from None
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let the next one in. The file stays: to remove it would let two in."""
        os.ftruncate(self._file, 0)
        os.close(self._file)


def open_for_writing(path: Path, schema: str = SCHEMA) -> sqlite3.Connection:
    """Open or make the file, with the tables of ``schema`` and an outbox.

    Only its owner may read it, for a journal holds signed transactions.

    Raises:
        JournalUnwritable: it cannot be made, or the file system cannot carry a write-ahead log.
        JournalMismatch: written by another version.
    """
    with errors_named(path):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        with errors_named(path):
            _prepare(connection, path, schema)
    except JournalError:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, schema: str) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode=WAL").fetchone()
    if mode != "wal":
        raise JournalUnwritable(f"{path} lies on a file system without a write-ahead log: use a local disk")
    connection.execute("PRAGMA synchronous=FULL")
    with transaction(connection, path):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            _make_tables(connection, schema)
        elif version != VERSION:
            raise JournalMismatch(
                f"{path} has version {version}, this program writes {VERSION}: run the one that wrote it"
            )


def _make_tables(connection: sqlite3.Connection, schema: str) -> None:
    for statement in (schema + OUTBOX).split(";\n"):
        connection.execute(statement)
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        for verb in ("UPDATE", "DELETE"):
            connection.execute(
                f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}"
                " BEGIN SELECT RAISE(ABORT, 'append-only'); END"
            )
    connection.execute(f"PRAGMA user_version={VERSION}")


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a journal that may be in use, to read alone.

    Raises:
        JournalUnreadable: missing, damaged, or not allowed.
        JournalMismatch: written by another version.
    """
    if not path.is_file():
        raise JournalUnreadable(f"there is no journal at {path}: this side has never started here")
    with ExitStack() as undo:
        try:
            connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=BUSY_SECONDS)
            undo.callback(connection.close)
            (version,) = connection.execute("PRAGMA user_version").fetchone()
        except sqlite3.Error as error:
            raise JournalUnreadable(f"{path} cannot be read: {error}") from error
        if version != VERSION:
            raise JournalMismatch(
                f"{path} has version {version}, this program reads {VERSION}: run the one that wrote it"
            )
        undo.pop_all()
    return connection


@contextmanager
def errors_named(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and the disk into ours."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise JournalConflict(f"{path} refuses a record that contradicts an earlier one: {error}") from error
    except (sqlite3.Error, OSError) as error:
        raise JournalUnwritable(f"{path} cannot be written: {error}") from error


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[sqlite3.Connection]:
    """Everything inside is committed together, or not at all.

    Raises:
        JournalUnwritable: nothing of it stands.
        JournalConflict: nothing of it stands.
    """
    with errors_named(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


# --- records as rows --------------------------------------------------------------------------------------------

REQUESTS: Final[dict[str, type[Request]]] = {"order": OrderRequest, "cancel": CancelRequest, "burn": BurnRequest}


def json_of(record: Request | Note) -> str:
    """A record as JSON text."""
    return msgspec.json.encode(record).decode()


def kind_of(request: Request) -> str:
    """The word under which a request is kept."""
    return next(word for word, kind in REQUESTS.items() if isinstance(request, kind))


CANDIDATE_COLUMNS: Final = "kind, request, nonce, tx_hash, tx_type, payload, signed_ms, expires_ms"


def candidate_of(row: tuple[Any, ...]) -> Candidate:
    """A row of ``CANDIDATE_COLUMNS`` as what was signed."""
    kind, request, nonce, tx_hash, tx_type, payload, signed_ms, expires_ms = row
    return Candidate(
        request=msgspec.json.decode(request, type=REQUESTS[kind]),
        nonce=nonce,
        tx_hash=tx_hash,
        tx_type=tx_type,
        payload=payload,
        signed_ms=signed_ms,
        expires_ms=expires_ms,
    )

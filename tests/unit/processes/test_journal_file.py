"""The file under a journal: its lock, its versions, its errors."""

import os
import re
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from lighter_hedge.domain.events import BurnRequest, CancelRequest, Candidate, OrderKind, OrderRequest, Request
from lighter_hedge.domain.units import Side
from lighter_hedge.processes.journal_file import (
    SCHEMA,
    VERSION,
    JournalConflict,
    JournalError,
    JournalLocked,
    JournalMismatch,
    JournalUnreadable,
    JournalUnwritable,
    Lock,
    candidate_of,
    errors_named,
    json_of,
    kind_of,
    open_for_reading,
    open_for_writing,
    transaction,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.sqlite"


@pytest.fixture
def db(path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_for_writing(path)
    yield connection
    connection.close()


def test_lock_is_for_one_and_goes_on_to_the_next(path: Path) -> None:
    first = Lock(path)
    with pytest.raises(JournalLocked) as caught:
        Lock(path)
    assert caught.value.pid == os.getpid()
    first.release()
    Lock(path).release()


def test_holder_that_has_not_said_who_it_is_yet_is_another_process(path: Path) -> None:
    holder = Lock(path)
    Path(f"{path}.lock").write_text("")
    with pytest.raises(JournalLocked, match="held by another process") as caught:
        Lock(path)
    assert caught.value.pid is None
    holder.release()


def test_left_over_lock_file_holds_nobody(path: Path) -> None:
    Path(f"{path}.lock").write_text("12345\n")
    Lock(path).release()


def test_folder_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalUnwritable, match="Not a directory"):
        open_for_writing(tmp_path / "file" / "a.sqlite")


def test_lock_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalUnwritable, match=r"missing/a\.sqlite\.lock cannot be opened: No such file"):
        Lock(tmp_path / "missing" / "a.sqlite")


def test_commits_go_to_the_disk_before_they_return(db: sqlite3.Connection) -> None:
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def test_tables_are_made_once(path: Path, db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO stops (wall_ms) VALUES (1)")
    again = open_for_writing(path)
    assert again.execute("SELECT count(*) FROM stops").fetchone() == (1,)
    again.close()


def test_every_table_is_append_only(db: sqlite3.Connection) -> None:
    made = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert made == {*re.findall(r"CREATE TABLE (\w+)", SCHEMA), "alerts", "alerts_delivered"}
    guarded = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    assert guarded == {f"{table}_no_{verb}" for table in made for verb in ("UPDATE", "DELETE")}


def test_file_is_for_its_owner_alone(path: Path, db: sqlite3.Connection) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_other_version_is_refused_both_ways(path: Path, db: sqlite3.Connection) -> None:
    db.execute(f"PRAGMA user_version={VERSION + 1}")
    with pytest.raises(JournalMismatch, match=f"version {VERSION + 1}, this program writes {VERSION}"):
        open_for_writing(path)
    with pytest.raises(JournalMismatch, match=f"version {VERSION + 1}, this program reads {VERSION}"):
        open_for_reading(path)


def test_reader_writes_nothing(path: Path, db: sqlite3.Connection) -> None:
    reader = open_for_reading(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("INSERT INTO stops (wall_ms) VALUES (1)")
    reader.close()


def test_missing_file_is_not_made_by_reading(path: Path) -> None:
    with pytest.raises(JournalUnreadable, match="no journal"):
        open_for_reading(path)
    assert not path.exists()


def test_file_of_something_else_is_named(path: Path) -> None:
    path.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(JournalUnreadable, match="not a database"):
        open_for_reading(path)
    with pytest.raises(JournalUnwritable, match="not a database"):
        open_for_writing(path)


def test_transaction_is_all_or_nothing(path: Path, db: sqlite3.Connection) -> None:
    def write(*, then: Exception | None = None, number: int = 2) -> None:
        with transaction(db, path):
            db.execute("INSERT INTO stops (id, wall_ms) VALUES (1, 1)")
            db.execute("INSERT INTO stops (id, wall_ms) VALUES (?, 2)", (number,))
            if then is not None:
                raise then

    with pytest.raises(JournalConflict):
        write(number=1)
    with pytest.raises(AssertionError):
        write(then=AssertionError())
    assert db.execute("SELECT count(*) FROM stops").fetchone() == (0,)
    write()
    assert db.execute("SELECT count(*) FROM stops").fetchone() == (2,)


def stop(db: sqlite3.Connection, path: Path, wall_ms: int) -> None:
    with transaction(db, path):
        db.execute("INSERT INTO stops (wall_ms) VALUES (?)", (wall_ms,))


def stops_left(path: Path, log: bytes, copy: Path) -> list[int]:
    """What a start finds of the file and its log as a crash of the machine leaves them, nobody having closed them."""
    shutil.copy(path, copy)
    Path(f"{copy}-wal").write_bytes(log)
    found = open_for_writing(copy)
    rows = found.execute("SELECT wall_ms FROM stops ORDER BY id").fetchall()
    found.close()
    return [wall_ms for (wall_ms,) in rows]


def test_crash_costs_only_what_was_not_committed(path: Path, db: sqlite3.Connection, tmp_path: Path) -> None:
    log = Path(f"{path}-wal")
    stop(db, path, 1)
    whole = len(log.read_bytes())
    stop(db, path, 2)
    assert stops_left(path, log.read_bytes(), tmp_path / "whole") == [1, 2]
    for torn in (whole, whole + 1, whole + 100, len(log.read_bytes()) - 1):
        assert stops_left(path, log.read_bytes()[:torn], tmp_path / f"torn-{torn}") == [1]


@pytest.mark.parametrize(
    ("cause", "kind"),
    [(sqlite3.OperationalError("database or disk is full"), JournalUnwritable),
     (sqlite3.DatabaseError("malformed"), JournalUnwritable), (OSError(28, "No space left"), JournalUnwritable),
     (sqlite3.IntegrityError("UNIQUE"), JournalConflict)],
)  # fmt: skip
def test_errors_of_the_disk_get_our_names(path: Path, cause: Exception, kind: type[JournalError]) -> None:
    with pytest.raises(kind, match=r"a\.sqlite"), errors_named(path):
        raise cause


@pytest.mark.parametrize(
    ("kind", "request_made"),
    [("order", OrderRequest(kind=OrderKind.QUOTE, coid=5, side=Side.BID, lots=1, price=2, cross_account_guard=True)),
     ("cancel", CancelRequest(coid=5)), ("burn", BurnRequest())],
)  # fmt: skip
def test_request_of_every_kind_comes_back(kind: str, request_made: Request) -> None:
    assert kind_of(request_made) == kind
    assert candidate_of((kind, json_of(request_made), 7, "hash", 14, "payload", 1, 2)) == Candidate(
        nonce=7, request=request_made, tx_hash="hash", tx_type=14, payload="payload", signed_ms=1, expires_ms=2
    )

"""Alerts wait in every file of the desk until somebody has delivered them; the monitor's own file."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from lighter_hedge.domain.incidents import Incident
from lighter_hedge.domain.states import DeskId, Role
from lighter_hedge.processes.journal import Journal
from lighter_hedge.processes.journal_file import (
    JournalLocked,
    JournalUnreadable,
    JournalUnwritable,
    open_for_writing,
)
from lighter_hedge.processes.outbox import MonitorFile, mark_delivered, read_pending, stopped_by_person

DESK = DeskId(pair="a_b", market="BTC")
NOW_MS = 1_767_225_600_123
SILENT = Incident(code="SIDE_SILENT", about="B", since_ms=NOW_MS - 5_000, alerted=True)
EXPOSED = Incident(code="UNHEDGED_TOO_LONG", about="desk", since_ms=NOW_MS, alerted=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "journal_monitor.sqlite"


@pytest.fixture
def file(path: Path) -> Iterator[MonitorFile]:
    opened = MonitorFile.open(path)
    yield opened
    opened.close()


def test_an_alert_is_read_and_delivered_by_another_process_while_the_monitor_runs(
    path: Path, file: MonitorFile
) -> None:
    file.alert("error", "SIDE_SILENT", "account B has said nothing for 4 s", NOW_MS)
    file.alert("info", "SIDE_SILENT", "account B speaks again", NOW_MS + 1)
    first, second = read_pending(path)
    assert (first.level, first.code, first.wall_ms) == ("error", "SIDE_SILENT", NOW_MS)
    assert (second.level, second.text) == ("info", "account B speaks again")
    mark_delivered(path, [first.id], NOW_MS + 2)
    mark_delivered(path, [first.id], NOW_MS + 3)
    assert read_pending(path) == (second,)
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT * FROM alerts_delivered").fetchall() == [(first.id, NOW_MS + 2)]
    file.alert("error", "X", "still writable", NOW_MS)
    assert len(read_pending(path)) == 2


def test_the_outboxes_of_a_and_b_are_read_in_the_same_way(tmp_path: Path) -> None:
    path = tmp_path / "journal_A.sqlite"
    with Journal.open(path, desk=DESK, role=Role.MAKER, wall_ms=NOW_MS) as journal:
        journal.alert("FOREIGN_TRADE", "account A: trade 7 is not this desk's", NOW_MS)
        (alert,) = read_pending(path)
        assert (alert.level, alert.code) == ("error", "FOREIGN_TRADE")
        mark_delivered(path, [alert.id], NOW_MS)
    assert read_pending(path) == ()


def test_what_is_wrong_is_found_again(path: Path, file: MonitorFile) -> None:
    assert file.incidents() == ()
    file.remember((SILENT, EXPOSED), NOW_MS)
    file.close()
    again = MonitorFile.open(path)
    assert again.incidents() == (SILENT, EXPOSED)
    again.remember((), NOW_MS)
    assert again.incidents() == ()
    again.close()
    file._lock = MonitorFile.open(path)._lock  # for the fixture to close


def test_one_monitor_at_a_time(path: Path, file: MonitorFile) -> None:
    with pytest.raises(JournalLocked):
        MonitorFile.open(path)


def test_a_file_that_cannot_be_made_lets_its_lock_go(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(JournalUnwritable):
        MonitorFile.open(path)
    path.rmdir()
    MonitorFile.open(path).close()


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    for read in (read_pending, stopped_by_person, lambda path: mark_delivered(path, [1], NOW_MS)):
        with pytest.raises(JournalUnreadable, match="no journal at"):
            read(tmp_path / "none.sqlite")


def test_a_damaged_file_is_no_empty_one(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    db = open_for_writing(path)
    db.execute("DROP TABLE alerts")
    db.execute("DROP TABLE stops")
    db.close()
    for read in (read_pending, stopped_by_person):
        with pytest.raises(JournalUnreadable, match="cannot be read"):
            read(path)


def test_a_persons_stop_stands_until_the_next_start_of_a_person(tmp_path: Path) -> None:
    path = tmp_path / "journal_B.sqlite"
    with Journal.open(path, desk=DESK, role=Role.HEDGER, wall_ms=NOW_MS) as journal:
        assert not stopped_by_person(path)
        Journal.record_stop_by_person(path, NOW_MS)
        assert stopped_by_person(path)
        journal.memory(by_person=False, adopt=False)
        assert stopped_by_person(path), "a restart after a crash is no start by a person"
        journal.memory(by_person=True, adopt=False)
        assert not stopped_by_person(path)

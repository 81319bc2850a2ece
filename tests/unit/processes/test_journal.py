"""The journal of one side: what was committed is there, whatever dies, and nothing else is."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lighter_hedge.domain.commands import (
    Announced,
    AskKnown,
    BaselineSet,
    FillsKnown,
    FillTakenBack,
    ModeChanged,
    NonceSettled,
    RoundChanged,
    TriesCounted,
)
from lighter_hedge.domain.events import BurnRequest, CancelRequest, Candidate, OrderKind, OrderRequest, Request
from lighter_hedge.domain.memory import Memory
from lighter_hedge.domain.states import Announce, DeskId, HedgeFailed, Leg, Mode, OrderFills, Pause, Role
from lighter_hedge.domain.units import Side
from lighter_hedge.processes import journal_file
from lighter_hedge.processes.journal import ORDERS_KEPT, Journal, read_summary
from lighter_hedge.processes.journal_file import (
    JournalConflict,
    JournalLocked,
    JournalMismatch,
    JournalUnreadable,
    JournalUnwritable,
    open_for_writing,
)
from lighter_hedge.processes.outbox import mark_delivered, read_pending

DESK = DeskId(pair="a_b", market="BTC", number=3)
NOW_MS = 1_767_225_600_123


def coid(serial: int) -> int:
    return DESK.client_order_index(serial)


def order(serial: int) -> OrderRequest:
    return OrderRequest(kind=OrderKind.HEDGE, coid=coid(serial), side=Side.ASK, lots=20, price=1_111_588)


def signed(nonce: int, request: Request, tx_hash: str = "") -> Candidate:
    return Candidate(
        nonce=nonce,
        request=request,
        tx_hash=tx_hash or f"hash-{nonce}",
        tx_type=14,
        payload='{"Sig":"c2lnbmVk"}',
        signed_ms=NOW_MS,
        expires_ms=NOW_MS + 599_000,
    )


def fills(serial: int, filled: int, *, side: Side = Side.BID, closed: bool = True, quote: int = 0) -> OrderFills:
    return OrderFills(
        coid=coid(serial), round=1, side=side, lots=100, filled=filled, filled_quote=quote or filled * 10, closed=closed
    )


def known(serial: int, filled: int, *, role: Role = Role.MAKER, closed: bool = True) -> FillsKnown:
    side = Side.BID if role is Role.MAKER else Side.ASK
    return FillsKnown(role=role, fills=fills(serial, filled, side=side, closed=closed))


def open_journal(path: Path, *, role: Role = Role.HEDGER, wall_ms: int = NOW_MS, desk: DeskId = DESK) -> Journal:
    return Journal.open(path, desk=desk, role=role, wall_ms=wall_ms)


def remembered(path: Path, *, by_person: bool = False, wall_ms: int = NOW_MS) -> Memory:
    with open_journal(path, wall_ms=wall_ms) as journal:
        return journal.memory(by_person=by_person, adopt=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "b.sqlite"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    with open_journal(path) as opened:
        yield opened


def test_new_journal_is_fresh_and_takes_its_epoch_from_the_clock(path: Path) -> None:
    memory = remembered(path)
    assert memory == Memory(
        epoch=NOW_MS // 1000,
        fresh=True,
        fills={Role.MAKER: (), Role.HEDGER: ()},
        folded={Role.MAKER: 0, Role.HEDGER: 0},
        folded_serial={Role.MAKER: 0, Role.HEDGER: 0},
        folded_cash={Role.MAKER: 0, Role.HEDGER: 0},
    )


def test_epoch_rises_with_every_start_even_if_the_clock_falls(path: Path) -> None:
    first = remembered(path).epoch
    assert remembered(path, wall_ms=NOW_MS - 3_600_000).epoch == first + 1
    assert remembered(path, wall_ms=NOW_MS + 60_000).epoch == first + 60


def test_every_kind_of_entry_comes_back(path: Path) -> None:
    announce = Announce(
        epoch=5, round=17, attempt=2, leg=Leg.CLOSE, coid=coid(9), side=Side.ASK, lots=20, price=1_111_588,
        min_lots=9, expires_ms=NOW_MS + 330_000,
    )  # fmt: skip
    pause = Pause(id=4, reason="tries used up", code="tries", since_ms=NOW_MS)
    ask = Pause(id=6, reason="books disagree", code="books", since_ms=NOW_MS)
    failed = HedgeFailed(round=17, cum=20, reason="max_retries_exceeded", tries=3)
    changed = RoundChanged(round=17, closed=False, net=-3, leg="close", side="ask")
    tries = TriesCounted(tries=3, failed=failed)
    baseline = BaselineSet(maker=5, hedger=-5)
    candidate = signed(7, order(12))
    with open_journal(path) as journal:
        journal.commit(baseline)
        journal.commit(FillsKnown(role=Role.MAKER, fills=fills(9, 20, side=Side.ASK, quote=22_231_760)))
        journal.commit(Announced(announce=announce))
        journal.commit(changed)
        journal.commit(ModeChanged(mode=Mode.PAUSED, pause=pause, by="desk"))
        journal.commit(tries)
        journal.commit(AskKnown(pause=ask))
        journal.commit_candidate(candidate)
    memory = remembered(path)
    assert not memory.fresh
    assert (memory.baseline, memory.announce, memory.round, memory.tries) == (baseline, announce, changed, tries)
    assert (memory.mode, memory.pause, memory.ask) == (Mode.PAUSED, pause, ask)
    assert memory.fills == {Role.MAKER: (fills(9, 20, side=Side.ASK, quote=22_231_760),), Role.HEDGER: ()}
    assert memory.unsettled == memory.intents == (candidate,)
    assert memory.serial == 12


def test_newest_record_of_a_kind_wins(path: Path) -> None:
    with open_journal(path) as journal:
        journal.commit(ModeChanged(mode=Mode.PAUSED, pause=Pause(id=1, reason="r", code="c", since_ms=1), by="desk"))
        journal.commit(ModeChanged(mode=Mode.RUNNING, pause=None, by="person"))
        journal.commit_all([AskKnown(pause=Pause(id=1, reason="r", code="c", since_ms=1)), AskKnown(pause=None)])
    memory = remembered(path)
    assert (memory.mode, memory.pause, memory.ask) == (Mode.RUNNING, None, None)


def test_burn_alone_says_nothing_of_positions(path: Path) -> None:
    """A start burns before it reads: if it dies there, the next one is as ignorant as the first."""
    with open_journal(path) as journal:
        journal.memory(by_person=False, adopt=False)
        journal.commit_candidate(signed(0, BurnRequest()))
    assert remembered(path).fresh


# --- candidates


def test_all_candidates_of_a_nonce_are_settled_together(path: Path) -> None:
    with open_journal(path) as journal:
        journal.commit_candidate(signed(7, order(1), "first"))
        journal.commit_candidate(signed(7, order(2), "second"))
        journal.commit_candidate(signed(8, CancelRequest(coid=coid(2)), "third"))
        journal.commit(NonceSettled(nonce=7, winner="second", why="executed"))
    memory = remembered(path)
    assert [candidate.tx_hash for candidate in memory.unsettled] == ["third"]
    assert [candidate.tx_hash for candidate in memory.intents] == ["second"]


def test_candidate_signed_after_its_nonce_was_settled_counts_as_perhaps_sent(path: Path) -> None:
    """Another API key counts its nonces from its own beginning."""
    with open_journal(path) as journal:
        journal.commit_candidate(signed(7, order(1), "old key"))
        journal.commit(NonceSettled(nonce=7, winner="old key", why="executed"))
        journal.commit_candidate(signed(7, order(2), "new key"))
        assert [c.tx_hash for c in journal.memory(by_person=False, adopt=False).unsettled] == ["new key"]
        journal.commit(NonceSettled(nonce=7, winner="", why="burnt"))
        assert journal.memory(by_person=False, adopt=False).unsettled == ()


def test_nonce_is_settled_once(journal: Journal) -> None:
    journal.commit_candidate(signed(7, order(1)))
    journal.commit(NonceSettled(nonce=7, winner="hash-7", why="executed"))
    journal.commit(NonceSettled(nonce=7, winner="hash-7", why="told again"))
    with pytest.raises(JournalConflict, match="nonce 7 was settled for hash-7"):
        journal.commit(NonceSettled(nonce=7, winner="", why="burnt"))


def test_same_transaction_is_not_journalled_twice(journal: Journal) -> None:
    journal.commit_candidate(signed(7, order(1)))
    with pytest.raises(JournalConflict, match="tx_hash"):
        journal.commit_candidate(signed(8, order(2), "hash-7"))


def test_intents_are_the_newest_ones_oldest_first(path: Path) -> None:
    with open_journal(path) as journal:
        for number in range(1, 71):
            journal.commit_candidate(signed(number, order(number)))
            journal.commit(NonceSettled(nonce=number, winner=f"hash-{number}", why="executed"))
    memory = remembered(path)
    assert [DESK.serial(c.request.coid) for c in memory.intents if isinstance(c.request, OrderRequest)] == [
        *range(7, 71)
    ]
    assert memory.serial == 70
    assert memory.unsettled == ()


def test_order_of_another_desk_is_a_mistake_of_ours(journal: Journal) -> None:
    with pytest.raises(AssertionError, match="not of desk"):
        journal.commit(FillsKnown(role=Role.MAKER, fills=OrderFills(
            coid=5, round=1, side=Side.BID, lots=1, filled=1, filled_quote=1, closed=True)))  # fmt: skip


# --- fills


def test_fills_of_an_order_are_merged_by_maximum(path: Path) -> None:
    with open_journal(path) as journal:
        journal.commit(known(1, 4, closed=False))
        journal.commit(known(1, 10))
        journal.commit(known(1, 6, closed=False))
    assert remembered(path).fills[Role.MAKER] == (fills(1, 10),)


def test_a_fill_that_was_taken_back_counts_from_then_on(path: Path) -> None:
    """Rows are never changed: one of another kind voids those of this order before it."""
    back = FillTakenBack(role=Role.MAKER, fills=fills(2, 4, closed=False, quote=40))
    with open_journal(path) as journal:
        journal.commit_all([known(1, 9), known(2, 10), known(2, 10, role=Role.HEDGER), back, known(3, 7)])
    memory = remembered(path)
    assert memory.fills[Role.MAKER] == (fills(1, 9), fills(2, 4, closed=False, quote=40), fills(3, 7))
    assert memory.fills[Role.HEDGER] == (fills(2, 10, side=Side.ASK),)
    assert read_summary(path).positions == {Role.MAKER: 20, Role.HEDGER: -10}
    with open_journal(path) as journal:
        journal.commit_all([known(2, 6, closed=False), known(2, 5)])
    assert remembered(path).fills[Role.MAKER][1] == fills(2, 6)
    with open_journal(path) as journal:
        journal.commit(back)
    assert remembered(path).fills[Role.MAKER][1] == fills(2, 4, closed=False, quote=40), "the newest one counts"


def test_older_orders_are_folded_into_signed_lots(path: Path) -> None:
    with open_journal(path) as journal:
        journal.commit_all([known(serial, serial, role=Role.HEDGER) for serial in range(1, ORDERS_KEPT + 4)])
    memory = remembered(path)
    assert len(memory.fills[Role.HEDGER]) == ORDERS_KEPT
    assert memory.fills[Role.HEDGER][0].coid == coid(4)
    assert memory.folded == {Role.MAKER: 0, Role.HEDGER: -(1 + 2 + 3)}
    assert memory.folded_serial == {Role.MAKER: 0, Role.HEDGER: 3}


def test_order_that_may_still_fill_is_never_folded(path: Path) -> None:
    with open_journal(path) as journal:
        journal.commit(known(1, 1))
        journal.commit(known(2, 2, closed=False))
        journal.commit_all([known(serial, 1) for serial in range(3, ORDERS_KEPT + 10)])
        memory = journal.memory(by_person=False, adopt=False)
        assert memory.fills[Role.MAKER][0] == fills(2, 2, closed=False)
        assert (memory.folded[Role.MAKER], memory.folded_serial[Role.MAKER]) == (1, 1)
        journal.commit(known(2, 5))
        memory = journal.memory(by_person=False, adopt=False)
        assert len(memory.fills[Role.MAKER]) == ORDERS_KEPT
        assert memory.folded[Role.MAKER] == 1 + 5 + 7


def test_new_baseline_begins_the_count_anew(path: Path) -> None:
    with open_journal(path) as journal:
        journal.commit_all([known(1, 10), known(1, 10, role=Role.HEDGER)])
        journal.commit_all([BaselineSet(maker=10, hedger=-10), known(2, 7)])
        journal.commit(known(1, 10))  # told again, late: the baseline holds it
    memory = remembered(path)
    assert memory.baseline == BaselineSet(maker=10, hedger=-10)
    assert memory.fills == {Role.MAKER: (fills(2, 7),), Role.HEDGER: ()}
    assert memory.folded == {Role.MAKER: 0, Role.HEDGER: 0}
    assert memory.folded_serial == {Role.MAKER: 1, Role.HEDGER: 1}
    assert read_summary(path).positions == {Role.MAKER: 17, Role.HEDGER: -10}


def test_baseline_holds_over_a_restart(path: Path) -> None:
    with open_journal(path) as journal:
        journal.commit_all([known(1, 10), BaselineSet(maker=10, hedger=-10)])
    with open_journal(path) as journal:
        journal.commit(known(2, 3))
    assert remembered(path).fills[Role.MAKER] == (fills(2, 3),)


def test_a_baseline_tells_which_orders_it_holds_that_this_journal_has_never_seen(path: Path) -> None:
    """The journal was lost: the account's older orders are readable at the venue, and must never count."""
    with open_journal(path) as journal:
        journal.commit(BaselineSet(maker=10, hedger=-10, maker_serial=40, hedger_serial=7))
    assert remembered(path).folded_serial == {Role.MAKER: 40, Role.HEDGER: 7}
    with open_journal(path) as journal:
        journal.commit_all([known(41, 10), BaselineSet(maker=0, hedger=0)])
    assert remembered(path).folded_serial == {Role.MAKER: 41, Role.HEDGER: 7}


# --- a person's stop


def test_stop_by_a_person_counts_for_one_start_by_a_person(path: Path) -> None:
    with open_journal(path):
        Journal.record_stop_by_person(path, NOW_MS)  # beside the running side
        Journal.record_stop_by_person(path, NOW_MS + 1)
    assert not remembered(path, by_person=False).by_person
    assert remembered(path, by_person=True).by_person
    assert not remembered(path, by_person=True).by_person


def test_start_by_a_person_after_a_crash_is_no_answer_to_a_stop(path: Path) -> None:
    remembered(path)
    assert not remembered(path, by_person=True).by_person


def test_stop_of_a_side_that_never_started_is_refused(path: Path) -> None:
    with pytest.raises(JournalUnreadable, match="never started"):
        Journal.record_stop_by_person(path, NOW_MS)
    assert not path.exists()


# --- alerts and summary


def test_alert_stays_until_it_is_delivered(journal: Journal) -> None:
    journal.alert("unhedged", "20 lots for 91 s", NOW_MS)
    journal.alert("paused", "by the desk", NOW_MS + 1)
    first, second = read_pending(journal.path)
    assert (first.level, first.code, first.text, first.wall_ms) == ("error", "unhedged", "20 lots for 91 s", NOW_MS)
    mark_delivered(journal.path, [first.id], NOW_MS + 2)
    mark_delivered(journal.path, [first.id], NOW_MS + 3)
    assert read_pending(journal.path) == read_summary(journal.path).alerts == (second,)


def test_summary_is_read_while_the_side_runs(path: Path, journal: Journal) -> None:
    memory = journal.memory(by_person=False, adopt=True)
    pause = Pause(id=1, reason="r", code="c", since_ms=1)
    changed = RoundChanged(round=4, closed=True, net=2, leg="open", side="bid")
    journal.commit_all([
        BaselineSet(maker=100, hedger=-100), known(1, 20), known(1, 18, role=Role.HEDGER), changed,
        ModeChanged(mode=Mode.DRAINING, pause=pause, by="person"),
    ])  # fmt: skip
    journal.commit_candidate(signed(1, order(1)))
    journal.alert("code", "text", NOW_MS)
    summary = read_summary(path)
    assert (summary.desk, summary.role, summary.epoch) == ("a_b:BTC", Role.HEDGER, memory.epoch)
    assert (summary.mode, summary.pause, summary.round) == (Mode.DRAINING, pause, changed)
    assert summary.positions == {Role.MAKER: 120, Role.HEDGER: -118}
    assert (summary.unsettled, [alert.code for alert in summary.alerts]) == (1, ["code"])


def test_summary_of_nothing_says_so(path: Path, tmp_path: Path) -> None:
    with pytest.raises(JournalUnreadable, match="never started"):
        read_summary(path)
    (tmp_path / "noise").write_bytes(b"no database at all, but long enough to look like one" * 40)
    with pytest.raises(JournalUnreadable, match="not a database"):
        read_summary(tmp_path / "noise")


def test_summary_of_a_journal_that_nobody_has_claimed_says_so(path: Path) -> None:
    path.parent.mkdir()
    open_for_writing(path).close()
    with pytest.raises(JournalUnreadable, match="belongs to no desk"):
        read_summary(path)


def test_summary_of_a_damaged_journal_says_so(path: Path, journal: Journal) -> None:
    raw = sqlite3.connect(path)
    raw.execute("DROP TABLE alerts")
    raw.close()
    with pytest.raises(JournalUnreadable, match="no such table: alerts"):
        read_summary(path)


def test_stop_that_cannot_be_recorded_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person must learn that the next start will not end the pause."""
    monkeypatch.setattr(journal_file, "BUSY_SECONDS", 0.0)
    with open_journal(path) as journal:
        journal._db.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalUnwritable, match="locked"):
            Journal.record_stop_by_person(path, NOW_MS)
        journal._db.execute("ROLLBACK")
    assert not remembered(path, by_person=True).by_person


# --- one writer, one desk


def test_second_writer_is_refused_with_the_pid_of_the_first(path: Path, journal: Journal) -> None:
    with pytest.raises(JournalLocked, match=f"process {os.getpid()}") as caught:
        open_journal(path)
    assert caught.value.pid == os.getpid()
    journal.commit(known(1, 1))  # undisturbed


def test_journal_of_another_desk_or_side_is_refused(path: Path) -> None:
    with open_journal(path):
        pass
    with pytest.raises(JournalMismatch, match="belongs to the hedger of desk a_b:BTC"):
        open_journal(path, role=Role.MAKER)
    with pytest.raises(JournalMismatch, match="number 4"):
        open_journal(path, desk=DeskId(pair="a_b", market="BTC", number=4))
    with open_journal(path):  # the refusals have let the lock go
        pass


def test_nothing_is_ever_changed_or_removed(path: Path, journal: Journal) -> None:
    journal.commit_candidate(signed(1, order(1)))
    raw = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw.execute("UPDATE candidates SET nonce = 2")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw.execute("DELETE FROM candidates")
    raw.close()


# --- when the disk or the process fails


def test_full_disk_is_named_and_leaves_nothing_half_written(path: Path, journal: Journal) -> None:
    journal.commit(known(1, 1))
    limit = journal._db.execute("PRAGMA page_count").fetchone()[0]
    journal._db.execute(f"PRAGMA max_page_count={limit}")
    many = [RoundChanged(round=n, closed=False, net=0, leg="open", side="bid") for n in range(2000)]
    with pytest.raises(JournalUnwritable, match="full"):
        journal.commit_all(many)
    journal._db.execute("PRAGMA max_page_count=100000")
    memory = journal.memory(by_person=False, adopt=False)
    assert memory.round is None
    assert memory.fills[Role.MAKER] == (fills(1, 1),)


CHILD = """
import sys
from pathlib import Path
from lighter_hedge.domain.commands import FillsKnown
from lighter_hedge.domain.states import DeskId, OrderFills, Role
from lighter_hedge.domain.units import Side
from lighter_hedge.processes.journal import Journal

desk = DeskId(pair="a_b", market="BTC", number=3)
journal = Journal.open(Path(sys.argv[1]), desk=desk, role=Role.HEDGER, wall_ms=1)
fills = OrderFills(
    coid=desk.client_order_index(5), round=1, side=Side.BID, lots=9, filled=9, filled_quote=90, closed=True
)
journal.commit(FillsKnown(role=Role.MAKER, fills=fills))
print("committed", flush=True)
sys.stdin.read()
"""


def test_killed_process_loses_its_lock_and_nothing_else(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "committed\n"
        with pytest.raises(JournalLocked) as caught:
            open_journal(path)
        assert caught.value.pid == child.pid
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert remembered(path).fills[Role.MAKER][0].filled == 9


# --- any history


PAUSES = st.none() | st.builds(
    Pause, id=st.integers(0, 99), reason=st.text(), code=st.text(), since_ms=st.integers(0, 2**45)
)
ENTRIES = st.one_of(
    st.builds(
        lambda role, serial, filled, closed: known(serial, filled, role=role, closed=closed),
        st.sampled_from(Role), st.integers(1, 200), st.integers(0, 50), st.booleans(),
    ),
    st.builds(
        lambda role, fill: FillTakenBack(role=role, fills=known(*fill, role=role, closed=False).fills),
        st.sampled_from(Role), st.tuples(st.integers(1, 200), st.integers(0, 50)),
    ),
    st.builds(BaselineSet, maker=st.integers(-99, 99), hedger=st.integers(-99, 99)),
    st.builds(ModeChanged, mode=st.sampled_from(Mode), pause=PAUSES, by=st.text()),
    st.builds(AskKnown, pause=PAUSES),
    st.builds(RoundChanged, round=st.integers(0), closed=st.booleans(), net=st.integers(-9, 9),
              leg=st.text(), side=st.text()),
)  # fmt: skip
History = list[FillsKnown | FillTakenBack | BaselineSet | ModeChanged | AskKnown | RoundChanged]


def expected_totals(history: History) -> dict[Role, int]:
    """Positions by the record, computed the plain way."""
    base = dict.fromkeys(Role, 0)
    before: dict[Role, int] = dict.fromkeys(Role, 0)
    highest: dict[Role, int] = dict.fromkeys(Role, 0)
    orders: dict[tuple[Role, int], int] = {}
    for entry in history:
        match entry:
            case FillsKnown(role=role, fills=told):
                highest[role] = max(highest[role], told.coid)
                if told.coid > before[role]:
                    orders[role, told.coid] = max(
                        told.side.sign * told.filled, orders.get((role, told.coid), 0), key=abs
                    )
            case FillTakenBack(role=role, fills=told):
                highest[role] = max(highest[role], told.coid)
                if told.coid > before[role]:
                    orders[role, told.coid] = told.side.sign * told.filled
            case BaselineSet(maker=maker, hedger=hedger):
                base, before, orders = {Role.MAKER: maker, Role.HEDGER: hedger}, dict(highest), {}
            case _:
                pass
    return {role: base[role] + sum(lots for (own, _), lots in orders.items() if own is role) for role in Role}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(ENTRIES, max_size=40), restart=st.integers(0, 40))
def test_any_history_comes_back(tmp_path_factory: pytest.TempPathFactory, history: History, restart: int) -> None:
    path = tmp_path_factory.mktemp("journal") / "b.sqlite"
    for part in (history[:restart], history[restart:]):
        with open_journal(path) as journal:
            journal.commit_all(part)
    memory, summary = remembered(path), read_summary(path)
    modes = [entry for entry in history if isinstance(entry, ModeChanged)]
    rounds = [entry for entry in history if isinstance(entry, RoundChanged)]
    asks = [entry for entry in history if isinstance(entry, AskKnown)]
    assert (memory.mode, memory.pause) == ((modes[-1].mode, modes[-1].pause) if modes else (Mode.RUNNING, None))
    assert memory.round == (rounds[-1] if rounds else None)
    assert memory.ask == (asks[-1].pause if asks else None)
    assert summary.positions == expected_totals(history)
    base = memory.baseline or BaselineSet(maker=0, hedger=0)
    for role, start in ((Role.MAKER, base.maker), (Role.HEDGER, base.hedger)):
        kept = sum(order.side.sign * order.filled for order in memory.fills[role])
        assert start + memory.folded[role] + kept == summary.positions[role]

"""The journal: after every entry, and over every restart, what a start would be given is the truth so far."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from tests.properties.profile import few
from tests.unit.domain.builders import candidate, order

from lighter_hedge.domain.commands import BaselineSet, FillsKnown, FillTakenBack, ModeChanged, NonceSettled
from lighter_hedge.domain.events import Candidate
from lighter_hedge.domain.ledger import Ledger
from lighter_hedge.domain.memory import Memory
from lighter_hedge.domain.states import DeskId, Mode, OrderFills, Pause, Role
from lighter_hedge.domain.units import Side
from lighter_hedge.processes.journal import ORDERS_KEPT, Journal, read_summary

DESK = DeskId(pair="a_b", market="BTC")
ROLES = st.sampled_from(Role)
LOTS = 100


def side_of(serial: int) -> Side:
    """An order has one side for ever."""
    return Side.BID if serial % 3 else Side.ASK


class Journalled(RuleBasedStateMachine):
    """Every entry is a possible end: the process dies there, and the next start must be able to go on from it."""

    def __init__(self) -> None:
        super().__init__()
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.wall_ms = 1_767_225_600_000
        self.epochs = [0]
        self.known: dict[Role, dict[int, tuple[int, bool]]] = {role: {} for role in Role}
        self.counted_from: dict[Role, int] = dict.fromkeys(Role, 0)
        self.baseline: BaselineSet | None = None
        self.candidates: list[Candidate] = []
        self.settled: dict[int, str] = {}
        self.mode = Mode.RUNNING
        self.pause: Pause | None = None
        self.serial = 0
        self.alerts: list[str] = []
        self.journal = self._opened()

    def _opened(self) -> Journal:
        return Journal.open(self.folder / "b.sqlite", desk=DESK, role=Role.HEDGER, wall_ms=self.wall_ms)

    # --- what happens -----------------------------------------------------------------------------------------------

    @rule(role=ROLES, serial=st.integers(1, 90), filled=st.integers(0, LOTS), closed=st.booleans())
    def an_order_has_filled(self, role: Role, serial: int, filled: int, closed: bool) -> None:
        self._fill(role, serial, filled, closed)

    @rule(role=ROLES, first=st.integers(1, 20), filled=st.integers(0, LOTS))
    def many_orders_have_ended(self, role: Role, first: int, filled: int) -> None:
        """So many that old ones are folded."""
        for serial in range(first, first + ORDERS_KEPT + 6):
            self._fill(role, serial, filled, closed=True)

    @rule(role=ROLES, serial=st.integers(1, 90), filled=st.integers(0, LOTS))
    def a_guess_is_taken_back(self, role: Role, serial: int, filled: int) -> None:
        self.journal.commit(FillTakenBack(role=role, fills=self._said(serial, filled, closed=False)))
        self.known[role][serial] = filled, False

    def _said(self, serial: int, filled: int, *, closed: bool) -> OrderFills:
        return OrderFills(
            coid=DESK.client_order_index(serial),
            round=1,
            side=side_of(serial),
            lots=LOTS,
            filled=filled,
            filled_quote=filled * 10,
            closed=closed,
        )

    def _fill(self, role: Role, serial: int, filled: int, closed: bool) -> None:
        self.journal.commit(FillsKnown(role=role, fills=self._said(serial, filled, closed=closed)))
        before = self.known[role].get(serial, (0, False))
        self.known[role][serial] = max(before[0], filled), before[1] or closed

    @rule(maker=st.integers(-50, 50), hedger=st.integers(-50, 50))
    def positions_are_counted_anew(self, maker: int, hedger: int) -> None:
        self.baseline = BaselineSet(maker=maker, hedger=hedger)
        self.journal.commit(self.baseline)
        for role in Role:
            self.counted_from[role] = max([self.counted_from[role], *self.known[role]])

    @rule(ahead=st.integers(0, 2))
    def something_is_signed(self, ahead: int) -> None:
        self.serial += 1
        nonce = max(self.settled, default=0) + 1 + ahead
        signed = candidate(order(self.serial), nonce, tx_hash=f"{self.serial:x}")
        self.candidates.append(signed)
        self.journal.commit_candidate(signed)

    @precondition(lambda self: any(one.nonce not in self.settled for one in self.candidates))
    @rule(data=st.data(), ours=st.booleans())
    def a_nonce_is_settled(self, data: st.DataObject, ours: bool) -> None:
        unsettled = [one for one in self.candidates if one.nonce not in self.settled]
        one = data.draw(st.sampled_from(unsettled))
        lower = [other for other in unsettled if other.nonce < one.nonce]
        for each in [*lower, one]:
            if each.nonce not in self.settled:
                winner = one.tx_hash if each is one and ours else ""
                self.settled[each.nonce] = winner
                self.journal.commit(NonceSettled(nonce=each.nonce, winner=winner, why="told"))

    @rule(mode=st.sampled_from(Mode), number=st.integers(1, 9))
    def the_desk_changes(self, mode: Mode, number: int) -> None:
        self.mode = mode
        self.pause = Pause(id=number, reason="r", code="c", since_ms=1) if mode is Mode.PAUSED else None
        self.journal.commit(ModeChanged(mode=mode, pause=self.pause, by="desk"))

    @rule(text=st.text(max_size=20))
    def somebody_must_be_told(self, text: str) -> None:
        self.alerts.append(text)
        self.journal.alert("code", text, self.wall_ms)

    @rule(ms=st.integers(-5_000, 5_000))
    def the_process_dies_and_starts_again(self, ms: int) -> None:
        self.journal.close()
        self.wall_ms += ms
        self.journal = self._opened()
        memory = self.journal.memory(by_person=False, adopt=False)
        assert memory.epoch > self.epochs[-1]
        self.epochs.append(memory.epoch)
        self.check(memory)

    # --- what a start is given --------------------------------------------------------------------------------------

    def check(self, memory: Memory) -> None:
        assert (memory.mode, memory.pause, memory.baseline) == (self.mode, self.pause, self.baseline)
        assert memory.serial >= self.serial
        stored = read_summary(self.folder / "b.sqlite").alerts
        assert [alert.text for alert in stored] == self.alerts, "none is lost, each is told once and in its order"
        assert set(memory.unsettled) == {one for one in self.candidates if one.nonce not in self.settled}
        winners = set(self.settled.values())
        lost = {one.tx_hash for one in self.candidates if one.nonce in self.settled and one.tx_hash not in winners}
        assert not lost & {one.tx_hash for one in memory.intents}
        for role in Role:
            self.check_fills(memory, role)

    def check_fills(self, memory: Memory, role: Role) -> None:
        """Kept and folded orders together are all that has filled since the baseline, each once."""
        truth = {serial: known for serial, known in self.known[role].items() if serial > self.counted_from[role]}
        total = sum(side_of(serial).sign * filled for serial, (filled, _) in truth.items())
        kept = memory.fills[role]
        ledger = Ledger(role=role, desk=DESK, folded=memory.folded[role], folded_serial=memory.folded_serial[role])
        ledger.restore(kept)
        assert ledger.total == total
        still_open = {DESK.client_order_index(serial) for serial, (_, closed) in truth.items() if not closed}
        assert still_open <= {one.coid for one in kept}, "an order that may fill is never folded"
        for one in kept:
            assert (one.filled, one.closed) == truth[DESK.serial(one.coid) or 0]

    def teardown(self) -> None:
        self.the_process_dies_and_starts_again(0)
        self.journal.close()
        shutil.rmtree(self.folder)


TestJournalled = Journalled.TestCase
TestJournalled.settings = few

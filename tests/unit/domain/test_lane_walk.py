"""Every interleaving of one small story, up to a bounded number of deviations from the friendly one.

The venue is a tiny model: it expects one nonce; what is sent may arrive at once, late, twice or never; an arriving
transaction executes if and only if its nonce is the expected one; reads lag behind by a bounded time. The story: one
order wanted, then perhaps not wanted any more, then a second one. Every point where the world could go another way is
a *choice*; choice 0 is the friendly one. The walk replays the story with every set of at most so many other choices,
fewest first: the first story that breaks a promise is a shortest one.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import assert_never

import pytest
from tests.unit.domain.builders import DESK, at, candidate, order, request_name
from tests.unit.domain.builders import row as row_of

from lighter_hedge.domain.commands import Command, NonceSettled, Prepare, ReadNonce, ReadOrders, ReadTx, Record, Send
from lighter_hedge.domain.events import (
    Answer,
    AnswerKind,
    Candidate,
    LaneEvent,
    NonceRead,
    OrderRequest,
    OrdersRead,
    Prepared,
    SendAnswered,
    TxReported,
    TxStatus,
)
from lighter_hedge.domain.lane import Lane
from lighter_hedge.domain.lane_words import Fate

LAG_MS = 1_000
LANE_LAG_MS = LAG_MS
"""What the lane is told of it."""
TICKS_MAX = 120
EVENTS_MAX = 200
"""Answers that one moment may bring: more are a loop without a pause."""
FIRST, SECOND = order(1), order(2)
NO_EFFECT = "the sequencer refused it"


class Broken(AssertionError):
    """The lane broke a promise."""


@dataclass(slots=True)
class Choices:
    """What the world does at each fork: ``taken`` where it deviates, else the friendly way."""

    taken: dict[int, int]
    offered: list[tuple[str, ...]] = field(default_factory=list)

    def choose(self, *names: str) -> str:
        number = len(self.offered)
        self.offered.append(names)
        return names[self.taken.get(number, 0)]

    def story(self) -> str:
        return ", ".join(f"{n}: {self.offered[n][i]}" for n, i in sorted(self.taken.items()) if n < len(self.offered))


@dataclass(slots=True)
class ModelVenue:
    """One key of the venue."""

    expected: int = 5
    executed: dict[str, int] = field(default_factory=dict)
    """When each transaction executed, by hash."""
    by_nonce: dict[int, str] = field(default_factory=dict)
    consumed_ms: dict[int, int] = field(default_factory=dict)
    without_effect: set[str] = field(default_factory=set)
    failed: dict[str, int] = field(default_factory=dict)
    """When the sequencer failed a transaction, by hash: it will not execute."""
    late: deque[Candidate] = field(default_factory=deque)
    """On their way, perhaps for ever."""

    def deliver(self, arrived: Candidate, mono_ms: int) -> bool:
        """A transaction arrives. Whether it executes."""
        if arrived.nonce != self.expected or arrived.tx_hash in self.failed:
            return False
        assert arrived.nonce not in self.by_nonce
        self.by_nonce[arrived.nonce] = arrived.tx_hash
        self.executed[arrived.tx_hash] = mono_ms
        self.consume(mono_ms)
        return True

    def consume(self, mono_ms: int) -> None:
        self.consumed_ms[self.expected] = mono_ms
        self.expected += 1

    def nonce_seen(self, until_ms: int) -> int:
        later = [nonce for nonce, at_ms in self.consumed_ms.items() if at_ms > until_ms]
        return min(later, default=self.expected)

    def status_seen(self, tx_hash: str, until_ms: int) -> TxStatus:
        if self.failed.get(tx_hash, until_ms + 1) <= until_ms:
            return TxStatus.FAILED
        ran_ms = self.executed.get(tx_hash)
        return TxStatus.EXECUTED if ran_ms is not None and ran_ms <= until_ms else TxStatus.NOT_FOUND


@dataclass(slots=True)
class Story:
    """One run: a lane, its journal, its owner and the venue."""

    choices: Choices
    arm: bool
    kinds: frozenset[str]
    """Kinds of deviation that are offered."""
    lagging: bool = False
    """Every read is as old as the venue's lag allows."""
    ms: int = 0
    venue: ModelVenue = field(default_factory=ModelVenue)
    lane: Lane = field(default_factory=lambda: Lane(read_lag_ms=LANE_LAG_MS))
    journal: dict[str, Candidate] = field(default_factory=dict)
    settled_nonces: set[int] = field(default_factory=set)
    fates: dict[int, Fate] = field(default_factory=dict)
    """By client order index, what the lane has told its owner, in any life."""
    unwanted: bool = False
    strangers: int = 0
    lives: int = 1
    sent_in_life: dict[int, int] = field(default_factory=dict)
    ever_sent: set[int] = field(default_factory=set)
    queue: deque[LaneEvent | int] = field(default_factory=deque)
    """Events, and client order indices of rows that the stream shows."""
    slow: list[LaneEvent] = field(default_factory=list)

    def offer(self, friendly: str, *others: str) -> str:
        names = [name for name in others if name in self.kinds]
        return self.choices.choose(friendly, *names) if names else friendly

    def play(self) -> None:
        self.carry_out(self.lane.start())
        for _ in range(TICKS_MAX):
            self.drain()
            if self.lane.superseded or self.finished():
                break
            self.happen()
            self.drain()
            self.want()
            self.drain()
            self.ms = max(self.ms + 100, self.lane._deadline_ms - at(0).mono_ms)
            self.carry_out(self.lane.tick(at(self.ms)))
        self.check_end()

    # --- the world ---

    def happen(self) -> None:
        """Something that nobody asked for, at any moment."""
        others = ["stranger", "unwant"] if not self.strangers else ["unwant"]
        if self.lives == 1:
            others.append("crash")
        if self.venue.late:
            others.append("late")
        match self.offer("nothing", *others):
            case "stranger":
                self.strangers += 1
                self.venue.consume(self.mono_ms)
            case "unwant":
                self.unwanted = True
            case "crash":
                self.crash()
            case "late":
                self.arrive(self.venue.late.popleft())
            case _:
                pass
        self.queue.extend(self.slow)
        self.slow.clear()

    def crash(self) -> None:
        self.lives += 1
        self.queue.clear()
        self.slow.clear()
        self.sent_in_life.clear()
        unsettled = tuple(one for one in self.journal.values() if one.nonce not in self.settled_nonces)
        self.lane = Lane(read_lag_ms=LANE_LAG_MS, restored=unsettled)
        self.carry_out(self.lane.start())

    def arrive(self, arrived: Candidate) -> bool:
        ran = self.venue.deliver(arrived, self.mono_ms)
        if ran:
            self.check_execution(arrived)
            request = arrived.request
            if isinstance(request, OrderRequest) and self.offer("no row", "row") == "row":
                self.queue.append(request.coid)
        return ran

    @property
    def mono_ms(self) -> int:
        return at(self.ms).mono_ms

    # --- the owner ---

    def wanted(self, request: OrderRequest) -> bool:
        return not self.unwanted or request.coid != FIRST.coid

    def want(self) -> None:
        """The owner wants the first order, and then, once its fate is known, the second."""
        lane = self.lane
        if not lane.ready:
            return
        if FIRST.coid in self.journalled() or self.unwanted:
            known = FIRST.coid in self.fates or FIRST.coid not in self.journalled()
            held = lane.prepared(FIRST.coid)
            if held is not None and FIRST.coid not in self.fates:
                if self.wanted(FIRST):
                    self.carry_out(lane.send_prepared(held, at(self.ms)))
                else:
                    lane.forget(FIRST.coid)
            elif (known or FIRST.coid not in self.ever_sent) and SECOND.coid not in self.journalled():
                self.carry_out(lane.submit(SECOND))
        elif self.arm:
            self.carry_out(lane.prepare(FIRST))
        else:
            self.carry_out(lane.submit(FIRST))

    def journalled(self) -> set[int]:
        return {one.request.coid for one in self.journal.values() if isinstance(one.request, OrderRequest)}

    def finished(self) -> bool:
        pending = self.ever_sent - self.fates.keys()
        return self.lane.ready and not pending and SECOND.coid in self.fates

    # --- commands and answers ---

    def drain(self) -> None:
        for _ in range(EVENTS_MAX):
            if not self.queue:
                return
            event = self.queue.popleft()
            if isinstance(event, int):
                self.carry_out(self.lane.evidence(event, at(self.ms)))
            else:
                self.carry_out(self.lane.step(event, at(self.ms), self.wanted))
        raise Broken(f"asks and sends without a pause: {self.lane.phase.value}")

    def carry_out(self, commands: list[Command]) -> None:
        for settlement in self.lane.take_settlements():
            if isinstance(settlement.request, OrderRequest):
                self.check_fate(settlement.request.coid, settlement.fate)
        for command in commands:
            match command:
                case Prepare():
                    self.sign(command)
                case Send():
                    self.send(command.candidate)
                case ReadNonce() | ReadTx() | ReadOrders():
                    self.read(command)
                case Record():
                    assert isinstance(command.entry, NonceSettled)
                    self.settled_nonces.add(command.entry.nonce)
                case _:
                    raise AssertionError(command)

    def sign(self, command: Prepare) -> None:
        name = f"{request_name(command.request)}@{command.nonce}#{len(self.journal)}"
        signed = candidate(command.request, command.nonce, tx_hash=name, expires_ms=at(self.ms).wall_ms + 599_000)
        self.journal[name] = signed
        self.queue.append(Prepared(ticket=command.ticket, candidate=signed))

    def send(self, leaving: Candidate) -> None:
        self.check_send(leaving)
        way = self.offer("arrives", *SENDS)
        kind = AnswerKind.UNKNOWN
        match way:
            case "arrives" | "twice" | "answer lost":
                ran = self.arrive(leaving)
                if way == "twice":
                    self.venue.late.append(leaving)
                if way != "answer lost":
                    kind = AnswerKind.ACCEPTED if ran else AnswerKind.BAD_NONCE
            case "on its way" | "later":
                self.venue.late.append(leaving)
                kind = AnswerKind.ACCEPTED if way == "later" else kind
            case "refused":
                kind = AnswerKind.REJECTED
            case "not sent":
                kind = AnswerKind.NOT_SENT
            case "failed" | "failed and used":
                if leaving.nonce == self.venue.expected:
                    self.venue.failed[leaving.tx_hash] = self.mono_ms
                    kind = AnswerKind.ACCEPTED
                    if way == "failed and used":
                        self.venue.consume(self.mono_ms)
            case "no effect":
                if self.venue.deliver(leaving, self.mono_ms):
                    self.venue.without_effect.add(leaving.tx_hash)
                    kind = AnswerKind.ACCEPTED
            case _:
                pass
        self.queue.append(SendAnswered(tx_hash=leaving.tx_hash, answer=Answer(kind=kind)))

    def read(self, command: ReadNonce | ReadTx | ReadOrders) -> None:
        way = self.offer("fresh", *READS)
        until_ms = self.mono_ms if way == "fresh" and not self.lagging else self.mono_ms - LAG_MS
        event: LaneEvent
        match command:
            case ReadNonce():
                event = NonceRead(nonce=None if way == "fails" else self.venue.nonce_seen(until_ms))
            case ReadTx():
                status = None if way == "fails" else self.venue.status_seen(command.tx_hash, until_ms)
                none = status is TxStatus.EXECUTED and command.tx_hash in self.venue.without_effect
                error = NO_EFFECT if none else ""
                event = TxReported(tx_hash=command.tx_hash, status=status, error=error, asked_ms=self.mono_ms)
            case ReadOrders():
                rows = tuple(row_of(serial) for serial in (1, 2) if self.row_seen(serial, until_ms))
                rows = tuple(one for one in rows if one.coid in command.coids)
                event = OrdersRead(coids=command.coids, rows=None if way == "fails" else rows, asked_ms=self.mono_ms)
            case _:
                assert_never(command)
        (self.slow if way == "slow" else self.queue).append(event)

    def row_seen(self, serial: int, until_ms: int) -> bool:
        return any(
            ran_ms <= until_ms and tx_hash not in self.venue.without_effect
            for tx_hash, ran_ms in self.venue.executed.items()
            if tx_hash.startswith(f"order{serial}@")
        )

    # --- promises ---

    def ran(self, order_coid: int) -> bool:
        return self.row_seen(DESK.serial(order_coid) or 0, self.mono_ms)

    def check_send(self, leaving: Candidate) -> None:
        if self.lane.superseded:
            raise Broken(f"{leaving.tx_hash} was sent after the lane was superseded")
        if not isinstance(leaving.request, OrderRequest):
            return
        number = leaving.request.coid
        if number in self.fates and self.fates[number] is not Fate.BOUNCED:
            raise Broken(f"{leaving.tx_hash} was sent after it was {self.fates[number].value}")
        if self.sent_in_life.get(number) and not self.wanted(leaving.request):
            raise Broken(f"{leaving.tx_hash} was sent again though it is not wanted")
        others = [one for one in self.ever_sent - self.fates.keys() if one != number]
        if others:
            raise Broken(f"{leaving.tx_hash} was sent while the fate of {others} is not known")
        if self.lives > 1 and number in self.ever_sent and number not in self.sent_in_life:
            raise Broken(f"{leaving.tx_hash} of an earlier life was sent")
        self.ever_sent.add(number)
        self.sent_in_life[number] = self.sent_in_life.get(number, 0) + 1

    def check_fate(self, number: int, fate: Fate) -> None:
        if (fate is Fate.EXECUTED) != self.ran(number):
            raise Broken(f"order {number} was told to be {fate.value}; executed: {self.ran(number)}")
        before = self.fates.get(number, fate)
        if (before is Fate.EXECUTED) != (fate is Fate.EXECUTED):
            raise Broken(f"order {number} was {before.value}, and then {fate.value}")
        self.fates[number] = fate

    def check_execution(self, arrived: Candidate) -> None:
        if isinstance(arrived.request, OrderRequest):
            fate = self.fates.get(arrived.request.coid)
            if fate not in (None, Fate.EXECUTED):
                raise Broken(f"{arrived.tx_hash} executed after it was told to be {fate.value}")

    def check_end(self) -> None:
        while self.venue.late:  # whatever is still on its way may arrive at last
            self.arrive(self.venue.late.popleft())
        if self.lane.superseded:
            if not self.strangers:
                raise Broken("superseded, and nobody else holds the key")
            return
        if not self.finished():
            raise Broken(f"not settled: {self.lane.phase.value}, sent {self.ever_sent}, known {self.fates}")


SENDS = (
    "answer lost",
    "lost",
    "on its way",
    "twice",
    "refused",
    "not sent",
    "no effect",
    "later",
    "failed",
    "failed and used",
)
READS = ("stale", "fails", "slow")
WORLD = ("stranger", "unwant", "crash", "late", "row")


def deviations(play: Callable[[Choices], None], budget: int) -> Iterator[Choices]:
    """All stories with at most ``budget`` unfriendly choices, fewest first."""
    stories: list[dict[int, int]] = [{}]
    for _ in range(budget + 1):
        longer: list[dict[int, int]] = []
        for taken in stories:
            choices = Choices(taken)
            play(choices)
            yield choices
            first = max(taken, default=-1) + 1
            longer += [
                {**taken, number: way}
                for number in range(first, len(choices.offered))
                for way in range(1, len(choices.offered[number]))
            ]
        stories = longer


def walk(kinds: tuple[str, ...], budget: int, *, arm: bool = False, lagging: bool = False) -> int:
    def play(choices: Choices) -> None:
        try:
            Story(choices, arm=arm, kinds=frozenset(kinds), lagging=lagging).play()
        except AssertionError as error:
            error.add_note(f"story: {choices.story() or 'the friendly one'}")
            raise

    return sum(1 for _ in deviations(play, budget))


PLAIN = tuple(kind for kind in SENDS if not kind.startswith("failed"))


def test_the_friendly_story_settles_both_orders_as_executed() -> None:
    choices = Choices({})
    story = Story(choices, arm=False, kinds=frozenset())
    story.play()
    assert story.fates == {FIRST.coid: Fate.EXECUTED, SECOND.coid: Fate.EXECUTED}


def test_no_two_deviations_break_a_promise() -> None:
    assert walk((*PLAIN, *READS, *WORLD), 2) > 2_000


def test_no_two_deviations_break_a_promise_of_an_armed_order() -> None:
    assert walk(("answer lost", "on its way", "twice", "stale", *WORLD), 2, arm=True) > 500


@pytest.mark.parametrize("arm", [False, True], ids=["signed on demand", "armed"])
def test_no_deviation_breaks_a_promise_while_every_read_lags(arm: bool) -> None:
    assert walk((*PLAIN, *READS, *WORLD), 1, arm=arm, lagging=True) > 50


@pytest.mark.parametrize("lagging", [False, True], ids=["fresh reads", "lagging reads"])
def test_crash_stranger_and_late_arrival_together(lagging: bool) -> None:
    """Deeper, with fewer kinds: what a restart and a second instance may meet."""
    kinds = ("answer lost", "on its way", "stranger", "unwant", "crash", "late")
    assert walk(kinds, 2, lagging=lagging) > 200


def test_a_quick_restart_with_lagging_nonces() -> None:
    assert walk(("stale", "stranger", "crash"), 3) > 300


def test_a_transaction_that_the_sequencer_fails_is_no_execution() -> None:
    assert walk(("failed", "failed and used", "stranger", "answer lost", "crash"), 2) > 200


def test_the_walk_notices_a_lane_that_takes_silence_for_absence(monkeypatch: pytest.MonkeyPatch) -> None:
    """The walk can fail: a lane that does not wait out the read lag tells an executed order dead."""
    monkeypatch.setitem(globals(), "LANE_LAG_MS", 0)
    monkeypatch.setitem(globals(), "LAG_MS", 60_000)
    with pytest.raises(Broken, match="executed: True"):
        walk(("crash", "stale"), 2)

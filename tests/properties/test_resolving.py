"""RESOLVE: whatever the venue and the network do with what was sent, what the lane says of it is the truth.

The venue is the model of ``test_lane_walk``: one key, one expected nonce, reads that lag. Where the walk takes every
set of at most two or three unfriendly answers, here many are drawn at once, at random, over both lives of a key.
"""

from dataclasses import dataclass, field

from hypothesis import given, note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.properties.profile import examples, few
from tests.unit.domain.builders import at, candidate, order
from tests.unit.domain.test_lane_walk import READS, SENDS, WORLD, Choices, Story

from lighter_hedge.domain.events import TxReported, TxStatus
from lighter_hedge.domain.fates import Fates
from lighter_hedge.domain.lane_words import Fate

KINDS = frozenset((*SENDS, *READS, *WORLD))
UNFRIENDLY_MAX = 8
"""After so many the world is friendly, so that every story comes to an end."""


@dataclass(slots=True)
class Drawn(Choices):
    """Choices out of a list that was drawn; friendly ones once it is used up."""

    taken: dict[int, int] = field(default_factory=dict)
    drawn: list[int] = field(default_factory=list)

    def choose(self, *names: str) -> str:
        number = len(self.offered)
        way = self.drawn.pop(0) % len(names) if self.drawn else 0
        self.offered.append(names)
        self.taken[number] = way
        return names[way]


WAYS = st.lists(st.sampled_from([0, 0, 0, *range(1, 12)]), max_size=60).filter(
    lambda ways: sum(1 for way in ways if way) <= UNFRIENDLY_MAX
)


@examples
@given(ways=WAYS, arm=st.booleans(), lagging=st.booleans())
def test_the_verdict_is_the_truth(ways: list[int], arm: bool, lagging: bool) -> None:
    """Told executed, it has executed; told anything else, it has not and never will. And nothing is sent twice."""
    choices = Drawn(drawn=list(ways))
    story = Story(choices, arm=arm, kinds=KINDS, lagging=lagging)
    try:
        story.play()
    finally:
        note(choices.story())
    assert len(story.venue.by_nonce) == len(set(story.venue.by_nonce.values()))
    for number, fate in story.fates.items():
        assert (fate is Fate.EXECUTED) == story.ran(number)


class Resolving(RuleBasedStateMachine):
    """The same world, moved step by step: time, strangers, crashes and late arrivals in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.choices = Drawn()
        self.story = Story(self.choices, arm=False, kinds=frozenset((*SENDS, *READS, "row")))
        self.bad = 0
        self.story.carry_out(self.story.lane.start())

    @rule(ways=st.lists(st.integers(0, 11), max_size=4))
    def the_next_answers_will_be(self, ways: list[int]) -> None:
        if self.bad < UNFRIENDLY_MAX:
            self.bad += len(ways)
            self.choices.drawn += ways

    @rule(ms=st.sampled_from([50, 500, 2_500, 10_000]))
    def time_passes(self, ms: int) -> None:
        story = self.story
        story.queue.extend(story.slow)
        story.slow.clear()
        story.drain()
        story.want()
        story.drain()
        story.ms += ms
        story.carry_out(story.lane.tick(at(story.ms)))

    @precondition(lambda self: self.story.lives < 3)
    @rule()
    def crash(self) -> None:
        self.story.crash()

    @precondition(lambda self: not self.story.strangers)
    @rule()
    def a_stranger_takes_the_nonce(self) -> None:
        self.story.strangers += 1
        self.story.venue.consume(self.story.mono_ms)

    @rule()
    def the_first_order_is_wanted_no_more(self) -> None:
        self.story.unwanted = True

    @precondition(lambda self: bool(self.story.venue.late))
    @rule()
    def something_arrives_late(self) -> None:
        self.story.arrive(self.story.venue.late.popleft())

    @invariant()
    def what_was_told_is_true(self) -> None:
        for number, fate in self.story.fates.items():
            assert (fate is Fate.EXECUTED) == self.story.ran(number)

    @invariant()
    def each_nonce_is_used_once(self) -> None:
        assert len(self.story.venue.executed) == len(self.story.venue.by_nonce)

    def teardown(self) -> None:
        """Faults end; then all that is on its way arrives, and nothing that was told turns out wrong."""
        self.choices.drawn.clear()
        for _ in range(60):
            if self.story.lane.superseded or self.story.finished():
                break
            self.time_passes(2_500)
        assert self.story.lane.superseded or self.story.finished()
        while self.story.venue.late:
            self.story.arrive(self.story.venue.late.popleft())
        self.what_was_told_is_true()


TestResolving = Resolving.TestCase
TestResolving.settings = few


@examples
@given(
    nonces=st.lists(st.integers(5, 7), min_size=1, max_size=6),
    statuses=st.lists(st.sampled_from(TxStatus), min_size=6, max_size=6),
    reads=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 400), st.booleans()), max_size=40),
)
def test_an_older_life_is_told_once_and_as_it_was(
    nonces: list[int], statuses: list[TxStatus], reads: list[tuple[int, int, bool]]
) -> None:
    """Each transaction of an earlier life is settled at most once, and at most one of a nonce as executed."""
    old = [candidate(order(n + 1), nonce, tx_hash=str(n)) for n, nonce in enumerate(nonces)]
    ran: dict[int, int] = {}
    for number, nonce in enumerate(nonces):
        if statuses[number] is TxStatus.EXECUTED:
            ran.setdefault(nonce, number)
    fates, told = Fates(), dict[str, Fate]()
    fates.remember(old)
    fates.readable_from(100)
    for number, asked_ms, error in reads:
        if number >= len(old):
            continue
        status = statuses[number]
        if status is TxStatus.EXECUTED and ran[nonces[number]] != number:
            status = TxStatus.NOT_FOUND
        said = "no margin" if error and status is TxStatus.EXECUTED else ""
        found = fates.read(TxReported(tx_hash=str(number), status=status, error=said, asked_ms=asked_ms))
        for settlement in found[0] if found else []:
            assert settlement.tx_hash not in told
            told[settlement.tx_hash] = settlement.fate
            assert settlement.tx_hash not in fates.unread
    executed = [nonces[int(tx_hash)] for tx_hash, fate in told.items() if fate is Fate.EXECUTED]
    assert len(executed) == len(set(executed))
    assert all(ran[nonces[int(t)]] == int(t) for t, fate in told.items() if fate is Fate.EXECUTED)
    assert len(fates.unread) == len(old) - len(told)

"""Both machines through every story with one fault, or one crash; and the walk finds planted bugs.

``make model`` walks the stories with two.
"""

from typing import Any

import pytest
from tests.model.desk_scenes import SCENES
from tests.model.desk_walk import walk_desk
from tests.model.desk_world import DeskWorld

from lighter_hedge.domain import gate, maker
from lighter_hedge.domain.arming import Arming
from lighter_hedge.domain.commands import Command, ReadNonce
from lighter_hedge.domain.events import Candidate, Instant, OrderKind
from lighter_hedge.domain.gate import Peer
from lighter_hedge.domain.lane import Lane
from lighter_hedge.domain.lane_words import Fate, LanePhase
from lighter_hedge.domain.ledger import Order
from lighter_hedge.domain.peer import Telling
from lighter_hedge.domain.states import HedgerState


@pytest.mark.parametrize("scene", SCENES)
def test_the_friendly_story_ends_hedged(scene: str) -> None:
    found = walk_desk(lambda: DeskWorld.scene(scene), faults=0, crashes=0)
    assert found.stories == 1
    assert set(found.ends) == {"hedged"}


def test_no_single_fault_breaks_a_promise() -> None:
    found = walk_desk(lambda: DeskWorld.scene("a part, then the rest"), faults=1, crashes=0)
    assert found.stories > 250
    assert {"frame deaf", "state lost", "arrive unanswered", "arrive no effect", "arrive part"} <= set(found.wrongs)


def test_no_single_crash_breaks_a_promise() -> None:
    found = walk_desk(lambda: DeskWorld.scene("a part, then the rest"), faults=0, crashes=1)
    assert found.stories > 70


def test_a_hedge_that_fills_nothing_pauses_the_desk_where_one_try_is_all() -> None:
    world = DeskWorld.scene("one try")
    while not (end := world.ended()):
        due = world.next()
        hedge = due.kind == "arrive" and getattr(due.what.request, "kind", None) is OrderKind.HEDGE
        world.happen(due, "none" if hedge else "")
    assert end == "paused HEDGE_FAILED"


# --- planted bugs ----------------------------------------------------------------------------------------------------


def whatever_the_size(self: Arming, wanted: int) -> Candidate | None:
    """The armed hedge, however much has filled."""
    return self.core.lane.prepared(self._held.coid) if self._held is not None else None


def a_fresh_nonce(self: Lane, now: Instant) -> list[Command]:
    """Signs anew under the next nonce instead of resolving the one in doubt."""
    if self._booting or self._winner:
        return [ReadNonce()]
    for held in self._held.sent():
        self._settle(held, Fate.WITHOUT_EFFECT)
    self.nonce, self.phase = self.nonce + 1, LanePhase.READY
    self._held.clear()
    return []


def only_changes(self: Telling[HedgerState], state_at: Any, now: Instant) -> HedgerState | None:
    """Tells a change once, and never again."""
    last = self.told
    if last is not None and state_at(Instant(now.mono_ms, last.at_ms)) == last:
        return None
    self.told = state_at(now)
    return self.told


Patches = tuple[tuple[object, str, Any], ...]
PLANTED: dict[str, tuple[Patches, int, str]] = {
    "hedges with the armed size, whatever has filled": (((Arming, "candidate", whatever_the_size),), 0, "I2"),
    "quotes without an answer": (((Peer, "armed_for", lambda self, announce: True),), 0, "I7"),
    "adds the sources of a fill up": (
        ((Order, "filled", property(lambda self: self.by_row + self.by_trades + max(self.by_peer, self.by_guess))),),
        0,
        "I2|not at rest|ended by itself",
    ),
    "takes any round for closed": (
        (
            (Peer, "confirms", lambda self, epoch, number, cum: True),
            (gate, "hedge_reasons", lambda core, peer, min_lots: []),
            (maker, "hedge_reasons", lambda core, peer, min_lots: []),
        ),
        1,
        "I1|^\nstory",  # the machines' own assertions may be the first to see it
    ),
    "signs anew under a fresh nonce": (((Lane, "_ask", a_fresh_nonce),), 1, "I2|not at rest|ended by itself"),
    "tells a change only once": (((Telling, "due", only_changes),), 1, "not at rest"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_the_walk_finds_a_planted_bug(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    patches, faults, why = PLANTED[name]
    for owner, attribute, planted in patches:
        monkeypatch.setattr(owner, attribute, planted)
    with pytest.raises(AssertionError, match=why) as found:
        walk_desk(lambda: DeskWorld.scene("a part, then the rest"), faults=faults, crashes=0)
    assert "story:" in "".join(found.value.__notes__)

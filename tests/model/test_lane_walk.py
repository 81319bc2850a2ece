"""The lane in every state that a small world can reach; and the walk finds each of a handful of planted bugs.

The bounds here take seconds. ``make model`` walks the larger ones.
"""

import random
from copy import deepcopy
from dataclasses import fields

import pytest
from tests.model.lane_moment import Bounds, closed, opened, short_waits
from tests.model.lane_world import LaneWorld
from tests.model.walk import Broken, explore

from lighter_hedge.domain.commands import Command
from lighter_hedge.domain.events import Answer, Instant
from lighter_hedge.domain.fates import Fates
from lighter_hedge.domain.lane import Lane
from lighter_hedge.domain.lane_words import Fate, Held, LanePhase, Wanted
from lighter_hedge.domain.probe import Probe
from lighter_hedge.domain.tickets import Tickets

SHORT = {
    "a start": (Bounds(orders=0, booted=False, nonces=2, lag=1), 1_700),
    "an order": (Bounds(nonces=2, lag=1), 5_000),
    "armed, perhaps not wanted": (Bounds(nonces=1, arm=True, unwant=True), 1_400),
    "a crash": (Bounds(nonces=1, lag=1, crashes=1, arm=True), 500),
    "a second instance": (Bounds(nonces=1, lag=1, second=True), 3_500),
}


@pytest.mark.parametrize(("bounds", "states_min"), SHORT.values(), ids=SHORT.keys())
def test_every_state_keeps_the_promises(bounds: Bounds, states_min: int) -> None:
    with short_waits():
        walk = explore(LaneWorld(bounds))
    assert walk.ended
    assert walk.states > states_min


# --- planted bugs ----------------------------------------------------------------------------------------------------


class TakesSilenceForAbsence(Lane):
    """Does not wait out the read lag before what cannot be read is called dead."""

    def _conclude_absent(self, probe: Probe, nonce: int, now: Instant) -> list[Command]:
        return self._finish(self._held.sent()[0], Fate.WITHOUT_EFFECT, now)


class TakesConsumedForExecuted(Lane):
    """Reads the verdict off the nonce alone."""

    def _resolve(self, nonce: int, now: Instant, wanted: Wanted) -> list[Command]:
        sent = self._held.sent()
        if nonce > self.nonce and sent and not self._booting and not self._winner:
            return self._finish(sent[0], Fate.EXECUTED, now)
        return super()._resolve(nonce, now, wanted)


class SendsWhatIsNotWanted(Lane):
    """Sends the same bytes again whatever the owner says."""

    def _still_wanted(self, held: Held, now: Instant, wanted: Wanted) -> bool:
        return not self._booting


class BelievesEveryRefusal(Lane):
    """Takes the refusal of the second send for the fate of the first."""

    def _on_refusal(self, held: Held, fate: Fate, answer: Answer, now: Instant) -> list[Command]:
        held.sends = 1
        return super()._on_refusal(held, fate, answer, now)


class StartsWithoutWaiting(Lane):
    """Reads the fates of an earlier life as soon as the burn has executed."""

    def _next_nonce(self, winner: str, why: str, now: Instant, *, fenced: bool = False) -> list[Command]:
        commands = super()._next_nonce(winner, why, now, fenced=fenced)
        self._fates._from_ms = 0
        self._deadline_ms = now.mono_ms
        return commands


class AdoptsTheHigherNonce(Lane):
    """Goes on where somebody else has used the key."""

    def _supersede(self, nonce: int) -> None:
        self._held.clear()
        self._consumed_ms, self._probe = None, None
        self.nonce, self.phase = nonce, LanePhase.READY


class TakesAFreshNonce(Lane):
    """Signs again under the next nonce instead of resolving the one in doubt."""

    def _ask(self, now: Instant) -> list[Command]:
        if self._booting or self._winner:
            return super()._ask(now)
        self.nonce, self.phase = self.nonce + 1, LanePhase.READY
        for held in self._held.sent():
            self._settle(held, Fate.WITHOUT_EFFECT)
        self._held.clear()
        return []


class GivesUp(Lane):
    """Never asks again: safe, and stuck."""

    def tick(self, now: Instant) -> list[Command]:
        return super().tick(now) if self._booting else []


ONE, ARMED = Bounds(nonces=2, lag=1), Bounds(nonces=2, lag=1, arm=True, unwant=True)
PLANTED: list[tuple[type[Lane], Bounds, str]] = [
    (TakesSilenceForAbsence, Bounds(nonces=2, lag=2), "executed: True"),
    (TakesConsumedForExecuted, ONE, "executed: False"),
    (SendsWhatIsNotWanted, ARMED, "not wanted"),
    (BelievesEveryRefusal, ONE, "after it was told|executed: True|pending"),
    (StartsWithoutWaiting, Bounds(nonces=3, lag=2, crashes=1), "executed: True"),
    (AdoptsTheHigherNonce, Bounds(nonces=2, lag=1, second=True), "after the newcomer's burn|forgotten"),
    (TakesAFreshNonce, ONE, "after it was told|executed: True|pending|fresh nonce"),
    (GivesUp, ONE, "no way to go on"),
]


@pytest.mark.parametrize(("lane_type", "bounds", "why"), PLANTED, ids=[lane.__name__ for lane, _, _ in PLANTED])
def test_the_walk_finds_a_planted_bug(lane_type: type[Lane], bounds: Bounds, why: str) -> None:
    with short_waits(), pytest.raises(Broken, match=why) as found:
        explore(LaneWorld(bounds, lane_type), states_max=400_000)
    assert "story:" in "\n".join(found.value.__notes__)


# --- the walk itself -------------------------------------------------------------------------------------------------


def test_every_field_of_the_lane_is_kept() -> None:
    """A new field must be added to ``freeze`` and ``thaw``, or left out for a reason."""
    kept = "read_lag_ms restored phase nonce settlements _held _tickets _deadline_ms _poll_ms _consumed_ms _winner"
    assert {one.name for one in fields(Lane)} == {*kept.split(), "_winner_ms", "_probe", "_fates", "_booting"}
    assert {one.name for one in fields(Held)} == {"candidate", "sends", "status", "asked_ms", "error", "row_seen"}
    assert {one.name for one in fields(Probe)} == {"candidate", "proved_ms", "_status", "before"}
    assert {one.name for one in fields(Fates)} == {"unread", "_from_ms", "_winners"}
    assert {one.name for one in fields(Tickets)} == {"_open", "_last"}


def test_a_lane_that_is_never_frozen_does_the_same() -> None:
    """Random ways: the walk's states are those of a lane whose clock goes on and which is never made anew."""
    bounds = Bounds(orders=2, nonces=6, lag=1, arm=True, unwant=True, crashes=1, failures=1, sleeps=1, second=True)
    compared = 0
    with short_waits():
        world = LaneWorld(bounds)
        for seed in range(40):
            chance, state = random.Random(seed), world.first()[0]
            living = opened(state)
            for _ in range(40):
                labels = world.labels(state)
                if not labels:
                    break
                label = chance.choice(labels)
                state = world.after(state, label)
                world.apply(living, label)
                twin = deepcopy(living)
                assert closed(twin, bounds) == state, label
                compared += 1
                for one, other in zip(living.instances, twin.instances, strict=True):
                    one.sends = other.sends
                living.loose, living.burns = twin.loose, dict(state[7])
    assert compared > 1_000

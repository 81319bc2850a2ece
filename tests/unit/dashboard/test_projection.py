from typing import Any

import msgspec
import pytest
from msgspec import UNSET
from tests.page_story import BEGAN_MS, PRICE, SPEC, Story, about, order, stamped

from lighter_hedge.dashboard.projection import COMMANDS_KEPT, EVENTS_KEPT, HEDGING_MS, AtVenue, Local, Projection
from lighter_hedge.dashboard.schema import Command
from lighter_hedge.domain.states import Mode, Pause
from lighter_hedge.domain.units import Side


def told() -> Story:
    """A desk that has just begun."""
    story = Story()
    story.projection.learned(SPEC, PRICE)
    story.a()
    story.b()
    return story


def whole(story: Story) -> Any:
    return story.projection.whole(story.now_ms)


def asked(command_id: str = "x", state: str = "sent") -> Command:
    return Command(id=command_id, verb="pause", who="127.0.0.1", at_ms=BEGAN_MS, state=state)


def test_before_anything_is_heard_nothing_is_claimed() -> None:
    view: Any = Projection(about=about()).whole(BEGAN_MS)
    assert (view.badge.mode, view.exposure.word, view.exposure.net, view.round, view.hedge) == (
        "stopped", "unknown", None, None, None,
    )  # fmt: skip
    assert (view.ages.a_ms, view.ages.redis) == (None, False)
    assert [account.position for account in view.accounts] == [None, None]


def test_a_hedged_desk() -> None:
    view = whole(told())
    assert (view.badge.mode, view.exposure.word, view.exposure.net, view.exposure.usd) == (
        "running",
        "hedged",
        "0.00000",
        "0.00",
    )
    assert view.exposure.since_ms is None


def test_exposure_has_its_age_and_becomes_an_alarm() -> None:
    story = told()
    story.quote(1)
    story.fill(1)
    began = story.now_ms
    view = whole(story)
    assert (view.exposure.word, view.exposure.net, view.exposure.usd, view.exposure.since_ms) == (
        "hedging",
        "0.00020",
        "20.00",
        began,
    )
    story.now_ms += HEDGING_MS
    assert whole(story).exposure.word == "unhedged"
    story.hedge(1)
    assert (whole(story).exposure.word, whole(story).exposure.since_ms) == ("hedged", None)
    assert [(p.a, p.b) for p in whole(story).positions] == [(0, 0), (20, 0), (20, -20)]


def test_a_silent_side_makes_the_net_unknown() -> None:
    story = told()
    story.now_ms += 9_000
    view = whole(story)
    assert (view.exposure.word, view.exposure.net, view.badge.mode) == ("unknown", None, "stopped")
    story.projection.looked(Local(pids={"A": 7}))
    assert whole(story).badge.mode == "running"


def test_a_pause_shows_its_reason() -> None:
    story = told()
    story.a(mode=Mode.PAUSED, pause=Pause(id=7, reason="round 1 failed", code="HEDGE_FAILED", since_ms=5))
    badge = whole(story).badge
    assert (badge.mode, badge.pause_id, badge.reason, badge.code, badge.since_ms) == (
        "paused",
        7,
        "round 1 failed",
        "HEDGE_FAILED",
        5,
    )


def test_an_update_holds_what_has_changed_and_nothing_else() -> None:
    story = told()
    first: Any = story.projection.update(story.now_ms)
    assert first.badge is not UNSET
    story.say("READY", "ready")
    second: Any = story.projection.update(story.now_ms)
    assert second.badge is second.accounts is second.positions is UNSET
    assert [event.code for event in second.events] == ["READY"]
    assert msgspec.json.encode(story.projection.update(story.now_ms)) == b'{"server_ms":%d}' % story.now_ms
    assert not story.projection.dirty


def test_rounds_add_up() -> None:
    story = told()
    for number in (1, 2):
        story.round(number)
    story.quote(3)
    view = whole(story)
    # 0.0002 BTC bought at 100,000.0 and sold at 99,999.0, twice.
    assert (view.totals.rounds, view.totals.failed, view.totals.volume_usd, view.totals.cost_usd) == (
        2,
        0,
        "79.99",
        "0.0004",
    )
    assert view.totals.cost_per_10000 == "0.05"
    assert [each.number for each in view.rounds] == [1, 2]
    assert [point.cost for point in view.costs] == [200, 400]


def test_times_that_come_after_a_round_are_still_its_own() -> None:
    story = told()
    story.quote(1)
    story.fill(1)
    story.b(fills=(order(1, Side.ASK, 20, PRICE),), position=-20)
    story.now_ms += 50
    story.quote(2)
    story.projection.update(story.now_ms)
    story.projection.told(stamped("B", 1, heard=500, leaving=900, began_ms=BEGAN_MS - 20))
    (again,) = whole(story).rounds
    assert {step.name: step.ended_ms for step in again.steps}["sent"] == BEGAN_MS - 20
    update: Any = story.projection.update(story.now_ms)
    assert update.rounds == (again,)


def test_a_round_that_was_never_hedged_counts_as_failed() -> None:
    story = told()
    story.quote(1)
    story.fill(1)
    story.quote(2)
    assert (whole(story).totals.rounds, whole(story).totals.failed) == (0, 1)


def test_a_command_is_done_when_both_have_acknowledged() -> None:
    story = told()
    story.projection.commanded(asked())
    assert story.projection.unanswered("x") == ["A", "B"]
    story.a(acks=("x",))
    assert (story.projection.unanswered("x"), whole(story).commands[0].acked) == (["B"], ("A",))
    story.b(acks=("x",))
    story.projection.commanded(asked(state="sent"))
    assert (story.projection.unanswered("x"), whole(story).commands[0].acked) == ([], ("A", "B"))
    assert story.projection.unanswered("unknown") == []


def test_old_commands_and_events_go() -> None:
    story = told()
    for number in range(COMMANDS_KEPT + 2):
        story.projection.commanded(asked(str(number)))
    for number in range(EVENTS_KEPT + 5):
        story.say("X", str(number))
    view = whole(story)
    assert [command.id for command in view.commands] == [str(n) for n in range(2, COMMANDS_KEPT + 2)]
    assert (len(view.events), view.events[0].text) == (EVENTS_KEPT, "5")


def test_what_the_venue_says_of_the_accounts() -> None:
    story = told()
    story.projection.read(AtVenue(entry={"A": "99999.9"}, pnl={"A": "-0.10"}, available={"A": "100.5", "B": "39.99"}))
    a, b = whole(story).accounts
    assert (a.entry, a.pnl, a.collateral, a.quotes) == ("99999.9", "-0.10", "100.5", 5)
    assert (b.entry, b.quotes) == (None, 1)


@pytest.mark.parametrize("alive", [True, False])
def test_whether_the_desk_runs(alive: bool) -> None:
    story = told()
    assert story.projection.running(story.now_ms + (0 if alive else 9_000)) is alive
    story.projection.reached(redis=False)
    assert whole(story).ages.redis is False

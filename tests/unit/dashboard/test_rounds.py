from typing import Any

import pytest
from tests.page_story import BEGAN_MS, PRICE, SPEC, Story, stamped

from lighter_hedge.dashboard.rounds import Hedges, quantile
from lighter_hedge.dashboard.schema import Round
from lighter_hedge.dashboard.words import Words
from lighter_hedge.domain.states import HedgeFailed


def shown(story: Story) -> Round:
    story.projection.learned(SPEC, PRICE)
    update: Any = story.projection.whole(story.now_ms)
    assert isinstance(update.round, Round)
    return update.round


def states(story: Story) -> dict[str, str]:
    return {step.name: step.state for step in shown(story).steps}


def test_steps_go_by_as_they_come() -> None:
    story = Story()
    story.quote(3)
    assert states(story) == {
        "quote": "now",
        "fill": "waiting",
        "sent": "waiting",
        "hedged": "waiting",
        "verified": "waiting",
    }
    story.now_ms += 400
    story.fill(3)
    assert states(story)["quote"] == "done"
    assert states(story)["sent"] == "now"
    story.now_ms += 100
    story.hedge(3)
    assert set(states(story).values()) == {"done"}


def test_times_are_those_of_the_news() -> None:
    story = Story()
    story.quote(3)
    story.now_ms += 400
    story.fill(3)
    story.now_ms += 100
    story.hedge(3)
    steps = {step.name: step for step in shown(story).steps}
    assert steps["quote"].ended_ms == steps["fill"].began_ms == BEGAN_MS + 400
    assert steps["sent"].ended_ms == BEGAN_MS + 500
    assert (steps["fill"].text, steps["hedged"].text) == ("0.00020 / 0.00020", "0.00020 / 0.00020")


def test_a_failure_is_shown_where_it_happened() -> None:
    story = Story()
    story.quote(3)
    story.fill(3)
    story.projection.told(stamped("B", 3, heard=500, leaving=900, began_ms=story.now_ms))
    story.b(failed=HedgeFailed(round=3, cum=20, reason="max_retries_exceeded", tries=3))
    assert states(story)["hedged"] == "failed"
    story.hedge(3)
    story.b(failed=None)
    assert states(story)["hedged"] == "done"


def test_a_further_fill_opens_the_hedge_again() -> None:
    story = Story()
    story.round(3)
    assert states(story)["hedged"] == "done"
    story.quote(4)
    assert shown(story).number == 4
    assert states(story)["fill"] == "waiting"


def test_stages_begin_with_the_earliest_news() -> None:
    hedges = Hedges()
    hedges.timed(stamped("A", 3, filled=100, told=700, began_ms=BEGAN_MS))
    point = hedges.timed(stamped("B", 3, heard=50, decided=300, leaving=450, began_ms=BEGAN_MS))
    assert point is not None
    assert point.us == 400
    hedge = hedges.as_hedge(Words(spec=SPEC))
    assert hedge is not None
    assert {stage.name: stage.us for stage in hedge.stages} == {
        "a_filled": 50, "a_told": 650, "b_heard": 0, "b_decided": 250, "b_leaving": 400,
    }  # fmt: skip
    assert (hedge.size, hedge.p50_us, hedge.count, hedge.slippage_bps) == ("0.00020", 400, 1, None)


def test_a_hedge_that_never_left_is_no_latency() -> None:
    assert Hedges().timed(stamped("B", 3, heard=50, began_ms=BEGAN_MS)) is None


@pytest.mark.parametrize(("price", "bps"), [(PRICE - 100, "1.00"), (PRICE, "0.00"), (PRICE + 50, "-0.50")])
def test_slippage_is_the_cost_against_a(price: int, bps: str) -> None:
    story = Story()
    story.quote(3)
    story.fill(3)
    story.hedge(3, price)
    hedge: Any = story.projection.whole(story.now_ms).hedge
    assert hedge.slippage_bps == bps


def test_quantiles() -> None:
    assert (quantile([], 50), quantile([7], 95), quantile(list(range(100)), 50)) == (0, 7, 50)

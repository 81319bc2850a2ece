"""What Prometheus gets, and that rules and dashboard ask for nothing else."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML
from tests.page_story import PRICE, SPEC, Story, stamped

from lighter_hedge.dashboard.metrics import exposition
from lighter_hedge.dashboard.projection import AtVenue

DEPLOY = Path(__file__).parents[3] / "deploy"
RULES = DEPLOY / "prometheus-rules.yaml"
BOARD = DEPLOY / "grafana-dashboard.json"


def scraped(story: Story) -> dict[tuple[str, str], float]:
    """Samples by name and label value."""
    families = text_string_to_metric_families(exposition(story.projection, lambda: story.now_ms).decode())
    samples = [sample for family in families for sample in family.samples]
    return {(sample.name, ",".join(sample.labels.values())): sample.value for sample in samples}


def told() -> Story:
    story = Story()
    story.projection.learned(SPEC, PRICE)
    story.a()
    story.b()
    story.projection.read(AtVenue(available={"A": "1000.5", "B": "999"}))
    return story


def test_a_hedged_desk() -> None:
    story = told()
    story.round(1)
    story.quote(2)
    story.say("X", "y", level="error")
    seen = scraped(story)
    assert (seen["hedge_net_exposure_base", ""], seen["hedge_unhedged_seconds", ""]) == (0, 0)
    assert (seen["hedge_position_base", "A"], seen["hedge_position_base", "B"]) == (0.0002, -0.0002)
    assert (seen["hedge_rounds_total", "hedged"], seen["hedge_rounds_total", "failed"]) == (1, 0)
    assert seen["hedge_volume_usd_total", ""] == pytest.approx(39.99)
    assert (seen["hedge_state", "running"], seen["hedge_state", "paused"]) == (1, 0)
    assert (seen["hedge_free_collateral_usd", "A"], seen["hedge_events_total", "error"]) == (1000.5, 1)
    assert (seen["hedge_side_up", "A"], seen["hedge_redis_up", ""]) == (1, 1)


def test_exposure_grows_older() -> None:
    story = told()
    story.quote(1)
    story.fill(1)
    story.now_ms += 2_500
    seen = scraped(story)
    assert (seen["hedge_net_exposure_base", ""], seen["hedge_unhedged_seconds", ""]) == (0.0002, 2.5)
    assert (seen["hedge_side_age_seconds", "A"], seen["hedge_unhedged_limit_seconds", ""]) == (2.5, 90)


def test_what_is_not_known_is_absent_and_not_nothing() -> None:
    story = Story()
    seen = scraped(story)
    assert ("hedge_net_exposure_base", "") not in seen
    assert ("hedge_side_age_seconds", "A") not in seen
    assert (seen["hedge_redis_up", ""], seen["hedge_side_up", "A"], seen["hedge_state", "stopped"]) == (0, 0, 1)


def test_latency_is_a_histogram() -> None:
    story = told()
    for number, us in enumerate((80, 100, 900, 9_000_000)):
        story.projection.told(stamped("B", number, heard=0, leaving=us, began_ms=story.now_ms))
    seen = scraped(story)
    assert seen["hedge_latency_seconds_bucket", "0.0001"] == 2
    assert seen["hedge_latency_seconds_bucket", "0.001"] == 3
    assert seen["hedge_latency_seconds_bucket", "5.0"] == 3
    assert (seen["hedge_latency_seconds_bucket", "+Inf"], seen["hedge_latency_seconds_count", ""]) == (4, 4)
    assert seen["hedge_latency_seconds_sum", ""] == pytest.approx(9.00108)


def named(expression: str) -> set[str]:
    """The metrics that an expression asks for."""
    return set(re.findall(r"\bhedge_\w+", expression))


def known() -> set[str]:
    story = told()
    return {name for name, _ in scraped(story)}


def test_the_rules_ask_for_what_there_is() -> None:
    rules: Any = YAML(typ="safe").load(RULES)
    expressions = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    assert len(expressions) == 9
    assert set().union(*map(named, expressions)) <= known()


def test_the_dashboard_asks_for_what_there_is() -> None:
    board = json.loads(BOARD.read_text(encoding="utf-8"))
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert set().union(*map(named, expressions)) <= known()
    assert all(named(expression) for expression in expressions)
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_prometheus_takes_the_rules() -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("no promtool: install Debian's package prometheus")
    done = subprocess.run([program, "check", "rules", str(RULES)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr

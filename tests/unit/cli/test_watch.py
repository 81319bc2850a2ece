"""``status`` and ``positions`` where nothing runs, and what the venue says."""

import json
from pathlib import Path

from tests.fake_venue import FakeVenue
from tests.unit.cli.conftest import Invoke


def test_positions_of_a_hedged_pair(folder: Path, venue: FakeVenue, invoke: Invoke) -> None:
    venue.lots = {65: 20, 66: -20}
    shown = invoke("positions", "--json")
    assert shown.exit_code == 0
    body = json.loads(shown.stdout)
    assert body["account_a"]["position"] == "0.00020"
    assert body["account_b"]["position_lots"] == -20
    assert (body["net_lots"], body["hedged"], body["flat"]) == (0, True, False)
    assert "A + B  0.00000 BTC  hedged" in invoke("positions").stdout


def test_positions_of_an_unhedged_pair_end_with_5(folder: Path, venue: FakeVenue, invoke: Invoke) -> None:
    venue.lots = {65: 20, 66: 0}
    shown = invoke("positions")
    assert shown.exit_code == 5
    assert "A + B  0.00020 BTC  UNHEDGED" in shown.stdout


def test_a_venue_that_fails_is_one_line_on_stderr(folder: Path, venue: FakeVenue, invoke: Invoke) -> None:
    venue.status = 500
    shown = invoke("positions")
    assert (shown.exit_code, shown.stdout) == (1, "")
    assert shown.stderr.startswith("error: ")
    assert len(shown.stderr.splitlines()) == 1


def test_status_of_a_stopped_desk_ends_with_4_and_hides_the_password(folder: Path, invoke: Invoke) -> None:
    shown = invoke("status", "--json")
    assert shown.exit_code == 4
    body = json.loads(shown.stdout)
    assert (body["running"], body["mode"], body["net_lots"]) == (False, "stopped", 0)
    assert "secret" not in shown.output


def test_another_desk_is_refused(folder: Path, invoke: Invoke) -> None:
    shown = invoke("status", "--desk", "x_y:BTC")
    assert shown.exit_code == 3
    assert "is of desk a_b:BTC, not x_y:BTC" in shown.stderr
    assert invoke("status", "--desk", "a_b:BTC").exit_code == 4

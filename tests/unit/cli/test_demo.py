"""The demo's command: how it shows lines and sums up."""

import pytest
from tests.unit.cli.conftest import Invoke

from lighter_hedge.cli.demo import STYLES, _shower, summary
from lighter_hedge.ops.narrate import Line, Tone


def test_lines_go_to_stderr_and_are_plain_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    _shower()(Line(tone=Tone.HEDGE, text="B hedged [sell]"))
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "B hedged [sell]\n")


def test_every_tone_has_a_style() -> None:
    assert set(STYLES) == {tone.value for tone in Tone}


def test_a_summary_without_a_hedge_has_no_times() -> None:
    body = {
        "rounds_closed": 0, "rounds_failed": 0, "seconds": 1.0, "hedge_ms": {"p50": None, "p99": None},
        "a_filled_lots": 0, "b_filled_lots": 0, "net_lots": 0, "self_trades": 0, "unhedged_ms_max": 0,
    }  # fmt: skip
    assert summary(body)[0] == "0 rounds closed and hedged, 0 failed, in 1.0 s"
    assert "p50 300 ms, p99 400 ms" in summary(body | {"hedge_ms": {"p50": 300, "p99": 400}})[0]


def test_wrong_arguments_start_nothing(invoke: Invoke) -> None:
    assert invoke("demo", "--rounds", "0").exit_code == 2
    assert invoke("demo", "--depth", "0").exit_code == 2

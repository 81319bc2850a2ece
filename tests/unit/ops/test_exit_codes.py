"""Exit codes are those of the contracts."""

from lighter_hedge.ops.exit_codes import NOT_RESTARTED, ExitCode, OpsError


def test_the_table() -> None:
    names = ["ok", "failed", "usage", "configuration", "not_running", "unhedged", "timed_out", "refused", "superseded"]
    assert [code.name.lower() for code in ExitCode] == names
    assert [int(code) for code in ExitCode] == list(range(9))
    assert sorted(NOT_RESTARTED) == [0, 2, 3, 7, 8]


def test_an_error_says_what_and_what_to_do() -> None:
    assert str(OpsError(ExitCode.FAILED, "no Redis", "start one")) == "no Redis: start one"
    assert str(OpsError(ExitCode.FAILED, "no Redis")) == "no Redis"

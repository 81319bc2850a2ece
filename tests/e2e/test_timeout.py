"""The user's trial *timeout*: B is away before a fill, or stands still after one."""

import signal
from datetime import datetime
from itertools import pairwise

from tests.e2e.desk import Desk, Line, eventually

WAIT_SECONDS = 4.0
"""``hedge_confirm_timeout`` of the trials."""
LATE_SECONDS = 3.0
"""How much later than configured a line may come on a busy machine."""


def seconds(first: datetime, second: datetime) -> float:
    return (second - first).total_seconds()


def check_regular(lines: list[Line], least: int) -> None:
    """Every second one line (``status_interval``), give or take what a busy machine takes."""
    gaps = [seconds(one.at, two.at) for one, two in pairwise(lines)]
    assert len(gaps) >= least
    assert all(0.9 <= gap <= 1.0 + LATE_SECONDS for gap in gaps), gaps


def waiting(desk: Desk, mark: int) -> list[Line]:
    """A's status lines after line ``mark`` of its log, once there are six."""
    lines = desk.log("A", "WAITING", after=mark)
    return lines if len(lines) >= 6 else []


def test_without_b_the_quote_goes_and_no_other_comes_until_b_is_back(desk: Desk) -> None:
    desk.up()
    quote = desk.quote()
    mark = desk.mark("A")
    desk.signal("B", signal.SIGTERM)
    eventually(lambda: not desk.paper.truth().resting, "the quote is cancelled")
    eventually(lambda: desk.pid("B") is None, "B has ended")
    error = eventually(lambda: desk.log("A", "HEDGE_TIMEOUT"), "A says that it has waited too long")[0]
    assert error.level == "error"
    assert "account B is not armed" in error.text
    gone = next(line for line in desk.log("A", "QUOTE_CANCELLED"))
    assert WAIT_SECONDS - 0.5 <= seconds(gone.at, error.at) <= WAIT_SECONDS + LATE_SECONDS
    told = eventually(lambda: waiting(desk, mark), "A says every second where it stands")
    check_regular(told, 4)
    assert "account B" in told[-1].text
    truth = desk.paper.truth()
    assert [order["order_index"] for order in truth.orders(0)] == [quote["order_index"]]
    assert truth.trades(0) == []
    assert desk.pid("B") is None, "a side that was told to end is not restarted"
    code, view = desk.status()
    assert (code, view["a_alive"], view["b_alive"]) == (4, True, False)
    done = desk.command("down")
    assert done.returncode == 0, done.stderr
    desk.up()
    desk.quote()
    desk.paper.fill(count=2)
    desk.hedged(40)


def test_a_b_that_stands_still_after_a_fill_is_waited_for_and_hedges_once(desk: Desk) -> None:
    desk.write_config(limits={"unhedged_seconds_max": 6})
    desk.up()
    quote = desk.quote()
    pid = desk.signal("B", signal.SIGSTOP)
    try:
        desk.paper.fill()
        filled = eventually(lambda: desk.log("A", "QUOTE_FILLED"), "A is filled")[0]
        error = eventually(lambda: desk.log("A", "HEDGE_TIMEOUT"), "A says that it has waited too long")[0]
        assert error.level == "error"
        assert "0.00020 BTC is unhedged" in error.text
        assert "reading both accounts" in error.text
        assert WAIT_SECONDS - 0.5 <= seconds(filled.at, error.at) <= WAIT_SECONDS + LATE_SECONDS
        paused = eventually(lambda: desk.log("A", "UNHEDGED_TOO_LONG"), "the limit of exposure pauses the desk")[0]
        assert 5.5 <= seconds(filled.at, paused.at) <= 6 + LATE_SECONDS
        eventually(lambda: desk.log("A", "PAUSED"), "A says that it is paused")
        check_regular(desk.log("A", "WAITING", "PAUSED"), 4)
        truth = desk.paper.truth()
        assert truth.position(0) == 20
        assert truth.trades(1) == []
        assert [order["order_index"] for order in truth.orders(0)] == [quote["order_index"]], "A has quoted again"
    finally:
        desk.signal("B", signal.SIGCONT)
    assert desk.pid("B") == pid
    desk.hedged(20)
    resumed = desk.command("resume")
    assert resumed.returncode == 0, resumed.stderr
    desk.quote()
    desk.paper.fill()
    desk.hedged(40)

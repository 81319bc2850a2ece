"""A person's verbs on a running desk: pause, resume, drain, clear, down; and a second start."""

import json
from typing import Any

from tests.e2e.desk import Desk, eventually


def opened(desk: Desk) -> None:
    """Up, with a hedged pair open and the closing quote resting."""
    desk.up()
    desk.quote()
    desk.paper.fill()
    desk.hedged(20)
    desk.quote()


def flat(desk: Desk) -> bool:
    truth = desk.paper.truth()
    return truth.position(0) == truth.position(1) == 0 and not truth.resting


def page_that_knows(desk: Desk) -> dict[str, Any] | None:
    state: dict[str, Any] = desk.page("/api/state")
    return state if all(account["collateral"] for account in state["accounts"]) else None


def acknowledged(desk: Desk, command_id: str) -> list[str]:
    (command,) = [each for each in desk.page("/api/state")["commands"] if each["id"] == command_id]
    return list(command["acked"])


def test_pause_resume_drain_and_down(desk: Desk) -> None:
    desk.write_config(web={"enabled": True, "port": 0})
    opened(desk)
    code, view = desk.status()
    assert (code, view["mode"], view["hedged"]) == (0, "running", True)
    assert (view["a_position_lots"], view["b_position_lots"]) == (20, -20)

    second = desk.start()
    assert second.returncode == 7
    assert f"already running (supervisor pid {desk.pid('supervisor')}, A pid {desk.pid('A')}" in second.stderr

    page = eventually(lambda: page_that_knows(desk), "the page has read both accounts")
    assert (page["badge"]["mode"], page["exposure"]["word"], page["exposure"]["net"]) == (
        "running",
        "hedged",
        "0.00000",
    )
    assert [account["position"] for account in page["accounts"]] == ["0.00020", "-0.00020"]
    asked = desk.page("/api/command", {"verb": "pause"})["id"]
    eventually(lambda: acknowledged(desk, asked) == ["A", "B"], "the page shows that A and B have acknowledged")
    eventually(lambda: not desk.paper.truth().resting, "the quote is cancelled")
    assert desk.status()[1]["pause"]["reason"] == "at the page, from 127.0.0.1"
    assert desk.command("resume").returncode == 0
    desk.quote()

    paused = desk.command("pause", "--reason", "lunch")
    assert paused.returncode == 0, paused.stderr
    eventually(lambda: not desk.paper.truth().resting, "the quote is cancelled")
    code, view = desk.status()
    assert (code, view["mode"], view["pause"]["reason"]) == (0, "paused", "lunch")
    orders = len(desk.paper.truth().orders(0))
    eventually(lambda: len(desk.log("A", "PAUSED")) >= 3, "A says that it is paused")
    assert len(desk.paper.truth().orders(0)) == orders

    resumed = desk.command("resume")
    assert resumed.returncode == 0, resumed.stderr
    assert desk.quote()["side"] == "sell"

    drained = desk.command("drain")
    assert drained.returncode == 0, drained.stderr
    desk.paper.fill()
    truth = desk.hedged(40)
    assert (truth.position(0), truth.position(1)) == (0, 0)
    eventually(lambda: desk.log("A", "DRAINED"), "A is drained")
    code, view = desk.status()
    assert (code, view["mode"], view["pause"]["code"]) == (0, "paused", "DRAINED")

    told = [json.loads(line) for line in desk.command("events", "--last", "500", "--json").stdout.splitlines()]
    assert {each["source"] for each in told} == {"A", "B", "monitor", "web"}
    assert {"DRAINED", "PAUSED"} <= {each["code"] for each in told if each["type"] == "said"}
    hedges = [each["at_us"] for each in told if each["type"] == "stamped" and each["source"] == "B"]
    assert len(hedges) == 2
    assert all(list(at_us.values()) == sorted(at_us.values()) for at_us in hedges)
    shown = desk.command("events", "--level", "warning", "--source", "A")
    assert (shown.returncode, " info " in shown.stdout) == (0, False)

    down = desk.command("down")
    assert down.returncode == 0, down.stderr
    assert "flat" in down.stdout
    assert desk.pid("web") is None
    assert desk.status()[0] == 4
    assert desk.command("down").returncode == 4


def test_clear_on_a_running_desk_closes_both_and_pauses(desk: Desk) -> None:
    opened(desk)
    resting = json.loads(desk.command("orders", "--json").stdout)
    assert ([order["side"] for order in resting["account_a"]], resting["account_b"]) == (["sell"], [])
    healthy = desk.command("doctor")
    assert healthy.returncode == 0, healthy.stdout
    assert "0 failed" in healthy.stdout
    refused = desk.command("clear")
    assert refused.returncode == 7
    assert desk.command("clear", "--account", "a", "--yes").returncode == 7
    done = desk.command("clear", "--yes")
    assert done.returncode == 0, done.stderr
    assert flat(desk)
    truth = desk.paper.truth()
    truth.check()
    code, view = desk.status()
    assert (code, view["mode"], view["pause"]["code"]) == (0, "paused", "CLEARED")
    resumed = desk.command("resume")
    assert resumed.returncode == 0, resumed.stderr
    desk.quote()
    desk.paper.fill()
    desk.hedged(truth.filled(0) + 20)


def test_clear_on_a_stopped_desk(desk: Desk) -> None:
    opened(desk)
    assert desk.command("down").returncode == 0
    done = desk.command("clear", "--yes")
    assert done.returncode == 0, done.stderr
    assert flat(desk)
    desk.up()
    assert desk.quote()["side"] == "buy"
    desk.paper.fill()
    eventually(lambda: desk.paper.truth().net == 0 and desk.paper.truth().position(0) == 20, "the next round is hedged")

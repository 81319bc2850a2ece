"""Which alerts become a message, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighter_hedge.ops.alerts import ROUTES, Message, Policy, Raised, read_targets

MINUTE = 60_000


def raised(number: int, code: str = "HEDGE_FAILED", level: str = "error", at_ms: int = 0, source: str = "A") -> Raised:
    return Raised(source=source, id=number, level=level, code=code, text=f"text {number}", wall_ms=at_ms)


class Desk:
    """Runs a policy as the notifier does, once a second, with targets that take everything."""

    def __init__(self) -> None:
        self.policy = Policy(desk="a_b:BTC")
        self.waiting: list[Raised] = []
        self.sent: list[tuple[int, Message]] = []

    def at(self, now_ms: int) -> list[Message]:
        messages = self.policy.due(self.waiting, now_ms)
        for message in messages:
            self.policy.told(message.alerts, now_ms)
            self.waiting = [alert for alert in self.waiting if alert not in message.alerts]
            self.sent.append((now_ms, message))
        return messages


def test_the_first_is_told_at_once_with_what_to_do() -> None:
    desk = Desk()
    desk.waiting.append(raised(1, at_ms=1_760_000_000_000))
    (message,) = desk.at(0)
    assert (message.route, message.title) == ("critical", "a_b:BTC: HEDGE_FAILED")
    assert message.body.splitlines() == [
        "text 1", "A, 2025-10-09 08:53:20 UTC", "what to do: docs/runbook.md, HEDGE_FAILED",
    ]  # fmt: skip


def test_a_thousand_equal_failures_are_five_messages_at_growing_intervals_and_none_is_left_out() -> None:
    desk = Desk()
    for number in range(1_000):
        now_ms = number * 5_000  # 83 minutes
        desk.waiting.append(raised(number, at_ms=now_ms))
        desk.at(now_ms)
    assert [at // MINUTE for at, _ in desk.sent] == [0, 1, 6, 21, 81]
    desk.at(200 * MINUTE)
    told = [alert.id for _, message in desk.sent for alert in message.alerts]
    assert sorted(told) == list(range(1_000))
    assert "12 times since the last message" in desk.sent[1][1].body


def test_all_at_once_is_one_message() -> None:
    desk = Desk()
    desk.waiting += [raised(number) for number in range(1_000)]
    assert len(desk.at(0)) == 1
    assert desk.at(100 * MINUTE) == []


def test_what_is_over_is_told_at_once_and_the_next_time_is_a_first_time() -> None:
    desk = Desk()
    desk.waiting.append(raised(1, "SIDE_SILENT"))
    desk.at(0)
    desk.waiting.append(raised(2, "SIDE_SILENT", level="info"))
    (over,) = desk.at(1_000)
    assert (over.route, over.title) == ("info", "a_b:BTC: recovered: SIDE_SILENT")
    desk.waiting.append(raised(3, "SIDE_SILENT"))
    assert len(desk.at(2_000)) == 1


def test_other_codes_and_other_sides_do_not_wait_and_the_gravest_goes_first() -> None:
    desk = Desk()
    desk.waiting += [raised(1, "RESIDUAL_LARGE"), raised(2, "RESIDUAL_LARGE", level="info"), raised(3, "HEDGE_FAILED")]
    desk.waiting += [raised(4, "HEDGE_FAILED", source="B")]
    assert [message.route for message in desk.at(0)] == ["critical", "critical", "warning", "info"]


def test_after_long_quiet_the_same_thing_is_new_again() -> None:
    desk = Desk()
    desk.waiting.append(raised(1))
    desk.at(0)
    for number, minutes in ((2, 1), (3, 130)):
        desk.waiting.append(raised(number))
        assert len(desk.at(minutes * MINUTE)) == 1
    desk.waiting.append(raised(4))
    assert desk.at(130 * MINUTE + 30_000) == []
    assert len(desk.at(131 * MINUTE)) == 1


@given(st.lists(st.tuples(st.integers(0, 3_600), st.sampled_from("AB"), st.sampled_from(["X", "Y"])), max_size=60))
def test_every_alert_is_told_once(events: list[tuple[int, str, str]]) -> None:
    desk = Desk()
    for number, (seconds, source, code) in enumerate(sorted(events)):
        desk.waiting.append(raised(number, code, at_ms=seconds * 1_000, source=source))
        desk.at(seconds * 1_000)
    desk.at(10_000_000)
    told = [alert.id for _, message in desk.sent for alert in message.alerts]
    assert sorted(told) == list(range(len(events)))


def test_targets() -> None:
    all_, some = read_targets("# who\n\njson://host/x\ncritical,warning tgram://token/chat\n")
    assert (all_.routes, some.routes) == (frozenset(ROUTES), frozenset({"critical", "warning"}))
    assert (some.shown, "token" in repr(some)) == ("tgram://…", False)


@pytest.mark.parametrize("line", ["critical", "loud tgram://secret", "critical json://secret more", "nonsense"])
def test_what_is_no_target_is_named_by_its_line_alone(line: str) -> None:
    with pytest.raises(ValueError, match="line 2") as refused:
        read_targets(f"# one\n{line}\n")
    assert "secret" not in str(refused.value)

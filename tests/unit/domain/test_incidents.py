"""What goes wrong is told once, and once more when it is over."""

import pytest
from tests.unit.domain.builders import at

from lighter_hedge.domain.commands import Alert, Say
from lighter_hedge.domain.incidents import REMEMBERED_MS_MIN, REPEAT_MS, Condition, Incident, Occurrences, Recovered


def condition(limit_ms: int = 5_000) -> Condition:
    return Condition(code="X", about="A", limit_ms=limit_ms)


def told(one: Condition, holds: bool | None, ms: int) -> list[str]:
    return [type(command).__name__ for command in one.look(holds, at(ms), "bad", "good")]


def test_alerted_once_after_its_limit_and_told_when_it_is_over() -> None:
    one = condition()
    assert one.age_ms(at(0)) == 0
    assert [told(one, True, ms) for ms in (0, 4_999, 5_000, 9_000)] == [[], [], ["Alert"], []]
    assert told(one, False, 9_001) == ["Recovered"]
    assert [told(one, False, 9_002), told(one, True, 9_003), told(one, True, 14_003)] == [[], [], ["Alert"]]


def test_what_ends_before_its_limit_is_never_told() -> None:
    one = condition()
    assert [told(one, holds, ms) for holds, ms in ((True, 0), (False, 4_999), (True, 5_000), (True, 9_999))] == [[]] * 4


def test_not_knowing_changes_nothing() -> None:
    one = condition()
    assert told(one, True, 0) == []
    assert [told(one, None, 6_000), told(one, True, 6_001)] == [[], ["Alert"]]
    assert told(one, None, 7_000) == []
    assert one.alerted


def test_the_texts_are_those_of_the_moment() -> None:
    one = condition(0)
    assert one.look(True, at(0), "bad", "good") == [Alert(code="X", text="bad")]
    assert one.look(False, at(1), "bad", "good") == [Recovered(code="X", text="good")]


def test_only_what_lasts_or_was_told_is_remembered() -> None:
    one = condition()
    told(one, True, 0)
    assert one.incident(at(REMEMBERED_MS_MIN - 1)) is None
    assert one.incident(at(REMEMBERED_MS_MIN)) == Incident(code="X", about="A", since_ms=at(0).wall_ms, alerted=False)
    short = condition(0)
    told(short, True, 0)
    kept = short.incident(at(1))
    assert kept is not None
    assert kept.alerted
    told(short, False, 2)
    assert short.incident(at(9_000)) is None


@pytest.mark.parametrize(("alerted", "said"), [(False, ["Alert"]), (True, [])])
def test_a_restart_goes_on_counting_and_tells_nothing_twice(alerted: bool, said: list[str]) -> None:
    one = condition()
    one.restore(Incident(code="X", about="A", since_ms=at(-5_000).wall_ms, alerted=alerted), at(0))
    assert one.age_ms(at(0)) == 5_000
    assert told(one, True, 0) == said
    assert told(one, False, 1) == ["Recovered"]


def test_a_clock_that_went_back_makes_no_age_below_zero() -> None:
    one = condition()
    one.restore(Incident(code="X", about="A", since_ms=at(60_000).wall_ms, alerted=False), at(0))
    assert one.age_ms(at(0)) == 0


def test_what_happens_again_soon_is_logged_and_counted() -> None:
    happened = Occurrences()
    first = happened.happened("X", "A", "one", at(0))
    soon = happened.happened("X", "A", "two", at(REPEAT_MS - 1))
    later = happened.happened("X", "A", "three", at(REPEAT_MS))
    assert [type(command) for command in first + soon + later] == [Alert, Say, Alert]
    assert [command.text for command in later] == ["three (1 more before it, in the log)"]
    assert happened.happened("X", "B", "other", at(1)) == [Alert(code="X", text="other")]
    assert happened.happened("Y", "A", "other", at(1)) == [Alert(code="Y", text="other")]

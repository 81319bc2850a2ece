import pytest

from lighter_hedge.simulator.core.faults.kinds import CHANNELS, COMMON, KINDS, PARAMETERS
from lighter_hedge.simulator.edge import channels


def test_the_channels_are_those_of_the_stream() -> None:
    assert set(CHANNELS) == channels.BY_NAME.keys()


def test_every_parameter_is_known_and_used() -> None:
    used = {name for kind in KINDS.values() for name in kind.parameters}
    assert used - COMMON.keys() == PARAMETERS.keys()


def test_what_is_a_state_lasts() -> None:
    assert all(kind.lasts for kind in KINDS.values() if kind.is_state)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("code", (1, 21739), (0, "21739", 1.5, True, None)),
        ("status", (429, 502), (200, 600)),
        ("of", ("sends", "reads", "both"), ("all", 1)),
        ("becomes", ("canceled", "canceled-post-only"), ("open", "filled", "")),
        ("channel", ("order_book",), ("order_book:1",)),
        ("message", ("", "no"), (1, None)),
        ("close_code", (1008,), (999, 5000)),
    ],
)
def test_values_are_checked(name: str, good: tuple[object, ...], bad: tuple[object, ...]) -> None:
    assert [PARAMETERS[name](value) for value in good] == [None] * len(good)
    assert all(PARAMETERS[name](value) for value in bad)


def test_a_probability_is_between_0_and_1() -> None:
    check = COMMON["probability"]
    assert (check(0), check(0.5), check(1)) == (None, None, None)
    assert all(check(wrong) for wrong in (1.1, -0.1, "half", float("nan")))

"""Each fault that breaks other bots: ours survives it, and does so because of one defence."""

import pytest
from tests.scenarios.faults import FAULTS, Fault


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_desk_survives(fault: Fault) -> None:
    """The story ends hedged, each fill exactly once."""
    fault.story()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_story_fails_without_its_defence(fault: Fault) -> None:
    """With the defence taken away the same story must not pass: the test can fail."""
    with fault.without_defence(), pytest.raises(BaseException):  # noqa: B017, PT011 any way of failing will do
        fault.story()

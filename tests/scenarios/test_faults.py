"""Each fault that breaks other bots: ours survives it, and each story fails once its one defence is gone."""

import pytest
from tests.scenarios.defences import DEFENCES
from tests.scenarios.faults import FAULTS, Fault

WITHOUT = [(fault.name, fault.story, fault.without_defence) for fault in FAULTS] + DEFENCES


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_desk_survives(fault: Fault) -> None:
    """The story ends hedged, each fill exactly once."""
    fault.story()


@pytest.mark.parametrize(("story", "removal"), [pytest.param(*case, id=name) for name, *case in WITHOUT])
def test_story_fails_without_its_defence(story, removal) -> None:
    """With the defence taken away the same story must not pass: the test can fail."""
    with removal(), pytest.raises(BaseException):  # noqa: B017, PT011 any way of failing will do
        story()

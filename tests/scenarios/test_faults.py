"""Each fault that breaks other bots: ours survives it; and every story fails once the defence that it tests is gone."""

import pytest
from tests.scenarios.defences import DEFENCES
from tests.scenarios.faults import FAULTS, Fault, Removal, Story

WITHOUT = [(fault.name, fault.story, fault.without_defence) for fault in FAULTS]
WITHOUT += [(name, story, one.removal) for one in DEFENCES for name, story in one.stories.items()]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_desk_survives(fault: Fault) -> None:
    """The story ends hedged, each fill exactly once."""
    fault.story()


@pytest.mark.parametrize(("story", "removal"), [pytest.param(*case, id=name) for name, *case in WITHOUT])
def test_story_fails_without_its_defence(story: Story, removal: Removal) -> None:
    """With the defence taken away the same story must not pass: the test can fail."""
    with removal(), pytest.raises(BaseException):  # noqa: B017, PT011 any way of failing will do
        story()

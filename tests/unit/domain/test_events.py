"""Events are facts: they cannot be changed after they happened."""

import dataclasses
from typing import get_args

import pytest
from tests.unit.domain.builders import at

from lighter_hedge.domain import events


@pytest.mark.parametrize("kind", get_args(events.Event), ids=lambda kind: kind.__name__)
def test_every_event_is_a_frozen_record(kind: type) -> None:
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__slots__" in vars(kind)


def test_an_instant_has_a_clock_to_wait_by_and_one_to_compare() -> None:
    assert at(5).mono_ms - at(0).mono_ms == 5
    assert at(5).wall_ms - at(0).wall_ms == 5

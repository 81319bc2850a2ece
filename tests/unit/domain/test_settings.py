from typing import Any

import pytest
from tests.unit.domain.builders import settings


@pytest.mark.parametrize(
    "change",
    [
        {"depth": 0},
        {"quantity": 9},
        {"retry_times": 0},
        {"slippage_ladder_percent": ()},
        {"unhedged_ms_max": 60_000},
    ],
    ids=lambda change: next(iter(change)),
)
def test_settings_that_make_no_sense_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        settings(**change)


def test_plain_settings_wait_longer_for_exposure_than_for_a_confirmation() -> None:
    plain = settings()
    assert plain.unhedged_ms_max > plain.hedge_confirm_timeout_ms

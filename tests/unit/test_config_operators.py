from typing import Any

import pytest
from pydantic import ValidationError

from lighter_hedge.config_operators import AlertSettings, StopSettings, WebSettings


@pytest.mark.parametrize("text", ["", "00:00", "08:05", "23:59"])
def test_times_of_day(text: str) -> None:
    assert AlertSettings(daily_report=text).daily_report == text
    assert StopSettings(until=text).until == text


@pytest.mark.parametrize("text", ["24:00", "8:00", "08:60", "noon"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="daily_report"):
        AlertSettings(daily_report=text)
    with pytest.raises(ValidationError, match="until"):
        StopSettings(until=text)


@pytest.mark.parametrize("field", ["volume_usd", "fees_usd", "loss_usd", "rounds"])
def test_a_stop_at_nothing_is_refused(field: str) -> None:
    wrong: Any = {field: 0}
    with pytest.raises(ValidationError, match=field):
        StopSettings(**wrong)


def test_the_page_is_for_this_machine_unless_told_otherwise() -> None:
    assert WebSettings().host == "127.0.0.1"


def test_the_heartbeat_address_stays_hidden() -> None:
    assert "secret" not in repr(AlertSettings.model_validate({"heartbeat_url": "https://x/secret"}))

from pathlib import Path
from typing import Any

import pytest

from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.rules import Latency
from lighter_hedge.simulator.edge.settings import PaperError, PaperSettings


@pytest.mark.parametrize(
    "wrong",
    [
        {"traffic": "storm"},
        {"traffic": "tape"},
        {"tx_hash": "md5"},
        {"verify_signatures": True, "tx_hash": "fast"},
        {"wallets": "one"},
        {"book_interval_ms": -1},
        {"latency_scale": -0.5},
        {"traffic": "live"},
        {"live": "https://mainnet.zklighter.elliot.ai"},
        {"live_markets": ("DOGE",)},
    ],
)
def test_a_wrong_setting_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(PaperError, match=next(iter(wrong)).split("_", maxsplit=1)[0]):
        PaperSettings(**wrong)


def test_latencies_follow_tier_override_and_scale() -> None:
    assert PaperSettings(tier=Tier.STANDARD).effective_latency.taker_us == 300_000
    assert PaperSettings(tier=Tier.UNLIMITED).effective_latency == Latency()
    assert PaperSettings(latency_scale=0.1).effective_latency.cancel_us == 10_000
    assert PaperSettings(latency=Latency(maker_us=7)).effective_latency == Latency(maker_us=7)


def test_a_mirrored_venue_may_give_some_markets_only() -> None:
    settings = PaperSettings(traffic="live", live="https://mainnet.zklighter.elliot.ai", live_markets=("BTC",))
    assert settings.live_markets == ("BTC",)


def test_a_tape_needs_its_path() -> None:
    assert PaperSettings(traffic="tape", tape=Path("x")).tape == Path("x")

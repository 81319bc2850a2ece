"""The demo's own decisions: its configuration, its folder, its verdict."""

import json
from pathlib import Path

import pytest

from lighter_hedge.domain.units import Lots, MarketSpec
from lighter_hedge.ops.demo import DemoSettings, _folder, _judged, _without_ours, _write_config
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.ops.health import Market
from lighter_hedge.ops.redis_server import Kind, RedisServer

REDIS = RedisServer(url="redis://127.0.0.1:1/0", version="7", persistent=True, kind=Kind.PATH, pid=1)


def market(price: int = 1_000_000) -> Market:
    spec = MarketSpec(
        market_index=1,
        symbol="BTC",
        size_decimals=5,
        price_decimals=1,
        min_base_lots=Lots(20),
        min_quote=10_000_000,
        initial_margin_fraction=200,
    )
    return Market(spec=spec, price=price)


@pytest.mark.parametrize(
    ("code", "net", "failed", "verdict"),
    [
        (ExitCode.OK, 0, 0, ExitCode.OK),
        (ExitCode.OK, 19, 0, ExitCode.OK),
        (ExitCode.OK, 20, 0, ExitCode.UNHEDGED),
        (ExitCode.OK, 0, 1, ExitCode.UNHEDGED),
        (ExitCode.TIMED_OUT, 0, 0, ExitCode.TIMED_OUT),
        (ExitCode.FAILED, 0, 0, ExitCode.FAILED),
        (ExitCode.FAILED, -20, 0, ExitCode.UNHEDGED),
    ],
)
def test_only_a_hedged_demo_ends_well(code: ExitCode, net: int, failed: int, verdict: ExitCode) -> None:
    assert _judged(code, {"net_lots": net, "rounds_failed": failed}, market()) is verdict


def test_the_configuration_is_private_and_its_size_is_allowed(tmp_path: Path) -> None:
    config = _write_config(DemoSettings(), tmp_path, REDIS, market())
    assert config.stat().st_mode & 0o777 == 0o600
    assert json.loads(config.read_text())["desk"]["quantity"] == "0.00020"
    dear = _write_config(DemoSettings(), tmp_path, REDIS, market(price=100_000))
    assert json.loads(dear.read_text())["desk"]["quantity"] == "0.00200"
    chosen = _write_config(DemoSettings(quantity="0.5"), tmp_path, REDIS, market())
    assert json.loads(chosen.read_text())["desk"]["quantity"] == "0.5"


def test_a_kept_folder_is_used_once(tmp_path: Path) -> None:
    with _folder(tmp_path / "kept") as folder:
        (folder / "run").mkdir()
    with pytest.raises(OpsError, match="holds an earlier demo"), _folder(tmp_path / "kept"):
        pass
    with _folder(None) as folder:
        assert folder.is_dir()
    assert not folder.exists()


def test_settings_of_a_real_desk_do_not_reach_the_demo() -> None:
    assert _without_ours({"LIGHTER_HEDGE_DESK__MARKET": "ETH", "PATH": "/bin"}) == {"PATH": "/bin"}

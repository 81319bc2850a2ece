"""The configuration as a target: settings that can be used, or problems that name what is wrong, without a secret."""

import os
import warnings
from decimal import Decimal
from pathlib import Path

from ruamel.yaml.error import ReusedAnchorWarning

from lighter_hedge.config import ConfigError, Settings, load

BASE = """\
venue: {base_url: "http://127.0.0.1:1"}
accounts:
  account_a: {account_name: a, account_index: 1, api_key_index: 4}
  account_b: {account_name: b, account_index: 2, api_key_index: 4}
"""
SECRET = "ab" * 40


class SettingsTarget:
    """Loads settings from one damaged source, the others being well."""

    def __init__(self, folder: Path) -> None:
        warnings.filterwarnings("ignore", category=ReusedAnchorWarning)  # YAML allows it
        self._folder = folder
        self._base = folder / "base.yaml"
        self._base.write_text(BASE, encoding="utf-8")

    def yaml(self, data: bytes) -> bool:
        """The YAML file."""
        return self._load(self._written("config.yaml", data), None, {})

    def environment(self, data: bytes) -> bool:
        """Variables, one a line; those that an operating system cannot hold are left out."""
        text = data.decode("utf-8", errors="surrogateescape")
        pairs = (line.partition("=") for line in text.split("\n"))
        env = {name: value for name, _, value in pairs if name and "\0" not in value}
        hidden = data.count(SECRET.encode()) == data.count(b"_PRIVATE_KEY=" + SECRET.encode())
        return self._load(self._base, None, env, hidden=hidden)

    def credentials(self, data: bytes) -> bool:
        """A credentials file."""
        hidden = data.count(SECRET.encode()) == data.count(b'"private_key":"' + SECRET.encode())
        return self._load(self._base, self._written("credentials.json", data), {}, hidden=hidden)

    def _written(self, name: str, data: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(data)
        os.chmod(path, 0o600)
        return path

    def _load(self, path: Path, credentials: Path | None, env: dict[str, str], *, hidden: bool = True) -> bool:
        """``hidden``: the key stands where keys stand, and nowhere else."""
        try:
            settings = load(path, overrides={}, credentials=credentials, env=env, keys=())
        except ConfigError as error:
            assert error.problems
            assert not hidden or SECRET not in str(error)
            return False
        usable(settings)
        assert not hidden or SECRET not in repr(settings.shown())
        return True


def usable(settings: Settings) -> None:
    """What a desk needs of its settings."""
    desk, strategy, limits = settings.desk, settings.strategy, settings.limits
    assert desk.quantity.is_finite()
    assert desk.quantity > 0
    assert desk.market
    assert 1 <= desk.depth <= 100
    assert 1 <= strategy.retry_times <= 100
    assert all(step.is_finite() and step >= 1 for step in strategy.slippage_ladder)
    assert 0 <= strategy.slippage_bps_max <= 1000
    assert Decimal(0) < limits.residual_usd_max < Decimal("Infinity")
    assert 0 < strategy.hedge_confirm_timeout < limits.unhedged_seconds_max < float("inf")
    accounts = (settings.accounts.account_a, settings.accounts.account_b)
    assert accounts[0].account_index != accounts[1].account_index
    assert all(one.account_index >= 0 and 2 <= one.api_key_index <= 254 for one in accounts)
    assert str(settings.desk_id)

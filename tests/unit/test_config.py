"""Settings: what loads, what is refused, and that every refusal names line and remedy and no secret."""

import json
import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from lighter_hedge.config import ConfigError, Settings, load, without_password
from lighter_hedge.domain.states import Role

KEY_A = "0x" + "a1" * 40
KEY_B = "b2" * 40
ENV = {"LIGHTER_HEDGE_ACCOUNT_A_PRIVATE_KEY": KEY_A, "LIGHTER_HEDGE_ACCOUNT_B_PRIVATE_KEY": KEY_B}
EXAMPLE = Path(__file__).parents[2] / "config" / "config.example.yaml"

GOOD = """\
venue: {base_url: "http://127.0.0.1:8700"}
accounts:
  account_a: {account_name: a, account_index: 65, api_key_index: 4}
  account_b: {account_name: b, account_index: 66, api_key_index: 4}
"""

OLD = """\
accounts:
  account_a:
    api_key_private_key: KEY_A
    account_index: 65
    api_key_index: 4
    account_name: one
  account_b:
    api_key_private_key: KEY_B
    account_index: 66
    api_key_index: 4
    account_name: two
redis:
  host: localhost
  port: 6380
  db: 2
lighter:
  base_url: https://mainnet.zklighter.elliot.ai
  ws_url: wss://mainnet.zklighter.elliot.ai/stream
  maker_order_time_out: 45
strategy:
  retry_times: 5
  poll_interval: 1
  ws_reconnect_delay: 5
  force_close_timeout: 20
"""


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def loaded(folder: Path, text: str = GOOD, env: Mapping[str, str] = ENV, **overrides: object) -> Settings:
    dotted = {key.replace("__", "."): value for key, value in overrides.items()}
    return load(written(folder, text), overrides=dotted, credentials=None, env=env)


def refusal(folder: Path, text: str, env: Mapping[str, str] = ENV) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text, env)
    return str(caught.value)


def test_defaults_are_those_of_the_contract(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    assert settings.desk.quantity == Decimal("0.0002")
    assert (settings.desk.market, settings.desk.depth, settings.desk.direction) == ("BTC", 1, "long")
    assert settings.strategy.slippage_ladder == (Decimal(1), Decimal(2), Decimal(4))
    assert settings.limits.unhedged_seconds_max == 90
    assert settings.venue.ws_url == "ws://127.0.0.1:8700/stream"
    assert str(settings.desk_id) == "a_b:BTC"
    assert settings.journal_file(Role.MAKER) == tmp_path / "run" / "journal_A.sqlite"
    assert settings.log_file(Role.HEDGER) == tmp_path / "logs" / "main_B.log"
    assert settings.pid_file("supervisor") == tmp_path / ".pid_supervisor"


def test_the_example_loads_without_a_warning_and_shows_the_defaults() -> None:
    settings = load(EXAMPLE, overrides={}, credentials=None, env=ENV)
    assert settings.warnings == ()
    plain = Settings(venue=settings.venue, accounts=settings.accounts, read_lag_seconds=settings.read_lag_seconds)
    assert settings.model_dump() == plain.model_dump()


def test_the_old_layout_loads_with_a_warning_for_each_old_key(tmp_path: Path) -> None:
    settings = loaded(tmp_path, OLD.replace("KEY_A", KEY_A).replace("KEY_B", KEY_B), env={})
    assert settings.venue.network == "mainnet"
    assert settings.venue.chain_id == 304
    assert settings.read_lag_seconds == 10
    assert settings.redis.url == "redis://localhost:6380/2"
    assert settings.strategy.maker_order_timeout == 45
    assert settings.strategy.retry_times == 5
    assert settings.accounts.account_a.private_key.get_secret_value() == "a1" * 40
    text = "\n".join(settings.warnings)
    for line, key in [(3, "api_key_private_key"), (13, "redis.host"), (17, "lighter.base_url"), (22, "poll_interval")]:
        assert any(w.startswith(f"config.yaml:{line} ") and key in w for w in settings.warnings), text
    assert "a1a1" not in text


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "api_key_index: 4}\n  account_b",
            "api_key_idx: 4}\n  account_b",
            "config.yaml:3  unknown key accounts.account_a.api_key_idx: did you mean accounts.account_a.api_key_index?",
        ),
        ("api_key_index: 4}\n  account_b", "x: 4}\n  account_b", "accounts.account_a.api_key_index is missing"),
        (
            "account_index: 66",
            "account_index: 65",
            "config.yaml:4  account_a and account_b are the same account (65): a desk needs two accounts",
        ),
        ("account_name: b", "account_name: a", "have the same name (a)"),
        (
            "accounts:",
            "desk: {depth: 0}\naccounts:",
            "config.yaml:2  desk.depth: input should be greater than or equal to 1 (got 0)",
        ),
        (
            "accounts:",
            "desk: {quantity: -1}\naccounts:",
            "config.yaml:2  desk.quantity: input should be greater than 0 (got -1)",
        ),
        ("accounts:", "desk: {quantity: nan}\naccounts:", "config.yaml:2  desk.quantity"),
        ("accounts:", "desk: {direction: up}\naccounts:", "'long', 'short' or 'alternate' (got up)"),
        ("accounts:", "desk: 5\naccounts:", "config.yaml:2  desk holds a value"),
        ("accounts:", "markt: BTC\naccounts:", "config.yaml:2  unknown key markt: did you mean desk.market?"),
        (
            "accounts:",
            "strategy: {hedge_confirm_timeout: 90}\naccounts:",
            "must exceed strategy.hedge_confirm_timeout (90)",
        ),
        (
            "accounts:",
            "strategy: {slippage_ladder: [2, 1]}\naccounts:",
            "config.yaml:2  strategy.slippage_ladder must rise",
        ),
        ("accounts:", "strategy: {slippage_ladder: []}\naccounts:", "config.yaml:2  strategy.slippage_ladder"),
        ("accounts:", "heartbeat_seconds: 5\naccounts:", "heartbeat_seconds_max must exceed heartbeat_seconds"),
        ("accounts:", "redis: {url: 'localhost'}\naccounts:", "config.yaml:2  redis.url"),
        ("accounts:", "venue: {}\naccounts:", "config.yaml:2  venue stands twice"),
        ('base_url: "http://127.0.0.1:8700"', "network: paper", "config.yaml:1  venue.base_url is missing"),
        ("base_url:", "network: mainnet, base_url:", "venue.base_url is not the address of mainnet"),
        ("accounts:", "accounts: [", "bad YAML"),
    ],
)
def test_every_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    """Each message stands at its line and says what to do."""
    assert old in GOOD
    assert expected in refusal(tmp_path, GOOD.replace(old, new))


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    text = refusal(
        tmp_path, GOOD + "desk: {depht: 1, quantity: x}\nlimits: {unhedged_seconds_max: 5}\nfoo: 1\n", env={}
    )
    assert text.startswith("the configuration has 5 problems")
    for part in ("did you mean desk.depth?", "desk.quantity", "unknown key foo", "account A", "account B"):
        assert part in text


@pytest.mark.parametrize("bad", ["a1" * 39, "0x" + "zz" * 40, "a1" * 40 + "a"])
def test_a_malformed_key_is_named_by_account_and_never_shown(tmp_path: Path, bad: str) -> None:
    text = refusal(tmp_path, GOOD, ENV | {"LIGHTER_HEDGE_ACCOUNT_B_PRIVATE_KEY": bad})
    assert "the private key of account_b (account B) is malformed" in text
    assert "80 hexadecimal digits" in text
    assert bad[2:12] not in text


def test_a_missing_key_names_the_account_and_the_remedy(tmp_path: Path) -> None:
    text = refusal(tmp_path, GOOD, {"LIGHTER_HEDGE_ACCOUNT_A_PRIVATE_KEY": KEY_A})
    assert "account_b (account B) has no private key: set LIGHTER_HEDGE_ACCOUNT_B_PRIVATE_KEY" in text
    assert "account A" not in text


def test_keys_are_not_asked_for_where_nobody_signs(tmp_path: Path) -> None:
    settings = load(written(tmp_path, GOOD), overrides={}, credentials=None, env={}, keys=())
    assert settings.account(Role.MAKER).private_key.get_secret_value() == ""


def test_a_key_in_the_yaml_is_warned_about_and_refused_where_others_can_read_it(tmp_path: Path) -> None:
    text = GOOD.replace("account_name: a,", f"account_name: a, private_key: '{KEY_A}',")
    path = written(tmp_path, text)
    settings = load(path, overrides={}, credentials=None, env={}, keys=(Role.MAKER,))
    assert "environment or a secret file is safer" in settings.warnings[0]
    path.chmod(0o640)
    with pytest.raises(ConfigError, match=r"chmod 600 config\.yaml"):
        load(path, overrides={}, credentials=None, env={}, keys=(Role.MAKER,))


def test_secret_files_bring_keys_and_the_environment_wins(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "account_a_private_key").write_text(KEY_A + "\n")
    named = secrets / "b"
    named.write_text(KEY_B)
    named.chmod(0o600)
    text = GOOD.replace("account_name: b,", "account_name: b, private_key_file: secrets/b,")
    env = {"CREDENTIALS_DIRECTORY": str(secrets)}
    settings = loaded(tmp_path, text, env)
    assert settings.account(Role.MAKER).private_key.get_secret_value() == "a1" * 40
    assert settings.account(Role.HEDGER).private_key.get_secret_value() == "b2" * 40
    settings = loaded(tmp_path, text, env | {"LIGHTER_HEDGE_ACCOUNT_A_PRIVATE_KEY": "c3" * 40})
    assert settings.account(Role.MAKER).private_key.get_secret_value() == "c3" * 40
    named.chmod(0o644)
    assert "can be read by others" in refusal(tmp_path, text, env)
    named.unlink()
    assert "key file cannot be read" in refusal(tmp_path, text, env)


def test_credentials_bring_addresses_accounts_and_keys(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    accounts = [
        {
            "name": name,
            "account_index": index,
            "api_keys": [{"api_key_index": i, "private_key": f"0x{i}{name}" + "0" * 78} for i in (4, 5)],
        }
        for name, index in (("a", 2**47), ("b", 2**47 + 1))
    ]
    data = {
        "base_url": "http://127.0.0.1:9",
        "ws_url": "ws://127.0.0.1:9/stream",
        "chain_id": 304,
        "accounts": accounts,
    }
    file.write_text(json.dumps(data))
    settings = load(None, overrides={"accounts.account_b.api_key_index": 5}, credentials=file, env={})
    assert settings.venue.base_url == "http://127.0.0.1:9"
    assert settings.read_lag_seconds == 1.0
    assert settings.account(Role.MAKER).account_index == 2**47
    assert settings.account(Role.HEDGER).private_key.get_secret_value() == "5b" + "0" * 78
    file.write_text("[]")
    with pytest.raises(ConfigError, match="is no credentials file"):
        load(None, overrides={}, credentials=file, env={})


def test_the_command_line_wins_over_environment_and_file(tmp_path: Path) -> None:
    env = ENV | {"LIGHTER_HEDGE_DESK__MARKET": "ETH", "LIGHTER_HEDGE_DESK__DEPTH": "3"}
    settings = loaded(tmp_path, GOOD + "desk: {market: SOL}\n", env, desk__market="BTC")
    assert (settings.desk.market, settings.desk.depth) == ("BTC", 3)
    assert settings.shown()["desk.market"] == ("BTC", "--market")
    assert settings.shown()["desk.depth"] == ("3", "environment LIGHTER_HEDGE_DESK__DEPTH")
    assert settings.shown()["venue.base_url"][1] == "config.yaml:1"
    assert settings.shown()["desk.direction"] == ("long", "default")


def test_an_unknown_variable_of_ours_is_an_error(tmp_path: Path) -> None:
    text = refusal(tmp_path, GOOD, ENV | {"LIGHTER_HEDGE_DESK__MARKT": "ETH"})
    assert "environment LIGHTER_HEDGE_DESK__MARKT  unknown key desk.markt: did you mean desk.market?" in text


def test_no_secret_is_shown(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GOOD + "redis: {url: 'redis://:hunter2@h:1/0'}\n")
    everything = repr(settings) + str(settings.shown()) + settings.model_dump_json()
    assert "a1a1" not in everything
    assert "b2b2" not in everything
    assert "hunter2" not in str(settings.shown()) + settings.redis.shown
    for leaky in ("redis://:p@ss/w#rd@h:1/0", "redis://h:1/0?password=secret"):
        assert without_password(leaky) == "redis://***"
    assert without_password("redis://u:p@h:1/0") == "redis://u:***@h:1/0"


def test_an_amount_keeps_every_digit(tmp_path: Path) -> None:
    settings = loaded(tmp_path, GOOD + "desk: {quantity: 0.10000000000000000001}\n")
    assert settings.desk.quantity == Decimal("0.10000000000000000001")


def test_settings_are_frozen(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        loaded(tmp_path).desk.depth = 2


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read \\(No such file or directory\\)"):
        load(tmp_path / "none.yaml", overrides={}, credentials=None, env=os.environ)


@pytest.mark.parametrize(
    ("venue", "network", "lag"),
    [
        ("network: testnet", "testnet", 10),
        ("base_url: 'https://api.example.org'", "custom", 10),
        ("base_url: 'http://localhost:1'", "paper", 1),
    ],
)
def test_the_network_brings_address_and_read_lag(tmp_path: Path, venue: str, network: str, lag: float) -> None:
    settings = loaded(tmp_path, GOOD.replace('base_url: "http://127.0.0.1:8700"', venue))
    assert (settings.venue.network, settings.read_lag_seconds) == (network, lag)
    assert settings.venue.ws_url.startswith("ws")

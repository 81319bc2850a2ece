import json
import stat
from pathlib import Path

import pytest

from lighter_hedge.simulator.edge.credentials import (
    Secret,
    credentials,
    load_secrets,
    make_accounts,
    save_secrets,
    sdk_key,
    write_private,
)
from lighter_hedge.simulator.edge.settings import PaperSettings


def fake_key() -> tuple[str, str]:
    return "0x" + "1" * 80, "0x" + "2" * 80


@pytest.mark.parametrize(("wallets", "count"), [("shared", 1), ("separate", 2)])
def test_wallets_are_shared_or_separate(wallets: str, count: int) -> None:
    accounts, secrets = make_accounts(PaperSettings(wallets=wallets, collateral=5), 0, fake_key)
    assert len({account.l1_address for account in accounts}) == count
    assert [account.name for account in accounts] == ["a", "b"]
    assert all((account.account_index >= 2**47) is (count == 1) for account in accounts)
    assert {account.collateral for account in accounts} == {5_000_000}
    assert len(secrets) == 6


def test_the_file_holds_what_the_desk_needs() -> None:
    accounts, secrets = make_accounts(PaperSettings(), 0, fake_key)
    content = credentials("http://127.0.0.1:8700", 304, accounts, secrets)
    assert (content["ws_url"], content["chain_id"]) == ("ws://127.0.0.1:8700/stream", 304)
    key = content["accounts"][1]["api_keys"][2]
    assert key == {"api_key_index": 6, "private_key": "0x" + "1" * 80, "public_key": "0x" + "2" * 80}
    assert content["accounts"][0]["collateral"] == "10000"


def test_private_files_are_private_even_over_an_open_one(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.json"
    write_private(path, {"a": 1})
    path.chmod(0o644)
    write_private(path, {"a": 2})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == {"a": 2}
    assert list(path.parent.iterdir()) == [path]


def test_secrets_come_back_and_do_not_show_in_text(tmp_path: Path) -> None:
    secrets = [Secret(account_index=1, api_key_index=4, private_key="0xsecret")]
    save_secrets(tmp_path / "keys.json", secrets)
    assert load_secrets(tmp_path / "keys.json") == secrets
    assert "0xsecret" not in repr(secrets)


def test_the_sdk_makes_keys_of_forty_bytes() -> None:
    private_key, public_key = sdk_key()
    assert len(private_key) == len(public_key) == 82

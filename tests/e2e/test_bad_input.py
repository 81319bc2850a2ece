"""Bad input: each with one clear message and its exit code, before anything is traded."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.desk import HOST, Desk, folder_of_desk, free_port


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One exchange and one Redis for all that is refused before a desk starts."""
    with folder_of_desk(tmp_path_factory.mktemp("idle")) as made:
        yield made


@pytest.fixture
def refused(idle: Desk, tmp_path: Path) -> Iterator[Desk]:
    """A folder of its own at the idle exchange; nothing may be running or traded afterwards."""
    desk = Desk(tmp_path, idle.paper, idle.redis)
    desk.write_config()
    yield desk
    assert desk.pid("supervisor") is desk.pid("A") is desk.pid("B") is None
    assert desk.paper.truth().orders(0) == []


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (["--market", "DOGE"], 3, ["no market DOGE", "BTC"]),
        (["--quantity", "0.0001"], 3, ["below the venue's minimum", "0.00020"]),
        (["--quantity", "0.0002001"], 2, ["decimals"]),
        (["--depth", "0"], 2, ["--depth"]),
        (["--direction", "sideways"], 3, ["desk.direction", "alternate"]),
    ],
    ids=["market", "minimum", "decimals", "depth", "direction"],
)
def test_flags_that_do_not_fit(refused: Desk, flags: list[str], code: int, words: list[str]) -> None:
    done = refused.start(*flags)
    assert done.returncode == code, done.stderr
    assert all(word in done.stderr for word in words), done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_key_is_named_with_its_line_and_the_nearest_right_one(refused: Desk) -> None:
    refused.config_file.write_text("desk:\n  market: BTC\n  quantitty: '0.0002'\n")
    done = refused.start()
    assert done.returncode == 3
    assert "config.yaml:3" in done.stderr
    assert "desk.quantitty" in done.stderr
    assert "did you mean desk.quantity?" in done.stderr


def accounts_of(desk: Desk) -> dict[str, dict[str, object]]:
    """The two accounts as a person would write them into config.yaml, keys left out."""
    body = json.loads(desk.paper.credentials.read_text())
    return {
        f"account_{account['name']}": {
            "account_name": account["name"],
            "account_index": account["account_index"],
            "api_key_index": 4,
        }
        for account in body["accounts"]
    }


def keys_of(desk: Desk) -> dict[str, str]:
    """The accounts' keys as environment variables."""
    body = json.loads(desk.paper.credentials.read_text())
    return {
        f"LIGHTER_HEDGE_ACCOUNT_{account['name'].upper()}_PRIVATE_KEY": account["api_keys"][0]["private_key"]
        for account in body["accounts"]
    }


def written(desk: Desk, accounts: dict[str, dict[str, object]]) -> None:
    """A configuration that needs no credentials file."""
    desk.write_config(accounts=accounts, venue={"network": "paper", "base_url": desk.paper.url})


def test_a_missing_key_is_named_by_account_and_variable(refused: Desk) -> None:
    written(refused, accounts_of(refused))
    done = refused.command("up")
    assert done.returncode == 3
    for side in "AB":
        assert f"account_{side.lower()} (account {side}) has no private key" in done.stderr
        assert f"LIGHTER_HEDGE_ACCOUNT_{side}_PRIVATE_KEY" in done.stderr


def test_a_malformed_key_is_named_and_not_shown(refused: Desk) -> None:
    accounts = accounts_of(refused)
    accounts["account_a"]["private_key"] = "0x123456789abc"
    written(refused, accounts)
    done = refused.command("up")
    assert done.returncode == 3
    assert "the private key of account_a (account A) is malformed" in done.stderr
    assert "123456789abc" not in done.stderr


def test_a_key_index_that_is_not_the_accounts(refused: Desk) -> None:
    accounts = accounts_of(refused)
    accounts["account_b"]["api_key_index"] = 9
    written(refused, accounts)
    done = refused.command("up", extra=keys_of(refused))
    assert done.returncode == 3
    assert "account B:" in done.stderr
    assert not any(key.removeprefix("0x") in done.stderr for key in keys_of(refused).values())


def test_the_same_account_twice(refused: Desk) -> None:
    accounts = accounts_of(refused)
    accounts["account_b"]["account_index"] = accounts["account_a"]["account_index"]
    written(refused, accounts)
    done = refused.command("up", extra=keys_of(refused))
    assert done.returncode == 3
    assert "account_a and account_b are the same account" in done.stderr


def test_a_port_that_is_taken(refused: Desk) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = refused.command("paper", "--port", str(port))
    assert done.returncode == 1
    assert f"port {port} on {HOST} is taken" in done.stderr


def test_no_redis(refused: Desk) -> None:
    port = free_port()
    refused.write_config(redis={"url": f"redis://:secret@{HOST}:{port}/0"})
    done = refused.start()
    assert done.returncode == 1
    assert f"{HOST}:{port}" in done.stderr
    assert "redis-server" in done.stderr
    assert "secret" not in done.stderr


def test_an_exchange_that_does_not_answer(refused: Desk) -> None:
    url = f"http://{HOST}:{free_port()}"
    refused.write_config(accounts=accounts_of(refused), venue={"network": "paper", "base_url": url})
    done = refused.command("up", extra=keys_of(refused))
    assert done.returncode == 1
    assert f"the exchange at {url} does not answer" in done.stderr


def test_positions_that_the_journals_do_not_explain(desk: Desk) -> None:
    desk.up()
    desk.quote()
    desk.paper.fill()
    desk.hedged(20)
    assert desk.command("down").returncode == 0
    for journal in (desk.root / "run").glob("journal_*"):
        os.unlink(journal)
    done = desk.start()
    assert done.returncode == 7, done.stderr
    assert "A has 0.00020 BTC, B has -0.00020 BTC" in done.stderr
    assert "up --adopt" in done.stderr
    assert "lighter-hedge clear" in done.stderr
    orders = len(desk.paper.truth().orders(0))
    desk.up("--adopt")
    desk.quote()
    desk.paper.fill()
    truth = desk.hedged(40)
    assert len(truth.orders(0)) > orders
    assert (truth.position(0), truth.position(1)) == (0, 0)

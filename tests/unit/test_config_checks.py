"""What follows from a network, and what a key must look like."""

import pytest

from lighter_hedge.config_checks import check_keys, complete_venue
from lighter_hedge.config_source import Item, Problem
from lighter_hedge.domain.states import Role


@pytest.mark.parametrize(
    ("network", "base_url", "chain_id"),
    [
        ("mainnet", "https://mainnet.zklighter.elliot.ai", "304"),
        ("testnet", "https://testnet.zklighter.elliot.ai", "300"),
    ],
)
def test_a_public_network_brings_its_address_and_chain(network: str, base_url: str, chain_id: str) -> None:
    layer = {"venue.network": Item(value=network, path="f", line=1)}
    problems: list[Problem] = []
    complete_venue(layer, problems)
    assert problems == []
    assert layer["venue.base_url"].value == base_url
    assert layer["venue.chain_id"].value == chain_id
    assert layer["venue.ws_url"].value == base_url.replace("https", "wss") + "/stream"


def test_an_address_names_its_network() -> None:
    layer = {"venue.base_url": Item(value="https://testnet.zklighter.elliot.ai/", path="f", line=1)}
    problems: list[Problem] = []
    complete_venue(layer, problems)
    assert layer["venue.network"].value == "testnet"
    assert problems == []


def test_keys_lose_their_prefix_and_an_empty_one_is_missing() -> None:
    layer = {
        "accounts.account_a.private_key": Item(value="0x" + "AB" * 40, path="f", line=1),
        "accounts.account_b.private_key": Item(value="", path="f", line=2),
    }
    problems: list[Problem] = []
    check_keys(layer, (Role.MAKER, Role.HEDGER), problems)
    assert layer["accounts.account_a.private_key"].value == "ab" * 40
    assert [problem.message for problem in problems] == ["account_b (account B) has no private key"]

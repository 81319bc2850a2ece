"""Checks and completions of settings that come before any typing: keys, networks, addresses."""

import re
from collections.abc import Collection
from pathlib import Path
from urllib.parse import urlsplit

from lighter_hedge.config_source import ACCOUNTS, KEY_VARIABLES, Item, Layer, Problem, readable_by_others
from lighter_hedge.domain.states import Role

MAINNET_URL = "https://mainnet.zklighter.elliot.ai"
TESTNET_URL = "https://testnet.zklighter.elliot.ai"
"""The venue's two addresses, from its SDK's endpoint profiles."""

NETWORKS: dict[str, tuple[str, int]] = {"mainnet": (MAINNET_URL, 304), "testnet": (TESTNET_URL, 300)}
"""Address and chain id of each public network, from the SDK's endpoint profiles."""

READ_LAG_SECONDS = {"paper": "1.0"}
READ_LAG_SECONDS_VENUE = "10"
"""How late a read may show what has executed: the venue's own lag is not documented, ten seconds is our bound."""

PRIVATE_KEY = re.compile(r"(0x)?[0-9a-fA-F]{80}")
"""A Lighter API private key: 40 bytes."""

SECRET_KEYS = frozenset({f"accounts.{name}.private_key" for name in ACCOUNTS})


def check_keys_in_yaml(path: Path | None, yaml: Layer, problems: list[Problem], warnings: list[str]) -> None:
    """A key in the YAML file is warned about, and refused where others can read the file."""
    held = [yaml[key] for key in sorted(SECRET_KEYS) if key in yaml and yaml[key].value]
    if not held or path is None:
        return
    if readable_by_others(path):
        problems.append(
            Problem(
                path=path.name,
                line=held[0].line,
                message="holds a private key and can be read by group or others",
                remedy=f"chmod 600 {path.name}, or move the key to {KEY_VARIABLES['account_a']} or a secret file",
            )
        )
        return
    safer = "a private key in the YAML file: environment or a secret file is safer"
    warnings.extend(f"{item.origin}  {safer}" for item in held)


def complete_venue(layer: Layer, problems: list[Problem]) -> None:
    """Fill in what follows from the network, or the network from the address."""
    base, network = layer.get("venue.base_url"), layer.get("venue.network")
    name = str(network.value) if network is not None else _network_of(str(base.value) if base else "")
    if name in NETWORKS:
        url, chain_id = NETWORKS[name]
        if base is not None and str(base.value).rstrip("/") != url:
            problems.append(
                Problem(
                    path=base.path,
                    line=base.line,
                    message=f"venue.base_url is not the address of {name}",
                    remedy=f"remove it, or remove venue.network; {name} is {url}",
                )
            )
        _default(layer, "venue.base_url", url, f"network {name}")
        _default(layer, "venue.chain_id", str(chain_id), f"network {name}")
    elif base is None:
        place = network or Item(value=None, path="venue")
        problems.append(
            Problem(
                path=place.path,
                line=place.line,
                message="venue.base_url is missing: the paper exchange has no fixed address",
                remedy="name it (http://127.0.0.1:8700), or start with --credentials FILE",
            )
        )
        _default(layer, "venue.base_url", "http://127.0.0.1:8700", "placeholder")
    _default(layer, "venue.network", name, "venue.base_url")
    address = str(layer["venue.base_url"].value).rstrip("/")
    _default(layer, "venue.ws_url", re.sub("^http", "ws", address) + "/stream", "venue.base_url")
    _default(layer, "read_lag_seconds", READ_LAG_SECONDS.get(name, READ_LAG_SECONDS_VENUE), f"network {name}")


def _default(layer: Layer, key: str, value: str, origin: str) -> None:
    layer.setdefault(key, Item(value=value, path=origin))


def _network_of(base_url: str) -> str:
    address = base_url.rstrip("/")
    for name, (url, _) in NETWORKS.items():
        if address == url:
            return name
    try:
        loopback = urlsplit(address).hostname in {"127.0.0.1", "localhost", "::1"}
    except ValueError:  # no address at all: its own check says so
        loopback = False
    return "paper" if loopback or not address else "custom"


def check_keys(layer: Layer, keys: Collection[Role], problems: list[Problem]) -> None:
    """Keys are well-formed, and there where they are needed; no part of one is ever shown."""
    for role, name in zip((Role.MAKER, Role.HEDGER), ACCOUNTS, strict=True):
        key = f"accounts.{name}.private_key"
        item = layer.get(key)
        if item is None or not item.value:
            layer.pop(key, None)
            if role in keys:
                problems.append(
                    Problem(
                        path=f"accounts.{name}",
                        line=None,
                        message=f"{name} (account {role.letter}) has no private key",
                        remedy=f"set {KEY_VARIABLES[name]}, or name a file in accounts.{name}.private_key_file",
                    )
                )
        elif PRIVATE_KEY.fullmatch(str(item.value).strip()) is None:
            problems.append(
                Problem(
                    path=item.path,
                    line=item.line,
                    message=f"the private key of {name} (account {role.letter}) is malformed",
                    remedy="an API key of Lighter has 80 hexadecimal digits; copy it again",
                )
            )
        else:
            text = str(item.value).strip().lower().removeprefix("0x")
            layer[key] = Item(value=text, path=item.path, line=item.line)

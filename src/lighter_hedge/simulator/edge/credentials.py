"""Accounts of a paper exchange and the file that hands their keys to a desk.

Private keys are made by the SDK, written only to files of mode 0600, and never logged.
"""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from lighter_hedge.simulator.core.accounts import Account, ApiKey
from lighter_hedge.simulator.edge.settings import PaperError, PaperSettings
from lighter_hedge.venue.lighter.sdk import load

API_KEY_INDEXES = (4, 5, 6)
SUB_ACCOUNT_START = 2**47
MASTER_ACCOUNT_START = 64
_L1_ADDRESSES = (
    "0x1111111111111111111111111111111111111111",
    "0x2222222222222222222222222222222222222222",
)

KeyMaker: TypeAlias = Callable[[], tuple[str, str]]
"""Makes ``(private_key, public_key)``, both 0x and 80 hex digits."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Secret:
    """The private key of one API key."""

    account_index: int
    api_key_index: int
    private_key: str


def sdk_key() -> tuple[str, str]:
    """A fresh key pair from the SDK.

    Raises:
        PaperError: the SDK could not make one.
    """
    lighter = load("lighter")
    private_key, public_key, error = lighter.create_api_key()
    if error is not None:
        raise PaperError(f"the SDK made no API key: {error}")
    return str(private_key), str(public_key)


def make_accounts(settings: PaperSettings, now_us: int, key_maker: KeyMaker) -> tuple[list[Account], list[Secret]]:
    """Fresh accounts with API keys 4, 5 and 6 each."""
    accounts: list[Account] = []
    secrets: list[Secret] = []
    shared = settings.wallets == "shared"
    for number, name in enumerate(settings.accounts, start=1):
        index = (SUB_ACCOUNT_START if shared else MASTER_ACCOUNT_START) + number
        account = Account(
            account_index=index,
            name=name,
            l1_address=_L1_ADDRESSES[0] if shared else _L1_ADDRESSES[(number - 1) % 2],
            tier=settings.tier,
            collateral=settings.collateral * 1_000_000,
            staked_lit=settings.staked_lit,
            account_type=1 if shared else 0,
            created_us=now_us,
        )
        for api_key_index in API_KEY_INDEXES:
            private_key, public_key = key_maker()
            account.keys[api_key_index] = ApiKey(api_key_index=api_key_index, public_key=public_key.removeprefix("0x"))
            secrets.append(Secret(account_index=index, api_key_index=api_key_index, private_key=private_key))
        accounts.append(account)
    return accounts, secrets


def credentials(base_url: str, chain_id: int, accounts: list[Account], secrets: list[Secret]) -> dict[str, Any]:
    """What the credentials file holds."""
    private = {(secret.account_index, secret.api_key_index): secret.private_key for secret in secrets}
    return {
        "base_url": base_url,
        "ws_url": base_url.replace("http://", "ws://", 1) + "/stream",
        "chain_id": chain_id,
        "accounts": [
            {
                "name": account.name,
                "account_index": account.account_index,
                "l1_address": account.l1_address,
                "collateral": str(account.collateral // 1_000_000),
                "api_keys": [
                    {
                        "api_key_index": index,
                        "private_key": private[account.account_index, index],
                        "public_key": "0x" + key.public_key,
                    }
                    for index, key in sorted(account.keys.items())
                ],
            }
            for account in accounts
        ],
    }


def write_private(path: Path, content: object) -> None:
    """Write JSON to a file that only its owner can read, all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def save_secrets(path: Path, secrets: list[Secret]) -> None:
    """Keep the private keys beside the exchange's state."""
    rows = [[secret.account_index, secret.api_key_index, secret.private_key] for secret in secrets]
    write_private(path, rows)


def load_secrets(path: Path) -> list[Secret]:
    """Private keys kept by ``save_secrets``."""
    return [
        Secret(account_index=account, api_key_index=key, private_key=private)
        for account, key, private in json.loads(path.read_text())
    ]

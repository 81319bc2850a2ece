"""``init``: a folder in which a desk can be started, by answers or by defaults."""

import asyncio
import json
import os
import socket
from pathlib import Path
from typing import Annotated, Any

import typer

from lighter_hedge.cli.common import guarded, note, result
from lighter_hedge.ops.exit_codes import ExitCode, OpsError

NETWORKS = ("paper", "testnet", "mainnet")
KEY_DIGITS = 80

FolderArgument = Annotated[Path, typer.Argument(help="Folder of the desk; made where it is missing.")]


@guarded
def init(
    folder: FolderArgument = Path(),
    defaults: Annotated[bool, typer.Option("--defaults", help="Ask nothing: a paper desk on BTC.")] = False,
    network: Annotated[str | None, typer.Option("--network", help="paper, testnet or mainnet.")] = None,
    market: Annotated[str | None, typer.Option("--market", help="Market, for example BTC.")] = None,
    quantity: Annotated[str | None, typer.Option("--quantity", help="Size of a quote in the base currency.")] = None,
) -> None:
    """Write config.yaml, and the two API keys into files of their own. Nothing is overwritten."""
    root = folder.absolute()
    if (root / "config.yaml").exists():
        raise OpsError(ExitCode.REFUSED, f"{root / 'config.yaml'} is there already", "name another folder, or edit it")
    network = network or ("paper" if defaults else _asked("Network (paper, testnet, mainnet)", "paper"))
    if network not in NETWORKS:
        raise OpsError(ExitCode.USAGE, f"there is no network {network}", f"use one of {', '.join(NETWORKS)}")
    if defaults and network != "paper":
        raise OpsError(ExitCode.USAGE, "a desk with real keys has no defaults", "run it without --defaults")
    market = market or ("BTC" if defaults else _asked("Market", "BTC"))
    quantity = quantity or ("0.0002" if defaults else _asked("Size of a quote, in the base currency", "0.0002"))
    root.mkdir(parents=True, exist_ok=True)
    accounts = asyncio.run(_paper(root)) if network == "paper" else [_account(letter) for letter in "AB"]
    _write(root, network, market, quantity, accounts)
    where = "" if root == Path.cwd() else f"cd {folder} && "
    note(f"written: {root / 'config.yaml'}, secrets/account_a, secrets/account_b")
    result(f"next: {where}lighter-hedge doctor && lighter-hedge up")


def _asked(question: str, default: str | None = None, *, hidden: bool = False) -> str:
    try:
        return str(typer.prompt(question, default=default, hide_input=hidden, err=True)).strip()
    except typer.Abort:
        raise OpsError(ExitCode.REFUSED, "nothing was written", "answer the questions, or use --defaults") from None


def _account(letter: str) -> dict[str, Any]:
    """One account of the person's own; the key is not shown as it is typed."""
    note(f"Account {letter}: {'rests the quotes' if letter == 'A' else 'hedges every fill of A'}.")
    index = _asked("  Account index")
    key_index = _asked("  API key index", "4")
    if not index.isdecimal() or not key_index.isdecimal():
        raise OpsError(ExitCode.USAGE, "an index is a whole number", "copy it from the exchange's page about API keys")
    key = _asked("  Private key of that API key", hidden=True).removeprefix("0x")
    if len(key) != KEY_DIGITS or any(digit not in "0123456789abcdefABCDEF" for digit in key):
        raise OpsError(
            ExitCode.CONFIGURATION, f"an API key of Lighter has {KEY_DIGITS} hexadecimal digits", "copy it again"
        )
    return {"name": letter.lower(), "account_index": int(index), "api_key_index": int(key_index), "private_key": key}


async def _paper(root: Path) -> list[dict[str, Any]]:
    """Accounts and keys of a paper exchange of this folder's own, which is started once to make them."""
    from lighter_hedge.ops.rehearsal import start_paper, stop_services

    note("making a paper exchange for this folder ...")
    await start_paper(root, _free_port())
    await stop_services(root)
    body = json.loads((root / "run" / "paper" / "credentials.json").read_text(encoding="utf-8"))
    return [
        {
            "name": account["name"],
            "account_index": account["account_index"],
            "api_key_index": account["api_keys"][0]["api_key_index"],
            "private_key": account["api_keys"][0]["private_key"],
            "base_url": body["base_url"],
        }
        for account in body["accounts"]
    ]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _write(root: Path, network: str, market: str, quantity: str, accounts: list[dict[str, Any]]) -> None:
    secrets = root / "secrets"
    secrets.mkdir(mode=0o700, exist_ok=True)
    for account in accounts:
        path = secrets / f"account_{account['name']}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{account['private_key'].removeprefix('0x')}\n")
    config = root / "config.yaml"
    descriptor = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(_text(network, market, quantity, accounts))


def _text(network: str, market: str, quantity: str, accounts: list[dict[str, Any]]) -> str:
    paper = network == "paper"
    redis_port = _free_port() if paper else 6379
    lines = [
        "# A desk of lighter-hedge. Every other setting has a default: docs/configuration.md.",
        "venue:",
        f"  network: {network}",
        *([f"  base_url: {accounts[0]['base_url']}"] if paper else []),
        "",
        "accounts:",
    ]
    for account in accounts:
        lines += [
            f"  account_{account['name']}:",
            f"    account_name: {account['name']}",
            f"    account_index: {account['account_index']}",
            f"    api_key_index: {account['api_key_index']}",
            f"    private_key_file: secrets/account_{account['name']}   # nobody else may read it",
        ]
    lines += [
        "",
        "redis:",
        f"  url: redis://127.0.0.1:{redis_port}/0",
        "",
        "desk:",
        f"  market: {json.dumps(market)}",
        f"  quantity: {json.dumps(quantity)}   # begin with the smallest size that the market takes",
        "  depth: 1",
        "  direction: long",
    ]
    if paper:
        lines += ["", "paper:", "  managed: true   # `up` starts the paper exchange and its Redis, `down` ends them"]
    return "\n".join(lines) + "\n"

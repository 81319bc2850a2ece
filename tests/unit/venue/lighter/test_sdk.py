import subprocess
import sys

DEEP = """
import json, msgspec
from lighter_hedge.venue.lighter.sdk import load
assert load("lighter.signer_client").SignerClient
for decode in (json.loads, msgspec.json.decode):
    try:
        decode("[" * 1_000_000)
    except (RecursionError, msgspec.DecodeError):
        print("refused")
"""

PARTS = """
import sys
from lighter_hedge.venue.lighter.sdk import load
client = load("lighter.signer_client")
models = [name for name in sys.modules if name.startswith("lighter.models.")]
assert 0 < len(models) < 40, models
assert "eth_account" not in sys.modules and "py_ecc" not in sys.modules
import lighter
from lighter import AccountApi, SignerClient
from lighter.models import Account, Trade
assert SignerClient is client.SignerClient is lighter.SignerClient
assert lighter.exceptions.ApiException is lighter.ApiException
assert Trade.__module__ == "lighter.models.trade"
for wrong in (lambda: lighter.nothing, lambda: lighter.models.Nothing):
    try:
        wrong()
    except AttributeError as error:
        print(error)
text = client.encode_defunct(text="a word")
key = "0x" + "11" * 32
assert client.Account.from_key(key).sign_message(text).signature
import eth_account
assert eth_account.Account.from_key(key).address == client.Account.from_key(key).address
"""


def run(script: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)


def test_deep_json_is_refused_after_the_sdk_was_imported_and_does_not_end_the_process() -> None:
    done = run(DEEP)
    assert (done.returncode, done.stdout.split()) == (0, ["refused", "refused"]), done.stderr


def test_parts_are_imported_when_they_are_asked_for_and_are_those_of_the_sdk() -> None:
    done = run(PARTS)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "module 'lighter' has no attribute 'nothing'",
        "module 'lighter.models' has no attribute 'Nothing'",
    ]

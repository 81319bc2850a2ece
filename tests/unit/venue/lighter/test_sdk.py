import subprocess
import sys

SCRIPT = """
import json, msgspec
from lighter_hedge.venue.lighter.sdk import load
assert load("lighter.signer_client").SignerClient
for decode in (json.loads, msgspec.json.decode):
    try:
        decode("[" * 1_000_000)
    except (RecursionError, msgspec.DecodeError):
        print("refused")
"""


def test_deep_json_is_refused_after_the_sdk_was_imported_and_does_not_end_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()) == (0, ["refused", "refused"]), done.stderr

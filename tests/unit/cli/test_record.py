"""``record``: what is wrong is said before anything is written; what is right is tested in ``tests/integration``."""

import socket
from pathlib import Path

from tests.unit.cli.conftest import Invoke


def test_a_wrong_address_and_an_existing_file_are_usage_errors(invoke: Invoke, tmp_path: Path) -> None:
    out = tmp_path / "tape.jsonl"
    shown = invoke("record", "--url", "wss://venue/stream", "--market", "BTC", "--out", str(out))
    assert (shown.exit_code, out.exists()) == (2, False)
    assert "give scheme and host alone" in shown.stderr
    out.write_text("precious")
    shown = invoke("record", "--url", "http://127.0.0.1:1", "--market", "BTC", "--out", str(out))
    assert (shown.exit_code, out.read_text()) == (2, "precious")
    assert "choose another name" in shown.stderr


def test_nobody_there_leaves_no_file(invoke: Invoke, tmp_path: Path) -> None:
    out = tmp_path / "tape.jsonl"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    shown = invoke("record", "--url", url, "--market", "BTC", "--out", str(out))
    assert (shown.exit_code, out.exists()) == (1, False)
    assert f"nothing answers at {url}" in shown.stderr


def test_a_folder_that_is_not_there_is_named(invoke: Invoke, tmp_path: Path) -> None:
    out = tmp_path / "none" / "tape.jsonl"
    shown = invoke("record", "--url", "http://127.0.0.1:1", "--market", "BTC", "--out", str(out))
    assert shown.exit_code == 1
    assert str(out) in shown.stderr

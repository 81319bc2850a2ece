"""``config check`` and ``config show``."""

import json
from pathlib import Path

from tests.unit.cli.conftest import Invoke


def test_a_good_file(folder: Path, invoke: Invoke) -> None:
    checked = invoke("config", "check")
    assert (checked.exit_code, checked.stdout) == (0, "config.yaml is good: desk a_b:BTC on paper\n")


def test_a_bad_file_is_named_with_its_line_and_never_a_traceback(folder: Path, invoke: Invoke) -> None:
    with (folder / "config.yaml").open("a") as file:
        file.write("desk: {depht: 1}\n")
    checked = invoke("config", "check")
    assert checked.exit_code == 3
    assert checked.stdout == ""
    assert "config.yaml:6  unknown key desk.depht: did you mean desk.depth?" in checked.stderr
    (problem,) = json.loads(invoke("config", "check", "--json").stdout)["problems"]
    assert (problem["path"], problem["line"]) == ("config.yaml", 6)


def test_a_missing_file(invoke: Invoke, tmp_path: Path) -> None:
    missing = invoke("config", "check", "--config", str(tmp_path / "none.yaml"))
    assert missing.exit_code == 3
    assert "cannot be read" in missing.stderr


def test_show_masks_secrets_and_tells_origins(folder: Path, invoke: Invoke) -> None:
    shown = invoke("config", "show")
    assert shown.exit_code == 0
    assert "secret" not in shown.stdout
    assert "a1a1" not in shown.stdout
    body = json.loads(invoke("config", "show", "--json").stdout)
    assert body["redis.url"] == {"value": "redis://:***@127.0.0.1:1/0", "origin": "config.yaml:2"}
    assert body["accounts.account_a.private_key"]["value"] == "********"
    assert body["desk.market"] == {"value": "BTC", "origin": "default"}


def test_the_schema_names_every_section(invoke: Invoke) -> None:
    schema = json.loads(invoke("config", "schema").stdout)
    assert {"accounts", "desk", "redis", "strategy"} <= set(schema["properties"])

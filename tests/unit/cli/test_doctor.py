import json
from pathlib import Path

from tests.unit.cli.conftest import Invoke


def test_a_bad_configuration_is_the_first_thing_told(folder: Path, invoke: Invoke) -> None:
    (folder / "config.yaml").write_text("desk: {quantitty: '1'}\n")
    done = invoke("doctor")
    assert done.exit_code == 1
    assert done.stdout.startswith("fail  config             config.yaml:1  unknown key desk.quantitty")


def test_rows_come_with_their_remedies_and_the_exit_code_is_the_health(folder: Path, invoke: Invoke) -> None:
    done = invoke("doctor")
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    index = next(index for index, line in enumerate(lines) if line.startswith("fail  redis"))
    assert lines[index + 1].strip().startswith("→ ")
    assert "failed" in lines[-1]
    assert "secret" not in done.output


def test_json_is_one_object(folder: Path, invoke: Invoke) -> None:
    done = invoke("doctor", "--json")
    body = json.loads(done.stdout)
    assert body["healthy"] is False
    assert {"check": "config", "health": "ok", "text": str(folder / "config.yaml"), "remedy": ""} in body["rows"]

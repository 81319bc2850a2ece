from pathlib import Path

from tests.unit.cli.conftest import Invoke
from tests.unit.processes.test_notifier import listener


def test_each_target_is_tried_and_named_without_its_secrets(folder: Path, invoke: Invoke) -> None:
    with listener() as (url, bodies), listener(500) as (broken, _):
        (folder / "targets").write_text(f"{url}\ncritical {broken}\n")
        (folder / "targets").chmod(0o600)
        with (folder / "config.yaml").open("a") as config:
            config.write("alerts: {targets_file: targets}\n")
        done = invoke("notify", "test")
        assert invoke("notify", "test", "--route", "daily").exit_code == 0
    assert (done.exit_code, len(bodies)) == (1, 2)
    assert done.stdout == "ok    json://…  critical,warning,info,daily\nfail  json://…  critical\n"
    assert "secret" not in done.output


def test_without_targets_the_remedy_is_named(folder: Path, invoke: Invoke) -> None:
    done = invoke("notify", "test")
    assert done.exit_code == 3
    assert "alerts.targets_file" in done.stderr
    assert invoke("notify", "test", "--route", "loud").exit_code == 2

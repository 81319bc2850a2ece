"""The service files are ones that systemd takes, and name what exists."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from lighter_hedge.config_source import KEY_VARIABLES
from lighter_hedge.ops.exit_codes import NOT_RESTARTED

UNITS = Path(__file__).parents[1] / "deploy" / "systemd"
INSTALLED = "/opt/lighter-hedge/.venv/bin/lighter-hedge"


def units() -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in UNITS.iterdir()}


def test_the_target_wants_what_there_is() -> None:
    wanted = re.findall(r"[\w-]+@?[\w-]*\.service", units()["lighter-hedge.target"])
    assert len(wanted) == 4
    assert {re.sub(r"@\w+", "@", name) for name in wanted} <= units().keys()


def test_a_is_started_after_b_and_so_stopped_before_it() -> None:
    assert "lighter-hedge-b.service" in re.findall(r"After=(.*)", units()["lighter-hedge-a.service"])[0]
    assert "lighter-hedge-a.service" not in units()["lighter-hedge-b.service"]


def test_what_a_restart_cannot_mend_is_not_restarted() -> None:
    codes = {str(int(code)) for code in NOT_RESTARTED if code}
    for name, text in units().items():
        if name.endswith(".service"):
            assert set(re.findall(r"RestartPreventExitStatus=(.*)", text)[0].split()) == codes


def test_each_side_gets_its_own_key_alone() -> None:
    for letter in "ab":
        text = units()[f"lighter-hedge-{letter}.service"]
        assert re.findall(r"LoadCredential=(\w+):", text) == [f"account_{letter}_private_key"]
        assert f"account_{letter}" in KEY_VARIABLES
    assert "Credential" not in units()["lighter-hedge-beside@.service"]


def test_systemd_takes_them(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze on this machine")
    for name, text in units().items():
        # The program is not installed there; what systemd says of a file that it cannot find is no fault of ours.
        (tmp_path / name).write_text(text.replace(INSTALLED, "/bin/true"))
    shutil.copy(tmp_path / "lighter-hedge-beside@.service", tmp_path / "lighter-hedge-beside@web.service")
    names = ["lighter-hedge-a.service", "lighter-hedge-b.service", "lighter-hedge-beside@web.service"]
    done = subprocess.run(
        [program, "verify", "--man=no", *(str(tmp_path / name) for name in names)], capture_output=True, text=True
    )
    said = [line for line in done.stderr.splitlines() if "lighter-hedge" in line and "file:///" not in line]
    assert (done.returncode, said) == (0, []), done.stderr

"""The command line as a whole."""

import subprocess
import sys

from tests.unit.cli.conftest import Invoke

from lighter_hedge import __version__

COMMANDS = (
    "demo",
    "up",
    "down",
    "status",
    "positions",
    "pause",
    "resume",
    "drain",
    "clear",
    "paper",
    "config",
    "version",
)


def test_every_command_stands_in_the_help_and_the_inner_ones_do_not(invoke: Invoke) -> None:
    shown = invoke("--help")
    assert shown.exit_code == 0
    words = shown.stdout.split()
    assert [name for name in COMMANDS if name not in words] == []
    assert "supervise" not in words


def test_the_version(invoke: Invoke) -> None:
    assert invoke("version").stdout == f"lighter-hedge {__version__}\n"
    assert invoke("version", "--json").stdout == f'{{"version": "{__version__}"}}\n'


def test_an_unknown_option_is_a_usage_error(invoke: Invoke) -> None:
    assert invoke("status", "--jsno").exit_code == 2
    assert invoke("nonsense").exit_code == 2


def test_help_imports_nothing_heavy() -> None:
    """The SDK alone takes seconds to import, and help is for someone who only wants to look."""
    code = (
        "import sys; from lighter_hedge.cli.main import app; app(['--help'], standalone_mode=False);"
        "print([m for m in ('lighter', 'pydantic', 'aiohttp', 'redis', 'rich') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines()[-1] == "[]"

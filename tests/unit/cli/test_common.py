"""Errors become one line and a code; choices are passed on to other processes."""

from pathlib import Path

import pytest
import typer

from lighter_hedge.cli.common import guarded, overrides_of, passed_on, settings_of
from lighter_hedge.ops.exit_codes import ExitCode, OpsError


def code_of(error: Exception) -> int:
    @guarded
    def command() -> None:
        raise error

    with pytest.raises(typer.Exit) as ended:
        command()
    return ended.value.exit_code


def test_an_expected_error_is_a_line_and_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(OpsError(ExitCode.REFUSED, "no", "say yes")) == 7
    assert capsys.readouterr().err == "error: no: say yes\n"
    group = ExceptionGroup("tasks", [ExceptionGroup("inner", [OpsError(ExitCode.TIMED_OUT, "late")])])
    assert code_of(group) == 6


def test_a_mistake_of_ours_keeps_its_traceback() -> None:
    @guarded
    def command() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        command()


def test_choices_are_passed_on_with_absolute_paths() -> None:
    arguments = passed_on(Path("c.yaml"), Path("k.json"), overrides_of(market="ETH", depth=2))
    assert arguments == [
        "--config", str(Path.cwd() / "c.yaml"), "--credentials", str(Path.cwd() / "k.json"),
        "--market", "ETH", "--depth", "2",
    ]  # fmt: skip


def test_credentials_alone_are_a_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    accounts = ",".join(
        f'{{"name": "{n}", "account_index": {i}, "api_keys": [{{"api_key_index": 4, "private_key": "{"ab" * 40}"}}]}}'
        for n, i in (("a", 1), ("b", 2))
    )
    file = tmp_path / "k.json"
    urls = '"base_url": "http://127.0.0.1:1", "ws_url": "ws://127.0.0.1:1/s"'
    file.write_text(f'{{{urls}, "chain_id": 304, "accounts": [{accounts}]}}')
    assert settings_of(Path("config.yaml"), credentials=file).root == tmp_path

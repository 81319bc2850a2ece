import json
from pathlib import Path

import pytest
from tests.unit.cli.conftest import Invoke

from lighter_hedge.config import Settings
from lighter_hedge.ops import page
from lighter_hedge.processes import web


def test_a_page_that_runs_is_named(folder: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    page.write_address(folder / "run", "http://127.0.0.1:8280")
    monkeypatch.setattr(page, "is_ours", lambda _: True)
    done = invoke("web")
    assert (done.exit_code, done.stdout) == (0, "http://127.0.0.1:8280\n")
    assert json.loads(invoke("web", "--json").stdout) == {"url": "http://127.0.0.1:8280"}


def test_where_none_runs_it_is_served_here(folder: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Settings] = []
    monkeypatch.setattr(web, "run_web", served.append)
    done = invoke("web")
    assert done.exit_code == 0
    assert "serving it here" in done.stderr
    assert [settings.root for settings in served] == [folder]

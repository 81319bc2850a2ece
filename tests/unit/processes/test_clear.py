"""``clear`` on a stopped desk refuses before it touches the exchange; what it does there is played end to end."""

from pathlib import Path

import pytest

from lighter_hedge.config import Settings, load
from lighter_hedge.domain.states import Role
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.processes import clear
from lighter_hedge.processes.journal import Journal
from lighter_hedge.venue.errors import VenueUnreachable

TEXT = """\
venue: {base_url: "http://127.0.0.1:8700"}
accounts:
  account_a: {account_name: a, account_index: 65, api_key_index: 4}
  account_b: {account_name: b, account_index: 66, api_key_index: 4}
"""


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "config.yaml"
    path.write_text(TEXT, encoding="utf-8")
    path.chmod(0o600)
    env = {f"LIGHTER_HEDGE_ACCOUNT_{one}_PRIVATE_KEY": "a1" * 40 for one in "AB"}
    return load(path, overrides={}, credentials=None, env=env)


def refused(settings: Settings) -> OpsError:
    with pytest.raises(OpsError) as caught:
        clear.clear_stopped(settings, (Role.MAKER,), lambda _: None, timeout_seconds=5)
    return caught.value


@pytest.mark.parametrize("role", list(Role))
def test_a_side_that_still_runs_refuses_it_whichever_account_is_cleared(
    told: Settings, role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        raise AssertionError("the exchange was touched")

    monkeypatch.setattr(clear, "connect_side", never)
    with Journal.open(told.journal_file(role), desk=told.desk_id, role=role, wall_ms=1):
        assert refused(told).code is ExitCode.REFUSED


def test_an_exchange_that_does_not_answer_is_named_and_the_locks_are_let_go(
    told: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(*_: object) -> None:
        raise VenueUnreachable("nothing answers")

    monkeypatch.setattr(clear, "connect_side", nobody)
    assert refused(told).code is ExitCode.FAILED
    assert refused(told).code is ExitCode.FAILED, "a second time too: nothing is locked any more"

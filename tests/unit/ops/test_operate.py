"""Commands to a desk: sent, then acknowledged by both; a refusal tells why."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from lighter_hedge.config import load
from lighter_hedge.domain.states import HedgerState, MakerState, Mode, OperatorCommand, Pause, Role
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.ops.operate import (
    ask,
    check_resumed,
    living_maker,
    living_sides,
    present_pause,
    resume_command,
    wall_ms,
)

PAUSE = Pause(id=7, reason="max_retries_exceeded", code="H3001", since_ms=1)
MAKER = MakerState(epoch=1, seq=1, at_ms=0, mode=Mode.RUNNING, pause=None, announce=None, fills=(), round=3, position=0)
HEDGER = HedgerState(
    epoch=1, seq=1, at_ms=0, armed=None, disarmed="", confirm=None, failed=None, pause_ask=None, fills=(),
    unresolved=0, tries=0, position=0,
)  # fmt: skip


class FakeStream:
    """A desk that acknowledges at once, as far as it is told to."""

    def __init__(self, answering: set[Role], maker: MakerState = MAKER) -> None:
        self.states: dict[Role, MakerState | HedgerState] = {Role.MAKER: maker, Role.HEDGER: HEDGER}
        self.answering = answering
        self.commands: list[OperatorCommand] = []

    async def last_state(self, role: Role) -> MakerState | HedgerState | None:
        return self.states.get(role)

    async def append_command(self, command: OperatorCommand) -> None:
        self.commands.append(command)
        for role in self.answering:
            self.states[role] = replace(self.states[role], acks=(command.id,))


COMMAND = OperatorCommand(id="id-1", verb="pause")


def test_a_command_is_done_when_both_have_acknowledged_it() -> None:
    told: list[str] = []
    stream = FakeStream({Role.MAKER, Role.HEDGER})
    state = asyncio.run(ask(stream, COMMAND, tell=told.append))
    assert state.acks == ("id-1",)
    assert told == ["pause: sent", "pause: acknowledged by A and B"]
    assert stream.commands == [COMMAND]


@pytest.mark.parametrize(("answering", "silent"), [({Role.MAKER}, "by B"), (set(), "by A and B")])
def test_who_stays_silent_is_named(answering: set[Role], silent: str) -> None:
    with pytest.raises(OpsError, match=f"not acknowledged {silent} within") as late:
        asyncio.run(ask(FakeStream(answering), COMMAND, timeout_seconds=0.01, tell=lambda _: None))
    assert late.value.code is ExitCode.TIMED_OUT
    assert "who is started again does not" in late.value.remedy


def test_resume_names_the_pause_that_stands() -> None:
    paused = replace(MAKER, pause=PAUSE)
    assert resume_command("x", paused, HEDGER, hedge_now=True) == OperatorCommand(
        id="x", verb="resume", pause_id=7, hedge_now=True
    )
    asked = replace(HEDGER, pause_ask=replace(PAUSE, id=9))
    assert present_pause(MAKER, asked) == asked.pause_ask
    assert present_pause(replace(MAKER, ended_asks=(9,)), asked) is None
    assert resume_command("x", MAKER, None, hedge_now=False).pause_id is None


def test_a_refused_resume_tells_the_numbers() -> None:
    with pytest.raises(OpsError, match=r"pause 7 stands: A \+ B is 20 lots") as refused:
        check_resumed(PAUSE, replace(MAKER, pause=PAUSE, waiting=("A + B is 20 lots",)))
    assert refused.value.code is ExitCode.REFUSED
    check_resumed(PAUSE, MAKER)
    check_resumed(None, replace(MAKER, pause=PAUSE))
    check_resumed(PAUSE, replace(MAKER, pause=replace(PAUSE, id=8)))


def test_a_desk_that_is_silent_for_long_is_not_running(tmp_path: Path) -> None:
    example = Path(__file__).parents[3] / "config" / "config.example.yaml"
    settings = load(example, overrides={}, credentials=None, env={}, keys=())
    with pytest.raises(OpsError, match="is not running") as gone:
        asyncio.run(living_maker(FakeStream(set()), settings))
    assert gone.value.code is ExitCode.NOT_RUNNING
    living = FakeStream(set(), replace(MAKER, at_ms=wall_ms()))
    assert asyncio.run(living_maker(living, settings)) is living.states[Role.MAKER]


def test_a_side_that_has_ended_here_is_not_running_however_fresh_its_last_words_are(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text((Path(__file__).parents[3] / "config" / "config.example.yaml").read_text())
    settings = load(config, overrides={}, credentials=None, env={}, keys=())
    fresh = FakeStream(set(), replace(MAKER, at_ms=wall_ms()))
    assert asyncio.run(living_maker(fresh, settings)).epoch == 1
    settings.run_dir.mkdir()
    (settings.run_dir / "journal_A.sqlite.lock").write_text("")
    with pytest.raises(OpsError, match="is not running: start it: lighter-hedge up"):
        asyncio.run(living_maker(fresh, settings))
    fresh.states[Role.HEDGER] = replace(HEDGER, at_ms=wall_ms())
    with pytest.raises(OpsError, match="account B is: to start anew: lighter-hedge down, then lighter-hedge up"):
        asyncio.run(living_maker(fresh, settings))
    assert asyncio.run(living_sides(fresh, settings)) == {Role.HEDGER}

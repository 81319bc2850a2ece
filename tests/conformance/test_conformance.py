"""Every numbered case against the paper exchange."""

import asyncio
from collections.abc import Iterator

import pytest
from tests.conformance.__main__ import play_all, played
from tests.conformance.cases import CASES, Case
from tests.conformance.session import session
from tests.integration.paper_client import Paper, fault


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paper]:
    running = Paper(tmp_path_factory.mktemp("paper"))
    yield running
    running.kill()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.number}-{case.play.__name__}")
def test_case(case: Case, paper: Paper) -> None:
    async def play() -> None:
        first = 1_000_000 + 1_000 * int(case.number[1:])
        async with session(paper.credentials, symbol="BTC", quiet=True, first_coid=first) as venue:
            await played(case, venue)

    asyncio.run(play())


def test_a_case_that_does_not_hold_is_told(paper: Paper, capsys: pytest.CaptureFixture[str]) -> None:
    async def play() -> int:
        await fault(paper, kind="reject", account="a", code=21600)
        return await play_all(CASES[:2], paper.credentials, "BTC", pause=0.0)

    assert asyncio.run(play()) == 1
    said = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in said] == ["C001", "C002"]
    assert "DOES NOT HOLD: " in said[0]
    assert said[1].endswith("holds")


def test_numbers_are_given_once_and_in_order() -> None:
    numbers = [case.number for case in CASES]
    assert numbers == sorted(set(numbers))
    assert all(case.words.endswith(".") for case in CASES)

import asyncio
import sys
from pathlib import Path

import pytest

from lighter_hedge.ops import rehearsal
from lighter_hedge.ops.exit_codes import OpsError
from lighter_hedge.ops.pids import pid_file, write_pid
from lighter_hedge.ops.redis_server import Kind, Program, RedisFacts, RedisNotFound, RedisUnreachable
from lighter_hedge.ops.rehearsal import paper_arguments, start_paper, start_redis, stop_services

URL = "redis://127.0.0.1:1/0"


def nothing_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    async def probe(url: str) -> RedisFacts:
        raise RedisUnreachable(url)

    monkeypatch.setattr(rehearsal, "probe", probe)


def test_the_exchange_keeps_itself_beside_the_desk(tmp_path: Path) -> None:
    arguments = paper_arguments(tmp_path, 8700)
    assert arguments[:3] == ["paper", "--port", "8700"]
    assert arguments[-3:] == [
        str(tmp_path / "run/paper"),
        "--credentials",
        str(tmp_path / "run/paper/credentials.json"),
    ]


def test_an_exchange_that_ends_is_told_with_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = "import sys; print('port 8700 is taken', file=sys.stderr)"
    monkeypatch.setattr(rehearsal, "paper_arguments", lambda *_: [])
    monkeypatch.setattr(rehearsal, "sys", type("", (), {"executable": sys.executable}))
    detached = rehearsal._detached
    monkeypatch.setattr(rehearsal, "_detached", lambda _, *rest: detached((sys.executable, "-c", script), *rest))
    with pytest.raises(OpsError, match="port 8700 is taken"):
        asyncio.run(start_paper(tmp_path, 8700))
    assert not pid_file(tmp_path, "paper").exists()


def test_a_redis_that_answers_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def probe(url: str) -> RedisFacts:
        return RedisFacts(place=url, version="7.2", appendonly=True, noeviction=True)

    monkeypatch.setattr(rehearsal, "probe", probe)
    asyncio.run(start_redis(tmp_path, URL))
    assert not pid_file(tmp_path, "redis").exists()


def test_without_any_redis_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Program:
        raise RedisNotFound("no redis-server: install one")

    nothing_answers(monkeypatch)
    monkeypatch.setattr(rehearsal, "find_program", none)
    with pytest.raises(OpsError, match="install one"):
        asyncio.run(start_redis(tmp_path, URL))


def test_a_redis_that_ends_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing_answers(monkeypatch)
    program = Program(kind=Kind.PATH, path=Path("/bin/false"), version="7.2")
    monkeypatch.setattr(rehearsal, "find_program", lambda: program)
    with pytest.raises(OpsError, match="did not start"):
        asyncio.run(start_redis(tmp_path, URL))


def test_nothing_is_ended_that_is_not_ours(tmp_path: Path) -> None:
    write_pid(tmp_path, "paper", 1)
    write_pid(tmp_path, "redis", 1)
    asyncio.run(stop_services(tmp_path))
    assert not pid_file(tmp_path, "paper").exists()
    assert not pid_file(tmp_path, "redis").exists()

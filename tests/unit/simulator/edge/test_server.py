import asyncio
import itertools
import json
import socket
import stat
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from tests.unit.simulator.paper_edge import run
from tests.unit.simulator.paper_world import BID, START_US, book_change

from lighter_hedge.simulator.edge.server import PaperError, PaperSettings, build, loopback_only, serve
from lighter_hedge.simulator.edge.store import Store

_NUMBERS = itertools.count(1)


def fake_key() -> tuple[str, str]:
    number = next(_NUMBERS)
    return f"0x{number:080x}", f"0x{number + 10**6:080x}"


async def served(settings: PaperSettings) -> dict[str, Any]:
    """Start an exchange, ask what it runs on, end it."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(serve(settings, ready=ready.set_result, key_maker=fake_key, traffic=iter(())))
        url = await ready
        async with aiohttp.ClientSession() as session, session.get(url + "/paper/info") as answer:
            info: dict[str, Any] = await answer.json()
        task.cancel()
    return info


def test_it_serves_until_cancelled_and_hands_out_credentials(tmp_path: Path) -> None:
    async def test() -> None:
        path = tmp_path / "desk" / "credentials.json"
        info = await served(PaperSettings(traffic="none", seed=7, credentials=path, wallets="separate"))
        assert (info["seed"], info["tier"], info["chain_id"]) == (7, "standard", 304)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        content = json.loads(path.read_text())
        first, second = content["accounts"]
        assert first["l1_address"] != second["l1_address"]
        assert max(first["account_index"], second["account_index"]) < 2**47
        assert content["ws_url"] == content["base_url"].replace("http", "ws") + "/stream"

    run(test)


def test_clients_are_told_of_the_end_and_closed_with_1001() -> None:
    async def test() -> None:
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        settings = PaperSettings(traffic="none", shutdown_ms=30)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(serve(settings, ready=ready.set_result, key_maker=fake_key, traffic=iter(())))
            url = await ready
            async with aiohttp.ClientSession() as session, session.ws_connect(url + "/stream") as socket:
                assert (await socket.receive_json())["type"] == "connected"
                task.cancel()
                assert await socket.receive_json() == {"type": "shutdown", "close_in_ms": 30}
                assert (await socket.receive()).data == 1001

    run(test)


def test_a_second_start_from_the_same_state_keeps_the_keys(tmp_path: Path) -> None:
    async def test() -> None:
        path = tmp_path / "credentials.json"
        settings = PaperSettings(traffic="none", state_dir=tmp_path / "state", credentials=path)
        await served(settings)
        first = json.loads(path.read_text())["accounts"]
        await served(settings)
        assert json.loads(path.read_text())["accounts"] == first
        assert stat.S_IMODE((tmp_path / "state" / "keys.json").stat().st_mode) == 0o600

    run(test)


def test_a_state_directory_in_use_is_named(tmp_path: Path) -> None:
    async def test() -> None:
        store = Store(tmp_path)
        with pytest.raises(PaperError, match="in use"):
            await serve(PaperSettings(traffic="none", state_dir=tmp_path), key_maker=fake_key)
        store.close()

    run(test)


def test_the_traffic_is_the_one_of_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A tape that cannot be played is an error of the start, in one line."""

    class TapeError(Exception):
        pass

    def tape(path: Path, markets: object) -> object:
        raise TapeError(f"{path.name} is no tape")

    part = ModuleType("traffic")
    part.__dict__.update(
        TapeError=TapeError, tape=tape, synthetic=lambda seed, _: iter([(0, book_change((BID, seed, 3)))])
    )
    monkeypatch.setitem(sys.modules, "lighter_hedge.simulator.traffic", part)

    async def test() -> None:
        with pytest.raises(PaperError, match="x is no tape"):
            await serve(PaperSettings(traffic="tape", tape=tmp_path / "x"), key_maker=fake_key)
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        async with asyncio.TaskGroup() as group:
            settings = PaperSettings(seed=77)
            task = group.create_task(serve(settings, ready=ready.set_result, key_maker=fake_key))
            path = "/api/v1/orderBookOrders?market_id=1&limit=1"
            async with aiohttp.ClientSession() as session, session.get(await ready + path) as answer:
                assert [row["price"] for row in (await answer.json())["bids"]] == ["7.7"]
            task.cancel()

    run(test)


def test_a_venue_that_cannot_be_mirrored_is_named() -> None:
    """At the start; later a lost venue is tried again for ever."""

    async def test() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        for live, why in ((url, f"nothing answers at {url}"), ("wss://venue/stream", "give scheme and host alone")):
            with pytest.raises(PaperError, match=why):
                await serve(PaperSettings(traffic="live", live=live), key_maker=fake_key)

    run(test)


def test_a_taken_port_is_named() -> None:
    async def test() -> None:
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        settings = PaperSettings(traffic="none")
        async with asyncio.TaskGroup() as group:
            task = group.create_task(serve(settings, ready=ready.set_result, key_maker=fake_key))
            port = int((await ready).rsplit(":", 1)[1])
            with pytest.raises(PaperError, match=f"port {port} .* is taken"):
                await serve(PaperSettings(traffic="none", port=port), key_maker=fake_key)
            task.cancel()

    run(test)


def test_other_machines_see_no_paper_api() -> None:
    async def test() -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            return web.Response()

        here = make_mocked_request("GET", "/paper/truth").clone(remote="127.0.0.1")
        assert (await loopback_only(here, answer)).status == 200
        for remote in ("10.0.0.7", "2001:db8::1"):
            with pytest.raises(web.HTTPNotFound):
                await loopback_only(here.clone(remote=remote), answer)
            await loopback_only(make_mocked_request("GET", "/api/v1/tx").clone(remote=remote), answer)

    run(test)


def test_planned_and_drawn_faults_are_armed_in_their_time(tmp_path: Path) -> None:
    async def test() -> None:
        plan = tmp_path / "plan.yaml"
        plan.write_text("faults: [{at_seconds: 0, kind: halted}, {at_seconds: 1000, kind: lose_answer}]")
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        settings = PaperSettings(traffic="none", faults=plan, fault_seed=3)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(serve(settings, ready=ready.set_result, key_maker=fake_key))
            url = await ready
            async with aiohttp.ClientSession() as session:
                async with session.get(url + "/paper/faults") as answer:
                    assert [row["kind"] for row in (await answer.json())["faults"]] == ["halted"]
                async with session.get(url + "/paper/info") as answer:
                    info = await answer.json()
                    assert (info["faults"], info["fault_seed"]) == ("plan.yaml", 3)
            task.cancel()

    run(test)


def test_a_bad_plan_of_faults_is_an_error_of_the_start(tmp_path: Path) -> None:
    async def test() -> None:
        plan = tmp_path / "plan.yaml"
        plan.write_text("faults: [{at_seconds: 0, kind: storm}]")
        with pytest.raises(PaperError, match=r"plan.yaml: entry 1 \(storm\): kind 'storm' is unknown: use one of"):
            await serve(PaperSettings(traffic="none", faults=plan), key_maker=fake_key)

    run(test)


def test_the_dice_have_the_seed_of_the_faults_or_else_of_the_market() -> None:
    for settings, seed in ((PaperSettings(seed=5), 5), (PaperSettings(seed=5, fault_seed=0), 0)):
        exchange, _ = build(settings, None, 0, fake_key)
        assert exchange.settings.fault_seed == seed


def test_a_halted_market_and_its_funding_survive_a_restart(tmp_path: Path) -> None:
    settings = PaperSettings(traffic="none", state_dir=tmp_path)
    store = Store(tmp_path)
    exchange, _ = build(settings, store, START_US, fake_key)
    exchange.set_market(1, halted=True)
    exchange.advance(START_US)
    exchange.advance(START_US + 3_600_000_000)
    store.save(exchange.state.collect_changes())
    again, _ = build(settings, store, START_US + 3_600_000_000, fake_key)
    assert again.state.market_states[1].halted
    assert [*again.state.fundings[1]] == [*exchange.state.fundings[1]]
    assert len(again.state.fundings[1]) == 1
    store.close()

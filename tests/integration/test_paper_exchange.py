"""The SDK's own SignerClient, and raw sockets, against a paper exchange in another process."""

import asyncio
import contextlib
import json
import os
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import lighter
import pytest
from tests.integration.paper_process import MID

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("LIGHTER_HEDGE_DATA", ROOT / "../shared/data"))
LOCAL = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}


class Paper:
    """A running paper exchange."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.credentials_file = directory / "credentials.json"
        self.settings = {"traffic": "none", "credentials": str(self.credentials_file), **settings}
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.paper_process", json.dumps(self.settings)],
            cwd=ROOT,
            env={**os.environ, **LOCAL},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url, "the exchange did not start"
        self.credentials = json.loads(self.credentials_file.read_text())
        self.accounts = [account["account_index"] for account in self.credentials["accounts"]]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    @contextlib.asynccontextmanager
    async def clients(self, *keys: int) -> Any:
        """SignerClients of both accounts, with the given keys."""
        made = [
            lighter.SignerClient(
                self.url,
                account["account_index"],
                {
                    key["api_key_index"]: key["private_key"]
                    for key in account["api_keys"]
                    if key["api_key_index"] in keys
                },
            )
            for account in self.credentials["accounts"]
        ]
        try:
            yield made
        finally:
            for client in made:
                await client.close()


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paper]:
    running = Paper(tmp_path_factory.mktemp("paper"))
    yield running
    running.kill()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in LOCAL.items():
        monkeypatch.setenv(name, value)


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(30):
            await test()

    asyncio.run(limited())


async def truth(paper: Paper) -> list[dict[str, Any]]:
    return list((await fetched(paper, "/paper/truth"))["accounts"])


async def fetched(paper: Paper, path: str) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.get(paper.url + path) as response:
        body: dict[str, Any] = await response.json()
        return body


async def fault(paper: Paper, **request: Any) -> int:
    async with (
        aiohttp.ClientSession() as session,
        session.post(paper.url + "/paper/faults", json=request) as answer,
    ):
        assert answer.status == 200, await answer.text()
        return int((await answer.json())["id"])


def token(client: Any) -> str:
    made, error = client.create_auth_token_with_expiry(600, api_key_index=4)
    assert error is None
    return str(made)


class Listener:
    """A socket that keeps every frame, by type."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.frames: list[dict[str, Any]] = []

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            frame: dict[str, Any] = await self.socket.receive_json()
            self.frames.append(frame)
            if wanted(frame):
                return frame

    async def of_type(self, name: str) -> dict[str, Any]:
        return await self.until(lambda frame: frame.get("type") == name)

    async def ask(self, **message: Any) -> None:
        await self.socket.send_json(message)

    async def subscribed(self, channel: str, auth: str | None = None) -> dict[str, Any]:
        await self.ask(type="subscribe", channel=channel, **({} if auth is None else {"auth": auth}))
        return await self.of_type("subscribed/" + channel.split("/")[0])


@contextlib.asynccontextmanager
async def listening(paper: Paper) -> Any:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(paper.credentials["ws_url"]) as socket,
    ):
        yield Listener(socket)


def filled(index: int) -> Callable[[dict[str, Any]], bool]:
    def is_it(frame: dict[str, Any]) -> bool:
        rows = [row for rows in frame.get("orders", {}).values() for row in rows]
        return any(row["client_order_index"] == index and row["status"] == "filled" for row in rows)

    return is_it


def order_state(index: int, status: str) -> Callable[[dict[str, Any]], bool]:
    def is_it(frame: dict[str, Any]) -> bool:
        rows = [row for rows in frame.get("orders", {}).values() for row in rows]
        return any(row["client_order_index"] == index and row["status"] == status for row in rows)

    return is_it


def test_the_credentials_file_is_private_and_the_sdk_accepts_its_keys(paper: Paper) -> None:
    assert stat.S_IMODE(paper.credentials_file.stat().st_mode) == 0o600
    assert [len(account["api_keys"]) for account in paper.credentials["accounts"]] == [3, 3]
    assert all(index >= 2**47 for index in paper.accounts)

    async def test() -> None:
        async with paper.clients(4, 5, 6) as clients:
            for client in clients:
                assert await asyncio.to_thread(client.check_client) is None

    run(test)


def test_quote_and_hedge_through_the_sdk(paper: Paper) -> None:
    """A rests, B sells into it by nonce manager; the drop copy of A tells all of it."""

    async def test() -> None:
        async with paper.clients(4) as (a, b), listening(paper) as ears:
            await ears.subscribed(f"account_all/{a.account_index}")
            await ears.subscribed(f"account_all_orders/{a.account_index}", token(a))
            _, answer, error = await a.create_order(1, 1001, 20, MID, False, 0, 2)
            assert (error, answer.code, len(answer.tx_hash)) == (None, 200, 80)
            await ears.until(order_state(1001, "open"))
            _, answer, error = await b.create_market_order(1, 1002, 20, MID - 10, True)
            assert (error, answer.code) == (None, 200)
            await ears.until(filled(1001))
            trades = await ears.until(lambda frame: bool(frame.get("trades")))
            row = trades["trades"]["1"][0]
            assert (row["bid_client_id"], row["ask_client_id"]) == (1001, 1002)
            positions = await ears.until(lambda frame: bool(frame.get("positions")))
            assert positions["positions"]["1"]["position"] == "0.00020"
            assert [account["position_lots"] for account in await truth(paper)] == [{"BTC": 20}, {"BTC": -20}]
            transaction = await lighter.TransactionApi(a.api_client).tx(by="hash", value=answer.tx_hash)
            assert transaction.status == 2

    run(test)


def test_explicit_nonces_and_a_replayed_or_gapped_one(paper: Paper) -> None:
    async def test() -> None:
        async with paper.clients(5) as (a, _):
            api = lighter.TransactionApi(a.api_client)

            async def next_nonce() -> int:
                return int((await api.next_nonce(account_index=a.account_index, api_key_index=5)).nonce)

            start = await next_nonce()

            async def send(nonce: int) -> str | None:
                sent = await a.create_order(1, 0, 20, MID - 5, False, 0, 2, nonce=nonce, api_key_index=5)
                return None if sent[2] is None else str(sent[2])

            assert await send(start) is None
            for wrong in (start, start + 2):
                assert "21104" in (await send(wrong) or "")
                assert await next_nonce() == start + 1
            assert await send(start + 1) is None

    run(test)


def test_cancel_by_client_index_modify_and_cancel_all(paper: Paper) -> None:
    async def test() -> None:
        async with paper.clients(4) as (a, _), listening(paper) as ears:
            await ears.subscribed(f"account_all_orders/{a.account_index}", token(a))
            for index in (2001, 2002, 2003):
                _, _, error = await a.create_order(1, index, 20, MID - 5, False, 0, 2)
                assert error is None
                await ears.until(order_state(index, "open"))
            assert (await a.cancel_order(1, 2001))[2] is None
            await ears.until(order_state(2001, "canceled"))
            assert (await a.modify_order(1, 2002, 30, MID - 6))[2] is None
            changed = await ears.until(order_state(2002, "open"))
            row = changed["orders"]["1"][0]
            assert (row["initial_base_amount"], row["price"]) == ("0.00030", "99999.4")
            assert (await a.cancel_all_orders(0, 0))[2] is None
            gone = await ears.until(order_state(2003, "canceled"))
            assert {row["status"] for row in gone["orders"]["1"]} == {"canceled"}
            assert len(gone["orders"]["1"]) >= 2

    run(test)


def test_sending_over_the_socket(paper: Paper) -> None:
    """Reply of the same type with id, code and hash; a wrong nonce is told with its code."""

    async def test() -> None:
        async with paper.clients(6) as (a, _), listening(paper) as ears:
            signed = [
                a.sign_create_order(1, index, 20, MID - 5, False, 0, 2, nonce=nonce, api_key_index=6)
                for nonce, index in enumerate((3001, 3002, 3003))
            ]
            texts = [text for _, text, _, _ in signed]
            data = {"id": "x1", "tx_type": 14, "tx_info": json.loads(texts[0])}
            await ears.ask(type="jsonapi/sendtx", data=data)
            reply = await ears.of_type("jsonapi/sendtx")
            assert (reply["id"], reply["code"], len(reply["tx_hash"])) == ("x1", 200, 80)
            await ears.ask(type="jsonapi/sendtx", data=data)
            assert (await ears.of_type("jsonapi/sendtx"))["code"] == 21104
            batch = {"id": "x2", "tx_types": "[14,14]", "tx_infos": json.dumps(texts[1:])}
            await ears.ask(type="jsonapi/sendtxbatch", data=batch)
            reply = await ears.of_type("jsonapi/sendtxbatch")
            assert (reply["code"], len(reply["tx_hash"])) == (200, 2)

    run(test)


def test_a_lost_answer_breaks_the_connection_but_executes(paper: Paper) -> None:
    async def test() -> None:
        async with paper.clients(4) as (a, _):
            await fault(paper, kind="lose_answer", account="a")
            with pytest.raises(aiohttp.ClientError):
                await a.create_order(1, 4001, 20, MID - 5, False, 0, 2)
            orders = (await truth(paper))[0]["orders"]
            assert orders[-1]["client_order_index"] == 4001
            async with a.nonce_manager.lock(4):
                await a.nonce_manager.async_hard_refresh_nonce(4)
            assert (await a.cancel_order(1, 4001))[2] is None

    run(test)


def test_faults_of_reads_sockets_and_keys(paper: Paper) -> None:
    async def test() -> None:
        path = f"/api/v1/account?by=index&value={paper.accounts[0]}"
        await fault(paper, kind="account_error", account="a", count=1)
        assert (await fetched(paper, path))["code"] == 29500
        assert (await fetched(paper, path))["code"] == 200
        async with paper.clients(4) as (a, _), listening(paper) as ears:
            await fault(paper, kind="key_revoked", account="a", count=1000, seconds=1000)
            _, _, error = await a.cancel_order(1, 1)
            assert "21109" in error
            faults = (await fetched(paper, "/paper/faults"))["faults"]
            async with aiohttp.ClientSession() as session:
                for row in faults:
                    async with session.delete(f"{paper.url}/paper/faults/{row['id']}") as answer:
                        assert answer.status == 200
            assert (await a.cancel_order(1, 1))[2] is None
            await ears.subscribed(f"account_all/{a.account_index}")
            await fault(paper, kind="disconnect", account="a")
            message = await ears.socket.receive()
            assert message.type in (
                aiohttp.WSMsgType.CLOSED,
                aiohttp.WSMsgType.ERROR,
                aiohttp.WSMsgType.CLOSE,
            )

    run(test)


def test_a_standard_wallet_is_limited_to_sixty_a_minute(tmp_path: Path) -> None:
    """Both sub-accounts share the minute; the SDK raises on the answer 429."""
    paper = Paper(tmp_path, tier="standard")

    async def test() -> None:
        async with aiohttp.ClientSession() as session:
            codes = []
            for number in range(61):
                info = json.dumps({"AccountIndex": paper.accounts[number % 2]})
                form = {"tx_type": "15", "tx_info": info}
                async with session.post(paper.url + "/api/v1/sendTx", data=form) as answer:
                    codes.append((answer.status, (await answer.json())["code"]))
        assert {status for status, _ in codes[:60]} == {400}
        assert codes[60] == (429, 23000)
        async with paper.clients(4) as (a, _):
            with pytest.raises(lighter.exceptions.ApiException) as caught:
                await a.create_order(1, 1, 20, MID - 5, False, 0, 2)
            assert caught.value.status == 429

    try:
        run(test)
    finally:
        paper.kill()


def test_truth_counts_the_requests_of_each_account(paper: Paper) -> None:
    async def test() -> None:
        before = [account["requests"] for account in await truth(paper)]
        b = paper.accounts[1]
        await fetched(paper, f"/api/v1/account?by=index&value={b}")
        await fetched(paper, f"/api/v1/nextNonce?account_index={b}&api_key_index=4")
        await fetched(paper, "/api/v1/orderBooks")
        async with aiohttp.ClientSession() as session:
            info = json.dumps({"AccountIndex": b})
            await session.post(f"{paper.url}/api/v1/sendTx", data={"tx_type": "14", "tx_info": info})
        after = [account["requests"] for account in await truth(paper)]
        assert after[0] == before[0]
        assert after[1] == {"tx": before[1]["tx"] + 1, "read": before[1]["read"] + 2}

    run(test)


def test_a_killed_exchange_comes_back_with_orders_nonces_and_positions(tmp_path: Path) -> None:
    paper = Paper(tmp_path, state_dir=str(tmp_path / "state"))

    async def before() -> list[dict[str, Any]]:
        async with paper.clients(4) as (a, _):
            assert (await a.create_order(1, 1, 20, MID - 5, False, 0, 2))[2] is None
            assert (await a.create_market_order(1, 2, 30, MID + 10, False))[2] is None
        return [one | {"requests": None} for one in await truth(paper)]

    async def after(known: list[dict[str, Any]]) -> None:
        assert [one | {"requests": None} for one in await truth(paper)] == known
        async with paper.clients(4) as (a, _):
            assert await asyncio.to_thread(a.check_client) is None
            assert (await a.cancel_order(1, 1))[2] is None
        assert (await truth(paper))[0]["orders"][0]["status"] == "canceled"

    try:
        known = asyncio.run(before())
        keys = paper.credentials
        paper.kill()
        paper.start()
        assert paper.credentials["accounts"] == keys["accounts"]
        asyncio.run(after(known))
    finally:
        paper.kill()


OPTIONAL = {
    "taker_fee",
    "maker_fee",
    "taker_position_sign_changed",
    "maker_position_sign_changed",
    "ask_account_pnl",
    "bid_account_pnl",
    "open_interest",
}
"""Left out where zero or false."""
NEWER = {
    "trade_id_str",
    "ask_id_str",
    "bid_id_str",
    "ask_client_id",
    "ask_client_id_str",
    "bid_client_id",
    "bid_client_id_str",
    "transaction_time",
    "api_key_index",
    "integrator_fee_collector_index",
    "integrator_taker_fee",
    "integrator_maker_fee",
    "order_flags",
    "account_trading_mode",
    "assets",
    "timestamp",
    "margin_set_flag",
}
"""In frames of 2026 that frames of 2025 do not have."""
MAPS = {"orders", "trades", "positions", "market_stats", "funding_histories"}


def shape(value: Any, *, of_map: bool = False) -> Any:
    """Key set and types of a frame: list and map entries by their first."""
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if isinstance(value, dict):
        if of_map and value and all(key.isdigit() for key in value):
            return {"*": shape(next(iter(value.values())))}
        return {key: shape(item, of_map=key in MAPS) for key, item in value.items()}
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def differences(ours: Any, captured: Any, path: str = "") -> list[str]:
    """Where our shape is not that of the captured frame; empty containers match anything."""
    if isinstance(ours, dict) and isinstance(captured, dict):
        if not ours or not captured:
            return []
        missing = captured.keys() - ours.keys() - OPTIONAL
        added = ours.keys() - captured.keys() - OPTIONAL - NEWER
        found = [f"{path}.{key} missing" for key in missing] + [f"{path}.{key} added" for key in added]
        for key in ours.keys() & captured.keys():
            found += differences(ours[key], captured[key], f"{path}.{key}")
        return found
    if isinstance(ours, list) and isinstance(captured, list):
        return differences(ours[0], captured[0], path + "[]") if ours and captured else []
    return [] if ours == captured else [f"{path}: {ours} is not {captured}"]


def newest(frames: list[dict[str, Any]], wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    return next(frame for frame in reversed(frames) if wanted(frame))


async def told(paper: Paper) -> list[dict[str, Any]]:
    """Every kind of frame: a round of A and B, and what a socket can be answered."""
    async with paper.clients(4) as (a, b), listening(paper) as ears:
        index, auth = a.account_index, token(a)
        await ears.of_type("connected")
        first = (await a.create_order(1, 9001, 20, MID - 5, False, 0, 2))[2]
        assert first is None
        for channel in (
            "order_book/1",
            "ticker/1",
            "trade/1",
            "market_stats/1",
            "market_stats/all",
            "height",
        ):
            await ears.subscribed(channel)
        for name in ("orders", "trades", "positions"):
            await ears.subscribed(f"account_all_{name}/{index}", auth)
        for name in ("account_tx", "account_all", "user_stats"):
            await ears.subscribed(f"{name}/{index}", auth)
        assert (await a.cancel_order(1, 9001))[2] is None
        await ears.until(order_state(9001, "canceled"))
        assert (await a.create_order(1, 9002, 20, MID, False, 0, 2))[2] is None
        assert (await b.create_market_order(1, 9003, 20, MID - 10, True))[2] is None
        await ears.until(filled(9002))
        await ears.of_type("update/account_all_positions")
        assert (await a.create_market_order(1, 9004, 20, MID - 20, True))[2] is None
        await ears.until(filled(9004))
        await ears.of_type("update/account_tx")
        await ears.of_type("update/order_book")
        await ears.ask(type="ping")
        await ears.of_type("pong")
        await ears.ask(type="unsubscribe", channel="order_book/1")
        await ears.of_type("unsubscribed")
        for channel in ("account_all_orders/1", "ticker/1", "no_such/1", "order_book/99"):
            await ears.ask(type="subscribe", channel=channel)
            await ears.until(lambda frame: "error" in frame)
        return list(ears.frames)


def of(name: str, *, key: str = "") -> Callable[[dict[str, Any]], bool]:
    return lambda frame: frame.get("type") == name and (not key or bool(frame.get(key)))


def error_of(code: int) -> Callable[[dict[str, Any]], bool]:
    return lambda frame: frame.get("error", {}).get("code") == code


CAPTURED = {
    "cmc_connected": of("connected"),
    "cmc_pong": of("pong"),
    "cmc_unsubscribed_order_book": of("unsubscribed"),
    "cmc_error_20001_auth_required_ws": error_of(20001),
    "cmc_error_30003_already_subscribed": error_of(30003),
    "cmc_error_30005_unknown_channel": error_of(30005),
    "cmc_subscribed_order_book_crv_full": of("subscribed/order_book"),
    "cmc_update_order_book_crv_1": of("update/order_book"),
    "cmc_update_ticker_btc": of("update/ticker"),
    "cmc_update_trade_eth": of("update/trade"),
    "cmc_update_market_stats_eth": lambda frame: frame.get("channel") == "market_stats:1",
    "cmc_update_market_stats_all": lambda frame: frame.get("channel") == "market_stats:all",
    "cmc_update_height": of("subscribed/height"),
    "cmc_subscribed_account_all_orders_open": of("subscribed/account_all_orders"),
    "cmc_update_account_all_orders_canceled": of("update/account_all_orders"),
    "qubx_update_account_all_orders_market_sell_filled": of("update/account_all_orders"),
    "cmc_subscribed_account_all_trades_empty": of("subscribed/account_all_trades"),
    "cmc_subscribed_account_all_positions_empty": of("subscribed/account_all_positions"),
    "cmc_update_account_all_positions_flat": of("update/account_all_positions"),
    "qubx_subscribed_account_all": of("subscribed/account_all"),
    "qubx_update_account_all_fill_open": of("update/account_all", key="trades"),
    "qubx_update_account_all_position_open": of("update/account_all", key="positions"),
    "qubx_subscribed_account_tx": of("subscribed/account_tx"),
    "qubx_update_account_tx_open_short": of("update/account_tx"),
    "qubx_subscribed_user_stats": of("subscribed/user_stats"),
    "qubx_update_user_stats_after_open": of("update/user_stats"),
}


def test_frames_have_the_shape_of_captured_ones(paper: Paper) -> None:
    if not DATA.is_dir():
        pytest.skip(f"no captured frames at {DATA}: set LIGHTER_HEDGE_DATA")
    frames: list[dict[str, Any]] = []

    async def test() -> None:
        frames.extend(await told(paper))

    run(test)
    found = {}
    for name, wanted in CAPTURED.items():
        captured = json.loads((DATA / "ws_frames" / f"{name}.json").read_text())["frame"]
        ours = newest(frames, wanted)
        unlike = differences(shape(ours), shape(captured))
        if unlike:
            found[name] = unlike
    assert found == {}

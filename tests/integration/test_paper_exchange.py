"""The SDK's own SignerClient, and raw sockets, against a paper exchange in another process."""

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import aiohttp
import lighter
import pytest
from tests.integration.paper_client import (
    Paper,
    fault,
    fetched,
    filled,
    listening,
    order_state,
    run,
    token,
    truth,
)
from tests.integration.paper_process import MID


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


def test_every_read_of_the_sdk_is_answered(paper: Paper) -> None:
    """The SDK's own API classes parse what they get."""

    async def test() -> None:
        async with paper.clients(4) as (_, b):
            assert (await b.create_order(1, 5001, 20, MID - 5, False, 0, 2))[2] is None
            assert (await b.create_market_order_limited_slippage(1, 5002, 20, 0.001, False))[2] is None
            orders, accounts = lighter.OrderApi(b.api_client), lighter.AccountApi(b.api_client)
            index, auth = b.account_index, token(b)
            details = await orders.order_book_details(market_id=1)
            assert details.order_book_details[0].min_base_amount == "0.00020"
            assert len((await orders.order_books()).order_books) == 2
            book = await orders.order_book_orders(market_id=1, limit=5)
            assert book.asks[0].price == "100001.0"
            active = await orders.account_active_orders(account_index=index, market_id=1, authorization=auth)
            assert 5001 in [order.client_order_index for order in active.orders]
            dead = await orders.account_inactive_orders(account_index=index, limit=5, authorization=auth)
            assert dead.orders[0].client_order_index == 5002
            found = await orders.account_orders(
                account_index=index, client_order_indexes="5001,5002", authorization=auth
            )
            assert {order.status for order in found.orders} == {"open", "filled"}
            trades = await orders.trades(sort_by="timestamp", limit=1, account_index=index, authorization=auth)
            assert trades.trades[0].bid_client_id == 5002
            assert len((await orders.recent_trades(market_id=1, limit=1)).trades) == 1
            account = await accounts.account(by="index", value=str(index))
            assert account.accounts[0].index == index
            wallet = account.accounts[0].l1_address
            assert len((await accounts.accounts_by_l1_address(l1_address=wallet)).sub_accounts) == 2
            assert len((await accounts.apikeys(account_index=index, api_key_index=255)).api_keys) == 3
            limits = await accounts.account_limits(account_index=index, authorization=auth)
            assert limits.user_tier == "premium"
            assert (await lighter.RootApi(b.api_client).status()).status == 200
            assert (await lighter.BlockApi(b.api_client).current_height()).height > 0
            assert (await b.cancel_all_orders(0, 0))[2] is None

    run(test)


def test_a_standard_wallet_is_limited_to_sixty_a_minute(tmp_path: Path) -> None:
    """Both sub-accounts share the minute; the SDK raises on the answer 429."""
    paper = Paper(tmp_path, tier="standard")

    async def test() -> None:
        async with aiohttp.ClientSession() as session:
            codes = []
            for number in range(61):
                info = json.dumps({"AccountIndex": paper.accounts[number % 2]})
                form = {"tx_type": str(14 + number // 2 % 2), "tx_info": info}
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

import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from tests.unit.simulator.paper_edge import Edge, edge, run
from tests.unit.simulator.paper_world import BID, MID, A, B, make_world

from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.edge.rest.paths import Rest


def test_status_and_info_stand_at_the_root() -> None:
    async def test() -> None:
        async with edge() as paper:
            assert (await paper.get("/"))["status"] == 200
            assert "contract_address" in await paper.get("/info")
            assert (await paper.api("currentHeight"))["height"] > 0

    run(test)


def test_an_unknown_path_or_method_is_answered_with_json() -> None:
    async def test() -> None:
        async with edge() as paper:
            assert (await paper.api("noSuch", 404))["code"] == 29404
            assert (await paper.get("/favicon.ico", 404))["code"] == 29404
            assert (await paper.api("sendTx", 405))["code"] == 405
            async with paper.client.delete("/api/v1/tokens") as response:
                assert (response.status, (await response.json())["code"]) == (405, 405)

    run(test)


def test_no_path_stands_twice() -> None:
    async def test() -> None:
        async with edge() as paper:
            routes = [(one.method, one.path) for one in Rest(paper.venue).routes()]
            assert len(set(routes)) == len(routes)

    run(test)


def test_a_token_is_a_header_or_a_parameter_and_a_bad_one_is_unauthorized() -> None:
    async def test() -> None:
        async with edge() as paper:
            query: dict[str, Any] = {"account_index": A, "market_id": 1}
            assert (await paper.api("accountActiveOrders", 400, **query))["code"] == 20001
            assert (await paper.api("accountActiveOrders", 401, **query, auth=paper.token(B)))["code"] == 20013
            old = paper.token(A, seconds=-1)
            answer = await paper.api("accountActiveOrders", 401, **query, auth=old)
            assert answer == {"code": 20013, "message": "invalid auth: invalid deadline"}
            assert (await paper.api("accountActiveOrders", **query, auth=paper.token(A)))["code"] == 200
            headers = {"authorization": paper.token(A)}
            async with paper.client.get("/api/v1/accountActiveOrders", params=query, headers=headers) as response:
                assert (await response.json())["code"] == 200

    run(test)


def test_a_revoked_key_is_not_found() -> None:
    async def test() -> None:
        async with edge() as paper:
            await paper.arm(kind="key_revoked", account="a", api_key_index=5)
            assert (await paper.api("apikeys", 400, account_index=A, api_key_index=5))["code"] == 21109

    run(test)


def test_history_lag_hides_the_newest_seconds() -> None:
    """Orders, trades and transactions lag; positions do not."""

    async def test() -> None:
        async with edge() as paper:
            await paper.arm(kind="history_lag", account="a", seconds=5)
            sent = paper.world.order(A, BID, 20, MID + 10, tif=0, client=9)
            paper.world.run()
            query: dict[str, Any] = {"account_index": A, "auth": paper.token(A)}

            async def seen() -> list[int]:
                orders = await paper.api("accountOrders", **query, client_order_indexes="9")
                trades = await paper.api("trades", **query, sort_by="trade_id", limit=5)
                return [len(orders["orders"]), len(trades["trades"])]

            assert await seen() == [0, 0]
            assert (await paper.api("tx", 400, by="hash", value=sent.tx_hash))["code"] == 21500
            assert (await paper.api("txs", limit=5))["txs"] == []
            account = await paper.api("account", by="index", value=A)
            assert account["accounts"][0]["positions"][0]["position"] == "0.00020"
            paper.world.run(ms=5_000)
            assert await seen() == [1, 1]
            assert (await paper.api("tx", by="hash", value=sent.tx_hash))["status"] == 2

    run(test)


async def posted(paper: Edge, name: str, **request: Any) -> tuple[int, int]:
    async with paper.client.post(f"/api/v1/{name}", **request) as response:
        return response.status, (await response.json())["code"]


def test_sending_by_form() -> None:
    async def test() -> None:
        async with edge() as paper:
            for form, code in (
                ({"tx_type": "14", "tx_info": "{"}, 21501),
                ({"tx_type": "x", "tx_info": "{}"}, 21505),
                ({"tx_type": "14", "tx_info": json.dumps({"AccountIndex": 5})}, 21110),
                ({}, 20001),
            ):
                assert await posted(paper, "sendTx", data=form) == (400, code)
            assert await posted(paper, "sendTxBatch", data={"tx_types": "[14]", "tx_infos": "[]"}) == (400, 21513)

    run(test)


BODIES: list[tuple[str, Callable[[], dict[str, Any]]]] = [
    ("no JSON", lambda: {"data": b"{", "headers": {"content-type": "application/json"}}),
    ("no object", lambda: {"json": [1]}),
    ("no boundary", lambda: {"data": b"x", "headers": {"content-type": "multipart/form-data"}}),
    ("no such charset", lambda: {"data": b"a=b", "headers": {"content-type": "text/plain; charset=no-such"}}),
    ("no text", lambda: {"data": b"name=\xff", "headers": {"content-type": "application/x-www-form-urlencoded"}}),
    ("a file", lambda: {"data": file_form()}),
    ("nothing", dict),
]


def file_form() -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("account_index", b"7", filename="x")
    return form


@pytest.mark.parametrize(("what", "request_of"), BODIES, ids=[what for what, _ in BODIES])
def test_a_body_that_cannot_be_read_is_a_bad_parameter(what: str, request_of: Callable[[], dict[str, Any]]) -> None:
    async def test() -> None:
        async with edge() as paper:
            assert await posted(paper, "tokens/create", **request_of()) == (400, 20001), what

    run(test)


def test_a_form_and_a_json_object_say_the_same() -> None:
    async def test() -> None:
        async with edge(tier=Tier.UNLIMITED) as paper:
            headers = {"authorization": paper.token(A)}
            expiry = paper.world.now_us // 1_000_000 + 100_000
            wanted: dict[str, Any] = {"name": "r", "account_index": A, "expiry": expiry}
            json_body = {**wanted, "sub_account_access": True}
            assert await posted(paper, "tokens/create", json=json_body, headers=headers) == (200, 200)
            form = {**wanted, "sub_account_access": "True"}
            assert await posted(paper, "tokens/create", data=form, headers=headers) == (200, 200)

    run(test)


def test_requests_of_a_standard_address_are_limited() -> None:
    async def test() -> None:
        async with edge(make_world(), tier=Tier.STANDARD) as paper:
            for _ in range(60):
                await paper.api("orderBooks")
            assert (await paper.api("orderBooks", 429))["code"] == 23000
            await paper.api("accountLimits", account_index=A, auth=paper.token(A))
            paper.world.now_us += 60_000_000
            await paper.api("orderBooks")

    run(test)


def test_reads_are_counted_for_the_account_that_they_are_about() -> None:
    async def test() -> None:
        async with edge() as paper:
            sent = paper.world.order(A, BID, 20, MID - 10)
            paper.world.run()
            await paper.api("nextNonce", account_index=A, api_key_index=4)
            await paper.api("account", by="index", value=A)
            await paper.api("tx", by="hash", value=sent.tx_hash)
            await paper.api("orderBooks")
            await paper.api("accountLimits", account_index=B, auth=paper.token(B))
            assert paper.venue.requests.shown(A)["read"] == 3
            assert paper.venue.requests.shown(B)["read"] == 1

    run(test)

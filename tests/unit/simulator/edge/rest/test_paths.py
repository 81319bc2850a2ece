import json
from typing import Any

from tests.unit.simulator.paper_edge import edge, run
from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, make_world

from lighter_hedge.simulator.core.accounts import Tier


def test_markets_and_books_are_public() -> None:
    async def test() -> None:
        async with edge() as paper:
            paper.world.rest(A, BID, 20, MID - 10)
            books = (await paper.api("orderBooks"))["order_books"]
            assert [(row["market_id"], row["min_base_amount"]) for row in books] == [
                (0, "0.0050"),
                (1, "0.00020"),
            ]
            detail = (await paper.api("orderBookDetails", market_id=1))["order_book_details"]
            assert [(row["price_decimals"], row["size_decimals"]) for row in detail] == [(1, 5)]
            orders = await paper.api("orderBookOrders", market_id=1, limit=2)
            assert [(row["price"], row["remaining_base_amount"]) for row in orders["bids"]] == [
                ("99999.0", "0.00100"),
                ("99999.0", "0.00020"),
            ]
            assert orders["bids"][1]["owner_account_index"] == A
            await paper.api("orderBookOrders", 400, market_id=9, limit=2)
            assert (await paper.api("orderBookOrders", 400, market_id=1, limit=251))["code"] == 20001

    run(test)


def test_status_info_height_and_config() -> None:
    async def test() -> None:
        async with edge() as paper:
            assert (await paper.get("/"))["status"] == 200
            assert "contract_address" in await paper.get("/info")
            assert (await paper.api("currentHeight"))["height"] > 0
            assert (await paper.api("systemConfig"))["code"] == 200

    run(test)


def test_an_unknown_path_or_method_is_answered_with_json() -> None:
    async def test() -> None:
        async with edge() as paper:
            assert (await paper.api("noSuch", 404))["code"] == 29404
            assert (await paper.get("/favicon.ico", 404))["code"] == 29404
            assert (await paper.api("sendTx", 405))["code"] == 405

    run(test)


def test_accounts_by_index_and_wallet() -> None:
    async def test() -> None:
        async with edge() as paper:
            paper.world.take(A, BID, 20, MID + 10)
            found = await paper.api("account", by="index", value=A)
            assert [(row["index"], row["collateral"]) for row in found["accounts"]] == [(A, "10000.000000")]
            assert found["accounts"][0]["positions"][0]["position"] == "0.00020"
            assert (await paper.api("account", by="l1_address", value="0xW"))["total"] == 2
            rows = (await paper.api("accountsByL1Address", l1_address="0xw"))["sub_accounts"]
            assert [row["index"] for row in rows] == [A, B]
            assert (await paper.api("account", 400, by="index", value=5))["code"] == 21100
            assert (await paper.api("account", 400, by="name", value="a"))["code"] == 20001
            flat = await paper.api("account", by="index", value=B, active_only="true")
            assert flat["accounts"][0]["positions"] == []

    run(test)


def test_keys_and_nonces() -> None:
    async def test() -> None:
        async with edge() as paper:
            paper.world.rest(A, BID, 20, MID - 10)
            assert (await paper.api("nextNonce", account_index=A, api_key_index=4))["nonce"] == 1
            assert (await paper.api("nextNonce", account_index=777, api_key_index=4))["nonce"] == 0
            keys = (await paper.api("apikeys", account_index=A))["api_keys"]
            assert [(key["api_key_index"], key["nonce"], len(key["public_key"])) for key in keys] == [
                (4, 1, 80),
                (5, 0, 80),
            ]
            assert len((await paper.api("apikeys", account_index=A, api_key_index=5))["api_keys"]) == 1
            await paper.arm(kind="key_revoked", account="a", api_key_index=5)
            assert (await paper.api("apikeys", 400, account_index=A, api_key_index=5))["code"] == 21109

    run(test)


def test_own_orders_need_a_token_of_the_account() -> None:
    async def test() -> None:
        async with edge() as paper:
            paper.world.rest(A, BID, 20, MID - 10, client=7)
            query: dict[str, Any] = {"account_index": A, "market_id": 1}
            assert (await paper.api("accountActiveOrders", 400, **query))["code"] == 20001
            other = paper.token(B)
            assert (await paper.api("accountActiveOrders", 400, **query, auth=other))["code"] == 20013
            old = paper.token(A, seconds=-1)
            answer = await paper.api("accountActiveOrders", 400, **query, auth=old)
            assert answer == {"code": 20013, "message": "invalid auth: invalid deadline"}
            async with paper.client.get(
                "/api/v1/accountActiveOrders", params=query, headers={"authorization": paper.token(A)}
            ) as response:
                assert [row["client_order_index"] for row in (await response.json())["orders"]] == [7]
            limits = await paper.api("accountLimits", account_index=A, auth=paper.token(A))
            assert limits["user_tier"] == "premium"

    run(test)


def test_dead_orders_come_newest_first_with_a_cursor() -> None:
    async def test() -> None:
        async with edge() as paper:
            for client in (1, 2, 3):
                paper.world.rest(A, BID, 20, MID - 10, client=client)
                paper.world.cancel(A, client)
                paper.world.run()
            query: dict[str, Any] = {"account_index": A, "limit": 2, "auth": paper.token(A)}
            first = await paper.api("accountInactiveOrders", **query)
            assert [row["client_order_index"] for row in first["orders"]] == [3, 2]
            rest = await paper.api("accountInactiveOrders", **query, cursor=first["next_cursor"])
            assert [row["client_order_index"] for row in rest["orders"]] == [1]
            assert "next_cursor" not in rest

    run(test)


def test_orders_are_found_by_client_index_alive_or_dead() -> None:
    async def test() -> None:
        async with edge() as paper:
            for client in (1, 2):
                paper.world.rest(A, BID, 20, MID - 10, client=client)
            paper.world.cancel(A, 1)
            paper.world.run()
            query: dict[str, Any] = {"account_index": A, "auth": paper.token(A)}
            found = await paper.api("accountOrders", **query, client_order_indexes="1,2,3")
            assert {row["client_order_index"]: row["status"] for row in found["orders"]} == {
                1: "canceled",
                2: "open",
            }
            many = ",".join(map(str, range(21)))
            await paper.api("accountOrders", 400, **query, client_order_indexes=many)
            await paper.api("accountOrders", 400, **query, client_order_indexes="x")

    run(test)


def test_trades_of_an_account_and_of_the_public() -> None:
    async def test() -> None:
        async with edge() as paper:
            paper.world.take(A, BID, 20, MID + 10)
            paper.world.take(B, BID, 30, MID + 10)
            query: dict[str, Any] = {"sort_by": "timestamp", "limit": 10}
            public = await paper.api("trades", **query)
            assert [row["size"] for row in public["trades"]] == ["0.00030", "0.00020"]
            oldest = await paper.api("trades", **query, sort_dir="asc", market_id=1)
            assert [row["size"] for row in oldest["trades"]] == ["0.00020", "0.00030"]
            assert (await paper.api("trades", 400, **query, account_index=A))["code"] == 20001
            own = await paper.api("trades", **query, account_index=A, auth=paper.token(A))
            assert [row["bid_account_id"] for row in own["trades"]] == [A]
            recent = await paper.api("recentTrades", market_id=1, limit=1)
            assert [row["size"] for row in recent["trades"]] == ["0.00030"]

    run(test)


def test_transactions_by_hash_and_sequence() -> None:
    async def test() -> None:
        async with edge() as paper:
            sent = paper.world.order(A, BID, 20, MID - 10)
            paper.world.run()
            found = await paper.api("tx", by="hash", value=sent.tx_hash)
            assert (found["status"], found["nonce"], found["hash"]) == (2, 0, sent.tx_hash)
            again = await paper.api("tx", by="sequence_index", value=found["sequence_index"])
            assert again["hash"] == sent.tx_hash
            assert (await paper.api("tx", 400, by="hash", value="00"))["code"] == 21500
            listed = await paper.api("accountTxs", by="account_index", value=A, limit=5)
            assert [row["hash"] for row in listed["txs"]] == [sent.tx_hash]

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
            account = await paper.api("account", by="index", value=A)
            assert account["accounts"][0]["positions"][0]["position"] == "0.00020"
            paper.world.run(ms=5_000)
            assert await seen() == [1, 1]
            assert (await paper.api("tx", by="hash", value=sent.tx_hash))["status"] == 2

    run(test)


def test_sending_by_form() -> None:
    async def test() -> None:
        async with edge() as paper:
            for form, status, code in (
                ({"tx_type": "14", "tx_info": "{"}, 400, 21501),
                ({"tx_type": "x", "tx_info": "{}"}, 400, 21505),
                ({"tx_type": "14", "tx_info": json.dumps({"AccountIndex": 5})}, 400, 21110),
                ({}, 400, 21505),
            ):
                async with paper.client.post("/api/v1/sendTx", data=form) as response:
                    assert (response.status, (await response.json())["code"]) == (status, code)
            async with paper.client.post("/api/v1/sendTxBatch", data={"tx_types": "[14]"}) as response:
                assert (await response.json())["code"] == 21513

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


def test_the_best_ask_of_order_book_orders_comes_first() -> None:
    async def test() -> None:
        async with edge() as paper:
            paper.world.rest(A, ASK, 20, MID + 5)
            orders = await paper.api("orderBookOrders", market_id=1, limit=1)
            assert [row["price"] for row in orders["asks"]] == ["100000.5"]

    run(test)

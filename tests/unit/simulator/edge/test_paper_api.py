import pytest
from tests.unit.simulator.paper_edge import edge, run
from tests.unit.simulator.paper_world import ASK, BID, MID, A, B


def test_truth_shows_orders_trades_and_self_trades() -> None:
    async def test() -> None:
        async with edge() as paper:
            paper.world.rest(A, BID, 20, MID, client=7)
            paper.world.take(B, ASK, 20, MID - 10)
            truth = await paper.get("/paper/truth")
            assert truth["self_trades"] == 1
            a, b = truth["accounts"]
            assert (a["name"], a["position_lots"], b["position_lots"]) == ("a", {"BTC": 20}, {"BTC": -20})
            assert [(row["client_order_index"], row["status"]) for row in a["orders"]] == [(7, "filled")]
            assert [(row["side"], row["liquidity"], row["counterparty"]) for row in a["trades"]] == [
                ("buy", "maker", B)
            ]
            assert [(row["side"], row["liquidity"], row["counterparty"]) for row in b["trades"]] == [
                ("sell", "taker", A)
            ]

    run(test)


def test_faults_are_armed_listed_and_cleared_over_http() -> None:
    async def test() -> None:
        async with edge() as paper:
            armed = await paper.arm(kind="lose_answer", account="a", count=3)
            listed = (await paper.get("/paper/faults"))["faults"]
            assert [(row["id"], row["kind"], row["count"]) for row in listed] == [(armed["id"], "lose_answer", 3)]
            async with paper.client.delete(f"/paper/faults/{armed['id']}") as answer:
                assert answer.status == 200
            async with paper.client.delete(f"/paper/faults/{armed['id']}") as answer:
                assert answer.status == 404
            assert "unknown" in (await paper.arm(400, kind="storm"))["message"]
            async with paper.client.post("/paper/faults", data="x") as answer:
                assert answer.status == 400

    run(test)


def test_all_faults_are_cleared_at_once() -> None:
    async def test() -> None:
        async with edge() as paper:
            for kind in ("lose_answer", "halted"):
                await paper.arm(kind=kind)
            async with paper.client.delete("/paper/faults") as answer:
                assert await answer.json() == {"cleared": [1, 2]}
            assert (await paper.get("/paper/faults"))["faults"] == []

    run(test)


@pytest.mark.parametrize("name", ["BTC", "1"])
def test_a_market_is_halted_shown_and_opened_again(name: str) -> None:
    async def test() -> None:
        async with edge() as paper:
            market = {"market": 1, "symbol": "BTC", "halted": True, "reduce_only": False}
            assert await paper.post(f"/paper/markets/{name}", {"halted": True}) == market
            assert (await paper.get("/paper/markets"))["markets"][1] == market
            for path, rows in (("orderBooks", "order_books"), ("orderBookDetails", "order_book_details")):
                assert (await paper.api(path, market_id=1))[rows][0]["status"] == "inactive"
            assert (await paper.order(A, BID, 20, MID - 5))[1]["code"] == 21605
            await paper.post(f"/paper/markets/{name}", {"halted": False})
            assert (await paper.order(A, BID, 20, MID - 5))[0] == 200

    run(test)


def test_a_reduce_only_market_takes_what_reduces_alone() -> None:
    async def test() -> None:
        async with edge() as paper:
            paper.world.take(A, BID, 60, MID + 10)
            await paper.post("/paper/markets/BTC", {"reduce_only": True})
            row = (await paper.api("orderBookDetails", market_id=1))["order_book_details"][0]
            assert row["market_config"]["force_reduce_only"] is True
            assert (await paper.order(A, BID, 20, MID - 5))[1]["code"] == 21740
            assert (await paper.order(A, ASK, 20, MID + 15))[0] == 200

    run(test)


def test_a_wrong_market_state_is_refused_with_the_remedy() -> None:
    async def test() -> None:
        async with edge() as paper:
            told = await paper.post("/paper/markets/BTC", {"frozen": True}, 400)
            assert "use halted and reduce_only" in told["message"]
            assert (await paper.post("/paper/markets/BTC", {"halted": 1}, 400))["code"] == 400
            assert (await paper.post("/paper/markets/BTC", [], 400))["code"] == 400
            assert "BTC (1)" in (await paper.post("/paper/markets/DOGE", {}, 404))["message"]

    run(test)

"""Every fault by name, armed over HTTP and met by clients of REST and WebSocket, on a clock that is told."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from tests.unit.simulator.paper_edge import Edge, Socket, edge, run, socket_of
from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, book_change

from lighter_hedge.simulator.core.faults.kinds import KINDS

Story = Callable[[Edge], Awaitable[None]]
STORIES: dict[str, Story] = {}
ORDERS = f"account_all_orders/{A}"
LOST = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


def story(kind: str) -> Callable[[Story], Story]:
    """The story of one kind of fault."""

    def register(one: Story) -> Story:
        STORIES[kind] = one
        return one

    return register


def test_every_kind_has_its_story() -> None:
    assert STORIES.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_meets(kind: str) -> None:
    async def test() -> None:
        async with edge() as paper:
            await STORIES[kind](paper)
            listed = (await paper.get("/paper/faults"))["faults"]
            assert [row["kind"] for row in listed if not KINDS[kind].lasts] == []

    run(test)


# --- what clients ask


async def rested(paper: Edge, client: int = 7, account: int = A) -> None:
    """A bid that rests just below the middle."""
    status, body = await paper.order(account, BID, 20, MID - 5, client=client)
    assert (status, body["code"]) == (200, 200)


async def shown(paper: Edge, client: int = 7) -> dict[str, Any] | None:
    """An order as ``accountOrders`` shows it."""
    query: dict[str, Any] = {"account_index": A, "client_order_indexes": client, "auth": paper.token(A)}
    rows = (await paper.api("accountOrders", **query))["orders"]
    return rows[0] if rows else None


async def state_of(paper: Edge, client: int = 7) -> tuple[str, str]:
    """Status and filled size of an order."""
    row = await shown(paper, client)
    assert row is not None
    return row["status"], row["filled_base_amount"]


async def cancel(paper: Edge, client: int = 7) -> int:
    status, _ = await paper.send(A, 15, {"MarketIndex": 1, "Index": client})
    paper.venue.step()
    return status


async def nonce(paper: Edge) -> int:
    return int((await paper.api("nextNonce", account_index=A, api_key_index=4))["nonce"])


def a_order(paper: Edge, client: int = 7) -> dict[str, Any]:
    """``jsonapi/sendtx`` of a bid."""
    info = paper.world.info(A, paper.world.order_fields(BID, 20, MID - 5, client=client))
    return {"type": "jsonapi/sendtx", "data": {"id": "x", "tx_type": 14, "tx_info": info}}


async def ended(socket: Socket) -> bool:
    """Whether the socket is over."""
    message = await socket.socket.receive()
    return message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)


# --- transactions, at the API and in the sequencer


@story("reject")
async def reject(paper: Edge) -> None:
    await paper.arm(kind="reject", account="a", code=21739, message="no")
    assert await paper.order(A, BID, 20, MID - 5) == (400, {"code": 21739, "message": "no"})
    assert await nonce(paper) == 0
    await rested(paper)


@story("margin_refusal")
async def margin_refusal(paper: Edge) -> None:
    await paper.arm(kind="margin_refusal", account="a")
    assert (await paper.order(A, BID, 20, MID - 5))[1]["code"] == 21739
    await paper.arm(kind="margin_refusal", account="a", stage="sequencer")
    await rested(paper)
    assert await state_of(paper) == ("canceled-margin-not-allowed", "0.00000")
    assert await nonce(paper) == 1


@story("late_execution")
async def late_execution(paper: Edge) -> None:
    await paper.arm(kind="late_execution", account="a", delay_ms=400)
    await rested(paper)
    paper.wait(ms=399)
    assert await shown(paper) is None
    paper.wait(ms=1)
    assert await state_of(paper) == ("open", "0.00000")


@story("accept_then_cancel")
async def accept_then_cancel(paper: Edge) -> None:
    async with socket_of(paper) as socket:
        await socket.subscribe(ORDERS, paper.token(A))
        await paper.arm(kind="accept_then_cancel", account="a", becomes="canceled-position-not-allowed")
        await rested(paper)
        assert [row["status"] for row in (await socket.hear())["orders"]["1"]] == ["canceled-position-not-allowed"]


@story("accept_then_refuse")
async def accept_then_refuse(paper: Edge) -> None:
    await paper.arm(kind="accept_then_refuse", account="a", code=21601)
    status, body = await paper.order(A, BID, 20, MID - 5, client=7)
    assert (status, await shown(paper), await nonce(paper)) == (200, None, 1)
    tx = await paper.api("tx", by="hash", value=body["tx_hash"])
    assert json.loads(json.loads(tx["event_info"])["ae"])["code"] == 21601


@story("accept_then_return")
async def accept_then_return(paper: Edge) -> None:
    await paper.arm(kind="accept_then_return", account="a")
    status, body = await paper.order(A, BID, 20, MID - 5)
    tx = await paper.api("tx", by="hash", value=body["tx_hash"])
    assert (status, tx["status"], await nonce(paper)) == (200, 0, 0)


@story("key_revoked")
async def key_revoked(paper: Edge) -> None:
    await paper.arm(kind="key_revoked", account="a", api_key_index=4)
    assert (await paper.order(A, BID, 20, MID - 5))[1]["code"] == 21109
    assert (await paper.api("accountLimits", 401, account_index=A, auth=paper.token(A)))["code"] == 20013
    assert (await paper.order(B, BID, 20, MID - 5))[0] == 200


@story("halted")
async def halted(paper: Edge) -> None:
    await rested(paper)
    await paper.arm(kind="halted", market="BTC")
    assert (await paper.order(A, BID, 20, MID - 5))[1]["code"] == 21605
    assert await cancel(paper) == 200


# --- fills


@story("fill_now")
async def fill_now(paper: Edge) -> None:
    await rested(paper)
    await paper.arm(kind="fill_now", account="a", delay_ms=20)
    paper.wait(ms=20)
    assert await state_of(paper) == ("filled", "0.00020")


@story("part_fill")
async def part_fill(paper: Edge) -> None:
    await rested(paper)
    await paper.arm(kind="part_fill", account="a", lots=5)
    paper.wait(ms=0)
    assert await state_of(paper) == ("open", "0.00005")


@story("two_trades")
async def two_trades(paper: Edge) -> None:
    async with socket_of(paper) as socket:
        await socket.subscribe(f"account_all_trades/{A}", paper.token(A))
        await paper.arm(kind="two_trades", account="a")
        await paper.arm(kind="fill_now", account="a")
        await rested(paper)
        assert [row["size"] for row in (await socket.hear())["trades"]["1"]] == ["0.00010", "0.00010"]


@story("cancel_race")
async def cancel_race(paper: Edge) -> None:
    await rested(paper)
    await paper.arm(kind="cancel_race", account="a", lots=5)
    await cancel(paper)
    assert await state_of(paper) == ("canceled", "0.00005")


@story("late_fill")
async def late_fill(paper: Edge) -> None:
    await rested(paper)
    await paper.arm(kind="late_fill", account="a", delay_ms=200)
    await cancel(paper)
    assert await state_of(paper) == ("canceled", "0.00000")
    paper.wait(ms=200)
    assert (await state_of(paper))[1] == "0.00020"


# --- what the venue does to an account


async def forced(paper: Edge, kind: str) -> dict[str, Any]:
    """A holds 60 lots, and then does not; what its notifications tell."""
    paper.world.take(A, BID, 60, MID + 10)
    await rested(paper)
    async with socket_of(paper) as socket:
        await socket.subscribe(f"notification/{A}", paper.token(A))
        await paper.arm(kind=kind, account="a", market="BTC")
        paper.wait(ms=0)
        assert (await paper.get("/paper/truth"))["accounts"][0]["position_lots"]["BTC"] == 0
        told: dict[str, Any] = (await socket.hear())["notifs"][0]
        return told


@story("liquidation")
async def liquidation(paper: Edge) -> None:
    assert (await forced(paper, "liquidation"))["kind"] == "liquidation"
    assert (await state_of(paper))[0] == "canceled-liquidation"


@story("adl")
async def adl(paper: Edge) -> None:
    assert (await forced(paper, "adl"))["kind"] == "deleverage"
    assert (await state_of(paper))[0] == "open"


# --- requests and their answers


@story("too_many_requests")
async def too_many_requests(paper: Edge) -> None:
    await paper.arm(kind="too_many_requests", account="a", status=405, of="both", count=2)
    assert (await paper.order(A, BID, 20, MID - 5))[0] == 405
    assert (await paper.api("accountLimits", 405, account_index=A, auth=paper.token(A)))["code"] == 405
    await paper.arm(kind="too_many_requests", account="a")
    assert await paper.order(A, BID, 20, MID - 5) == (429, {"code": 23000, "message": "Too Many Requests!"})
    await rested(paper)


@story("error_before")
async def error_before(paper: Edge) -> None:
    await paper.arm(kind="error_before", account="a", status=503)
    assert (await paper.order(A, BID, 20, MID - 5, client=7))[0] == 503
    assert (await shown(paper), await nonce(paper)) == (None, 0)


@story("error_after")
async def error_after(paper: Edge) -> None:
    await paper.arm(kind="error_after", account="a", status=500)
    assert (await paper.order(A, BID, 20, MID - 5, client=7))[1]["code"] == 29500
    assert (await state_of(paper), await nonce(paper)) == (("open", "0.00000"), 1)


@story("lose_request")
async def lose_request(paper: Edge) -> None:
    await paper.arm(kind="lose_request", account="a", count=2)
    with pytest.raises(LOST):
        await paper.order(A, BID, 20, MID - 5)
    async with socket_of(paper) as socket:
        await socket.socket.send_json(a_order(paper))
        assert await socket.ask(type="ping") == {"type": "pong"}
    assert await nonce(paper) == 0


@story("lose_answer")
async def lose_answer(paper: Edge) -> None:
    await paper.arm(kind="lose_answer", account="a", count=2)
    with pytest.raises(LOST):
        await paper.order(A, BID, 20, MID - 5)
    async with socket_of(paper) as socket:
        await socket.socket.send_json(a_order(paper))
        assert await socket.ask(type="ping") == {"type": "pong"}
    assert await nonce(paper) == 2


@story("drop_before")
async def drop_before(paper: Edge) -> None:
    await paper.arm(kind="drop_before", account="a", count=2)
    with pytest.raises(LOST):
        await paper.order(A, BID, 20, MID - 5)
    async with socket_of(paper) as socket:
        await socket.socket.send_json(a_order(paper))
        assert await ended(socket)
    assert await nonce(paper) == 0


@story("drop_after")
async def drop_after(paper: Edge) -> None:
    await paper.arm(kind="drop_after", account="a", count=2)
    with pytest.raises(LOST):
        await paper.order(A, BID, 20, MID - 5)
    async with socket_of(paper) as socket:
        await socket.socket.send_json(a_order(paper))
        assert await ended(socket)
    assert await nonce(paper) == 2


@story("delay_answer")
async def delay_answer(paper: Edge) -> None:
    await paper.arm(kind="delay_answer", account="a", delay_ms=50, of="both", count=3)
    async with socket_of(paper) as socket:
        await socket.socket.send_json(a_order(paper))
        assert await socket.ask(type="ping") == {"type": "pong"}
        paper.wait(ms=50)
        assert (await socket.hear())["code"] == 200
    assert (await paper.order(A, BID, 20, MID - 6))[0] == 200
    await paper.api("accountLimits", account_index=A, auth=paper.token(A))


@story("bare_answer")
async def bare_answer(paper: Edge) -> None:
    await paper.arm(kind="bare_answer", account="a")
    assert await paper.order(A, BID, 20, MID - 5) == (200, {"code": 200})


@story("history_lag")
async def history_lag(paper: Edge) -> None:
    await paper.arm(kind="history_lag", account="a", seconds=2)
    await rested(paper)
    assert await shown(paper) is None
    paper.wait(ms=2_000)
    assert await state_of(paper) == ("open", "0.00000")


@story("account_error")
async def account_error(paper: Edge) -> None:
    await paper.arm(kind="account_error", account="a")
    assert (await paper.api("account", 500, by="index", value=A))["code"] == 29500
    await paper.api("account", by="index", value=B)


@story("token_expired")
async def token_expired(paper: Edge) -> None:
    await paper.arm(kind="token_expired", account="a")
    told = await paper.api("accountLimits", 401, account_index=A, auth=paper.token(A))
    assert told == {"code": 20013, "message": "invalid auth: invalid deadline"}
    async with socket_of(paper) as socket:
        assert (await socket.subscribe(ORDERS, paper.token(A)))["error"]["code"] == 20013


# --- frames and sockets


async def clients_told(paper: Edge, wait_ms: int = 0, **fault: Any) -> list[int]:
    """The orders 1, 2 and 3 of A, as its socket hears of them."""
    async with socket_of(paper) as socket:
        await socket.subscribe(ORDERS, paper.token(A))
        await paper.arm(account="a", **fault)
        for client in (1, 2, 3):
            await rested(paper, client)
        paper.wait(wait_ms)
        told = []
        while (frame := await socket.ask(type="ping")) != {"type": "pong"}:
            told.append(frame)
            while (frame := await socket.hear()) != {"type": "pong"}:
                told.append(frame)
        return [row["client_order_index"] for frame in told for row in frame["orders"]["1"]]


@story("late_frames")
async def late_frames(paper: Edge) -> None:
    assert await clients_told(paper, 300, kind="late_frames", delay_ms=300) == [2, 3, 1]


@story("lose_frames")
async def lose_frames(paper: Edge) -> None:
    assert await clients_told(paper, kind="lose_frames") == [2, 3]


@story("swap_frames")
async def swap_frames(paper: Edge) -> None:
    assert await clients_told(paper, kind="swap_frames") == [2, 1, 3]


@story("duplicate_frames")
async def duplicate_frames(paper: Edge) -> None:
    assert await clients_told(paper, kind="duplicate_frames") == [1, 1, 2, 2, 3, 3]
    async with socket_of(paper) as socket:
        await socket.subscribe(ORDERS, paper.token(A))
        again = [(await socket.hear())["orders"]["1"][0]["client_order_index"] for _ in range(3)]
        assert again == [1, 2, 3]


@story("book_gap")
async def book_gap(paper: Edge) -> None:
    async with socket_of(paper) as socket:
        last = (await socket.subscribe("order_book/1"))["order_book"]["nonce"]
        await paper.arm(kind="book_gap", market="BTC")
        for lots in (1, 2):
            paper.world.traffic(book_change((ASK, MID + 30, lots)))
            paper.wait(ms=50)
        batch = (await socket.hear())["order_book"]
        assert batch["asks"] == [{"price": "100003.0", "size": "0.00002"}]
        assert batch["begin_nonce"] > last


@story("disconnect")
async def disconnect(paper: Edge) -> None:
    async with socket_of(paper) as socket, socket_of(paper) as other:
        await socket.subscribe(ORDERS, paper.token(A))
        await paper.arm(kind="disconnect", account="a")
        assert await ended(socket)
        assert await other.ask(type="ping") == {"type": "pong"}
    async with socket_of(paper) as socket:
        await paper.arm(kind="disconnect", close_code=1008)
        assert (await socket.socket.receive()).data == 1008


@story("shutdown")
async def shutdown(paper: Edge) -> None:
    async with socket_of(paper) as socket:
        await paper.arm(kind="shutdown", close_in_ms=1)
        assert await socket.hear() == {"type": "shutdown", "close_in_ms": 1}
        assert (await socket.socket.receive()).data == 1001


@story("refuse_subscribe")
async def refuse_subscribe(paper: Edge) -> None:
    await paper.arm(kind="refuse_subscribe", account="a", code=30012)
    async with socket_of(paper) as socket:
        assert (await socket.subscribe(ORDERS, paper.token(A)))["error"]["code"] == 30012
        assert (await socket.subscribe(ORDERS, paper.token(A)))["type"] == "subscribed/account_all_orders"

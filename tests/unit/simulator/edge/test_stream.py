import asyncio
import itertools
import json
from functools import partial
from typing import Any

import pytest
from aiohttp import WSMsgType
from tests.unit.simulator.paper_edge import Socket, edge, run, socket_of
from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, book_change

from lighter_hedge.simulator.edge import stream
from lighter_hedge.simulator.edge.connections import Connection
from lighter_hedge.simulator.edge.stream import Stream, StreamError
from lighter_hedge.simulator.edge.stream_limits import StreamLimits


def test_ping_is_answered_and_nonsense_gets_an_error_frame() -> None:
    async def test() -> None:
        async with edge() as paper, socket_of(paper) as socket:
            assert await socket.ask(type="ping") == {"type": "pong"}
            assert (await socket.ask(type="dance"))["error"]["code"] == 30001
            await socket.socket.send_str("{")
            assert (await socket.hear())["error"]["code"] == 30000
            await socket.socket.send_str("[]")
            assert (await socket.hear())["error"]["code"] == 30000
            assert (await socket.ask(type="jsonapi/sendtx"))["error"]["code"] == 30007

    run(test)


@pytest.mark.parametrize(
    ("channel", "code"),
    [
        ("nothing", 30005),
        ("order_book/9", 30005),
        ("order_book/x", 30005),
        ("account_orders/1", 30005),
        ("user_stats/5", 30005),
        ("account_all_orders/101", 20001),
        ("account_tx/101", 20001),
    ],
)
def test_a_wrong_subscription_is_refused(channel: str, code: int) -> None:
    async def test() -> None:
        async with edge() as paper, socket_of(paper) as socket:
            assert (await socket.subscribe(channel))["error"]["code"] == code

    run(test)


def test_a_token_of_another_account_opens_nothing() -> None:
    async def test() -> None:
        async with edge() as paper, socket_of(paper) as socket:
            answer = await socket.subscribe(f"account_all_orders/{A}", paper.token(B))
            assert answer["error"]["code"] == 20013

    run(test)


def test_subscribing_twice_and_unsubscribing() -> None:
    async def test() -> None:
        async with edge() as paper, socket_of(paper) as socket:
            await socket.subscribe("ticker/1")
            assert (await socket.subscribe("ticker:1"))["error"]["code"] == 30003
            answer = await socket.ask(type="unsubscribe", channel="ticker/1")
            assert answer == {"type": "unsubscribed", "channel": "ticker:1"}
            assert (await socket.ask(type="unsubscribe", channel="ticker/1"))["error"]["code"] == 30002

    run(test)


def test_the_first_batch_continues_the_snapshot() -> None:
    """A snapshot taken between batches: the next batch begins at its nonce."""

    async def test() -> None:
        async with edge() as paper, socket_of(paper) as socket:
            snapshot = await socket.subscribe("order_book/1")
            assert snapshot["type"] == "subscribed/order_book"
            assert snapshot["order_book"]["begin_nonce"] == 0
            assert snapshot["order_book"]["bids"][0] == {"price": "99999.0", "size": "0.00100"}
            paper.world.traffic(book_change((BID, MID - 10, 0)))
            paper.world.now_us += 60_000
            paper.venue.step()
            batch = await socket.hear()
            assert batch["order_book"]["begin_nonce"] == snapshot["order_book"]["nonce"]
            assert batch["order_book"]["bids"] == [{"price": "99999.0", "size": "0.00000"}]

    run(test)


def test_a_snapshot_between_batches_reaches_older_subscribers_as_a_batch() -> None:
    async def test() -> None:
        async with edge() as paper, socket_of(paper) as first, socket_of(paper) as second:
            one = await first.subscribe("order_book/1")
            paper.world.traffic(book_change((ASK, MID + 10, 7)))
            other = await second.subscribe("order_book/1")
            batch = await first.hear()
            assert batch["order_book"]["begin_nonce"] == one["order_book"]["nonce"]
            assert batch["order_book"]["nonce"] == other["order_book"]["nonce"]

    run(test)


def test_open_orders_are_in_the_snapshot_and_trades_of_the_past_are_not() -> None:
    async def test() -> None:
        async with edge() as paper, socket_of(paper) as socket:
            paper.world.rest(A, BID, 20, MID - 5, client=7)
            paper.world.take(A, BID, 20, MID + 10)
            auth = paper.token(A)
            orders = await socket.subscribe(f"account_all_orders/{A}", auth)
            assert [row["client_order_index"] for row in orders["orders"]["1"]] == [7]
            one = await socket.subscribe(f"account_orders/1/{A}", auth)
            assert one["channel"] == f"account_orders:1:{A}"
            every = await socket.subscribe(f"account_all/{A}")
            assert (every["trades"], every["total_trades_count"]) == ({}, 1)
            assert every["positions"]["1"]["position"] == "0.00020"
            trades = await socket.subscribe("trade/1")
            assert [row["size"] for row in trades["trades"]] == ["0.00020"]

    run(test)


def test_duplicate_frames_come_twice_and_again_on_subscribing() -> None:
    async def test() -> None:
        async with edge() as paper:
            await paper.arm(kind="duplicate_frames", account="a")
            auth = paper.token(A)
            async with socket_of(paper) as socket:
                await socket.subscribe(f"account_all_orders/{A}", auth)
                paper.world.order(A, BID, 20, MID - 5)
                paper.venue.step()
                first = await socket.hear()
                assert await socket.hear() == first
                await socket.ask(type="unsubscribe", channel=f"account_all_orders/{A}")
                snapshot = await socket.subscribe(f"account_all_orders/{A}", auth)
                assert snapshot["type"] == "subscribed/account_all_orders"
                assert await socket.hear() == first

    run(test)


def test_disconnect_drops_the_sockets_of_the_account_only() -> None:
    async def test() -> None:
        async with edge() as paper, socket_of(paper) as mine, socket_of(paper) as other:
            await mine.subscribe(f"account_all/{A}")
            await other.subscribe(f"account_all/{B}")
            await paper.arm(kind="disconnect", account="a")
            assert (await mine.socket.receive()).type is not WSMsgType.TEXT
            assert await other.ask(type="ping") == {"type": "pong"}

    run(test)


def test_a_silent_client_is_pinged_and_then_dropped_with_1008() -> None:
    async def test() -> None:
        async with edge(ping_seconds=0.02) as paper, socket_of(paper) as socket:
            assert await socket.hear() == {"type": "ping"}
            message = await socket.socket.receive()
            assert (message.type, message.data) == (WSMsgType.CLOSE, 1008)

    run(test)


def test_a_reader_too_slow_for_its_queue_is_dropped() -> None:
    async def test() -> None:
        async with edge(outbox_length_max=500) as paper, socket_of(paper) as socket:
            await socket.subscribe("height")
            for _ in range(6):
                paper.venue.tell("height", lambda: {"filler": "x" * 100}, paper.world.now_us)
            heard = [(await socket.socket.receive()).type for _ in range(7)]
            assert heard[-1] is not WSMsgType.TEXT

    run(test)


def test_a_reader_that_reads_nothing_holds_neither_memory_nor_the_others() -> None:
    """It is dropped once its outbox is full, and until then everybody else hears every frame at once."""

    async def test() -> None:
        async with edge(outbox_length_max=200_000) as paper, paper.client.ws_connect("/stream") as slow:
            await slow.receive_json()
            await slow.send_json({"type": "subscribe", "channel": "height"})
            await slow.receive_json()
            (stuck,) = paper.venue.connections
            async with socket_of(paper) as quick:
                await quick.subscribe("height")
                for number in itertools.count():
                    body = {"number": number, "filler": "x" * 50_000}
                    paper.venue.tell("height", partial(dict, body), paper.world.now_us)
                    assert (await quick.hear())["number"] == number
                    assert stuck.outbox.qsize() <= 4
                    if len(paper.venue.connections) == 1:
                        break
                assert stuck not in paper.venue.connections

    run(test)


def limited(**limits: int) -> Any:
    return edge(stream_limits=StreamLimits(**limits))


def test_subscriptions_of_a_connection_are_limited() -> None:
    async def test() -> None:
        async with limited(subscriptions_max=2) as paper, socket_of(paper) as socket:
            for channel in ("height", "ticker/1"):
                assert "error" not in await socket.subscribe(channel)
            assert await socket.subscribe("trade/1") == error(23001, "Too Many Subscriptions!")
            await socket.ask(type="unsubscribe", channel="height")
            assert "error" not in await socket.subscribe("trade/1")

    run(test)


def test_different_accounts_of_a_connection_are_limited() -> None:
    async def test() -> None:
        async with limited(accounts_max=1) as paper, socket_of(paper) as socket:
            assert "error" not in await socket.subscribe(f"account_all/{A}")
            assert "error" not in await socket.subscribe(f"user_stats/{A}")
            assert await socket.subscribe(f"account_all/{B}") == error(23002, "Too Many Different Accounts!")
            assert "error" not in await socket.subscribe("height")

    run(test)


def test_one_connection_too_many_is_told_so_and_closed() -> None:
    async def test() -> None:
        async with limited(connections_max=1) as paper:
            async with socket_of(paper), paper.client.ws_connect("/stream") as other:
                assert await other.receive_json() == error(23003, "Too Many Connections!")
                assert (await other.receive()).data == 1008
            async with socket_of(paper) as again:
                assert await again.ask(type="ping") == {"type": "pong"}

    run(test)


def test_messages_of_a_minute_are_limited_and_transactions_are_none_of_them() -> None:
    async def test() -> None:
        async with limited(messages_per_minute_max=1) as paper, socket_of(paper) as socket:
            assert await socket.ask(type="ping") == {"type": "pong"}
            assert await socket.ask(type="ping") == error(30009, "Too Many Websocket Messages!")
            answer = await socket.ask(type="jsonapi/sendtx", data={"id": "x", "tx_type": 14, "tx_info": {}})
            assert answer["id"] == "x"

    run(test)


def test_messages_in_flight_are_limited() -> None:
    """A client that asks on without reading: the answers that wait for it are counted."""

    async def test() -> None:
        async with limited(in_flight_max=3) as paper:
            handler, connection = Stream(paper.venue), Connection(drop=lambda: None, outbox=asyncio.Queue())
            paper.venue.connections.add(connection)
            for _ in range(3):
                handler._message(connection, '{"type":"ping"}', "here")
            with pytest.raises(StreamError) as refused:
                handler._message(connection, '{"type":"ping"}', "here")
            assert refused.value.frame == error(30010, "Too Many Inflight Messages!")
            connection.written += 1
            handler._message(connection, '{"type":"ping"}', "here")

    run(test)


@pytest.mark.parametrize(
    ("message", "code", "words"),
    [
        ({"type": "subscribe", "channel": "nothing"}, 30005, "Invalid Channel"),
        ({"type": "subscribe", "channel": "ticker/9"}, 30005, "Invalid Channel:  (marketId)"),
        ({"type": "subscribe", "channel": "user_stats/5"}, 30005, "Invalid Channel:  (accountId)"),
        ({"type": "subscribe"}, 30005, "Invalid Channel"),
        ({"type": "unsubscribe", "channel": "ticker/1"}, 30002, "Not Subscribed to : ticker:1"),
        ({"type": "dance"}, 30001, "Invalid Type"),
        ({"type": "jsonapi/sendtx", "data": 1}, 30007, "Invalid Data"),
        (
            {"type": "subscribe", "channel": f"notification/{A}"},
            20001,
            f"invalid param : auth field is required: notification:{A}",
        ),
    ],
)
def test_errors_have_the_venues_words(message: dict[str, Any], code: int, words: str) -> None:
    async def test() -> None:
        async with edge() as paper, socket_of(paper) as socket:
            assert await socket.ask(**message) == error(code, words)

    run(test)


def test_a_fault_refuses_a_subscription_with_any_code() -> None:
    async def test() -> None:
        async with edge() as paper, socket_of(paper) as socket:
            for code, words in ((30004, "Failed to fetch : ticker:1"), (30012, "Failed to subscribe")):
                await paper.arm(kind="refuse_subscribe", code=code)
                assert await socket.subscribe("ticker/1") == error(code, words)
            assert "error" not in await socket.subscribe("ticker/1")

    run(test)


def test_a_read_only_socket_reads_and_sends_nothing() -> None:
    async def test() -> None:
        async with edge() as paper, paper.client.ws_connect("/stream?readonly=true") as raw:
            socket = Socket(raw)
            await socket.hear()
            assert "error" not in await socket.subscribe("order_book/1")
            answer = await socket.ask(type="jsonapi/sendtx", data={"tx_type": 14, "tx_info": {}})
            assert answer == error(30006, "Operation isn't supported : jsonapi/sendtx")

    run(test)


def test_a_batch_over_the_socket_has_fifteen_transactions_at_most() -> None:
    async def test() -> None:
        async with edge() as paper, socket_of(paper) as socket:
            data = {"id": "many", "tx_types": [15] * 16, "tx_infos": ["{}"] * 16}
            answer = await socket.ask(type="jsonapi/sendtxbatch", data=data)
            assert (answer["type"], answer["id"], answer["code"]) == ("jsonapi/sendtxbatch", "many", 21514)
            nonce = paper.world.nonce(A)
            infos: list[dict[str, Any]] = [
                {"AccountIndex": A, "ApiKeyIndex": 4, "MarketIndex": 1, "Index": 5, "Nonce": nonce + step}
                | {"ExpiredAt": paper.world.now_us // 1000 + 1_000, "Sig": "x", "L2TxAttributes": None}
                for step in range(15)
            ]
            data = {"id": "fit", "tx_types": json.dumps([15] * 15), "tx_infos": json.dumps([*map(json.dumps, infos)])}
            answer = await socket.ask(type="jsonapi/sendtxbatch", data=data)
            assert (answer["id"], answer["code"], len(answer["tx_hash"])) == ("fit", 200, 15)

    run(test)


def test_a_client_that_only_pings_by_frames_of_the_protocol_is_not_silent() -> None:
    async def test() -> None:
        async with edge() as paper, paper.client.ws_connect("/stream", autoping=False) as raw:
            assert (await raw.receive_json())["type"] == "connected"
            (connection,) = paper.venue.connections
            before = connection.heard_at
            await raw.ping(b"here")
            message = await raw.receive()
            assert (message.type, message.data) == (WSMsgType.PONG, b"here")
            assert connection.heard_at > before

    run(test)


def test_a_client_that_answers_is_pinged_again_and_stays() -> None:
    async def test() -> None:
        async with edge(ping_seconds=0.2) as paper, socket_of(paper) as socket:
            for _ in range(3):
                assert await socket.hear() == {"type": "ping"}
                await socket.socket.send_json({"type": "pong"})

    run(test)


def test_a_shutdown_is_told_before_the_end() -> None:
    async def test() -> None:
        async with edge() as paper, socket_of(paper) as mine, socket_of(paper) as other:
            await mine.subscribe(f"account_all/{A}")
            await paper.arm(kind="shutdown", account="a", close_in_ms=20)
            assert await mine.hear() == {"type": "shutdown", "close_in_ms": 20}
            assert (await mine.socket.receive()).type is not WSMsgType.TEXT
            assert await other.ask(type="ping") == {"type": "pong"}

    run(test)


def test_frames_are_deflated_for_those_who_offer_it() -> None:
    async def test() -> None:
        async with edge() as paper, paper.client.ws_connect("/stream", compress=15) as raw:
            assert raw.compress == 15
            socket = Socket(raw)
            await socket.hear()
            assert (await socket.subscribe("order_book/1"))["type"] == "subscribed/order_book"
        async with edge() as paper, paper.client.ws_connect("/stream") as raw:
            assert raw.compress == 0

    run(test)


def error(code: int, words: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": words}}


@pytest.mark.parametrize("lost", [ConnectionResetError("reset"), ConnectionError("Connection lost")])
def test_a_connection_that_is_lost_while_its_reader_is_slow_ends_quietly(lost: ConnectionError) -> None:
    """aiohttp raises the one on a new write, the other where a write waits for the reader."""

    class Lost:
        async def send_str(self, text: str) -> None:
            raise lost

    async def test() -> None:
        dropped: list[bool] = []
        connection = Connection(drop=lambda: dropped.append(True), outbox=asyncio.Queue())
        connection.send("{}")
        await stream._write(Lost(), connection)  # type: ignore[arg-type]
        assert dropped == [True]

    asyncio.run(test())


def test_half_a_character_in_a_message_comes_back_as_json_can_write_it() -> None:
    async def test() -> None:
        async with edge() as paper, socket_of(paper) as socket:
            assert (await socket.ask(type="unsubscribe", channel="\ud800"))["error"]["code"] == 30002
            assert (await socket.ask(type="ping")) == {"type": "pong"}

    run(test)

"""Reads give what the venue said, or raise; a send tells what is proved."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.fakes.lighter_server import OWN, FakeLighter, lighter_server, order_row

from lighter_hedge.domain.events import AnswerKind, BurnRequest, Candidate, TxStatus
from lighter_hedge.venue.errors import ReadFailed, TooManyRequests
from lighter_hedge.venue.lighter.rest import Rest, is_loopback, unanswered

CANDIDATE = Candidate(
    nonce=7, request=BurnRequest(), tx_hash="ab", tx_type=16, payload='{"Nonce":7}', signed_ms=1, expires_ms=2
)
Story = Callable[[FakeLighter, Rest], Awaitable[None]]


def tell(story: Story, timeout_seconds: float = 5.0) -> None:
    async def run() -> None:
        async with lighter_server() as fake:
            rest = Rest(fake.base_url + "/", timeout_seconds=timeout_seconds)
            tokens = iter(("first", "second", "third"))
            kept = [next(tokens)]

            async def token(fresh: bool) -> str:
                if fresh:
                    kept[0] = next(tokens)
                return kept[0]

            rest.authorise(token)
            try:
                await story(fake, rest)
            finally:
                await rest.close()

    asyncio.run(run())


def test_public_reads_carry_no_token() -> None:
    async def story(fake: FakeLighter, rest: Rest) -> None:
        assert await rest.next_nonce(OWN, 4) == 7
        assert [row.symbol for row in await rest.markets()] == ["BTC", "ETH"]
        assert (await rest.account(OWN)).index == OWN
        assert fake.requests[0] == ("nextNonce", {"account_index": str(OWN), "api_key_index": "4"}, "")
        assert {token for _, _, token in fake.requests} == {""}

    tell(story)


def test_orders_are_asked_for_in_parts_of_twenty() -> None:
    async def story(fake: FakeLighter, rest: Rest) -> None:
        fake.bodies["accountOrders"] = (200, {"code": 200, "orders": [order_row()]})
        rows = await rest.orders(OWN, tuple(range(1, 23)))
        assert [row.client_order_index for row in rows] == [77, 77]
        assert [query["client_order_indexes"].count(",") + 1 for _, query, _ in fake.requests] == [20, 2]
        assert {token for _, _, token in fake.requests} == {"first"}
        fake.bodies["accountActiveOrders"] = (200, {"code": 200, "orders": None})
        assert await rest.open_orders(OWN, 1) == []

    tell(story)


def test_a_refused_token_is_renewed_once() -> None:
    async def story(fake: FakeLighter, rest: Rest) -> None:
        fake.bodies["accountLimits"] = (401, {"code": 20013, "message": "invalid auth: expired"})
        with pytest.raises(ReadFailed, match="20013"):
            await rest.limits(OWN)
        assert [token for _, _, token in fake.requests] == ["first", "second"]
        fake.bodies["accountLimits"] = (200, {"code": 200, "user_tier": "standard"})
        assert (await rest.limits(OWN)).user_tier == "standard"

    tell(story)


def test_public_reads_are_signed_where_asked_for() -> None:
    async def story(fake: FakeLighter, rest: Rest) -> None:
        await rest.next_nonce(OWN, 4)
        rest.sign_all()
        await rest.next_nonce(OWN, 4)
        fake.bodies["tx"] = (401, {"code": 20013, "message": "invalid auth: expired"})
        with pytest.raises(ReadFailed, match="20013"):
            await rest.tx("ab")
        assert [token for _, _, token in fake.requests] == ["", "first", "first", "second"]

    tell(story)


def test_a_used_up_limit_has_an_error_of_its_own() -> None:
    async def story(fake: FakeLighter, rest: Rest) -> None:
        fake.bodies["nextNonce"] = (429, {"code": 23000, "message": "Too Many Requests!"})
        with pytest.raises(TooManyRequests, match="nextNonce: HTTP 429"):
            await rest.next_nonce(OWN, 4)

    tell(story)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, "nothing here", (TxStatus.NOT_FOUND, "")),
        (400, {"code": 21500, "message": "transaction not found"}, (TxStatus.NOT_FOUND, "")),
        (200, {"code": 29404}, (TxStatus.NOT_FOUND, "")),
        (200, {"code": 200, "hash": "ab", "status": 0}, (TxStatus.FAILED, "")),
        (200, {"code": 200, "hash": "ab", "status": 1}, (TxStatus.PENDING, "")),
        (
            200,
            {
                "code": 200,
                "hash": "ab",
                "status": 3,
                "event_info": '{"ae":"{\\"code\\":21600,\\"message\\":\\"dead\\"}"}',
            },
            (TxStatus.EXECUTED, "21600 dead"),
        ),
    ],
)
def test_a_transaction_is_read_by_its_hash(status: int, body: object, expected: tuple[TxStatus, str]) -> None:
    async def story(fake: FakeLighter, rest: Rest) -> None:
        fake.bodies["tx"] = (status, body)
        assert await rest.tx("ab") == expected
        assert fake.requests[0][1] == {"by": "hash", "value": "ab"}

    tell(story)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (429, {"code": 23000, "message": "Too Many Requests!"}, "HTTP 429, code 23000: Too Many"),
        (200, {"code": 21100, "message": "account not found"}, "code 21100"),
        (200, {"code": 200}, "cannot be read"),
        (502, "<html>", "HTTP 502"),
        (0, "", "nextNonce: ServerDisconnected"),
    ],
)
def test_an_unusable_answer_fails_the_read_and_is_never_zero(status: int, body: object, said: str) -> None:
    async def story(fake: FakeLighter, rest: Rest) -> None:
        fake.bodies["nextNonce"] = (status, body)
        with pytest.raises(ReadFailed, match=said) as caught:
            await rest.next_nonce(OWN, 4)
        assert "nextNonce" in str(caught.value)
        assert unanswered(caught.value) == (status == 0)

    tell(story)


def test_a_token_that_the_venue_repeats_is_not_shown() -> None:
    async def story(fake: FakeLighter, rest: Rest) -> None:
        token = "1785431769:51:4:" + "ab" * 80
        fake.bodies["nextNonce"] = (400, {"code": 20013, "message": f"invalid auth: {token} of 10:20"})
        with pytest.raises(ReadFailed, match="invalid auth: … of 10:20") as caught:
            await rest.next_nonce(OWN, 4)
        assert "abab" not in str(caught.value)

    tell(story)


def test_an_account_that_the_answer_does_not_hold_fails_the_read() -> None:
    async def story(fake: FakeLighter, rest: Rest) -> None:
        fake.bodies["account"] = (200, {"code": 200, "accounts": []})
        with pytest.raises(ReadFailed, match="account 51"):
            await rest.account(OWN)

    tell(story)


def test_nothing_at_the_address_is_told_apart() -> None:
    async def story() -> None:
        rest = Rest("http://127.0.0.1:1")
        with pytest.raises(ReadFailed, match="nextNonce") as caught:
            await rest.next_nonce(OWN, 4)
        assert unanswered(caught.value)
        answer = await rest.send(CANDIDATE)
        assert answer.kind is AnswerKind.NOT_SENT
        await rest.close()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (200, {"code": 200, "tx_hash": "ab"}, AnswerKind.ACCEPTED),
        (400, {"code": 21104, "message": "invalid nonce"}, AnswerKind.BAD_NONCE),
        (400, {"code": 21739, "message": "margin"}, AnswerKind.REJECTED),
        (429, {"code": 23000}, AnswerKind.THROTTLED),
        (503, "", AnswerKind.UNKNOWN),
        (0, "", AnswerKind.UNKNOWN),
    ],
)
def test_a_send_over_http_never_raises(status: int, body: object, kind: AnswerKind) -> None:
    async def story(fake: FakeLighter, rest: Rest) -> None:
        fake.bodies["sendTx"] = (status, body)
        assert (await rest.send(CANDIDATE)).kind is kind
        assert fake.requests == [("sendTx", {"tx_type": "16", "tx_info": '{"Nonce":7}'}, "")]

    tell(story)


def test_a_send_without_an_answer_in_time_is_unknown() -> None:
    """The request was written: it may execute."""

    async def story() -> None:
        release = asyncio.Event()

        async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await release.wait()
            writer.close()

        server = await asyncio.start_server(hold, "127.0.0.1", 0)
        rest = Rest(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout_seconds=0.05)
        answer = await rest.send(CANDIDATE)
        assert (answer.kind, answer.message) == (AnswerKind.UNKNOWN, "sendTx: no answer in time")
        release.set()
        await rest.close()
        server.close()
        await server.wait_closed()

    asyncio.run(story())


@pytest.mark.parametrize(
    ("url", "expected"), [("http://127.0.0.1:9", True), ("ws://localhost:1/stream", True), ("https://a.example", False)]
)
def test_no_proxy_is_asked_for_this_machine(url: str, expected: bool) -> None:
    assert is_loopback(url) is expected

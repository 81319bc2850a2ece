"""The stream opens when everything has answered, says when it is lost, and comes back."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic import SecretStr
from tests.fakes.lighter_server import OTHER, OWN, FakeLighter, book, lighter_server, order_row, trade_row

from lighter_hedge.domain.events import (
    Answer,
    AnswerKind,
    BookReported,
    BurnRequest,
    Candidate,
    FeedClosed,
    FeedOpened,
    MarketHeard,
    OrderReported,
    PositionReported,
    TradeReported,
)
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import Lots, MarketSpec
from lighter_hedge.venue.lighter import parse
from lighter_hedge.venue.lighter.pace import PaceSettings
from lighter_hedge.venue.lighter.websocket import Stream, StreamSettings

BTC = MarketSpec(
    market_index=1,
    symbol="BTC",
    size_decimals=5,
    price_decimals=1,
    min_base_lots=Lots(20),
    min_quote=10_000_000,
    initial_margin_fraction=500,
)
CANDIDATE = Candidate(
    nonce=7, request=BurnRequest(), tx_hash="ab", tx_type=16, payload='{"Nonce":7}', signed_ms=1, expires_ms=2
)
PRIVATE = {f"account_all/{OWN}", f"account_all_orders/{OWN}", f"account_tx/{OWN}", f"user_stats/{OWN}"}
FAST = PaceSettings(first=0.001, most=0.002)


class Heard:
    """What the stream said, in order."""

    def __init__(self) -> None:
        self.events: list[parse.Emitted] = []
        self._more = asyncio.Event()

    def __call__(self, event: parse.Emitted) -> None:
        self.events.append(event)
        self._more.set()

    async def until(self, wanted: Callable[[parse.Emitted], bool], count: int = 1) -> parse.Emitted:
        async with asyncio.timeout(5):
            while True:
                found = [event for event in self.events if wanted(event)]
                if len(found) >= count:
                    return found[count - 1]
                self._more.clear()
                await self._more.wait()

    async def opened(self, count: int = 1) -> None:
        await self.until(lambda event: isinstance(event, FeedOpened), count)

    async def closed(self) -> str:
        event = await self.until(lambda event: isinstance(event, FeedClosed))
        assert isinstance(event, FeedClosed)
        return event.reason


Story = Callable[[FakeLighter, Stream, Heard], Awaitable[None]]


def tell(story: Story, prepare: Callable[[FakeLighter], None] = lambda fake: None, **changes: Any) -> None:
    async def run() -> None:
        async with lighter_server() as fake:
            prepare(fake)
            tokens = iter(range(1000))

            async def token(fresh: bool) -> str:
                assert fresh
                return f"token {next(tokens)}"

            address: dict[str, Any] = {"ws_url": fake.ws_url, "own_account": OWN, "other_account": OTHER}
            settings = StreamSettings(**{**address, "watch_seconds": 0.005, "pace": FAST, **changes})
            scope = parse.Scope(market=BTC, roles={OWN: Role.MAKER, OTHER: Role.HEDGER}, own=Role.MAKER)
            stream, heard = Stream(settings, scope, token, lambda: 0.0), Heard()
            async with asyncio.TaskGroup() as group:
                running = group.create_task(stream.run(heard))
                await story(fake, stream, heard)
                running.cancel()

    asyncio.run(run())


def kinds(heard: Heard) -> list[type]:
    return [type(event) for event in heard.events]


# --- opening ----------------------------------------------------------------------------------------------------


def test_the_feed_opens_after_every_snapshot() -> None:
    def prepare(fake: FakeLighter) -> None:
        fake.snapshots[f"account_all_orders/{OWN}"] = {
            "type": "subscribed/account_all_orders",
            "channel": f"account_all_orders:{OWN}",
            "orders": {"1": [order_row()]},
        }
        fake.snapshots[f"account_all/{OTHER}"] = {
            "type": "subscribed/account_all",
            "channel": f"account_all:{OTHER}",
            "positions": {"1": {"market_id": 1, "sign": -1, "position": "0.00100"}},
            "trades": {"1": [trade_row()]},
        }

    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        await heard.opened()
        assert kinds(heard)[-1] is FeedOpened
        assert {OrderReported, BookReported, MarketHeard} <= set(kinds(heard))
        assert PositionReported(role=Role.HEDGER, lots=-100) in heard.events
        assert TradeReported not in kinds(heard)
        authorised = {said["channel"] for said in fake.heard if said.get("auth") == "token 0"}
        assert authorised == PRIVATE | {f"account_all/{OTHER}"}
        assert {said["channel"] for said in fake.heard} - authorised == {"order_book/1", "ticker/1", "market_stats/1"}

    tell(story, prepare)


def test_a_channel_that_does_not_answer_keeps_the_feed_closed() -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        assert await heard.closed() == f"no answer from account_tx:{OWN}"
        assert FeedOpened not in kinds(heard)
        assert await stream.send(CANDIDATE) is None
        fake.silent_channels.clear()
        await heard.opened()

    tell(story, lambda fake: fake.silent_channels.add(f"account_tx/{OWN}"), subscribe_seconds=0.03)


def test_nothing_is_sent_over_a_feed_that_is_not_open() -> None:
    """A bare error could not be told from a refused subscription."""

    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        await heard.until(lambda event: isinstance(event, BookReported))
        assert await stream.send(CANDIDATE) is None
        assert FeedClosed not in kinds(heard)

    tell(story, lambda fake: fake.silent_channels.add("market_stats/1"))


@pytest.mark.parametrize(("status", "pause"), [(429, 59.0), (503, 0.0)])
def test_a_refused_handshake_is_named(status: int, pause: float) -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        assert await heard.closed() == f"the venue's stream answers HTTP {status}"
        assert stream.pause_seconds() >= pause

    tell(story, lambda fake: setattr(fake, "refusal", status))


def test_nothing_at_the_address_is_named() -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        assert (await heard.closed()).startswith("no stream at ws://127.0.0.1:1/stream: ")

    tell(story, ws_url="ws://127.0.0.1:1/stream")


def test_a_server_that_does_not_greet_is_left() -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        assert await heard.closed() == "no answer from connected"

    tell(story, lambda fake: setattr(fake, "greet", False), subscribe_seconds=0.03)


def test_a_refused_subscription_closes_the_feed() -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        assert await heard.closed() == "the venue refuses: 20013 invalid auth"

    def prepare(fake: FakeLighter) -> None:
        fake.snapshots[f"account_tx/{OWN}"] = {"error": {"code": 20013, "message": "invalid auth"}}

    tell(story, prepare)


def test_the_same_reason_is_said_once_while_nothing_opens() -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        await heard.closed()
        await fake.connected(3)
        assert kinds(heard).count(FeedClosed) == 1

    tell(story, lambda fake: setattr(fake, "hang_up", True))


# --- following --------------------------------------------------------------------------------------------------


def test_frames_of_both_accounts_are_passed_on_as_they_come() -> None:
    """Doubled ones too: the domain knows trades by their id."""

    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        await heard.opened()
        for account in (OWN, OWN, OTHER):
            channel = f"account_all:{account}"
            await fake.push({"type": "update/account_all", "channel": channel, "trades": {"1": [trade_row()]}})
        await heard.until(lambda event: isinstance(event, TradeReported), 3)
        roles = [event.role for event in heard.events if isinstance(event, TradeReported)]
        assert roles == [Role.MAKER, Role.MAKER, Role.HEDGER]

    tell(story)


def test_the_venues_ping_is_answered() -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        await heard.opened()
        await fake.push({"type": "ping"})
        await fake.heard_until(lambda said: said["type"] == "pong")

    tell(story)


def test_a_quiet_client_pings() -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        await fake.heard_until(lambda said: said["type"] == "ping")

    tell(story, ping_seconds=0.02)


def test_tokens_reach_no_log(caplog: pytest.LogCaptureFixture) -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        await heard.opened()
        await stream.send(CANDIDATE)

    with caplog.at_level(logging.DEBUG):
        tell(story)
    assert "token 0" not in caplog.text
    assert "Nonce" not in caplog.text


def test_the_other_account_may_have_a_token_of_its_own() -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        await heard.opened()
        shown = {said["channel"]: said["auth"] for said in fake.heard if "auth" in said}
        assert shown[f"account_all/{OTHER}"] == "ro:token"
        assert shown[f"account_all/{OWN}"] == "token 0"

    tell(story, other_token=SecretStr("ro:token"))


def test_a_venue_that_is_asked_too_often_is_left_alone() -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        assert await heard.closed() == "the venue refuses: 30009 Too Many"
        assert stream.pause_seconds() > 59
        assert fake.connections == 1

    def prepare(fake: FakeLighter) -> None:
        fake.snapshots["ticker/1"] = {"error": {"code": 30009, "message": "Too Many"}}

    tell(story, prepare)


def test_unknown_frames_are_passed_over() -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        await heard.opened()
        await fake.push({"type": "update/height", "height": 5})
        await fake.push({"error": {"code": 30009, "message": "Too Many"}})
        await fake.push({"error": {"code": 21702, "message": "of a send that nobody waits for"}})
        await fake.push({"type": "update/ticker", "channel": "ticker:1"})
        await heard.until(lambda event: event == MarketHeard(), 2)
        assert FeedClosed not in kinds(heard)

    tell(story)


def test_the_book_is_asked_for_anew_once_at_a_time() -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        await heard.opened()
        before = len(fake.heard)
        stream.resubscribe_book()
        stream.resubscribe_book()
        await heard.until(lambda event: isinstance(event, BookReported) and event.snapshot, 2)
        assert [said["type"] for said in fake.heard[before:]] == ["unsubscribe", "subscribe"]
        stream.resubscribe_book()
        await heard.until(lambda event: isinstance(event, BookReported) and event.snapshot, 3)
        await fake.push(book("update", nonce=11, begin_nonce=10))
        await heard.until(lambda event: isinstance(event, BookReported) and not event.snapshot)
        assert kinds(heard).count(FeedOpened) == 1

    tell(story)


# --- losing -----------------------------------------------------------------------------------------------------


def test_a_lost_connection_comes_back_with_a_fresh_token() -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        await heard.opened()
        await fake.drop()
        await heard.opened(2)
        assert kinds(heard).count(FeedClosed) == 1
        assert {said["auth"] for said in fake.heard if "auth" in said} == {"token 0", "token 1"}

    tell(story)


def test_silence_is_a_dead_connection() -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        await heard.opened()
        assert await heard.closed() == "nothing was heard for 0.05 s"
        await heard.opened(2)

    tell(story, silence_seconds=0.05)


def test_an_old_connection_is_renewed_before_its_token_ends() -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        assert await heard.closed() == "the connection's token is old"

    tell(story, age_seconds_max=0.05)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ({"type": "shutdown", "close_in_ms": 1000}, "the venue announces its shutdown"),
        ({"type": "error", "code": 20013, "message": "invalid auth"}, "the venue refuses: 20013 invalid auth"),
        ({"type": "update/account_all", "channel": f"account_all:{OWN}", "trades": {"1": [{}]}}, "cannot be read"),
    ],
)
def test_frames_that_end_the_feed(frame: dict[str, Any], reason: str) -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        await heard.opened()
        await fake.push(frame)
        assert reason in await heard.closed()

    tell(story)


# --- sending ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ({"type": "jsonapi/sendtx", "code": 200}, Answer(kind=AnswerKind.ACCEPTED, code=200)),
        (
            {"type": "jsonapi/sendtx", "code": 21104, "message": "invalid nonce"},
            Answer(kind=AnswerKind.BAD_NONCE, code=21104, message="invalid nonce"),
        ),
        (
            {"type": "jsonapi/sendtx", "error": {"code": 21702, "message": "price"}},
            Answer(kind=AnswerKind.REJECTED, code=21702, message="price"),
        ),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_a_reply_answers_its_send(reply: dict[str, Any], expected: Answer, named: bool) -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        await heard.opened()
        fake.replies = lambda data: [reply | ({"id": data["id"]} if named else {})]
        assert await stream.send(CANDIDATE) == expected
        assert fake.heard[-1]["data"] == {"id": "1", "tx_type": 16, "tx_info": {"Nonce": 7}}

    tell(story)


def test_replies_may_be_nested() -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        await heard.opened()
        fake.replies = lambda data: [{"type": "jsonapi/sendtx", "data": {"id": data["id"], "code": 200}}]
        answer = await stream.send(CANDIDATE)
        assert answer is not None
        assert answer.kind is AnswerKind.ACCEPTED

    tell(story)


def test_an_error_without_type_and_id_answers_the_send_under_way() -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        await heard.opened()
        fake.replies = lambda data: [{"error": {"code": 21733, "message": "fat finger"}}]
        assert await stream.send(CANDIDATE) == Answer(kind=AnswerKind.REJECTED, code=21733, message="fat finger")
        assert FeedClosed not in kinds(heard)

    tell(story)


def test_a_send_without_reply_is_unknown() -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        await heard.opened()
        fake.replies = lambda data: []
        assert await stream.send(CANDIDATE) == Answer(kind=AnswerKind.UNKNOWN, message="no reply in 0.02 s")

    tell(story, reply_seconds=0.02)


def test_a_send_under_way_when_the_connection_is_lost_is_unknown() -> None:
    async def story(fake: FakeLighter, stream: Stream, heard: Heard) -> None:
        await heard.opened()
        fake.replies = lambda data: []
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(stream.send(CANDIDATE))
            await fake.heard_until(lambda said: said["type"] == "jsonapi/sendtx")
            await fake.drop()
        answer = sending.result()
        assert answer is not None
        assert answer.kind is AnswerKind.UNKNOWN
        assert "connection lost" in answer.message

    tell(story)

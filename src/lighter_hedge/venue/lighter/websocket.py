"""The venue's stream: one connection that follows the market and both accounts, and carries sends.

A feed is open once every subscription has answered with its snapshot. It is lost when the connection is, when nothing
was read for ``silence_seconds``, when a subscription is refused, and when a frame cannot be read, since that frame
may have held a fill. It then comes back by itself, with a fresh token.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

import msgspec
from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.protocol import State

from lighter_hedge.domain.events import Answer, Candidate, FeedClosed, FeedOpened
from lighter_hedge.domain.units import UnitError
from lighter_hedge.venue.lighter import models, parse
from lighter_hedge.venue.lighter.answers import answer_of_code, unknown
from lighter_hedge.venue.lighter.inflight import InFlight
from lighter_hedge.venue.lighter.pace import Pace, PaceSettings
from lighter_hedge.venue.lighter.rest import is_loopback
from lighter_hedge.venue.port import OnEvent

FRAME_BYTES_MAX = 16 * 1024 * 1024
PING = '{"type":"ping"}'
PONG = '{"type":"pong"}'
# The library would write frames with tokens in them to a log of level DEBUG.
_quiet = logging.getLogger("lighter_hedge.websocket")
_quiet.setLevel(logging.WARNING)
_chance = random.SystemRandom().random


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSettings:
    """Addresses and times of the stream, times in seconds."""

    ws_url: str
    own_account: int
    other_account: int
    other_token: SecretStr | None = None
    """A read-only token of the other account, should the venue want one for its channel; else our own is shown."""
    public_alone: bool = False
    """Follow only what the venue shows to anybody: no token, no account's own channels, no order book."""
    silence_seconds: float = 5.0
    """The market's channels speak several times a second: a longer silence is a dead connection."""
    ping_seconds: float = 30.0
    """The venue drops a client that says nothing for two minutes."""
    subscribe_seconds: float = 10.0
    reply_seconds: float = 2.0
    connect_seconds: float = 5.0
    age_seconds_max: float = 7 * 3600.0
    """Older than this, a connection's token may have expired: take a new one."""
    watch_seconds: float = 0.25
    pace: PaceSettings = field(default_factory=PaceSettings)


@dataclass(slots=True, kw_only=True)
class _Link:
    """One connection and what it waits for."""

    connection: ClientConnection
    since: float
    heard: float
    said: float
    asked: float
    """When what is waited for was asked for."""
    waiting: set[str] = field(default_factory=lambda: {"connected"})
    """What has not been answered: the greeting, then the snapshot of each channel."""
    opened: float | None = None
    outbox: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    in_flight: InFlight = field(default_factory=InFlight)
    lost: str = ""
    throttled: bool = False

    def abandon(self, why: str) -> None:
        """Give the connection up without waiting for the other end."""
        self.lost = self.lost or why
        self.connection.transport.abort()


class Stream:
    """Follows the market and both accounts; sends over the same connection while its feed is open."""

    def __init__(
        self,
        settings: StreamSettings,
        scope: parse.Scope,
        token: Callable[[bool], Awaitable[str]],
        chance: Callable[[], float] = _chance,
    ) -> None:
        self._settings = settings
        self._scope = scope
        self._token = token
        self._chance = chance
        self._link: _Link | None = None
        self._pace = Pace(settings.pace)
        self._book_channel = f"order_book/{scope.market.market_index}"

    async def run(self, on_event: OnEvent) -> None:
        """Follow until cancelled. Says ``FeedClosed`` for each loss, and for each new reason of not getting in."""
        said = ""
        while True:
            await asyncio.sleep(self.pause_seconds())
            self._pace.attempted(_now())
            opened, throttled, why = await self._session(on_event)
            self._pace.ended(_now(), _now() - opened if opened else 0.0, throttled=throttled)
            if opened is None and why != said:
                on_event(FeedClosed(reason=why))
            said = "" if opened else why

    def pause_seconds(self) -> float:
        """How long the next connection would be waited for."""
        return self._pace.wait_seconds(_now(), self._chance())

    async def send(self, candidate: Candidate) -> Answer | None:
        """Send over the stream; None, with nothing written, while its feed is not open."""
        link = self._link
        if link is None or link.opened is None or link.lost or link.connection.state is not State.OPEN:
            return None
        link.said = _now()
        flight = link.in_flight.begin(link.said)
        text = (
            f'{{"type":"jsonapi/sendtx","data":{{"id":"{flight.id}","tx_type":{candidate.tx_type},'
            f'"tx_info":{candidate.payload}}}}}'
        )
        try:
            async with asyncio.timeout(self._settings.reply_seconds):
                await link.connection.send(text)
                return await flight.answer
        except TimeoutError:
            return unknown(f"no reply in {self._settings.reply_seconds:g} s")
        except ConnectionClosed as error:
            return unknown(f"connection lost: {error}")

    def resubscribe_book(self) -> None:
        """Ask for a fresh snapshot of the order book, unless one is under way."""
        link = self._link
        channel = self._book_channel
        if link is None or _inbound(channel) in link.waiting:
            return
        link.outbox.put_nowait(_text({"type": "unsubscribe", "channel": channel}))
        self._subscribe(link, [channel], "")

    # --- one connection -----------------------------------------------------------------------------------------

    async def _session(self, on_event: OnEvent) -> tuple[float | None, bool, str]:
        """Since when the feed was open, whether the venue complained of too many requests, why it ended."""
        token = await self._token(True)
        proxy: Literal[True] | None = None if is_loopback(self._settings.ws_url) else True
        try:
            async with connect(
                self._settings.ws_url,
                compression=None,
                logger=_quiet,
                max_size=FRAME_BYTES_MAX,
                ping_interval=None,
                open_timeout=self._settings.connect_seconds,
                close_timeout=1,
                proxy=proxy,
            ) as connection:
                return await self._follow(connection, token, on_event)
        except InvalidStatus as error:
            status = error.response.status_code
            return None, status in models.CODES_THROTTLED, f"the venue's stream answers HTTP {status}"
        except (OSError, TimeoutError, WebSocketException) as error:
            return None, False, f"no stream at {self._settings.ws_url}: {type(error).__name__}: {error}"

    async def _follow(
        self, connection: ClientConnection, token: str, on_event: OnEvent
    ) -> tuple[float | None, bool, str]:
        link = self._link = _begun(connection)
        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(self._keep(link))
            try:
                why = await self._read(link, token, on_event)
            finally:
                self._link = None
                keeper.cancel()
                link.in_flight.lose("connection lost")
            if link.opened is not None:
                on_event(FeedClosed(reason=why))
            connection.transport.abort()
        return link.opened, link.throttled, why

    async def _read(self, link: _Link, token: str, on_event: OnEvent) -> str:
        """Read frames until the connection is lost; why it was."""
        connection = link.connection
        try:
            while not link.lost:
                raw = await connection.recv(decode=False)
                link.heard = _now()
                self._take(link, parse.frame_of(raw), token, on_event)
                # What a frame has caused (a send, a message) leaves before the next buffered frame is looked at.
                await asyncio.sleep(0)
        except ConnectionClosed as error:
            return link.lost or f"connection lost: {error}"
        except (msgspec.DecodeError, UnitError) as error:
            return f"a frame cannot be read: {error}"
        return link.lost

    def _take(self, link: _Link, frame: models.Frame | models.BareFrame, token: str, on_event: OnEvent) -> None:
        match frame:
            case models.Connected():
                link.waiting.clear()
                self._subscribe(link, self._channels(), token)
            case models.Ping():
                link.outbox.put_nowait(PONG)
            case models.Shutdown():
                link.lost = "the venue announces its shutdown"
            case models.SendReply():
                _take_reply(link, frame)
            case models.ErrorFrame():
                _take_error(link, frame.error or models.ErrorBody(code=frame.code, message=frame.message), frame.id)
            case models.BareFrame():
                if frame.error is not None:
                    _take_error(link, frame.error, "")
            case _:
                for event in parse.events_of(frame, self._scope):
                    on_event(event)
                if link.waiting and isinstance(frame, models.SNAPSHOTS):
                    self._answered(link, frame.channel, on_event)

    def _answered(self, link: _Link, channel: str, on_event: OnEvent) -> None:
        link.waiting.discard(channel)
        if not link.waiting and link.opened is None:
            link.opened = _now()
            on_event(FeedOpened())

    def _channels(self) -> list[str]:
        market, own, other = self._scope.market.market_index, self._settings.own_account, self._settings.other_account
        if self._settings.public_alone:
            return [f"account_all/{own}", f"account_all/{other}", f"market_stats/{market}"]
        return [
            f"account_all/{own}",
            f"account_all_orders/{own}",
            f"account_tx/{own}",
            f"user_stats/{own}",
            f"account_all/{other}",
            self._book_channel,
            f"ticker/{market}",
            f"market_stats/{market}",
        ]

    def _subscribe(self, link: _Link, channels: list[str], token: str) -> None:
        link.asked = _now()
        for channel in channels:
            link.waiting.add(_inbound(channel))
            message = {"type": "subscribe", "channel": channel}
            if channel.startswith(("account", "user")) and not self._settings.public_alone:
                message["auth"] = self._auth(channel, token)
            link.outbox.put_nowait(_text(message))

    def _auth(self, channel: str, token: str) -> str:
        others = self._settings.other_token
        if others is not None and channel == f"account_all/{self._settings.other_account}":
            return others.get_secret_value()
        return token

    # --- keeping it alive ---------------------------------------------------------------------------------------

    async def _keep(self, link: _Link) -> None:
        """Write what waits to be said, and watch the connection, until cancelled or closed."""
        while True:
            try:
                async with asyncio.timeout(self._settings.watch_seconds):
                    text = await link.outbox.get()
            except TimeoutError:
                self._watch(link, _now())
                continue
            try:
                await link.connection.send(text)
            except ConnectionClosed:
                return
            link.said = _now()

    def _watch(self, link: _Link, now: float) -> None:
        settings = self._settings
        if now - link.heard > settings.silence_seconds:
            link.abandon(f"nothing was heard for {settings.silence_seconds:g} s")
        elif link.waiting and now - link.asked > settings.subscribe_seconds:
            link.abandon(f"no answer from {', '.join(sorted(link.waiting))}")
        elif now - link.since > settings.age_seconds_max:
            link.abandon("the connection's token is old")
        elif now - link.said > settings.ping_seconds:
            link.outbox.put_nowait(PING)


def _begun(connection: ClientConnection) -> _Link:
    now = _now()
    return _Link(connection=connection, since=now, heard=now, said=now, asked=now)


def _take_reply(link: _Link, frame: models.SendReply) -> None:
    body = frame.error or frame.data or frame
    flight_id = frame.id or (frame.data.id if frame.data else "")
    answer = answer_of_code(body.code, body.message)
    if flight_id:
        link.in_flight.reply(flight_id, answer)
    else:
        link.in_flight.reply_without_id(answer, _now())


def _take_error(link: _Link, error: models.ErrorBody, flight_id: str) -> None:
    answer = answer_of_code(error.code, error.message)
    if flight_id:
        link.in_flight.reply(flight_id, answer)
        return
    if error.code in models.CODES_SUBSCRIPTION or link.opened is None:
        link.throttled = error.code in models.CODES_THROTTLED
        link.lost = f"the venue refuses: {error.code} {answer.message}"
        return
    # Of no send under way: about a ping, or about a send that was given up long ago. Neither ends the feed.
    link.in_flight.reply_without_id(answer, _now())


def _inbound(channel: str) -> str:
    """The venue writes in its frames ``order_book:1`` for the channel ``order_book/1``."""
    return channel.replace("/", ":")


def _text(message: dict[str, str]) -> str:
    return msgspec.json.encode(message).decode()


def _now() -> float:
    return asyncio.get_running_loop().time()

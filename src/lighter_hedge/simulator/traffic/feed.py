"""The public feed of a venue: books, trades and statistics of some markets, without a key.

One connection, subscribed to ``order_book``, ``trade`` and ``market_stats`` of each market. It comes back by
itself, each time with a fresh snapshot: after a loss, after ``silence_seconds`` in which not even a ping was
answered, and after a frame that cannot be read. A book whose ``begin_nonce`` shows a gap is subscribed to
anew; its changes are left out until the snapshot has come. So what the feed tells of a book is always a
snapshot and the changes that follow it.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from ipaddress import ip_address
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import aiohttp
import msgspec

from lighter_hedge.simulator.traffic.tape_lines import BookLine, TapeLine, parse_frame

Frame: TypeAlias = dict[str, Any]
OnFrame: TypeAlias = Callable[[Frame, list[TapeLine]], None]

FRAME_BYTES_MAX = 16 * 1024 * 1024
TOO_MANY = (429, 405, 30009)
"""Answers of the venue to a client that asks too often."""
_CLOSE = aiohttp.ClientWSTimeout(ws_close=0.5)
_CHANNELS = ("order_book", "trade", "market_stats")
_MALFORMED = (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


class FeedError(Exception):
    """The venue's feed cannot be followed; the message names the address and what to do."""


class Unreadable(ValueError):
    """What a frame says cannot be: raised by who hears it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSettings:
    """Where the feed is, and its times in seconds."""

    base_url: str
    """Of the venue, for example ``https://mainnet.zklighter.elliot.ai``."""
    silence_seconds: float = 5.0
    ping_seconds: float = 2.0
    connect_seconds: float = 10.0
    retry_seconds_first: float = 0.25
    retry_seconds_max: float = 5.0
    stable_seconds: float = 10.0
    """A connection of this age was no failure."""
    throttled_seconds: float = 60.0
    regap_seconds: float = 1.0
    """A second gap of a book within this time ends the connection: asking again did not help."""

    def __post_init__(self) -> None:
        """Check the address.

        Raises:
            FeedError: it is not that of a venue.
        """
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
            raise FeedError(
                f"{self.base_url!r} is not the address of a venue: "
                "give scheme and host alone, for example https://mainnet.zklighter.elliot.ai"
            )

    def url(self, path: str) -> str:
        """An address of the venue's REST."""
        return self.base_url.rstrip("/") + path

    @property
    def stream_url(self) -> str:
        """The venue's WebSocket; ``readonly`` is also served where trading is not."""
        return "ws" + self.url("/stream?readonly=true").removeprefix("http")

    def session(self) -> aiohttp.ClientSession:
        """A session that goes through the proxy of the environment, unless the venue is this machine."""
        return aiohttp.ClientSession(trust_env=not _is_loopback(urlsplit(self.base_url).hostname or ""))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


async def listed(settings: FeedSettings, symbols: Sequence[str]) -> dict[int, str]:
    """The venue's index of each market, as ``{index: symbol}``.

    Raises:
        FeedError: the venue does not answer, or lists no such market.
    """
    url = settings.url("/api/v1/orderBooks")
    timeout = aiohttp.ClientTimeout(total=settings.connect_seconds)
    try:
        async with settings.session() as session, session.get(url, timeout=timeout) as answer:
            if answer.status != 200:
                raise FeedError(f"{url} answers HTTP {answer.status}: is this the address of a Lighter venue?")
            body = msgspec.json.decode(await answer.read())
        found = {str(row["symbol"]): int(row["market_id"]) for row in body["order_books"]}
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise FeedError(
            f"nothing answers at {url}: {type(error).__name__} {error}: check address and network"
        ) from error
    except _MALFORMED as error:
        raise FeedError(f"{url} does not list markets: is this the address of a Lighter venue?") from error
    for symbol in symbols:
        if symbol not in found:
            raise FeedError(f"the venue lists no market {symbol!r}; it lists: {', '.join(sorted(found)) or 'none'}")
    return {found[symbol]: symbol for symbol in symbols}


class Verdict(Enum):
    """What to do with a frame of a book."""

    TAKE = auto()
    LEAVE = auto()
    """It is from before the snapshot, or came twice."""
    GAP = auto()


class Chain:
    """One market's book on the wire: what its frames follow."""

    def __init__(self, now: float) -> None:
        self.broken_since: float | None = now
        """When the book was last known, None while it is."""
        self.gap_at = float("-inf")
        self._nonce: int | None = None

    def take(self, frame: Frame, line: BookLine) -> Verdict:
        """Judge a frame; sizes are absolute, so a change may overlap what is known, but leave nothing out."""
        if line.snapshot:
            self._nonce, self.broken_since = line.sequence, None
            return Verdict.TAKE
        if self._nonce is None or line.sequence <= self._nonce:
            return Verdict.LEAVE
        begin = frame["order_book"].get("begin_nonce")
        if begin is not None and int(begin) > self._nonce:
            return Verdict.GAP
        self._nonce = line.sequence
        return Verdict.TAKE

    def lose(self, now: float) -> None:
        """Nothing follows any more until the next snapshot."""
        self._nonce = None
        self.broken_since = now if self.broken_since is None else self.broken_since


class Feed:
    """Follows some markets, by the venue's index."""

    def __init__(
        self,
        settings: FeedSettings,
        markets: Sequence[int],
        *,
        say: Callable[[str], None] | None = None,
        now: Callable[[], float] | None = None,
    ) -> None:
        self.settings = settings
        self.chains: dict[int, Chain] = {}
        self._markets = tuple(markets)
        self._say = say or (lambda _text: None)
        self._now = now or _loop_seconds
        self._outbox: list[dict[str, str]] = []
        self._throttled = False
        self._lost = ""
        """Why the feed was lost, as it was said; empty while it is not."""

    async def run(self, on_frame: OnFrame) -> None:
        """Follow until cancelled. ``on_frame`` hears each frame that counts, with what it says.

        An ``Unreadable`` that ``on_frame`` raises ends the connection, as any frame that cannot be read.
        """
        self.chains = {market: Chain(self._now()) for market in self._markets}
        failures = 0
        async with self.settings.session() as session:
            while True:
                began = self._now()
                why = await self._session(session, on_frame)
                for chain in self.chains.values():
                    chain.lose(self._now())
                if why != self._lost:
                    self._say(f"feed lost: {why}; trying again")
                    self._lost = why
                failures = 0 if self._now() - began >= self.settings.stable_seconds else failures + 1
                await asyncio.sleep(self._pause_seconds(failures))

    def _pause_seconds(self, failures: int) -> float:
        if self._throttled:
            return self.settings.throttled_seconds
        return float(min(self.settings.retry_seconds_max, self.settings.retry_seconds_first * 2 ** min(failures, 16)))

    async def _session(self, session: aiohttp.ClientSession, on_frame: OnFrame) -> str:
        """Follow one connection to its end; why it ended."""
        self._throttled = False
        url = self.settings.stream_url
        try:
            async with asyncio.timeout(self.settings.connect_seconds):
                socket = await session.ws_connect(url, max_msg_size=FRAME_BYTES_MAX, timeout=_CLOSE)
        except aiohttp.WSServerHandshakeError as error:
            self._throttled = error.status in TOO_MANY
            return f"{url} answers HTTP {error.status}"
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return f"no stream at {url}: {type(error).__name__} {error}"
        try:
            self._outbox = [
                {"type": "subscribe", "channel": f"{name}/{market}"} for market in self._markets for name in _CHANNELS
            ]
            return await self._follow(socket, on_frame)
        except ConnectionResetError as error:
            return f"connection lost: {error}"
        finally:
            await socket.close()

    async def _follow(self, socket: aiohttp.ClientWebSocketResponse, on_frame: OnFrame) -> str:
        heard = said = self._now()
        while True:
            if self._now() - said >= self.settings.ping_seconds:
                self._outbox.append({"type": "ping"})
                said = self._now()
            while self._outbox:
                await socket.send_str(json.dumps(self._outbox.pop(0)))
            try:
                message = await socket.receive(timeout=self.settings.ping_seconds)
            except TimeoutError:
                if self._now() - heard >= self.settings.silence_seconds:
                    return f"nothing heard for {self.settings.silence_seconds:g} s"
                continue
            heard = self._now()
            if message.type is not aiohttp.WSMsgType.TEXT:
                return f"closed by the venue with code {socket.close_code}"
            why = self._hear(message.data, on_frame)
            if why:
                return why

    def _hear(self, text: str, on_frame: OnFrame) -> str:
        """Take one frame; why the connection must end, or nothing."""
        try:
            frame = msgspec.json.decode(text)
            if "error" in frame or frame.get("type") == "error":
                error = frame.get("error", frame)
                code = int(error["code"])
                self._throttled = code in TOO_MANY
                return f"refused with {code}: {error.get('message')}"
            if frame.get("type") == "ping":
                self._outbox.append({"type": "pong"})
            lines, why = self._judge(frame)
        except _MALFORMED as error:
            return _unreadable(error, text)
        if lines:
            try:
                on_frame(frame, lines)
            except Unreadable as error:
                return _unreadable(error, text)
        return why

    def _judge(self, frame: Frame) -> tuple[list[TapeLine], str]:
        """What a frame says that follows what is known, and why the connection must end."""
        name, _, index = str(frame.get("channel", "")).partition(":")
        if name not in _CHANNELS or "/" not in str(frame["type"]):
            return [], ""
        chain, lines = self.chains[int(index)], list(parse_frame(0, frame))
        for line in lines:
            if line.market != int(index):
                raise ValueError(f"market {line.market} in a frame of market {index}")
            if isinstance(line, BookLine):
                verdict = chain.take(frame, line)
                if verdict is Verdict.GAP:
                    return [], self._resubscribe(int(index), chain)
                if verdict is Verdict.LEAVE:
                    return [], ""
                self._say_found()
        return lines, ""

    def _say_found(self) -> None:
        if self._lost and all(chain.broken_since is None for chain in self.chains.values()):
            self._say("feed is back")
            self._lost = ""

    def _resubscribe(self, market: int, chain: Chain) -> str:
        if self._now() - chain.gap_at < self.settings.regap_seconds:
            return f"the book of market {market} has gap after gap"
        chain.gap_at = self._now()
        chain.lose(self._now())
        self._say(f"gap in the book of market {market}: subscribing anew")
        self._outbox += [{"type": verb, "channel": f"order_book/{market}"} for verb in ("unsubscribe", "subscribe")]
        return ""


def _unreadable(error: Exception, text: str) -> str:
    return f"a frame cannot be read: {type(error).__name__} {error}: {text[:200]}"


def _loop_seconds() -> float:
    return asyncio.get_running_loop().time()

"""The venue's REST API: the reads that the desk needs, and a send for the time when the stream is down.

A read that gives no usable answer raises ``ReadFailed`` with its endpoint and status, never with a token.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec

from lighter_hedge.domain.events import Answer, AnswerKind, Candidate, TxStatus
from lighter_hedge.venue.errors import ReadFailed, TooManyRequests
from lighter_hedge.venue.lighter import models, parse
from lighter_hedge.venue.lighter.answers import answer_of_http, presentable, unknown

TIMEOUT_SECONDS = 5.0
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

Token = Callable[[bool], Awaitable[str]]
"""Gives an auth token; True asks for a fresh one."""

Params = dict[str, str | int]
UNAUTHORIZED, TOO_MANY_REQUESTS = 401, 429
T = TypeVar("T")

_envelope = msgspec.json.Decoder(models.Envelope, strict=False)


class ReadRefused(ReadFailed):
    """The venue answered a read with a code of its own."""

    def __init__(self, endpoint: str, status: int, envelope: models.Envelope) -> None:
        super().__init__(f"{endpoint}: HTTP {status}, code {envelope.code}: {presentable(envelope.message)}")
        self.code = envelope.code


class Rest:
    """A thin client of the venue's REST API. Must be made within a running event loop."""

    def __init__(self, base_url: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._base = base_url.rstrip("/")
        self._token: Token | None = None
        self._all_signed = False
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=timeout_seconds),
            trust_env=not is_loopback(base_url),
        )

    def authorise(self, token: Token) -> None:
        """Sign the reads that need it from now on."""
        self._token = token

    def sign_all(self) -> None:
        """Sign public reads too: they then count on the wallet, no longer on the 60 a minute of an address."""
        self._all_signed = True

    async def close(self) -> None:
        """Release the sockets."""
        await self._session.close()

    # --- public -------------------------------------------------------------------------------------------------

    async def markets(self) -> list[models.MarketDetails]:
        """All perpetual markets."""
        return (await self._read("orderBookDetails", {}, models.MarketList)).order_book_details

    async def account(self, account_index: int) -> models.AccountDetails:
        """An account: position, collateral and wallet are public."""
        params: Params = {"by": "index", "value": account_index}
        found = (await self._read("account", params, models.AccountList)).accounts
        for row in found:
            if row.index == account_index:
                return row
        raise ReadFailed(f"account: the venue's answer does not hold account {account_index}")

    async def api_keys(self, account_index: int) -> list[models.ApiKey]:
        """All API keys of an account, with their public keys."""
        params: Params = {"account_index": account_index, "api_key_index": models.KEY_INDEX_ALL}
        return (await self._read("apikeys", params, models.ApiKeyList)).api_keys

    async def next_nonce(self, account_index: int, api_key_index: int) -> int:
        """The next nonce of a key. An account that does not exist has nonce 0 at the venue, without an error."""
        params: Params = {"account_index": account_index, "api_key_index": api_key_index}
        return (await self._read("nextNonce", params, models.NextNonce)).nonce

    async def tx(self, tx_hash: str) -> tuple[TxStatus, str]:
        """Status of a transaction by its hash, and what the sequencer said where it had no effect."""
        status, body = await self._fetch("tx", {"by": "hash", "value": tx_hash}, signed=False)
        if status == 404 or _code_of(body) in (models.CODE_TX_NOT_FOUND, models.CODE_NOT_FOUND):
            return TxStatus.NOT_FOUND, ""
        row = decoded("tx", status, body, models.TxRow)
        return parse.tx_status(row.status), parse.sequencer_error(row.event_info)

    # --- private ------------------------------------------------------------------------------------------------

    async def orders(self, account_index: int, coids: tuple[int, ...]) -> list[models.OrderRow]:
        """Rows of orders by client order index, open and closed."""
        rows: list[models.OrderRow] = []
        for start in range(0, len(coids), models.ORDERS_PER_READ):
            part = coids[start : start + models.ORDERS_PER_READ]
            params: Params = {"account_index": account_index, "client_order_indexes": ",".join(map(str, part))}
            found = await self._read("accountOrders", params, models.OrderList, signed=True)
            rows += found.orders or []
        return rows

    async def open_orders(self, account_index: int, market_index: int) -> list[models.OrderRow]:
        """Rows of all open orders in a market."""
        params: Params = {"account_index": account_index, "market_id": market_index}
        return (await self._read("accountActiveOrders", params, models.OrderList, signed=True)).orders or []

    async def closed_orders(self, account_index: int, market_index: int) -> list[models.OrderRow]:
        """Rows of the newest closed orders in a market."""
        params: Params = {"account_index": account_index, "market_id": market_index, "limit": models.CLOSED_ORDERS_READ}
        return (await self._read("accountInactiveOrders", params, models.OrderList, signed=True)).orders or []

    async def limits(self, account_index: int) -> models.AccountLimits:
        """Tier and fees of an account."""
        params: Params = {"account_index": account_index}
        return await self._read("accountLimits", params, models.AccountLimits, signed=True)

    # --- sending ------------------------------------------------------------------------------------------------

    async def send(self, candidate: Candidate) -> Answer:
        """Send signed bytes over HTTP. Never raises for what the network or the venue does."""
        form = {"tx_type": str(candidate.tx_type), "tx_info": candidate.payload}
        try:
            async with self._session.post(f"{self._base}/api/v1/sendTx", data=form) as response:
                return answer_of_http(response.status, await response.read())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Answer(kind=AnswerKind.NOT_SENT, message=_name(error))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return unknown(f"sendTx: {_name(error)}")

    # --- how ----------------------------------------------------------------------------------------------------

    async def _read(self, endpoint: str, params: Params, kind: type[T], *, signed: bool = False) -> T:
        status, body = await self._fetch(endpoint, params, signed=signed)
        return decoded(endpoint, status, body, kind)

    async def _fetch(self, endpoint: str, params: Params, *, signed: bool) -> tuple[int, bytes]:
        if not (signed or self._all_signed):
            return await self._get(endpoint, params, {})
        assert self._token is not None, f"{endpoint} needs a token"
        status, body = await self._get(endpoint, params, {"authorization": await self._token(False)})
        if status == UNAUTHORIZED:
            status, body = await self._get(endpoint, params, {"authorization": await self._token(True)})
        return status, body

    async def _get(self, endpoint: str, params: Params, headers: dict[str, str]) -> tuple[int, bytes]:
        try:
            async with self._session.get(f"{self._base}/api/v1/{endpoint}", params=params, headers=headers) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ReadFailed(f"{endpoint}: {_name(error)} at {self._base}") from error


def is_loopback(url: str) -> bool:
    """Whether the address is of this machine, which no proxy must be asked for."""
    return urlsplit(url).hostname in LOOPBACK


def unanswered(error: ReadFailed) -> bool:
    """Whether nothing at all answered, rather than something unusable."""
    return isinstance(error.__cause__, aiohttp.ClientConnectionError | TimeoutError | OSError)


def decoded(endpoint: str, status: int, body: bytes, kind: type[T]) -> T:
    """What a read was answered with.

    Raises:
        TooManyRequests: a request limit is used up.
        ReadRefused: the venue answers with a code of its own.
        ReadFailed: the body cannot be read.
    """
    try:
        envelope = parse.decoded(_envelope, body)
        if status == TOO_MANY_REQUESTS:
            raise TooManyRequests(f"{endpoint}: HTTP {status}, code {envelope.code}: {presentable(envelope.message)}")
        if status != 200 or envelope.code != models.CODE_OK:
            raise ReadRefused(endpoint, status, envelope)
        return parse.decoded(msgspec.json.Decoder(kind, strict=False), body)
    except msgspec.DecodeError as error:
        raise ReadFailed(f"{endpoint}: HTTP {status}, and the body cannot be read: {error}") from None


def _code_of(body: bytes) -> int:
    try:
        return parse.decoded(_envelope, body).code
    except msgspec.DecodeError:
        return 0


def _name(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return presentable(f"{type(error).__name__}: {error}")

"""What a conformance case works with: two accounts at a venue, signed requests as they are, and every frame.

Nothing here knows which venue it is. Prices are far from the market unless a case trades, so that a run on a public
testnet disturbs nobody; what a case has left resting is cancelled at its end.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aiohttp
import lighter

IOC, GTT, POST_ONLY = 0, 1, 2
LIMIT, MARKET = 0, 1
WAIT_SECONDS = 8.0
"""How long a case waits for what must come."""
NOTHING_SECONDS = 1.0
"""How long a case waits for what must not come."""


@dataclass(slots=True)
class Answer:
    """What the venue said to a request."""

    status: int
    body: dict[str, Any]

    @property
    def code(self) -> int:
        return int(self.body["code"])


@dataclass(slots=True, kw_only=True)
class Account:
    """One account with one key, its nonce taken from the venue before each send."""

    index: int
    key: int
    client: Any

    def token(self, seconds: int = 600, *, now: int | None = None) -> str:
        """An auth token; ``now``: as signed at that Unix second."""
        made, error = self.client.create_auth_token_with_expiry(seconds, timestamp=now, api_key_index=self.key)
        assert error is None, error
        return str(made)


@dataclass(slots=True)
class Socket:
    """A WebSocket that keeps every frame it has received."""

    raw: aiohttp.ClientWebSocketResponse
    frames: list[dict[str, Any]] = field(default_factory=list)

    async def ask(self, **message: Any) -> None:
        """Send one message."""
        await self.raw.send_json(message)

    async def until(self, wanted: Callable[[dict[str, Any]], bool], what: str) -> dict[str, Any]:
        """The first frame from now on that is wanted.

        Raises:
            AssertionError: it has not come in time.
        """
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while True:
                    frame: dict[str, Any] = await self.raw.receive_json()
                    self.frames.append(frame)
                    if frame.get("type") == "ping":
                        await self.ask(type="pong")
                    if wanted(frame):
                        return frame
        except TimeoutError:
            kinds = [frame.get("type", frame) for frame in self.frames[-8:]]
            raise AssertionError(f"{what} has not come; last: {kinds}") from None

    async def of_type(self, name: str) -> dict[str, Any]:
        """The next frame of this type."""
        return await self.until(lambda frame: frame.get("type") == name, name)

    async def error(self) -> int:
        """The code of the next error."""
        frame = await self.until(lambda frame: "error" in frame, "an error")
        return int(frame["error"]["code"])

    async def subscribe(self, channel: str, auth: str | None = None) -> dict[str, Any]:
        """Subscribe and return the snapshot."""
        await self.ask(type="subscribe", channel=channel, **({} if auth is None else {"auth": auth}))
        return await self.of_type(f"subscribed/{channel.split('/')[0]}")

    async def row(self, coid: int, *statuses: str) -> dict[str, Any]:
        """The next row of an order with one of these statuses."""

        def is_it(frame: dict[str, Any]) -> bool:
            return any(row["client_order_index"] == coid and row["status"] in statuses for row in rows_of(frame))

        frame = await self.until(is_it, f"order {coid} {' or '.join(statuses)}")
        return next(row for row in reversed(rows_of(frame)) if row["client_order_index"] == coid)

    async def nothing_of(self, coid: int) -> None:
        """No row of this order comes for a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(NOTHING_SECONDS):
                while True:
                    frame = await self.raw.receive_json()
                    self.frames.append(frame)
                    assert all(row["client_order_index"] != coid for row in rows_of(frame)), f"order {coid} was told of"


def rows_of(frame: dict[str, Any]) -> list[dict[str, Any]]:
    """Order rows of a frame."""
    orders = frame.get("orders")
    return [row for rows in orders.values() for row in rows] if isinstance(orders, dict) else []


@dataclass(slots=True, kw_only=True)
class Session:
    """A venue, two accounts on it, and one market."""

    url: str
    ws_url: str
    a: Account
    b: Account
    market: int
    detail: dict[str, Any]
    """The market's row of ``orderBookDetails``."""
    http: aiohttp.ClientSession
    quiet: bool
    """Nobody else trades here: a case may let the two accounts meet."""
    _coids: "count[int]"

    # --- requests ---------------------------------------------------------------------------------------------------

    async def get(self, path: str, *, auth: str | None = None, **parameters: Any) -> Answer:
        """A REST read."""
        headers = {} if auth is None else {"authorization": auth}
        async with self.http.get(f"{self.url}/api/v1/{path}", params=parameters, headers=headers) as response:
            return Answer(response.status, await response.json())

    async def post(self, tx_type: int, tx_info: str) -> Answer:
        """One signed transaction, as it is."""
        form = {"tx_type": str(tx_type), "tx_info": tx_info}
        async with self.http.post(f"{self.url}/api/v1/sendTx", data=form) as response:
            return Answer(response.status, await response.json())

    async def nonce(self, account: Account) -> int:
        """The next nonce that the venue expects of this key."""
        answer = await self.get("nextNonce", account_index=account.index, api_key_index=account.key)
        return int(answer.body["nonce"])

    async def send(self, account: Account, signed: tuple[int, str, str, str | None]) -> Answer:
        """Send what a ``sign_*`` method has returned."""
        tx_type, tx_info, _, error = signed
        assert error is None, error
        return await self.post(tx_type, tx_info)

    async def order(self, account: Account, coid: int, *, nonce: int | None = None, **changes: Any) -> Answer:
        """Send an order: a post-only bid of the smallest size, far from the market, unless told otherwise."""
        wanted = {
            "base_amount": self.smallest(self.far),
            "price": self.far,
            "is_ask": False,
            "order_type": LIMIT,
            "time_in_force": POST_ONLY,
        } | changes
        taken = await self.nonce(account) if nonce is None else nonce
        signed = account.client.sign_create_order(self.market, coid, nonce=taken, api_key_index=account.key, **wanted)
        return await self.send(account, signed)

    async def cancel(self, account: Account, index: int) -> Answer:
        """Cancel by client or venue index."""
        nonce = await self.nonce(account)
        signed = account.client.sign_cancel_order(self.market, index, nonce=nonce, api_key_index=account.key)
        return await self.send(account, signed)

    async def cancel_all(self, account: Account, time_in_force: int = 0, at_ms: int = 0) -> Answer:
        """Cancel all: at once (0), at a time (1), or not after all (2)."""
        nonce = await self.nonce(account)
        signed = account.client.sign_cancel_all_orders(time_in_force, at_ms, nonce=nonce, api_key_index=account.key)
        return await self.send(account, signed)

    async def executed(self, tx_hash: str) -> dict[str, Any]:
        """The transaction once the sequencer has run it."""
        body: dict[str, Any] = {}
        async with asyncio.timeout(WAIT_SECONDS):
            while body.get("status", 0) not in (2, 3, 4, 5):
                body = (await self.get("tx", by="hash", value=tx_hash)).body
                await asyncio.sleep(0.05)
        return body

    @contextlib.asynccontextmanager
    async def socket(self) -> AsyncIterator[Socket]:
        """A socket that has been greeted."""
        async with self.http.ws_connect(self.ws_url) as raw:
            socket = Socket(raw)
            await socket.of_type("connected")
            yield socket

    @contextlib.asynccontextmanager
    async def orders_of(self, account: Account) -> AsyncIterator[Socket]:
        """A socket that hears of this account's orders."""
        async with self.socket() as socket:
            await socket.subscribe(f"account_all_orders/{account.index}", account.token())
            yield socket

    # --- numbers ----------------------------------------------------------------------------------------------------

    def coid(self) -> int:
        """A client order index that was never used."""
        return next(self._coids)

    async def touch(self) -> tuple[int, int]:
        """Best bid and best ask, ticks."""
        body = (await self.get("orderBookOrders", market_id=self.market, limit=1)).body
        return self._ticks(body["bids"][0]["price"]), self._ticks(body["asks"][0]["price"])

    @property
    def mark(self) -> int:
        """The last price that the market's details told, ticks."""
        return self._ticks(str(self.detail["last_trade_price"] or self.detail["mark_price"]))

    @property
    def far(self) -> int:
        """A bid here rests, and nobody meets it."""
        return self.mark * 97 // 100

    def smallest(self, price: int) -> int:
        """The smallest size that may rest at this price, lots."""
        sizes, prices = int(self.detail["size_decimals"]), int(self.detail["price_decimals"])
        base = round(float(self.detail["min_base_amount"]) * float(10**sizes))
        quote = float(self.detail["min_quote_amount"]) * 10 ** (sizes + prices)
        return max(base, -(-int(quote) // price))

    def _ticks(self, text: str) -> int:
        return round(float(text) * float(10 ** int(self.detail["price_decimals"])))


@contextlib.asynccontextmanager
async def session(credentials: dict[str, Any], *, symbol: str, quiet: bool, first_coid: int) -> AsyncIterator[Session]:
    """A session from a credentials file's content: ``base_url``, ``ws_url`` and two accounts with keys."""
    accounts = []
    for account in credentials["accounts"][:2]:
        key = account["api_keys"][0]
        keys = {key["api_key_index"]: key["private_key"]}
        client = lighter.SignerClient(credentials["base_url"], account["account_index"], keys)
        accounts.append(Account(index=account["account_index"], key=key["api_key_index"], client=client))
    a, b = accounts
    try:
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{credentials['base_url']}/api/v1/orderBookDetails") as response:
                details = (await response.json())["order_book_details"]
            detail = next(row for row in details if row["symbol"] == symbol)
            yield Session(
                url=credentials["base_url"],
                ws_url=credentials["ws_url"],
                a=a,
                b=b,
                market=detail["market_id"],
                detail=detail,
                http=http,
                quiet=quiet,
                _coids=count(first_coid),
            )
    finally:
        for account in accounts:
            await account.client.close()

"""Read-only looks at the venue and at Redis: what must hold before a start, and what is held afterwards."""

import difflib
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import aiohttp

from lighter_hedge.config import Settings
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import Lots, MarketSpec, UnitError, integer_of_wire
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.venue.errors import WAIT_A_MINUTE, ReadFailed, TooManyRequests, UnknownMarket, VenueUnreachable

TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """A market's rules and its newest price."""

    spec: MarketSpec
    price: int
    """Mark or last price in ticks; 0 where the venue tells none."""

    @property
    def min_lots(self) -> Lots:
        """Smallest order at the newest price."""
        return self.spec.min_lots(self.price) if self.price else self.spec.min_base_lots


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one account holds in the desk's market, by the venue."""

    letter: str
    account_name: str
    account_index: int
    lots: int
    """Signed lots."""
    open_orders: int
    entry_price: str
    unrealized_pnl: str
    available: str
    """Free collateral."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """What A and B hold in the desk's market, by the venue."""

    market: Market
    a: Held
    b: Held

    @property
    def net(self) -> int:
        """A + B, signed lots."""
        return self.a.lots + self.b.lots

    @property
    def hedged(self) -> bool:
        """Nothing is left but a residual below the venue's minimum."""
        return self.net == 0 or abs(self.net) < self.market.min_lots

    @property
    def flat(self) -> bool:
        """Both accounts hold nothing and nothing rests."""
        return not (self.a.lots or self.b.lots or self.a.open_orders or self.b.open_orders)


class _Reader:
    """GET requests to one address."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str) -> None:
        self._session = session
        self._base = base_url.rstrip("/")

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """The body of a GET, numbers as ``Decimal``.

        Raises:
            VenueUnreachable: nothing answers.
            TooManyRequests: a request limit is used up.
            ReadFailed: an answer that cannot be used.
        """
        try:
            async with self._session.get(f"{self._base}{path}", params=params) as response:
                text, status = await response.text(), response.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise VenueUnreachable(f"the exchange at {self._base} does not answer ({type(error).__name__})") from None
        try:
            body = json.loads(text, parse_float=Decimal)
        except ValueError:
            raise ReadFailed(f"{path}: HTTP {status} without JSON") from None
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            raise TooManyRequests(f"{path}: HTTP {status}: more requests than the exchange allows an address")
        if status != 200:
            code = body.get("code") if isinstance(body, dict) else None
            raise ReadFailed(f"{path}: HTTP {status}, code {code}")
        return body


@asynccontextmanager
async def reading(base_url: str) -> AsyncIterator[_Reader]:
    """A reader of the venue at ``base_url``, for a few requests."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield _Reader(session, base_url)


async def read_market(reader: _Reader, symbol: str) -> Market:
    """Rules and price of one market.

    Raises:
        UnknownMarket: the message names the nearest that the venue lists.
        VenueError: not readable.
    """
    body = await reader.get("/api/v1/orderBookDetails")
    rows = {str(row["symbol"]): row for row in body.get("order_book_details", [])}
    if symbol not in rows:
        near = difflib.get_close_matches(symbol.upper(), rows, n=3, cutoff=0.5) or sorted(rows)[:10]
        raise UnknownMarket(f"the venue lists no market {symbol}; it lists {', '.join(near)}")
    try:
        return _market_of(rows[symbol])
    except (KeyError, UnitError) as error:
        raise ReadFailed(f"orderBookDetails of {symbol}: {error}") from None


def _market_of(row: Mapping[str, Any]) -> Market:
    size, price = int(row["size_decimals"]), int(row["price_decimals"])
    spec = MarketSpec(
        market_index=int(row["market_id"]),
        symbol=str(row["symbol"]),
        size_decimals=size,
        price_decimals=price,
        min_base_lots=Lots(integer_of_wire(str(row["min_base_amount"]), size)),
        min_quote=integer_of_wire(str(row["min_quote_amount"]), 6),
        initial_margin_fraction=int(row["default_initial_margin_fraction"]),
        active=row["status"] == "active",
    )
    seen = Decimal(str(row.get("mark_price") or 0)) or Decimal(str(row.get("last_trade_price") or 0))
    return Market(spec=spec, price=int(seen.scaleb(price)))


async def read_positions(settings: Settings) -> Positions:
    """What both accounts hold in the desk's market, read from the venue; needs no key.

    Raises:
        VenueError: unknown; never taken for zero.
    """
    async with reading(settings.venue.base_url) as reader:
        market = await read_market(reader, settings.desk.market)
        a = await _held(reader, settings, Role.MAKER, market.spec)
        b = await _held(reader, settings, Role.HEDGER, market.spec)
    return Positions(market=market, a=a, b=b)


async def _held(reader: _Reader, settings: Settings, role: Role, spec: MarketSpec) -> Held:
    account = settings.account(role)
    body = await reader.get("/api/v1/account", {"by": "index", "value": str(account.account_index)})
    found = [row for row in body.get("accounts", []) if int(row["index"]) == account.account_index]
    if not found:
        raise ReadFailed(f"the venue knows no account {account.account_index} (account {role.letter})")
    rows = [row for row in found[0]["positions"] if int(row["market_id"]) == spec.market_index]
    row: Mapping[str, Any] = rows[0] if rows else {}
    try:
        size = abs(integer_of_wire(str(row.get("position", "0")), spec.size_decimals))
    except UnitError as error:
        raise ReadFailed(f"position of account {account.account_index}: {error}") from None
    return Held(
        letter=role.letter,
        account_name=account.account_name,
        account_index=account.account_index,
        lots=size if int(row.get("sign", 1)) >= 0 else -size,
        open_orders=int(row.get("open_order_count", 0)),
        entry_price=str(row.get("avg_entry_price", "0")),
        unrealized_pnl=str(row.get("unrealized_pnl", "0")),
        available=str(found[0].get("available_balance", "")),
    )


def quantity_lots(settings: Settings, market: Market) -> Lots:
    """The desk's quantity in lots.

    Raises:
        OpsError: more decimals than the market has, or below its minimum.
    """
    spec, text = market.spec, format(settings.desk.quantity, "f")
    try:
        lots = spec.lots_of(text)
    except UnitError as error:
        raise OpsError(ExitCode.USAGE, str(error), f"write at most {spec.size_decimals} decimals") from None
    if lots < market.min_lots:
        least = spec.size_text(market.min_lots)
        raise OpsError(
            ExitCode.CONFIGURATION,
            f"quantity {text} is below the venue's minimum for {spec.symbol}",
            f"use --quantity {least} or more",
        )
    return lots


async def check_redis(url: str, shown: str) -> None:
    """Redis answers.

    Raises:
        OpsError: it does not; names the URL without its password, and the remedy.
    """
    from lighter_hedge.ops.redis_server import RedisUnreachable, probe

    try:
        await probe(url)
    except RedisUnreachable as error:
        raise OpsError(
            ExitCode.FAILED, f"{error} ({shown})", "start one (redis-server --appendonly yes), or correct redis.url"
        ) from None


async def check_before_start(settings: Settings) -> Lots:
    """Everything that can be known before A and B are started: Redis, venue, accounts, market, quantity.

    Returns:
        The quantity in lots.

    Raises:
        OpsError: what is wrong, with its exit code and remedy.
    """
    await check_redis(settings.redis.url, settings.redis.shown)
    try:
        positions = await read_positions(settings)
    except VenueUnreachable as error:
        raise OpsError(ExitCode.FAILED, str(error), "check venue.base_url and the network") from None
    except UnknownMarket as error:
        raise OpsError(ExitCode.CONFIGURATION, str(error), "correct --market or desk.market") from None
    except TooManyRequests as error:
        raise OpsError(ExitCode.FAILED, str(error), WAIT_A_MINUTE) from None
    except ReadFailed as error:
        raise OpsError(ExitCode.FAILED, str(error), "check the account indices and venue.base_url") from None
    market = positions.market
    if not market.spec.active:
        raise OpsError(ExitCode.CONFIGURATION, f"market {market.spec.symbol} is not active", "choose another")
    return quantity_lots(settings, market)

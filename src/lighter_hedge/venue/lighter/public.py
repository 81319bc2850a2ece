"""What the venue shows to anybody: both accounts of a desk and one market, without a key, a token or the SDK."""

from dataclasses import dataclass

from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import MarketSpec, UnitError
from lighter_hedge.venue.errors import ReadFailed, UnknownMarket, VenueUnreachable
from lighter_hedge.venue.lighter import parse
from lighter_hedge.venue.lighter.rest import Rest, unanswered
from lighter_hedge.venue.lighter.websocket import Stream, StreamSettings
from lighter_hedge.venue.port import OnEvent

SILENCE_SECONDS = 15.0
"""Without the order book the stream may be quiet for a while; its answers to pings show that it lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSettings:
    """Whose accounts are watched in which market, and where."""

    base_url: str
    ws_url: str
    accounts: dict[Role, int]
    market: str
    """Symbol, for example ``BTC``."""


async def connect_public(settings: PublicSettings) -> "PublicVenue":
    """Load the market.

    Raises:
        VenueUnreachable: nothing answers at the address.
        UnknownMarket: the venue lists no such market.
        ReadFailed: the venue answers, but not with what is needed.
    """
    rest = Rest(settings.base_url)
    market: MarketSpec | None = None
    try:
        market = await load_market(rest, settings.base_url, settings.market)
    finally:
        if market is None:
            await rest.close()
    return PublicVenue(settings, market, rest)


class PublicVenue:
    """Reads and the stream. Made by ``connect_public``."""

    def __init__(self, settings: PublicSettings, market: MarketSpec, rest: Rest) -> None:
        self.market = market
        self._accounts = settings.accounts
        self._rest = rest
        self._stream = Stream(
            StreamSettings(
                ws_url=settings.ws_url,
                own_account=settings.accounts[Role.MAKER],
                other_account=settings.accounts[Role.HEDGER],
                public_alone=True,
                silence_seconds=SILENCE_SECONDS,
                ping_seconds=SILENCE_SECONDS / 3,
            ),
            parse.Scope(
                market=market,
                roles={number: role for role, number in settings.accounts.items()},
                own=Role.MAKER,
            ),
            _no_token,
        )

    async def read_account(self, role: Role) -> tuple[int, int, int]:
        """Of either account: signed position in lots, free collateral in millionths, number of open orders."""
        return await read_account(self._rest, self._accounts[role], self.market)

    async def stream(self, on_event: OnEvent) -> None:
        """Follow the market and both accounts until cancelled; reconnects by itself."""
        await self._stream.run(on_event)

    async def close(self) -> None:
        """Release sockets."""
        await self._rest.close()


async def load_market(rest: Rest, base_url: str, symbol: str) -> MarketSpec:
    """What one market allows; raises as ``connect_public`` does."""
    try:
        rows = await rest.markets()
    except ReadFailed as error:
        if unanswered(error):
            raise VenueUnreachable(f"nothing answers at {base_url}: {error}") from error
        raise
    for row in rows:
        if row.symbol == symbol:
            try:
                return parse.market_spec(row)
            except UnitError as error:
                raise ReadFailed(f"orderBookDetails: {error}") from None
    listed = ", ".join(sorted(row.symbol for row in rows)) or "none"
    raise UnknownMarket(f"the venue lists no market {symbol!r}; it lists: {listed}")


async def read_account(rest: Rest, account: int, market: MarketSpec) -> tuple[int, int, int]:
    """Signed position in lots, free collateral in millionths, number of open orders. Raises ``ReadFailed``."""
    row = await rest.account(account)
    try:
        return parse.account(row, market)
    except UnitError as error:
        raise ReadFailed(f"account: {error}") from None


async def _no_token(_fresh: bool) -> str:
    return ""

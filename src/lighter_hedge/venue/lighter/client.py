"""The venue's port, implemented for Lighter."""

from dataclasses import dataclass, field

from pydantic import SecretStr

from lighter_hedge.domain.events import Answer, Candidate, OrderReport, Request, TxStatus
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import MarketSpec, UnitError
from lighter_hedge.venue.errors import ReadFailed
from lighter_hedge.venue.lighter import models, parse
from lighter_hedge.venue.lighter.public import load_market, read_account
from lighter_hedge.venue.lighter.rest import Rest
from lighter_hedge.venue.lighter.signer import Signer
from lighter_hedge.venue.lighter.websocket import Stream, StreamSettings
from lighter_hedge.venue.port import OnEvent

STANDARD_REQUESTS = 60
"""Requests a minute of a standard wallet, sends and reads together; a premium one has 24,000 and more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LighterSettings:
    """Which account trades which market with which key, and where."""

    base_url: str
    ws_url: str
    own_account: int
    other_account: int
    role: Role
    api_key_index: int
    private_key: SecretStr = field(repr=False)
    market: str
    """Symbol, for example ``BTC``."""
    other_token: SecretStr | None = field(default=None, repr=False)
    """A read-only token of the other account, should the venue want one for its channel."""
    chain_id: int | None = None
    """Goes into every hash; None takes the SDK's own choice by address."""
    silence_seconds: float = 5.0
    reply_seconds: float = 2.0


async def connect(settings: LighterSettings) -> "LighterVenue":
    """Load the market, check the key, and see whose wallets the accounts belong to.

    Raises:
        VenueUnreachable: nothing answers at the address.
        UnknownMarket: the venue lists no such market.
        KeyRefused: the key is malformed, or not the account's.
        ReadFailed: the venue answers, but not with what is needed.
    """
    rest = Rest(settings.base_url)
    signer: Signer | None = None
    connected = False
    try:
        market = await load_market(rest, settings.base_url, settings.market)
        signer = await Signer.open(
            base_url=settings.base_url,
            account_index=settings.own_account,
            api_key_index=settings.api_key_index,
            private_key=settings.private_key,
            chain_id=settings.chain_id,
        )
        await signer.check_key(rest)
        rest.authorise(signer.auth_token)
        limits = await rest.limits(settings.own_account)
        plentiful = limits.user_tier.startswith("premium")
        if plentiful:
            rest.sign_all()
        same_wallet = await _same_wallet(rest, settings)
        connected = True
        requests = 0 if plentiful else STANDARD_REQUESTS
        return LighterVenue(settings, market, rest, signer, same_wallet=same_wallet, requests_per_minute=requests)
    finally:
        if not connected:
            await rest.close()
            if signer is not None:
                await signer.close()


class LighterVenue:
    """One account's access to Lighter, with one API key that nothing else uses. Made by ``connect``."""

    def __init__(
        self,
        settings: LighterSettings,
        market: MarketSpec,
        rest: Rest,
        signer: Signer,
        *,
        same_wallet: bool,
        requests_per_minute: int,
    ) -> None:
        assert settings.own_account != settings.other_account, "a desk has two accounts"
        self.market = market
        self.role = settings.role
        self.same_wallet = same_wallet
        """Whether one wallet owns both accounts: then the venue can keep them from trading with each other."""
        self.requests_per_minute = requests_per_minute
        """What the venue allows the wallet, sends and reads together; 0 where it is so much that nobody need count."""
        self._accounts = {
            settings.role: settings.own_account,
            settings.role.other: settings.other_account,
        }
        self._key_index = settings.api_key_index
        self._rest = rest
        self._signer = signer
        self._stream = Stream(
            StreamSettings(
                ws_url=settings.ws_url,
                own_account=settings.own_account,
                other_account=settings.other_account,
                other_token=settings.other_token,
                silence_seconds=settings.silence_seconds,
                reply_seconds=settings.reply_seconds,
            ),
            parse.Scope(
                market=market,
                roles={number: role for role, number in self._accounts.items()},
                own=settings.role,
            ),
            signer.auth_token,
        )

    async def sign(self, request: Request, nonce: int) -> Candidate:
        """Sign without sending; raises ``VenueError`` where the signer refuses."""
        return await self._signer.sign(request, nonce, self.market)

    async def send(self, candidate: Candidate) -> Answer:
        """Send over the stream, or over HTTP while its feed is not open. Never both, never raises."""
        answer = await self._stream.send(candidate)
        return answer if answer is not None else await self._rest.send(candidate)

    async def read_nonce(self) -> int:
        """The key's next nonce."""
        return await self._rest.next_nonce(self._own, self._key_index)

    async def read_tx(self, tx_hash: str) -> tuple[TxStatus, str]:
        """Status of a transaction, and what the sequencer said where it had no effect."""
        return await self._rest.tx(tx_hash)

    async def read_orders(self, coids: tuple[int, ...]) -> tuple[OrderReport, ...]:
        """Rows of own orders in this market, open and closed; all recent ones where no ``coids`` are given."""
        if coids:
            return self._reports(await self._rest.orders(self._own, coids), "accountOrders")
        # Open ones first: an order that ends in between then stands in both, its end last.
        still_open = await self._rest.open_orders(self._own, self.market.market_index)
        closed = await self._rest.closed_orders(self._own, self.market.market_index)
        return self._reports(still_open, "accountActiveOrders") + self._reports(closed, "accountInactiveOrders")

    async def read_account(self, role: Role) -> tuple[int, int, int]:
        """Of either account: signed position in lots, free collateral in millionths, number of open orders."""
        return await read_account(self._rest, self._accounts[role], self.market)

    async def stream(self, on_event: OnEvent) -> None:
        """Follow the market and both accounts until cancelled."""
        await self._stream.run(on_event)

    def resubscribe_book(self) -> None:
        """Ask for a fresh snapshot of the order book."""
        self._stream.resubscribe_book()

    async def close(self) -> None:
        """Release sockets and the signing thread."""
        await self._rest.close()
        await self._signer.close()

    @property
    def _own(self) -> int:
        return self._accounts[self.role]

    def _reports(self, rows: list[models.OrderRow], endpoint: str) -> tuple[OrderReport, ...]:
        ours = [row for row in rows if row.market_index == self.market.market_index]
        try:
            return tuple(parse.order(row, self.market) for row in ours)
        except UnitError as error:
            raise ReadFailed(f"{endpoint}: {error}") from None


async def _same_wallet(rest: Rest, settings: LighterSettings) -> bool:
    own = await rest.account(settings.own_account)
    other = await rest.account(settings.other_account)
    return bool(own.l1_address) and own.l1_address.lower() == other.l1_address.lower()

"""The venue as the owner of a key sees it: for commands that check a key, or read what is private."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lighter_hedge.config import Settings
from lighter_hedge.domain.states import Role
from lighter_hedge.venue.lighter.public import load_market
from lighter_hedge.venue.lighter.rest import Rest
from lighter_hedge.venue.lighter.signer import Signer


@asynccontextmanager
async def keyed(settings: Settings, role: Role) -> AsyncIterator[Rest]:
    """Reads with the key of one account, which the venue has been seen to hold.

    Raises:
        KeyRefused: the key is malformed, or not the account's.
        VenueError: the venue could not be asked.
    """
    account = settings.account(role)
    rest = Rest(settings.venue.base_url)
    try:
        signer = await Signer.open(
            base_url=settings.venue.base_url,
            account_index=account.account_index,
            api_key_index=account.api_key_index,
            private_key=account.private_key,
            chain_id=settings.venue.chain_id,
        )
        try:
            await signer.check_key(rest)
            rest.authorise(signer.auth_token)
            yield rest
        finally:
            await signer.close()
    finally:
        await rest.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """One order that rests; amounts as the venue writes them."""

    side: str
    """``buy`` or ``sell``."""
    price: str
    size: str
    filled: str
    order_index: int
    client_order_index: int


async def resting_orders(settings: Settings, roles: Collection[Role]) -> Mapping[Role, list[Resting]]:
    """What rests of each of these accounts in the desk's market.

    Raises:
        KeyRefused: a key is malformed, or not the account's.
        VenueError: not readable; never taken for none.
    """
    return {role: await _resting(settings, role) for role in roles}


async def _resting(settings: Settings, role: Role) -> list[Resting]:
    async with keyed(settings, role) as rest:
        market = await load_market(rest, settings.venue.base_url, settings.desk.market)
        rows = await rest.open_orders(settings.account(role).account_index, market.market_index)
    return [
        Resting(
            side="sell" if each.is_ask else "buy",
            price=each.price,
            size=each.initial_base_amount,
            filled=each.filled_base_amount,
            order_index=each.order_index,
            client_order_index=each.client_order_index,
        )
        for each in rows
    ]

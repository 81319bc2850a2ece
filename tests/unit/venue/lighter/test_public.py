"""What anybody may see of the venue: a market, positions, trades and order counts of both accounts."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from tests.fakes.lighter_server import OTHER, OWN, FakeLighter, account_row, lighter_server, market_row, trade_row

from lighter_hedge.domain.events import FeedOpened, MarketHeard, PositionReported, TradeReported
from lighter_hedge.domain.states import Role
from lighter_hedge.venue.errors import ReadFailed, UnknownMarket, VenueUnreachable
from lighter_hedge.venue.lighter.parse import Emitted
from lighter_hedge.venue.lighter.public import PublicSettings, PublicVenue, connect_public


def settings_for(fake: FakeLighter) -> PublicSettings:
    accounts = {Role.MAKER: OWN, Role.HEDGER: OTHER}
    return PublicSettings(base_url=fake.base_url, ws_url=fake.ws_url, accounts=accounts, market="BTC")


def tell(story: Callable[[FakeLighter, PublicVenue], Awaitable[None]]) -> None:
    async def run() -> None:
        async with lighter_server() as fake:
            venue = await connect_public(settings_for(fake))
            try:
                await story(fake, venue)
            finally:
                await venue.close()

    asyncio.run(run())


def test_the_stream_is_followed_without_a_token_and_without_the_order_book() -> None:
    async def story(fake: FakeLighter, venue: PublicVenue) -> None:
        events: list[Emitted] = []
        come = asyncio.Event()

        def hear(event: Emitted) -> None:
            events.append(event)
            come.set()

        async with asyncio.TaskGroup() as group:
            running = group.create_task(venue.stream(hear))
            while FeedOpened() not in events:
                come.clear()
                await come.wait()
            row = trade_row()
            frame = {
                "type": "update/account_all",
                "positions": {"1": {"market_id": 1, "sign": -1, "position": "0.001"}},
            }
            for number in (OWN, OTHER):
                await fake.push({**frame, "channel": f"account_all:{number}", "trades": {"1": [row]}})
            while sum(isinstance(event, TradeReported) for event in events) < 2:
                come.clear()
                await come.wait()
            running.cancel()
        assert {said["channel"] for said in fake.heard} == {
            f"account_all/{OWN}",
            f"account_all/{OTHER}",
            "market_stats/1",
        }
        assert not [said for said in fake.heard if "auth" in said]
        assert any(isinstance(event, MarketHeard) for event in events)
        trades = [event for event in events if isinstance(event, TradeReported)]
        assert [(each.role, each.trade.coid, each.trade.counterparty) for each in trades] == [
            (Role.MAKER, 77, OTHER),
            (Role.HEDGER, 88, OWN),
        ]
        assert PositionReported(role=Role.HEDGER, lots=-100) in events

    tell(story)


def test_accounts_are_read_without_a_token() -> None:
    async def story(fake: FakeLighter, venue: PublicVenue) -> None:
        held = [{"market_id": 1, "sign": -1, "position": "0.00100", "open_order_count": 2}]
        fake.accounts[OTHER] = account_row(OTHER, positions=held)
        assert venue.market.symbol == "BTC"
        assert await venue.read_account(Role.MAKER) == (0, 1_000_500_000, 3)
        assert await venue.read_account(Role.HEDGER) == (-100, 1_000_500_000, 2)
        fake.accounts[OTHER] = account_row(OTHER, positions=[{**held[0], "position": "0.000001"}])
        with pytest.raises(ReadFailed, match="account"):
            await venue.read_account(Role.HEDGER)
        assert {authorization for _, _, authorization in fake.requests} == {""}

    tell(story)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda settings: replace(settings, market="DOGE"), UnknownMarket),
        (lambda settings: replace(settings, base_url="http://127.0.0.1:1"), VenueUnreachable),
    ],
)
def test_what_cannot_be_watched_is_named(
    change: Callable[[PublicSettings], PublicSettings], error: type[Exception]
) -> None:
    async def run() -> None:
        async with lighter_server() as fake:
            with pytest.raises(error):
                await connect_public(change(settings_for(fake)))

    asyncio.run(run())


def test_a_market_whose_rules_do_not_fit_is_refused() -> None:
    async def run() -> None:
        async with lighter_server() as fake:
            row = {**market_row(), "min_base_amount": "0.000002"}
            fake.bodies["orderBookDetails"] = (200, {"code": 200, "order_book_details": [row]})
            with pytest.raises(ReadFailed, match="orderBookDetails"):
                await connect_public(settings_for(fake))

    asyncio.run(run())


def test_the_sdk_is_not_imported_for_it() -> None:
    """The SDK costs seconds and a hundred megabytes; the whole monitor does without."""
    program = "import sys, lighter_hedge.cli.main, lighter_hedge.processes.monitor; sys.exit('lighter' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)

"""The port as a whole, against a small venue."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import count

import pytest
from pydantic import SecretStr
from tests.fakes.lighter_server import KEY, OTHER, FakeLighter, account_row, lighter_server, order_row
from tests.unit.venue.lighter.test_signer import key_pair

from lighter_hedge.domain.events import AnswerKind, BurnRequest, FeedOpened, TxStatus
from lighter_hedge.domain.states import Role
from lighter_hedge.venue.errors import KeyRefused, ReadFailed, UnknownMarket, VenueUnreachable
from lighter_hedge.venue.lighter.client import LighterSettings, LighterVenue, connect
from lighter_hedge.venue.port import Venue

own_accounts = count(1000)
"""The signer remembers the venue's answer per account, so each story has its own."""


def settings_for(fake: FakeLighter) -> LighterSettings:
    own = next(own_accounts)
    fake.accounts[own] = account_row(own)
    fake.hold_key(key_pair()[1], own)
    return LighterSettings(
        base_url=fake.base_url,
        ws_url=fake.ws_url,
        own_account=own,
        other_account=OTHER,
        role=Role.HEDGER,
        api_key_index=KEY,
        private_key=SecretStr(key_pair()[0]),
        market="BTC",
    )


def tell(story: Callable[[FakeLighter, LighterVenue, LighterSettings], Awaitable[None]]) -> None:
    async def run() -> None:
        async with lighter_server() as fake:
            settings = settings_for(fake)
            venue = await connect(settings)
            try:
                await story(fake, venue, settings)
            finally:
                await venue.close()

    asyncio.run(run())


def refused(change: Callable[[FakeLighter, LighterSettings], LighterSettings], error: type[Exception]) -> str:
    async def run() -> str:
        async with lighter_server() as fake:
            with pytest.raises(error) as caught:
                await connect(change(fake, settings_for(fake)))
            return str(caught.value)

    return asyncio.run(run())


def test_the_port_is_fulfilled() -> None:
    async def story(fake: FakeLighter, venue: LighterVenue, settings: LighterSettings) -> None:
        port: Venue = venue
        assert (port.market.symbol, port.market.min_base_lots, port.market.min_quote) == ("BTC", 20, 10_000_000)
        assert venue.same_wallet
        assert await port.read_nonce() == 7
        fake.accounts[OTHER] = account_row(
            OTHER, positions=[{"market_id": 1, "sign": -1, "position": "0.00100", "open_order_count": 1}]
        )
        assert await port.read_account(Role.MAKER) == (-100, 1_000_500_000, 1)
        assert await port.read_account(Role.HEDGER) == (0, 1_000_500_000, 3)
        assert await port.read_tx("ab") == (TxStatus.NOT_FOUND, "")

    tell(story)


@pytest.mark.parametrize(("tier", "signed"), [("standard", False), ("premium", True)])
def test_public_reads_of_a_premium_wallet_count_on_the_wallet(tier: str, signed: bool) -> None:
    """A standard wallet has 60 requests for sends and reads together: those of its address are worth having beside."""

    async def run() -> None:
        async with lighter_server() as fake:
            fake.bodies["accountLimits"] = (200, {"code": 200, "user_tier": tier})
            venue = await connect(settings_for(fake))
            try:
                await venue.read_account(Role.MAKER)
                assert [bool(token) for _, _, token in fake.requests][-1] is signed
                assert venue.requests_per_minute == (0 if signed else 60)
            finally:
                await venue.close()

    asyncio.run(run())


def test_rows_of_other_markets_are_left_out() -> None:
    async def story(fake: FakeLighter, venue: LighterVenue, settings: LighterSettings) -> None:
        rows = [order_row(), order_row(market_index=0, price="1.555")]
        for endpoint in ("accountOrders", "accountActiveOrders", "accountInactiveOrders"):
            fake.bodies[endpoint] = (200, {"code": 200, "orders": rows})
        assert [row.coid for row in await venue.read_orders((77,))] == [77]
        assert [row.coid for row in await venue.read_orders(())] == [77, 77]
        assert fake.requests[-1][2].split(":")[1:3] == [str(settings.own_account), str(KEY)]

    tell(story)


def test_a_row_that_does_not_fit_the_market_fails_the_read() -> None:
    async def story(fake: FakeLighter, venue: LighterVenue, settings: LighterSettings) -> None:
        fake.bodies["accountOrders"] = (200, {"code": 200, "orders": [order_row(price="1.555")]})
        with pytest.raises(ReadFailed, match="accountOrders"):
            await venue.read_orders((77,))

    tell(story)


def test_a_send_goes_over_http_until_the_stream_is_open_then_over_it() -> None:
    async def story(fake: FakeLighter, venue: LighterVenue, settings: LighterSettings) -> None:
        candidate = await venue.sign(BurnRequest(), 7)
        assert (await venue.send(candidate)).kind is AnswerKind.ACCEPTED
        assert fake.requests[-1][:2] == ("sendTx", {"tx_type": "16", "tx_info": candidate.payload})
        asked, opened = len(fake.requests), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            running = group.create_task(venue.stream(lambda event: opened.set() if event == FeedOpened() else None))
            await opened.wait()
            assert (await venue.send(candidate)).kind is AnswerKind.ACCEPTED
            venue.resubscribe_book()
            running.cancel()
        assert len(fake.requests) == asked
        assert any(said["type"] == "jsonapi/sendtx" for said in fake.heard)

    tell(story)


def test_accounts_of_two_wallets_are_told_apart() -> None:
    async def story(fake: FakeLighter, venue: LighterVenue, settings: LighterSettings) -> None:
        fake.accounts[OTHER] = account_row(OTHER, l1_address="0xother")
        second = await connect(settings)
        assert not second.same_wallet
        await second.close()

    tell(story)


def test_an_unknown_market_is_refused_with_those_that_exist() -> None:
    said = refused(lambda fake, settings: replace(settings, market="DOGE"), UnknownMarket)
    assert "'DOGE'" in said
    assert "BTC, ETH" in said


def test_a_key_that_the_venue_does_not_hold_is_refused() -> None:
    said = refused(lambda fake, settings: replace(settings, api_key_index=9), KeyRefused)
    assert "API key 9 of account" in said
    assert f"key indexes it holds: {KEY}" in said


def test_a_venue_that_does_not_answer_is_named() -> None:
    said = refused(lambda fake, settings: replace(settings, base_url="http://127.0.0.1:1"), VenueUnreachable)
    assert "http://127.0.0.1:1" in said


def test_a_venue_that_answers_badly_is_reachable() -> None:
    def change(fake: FakeLighter, settings: LighterSettings) -> LighterSettings:
        fake.bodies["orderBookDetails"] = (502, "<html>")
        return settings

    assert "orderBookDetails: HTTP 502" in refused(change, ReadFailed)


def test_keys_are_not_shown() -> None:
    async def story(fake: FakeLighter, venue: LighterVenue, settings: LighterSettings) -> None:
        assert key_pair()[0].removeprefix("0x") not in repr(settings)

    tell(story)

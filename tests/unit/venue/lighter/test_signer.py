"""Signatures come from the official library, under nonces of ours, and keys stay secret."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import cache

import lighter
import pytest
from pydantic import SecretStr
from tests.fakes.lighter_server import KEY, lighter_server

from lighter_hedge.domain.events import BurnRequest, CancelRequest, OrderKind, OrderRequest
from lighter_hedge.domain.units import Lots, MarketSpec, Side
from lighter_hedge.venue.errors import KeyRefused, ReadFailed, VenueError
from lighter_hedge.venue.lighter import models
from lighter_hedge.venue.lighter.rest import Rest
from lighter_hedge.venue.lighter.signer import Signer

BTC = MarketSpec(
    market_index=1,
    symbol="BTC",
    size_decimals=5,
    price_decimals=1,
    min_base_lots=Lots(20),
    min_quote=10_000_000,
    initial_margin_fraction=500,
)
QUOTE = OrderRequest(
    kind=OrderKind.QUOTE,
    coid=5,
    side=Side.ASK,
    lots=100,
    price=645005,
    expires_ms=1_900_000_000_000,
    cross_account_guard=True,
)


@cache
def key_pair() -> tuple[str, str]:
    """Private key and public key, the latter without 0x."""
    private, public, error = lighter.create_api_key()
    assert error is None
    return private, public.removeprefix("0x")


def with_signer(story: Callable[[Signer], Awaitable[None]], account: int = 61) -> None:
    async def run() -> None:
        signer = await Signer.open(
            base_url="http://127.0.0.1:1",
            account_index=account,
            api_key_index=KEY,
            private_key=SecretStr(key_pair()[0]),
        )
        try:
            await story(signer)
        finally:
            await signer.close()

    asyncio.run(run())


def test_a_candidate_carries_the_signed_bytes_and_their_times() -> None:
    async def story(signer: Signer) -> None:
        candidate = await signer.sign(QUOTE, 7, BTC, now_ms=lambda: 123)
        signed = json.loads(candidate.payload)
        assert (candidate.nonce, candidate.request, candidate.signed_ms, candidate.tx_type) == (
            7,
            QUOTE,
            123,
            models.TX_CREATE_ORDER,
        )
        assert len(candidate.tx_hash) == 80
        assert candidate.expires_ms == signed["ExpiredAt"]
        assert (signed["Nonce"], signed["ApiKeyIndex"], signed["AccountIndex"]) == (7, KEY, 61)
        assert (signed["Price"], signed["BaseAmount"], signed["IsAsk"]) == (645005, 100, 1)
        assert (signed["TimeInForce"], signed["Type"], signed["OrderExpiry"]) == (2, 0, QUOTE.expires_ms)
        assert signed["L2TxAttributes"] == {"7": 1}

    with_signer(story)


def test_hedges_cancels_and_burns_are_signed() -> None:
    async def story(signer: Signer) -> None:
        hedge = OrderRequest(kind=OrderKind.HEDGE, coid=6, side=Side.BID, lots=100, price=645105)
        signed = json.loads((await signer.sign(hedge, 8, BTC)).payload)
        assert (signed["Type"], signed["TimeInForce"], signed["OrderExpiry"], signed["IsAsk"]) == (0, 0, 0, 0)
        cancel = await signer.sign(CancelRequest(coid=5), 9, BTC)
        assert (cancel.tx_type, json.loads(cancel.payload)["Index"]) == (models.TX_CANCEL_ORDER, 5)
        burn = await signer.sign(BurnRequest(), 9, BTC)
        signed = json.loads(burn.payload)
        assert (burn.tx_type, signed["Nonce"], signed["Time"], signed["L2TxAttributes"]) == (
            models.TX_CANCEL_ALL,
            9,
            0,
            {"5": 1},
        )
        assert burn.tx_hash != cancel.tx_hash

    with_signer(story)


def test_what_the_signer_refuses_is_a_venue_error() -> None:
    async def story(signer: Signer) -> None:
        nowhere = MarketSpec(
            market_index=255,
            symbol="X",
            size_decimals=5,
            price_decimals=1,
            min_base_lots=Lots(1),
            min_quote=1,
            initial_margin_fraction=1,
        )
        with pytest.raises(VenueError, match="refuses"):
            await signer.sign(QUOTE, 7, nowhere)

    with_signer(story)


def test_a_token_is_kept_until_a_fresh_one_is_asked_for() -> None:
    async def story(signer: Signer) -> None:
        token = await signer.auth_token()
        assert token.split(":")[1:3] == ["61", str(KEY)]
        assert await signer.auth_token() == token
        assert await signer.auth_token(True) != token

    with_signer(story)


@pytest.mark.parametrize("key", ["", "0x12", "zz" * 40, "ab" * 41])
def test_a_malformed_key_is_refused_without_being_shown(key: str) -> None:
    async def story() -> None:
        with pytest.raises(KeyRefused, match=f"API key {KEY} of account 61") as caught:
            await Signer.open(
                base_url="http://127.0.0.1:1", account_index=61, api_key_index=KEY, private_key=SecretStr(key)
            )
        assert not key or key not in str(caught.value)

    asyncio.run(story())


def test_what_the_library_refuses_leaves_nothing_open() -> None:
    """An unclosed session would be a warning, and warnings are errors here."""

    async def story() -> None:
        with pytest.raises(KeyRefused, match="account 0") as caught:
            await Signer.open(
                base_url="http://127.0.0.1:1",
                account_index=0,
                api_key_index=KEY,
                private_key=SecretStr(key_pair()[0]),
            )
        assert key_pair()[0].removeprefix("0x") not in str(caught.value)

    asyncio.run(story())


@pytest.mark.parametrize("held", ["ours", "another", "none", "no account"])
def test_the_key_is_compared_with_the_venues(held: str) -> None:
    # The library remembers the venue's answer per account, so each case has its own.
    account = {"ours": 62, "another": 63, "none": 64, "no account": 66}[held]

    async def story() -> None:
        private, public = key_pair()
        async with lighter_server() as fake:
            if held == "no account":
                fake.bodies["apikeys"] = (400, {"code": 21100, "message": "account not found"})
            elif held != "none":
                fake.hold_key(public if held == "ours" else "ab" * 40, account)
            rest = Rest(fake.base_url)
            signer = await Signer.open(
                base_url=fake.base_url, account_index=account, api_key_index=KEY, private_key=SecretStr(private)
            )
            try:
                if held == "ours":
                    await signer.check_key(rest)
                else:
                    with pytest.raises(KeyRefused, match=f"API key {KEY} of account {account}") as caught:
                        await signer.check_key(rest)
                    assert private.removeprefix("0x") not in str(caught.value)
            finally:
                await signer.close()
                await rest.close()

    asyncio.run(story())


def test_a_venue_that_cannot_be_asked_refuses_no_key() -> None:
    async def story(signer: Signer) -> None:
        rest = Rest("http://127.0.0.1:1")
        with pytest.raises(ReadFailed):
            await signer.check_key(rest)
        await rest.close()

    with_signer(story, account=65)

"""What the venue says of market and positions, and what stops a start."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fake_venue import MARKET, FakeVenue, fake_venue

from lighter_hedge.config import Settings, load
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.ops.health import Positions, quantity_lots, read_market, read_positions, reading
from lighter_hedge.venue.errors import ReadFailed, UnknownMarket, VenueUnreachable


@pytest.fixture
def venue() -> Iterator[FakeVenue]:
    with fake_venue() as running:
        yield running


def settings(base_url: str, folder: Path, **desk: str) -> Settings:
    file = folder / "config.yaml"
    file.write_text(
        f"venue: {{base_url: '{base_url}'}}\n"
        "accounts:\n"
        "  account_a: {account_name: a, account_index: 65, api_key_index: 4}\n"
        "  account_b: {account_name: b, account_index: 66, api_key_index: 4}\n"
    )
    return load(file, overrides={f"desk.{k}": v for k, v in desk.items()}, credentials=None, env={}, keys=())


def held(venue: FakeVenue, folder: Path) -> Positions:
    return asyncio.run(read_positions(settings(venue.base_url, folder)))


@pytest.mark.parametrize(
    ("a", "b", "net", "hedged", "flat"),
    [(0, 0, 0, True, True), (20, -20, 0, True, False), (20, 0, 20, False, False), (30, -20, 10, True, False)],
)
def test_positions_are_signed_and_a_residual_is_hedged(
    venue: FakeVenue, tmp_path: Path, a: int, b: int, net: int, hedged: bool, flat: bool
) -> None:
    venue.lots = {65: a, 66: b}
    found = held(venue, tmp_path)
    assert (found.a.lots, found.b.lots, found.net) == (a, b, net)
    assert (found.hedged, found.flat) == (hedged, flat)
    assert found.market.min_lots == 20


def test_an_account_that_the_venue_does_not_know_is_no_zero(venue: FakeVenue, tmp_path: Path) -> None:
    venue.lots = {65: 0}
    with pytest.raises(ReadFailed, match="knows no account 66 \\(account B\\)"):
        held(venue, tmp_path)


def test_an_error_answer_is_no_zero(venue: FakeVenue, tmp_path: Path) -> None:
    venue.status = 500
    with pytest.raises(ReadFailed, match="HTTP 500"):
        held(venue, tmp_path)


def test_nothing_there_is_unreachable(tmp_path: Path) -> None:
    with fake_venue() as gone:
        pass
    with pytest.raises(VenueUnreachable, match=gone.base_url):
        held(gone, tmp_path)


def test_an_unknown_market_names_what_is_listed(venue: FakeVenue) -> None:
    async def look() -> None:
        async with reading(venue.base_url) as reader:
            await read_market(reader, "BTX")

    with pytest.raises(UnknownMarket, match="no market BTX; it lists BTC"):
        asyncio.run(look())


def test_a_market_without_a_price_has_its_base_minimum(venue: FakeVenue, tmp_path: Path) -> None:
    venue.markets = [{**MARKET, "mark_price": "", "last_trade_price": 0}]
    assert held(venue, tmp_path).market.min_lots == 20
    venue.markets = [{**MARKET, "min_quote_amount": "50.000000"}]
    assert held(venue, tmp_path).market.min_lots == 50


@pytest.mark.parametrize(
    ("quantity", "code", "text"),
    [("0.0001", ExitCode.CONFIGURATION, "use --quantity 0.00020 or more"), ("0.000201", ExitCode.USAGE, "5 decimals")],
)
def test_a_quantity_that_the_market_does_not_take_is_refused(
    venue: FakeVenue, tmp_path: Path, quantity: str, code: ExitCode, text: str
) -> None:
    chosen = settings(venue.base_url, tmp_path, quantity=quantity)
    market = asyncio.run(read_positions(chosen)).market
    with pytest.raises(OpsError, match=text) as refused:
        quantity_lots(chosen, market)
    assert refused.value.code is code


def test_a_good_quantity_is_lots(venue: FakeVenue, tmp_path: Path) -> None:
    chosen = settings(venue.base_url, tmp_path, quantity="0.0002")
    assert quantity_lots(chosen, asyncio.run(read_positions(chosen)).market) == 20

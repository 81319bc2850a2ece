"""Each check, good and bad, with its remedy."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.fake_venue import FakeVenue, fake_venue

from lighter_hedge.config import Settings, load
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import Lots, MarketSpec
from lighter_hedge.ops import doctor
from lighter_hedge.ops.doctor import (
    Health,
    Row,
    clock_row,
    collateral_rows,
    disk_row,
    examine,
    key_row,
    page_row,
    positions_row,
    python_row,
    quantity_row,
    redis_rows,
)
from lighter_hedge.ops.health import Held, Market, Positions
from lighter_hedge.ops.page import listening, write_address
from lighter_hedge.ops.redis_server import RedisFacts

KEY = "a1" * 40
SPEC = MarketSpec(
    market_index=1,
    symbol="BTC",
    size_decimals=5,
    price_decimals=1,
    min_base_lots=Lots(20),
    min_quote=10_000_000,
    initial_margin_fraction=200,
)
FACTS = RedisFacts(place="127.0.0.1:6379/0", version="7.2.4", appendonly=True, noeviction=True)


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_", lambda text: text)


def settings_of(folder: Path, text: str = "", env: dict[str, str] | None = None, base_url: str = "") -> Settings:
    config = folder / "config.yaml"
    config.write_text(
        f"venue: {{network: paper, base_url: '{base_url or 'http://127.0.0.1:1'}'}}\n"
        "redis: {url: 'redis://:secret@127.0.0.1:1/0'}\n"
        "accounts:\n"
        "  account_a: {account_name: a, account_index: 65, api_key_index: 4}\n"
        "  account_b: {account_name: b, account_index: 66, api_key_index: 4}\n" + text
    )
    config.chmod(0o600)
    return load(config, overrides={}, credentials=None, env=env or {}, keys=())


def held(a: int = 0, b: int = 0, *, orders: int = 0, available: str = "1000", price: int = 1_000_000) -> Positions:
    def account(letter: str, lots: int) -> Held:
        return Held(
            letter=letter, account_name=letter, account_index=65, lots=lots, open_orders=orders, entry_price="0",
            unrealized_pnl="0", available=available,
        )  # fmt: skip

    return Positions(market=Market(spec=SPEC, price=price), a=account("A", a), b=account("B", b))


@pytest.mark.parametrize(("version", "health"), [((3, 10), Health.FAIL), ((3, 11), Health.OK), ((3, 15), Health.FAIL)])
def test_python(version: tuple[int, int], health: Health) -> None:
    assert python_row(version, "1.1.8").health is health


@pytest.mark.parametrize(
    ("free", "health"), [(50_000_000, Health.FAIL), (500_000_000, Health.WARN), (5_000_000_000, Health.OK)]
)
def test_disk(free: int, health: Health) -> None:
    assert disk_row(free).health is health


@pytest.mark.parametrize(
    ("skew", "health"), [(0.4, Health.OK), (-2.5, Health.WARN), (9.9, Health.WARN), (-10.1, Health.FAIL)]
)
def test_clock(skew: float, health: Health) -> None:
    assert clock_row(skew).health is health


def test_keys(tmp_path: Path) -> None:
    missing = key_row(settings_of(tmp_path), Role.MAKER)
    assert (missing.check, missing.health) == ("key A", Health.FAIL)
    assert "LIGHTER_HEDGE_ACCOUNT_A_PRIVATE_KEY" in missing.remedy
    there = key_row(settings_of(tmp_path, env={"LIGHTER_HEDGE_ACCOUNT_B_PRIVATE_KEY": KEY}), Role.HEDGER)
    assert (there.health, there.remedy, KEY in there.text) == (Health.OK, "", False)
    config = settings_of(tmp_path)
    text = config.file.read_text().replace("account_name: a,", f"account_name: a, private_key: '{KEY}',")
    config.file.write_text(text)
    in_yaml = key_row(load(config.file, overrides={}, credentials=None, env={}, keys=()), Role.MAKER)
    assert (in_yaml.health, KEY in in_yaml.text) == (Health.WARN, False)


@pytest.mark.parametrize(
    ("facts", "health"),
    [
        (FACTS, [Health.OK, Health.OK, Health.OK]),
        (replace(FACTS, version="6.0.16"), [Health.FAIL, Health.OK, Health.OK]),
        (replace(FACTS, version="unknown"), [Health.WARN, Health.OK, Health.OK]),
        (replace(FACTS, appendonly=False, noeviction=None), [Health.OK, Health.WARN, Health.SKIP]),
    ],
)
def test_redis(facts: RedisFacts, health: list[Health]) -> None:
    rows = redis_rows(facts)
    assert [row.health for row in rows] == health
    assert all(bool(row.remedy) == (row.health in {Health.WARN, Health.FAIL}) for row in rows)


def test_market_and_quantity(tmp_path: Path) -> None:
    assert quantity_row(settings_of(tmp_path), held()).health is Health.OK
    small = quantity_row(settings_of(tmp_path, "desk: {quantity: '0.0001'}\n"), held())
    assert (small.health, "0.00020" in small.remedy) == (Health.FAIL, True)
    closed = replace(held(), market=Market(spec=replace(SPEC, active=False), price=1_000_000))
    assert quantity_row(settings_of(tmp_path), closed).health is Health.FAIL


@pytest.mark.parametrize(
    ("available", "price", "health"),
    [
        ("0.39", 1_000_000, Health.FAIL),  # a quote of 20 USD wants 2 % of it
        ("0.40", 1_000_000, Health.WARN),
        ("1.20", 1_000_000, Health.OK),
        ("", 1_000_000, Health.SKIP),
        ("1000", 0, Health.SKIP),
    ],
)
def test_collateral(tmp_path: Path, available: str, price: int, health: Health) -> None:
    settings = settings_of(tmp_path)
    assert settings.desk.quantity == Decimal("0.0002")
    assert [row.health for row in collateral_rows(settings, held(available=available, price=price))] == [health] * 2


@pytest.mark.parametrize(
    ("found", "running", "health"),
    [
        (held(), False, Health.OK),
        (held(20, -20), True, Health.OK),
        (held(20, -20), False, Health.WARN),
        (held(orders=1), False, Health.WARN),
        (held(20, 0), True, Health.FAIL),
    ],
)
def test_positions(found: Positions, running: bool, health: Health) -> None:
    assert positions_row(found, running=running).health is health


def test_page(tmp_path: Path) -> None:
    assert page_row(settings_of(tmp_path, "web: {enabled: false}\n")).health is Health.SKIP
    assert page_row(settings_of(tmp_path, "web: {port: 0}\n")).health is Health.OK
    with listening("127.0.0.1", 0) as taken:
        settings = settings_of(tmp_path, f"web: {{port: {taken.getsockname()[1]}}}\n")
        assert page_row(settings).health is Health.FAIL
        write_address(settings.run_dir, "http://127.0.0.1:1")
    assert page_row(settings).health is Health.OK


def examined(settings: Settings) -> dict[str, Row]:
    async def main() -> list[Row]:
        return [row async for row in examine(settings)]

    return {row.check: row for row in asyncio.run(main())}


def test_what_does_not_answer_is_one_row_and_hides_no_other(tmp_path: Path) -> None:
    rows = examined(settings_of(tmp_path))
    assert (rows["redis"].health, rows["exchange"].health) == (Health.FAIL, Health.FAIL)
    assert "secret" not in str(rows)
    assert {"python", "disk", "desk", "key A", "key B", "page"} <= rows.keys()


def test_a_venue_that_answers_is_looked_at_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = FakeVenue.answer

    def with_time(self: FakeVenue, path: str, query: dict[str, list[str]]) -> Any:
        return {"status": 1, "timestamp": 1_760_000_000} if path == "/" else answer(self, path, query)

    monkeypatch.setattr(FakeVenue, "answer", with_time)
    monkeypatch.setattr("time.time", lambda: 1_760_000_003.5)
    with fake_venue() as venue:
        venue.lots = {65: 20, 66: -20}
        rows = examined(settings_of(tmp_path, base_url=venue.base_url))
        assert (rows["clock"].health, rows["clock"].text) == (Health.WARN, "+3.0 s from the exchange's")
        assert (rows["stream"].health, rows["market"].health) == (Health.FAIL, Health.OK)
        assert (rows["positions"].health, rows["api key A"].health) == (Health.WARN, Health.SKIP)
        venue.lots = {65: 0}
        assert "no account 66" in examined(settings_of(tmp_path, base_url=venue.base_url))["accounts"].text

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lighter_hedge.config import Settings, load
from lighter_hedge.domain.states import Role
from lighter_hedge.ops import keyed as module
from lighter_hedge.ops.keyed import Resting, keyed, resting_orders
from lighter_hedge.venue.errors import KeyRefused
from lighter_hedge.venue.lighter.models import OrderRow


class Venue:
    """Stands for both the signer and the reads; remembers what was closed."""

    def __init__(self) -> None:
        self.closed: list[str] = []
        self.refusal: Exception | None = None
        self.asked: list[tuple[int, int]] = []

    def rest(self, base_url: str) -> Any:
        async def close() -> None:
            self.closed.append("rest")

        async def open_orders(account: int, market: int) -> list[OrderRow]:
            self.asked.append((account, market))
            return [
                OrderRow(order_index=7, market_index=1, initial_base_amount="0.00020", price="100.0", status="open")
            ]

        return SimpleNamespace(close=close, open_orders=open_orders, authorise=lambda token: None)

    async def open(self, **_: Any) -> Any:
        async def close() -> None:
            self.closed.append("signer")

        async def check_key(rest: Any) -> None:
            if self.refusal:
                raise self.refusal

        return SimpleNamespace(close=close, check_key=check_key, auth_token=None)


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Venue:
    made = Venue()

    async def load_market(*_: object) -> Any:
        return SimpleNamespace(market_index=1)

    monkeypatch.setattr(module, "Rest", made.rest)
    monkeypatch.setattr(module, "Signer", SimpleNamespace(open=made.open))
    monkeypatch.setattr(module, "load_market", load_market)
    return made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    config = tmp_path / "config.yaml"
    config.write_text(
        "venue: {network: paper, base_url: 'http://127.0.0.1:1'}\n"
        "accounts:\n"
        "  account_a: {account_name: a, account_index: 65, api_key_index: 4}\n"
        "  account_b: {account_name: b, account_index: 66, api_key_index: 4}\n"
    )
    return load(config, overrides={}, credentials=None, env={}, keys=())


def test_orders_are_asked_for_by_their_own_account(venue: Venue, settings: Settings) -> None:
    found = asyncio.run(resting_orders(settings, tuple(Role)))
    order = Resting(side="buy", price="100.0", size="0.00020", filled="0", order_index=7, client_order_index=0)
    assert found == {Role.MAKER: [order], Role.HEDGER: [order]}
    assert venue.asked == [(65, 1), (66, 1)]


def test_whatever_happens_everything_is_closed(venue: Venue, settings: Settings) -> None:
    async def look() -> None:
        async with keyed(settings, Role.MAKER):
            pass

    venue.refusal = KeyRefused("not yours")
    with pytest.raises(KeyRefused):
        asyncio.run(look())
    assert venue.closed == ["signer", "rest"]

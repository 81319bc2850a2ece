"""One process of a desk: the configuration in the market's units, and errors with their remedies."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.unit.domain.builders import MARKET
from tests.unit.domain.talk import maker_side

from lighter_hedge.config import Settings, load
from lighter_hedge.domain.settings import Direction
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import Lots
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.processes import side
from lighter_hedge.processes.journal_file import JournalError, JournalLocked
from lighter_hedge.processes.side import desk_settings, expected_errors, patiently
from lighter_hedge.venue.errors import KeyRefused, ReadFailed, TooManyRequests, UnknownMarket, VenueUnreachable

TEXT = """\
venue: {base_url: "http://127.0.0.1:8700"}
accounts:
  account_a: {account_name: a, account_index: 65, api_key_index: 4}
  account_b: {account_name: b, account_index: 66, api_key_index: 4}
"""


def configured(folder: Path, **overrides: object) -> Settings:
    path = folder / "config.yaml"
    path.write_text(TEXT, encoding="utf-8")
    path.chmod(0o600)
    env = {f"LIGHTER_HEDGE_ACCOUNT_{one}_PRIVATE_KEY": "a1" * 40 for one in "AB"}
    dotted = {key.replace("__", "."): value for key, value in overrides.items()}
    return load(path, overrides=dotted, credentials=None, env=env)


def test_every_number_arrives_in_the_units_of_the_machines(tmp_path: Path) -> None:
    told = configured(
        tmp_path,
        desk__quantity="0.001",
        desk__depth=2,
        desk__direction="alternate",
        strategy__retry_times=4,
        strategy__hedge_confirm_timeout=20,
        strategy__requote_bps="0.75",
        strategy__slippage_bps_max="12.5",
        limits__book_age_ms_max=1_500,
        read_lag_seconds="0.25",
        heartbeat_seconds_max=4,
    )
    desk = desk_settings(told, MARKET, same_wallet=True)
    assert (desk.quantity, desk.depth, desk.direction, desk.retry_times) == (100, 2, Direction.ALTERNATE, 4)
    assert (desk.hedge_confirm_timeout_ms, desk.status_interval_ms, desk.maker_order_timeout_ms) == (
        20_000,
        10_000,
        30_000,
    )
    assert (desk.requote_bps_e2, desk.slippage_bps_e2_max) == (75, 1_250)
    assert desk.slippage_ladder_percent == (100, 200, 400)
    assert (desk.book_age_ms_max, desk.read_lag_ms, desk.heartbeat_ms_max) == (1_500, 250, 4_000)
    assert (desk.arm_ms_max, desk.heartbeat_ms, desk.reconcile_ms) == (2_000, 1_000, 30_000)


@pytest.mark.parametrize(
    ("self_trade", "same_wallet", "cancel_first"),
    [("cancel_first", True, True), ("venue_flags", True, False), ("venue_flags", False, True)],
)
def test_only_one_wallet_and_a_persons_word_leave_self_trades_to_the_venue(
    tmp_path: Path, self_trade: str, same_wallet: bool, cancel_first: bool
) -> None:
    told = configured(tmp_path, desk__quantity="0.001", self_trade=self_trade)
    assert desk_settings(told, MARKET, same_wallet=same_wallet).cancel_first is cancel_first


def test_a_quantity_with_too_many_decimals_is_a_mistake_of_usage(tmp_path: Path) -> None:
    told = configured(tmp_path, desk__quantity="0.0000001")
    with pytest.raises(OpsError, match="more than the 5 decimals") as caught:
        desk_settings(told, MARKET, same_wallet=True)
    assert caught.value.code is ExitCode.USAGE


def test_a_quantity_below_the_venues_minimum_names_the_minimum(tmp_path: Path) -> None:
    told = configured(tmp_path, desk__quantity="0.001")
    with pytest.raises(OpsError, match="below the venue's minimum for BTC") as caught:
        desk_settings(told, replace(MARKET, min_base_lots=Lots(200)), same_wallet=True)
    assert caught.value.code is ExitCode.CONFIGURATION
    assert "0.00200" in caught.value.remedy


ERRORS: list[tuple[Exception, ExitCode]] = [
    (UnknownMarket("no market DOGE: BTC, ETH"), ExitCode.CONFIGURATION),
    (KeyRefused("key 4 is not this account's"), ExitCode.CONFIGURATION),
    (VenueUnreachable("nothing answers"), ExitCode.FAILED),
    (ReadFailed("HTTP 500"), ExitCode.FAILED),
    (TooManyRequests("account: HTTP 429"), ExitCode.FAILED),
    (JournalLocked(Path("a.db"), 12), ExitCode.REFUSED),
    (JournalError("disk full"), ExitCode.FAILED),
]


@pytest.mark.parametrize(("error", "code"), ERRORS, ids=lambda one: type(one).__name__)
def test_what_may_go_wrong_outside_has_an_exit_code_and_a_remedy(error: Exception, code: ExitCode) -> None:
    with pytest.raises(OpsError) as caught, expected_errors("account A"):
        raise error
    assert caught.value.code is code
    assert str(error) in str(caught.value)
    assert caught.value.remedy


def test_a_programmers_error_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), expected_errors("account A"):
        raise ZeroDivisionError


def test_readiness_is_said_once_and_only_when_the_side_is_recovered_and_connected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[Any] = []
    monkeypatch.setattr(side, "say_ready", said.append)
    machine = maker_side().machine
    look = side._Readiness(machine=machine)
    machine.core.feed_open = False
    look.look()
    assert said == []
    machine.core.feed_open = True
    look.look()
    look.look()
    assert len(said) == 1


def test_a_key_never_stands_in_the_settings_of_a_desk(tmp_path: Path) -> None:
    told = configured(tmp_path, desk__quantity=Decimal("0.001"))
    assert isinstance(told.accounts.account_a.private_key, SecretStr)
    assert "a1a1" not in repr(desk_settings(told, MARKET, same_wallet=True))


def test_a_refused_request_is_asked_again_and_not_for_ever() -> None:
    asked: list[int] = []

    async def ask() -> str:
        asked.append(1)
        if len(asked) % 3:
            raise TooManyRequests("account: HTTP 429")
        return "at last"

    assert asyncio.run(patiently(ask, Role.MAKER, (0.0, 0.0))) == "at last"
    with pytest.raises(TooManyRequests):
        asyncio.run(patiently(ask, Role.MAKER, (0.0,)))

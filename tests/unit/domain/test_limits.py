"""Limits that want a person: the day's loss, the hour's notional."""

import pytest
from tests.unit.domain.builders import PRICE, at, entries, fills
from tests.unit.domain.talk import Talk, maker_side

from lighter_hedge.domain.commands import DayOpened
from lighter_hedge.domain.core import Change
from lighter_hedge.domain.events import Instant
from lighter_hedge.domain.ledger import Order
from lighter_hedge.domain.limits import Limits
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import Side

USD = 1_000_000


def limits(talk: Talk, opened: DayOpened | None = None) -> Limits:
    talk.core.book.heard(PRICE, talk.now.mono_ms)
    return Limits(core=talk.core, opened=opened)


def filled(talk: Talk, role: Role, serial: int, side: Side, usd: int, lots: int = 100) -> None:
    known = fills(serial, side=side, lots=lots, filled=lots, filled_quote=usd * USD, closed=True)
    talk.core.ledgers[role].apply_peer(known)


def test_a_day_opens_with_the_first_mark_price_and_once() -> None:
    talk = maker_side()
    watched = limits(talk)
    talk.core.book.mark = 0
    assert watched.step(talk.now) == []
    talk.core.book.mark = PRICE
    day = talk.now.wall_ms // 86_400_000
    assert entries(watched.step(talk.now), DayOpened) == [DayOpened(day=day, value=0)]
    assert watched.step(talk.now) == []
    tomorrow = at(86_400_000)
    assert entries(watched.step(tomorrow), DayOpened) == [DayOpened(day=day + 1, value=0)]


def test_the_loss_is_cash_and_what_is_open_at_the_mark_price() -> None:
    talk = maker_side(daily_loss_quote_max=10 * USD)
    watched = limits(talk)
    watched.step(talk.now)
    filled(talk, Role.MAKER, 1, Side.BID, 100)
    assert watched.exceeded(talk.now) is None  # 100 lots at the mark price are worth what they cost
    filled(talk, Role.HEDGER, 1, Side.ASK, 91)
    assert watched.exceeded(talk.now) is None
    filled(talk, Role.HEDGER, 2, Side.BID, 51, lots=50)
    assert watched.exceeded(talk.now) == ("DAILY_LOSS", "lost 10.000000 USD today (UTC)")


def test_a_short_exposure_is_valued_too() -> None:
    talk = maker_side(daily_loss_quote_max=10 * USD)
    watched = limits(talk)
    watched.step(talk.now)
    filled(talk, Role.HEDGER, 1, Side.ASK, 100)
    assert watched.exceeded(talk.now) is None
    talk.core.book.mark = PRICE * 110 // 100
    assert watched.exceeded(talk.now) == ("DAILY_LOSS", "lost 10.000000 USD today (UTC)")


def test_a_restart_goes_on_with_the_days_account() -> None:
    talk = maker_side(daily_loss_quote_max=10 * USD)
    watched = limits(talk, DayOpened(day=talk.now.wall_ms // 86_400_000, value=15 * USD))
    assert watched.step(talk.now) == []
    assert watched.exceeded(talk.now) is not None


def test_a_person_who_goes_on_begins_anew() -> None:
    talk = maker_side(daily_loss_quote_max=10 * USD, notional_hour_quote_max=10 * USD)
    watched = limits(talk, DayOpened(day=0, value=15 * USD))
    order = Order(coid=1, side=Side.BID, lots=100, price=PRICE)
    watched.count(Change(role=Role.MAKER, order=order, lots=100, late=False), talk.now)
    assert watched.exceeded(talk.now) is not None
    day = talk.now.wall_ms // 86_400_000
    assert entries(watched.restart(talk.now), DayOpened) == [DayOpened(day=day, value=0)]
    assert watched.exceeded(talk.now) is None
    assert (watched._sum, list(watched._traded)) == (0, [])
    talk.core.book.mark = 0
    assert watched.restart(talk.now) == []


def test_the_notional_of_an_hour_is_counted() -> None:
    talk = maker_side(notional_hour_quote_max=300 * USD)
    watched = limits(talk)
    order = Order(coid=1, side=Side.BID, lots=500, price=PRICE)
    watched.count(Change(role=Role.MAKER, order=order, lots=0, late=False), at(0))
    watched.count(Change(role=Role.MAKER, order=order, lots=200, late=False), at(0))
    watched.count(Change(role=Role.MAKER, order=order, lots=99, late=False), at(10))
    assert watched.exceeded(at(10)) is None
    watched.count(Change(role=Role.MAKER, order=order, lots=1, late=False), at(20))
    assert watched.exceeded(at(20)) == ("NOTIONAL_LIMIT", "account A traded 300.000000 USD within an hour")
    assert watched.exceeded(at(3_600_000 - 1)) is not None
    assert watched.exceeded(at(3_600_000)) is None


@pytest.mark.parametrize(("side", "usd", "loss"), [(Side.BID, 3, 2), (Side.ASK, 1, 0), (Side.ASK, 0, 1)])
def test_a_single_lot_is_valued_by_its_sign(side: Side, usd: int, loss: int) -> None:
    """One lot is worth one dollar."""
    talk = maker_side(daily_loss_quote_max=1)
    watched = limits(talk)
    watched.step(talk.now)
    filled(talk, Role.MAKER, 1, side, usd, lots=1)
    reached = watched.exceeded(talk.now)
    assert (reached[1] if reached is not None else "") == (f"lost {loss}.000000 USD today (UTC)" if loss else "")


def test_a_day_begins_at_midnight() -> None:
    talk = maker_side()
    midnight = Instant(talk.now.mono_ms, 20_834 * 86_400_000)
    assert entries(limits(talk).step(midnight), DayOpened) == [DayOpened(day=20_834, value=0)]

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.builders import MARKET, PRICE

from lighter_hedge.domain.units import (
    AMOUNT_LENGTH_MAX,
    UNITS_MAX,
    Lots,
    MarketSpec,
    Side,
    UnitError,
    decimal_text,
    integer_of_wire,
    quote_text,
)


@given(lots=st.integers(0, 10**15), decimals=st.integers(0, 12))
def test_every_amount_survives_the_way_to_text_and_back(lots: int, decimals: int) -> None:
    assert integer_of_wire(decimal_text(lots, decimals), decimals) == lots
    assert decimal_text(-lots, decimals).removeprefix("-") == decimal_text(lots, decimals)


def test_the_venue_gives_amounts_without_a_sign() -> None:
    with pytest.raises(UnitError, match="negative"):
        integer_of_wire("-0.5", 1)
    assert MARKET.ticks_of("-0.5") == -5, "people may write one"


@pytest.mark.parametrize("text", ["1e400", "1e-400", "9" * 41, "1_000", " 1", "1 ", "\u0661", "1" + "0" * 30, "sNaN"])
def test_what_nobody_means_as_an_amount_is_refused_at_once(text: str) -> None:
    """Found by fuzzing: an exponent that takes seconds to write out, other digits, and rounding beyond 28 of them."""
    with pytest.raises(UnitError):
        integer_of_wire(text, 1)


def test_many_digits_are_exact() -> None:
    """Found by fuzzing: a context of 28 digits rounded what it could not hold."""
    assert integer_of_wire("0012345678901234567.500000000000000000", 1) == 123456789012345675
    with pytest.raises(UnitError):
        integer_of_wire("1234567890123456.7500000000000000000001", 2)


@given(lots=st.integers(0, 10**12), price=st.integers(1, 10**9))
def test_size_and_price_survive_the_human_border(lots: int, price: int) -> None:
    assert MARKET.lots_of(MARKET.size_text(lots)) == lots
    assert MARKET.ticks_of(MARKET.price_text(price)) == price


@given(price=st.integers(1, 10**9), minimum=st.integers(0, 10**9))
def test_the_minimum_is_the_smallest_size_that_reaches_both_minimums(price: int, minimum: int) -> None:
    market = replace(MARKET, min_quote=minimum)
    least = market.min_lots(price)
    exact = 10 ** (market.size_decimals + market.price_decimals)
    assert least * price * 1_000_000 >= minimum * exact
    assert least >= market.min_base_lots
    if least > market.min_base_lots:
        assert (least - 1) * price * 1_000_000 < minimum * exact


def test_the_builders_market_has_one_dollar_a_lot() -> None:
    assert MARKET.quote(-100, PRICE) == 100_000_000
    assert quote_text(100_000_000) == "100.000000"
    assert MARKET.min_lots(PRICE) == 10


@pytest.mark.parametrize(
    ("units", "decimals", "text"),
    [(5, 0, "5"), (-5, 0, "-5"), (5, 3, "0.005"), (-12345, 2, "-123.45"), (0, 1, "0.0")],
)
def test_decimal_text_keeps_all_decimals(units: int, decimals: int, text: str) -> None:
    assert decimal_text(units, decimals) == text


def test_surplus_zeros_are_no_decimals_and_missing_ones_are_zero() -> None:
    assert integer_of_wire("0.00020000", 5) == 20
    assert integer_of_wire("1.5", 3) == 1500


@pytest.mark.parametrize("text", ["", "abc", "NaN", "Infinity", "0.000001"])
def test_what_the_market_cannot_express_is_named(text: str) -> None:
    with pytest.raises(UnitError, match=r"^size "):
        MARKET.lots_of(text)
    with pytest.raises(UnitError, match=r"^amount "):
        integer_of_wire(text, 2)
    with pytest.raises(UnitError, match=r"^price "):
        MARKET.ticks_of(text + "1" if text == "0.000001" else text)


def test_an_error_names_the_market_and_its_decimals() -> None:
    with pytest.raises(UnitError, match="more than the 5 decimals that BTC allows"):
        MARKET.lots_of("0.000001")
    with pytest.raises(UnitError, match="more than the 1 decimals that wire allows"):
        integer_of_wire("0.01", 1)


def test_a_market_without_minimums_takes_one_lot() -> None:
    assert replace(MARKET, min_base_lots=Lots(0), min_quote=0).min_lots(PRICE) == 1


def test_the_largest_and_longest_amounts_are_read_and_the_next_are_not() -> None:
    assert integer_of_wire(str(UNITS_MAX), 0) == UNITS_MAX == 2**63 - 1
    with pytest.raises(UnitError, match="out of all bounds"):
        integer_of_wire(str(UNITS_MAX + 1), 0)
    longest = "0." + "0" * (AMOUNT_LENGTH_MAX - 2)
    assert integer_of_wire(longest, 1) == 0
    with pytest.raises(UnitError, match="is not a number"):
        integer_of_wire(longest + "0", 1)
    assert integer_of_wire("0e40", 0) == integer_of_wire("0e-40", 0) == 0
    for text in ("0e41", "0e-41"):
        with pytest.raises(UnitError, match="out of all bounds"):
            integer_of_wire(text, 0)


@pytest.mark.parametrize("decimals", [-1, 13])
def test_a_market_with_absurd_decimals_is_refused(decimals: int) -> None:
    for change in ({"size_decimals": decimals}, {"price_decimals": decimals}):
        with pytest.raises(AssertionError):
            MarketSpec(**{**{name: getattr(MARKET, name) for name in MARKET.__slots__}, **change})


def test_sides_know_their_sign_word_and_opposite() -> None:
    assert [(side.sign, side.word, side.opposite) for side in Side] == [(1, "buy", Side.ASK), (-1, "sell", Side.BID)]
    assert [Side.of_sign(signed) for signed in (5, 1, -1, -5)] == [Side.BID, Side.BID, Side.ASK, Side.ASK]
    with pytest.raises(AssertionError):
        Side.of_sign(0)

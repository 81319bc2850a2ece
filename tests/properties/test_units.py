"""Amounts: text and integers say exactly the same, and rounding goes the safe way."""

import math
from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from tests.properties.profile import examples
from tests.unit.domain.builders import MARKET, fills

from lighter_hedge.domain.units import Lots, UnitError, decimal_text, integer_of_wire
from lighter_hedge.messaging.messages import average_price_text
from lighter_hedge.venue.lighter.parse import floor_of_wire, wire_int

UNITS = st.integers(0, 10**17)
DECIMALS = st.integers(0, 12)


@examples
@given(units=UNITS, decimals=DECIMALS, zeros=st.integers(0, 4))
def test_text_and_integer_are_the_same_number(units: int, decimals: int, zeros: int) -> None:
    text = decimal_text(units, decimals)
    assert Fraction(text) == Fraction(units, 10**decimals)
    longer = text + ("0" * zeros if "." in text else "")
    assert wire_int(longer, decimals) == integer_of_wire(longer, decimals) == floor_of_wire(longer, decimals) == units


@examples
@given(units=UNITS, written=DECIMALS, held=DECIMALS)
def test_what_does_not_fit_exactly_is_refused(units: int, written: int, held: int) -> None:
    text = decimal_text(units, written)
    exact = Fraction(units, 10**written) * 10**held
    try:
        assert integer_of_wire(text, held) == exact
    except UnitError:
        assert exact.denominator != 1 or exact >= 2**63


@examples
@given(units=st.integers(-(10**17), 10**17), written=DECIMALS, held=st.integers(0, 6))
def test_rounding_goes_down(units: int, written: int, held: int) -> None:
    try:
        found = floor_of_wire(decimal_text(units, written), held)
    except UnitError:
        assert abs(units) * 10**held >= 2**63 * 10**written
        return
    assert found == math.floor(Fraction(units, 10**written) * 10**held)


@examples
@given(text=st.text(max_size=50) | st.from_regex(r"[-+]?[0-9_.eE ]{0,45}", fullmatch=True), decimals=DECIMALS)
def test_any_text_is_an_exact_number_or_refused(text: str, decimals: int) -> None:
    try:
        found = integer_of_wire(text, decimals)
    except UnitError:
        return
    assert Fraction(text) == Fraction(found, 10**decimals)
    assert 0 <= found < 2**63


@examples
@given(lots=st.integers(-(10**12), 10**12), price=st.integers(1, 10**12), sizes=DECIMALS, prices=DECIMALS)
def test_a_notional_is_exact_but_for_the_last_millionth(lots: int, price: int, sizes: int, prices: int) -> None:
    market = replace(MARKET, size_decimals=sizes, price_decimals=prices)
    exact = Fraction(abs(lots) * price * 1_000_000, 10 ** (sizes + prices))
    assert market.quote(lots, price) == math.floor(exact)


@examples
@given(price=st.integers(1, 10**10), base=st.integers(0, 10**6), quote=st.integers(0, 10**10), decimals=DECIMALS)
def test_the_minimum_is_the_least_that_reaches_both(price: int, base: int, quote: int, decimals: int) -> None:
    market = replace(MARKET, size_decimals=decimals, min_base_lots=Lots(base), min_quote=quote)
    least = market.min_lots(price)

    def enough(lots: int) -> bool:
        exact = Fraction(lots * price * 1_000_000, 10 ** (market.size_decimals + market.price_decimals))
        return lots >= max(base, 1) and exact >= quote

    assert enough(least)
    assert not enough(least - 1)


@examples
@given(trades=st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**8)), min_size=1, max_size=6))
def test_an_average_price_lies_between_the_prices(trades: list[tuple[int, int]]) -> None:
    lots = sum(one for one, _ in trades)
    quote = sum(one * price for one, price in trades)  # a lot at a tick is a millionth where decimals are 6 together
    market = replace(MARKET, size_decimals=5, price_decimals=1)
    known = fills(lots=lots, filled=lots, filled_quote=quote)
    shown = Fraction(average_price_text(known, market)) * 10
    prices = [price for _, price in trades]
    assert min(prices) <= shown <= max(prices)
    assert abs(shown - Fraction(quote, lots)) <= Fraction(1, 2)

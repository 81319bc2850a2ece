"""Units of size, price and time.

Sizes are lots and prices are ticks: the venue's own wire integers, so that two legs net to an exact zero.
``Decimal`` appears only at the human border. No float touches an amount.
"""

from dataclasses import dataclass
from decimal import Decimal, DecimalException
from enum import Enum
from typing import NewType

Lots = NewType("Lots", int)
"""A size in the venue's smallest unit, ``size * 10**size_decimals``. Signed where a leg or position is meant."""

Ticks = NewType("Ticks", int)
"""A price in the venue's smallest unit, ``price * 10**price_decimals``."""

POWERS_OF_TEN: tuple[int, ...] = tuple(int(f"1{'0' * n}") for n in range(25))

DECIMALS_MAX = 12
"""More decimals of a size or a price than any market has."""

AMOUNT_LENGTH_MAX = 40
"""Characters of an amount: more are no amount."""

UNITS_MAX = 2**63 - 1
"""Lots or ticks: what a journal can hold."""

QUOTE_SCALE = 1_000_000
"""Quote amounts (USDC) are integers in millionths, as on the wire."""


class Side(Enum):
    """Side of an order. ``sign`` is what a fill does to the position."""

    BID = "bid"
    ASK = "ask"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BID else -1

    @property
    def opposite(self) -> "Side":
        """The other side."""
        return Side.ASK if self is Side.BID else Side.BID

    @property
    def word(self) -> str:
        """What people read: ``buy`` or ``sell``."""
        return "buy" if self is Side.BID else "sell"

    @staticmethod
    def of_sign(signed: int) -> "Side":
        """The side that moves a position in the direction of ``signed``, which must not be zero."""
        assert signed != 0
        return Side.BID if signed > 0 else Side.ASK


class UnitError(ValueError):
    """An amount that a market's units cannot express; the message names it and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketSpec:
    """What one market allows. Loaded from the venue at start, never hard-coded."""

    market_index: int
    symbol: str
    size_decimals: int
    price_decimals: int
    min_base_lots: Lots
    """Smallest size of an order, in lots."""
    min_quote: int
    """Smallest notional of an order, in millionths of the quote currency."""
    initial_margin_fraction: int
    """Margin that opening needs, in units of 1e-4 of the notional."""
    active: bool = True

    def __post_init__(self) -> None:
        assert 0 <= self.size_decimals <= DECIMALS_MAX
        assert 0 <= self.price_decimals <= DECIMALS_MAX

    def quote(self, lots: int, price: int) -> int:
        """Notional of ``lots`` at ``price`` ticks, in millionths of the quote currency, rounded down."""
        scale = self.size_decimals + self.price_decimals
        return abs(lots) * price * QUOTE_SCALE // POWERS_OF_TEN[scale]

    def min_lots(self, price: int) -> Lots:
        """Smallest order at ``price`` ticks: it must reach both the base and the quote minimum."""
        assert price > 0
        scale = self.size_decimals + self.price_decimals
        needed = -(-self.min_quote * POWERS_OF_TEN[scale] // (price * QUOTE_SCALE))
        return Lots(max(self.min_base_lots, needed, 1))

    def lots_of(self, text: str) -> Lots:
        """Read a size.

        Raises:
            UnitError: not a number, or more decimals than the market has.
        """
        return Lots(_integer_of(text, self.size_decimals, "size", self.symbol))

    def ticks_of(self, text: str) -> Ticks:
        """Read a price.

        Raises:
            UnitError: not a number, or more decimals than the market has.
        """
        return Ticks(_integer_of(text, self.price_decimals, "price", self.symbol))

    def size_text(self, lots: int) -> str:
        """A size as the venue writes it, with all its decimals."""
        return decimal_text(lots, self.size_decimals)

    def price_text(self, ticks: int) -> str:
        """A price as the venue writes it, with all its decimals."""
        return decimal_text(ticks, self.price_decimals)


def decimal_text(units: int, decimals: int) -> str:
    """``units`` with the point ``decimals`` places from the right, as a string with fixed decimals."""
    sign = "-" if units < 0 else ""
    digits = str(abs(units)).rjust(decimals + 1, "0")
    if decimals == 0:
        return sign + digits
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"


def quote_text(quote: int) -> str:
    """A quote amount in millionths as a decimal string."""
    return decimal_text(quote, 6)


def integer_of_wire(text: str, decimals: int) -> int:
    """Parse a decimal string of the venue into an integer with ``decimals`` places; surplus zeros are allowed.

    Raises:
        UnitError: the text is no number, is negative or does not fit the decimals.
    """
    units = _integer_of(text, decimals, "amount", "wire")
    if units < 0:
        raise UnitError(f"amount {text} is negative: the venue gives sizes and prices without a sign")
    return units


def _integer_of(text: str, decimals: int, what: str, where: str) -> int:
    """Exact: no rounding of a context, no number of more digits than anybody means."""
    plain = len(text) <= AMOUNT_LENGTH_MAX and text.isascii() and text == text.strip() and "_" not in text
    try:
        number = Decimal(text if plain else "")
    except DecimalException:
        raise UnitError(f"{what} {text[:AMOUNT_LENGTH_MAX]!r} is not a number: write it like 0.0002") from None
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise UnitError(f"{what} {text!r} is not finite: write it like 0.0002")
    shift = exponent + decimals
    if not -AMOUNT_LENGTH_MAX <= shift <= AMOUNT_LENGTH_MAX:
        raise UnitError(f"{what} {text} is out of all bounds: write it like 0.0002")
    units = int("".join(map(str, digits)))
    more, less = 10 ** max(shift, 0), 10 ** max(-shift, 0)
    whole: int = units * more // less
    if whole * less != units * more:
        raise UnitError(f"{what} {text} has more than the {decimals} decimals that {where} allows")
    if whole > UNITS_MAX:
        raise UnitError(f"{what} {text} is out of all bounds: write it like 0.0002")
    return -whole if sign else whole

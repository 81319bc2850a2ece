"""Amounts as people read them. Pure."""

from dataclasses import dataclass

from lighter_hedge.domain.units import MarketSpec, decimal_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Lots and ticks as text; as bare integers while the market's rules are not known."""

    spec: MarketSpec | None = None

    def size(self, lots: int) -> str:
        """A size in the base currency."""
        return str(lots) if self.spec is None else self.spec.size_text(lots)

    def price(self, ticks: int) -> str:
        """A price."""
        return str(ticks) if self.spec is None else self.spec.price_text(ticks)

    def usd(self, lots: int, price: int) -> str | None:
        """What ``lots`` are worth at ``price`` ticks, in dollars and cents, signed; None where nobody can say."""
        if self.spec is None or not price:
            return None
        millionths = self.spec.quote(lots, price)
        cents = (millionths + 5_000) // 10_000
        return decimal_text(-cents if lots < 0 else cents, 2)

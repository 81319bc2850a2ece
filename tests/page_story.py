"""A desk as the page sees it: states of A and B through a round, told by hand."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lighter_hedge.dashboard.projection import About, Projection
from lighter_hedge.domain.states import (
    Announce,
    Confirm,
    HedgerState,
    Leg,
    MakerState,
    Mode,
    OrderFills,
    Role,
)
from lighter_hedge.domain.units import Lots, MarketSpec, Side
from lighter_hedge.messaging.telemetry import Said, Stamped

SPEC = MarketSpec(
    market_index=1,
    symbol="BTC",
    size_decimals=5,
    price_decimals=1,
    min_base_lots=Lots(20),
    min_quote=10_000_000,
    initial_margin_fraction=200,
)
BEGAN_MS = 1_760_000_000_000
PRICE = 1_000_000
"""100,000.0 USD in ticks."""


def about(**changes: Any) -> About:
    """A paper desk."""
    values: dict[str, Any] = {
        "desk": "a_b:BTC",
        "market": "BTC",
        "network": "paper",
        "version": "0.1.0",
        "names": {Role.MAKER: "a", Role.HEDGER: "b"},
        "indices": {Role.MAKER: 65, Role.HEDGER: 66},
        "quantity": Decimal("0.0002"),
        "unhedged_ms_max": 90_000,
        "stale_ms": 9_000,
        "read_only": False,
    }
    return About(**values | changes)


@dataclass(slots=True, kw_only=True)
class Story:
    """Tells a projection what A and B say, in order."""

    projection: Projection = field(default_factory=lambda: Projection(about=about()))
    now_ms: int = BEGAN_MS
    clock: Callable[[], int] | None = None
    """Wall clock of a story that is told live; else ``now_ms`` stands until it is moved."""
    maker: dict[str, Any] = field(default_factory=dict)
    hedger: dict[str, Any] = field(default_factory=dict)
    seq: int = 0

    def a(self, **changes: Any) -> MakerState:
        """A says its state, with ``changes``."""
        self.maker |= changes
        values: dict[str, Any] = {
            "mode": Mode.RUNNING,
            "pause": None,
            "announce": None,
            "fills": (),
            "round": 0,
            "position": 0,
            "ready": True,
        }
        state = MakerState(epoch=1, seq=self._next(), at_ms=self._time(), **values | self.maker)
        self.projection.heard(state)
        return state

    def b(self, **changes: Any) -> HedgerState:
        """B says its state, with ``changes``."""
        self.hedger |= changes
        values: dict[str, Any] = {
            "armed": None,
            "disarmed": "",
            "confirm": None,
            "failed": None,
            "pause_ask": None,
            "fills": (),
            "unresolved": 0,
            "tries": 0,
            "position": 0,
            "ready": True,
        }
        state = HedgerState(epoch=1, seq=self._next(), at_ms=self._time(), **values | self.hedger)
        self.projection.heard(state)
        return state

    def say(self, code: str, text: str, level: str = "info", source: str = "A") -> None:
        """A log line."""
        self.projection.told(Said(at_ms=self._time(), source=source, level=level, code=code, text=text))

    def quote(self, number: int) -> None:
        """A rests a buy of 20 lots."""
        self.a(announce=quote(number), round=number)

    def fill(self, number: int) -> None:
        """The whole quote is filled."""
        self.projection.told(stamped("A", number, filled=0, told=2_000, began_ms=self._time()))
        fills = (*self.maker.get("fills", ()), order(number, Side.BID, 20, PRICE))
        self.a(announce=None, fills=fills, position=self.maker.get("position", 0) + 20)

    def hedge(self, number: int, price: int = PRICE - 10) -> None:
        """B has sold the same, and confirms."""
        self.projection.told(stamped("B", number, heard=500, decided=600, leaving=900, began_ms=self._time()))
        fills = (*self.hedger.get("fills", ()), order(number, Side.ASK, 20, price))
        confirm = Confirm(epoch=1, round=number, cum=20, net=0)
        self.b(fills=fills, confirm=confirm, position=self.hedger.get("position", 0) - 20)

    def round(self, number: int, step_ms: int = 100) -> None:
        """A whole round, ``step_ms`` between its steps."""
        for tell in (self.quote, self.fill, self.hedge):
            tell(number)
            self.now_ms += step_ms

    def _time(self) -> int:
        return self.clock() if self.clock else self.now_ms

    def _next(self) -> int:
        self.seq += 1
        return self.seq


def quote(number: int) -> Announce:
    """A's wish to buy 20 lots at 100,000.0."""
    return Announce(
        epoch=1, round=number, attempt=0, leg=Leg.OPEN, coid=number, side=Side.BID, lots=20, price=PRICE, min_lots=20,
        expires_ms=0,
    )  # fmt: skip


def order(number: int, side: Side, lots: int, price: int) -> OrderFills:
    """An order that has filled whole."""
    return OrderFills(
        coid=number, round=number, side=side, lots=lots, filled=lots, filled_quote=SPEC.quote(lots, price), closed=True
    )


def stamped(source: str, number: int, *, began_ms: int, **at_us: int) -> Stamped:
    """Times in microseconds after ``began_ms``."""
    times = {stage: began_ms * 1000 + us for stage, us in at_us.items()}
    return Stamped(source=source, round=number, coid=number, lots=20, armed=source == "B", at_us=times)

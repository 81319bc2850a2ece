"""What happens at the exchange, told as lines for a person who watches. Pure: truth in, new lines out."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from lighter_hedge.domain.units import MarketSpec
from lighter_hedge.ops.truth import Execution, executions, orders_of, rounds


class Tone(Enum):
    """How a line is shown."""

    QUOTE = "quote"
    FILL = "fill"
    HEDGE = "hedge"
    CLOSED = "closed"
    TROUBLE = "trouble"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line for a person."""

    tone: Tone
    text: str


Happened = tuple[int, int, Line]
"""When (milliseconds), rank within that moment, and what."""


class Narrator:
    """Remembers what it has told already."""

    def __init__(self, spec: MarketSpec, *, min_lots: int) -> None:
        """Tell of the market ``spec``; less than ``min_lots`` left over is a residual."""
        self._spec = spec
        self._min_lots = min_lots
        self._orders: set[int] = set()
        self._executions: set[tuple[str, int]] = set()
        self._closed = 0

    def feed(self, truth: Mapping[str, Any]) -> list[Line]:
        """The lines that are new in ``truth``, in the order in which it happened."""
        found = [*self._quotes(truth), *self._executions_of(truth), *self._closings(truth)]
        return [line for _, _, line in sorted(found, key=lambda each: each[:2])]

    def _quotes(self, truth: Mapping[str, Any]) -> list[Happened]:
        spec, found = self._spec, []
        for order in orders_of(truth, 0, spec.symbol):
            index = int(order["order_index"])
            if index in self._orders:
                continue
            self._orders.add(index)
            size, price = spec.size_text(int(order["size_lots"])), spec.price_text(int(order["price_ticks"]))
            text = f"A quotes  {order['side']} {size} {spec.symbol} at {price}"
            found.append((int(order["created_ms"]), 2, Line(tone=Tone.QUOTE, text=text)))
        return found

    def _executions_of(self, truth: Mapping[str, Any]) -> list[Happened]:
        net, last_fill_ms, found = 0, 0, []
        for step in executions(truth, self._spec.symbol):
            net += step.signed
            if step.letter == "A":
                last_fill_ms = step.at_ms
            if (step.letter, step.trade_id) not in self._executions:
                self._executions.add((step.letter, step.trade_id))
                found.append((step.at_ms, 0, self._executed(step, net, step.at_ms - last_fill_ms)))
        return found

    def _executed(self, step: Execution, net: int, after_ms: int) -> Line:
        spec = self._spec
        word = "buy" if step.signed > 0 else "sell"
        what = f"{word} {spec.size_text(abs(step.signed))} {spec.symbol} at {spec.price_text(step.price)}"
        if step.letter == "A":
            return Line(tone=Tone.FILL, text=f"A filled  {what}, net {spec.size_text(net)}")
        return Line(tone=Tone.HEDGE, text=f"B hedged  {what}, {after_ms} ms after the fill, net {spec.size_text(net)}")

    def _closings(self, truth: Mapping[str, Any]) -> list[Happened]:
        closed = [each for each in rounds(truth, self._spec.symbol) if each.terminal and each.hedged(self._min_lots)]
        found = []
        for number, each in enumerate(closed, start=1):
            if number > self._closed:
                text = f"round {number} closed, hedged, net {self._spec.size_text(each.net)}"
                found.append((each.last_ms, 1, Line(tone=Tone.CLOSED, text=text)))
        self._closed = max(self._closed, len(closed))
        return found

    @property
    def closed(self) -> int:
        """Rounds that are closed and hedged so far."""
        return self._closed

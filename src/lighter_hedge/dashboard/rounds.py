"""The round under way as five steps, and the last hedge by its stages. Pure."""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from lighter_hedge.dashboard.schema import Hedge, Latency, Round, Stage, Step
from lighter_hedge.dashboard.words import Words
from lighter_hedge.domain.states import Announce, HedgerState, MakerState, OrderFills
from lighter_hedge.domain.units import decimal_text
from lighter_hedge.messaging.telemetry import FILL_STAGES, HEDGE_STAGES, Stamped

STEPS = ("quote", "fill", "sent", "hedged", "verified")
LATENCY_BOUNDS_US = (
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000,
)  # fmt: skip
"""Upper bounds of the histogram's buckets, microseconds."""
HEDGES_KEPT = 500
"""Latencies that p50, p95 and the chart are of."""
OPEN_MAX = 64
"""Rounds whose times of A wait for those of B."""


@dataclass(slots=True, kw_only=True)
class RoundSteps:
    """Follows one round after the other through the states of A and B."""

    number: int = 0
    quote: Announce | None = None
    """The newest quote of this round."""
    filled: int = 0
    """A's fills of this round, signed lots."""
    hedged: int = 0
    failed: str = ""
    times: dict[str, int] = field(default_factory=dict)
    """Step to when it was reached, Unix milliseconds."""

    def is_over(self, state: MakerState | HedgerState) -> bool:
        """Whether ``state`` tells of another round, and this one was filled."""
        quote = state.announce if isinstance(state, MakerState) else None
        return quote is not None and quote.round != self.number and self.filled != 0

    def heard(self, state: MakerState | HedgerState) -> None:
        """A new state of either side."""
        if isinstance(state, MakerState):
            self._heard_maker(state)
        else:
            self._heard_hedger(state)

    def timed(self, stamped: Stamped) -> None:
        """The exact times of a fill or a hedge of this round."""
        if stamped.round != self.number:
            return
        # B's own copy of A's fill may come in before A's.
        stages = (("fill", "filled"),) if stamped.source == "A" else (("fill", "heard"), ("sent", "leaving"))
        for step, stage in stages:
            if stage in stamped.at_us:
                self.times[step] = min(stamped.at_us[stage] // 1000, self.times.get(step, 1 << 62))

    def as_round(self, words: Words) -> Round | None:
        """The round as the page shows it; None before the first."""
        quote = self.quote
        if quote is None:
            return None
        reached = [name for name in STEPS if name in self.times]
        began = self.times.get("began")
        steps = []
        for index, name in enumerate(STEPS):
            before = began if index == 0 else self.times.get(STEPS[index - 1])
            ended = self.times.get(name) if index else self.times.get("fill")
            if index == 1:  # filling begins with the first fill and ends with the last, when nothing rests any more
                before, ended = self.times.get("fill"), self.times.get("filled")
            steps.append(
                Step(
                    name=name,
                    state=self._state_of(name, reached),
                    began_ms=before,
                    ended_ms=ended,
                    text=self._text_of(name, words),
                )
            )
        return Round(
            number=self.number,
            attempt=quote.attempt,
            leg=quote.leg.value,
            side=quote.side.word,
            size=words.size(quote.lots),
            price=words.price(quote.price),
            steps=tuple(steps),
        )

    def _state_of(self, name: str, reached: list[str]) -> str:
        if self.failed and name == "hedged" and name not in reached:
            return "failed"
        done = {"quote": "fill" in reached, "fill": "filled" in self.times}.get(name, name in reached)
        if done:
            return "done"
        now = {"quote": True, "fill": "fill" in reached, "sent": "fill" in reached, "hedged": "sent" in reached}
        return "now" if now.get(name, "hedged" in reached) else "waiting"

    def _text_of(self, name: str, words: Words) -> str:
        assert self.quote is not None
        if name == "fill" and self.filled:
            return f"{words.size(abs(self.filled))} / {words.size(self.quote.lots)}"
        if name == "hedged" and self.hedged:
            return f"{words.size(abs(self.hedged))} / {words.size(abs(self.filled))}"
        return ""

    def _heard_maker(self, state: MakerState) -> None:
        quote = state.announce
        if quote is not None and quote.round != self.number:
            self.number, self.filled, self.hedged, self.failed = quote.round, 0, 0, ""
            self.times = {"began": state.at_ms}
        if quote is not None:
            self.quote = quote
        if self.number != state.round:
            return
        orders = [each for each in state.fills if each.round == self.number]
        self.filled = signed(orders)
        if self.filled:
            self.times.setdefault("fill", state.at_ms)
            if all(each.closed for each in orders):
                self.times.setdefault("filled", state.at_ms)
        self._settle(state.at_ms)

    def _heard_hedger(self, state: HedgerState) -> None:
        orders = [each for each in state.fills if each.round == self.number]
        self.hedged = signed(orders)
        if self.filled and orders:
            self.times.setdefault("sent", state.at_ms)
        failed = state.failed
        self.failed = failed.reason if failed is not None and failed.round == self.number else ""
        self._settle(state.at_ms)
        confirm = state.confirm
        if confirm is not None and self.filled and (confirm.round, confirm.cum) == (self.number, self.filled):
            self.times.setdefault("hedged", state.at_ms)
            self.times.setdefault("verified", state.at_ms)

    def _settle(self, at_ms: int) -> None:
        """Both sums say whether the hedge is complete; a further fill opens it again."""
        if self.filled and self.filled + self.hedged == 0:
            self.times.setdefault("hedged", at_ms)
        elif "verified" not in self.times:
            self.times.pop("hedged", None)


@dataclass(slots=True)
class Distribution:
    """All latencies since the page began."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BOUNDS_US) + 1))
    """By bucket; the last one has no bound."""
    sum_us: int = 0

    def add(self, us: int) -> None:
        """One more."""
        self.counts[bisect_left(LATENCY_BOUNDS_US, us)] += 1
        self.sum_us += us


@dataclass(slots=True, kw_only=True)
class Hedges:
    """The stages of each hedge, from the times that A and B tell."""

    latencies: deque[Latency] = field(default_factory=lambda: deque(maxlen=HEDGES_KEPT))
    distribution: Distribution = field(default_factory=Distribution)
    last: Stamped | None = None
    _fills: dict[int, Stamped] = field(default_factory=dict)
    """Times of A's first fill, by round."""
    _prices: dict[int, dict[str, tuple[int, int]]] = field(default_factory=dict)
    """By round and side: lots and their quote amount."""

    def timed(self, stamped: Stamped) -> Latency | None:
        """Times of a fill or of a hedge; the point that a hedge adds to the chart."""
        if stamped.source == "A":
            self._fills.setdefault(stamped.round, stamped)
            _bound(self._fills)
            return None
        self.last = stamped
        leaving, began = stamped.at_us.get("leaving"), self._began(stamped)
        if leaving is None or leaving < began:
            return None
        point = Latency(at_ms=leaving // 1000, us=leaving - began, round=stamped.round)
        self.latencies.append(point)
        self.distribution.add(point.us)
        return point

    def heard(self, letter: str, fills: Iterable[OrderFills]) -> None:
        """What one side has filled, for the price of each round."""
        sums: dict[int, tuple[int, int]] = {}
        for order in fills:
            lots, quote = sums.get(order.round, (0, 0))
            sums[order.round] = lots + order.side.sign * order.filled, quote + order.side.sign * order.filled_quote
        for number, amounts in sums.items():
            self._prices.setdefault(number, {})[letter] = amounts
        _bound(self._prices)

    def as_hedge(self, words: Words) -> Hedge | None:
        """The last hedge as the page shows it; None before the first."""
        last = self.last
        if last is None:
            return None
        began = self._began(last)
        fill = self._fills.get(last.round)
        stages = [] if fill is None else [(f"a_{name}", fill.at_us[name]) for name in FILL_STAGES if name in fill.at_us]
        stages += [(f"b_{name}", last.at_us[name]) for name in HEDGE_STAGES if name in last.at_us]
        times = sorted(point.us for point in self.latencies)
        return Hedge(
            round=last.round,
            at_ms=began // 1000,
            size=words.size(last.lots),
            armed=last.armed,
            stages=tuple(Stage(name=name, us=at - began) for name, at in stages),
            slippage_bps=self._slippage(last.round),
            p50_us=quantile(times, 50),
            p95_us=quantile(times, 95),
            count=len(times),
        )

    def of_round(self, number: int) -> tuple[int, int]:
        """Volume of both sides and what the hedge cost in a round, millionths of a dollar; 0 while it is unhedged."""
        amounts = self._prices.get(number, {})
        (a_lots, a_quote), (b_lots, b_quote) = amounts.get("A", (0, 0)), amounts.get("B", (0, 0))
        if a_lots + b_lots:
            return 0, 0
        return abs(a_quote) + abs(b_quote), a_quote + b_quote

    def _began(self, hedge: Stamped) -> int:
        """When A's fill came in, or where A has not told, when B heard of it. A later part of a fill counts from B."""
        fill = self._fills.get(hedge.round)
        heard = min(hedge.at_us.values(), default=0)
        return heard if fill is None else min(fill.at_us.get("filled", heard), heard)

    def _slippage(self, number: int) -> str | None:
        """B's average price against A's, basis points with one decimal."""
        amounts = self._prices.get(number, {})
        a_lots, a_quote = amounts.get("A", (0, 0))
        b_lots, b_quote = amounts.get("B", (0, 0))
        if not a_lots or not b_lots or a_lots * b_lots > 0:
            return None
        # Sold less bought for the same size: what is lost is the cost, over what A's fill was worth.
        cost = a_quote * abs(b_lots) + b_quote * abs(a_lots)
        return decimal_text(cost * 1_000_000 // (abs(a_quote) * abs(b_lots)) if a_quote else 0, 2)


def signed(orders: Iterable[OrderFills]) -> int:
    """What orders have filled, signed lots."""
    return sum(order.side.sign * order.filled for order in orders)


def quantile(ordered: list[int], percent: int) -> int:
    """The value at ``percent`` of an ordered list; 0 of none."""
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0


def _bound(table: dict[int, Any]) -> None:
    while len(table) > OPEN_MAX:
        del table[min(table)]

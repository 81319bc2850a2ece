"""What the page knows, for Prometheus. Collected when it is asked for, by a process that no hedge waits for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from lighter_hedge.dashboard.projection import Projection
from lighter_hedge.dashboard.rounds import LATENCY_BOUNDS_US
from lighter_hedge.domain.states import Mode

STATES: Final = (*(mode.value for mode in Mode), "stopped", "unknown")
LEVELS: Final = ("debug", "info", "warning", "error")


@dataclass(slots=True, kw_only=True, eq=False)
class DeskCollector(Collector):
    """The desk of one page."""

    projection: Projection
    clock: Callable[[], int]
    """Unix milliseconds."""

    def collect(self) -> Iterator[Metric]:
        """See ``prometheus_client``."""
        now_ms = self.clock()
        seen: Any = self.projection.whole(now_ms)
        yield from self._exposure(seen, now_ms)
        yield from self._sides(seen, now_ms)
        yield from self._hedges(seen)
        state = GaugeMetricFamily("hedge_state", "1 for the state that the desk is in.", labels=["state"])
        for name in STATES:
            state.add_metric([name], seen.badge.mode == name)
        yield state
        yield GaugeMetricFamily("hedge_redis_up", "Whether Redis answers the page.", value=seen.ages.redis)
        events = CounterMetricFamily("hedge_events", "Log lines since the page began.", labels=["level"])
        for level in LEVELS:
            events.add_metric([level], self.projection.levels.get(level, 0))
        yield events

    def _exposure(self, seen: Any, now_ms: int) -> Iterator[Metric]:
        exposure = seen.exposure
        if exposure.net is not None:
            text = "A + B in the base currency; absent while it is not known."
            yield GaugeMetricFamily("hedge_net_exposure_base", text, value=float(exposure.net))
        since = exposure.since_ms
        seconds = 0.0 if since is None else (now_ms - since) / 1000
        yield GaugeMetricFamily(
            "hedge_unhedged_seconds", "For how long A + B has been more than a residual.", value=seconds
        )
        limit = exposure.limit_ms / 1000
        yield GaugeMetricFamily("hedge_unhedged_limit_seconds", "limits.unhedged_seconds_max", value=limit)

    def _sides(self, seen: Any, now_ms: int) -> Iterator[Metric]:
        up = GaugeMetricFamily("hedge_side_up", "Whether a side lives.", labels=["account"])
        age = GaugeMetricFamily("hedge_side_age_seconds", "Age of a side's newest words.", labels=["account"])
        position = GaugeMetricFamily("hedge_position_base", "Position, in the base currency.", labels=["account"])
        free = GaugeMetricFamily("hedge_free_collateral_usd", "Free collateral at the venue.", labels=["account"])
        unresolved = GaugeMetricFamily(
            "hedge_unresolved", "Transactions whose outcome is not known.", labels=["account"]
        )
        for each, heard_ms in zip(seen.accounts, (seen.ages.a_ms, seen.ages.b_ms), strict=True):
            up.add_metric([each.letter], each.alive)
            unresolved.add_metric([each.letter], each.unresolved)
            if heard_ms is not None:
                age.add_metric([each.letter], (now_ms - heard_ms) / 1000)
            if each.position is not None:
                position.add_metric([each.letter], float(each.position))
            if each.collateral:
                free.add_metric([each.letter], float(each.collateral))
        yield from (up, age, position, free, unresolved)

    def _hedges(self, seen: Any) -> Iterator[Metric]:
        latency = self.projection.latency
        buckets, below = [], 0
        for bound, count in zip((*LATENCY_BOUNDS_US, None), latency.counts, strict=True):
            below += count
            buckets.append(("+Inf" if bound is None else str(bound / 1_000_000), below))
        yield HistogramMetricFamily(
            "hedge_latency_seconds",
            "From the first news of a fill until its hedge leaves.",
            buckets=buckets,
            sum_value=latency.sum_us / 1_000_000,
        )
        rounds = CounterMetricFamily("hedge_rounds", "Rounds that ended with a fill.", labels=["result"])
        rounds.add_metric(["hedged"], seen.totals.rounds)
        rounds.add_metric(["failed"], seen.totals.failed)
        yield rounds
        volume = float(seen.totals.volume_usd)
        yield CounterMetricFamily("hedge_volume_usd", "Volume of A and B together in hedged rounds.", value=volume)
        cost = float(seen.totals.cost_usd)
        yield GaugeMetricFamily("hedge_slippage_cost_usd", "What all hedges have cost against A's prices.", value=cost)


def exposition(projection: Projection, clock: Callable[[], int]) -> bytes:
    """Everything in the text format of Prometheus."""
    registry = CollectorRegistry()
    registry.register(DeskCollector(projection=projection, clock=clock))
    return generate_latest(registry)

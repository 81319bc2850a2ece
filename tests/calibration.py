"""How lifelike the synthetic market is: its figures beside the recorded ones.

``make calibration`` shows them for an hour of each market; the unit test of the figures holds them to ``BAND``.
"""

import argparse
from pathlib import Path

from lighter_hedge.simulator.core.markets import MARKETS
from lighter_hedge.simulator.traffic import play_once, synthetic
from lighter_hedge.simulator.traffic.calibration import statistics

BAND = 0.15
"""Part of a recorded figure by which the synthetic one may differ."""

RECORDED: dict[int, dict[str, float]] = {
    0: {
        "spread_ticks_p50": 17.0,
        "spread_ticks_p95": 33.0,
        "top_lots_p50": 6_513.0,
        "top_lots_p95": 691_826.0,
        "trade_lots_p50": 462.0,
        "trade_lots_p95": 18_668.0,
        "levels_per_update_p50": 2.0,
        "levels_per_update_p95": 15.0,
        "update_gap_ms_p50": 10.0,
        "update_gap_ms_p95": 71.0,
        "trades_per_same_ms_p50": 1.0,
        "trades_per_same_ms_p95": 5.0,
        "updates_per_s": 50.52,
        "trades_per_s": 4.21,
        "mid_changes_per_s": 6.8,
        "ret_1s_bps_std": 0.354,
    },
    1: {
        "spread_ticks_p50": 14.0,
        "spread_ticks_p95": 42.0,
        "top_lots_p50": 1_850.0,
        "top_lots_p95": 51_036.0,
        "trade_lots_p50": 223.0,
        "trade_lots_p95": 3_202.0,
        "levels_per_update_p50": 2.0,
        "levels_per_update_p95": 12.0,
        "update_gap_ms_p50": 8.0,
        "update_gap_ms_p95": 39.0,
        "trades_per_same_ms_p50": 3.0,
        "trades_per_same_ms_p95": 15.0,
        "updates_per_s": 75.92,
        "trades_per_s": 17.46,
        "mid_changes_per_s": 14.46,
        "ret_1s_bps_std": 0.145,
    },
}
"""By market index: Lighter mainnet on 2025-10-09 from 20:33:16Z, 30 seconds of ETH and BTC, measured from the public
feed. Sizes in lots."""


def report(seconds: float, seed: int, tape: Path | None) -> str:
    """A table of both: what was recorded, what is measured, and by how much it differs."""
    markets = tuple(MARKETS.values())
    events = synthetic(seed, markets) if tape is None else play_once(tape, markets)
    measured = statistics(events, seconds)
    lines = []
    for market, figures in measured.items():
        lines.append(f"{MARKETS[market].symbol:<24}{'recorded':>12}{'measured':>12}{'differs':>9}")
        for name, value in RECORDED[market].items():
            part = figures[name] / value - 1
            mark = "" if abs(part) <= BAND else "  more than allowed"
            lines.append(f"  {name:<22}{value:>12,.6g}{figures[name]:>12,.6g}{part:>+9.1%}{mark}")
    return "\n".join(lines)


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tape", type=Path, help="measure a recording of so many seconds instead")
    chosen = parser.parse_args()
    print(report(chosen.seconds, chosen.seed, chosen.tape))


if __name__ == "__main__":
    main()

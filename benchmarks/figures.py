"""What a run of measurements comes to: percentiles, ratios, a table. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One way of hedging. Times in milliseconds."""

    count: int
    p50: float
    p99: float
    block_p50_low: float
    """Lowest median of a block: together with the highest it tells how quiet the machine was."""
    block_p50_high: float


def percentile(values: Sequence[int], share: float) -> int:
    """The smallest value that at least ``share`` of ``values`` do not exceed (nearest rank).

    Raises:
        ValueError: no values, or a share outside (0, 1].
    """
    if not values or not 0 < share <= 1:
        raise ValueError(f"no percentile {share} of {len(values)} values")
    ordered = sorted(values)
    rank = -int(-share * len(ordered) // 1)  # rounded up
    return ordered[max(rank, 1) - 1]


def figures(blocks: Sequence[Sequence[int]]) -> Figures:
    """Figures of all blocks of one way, given in nanoseconds."""
    values = [value for block in blocks for value in block]
    medians = [percentile(block, 0.5) for block in blocks]
    return Figures(
        count=len(values),
        p50=percentile(values, 0.5) / NS_PER_MS,
        p99=percentile(values, 0.99) / NS_PER_MS,
        block_p50_low=min(medians) / NS_PER_MS,
        block_p50_high=max(medians) / NS_PER_MS,
    )


def table(ways: Mapping[str, Figures], *, floor: str, plain: str) -> str:
    """A Markdown table: each way beside the floor (how many times as slow) and the plain way (how many times as fast).

    Args:
        ways: figures by name, in the order of the rows.
        floor: name of the way that the ratio is taken to.
        plain: name of the way that the speed-up is taken to.
    """
    rows = [
        ("way", "hedges", "p50 ms", "p99 ms", "p50 / floor", "p50 faster than plain", "p50 of the blocks, ms"),
        ("---", "---:", "---:", "---:", "---:", "---:", "---:"),
    ]
    for name, each in ways.items():
        ratio, gain = each.p50 / ways[floor].p50, ways[plain].p50 / each.p50
        blocks = f"{each.block_p50_low:.2f} to {each.block_p50_high:.2f}"
        rows.append(
            (name, str(each.count), f"{each.p50:.2f}", f"{each.p99:.2f}", f"{ratio:.1f}", f"{gain:.1f} x", blocks)
        )
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)

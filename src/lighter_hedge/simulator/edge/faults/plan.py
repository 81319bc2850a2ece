"""What goes wrong, and when: from a YAML file, or drawn from a seed.

A plan is a list of faults, each as ``POST /paper/faults`` takes it, with ``at_seconds`` after the start::

    faults:
      - {at_seconds: 5, kind: lose_answer, account: a}
      - {at_seconds: 60, kind: late_frames, delay_ms: 300, probability: 0.1, seconds: 30}
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lighter_hedge.simulator.core.faults.board import FaultBoard, FaultError
from lighter_hedge.simulator.core.faults.kinds import KINDS
from lighter_hedge.simulator.edge.settings import PaperError

AT_SECONDS_MAX = 10**9
EXAMPLE = "write it as {at_seconds: 5, kind: lose_answer, account: a}"
GAP_SECONDS = 20
"""Between two drawn faults, on average."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One fault of a plan."""

    after_us: int
    """Since the start."""
    request: Mapping[str, Any]


def read_plan(path: Path, board: FaultBoard) -> list[Planned]:
    """The faults of a plan file, in order of time.

    Raises:
        PaperError: the file cannot be read, or an entry does not fit; the message names it and says what to do.
    """
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PaperError(f"{path}: cannot be read ({error}): give the path of a YAML file") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise PaperError(f"{path}: is no YAML: {' '.join(str(error).split())[:200]}") from None
    rows = content.get("faults") if isinstance(content, dict) else None
    if not isinstance(rows, list):
        raise PaperError(f"{path}: has no list 'faults': begin it with 'faults:' and {EXAMPLE} below")
    planned = [_entry(f"{path}: entry {number}", row, board) for number, row in enumerate(rows, start=1)]
    return sorted(planned, key=lambda one: one.after_us)


def _entry(where: str, row: object, board: FaultBoard) -> Planned:
    if not isinstance(row, dict) or not all(isinstance(name, str) for name in row):
        raise PaperError(f"{where}: is no fault: {EXAMPLE}")
    where += f" ({row.get('kind', 'without a kind')})"
    at = row.get("at_seconds")
    if isinstance(at, bool) or not isinstance(at, int | float) or not 0 <= at <= AT_SECONDS_MAX:
        raise PaperError(f"{where}: at_seconds must be a number of seconds after the start, not {at!r}: {EXAMPLE}")
    request = {name: value for name, value in row.items() if name != "at_seconds"}
    try:
        board.check(request)
    except FaultError as error:
        raise PaperError(f"{where}: {error}") from None
    return Planned(after_us=int(at * 1_000_000), request=request)


# --- drawn from a seed

Draw = Callable[[random.Random], dict[str, Any]]
DRAWS: Mapping[str, Draw] = {
    "reject": lambda rng: {"code": rng.choice((21104, 21739, 21601, 21733))},
    "margin_refusal": lambda rng: {"stage": rng.choice(("api", "sequencer"))},
    "late_execution": lambda rng: {"delay_ms": rng.randint(100, 3_000)},
    "accept_then_refuse": lambda rng: {"code": rng.choice((21600, 21601, 21715))},
    "key_revoked": lambda rng: {"seconds": rng.randint(1, 10)},
    "halted": lambda rng: {"seconds": rng.randint(1, 30)},
    "part_fill": lambda rng: {"lots": rng.randint(1, 50)},
    "late_fill": lambda rng: {"delay_ms": rng.randint(1, 1_000)},
    "too_many_requests": lambda rng: {"status": rng.choice((429, 405)), "of": "both", "seconds": rng.randint(1, 60)},
    "error_before": lambda rng: {"status": rng.choice((500, 502, 503, 504)), "count": rng.randint(1, 3)},
    "error_after": lambda rng: {"status": rng.choice((500, 502, 503, 504))},
    "delay_answer": lambda rng: {"delay_ms": rng.randint(100, 5_000), "of": "both", "count": rng.randint(1, 5)},
    "history_lag": lambda rng: {"seconds": rng.randint(1, 5), "for_seconds": rng.randint(5, 30)},
    "account_error": lambda rng: {"seconds": rng.randint(1, 20)},
    "token_expired": lambda rng: {"seconds": rng.randint(1, 20)},
    "late_frames": lambda rng: {"delay_ms": rng.randint(10, 3_000), "probability": 0.3, "seconds": 10},
    "lose_frames": lambda rng: {"count": rng.randint(1, 3)},
    "swap_frames": lambda rng: {"probability": 0.3, "seconds": 10},
    "duplicate_frames": lambda rng: {"seconds": rng.randint(5, 30)},
    "refuse_subscribe": lambda rng: {"code": 30004},
    "shutdown": lambda rng: {"close_in_ms": rng.randint(0, 2_000)},
}
"""What the kinds are drawn with; those that are not here, with nothing."""
NOT_DRAWN = frozenset({"liquidation", "adl"})
"""They take a position away, which no client mends: only by name."""


def drawn_plan(seed: int, accounts: tuple[str, ...]) -> Iterator[Planned]:
    """Faults without end: one every 20 seconds on average, of any kind, for any one account."""
    rng = random.Random(f"faults {seed}")  # noqa: S311
    kinds = [name for name in KINDS if name not in NOT_DRAWN]
    after_us = 0
    while True:
        after_us += int(rng.expovariate(1 / GAP_SECONDS) * 1_000_000)
        kind = rng.choice(kinds)
        more = DRAWS[kind](rng) if kind in DRAWS else {}
        account = rng.choice(accounts)
        for_account = {} if kind == "book_gap" else {"account": account}
        yield Planned(after_us=after_us, request={"kind": kind, **for_account, **more})

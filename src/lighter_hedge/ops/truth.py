"""What the exchange itself says has happened, computed into the figures of a demo. Pure.

The input is the body of ``GET /paper/truth``; the first two accounts are the desk's A and B.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One execution of A or B, in the exchange's order."""

    at_ms: int
    trade_id: int
    letter: str
    """``A`` or ``B``."""
    signed: int
    """Signed lots: what it did to the account's position."""
    price: int
    order_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One quote of A that filled, and what B did about it."""

    order_index: int
    filled: int
    """Signed lots that A's quote filled."""
    first_ms: int
    last_ms: int
    """The last execution of either account before the next quote filled."""
    price: int
    hedge_ms: tuple[int, ...]
    """Per execution of A: from when the venue would take a hedge of it to the execution of B that covered it fully."""
    net: int
    """Signed lots left when the next quote filled first, or at the end."""
    terminal: bool
    """A's order is closed."""

    def hedged(self, min_lots: int) -> bool:
        """Whether nothing is left but a residual below ``min_lots``."""
        return abs(self.net) < max(min_lots, 1)


def executions(truth: Mapping[str, Any], market: str) -> list[Execution]:
    """Both accounts' executions in one market, in time."""
    found: list[Execution] = []
    for letter, account in zip("AB", truth["accounts"][:2], strict=False):
        found.extend(_execution(letter, trade) for trade in account["trades"] if trade["market"] == market)
    return sorted(found, key=lambda each: (each.at_ms, each.trade_id, each.letter))


def _execution(letter: str, trade: Mapping[str, Any]) -> Execution:
    lots = int(trade["lots"])
    return Execution(
        at_ms=int(trade["time_ms"]),
        trade_id=int(trade["trade_id"]),
        letter=letter,
        signed=lots if trade["side"] in ("buy", "bid") else -lots,
        price=int(trade["price_ticks"]),
        order_index=int(trade["order_index"]),
    )


def orders_of(truth: Mapping[str, Any], number: int, market: str) -> list[Mapping[str, Any]]:
    """The orders of account ``number`` (0 is A) in one market."""
    accounts = truth["accounts"]
    if number >= len(accounts):
        return []
    return [order for order in accounts[number]["orders"] if order["market"] == market]


def rounds(truth: Mapping[str, Any], market: str, *, min_lots: int = 1) -> list[Round]:
    """A's filled quotes in the order of their first fills; ``min_lots`` is the smallest hedge that the venue takes."""
    steps = executions(truth, market)
    closed = {int(o["order_index"]): o["status"] not in _RESTING for o in orders_of(truth, 0, market)}
    order: list[int] = list(dict.fromkeys(step.order_index for step in steps if step.letter == "A"))
    waits = _waits(steps, min_lots)
    found: list[Round] = []
    for number, index in enumerate(order):
        mine = [step for step in steps if step.letter == "A" and step.order_index == index]
        following = order[number + 1] if number + 1 < len(order) else None
        end = next((i for i, step in enumerate(steps) if step.order_index == following), len(steps))
        found.append(
            Round(
                order_index=index,
                filled=sum(step.signed for step in mine),
                first_ms=mine[0].at_ms,
                last_ms=steps[end - 1].at_ms,
                price=mine[0].price,
                hedge_ms=tuple(waits[s.trade_id] for s in mine if s.trade_id in waits),
                net=sum(step.signed for step in steps[:end]),
                terminal=closed.get(index, False),
            )
        )
    return found


_RESTING = frozenset({"open", "pending", "in-progress"})


def _waits(steps: Sequence[Execution], min_lots: int) -> dict[int, int]:
    """By A's trade id: milliseconds to the execution of B that covered the last of its lots, first in first out.

    A residual below the minimum cannot be hedged: its time begins when more has filled and A + B reaches the minimum.
    What A itself trades the other way covers it too, and is no hedge.
    """
    uncovered: deque[tuple[Execution, int]] = deque()
    began: dict[int, int] = {}
    waits: dict[int, int] = {}
    net = 0
    for step in steps:
        net += step.signed
        left = -step.signed
        while left and uncovered and (uncovered[0][1] > 0) == (left > 0):
            first, open_lots = uncovered.popleft()
            used = left if abs(left) < abs(open_lots) else open_lots
            left -= used
            if used != open_lots:
                uncovered.appendleft((first, open_lots - used))
            elif step.letter == "B":
                waits[first.trade_id] = step.at_ms - began.get(first.trade_id, first.at_ms)
        if step.letter == "A" and left:
            uncovered.append((step, -left))
            if abs(net) >= min_lots:
                for waiting, _ in uncovered:
                    began.setdefault(waiting.trade_id, step.at_ms)
    return waits


def unhedged_ms_max(steps: Sequence[Execution], *, min_lots: int, end_ms: int) -> int:
    """Longest time that A + B was at or above ``min_lots``, in milliseconds, up to ``end_ms``."""
    net, since, longest = 0, None, 0
    for step in steps:
        net += step.signed
        if since is not None and abs(net) < max(min_lots, 1):
            longest, since = max(longest, step.at_ms - since), None
        elif since is None and abs(net) >= max(min_lots, 1):
            since = step.at_ms
    return longest if since is None else max(longest, end_ms - since)


def self_trades(truth: Mapping[str, Any]) -> int:
    """Trades in which A and B were each other's counterparty."""
    if len(truth["accounts"]) < 2:
        return 0
    first, second = truth["accounts"][:2]
    other = second["account_index"]
    return len({trade["trade_id"] for trade in first["trades"] if trade["counterparty"] == other})


def percentile(values: Sequence[int], percent: int) -> int | None:
    """The nearest-rank percentile; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    rank = -(-percent * len(ordered) // 100)
    return ordered[max(rank, 1) - 1]


def requests_per_round(truth: Mapping[str, Any], closed: int) -> dict[str, float | None]:
    """Sends and reads of both accounts for each closed round; None where the exchange does not count them."""
    accounts = truth["accounts"][:2]
    counts = [account["requests"] for account in accounts if "requests" in account]
    if not counts and "requests" in truth:
        counts = [truth["requests"]]
    if not counts or not closed:
        return {"tx": None, "read": None}
    return {kind: round(sum(int(count.get(kind, 0)) for count in counts) / closed, 2) for kind in ("tx", "read")}


def figures(truth: Mapping[str, Any], market: str, *, min_lots: int) -> dict[str, Any]:
    """The figures of ``demo --json`` that the exchange alone can tell.

    Args:
        truth: body of ``GET /paper/truth``.
        market: for example ``BTC``.
        min_lots: the venue's minimum; less than that left over is a residual.
    """
    steps = executions(truth, market)
    found = rounds(truth, market, min_lots=min_lots)
    waits = [wait for each in found for wait in each.hedge_ms]
    closed = sum(each.hedged(min_lots) for each in found)
    a = [step.signed for step in steps if step.letter == "A"]
    b = [step.signed for step in steps if step.letter == "B"]
    return {
        "rounds_closed": closed,
        "rounds_failed": len(found) - closed,
        "a_filled_lots": sum(map(abs, a)),
        "b_filled_lots": sum(map(abs, b)),
        "net_lots": sum(a) + sum(b),
        "a_orders": len(orders_of(truth, 0, market)),
        "b_orders": len(orders_of(truth, 1, market)),
        "self_trades": self_trades(truth),
        "unhedged_ms_max": unhedged_ms_max(steps, min_lots=min_lots, end_ms=int(truth["time_ms"])),
        "hedge_ms": {"p50": percentile(waits, 50), "p99": percentile(waits, 99)},
        "requests_per_round": requests_per_round(truth, closed),
    }

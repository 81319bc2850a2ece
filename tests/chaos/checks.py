"""What the exchange's own record must never show. Pure; the input is the body of ``GET /paper/truth``."""

from collections.abc import Mapping, Sequence
from typing import Any

from lighter_hedge.ops.truth import Execution, executions, orders_of, self_trades

RESTING = frozenset({"open", "pending", "in-progress"})
LATE_MS = 1_000
Window = tuple[int, float]
"""Milliseconds from and to which a person's ``clear`` closes positions; a new baseline stands at its end."""


def excused(at_ms: int, cleared: Sequence[Window]) -> bool:
    """Whether a ``clear`` ran."""
    return any(begin <= at_ms <= end for begin, end in cleared)


def doubled(steps: Sequence[Execution], cleared: Sequence[Window] = ()) -> list[str]:
    """I2: executions of B that move A + B away from zero, or through it."""
    found, net = [], 0
    for step in steps:
        before, net = net, net + step.signed
        if step.letter == "B" and not excused(step.at_ms, cleared):
            if abs(net) >= abs(before):
                found.append(f"I2: B moved A + B from {before} to {net} lots, trade {step.trade_id}")
            elif net * before < 0:
                found.append(f"I2: B moved A + B through zero, {before} to {net} lots, trade {step.trade_id}")
    return found


def quoted_open(truth: Mapping[str, Any], market: str, min_lots: int, cleared: Sequence[Window] = ()) -> list[str]:
    """I1: quotes of A sent while an earlier round was unhedged, or while an earlier quote rested.

    A fill after its cancel was reported (the fault ``late_fill``) could not be known: what it explains, ends within a
    second.
    """
    found = []
    steps = executions(truth, market)
    quotes = [order for order in orders_of(truth, 0, market) if not order["reduce_only"] and order["type"] == "limit"]
    quotes = [order for order in quotes if order["time_in_force"] != "immediate-or-cancel"]
    for order in quotes:
        at_ms = int(order["created_ms"])
        if excused(at_ms, cleared):
            continue
        since = open_since(steps, at_ms, min_lots)
        if since is not None and at_ms - since > LATE_MS:
            found.append(f"I1: quote {order['client_order_index']} came {at_ms - since} ms after an unhedged fill")
        for other in quotes:
            born, died = int(other["created_ms"]), other["closed_ms"]
            rests = other["status"] in RESTING or (died and int(died) > at_ms + LATE_MS)
            if other["order_index"] < order["order_index"] and born < at_ms and rests:
                found.append(f"I1: quote {order['client_order_index']} beside {other['client_order_index']}")
    return found


def open_since(steps: Sequence[Execution], until_ms: int, min_lots: int) -> int | None:
    """When A + B came to stand at or above the minimum, if it did before ``until_ms``."""
    net, since = 0, None
    for step in steps:
        if step.at_ms >= until_ms:
            break
        net += step.signed
        since = None if abs(net) < min_lots else (step.at_ms if since is None else since)
    return since


def accounts_match(truth: Mapping[str, Any], market: str) -> list[str]:
    """The record is whole: its trades add up to its positions."""
    steps = executions(truth, market)
    found = []
    for letter, account in zip("AB", truth["accounts"][:2], strict=True):
        total = sum(step.signed for step in steps if step.letter == letter)
        held = int(account["position_lots"].get(market, 0))
        if total != held:
            found.append(f"record: the trades of {letter} add up to {total} lots, its position is {held}")
    return found


def violations(truth: Mapping[str, Any], market: str, min_lots: int, cleared: Sequence[Window] = ()) -> list[str]:
    """Everything that must not be, at any moment of a run."""
    steps = executions(truth, market)
    crossed = self_trades(truth)
    return [
        *doubled(steps, cleared),
        *([f"I4: A and B have traded with each other {crossed} times"] if crossed else []),
        *quoted_open(truth, market, min_lots, cleared),
        *accounts_match(truth, market),
    ]


def net_of(truth: Mapping[str, Any], market: str) -> int:
    """A + B, signed lots."""
    return sum(int(account["position_lots"].get(market, 0)) for account in truth["accounts"][:2])

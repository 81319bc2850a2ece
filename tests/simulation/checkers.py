"""What must never happen, read from the exchange's own record of trades."""

from tests.simulation.sim_venue import ACCOUNTS
from tests.simulation.world import World

from lighter_hedge.domain.states import Role
from lighter_hedge.simulator.orders import Trade


class Violation(AssertionError):
    """An invariant is broken."""


def signed(trade: Trade, account: int) -> int:
    """What a trade did to an account, signed lots."""
    return trade.lots if trade.bid.account_index == account else -trade.lots


def check_once(world: World, late_lots: int = 0) -> None:
    """I2: no fill of B moves A + B away from zero, or through it. I4: A and B never trade with each other.

    ``late_lots``: what the venue may have filled after it had called an order ended. A hedge that is under way at
    that moment was right when it was sent, and may end that much on the other side.
    """
    a, b = ACCOUNTS[Role.MAKER], ACCOUNTS[Role.HEDGER]
    trades = {trade.trade_id: trade for role in Role for trade in world.trades(role)}
    net = 0
    for trade in sorted(trades.values(), key=lambda one: one.trade_id):
        parties = {trade.ask.account_index, trade.bid.account_index}
        if parties == {a, b}:
            raise Violation(f"I4: A and B traded with each other: {trade}")
        if a in parties:
            net += signed(trade, a)
            continue
        moved = net + signed(trade, b)
        if abs(moved) > max(abs(net), late_lots) or (moved * net < 0 and abs(moved) > late_lots):
            raise Violation(f"I2: B's trade {trade.trade_id} moved the net from {net} to {moved}")
        net = moved


def check_gate(world: World) -> None:
    """I1, as the exchange sees it: A never has more than one order, and none is placed while the net is not zero."""
    resting = world.resting(Role.MAKER)
    if len(resting) > 1:
        raise Violation(f"I1: A has {len(resting)} orders in the book")

"""When a stop-loss or take-profit order wakes. Pure.

The mark price decides. A stop-loss that sells and a take-profit that buys fire at or below their trigger, the other two
at or above it (docs, order types and matching). What the mark price has passed already fires at once: inferred.
"""

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.orders import Order, OrderType, TriggerStatus

_STOPS = (OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT)


def fires(order: Order, mark_ticks: int) -> bool:
    """Whether the mark price has reached the trigger of an order that waits for it."""
    if order.trigger_status is not TriggerStatus.MARK_PRICE or mark_ticks == 0:
        return False
    falls = (order.order_type in _STOPS) == (order.side is Side.ASK)
    return mark_ticks <= order.trigger_ticks if falls else mark_ticks >= order.trigger_ticks

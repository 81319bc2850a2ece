"""What people and tools hear of a fill, on the user's channels."""

from lighter_hedge.domain.commands import PublishFill
from lighter_hedge.domain.core import Core
from lighter_hedge.domain.ledger import Order
from lighter_hedge.domain.pair import residual
from lighter_hedge.domain.states import Leg, Role


def fill_message(core: Core, order: Order, leg: Leg, *, min_lots: int | None = None) -> PublishFill:
    """The news of an order's fills so far.

    B's also says whether the round is hedged by them, up to ``min_lots``, which is None for A's.
    """
    role = Role.MAKER if min_lots is None else Role.HEDGER
    hedged = min_lots is not None and residual(core.net, min_lots)
    return PublishFill(
        role=role,
        fills=order.fills(),
        order_index=order.order_index,
        attempt=order.attempt,
        leg=leg.value,
        trade_ids=tuple(order.trade_ids),
        round_hedged=hedged,
        hedged=core.own.round_filled(order.round) if role is Role.HEDGER else 0,
        residual=core.net if hedged else 0,
    )

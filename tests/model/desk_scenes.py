"""The scenes that a desk is walked through, and what the tiny exchange knows."""

from dataclasses import dataclass, field
from typing import Any

from tests.unit.domain.builders import at
from tests.unit.domain.builders import settings as desk_settings

from lighter_hedge.domain.events import OrderReport, OrderRequest
from lighter_hedge.domain.settings import DeskSettings, Direction
from lighter_hedge.domain.states import Role

SCENES: dict[str, tuple[dict[str, Any], tuple[tuple[int, ...], ...]]] = {
    "a part, then the rest": ({}, ((40, 60), (100,))),
    "short, a part, then the rest": ({"direction": Direction.SHORT}, ((40, 60), (100,))),
    "two wallets": ({"cancel_first": True}, ((40, 60), (100,))),
    "a part, then cancelled": ({}, ((40,), (40,))),
    "a residual stays": ({}, ((95,), (95,))),
    "nothing, then the next attempt": ({}, ((), (100,), (100,))),
    "one try": ({"retry_times": 1}, ((100,), (100,))),
}
"""Settings, and the parts in which each quote fills; what is left of a quote is cancelled when it is too old."""


def small_settings(**changes: Any) -> DeskSettings:
    """A desk with short waits."""
    return desk_settings(
        **{
            "read_lag_ms": 500,
            "cancel_first": False,
            "orders_per_minute_max": 1_000,
            "maker_order_timeout_ms": 8_000,
            "retry_spacing_ms": (300, 500, 2_000),
        }
        | changes
    )


@dataclass(slots=True)
class Resting:
    """A's order at the exchange."""

    request: OrderRequest
    filled: int = 0
    closed: bool = False
    status: str = "open"


@dataclass(slots=True)
class TinyVenue:
    """Both accounts' truth."""

    nonces: dict[Role, int] = field(default_factory=lambda: dict.fromkeys(Role, 7))
    positions: dict[Role, int] = field(default_factory=lambda: dict.fromkeys(Role, 0))
    orders: dict[Role, dict[int, Resting]] = field(default_factory=lambda: {role: {} for role in Role})
    executed: dict[str, str] = field(default_factory=dict)
    """By hash: the error of what ran without effect, else empty."""
    trades: int = 0

    @property
    def net(self) -> int:
        return sum(self.positions.values())

    def resting(self) -> list[Resting]:
        return [order for order in self.orders[Role.MAKER].values() if not order.closed]


def row_of(order: Resting, now_ms: int) -> OrderReport:
    request = order.request
    return OrderReport(
        coid=request.coid,
        order_index=9_000 + request.coid % 1_000,
        side=request.side,
        lots=request.lots,
        price=request.price,
        filled=order.filled,
        filled_quote=order.filled * 1_000_000,
        closed=order.closed,
        status=order.status,
        created_ms=at(now_ms).wall_ms,
    )

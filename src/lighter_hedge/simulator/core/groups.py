"""Grouped orders: who wakes whom, and who cancels whom. Pure.

One triggers another (OTO): the child waits for the end of its parent, takes what the parent has filled as its size, and
dies with a parent that filled nothing. One cancels the other (OCO): the first that fires ends the other. OTOCO is a
parent with two children that cancel each other. That a child waits for the end of a parent that is filled in part, and
that a cancel of one leg leaves the other alone, is inferred.
"""

from collections.abc import Iterable

from lighter_hedge.simulator.core.orders import Order, OrderStatus, TriggerStatus
from lighter_hedge.simulator.core.transactions import OCO, OTOCO


def link(grouping: int, legs: list[Order]) -> None:
    """Tie the legs of a new group together; they have their order indices."""
    children = legs if grouping == OCO else legs[1:]
    if grouping != OCO:
        parent = legs[0]
        parent.to_trigger = tuple(child.order_index for child in children)
        for child in children:
            child.parent_index, child.trigger_status = parent.order_index, TriggerStatus.PARENT_ORDER
    if grouping in (OCO, OTOCO):
        first, second = children
        first.to_cancel, second.to_cancel = second.order_index, first.order_index


def children_to_settle(parent: Order, children: Iterable[Order]) -> list[Order]:
    """Children that wait for this parent, once it has ended."""
    if parent.is_alive:
        return []
    return [
        child
        for child in children
        if child.status is OrderStatus.PENDING and child.trigger_status is TriggerStatus.PARENT_ORDER
    ]


def to_cancel(order: Order, others: Iterable[Order]) -> list[Order]:
    """Living orders that end because this one has fired."""
    if order.trigger_status is not TriggerStatus.READY:
        return []
    return [other for other in others if other.is_alive]

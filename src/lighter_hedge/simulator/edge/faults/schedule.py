"""When the faults of plans are due. Pure."""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lighter_hedge.simulator.edge.faults.plan import Planned


class Schedule:
    """One row of faults out of several plans, which may be endless."""

    def __init__(self) -> None:
        self._rows: Iterator[Planned] = iter(())
        self._start_us = 0
        self._next: Planned | None = None

    def start(self, plans: Iterable[Iterable[Planned]], start_us: int) -> None:
        """Let the plans' times count from now on."""
        self._start_us = start_us
        self._rows = heapq.merge(*plans, key=lambda one: one.after_us)
        self._next = next(self._rows, None)

    def next_due_us(self) -> int | None:
        """When the next fault is due."""
        return None if self._next is None else self._start_us + self._next.after_us

    def pop(self) -> Mapping[str, Any]:
        """Take the next fault."""
        assert self._next is not None
        request = self._next.request
        self._next = next(self._rows, None)
        return request

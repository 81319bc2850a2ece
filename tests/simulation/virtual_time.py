"""An event loop whose time is virtual: it jumps to the next timer when nothing else is to be done."""

import asyncio
import selectors
from collections.abc import Mapping
from typing import Any


class Deadlock(Exception):
    """Nothing is due and nothing ever will be: a wait that nobody ends."""


class _JumpingSelector(selectors.BaseSelector):
    """Never waits: the time that the loop wanted to wait passes at once."""

    def __init__(self) -> None:
        self.now = 0.0
        self._inner = selectors.SelectSelector()

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._inner.get_map()

    def close(self) -> None:
        self._inner.close()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlock("nothing is due any more")
        if timeout > 0:
            self.now += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop that starts at time ``start`` (seconds) and runs as fast as the machine can."""

    def __init__(self, start: float = 1_000.0) -> None:
        self._jumping = _JumpingSelector()
        self._jumping.now = start
        super().__init__(self._jumping)

    def time(self) -> float:
        """Virtual seconds."""
        return self._jumping.now

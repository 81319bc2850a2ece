"""An event loop whose time is virtual: it jumps to the next timer when nothing else is to be done.

Everything that runs belongs to a *life*, or to nobody: the world itself. A life is one operating-system process; what a
task starts belongs to the life of that task. A life that is *frozen* (``SIGSTOP``, a stalled loop, a suspended machine)
keeps everything that is due until it is thawed, and then runs it in its order, as a kernel would let it.

The loop is small on purpose: no files, no threads, no signals. It is what makes a thousand worlds a matter of minutes.
"""

import asyncio
import heapq
import random
import sys
import weakref
from asyncio import events
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextvars import Context, ContextVar, copy_context
from typing import Any, TypeVar

_T = TypeVar("_T")


class Deadlock(Exception):
    """Nothing is due and nothing ever will be: a wait that nobody ends."""


class Killed(BaseException):
    """The process of whoever runs into this is dead: nothing of it may happen any more."""


class Life:
    """One operating-system process, from its start until its end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.frozen = False
        self.effects = 0
        """How much of what others can see, or what outlives it, it has done."""
        self.dies_in: int | None = None
        """So many effects from now it is killed, between two of them."""
        self.on_effect: Callable[[str, object], None] = lambda what, detail: None
        self.on_death: Callable[[str], None] = lambda what: None
        self.parked: deque[Handle] = deque()
        self.context = Context()
        self.context.run(OWNER.set, self)

    def effect(self, what: str, detail: object = None) -> None:
        """It is about to do something, or has just done it: the moments between which a process can die."""
        if self.dead:
            raise Killed(self.name)
        self.effects += 1
        if self.dies_in is not None:
            self.dies_in -= 1
            if self.dies_in <= 0:
                self.dead = True
                self.on_death(what)
                raise Killed(self.name)
        self.on_effect(what, detail)


OWNER: ContextVar[Life | None] = ContextVar("owner", default=None)


def effect(what: str, detail: object = None) -> None:
    """Whoever runs now has an effect on the world."""
    life = OWNER.get()
    if life is not None:
        life.effect(what, detail)


class Handle:
    """Something that is to run. Ordered by time, then by the order in which it was asked for."""

    __slots__ = ("_args", "_callback", "_number", "_when", "context")

    def __init__(
        self, when: float, number: int, callback: Callable[..., object], args: tuple[Any, ...], context: Context
    ) -> None:
        self._when, self._number, self._args = when, number, args
        self._callback: Callable[..., object] | None = callback
        self.context = context

    def __lt__(self, other: "Handle") -> bool:
        return self._when < other._when or (self._when == other._when and self._number < other._number)

    def when(self) -> float:
        """When it is due, by the loop's clock."""
        return self._when

    def cancel(self) -> None:
        """Never run it."""
        self._callback = None
        self._args = ()

    def cancelled(self) -> bool:
        """Whether it is not to run."""
        return self._callback is None


class VirtualLoop(asyncio.BaseEventLoop):
    """A loop that starts at time ``start`` (seconds) and runs as fast as the machine can.

    Args:
        start: its clock at the beginning, seconds.
        shuffled: draws what runs next among all that may run now; without it, first come, first served.
    """

    def __init__(self, start: float = 1_000.0, *, shuffled: random.Random | None = None) -> None:
        self.now = start
        self._ready: deque[Handle] = deque()
        self._timers: list[Handle] = []
        self._number = 0
        self._shuffled = shuffled
        self._closed = False
        self._error: BaseException | None = None
        self._generators: weakref.WeakSet[AsyncGenerator[Any, Any]] = weakref.WeakSet()

    # --- what asyncio asks of a loop ---

    def time(self) -> float:
        """Virtual seconds."""
        return self.now

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        self._number += 1
        handle = Handle(self.now, self._number, callback, args, context or copy_context())
        self._ready.append(handle)
        return handle

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Handle:
        self._number += 1
        handle = Handle(when, self._number, callback, args, context or copy_context())
        heapq.heappush(self._timers, handle)
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: object = None, context: Context | None = None, **_: Any) -> Any:
        return asyncio.Task(coro, loop=self, name=None if name is None else str(name), context=context)

    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., _T], *args: Any
    ) -> asyncio.Future[_T]:
        """What a thread would do is done at once."""
        future: asyncio.Future[_T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 whoever waits for it gets it
            future.set_exception(error)
        return future

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return events._get_running_loop() is self

    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        self._closed = True
        self._ready.clear()
        self._timers.clear()

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.call_exception_handler(context)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """An error that nobody has taken ends the world, unless it is the end of a process."""
        error = context.get("exception")
        if not isinstance(error, Killed):
            self._error = self._error or error or RuntimeError(context.get("message"))

    async def shutdown_asyncgens(self) -> None:
        for generator in list(self._generators):
            await generator.aclose()

    # --- running ---

    def run_until_complete(self, future: Generator[Any, None, _T] | Awaitable[_T]) -> _T:
        task: asyncio.Future[_T] = future if asyncio.isfuture(future) else self.create_task(future)
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=self._generators.add, finalizer=self._end_generator)
        events._set_running_loop(self)
        try:
            while not task.done():
                self._run_once()
                if self._error is not None:
                    error, self._error = self._error, None
                    raise error
        finally:
            events._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)
        return task.result()

    def thaw(self, life: Life) -> None:
        """Let a frozen life go on with everything that has become due."""
        life.frozen = False
        self._ready.extend(life.parked)
        life.parked.clear()

    def _end_generator(self, generator: AsyncGenerator[Any, Any]) -> None:
        if not self._closed:
            self.create_task(generator.aclose())

    def _run_once(self) -> None:
        ready, timers = self._ready, self._timers
        if not ready:
            while timers and timers[0].cancelled():
                heapq.heappop(timers)
            if not timers:
                raise Deadlock("nothing is due any more")
            self.now = max(self.now, timers[0]._when)
        while timers and timers[0]._when <= self.now:
            ready.append(heapq.heappop(timers))
        if self._shuffled is not None and len(ready) > 1:
            ready.rotate(-self._shuffled.randrange(len(ready)))
        for _ in range(1 if self._shuffled is not None else len(ready)):
            handle = ready.popleft()
            callback, context = handle._callback, handle.context
            if callback is None:
                continue
            owner = context.get(OWNER)
            if owner is not None and owner.frozen:
                owner.parked.append(handle)
                continue
            try:
                context.run(callback, *handle._args)
            except Killed:
                continue

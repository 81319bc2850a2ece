"""One process's access to Redis, with everything that may happen between the two."""

import asyncio
from collections.abc import AsyncGenerator

from tests.simulation.virtual_time import effect

from lighter_hedge.domain.states import DeskId, HedgerState, MakerState, OperatorCommand, Role
from lighter_hedge.messaging.memory_stream import MemoryHub, MemoryMessaging

State = MakerState | HedgerState


class SimMessaging(MemoryMessaging):
    """The adapter in memory, whose reader and writer have faults of their own."""

    def __init__(self, hub: MemoryHub, desk: DeskId) -> None:
        super().__init__(hub, desk)
        self.latency = 0.0
        """Seconds that an append takes."""
        self.lose = 0
        """So many of the next states of the other side are never read."""
        self.twice = 0
        """So many of the next states are read twice."""
        self.late = 0.0
        """States are read so many seconds late."""
        self.old_after_new = 0
        """After so many of the next states, the one before is read again, as from a replica that is behind."""
        self._before: State | None = None

    def mend(self) -> None:
        """No fault any more."""
        self.heal()
        self.lose = self.twice = self.old_after_new = 0
        self.late = 0.0
        self.lose_answers(0)

    async def append_state(self, state: State) -> None:
        effect("append", state)
        if self.latency:
            await asyncio.sleep(self.latency)
        await super().append_state(state)
        effect("appended")

    async def append_command(self, command: OperatorCommand) -> None:
        effect("ask", command)
        await super().append_command(command)

    async def publish(self, channel: str, body: bytes) -> None:
        effect("publish", channel)
        await super().publish(channel, body)

    async def states(self, role: Role) -> AsyncGenerator[State, None]:
        async for state in super().states(role):
            if self.late:
                await asyncio.sleep(self.late)
            before, self._before = self._before, state
            if self.lose:
                self.lose -= 1
                continue
            yield state
            if self.twice:
                self.twice -= 1
                yield state
            if self.old_after_new and before is not None:
                self.old_after_new -= 1
                yield before

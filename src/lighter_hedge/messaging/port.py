"""Messaging as a port: what a side tells the other, and what both tell the world.

The contract, kept by every adapter and tested by one suite:

- A stream carries whole states. Entries carry explicit ids ``<epoch>-<seq>``; an id that is not higher than the last
  is refused (``SupersededError``), so a repeated append is a no-op and an old instance that wakes up is refused.
- A reader starts at the last entry and then sees each newer one; it may miss entries, never the newest for long.
- Nothing is retried in secret: a failed append raises, and the caller appends its next whole state.
"""

from collections.abc import AsyncIterator
from typing import Protocol

from lighter_hedge.domain.states import HedgerState, MakerState, OperatorCommand, Role


class MessagingError(Exception):
    """Redis did not do what was asked; the state of the desk does not depend on it."""


class SupersededError(MessagingError):
    """A newer instance of this side has written: this one must send nothing more."""


class Messaging(Protocol):
    """The streams and channels of one desk."""

    async def open(self) -> str:
        """Connect and return the desk's ``uuid``, made where it is missing (then Redis was new or wiped).

        Raises:
            MessagingError: nothing answers.
        """

    async def append_state(self, state: MakerState | HedgerState) -> None:
        """Append a whole state to its role's stream under the id ``<epoch>-<seq>``.

        Raises:
            SupersededError: a newer epoch has written.
            MessagingError: not written, or not known to be.
        """

    def states(self, role: Role) -> AsyncIterator[MakerState | HedgerState]:
        """The newest state of ``role``, then each newer one, for ever. Raises ``MessagingError`` when cut."""

    async def last_state(self, role: Role) -> MakerState | HedgerState | None:
        """The newest state of ``role``, or None."""

    async def append_command(self, command: OperatorCommand) -> None:
        """Append a person's command."""

    async def last_command(self) -> str:
        """The entry id of this moment, or of the newest command where that is higher: what was asked for before, and
        may stand here or come back with a replica or a backup, is void for a new start."""

    def commands(self, since: str) -> AsyncIterator[tuple[str, OperatorCommand]]:
        """Entry id and command, from after the entry ``since`` (``0`` for the beginning), for ever.

        A stream whose newest entry is older than ``since`` has lost entries: a replica has taken over, or a backup was
        loaded. What it holds is void, as at a start: nothing tells an old ``clear`` from a new one.
        """

    async def trim_commands(self, keep_from: str) -> None:
        """Drop commands below the entry ``keep_from``."""

    async def publish(self, channel: str, body: bytes) -> None:
        """Publish to people and tools that listen. Loss is allowed: nothing rests on it."""

    async def close(self) -> None:
        """Release connections."""

"""The messaging port without a server: for the simulation, for tests and for one process that plays both sides.

A ``MemoryHub`` stands for one Redis; each process has its own ``MemoryMessaging`` on it. The same bytes go through the
same codec under the same rules as over Redis, and one suite of tests holds both to them. No thread, no clock and no
chance: whoever waits is woken on the event loop that it waits on, which may be one of virtual time.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

from lighter_hedge.domain.states import DeskId, HedgerState, MakerState, OperatorCommand, Role
from lighter_hedge.messaging.ids import START, EntryId, id_of, refusal, text_of
from lighter_hedge.messaging.keys import STATES_KEPT, DeskKeys
from lighter_hedge.messaging.messages import decode_command, decode_state, encode
from lighter_hedge.messaging.port import MessagingError


@dataclass(slots=True)
class _Stream:
    entries: list[tuple[EntryId, bytes]] = field(default_factory=list)
    top: EntryId = START
    """The highest id ever appended; it outlives trimming, not a wipe."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What a hub held at one moment."""

    streams: dict[str, _Stream]
    uuids: dict[str, str]


class MemoryHub:
    """What one Redis holds. Share it between the clients of every process of the world.

    Args:
        clock_ms: unix milliseconds, for ids that Redis would make; without it they count from 1.
    """

    def __init__(self, clock_ms: Callable[[], int] = lambda: 0) -> None:
        self.clock_ms = clock_ms
        self.published: list[tuple[str, bytes]] = []
        """Everything published, oldest first, for whoever wants to listen or count."""
        self._streams: dict[str, _Stream] = {}
        self._uuids: dict[str, str] = {}
        self._made = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._cut = False

    @property
    def is_cut(self) -> bool:
        """No client reaches the hub."""
        return self._cut

    def cut(self) -> None:
        """Redis is gone: every client fails until ``heal``."""
        self._cut = True
        self.wake()

    def heal(self) -> None:
        """Redis is back, with everything that it held."""
        self._cut = False

    def wipe(self) -> None:
        """Forget everything, as ``FLUSHALL`` does. Connections stay."""
        self._streams.clear()
        self._uuids.clear()

    def saved(self) -> "Saved":
        """Everything that it holds now, as a backup or a replica has it."""
        streams = {key: _Stream(list(stream.entries), stream.top) for key, stream in self._streams.items()}
        return Saved(streams, dict(self._uuids))

    def restore(self, saved: "Saved") -> None:
        """Hold what was saved, and nothing that came after it: a backup is loaded, or a replica takes over."""
        self._streams = {key: _Stream(list(stream.entries), stream.top) for key, stream in saved.streams.items()}
        self._uuids = dict(saved.uuids)
        self.wake()

    def damage(self, key: str, change: Callable[[bytes], bytes]) -> None:
        """Change the newest entry of a stream where it stands."""
        stream = self._streams.get(key)
        if stream is not None and stream.entries:
            entry_id, body = stream.entries[-1]
            stream.entries[-1] = (entry_id, change(body))
            self.wake()

    def uuid(self, key: str) -> str:
        """The string at ``key``, made where it is missing."""
        if key not in self._uuids:
            self._made += 1
            self._uuids[key] = f"memory-{self._made}"
        return self._uuids[key]

    def top(self, key: str) -> EntryId:
        """The highest id ever appended to a stream."""
        return self._streams[key].top if key in self._streams else START

    def append(self, key: str, entry_id: EntryId | None, body: bytes, *, keep: int | None = None) -> bool:
        """Append under ``entry_id`` (None: the next id). False where the id is not higher than the top."""
        stream = self._streams.setdefault(key, _Stream())
        entry_id = entry_id or (max(stream.top[0] + 1, self.clock_ms()), 0)
        if entry_id <= stream.top:
            return False
        stream.entries.append((entry_id, body))
        stream.top = entry_id
        if keep is not None:
            del stream.entries[:-keep]
        self.wake()
        return True

    def after(self, key: str, cursor: EntryId) -> list[tuple[EntryId, bytes]]:
        """Entries above ``cursor``, oldest first."""
        if key not in self._streams:
            return []
        return [entry for entry in self._streams[key].entries if entry[0] > cursor]

    def last(self, key: str) -> tuple[EntryId, bytes] | None:
        """The newest entry."""
        entries = self._streams[key].entries if key in self._streams else []
        return entries[-1] if entries else None

    def trim(self, key: str, keep_from: EntryId) -> None:
        """Drop entries below ``keep_from``."""
        if key in self._streams:
            stream = self._streams[key]
            stream.entries = [entry for entry in stream.entries if entry[0] >= keep_from]

    async def changed(self) -> None:
        """Wait for the next append or cut, on the running loop."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await future
        finally:
            if future in self._waiting:
                self._waiting.remove(future)

    def wake(self) -> None:
        """Let everyone who waits look again."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


class MemoryMessaging:
    """One process's access to a hub: an adapter of ``Messaging``."""

    def __init__(self, hub: MemoryHub, desk: DeskId, *, states_kept: int = STATES_KEPT) -> None:
        self._hub = hub
        self._keys = DeskKeys(desk=desk)
        self._states_kept = states_kept
        self._cut = False
        self._answers_to_lose = 0

    # --- faults

    def cut(self) -> None:
        """This client loses its connection: every call and every iteration fails until ``heal``."""
        self._cut = True
        self._hub.wake()

    def heal(self) -> None:
        """This client can connect again."""
        self._cut = False

    def lose_answers(self, count: int = 1) -> None:
        """The next ``count`` appends are carried out, but the caller only learns that something went wrong."""
        self._answers_to_lose = count

    # --- the port

    async def open(self) -> str:
        """See ``Messaging.open``; may be called again at any time, to see whether the uuid has changed."""
        self._require_link()
        return self._hub.uuid(self._keys.uuid)

    async def append_state(self, state: MakerState | HedgerState) -> None:
        """See ``Messaging.append_state``."""
        self._require_link()
        role = Role.MAKER if isinstance(state, MakerState) else Role.HEDGER
        key, entry_id, body = self._keys.state(role), (state.epoch, state.seq), encode(state)
        taken = self._hub.append(key, entry_id, body, keep=self._states_kept)
        self._lose_answer()
        if not taken:
            self._explain_refusal(key, entry_id, body)

    async def states(self, role: Role) -> AsyncGenerator[MakerState | HedgerState, None]:
        """See ``Messaging.states``."""
        key, cursor = self._keys.state(role), START
        while True:
            self._require_link()
            entry = self._hub.last(key)
            # An id below the cursor means that the hub was wiped and the writer's clock stood behind.
            if entry is None or entry[0] == cursor:
                await self._hub.changed()
                continue
            cursor = entry[0]
            yield decode_state(role, entry[1])

    async def last_state(self, role: Role) -> MakerState | HedgerState | None:
        """See ``Messaging.last_state``."""
        self._require_link()
        entry = self._hub.last(self._keys.state(role))
        return decode_state(role, entry[1]) if entry else None

    async def append_command(self, command: OperatorCommand) -> None:
        """See ``Messaging.append_command``."""
        self._require_link()
        self._hub.append(self._keys.commands, None, encode(command))
        self._lose_answer()

    async def last_command(self) -> str:
        """See ``Messaging.last_command``."""
        self._require_link()
        newest = self._hub.last(self._keys.commands)
        now = (max(0, self._hub.clock_ms() - 1), 0)
        return text_of(max(now, newest[0]) if newest is not None else now)

    async def commands(self, since: str) -> AsyncGenerator[tuple[str, OperatorCommand], None]:
        """See ``Messaging.commands``."""
        key, cursor = self._keys.commands, id_of(since)
        while True:
            self._require_link()
            if START < (top := self._hub.top(key)) < cursor:
                cursor = top
            entries = self._hub.after(key, cursor)
            if not entries:
                await self._hub.changed()
                continue
            cursor, body = entries[0]
            yield text_of(cursor), decode_command(body, entry_id=text_of(cursor))

    async def trim_commands(self, keep_from: str) -> None:
        """See ``Messaging.trim_commands``."""
        self._require_link()
        self._hub.trim(self._keys.commands, id_of(keep_from))

    async def publish(self, channel: str, body: bytes) -> None:
        """See ``Messaging.publish``."""
        self._require_link()
        self._hub.published.append((channel, body))

    async def close(self) -> None:
        """See ``Messaging.close``."""

    # --- helpers

    def _require_link(self) -> None:
        if self._cut or self._hub.is_cut:
            raise MessagingError("memory hub: the link is cut")

    def _lose_answer(self) -> None:
        if self._answers_to_lose > 0:
            self._answers_to_lose -= 1
            raise MessagingError("memory hub: the answer is lost; not known whether the entry stands")

    def _explain_refusal(self, key: str, entry_id: EntryId, body: bytes) -> None:
        if (entry_id, body) in self._hub.after(key, START):
            return
        raise refusal("memory hub", key, entry_id, self._hub.top(key))

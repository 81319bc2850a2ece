"""The messaging port over Redis, in the command set of Redis 6.2.

What was hard, and why it is as it is:

- redis-py repeats a command up to ten times when an answer is lost. Here nothing is repeated: after an error the stream
  is read back to learn whether the entry stands, and the caller appends its next whole state otherwise.
- A blocking read has a connection of its own, whose socket timeout is three times the block: with less, redis-py takes
  a quiet stream for a dead server. Nothing is cancelled to time it out; that would leave an answer in the socket.
- The shape of an answer depends on the protocol version, so version 2 is pinned, whatever the URL says.
- After a wipe, ids may begin below what a reader has seen; a reader that hears nothing for one block looks.
"""

import asyncio
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeVar

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from lighter_hedge.domain.states import DeskId, HedgerState, MakerState, OperatorCommand, Role
from lighter_hedge.messaging.ids import START, EntryId, id_of, refusal, text_of
from lighter_hedge.messaging.keys import FIELD, STATES_KEPT, DeskKeys
from lighter_hedge.messaging.messages import decode_command, decode_state, encode
from lighter_hedge.messaging.port import MessagingError

BLOCK_MS = 1000
"""How long a reader blocks before it looks whether Redis was wiped."""
READ_TIMEOUT_SECONDS = 3.0
"""Socket timeout of a blocking reader, three times the block."""
COMMAND_TIMEOUT_SECONDS = 2.0
"""Socket timeout of every other command."""
BATCH = 16
"""Entries taken by one read. A reader of states that gets this many is behind, and goes to the newest."""

_T = TypeVar("_T")
_Entry = tuple[EntryId, bytes]


def _text_uuid() -> str:
    return str(uuid.uuid4())


class RedisMessaging:
    """One process's access to a desk's streams: an adapter of ``Messaging``.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``, with user and password where Redis wants them.
        desk: whose streams.
        states_kept: entries that a state stream keeps.
        block_ms: longest blocking read; at most ``BLOCK_MS``.
        new_uuid: makes the desk's uuid where it is missing.

    Raises:
        MessagingError: the URL cannot be read.
    """

    def __init__(
        self,
        url: str,
        desk: DeskId,
        *,
        states_kept: int = STATES_KEPT,
        block_ms: int = BLOCK_MS,
        new_uuid: Callable[[], str] = _text_uuid,
    ) -> None:
        assert 0 < block_ms <= BLOCK_MS
        self.place = place_of(url)
        """``host:port/db``, for messages."""
        self._url = url
        self._keys = DeskKeys(desk=desk)
        self._states_kept = states_kept
        self._block_ms = block_ms
        self._new_uuid = new_uuid
        self._client = connect(url)

    async def open(self) -> str:
        """See ``Messaging.open``; may be called again at any time, to see whether the uuid has changed."""
        await self._ask(self._client.set(self._keys.uuid, self._new_uuid(), nx=True))
        found = await self._ask(self._client.get(self._keys.uuid))
        if not isinstance(found, bytes):
            raise MessagingError(f"Redis at {self.place} lost {self._keys.uuid} between two commands: it was wiped")
        return found.decode()

    async def append_state(self, state: MakerState | HedgerState) -> None:
        """See ``Messaging.append_state``."""
        role = Role.MAKER if isinstance(state, MakerState) else Role.HEDGER
        key, entry_id, body = self._keys.state(role), (state.epoch, state.seq), encode(state)
        try:
            await _cancellable(
                self._client.xadd(key, {FIELD: body}, id=text_of(entry_id), maxlen=self._states_kept, approximate=False)
            )
        except ResponseError as error:
            await self._explain_refusal(key, entry_id, body, error)
        except (RedisError, OSError) as error:
            if not await self._stands(key, entry_id, body):
                raise self._failed(error) from error

    async def states(self, role: Role) -> AsyncGenerator[MakerState | HedgerState, None]:
        """See ``Messaging.states``."""
        key, cursor = self._keys.state(role), START
        client = connect(self._url, timeout_seconds=READ_TIMEOUT_SECONDS)
        try:
            newest = await self._last(client, key)
            while True:
                if newest is not None and newest[0] != cursor:
                    cursor = newest[0]
                    yield decode_state(role, newest[1])
                entries = await self._read(client, key, cursor)
                behind = not entries or len(entries) == BATCH
                newest = await self._last(client, key) if behind else entries[-1]
        finally:
            await client.aclose()

    async def last_state(self, role: Role) -> MakerState | HedgerState | None:
        """See ``Messaging.last_state``."""
        newest = await self._last(self._client, self._keys.state(role))
        return decode_state(role, newest[1]) if newest else None

    async def append_command(self, command: OperatorCommand) -> None:
        """See ``Messaging.append_command``. After an error it may stand or not; its id makes a second one harmless."""
        await self._ask(self._client.xadd(self._keys.commands, {FIELD: encode(command)}))

    async def last_command(self) -> str:
        """See ``Messaging.last_command``."""
        seconds, micros = await self._ask(self._client.time())
        newest = await self._last(self._client, self._keys.commands)
        now = (seconds * 1000 + micros // 1000 - 1, 0)
        return text_of(max(now, newest[0]) if newest is not None else now)

    async def commands(self, since: str) -> AsyncGenerator[tuple[str, OperatorCommand], None]:
        """See ``Messaging.commands``."""
        key, cursor = self._keys.commands, id_of(since)
        client = connect(self._url, timeout_seconds=READ_TIMEOUT_SECONDS)
        try:
            while True:
                entries = await self._read(client, key, cursor)
                for entry_id, body in entries:
                    cursor = entry_id
                    yield text_of(entry_id), decode_command(body, entry_id=text_of(entry_id))
                if not entries:
                    newest = await self._last(client, key)
                    if newest is not None and newest[0] < cursor:
                        cursor = newest[0]
        finally:
            await client.aclose()

    async def trim_commands(self, keep_from: str) -> None:
        """See ``Messaging.trim_commands``."""
        await self._ask(self._client.xtrim(self._keys.commands, minid=text_of(id_of(keep_from)), approximate=False))

    async def publish(self, channel: str, body: bytes) -> None:
        """See ``Messaging.publish``."""
        await self._ask(self._client.publish(channel, body))

    async def close(self) -> None:
        """See ``Messaging.close``."""
        await self._client.aclose()

    # --- helpers

    async def _ask(self, answer: Awaitable[_T]) -> _T:
        try:
            return await _cancellable(answer)
        except (RedisError, OSError) as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> MessagingError:
        return MessagingError(f"Redis at {self.place} did not answer as it should: {error}")

    async def _last(self, client: Redis, key: str) -> _Entry | None:
        entries = _entries(await self._ask(client.xrevrange(key, count=1)))
        return entries[0] if entries else None

    async def _read(self, client: Redis, key: str, cursor: EntryId) -> list[_Entry]:
        """Entries above ``cursor``, oldest first; none after one block of silence."""
        answer: Any = await self._ask(client.xread({key: text_of(cursor)}, count=BATCH, block=self._block_ms))
        return [entry for _, entries in answer or [] for entry in _entries(entries)]

    async def _stands(self, key: str, entry_id: EntryId, body: bytes) -> bool:
        """Read back after an error, on a new connection."""
        text = text_of(entry_id)
        return (entry_id, body) in _entries(await self._ask(self._client.xrange(key, text, text, count=1)))

    async def _explain_refusal(self, key: str, entry_id: EntryId, body: bytes, error: ResponseError) -> None:
        """Return where the entry stands all the same; else raise what the refusal means."""
        if "equal or smaller" not in str(error):
            raise self._failed(error) from error
        # The stand-in of the demo hangs up after each error that it answers.
        await self._client.connection_pool.disconnect()
        if await self._stands(key, entry_id, body):
            return
        # Not the newest entry: the highest id outlives trimming and deletion.
        about = await self._ask(self._client.xinfo_stream(key))
        raise refusal(f"Redis at {self.place}", key, entry_id, id_of(about["last-generated-id"].decode())) from error


async def _cancellable(answer: Awaitable[_T]) -> _T:
    """Await ``answer`` without losing a cancellation.

    redis-py waits for its writes with ``asyncio.wait_for``, which in Python 3.11 swallows a cancellation that comes
    as the write ends (python/cpython#86296): a reader that loops would then never end.
    """
    task = asyncio.current_task()
    assert task is not None
    before = task.cancelling()
    try:
        return await answer
    finally:
        if task.cancelling() > before:
            raise asyncio.CancelledError


def connect(url: str, *, timeout_seconds: float = COMMAND_TIMEOUT_SECONDS) -> Redis:
    """A client with one connection, made at the first command, that repeats nothing in secret.

    Raises:
        MessagingError: the URL cannot be read.
    """
    options = _options_of(url)
    options.update(
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        decode_responses=False,
        health_check_interval=0,
        driver_info=None,
    )
    pool = ConnectionPool(**options)
    client = Redis(connection_pool=pool, single_connection_client=True)
    client.auto_close_connection_pool = True
    return client


def place_of(url: str) -> str:
    """``host:port/db``, or the socket's path: what a message may say of a URL that holds a password.

    Raises:
        MessagingError: the URL cannot be read.
    """
    options = _options_of(url)
    if "path" in options:
        return f"{options['path']}/{options.get('db', 0)}"
    secure = " (TLS)" if options.get("connection_class") is SSLConnection else ""
    return f"{options.get('host', 'localhost')}:{options.get('port', 6379)}/{options.get('db', 0)}{secure}"


def _options_of(url: str) -> dict[str, Any]:
    try:
        return dict(parse_url(url))
    except ValueError:
        # The parser's own text can quote a part of the password.
        raise MessagingError("the Redis URL cannot be read: write it like redis://127.0.0.1:6379/0") from None


def _entries(rows: Any) -> list[_Entry]:
    """Ids and bodies; a row without our field has an empty body, which no codec takes for a message."""
    return [(id_of(row_id.decode()), fields.get(FIELD, b"")) for row_id, fields in rows]

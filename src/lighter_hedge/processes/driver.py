"""The one place where a machine's commands become effects, and effects become its events.

A machine never waits: ``step(event, now)`` returns what must be done, and the driver does it in that order. What must
be durable (``Record``) is committed before the next command of the list runs; only facts that the venue will repeat
(fills, settled nonces) may follow a few milliseconds later, so that no send and no message waits for the disk: a crash
in between is a crash a moment earlier, and the next start reads them again. Everything that takes time (signing,
sending, reading) runs as a task and comes back as an event. Below ``dispatch`` nothing awaits: steps never interleave.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar, assert_never

from lighter_hedge.domain.commands import (
    Alert,
    Command,
    Entry,
    Exit,
    FillsKnown,
    Level,
    NonceSettled,
    Prepare,
    PublishFailure,
    PublishFill,
    PublishState,
    ReadAccount,
    ReadNonce,
    ReadOrders,
    ReadTx,
    Record,
    Resubscribe,
    Say,
    Send,
)
from lighter_hedge.domain.core import EXIT_SUPERSEDED
from lighter_hedge.domain.events import (
    AccountRead,
    Answer,
    AnswerKind,
    Candidate,
    Event,
    HedgerHeard,
    Instant,
    MakerHeard,
    MessagingChanged,
    NonceRead,
    OperatorAsked,
    OrdersRead,
    PeerUnreadable,
    Prepared,
    PrepareFailed,
    SendAnswered,
    StopAsked,
    Ticked,
    TxReported,
)
from lighter_hedge.domain.states import HedgerState, MakerState, Role
from lighter_hedge.messaging.ids import id_of
from lighter_hedge.messaging.keys import B_HEDGE_FAILED, fill_channel
from lighter_hedge.messaging.messages import ChannelContext, SchemaMismatch, UnreadableMessage, failure_body, fill_body
from lighter_hedge.messaging.port import Messaging, MessagingError, SupersededError
from lighter_hedge.processes.journal_file import JournalError
from lighter_hedge.processes.timing import Untimed
from lighter_hedge.venue.errors import VenueError
from lighter_hedge.venue.port import Venue

TICK_SECONDS = 0.05
RECONNECT_SECONDS = 0.5
FLUSH_SECONDS = 1.0
FACTS_SECONDS = 0.005
"""How long facts wait for their commit."""
FACTS = (FillsKnown, NonceSettled)
NEWS_MAX = 1_000
REFUSED_AGAIN_MS = 60_000
COMMANDS_KEPT_MS = 3_600_000
"""A command of a person is acknowledged, or has timed out, long before it is dropped from the stream."""

_T = TypeVar("_T")


class Machine(Protocol):
    """A side of the desk: pure."""

    def start(self) -> list[Command]:
        """Begin."""

    def step(self, event: Event, now: Instant) -> list[Command]:
        """Apply one event; return what must now be done, in order."""


class JournalPort(Protocol):
    """What the driver needs of a journal. Every call returns only when its content is durable."""

    def commit_candidate(self, candidate: Candidate) -> None:
        """Keep a signed transaction, before it may be sent."""

    def commit_all(self, entries: Iterable[Entry]) -> None:
        """Keep entries, in one transaction."""

    def alert(self, code: str, text: str, wall_ms: int) -> None:
        """Store an alert until somebody delivers it."""


class Guard(Protocol):
    """The last look at a send, apart from what the machine decides."""

    def refuses(self, candidate: Candidate, decided: Instant, now: Instant) -> str:
        """Why these bytes must not leave; empty where they may."""


SayTo = Callable[[str, str, str], None]
"""Logs (level, code, text)."""


@dataclass(slots=True, kw_only=True)
class Driver:
    """Runs one machine against a venue, a journal and the desk's messaging."""

    role: Role
    machine: Machine
    venue: Venue
    messaging: Messaging
    journal: JournalPort
    guard: Guard
    context: ChannelContext
    clock: Callable[[], Instant]
    say: SayTo
    on_step: Callable[[], None] = lambda: None
    """Called after every step: the process looks whether the machine is ready."""
    timing: Untimed = field(default_factory=Untimed)
    beside: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
    """Work for people's eyes that runs as long as the side does, and whose failure changes nothing else."""
    exit_code: int | None = None
    exit_why: str = ""
    _error: JournalError | None = None
    _group: asyncio.TaskGroup = field(init=False)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _state: MakerState | HedgerState | None = None
    """The newest state that has not been appended yet."""
    _news: deque[PublishFill | PublishFailure] = field(default_factory=deque)
    _to_publish: asyncio.Event = field(default_factory=asyncio.Event)
    _entries: list[Entry] = field(default_factory=list)
    """What is recorded and not committed yet."""
    _must_commit: bool = False
    _commit_timer: asyncio.TimerHandle | None = None
    _seq: int = 0
    _refused_ms: int | None = None
    _messaging_up: bool = False

    async def run(self) -> int:
        """Run until the machine exits; return its exit code. Programmer errors are not caught.

        Raises:
            JournalError: what must be written down cannot be. Nothing is sent any more.
        """
        try:
            await self._run_tasks()
        except BaseExceptionGroup as group:
            of_journal, others = group.split(JournalError)
            if others is not None:
                raise others from None
            assert of_journal is not None
            self._error = self._error or _first(of_journal)
        if self._error is not None:
            self.say("error", "EXIT", f"journal: {self._error}")
            raise self._error
        assert self.exit_code is not None
        return self.exit_code

    async def _run_tasks(self) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            publisher = group.create_task(self._publish())
            tasks = [
                group.create_task(self._follow_venue()),
                group.create_task(self._follow_peer()),
                group.create_task(self._follow_commands()),
                group.create_task(self._tick()),
                *(group.create_task(self._beside(work)) for work in self.beside),
            ]
            self._execute_all(self.machine.start())
            await self._ended.wait()
            publisher.cancel()
            await asyncio.wait([publisher])
            if self._error is None:
                self._commit()
                await self._flush()
            for task in tasks:
                task.cancel()

    def stop(self) -> None:
        """SIGTERM: let the machine end what it has begun."""
        self._or_crash(lambda: self.dispatch(StopAsked()))

    # --- events in --------------------------------------------------------------------------------------------------

    def dispatch(self, event: Event) -> None:
        """Give the machine one event and carry out what it wants. Nothing here awaits."""
        if self.exit_code is None and self._error is None:
            self.timing.came(event)
            self._or_end(lambda: self._execute_all(self.machine.step(event, self.clock())))
            self.on_step()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.dispatch(Ticked())

    async def _follow_venue(self) -> None:
        await self.venue.stream(self.dispatch)

    async def _follow_peer(self) -> None:
        """Follow the other side's states, and whether Redis is there."""
        uuid = ""
        while True:
            try:
                found = await self.messaging.open()
                last = await self.messaging.last_state(self.role.other)
                if last is not None:
                    self._hear(last)
                wiped, uuid = bool(uuid) and found != uuid, found
                if wiped:
                    self.say("warning", "REDIS_WIPED", "Redis has lost its content; whole states make it whole again")
                self._set_messaging(up=True, wiped=wiped)
                async for state in self.messaging.states(self.role.other):
                    self._hear(state)
            except UnreadableMessage as error:
                self.say("error", "MESSAGE_UNREADABLE", str(error))
                if isinstance(error, SchemaMismatch):
                    self.dispatch(PeerUnreadable(why=str(error)))
            except MessagingError as error:
                self._set_messaging(up=False, why=str(error))
            await asyncio.sleep(RECONNECT_SECONDS)

    def _hear(self, state: MakerState | HedgerState) -> None:
        self.dispatch(MakerHeard(state=state) if isinstance(state, MakerState) else HedgerHeard(state=state))

    def _set_messaging(self, *, up: bool, wiped: bool = False, why: str = "") -> None:
        if up != self._messaging_up:
            self.say("info" if up else "error", "REDIS_UP" if up else "REDIS_DOWN", why or "Redis answers")
        self._messaging_up = up
        self.dispatch(MessagingChanged(up=up, wiped=wiped))

    async def _follow_commands(self) -> None:
        """Follow a person's commands from this process's first contact on: what stood there before is void."""
        void = cursor = ""
        while True:
            try:
                void = void or await self.messaging.last_command()
                async for entry_id, command in self.messaging.commands(cursor or void):
                    cursor = entry_id
                    if id_of(entry_id) <= id_of(void):
                        continue
                    self.dispatch(OperatorAsked(command=command))
                    made_ms = int(entry_id.partition("-")[0])
                    await self.messaging.trim_commands(f"{max(0, made_ms - COMMANDS_KEPT_MS)}-0")
            except UnreadableMessage as error:
                cursor = error.entry_id or cursor
                self.say("error", "MESSAGE_UNREADABLE", str(error))
            except MessagingError:
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _beside(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - whatever it is, no hedge may suffer from it
            self.say("error", "BESIDE_FAILED", f"{type(error).__name__}: {error}; the desk goes on without it")

    # --- commands out -----------------------------------------------------------------------------------------------

    def _execute_all(self, commands: list[Command]) -> None:
        for command in commands:
            if not isinstance(command, Record):
                if self._must_commit:
                    self._commit()
                self._execute(command)
                continue
            self._entries.append(command.entry)
            if not isinstance(command.entry, FACTS):
                self._must_commit = True
        if self._must_commit:
            self._commit()
        elif self._entries and self._commit_timer is None:
            loop = asyncio.get_running_loop()
            self._commit_timer = loop.call_later(FACTS_SECONDS, self._or_crash, self._commit)

    def _commit(self) -> None:
        """Make everything recorded so far durable, in its order."""
        if self._commit_timer is not None:
            self._commit_timer.cancel()
            self._commit_timer = None
        if self._entries:
            self._or_end(lambda: self.journal.commit_all(self._entries))
        self._entries, self._must_commit = [], False

    def _or_end(self, work: Callable[[], None]) -> None:
        """Nothing more happens, and nothing more is told, once the journal could not be written."""
        try:
            work()
        except JournalError as error:
            self._error = self._error or error
            self._state = None  # it may tell of what could not be written down
            raise

    def _or_crash(self, work: Callable[[], None]) -> None:
        """Work of a timer or a signal: no task hears of its error, so the driver must."""
        try:
            self._or_end(work)
        except JournalError:
            self._ended.set()

    def _execute(self, command: Command) -> None:
        match command:
            case Send():
                self.timing.decided(command.candidate)
                self._spawn(self._send(command.candidate, self.clock()))
            case Prepare():
                self.timing.signing(command)
                self._spawn(self._prepare(command))
            case ReadNonce() | ReadTx() | ReadOrders() | ReadAccount():
                self._spawn(self._read(command))
            case PublishState():
                self._state = command.state
                self._to_publish.set()
            case PublishFill() | PublishFailure():
                self.timing.heard_of(command)
                self._news.append(command)
                if len(self._news) > NEWS_MAX:
                    self._news.popleft()
                self._to_publish.set()
            case Say():
                self.say(command.level.value, command.code, command.text)
            case Alert():
                self.journal.alert(command.code, command.text, self.clock().wall_ms)
                self.say(Level.ERROR.value, command.code, command.text)
            case Resubscribe():
                self.venue.resubscribe_book()
            case Exit():
                self._end(command.code, command.why)
            case Record():
                raise AssertionError("records are collected before")
            case _:
                assert_never(command)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._group.create_task(work)

    def _end(self, code: int, why: str) -> None:
        if self.exit_code is None:
            self.exit_code, self.exit_why = code, why
            self.say("info" if code == 0 else "error", "EXIT", f"{why} (exit code {code})")
            self._ended.set()

    async def _prepare(self, command: Prepare) -> None:
        """Sign, then keep the signed bytes in the journal: only then may anybody send them."""
        try:
            candidate = await self.venue.sign(command.request, command.nonce)
        except VenueError as error:
            self.dispatch(PrepareFailed(ticket=command.ticket, reason=str(error)))
            return
        if self.exit_code is None:
            self._commit()
            self._or_end(lambda: self.journal.commit_candidate(candidate))
            self.dispatch(Prepared(ticket=command.ticket, candidate=candidate))

    async def _send(self, candidate: Candidate, decided: Instant) -> None:
        if self.exit_code is not None:
            return  # held up until the machine had ended: nobody would hear what became of it
        why = self.guard.refuses(candidate, decided, self.clock())
        if why:
            self._refused(f"not sent: {why}")
            answer = Answer(kind=AnswerKind.NOT_SENT, message=why)
        else:
            self.timing.leaving(candidate)
            answer = await self.venue.send(candidate)
            self.timing.answered(candidate)
        self.dispatch(SendAnswered(tx_hash=candidate.tx_hash, answer=answer))

    def _refused(self, text: str) -> None:
        """The guard has refused a send: alert, but once a minute, since the machine will want it again."""
        now_ms = self.clock().mono_ms
        if self._refused_ms is None or now_ms - self._refused_ms >= REFUSED_AGAIN_MS:
            self._refused_ms = now_ms
            self._execute(Alert(code="SEND_REFUSED", text=text))
        else:
            self._execute(Say(level=Level.WARNING, code="SEND_REFUSED", text=text))

    async def _read(self, command: ReadNonce | ReadTx | ReadOrders | ReadAccount) -> None:
        """Read; a failed read is answered as unknown, never as zero."""
        asked_ms = self.clock().mono_ms
        event: Event
        match command:
            case ReadNonce():
                event = NonceRead(nonce=await self._or_none(self.venue.read_nonce()))
            case ReadTx():
                found = await self._or_none(self.venue.read_tx(command.tx_hash))
                status, error = found if found is not None else (None, "")
                event = TxReported(tx_hash=command.tx_hash, status=status, error=error, asked_ms=asked_ms)
            case ReadOrders():
                rows = await self._or_none(self.venue.read_orders(command.coids))
                event = OrdersRead(coids=command.coids, rows=rows, asked_ms=asked_ms)
            case ReadAccount():
                account = await self._or_none(self.venue.read_account(command.role))
                position, available, orders = account if account is not None else (None, 0, 0)
                event = AccountRead(
                    role=command.role, position=position, available=available, open_orders=orders, asked_ms=asked_ms
                )
        self.dispatch(event)

    async def _or_none(self, reading: Coroutine[Any, Any, _T]) -> _T | None:
        try:
            return await reading
        except VenueError as error:
            self.say("warning", "READ_FAILED", str(error))
            return None

    # --- publishing -------------------------------------------------------------------------------------------------

    async def _publish(self) -> None:
        """Append the newest state, then tell the news. A state that could not be appended is not sent again: the next
        whole state says more."""
        while True:
            await self._to_publish.wait()
            self._to_publish.clear()
            try:
                await self._append()
                await self._tell_news()
            except SupersededError as error:
                self._end(EXIT_SUPERSEDED, f"superseded: {error}")
            except MessagingError as error:
                self._set_messaging(up=False, why=str(error))
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _append(self) -> None:
        state, self._state = self._state, None
        if state is not None:
            self._seq += 1
            await self.messaging.append_state(replace(state, seq=self._seq))
            self.timing.told()
            if not self._messaging_up:
                self._set_messaging(up=True)

    async def _tell_news(self) -> None:
        while self._news:
            self._commit()  # people hear of nothing that a crash could take back
            command = self._news.popleft()
            context = replace(self.context, wall_ms=self.clock().wall_ms)
            try:
                if isinstance(command, PublishFill):
                    await self.messaging.publish(fill_channel(command.role), fill_body(command, context))
                else:
                    await self.messaging.publish(B_HEDGE_FAILED, failure_body(command, context))
            except MessagingError:
                self._news.appendleft(command)
                raise

    async def _flush(self) -> None:
        """Before the end: let the last state and the news go, if Redis is there."""
        try:
            async with asyncio.timeout(FLUSH_SECONDS):
                await self._append()
                await self._tell_news()
        except (MessagingError, TimeoutError):
            self.say("warning", "REDIS_DOWN", "the last state could not be told")


def _first(group: BaseExceptionGroup[JournalError]) -> JournalError:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, JournalError)
    return found

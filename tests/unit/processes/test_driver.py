"""Commands become effects in their order, effects become events; nothing that fails outside is more than unknown."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.simulation.virtual_time import VirtualLoop
from tests.unit.domain.builders import DESK, MARKET, candidate, fills, hedger_state, maker_state, order, row

from lighter_hedge.domain.commands import (
    Alert,
    Command,
    Entry,
    Exit,
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
    TriesCounted,
)
from lighter_hedge.domain.events import (
    AccountRead,
    Answer,
    AnswerKind,
    Candidate,
    Event,
    HedgerHeard,
    Instant,
    MakerHeard,
    MarketHeard,
    MessagingChanged,
    NonceRead,
    OperatorAsked,
    OrderReport,
    OrdersRead,
    PeerUnreadable,
    Prepared,
    PrepareFailed,
    Request,
    SendAnswered,
    StopAsked,
    Ticked,
    TxReported,
    TxStatus,
    VenueEvent,
)
from lighter_hedge.domain.states import HedgeFailed, HedgerState, MakerState, OperatorCommand, Role
from lighter_hedge.domain.units import MarketSpec
from lighter_hedge.messaging.memory_stream import MemoryHub, MemoryMessaging
from lighter_hedge.messaging.messages import ChannelContext, MalformedMessage, SchemaMismatch
from lighter_hedge.messaging.port import MessagingError, SupersededError
from lighter_hedge.processes.driver import NEWS_MAX, Driver
from lighter_hedge.processes.journal_file import JournalUnwritable
from lighter_hedge.venue.errors import ReadFailed
from lighter_hedge.venue.port import OnEvent

FACT = Record(entry=NonceSettled(nonce=7, winner="x", why="executed"))
"""What the venue would tell again: it may wait a few milliseconds for its commit."""
DECISION = Record(entry=TriesCounted(tries=1, failed=None))
"""What nobody else knows: it is durable before anything that follows."""


@dataclass
class Script:
    """A machine that wants what it was told to, and remembers what it heard."""

    begin: list[Command] = field(default_factory=list)
    replies: dict[type, list[Command]] = field(default_factory=dict)
    """What it wants when it hears an event of this kind, once."""
    heard: list[Event] = field(default_factory=list)

    def start(self) -> list[Command]:
        return self.begin

    def step(self, event: Event, now: Instant) -> list[Command]:
        if not isinstance(event, Ticked):
            self.heard.append(event)
        return self.replies.pop(type(event), [])

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.heard if isinstance(event, kind)]


@dataclass
class Wire:
    """A venue that answers at once, or fails where told to; and the order of all effects."""

    done: list[str]
    fails: bool = False
    events: list[VenueEvent] = field(default_factory=list)
    market: MarketSpec = MARKET

    async def sign(self, request: Request, nonce: int) -> Candidate:
        self._look()
        self.done.append("signed")
        return candidate(request, nonce)

    async def send(self, sending: Candidate) -> Answer:
        self.done.append(f"sent {sending.tx_hash}")
        return Answer(kind=AnswerKind.ACCEPTED)

    async def read_nonce(self) -> int:
        self._look()
        return 7

    async def read_tx(self, tx_hash: str) -> tuple[TxStatus, str]:
        self._look()
        return TxStatus.EXECUTED, "error"

    async def read_orders(self, coids: tuple[int, ...]) -> tuple[OrderReport, ...]:
        self._look()
        return (row(),)

    async def read_account(self, role: Role) -> tuple[int, int, int]:
        self._look()
        return 5, 1_000, 1

    async def stream(self, on_event: OnEvent) -> None:
        for event in self.events:
            on_event(event)
        await asyncio.Event().wait()

    def resubscribe_book(self) -> None:
        self.done.append("resubscribed")

    async def close(self) -> None:
        self.done.append("closed")

    def _look(self) -> None:
        if self.fails:
            raise ReadFailed("HTTP 500")


@dataclass
class Lenient:
    """A guard that lets everything pass, unless it is told a reason."""

    why: str = ""

    def refuses(self, candidate: Candidate, decided: Instant, now: Instant) -> str:
        return self.why


@dataclass
class Book:
    """A journal that writes down when it was written to."""

    done: list[str]
    alerts: list[tuple[str, str]] = field(default_factory=list)

    def commit_candidate(self, kept: Candidate) -> None:
        self.done.append(f"kept {kept.tx_hash}")

    def commit_all(self, entries: Iterable[Entry]) -> None:
        self.done.append("recorded " + " ".join(type(entry).__name__ for entry in entries))

    def alert(self, code: str, text: str, wall_ms: int) -> None:
        self.alerts.append((code, text))


class Unreadable(MemoryMessaging):
    """Redis with one entry that nobody can read."""

    async def last_state(self, role: Role) -> MakerState | HedgerState | None:
        raise SchemaMismatch("schema 9")

    async def commands(self, since: str) -> AsyncGenerator[tuple[str, OperatorCommand], None]:
        raise MalformedMessage("no command", entry_id="5-0")
        yield


@dataclass
class Bench:
    """A driver with its surroundings on a virtual clock."""

    machine: Script
    role: Role = Role.MAKER
    hub: MemoryHub = field(default_factory=MemoryHub)
    done: list[str] = field(default_factory=list)
    said: list[tuple[str, str, str]] = field(default_factory=list)
    steps: int = 0

    def __post_init__(self) -> None:
        self.loop = VirtualLoop()
        self.wire, self.book = Wire(self.done), Book(self.done)
        self.messaging = MemoryMessaging(self.hub, DESK)
        self.guard = Lenient()
        self.driver: Driver = self.make()
        self.task: asyncio.Task[int] | None = None

    def make(self) -> Driver:
        return Driver(
            role=self.role,
            machine=self.machine,
            venue=self.wire,
            messaging=self.messaging,
            journal=self.book,
            guard=self.guard,
            context=ChannelContext(desk=DESK, market=MARKET, maker_account=1, hedger_account=2, wall_ms=0),
            clock=self.now,
            say=lambda level, code, text: self.said.append((level, code, text)),
            on_step=self.count,
        )

    def count(self) -> None:
        self.steps += 1

    def now(self) -> Instant:
        ms = int(self.loop.time() * 1000)
        return Instant(ms, 1_800_000_000_000 + ms)

    def use(self, messaging: MemoryMessaging) -> None:
        self.messaging = messaging
        self.driver = self.make()

    def run(self, seconds: float = 0.2) -> None:
        if self.task is None:
            self.task = self.loop.create_task(self.driver.run())
        self.do(asyncio.sleep(seconds))
        if self.task.done():
            self.task.result()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def code(self) -> int:
        assert self.task is not None
        return self.loop.run_until_complete(self.task)

    def codes(self) -> list[str]:
        return [code for _, code, _ in self.said]

    def close(self) -> None:
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
            self.loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()


@contextmanager
def bench(*begin: Command, **replies: list[Command]) -> Iterator[Bench]:
    kinds = {kind.__name__: kind for kind in (Prepared, StopAsked, NonceRead, SendAnswered)}
    made = Bench(Script(list(begin), {kinds[name]: commands for name, commands in replies.items()}))
    try:
        yield made
    finally:
        made.close()


def test_a_decision_is_committed_before_the_send_that_follows() -> None:
    first, second = Send(candidate=candidate(order(1))), Send(candidate=candidate(order(2)))
    with bench(DECISION, DECISION, first, DECISION, second, DECISION) as desk:
        desk.run()
    recorded = [at for at, what in enumerate(desk.done) if what.startswith("recorded")]
    assert desk.done[0] == "recorded TriesCounted TriesCounted", "together, and before anything leaves"
    assert recorded[1] < desk.done.index("sent order2@7")
    assert len(recorded) == 3
    assert [answered.tx_hash for answered in desk.machine.of(SendAnswered)] == ["order1@7", "order2@7"]


def test_facts_do_not_keep_a_send_waiting_and_are_committed_soon() -> None:
    with bench(FACT, Send(candidate=candidate()), FACT) as desk:
        desk.run(0.004)
        assert desk.done == ["sent order1@7"]
        desk.run(0.002)
        assert desk.done == ["sent order1@7", "recorded NonceSettled NonceSettled"]


def test_a_decision_takes_the_facts_before_it_along() -> None:
    with bench(FACT, DECISION, Send(candidate=candidate())) as desk:
        desk.run()
    assert desk.done == ["recorded NonceSettled TriesCounted", "sent order1@7"]


def test_facts_are_committed_before_a_signed_candidate_and_before_the_end() -> None:
    with bench(Prepare(ticket=3, nonce=7, request=order()), FACT) as desk:
        desk.run()
    assert desk.done == ["signed", "recorded NonceSettled", "kept order1@7"]
    with bench(FACT, Exit(code=0, why="stopped")) as desk:
        desk.run()
        assert desk.code() == 0
    assert desk.done == ["recorded NonceSettled"]


def test_what_the_guard_refuses_is_not_sent_and_alerts_once_a_minute() -> None:
    with bench(Send(candidate=candidate(order(1))), Send(candidate=candidate(order(2)))) as desk:
        desk.guard.why = "too large"
        desk.run()
        assert desk.done == []
        answers = [answered.answer for answered in desk.machine.of(SendAnswered)]
        assert answers == [Answer(kind=AnswerKind.NOT_SENT, message="too large")] * 2
        assert desk.book.alerts == [("SEND_REFUSED", "not sent: too large")]
        assert desk.codes().count("SEND_REFUSED") == 2
        desk.run(61)
        desk.driver._execute(Send(candidate=candidate(order(3))))
        desk.run()
        assert len(desk.book.alerts) == 2


def test_a_signature_is_journalled_before_anybody_hears_of_it() -> None:
    send: list[Command] = [Send(candidate=candidate())]
    with bench(Prepare(ticket=3, nonce=7, request=order()), Prepared=send) as desk:
        desk.run()
    assert desk.done == ["signed", "kept order1@7", "sent order1@7"]
    assert desk.machine.of(Prepared)[0].ticket == 3


def test_a_failed_signature_is_told_and_nothing_is_journalled() -> None:
    with bench(Prepare(ticket=3, nonce=7, request=order())) as desk:
        desk.wire.fails = True
        desk.run()
    assert desk.machine.of(PrepareFailed) == [PrepareFailed(ticket=3, reason="HTTP 500")]
    assert desk.done == []


READS: tuple[Command, ...] = (ReadNonce(), ReadTx(tx_hash="x"), ReadOrders(coids=(1,)), ReadAccount(role=Role.HEDGER))


def test_reads_are_answered_with_the_time_of_the_question() -> None:
    with bench(*READS) as desk:
        desk.run()
    heard = desk.machine
    assert heard.of(NonceRead) == [NonceRead(nonce=7)]
    assert heard.of(TxReported) == [
        TxReported(tx_hash="x", status=TxStatus.EXECUTED, error="error", asked_ms=1_000_000)
    ]
    assert heard.of(OrdersRead)[0].rows == (row(),)
    assert heard.of(OrdersRead)[0].asked_ms == 1_000_000
    account = heard.of(AccountRead)[0]
    assert (account.position, account.available, account.open_orders) == (5, 1_000, 1)


def test_a_failed_read_is_unknown_never_zero() -> None:
    with bench(*READS) as desk:
        desk.wire.fails = True
        desk.run()
    heard = desk.machine
    assert heard.of(NonceRead) == [NonceRead(nonce=None)]
    assert heard.of(TxReported)[0].status is None
    assert heard.of(OrdersRead)[0].rows is None
    assert heard.of(AccountRead)[0].position is None
    assert desk.codes().count("READ_FAILED") == 4


def test_words_alerts_and_the_book_go_where_they_belong() -> None:
    say = Say(level=Level.INFO, code="HELLO", text="hi")
    with bench(say, Alert(code="BAD", text="oh"), Resubscribe()) as desk:
        desk.run()
    assert ("info", "HELLO", "hi") in desk.said
    assert ("error", "BAD", "oh") in desk.said
    assert desk.book.alerts == [("BAD", "oh")]
    assert desk.done == ["resubscribed"]


def test_events_of_the_venue_and_ticks_reach_the_machine() -> None:
    with bench() as desk:
        desk.wire.events = [MarketHeard(mark=5)]
        desk.run(1.0)
        assert desk.machine.of(MarketHeard) == [MarketHeard(mark=5)]
        assert desk.steps >= 19


# --- messaging ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
def test_the_other_sides_states_are_heard_the_last_one_first(role: Role) -> None:
    with bench() as desk:
        desk.role = role
        desk.driver = desk.make()
        other = MemoryMessaging(desk.hub, DESK)
        state = maker_state() if role is Role.HEDGER else hedger_state()
        desk.do(other.append_state(state))
        desk.run()
        heard = desk.machine.of(MakerHeard if role is Role.HEDGER else HedgerHeard)
        assert heard[0].state == state
        assert desk.machine.of(MessagingChanged)[0].up
        assert "REDIS_UP" in desk.codes()


def test_redis_down_and_up_again_is_told_once_each() -> None:
    with bench() as desk:
        desk.hub.cut()
        desk.run(2.0)
        assert desk.machine.of(MessagingChanged)[0] == MessagingChanged(up=False)
        desk.hub.heal()
        desk.run(2.0)
        assert desk.machine.of(MessagingChanged)[-1].up
        assert desk.codes().count("REDIS_UP") == 1
        desk.hub.cut()
        desk.run(1.0)
        assert desk.codes().count("REDIS_DOWN") == 1
        assert not desk.machine.of(MessagingChanged)[-1].up


def test_a_wiped_redis_is_said() -> None:
    with bench() as desk:
        desk.run()
        desk.hub.cut()
        desk.run(1.0)
        desk.hub.heal()
        desk.hub.wipe()
        desk.run(1.0)
        assert "REDIS_WIPED" in desk.codes()
        assert any(event.wiped for event in desk.machine.of(MessagingChanged))


def test_an_unreadable_peer_and_command_are_named_and_never_followed() -> None:
    with bench() as desk:
        desk.use(Unreadable(desk.hub, DESK))
        desk.loop.run_until_complete(asyncio.sleep(0))
        texts: list[str] = []
        desk.driver.say = lambda level, code, text: texts.append(f"{code} {text}")
        with pytest.raises(TimeoutError):
            desk.do(_for_a_moment(desk.driver))
        assert "MESSAGE_UNREADABLE schema 9" in texts
        assert desk.machine.of(HedgerHeard) == []
        assert desk.machine.of(PeerUnreadable) != []


async def _for_a_moment(driver: Driver) -> None:
    async with asyncio.timeout(1.2):
        async with asyncio.TaskGroup() as group:
            group.create_task(driver._follow_peer())


def test_a_persons_command_is_heard_once() -> None:
    with bench() as desk:
        desk.run()
        command = OperatorCommand(id="c1", verb="pause")
        desk.do(MemoryMessaging(desk.hub, DESK).append_command(command))
        desk.run()
        assert desk.machine.of(OperatorAsked) == [OperatorAsked(command=command)]


def test_states_are_appended_with_a_rising_sequence_and_the_news_after_them() -> None:
    news = PublishFill(
        role=Role.MAKER, fills=fills(), order_index=9, attempt=0, leg="open", trade_ids=(1,), round_hedged=False
    )
    failure = PublishFailure(
        failed=HedgeFailed(round=1, cum=100, reason="max_retries_exceeded", tries=3),
        maker_fill=None,
        unhedged=100,
        tries=("a",),
    )
    with bench(PublishState(state=maker_state()), news, failure) as desk:
        desk.run()
        desk.driver._execute_all([PublishState(state=maker_state(round=2))])
        desk.run()
        last = desk.do(desk.messaging.last_state(Role.MAKER))
        assert (last.seq, last.round) == (2, 2)
        channels = [channel for channel, _ in desk.hub.published]
        assert channels == ["hedge:account_a_filled", "hedge:account_b_hedge_failed"]


def test_news_waits_for_redis_and_the_oldest_is_dropped_when_there_is_too_much() -> None:
    news = PublishFill(role=Role.MAKER, fills=fills(), order_index=9, attempt=0, leg="open", trade_ids=())
    with bench(*[news] * (NEWS_MAX + 5)) as desk:
        desk.hub.cut()
        desk.run(1.0)
        assert desk.hub.published == []
        desk.hub.heal()
        desk.driver._to_publish.set()
        desk.run(1.0)
        assert len(desk.hub.published) == NEWS_MAX


def test_a_newer_instance_of_this_side_ends_it_with_8() -> None:
    with bench(PublishState(state=maker_state(epoch=5))) as desk:
        desk.do(MemoryMessaging(desk.hub, DESK).append_state(maker_state(epoch=6)))
        desk.run()
        assert desk.code() == 8
    assert "EXIT" in desk.codes()


def test_a_superseded_error_is_a_messaging_error_that_is_not_retried() -> None:
    assert issubclass(SupersededError, MessagingError)


# --- the end -----------------------------------------------------------------------------------------------------


def test_an_exit_lets_the_last_state_go_first() -> None:
    with bench(PublishState(state=maker_state(round=9)), Exit(code=3, why="enough")) as desk:
        desk.run()
        assert desk.code() == 3
        last = desk.do(desk.messaging.last_state(Role.MAKER))
        assert last is not None
        assert last.round == 9


def test_an_exit_without_redis_does_not_wait_for_it() -> None:
    with bench(PublishState(state=maker_state()), Exit(code=0, why="stopped")) as desk:
        desk.hub.cut()
        desk.run(2.0)
        assert desk.code() == 0
    assert ("info", "EXIT", "stopped (exit code 0)") in desk.said
    assert "REDIS_DOWN" in desk.codes()


def test_sigterm_is_an_event_and_nothing_is_heard_after_the_end() -> None:
    with bench(StopAsked=[Exit(code=0, why="stopped"), Exit(code=9, why="late")]) as desk:
        desk.run()
        desk.driver.stop()
        assert desk.code() == 0
        desk.driver.dispatch(MarketHeard(mark=1))
        assert desk.machine.of(MarketHeard) == []


def test_what_is_signed_after_the_end_is_not_kept() -> None:
    with bench(Prepare(ticket=1, nonce=7, request=order()), Exit(code=0, why="stopped")) as desk:
        desk.run()
        assert desk.code() == 0
    assert "kept order1@7" not in desk.done


def test_what_was_not_yet_sent_at_the_end_is_not_sent() -> None:
    with bench(Send(candidate=candidate(order())), Exit(code=8, why="superseded")) as desk:
        desk.run()
        assert desk.code() == 8
    assert not [one for one in desk.done if one.startswith("sent")]


def test_a_state_whose_record_could_not_be_written_is_not_told() -> None:
    def full(entries: Iterable[Entry]) -> None:
        raise JournalUnwritable("the disk is full")

    with bench() as desk:
        desk.run()
        desk.book.commit_all = full  # type: ignore[method-assign]
        desk.machine.replies[MarketHeard] = [PublishState(state=maker_state(round=9)), DECISION]
        with pytest.raises(JournalUnwritable):
            desk.driver.dispatch(MarketHeard(mark=1))
        del desk.book.commit_all
        desk.run()
        assert desk.do(desk.messaging.last_state(Role.MAKER)) is None


def test_a_stop_that_comes_while_the_journal_has_failed_asks_for_nothing_more() -> None:
    """1762199: the tasks were ending already, and the machine's last wish had nobody left to carry it out."""

    def full(kept: Candidate) -> None:
        desk.loop.call_soon(desk.driver.stop)
        raise JournalUnwritable("the disk is full")

    late = Prepare(ticket=2, nonce=8, request=order())
    with bench(Prepare(ticket=1, nonce=7, request=order()), StopAsked=[late]) as desk:
        desk.book.commit_candidate = full  # type: ignore[method-assign]
        with pytest.raises(JournalUnwritable):
            desk.run()
        assert desk.machine.of(StopAsked) == []

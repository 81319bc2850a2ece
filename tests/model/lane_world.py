"""One key of an honest exchange, one or two lanes on it, and everything that may happen to them.

**The exchange** expects one nonce. What has been sent may arrive at any later time, any number of times, or never: so
loss, repetition, reordering and delay of requests are all the same step, ``arrive``. A transaction that arrives with the
expected nonce consumes it and is *pending*; pending ones execute in the order of their nonces, with effect, without, or
fail. A transaction may also fail without consuming. Reads show any moment of the last ``lag``, each read another.

A read that fails changes nothing in a lane, so it is a read that time overtakes; the answer to a send of bytes that
the lane does not hold changes nothing either, so there is only one; for a burn a refusal is as good as "bad nonce".

**A lane** is asked by its owner for one order after another, signed ahead or on demand, sent or forgotten; the owner may
stop wanting the first one at any time. Questions and signatures are answered in any order, or fail; answers to sends say
anything that an honest exchange may say. The process may crash between any two steps, may sleep until every signature
has ended, and a second instance without the first one's journal may start at any time.

Promises (``Broken`` where one is not kept):

- at most one candidate of a nonce executes: the exchange's own rule, asserted;
- a verdict is the truth: *executed* only of an order that has run, anything else only of one that never will;
- no order leaves while the fate of an earlier one is unknown, and none again that is not wanted any more;
- once the burn of a newcomer has executed, no order of the older instance does;
- without a second instance a lane is never superseded;
- after a start the owner is told the fate of every order that was journalled without one;
- from every state, once faults end, every order's fate gets known, or the lane knows that it is superseded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.model.lane_frozen import LIFE_MS, NOW_MS, candidate_of, freeze, name_of, signed_life, thaw
from tests.model.walk import Broken, Label, State
from tests.unit.domain.builders import DESK, coid
from tests.unit.domain.builders import row as row_of

from lighter_hedge.domain import lane_limits
from lighter_hedge.domain.commands import Command, NonceSettled, Prepare, ReadNonce, ReadOrders, ReadTx, Record, Send
from lighter_hedge.domain.events import (
    Answer,
    AnswerKind,
    Instant,
    LaneEvent,
    NonceRead,
    OrderRequest,
    OrdersRead,
    Prepared,
    PrepareFailed,
    Request,
    SendAnswered,
    TxReported,
    TxStatus,
)
from lighter_hedge.domain.lane import Lane
from lighter_hedge.domain.lane_words import Fate, LanePhase

WAITS = ("ANSWER_MS_MAX", "EVIDENCE_MS_MAX", "POLL_MS", "POLL_MS_MAX", "PROBE_AFTER_MS", "THROTTLED_MS")
PENDING, RAN, NO_EFFECT, FAILED = "pending", "ran", "no effect", "failed"
FIRST_NONCE = 3
NEW, DOING, DROPPED, TOLD = "new", "doing", "dropped", "told"


@contextmanager
def short_waits() -> Iterator[None]:
    """Every wait of the lane is one step of time: which ends first is then the walk's choice, not the clock's."""
    with pytest.MonkeyPatch.context() as patch:
        for name in WAITS:
            patch.setattr(lane_limits, name, 1)
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much of each may happen in one story. What is not named here may happen without limit."""

    orders: int = 1
    """Orders that the first instance's owner wants."""
    lag: int = 2
    """Age up to which a read may be out of date."""
    late: int = 0
    """Steps of time that an answer to a read may take."""
    arm: bool = False
    """Orders may be signed ahead."""
    crashes: int = 0
    failures: int = 0
    """Transactions that execute without effect or fail."""
    probes_fail: bool = False
    """Failures may also hit the burn that is to prove a nonce over by the next one."""
    sleeps: int = 0
    second: bool = False
    """A second instance may start."""
    second_orders: int = 0
    unwant: bool = False
    cancel: bool = False
    """The owner may also cancel an order: a request that is no order."""
    nonces: int = 4
    """Nonces that may be consumed after the first; a story that has consumed them is not followed further."""
    booted: bool = True
    """The story begins after an undisturbed start of the first instance; a crash leads into every other start."""


@dataclass(slots=True)
class Instance:
    """One process with the key: its lane, what is under way, its journal, its owner."""

    lane: tuple[Any, ...] | Lane | None
    """Frozen until it is used; None while it does not run."""
    reads: set[tuple[str, str, int]] = field(default_factory=set)
    """Questions not answered yet: kind, about what, age."""
    sends: list[tuple[str, int]] = field(default_factory=list)
    """Sends not answered yet: hash, and whether it has arrived."""
    unsettled: list[str] = field(default_factory=list)
    """Durable: candidates of unsettled nonces."""
    unflushed: set[int] = field(default_factory=set)
    """Settled nonces that follow to the disk within milliseconds."""
    owner: list[str] = field(default_factory=list)
    """What has become of each order."""


@dataclass(slots=True)
class Moment:
    """A state, opened up."""

    expected: int
    steps: list[int]
    """Ages of the newest consumed nonces, oldest first, as far as a read may not show them yet."""
    txs: dict[str, tuple[str, int, int]]
    """Transactions that have arrived: state, age of the arrival, age of the end."""
    loose: set[str]
    """Sent, and perhaps still on their way."""
    ran: dict[int, int]
    """Orders that have executed with effect: age."""
    fates: dict[int, str]
    """What the owners were told."""
    sent: set[int]
    """Orders that have ever left."""
    burns: dict[str, int]
    """Burns signed so far, by instance and nonce."""
    fence: int | None
    """The nonce of the newcomer's first executed burn."""
    left: list[int]
    """What may still happen: crashes, failures, sleeps, 1 where the first order may still become unwanted, cancels."""
    life: int
    """How often all signatures have ended."""
    instances: list[Instance]
    now: int = NOW_MS

    @property
    def instant(self) -> Instant:
        return Instant(self.now, self.life * LIFE_MS)


CRASHES, FAILURES, SLEEPS, WANTED, CANCELS = range(5)


class LaneWorld:
    """The walk's world."""

    def __init__(self, bounds: Bounds, lane_type: type[Lane] = Lane) -> None:
        self.bounds = bounds
        self.lane_type = lane_type
        self.ended: dict[str, int] = {}
        """How friendly courses ended."""

    # --- states -----------------------------------------------------------------------------------------------------

    def first(self) -> list[State]:
        bounds = self.bounds
        moment = Moment(
            expected=FIRST_NONCE,
            steps=[],
            txs={},
            loose=set(),
            ran={},
            fates={},
            sent=set(),
            burns={},
            fence=None,
            left=[bounds.crashes, bounds.failures, bounds.sleeps, int(bounds.unwant), int(bounds.cancel)],
            life=0,
            instances=[Instance(lane=None, owner=[NEW] * bounds.orders)],
        )
        if bounds.second:
            moment.instances.append(Instance(lane=None, owner=[NEW] * bounds.second_orders))
        self._start(moment, 0)
        state = self.close(moment)
        while bounds.booted and not self._lane(self.open(state).instances[0]).ready:
            label = self.friendly(state)
            assert label is not None
            state = self.after(state, label)
        return [state]

    def open(self, state: State) -> Moment:
        expected, steps, txs, loose, ran, fates, sent, burns, fence, left, life, instances = state
        return Moment(
            expected=expected,
            steps=list(steps),
            txs={name: (how, arrived, ended) for name, how, arrived, ended in txs},
            loose=set(loose),
            ran=dict(ran),
            fates=dict(fates),
            sent=set(sent),
            burns=dict(burns),
            fence=fence,
            left=list(left),
            life=life,
            instances=[
                Instance(lane, set(reads), list(sends), list(unsettled), set(unflushed), list(owner))
                for lane, reads, sends, unsettled, unflushed, owner in instances
            ],
        )

    def close(self, moment: Moment) -> State:
        """The state, without what nothing can depend on any more."""
        old = self.bounds.lag + self.bounds.late
        alive: set[str] = set()
        for one in moment.instances:
            if isinstance(one.lane, Lane):
                one.lane = freeze(one.lane, moment.now, age_max=self.bounds.late, probe_after=lane_limits.PROBE_AFTER_MS)
            if one.lane is not None:
                held = {name for name, *_ in one.lane[2]}
                one.sends = [item for item in one.sends if item[0] in held or self._may_still_arrive(moment, item[0])]
                alive.update(held)
                alive.update(one.lane[10][0])
                alive.update(one.lane[12])
                if one.lane[9] is not None:
                    alive.add(one.lane[9][0])
            alive.update(one.unsettled)
            alive.update(about for kind, about, _ in one.reads if kind == "tx")
        txs = sorted(
            (name, how, min(arrived, old), min(ended, old))
            for name, (how, arrived, ended) in moment.txs.items()
            if how == PENDING or name in alive
        )
        may_arrive = {name for name in moment.loose if self._may_still_arrive(moment, name)}
        steps = [min(age, old) for age in moment.steps if age < old]
        nonces = {candidate_of(name).nonce for name in alive | may_arrive}
        low = min([moment.expected - len(steps), *nonces], default=0)
        return (
            moment.expected,
            tuple(steps),
            tuple(txs),
            tuple(sorted(may_arrive)),
            tuple(sorted((order, min(age, old)) for order, age in moment.ran.items())),
            tuple(sorted(moment.fates.items())),
            tuple(sorted(moment.sent)),
            tuple(sorted((key, count) for key, count in moment.burns.items() if int(key.split("@")[1]) >= low)),
            moment.fence,
            tuple(moment.left),
            moment.life,
            tuple(
                (
                    one.lane,
                    tuple(sorted(one.reads)),
                    tuple(sorted(one.sends)),
                    tuple(one.unsettled),
                    tuple(sorted(one.unflushed)),
                    tuple(one.owner),
                )
                for one in moment.instances
            ),
        )

    def _may_still_arrive(self, moment: Moment, name: str) -> bool:
        fresh = name not in moment.txs and signed_life(name) == moment.life
        return fresh and candidate_of(name).nonce >= moment.expected

    def _lane(self, one: Instance) -> Lane:
        if not isinstance(one.lane, Lane):
            assert one.lane is not None
            one.lane = thaw(one.lane, self.bounds.lag, self.lane_type)
        return one.lane

    # --- what may happen ----------------------------------------------------------------------------------------------

    def labels(self, state: State) -> list[Label]:
        moment = self.open(state)
        if moment.expected > FIRST_NONCE + self.bounds.nonces:
            return []
        found: list[Label] = [("time",)]
        if moment.left[SLEEPS]:
            found.append(("sleep",))
        if moment.left[WANTED]:
            found.append(("unwant",))
        on_way = moment.loose | {name for one in moment.instances for name, arrived in one.sends if not arrived}
        for name in sorted(on_way):
            if self._may_still_arrive(moment, name) and candidate_of(name).nonce == moment.expected:
                found.append(("arrive", name))
                if self._may_fail(moment, name):
                    found.append(("fail", name))
        pending = self._oldest_pending(moment)
        if pending:
            found.append(("execute", RAN))
            if self._may_fail(moment, pending):
                found += [("execute", NO_EFFECT), ("execute", FAILED)]
        for number, one in enumerate(moment.instances):
            if one.lane is None:
                found.append(("start", number))
            else:
                found += self._labels_of(moment, number, one)
        return found

    def _oldest_pending(self, moment: Moment) -> str:
        pending = [name for name, (how, _, _) in moment.txs.items() if how == PENDING]
        return min(pending, key=lambda name: candidate_of(name).nonce, default="")

    def _may_fail(self, moment: Moment, name: str) -> bool:
        if not moment.left[FAILURES]:
            return False
        lanes = [self._lane(one) for one in moment.instances if one.lane is not None]
        probe = any(lane.booted and candidate_of(name).nonce > lane.nonce for lane in lanes)
        return self.bounds.probes_fail or not probe

    def _labels_of(self, moment: Moment, number: int, one: Instance) -> list[Label]:
        found: list[Label] = [("own", number, *wish) for wish in self._wishes(moment, number, one)]
        lane = self._lane(one)
        for ticket in range(len(lane._tickets._open)):
            found += [("sign", number, ticket), ("sign fails", number, ticket)]
        for index, (name, arrived) in enumerate(one.sends):
            kinds = [AnswerKind.UNKNOWN]
            if lane._held.get(name) is not None:
                kinds += [AnswerKind.ACCEPTED] + [AnswerKind.BAD_NONCE] * (not arrived)
                if not arrived and ":b@" not in name:
                    kinds += [AnswerKind.REJECTED, AnswerKind.NOT_SENT]
            found += [("answer", number, index, kind.value) for kind in kinds]
        for kind, about, age in sorted(one.reads):
            found += [("read", number, kind, about, age, value) for value in self._views(moment, kind, about, age)]
        for order in moment.ran:
            held = lane._held.order(coid(order))
            if held is not None and held.sends:
                found.append(("row", number, order))
        for held in lane._held:
            name = held.candidate.tx_hash
            how = moment.txs.get(name, ("", 0, 0))[0]
            if how not in ("", PENDING) and held.sends and held.status is not TxStatus.EXECUTED:
                found.append(("push", number, name))
        if moment.left[CRASHES] and number == 0:
            found += [("crash", number, "facts kept")] + [("crash", number, "facts lost")] * bool(one.unflushed)
            found += [("crash", number, "signed", ticket) for ticket in range(len(lane._tickets._open))]
        return found

    def _wishes(self, moment: Moment, number: int, one: Instance) -> list[tuple[Any, ...]]:
        """What the owner may ask of the lane now."""
        lane = self._lane(one)
        if not lane.ready:
            return []
        found: list[tuple[Any, ...]] = []
        for index, what in enumerate(one.owner):
            order = self._order(number, index)
            if what == DOING:
                if lane.prepared(coid(order)) is not None:
                    name = lane.prepared(coid(order)).tx_hash  # type: ignore[union-attr]
                    wanted = self._wanted(moment, order) and signed_life(name) == moment.life
                    found += [("send", order)] * wanted + [("forget", order)]
                elif lane.preparing(coid(order)):
                    continue
                else:
                    break
            elif what == NEW and self._wanted(moment, order):
                found += [("submit", order)] + [("prepare", order)] * self.bounds.arm
                break
            elif what == NEW:
                found.append(("forget", order))
                break
        if moment.left[CANCELS] and number == 0 and moment.sent:
            found.append(("cancel", min(moment.sent)))
        return found

    def _order(self, number: int, index: int) -> int:
        return 10 * number + index + 1

    def _wanted(self, moment: Moment, order: int) -> bool:
        return order != 1 or not self.bounds.unwant or bool(moment.left[WANTED])

    def _views(self, moment: Moment, kind: str, about: str, age: int) -> list[Any]:
        """Everything that a read asked ``age`` ago may honestly show now."""
        unseen = self.bounds.lag + age
        match kind:
            case "nonce":
                new = sum(1 for step in moment.steps if step < unseen)
                return [moment.expected - back for back in range(new + 1)]
            case "tx":
                how, arrived, ended = moment.txs.get(about, ("", 0, 0))
                views = [how] if how else [""]
                if how not in ("", PENDING) and ended < unseen:
                    views.append(PENDING)
                if how and arrived < unseen:
                    views.append("")
                return views
            case _:
                asked = [int(order) for order in about.split(",")]
                new_rows = [order for order in asked if moment.ran.get(order, unseen) < unseen]
                sure = [order for order in asked if moment.ran.get(order, -1) >= unseen]
                return [",".join(map(str, sure)), *[",".join(map(str, [*sure, order])) for order in new_rows]]

    # --- what comes of it ---------------------------------------------------------------------------------------------

    def after(self, state: State, label: Label) -> State:
        moment = self.open(state)
        self.apply(moment, label)
        return self.close(moment)

    def apply(self, moment: Moment, label: Label) -> None:
        """Let it happen."""
        match label:
            case ("time",):
                self._age(moment, 1)
            case ("sleep",):
                moment.left[SLEEPS] -= 1
                moment.life += 1
                for one in moment.instances:
                    one.reads.clear()
                self._age(moment, self.bounds.lag + self.bounds.late + 2)
            case ("unwant",):
                moment.left[WANTED] = 0
            case ("arrive", name):
                self._arrive(moment, name)
            case ("fail", name):
                moment.left[FAILURES] -= 1
                moment.txs[name] = (FAILED, 0, 0)
                self._mark_arrived(moment, name)
            case ("execute", how):
                self._execute(moment, how)
            case ("start", number):
                self._start(moment, number)
            case ("crash", number, *how):
                self._crash(moment, number, how)
            case (_, number, *what):
                self._step(moment, number, str(label[0]), what)
            case _:
                raise AssertionError(label)

    def _age(self, moment: Moment, by: int) -> None:
        """Time passes; then every lane looks at its clock."""
        moment.now += by
        moment.steps = [age + by for age in moment.steps]
        moment.txs = {name: (how, arrived + by, ended + by) for name, (how, arrived, ended) in moment.txs.items()}
        moment.ran = {order: age + by for order, age in moment.ran.items()}
        for number, one in enumerate(moment.instances):
            one.reads = {(kind, about, age + by) for kind, about, age in one.reads if age + by <= self.bounds.late}
            self._flush(one)
            if one.lane is not None:
                self._carry_out(moment, number, self._lane(one).tick(moment.instant))

    def _flush(self, one: Instance) -> None:
        one.unsettled = [name for name in one.unsettled if candidate_of(name).nonce not in one.unflushed]
        one.unflushed.clear()

    def _start(self, moment: Moment, number: int) -> None:
        one = moment.instances[number]
        lane = self.lane_type(
            read_lag_ms=self.bounds.lag, restored=tuple(candidate_of(name) for name in one.unsettled)
        )
        lane._poll_ms = lane_limits.POLL_MS  # its default was read before the waits were made short
        one.lane = lane
        self._carry_out(moment, number, lane.start())
        lane._deadline_ms = moment.now  # the first tick asks again

    def _crash(self, moment: Moment, number: int, how: list[Any]) -> None:
        moment.left[CRASHES] -= 1
        one = moment.instances[number]
        lane = self._lane(one)
        if how[0] == "signed":  # the bytes were journalled, and the process died before it knew
            ticket = list(lane._tickets._open.values())[how[1]]
            self._sign(moment, number, ticket.request, ticket.nonce)
        elif how[0] == "facts kept":
            self._flush(one)
        one.unflushed.clear()
        moment.loose.update(name for name, arrived in one.sends if not arrived)
        one.sends.clear()
        one.reads.clear()
        one.lane = None
        journalled = {name_of(candidate_of(name).request) for name in one.unsettled}
        for index, what in enumerate(one.owner):
            order = self._order(number, index)
            if what == DOING and f"o{order}" not in journalled:
                if order in moment.sent and order not in moment.fates:
                    raise Broken(f"order {order} was sent, its fate was never told, and the journal has lost it")
                one.owner[index] = TOLD if order in moment.fates else DROPPED
        self._start(moment, number)

    def _arrive(self, moment: Moment, name: str) -> None:
        of_nonce = [how for other, (how, _, _) in moment.txs.items() if candidate_of(other).nonce == moment.expected]
        assert all(how == FAILED for how in of_nonce)
        moment.txs[name] = (PENDING, 0, 0)
        moment.expected += 1
        moment.steps.append(0)
        self._mark_arrived(moment, name)

    def _mark_arrived(self, moment: Moment, name: str) -> None:
        """One copy has arrived. Any other may come again, and does nothing."""
        moment.loose.add(name)
        for one in moment.instances:
            if (name, 0) in one.sends:
                one.sends[one.sends.index((name, 0))] = (name, 1)
                return

    def _execute(self, moment: Moment, how: str) -> None:
        """The oldest pending transaction."""
        name = self._oldest_pending(moment)
        candidate = candidate_of(name)
        moment.txs[name] = (how, moment.txs[name][1], 0)
        if how != RAN:
            moment.left[FAILURES] -= 1
            return
        if name.startswith("1:b") and moment.fence is None:
            moment.fence = candidate.nonce
        if not isinstance(candidate.request, OrderRequest):
            return
        order = DESK.serial(candidate.request.coid) or 0
        if moment.fence is not None and name.startswith("0:"):
            raise Broken(f"{name} executed after the newcomer's burn under {moment.fence}")
        if order in moment.ran:
            raise Broken(f"order {order} executed twice")
        if moment.fates.get(order, "") not in ("", Fate.BOUNCED.value):
            raise Broken(f"{name} executed after it was told to be {moment.fates[order]}")
        moment.ran[order] = 0

    def _step(self, moment: Moment, number: int, kind: str, what: list[Any]) -> None:
        one = moment.instances[number]
        lane = self._lane(one)
        match kind, what:
            case "own", [wish, order]:
                commands = self._own(moment, one, wish, order)
            case "row", [order]:
                commands = lane.evidence(coid(order), moment.instant)
            case _:
                commands = lane.step(
                    self._event(moment, number, kind, what),
                    moment.instant,
                    lambda request: self._wanted(moment, DESK.serial(request.coid) or 0),
                )
        self._carry_out(moment, number, commands)

    def _own(self, moment: Moment, one: Instance, wish: str, order: int) -> list[Command]:
        lane, index = self._lane(one), (order - 1) % 10
        if wish == "cancel":
            moment.left[CANCELS] -= 1
            return lane.submit(_cancel(order))
        one.owner[index] = DROPPED if wish == "forget" else DOING
        request = _order(order)
        match wish:
            case "submit":
                return lane.submit(request)
            case "prepare":
                return lane.prepare(request)
            case "send":
                candidate = lane.prepared(request.coid)
                assert candidate is not None
                return lane.send_prepared(candidate, moment.instant)
            case _:
                lane.forget(request.coid)
                return []

    def _event(self, moment: Moment, number: int, kind: str, what: list[Any]) -> LaneEvent:
        one = moment.instances[number]
        match kind, what:
            case "sign", [place]:
                ticket, asked = list(self._lane(one)._tickets._open.items())[place]
                self._flush(one)
                name = self._sign(moment, number, asked.request, asked.nonce)
                return Prepared(ticket=ticket, candidate=candidate_of(name))
            case "sign fails", [place]:
                return PrepareFailed(ticket=list(self._lane(one)._tickets._open)[place], reason="")
            case "answer", [index, value]:
                name, arrived = one.sends.pop(index)
                answer = AnswerKind(value)
                if answer not in (AnswerKind.REJECTED, AnswerKind.NOT_SENT):
                    moment.loose.add(name)
                return SendAnswered(tx_hash=name, answer=Answer(kind=answer))
            case "push", [name]:
                return self._tx(name, moment.txs[name][0], -1)
            case "read", [question, about, age, value]:
                one.reads.remove((question, about, age))
                return self._read(question, about, value, moment.now - age)
            case _:
                raise AssertionError(kind, what)

    def _sign(self, moment: Moment, number: int, request: Request, nonce: int) -> str:
        """Sign and journal."""
        key = f"{number}:{name_of(request)}@{nonce}"
        again = moment.burns[key] = moment.burns.get(key, 0) + 1
        name = f"{key}.{again}/{moment.life}"
        moment.instances[number].unsettled.append(name)
        return name

    def _tx(self, name: str, how: str | None, asked_ms: int) -> TxReported:
        statuses = {
            "": TxStatus.NOT_FOUND,
            PENDING: TxStatus.PENDING,
            RAN: TxStatus.EXECUTED,
            NO_EFFECT: TxStatus.EXECUTED,
            FAILED: TxStatus.FAILED,
        }
        status = None if how is None else statuses[how]
        return TxReported(tx_hash=name, status=status, error=NO_EFFECT if how == NO_EFFECT else "", asked_ms=asked_ms)

    def _read(self, kind: str, about: str, value: Any, asked_ms: int) -> LaneEvent:
        match kind:
            case "nonce":
                return NonceRead(nonce=value)
            case "tx":
                return self._tx(about, value, asked_ms)
            case _:
                coids = tuple(coid(int(order)) for order in about.split(","))
                rows = tuple(row_of(int(order)) for order in value.split(",") if order)
                return OrdersRead(coids=coids, rows=rows, asked_ms=asked_ms)

    # --- commands -----------------------------------------------------------------------------------------------------

    def _carry_out(self, moment: Moment, number: int, commands: list[Command]) -> None:
        one = moment.instances[number]
        lane = self._lane(one)
        for settlement in lane.take_settlements():
            if isinstance(settlement.request, OrderRequest):
                self._told(moment, one, DESK.serial(settlement.request.coid) or 0, settlement.fate)
        for command in commands:
            match command:
                case Prepare():
                    pass  # its ticket stands in the lane
                case Send():
                    self._send(moment, number, command.candidate.tx_hash)
                case ReadNonce():
                    one.reads.add(("nonce", "", 0))
                case ReadTx():
                    one.reads.add(("tx", command.tx_hash, 0))
                case ReadOrders():
                    orders = sorted(DESK.serial(number) or 0 for number in command.coids)
                    one.reads.add(("orders", ",".join(map(str, orders)), 0))
                case Record():
                    assert isinstance(command.entry, NonceSettled)
                    one.unflushed.add(command.entry.nonce)
                case _:
                    raise AssertionError(command)
        if lane.superseded and not self.bounds.second:
            raise Broken("superseded, and nobody else holds the key")
        self._lose_armed(moment, number, one)

    def _lose_armed(self, moment: Moment, number: int, one: Instance) -> None:
        """An armed order whose nonce went to another one is gone unsent: the owner makes a new one, when it must."""
        lane = self._lane(one)
        if lane.superseded:  # the process ends
            one.reads.clear()
            lane._tickets._open.clear()
        if lane.superseded or not lane.booted:
            return
        for index, what in enumerate(one.owner):
            order = self._order(number, index)
            gone = lane._held.order(coid(order)) is None and not lane.preparing(coid(order))
            if what == DOING and gone and lane.phase is LanePhase.READY:
                if order in moment.sent and order not in moment.fates:
                    raise Broken(f"order {order} was sent, and the lane has forgotten it")
                one.owner[index] = DROPPED

    def _send(self, moment: Moment, number: int, name: str) -> None:
        one, candidate = moment.instances[number], candidate_of(name)
        if self._lane(one).superseded:
            raise Broken(f"{name} was sent by a superseded lane")
        if name not in one.unsettled:
            raise Broken(f"{name} was sent and is not in the journal")
        if one.sends.count((name, 0)) + one.sends.count((name, 1)):  # the older answer is never heard
            older = next(item for item in one.sends if item[0] == name)
            one.sends.remove(older)
            moment.loose.add(name)
        if isinstance(candidate.request, OrderRequest):
            order = DESK.serial(candidate.request.coid) or 0
            self._check_order(moment, one, number, order, name)
            moment.sent.add(order)
        one.sends.append((name, 0))

    def _check_order(self, moment: Moment, one: Instance, number: int, order: int, name: str) -> None:
        told = moment.fates.get(order, "")
        if told not in ("", Fate.BOUNCED.value):
            raise Broken(f"{name} was sent after it was told to be {told}")
        held = self._lane(one)._held.get(name)
        if held is not None and held.sends > 1 and not self._wanted(moment, order):
            raise Broken(f"{name} was sent again though it is not wanted")
        mine = {self._order(number, index) for index in range(len(one.owner))}
        open_ones = [other for other in moment.sent & mine - {order} if moment.fates.get(other, "bounced") == "bounced"]
        unknown = [other for other in open_ones if moment.fates.get(other) is None]
        if unknown:
            raise Broken(f"{name} was sent while the fate of {unknown} is not known")
        under = candidate_of(name).nonce
        older = [other for other in one.unsettled if ":b@" not in other and candidate_of(other).nonce < under]
        older = [other for other in older if candidate_of(other).nonce not in one.unflushed]
        pending = [other for other, tx in moment.txs.items() if tx[0] == PENDING and candidate_of(other).nonce < under]
        if older or pending or moment.expected < under:
            raise Broken(f"{name} was sent under a fresh nonce while an older one is not settled: {older + pending}")

    def _told(self, moment: Moment, one: Instance, order: int, fate: Fate) -> None:
        if (fate is Fate.EXECUTED) != (order in moment.ran):
            raise Broken(f"order {order} was told to be {fate.value}; executed: {order in moment.ran}")
        pending = [name for name, tx in moment.txs.items() if tx[0] == PENDING and f":o{order}@" in name]
        if pending:
            raise Broken(f"order {order} was told to be {fate.value} while {pending} is pending")
        before = moment.fates.get(order)
        if before is not None and (before == Fate.EXECUTED.value) != (fate is Fate.EXECUTED):
            assert before == Fate.BOUNCED.value, f"order {order} was told to be {before}, and then {fate.value}"
        moment.fates[order] = fate.value
        one.owner[(order - 1) % 10] = DOING if fate is Fate.BOUNCED else TOLD

    # --- when faults have ended -----------------------------------------------------------------------------------------

    def friendly(self, state: State) -> Label | None:
        """Sign, arrive, answer, execute, read the newest; then time; and the owner does what it wants."""
        moment = self.open(state)
        for number, one in enumerate(moment.instances):
            if one.lane is None:
                continue
            lane = self._lane(one)
            if lane._tickets._open:
                return ("sign", number, 0)
            if one.sends:
                return self._friendly_send(moment, number, one)
        if self._oldest_pending(moment):
            return ("execute", RAN)
        running = [(number, one) for number, one in enumerate(moment.instances) if one.lane is not None]
        for number, one in running:
            for kind, about, age in sorted(one.reads):
                newest = self._views(moment, kind, about, age)
                value = newest[-1] if kind == "orders" else newest[0]
                return ("read", number, kind, about, age, value)
        for number, one in running:
            wishes = self._wishes(moment, number, one)
            if wishes:
                return ("own", number, *wishes[0])
        if all(self._at_rest(moment, one) for _, one in running):
            how = " ".join("superseded" if self._lane(one).superseded else "ready" for _, one in running)
            self.ended[how] = self.ended.get(how, 0) + 1
            return None
        return ("time",)

    def _friendly_send(self, moment: Moment, number: int, one: Instance) -> Label:
        name, arrived = one.sends[0]
        fits = candidate_of(name).nonce == moment.expected and self._may_still_arrive(moment, name)
        if not arrived and fits:
            return ("arrive", name)
        kind = AnswerKind.ACCEPTED if arrived else AnswerKind.BAD_NONCE
        return ("answer", number, 0, kind.value)

    def _at_rest(self, moment: Moment, one: Instance) -> bool:
        lane = self._lane(one)
        if lane.superseded:
            return True
        return lane.ready and all(what in (TOLD, DROPPED) for what in one.owner)


def _order(order: int) -> OrderRequest:
    request = candidate_of(f"0:o{order}@0.0/0").request
    assert isinstance(request, OrderRequest)
    return request


def _cancel(order: int) -> Request:
    return candidate_of(f"0:c{order}@0.0/0").request

"""What happens to lanes on an honest key, step by step, and what must hold while it does."""

from typing import Any

from tests.model.lane_frozen import candidate_of, name_of, thaw
from tests.model.lane_moment import (
    CANCELS,
    CRASHES,
    DOING,
    DROPPED,
    FAILED,
    FAILURES,
    PENDING,
    RAN,
    SLEEPS,
    TOLD,
    WANTED,
    Bounds,
    Instance,
    Moment,
    oldest_pending,
    read_event,
    tx_event,
)
from tests.model.walk import Broken, Label
from tests.unit.domain.builders import DESK, coid

from lighter_hedge.domain import lane_limits
from lighter_hedge.domain.commands import Command, NonceSettled, Prepare, ReadNonce, ReadOrders, ReadTx, Record, Send
from lighter_hedge.domain.events import (
    Answer,
    AnswerKind,
    LaneEvent,
    OrderRequest,
    Prepared,
    PrepareFailed,
    Request,
    SendAnswered,
)
from lighter_hedge.domain.lane import Lane
from lighter_hedge.domain.lane_words import Fate, LanePhase


class LaneStory:
    """One or two lanes, their owners, and the key."""

    def __init__(self, bounds: Bounds, lane_type: type[Lane] = Lane) -> None:
        self.bounds = bounds
        self.lane_type = lane_type
        self.ended: dict[str, int] = {}
        """How friendly courses ended."""

    def _lane(self, one: Instance) -> Lane:
        if not isinstance(one.lane, Lane):
            assert one.lane is not None
            one.lane = thaw(one.lane, self.bounds.lag, self.lane_type)
        return one.lane

    def _order_of(self, number: int, index: int) -> int:
        return 10 * number + index + 1

    def _wanted(self, moment: Moment, order: int) -> bool:
        return order != 1 or not self.bounds.unwant or bool(moment.left[WANTED])

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
        lane = self.lane_type(read_lag_ms=self.bounds.lag, restored=tuple(candidate_of(name) for name in one.unsettled))
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
            order = self._order_of(number, index)
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
        name = oldest_pending(moment)
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
                name, _ = one.sends.pop(index)
                answer = AnswerKind(value)
                if answer not in (AnswerKind.REJECTED, AnswerKind.NOT_SENT):
                    moment.loose.add(name)
                return SendAnswered(tx_hash=name, answer=Answer(kind=answer))
            case "push", [name]:
                return tx_event(name, moment.txs[name][0], -1)
            case "read", [question, about, age, value]:
                one.reads.remove((question, about, age))
                return read_event(question, about, value, moment.now - age)
            case _:
                raise AssertionError(kind, what)

    def _sign(self, moment: Moment, number: int, request: Request, nonce: int) -> str:
        """Sign and journal."""
        key = f"{number}:{name_of(request)}@{nonce}"
        again = moment.burns[key] = moment.burns.get(key, 0) + 1
        name = f"{key}.{again}/{moment.life}"
        moment.instances[number].unsettled.append(name)
        return name

    # --- commands ----------------------------------------------------------------------------------------------------

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
            order = self._order_of(number, index)
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
        mine = {self._order_of(number, index) for index in range(len(one.owner))}
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


def _order(order: int) -> OrderRequest:
    request = candidate_of(f"0:o{order}@0.0/0").request
    assert isinstance(request, OrderRequest)
    return request


def _cancel(order: int) -> Request:
    return candidate_of(f"0:c{order}@0.0/0").request

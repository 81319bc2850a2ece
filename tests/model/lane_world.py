"""One key of an honest exchange, one or two lanes on it, and everything that may happen to them.

**The exchange** expects one nonce. What has been sent may arrive at any later time, any number of times, or never: so
loss, repetition, reordering and delay of requests are all the same step, ``arrive``. A transaction that arrives with
the expected nonce consumes it and is *pending*; pending ones execute in the order of their nonces, with effect,
without, or fail. A transaction may also fail without consuming. Reads show any moment of the last ``lag``, each read
another.

A read that fails changes nothing in a lane, so it is a read that time overtakes; the answer to a send of bytes that
the lane does not hold changes nothing either, so there is only one; for a burn a refusal is as good as "bad nonce".

**A lane** is asked by its owner for one order after another, signed ahead or on demand, sent or forgotten; the owner
may stop wanting the first one at any time. Questions and signatures are answered in any order, or fail; answers to
sends say anything that an honest exchange may say. The process may crash between any two steps, may sleep until every
signature has ended, and a second instance without the first one's journal may start at any time.

Promises (``Broken`` where one is not kept):

- at most one candidate of a nonce executes: the exchange's own rule, asserted;
- a verdict is the truth: *executed* only of an order that has run, anything else only of one that never will;
- no order leaves while the fate of an earlier one is unknown, and none again that is not wanted any more;
- once the burn of a newcomer has executed, no order of the older instance does;
- without a second instance a lane is never superseded;
- after a start the owner is told the fate of every order that was journalled without one;
- from every state, once faults end, every order's fate gets known, or the lane knows that it is superseded, or it has
  been fenced by a newcomer and stays as it is.
"""

from typing import Any

from tests.model.lane_frozen import candidate_of, signed_life
from tests.model.lane_moment import (
    CANCELS,
    CRASHES,
    DOING,
    DROPPED,
    FAILED,
    FAILURES,
    FIRST_NONCE,
    NEW,
    NO_EFFECT,
    PENDING,
    RAN,
    SLEEPS,
    TOLD,
    WANTED,
    Instance,
    Moment,
    closed,
    may_still_arrive,
    oldest_pending,
    opened,
    views,
)
from tests.model.lane_story import LaneStory
from tests.model.walk import Label, State
from tests.unit.domain.builders import coid

from lighter_hedge.domain.events import (
    AnswerKind,
    TxStatus,
)


class LaneWorld(LaneStory):
    """The walk's world."""

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
        state = closed(moment, bounds)
        while bounds.booted and not self._lane(opened(state).instances[0]).ready:
            label = self.friendly(state)
            assert label is not None
            state = self.after(state, label)
        return [state]

    def labels(self, state: State) -> list[Label]:
        moment = opened(state)
        if moment.expected > FIRST_NONCE + self.bounds.nonces:
            return []
        found: list[Label] = [("time",)]
        if moment.left[SLEEPS]:
            found.append(("sleep",))
        if moment.left[WANTED]:
            found.append(("unwant",))
        on_way = moment.loose | {name for one in moment.instances for name, arrived in one.sends if not arrived}
        for name in sorted(on_way):
            if may_still_arrive(moment, name) and candidate_of(name).nonce == moment.expected:
                found.append(("arrive", name))
                if self._may_fail(moment, name):
                    found.append(("fail", name))
        pending = oldest_pending(moment)
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
            found += [
                ("read", number, kind, about, age, value) for value in views(moment, self.bounds, kind, about, age)
            ]
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
            order = self._order_of(number, index)
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

    def after(self, state: State, label: Label) -> State:
        moment = opened(state)
        self.apply(moment, label)
        return closed(moment, self.bounds)

    def friendly(self, state: State) -> Label | None:
        """Sign, arrive, answer, execute, read the newest; then time; and the owner does what it wants."""
        moment = opened(state)
        for number, one in enumerate(moment.instances):
            if one.lane is None:
                continue
            lane = self._lane(one)
            if lane._tickets._open:
                return ("sign", number, 0)
            if one.sends:
                return self._friendly_send(moment, number, one)
        if oldest_pending(moment):
            return ("execute", RAN)
        running = [(number, one) for number, one in enumerate(moment.instances) if one.lane is not None]
        for number, one in running:
            for kind, about, age in sorted(one.reads):
                newest = views(moment, self.bounds, kind, about, age)
                value = newest[-1] if kind == "orders" else newest[0]
                return ("read", number, kind, about, age, value)
        for number, one in running:
            wishes = self._wishes(moment, number, one)
            if wishes:
                return ("own", number, *wishes[0])
        if all(self._at_rest(moment, one) for _, one in running):
            how = " and ".join(self._lane(one).phase.value for _, one in running)
            self.ended[how] = self.ended.get(how, 0) + 1
            return None
        return ("time",)

    def _friendly_send(self, moment: Moment, number: int, one: Instance) -> Label:
        name, arrived = one.sends[0]
        fits = candidate_of(name).nonce == moment.expected and may_still_arrive(moment, name)
        if not arrived and fits:
            return ("arrive", name)
        kind = AnswerKind.ACCEPTED if arrived else AnswerKind.BAD_NONCE
        return ("answer", number, 0, kind.value)

    def _at_rest(self, moment: Moment, one: Instance) -> bool:
        lane = self._lane(one)
        if lane.superseded or (moment.fence is not None and one is moment.instances[0]):
            return True
        return lane.ready and all(what in (TOLD, DROPPED) for what in one.owner)

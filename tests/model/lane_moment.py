"""A key of an honest exchange and the instances that use it, at one moment; and what its reads may show."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.model.lane_frozen import LIFE_MS, NOW_MS, candidate_of, freeze, signed_life
from tests.model.walk import State
from tests.unit.domain.builders import coid
from tests.unit.domain.builders import row as row_of

from lighter_hedge.domain import lane_limits
from lighter_hedge.domain.events import (
    Instant,
    LaneEvent,
    NonceRead,
    OrdersRead,
    TxReported,
    TxStatus,
)
from lighter_hedge.domain.lane import Lane

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
    probes_fail: bool = True
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


LONG = {
    "a start": Bounds(orders=0, booted=False, nonces=2),
    "an order, armed, perhaps not wanted": Bounds(nonces=2, arm=True, unwant=True),
    "two orders": Bounds(orders=2, nonces=2, lag=0, arm=True),
    "an order and its cancel": Bounds(nonces=2, lag=1, cancel=True),
    "late reads": Bounds(nonces=2, lag=1, late=1),
    "a failure": Bounds(nonces=2, lag=1, failures=1),
    "signatures that end": Bounds(nonces=2, lag=1, sleeps=1),
    "a crash": Bounds(nonces=3, lag=1, crashes=1, arm=True),
    "two crashes": Bounds(nonces=2, lag=1, crashes=2),
    "a crash and a failure": Bounds(nonces=2, lag=1, crashes=1, failures=1),
    "a second instance": Bounds(nonces=2, lag=1, second=True),
    "a second instance with an order": Bounds(nonces=2, lag=1, second=True, second_orders=1),
    "a second instance and a crash": Bounds(nonces=1, lag=1, second=True, crashes=1),
}
"""What ``make model`` walks."""


def opened(state: State) -> Moment:
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


def closed(moment: Moment, bounds: Bounds) -> State:
    """The state, without what nothing can depend on any more."""
    old = bounds.lag + bounds.late
    alive: set[str] = set()
    for one in moment.instances:
        if isinstance(one.lane, Lane):
            one.lane = freeze(one.lane, moment.now, age_max=bounds.late, probe_after=lane_limits.PROBE_AFTER_MS)
        if one.lane is not None:
            held = {name for name, *_ in one.lane[2]}
            one.sends = [item for item in one.sends if item[0] in held or may_still_arrive(moment, item[0])]
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
    may_arrive = {name for name in moment.loose if may_still_arrive(moment, name)}
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


def may_still_arrive(moment: Moment, name: str) -> bool:
    fresh = name not in moment.txs and signed_life(name) == moment.life
    return fresh and candidate_of(name).nonce >= moment.expected


def oldest_pending(moment: Moment) -> str:
    pending = [name for name, (how, _, _) in moment.txs.items() if how == PENDING]
    return min(pending, key=lambda name: candidate_of(name).nonce, default="")


def views(moment: Moment, bounds: Bounds, kind: str, about: str, age: int) -> list[Any]:
    """Everything that a read asked ``age`` ago may honestly show now."""
    unseen = bounds.lag + age
    match kind:
        case "nonce":
            new = sum(1 for step in moment.steps if step < unseen)
            return [moment.expected - back for back in range(new + 1)]
        case "tx":
            how, arrived, ended = moment.txs.get(about, ("", 0, 0))
            shown = [how] if how else [""]
            if how not in ("", PENDING) and ended < unseen:
                shown.append(PENDING)
            if how and arrived < unseen:
                shown.append("")
            return shown
        case _:
            asked = [int(order) for order in about.split(",")]
            new_rows = [order for order in asked if moment.ran.get(order, unseen) < unseen]
            sure = [order for order in asked if moment.ran.get(order, -1) >= unseen]
            return [",".join(map(str, sure)), *[",".join(map(str, [*sure, order])) for order in new_rows]]


def tx_event(name: str, how: str | None, asked_ms: int) -> TxReported:
    statuses = {
        "": TxStatus.NOT_FOUND,
        PENDING: TxStatus.PENDING,
        RAN: TxStatus.EXECUTED,
        NO_EFFECT: TxStatus.EXECUTED,
        FAILED: TxStatus.FAILED,
    }
    status = None if how is None else statuses[how]
    return TxReported(tx_hash=name, status=status, error=NO_EFFECT if how == NO_EFFECT else "", asked_ms=asked_ms)


def read_event(kind: str, about: str, value: Any, asked_ms: int) -> LaneEvent:
    match kind:
        case "nonce":
            return NonceRead(nonce=value)
        case "tx":
            return tx_event(about, value, asked_ms)
        case _:
            coids = tuple(coid(int(order)) for order in about.split(","))
            rows = tuple(row_of(int(order)) for order in value.split(",") if order)
            return OrdersRead(coids=coids, rows=rows, asked_ms=asked_ms)

"""A lane as a plain tuple, and back. Times are kept relative to now, and only as far back as a decision can tell.

What is dropped, and why no decision can tell the difference:

- the number of sends beyond two: only "none", "one" and "more" are asked about;
- ticket numbers: they only match an answer with its question;
- an age beyond the longest wait that it is compared with;
- the deadline of a lane that waits for nothing: whatever it sends next sets a new one.

A field that this file does not know fails ``test_every_field_of_the_lane_is_kept``.
"""

from functools import cache
from typing import Any

from tests.unit.domain.builders import DESK, coid

from lighter_hedge.domain.events import (
    BurnRequest,
    CancelRequest,
    Candidate,
    OrderKind,
    OrderRequest,
    Request,
    TxStatus,
)
from lighter_hedge.domain.fates import Fates
from lighter_hedge.domain.lane import Lane
from lighter_hedge.domain.lane_words import Held, LanePhase
from lighter_hedge.domain.probe import Probe
from lighter_hedge.domain.tickets import Ticket
from lighter_hedge.domain.units import Side

NOW_MS = 1_000_000
"""The monotonic time of every frozen lane."""
LIFE_MS = 1_000_000_000
"""How long a signature lives; the wall clock moves only when a process sleeps as long as that."""

STATUSES = tuple(TxStatus)
PHASES = tuple(LanePhase)


@cache
def request_of(name: str) -> Request:
    """``o1`` is order 1, ``c1`` cancels it, ``b`` burns."""
    match name[0]:
        case "o":
            side = Side.ASK
            return OrderRequest(kind=OrderKind.HEDGE, coid=coid(int(name[1:])), side=side, lots=1, price=1)
        case "c":
            return CancelRequest(coid=coid(int(name[1:])))
        case _:
            return BurnRequest()


@cache
def name_of(request: Request) -> str:
    match request:
        case OrderRequest():
            return f"o{DESK.serial(request.coid)}"
        case CancelRequest():
            return f"c{DESK.serial(request.coid)}"
        case BurnRequest():
            return "b"


@cache
def candidate_of(tx_hash: str) -> Candidate:
    """``0:o1@7.0/0``: signed by instance 0: order 1 under nonce 7, the first such, in the first life of signatures."""
    body, life = tx_hash.split("/")
    what, nonce = body.split(":")[1].split(".")[0].split("@")
    return Candidate(
        nonce=int(nonce),
        request=request_of(what),
        tx_hash=tx_hash,
        tx_type=14,
        payload="",
        signed_ms=0,
        expires_ms=(int(life) + 1) * LIFE_MS,
    )


def signed_life(tx_hash: str) -> int:
    return int(tx_hash.rpartition("/")[2])


def freeze(lane: Lane, now_ms: int, *, age_max: int, probe_after: int) -> tuple[Any, ...]:
    """Everything that the lane's future depends on. ``age_max``: the age of the oldest answer that may come."""
    assert not lane.settlements
    lag, probe = lane.read_lag_ms, lane._probe
    proved = probe.proved_ms if probe is not None else None
    held = tuple(
        (
            one.candidate.tx_hash,
            min(one.sends, 2),
            STATUSES.index(one.status or TxStatus.NOT_FOUND),
            int(proved is not None and one.asked_ms >= proved + lag),
            one.error,
            int(one.row_seen),
        )
        for one in lane._held
    )
    quiet = lane.phase in (LanePhase.READY, LanePhase.SUPERSEDED)
    fates = lane._fates
    return (
        PHASES.index(lane.phase),
        lane.nonce,
        held,
        tuple((name_of(one.request), one.nonce, int(one.at_once)) for one in lane._tickets._open.values()),
        0 if quiet else max(0, lane._deadline_ms - now_ms),
        lane._poll_ms,
        None if lane._consumed_ms is None else min(now_ms - lane._consumed_ms, probe_after),
        lane._winner,
        min(now_ms - lane._winner_ms, lag + age_max) if lane._winner else 0,
        None
        if probe is None
        else (
            probe.candidate.tx_hash,
            None if proved is None else min(now_ms - proved, lag + age_max),
            STATUSES.index(probe._status or TxStatus.NOT_FOUND),
            tuple((one.candidate.tx_hash, STATUSES.index(one._status or TxStatus.NOT_FOUND)) for one in probe.before),
        ),
        (
            tuple(fates.unread),
            None if fates._from_ms is None else max(fates._from_ms - now_ms, -age_max - 1),
            tuple(sorted(fates._winners.items())),
        ),
        int(lane._booting),
        tuple(one.tx_hash for one in lane.restored) if lane._booting else (),
    )


def thaw(frozen: tuple[Any, ...], lag: int, lane_type: type[Lane] = Lane) -> Lane:
    """The lane, now."""
    phase, nonce, held, tickets, deadline, poll, consumed, winner, winner_age, probe, fates, booting, restored = frozen
    lane = lane_type(read_lag_ms=lag, restored=tuple(candidate_of(name) for name in restored))
    lane.phase, lane.nonce = PHASES[phase], nonce
    proved = None if probe is None or probe[1] is None else NOW_MS - probe[1]
    for tx_hash, sends, status, absent, error, row_seen in held:
        one = Held(candidate_of(tx_hash), sends=sends, status=STATUSES[status], error=error, row_seen=bool(row_seen))
        one.asked_ms = proved + lag if absent and proved is not None else -1
        lane._held.keep(one)
    for number, (what, under, at_once) in enumerate(tickets, start=1):
        lane._tickets._open[number] = Ticket(request_of(what), under, bool(at_once))
    lane._tickets._last = len(tickets)
    lane._deadline_ms, lane._poll_ms = NOW_MS + deadline, poll
    lane._consumed_ms = None if consumed is None else NOW_MS - consumed
    lane._winner, lane._winner_ms = winner, NOW_MS - winner_age if winner else 0
    if probe is not None:
        before = tuple(Probe(candidate_of(name), _status=STATUSES[status]) for name, status in probe[3])
        lane._probe = Probe(candidate_of(probe[0]), proved_ms=proved, _status=STATUSES[probe[2]], before=before)
    unread, from_ms, winners = fates
    lane._fates = Fates(
        unread={name: candidate_of(name) for name in unread},
        _from_ms=None if from_ms is None else NOW_MS + from_ms,
        _winners=dict(winners),
    )
    lane._booting = bool(booting)
    return lane

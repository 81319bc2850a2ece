"""Whether account A may quote: the list of reasons against it. Empty means go; the same list is the status line."""

from dataclasses import dataclass

from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import Instant
from lighter_hedge.domain.latch import Latch
from lighter_hedge.domain.pair import Agreement, residual
from lighter_hedge.domain.states import Announce, HedgerState, Mode, Role


@dataclass(slots=True)
class Peer:
    """Account B as A hears it."""

    state: HedgerState | None = None
    heard_ms: int = -1

    def silent(self, now: Instant, limit_ms: int) -> bool:
        """Whether B has not been heard for too long, by A's clock."""
        return self.state is None or now.mono_ms - self.heard_ms > limit_ms

    def armed_for(self, announce: Announce) -> bool:
        """Whether B answers this very announce."""
        armed = self.state.armed if self.state is not None else None
        if armed is None:
            return False
        answer = (armed.epoch, armed.round, armed.attempt, armed.coid)
        return answer == (announce.epoch, announce.round, announce.attempt, announce.coid)

    def confirms(self, epoch: int, round_number: int, cum: int) -> bool:
        """Whether B confirms this round up to this cumulative amount, to this A."""
        confirm = self.state.confirm if self.state is not None else None
        return confirm is not None and (confirm.epoch, confirm.round, confirm.cum) == (epoch, round_number, cum)


def hedger_reasons(peer: Peer, now: Instant, silent_ms_max: int) -> list[str]:
    """Why B cannot be relied on now."""
    state = peer.state
    if state is None:
        return ["account B has not been heard"]
    if peer.silent(now, silent_ms_max):
        return [f"account B is silent for {(now.mono_ms - peer.heard_ms) // 1000} s"]
    reasons = []
    if not state.ready:
        reasons.append("account B is starting")
    if state.failed is not None:
        reasons.append(f"account B has failed: {state.failed.reason} in round {state.failed.round}")
    if state.pause_ask is not None:
        reasons.append(f"account B asks for a pause: {state.pause_ask.reason}")
    if state.disarmed:
        reasons.append(f"account B is not armed: {state.disarmed}")
    return reasons


def feed_reasons(core: Core, now: Instant, *, messaging_up: bool) -> list[str]:
    """Why A sees too little to quote."""
    reasons = []
    if not core.recovered:
        reasons.append("recovering")
    elif not core.feed_open:
        reasons.append("stream is down")
    elif not core.synced:
        reasons.append("reading accounts after a reconnect")
    if core.book.stale(now.mono_ms, core.settings.book_age_ms_max):
        reasons.append("book is stale")
    if not messaging_up:
        reasons.append("Redis is down")
    return reasons


def hedge_reasons(core: Core, peer: Peer, min_lots: int) -> list[str]:
    """Why the rounds so far are not closed."""
    reasons = []
    if not residual(core.net, min_lots):
        reasons.append(f"waiting for the hedge of {core.size(core.net)}")
    if peer.state is not None and peer.state.unresolved:
        reasons.append("account B has a hedge in flight")
    unseen = [role.letter for role in Role if core.checks[role].agreement() is not Agreement.AGREES]
    if core.recovered and unseen:
        reasons.append(f"position of account {' and '.join(unseen)} not yet seen at the venue")
    if core.own.open_orders:
        reasons.append("an order of account A has not ended")
    if core.lane.unresolved:
        reasons.append("a transaction of account A is unresolved")
    return reasons


def latch_reasons(latch: Latch, *, flat: bool) -> list[str]:
    """Why the desk is not to open anything."""
    if latch.pause is not None:
        return [f"paused: {latch.pause.reason}"]
    if latch.mode is Mode.DRAINING and flat:
        return ["drained"]
    return []

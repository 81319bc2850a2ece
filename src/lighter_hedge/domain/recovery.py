"""The end of a start: does the venue, read after the burn and the read lag, tell the same story as the journal?"""

from lighter_hedge.domain.commands import BaselineSet, Command, Exit, Level, ReadNonce, Record, Say
from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import Instant
from lighter_hedge.domain.pair import Agreement, residual
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import Side

EXIT_REFUSED = 7

BASELINE_READ_MS = 3_000
"""How old the reads of both accounts may be of which a baseline is made."""


def recover(core: Core, now: Instant) -> list[Command]:
    """Decide whether the venue and the journal tell the same story."""
    if core.recovered or not core.lane.booted or not core.reads.orders_read or len(core.open_orders) < len(Role):
        return []
    if core.rebase:
        core.own.base += core.checks[core.role].reported_now() - core.own.position
        core.fresh = False
        return _recovered(core, now)
    if core.fresh:
        return _first_baseline(core, now)
    own = core.checks[core.role]
    if own.agreement() is Agreement.AGREES or core.own.open_orders:
        return _recovered(core, now)
    if own.agreement() is not Agreement.PROVEN:
        return []
    if core.memory.adopt:
        return _first_baseline(core, now)
    return _recovered(core, now)  # the owner pauses: the books differ from the venue


def _first_baseline(core: Core, now: Instant) -> list[Command]:
    if not core.peer_known:
        return []
    maker, hedger = core.checks[Role.MAKER].reported_now(), core.checks[Role.HEDGER].reported_now()
    flat = maker == 0 and hedger == 0
    positions = f"A has {core.size(maker)}, B has {core.size(hedger)}"
    if not flat and not core.memory.adopt:
        text = (
            f"{positions}, and the journal does not explain it. "
            "Close them (`lighter-hedge clear`), or take them over with `up --adopt` if they are a hedged pair"
        )
        return [Exit(code=EXIT_REFUSED, why=text)]
    if core.open_orders[core.role.other] and core.role is Role.HEDGER:
        return []  # A still has a quote: what it fills now could be counted twice
    if not residual(maker + hedger, _any_min_lots(core)):
        text = f"{positions}: that is no hedged pair, and cannot be adopted. Run `lighter-hedge clear` first"
        return [Exit(code=EXIT_REFUSED, why=text)]
    asked_ms = min(core.reads.last[role][0] for role in Role)
    if now.mono_ms - asked_ms > BASELINE_READ_MS:
        for role in Role:
            core.reads.again(role)
        return []  # something else was waited for meanwhile: what was read then may not be true any more
    since_ms = max(0, core.skew.newest_ms - (now.mono_ms - asked_ms) - core.settings.read_lag_ms)
    for role, position in ((Role.MAKER, maker), (Role.HEDGER, hedger)):
        ledger = core.ledgers[role]
        ledger.rebase(position, since_ms)
    core.fresh = False
    for role in Role:
        core.checks[role].refresh(core.ledgers[role], now.mono_ms)
    return [
        _baseline(core),
        Say(level=Level.INFO, code="BASELINE", text=f"baseline set: {positions}"),
        *_recovered(core, now),
    ]


def fold_history(core: Core, maker_serial: int) -> list[Command]:
    """B has never armed under its baseline, and hears A for the first time: what A tells is in the positions.

    Where its books hold orders of A since the baseline (what A has closed by itself), only what is older is.
    """
    counted = [serial for coid in core.maker.orders if (serial := core.settings.desk.serial(coid)) is not None]
    if counted:
        core.maker.folded_serial = max(core.maker.folded_serial, min(counted) - 1)
        return []
    core.maker.rebase(core.maker.base, core.maker.since_ms)
    core.maker.folded_serial = maker_serial
    return [_baseline(core)]


def _baseline(core: Core) -> Record:
    """The baseline of both books as it stands, to be written down."""
    maker, hedger = core.maker, core.hedger
    entry = BaselineSet(
        maker=maker.base,
        hedger=hedger.base,
        maker_serial=maker.folded_serial,
        hedger_serial=hedger.folded_serial,
        at_ms=maker.since_ms,
    )
    return Record(entry=entry)


def _any_min_lots(core: Core) -> int:
    price = core.book.mark or core.book.best(Side.BID)
    return core.min_lots(price) if price else core.settings.market.min_base_lots


def _recovered(core: Core, now: Instant) -> list[Command]:
    core.recovered = True
    for order in core.own.open_orders:
        core.executed(order.coid, now)
    text = f"recovered: A {core.size(core.maker.position)}, B {core.size(core.hedger.position)}"
    return [Say(level=Level.INFO, code="RECOVERED", text=text), ReadNonce()]

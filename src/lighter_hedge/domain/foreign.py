"""What does not add up: trades that are not the desk's, and positions that its books do not explain."""

from lighter_hedge.domain.commands import Alert, Command, FillTakenBack, Level, Record, Say
from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import Instant
from lighter_hedge.domain.pair import Agreement
from lighter_hedge.domain.reads import DIFFERS_GRACE_MS


def differences(core: Core, now: Instant | None = None) -> list[str]:
    """Accounts whose position at the venue is not what the ledger says, in words.

    With ``now``, only those that have differed for a while: a trade and its position come in two frames.
    """
    found = []
    for role, check in core.checks.items():
        since_ms = check.differs_since_ms
        if since_ms is not None and (now is None or now.mono_ms - since_ms >= DIFFERS_GRACE_MS):
            books, venue = core.size(core.ledgers[role].position), core.size(check.reported_now())
            found.append(f"account {role.letter} has {venue} at the venue, {books} in the books")
    return found


def proven_difference(core: Core, now: Instant) -> str:
    """The difference that two reads have proved, in words; empty where there is none.

    A difference that has lasted as long as an exposure may is proved by that alone.
    """
    proven = []
    for role, check in core.checks.items():
        if check.differs_since_ms is None:
            continue
        age_ms = 0 if check.stalled(now.mono_ms) else now.mono_ms - check.differs_since_ms
        if age_ms >= core.settings.unhedged_ms_max or check.agreement() is Agreement.PROVEN:
            proven.append(role)
    return "; ".join(differences(core)) if proven else ""


def take_back_guess(core: Core, now: Instant) -> list[Command]:
    """Undo a wrong guess: a fill that was attributed to an order of the other account, and is proved not to be there.

    The position had moved, so what was hedged of it stays hedged. But the fill was another order's: once that has been
    told, the books hold it twice. Without the guess they say what the venue shows, and so does what A + B lack.
    """
    role = core.role.other
    ledger, check = core.ledgers[role], core.checks[role]
    surplus = check.surplus(ledger)
    order = ledger.take_back(surplus)
    if order is None:
        return []
    core.last_change_ms[role] = now.mono_ms
    check.refresh(ledger, now.mono_ms)
    text = f"account {role.letter}: {core.size(surplus)} was no fill of order {order.coid}, to which it was attributed"
    return [
        Record(entry=FillTakenBack(role=role, fills=order.fills())),
        Say(level=Level.WARNING, code="FILL_TAKEN_BACK", text=text),
    ]


def take_foreign(core: Core) -> list[Command]:
    """Name every trade that is not ours, and forget it."""
    commands: list[Command] = []
    for role, ledger in core.ledgers.items():
        for trade in ledger.foreign:
            text = (
                f"account {role.letter}: {trade.kind} {trade.trade_id}, {trade.side.word} {core.size(trade.lots)} "
                f"at {core.settings.market.price_text(trade.price)}, is not this desk's"
            )
            commands.append(Alert(code="FOREIGN_TRADE", text=text))
        ledger.foreign.clear()
    return commands

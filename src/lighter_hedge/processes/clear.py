"""``clear`` on a stopped desk: both journals locked, each account closed by itself, verified by reading back."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from lighter_hedge.config import Settings
from lighter_hedge.domain.clearer import Clearer
from lighter_hedge.domain.commands import BaselineSet
from lighter_hedge.domain.states import Role
from lighter_hedge.messaging.memory_stream import MemoryHub, MemoryMessaging
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.ops.logs import open_logs
from lighter_hedge.processes.journal import Journal
from lighter_hedge.processes.side import connect_side, desk_settings, driver_of, expected_errors, now, patiently

Tell = Callable[[str], None]


def clear_stopped(settings: Settings, roles: tuple[Role, ...], tell: Tell, *, timeout_seconds: float) -> ExitCode:
    """Close the accounts of ``roles``; ``tell`` hears what happens.

    Raises:
        OpsError: not done in time, or something expected stands against it: what, and what to do about it.
    """
    with expected_errors("clear"), ExitStack() as stack:
        logs = open_logs(settings.log_dir / "clear.log", level=settings.log.level)
        stack.callback(logs.close)
        return asyncio.run(_clear(settings, roles, tell, timeout_seconds))


async def _clear(settings: Settings, roles: tuple[Role, ...], tell: Tell, timeout_seconds: float) -> ExitCode:
    with ExitStack() as stack:
        wall_ms = now().wall_ms
        ends_ms = now().mono_ms + round(timeout_seconds * 1000)
        journals = {
            role: stack.enter_context(
                Journal.open(settings.journal_file(role), desk=settings.desk_id, role=role, wall_ms=wall_ms)
            )
            for role in Role
        }
        positions: dict[Role, int] = {}
        for role in roles:
            await _clear_one(role, settings, journals[role], tell, positions, ends_ms)
        if any(positions.values()):
            left = next(role for role in Role if positions[role])
            tell(f"account {left.letter} still holds its position: that is exposure without a hedge")
            return ExitCode.UNHEDGED
        for journal in journals.values():
            journal.commit(BaselineSet(maker=0, hedger=0))
        tell("both accounts are flat")
        return ExitCode.OK


async def _clear_one(
    role: Role, settings: Settings, journal: Journal, tell: Tell, positions: dict[Role, int], ends_ms: int
) -> None:
    venue = await connect_side(role, settings)
    try:
        desk = desk_settings(settings, venue.market, same_wallet=venue.same_wallet)
        tell(f"account {role.letter}: cancelling its orders in {venue.market.symbol}, closing its position")
        machine = Clearer.create(role, desk, journal.memory(by_person=False, adopt=False), ends_ms - now().mono_ms)
        messaging = MemoryMessaging(MemoryHub(), settings.desk_id)
        driver = driver_of(role, settings, machine, venue, messaging, journal)
        code = ExitCode(await driver.run())
        for one in Role:
            positions[one] = (await patiently(partial(venue.read_account, one), role))[0]
        tell(f"account {role.letter} holds {machine.core.size(positions[role])}")
        if code is not ExitCode.OK:
            remedy = "see lighter-hedge positions, then clear again: it settles what is unresolved first"
            raise OpsError(code, f"not cleared: {driver.exit_why}", remedy)
    finally:
        await venue.close()

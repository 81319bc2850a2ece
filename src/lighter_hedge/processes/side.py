"""One process of a desk: account A or account B, put together and run until it ends."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from lighter_hedge.config import Settings
from lighter_hedge.domain.clearer import Clearer
from lighter_hedge.domain.events import Instant
from lighter_hedge.domain.guard import SendGuard
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.maker import Maker
from lighter_hedge.domain.memory import Memory
from lighter_hedge.domain.settings import DeskSettings, Direction
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import MarketSpec, UnitError
from lighter_hedge.messaging.messages import ChannelContext
from lighter_hedge.messaging.port import Messaging
from lighter_hedge.messaging.redis_stream import RedisMessaging
from lighter_hedge.messaging.telemetry import Said, Telemetry
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.ops.logs import open_logs, say
from lighter_hedge.ops.ready import keep_watchdog, say_ready
from lighter_hedge.processes.driver import Driver
from lighter_hedge.processes.journal import Journal
from lighter_hedge.processes.journal_file import JournalError, JournalLocked
from lighter_hedge.processes.timing import Timing, Untimed
from lighter_hedge.venue.errors import (
    WAIT_A_MINUTE,
    KeyRefused,
    ReadFailed,
    TooManyRequests,
    UnknownMarket,
    VenueUnreachable,
)
from lighter_hedge.venue.lighter.client import LighterSettings, LighterVenue, connect

T = TypeVar("T")

WAITS_SECONDS = (5.0, 10.0, 20.0, 30.0)
"""Before each further try where the venue refuses more requests: together more than the minute by which it counts."""


def now() -> Instant:
    """The process's clocks: the event loop's own monotonic one, and the wall's."""
    return Instant(int(asyncio.get_running_loop().time() * 1000), time.time_ns() // 1_000_000)


SPARE_REQUESTS = 8
"""Of a wallet's requests in a minute, what nobody plans with: people, `clear`, a start."""
MAKER_PERCENT = 47
"""Of the rest, what A may use where one wallet owns both accounts."""


def shares(requests_per_minute: int, *, same_wallet: bool) -> tuple[int, int]:
    """Requests a minute of A and of B; 0 where there is no limit. Of 60 for one wallet: 24 and 28."""
    if not requests_per_minute:
        return 0, 0
    planned = requests_per_minute - SPARE_REQUESTS
    if not same_wallet:
        return planned, planned
    maker = planned * MAKER_PERCENT // 100
    return maker, planned - maker


def desk_settings(
    settings: Settings, market: MarketSpec, *, same_wallet: bool, requests_per_minute: int = 0
) -> DeskSettings:
    """The configuration in the units of the market.

    Raises:
        OpsError: the quantity does not fit the market.
    """
    strategy, limits = settings.strategy, settings.limits
    maker_share, hedger_share = shares(requests_per_minute, same_wallet=same_wallet)
    try:
        quantity = market.lots_of(str(settings.desk.quantity))
    except UnitError as error:
        raise OpsError(ExitCode.USAGE, str(error), "give a quantity that the market can express") from None
    if quantity < market.min_base_lots:
        text = f"quantity {settings.desk.quantity} is below the venue's minimum for {market.symbol}"
        raise OpsError(ExitCode.CONFIGURATION, text, f"use at least {market.size_text(market.min_base_lots)}")
    return DeskSettings(
        desk=settings.desk_id,
        market=market,
        quantity=quantity,
        depth=settings.desk.depth,
        direction=Direction(settings.desk.direction),
        retry_times=strategy.retry_times,
        hedge_confirm_timeout_ms=_ms(strategy.hedge_confirm_timeout),
        status_interval_ms=_ms(strategy.status_interval),
        maker_order_timeout_ms=_ms(strategy.maker_order_timeout),
        requote_bps_e2=int(strategy.requote_bps * 100),
        requote_ms_min=_ms(strategy.requote_seconds_min),
        slippage_bps_e2_max=int(strategy.slippage_bps_max * 100),
        slippage_ladder_percent=tuple(int(step * 100) for step in strategy.slippage_ladder),
        unhedged_ms_max=_ms(limits.unhedged_seconds_max),
        book_age_ms_max=limits.book_age_ms_max,
        orders_per_minute_max=limits.orders_per_minute_max,
        orders_per_round_max=limits.orders_per_round_max,
        notional_hour_quote_max=_millionths(limits.notional_per_hour_usd_max),
        daily_loss_quote_max=_millionths(limits.daily_loss_usd_max),
        residual_quote_max=_millionths(limits.residual_usd_max),
        price_collar_bps_e2=int(limits.price_collar_bps_max * 100),
        maker_share=maker_share,
        hedger_share=hedger_share,
        flatten=strategy.on_unhedged == "flatten",
        force_close_ms=_ms(strategy.force_close_timeout),
        reconcile_ms=_ms(settings.reconcile_seconds),
        arm_ms_max=_ms(settings.arm_seconds_max),
        heartbeat_ms=_ms(settings.heartbeat_seconds),
        heartbeat_ms_max=_ms(settings.heartbeat_seconds_max),
        read_lag_ms=_ms(settings.read_lag_seconds),
        cancel_first=settings.self_trade == "cancel_first" or not same_wallet,
    )


def _millionths(usd: Decimal) -> int:
    return int(usd * 1_000_000)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


@dataclass(slots=True, kw_only=True)
class _Readiness:
    """Says once, to whoever started this process, that the side is ready."""

    machine: Maker | Hedger
    said: bool = False

    def look(self) -> None:
        if not self.said and self.machine.core.recovered and self.machine.core.feed_open:
            self.said = True
            say_ready(os.environ)


def driver_of(
    role: Role,
    settings: Settings,
    machine: Maker | Hedger | Clearer,
    venue: LighterVenue,
    messaging: Messaging,
    journal: Journal,
    telemetry: Telemetry | None = None,
) -> Driver:
    """A driver with the process's own clock, log and, for a desk that runs, telemetry."""

    def tell(level: str, code: str, text: str) -> None:
        say(f"lighter_hedge.{role.letter}", level, code, text)
        if telemetry is not None:
            telemetry.offer(Said(at_ms=now().wall_ms, source=role.letter, level=level, code=code, text=text))

    return Driver(
        role=role,
        machine=machine,
        venue=venue,
        messaging=messaging,
        journal=journal,
        guard=SendGuard(core=machine.core),
        context=ChannelContext(
            desk=settings.desk_id,
            market=venue.market,
            maker_account=settings.account(Role.MAKER).account_index,
            hedger_account=settings.account(Role.HEDGER).account_index,
            wall_ms=now().wall_ms,
        ),
        clock=now,
        say=tell,
        timing=Untimed() if telemetry is None else Timing(role=role, tell=telemetry.offer),
        beside=() if telemetry is None else (telemetry.run, lambda: keep_watchdog(os.environ)),
    )


async def _run(role: Role, settings: Settings, *, by_person: bool, adopt: bool) -> None:
    venue = await connect_side(role, settings)
    messaging = RedisMessaging(settings.redis.url, settings.desk_id)
    telemetry = Telemetry.open(settings.redis.url, settings.desk_id)
    journal: Journal | None = None
    try:
        desk = desk_settings(
            settings,
            venue.market,
            same_wallet=venue.same_wallet,
            requests_per_minute=venue.requests_per_minute,
        )
        file = settings.journal_file(role)
        journal = Journal.open(file, desk=settings.desk_id, role=role, wall_ms=now().wall_ms)
        machine = _machine(role, desk, journal.memory(by_person=by_person, adopt=adopt))
        driver = driver_of(role, settings, machine, venue, messaging, journal, telemetry)
        driver.on_step = _Readiness(machine=machine).look
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, driver.stop)
        code = ExitCode(await driver.run())
        if code is not ExitCode.OK:
            raise OpsError(code, f"account {role.letter}: {driver.exit_why}")
    finally:
        await venue.close()
        await messaging.close()
        await telemetry.close()
        if journal is not None:
            journal.close()


def _machine(role: Role, desk: DeskSettings, memory: Memory) -> Maker | Hedger:
    return Maker.create(desk, memory) if role is Role.MAKER else Hedger.create(desk, memory)


async def connect_side(role: Role, settings: Settings) -> LighterVenue:
    """The venue as the account of ``role`` reaches it; raises ``VenueError``."""
    own, other = settings.account(role), settings.account(role.other)
    venue = LighterSettings(
        base_url=settings.venue.base_url,
        ws_url=settings.venue.ws_url,
        own_account=own.account_index,
        other_account=other.account_index,
        role=role,
        api_key_index=own.api_key_index,
        private_key=own.private_key,
        market=settings.desk.market,
        chain_id=settings.venue.chain_id,
    )
    return await patiently(lambda: connect(venue), role)


async def patiently(ask: Callable[[], Awaitable[T]], role: Role, waits: Sequence[float] = WAITS_SECONDS) -> T:
    """What ``ask`` gives. While the venue refuses more requests, ask again: giving up would only ask for all anew.

    Raises:
        TooManyRequests: after the last of ``waits``, in seconds.
        VenueError: as ``ask`` raises it.
    """
    for seconds in waits:
        try:
            return await ask()
        except TooManyRequests as error:
            say(f"lighter_hedge.{role.letter}", "warning", "TOO_MANY_REQUESTS", f"{error}; again in {seconds:g} s")
            await asyncio.sleep(seconds)
    return await ask()


@contextmanager
def expected_errors(who: str) -> Iterator[None]:
    """What may go wrong outside becomes an ``OpsError`` with a remedy."""
    try:
        yield
    except UnknownMarket as error:
        raise OpsError(ExitCode.CONFIGURATION, str(error), "set desk.market to one of these") from None
    except KeyRefused as error:
        text = f"{who}: {error}"
        raise OpsError(ExitCode.CONFIGURATION, text, "check account_index, api_key_index and private key") from None
    except VenueUnreachable as error:
        raise OpsError(ExitCode.FAILED, str(error), "is the exchange running, and the address right?") from None
    except TooManyRequests as error:
        raise OpsError(ExitCode.FAILED, f"{who}: {error}", WAIT_A_MINUTE) from None
    except ReadFailed as error:
        raise OpsError(ExitCode.FAILED, f"the exchange gave no usable answer: {error}", "try again") from None
    except JournalLocked as error:
        raise OpsError(ExitCode.REFUSED, str(error), "stop the other process first: `lighter-hedge down`") from None
    except JournalError as error:
        raise OpsError(ExitCode.FAILED, str(error), "free the disk, or restore the journal") from None


def run_side(role: Role, settings: Settings, *, by_person: bool, adopt: bool) -> None:
    """Run account A or B until it ends.

    Raises:
        OpsError: something expected stands against it, or ended it: what, and what to do about it.
    """
    console = sys.stderr if sys.stderr.isatty() else None
    logs = open_logs(settings.log_file(role), level=settings.log.level, console=console)
    try:
        with expected_errors(f"account {role.letter}"):
            asyncio.run(_run(role, settings, by_person=by_person, adopt=adopt))
    finally:
        logs.close()

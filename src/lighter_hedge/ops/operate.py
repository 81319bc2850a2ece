"""A person's commands to a running desk: sent over the command stream, done when A and B acknowledge them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Protocol

from lighter_hedge.config import Settings
from lighter_hedge.domain.states import HedgerState, MakerState, OperatorCommand, Pause, Role
from lighter_hedge.messaging.port import MessagingError
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.ops.pids import ended_here
from lighter_hedge.ops.status import FRESH_FACTOR

ACK_SECONDS = 15.0
POLL_SECONDS = 0.1

REDIS_REMEDY = "start Redis, or correct redis.url"


class CommandStream(Protocol):
    """What is needed of ``Messaging`` to ask something of a desk."""

    async def last_state(self, role: Role) -> MakerState | HedgerState | None:
        """The newest state of ``role``, or None."""

    async def append_command(self, command: OperatorCommand) -> None:
        """Append a person's command."""


@asynccontextmanager
async def desk_messaging(settings: Settings) -> AsyncIterator[CommandStream]:
    """The desk's streams, for a short time.

    Raises:
        OpsError: Redis does not do what it is asked, inside the context too.
    """
    from lighter_hedge.messaging.redis_stream import RedisMessaging

    try:
        messaging = RedisMessaging(settings.redis.url, settings.desk_id)
        try:
            yield messaging
        finally:
            await messaging.close()
    except MessagingError as error:
        raise OpsError(ExitCode.FAILED, str(error), REDIS_REMEDY) from None


async def last_maker(stream: CommandStream) -> MakerState | None:
    """A's newest state."""
    state = await stream.last_state(Role.MAKER)
    assert state is None or isinstance(state, MakerState)
    return state


async def last_hedger(stream: CommandStream) -> HedgerState | None:
    """B's newest state."""
    state = await stream.last_state(Role.HEDGER)
    assert state is None or isinstance(state, HedgerState)
    return state


def stale_ms(settings: Settings) -> int:
    """Age at which a side counts as gone, milliseconds."""
    return int(settings.heartbeat_seconds_max * 1000) * FRESH_FACTOR


def wall_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


async def living_maker(stream: CommandStream, settings: Settings) -> MakerState:
    """A's newest state, while A lives.

    Raises:
        OpsError: A has ended on this machine, or has said nothing for too long.
    """
    state, living = await last_maker(stream), await living_sides(stream, settings)
    if Role.MAKER in living:
        assert state is not None
        return state
    if living:
        text = f"account A of desk {settings.desk_id} is not running, account B is"
        raise OpsError(ExitCode.NOT_RUNNING, text, "to start anew: lighter-hedge down, then lighter-hedge up")
    raise OpsError(ExitCode.NOT_RUNNING, f"desk {settings.desk_id} is not running", "start it: lighter-hedge up")


async def living_sides(stream: CommandStream, settings: Settings) -> set[Role]:
    """Who lives, on this machine or another, by what it has said of late."""
    ended = ended_here(settings.run_dir)
    living: set[Role] = set()
    for role in Role:
        state = await stream.last_state(role)
        if state is not None and role.letter not in ended and wall_ms() - state.at_ms <= stale_ms(settings):
            living.add(role)
    return living


async def ask(
    stream: CommandStream,
    command: OperatorCommand,
    *,
    timeout_seconds: float = ACK_SECONDS,
    tell: Callable[[str], None],
) -> MakerState:
    """Send a command and wait until A and B have it in their acknowledgements.

    Args:
        stream: the desk's streams.
        command: with an id that was never used.
        timeout_seconds: for both together.
        tell: hears ``sent`` and ``acknowledged by A and B``.

    Returns:
        A's state that acknowledges.

    Raises:
        OpsError: not acknowledged in time; names who is missing.
    """
    await stream.append_command(command)
    tell(f"{command.verb}: sent")
    missing: set[Role] = set(Role)
    try:
        async with asyncio.timeout(timeout_seconds):
            while missing := await _unanswered(stream, command.id, missing):  # noqa: ASYNC110 - another process
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        silent = " and ".join(sorted(role.letter for role in missing))
        raise OpsError(
            ExitCode.TIMED_OUT,
            f"{command.verb}: not acknowledged by {silent} within {timeout_seconds:g} s",
            "see lighter-hedge status; who runs on may still obey it, who is started again does not",
        ) from None
    tell(f"{command.verb}: acknowledged by A and B")
    state = await last_maker(stream)
    assert state is not None
    return state


async def _unanswered(stream: CommandStream, command_id: str, roles: Collection[Role]) -> set[Role]:
    missing: set[Role] = set()
    for role in roles:
        state = await stream.last_state(role)
        if state is None or command_id not in state.acks:
            missing.add(role)
    return missing


def resume_command(
    command_id: str, state: MakerState, hedger: HedgerState | None, *, hedge_now: bool
) -> OperatorCommand:
    """The command that ends the desk's present pause, and no other."""
    pause = present_pause(state, hedger)
    return OperatorCommand(
        id=command_id, verb="resume", pause_id=None if pause is None else pause.id, hedge_now=hedge_now
    )


def present_pause(state: MakerState, hedger: HedgerState | None) -> Pause | None:
    """A's pause, else one that B has asked for and A has not ended."""
    if state.pause is not None:
        return state.pause
    asked = hedger.pause_ask if hedger else None
    return None if asked is None or asked.id in state.ended_asks else asked


def check_resumed(before: Pause | None, after: MakerState) -> None:
    """Raise where the pause that was to end still stands.

    Raises:
        OpsError: refused, with A's reasons and numbers.
    """
    if before is None or after.pause is None or after.pause.id != before.id:
        return
    reasons = "; ".join(after.waiting) or after.pause.reason
    raise OpsError(
        ExitCode.REFUSED,
        f"resume was refused, pause {before.id} stands: {reasons}",
        "resume --hedge-now lets B try again; clear closes everything",
    )

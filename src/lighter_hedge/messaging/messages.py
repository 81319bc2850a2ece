"""What goes over the wire between processes, and what listeners on the user's channels hear.

States and commands are the frozen dataclasses of the domain as JSON, fields forbidden that this version does not know.
The schema version is read first, so that a side of another version is told apart from damaged bytes::

    MessagingError
      UnreadableMessage
        SchemaMismatch     another version wrote this: the desk pauses
        MalformedMessage   nobody of any version wrote this

The bodies of the channels are for people and tools: amounts and prices are decimal strings with the market's own
number of decimals, never lots or ticks; ``timestamp`` is integer seconds, ``ts`` UTC with milliseconds.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from msgspec import structs

from lighter_hedge.domain.commands import PublishFailure, PublishFill
from lighter_hedge.domain.states import (
    SCHEMA,
    SERIAL_BITS,
    DeskId,
    HedgerState,
    MakerState,
    OperatorCommand,
    OrderFills,
    Role,
)
from lighter_hedge.domain.units import POWERS_OF_TEN, QUOTE_SCALE, MarketSpec, quote_text
from lighter_hedge.messaging.port import MessagingError

INT_MAX = 2**63 - 1
"""What a journal can hold."""
SIGNED = (".position", ".residual", ".cum", ".net", ".armed.lots")
"""Fields with a sign; every other number counts from 0."""
NEGATIVE_UNSIGNED = re.compile(
    rb'":-(?<!"position":-)(?<!"residual":-)(?<!"cum":-)(?<!"net":-)(?<!"lots":-)',
)
NINES = bytes.maketrans(b"0123456789", b"9999999999")
CHANNEL_VERSION = 1
"""``v`` of every body on the user's channels."""


class UnreadableMessage(MessagingError):
    """A message that cannot be used."""

    def __init__(self, text: str, *, entry_id: str = "") -> None:
        super().__init__(text)
        self.entry_id = entry_id
        """Of a command: its entry, so that a reader can go on behind it."""


class SchemaMismatch(UnreadableMessage):
    """A message of another schema version; the two sides of a desk must run the same one."""


class MalformedMessage(UnreadableMessage):
    """Bytes that are no message of ours."""


# --- between the processes --------------------------------------------------------------------------------------

_T = TypeVar("_T", MakerState, HedgerState, OperatorCommand)
_K = TypeVar("_K")


class _Version(msgspec.Struct):
    schema: int


def encode(message: MakerState | HedgerState | OperatorCommand) -> bytes:
    """A state or command as JSON."""
    return msgspec.json.encode(message)


def decode_state(role: Role, body: bytes) -> MakerState | HedgerState:
    """Read a whole state of ``role``.

    Raises:
        SchemaMismatch: written by another version.
        MalformedMessage: damaged, or a field is missing, unknown or of the wrong type.
    """
    return _decode(body, MakerState) if role is Role.MAKER else _decode(body, HedgerState)


def decode_command(body: bytes, *, entry_id: str = "") -> OperatorCommand:
    """Read a person's command. Raises as ``decode_state`` does; the error names ``entry_id``."""
    try:
        return _decode(body, OperatorCommand)
    except UnreadableMessage as error:
        error.entry_id = entry_id
        raise


def _decode(body: bytes, kind: type[_T]) -> _T:
    version = _json(body, _Version, kind.__name__).schema
    if version != SCHEMA:
        raise SchemaMismatch(
            f"{kind.__name__} has schema version {version}, this process speaks {SCHEMA}: run one version on both sides"
        )
    message = _json(body, kind, kind.__name__)
    # Byte for byte what we would write, and no number that could be out of its range: nothing can be hidden in it.
    if encode(message) != body or _perhaps_out_of_range(body):
        known = msgspec.to_builtins(message)
        _forbid_unknown(_json(body, object, kind.__name__), known, kind.__name__)
        _check_numbers(known, kind.__name__)
    _check_sense(message)
    return message


def _json(body: bytes, kind: type[_K], name: str) -> _K:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessage(f"{name} cannot be read: {error}") from error


def _perhaps_out_of_range(body: bytes) -> bool:
    """A quick look at the whole text, before every number is looked at: this is on the way of each hedge."""
    if b"[-" in body or b",-" in body or b"9" * 19 in body.translate(NINES):
        return True
    return NEGATIVE_UNSIGNED.search(body) is not None


def _check_numbers(known: object, path: str) -> None:
    """Every number is an integer that a journal can hold; only positions and what is made of them have a sign."""
    if isinstance(known, dict):
        for name, value in known.items():
            _check_numbers(value, f"{path}.{name}")
    elif isinstance(known, list | tuple):
        for position, value in enumerate(known):
            _check_numbers(value, f"{path}[{position}]")
    elif isinstance(known, int) and not (0 if not path.endswith(SIGNED) else -INT_MAX) <= known <= INT_MAX:
        raise MalformedMessage(f"{path} is {known}: out of its range")


def _check_sense(message: MakerState | HedgerState | OperatorCommand) -> None:
    """What no single number shows."""
    if isinstance(message, OperatorCommand):
        if not message.id:
            raise MalformedMessage("OperatorCommand.id is empty: nobody could acknowledge it")
        return
    name = type(message).__name__
    serial = message.hedger_serial if isinstance(message, MakerState) else message.maker_serial
    if serial >= 1 << SERIAL_BITS:
        raise MalformedMessage(f"{name} counts orders up to {serial}: no serial is so high")
    for fills in message.fills:
        if not (fills.coid > 0 and 0 <= fills.filled <= fills.lots and fills.lots > 0):
            raise MalformedMessage(f"{name}.fills: order {fills.coid} of {fills.lots} lots has filled {fills.filled}")
    if len({fills.coid for fills in message.fills}) < len(message.fills):
        raise MalformedMessage(f"{name}.fills names an order twice")
    announce = message.announce if isinstance(message, MakerState) else None
    if announce is not None and not (announce.coid > 0 and announce.lots > 0 and announce.price > 0):
        raise MalformedMessage(f"{name}.announce is of {announce.lots} lots at {announce.price}: no quote")


def _forbid_unknown(raw: object, known: object, path: str) -> None:
    """Msgspec ignores surplus fields of dataclasses; a field that we do not know may be one that matters."""
    if isinstance(raw, dict) and isinstance(known, dict):
        for name, value in raw.items():
            if name not in known:
                raise MalformedMessage(f"{path} has a field {name!r} that schema version {SCHEMA} does not know")
            _forbid_unknown(value, known[name], f"{path}.{name}")
    elif isinstance(raw, list) and isinstance(known, list | tuple):
        for position, (value, own) in enumerate(zip(raw, known, strict=True)):
            _forbid_unknown(value, own, f"{path}[{position}]")


# --- the user's channels ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelContext:
    """What a body on a channel says beside the fact itself."""

    desk: DeskId
    market: MarketSpec
    maker_account: int
    """Account index of A."""
    hedger_account: int
    """Account index of B."""
    wall_ms: int
    """Unix milliseconds at which the message is made."""

    def account(self, role: Role) -> int:
        """Account index of ``role``."""
        return self.maker_account if role is Role.MAKER else self.hedger_account


class FillMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A fill of A. The first eight fields are the user's own specification; amounts are cumulative for the order."""

    account_index: int
    market_index: int
    order_index: int
    """The venue's order id; 0 in a failure's ``a_order_info`` where B has not seen it."""
    filled_base_amount: str
    filled_quote_amount: str
    avg_price: str
    timestamp: int
    side: str
    v: int = CHANNEL_VERSION
    desk: str
    round: int
    attempt: int
    leg: str
    client_order_index: int
    trade_ids: tuple[int, ...]
    order_closed: bool
    ts: str


class HedgeFillMessage(FillMessage, frozen=True, kw_only=True):
    """A fill of B."""

    round_hedged: bool
    hedged_base_amount: str
    """B's fills in this round, without sign: ``side`` says which way."""
    residual_base_amount: str
    """A fills + B fills, signed: zero, or less than the venue's minimum, carried into the next hedge."""


class TryMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One try of B that filled nothing."""

    status: str


class FailureMessage(msgspec.Struct, frozen=True, kw_only=True):
    """B has used its tries up. The first six fields are the user's own specification."""

    account_index: int
    market_index: int
    a_order_info: FillMessage | None
    reason: str
    timestamp: int
    retry_times: int
    v: int = CHANNEL_VERSION
    desk: str
    round: int
    unhedged_base_amount: str
    """What is missing, without sign: ``a_order_info.side`` says which way A is exposed."""
    tries: tuple[TryMessage, ...]


def fill_body(command: PublishFill, context: ChannelContext) -> bytes:
    """The body of a fill of A or of B."""
    return msgspec.json.encode(_fill_message(command, context))


def failure_body(command: PublishFailure, context: ChannelContext) -> bytes:
    """The body of B's failure."""
    market = context.market
    return msgspec.json.encode(
        FailureMessage(
            account_index=context.hedger_account,
            market_index=market.market_index,
            a_order_info=_fill_message(command.maker_fill, context) if command.maker_fill is not None else None,
            reason=command.failed.reason,
            timestamp=context.wall_ms // 1000,
            retry_times=command.failed.tries,
            desk=str(context.desk),
            round=command.failed.round,
            unhedged_base_amount=market.size_text(abs(command.unhedged)),
            tries=tuple(TryMessage(status=status) for status in command.tries),
        )
    )


def average_price_text(fills: OrderFills, market: MarketSpec) -> str:
    """Mean price of what an order has filled, with the market's price decimals.

    The exact mean may lie between two ticks: it is rounded to the nearest, and from the middle to the even one.
    Nothing filled gives zero.
    """
    if fills.filled == 0:
        return market.price_text(0)
    scale = POWERS_OF_TEN[market.size_decimals + market.price_decimals]
    quotient, rest = divmod(fills.filled_quote * scale, fills.filled * QUOTE_SCALE)
    twice = 2 * rest - fills.filled * QUOTE_SCALE
    up = twice > 0 or (twice == 0 and quotient % 2 == 1)
    return market.price_text(quotient + up)


def _fill_message(command: PublishFill, context: ChannelContext) -> FillMessage:
    market, fills = context.market, command.fills
    message = FillMessage(
        account_index=context.account(command.role),
        market_index=market.market_index,
        order_index=command.order_index,
        filled_base_amount=market.size_text(fills.filled),
        filled_quote_amount=quote_text(fills.filled_quote),
        avg_price=average_price_text(fills, market),
        timestamp=context.wall_ms // 1000,
        side=fills.side.word,
        desk=str(context.desk),
        round=fills.round,
        attempt=command.attempt,
        leg=command.leg,
        client_order_index=fills.coid,
        trade_ids=command.trade_ids,
        order_closed=fills.closed,
        ts=utc_text(context.wall_ms),
    )
    if command.role is Role.MAKER:
        return message
    return HedgeFillMessage(
        **structs.asdict(message),
        round_hedged=command.round_hedged,
        hedged_base_amount=market.size_text(abs(command.hedged)),
        residual_base_amount=market.size_text(command.residual) if command.residual else "0",
    )


def utc_text(wall_ms: int) -> str:
    """Unix milliseconds as ``2026-01-01T00:00:00.123Z``."""
    seconds, milliseconds = divmod(wall_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"

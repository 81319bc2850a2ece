"""What is fuzzed: each target takes bytes and says whether they were accepted.

Garbage gives the parser's own declared error, which counts as refused, or a value that ``valid`` agrees with. Any
other exception leaves the target and is a finding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import msgspec
from tests.fakes.lighter_server import OTHER, OWN
from tests.fuzz import corpus, valid
from tests.fuzz.paper import PaperRest, PaperSocket, faults_taken, feed_taken, plan_taken, tape_taken
from tests.fuzz.settings import SettingsTarget

from lighter_hedge.domain.states import OperatorCommand, Role
from lighter_hedge.domain.units import Lots, MarketSpec, UnitError
from lighter_hedge.messaging.ids import id_of, text_of
from lighter_hedge.messaging.messages import UnreadableMessage, decode_command, decode_state, encode
from lighter_hedge.messaging.port import MessagingError
from lighter_hedge.venue.errors import ReadFailed
from lighter_hedge.venue.lighter import models, parse
from lighter_hedge.venue.lighter.answers import answer_of_code, answer_of_http
from lighter_hedge.venue.lighter.rest import decoded

MARKET = MarketSpec(
    market_index=1,
    symbol="BTC",
    size_decimals=5,
    price_decimals=1,
    min_base_lots=Lots(20),
    min_quote=10_000_000,
    initial_margin_fraction=500,
)
SCOPE = parse.Scope(market=MARKET, roles={OWN: Role.MAKER, OTHER: Role.HEDGER}, own=Role.MAKER)
Run = Callable[[bytes], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One parser."""

    seeds: Callable[[], list[bytes]]
    make: Callable[[Path], Run]
    """Gives what takes the bytes; the folder is for those that read files."""
    share: int = 1
    """How much of a long run's time this one gets."""
    slow: bool = False
    """Thousands a second at most: a short run gives it fewer."""


def frame(data: bytes) -> bool:
    """A frame of the stream and the events that it stands for."""
    try:
        heard = parse.frame_of(data)
        events = parse.events_of(heard, SCOPE) if not isinstance(heard, models.BareFrame) else []
    except (msgspec.DecodeError, UnitError):
        return False
    for event in events:
        valid.event(event)
    match heard:
        case models.SendReply() | models.ErrorFrame():
            valid.whole(answer_of_code(heard.code, heard.message).code)
        case models.BareFrame():
            assert heard.type not in parse.KNOWN_TYPES
        case _:
            pass
    return True


ENDPOINTS = (
    models.MarketList,
    models.AccountList,
    models.ApiKeyList,
    models.NextNonce,
    models.OrderList,
    models.AccountLimits,
    models.TxRow,
)


def body(data: bytes) -> bool:
    """The body of a read: a digit for the endpoint, three for the HTTP status, then what was answered."""
    endpoint, status = data[:1], data[1:4]
    kind = ENDPOINTS[int(endpoint) % len(ENDPOINTS) if endpoint.isdigit() else 0]
    http = int(status) if status.isdigit() and len(status) == 3 else 200
    try:
        _read(decoded("endpoint", http, data[4:], kind))
    except (ReadFailed, UnitError):
        return False
    return True


def _read(answer: object) -> None:
    match answer:
        case models.MarketList():
            for row in answer.order_book_details:
                valid.market(parse.market_spec(row))
        case models.AccountList():
            for account in answer.accounts:
                valid.whole(account.index)
                position, available, orders = parse.account(account, MARKET)
                valid.signed(position, available)
                valid.whole(orders)
        case models.ApiKeyList():
            valid.whole(*(key.api_key_index for key in answer.api_keys))
        case models.NextNonce():
            valid.whole(answer.nonce)
        case models.OrderList():
            for order in answer.orders or []:
                if order.market_index == MARKET.market_index:
                    valid.order(parse.order(order, MARKET))
        case models.AccountLimits():
            valid.signed(answer.current_maker_fee_tick, answer.current_taker_fee_tick)
        case models.TxRow():
            valid.event(parse.tx(answer))
        case _:
            raise AssertionError(answer)


def sent(data: bytes) -> bool:
    """The answer to a send: three digits of HTTP status, then the body. Every answer says something."""
    status = int(data[:3]) if data[:3].isdigit() and len(data) >= 3 else 200
    status = status if status >= 100 else 200
    answer = answer_of_http(status, data[3:])
    valid.answer(answer, status, data)
    return answer.kind.name == "ACCEPTED"


def state(role: Role) -> Run:
    """A whole state of one side, with its way to the wire and back."""

    def run(data: bytes) -> bool:
        try:
            heard = decode_state(role, data)
        except UnreadableMessage:
            return False
        valid.message(heard)
        written = encode(heard)
        assert decode_state(role, written) == heard
        assert encode(decode_state(role, written)) == written
        return True

    return run


def command(data: bytes) -> bool:
    """A person's command."""
    try:
        heard = decode_command(data, entry_id="1-0")
    except UnreadableMessage as error:
        assert error.entry_id == "1-0"
        return False
    assert type(heard) is OperatorCommand
    valid.message(heard)
    assert decode_command(encode(heard)) == heard
    return True


def entry_id(data: bytes) -> bool:
    """The id of a stream entry."""
    try:
        found = id_of(data.decode("latin-1"))
    except MessagingError:
        return False
    assert all(0 <= part < 2**64 for part in found)  # Redis's own bound
    assert id_of(text_of(found)) == found
    return True


def amount(data: bytes) -> bool:
    """A decimal text, as people write it and as the venue does: exact or refused."""
    text = data.decode("utf-8", errors="replace")
    accepted = False
    for read in (MARKET.lots_of, MARKET.ticks_of):
        try:
            units = read(text)
        except UnitError:
            continue
        accepted = True
        valid.signed(units)
        shown = MARKET.size_text(units) if read == MARKET.lots_of else MARKET.price_text(units)
        assert read(shown) == units
    for decimals in (0, 1, 5, 6):
        try:
            whole = parse.wire_int(text, decimals)
        except UnitError:
            continue
        accepted = True
        valid.whole(whole)
        assert Fraction(text) == Fraction(whole, 10**decimals)
    try:
        valid.signed(parse.floor_of_wire(text, 6))
    except UnitError:
        return accepted
    return True


def plain(run: Run) -> Callable[[Path], Run]:
    """A target that needs no folder."""
    return lambda _: run


TARGETS: dict[str, Target] = {
    "frames": Target(seeds=corpus.frames, make=plain(frame), share=6),
    "bodies": Target(seeds=corpus.bodies, make=plain(body), share=4),
    "answers": Target(seeds=corpus.answers, make=plain(sent), share=2),
    "maker-states": Target(seeds=corpus.maker_states, make=plain(state(Role.MAKER)), share=3),
    "hedger-states": Target(seeds=corpus.hedger_states, make=plain(state(Role.HEDGER)), share=3),
    "commands": Target(seeds=corpus.commands, make=plain(command), share=2),
    "ids": Target(seeds=corpus.entry_ids, make=plain(entry_id)),
    "amounts": Target(seeds=corpus.amounts, make=plain(amount), share=2),
    "paper-socket": Target(seeds=corpus.socket_messages, make=lambda _: PaperSocket().message, share=2),
    "paper-rest": Target(seeds=corpus.requests, make=lambda _: PaperRest().request, share=2),
    "paper-faults": Target(seeds=corpus.faults, make=plain(faults_taken())),
    "paper-plans": Target(seeds=corpus.plans, make=plan_taken, slow=True),
    "tapes": Target(seeds=corpus.tapes, make=tape_taken),
    "public-frames": Target(seeds=corpus.public_frames, make=plain(feed_taken())),
    "yaml": Target(seeds=corpus.yaml, make=lambda folder: SettingsTarget(folder).yaml, slow=True),
    "environment": Target(seeds=corpus.environments, make=lambda folder: SettingsTarget(folder).environment, slow=True),
    "credentials": Target(seeds=corpus.credentials, make=lambda folder: SettingsTarget(folder).credentials, slow=True),
}

"""What goes over the wire, and what listeners hear."""

import json
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighter_hedge.domain.commands import PublishFailure, PublishFill
from lighter_hedge.domain.states import (
    Announce,
    Armed,
    Confirm,
    DeskId,
    Flatten,
    HedgeFailed,
    HedgerState,
    Leg,
    MakerState,
    Mode,
    OperatorCommand,
    OrderFills,
    Pause,
    Role,
    StoodDown,
)
from lighter_hedge.domain.units import Lots, MarketSpec, Side
from lighter_hedge.messaging.messages import (
    ChannelContext,
    MalformedMessage,
    SchemaMismatch,
    average_price_text,
    decode_command,
    decode_state,
    encode,
    failure_body,
    fill_body,
    utc_text,
)

BTC = MarketSpec(
    market_index=1, symbol="BTC", size_decimals=5, price_decimals=1, min_base_lots=Lots(20), min_quote=10_000_000,
    initial_margin_fraction=200,
)  # fmt: skip
CONTEXT = ChannelContext(
    desk=DeskId(pair="a_b", market="BTC"), market=BTC, maker_account=65, hedger_account=66, wall_ms=1_761_290_283_123
)
A_FILLS = OrderFills(coid=17, round=17, side=Side.BID, lots=20, filled=20, filled_quote=22_231_760, closed=True)
A_FILL = PublishFill(
    role=Role.MAKER, fills=A_FILLS, order_index=844424540373959, attempt=0, leg="open", trade_ids=(123,)
)

# --- states and commands

numbers = st.integers(0, 2**53)
serials = st.integers(0, 2**27 - 1)
some = st.integers(1, 2**53)
signed = st.integers(-(2**53), 2**53)
fills = st.builds(
    OrderFills, coid=some, round=numbers, side=st.sampled_from(Side), lots=st.integers(100, 2**53),
    filled=st.integers(0, 100), filled_quote=numbers, closed=st.booleans(),
)  # fmt: skip
told = st.lists(fills, max_size=3, unique_by=lambda one: one.coid).map(tuple)
pauses = st.none() | st.builds(Pause, id=numbers, reason=st.text(), code=st.text(), since_ms=numbers)
announces = st.none() | st.builds(
    Announce, epoch=numbers, round=numbers, attempt=numbers, leg=st.sampled_from(Leg), coid=some,
    side=st.sampled_from(Side), lots=some, price=some, min_lots=numbers, expires_ms=numbers,
)  # fmt: skip
makers = st.builds(
    MakerState, epoch=numbers, seq=numbers, at_ms=numbers, mode=st.sampled_from(Mode), pause=pauses,
    announce=announces, fills=told, round=numbers, position=st.none() | signed,
    acks=st.lists(st.text(), max_size=3).map(tuple), waiting=st.lists(st.text(), max_size=3).map(tuple),
    ready=st.booleans(), ended_asks=st.lists(numbers, max_size=3).map(tuple), residual=signed, market_index=numbers,
    flatten=st.none() | st.builds(Flatten, id=numbers, round=numbers, net=signed), hedger_serial=serials,
    schema=st.just(1),
)  # fmt: skip
hedgers = st.builds(
    HedgerState, epoch=numbers, seq=numbers, at_ms=numbers,
    armed=st.none() | st.builds(Armed, epoch=numbers, round=numbers, attempt=numbers, coid=numbers, lots=signed),
    disarmed=st.text(), confirm=st.none() | st.builds(Confirm, epoch=numbers, round=numbers, cum=signed, net=signed),
    failed=st.none() | st.builds(HedgeFailed, round=numbers, cum=signed, reason=st.text(), tries=numbers),
    pause_ask=pauses, fills=told, unresolved=numbers, tries=numbers,
    position=st.none() | signed, acks=st.lists(st.text(), max_size=3).map(tuple), ready=st.booleans(),
    stood_down=st.none() | st.builds(
        StoodDown, id=numbers, round=numbers, cum=signed, maker_epoch=numbers, maker_seq=numbers
    ), maker_serial=serials, share=st.none() | numbers, schema=st.just(1),
)  # fmt: skip
commands = st.builds(
    OperatorCommand, id=st.text(min_size=1), verb=st.text(), pause_id=st.none() | numbers, hedge_now=st.booleans(),
    reason=st.text(), account=st.text(), schema=st.just(1),
)  # fmt: skip


@given(makers)
def test_maker_state_comes_back(state: MakerState) -> None:
    assert decode_state(Role.MAKER, encode(state)) == state


@given(hedgers)
def test_hedger_state_comes_back(state: HedgerState) -> None:
    assert decode_state(Role.HEDGER, encode(state)) == state


@given(commands)
def test_command_comes_back(command: OperatorCommand) -> None:
    assert decode_command(encode(command)) == command


RESUME = OperatorCommand(id="c1", verb="resume", pause_id=4)
ARMED = HedgerState(
    epoch=5, seq=1, at_ms=1, armed=Armed(epoch=4, round=1, attempt=0, coid=9, lots=-20), disarmed="", confirm=None,
    failed=None, pause_ask=None, fills=(A_FILLS,), unresolved=0, tries=0, position=None,
)  # fmt: skip


def changed(message: OperatorCommand | HedgerState | MakerState, **fields: object) -> bytes:
    return json.dumps(json.loads(encode(message)) | fields).encode()


def test_other_version_is_named_before_anything_else_is_read() -> None:
    with pytest.raises(SchemaMismatch, match="schema version 2, this process speaks 1"):
        decode_command(b'{"schema": 2, "everything": "else is new"}')


def test_spaces_and_defaults_left_out_are_no_harm() -> None:
    assert decode_command(b'{"schema": 1, "id": "c1", "verb": "resume", "pause_id": 4}') == RESUME


def test_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(MalformedMessage, match="OperatorCommand has a field 'urgent'"):
        decode_command(changed(RESUME, urgent=True))


def test_unknown_field_is_found_at_any_depth() -> None:
    raw = json.loads(encode(ARMED))
    with pytest.raises(MalformedMessage, match=r"HedgerState\.armed has a field 'twice'"):
        decode_state(Role.HEDGER, changed(ARMED, armed=raw["armed"] | {"twice": 1}))
    with pytest.raises(MalformedMessage, match=r"HedgerState\.fills\[0\] has a field 'late'"):
        decode_state(Role.HEDGER, changed(ARMED, fills=[raw["fills"][0] | {"late": 1}]))


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"{}", b'{"schema": "1"}', b'{"schema": 1}', b"\xff\xfe", changed(RESUME, id=5),
     changed(RESUME, pause_id="4"), changed(RESUME, verb=None), b'{"schema":1,"id":"\xff","verb":"x"}'],
)  # fmt: skip
def test_damaged_bytes_are_malformed(body: bytes) -> None:
    with pytest.raises(MalformedMessage, match="OperatorCommand cannot be read"):
        decode_command(body)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with pytest.raises((MalformedMessage, SchemaMismatch)):
        decode_state(Role.MAKER, body)


WHOLE_MAKER = MakerState(
    epoch=31, seq=1, at_ms=2, mode=Mode.PAUSED, pause=Pause(id=5, reason="r", code="C", since_ms=5),
    announce=Announce(
        epoch=31, round=1, attempt=0, leg=Leg.OPEN, coid=17, side=Side.BID, lots=20, price=9, min_lots=2, expires_ms=3
    ),
    fills=(A_FILLS,), round=1, position=-20, ended_asks=(2, 3), residual=-4, market_index=1,
    flatten=Flatten(id=2, round=3, net=-20), hedger_serial=7,
)  # fmt: skip
WHOLE_HEDGER = HedgerState(
    epoch=31, seq=1, at_ms=2, armed=Armed(epoch=1, round=1, attempt=0, coid=3, lots=-20), disarmed="",
    confirm=Confirm(epoch=1, round=2, cum=-20, net=-1), failed=HedgeFailed(round=1, cum=-20, reason="r", tries=3),
    pause_ask=Pause(id=5, reason="r", code="C", since_ms=5), fills=(A_FILLS,), unresolved=1, tries=2, position=-20,
    stood_down=StoodDown(id=1, round=2, cum=-20, maker_epoch=3, maker_seq=4), maker_serial=7, share=5,
)  # fmt: skip


def numbers_in(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where the numbers of a decoded body stand."""
    if isinstance(value, dict):
        return [found for name, one in value.items() for found in numbers_in(one, (*path, name))]
    if isinstance(value, list):
        return [found for place, one in enumerate(value) for found in numbers_in(one, (*path, place))]
    return [path] if isinstance(value, int) and not isinstance(value, bool) and path != ("schema",) else []


@pytest.mark.parametrize(("role", "state"), [(Role.MAKER, WHOLE_MAKER), (Role.HEDGER, WHOLE_HEDGER)])
def test_every_number_out_of_its_range_is_refused(role: Role, state: MakerState | HedgerState) -> None:
    assert decode_state(role, encode(state)) == state
    paths = numbers_in(json.loads(encode(state)))
    assert len(paths) > 25
    for path in paths:
        signed = path[-1] in ("position", "residual", "cum", "net") or path[-2:] == ("armed", "lots")
        for number in (2**63, -(2**63), *(() if signed else (-1,))):
            body = json.loads(encode(state))
            place = body
            for step in path[:-1]:
                place = place[step]
            place[path[-1]] = number
            with pytest.raises(MalformedMessage):
                decode_state(role, json.dumps(body, separators=(",", ":")).encode())


def test_state_of_the_other_role_is_malformed() -> None:
    with pytest.raises(MalformedMessage):
        decode_state(Role.MAKER, encode(ARMED))


@pytest.mark.parametrize("state", [WHOLE_MAKER, WHOLE_HEDGER])
def test_a_count_of_orders_that_no_serial_reaches_is_malformed(state: MakerState | HedgerState) -> None:
    role, name = (Role.MAKER, "hedger_serial") if isinstance(state, MakerState) else (Role.HEDGER, "maker_serial")
    assert getattr(decode_state(role, changed(state, **{name: 2**27 - 1})), name) == 2**27 - 1
    with pytest.raises(MalformedMessage, match=f"{type(state).__name__} counts orders up to 134217728: no serial"):
        decode_state(role, changed(state, **{name: 2**27}))


def test_unreadable_command_names_its_entry() -> None:
    with pytest.raises(MalformedMessage) as caught:
        decode_command(b"{", entry_id="5-0")
    assert caught.value.entry_id == "5-0"


# --- the user's channels


def test_fill_of_a_is_as_the_contract_shows_it() -> None:
    assert json.loads(fill_body(A_FILL, CONTEXT)) == {
        "account_index": 65, "market_index": 1, "order_index": 844424540373959, "filled_base_amount": "0.00020",
        "filled_quote_amount": "22.231760", "avg_price": "111158.8", "timestamp": 1761290283, "side": "buy", "v": 1,
        "desk": "a_b:BTC", "round": 17, "attempt": 0, "leg": "open", "client_order_index": 17, "trade_ids": [123],
        "order_closed": True, "ts": "2025-10-24T07:18:03.123Z",
    }  # fmt: skip


def test_users_own_fields_come_first_and_in_their_order() -> None:
    assert list(json.loads(fill_body(A_FILL, CONTEXT)))[:8] == [
        "account_index", "market_index", "order_index", "filled_base_amount", "filled_quote_amount", "avg_price",
        "timestamp", "side",
    ]  # fmt: skip


def b_fill(*, hedged: int, residual: int) -> PublishFill:
    return PublishFill(
        role=Role.HEDGER,
        fills=OrderFills(coid=18, round=17, side=Side.ASK, lots=20, filled=20, filled_quote=22_231_000, closed=False),
        order_index=7, attempt=1, leg="open", trade_ids=(5, 6), round_hedged=True, hedged=hedged, residual=residual,
    )  # fmt: skip


def test_fill_of_b_says_whether_the_round_is_hedged() -> None:
    body = json.loads(fill_body(b_fill(hedged=-20, residual=0), CONTEXT))
    assert (body["account_index"], body["side"], body["order_closed"]) == (66, "sell", False)
    assert (body["round"], body["round_hedged"]) == (17, True)
    assert (body["hedged_base_amount"], body["residual_base_amount"]) == ("0.00020", "0")


def test_residual_keeps_its_sign() -> None:
    body = json.loads(fill_body(b_fill(hedged=20, residual=-5), CONTEXT))
    assert (body["hedged_base_amount"], body["residual_base_amount"]) == ("0.00020", "-0.00005")


FAILURE = PublishFailure(
    failed=HedgeFailed(round=17, cum=20, reason="max_retries_exceeded", tries=3),
    maker_fill=A_FILL,
    unhedged=20,
    tries=("canceled-too-much-slippage", "rejected 21149", "canceled-too-much-slippage"),
)


def test_failure_is_as_the_contract_shows_it() -> None:
    body = json.loads(failure_body(FAILURE, CONTEXT))
    order = body.pop("a_order_info")
    assert order == json.loads(fill_body(A_FILL, CONTEXT))
    assert body == {
        "account_index": 66, "market_index": 1, "reason": "max_retries_exceeded", "timestamp": 1761290283,
        "retry_times": 3, "v": 1, "desk": "a_b:BTC", "round": 17, "unhedged_base_amount": "0.00020",
        "tries": [{"status": status} for status in FAILURE.tries],
    }  # fmt: skip


def test_failure_without_a_fill_heard_has_no_order() -> None:
    unheard = PublishFailure(failed=FAILURE.failed, maker_fill=None, unhedged=20, tries=())
    assert json.loads(failure_body(unheard, CONTEXT))["a_order_info"] is None


def average(filled: int, quote: int) -> str:
    return average_price_text(
        OrderFills(coid=1, round=1, side=Side.BID, lots=99, filled=filled, filled_quote=quote, closed=True), BTC
    )


@pytest.mark.parametrize(
    ("filled", "quote", "text"),
    [(20, 22_231_760, "111158.8"), (2, 2_223_175, "111158.8"), (2, 2_223_177, "111158.8"), (2, 2_223_179, "111159.0"),
     (3, 1, "0.0"), (0, 0, "0.0")],
)  # fmt: skip
def test_average_between_two_ticks_goes_to_the_nearest_and_from_the_middle_to_the_even(
    filled: int, quote: int, text: str
) -> None:
    assert average(filled, quote) == text


@given(st.integers(1, 10**9), st.integers(0, 10**15))
def test_average_is_the_exact_mean_rounded_once(filled: int, quote: int) -> None:
    exact = Decimal(quote) / Decimal(10**6) / (Decimal(filled) / Decimal(10**5))
    # 28 digits decide unless the quotient is that close to a middle, which whole numbers of this size are not.
    assert Decimal(average(filled, quote)) == exact.quantize(Decimal("0.1"), rounding=ROUND_HALF_EVEN)


def test_market_without_decimals_has_no_point() -> None:
    whole = MarketSpec(
        market_index=2, symbol="X", size_decimals=0, price_decimals=0, min_base_lots=Lots(1), min_quote=1,
        initial_margin_fraction=200,
    )  # fmt: skip
    order = OrderFills(coid=1, round=1, side=Side.ASK, lots=9, filled=4, filled_quote=10_000_000, closed=True)
    assert average_price_text(order, whole) == "2"


@pytest.mark.parametrize(
    ("wall_ms", "text"),
    [(1_767_225_600_000, "2026-01-01T00:00:00.000Z"), (1_767_225_600_007, "2026-01-01T00:00:00.007Z"),
     (1_767_225_599_999, "2025-12-31T23:59:59.999Z")],
)  # fmt: skip
def test_times_are_utc_with_milliseconds(wall_ms: int, text: str) -> None:
    assert utc_text(wall_ms) == text

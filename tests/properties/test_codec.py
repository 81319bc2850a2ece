"""What goes over the wire and into the journal comes back as it was, and nothing else is taken for it."""

import json

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.fuzz.valid import SIGNED, message
from tests.properties.profile import examples
from tests.unit.messaging.test_messages import commands, hedgers, makers

from lighter_hedge.domain.commands import (
    Announced,
    AskKnown,
    ModeChanged,
    RoundChanged,
    TriesCounted,
)
from lighter_hedge.domain.events import BurnRequest, CancelRequest, Candidate, OrderRequest, Request
from lighter_hedge.domain.states import HedgerState, MakerState, OperatorCommand, Role
from lighter_hedge.messaging.ids import ID_MAX, id_of, text_of
from lighter_hedge.messaging.messages import MalformedMessage, UnreadableMessage, decode_command, decode_state, encode
from lighter_hedge.processes.journal_file import candidate_of, json_of, kind_of
from lighter_hedge.venue.lighter.answers import MESSAGE_LENGTH_MAX, presentable

Message = MakerState | HedgerState | OperatorCommand
MESSAGES: st.SearchStrategy[Message] = st.one_of(makers, hedgers, commands)


def decoded(kind: type[Message], body: bytes) -> Message:
    if kind is OperatorCommand:
        return decode_command(body)
    return decode_state(Role.MAKER if kind is MakerState else Role.HEDGER, body)


@examples
@given(said=MESSAGES)
def test_every_message_comes_back_and_is_written_the_same_again(said: Message) -> None:
    written = encode(said)
    heard = decoded(type(said), written)
    assert heard == said
    assert encode(heard) == written
    message(heard)


@examples
@given(said=MESSAGES, spaces=st.integers(0, 4))
def test_spaces_and_the_order_of_fields_mean_nothing(said: Message, spaces: int) -> None:
    fields = json.loads(encode(said))
    turned = json.dumps(dict(reversed(fields.items())), indent=spaces).encode()
    assert decoded(type(said), turned) == said


@examples
@given(said=MESSAGES, name=st.text(min_size=1, max_size=8), value=st.none() | st.integers() | st.text())
def test_a_field_that_nobody_knows_is_refused(said: Message, name: str, value: object) -> None:
    fields = json.loads(encode(said))
    assume(name not in fields)
    with pytest.raises(MalformedMessage):
        decoded(type(said), json.dumps(fields | {name: value}).encode())


@examples
@given(said=MESSAGES, data=st.data())
def test_a_field_that_is_left_out_or_below_its_range_is_refused(said: Message, data: st.DataObject) -> None:
    """Only the optional ones may be left out, and what is then read is their default."""
    fields = json.loads(encode(said))
    name = data.draw(st.sampled_from(sorted(set(fields) - {"schema"})))
    value = fields[name]
    less = {key: one for key, one in fields.items() if key != name}
    try:
        heard = decoded(type(said), json.dumps(less).encode())
    except UnreadableMessage:
        pass
    else:
        assert getattr(heard, name) == type(said).__dataclass_fields__[name].default
    if type(value) is int and (type(said).__name__, name) not in SIGNED:
        with pytest.raises(MalformedMessage):
            decoded(type(said), json.dumps(fields | {name: -1 - value}).encode())


@examples
@given(said=MESSAGES, cut=st.floats(0, 0.999))
def test_a_message_that_was_cut_is_refused(said: Message, cut: float) -> None:
    written = encode(said)
    with pytest.raises(UnreadableMessage):
        decoded(type(said), written[: int(cut * len(written))])


@examples
@given(major=st.integers(0, ID_MAX), minor=st.integers(0, ID_MAX))
def test_an_entry_id_comes_back(major: int, minor: int) -> None:
    assert id_of(text_of((major, minor))) == (major, minor)
    assert id_of(str(major)) == (major, 0)


NOTED = st.one_of(*(st.from_type(kind) for kind in (RoundChanged, ModeChanged, TriesCounted, AskKnown, Announced)))


@examples
@given(noted=NOTED)
def test_what_the_journal_notes_comes_back(
    noted: RoundChanged | ModeChanged | TriesCounted | AskKnown | Announced,
) -> None:
    assert msgspec.json.decode(json_of(noted), type=type(noted)) == noted


REQUESTS: st.SearchStrategy[Request] = st.one_of(
    st.from_type(OrderRequest), st.from_type(CancelRequest), st.just(BurnRequest())
)


@examples
@given(request_=REQUESTS, nonce=st.integers(0, 2**47), payload=st.text(max_size=40), at_ms=st.integers(0, 2**50))
def test_what_was_signed_comes_back(request_: Request, nonce: int, payload: str, at_ms: int) -> None:
    signed = Candidate(
        nonce=nonce,
        request=request_,
        tx_hash="ab",
        tx_type=14,
        payload=payload,
        signed_ms=at_ms,
        expires_ms=at_ms + 599_000,
    )
    row = (kind_of(request_), json_of(request_), nonce, "ab", 14, payload, at_ms, at_ms + 599_000)
    assert candidate_of(row) == signed


@examples
@given(
    before=st.text(max_size=200),
    deadline=st.integers(1, 10**12),
    secret=st.text("0123456789abcdef", min_size=32, max_size=160),
    after=st.text(" .,)", max_size=9),
)
def test_no_token_of_the_venue_is_ever_repeated(before: str, deadline: int, secret: str, after: str) -> None:
    assume(secret not in before)
    shown = presentable(f"{before} {deadline}:51:4:{secret}{after}")
    assert secret not in shown
    assert len(shown) <= MESSAGE_LENGTH_MAX

"""The reasons against quoting: the same list is the status line."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.builders import (
    ASK,
    BID,
    PRICE,
    WALL_MS,
    announce,
    armed_for,
    at,
    confirm,
    failed,
    fills,
    frame,
    hedger_state,
    pause,
    quote,
)
from tests.unit.domain.talk import Talk, maker_side

from lighter_hedge.domain.events import BurnRequest
from lighter_hedge.domain.gate import PRICE_MOVED, Peer, Quote, View, hedger_reasons, latch_reasons
from lighter_hedge.domain.latch import Latch
from lighter_hedge.domain.pair import Agreement
from lighter_hedge.domain.states import Announce, Leg, Mode, Role
from lighter_hedge.domain.units import Side


def ready() -> Talk:
    talk = maker_side()
    talk.machine.peer = Peer(hedger_state(), talk.now.mono_ms)
    return talk


def view_of(talk: Talk) -> View:
    view = talk.machine._view(talk.now)
    assert isinstance(view, View)
    return view


def reasons(talk: Talk) -> list[str]:
    return view_of(talk).against_quoting(10)


def sending(talk: Talk, announced: Announce | None = None, age_ms: int = 0) -> str:
    """Why an announced quote may not be sent."""
    return view_of(talk).against_sending(Quote(announced or announce(), talk.now.mono_ms - age_ms))


def resting(talk: Talk, age_ms: int = 0, announced: Announce | None = None) -> str:
    """Why a quote that B is armed for, and that has rested for so long, must go."""
    wanted = announced or announce()
    talk.machine.peer = Peer(hedger_state(armed=armed_for(wanted)), talk.now.mono_ms)
    own = talk.core.own.intend(quote(), 0)
    began_ms = talk.now.mono_ms - age_ms
    return view_of(talk).against_resting(Quote(wanted, began_ms, sent_ms=began_ms), own)


def test_an_empty_list_means_go() -> None:
    assert reasons(ready()) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"ready": False}, "account B is starting"),
        ({"failed": failed()}, "account B has failed: max_retries_exceeded in round 1"),
        ({"pause_ask": pause(reason="foreign")}, "account B asks for a pause: foreign"),
        ({"disarmed": "margin"}, "account B is not armed: margin"),
    ],
)
def test_what_b_says_against_itself_is_named(change: dict[str, Any], why: str) -> None:
    assert hedger_reasons(Peer(hedger_state(**change), at(0).mono_ms), at(0), 3_000) == [why]


def test_a_silent_or_unknown_b_is_no_hedger() -> None:
    assert hedger_reasons(Peer(), at(0), 3_000) == ["account B has not been heard"]
    peer = Peer(hedger_state(), at(0).mono_ms)
    assert hedger_reasons(peer, at(3_000), 3_000) == []
    assert hedger_reasons(peer, at(3_001), 3_000) == ["account B is silent for 3 s"]


def test_only_the_answer_to_this_very_announce_counts_as_armed() -> None:
    wanted = announce()
    assert Peer(hedger_state(armed=armed_for(wanted))).armed_for(wanted)
    for other in ({"epoch": 1}, {"round": 2}, {"attempt": 2}, {"coid": 7}):
        assert not Peer(hedger_state(armed=armed_for(replace(wanted, **other)))).armed_for(wanted)  # type: ignore[arg-type]
    assert not Peer().armed_for(wanted)
    assert not Peer(hedger_state()).armed_for(wanted)


def test_only_the_confirmation_of_this_very_amount_counts() -> None:
    peer = Peer(hedger_state(confirm=confirm()))
    assert peer.confirms(31, 1, 100)
    assert not peer.confirms(30, 1, 100)
    assert not peer.confirms(31, 2, 100)
    assert not peer.confirms(31, 1, 99)
    assert not Peer().confirms(31, 1, 100)


def test_an_unhedged_fill_an_open_order_and_an_unseen_position_are_reasons() -> None:
    talk = ready()
    talk.core.maker.apply_peer(fills())
    talk.core.checks[Role.MAKER].refresh(talk.core.maker, 0)
    talk.core.own.intend(quote(2), WALL_MS)
    talk.core.checks[Role.HEDGER].reported = None
    assert talk.core.checks[Role.HEDGER].agreement() is Agreement.UNKNOWN
    assert reasons(talk) == [
        "waiting for the hedge of 0.00100 BTC",
        "position of account A and B not yet seen at the venue",
        "an order of account A has not ended",
    ]


def test_what_a_cannot_see_is_named() -> None:
    talk = ready()
    talk.core.feed_open = False
    talk.core.book.lose()
    talk.machine.messaging_up = False
    assert reasons(talk) == ["stream is down", "book is stale", "Redis is down"]
    talk.core.feed_open = True
    talk.core.reads.again(Role.MAKER)
    assert reasons(talk)[0] == "reading accounts after a reconnect"
    talk.core.recovered = False
    assert reasons(talk)[0] == "recovering"


def test_the_latch_speaks_first() -> None:
    assert latch_reasons(Latch(mode=Mode.PAUSED, pause=pause()), flat=False) == ["paused: by a person"]
    assert latch_reasons(Latch(mode=Mode.DRAINING), flat=True) == ["drained"]
    assert latch_reasons(Latch(mode=Mode.DRAINING), flat=False) == []


def test_a_transaction_whose_fate_is_not_known_is_a_reason() -> None:
    talk = ready()
    talk.follow(talk.core.lane.submit(BurnRequest()))
    assert reasons(talk) == ["a transaction of account A is unresolved"]


def test_an_announced_quote_is_not_sent_while_a_reason_stands_and_the_first_is_named() -> None:
    talk = ready()
    assert sending(talk) == ""
    talk.core.own.intend(quote(2), 0)
    assert sending(talk) == "an order of account A has not ended"
    talk.machine.peer = Peer(hedger_state(disarmed="margin"), talk.now.mono_ms)
    assert sending(talk) == "an order of account A has not ended"
    talk.core.own.withdraw(quote(2).coid)
    assert sending(talk) == "account B is not armed: margin"
    talk.core.feed_open = False
    assert sending(talk) == "stream is down"


def test_b_has_so_long_to_arm() -> None:
    talk = ready()
    assert sending(talk, age_ms=2_000) == ""
    assert sending(talk, age_ms=2_001) == "account B did not arm in time"


@pytest.mark.parametrize(
    ("side", "price", "why"),
    [
        (Side.BID, ASK - 1, ""),
        (Side.BID, ASK, PRICE_MOVED),
        (Side.ASK, BID + 1, ""),
        (Side.ASK, BID, PRICE_MOVED),
        (Side.BID, PRICE - 49, ""),
        (Side.BID, PRICE - 50, PRICE_MOVED),
    ],
)
def test_a_quote_that_would_cross_or_has_drifted_is_announced_anew(side: Side, price: int, why: str) -> None:
    assert sending(ready(), announce(side=side, price=price)) == why


def test_without_the_other_side_of_the_book_the_price_is_not_known() -> None:
    talk = ready()
    talk.hear(frame(asks=()))
    assert sending(talk) == PRICE_MOVED


@pytest.mark.parametrize(("leg", "why"), [(Leg.OPEN, "drained"), (Leg.CLOSE, "")])
def test_a_draining_desk_lets_closing_quotes_alone_stand(leg: Leg, why: str) -> None:
    talk = ready()
    talk.machine.latch.mode = Mode.DRAINING
    assert resting(talk, announced=announce(leg=leg)) == why
    assert sending(talk, announce(leg=leg)) == (why or "an order of account A has not ended")


def test_a_quote_rests_so_long() -> None:
    assert resting(ready(), 29_999) == ""
    assert resting(ready(), 30_000) == "older than 30 s"


def test_a_quote_stays_for_a_while_wherever_its_level_moves() -> None:
    talk = ready()
    talk.hear(frame(bids=((BID - 500, 100),), asks=((BID - 490, 100),)))
    assert resting(talk, 4_999) == ""
    assert resting(talk, 5_000).startswith("its level moved to")


def test_a_quote_stays_while_its_level_is_not_known() -> None:
    talk = ready()
    talk.hear(frame(asks=()))
    assert resting(talk, 5_000) == ""

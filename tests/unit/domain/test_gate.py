"""The reasons against quoting: the same list is the status line."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.builders import (
    WALL_MS,
    announce,
    armed_for,
    at,
    confirm,
    failed,
    fills,
    hedger_state,
    pause,
    quote,
)
from tests.unit.domain.talk import Talk, maker_side

from lighter_hedge.domain.gate import Peer, View, hedger_reasons, latch_reasons
from lighter_hedge.domain.latch import Latch
from lighter_hedge.domain.pair import Agreement
from lighter_hedge.domain.states import Mode, Role


def ready() -> Talk:
    talk = maker_side()
    talk.machine.peer = Peer(hedger_state(), talk.now.mono_ms)
    return talk


def reasons(talk: Talk) -> list[str]:
    view = talk.machine._view(talk.now)
    assert isinstance(view, View)
    return view.against_quoting(10)


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

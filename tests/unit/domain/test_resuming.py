"""A pause ends only at a person's wish, and only once the venue, read after it, shows a hedged desk."""

from typing import Any

from tests.unit.domain.builders import WALL_MS, failed, quote
from tests.unit.domain.talk import Talk, maker_side

from lighter_hedge.domain.commands import ReadAccount
from lighter_hedge.domain.reads import READ_AGAIN_MS
from lighter_hedge.domain.resuming import RESUME_MS_MAX
from lighter_hedge.domain.states import Role


def paused(**changes: Any) -> Talk:
    talk = maker_side(**changes)
    talk.machine.latch.hold("PAUSED", "lunch", WALL_MS, by="person")
    talk.b_says()
    return talk


def wish(talk: Talk, *, pause_id: int = WALL_MS, hedge_now: bool = False) -> None:
    talk.machine.resuming.begin(pause_id, talk.now, hedge_now=hedge_now, by="c1")


def read(talk: Talk, a: int = 0, b: int = 0) -> None:
    for role, position in ((Role.MAKER, a), (Role.HEDGER, b)):
        talk.core.reads.last[role] = (talk.now.mono_ms, position)


def attempt(talk: Talk) -> object:
    return talk.machine.resuming.attempt(talk.machine._view(talk.now), 10)


def against(talk: Talk) -> list[str]:
    """What is said when the time of the wish is over."""
    began = talk.now
    talk.ms += RESUME_MS_MAX
    said = talk.machine.resuming.attempt(talk.machine._view(talk.now), 10)
    assert said is not None
    assert said[0] == "c1"
    assert began.mono_ms < talk.now.mono_ms
    return list(said[1])


def test_without_a_wish_there_is_nothing_to_say() -> None:
    assert attempt(paused()) is None


def test_a_hedged_desk_read_after_the_wish_goes_on() -> None:
    talk = paused()
    read(talk)
    talk.ms += 1
    wish(talk)
    assert attempt(talk) is None, "read before the wish"
    read(talk, 100, -100)
    assert attempt(talk) == ("c1", [])
    assert attempt(talk) is None


def test_a_pause_that_has_ended_meanwhile_voids_the_wish() -> None:
    talk = paused()
    wish(talk)
    talk.machine.latch.release(by="person")
    assert attempt(talk) == ("c1", ["that pause has ended already"])


def test_a_wish_for_another_pause_is_void() -> None:
    talk = paused()
    wish(talk, pause_id=3)
    assert attempt(talk) == ("c1", ["that pause has ended already"])


def test_a_venue_that_cannot_be_read_refuses_in_the_end() -> None:
    talk = paused()
    wish(talk)
    assert against(talk) == ["the venue has not been read yet"]


def test_everything_that_speaks_against_it_is_named() -> None:
    talk = paused()
    wish(talk)
    read(talk, 100, -40)
    talk.core.open_orders[Role.MAKER] = 1
    talk.core.own.intend(quote(), talk.now.wall_ms)
    assert talk.machine.peer.state is not None
    talk.b_says(unresolved=1, failed=failed())
    said = against(talk)
    assert said[0] == "A 0.00100 BTC and B -0.00040 BTC: 0.00060 BTC is unhedged"
    assert "an order of account A rests" in said
    assert "a transaction of account A is unresolved" in said
    assert "a transaction of account B is unresolved" in said
    assert any("`resume --hedge-now`" in why for why in said)


def test_a_failure_of_b_refuses_as_soon_as_the_venue_has_been_read_for_sure() -> None:
    lag_ms = 2_000
    talk = paused(read_lag_ms=lag_ms)
    talk.b_says(failed=failed())
    wish(talk)
    talk.ms += lag_ms - 1
    read(talk, 100)
    assert attempt(talk) is None, "the read may show what was before the wish"
    talk.ms += 1
    talk.core.reads.last[Role.MAKER] = (talk.now.mono_ms, 100)
    assert attempt(talk) is None, "both accounts"
    read(talk, 100)
    refused = attempt(talk)
    assert refused is not None
    wish(talk, hedge_now=True)
    talk.ms += lag_ms
    read(talk, 100)
    assert attempt(talk) is None, "new tries may still hedge it"


def test_a_wish_to_hedge_now_waits_as_long_as_a_hedge_may_take() -> None:
    talk = paused()
    wish(talk, hedge_now=True)
    talk.ms += RESUME_MS_MAX + 1
    assert attempt(talk) is None
    talk.ms += 60_000
    assert attempt(talk) is not None


def test_a_wish_asks_for_both_accounts_and_again_while_something_speaks_against_it() -> None:
    talk = paused()
    talk.reads = False
    talk.core.reads.awaited.clear()
    wish(talk)
    assert talk.core.reads.awaited == set(Role)
    read(talk, 100, 0)
    talk.core.reads.awaited.clear()
    talk.ms += READ_AGAIN_MS - 1
    assert attempt(talk) is None
    assert talk.core.reads.awaited == set()
    talk.ms += 1
    assert attempt(talk) is None
    assert talk.core.reads.awaited == set(Role)


def test_a_wish_is_answered_once() -> None:
    talk = paused()
    wish(talk, pause_id=3)
    assert attempt(talk) is not None
    assert attempt(talk) is None


def test_the_last_requests_of_a_minute_are_for_a_person_who_waits() -> None:
    talk = paused()
    wish(talk)
    assert talk.core.reads.pressing
    against(talk)
    assert not talk.core.reads.pressing


def test_requests_that_are_used_up_are_named() -> None:
    talk = paused(maker_share=1)
    talk.core.budget.count([ReadAccount(role=Role.MAKER)], talk.now)
    wish(talk)
    assert against(talk) == ["the requests of this minute are used up"]

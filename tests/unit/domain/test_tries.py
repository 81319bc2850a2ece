from tests.unit.domain.builders import codes, entries, fills, one, settings
from tests.unit.domain.talk import maker_side

from lighter_hedge.domain.commands import PublishFailure, TriesCounted
from lighter_hedge.domain.states import Leg, Role
from lighter_hedge.domain.tries import Tries


def test_the_last_spacing_repeats() -> None:
    tries, waits = Tries(), []
    for _ in range(4):
        tries.count_one("canceled", settings(), 1_000)
        waits.append(tries.next_ms - 1_000)
    assert waits == [500, 2_000, 2_000, 2_000]


def test_every_try_is_journalled() -> None:
    tries = Tries()
    assert entries(tries.count_one("canceled", settings(), 0), TriesCounted) == [TriesCounted(tries=1, failed=None)]
    assert entries(tries.void(), TriesCounted) == [TriesCounted(tries=0, failed=None)]
    assert tries.void() == []
    assert not tries.words
    assert codes(tries.count_one("canceled", settings(), 0)) == ["HEDGE_TRY_FAILED"]


def test_a_failure_names_the_order_that_filled_and_what_is_missing() -> None:
    core = maker_side().core
    core.maker.apply_peer(fills())
    tries = Tries(count=3, words=["a", "b", "c"])
    out = tries.fail(core, 1, Leg.OPEN)
    told = one(out, PublishFailure)
    assert told.failed.reason == "max_retries_exceeded"
    assert codes(out) == ["HEDGE_FAILED"]
    assert (told.failed.cum, told.unhedged, told.tries) == (100, 100, ("a", "b", "c"))
    assert told.maker_fill is not None
    assert (told.maker_fill.fills, told.maker_fill.role) == (fills(), Role.MAKER)
    assert one(Tries(count=3).fail(core, 9, Leg.OPEN), PublishFailure).maker_fill is None

"""Both accounts as the venue shows them: in the order of trade ids, from positions that hold what came before."""

from tests.unit.domain.builders import DESK, at, coid, trade

from lighter_hedge.domain.drop_copy import ADRIFT_MS_MIN, HOLD_MS, QUIET_MS, SETTLE_MS, TRADES_MAX, DropCopies, Step
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import Side

A, B = Role.MAKER, Role.HEDGER


def opened(a: int = 0, b: int = 0) -> DropCopies:
    copies = DropCopies(desk=DESK, read_lag_ms=1_000)
    copies.on_position(A, a, at(0))
    copies.on_position(B, b, at(0))
    copies.opened(at(0))
    return copies


def counting(a: int = 0, b: int = 0) -> DropCopies:
    copies = opened(a, b)
    assert copies.anchor(at(SETTLE_MS)) == []
    assert copies.counting
    return copies


def bought(copies: DropCopies, role: Role, trade_id: int, lots: int, ms: int, serial: int = 1) -> bool:
    """``lots`` below zero: sold."""
    report = trade(trade_id, serial, side=Side.of_sign(lots), lots=abs(lots))
    return copies.on_trade(role, report, at(ms))


def moves(steps: list[Step]) -> list[tuple[str, int, int]]:
    return [(step.role.letter, step.before, step.after) for step in steps]


def test_trades_are_counted_in_the_order_of_their_ids_whichever_frame_came_first() -> None:
    copies = counting()
    bought(copies, B, 12, -20, 2_000)
    bought(copies, A, 11, 20, 2_000 + HOLD_MS - 1)
    assert copies.steps(at(2_000 + HOLD_MS - 1)) == []
    assert moves(copies.steps(at(2_000 + HOLD_MS))) == [("A", 0, 20), ("B", 20, 0)]
    assert copies.steps(at(9_000)) == []


def test_a_trade_that_is_repeated_counts_once() -> None:
    copies = counting()
    assert bought(copies, A, 11, 20, 2_000)
    assert not bought(copies, A, 11, 20, 2_000)
    assert bought(copies, B, 11, -20, 2_000), "each account has its own copy of a trade"
    assert copies.seen_by_other(A, 11)
    assert moves(copies.steps(at(3_000))) == [("A", 0, 20), ("B", 20, 0)]


def test_counting_begins_from_positions_that_hold_what_a_subscription_repeats() -> None:
    copies = opened(20, -20)
    bought(copies, A, 11, 20, 100)
    assert copies.steps(at(SETTLE_MS)) == []
    copies.anchor(at(SETTLE_MS))
    assert copies.counting
    bought(copies, A, 12, -20, 2_000)
    assert moves(copies.steps(at(3_000))) == [("A", 0, -20)]


def test_counting_waits_until_an_account_is_quiet() -> None:
    copies = opened()
    bought(copies, A, 11, 20, SETTLE_MS - QUIET_MS + 1)
    copies.steps(at(SETTLE_MS))
    copies.anchor(at(SETTLE_MS))
    assert not copies.counting
    copies.on_position(A, 20, at(SETTLE_MS - QUIET_MS + 2))
    copies.anchor(at(SETTLE_MS + 2))
    assert copies.counting
    assert copies.net == 20


def test_an_unknown_position_is_no_zero() -> None:
    copies = DropCopies(desk=DESK, read_lag_ms=1_000)
    copies.opened(at(0))
    copies.on_position(A, 20, at(0))
    copies.anchor(at(9_000))
    assert (copies.position(B), copies.net, copies.counting) == (None, None, False)
    bought(copies, A, 11, 20, 9_001)
    assert copies.steps(at(9_900)) == []


def test_a_count_that_does_not_come_to_the_position_begins_anew() -> None:
    copies = counting()
    copies.on_position(A, 20, at(2_000))
    assert copies.anchor(at(2_001)) == []
    assert copies.anchor(at(2_001 + ADRIFT_MS_MIN - 1)) == []
    assert copies.anchor(at(2_001 + ADRIFT_MS_MIN)) == [A]
    assert copies.counting, "the account has been quiet for long: it counts from its position at once"
    bought(copies, B, 12, -20, 9_000)
    assert moves(copies.steps(at(9_900))) == [("B", 20, 0)]


def test_a_count_may_differ_for_as_long_as_the_venue_may_lag() -> None:
    copies = counting()
    copies.read_lag_ms = 10_000
    copies.on_position(A, 20, at(2_000))
    assert copies.anchor(at(2_000)) == []
    assert copies.anchor(at(11_999)) == []
    assert copies.anchor(at(12_000)) == [A]


def test_a_lost_stream_leaves_nothing_known() -> None:
    copies = counting(20, -20)
    bought(copies, A, 11, 20, 2_000)
    copies.closed()
    assert (copies.net, copies.counting, copies.feed_open, copies.steps(at(9_000))) == (None, False, False, [])
    copies.on_read(A, 40, at(2_500).mono_ms)
    assert copies.position(A) == 40
    copies.anchor(at(9_000))
    assert not copies.counting
    copies.on_read(A, None, at(9_000).mono_ms)
    assert copies.position(A) is None, "a read that fails is unknown, not what it was"


def test_a_read_corrects_the_stream_only_when_no_lag_explains_it() -> None:
    copies = counting()
    copies.on_position(A, 20, at(2_000))
    assert not copies.on_read(A, 0, at(2_999).mono_ms)
    assert copies.position(A) == 20
    assert not copies.on_read(A, 20, at(9_000).mono_ms)
    assert not copies.on_read(A, None, at(9_000).mono_ms)
    assert copies.position(A) == 20
    assert copies.on_read(A, 0, at(9_000).mono_ms)
    assert copies.position(A) == 0


def test_only_ordinary_trades_of_the_desk_are_ours() -> None:
    copies = counting()
    assert copies.ours(trade())
    assert not copies.ours(trade(coid=0))
    assert not copies.ours(trade(coid=77))
    assert not copies.ours(trade(kind="liquidation"))


def test_the_orders_of_a_that_have_traded_are_known() -> None:
    copies = counting()
    bought(copies, A, 11, 20, 2_000, serial=4)
    bought(copies, B, 12, -20, 2_000, serial=5)
    assert copies.has_traded(coid(4))
    assert not copies.has_traded(coid(5))


def test_what_is_remembered_against_repetition_is_bounded() -> None:
    copies = counting()
    for number in range(TRADES_MAX + 1):
        bought(copies, A, number + 1, 1, 2_000, serial=number + 1)
    assert bought(copies, A, 1, 1, 2_000)
    assert not bought(copies, A, TRADES_MAX + 1, 1, 2_000)
    assert not copies.has_traded(coid(2))


def test_nothing_is_seen_before_the_stream_is_up() -> None:
    assert not DropCopies(desk=DESK, read_lag_ms=1_000).feed_open


def test_counting_waits_until_the_stream_has_been_up_for_a_while() -> None:
    copies = DropCopies(desk=DESK, read_lag_ms=1_000)
    for role in Role:
        copies.on_position(role, 0, at(0))
    copies.opened(at(5_000))
    copies.anchor(at(5_000 + SETTLE_MS - 1))
    assert not copies.counting
    copies.anchor(at(5_000 + SETTLE_MS))
    assert copies.counting


def test_a_stream_that_opens_again_begins_anew() -> None:
    copies = counting()
    bought(copies, A, 11, 20, 2_000)
    copies.opened(at(2_001))
    assert not copies.counting
    assert copies._held == []


def test_trades_that_are_due_together_are_counted_together() -> None:
    copies = counting()
    bought(copies, A, 11, 20, 2_000)
    bought(copies, B, 12, -20, 2_000)
    assert moves(copies.steps(at(2_000 + HOLD_MS))) == [("A", 0, 20), ("B", 20, 0)]


def test_an_account_with_a_trade_to_count_waits_and_the_other_does_not() -> None:
    copies = opened()
    bought(copies, A, 11, 20, 100)
    copies.anchor(at(SETTLE_MS))
    assert [copies._copies[role].counted for role in (A, B)] == [None, 0]


def test_a_read_corrects_the_stream_from_the_read_lag_on() -> None:
    copies = counting()
    copies.on_position(A, 20, at(2_000))
    assert copies.on_read(A, 0, at(3_000).mono_ms)


def test_a_count_that_has_begun_anew_has_its_whole_time_again() -> None:
    copies = counting()
    copies.on_position(A, 20, at(2_000))
    copies.anchor(at(2_000))
    assert copies.anchor(at(2_000 + ADRIFT_MS_MIN)) == [A]
    copies.on_position(A, 40, at(2_001 + ADRIFT_MS_MIN))
    assert copies.anchor(at(2_001 + ADRIFT_MS_MIN)) == []

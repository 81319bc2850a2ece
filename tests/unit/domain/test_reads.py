"""What is read by REST, and when."""

from tests.unit.domain.builders import LAG_MS, at

from lighter_hedge.domain.commands import Command, ReadAccount, ReadOrders
from lighter_hedge.domain.lane_limits import ORDERS_PER_READ_MAX
from lighter_hedge.domain.pair import PositionCheck
from lighter_hedge.domain.reads import DIFFERS_GRACE_MS, READ_AGAIN_MS, READ_AGAIN_MS_MAX, Reads
from lighter_hedge.domain.states import Role

START = at(0).mono_ms


def reads() -> tuple[Reads, dict[Role, PositionCheck]]:
    return Reads(read_lag_ms=LAG_MS), {role: PositionCheck(read_lag_ms=LAG_MS) for role in Role}


def roles(commands: list[Command]) -> list[Role]:
    return [command.role for command in commands if isinstance(command, ReadAccount)]


def read(made: Reads, role: Role, ms: int, due_ms: int = 30_000) -> None:
    made.account_read(role, 0, at(ms).mono_ms, at(ms + due_ms).mono_ms)
    made.settled(role)


def test_all_orders_are_read_at_a_start_until_they_are() -> None:
    made, _ = reads()
    assert made.orders(at(0)) == [ReadOrders(coids=())]
    assert made.orders(at(READ_AGAIN_MS - 1)) == []
    assert made.orders(at(READ_AGAIN_MS)) == [ReadOrders(coids=())]
    made.orders_read = True
    assert made.orders(at(9_000)) == []


def test_a_watched_order_is_asked_for_until_its_end_is_known() -> None:
    made, _ = reads()
    made.orders_read = True
    made.watch(7, at(500).mono_ms)
    made.watch(7, at(9_000).mono_ms)
    assert made.orders(at(499)) == []
    assert made.orders(at(500)) == [ReadOrders(coids=(7,))]
    assert made.orders(at(1_499)) == []
    assert made.orders(at(1_500)) == [ReadOrders(coids=(7,))]
    made.watch_now(7)
    assert made.orders(at(1_501)) == [ReadOrders(coids=(7,))]
    made.ended(7)
    made.ended(7)
    assert made.orders(at(9_000)) == []


def test_no_more_orders_in_one_read_than_the_venue_takes() -> None:
    made, _ = reads()
    made.orders_read = True
    for number in range(ORDERS_PER_READ_MAX + 2):
        made.watch(number, START)
    (first,), (second,) = made.orders(at(0)), made.orders(at(1))
    assert first == ReadOrders(coids=tuple(range(ORDERS_PER_READ_MAX)))
    assert second == ReadOrders(coids=(ORDERS_PER_READ_MAX, ORDERS_PER_READ_MAX + 1))


def test_accounts_are_read_at_once_then_with_growing_waits() -> None:
    made, checks = reads()
    asked = [ms for ms in range(0, 40_000, 500) if made.accounts(checks, at(ms), regularly=True)]
    assert asked == [0, 2_000, 6_000, 14_000, 22_000, 30_000, 38_000]
    assert asked[3] - asked[2] == READ_AGAIN_MS_MAX


def test_a_read_account_is_due_again_when_it_was_said() -> None:
    made, checks = reads()
    assert roles(made.accounts(checks, at(0), regularly=True)) == list(Role)
    for role in Role:
        read(made, role, 0)
    assert made.accounts(checks, at(29_999), regularly=True) == []
    assert roles(made.accounts(checks, at(30_000), regularly=True)) == list(Role)


def test_one_side_reads_only_in_doubt() -> None:
    made, checks = reads()
    for role in Role:
        read(made, role, 0)
    assert made.accounts(checks, at(90_000), regularly=False) == []
    checks[Role.HEDGER].differs_since_ms = at(90_000).mono_ms
    assert made.accounts(checks, at(90_000 + DIFFERS_GRACE_MS - 1), regularly=False) == []
    assert roles(made.accounts(checks, at(90_000 + DIFFERS_GRACE_MS), regularly=False)) == [Role.HEDGER]


def test_a_doubt_is_asked_again_half_a_read_lag_after_the_last_read() -> None:
    made, checks = reads()
    for role in Role:
        read(made, role, 0)
    checks[Role.MAKER].differs_since_ms = at(0).mono_ms
    assert made.accounts(checks, at(LAG_MS // 2 - 1), regularly=True) == []
    assert roles(made.accounts(checks, at(LAG_MS // 2), regularly=True)) == [Role.MAKER]


def test_again_opens_nothing_until_it_has_been_read() -> None:
    made, checks = reads()
    made.accounts(checks, at(0), regularly=True)
    for role in Role:
        read(made, role, 0)
    made.again(Role.MAKER)
    assert made.awaited == {Role.MAKER}
    assert roles(made.accounts(checks, at(READ_AGAIN_MS), regularly=True)) == [Role.MAKER]
    read(made, Role.MAKER, READ_AGAIN_MS)
    assert made.awaited == set()


def test_now_forgets_the_growing_wait() -> None:
    made, checks = reads()
    for ms in (0, 2_000, 6_000):
        assert made.accounts(checks, at(ms), regularly=True) != []
    made.now(Role.MAKER)
    assert roles(made.accounts(checks, at(7_000), regularly=True)) == [Role.MAKER]


def test_a_doubt_about_an_account_that_was_never_read_is_asked_at_once() -> None:
    made, checks = reads()
    assert made.accounts(checks, at(0), regularly=False) == []
    checks[Role.HEDGER].differs_since_ms = at(0).mono_ms
    assert roles(made.accounts(checks, at(DIFFERS_GRACE_MS), regularly=False)) == [Role.HEDGER]

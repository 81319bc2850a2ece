"""What both sides have in common: the books, the reads, and what is proved by them."""

from tests.unit.domain.builders import (
    LAG_MS,
    WALL_MS,
    announce,
    at,
    candidate,
    codes,
    coid,
    entries,
    filled_row,
    fills,
    frame,
    memory,
    only,
    order,
    quote,
    row,
    sent,
    settings,
    trade,
)
from tests.unit.domain.maker_talk import quoting
from tests.unit.domain.talk import Talk, hedger_side, maker_side

from lighter_hedge.domain.commands import Attributed, BaselineSet, FillsKnown, ReadAccount, ReadOrders, Resubscribe
from lighter_hedge.domain.core import Core
from lighter_hedge.domain.events import (
    AccountRead,
    AnswerKind,
    BookReported,
    BurnRequest,
    FeedClosed,
    FeedOpened,
    MarketHeard,
    OrderReported,
    OrdersRead,
    PositionReported,
    TradeReported,
)
from lighter_hedge.domain.foreign import differences
from lighter_hedge.domain.reads import READ_AGAIN_MS
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import Side


def test_a_core_goes_on_where_its_journal_ended() -> None:
    remembers = memory(
        baseline=BaselineSet(maker=5, hedger=-5),
        serial=4,
        fills={Role.MAKER: (fills(3),)},
        folded={Role.HEDGER: -7},
        folded_serial={Role.HEDGER: 2},
        intents=(candidate(order(6)), candidate(order(1)), candidate(BurnRequest())),
    )
    core = Core.create(Role.HEDGER, settings(), remembers)
    assert (core.maker.position, core.hedger.position) == (105, -12)
    assert core.hedger.in_flight == -100, "order 6 may still fill; order 1 is folded"
    assert core.next_coid() == coid(7)
    assert not core.fresh


def test_the_end_of_an_order_that_was_signed_by_a_wrong_clock_is_known_after_a_restart() -> None:
    ahead = candidate(order(6), signed_ms=WALL_MS + 800_000)
    core = Core.create(Role.HEDGER, settings(), memory(baseline=BaselineSet(maker=0, hedger=0), intents=(ahead,)))
    ended = row(6, filled=30, closed=True, status="canceled")
    core.step(OrderReported(role=Role.HEDGER, report=ended), at(0), lambda request: False)
    assert (core.hedger.position, core.hedger.in_flight) == (-30, 0)


def test_an_announced_index_is_never_used_again() -> None:
    core = Core.create(Role.MAKER, settings(), memory(Role.MAKER, announce=announce(9)))
    assert core.next_coid() == coid(10)


def test_old_orders_of_the_account_push_the_serial_up() -> None:
    """Interleaving E9: the journal is lost, the account's orders are not."""
    talk = Talk(machine=maker_side().machine)
    talk.core.reads.orders_read = False
    talk.core.fresh = True
    talk.hear(OrdersRead(coids=(), rows=(filled_row(40), row(coid=12345)), asked_ms=0))
    assert talk.core.own.folded_serial == 40
    assert talk.core.own.total == 0, "history, no fill of ours"
    assert talk.core.next_coid() == coid(1_041), "orders may have been told that have never reached the venue"


def test_a_fill_is_journalled_once_however_often_it_is_told() -> None:
    talk = maker_side()
    talk.core.own.intend(quote(), WALL_MS)
    event = TradeReported(role=Role.MAKER, trade=trade(1, side=Side.BID, lots=40))
    assert [entry.fills.filled for entry in entries(talk.hear(event), FillsKnown)] == [40]
    assert entries(talk.hear(event), FillsKnown) == []


def test_a_row_of_a_stranger_is_nothing() -> None:
    talk = maker_side()
    assert entries(talk.hear(OrderReported(role=Role.MAKER, report=row(coid=12345))), FillsKnown) == []


def test_a_broken_book_asks_for_a_snapshot_once() -> None:
    talk = maker_side()
    gap = BookReported(snapshot=False, nonce=9, begin_nonce=8, bids=(), asks=())
    assert len(only(talk.hear(gap), Resubscribe)) == 1
    assert only(talk.hear(gap), Resubscribe) == []
    assert only(talk.hear(frame()), Resubscribe) == []


def test_the_mark_is_kept() -> None:
    talk = maker_side()
    talk.hear(MarketHeard(mark=77))
    assert talk.core.book.mark == 77


def test_a_reconnect_reads_orders_and_both_accounts() -> None:
    talk = maker_side()
    talk.core.own.intend(quote(), WALL_MS)
    assert codes(talk.hear(FeedClosed(reason="gone"))) == ["FEED_LOST"]
    assert "FEED_LOST" not in codes(talk.hear(FeedClosed(reason="again")))
    talk.reads = False
    assert "FEED_OPEN" in codes(talk.hear(FeedOpened()))
    assert not talk.core.synced
    out = talk.wait(2_000)
    assert {read.role for read in only(out, ReadAccount)} == set(Role)
    assert ReadOrders(coids=(coid(1),)) in out


def test_after_an_unknown_outcome_the_own_account_is_read() -> None:
    talk = quoting()
    talk.wait(1_000)
    begin = len(talk.log)
    talk.machine.quoter.quote.cancel_why = "a reason"
    cancel = sent(talk.wait(100))[0]
    talk.answers(cancel, AnswerKind.UNKNOWN)
    assert ReadAccount(role=Role.MAKER) not in talk.log[begin:]
    talk.executes(cancel)
    talk.wait(1_100)
    assert ReadAccount(role=Role.MAKER) in talk.log[begin:]


def test_a_failed_account_read_changes_nothing() -> None:
    talk = maker_side()
    before = dict(talk.core.reads.last)
    talk.hear(AccountRead(role=Role.MAKER, position=None, available=0, open_orders=0, asked_ms=talk.now.mono_ms))
    assert talk.core.reads.last == before
    assert talk.core.checks[Role.MAKER].reported == 0


def test_a_trade_and_its_position_may_come_in_two_frames() -> None:
    talk = maker_side()
    talk.hear(PositionReported(role=Role.MAKER, lots=40))
    assert differences(talk.core) != []
    assert differences(talk.core, talk.now) == []
    talk.ms += 1_000
    assert differences(talk.core, talk.now) == ["account A has 0.00040 BTC at the venue, 0.00000 BTC in the books"]


def test_an_executed_order_without_a_row_is_dead_only_after_the_lag() -> None:
    talk = maker_side()
    talk.core.own.intend(quote(), WALL_MS)
    executed = talk.now
    talk.core.executed(coid(1), executed)
    early = OrdersRead(coids=(coid(1),), rows=(), asked_ms=executed.mono_ms + LAG_MS - 1)
    talk.hear(early)
    assert not talk.core.own.orders[coid(1)].closed
    talk.hear(OrdersRead(coids=(coid(1),), rows=None, asked_ms=executed.mono_ms + LAG_MS))
    assert not talk.core.own.orders[coid(1)].closed
    talk.hear(OrdersRead(coids=(coid(1),), rows=(), asked_ms=executed.mono_ms + LAG_MS))
    assert talk.core.own.orders[coid(1)].closed


def test_a_trade_without_its_row_is_followed_by_a_question() -> None:
    talk = hedger_side()
    talk.core.own.intend(order(), WALL_MS)
    talk.hear(TradeReported(role=Role.HEDGER, trade=trade(1, lots=40)))
    assert ReadOrders(coids=(coid(1),)) in talk.wait(READ_AGAIN_MS + 100)


def test_an_unseen_fill_is_attributed_only_by_a_read_after_the_lag() -> None:
    talk = hedger_side()
    talk.core.maker.expect(announce())
    talk.core.last_change_ms[Role.MAKER] = talk.now.mono_ms
    talk.core.reads.last[Role.MAKER] = (talk.now.mono_ms + LAG_MS - 1, 100)
    assert talk.core.attribute_unseen_fills(talk.now, silent=True) == []
    talk.core.reads.last[Role.MAKER] = (talk.now.mono_ms + LAG_MS, 130)
    assert talk.core.attribute_unseen_fills(talk.now, silent=True) == [], (
        "more than the announced order could fill is foreign"
    )
    talk.core.reads.last[Role.MAKER] = (talk.now.mono_ms + LAG_MS, 100)
    assert talk.core.attribute_unseen_fills(talk.now, silent=False) == [], "its own word counts while it is heard"
    said = talk.core.attribute_unseen_fills(talk.now, silent=True)
    assert len(entries(said, FillsKnown)) == 1
    assert entries(said, Attributed) == [Attributed(coid=coid(1), lots=100)]
    assert talk.core.attributed
    assert talk.core.maker.position == 100
    assert talk.core.attribute_unseen_fills(talk.now, silent=True) == []


def test_closing_what_is_closed_is_nothing() -> None:
    talk = maker_side()
    assert talk.core.closed_without_effect(coid(1), "dead", talk.now) == []
    talk.core.own.intend(quote(), WALL_MS)
    assert len(talk.core.closed_without_effect(coid(1), "dead", talk.now)) == 1
    assert talk.core.closed_without_effect(coid(1), "dead", talk.now) == []


def test_an_order_that_was_not_sent_is_asked_for_no_more() -> None:
    """A read each second for an order that nobody has would use up the requests of the minute."""
    talk = hedger_side()
    talk.core.own.intend(order(1), WALL_MS)
    talk.core.reads.watch_now(coid(1))
    talk.core.not_sent(coid(1), talk.now)
    assert only(talk.wait(1_500), ReadOrders) == []


def test_an_order_that_was_not_sent_and_has_filled_is_asked_for() -> None:
    """Another instance with a copy of the journal has sent its twin."""
    talk = hedger_side()
    talk.core.own.intend(order(1), WALL_MS)
    talk.core.not_sent(coid(1), talk.now)
    assert coid(1) not in talk.core.own.orders
    talk.core.own.intend(order(2), WALL_MS)
    talk.core.own.apply_trade(trade(5, 2, lots=40))
    talk.core.not_sent(coid(2), talk.now)
    assert talk.core.own.orders[coid(2)].filled == 40
    assert ReadOrders(coids=(coid(2),)) in talk.wait(1_500)

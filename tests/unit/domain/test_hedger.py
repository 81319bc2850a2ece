"""Account B: what is missing is hedged exactly once, whatever is lost, doubled or late."""

from dataclasses import replace

from tests.unit.domain.builders import (
    LAG_MS,
    PRICE,
    WALL_MS,
    announce,
    codes,
    entries,
    failed,
    filled_row,
    fills,
    memory,
    one,
    only,
    row,
    sent,
    settings,
    trade,
)
from tests.unit.domain.hedger_talk import QUOTE, a_fills, armed, b_fills, request_of, state, try_once
from tests.unit.domain.talk import Talk, hedger_side

from lighter_hedge.domain.commands import (
    FillsKnown,
    Prepare,
    PublishFailure,
    PublishFill,
    Send,
    TriesCounted,
)
from lighter_hedge.domain.events import (
    AnswerKind,
    FeedOpened,
    MakerHeard,
    OperatorAsked,
    OrderReported,
    PeerUnreadable,
    PositionReported,
    PrepareFailed,
    Ticked,
    TradeReported,
)
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.skew import Skew
from lighter_hedge.domain.states import OperatorCommand, Role
from lighter_hedge.domain.units import Side

# --- hedging -----------------------------------------------------------------------------------------------------


def test_a_full_fill_sends_the_armed_bytes_before_anything_else() -> None:
    talk = armed()
    assert state(talk).armed is not None
    out = a_fills(talk)
    assert isinstance(out[0], Send), "journalled long ago: it need not wait for this step's records"
    request = request_of(out)
    assert (request.side, request.lots, request.round) == (Side.ASK, 100, 1)


def test_a_fill_told_three_ways_is_hedged_once() -> None:
    talk = armed()
    assert sent(a_fills(talk)) == ["order1@8"]
    out = talk.a_says(fills=(fills(),), announce=None)
    out += talk.hear(TradeReported(role=Role.MAKER, trade=trade(1, side=Side.BID)))
    out += talk.wait(1_000)
    assert sent(out) == []


def test_a_fill_heard_from_as_state_alone_is_hedged() -> None:
    talk = armed()
    assert sent(talk.a_says(fills=(fills(),), announce=None)) == ["order1@8"]


def test_a_hedge_that_a_wrong_clock_has_sent_is_known_by_its_row() -> None:
    """No frame has told the venue's time, and this machine's clock is far ahead of it."""
    talk = armed()
    talk.core.skew = Skew()
    a_fills(talk, 100)
    b_fills(talk, created_ms=talk.now.wall_ms - 800_000)
    assert talk.core.hedger.position == -100


def test_a_state_older_than_the_last_one_is_nothing() -> None:
    talk = armed()
    assert talk.a_state is not None
    old = MakerHeard(state=talk.a_state)
    assert sent(talk.hear(old)) == []


def test_a_partial_fill_is_signed_on_demand_and_the_next_waits_for_the_first() -> None:
    talk = armed(cancel_first=False)
    out = a_fills(talk, 30)
    assert request_of(out).lots == 30
    assert sent(a_fills(talk, 20, 2)) == [], "one order at a time"
    out = list(talk.hear(OrderReported(role=Role.HEDGER, report=replace(filled_row(2, 30), lots=30))))
    assert request_of(out).lots == 20


def test_a_fill_below_the_minimum_is_carried_until_it_is_enough() -> None:
    talk = armed(cancel_first=False)
    assert sent(a_fills(talk, 9)) == []
    assert request_of(a_fills(talk, 1, 2)).lots == 10


def test_where_takers_need_no_minimum_every_lot_is_missing() -> None:
    talk = armed(cancel_first=False, takers_need_minimum=False)
    assert talk.machine.arming.candidate(-100) is not None
    a_fills(talk, 100)
    assert state(talk).unresolved == 2


def test_a_residual_is_hedged_with_the_next_round() -> None:
    talk = armed(cancel_first=False)
    a_fills(talk, 5)
    talk.a_says(announce=None, fills=(fills(filled=5),))
    talk.a_says(announce=announce(2, round=2), round=2)
    assert state(talk).disarmed == "account A has 0.00000 BTC at the venue, 0.00005 BTC in the books", (
        "its position follows its trade"
    )
    out = talk.hear(PositionReported(role=Role.MAKER, lots=5))
    assert state(talk).armed is not None
    answered = state(talk).armed
    assert answered is not None
    assert answered.lots == -105
    assert sent(out) == []


def test_late_fill_of_a_cancelled_quote_is_hedged() -> None:
    """A cancelled quote that filled in its cancel race: B hears of it when A has said it is closed."""
    talk = armed()
    talk.a_says(announce=None, fills=(fills(filled=0, closed=True),))
    assert state(talk).armed is None
    out = a_fills(talk, 40)
    assert request_of(out).lots == 40


def test_a_hedge_is_not_sent_twice_when_its_answer_is_lost_and_the_row_is_late() -> None:
    talk = armed()
    a_fills(talk)
    talk.answers("order1@8", AnswerKind.UNKNOWN)
    talk.nonce = 9  # it has executed; its rows are not readable yet
    out = talk.wait(30_000, step_ms=500)
    assert [tx for tx in sent(out) if tx.startswith("order")] == []
    assert state(talk).unresolved >= 1
    assert state(talk).confirm is None


def test_a_hedge_that_was_lost_is_sent_again_with_the_same_bytes_while_wanted() -> None:
    talk = armed()
    a_fills(talk)
    talk.nonce = 8
    assert sent(talk.answers("order1@8", AnswerKind.UNKNOWN)) == ["order1@8"]


def test_a_hedge_bigger_than_what_is_missing_now_is_burnt_not_sent_again() -> None:
    talk = armed()
    a_fills(talk)
    talk.hear(TradeReported(role=Role.HEDGER, trade=trade(50, 99, lots=60)))  # an older hedge of ours shows up
    talk.nonce = 8
    assert sent(talk.answers("order1@8", AnswerKind.UNKNOWN)) == ["burn@8"]


def test_a_bounced_hedge_is_sent_again_soon_and_is_no_try() -> None:
    talk = armed()
    a_fills(talk)
    out = talk.answers("order1@8", AnswerKind.THROTTLED, 429)
    assert "HEDGE_BOUNCED" in codes(out)
    assert sent(out) == []
    assert len(sent(talk.wait(1_100))) == 1
    assert state(talk).tries == 0


def test_a_signer_that_fails_is_said() -> None:
    talk = hedger_side()
    talk.signs = False
    out = talk.a_says(announce=QUOTE, round=1)
    ticket = one(out, Prepare).ticket
    assert "SIGNER_FAILED" in codes(talk.hear(PrepareFailed(ticket=ticket, reason="no key")))


def test_without_any_price_b_waits() -> None:
    talk = hedger_side(FeedOpened())
    out = a_fills(talk, price=0)
    assert sent(out) == []


def test_nothing_is_hedged_before_the_recovery_is_over() -> None:
    talk = Talk(machine=Hedger.create(settings(), memory()))
    talk.follow(talk.machine.start())
    assert sent(a_fills(talk)) == []
    assert state(talk).disarmed == "recovering"
    assert not state(talk).ready


# --- confirmation ------------------------------------------------------------------------------------------------


def test_b_confirms_the_round_once_its_own_fill_is_known() -> None:
    talk = armed()
    a_fills(talk)
    talk.answers("order1@8", AnswerKind.ACCEPTED)
    assert state(talk).confirm is None, "accepted is not executed"
    out = b_fills(talk)
    confirm = state(talk).confirm
    assert confirm is not None
    assert (confirm.round, confirm.cum, confirm.net) == (1, 100, 0)
    assert [entry.fills.filled for entry in entries(out, FillsKnown)] == [100]


def test_people_hear_of_a_hedge_together_with_its_trades() -> None:
    talk = armed()
    a_fills(talk)
    assert only(b_fills(talk), PublishFill) == []
    out = talk.hear(TradeReported(role=Role.HEDGER, trade=trade(9, 1)))
    news = one(out, PublishFill)
    assert (news.trade_ids, news.round_hedged, news.hedged) == ((9,), True, -100)


def test_people_hear_of_a_hedge_without_its_trades_after_a_moment() -> None:
    talk = armed()
    a_fills(talk)
    b_fills(talk)
    assert len(only(talk.wait(300), PublishFill)) == 1


def test_a_partly_filled_hedge_is_followed_by_the_rest_and_is_no_try() -> None:
    talk = armed()
    a_fills(talk)
    out = b_fills(talk, 1, 60)
    assert request_of(out).lots == 40
    assert state(talk).tries == 0


# --- tries -------------------------------------------------------------------------------------------------------


def test_after_all_tries_b_fails_once_asks_for_a_pause_and_sends_nothing_more() -> None:
    talk = armed()
    a_fills(talk)
    for serial in (1, 2, 3):
        try_once(talk, serial)
        talk.wait(2_100)
    assert len(only(talk.log, PublishFailure)) == 1
    failure = only(talk.log, PublishFailure)[0]
    assert (failure.failed.reason, failure.unhedged) == ("max_retries_exceeded", 100)
    assert failure.tries == ("canceled-too-much-slippage",) * 3
    told = state(talk)
    assert told.failed is not None
    assert told.pause_ask is not None
    assert told.pause_ask.code == "HEDGE_FAILED"
    assert sent(talk.wait(10_000)) == []


def test_the_cap_widens_with_each_try() -> None:
    talk = armed()
    prices = [request_of(a_fills(talk)).price]
    for serial in (1, 2):
        begin = len(talk.log)
        try_once(talk, serial)
        talk.wait(2_100)
        prices.append(request_of(talk.log[begin:]).price)
    assert prices == [PRICE - 2_000, PRICE - 4_000, PRICE - 8_000]


def test_tries_are_spaced() -> None:
    talk = armed()
    a_fills(talk)
    begin = len(talk.log)
    try_once(talk, 1)
    talk.wait(400)
    assert sent(talk.log[begin:]) == []
    talk.wait(200)
    assert len(sent(talk.log[begin:])) == 1


def test_a_refused_hedge_is_a_try() -> None:
    talk = armed()
    a_fills(talk)
    out = talk.answers("order1@8", AnswerKind.REJECTED, 21701, "size")
    assert [entry.tries for entry in entries(out, TriesCounted)] == [1]
    assert "21701 size" in talk.machine.tries.words


def test_a_person_gives_new_tries() -> None:
    talk = hedger_side(remembers=memory(tries=TriesCounted(tries=3, failed=failed())))
    talk.machine.tries.failed = failed()
    command = OperatorCommand(id="c1", verb="resume", hedge_now=True)
    out = talk.hear(OperatorAsked(command=command))
    assert "HEDGE_NOW" in codes(out)
    assert state(talk).failed is None
    assert state(talk).acks == ("c1",)
    assert talk.hear(OperatorAsked(command=command)) == [], "carried out once"


def test_a_hedged_round_voids_the_failure() -> None:
    talk = armed()
    a_fills(talk)
    for serial in (1, 2, 3):
        try_once(talk, serial)
        talk.wait(2_100)
    talk.a_says(fills=(fills(), fills(2, side=Side.ASK)), announce=None)
    assert state(talk).failed is None


def test_tries_and_failure_survive_a_crash_but_not_a_persons_start() -> None:
    used = TriesCounted(tries=3, failed=failed())
    assert Hedger.create(settings(), memory(tries=used)).tries.failed == failed()
    by_person = Hedger.create(settings(), memory(tries=used, by_person=True))
    assert by_person.tries.failed is None
    assert entries(by_person.start(), TriesCounted) == [TriesCounted(tries=0, failed=None)]


# --- self-trade --------------------------------------------------------------------------------------------------


def test_of_two_wallets_b_waits_until_a_has_cancelled_its_rest() -> None:
    talk = armed()
    assert sent(a_fills(talk, 40)) == [], "the hedge would meet the rest of the quote"
    out = talk.a_says(announce=None, fills=(fills(filled=40, closed=True),))
    assert request_of(out).lots == 40


def test_while_a_is_silent_b_hedges_only_out_of_reach_of_its_rest() -> None:
    talk = armed()
    a_fills(talk, 40)
    talk.alive = False
    out = talk.wait(3_200)
    request = request_of(out)
    assert request.price == PRICE + 1
    out = talk.hear(OrderReported(role=Role.HEDGER, report=row(2, lots=40, closed=True, status="canceled")))
    assert state(talk).tries == 0, "out of reach: no try"
    assert sent(out) == []
    assert len(sent(talk.wait(2_100))) == 1


def test_once_a_has_spoken_no_hedge_waits_for_the_next_one_out_of_reach() -> None:
    """The waits between those grow; what may reach the market again has nothing to wait for."""
    talk = armed()
    a_fills(talk, 40)
    talk.alive = False
    talk.wait(3_200)
    talk.hear(OrderReported(role=Role.HEDGER, report=row(2, lots=40, closed=True, status="canceled")))
    out = talk.a_says(announce=None, fills=(fills(filled=40, closed=True),))
    assert request_of(out).price == PRICE - 2_000


def test_an_expired_rest_of_a_silent_a_does_not_keep_b_waiting() -> None:
    talk = hedger_side()
    talk.a_says(announce=announce(expires_ms=WALL_MS + 20_000), round=1)
    talk.alive = False
    a_fills(talk, 40)
    talk.ms = 20_000 + LAG_MS + 1
    assert request_of(talk.hear(Ticked())).price == PRICE - 2_000


def test_what_as_own_open_order_may_still_hedge_is_left_to_it() -> None:
    talk = hedger_side()
    talk.a_says(announce=announce(2, side=Side.ASK), round=2)
    out = a_fills(talk, 60)  # a late fill of an older buy
    assert sent(out) == []


def test_an_open_quote_that_the_hedge_cannot_meet_keeps_nobody_waiting() -> None:
    talk = hedger_side()
    talk.a_says(announce=announce(2, price=PRICE - 50_000), round=2)
    request = request_of(a_fills(talk, 60))
    assert request.lots == 60


def test_another_version_of_a_makes_b_ask_for_a_pause() -> None:
    talk = hedger_side()
    talk.hear(PeerUnreadable(why="schema version 2"))
    asked = state(talk).pause_ask
    assert asked is not None
    assert asked.code == "VERSIONS_DIFFER"

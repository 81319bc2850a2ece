"""Account B: what is missing is hedged exactly once, whatever is lost, doubled or late."""

import pytest
from tests.unit.domain.builders import (
    BID,
    PRICE,
    announce,
    codes,
    coid,
    entries,
    fills,
    memory,
    one,
    only,
    order,
    pause,
    sent,
    settings,
    trade,
)
from tests.unit.domain.hedger_talk import QUOTE, a_fills, armed, b_fills, orders_of, state, try_once
from tests.unit.domain.talk import Talk, hedger_side, recover

from lighter_hedge.domain.commands import (
    Alert,
    AskKnown,
    BaselineSet,
    Exit,
    PublishState,
)
from lighter_hedge.domain.events import (
    FeedClosed,
    FeedOpened,
    MessagingChanged,
    NonceRead,
    OperatorAsked,
    PositionReported,
    StopAsked,
    Ticked,
    TradeReported,
)
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.states import OperatorCommand, Role
from lighter_hedge.domain.units import Side

# --- foreign changes and exposure --------------------------------------------------------------------------------


def test_a_foreign_trade_asks_for_a_pause_with_an_id_in_the_journal() -> None:
    talk = hedger_side()
    out = talk.hear(TradeReported(role=Role.HEDGER, trade=trade(1, coid=5, kind="liquidation")))
    assert "FOREIGN_TRADE" in codes(out)
    asked = entries(out, AskKnown)[0].pause
    assert asked is not None
    assert state(talk).pause_ask == asked
    assert state(talk).disarmed == "", "there is nothing to arm for yet"
    talk.a_says(announce=QUOTE, round=1)
    assert state(talk).disarmed.startswith("pause asked for")


def test_an_ask_is_over_once_a_has_ended_it() -> None:
    talk = hedger_side(remembers=memory(ask=pause(id=9)))
    assert state(talk).pause_ask == pause(id=9)
    talk.a_says(ended_asks=(8,))
    assert state(talk).pause_ask is not None
    out = talk.a_says(ended_asks=(9,))
    assert entries(out, AskKnown) == [AskKnown(pause=None)]
    assert state(talk).pause_ask is None


def test_a_position_that_two_reads_prove_different_stops_b() -> None:
    talk = armed()
    talk.positions[Role.HEDGER] = -7
    talk.hear(PositionReported(role=Role.HEDGER, lots=-7))
    talk.wait(40_000, step_ms=500)
    asked = state(talk).pause_ask
    assert asked is not None
    assert asked.code == "POSITION_DIFFERS"
    assert sent(a_fills(talk)) == [], "its own books are wrong: nothing is sent on their strength"


def test_exposure_that_lasts_too_long_alerts_once_and_asks_for_a_pause() -> None:
    talk = armed()
    a_fills(talk, 40)  # kept waiting by A's rest
    talk.positions[Role.MAKER] = 40
    talk.hear(PositionReported(role=Role.MAKER, lots=40))
    talk.wait(91_000, step_ms=500)
    alerts = [alert.code for alert in only(talk.log, Alert)]
    assert alerts.count("UNHEDGED_TOO_LONG") == 1
    assert state(talk).pause_ask is not None


def test_a_fill_that_no_frame_told_of_is_read_from_as_position() -> None:
    talk = armed()
    talk.positions[Role.MAKER] = 100
    talk.alive = False  # while A is heard, its own word about its orders counts
    out = talk.wait(45_000, step_ms=500)
    assert [tx for tx in sent(out) if tx.startswith("order")][:1]


# --- clear, withdraw, stop ---------------------------------------------------------------------------------------


def test_clear_closes_what_b_holds_once_a_is_flat() -> None:
    remembers = memory(fresh=False, baseline=BaselineSet(maker=0, hedger=-30))
    talk = Talk(machine=Hedger.create(settings(), remembers), positions={Role.MAKER: 0, Role.HEDGER: -30})
    recover(talk, MessagingChanged(up=True), FeedOpened())
    talk.hear(OperatorAsked(command=OperatorCommand(id="c1", verb="clear")))
    assert talk.machine.closing.wanted


def test_a_quote_that_was_announced_and_never_sent_is_withdrawn() -> None:
    talk = armed()
    talk.a_says(announce=announce(2, attempt=1))
    first = talk.core.maker.orders[coid(1)]
    assert first.closed
    assert first.status == "withdrawn"
    assert state(talk).armed is not None


def test_b_stops_once_a_shows_nothing_more() -> None:
    """What fills in A's cancel race still has somebody behind it."""
    talk = armed()
    assert only(talk.hear(StopAsked()), Exit) == []
    out = talk.a_says(announce=None)
    assert one(out, Exit).code == 0
    assert talk.hear(Ticked()) == [], "it is over"


def test_b_stops_only_when_its_hedge_has_ended() -> None:
    talk = armed()
    a_fills(talk)
    assert only(talk.hear(StopAsked()), Exit) == []
    assert one(b_fills(talk), Exit).code == 0


def test_b_stops_with_exposure_once_its_tries_are_used_up() -> None:
    talk = armed()
    a_fills(talk)
    for serial in (1, 2, 3):
        try_once(talk, serial)
        talk.wait(2_100)
    assert one(talk.hear(StopAsked()), Exit).code == 0


def test_b_waits_no_longer_than_it_may() -> None:
    talk = armed()
    a_fills(talk)
    talk.hear(StopAsked())
    assert only(talk.wait(14_000, step_ms=500), Exit) == []
    assert len(only(talk.wait(2_000, step_ms=500), Exit)) == 1


def test_a_stopping_b_is_armed_for_nothing() -> None:
    talk = armed()
    a_fills(talk, 40)
    talk.hear(StopAsked())
    assert state(talk).disarmed == "stopping"


def test_a_superseded_b_exits_with_8_and_sends_nothing() -> None:
    talk = armed()
    out = talk.hear(NonceRead(nonce=99))
    assert one(out, Exit).code == 8
    assert a_fills(talk) == []


# --- what others hear --------------------------------------------------------------------------------------------


def test_the_state_is_told_on_change_and_every_second() -> None:
    talk = hedger_side()
    talk.alive = False
    talk.wait(1_000)
    told = len(only(talk.log, PublishState))
    talk.wait(5_000)
    assert 5 <= len(only(talk.log, PublishState)) - told <= 6


def test_arming_and_disarming_are_said_once() -> None:
    talk = armed()
    assert codes(talk.log).count("ARMED") == 1
    out = talk.hear(FeedClosed(reason="gone")) + talk.wait(3_000)
    assert [code for code in codes(out) if code == "DISARMED"] == ["DISARMED"]


def test_before_its_baseline_b_folds_what_a_had_filled() -> None:
    talk = Talk(machine=Hedger.create(settings(), memory()))
    talk.follow(talk.machine.start())
    talk.a_says(fills=(fills(5),))
    assert talk.core.maker.folded_serial == 5
    assert not talk.core.maker.orders


def test_a_start_expects_the_quote_it_was_armed_for() -> None:
    side = Hedger.create(settings(), memory(announce=QUOTE))
    assert side.core.maker.orders[coid(1)].expected
    assert BID == PRICE


@pytest.mark.parametrize("wanted", [order().coid])
def test_a_hedge_that_is_not_in_the_books_is_not_wanted(wanted: int) -> None:
    side = Hedger.create(settings(), memory())
    assert not side._wanted(order(coid=wanted))


def test_what_was_attributed_and_is_told_again_is_hedged_only_if_the_venue_shows_it() -> None:
    """A restored journal knew an old announce alone; the fill was attributed to it, then told as another order's."""
    talk = hedger_side(remembers=memory(attributed=True))
    assert talk.core.attributed
    talk.positions[Role.MAKER] = 0
    out = talk.a_says(fills=(fills(9, side=Side.BID, lots=100, filled=100, closed=True),), round=1)
    assert sent(out + talk.wait(500)) == []
    out = talk.hear(PositionReported(role=Role.MAKER, lots=100))
    assert len(sent(out + talk.wait(200))) == 1


def test_books_of_an_old_journal_arm_nothing_and_hedge_nothing_until_the_venue_agrees() -> None:
    known = fills(1, side=Side.BID, lots=100, filled=100, closed=True)
    old = memory(baseline=BaselineSet(maker=0, hedger=0), fills={Role.MAKER: (known,)})
    talk = hedger_side(remembers=old)
    assert talk.core.recovered
    assert talk.core.unclear
    out = talk.a_says(announce=announce(2))
    assert state(talk).armed is None
    assert sent(out + talk.wait(500)) == []
    talk.a_says(fills=(known, fills(3, side=Side.ASK, lots=100, filled=100, closed=True)))
    assert not talk.core.unclear
    assert state(talk).armed is not None or talk.core.net != 0


def test_once_the_books_have_agreed_words_come_before_the_venues_position() -> None:
    talk = hedger_side()
    assert not talk.core.unclear
    talk.a_says()
    talk.core.maker.expect(announce(9))
    known = fills(9, side=Side.BID, lots=100, filled=100, closed=True)
    assert len(sent(talk.a_says(fills=(known,), round=1))) == 1


def test_what_a_tells_first_to_a_b_that_never_armed_is_history() -> None:
    """Both are new and Redis was empty: B's baseline holds what A's state tells a moment later."""
    talk = hedger_side()
    talk.machine.peer.state = None
    old = fills(7, side=Side.BID, lots=100, filled=100, closed=True)
    out = talk.a_says(fills=(old,), round=1)
    assert sent(out + talk.wait(500)) == []
    (kept,) = entries(out, BaselineSet)
    assert (kept.maker, kept.hedger, kept.maker_serial) == (0, 0, 7)
    talk.core.maker.expect(announce(8))
    out = talk.a_says(fills=(old, fills(8, side=Side.BID, lots=100, filled=100, closed=True)), round=2)
    assert len(sent(out)) == 1


def test_a_fill_of_an_order_that_was_never_announced_waits_for_the_venues_position() -> None:
    talk = hedger_side()
    talk.a_says()
    known = fills(9, side=Side.BID, lots=100, filled=100, closed=True)
    assert sent(talk.a_says(fills=(known,), round=1) + talk.wait(300)) == []
    assert len(sent(talk.hear(PositionReported(role=Role.MAKER, lots=100)) + talk.wait(200))) == 1


def test_b_without_its_journal_numbers_above_what_a_counts_no_more() -> None:
    talk = hedger_side()
    talk.a_says(announce=QUOTE, round=1, hedger_serial=30)
    a_fills(talk)
    assert orders_of(talk.log)[-1].startswith("order31@")


def test_b_says_which_orders_of_a_it_counts_no_more() -> None:
    talk = hedger_side()
    talk.core.maker.folded_serial = 9
    assert state(talk).maker_serial == 9

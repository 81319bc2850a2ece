"""The monitor's checks of trades and orders (I1, I2, I4, foreign trades): each fires, and stays silent."""

import pytest
from tests.unit.domain.builders import MARKET, announce, fills, only, pause
from tests.unit.domain.monitor_talk import A, B, Watched, command, lose_feed, open_feed, round_of, watching

from lighter_hedge.domain.commands import ReadAccount, Say
from lighter_hedge.domain.events import (
    OperatorAsked,
    Ticked,
)
from lighter_hedge.domain.monitor import CLEAR_MS_MAX, REST_MS_MAX
from lighter_hedge.domain.monitor_words import (
    MarketLearned,
)
from lighter_hedge.domain.states import Mode, Role

UNHEDGED = "UNHEDGED_TOO_LONG"
TWICE = "HEDGED_TWICE"
QUOTED = "QUOTE_WHILE_UNHEDGED"


# --- I2, I4, foreign --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("signed", "fires"), [(-100, False), (-40, False), (-101, True), (-200, True), (20, True)])
def test_a_trade_of_b_away_from_zero_or_through_it_is_alerted(signed: int, fires: bool) -> None:
    watched = watching()
    watched.trade(A, 100)
    watched.trade(B, signed)
    watched.wait(1_000)
    assert watched.alerts() == ([TWICE] if fires else [])


def test_the_order_of_frames_does_not_matter() -> None:
    watched = watching()
    watched.trade(B, -100, trade_id=2)
    watched.trade(A, 100, trade_id=1)
    watched.wait(1_000)
    assert watched.alerts() == []


def test_a_second_hedge_is_alerted_and_the_next_ones_are_logged() -> None:
    watched = watching()
    round_of(watched, 1)
    watched.trade(B, -100, 2)
    watched.wait(1_000)
    assert watched.alerts() == [TWICE]
    assert "trade 3 of account B moved A + B from 0.00000 BTC to -0.00100 BTC" in watched.texts()[0]
    watched.trade(B, -100, 3)
    watched.wait(1_000)
    assert watched.alerts() == [TWICE]
    assert [said.code for said in only(watched.log, Say)].count(TWICE) == 1


def test_a_persons_clear_explains_closing_trades_until_the_desk_runs_again() -> None:
    watched = watching()
    watched.trade(A, 100)
    watched.trade(B, -100)
    watched.wait(1_000)
    watched.hear(OperatorAsked(command=command("clear")))
    watched.trade(B, 100, 2)
    watched.wait(1_000)
    watched.trade(A, -100, 3)
    watched.wait(CLEAR_MS_MAX // 2)
    assert watched.alerts() == []
    watched.says[A] = {"acks": ("id-1",)}
    watched.wait(1_000)
    watched.trade(B, 100, 4)
    watched.wait(1_000)
    assert watched.alerts() == [TWICE]


def test_a_clear_lasts_as_long_as_the_desk_is_not_running_after_it() -> None:
    watched = watching()
    watched.hear(OperatorAsked(command=command("clear")))
    watched.speak(A)  # on its way before A had heard of it
    watched.trade(B, 100)
    watched.wait(1_000)
    watched.says[A] = {"acks": ("id-1",), "mode": Mode.PAUSED, "pause": pause(code="HEDGE_FAILED")}
    watched.wait(CLEAR_MS_MAX + 1_000)
    watched.trade(B, 100, 2)
    watched.wait(1_000)
    assert TWICE not in watched.alerts()


def test_a_clear_that_nobody_carries_out_explains_nothing_for_long() -> None:
    watched = watching()
    watched.hear(OperatorAsked(command=command("clear")))
    watched.wait(CLEAR_MS_MAX + 1_000)
    watched.trade(B, 100)
    watched.wait(1_000)
    assert watched.alerts() == [TWICE]


def test_a_desk_that_says_it_was_cleared_explains_them_too() -> None:
    watched = watching()
    watched.says[A] = {"mode": Mode.PAUSED, "pause": pause(code="CLEARED")}
    watched.wait(1_000)
    watched.trade(B, 100)
    watched.wait(1_000)
    assert watched.alerts() == []


@pytest.mark.parametrize("verb", ["pause", "resume", "drain"])
def test_other_verbs_explain_no_trade(verb: str) -> None:
    watched = watching()
    watched.hear(OperatorAsked(command=command(verb)))
    watched.trade(B, 100)
    watched.wait(1_000)
    assert watched.alerts() == [TWICE]


def test_a_trade_of_a_with_b_is_alerted_once() -> None:
    watched = watching()
    watched.trade(A, 100, trade_id=50, counterparty=66)
    watched.trade(B, -100, trade_id=50, counterparty=65)
    watched.wait(1_000)
    assert watched.alerts() == ["SELF_TRADE"]
    assert "SELF_TRADE" not in [said.code for said in only(watched.log, Say)]


@pytest.mark.parametrize("role", list(Role))
def test_a_trade_that_is_not_the_desks_is_alerted(role: Role) -> None:
    watched = watching()
    watched.trade(role, 100, coid=5)
    watched.wait(1_000)
    assert watched.alerts() == ["FOREIGN_TRADE"], "and no more: it is not a hedge of B's"
    assert watched.texts() == [f"account {role.letter}: trade 1, buy 0.00100 BTC is not this desk's"]


def test_a_liquidation_is_alerted_by_its_name() -> None:
    watched = watching()
    watched.trade(A, -100, kind="liquidation", coid=0)
    watched.wait(1_000)
    assert watched.alerts() == ["LIQUIDATION"]
    assert "liquidation 1, sell 0.00100 BTC" in watched.texts()[0]


def test_what_a_new_subscription_repeats_is_judged_by_nobody() -> None:
    watched = watching()
    round_of(watched, 1)
    lose_feed(watched)
    watched.wait(500)
    open_feed(watched)
    watched.trade(B, -100, 2, trade_id=9)
    watched.position(B, -100)
    watched.wait(5_000)
    assert watched.alerts() == []
    round_of(watched, 3)
    assert watched.alerts() == []


def test_trades_that_do_not_add_up_are_said() -> None:
    watched = watching()
    watched.position(A, 100)
    watched.position(B, -100)
    watched.wait(3_000)
    said = [each.text for each in only(watched.log, Say) if each.code == "TRADES_MISSED"]
    assert [text.split(":")[0] for text in said] == ["account A", "account B"]
    round_of(watched, 2)
    assert watched.alerts() == []


# --- I1 ---------------------------------------------------------------------------------------------------------------


def test_a_quote_that_fills_beside_an_exposure_of_another_is_alerted() -> None:
    watched = watching()
    watched.trade(A, 100, 1)
    watched.wait(1_000)
    watched.trade(A, 100, 2)
    watched.wait(1_000)
    assert watched.alerts() == [QUOTED]
    assert "trade 2 of account A moved A + B from 0.00100 BTC to 0.00200 BTC" in watched.texts()[0]
    watched.trade(A, 100, 2)
    watched.wait(1_000)
    assert [said.code for said in only(watched.log, Say)].count(QUOTED) == 1, "its next part is no better"


def test_an_order_of_b_with_the_number_of_a_quote_is_another_order() -> None:
    watched = watching()
    watched.trade(B, 100, 2)
    watched.wait(1_000)
    watched.trade(A, 100, 2)
    watched.wait(1_000)
    assert watched.alerts() == [TWICE, QUOTED]


def test_parts_of_one_quote_are_one_quote() -> None:
    watched = watching()
    for lots in (5, 10, 85):
        watched.trade(A, lots, 1)
        watched.wait(500)
    assert watched.alerts() == []


@pytest.mark.parametrize(("announced", "fires"), [(2, [QUOTED]), (1, [])])
def test_an_order_of_a_towards_zero_is_a_quote_only_where_it_was_announced(announced: int, fires: list[str]) -> None:
    """Else it flattens what B could not hedge."""
    watched = watching()
    watched.trade(A, 100, 1)
    watched.says[A] = {"announce": announce(announced), "fills": (fills(announced),)}
    watched.wait(1_000)
    watched.trade(A, -100, 2)
    watched.wait(1_000)
    assert watched.alerts() == fires


def test_an_exposure_that_stood_when_counting_began_is_held_against_no_quote() -> None:
    watched = Watched()
    watched.hear(Ticked())
    watched.hear(MarketLearned(market=MARKET))
    watched.positions = {A: 100, B: 0}
    open_feed(watched)
    watched.wait(3_000)
    watched.trade(A, 50, 1)
    watched.wait(1_000)
    assert watched.alerts() == []


def test_an_exposure_that_came_while_nobody_counted_is_held_against_no_quote() -> None:
    watched = watching()
    round_of(watched, 1)
    lose_feed(watched)
    watched.positions[A] = 200
    watched.reads[A] = (200, 0)
    open_feed(watched)
    watched.wait(3_000)
    watched.trade(A, 50, 3)
    watched.wait(1_000)
    assert watched.alerts() == []


def test_a_wish_stands_while_a_is_silent() -> None:
    watched = watching()
    watched.trade(A, 100, 1)
    watched.says[A] = {"announce": announce(2)}
    watched.wait(5_000)
    watched.speaking.remove(A)
    watched.wait(20_000)
    assert watched.alerts() == [QUOTED, "SIDE_SILENT"]
    assert watched.recovered() == []
    watched.trade(B, -100)
    watched.wait(1_000)
    assert watched.recovered() == [QUOTED]


def test_a_quote_that_a_wants_while_unhedged_is_alerted() -> None:
    watched = watching()
    watched.trade(A, 100, 1)
    watched.says[A] = {"announce": announce(2), "fills": (fills(1),)}
    watched.wait(1_750)
    assert watched.alerts() == []
    watched.wait(2_000)
    assert watched.alerts() == [QUOTED]
    watched.trade(B, -100)
    watched.wait(1_000)
    assert watched.recovered() == [QUOTED]


def test_the_quote_that_filled_is_the_exposure_itself() -> None:
    for says in ({"announce": announce(1)}, {"announce": announce(7), "fills": (fills(7, filled=40),)}):
        watched = watching()
        watched.says[A] = says
        watched.wait(1_000)
        watched.trade(A, 100, 1)
        watched.wait(20_000)
        assert watched.alerts() == []


def test_the_last_word_of_a_side_that_died_is_no_wish() -> None:
    watched = watching()
    watched.says[A] = {"announce": announce(2)}
    watched.wait(1_000)
    watched.speaking.remove(A)
    watched.trade(A, 100, 1)
    watched.wait(20_000)
    assert watched.alerts() == ["SIDE_SILENT"]


@pytest.mark.parametrize(("orders", "fires"), [(1, ["ORDER_RESTS_UNHEDGED"]), (0, [])])
def test_an_order_that_rests_beside_an_exposure_is_read_and_alerted(orders: int, fires: list[str]) -> None:
    watched = watching()
    watched.trade(A, 100, 1)
    watched.reads[A] = (100, orders)
    watched.wait(REST_MS_MAX - 500)
    assert watched.alerts() == []
    watched.wait(1_500)
    assert watched.alerts() == fires
    watched.reads[A] = (100, 0)
    watched.wait(REST_MS_MAX)
    assert watched.recovered() == fires


def test_a_quote_that_rested_before_it_filled_is_no_order_beside_an_exposure() -> None:
    watched = watching()
    watched.reads[A] = (0, 1)
    watched.wait(30_000)
    watched.trade(A, 100, 1)
    watched.wait(REST_MS_MAX - 1_000)
    watched.trade(B, -100, 1)
    watched.wait(5_000)
    assert watched.alerts() == []


def test_more_than_one_order_in_two_reads_is_alerted() -> None:
    watched = watching()
    watched.reads[A] = (0, 2)
    watched.wait(30_000)
    assert watched.alerts() == ["TOO_MANY_ORDERS"]
    watched.reads[A] = (0, 1)
    watched.wait(30_000)
    assert watched.recovered() == ["TOO_MANY_ORDERS"]


def test_more_than_one_order_in_one_read_is_not() -> None:
    watched = watching()
    watched.log.clear()
    watched.reads[A] = (0, 2)
    while not (reads := [each for each in only(watched.log, ReadAccount) if each.role is A]):
        watched.wait(250)
    watched.reads[A] = (0, 1)
    watched.wait(60_000)
    assert len(reads) == 1
    assert watched.alerts() == []


def test_a_trade_between_the_accounts_is_no_quote_while_unhedged() -> None:
    """1742189: B's half was counted first, and A seemed to quote while that was not hedged."""
    watched = watching()
    watched.says[A] = {"announce": announce(1)}
    watched.wait(1_000)
    watched.trade(B, -100, trade_id=50, counterparty=65)
    watched.trade(A, 100, trade_id=50, counterparty=66)
    watched.wait(1_000)
    assert QUOTED not in watched.alerts()


@pytest.mark.parametrize("role", list(Role))
def test_a_trade_between_the_accounts_is_seen_by_one_frame_alone(role: Role) -> None:
    watched = watching()
    watched.trade(role, 100, counterparty=66 if role is A else 65)
    watched.wait(1_000)
    assert watched.alerts()[0] == "SELF_TRADE"


def test_a_clear_that_is_not_acknowledged_explains_trades_up_to_its_time() -> None:
    watched = watching()
    watched.hear(OperatorAsked(command=command("clear")))
    watched.wait(CLEAR_MS_MAX)
    assert watched.machine._clearing
    watched.wait(250)
    assert not watched.machine._clearing


def test_a_read_in_the_first_seconds_of_an_exposure_proves_no_resting_order() -> None:
    """What it shows may be the quote that has just filled."""
    watched = watching()
    reads = 0
    while not reads:
        watched.log.clear()
        watched.wait(250)
        reads = len(only(watched.log, ReadAccount))
    watched.wait(watched.machine.settings.reconcile_ms - 5_000)
    watched.reads[A] = (0, 1)
    watched.trade(A, 100)
    watched.log.clear()
    watched.wait(6_000)
    assert ReadAccount(role=A) in watched.log
    assert watched.alerts() == []

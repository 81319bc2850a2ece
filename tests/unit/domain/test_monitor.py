"""The monitor's checks of exposure, silence and blindness: each is shown to fire, and to stay silent."""

import pytest
from tests.unit.domain.builders import MARKET, PRICE, announce, frame, maker_state, only, pause, row
from tests.unit.domain.monitor_talk import A, B, Watched, lose_feed, open_feed, round_of, watching

from lighter_hedge.domain.commands import ReadAccount, Say
from lighter_hedge.domain.events import (
    BalanceReported,
    MakerHeard,
    MarketHeard,
    MessagingChanged,
    OrderReported,
    PositionReported,
    Ticked,
)
from lighter_hedge.domain.incidents import Incident
from lighter_hedge.domain.monitor import BLIND_MS_MAX, STALL_MS
from lighter_hedge.domain.monitor_words import (
    AskPause,
    LookForStop,
    MarketLearned,
    PauseSent,
    Remember,
    StopLearned,
)
from lighter_hedge.domain.states import Mode, Role

UNHEDGED = "UNHEDGED_TOO_LONG"
TWICE = "HEDGED_TWICE"
QUOTED = "QUOTE_WHILE_UNHEDGED"


def test_rounds_alert_nobody_and_touch_no_disk() -> None:
    watched = watching()
    for serial in range(1, 40):
        watched.says[A] = {"announce": announce(serial)}
        round_of(watched, serial, 100 if serial % 2 else -100)
    watched.wait(200_000)
    assert watched.alerts() == []
    assert only(watched.log, Remember) == []
    assert only(watched.log, AskPause) == []


# --- I3 ---------------------------------------------------------------------------------------------------------------


def test_an_exposure_that_is_too_old_is_alerted_and_a_is_asked_to_pause_once() -> None:
    watched = watching()
    watched.trade(A, 100)
    watched.wait(89_750)
    assert watched.alerts() == []
    watched.wait(60_000)
    assert watched.alerts() == [UNHEDGED]
    (ask,) = only(watched.log, AskPause)
    assert (ask.command.verb, ask.command.id) == ("pause", "monitor-1800000003250")
    assert ask.command.reason == "0.00100 BTC unhedged for 90 s, says the monitor"
    watched.trade(B, -100)
    watched.wait(1_000)
    assert watched.recovered() == [UNHEDGED]
    watched.trade(A, 100, 2)
    watched.wait(91_000)
    assert len(only(watched.log, AskPause)) == 2, "another exposure is another incident"
    assert len({each.command.id for each in only(watched.log, AskPause)}) == 2


def test_a_desk_that_is_paused_is_not_asked() -> None:
    watched = watching()
    watched.says[A] = {"mode": Mode.PAUSED, "pause": pause()}
    watched.trade(A, 100)
    watched.wait(100_000)
    assert watched.alerts() == [UNHEDGED]
    assert only(watched.log, AskPause) == []


def test_a_residual_is_no_exposure() -> None:
    watched = watching()
    watched.says[A] = {"announce": announce(1)}
    watched.trade(A, 9)
    watched.wait(200_000)
    assert watched.alerts() == []
    watched.trade(A, 1)
    watched.wait(91_000)
    assert watched.alerts() == [UNHEDGED]


def test_the_minimum_that_was_announced_counts_where_it_is_higher() -> None:
    watched = watching()
    watched.says[A] = {"announce": announce(1, min_lots=12)}
    watched.wait(1_000)
    watched.trade(A, 11)
    watched.wait(200_000)
    assert watched.alerts() == []


def test_the_markets_rules_count_where_they_are_higher() -> None:
    watched = watching()
    watched.says[A] = {"announce": announce(1, min_lots=5)}
    watched.wait(1_000)
    watched.trade(A, 9)
    watched.wait(200_000)
    assert watched.alerts() == []


def test_an_eye_that_shuts_and_opens_makes_no_new_incident() -> None:
    watched = watching()
    watched.reads = {A: (None, 0), B: (None, 0)}
    watched.trade(A, 100)
    watched.reads[A] = (None, 0)
    watched.wait(91_000)
    watched.speaking.clear()
    watched.wait(5_000)
    lose_feed(watched)
    watched.wait(500)
    assert watched.machine.exposed(watched.now) is None
    open_feed(watched)
    watched.wait(5_000)
    assert len(only(watched.log, AskPause)) == 1


def test_with_redis_down_it_alerts_and_asks_as_soon_as_redis_is_back() -> None:
    watched = watching()
    watched.speaking.clear()
    watched.hear(MessagingChanged(up=False))
    watched.trade(A, 100)
    watched.wait(100_000)
    assert watched.alerts() == ["STATES_UNSEEN", UNHEDGED]
    assert only(watched.log, AskPause) == []
    watched.hear(MessagingChanged(up=True))
    watched.wait(1_000)
    assert len(only(watched.log, AskPause)) == 1


def test_a_pause_that_did_not_reach_the_stream_is_asked_for_again() -> None:
    watched = watching()
    watched.trade(A, 100)
    watched.wait(91_000)
    (first,) = only(watched.log, AskPause)
    watched.hear(PauseSent(sent=False))
    watched.wait(750)
    assert len(only(watched.log, AskPause)) == 1
    watched.wait(250)
    assert [ask.command.id for ask in only(watched.log, AskPause)] == [first.command.id] * 2
    watched.hear(PauseSent(sent=True))
    watched.wait(60_000)
    assert len(only(watched.log, AskPause)) == 2


def test_with_the_venue_unseen_from_the_start_the_states_say_what_is_exposed() -> None:
    watched = watching(venue=False)
    watched.positions[A] = 100
    watched.wait(91_000)
    assert watched.alerts() == ["VENUE_UNSEEN", UNHEDGED]
    assert watched.texts()[-1].startswith("100 lots unhedged for 90 s")
    assert len(only(watched.log, AskPause)) == 1


def test_without_the_venue_the_residual_that_a_carries_is_none() -> None:
    watched = watching(venue=False)
    watched.positions[A] = 9
    watched.says[A] = {"residual": 9}
    watched.wait(200_000)
    assert watched.alerts() == ["VENUE_UNSEEN"]


def test_a_silent_side_makes_the_net_unknown_not_flat() -> None:
    watched = watching(venue=False)
    watched.positions[A] = 100
    watched.wait(60_000)
    watched.speaking.remove(B)
    watched.wait(60_000)
    assert UNHEDGED not in watched.alerts()
    watched.speaking.add(B)
    watched.wait(1_000)
    assert UNHEDGED in watched.alerts(), "not knowing has not ended the exposure"


def test_with_both_eyes_shut_rest_is_the_third_source() -> None:
    watched = watching()
    watched.speaking.clear()
    watched.hear(MessagingChanged(up=False))
    lose_feed(watched)
    watched.reads = {A: (100, 0), B: (0, 0)}
    watched.wait(120_000)
    assert UNHEDGED in watched.alerts()


# --- eyes and sides ---------------------------------------------------------------------------------------------------


def test_a_blind_eye_is_said_at_once_and_alerted_when_it_stays_blind() -> None:
    watched = watching()
    lose_feed(watched)
    assert [each.code for each in only(watched.log, Say)][-1] == "FEED_LOST"
    watched.wait(BLIND_MS_MAX)
    assert watched.alerts() == []
    watched.wait(500)
    assert watched.alerts() == ["VENUE_UNSEEN"]
    open_feed(watched)
    watched.wait(500)
    assert watched.recovered() == ["VENUE_UNSEEN"]


def test_a_stream_that_comes_back_soon_alerts_nobody() -> None:
    watched = watching()
    for _ in range(5):
        lose_feed(watched)
        watched.hear(MessagingChanged(up=False))
        watched.wait(5_000)
        open_feed(watched)
        watched.hear(MessagingChanged(up=True))
        watched.wait(5_000)
    assert watched.alerts() == []


@pytest.mark.parametrize("role", list(Role))
def test_a_side_that_falls_silent_is_alerted_and_its_return_is_told(role: Role) -> None:
    watched = watching()
    watched.speaking.remove(role)
    watched.wait(10_000)
    assert watched.alerts() == ["SIDE_SILENT"]
    assert only(watched.log, LookForStop)[0] == LookForStop(role=role)
    assert watched.texts()[0].startswith(f"account {role.letter} ")
    watched.speaking.add(role)
    watched.wait(2_000)
    assert watched.recovered() == ["SIDE_SILENT"]


def test_a_side_that_a_person_stopped_alerts_nobody() -> None:
    watched = watching()
    watched.speaking.clear()
    watched.wait(3_500)
    for role in Role:
        watched.hear(StopLearned(role=role, by_person=True))
    watched.wait(60_000)
    assert watched.alerts() == []


def test_silence_while_redis_is_away_is_the_silence_of_redis() -> None:
    watched = watching()
    watched.speaking.clear()
    watched.hear(MessagingChanged(up=False))
    watched.wait(60_000)
    assert watched.alerts() == ["STATES_UNSEEN"]
    watched.speaking |= {A, B}
    watched.hear(MessagingChanged(up=True))
    watched.wait(3_000)
    assert watched.alerts() == ["STATES_UNSEEN"]
    assert watched.recovered() == ["STATES_UNSEEN"]


def test_a_monitor_that_stood_still_has_heard_nobody_and_says_so() -> None:
    watched = watching()
    watched.ms += 60_000
    watched.hear(Ticked())
    watched.wait(3_000)
    assert watched.alerts() == []
    assert [each.code for each in only(watched.log, Say)].count("STALLED") == 1
    watched.ms += STALL_MS - 1
    watched.hear(Ticked())
    assert [each.code for each in only(watched.log, Say)].count("STALLED") == 1


def test_a_position_that_differs_from_what_a_side_says_is_alerted() -> None:
    watched = watching()
    watched.says[A] = {"position": 100}
    watched.says[B] = {"position": -100}
    watched.wait(10_000)
    assert watched.alerts() == ["POSITION_DIFFERS"] * 2
    watched.says = {A: {}, B: {}}
    watched.wait(2_000)
    assert watched.recovered() == ["POSITION_DIFFERS"] * 2


# --- reads ------------------------------------------------------------------------------------------------------------


def test_accounts_are_read_at_the_opening_and_every_so_often() -> None:
    watched = watching()
    watched.log.clear()
    watched.wait(60_000)
    assert len(only(watched.log, ReadAccount)) == 4
    watched.log.clear()
    open_feed(watched)
    watched.wait(250)
    assert {read.role for read in only(watched.log, ReadAccount)} == {A, B}
    lose_feed(watched)
    watched.log.clear()
    watched.wait(60_000)
    assert len(only(watched.log, ReadAccount)) == 12, "they are all there is"


def test_a_read_that_fails_is_unknown() -> None:
    watched = watching()
    watched.reads = {A: (None, 0), B: (None, 0)}
    lose_feed(watched)
    watched.speaking.clear()
    watched.trade(A, 0 + 100)
    watched.wait(1_000)
    watched.hear(PositionReported(role=B, lots=0))
    assert watched.machine.exposed(watched.now) is not None
    lose_feed(watched)
    watched.wait(20_000)
    assert watched.machine.exposed(watched.now) is None


def test_a_frame_that_was_missed_is_found_by_a_read() -> None:
    watched = watching()
    watched.reads[A] = (100, 0)
    watched.wait(60_000)
    assert [each.code for each in only(watched.log, Say)].count("FRAME_MISSED") == 1
    assert watched.alerts() == ["POSITION_DIFFERS"]


# --- restart ----------------------------------------------------------------------------------------------------------


def test_a_restart_goes_on_counting_where_it_was() -> None:
    first = watching()
    first.trade(A, 100)
    first.wait(60_000)
    kept = only(first.log, Remember)[-1].incidents
    assert [(one.code, one.alerted) for one in kept] == [(UNHEDGED, False)]

    second = Watched(machine=type(first.machine).create(first.machine.settings, kept), ms=first.ms)
    second.positions, second.reads = {A: 100, B: 0}, {A: (100, 0), B: (0, 0)}
    second.hear(Ticked())
    second.hear(MessagingChanged(up=True))
    second.hear(MarketLearned(market=MARKET))
    open_feed(second)
    second.wait(29_000)
    assert second.alerts() == []
    second.wait(2_000)
    assert second.alerts() == [UNHEDGED]
    (ask,) = only(second.log, AskPause)
    assert ask.command.id == f"monitor-{kept[0].since_ms}"


def test_a_restart_tells_nothing_twice_and_tells_the_end() -> None:
    first = watching()
    first.speaking.remove(B)
    first.wait(20_000)
    kept = only(first.log, Remember)[-1].incidents
    assert [(one.code, one.about, one.alerted) for one in kept] == [("SIDE_SILENT", "B", True)]
    second = watching(incidents=kept)
    assert second.alerts() == []
    assert second.recovered() == ["SIDE_SILENT"]
    assert only(second.log, Remember)[-1].incidents == ()


def test_an_incident_that_this_version_does_not_know_is_left_alone() -> None:
    watched = watching(incidents=(Incident(code="OLD", about="desk", since_ms=1, alerted=True),))
    assert only(watched.log, Remember)[0].incidents == ()


def test_what_is_not_needed_here_is_let_be() -> None:
    watched = watching()
    watched.trade(A, 100, trade_id=9, coid=5)
    watched.wait(1_000)
    watched.trade(A, 100, trade_id=9, coid=5)
    watched.position(A, 100)
    watched.hear(MakerHeard(state=maker_state(seq=0, announce=announce(min_lots=50))))
    watched.wait(1_000)
    assert watched.alerts() == ["FOREIGN_TRADE"]
    assert watched.machine.exposed(watched.now)
    watched.position(A, 20)
    assert watched.machine.exposed(watched.now), "an old state announces nothing"
    before = len(watched.log)
    for event in (BalanceReported(available=1), frame(), OrderReported(role=A, report=row())):
        watched.hear(event)
    watched.hear(MessagingChanged(up=True))
    assert len(watched.log) == before


def test_sizes_are_lots_until_the_market_is_known() -> None:
    watched = Watched()
    assert watched.machine.size(20) == "20 lots"
    watched.hear(MarketLearned(market=MARKET))
    assert watched.machine.size(20) == "0.00020 BTC"


# --- edges ------------------------------------------------------------------------------------------------------------


def said(watched: Watched, code: str) -> list[str]:
    return [each.text for each in only(watched.log, Say) if each.code == code]


def test_what_must_never_be_is_told_at_once_of_the_whole_desk() -> None:
    made = Watched().machine
    for one in (made.quoting, made.resting, made.many):
        assert (one.limit_ms, one.about) == (0, "desk")


def test_without_market_and_states_every_lot_is_an_exposure() -> None:
    assert Watched().machine._min_lots() == 1


def test_more_than_the_residual_that_a_carries_is_an_exposure() -> None:
    watched = watching(venue=False)
    watched.positions[A] = 10
    watched.says[A] = {"residual": 9}
    watched.wait(1_000)
    assert watched.machine.exposed(watched.now)


def test_the_minimum_goes_by_the_last_mark_price() -> None:
    watched = watching()
    watched.hear(MarketHeard(mark=PRICE // 2))
    watched.hear(MarketHeard())
    watched.trade(A, 19)
    assert not watched.machine.exposed(watched.now)
    watched.hear(MarketHeard(mark=PRICE))
    assert watched.machine.exposed(watched.now)


def test_each_eye_says_when_it_opens_and_shuts() -> None:
    watched = watching()
    assert len(said(watched, "FEED_OPEN")) == len(said(watched, "REDIS_UP")) == 1
    watched.hear(MessagingChanged(up=False))
    assert len(said(watched, "REDIS_DOWN")) == 1


@pytest.mark.parametrize("states", [True, False])
def test_a_blind_eye_is_told_with_what_is_left(states: bool) -> None:
    watched = watching()
    if not states:
        watched.speaking.clear()
        watched.hear(MessagingChanged(up=False))
    lose_feed(watched)
    watched.wait(BLIND_MS_MAX + 250)
    text = next(text for text in watched.texts() if "seen the exchange" in text)
    assert "for 10 s" in text
    assert text.endswith("not checked") is states


def test_the_end_of_an_exposure_is_told_with_what_is_left() -> None:
    watched = watching()
    watched.trade(A, 100)
    watched.wait(91_000)
    watched.trade(B, -100)
    watched.wait(1_000)
    assert watched.texts()[-1] == "hedged again: A + B is 0.00000 BTC"


def test_after_standing_still_each_side_has_its_time_again() -> None:
    watched = watching()
    watched.speaking.clear()
    watched.ms += STALL_MS
    watched.hear(Ticked())
    assert len(said(watched, "STALLED")) == 1
    watched.ms += STALL_MS
    watched.hear(Ticked())
    watched.wait(3_000)
    assert only(watched.log, LookForStop) == []
    watched.wait(250)
    assert {look.role for look in only(watched.log, LookForStop)} == {A, B}


def test_after_standing_still_nobody_is_heard_while_redis_is_down() -> None:
    watched = watching()
    watched.speaking.clear()
    watched.hear(MessagingChanged(up=False))
    watched.ms += STALL_MS
    watched.hear(Ticked())
    watched.wait(60_000)
    assert watched.alerts() == ["STATES_UNSEEN"]


def test_the_first_read_of_too_many_orders_is_no_proof() -> None:
    watched = Watched(reads={A: (0, 2), B: (0, 0)})
    watched.hear(Ticked())
    watched.hear(Ticked())
    watched.reads[A] = (0, 1)
    watched.wait(2_000)
    assert watched.alerts() == []


def test_an_old_exposure_is_read_more_often_from_its_tenth_second_on() -> None:
    watched = watching()
    watched.trade(A, 100)
    watched.wait(250)
    watched.log.clear()
    watched.wait(9_750)
    assert only(watched.log, ReadAccount) == []
    watched.wait(250)
    assert {read.role for read in only(watched.log, ReadAccount)} == {A, B}

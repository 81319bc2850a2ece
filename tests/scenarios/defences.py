"""One defence taken away at a time, and the stories that must then fail: no story passes by itself."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.scenarios import test_hazards_desk as desk
from tests.scenarios import test_hazards_orders as orders
from tests.scenarios import test_interleavings as cases
from tests.scenarios import test_limits as limits
from tests.scenarios.faults import Removal, Story, silence_is_refusal
from tests.scenarios.removals import (
    announce_ends_with_the_cancel,
    any_confirmation_will_do,
    any_price_will_do,
    any_resume_will_do,
    armed_for_the_quote_alone,
    b_is_never_unresolved,
    budget_is_not_counted,
    clocks_are_trusted,
    collar_is_around_the_mark_alone,
    every_start_is_a_persons,
    failed_is_still_pending,
    foreign_trades_are_not_looked_at,
    guesses_stand,
    halt_is_a_try,
    hedge_at_any_price,
    higher_nonce_is_adopted,
    journal_errors_are_logged,
    limit_holds_for_closes_too,
    margin_for_every_hedge,
    no_start_is_a_persons,
    old_instances_are_heard,
    old_quotes_are_sent,
    one_read_proves,
    orders_are_not_counted,
    other_account_cannot_be_read,
    partly_filled_is_failed,
    patched_method,
    positions_are_read_by_the_clock_alone,
    residual_is_exposure,
    sources_are_added,
    start_burns_nothing,
    start_does_not_wait_for_reads,
    start_reads_no_orders,
    throttled_is_refused,
    tries_do_not_reach_further,
    versions_are_not_looked_at,
)

from lighter_hedge.domain.arming import Arming
from lighter_hedge.domain.book import Book
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.limits import Limits
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.watch import Watch


@dataclass(frozen=True, slots=True)
class Defence:
    """What is taken away, and the stories that must fail then, by the hazards that they name."""

    removal: Removal
    stories: dict[str, Story]


def always(owner: type, name: str, answer: Any) -> Removal:
    """The method always answers the same."""
    return lambda: patched_method(owner, name, answer)


DEFENCES = [
    Defence(start_reads_no_orders, {
        "h3": partial(orders.test_h3_fill_between_crash_and_journal_is_found, True),
        "e9": cases.test_e9_journals_and_redis_lost,
    }),
    Defence(always(Book, "stale", False), {"h5": desk.test_h5_silent_black_hole_takes_the_quote_away}),
    Defence(silence_is_refusal, {
        "h6": partial(orders.test_h6_order_that_never_arrived_is_sent_again_byte_for_byte, Role.HEDGER),
    }),
    Defence(failed_is_still_pending, {
        "h7": partial(orders.test_h7_accepted_order_that_the_sequencer_drops, Role.HEDGER, False),
    }),
    Defence(partly_filled_is_failed, {"h8": orders.test_h8_hedge_that_is_partly_filled_is_followed_by_the_rest}),
    Defence(tries_do_not_reach_further, {"h9": orders.test_h9_each_try_reaches_further}),
    Defence(higher_nonce_is_adopted, {
        "h10": partial(desk.test_h10_nonce_used_by_somebody_else_ends_the_side, Role.HEDGER),
        "h28": desk.test_h28_b_that_wakes_late_finds_its_nonce_burnt,
    }),
    Defence(always(Arming, "_margin_reason", ""), {
        "h11": orders.test_h11_quote_that_b_could_not_hedge_is_never_shown,
    }),
    Defence(margin_for_every_hedge, {"e15": cases.test_e15_closing_goes_on_without_margin}),
    Defence(residual_is_exposure, {"h13-e8": orders.test_h13_e8_residual_below_the_minimum_is_carried}),
    Defence(any_confirmation_will_do, {"h16": desk.test_h16_confirmation_of_an_earlier_round_opens_nothing}),
    Defence(versions_are_not_looked_at, {"h18-h42": desk.test_h18_h42_words_of_another_version_pause_the_desk}),
    Defence(start_burns_nothing, {
        "h20": partial(desk.test_kill_after_a_fill_loses_nothing, (Role.HEDGER,), 3),
        "e1": partial(cases.test_e1_armed_hedge_of_a_killed_b_counts_as_perhaps_sent, 100, 4),
    }),
    Defence(start_does_not_wait_for_reads, {
        "e6": partial(cases.test_e6_second_b_starts_inside_the_read_lag_of_a_hedge, True),
    }),
    Defence(journal_errors_are_logged, {
        "h25-e21": partial(desk.test_h25_e21_disk_full_ends_the_side_before_it_sends, Role.HEDGER),
    }),
    Defence(old_instances_are_heard, {
        "h27": partial(desk.test_h27_second_instance_takes_over_and_the_first_ends, Role.MAKER),
    }),
    Defence(old_quotes_are_sent, {
        "h28-h40": desk.test_h28_h40_a_that_stood_still_sends_no_old_quote,
        "e13-announced": partial(cases.test_e13_a_wakes_with_b_dead, True, 20),
        "e13-held-up": cases.test_e13_quote_whose_write_was_held_up_is_not_sent,
    }),
    Defence(foreign_trades_are_not_looked_at, {
        "h30": partial(desk.test_h30_liquidation_pauses_and_is_not_hedged_unasked, Role.MAKER),
        "h31": partial(desk.test_h31_trade_by_another_hand_pauses_and_is_never_hedged, Role.MAKER),
    }),
    Defence(hedge_at_any_price, {
        "h33": orders.test_h33_hedge_never_meets_the_rest_of_the_quote,
        "e14": partial(cases.test_e14_two_wallets_and_a_dead_with_a_partly_filled_quote, True),
    }),
    Defence(throttled_is_refused, {"h35": desk.test_h35_too_many_requests_slow_the_quotes_and_count_as_no_try}),
    Defence(orders_are_not_counted, {"h38": desk.test_h38_orders_a_minute_are_limited}),
    Defence(limit_holds_for_closes_too, {"h38-close": desk.test_h38_close_goes_on_at_the_limit}),
    Defence(sources_are_added, {"e3": partial(cases.test_e3_fill_is_the_maximum_of_its_sources, "")}),
    Defence(always(Hedger, "_maker_is_flat", True), {"e4": cases.test_e4_clear_while_b_hedges_what_it_sees}),
    Defence(armed_for_the_quote_alone, {"e7": cases.test_e7_armed_size_is_what_a_full_fill_would_leave_missing}),
    Defence(every_start_is_a_persons, {
        "e10-e12": partial(cases.test_e10_e12_restart_without_a_persons_stop_ends_no_pause, "kill"),
    }),
    Defence(no_start_is_a_persons, {"e11": cases.test_e11_failure_is_ended_by_a_persons_stop_and_start}),
    Defence(any_resume_will_do, {"e12": cases.test_e12_resume_names_its_pause}),
    Defence(positions_are_read_by_the_clock_alone, {"e17-read": cases.test_e17_deaf_copy_of_b_costs_one_read}),
    Defence(b_is_never_unresolved, {
        "e17-unresolved": cases.test_e17_equal_positions_open_no_gate_while_b_is_unresolved,
    }),
    Defence(announce_ends_with_the_cancel, {"e18": cases.test_e18_b_stays_armed_while_the_old_quote_may_fill}),
    Defence(other_account_cannot_be_read, {"e19": cases.test_e19_without_private_reads_of_the_other_account}),
    Defence(guesses_stand, {"e19-guess": cases.test_e19_what_b_took_for_a_fill_of_the_announced_order_is_taken_back}),
    Defence(clocks_are_trusted, {
        "h26-e23": partial(limits.test_h26_e23_clock_that_jumps_stops_quotes_and_no_hedge, Role.MAKER, 180_000),
    }),
    Defence(budget_is_not_counted, {"h35-share": limits.test_h35_quoting_slows_down_before_the_budget_is_gone}),
    Defence(collar_is_around_the_mark_alone, {"h37-hedge": limits.test_h37_mark_price_alone_stops_no_hedge}),
    Defence(any_price_will_do, {"h37": limits.test_h37_price_far_from_the_mark_is_not_quoted}),
    Defence(always(Limits, "exceeded", None), {
        "h38-hour": partial(
            limits.test_h38_limits_of_the_hour_and_the_day_drain,
            "NOTIONAL_LIMIT",
            {"notional_hour_quote_max": 20_000_000},
        ),
    }),
    Defence(always(Watch, "_judge_start", []), {
        "e24": limits.test_e24_exposure_found_at_a_start_pauses_and_is_hedged,
    }),
    Defence(halt_is_a_try, {"e20-h29": cases.test_e20_h29_halted_market_eats_no_tries}),
    Defence(always(Hedger, "_blocked", False), {"e21": cases.test_e21_books_that_disagree_about_b_stop_b}),
    Defence(one_read_proves, {"e25": cases.test_e25_two_reads_with_a_hedge_between_them_pause_nothing}),
]  # fmt: skip

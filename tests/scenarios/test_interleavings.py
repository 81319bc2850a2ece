"""The interleavings that broke an earlier draft of the protocol, one story each, so that none comes back."""

import pytest
from tests.scenarios.stories import (
    Sleeper,
    book,
    check,
    fail_for_want_of_a_key,
    finished,
    halt_market,
    hedges,
    lose_journal,
    nonces,
    paused,
    person_stops_and_starts,
    play_rounds,
    put_to_sleep,
    quoting_again,
    resume,
    set_levels,
    start_second,
    start_until_announced,
)
from tests.simulation.checkers import signed
from tests.simulation.memory_journal import MemoryJournal
from tests.simulation.sim_venue import ACCOUNTS
from tests.simulation.world import ASK, BTC, DESK, World, settings

from lighter_hedge.domain.commands import Attributed, FillTakenBack
from lighter_hedge.domain.events import OrderRequest
from lighter_hedge.domain.settings import Direction
from lighter_hedge.domain.states import Mode, Role
from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.rules import Latency

PRIVATE_B = {"account_all:102", "account_all_orders:102", "account_tx:102"}


@pytest.mark.parametrize("after_ms", [0, 2, 4, 50, 310])
@pytest.mark.parametrize("filled", [40, 100], ids=["part", "full"])
def test_e1_armed_hedge_of_a_killed_b_counts_as_perhaps_sent(filled: int, after_ms: int) -> None:
    """B has armed 100; A fills 40, or all; B is killed before or after it has sent: never −100 against +40."""
    with World(settings(quantity=100)) as world:
        world.start_both()
        world.fault("part_fill", lots=filled)
        world.run(after_ms / 1000)
        world.kill(Role.HEDGER)
        world.run(0.1)
        world.start(Role.HEDGER)
        finished(world, filled)


def test_e1_armed_hedge_that_a_restart_burns_is_no_try() -> None:
    """It counts as perhaps sent until the burn has run; then it is over, and no try was made."""
    with World() as world:
        world.start_both()
        for _ in range(4):
            world.kill(Role.HEDGER)
            world.start(Role.HEDGER)
            world.until(lambda: world.hedger.core.recovered, 20, "B to recover")
        assert world.said(Role.HEDGER, "HEDGE_TRY_FAILED") == []
        play_rounds(world, 1)


def test_e2_consumed_is_not_executed() -> None:
    """B's send times out, its nonce is gone, nothing can be read for 10 s, and then the hedge executes."""
    with World(settings(hedge_confirm_timeout_ms=40_000)) as world:
        world.start_both()
        latencies = world.server.exchange.settings.latencies
        assert isinstance(latencies, dict)
        latencies[Tier.STANDARD] = Latency(taker_us=10_000_000)
        world.fault("lose_answer", Role.HEDGER)
        world.fault("history_lag", Role.HEDGER, seconds=11, for_seconds=12)
        world.b.venue.deaf |= PRIVATE_B
        world.fault("fill_now")
        world.until(lambda: world.position(Role.HEDGER) == -20, 12, "the late hedge")
        latencies[Tier.STANDARD] = Latency(taker_us=300_000)
        world.run(15)
        world.b.venue.deaf.clear()
        finished(world, 20)
        assert len(world.orders(Role.HEDGER)) == 1


@pytest.mark.parametrize("deaf", ["account_all:101", "account_all_orders:101", ""])
def test_e3_fill_is_the_maximum_of_its_sources(deaf: str) -> None:
    """Row, trades, the other side's word: whichever comes, in whatever order, none is added to another."""
    with World(settings(quantity=100, cancel_first=False)) as world:
        world.start_both()
        for role in Role:
            world.processes[role].venue.deaf.add(deaf)
        world.fault("part_fill", lots=60)
        world.run(1)
        for role in Role:
            world.processes[role].venue.deaf.clear()
            world.fault("disconnect", role)
        finished(world, 60)


def test_e4_clear_while_b_hedges_what_it_sees() -> None:
    """A person clears the desk in the very moment of a fill: A closes the rest, B follows, both end flat."""
    with World(settings(quantity=100)) as world:
        world.start_both()
        play_rounds(world, 1)
        quoting_again(world)
        world.fault("part_fill", lots=60)
        world.ask("clear")
        world.until(lambda: world.position(Role.MAKER) == 0 == world.position(Role.HEDGER), 20, "flat")
        world.run(5)
        assert (world.position(Role.MAKER), world.position(Role.HEDGER)) == (0, 0)
        assert world.resting(Role.MAKER) == []
        assert world.maker.latch.mode is Mode.PAUSED
        check(world)


@pytest.mark.parametrize("same_journal", [True, False], ids=["its-journal", "none"])
def test_e6_second_b_starts_inside_the_read_lag_of_a_hedge(same_journal: bool) -> None:
    """What the exchange shows lags 2 s behind; the newcomer burns, waits for the burn and the lag, then reads."""
    with World(settings(read_lag_ms=2_500)) as world:
        world.start_both()
        world.fault("history_lag", Role.HEDGER, seconds=2, for_seconds=60)
        world.fault("fill_now")
        world.run(0.05)
        old = start_second(world, Role.HEDGER, journal=None if same_journal else MemoryJournal(DESK))
        if not same_journal:
            world.until(lambda: not world.b.running, 30, "the start to be refused")
            assert world.b.exit_code == 7
            world.start(Role.HEDGER, adopt=True)
        world.b.venue.deaf |= PRIVATE_B - {"account_tx:102"}
        world.run(10)
        assert len(world.trades(Role.HEDGER)) == 1
        world.b.venue.deaf.clear()
        assert old.task.done()
        assert old.task.result() == 8
        finished(world, 20)


def test_e7_armed_size_is_what_a_full_fill_would_leave_missing() -> None:
    """A holds a residual of +5 and sells 40: B arms for 35, and the armed bytes are what is sent."""
    with World(settings(quantity=40, direction=Direction.ALTERNATE)) as world:
        world.start_both()
        world.fault("part_fill", lots=5)
        world.until(lambda: len(world.orders(Role.MAKER)) == 2, 20, "the next quote")
        assert world.resting(Role.MAKER)[0].side is Side.ASK
        armed = world.hedger.arming.answer()
        assert armed is not None
        assert armed.lots == 35
        world.fault("fill_now")
        finished(world, -35)
        assert [order.size_lots for order in hedges(world)] == [35]


def test_e9_journals_and_redis_lost() -> None:
    """Round 1 comes again: its ids start above all that the exchange has ever seen, and no old fill counts for them."""
    with World() as world:
        world.start_both()
        play_rounds(world, 2)
        old = {role: {order.client_order_index for order in world.orders(role)} for role in Role}
        for role in Role:
            lose_journal(world, role)
        world.hub.wipe()
        for role in Role:
            world.start(role)
        quoting_again(world)
        assert world.maker.round == 1
        play_rounds(world, 2)
        for role in Role:
            ids = [order.client_order_index for order in world.orders(role)]
            assert len(ids) == len(set(ids))
            assert len(set(ids) - old[role]) >= 2


def test_e9_lost_journals_with_positions_are_refused_unless_adopted() -> None:
    """A start refuses positions that no journal explains; a hedged pair can be adopted."""
    with World() as world:
        world.start_both()
        play_rounds(world, 1)
        for role in Role:
            lose_journal(world, role)
            world.start(role)
        world.run(10)
        assert world.a.exit_code == world.b.exit_code == 7
        for role in Role:
            world.start(role, adopt=True)
        assert quoting_again(world).side is Side.ASK
        play_rounds(world, 1)
        assert (world.position(Role.MAKER), world.position(Role.HEDGER)) == (0, 0)


@pytest.mark.parametrize("ended_by", ["sigterm", "kill"])
def test_e10_e12_restart_without_a_persons_stop_ends_no_pause(ended_by: str) -> None:
    """A supervisor, or a reboot, stops and starts both in the words of a person: only ``down`` records a stop."""
    with World() as world:
        revoked = fail_for_want_of_a_key(world)
        world.clear_fault(revoked)
        for role in Role:
            process = world.processes[role]
            assert process.driver is not None
            if ended_by == "sigterm":
                process.driver.stop()
                world.until(lambda: not process.running, 20, "the end")  # noqa: B023 called at once
            world.kill(role)
        for role in Role:
            world.start(role, by_person=True)
        world.run(20)
        assert world.maker.latch.mode is Mode.PAUSED
        assert world.position(Role.HEDGER) == 0


def test_e11_failure_is_ended_by_a_persons_stop_and_start() -> None:
    """The user's own steps: stop, mend the cause, start. B has new tries, and a hedged pair is not open."""
    with World() as world:
        revoked = fail_for_want_of_a_key(world)
        world.clear_fault(revoked)
        person_stops_and_starts(world)
        quoting_again(world)
        assert (world.position(Role.MAKER), world.position(Role.HEDGER)) == (20, -20)


def test_e12_resume_names_its_pause() -> None:
    """A resume for an earlier pause, delivered after a new one, is void."""
    with World() as world:
        world.start_both()
        world.ask("pause", reason="lunch")
        paused(world, "PAUSED")
        assert world.maker.latch.pause is not None
        first = world.maker.latch.pause.id
        resume(world)
        quoting_again(world)
        world.ask("pause", reason="dinner")
        paused(world, "PAUSED")
        world.ask("resume", pause_id=first)
        world.run(5)
        assert world.maker.latch.mode is Mode.PAUSED
        assert world.said(Role.MAKER, "RESUME_VOID")
        resume(world)
        quoting_again(world)


@pytest.mark.parametrize(("announced", "asleep"), [(True, 20), (False, 300)], ids=["announced", "resting"])
def test_e13_a_wakes_with_b_dead(announced: bool, asleep: float) -> None:
    """What A hears first is an old answer of B, which has died meanwhile: nothing is shown on its strength."""
    with World() as world:
        start_until_announced(world)
        if not announced:
            quoting_again(world)
        sleeper = put_to_sleep(world, Role.MAKER)
        world.run(2)
        world.kill(Role.HEDGER)
        world.run(asleep)
        before = len(world.orders(Role.MAKER))
        sleeper.wake()
        world.until(lambda: not world.resting(Role.MAKER), 1, "what rests to go")
        world.run(5)
        assert len(world.orders(Role.MAKER)) == before
        world.start(Role.HEDGER)
        quoting_again(world)


def test_e13_quote_whose_write_was_held_up_is_not_sent() -> None:
    """A stands still at the very write of its quote, for 20 s, and B dies: the intent is too old to be sent."""
    with World() as world:
        sleeper = start_and_hold_the_quote(world)
        world.kill(Role.HEDGER)
        world.run(20)
        sleeper.wake()
        world.run(3)
        assert world.orders(Role.MAKER) == []


def start_and_hold_the_quote(world: World) -> Sleeper:
    """A falls asleep when it is about to write its first quote."""
    world.start(Role.HEDGER)
    world.start(Role.MAKER)
    world.until(lambda: world.maker.core.lane.booted, 10, "A's start")
    sleeper = put_to_sleep(world, Role.MAKER, at_send=True)
    world.until(lambda: sleeper.asleep, 10, "A to send")
    return sleeper


@pytest.mark.parametrize("back", [True, False], ids=["a-is-back", "quote-expires"])
def test_e14_two_wallets_and_a_dead_with_a_partly_filled_quote(back: bool) -> None:
    """B hedges only out of reach of the rest of the quote, until A is back or the quote has expired."""
    desk = settings(quantity=100, maker_order_timeout_ms=3_000, hedge_confirm_timeout_ms=20_000, unhedged_ms_max=40_000)
    bids = ((1_200_000, 500),)
    with World(desk, same_wallet=False, traffic=book(bids=bids, asks=((ASK, 500),))) as world:
        world.start(Role.HEDGER)
        world.start(Role.MAKER)
        price = quoting_again(world).price_ticks
        set_levels(world, (Side.BID, price, 0), (Side.BID, price - 10, 500))
        world.kill(Role.MAKER)
        world.fault("part_fill", lots=60)
        world.run(60)
        assert world.position(Role.HEDGER) == 0
        assert world.hedger.ask is not None
        assert world.hedger.ask.code == "UNHEDGED_TOO_LONG"
        assert world.said(Role.HEDGER, "HEDGE_TRY_FAILED") == []
        if back:
            world.start(Role.MAKER)
            finished(world, 60)
            return
        world.until(lambda: world.resting(Role.MAKER) == [], 330, "the quote to expire")
        world.until(world.hedged, 20, "the hedge")
        check(world)


def test_e15_closing_goes_on_without_margin() -> None:
    """B's collateral is just used up: a hedge that shrinks its position needs none, and neither does a drain."""
    with World() as world:
        world.start_both()
        play_rounds(world, 1)
        quoting_again(world)
        world.server.exchange.state.accounts[ACCOUNTS[Role.HEDGER]].collateral = 0
        world.kill(Role.HEDGER)
        world.until(lambda: not world.resting(Role.MAKER), 5, "the quote to go")
        world.start(Role.HEDGER)
        world.ask("drain")
        play_rounds(world, 1)
        assert (world.position(Role.MAKER), world.position(Role.HEDGER)) == (0, 0)
        world.until(lambda: world.maker.latch.mode is Mode.PAUSED, 10, "drained")


def test_e17_deaf_copy_of_b_costs_one_read() -> None:
    """B has confirmed; A's own copy of B shows nothing: after a second, one read of B's position decides."""
    with World(settings(reconcile_ms=600_000)) as world:
        world.start_both()
        world.run(3)
        world.a.venue.deaf.add("account_all:102")
        orders = len(world.orders(Role.MAKER))
        world.fault("fill_now")
        world.until(world.hedged, 5, "the hedge")
        world.run(0.9)
        assert len(world.orders(Role.MAKER)) == orders
        quoting_again(world, 5)
        assert world.said(Role.MAKER, "QUOTE_CANCELLED") == []


def test_e17_equal_positions_open_no_gate_while_b_is_unresolved() -> None:
    """The hedge has executed and everybody can see it, but B does not know what became of its transaction."""
    with World(settings(read_lag_ms=9_000)) as world:
        world.start_both()
        orders = len(world.orders(Role.MAKER))
        world.fault("lose_answer", Role.HEDGER)
        world.fault("history_lag", Role.HEDGER, seconds=8, for_seconds=10)
        world.b.venue.deaf |= PRIVATE_B
        world.fault("fill_now")
        world.until(world.hedged, 5, "the hedge")
        world.run(4)
        assert world.hedger.core.lane.unresolved
        assert len(world.orders(Role.MAKER)) == orders
        assert "account B has a hedge in flight" in world.maker.waiting
        world.b.venue.deaf.clear()
        quoting_again(world, 50)


def test_e18_b_stays_armed_while_the_old_quote_may_fill() -> None:
    """A requotes; the old quote fills in its cancel race: the hedge that was armed for it goes at once."""
    with World(settings(maker_order_timeout_ms=3_000)) as world:
        world.start_both()
        world.fault("cancel_race")
        world.until(lambda: bool(world.said(Role.MAKER, "QUOTE_CANCELLED")), 10, "the cancel")
        cancelled_ms = world.now().wall_ms
        armed = world.hedger.arming.answer()
        assert armed is not None
        finished(world, 20)
        sent = next(c for c in world.b.journal.candidates if isinstance(c.request, OrderRequest) and c.nonce == 1)
        assert sent.request.coid == world.orders(Role.HEDGER)[0].client_order_index  # type: ignore[union-attr]
        assert sent.signed_ms < cancelled_ms


def test_e19_without_private_reads_of_the_other_account() -> None:
    """Neither side may follow the other's account: states and public reads are enough."""
    with World() as world:
        world.a.venue.deaf.add("account_all:102")
        world.b.venue.deaf.add("account_all:101")
        world.start_both()
        play_rounds(world, 4)
        assert world.maker.latch.mode is Mode.RUNNING


def journalled(world: World, kind: type) -> list[object]:
    """B's entries of one kind, oldest first."""
    return [entry for entry in world.b.journal.entries if isinstance(entry, kind)]


def test_e19_what_b_took_for_a_fill_of_the_announced_order_is_taken_back() -> None:
    """B is cut off from A's frames and words while A cancels its quote and closes by another order: hedged once.

    Told of that order at last, B's books hold one movement twice. No pause: the desk quotes again, over a restart too.
    Worlds 1748610 and 1766373.
    """
    with World() as world:
        world.start_both()
        play_rounds(world, 1)
        quoting_again(world)
        world.b.venue.deaf.add("account_all:101")
        world.b.messaging.cut()
        world.until(lambda: not world.resting(Role.MAKER), 10, "the quote to go")
        world.ask("clear")
        world.until(lambda: not world.position(Role.MAKER), 20, "A to close")
        world.until(world.hedged, 30, "B to follow what it reads of A")
        assert len(journalled(world, Attributed)) == 1
        assert not journalled(world, FillTakenBack)
        world.b.messaging.mend()
        world.until(lambda: bool(journalled(world, FillTakenBack)), 30, "the guess to be taken back")
        world.run(2)
        books = world.hedger.core.maker
        assert (books.position, books.in_flight, world.hedger.core.hedger.position) == (0, 0, 0)
        world.b.venue.deaf.clear()
        world.kill(Role.HEDGER)
        world.start(Role.HEDGER)
        world.until(lambda: world.hedger.core.recovered, 20, "B to recover")
        assert (world.hedger.core.maker.position, world.hedger.core.hedger.position) == (0, 0)
        paused(world, "CLEARED")
        resume(world)
        quoting_again(world)
        assert [order.filled_lots for order in hedges(world)] == [20, 20]
        assert world.a.journal.alerts == world.b.journal.alerts == []


def test_e20_h29_halted_market_eats_no_tries() -> None:
    """The exchange refuses everything in the market: the limit of exposure pauses, B goes on, and hedges afterwards."""
    with World(settings(hedge_confirm_timeout_ms=5_000, unhedged_ms_max=10_000)) as world:
        world.start_both()
        halt_market(world, halted=True)
        world.fault("fill_now")
        paused(world, "UNHEDGED_TOO_LONG", 20)
        assert world.said(Role.HEDGER, "HEDGE_TRY_FAILED") == []
        world.run(30)
        halt_market(world, halted=False)
        world.until(world.hedged, 15, "the hedge")
        assert len(nonces(world, Role.HEDGER)) == 1
        check(world)


def test_e20_failure_is_published_only_with_nothing_unresolved() -> None:
    """Two tries have failed, the third is under way without an answer: no failure while it may still fill."""
    with World(settings(retry_times=2)) as world:
        world.start_both()
        world.fault("reject", Role.HEDGER, code=21739)
        world.fault("fill_now")
        world.until(lambda: bool(world.said(Role.HEDGER, "HEDGE_TRY_FAILED")), 5, "the first try")
        world.fault("lose_answer", Role.HEDGER)
        world.b.venue.deaf |= PRIVATE_B
        world.run(4)
        assert world.published() == [] or not any(name.endswith("failed") for name, _ in world.published())
        world.b.venue.deaf.clear()
        finished(world, 20)
        assert not any(name.endswith("failed") for name, _ in world.published())


def test_e21_books_that_disagree_about_b_stop_b() -> None:
    """B's position is proved to be not what its books say: it hedges nothing on their strength."""
    with World(settings(reconcile_ms=1_000)) as world:
        world.start_both()
        world.server.exchange.state.accounts[ACCOUNTS[Role.HEDGER]].position(BTC).lots = 30
        world.fault("late_fill", delay_ms=10_000)
        paused(world, "POSITION_DIFFERS", 20)
        world.run(30)
        assert world.position(Role.MAKER) == 20
        assert world.trades(Role.HEDGER) == []


@pytest.mark.parametrize("verb", ["pause", "drain"])
def test_e21_paused_desk_still_hedges(verb: str) -> None:
    """A fill in the race with a person's pause or drain."""
    with World() as world:
        world.start_both()
        world.fault("cancel_race")
        world.ask(verb)
        if verb == "drain":
            world.fault("fill_now")
        finished(world, 20)


def test_e25_two_reads_with_a_hedge_between_them_pause_nothing() -> None:
    """Positions are read all the time, and show what was half a second ago: no difference is ever proved by that."""
    with World(settings(reconcile_ms=300, read_lag_ms=500)) as world:
        for role in Role:
            lag_positions(world, role, 0.45)
        world.start_both()
        play_rounds(world, 6)
        assert world.maker.latch.mode is Mode.RUNNING


def lag_positions(world: World, role: Role, seconds: float) -> None:
    """Reads of accounts show the positions of a while ago."""
    venue = world.processes[role].venue
    read_account = venue.read_account

    async def lagging(whose: Role) -> tuple[int, int, int]:
        _, available, orders = await read_account(whose)
        until_us = world.server.now_us() - int(seconds * 1_000_000)
        position = sum(signed(trade, ACCOUNTS[whose]) for trade in world.trades(whose) if trade.time_us <= until_us)
        return position, available, orders

    venue.read_account = lagging  # type: ignore[method-assign, assignment]

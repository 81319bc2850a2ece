"""Hazards of processes, messages and the exchange: dead, doubled, asleep, deaf, wiped, or not the desk's own."""

import copy

import pytest
from tests.scenarios.stories import (
    burn_by_another_hand,
    by_another_hand,
    check,
    ended_for_its_journal,
    finished,
    full_disk,
    happen,
    liquidate,
    nonces,
    orders_sent,
    paused,
    play_rounds,
    put_to_sleep,
    quoting_again,
    resume,
    retell,
    start_second,
    start_until_announced,
)
from tests.simulation.sim_venue import ACCOUNTS
from tests.simulation.world import BID, BTC, DESK, World, settings

from lighter_hedge.domain.events import OrderReport, TxStatus
from lighter_hedge.domain.states import Mode, Role
from lighter_hedge.domain.units import Side
from lighter_hedge.messaging.keys import DeskKeys
from lighter_hedge.messaging.messages import encode
from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.events import BookChange

BOOK = f"order_book:{BTC.market_index}"
PRIVATE = ("account_all", "account_all_orders", "account_tx", "user_stats")
ALL_CHANNELS = {BOOK, f"market_stats:{BTC.market_index}"} | {
    f"{channel}:{account}" for channel in PRIVATE for account in ACCOUNTS.values()
}


# --- what is heard ----------------------------------------------------------------------------------------------


def test_h5_silent_black_hole_takes_the_quote_away() -> None:
    """A's connection stays open and says nothing: no quote stands on a book that is not seen; fills are hedged."""
    with World() as world:
        world.start_both()
        world.a.venue.deaf |= ALL_CHANNELS
        world.until(lambda: not world.resting(Role.MAKER), 5, "the quote to go")
        orders = len(world.orders(Role.MAKER))
        world.run(10)
        assert len(world.orders(Role.MAKER)) == orders
        world.a.venue.deaf.clear()
        world.fault("disconnect", Role.MAKER)
        quoting_again(world)


def test_h5_fill_in_a_black_hole_is_hedged() -> None:
    """B has its own copy of A."""
    with World() as world:
        world.start_both()
        world.a.venue.deaf |= ALL_CHANNELS
        world.fault("fill_now")
        world.until(world.hedged, 5, "the hedge")
        world.a.venue.deaf.clear()
        world.fault("disconnect", Role.MAKER)
        finished(world, 20)


def test_h5_book_with_a_gap_is_not_quoted_from() -> None:
    """A frame of the book is missing: the chain is broken, a snapshot is taken, and only then a quote follows."""
    with World() as world:
        world.start_both()
        world.a.venue.deaf.add(BOOK)
        level = BookChange(market_index=BTC.market_index, updates=((Side.BID, BID + 5, 500),), snapshot=False)
        happen(world, level)
        world.run(0.1)
        world.a.venue.deaf.clear()
        world.until(lambda: not world.resting(Role.MAKER), 5, "the quote to go")
        assert quoting_again(world).price_ticks == BID + 5


@pytest.mark.parametrize("role", list(Role))
def test_h10_nonce_used_by_somebody_else_ends_the_side(role: Role) -> None:
    """Another program uses the key: the side finds its nonce gone, sends nothing more and is not restarted."""
    with World(settings(unhedged_ms_max=10_000, hedge_confirm_timeout_ms=5_000)) as world:
        world.start_both()
        burn_by_another_hand(world, role)
        world.fault("fill_now")
        world.until(lambda: not world.processes[role].running, 30, "the side to end")
        assert world.processes[role].exit_code == 8
        assert [code for code, _ in world.processes[role].journal.alerts] == ["SUPERSEDED"]
        sent = len(world.server.sends)
        if role is Role.HEDGER:
            paused(world, "UNHEDGED_TOO_LONG", 20)
            assert [code for code, _ in world.a.journal.alerts] == ["UNHEDGED_TOO_LONG"]
        world.run(5)
        assert role is Role.MAKER or len(orders_sent(world, role)) <= 1
        assert len(world.server.sends) - sent <= 2
        check(world)


# --- what is told -----------------------------------------------------------------------------------------------


def test_h15_lost_confirmation_is_said_again() -> None:
    """B's states are lost while it hedges. A waits for the word of B, which comes with any later state."""
    with World() as world:
        world.start_both()
        orders = len(world.orders(Role.MAKER))
        world.b.messaging.cut()
        world.fault("fill_now")
        world.until(world.hedged, 5, "the hedge")
        world.run(5)
        assert len(world.orders(Role.MAKER)) == orders
        world.b.messaging.heal()
        quoting_again(world)
        assert world.position(Role.HEDGER) == -20


def test_h16_confirmation_of_an_earlier_round_opens_nothing() -> None:
    """B's word for round 1 is heard again, as if new, while B itself cannot be heard in round 2."""
    with World() as world:
        world.start_both()
        play_rounds(world, 1)
        quoting_again(world)
        old = world.hedger.state(world.now())
        assert old.confirm is not None
        orders = len(world.orders(Role.MAKER))
        world.b.messaging.cut()
        world.fault("fill_now")
        world.until(world.hedged, 5, "the hedge")
        for _ in range(5):
            world.run(1)
            retell(world, Role.HEDGER, old)
        assert len(world.orders(Role.MAKER)) == orders
        assert any("has not confirmed round 2" in reason for reason in world.maker.waiting)
        world.b.messaging.heal()
        quoting_again(world)


def test_h17_repeated_and_reordered_messages_change_nothing() -> None:
    """Old states of both sides come again, between the new ones, under new ids."""
    with World() as world:
        world.start_both()
        key = DeskKeys(desk=DESK)
        for _ in range(3):
            play_rounds(world, 1)
            for role in Role:
                told = [body for _, body in world.hub.after(key.state(role), (0, 0))]
                for body in told[-12::3]:
                    retell(world, role, body)
                    world.run(0.2)
        play_rounds(world, 2)


def test_h18_h42_words_of_another_version_pause_the_desk() -> None:
    """One host runs another version: it is named, and the desk waits for a person."""
    with World() as world:
        world.start_both()
        foreign = encode(world.hedger.state(world.now())).replace(b'"schema":1', b'"schema":2')
        world.kill(Role.HEDGER)
        retell(world, Role.HEDGER, foreign)
        world.until(lambda: world.maker.latch.mode is Mode.PAUSED, 5, "the pause")
        assert "schema version 2" in world.said(Role.MAKER, "MESSAGE_UNREADABLE")[0]
        world.start(Role.HEDGER)
        world.run(5)
        assert world.resting(Role.MAKER) == []
        resume(world)
        quoting_again(world)


def test_h18_damaged_words_are_never_followed() -> None:
    """Whatever stands in the stream: it is named, and heals with the next state."""
    with World() as world:
        world.start_both()
        for damaged in (b"", b"{", b"[1]", b'{"schema":1}'):
            retell(world, Role.HEDGER, damaged)
            world.run(1)
        assert len(world.said(Role.MAKER, "MESSAGE_UNREADABLE")) >= 4
        quoting_again(world)
        play_rounds(world, 1)


@pytest.mark.parametrize("flushed", [False, True], ids=["h22-gone", "h23-e22-flushed"])
def test_redis_lost_in_a_round_loses_nothing(flushed: bool) -> None:
    """The desk hedges on without it and quotes nothing; once it is back, even empty, the next second is whole again."""
    with World() as world:
        world.start_both()
        world.hub.cut()
        world.fault("fill_now")
        world.until(world.hedged, 10, "the hedge without Redis")
        world.run(5)
        assert world.resting(Role.MAKER) == []
        if flushed:
            world.hub.wipe()
        world.hub.heal()
        quoting_again(world, 20)
        assert bool(world.said(Role.MAKER, "REDIS_WIPED")) == flushed
        play_rounds(world, 2)


def test_h22_resting_quote_goes_when_redis_goes() -> None:
    """Without Redis nobody answers for B: A takes its quote away at once."""
    with World() as world:
        world.start_both()
        world.hub.cut()
        world.until(lambda: not world.resting(Role.MAKER), 3, "the quote to go")


def test_h24_failover_that_loses_the_newest_entries() -> None:
    """Redis comes back as it was a round ago, in the middle of a fill."""
    with World() as world:
        world.start_both()
        before = copy.deepcopy(world.hub._streams)
        play_rounds(world, 1)
        quoting_again(world)
        world.fault("fill_now")
        world.run(0.01)
        world.hub._streams = before
        world.until(lambda: world.position(Role.MAKER) == 0 and world.hedged(), 10, "the hedge")
        play_rounds(world, 3)


# --- processes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after_ms", [1, 3, 100, 305, 320])
@pytest.mark.parametrize(
    "dying",
    [
        pytest.param((Role.MAKER,), id="h19-a"),
        pytest.param((Role.HEDGER,), id="h20-b"),
        pytest.param((Role.MAKER, Role.HEDGER), id="h21-both"),
    ],
)
def test_kill_after_a_fill_loses_nothing(dying: tuple[Role, ...], after_ms: int) -> None:
    """Whoever dies, while the hedge is signed, under way, or executed and not yet heard of: once, and then on."""
    with World() as world:
        world.start_both()
        world.fault("fill_now")
        world.run(after_ms / 1000)
        for role in dying:
            world.kill(role)
        world.run(0.1)
        for role in dying:
            world.start(role)
        finished_round(world)


def finished_round(world: World) -> None:
    """The fill of 20 is hedged in one order, confirmed, and A closes what it holds."""
    world.until(lambda: world.position(Role.MAKER) == 20 and world.hedged(), 30, "the hedge")
    assert quoting_again(world).side is Side.ASK
    assert len(world.trades(Role.HEDGER)) == 1


@pytest.mark.parametrize("role", list(Role))
def test_h25_e21_disk_full_ends_the_side_before_it_sends(role: Role) -> None:
    """No journal, no order: the side ends; only an armed hedge, which its journal holds, may still go."""
    with World() as world:
        world.start_both()
        with full_disk(world, role):
            world.fault("fill_now")
            ended_for_its_journal(world, role)
            world.until(world.hedged, 5, "the armed hedge")
            orders = len(world.orders(Role.MAKER))
            world.run(10)
            assert len(world.orders(Role.MAKER)) == orders
        world.start(role)
        finished_round(world)


@pytest.mark.parametrize("role", list(Role))
def test_h27_second_instance_takes_over_and_the_first_ends(role: Role) -> None:
    """The newcomer burns the key's nonce, and its states are the newer ones: the old one ends with 8."""
    with World() as world:
        world.start_both()
        old = start_second(world, role)
        world.run(8)
        world.fault("fill_now")
        finished(world, 20)
        assert old.task.done()
        assert old.task.result() == 8


def test_h27_two_instances_that_redis_cannot_tell_apart() -> None:
    """The old B does not reach Redis, and hedges what it sees: the nonce alone lets one of the two through."""
    with World() as world:
        world.start_both()
        old = start_second(world, Role.HEDGER)
        old.messaging.cut()
        world.run(8)
        for filled in (20, 0, 20):
            world.until(lambda: bool(world.resting(Role.MAKER)), 30, "a quote")
            world.fault("fill_now")
            finished(world, filled)


def test_h28_b_that_wakes_late_finds_its_nonce_burnt() -> None:
    """B stands still at the very write of its hedge; its successor hedges; the old bytes then go out in vain."""
    with World() as world:
        world.start_both()
        sleeper = put_to_sleep(world, Role.HEDGER, at_send=True)
        world.fault("fill_now")
        world.until(lambda: sleeper.asleep, 5, "B to stand still")
        old = start_second(world, Role.HEDGER)
        old.messaging.cut()
        world.until(world.hedged, 10, "the successor's hedge")
        sleeper.wake()
        world.until(old.task.done, 20, "the old one to end")
        assert old.task.result() == 8
        assert len(orders_sent(world, Role.HEDGER)) == 2
        finished(world, 20)
        assert len(world.trades(Role.HEDGER)) == 1


def test_h28_h40_a_that_stood_still_sends_no_old_quote() -> None:
    """A stands still between its announce and its send, for longer than an intent may be old; the market has moved."""
    with World() as world:
        start_until_announced(world)
        sleeper = put_to_sleep(world, Role.MAKER)
        happen(world, BookChange(market_index=BTC.market_index, updates=((Side.BID, BID, 0),), snapshot=False))
        world.run(3)
        sleeper.wake()
        quote = quoting_again(world)
        assert [order.price_ticks for order in world.orders(Role.MAKER)] == [quote.price_ticks]
        assert quote.price_ticks < BID
        play_rounds(world, 1)


# --- the exchange -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", list(Role))
def test_h30_liquidation_pauses_and_is_not_hedged_unasked(role: Role) -> None:
    """The exchange takes a part of a position away: it is named, the desk pauses, nobody trades against it."""
    with World() as world:
        world.start_both()
        play_rounds(world, 1)
        quoting_again(world)
        before = len(world.trades(Role.HEDGER))
        liquidate(world, role, 20)
        paused(world, "FOREIGN_TRADE")
        world.run(20)
        assert len(world.trades(Role.HEDGER)) == before
        alerts = [text for process in world.processes.values() for _, text in process.journal.alerts]
        assert any(f"account {role.letter}: liquidation" in text for text in alerts)


@pytest.mark.parametrize("role", list(Role))
def test_h31_trade_by_another_hand_pauses_and_is_never_hedged(role: Role) -> None:
    """A person, or another program, trades on one of the accounts."""
    with World() as world:
        world.start_both()
        by_another_hand(world, role, 30)
        paused(world, "FOREIGN_TRADE")
        world.run(20)
        assert world.position(role) == 30
        assert world.position(role.other) == 0
        assert any(code == "FOREIGN_TRADE" for code, _ in world.processes[role].journal.alerts)


def test_h32_funding_and_fees_never_enter_the_books() -> None:
    """Collateral moves by itself, and each trade costs: lots do not care."""
    with World(tier=Tier.PREMIUM) as world:
        world.start_both()
        for change in (5_000_000, -7_000_000, -1):
            for role in Role:
                world.server.exchange.state.accounts[ACCOUNTS[role]].collateral += change
            play_rounds(world, 2)
        assert world.maker.latch.mode is Mode.RUNNING
        assert (world.position(Role.MAKER), world.position(Role.HEDGER)) == (0, 0)


def test_h35_too_many_requests_slow_the_quotes_and_count_as_no_try() -> None:
    """A: quiet for a minute. B: again soon, under the same nonce."""
    with World() as world:
        world.start_both()
        world.fault("reject", Role.HEDGER, code=23000)
        world.fault("fill_now")
        finished(world, 20)
        assert world.said(Role.HEDGER, "HEDGE_TRY_FAILED") == []
        assert nonces(world, Role.HEDGER) == {1}
        world.fault("reject", Role.MAKER, code=23000)
        world.until(lambda: bool(world.said(Role.MAKER, "CANCEL_REFUSED")), 40, "the refusal")
        sent = len(orders_sent(world, Role.MAKER))
        world.run(50)
        assert len(orders_sent(world, Role.MAKER)) == sent
        quoting_again(world, 30)


def test_h38_orders_a_minute_are_limited() -> None:
    """A requotes every three seconds and may place four orders a minute: at the limit it opens nothing more."""
    with World(settings(maker_order_timeout_ms=3_000, orders_per_minute_max=4)) as world:
        world.start_both()
        world.run(40)
        assert len(world.orders(Role.MAKER)) == 4
        assert any("4 orders in the last minute" in reason for reason in world.maker.waiting)
        world.until(lambda: len(world.orders(Role.MAKER)) == 5, 40, "the next minute")


def test_h38_close_goes_on_at_the_limit() -> None:
    """At a limit of opening quotes, what is open is still closed."""
    with World(settings(orders_per_minute_max=1)) as world:
        world.start_both()
        play_rounds(world, 2)
        assert (world.position(Role.MAKER), world.position(Role.HEDGER)) == (0, 0)
        assert len(world.orders(Role.MAKER)) == 2


@pytest.mark.parametrize("role", list(Role))
def test_h39_order_that_the_exchange_has_forgotten(role: Role) -> None:
    """A side was away for so long that orders and transactions cannot be read any more: the positions decide."""
    with World() as world:
        world.start_both()
        world.fault("fill_now")
        world.run(0.35)
        for one in Role:
            world.kill(one)
        venue, forgotten = world.processes[role].venue, frozenset(world.server.exchange.state.txs)
        read_tx = venue.read_tx

        async def no_rows(coids: tuple[int, ...]) -> tuple[OrderReport, ...]:
            return ()

        async def no_tx(tx_hash: str) -> tuple[TxStatus, str]:
            return (TxStatus.NOT_FOUND, "") if tx_hash in forgotten else await read_tx(tx_hash)

        venue.read_orders, venue.read_tx = no_rows, no_tx  # type: ignore[method-assign]
        for one in Role:
            world.start(one)
        world.run(20)
        check(world)
        assert world.maker.latch.mode is Mode.PAUSED or (world.hedged() and world.position(Role.MAKER) == 20)
        assert len(world.trades(Role.HEDGER)) == 1

"""Trouble that an operator meets, each once a way to lose money or to hang."""

import pytest
from tests.scenarios.stories import book, move_market, play_rounds
from tests.simulation.checkers import check_once
from tests.simulation.world import World, settings

from lighter_hedge.domain.states import Mode, Role


def fail_on_the_close(world: World) -> None:
    """A's close has filled while B was dead, and the market has run away past every cap of B's tries."""
    world.start_both()
    play_rounds(world, 1)
    world.until(lambda: bool(world.resting(Role.MAKER)), 20, "the closing quote")
    world.kill(Role.HEDGER)
    world.fault("fill_now")
    world.until(lambda: world.position(Role.MAKER) == 0, 10, "the close")
    move_market(world, 30_000)
    world.start(Role.HEDGER)
    world.until(lambda: world.hedger.tries.failed is not None, 40, "B's failure")
    assert world.position(Role.HEDGER) == -20


def test_hedge_now_goes_from_where_the_market_is() -> None:
    """A person's new tries are not capped at a price that the market has left for good."""
    with World(settings(hedge_confirm_timeout_ms=20_000, unhedged_ms_max=60_000)) as world:
        fail_on_the_close(world)
        world.until(lambda: world.maker.latch.pause is not None, 10, "the pause")
        assert world.maker.latch.pause is not None
        world.ask("resume", pause_id=world.maker.latch.pause.id, hedge_now=True)
        world.until(world.hedged, 20, "the hedge")
        world.until(lambda: world.maker.latch.mode is Mode.RUNNING, 20, "running")
        check_once(world)


def test_clear_closes_what_b_has_failed_to_hedge() -> None:
    """A is flat, B has used its tries up: clear closes B reduce-only."""
    with World(settings(hedge_confirm_timeout_ms=20_000, unhedged_ms_max=60_000)) as world:
        fail_on_the_close(world)
        world.ask("clear")
        world.until(world.hedged, 20, "flat")
        assert world.position(Role.HEDGER) == 0


def test_resume_forgets_a_clear_that_did_not_end() -> None:
    """A running desk closes by quotes that are announced and armed, never by what a person once asked for."""
    with World() as world:
        world.start_both()
        play_rounds(world, 1)
        refused = world.fault("key_revoked", Role.MAKER)
        world.ask("clear")
        world.until(lambda: world.maker.latch.mode is Mode.PAUSED, 10)
        world.run(5)
        world.clear_fault(refused)
        assert world.maker.latch.pause is not None
        if world.position(Role.MAKER):
            world.ask("resume", pause_id=world.maker.latch.pause.id)
            world.until(lambda: world.maker.latch.mode is Mode.RUNNING, 20, "running")
            assert not world.maker.closing.wanted


@pytest.mark.parametrize("quantity", [20, 25])
def test_smallest_quote_can_always_be_hedged(quantity: int) -> None:
    """Where the notional minimum binds, a hedge at its cap must still reach it, or A does not quote at all."""
    traffic = book(bids=((498_990, 500),), asks=((499_000, 500),), mark=499_000)
    with World(settings(quantity=quantity), traffic=traffic) as world:
        world.start(Role.HEDGER)
        world.start(Role.MAKER)
        world.fault("fill_now")
        world.run(8)
        assert world.hedged()
        assert world.said(Role.HEDGER, "HEDGE_TRY_FAILED") == []


def test_many_armed_hedges_do_not_flood_the_venue_at_a_restart() -> None:
    """A requotes for minutes, each time another hedge is armed under one nonce; a restart asks for few of them."""
    with World(settings(maker_order_timeout_ms=3_000)) as world:
        world.start_both()
        world.until(lambda: world.maker.attempt > 40, 300, "forty requotes")
        world.fault("fill_now")
        world.until(lambda: world.position(Role.MAKER) == 20, 10)
        world.run(0.01)
        world.kill(Role.HEDGER)
        asked: list[str] = []
        read_tx = world.b.venue.read_tx

        async def counted(tx_hash: str) -> object:
            asked.append(tx_hash)
            return await read_tx(tx_hash)

        world.b.venue.read_tx = counted  # type: ignore[assignment,method-assign]
        world.start(Role.HEDGER)
        world.until(world.hedged, 30, "the hedge")
        assert len(asked) < 30
        check_once(world)


def test_sigterm_to_both_at_once_leaves_nothing_unhedged() -> None:
    """A host that shuts down: B stays until A shows nothing more, and A until B has hedged."""
    with World() as world:
        world.start_both()
        world.fault("cancel_race")
        for process in (world.b, world.a):
            assert process.driver is not None
            process.driver.stop()
        world.until(lambda: not world.a.running and not world.b.running, 30, "both to end")
        assert world.position(Role.MAKER) == 20
        assert world.hedged()


def test_restart_does_not_carry_out_old_commands() -> None:
    """A clear of an hour ago closes nothing today."""
    with World() as world:
        world.start_both()
        world.ask("clear")
        world.until(lambda: world.maker.latch.mode is Mode.PAUSED, 10)
        assert world.maker.latch.pause is not None
        world.run(2)
        world.ask("resume", pause_id=world.maker.latch.pause.id)
        world.until(lambda: world.maker.latch.mode is Mode.RUNNING, 20, "running")
        play_rounds(world, 1)
        held = world.position(Role.MAKER)
        for role in Role:
            world.kill(role)
            world.start(role)
        world.run(10)
        assert world.maker.latch.mode is Mode.RUNNING
        assert world.position(Role.MAKER) == held


def test_failover_to_an_old_replica_does_not_carry_out_old_commands() -> None:
    """A has started afresh and knows no command by its id; then Redis stands where it stood after the clear."""
    with World() as world:
        world.start_both()
        world.ask("clear")
        world.until(lambda: world.maker.latch.mode is Mode.PAUSED, 10)
        replica = world.hub.saved()
        assert world.maker.latch.pause is not None
        world.run(2)
        world.ask("resume", pause_id=world.maker.latch.pause.id)
        world.until(lambda: world.maker.latch.mode is Mode.RUNNING, 20, "running")
        play_rounds(world, 1)
        world.kill(Role.MAKER)
        world.start(Role.MAKER)
        world.run(5)
        world.hub.restore(replica)
        world.run(10)
        assert world.maker.latch.mode is Mode.RUNNING
        world.ask("pause")
        world.until(lambda: world.maker.latch.mode is Mode.PAUSED, 3, "what a person says now is heard")


def test_an_old_command_that_comes_back_after_the_first_contact_is_void() -> None:
    """1760243: A began beside a replica from before a ``clear``; then one that had it took over."""
    with World() as world:
        world.start_both()
        world.ask("pause")
        world.until(lambda: world.maker.latch.mode is Mode.PAUSED, 10)
        before = world.hub.saved()
        world.ask("clear")
        world.run(5)
        after = world.hub.saved()
        assert world.maker.latch.pause is not None
        world.ask("resume", pause_id=world.maker.latch.pause.id)
        world.until(lambda: world.maker.latch.mode is Mode.RUNNING, 20, "running")
        world.kill(Role.MAKER)
        world.hub.restore(before)
        world.start(Role.MAKER)
        world.run(5)
        world.hub.restore(after)
        world.run(10)
        assert world.maker.latch.mode is Mode.RUNNING

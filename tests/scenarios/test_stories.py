"""Longer stories of the desk: rounds, waiting, failing, pausing, restarting, losing Redis, being replaced."""

import msgspec
import pytest
from tests.scenarios.stories import fail_for_want_of_a_key, play_rounds
from tests.simulation.checkers import check_once
from tests.simulation.memory_journal import MemoryJournal
from tests.simulation.world import DESK, World, settings

from lighter_hedge.domain.settings import Direction
from lighter_hedge.domain.states import Mode, Role


@pytest.mark.parametrize(
    ("direction", "sides"),
    [
        (Direction.LONG, "buy sell buy sell buy sell"),
        (Direction.SHORT, "sell buy sell buy sell buy"),
        (Direction.ALTERNATE, "buy sell sell buy buy sell"),
    ],
)
def test_rounds_open_and_close_by_direction(direction: Direction, sides: str) -> None:
    """Open, close, open …: long, short, or in turn; every round hedged."""
    with World(settings(direction=direction)) as world:
        world.start_both()
        play_rounds(world, 6)
        filled = [order for order in world.orders(Role.MAKER) if order.filled_lots]
        assert " ".join(order.side.word for order in filled[:6]) == sides
        assert world.hedged()


def test_quote_is_replaced_when_it_is_too_old() -> None:
    """The next attempt is announced and armed afresh; nothing has filled, so the round stays the same."""
    with World(settings(maker_order_timeout_ms=3_000)) as world:
        world.start_both()
        world.until(lambda: len(world.orders(Role.MAKER)) >= 3, 20, "two replacements")
        assert world.maker.round == 1
        assert world.maker.attempt >= 2
        play_rounds(world, 1)


def test_timeout_is_said_and_the_desk_stays_gated() -> None:
    """B falls silent after the fill: a status line every interval, the timeout, no new order; hedged when B is back."""
    with World(settings(hedge_confirm_timeout_ms=20_000, unhedged_ms_max=60_000)) as world:
        world.start_both()
        orders = len(world.orders(Role.MAKER))
        world.b.venue.cut = True
        world.b.messaging.cut()
        world.fault("fill_now")
        world.run(25)
        assert world.position(Role.MAKER) == 20
        assert len(world.said(Role.MAKER, "WAITING")) >= 2
        assert len(world.said(Role.MAKER, "HEDGE_TIMEOUT")) == 1
        assert len(world.orders(Role.MAKER)) == orders
        world.b.venue.cut = False
        world.b.messaging.heal()
        world.until(world.hedged, 20, "the hedge")
        world.until(lambda: bool(world.resting(Role.MAKER)), 20, "the next quote")
        check_once(world)


def test_exposure_that_lasts_too_long_pauses_the_desk() -> None:
    """I3: never silent. The pause and the alert are stored."""
    with World(settings(hedge_confirm_timeout_ms=5_000, unhedged_ms_max=8_000)) as world:
        world.start_both()
        world.kill(Role.HEDGER)
        world.fault("fill_now")
        world.run(12)
        assert world.maker.latch.mode is Mode.PAUSED
        assert [code for code, _ in world.a.journal.alerts] == ["UNHEDGED_TOO_LONG"]
        world.start(Role.HEDGER)
        world.until(world.hedged, 20, "the hedge")
        assert world.maker.latch.mode is Mode.PAUSED


def test_failure_pauses_and_resume_hedge_now_ends_it() -> None:
    """Three tries, the message with all its fields, a pause that outlives a crash; a person ends it."""
    with World() as world:
        revoked = fail_for_want_of_a_key(world)
        channel, body = next(item for item in world.published() if item[0].endswith("b_hedge_failed"))
        message = msgspec.json.decode(body)
        assert channel == "hedge:account_b_hedge_failed"
        assert (message["reason"], message["retry_times"]) == ("max_retries_exceeded", 3)
        assert message["unhedged_base_amount"] == "0.00020"
        assert len(message["tries"]) == 3
        assert message["a_order_info"]["filled_base_amount"] == "0.00020"
        world.kill(Role.MAKER)
        world.start(Role.MAKER)
        world.run(12)
        assert world.maker.latch.mode is Mode.PAUSED
        assert world.said(Role.MAKER, "PAUSED")
        world.clear_fault(revoked)
        assert world.maker.latch.pause is not None
        world.ask("resume", pause_id=world.maker.latch.pause.id, hedge_now=True)
        world.until(lambda: world.maker.latch.mode is Mode.RUNNING, 30, "running again")
        assert world.hedged()
        world.until(lambda: bool(world.resting(Role.MAKER)), 10, "the next quote")
        check_once(world)


def test_drain_ends_flat_and_paused() -> None:
    """Close what is open, open nothing."""
    with World() as world:
        world.start_both()
        play_rounds(world, 1)
        world.until(lambda: bool(world.resting(Role.MAKER)), 10)
        world.ask("drain")
        world.run(1)
        world.fault("fill_now")
        world.until(lambda: world.maker.latch.mode is Mode.PAUSED, 20, "drained")
        assert (world.position(Role.MAKER), world.position(Role.HEDGER)) == (0, 0)
        assert world.resting(Role.MAKER) == []


def test_clear_on_a_running_desk_ends_flat() -> None:
    """A closes reduce-only, B follows as with any fill of A (E4)."""
    with World() as world:
        world.start_both()
        play_rounds(world, 1)
        assert world.position(Role.MAKER) == 20
        world.ask("clear")
        flat = lambda: world.position(Role.MAKER) == 0 == world.position(Role.HEDGER)  # noqa: E731
        world.until(flat, 20, "flat")
        world.run(3)
        assert world.resting(Role.MAKER) == []
        assert world.maker.latch.mode is Mode.PAUSED
        check_once(world)


def test_one_lost_journal_is_adopted_and_the_round_goes_on() -> None:
    """B alone has lost its journal: it takes the hedged pair over and confirms A's round all the same."""
    with World() as world:
        world.start_both()
        world.b.venue.deaf |= {"account_all:101", "account_all:102"}
        play_rounds(world, 1)
        world.kill(Role.HEDGER)
        world.b.journal = MemoryJournal(DESK)
        world.b.venue.deaf.clear()
        world.start(Role.HEDGER, adopt=True)
        world.until(lambda: world.hedger.core.recovered, 20, "B to take over")
        play_rounds(world, 2)

"""Longer stories of the desk: rounds, waiting, failing, pausing, restarting, losing Redis, being replaced."""

import msgspec
import pytest
from tests.simulation.checkers import check_gate, check_once
from tests.simulation.memory_journal import MemoryJournal
from tests.simulation.sim_venue import ACCOUNTS, SimVenue
from tests.simulation.world import BTC, DESK, World, settings

from lighter_hedge.domain.settings import Direction
from lighter_hedge.domain.states import Mode, Role
from lighter_hedge.domain.units import Side


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


def test_partial_fill_is_hedged_once_the_rest_is_gone() -> None:
    """Two wallets: A cancels its rest first, and B never meets it."""
    with World(settings(quantity=100), same_wallet=False) as world:
        world.start_both()
        world.fault("part_fill", lots=60)
        world.until(lambda: world.position(Role.HEDGER) == -60, 10, "the hedge")
        assert world.resting(Role.MAKER) == [] or world.resting(Role.MAKER)[0].side is Side.ASK
        play_rounds(world, 1)
        check_once(world)


def test_residual_below_the_minimum_is_carried() -> None:
    """Less than the venue takes is no exposure: it is carried, and hedged with what comes next."""
    with World() as world:
        world.start_both()
        world.fault("part_fill", lots=5)
        world.until(lambda: len(world.orders(Role.MAKER)) == 2, 20, "the next quote")
        assert world.position(Role.MAKER) == 5
        assert world.position(Role.HEDGER) == 0
        world.fault("fill_now")
        world.until(lambda: world.position(Role.MAKER) == 25 and world.hedged(), 20, "both together")
        check_once(world)


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


def fail(world: World) -> int:
    """B's key is revoked after it has armed; A fills; B uses its tries up."""
    world.start_both()
    revoked = world.fault("key_revoked", Role.HEDGER)
    world.fault("fill_now")
    world.until(lambda: world.maker.latch.mode is Mode.PAUSED, 20, "the pause")
    return revoked


def test_failure_pauses_and_resume_hedge_now_ends_it() -> None:
    """Three tries, the message with all its fields, a pause that outlives a crash; a person ends it."""
    with World() as world:
        revoked = fail(world)
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


def test_failure_is_ended_by_a_persons_stop_and_start() -> None:
    """The user's own steps: stop, mend the cause, start."""
    with World() as world:
        revoked = fail(world)
        for role in Role:
            process = world.processes[role]
            assert process.driver is not None
            process.journal.person_stopped = True
            process.driver.stop()
        world.until(lambda: not world.a.running and not world.b.running, 20, "both to stop")
        world.clear_fault(revoked)
        for role in (Role.HEDGER, Role.MAKER):
            world.start(role, by_person=True)
        world.until(lambda: world.hedged() and bool(world.resting(Role.MAKER)), 30, "running and hedged")
        check_once(world)


def test_crash_and_restart_alone_do_not_end_a_failure() -> None:
    """Without a person's stop before it, a start changes nothing: no new tries, still paused."""
    with World() as world:
        revoked = fail(world)
        world.clear_fault(revoked)
        for role in Role:
            world.kill(role)
            world.start(role, by_person=True)
        world.run(20)
        assert world.maker.latch.mode is Mode.PAUSED
        assert world.position(Role.HEDGER) == 0


def test_resume_names_its_pause() -> None:
    """A resume for another pause is void (E12)."""
    with World() as world:
        world.start_both()
        world.ask("pause", reason="lunch")
        world.until(lambda: world.maker.latch.mode is Mode.PAUSED, 5)
        world.until(lambda: not world.resting(Role.MAKER), 5, "the quote to go")
        assert world.maker.latch.pause is not None
        world.ask("resume", pause_id=world.maker.latch.pause.id - 1)
        world.run(3)
        assert world.maker.latch.mode is Mode.PAUSED
        assert world.said(Role.MAKER, "RESUME_VOID")
        world.ask("resume", pause_id=world.maker.latch.pause.id)
        world.until(lambda: bool(world.resting(Role.MAKER)), 10, "quoting again")


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


@pytest.mark.parametrize("dying", [(Role.MAKER,), (Role.HEDGER,), (Role.MAKER, Role.HEDGER)])
@pytest.mark.parametrize("after_ms", [0, 1, 3, 100, 305])
def test_kill_after_a_fill_loses_nothing(dying: tuple[Role, ...], after_ms: int) -> None:
    """I5: whoever dies, whenever, the next start finds the fill and it is hedged exactly once."""
    with World() as world:
        world.start_both()
        world.fault("fill_now")
        world.run(after_ms / 1000)
        for role in dying:
            world.kill(role)
        world.run(1)
        for role in dying:
            world.start(role)
        world.until(lambda: world.position(Role.MAKER) == 20 and world.hedged(), 30, "the hedge")
        world.until(lambda: bool(world.resting(Role.MAKER)), 30, "the next quote")
        check_once(world)


def test_armed_hedge_that_a_restart_burns_is_no_try() -> None:
    """It counts as perhaps sent until the burn has run; then it is over, and no try was made (E1)."""
    with World() as world:
        world.start_both()
        for _ in range(4):
            world.kill(Role.HEDGER)
            world.start(Role.HEDGER)
            world.until(lambda: world.hedger.core.recovered, 20, "B to recover")
        assert world.said(Role.HEDGER, "HEDGE_TRY_FAILED") == []
        play_rounds(world, 1)


@pytest.mark.parametrize("flushed", [False, True])
def test_redis_lost_in_a_round_loses_nothing(flushed: bool) -> None:
    """The desk hedges on without it; once it is back, even empty, the next second is whole again (E22)."""
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
        world.until(lambda: bool(world.resting(Role.MAKER)), 20, "the next quote")
        play_rounds(world, 2)


def test_second_hedger_supersedes_the_first() -> None:
    """E6: the newcomer burns the key's nonce; the old one finds its nonce used, sends nothing more and ends with 8."""
    with World(settings(reconcile_ms=2_000)) as world:
        world.start_both()
        old, venue = world.b.task, world.b.venue
        world.b.task = None
        world.b.venue = SimVenue(world.server, Role.HEDGER, BTC)
        world.b.journal = world.b.journal
        world.start(Role.HEDGER)
        world.run(8)
        world.fault("fill_now")
        world.until(world.hedged, 20, "the hedge")
        world.run(5)
        assert old is not None
        assert old.done()
        assert old.result() == 8
        venue.drop()
        check_once(world)


def test_lost_journal_with_a_position_is_refused_unless_adopted() -> None:
    """A start refuses positions that no journal explains; a hedged pair can be adopted (E9)."""
    with World() as world:
        world.start_both()
        play_rounds(world, 1)
        for role in Role:
            world.kill(role)
            world.processes[role].journal = MemoryJournal(DESK)
            world.start(role)
        world.run(10)
        assert world.a.exit_code == world.b.exit_code == 7
        for role in Role:
            world.start(role, adopt=True)
        world.until(lambda: bool(world.resting(Role.MAKER)), 30, "a closing quote")
        assert world.resting(Role.MAKER)[0].side is Side.ASK
        play_rounds(world, 1)
        assert (world.position(Role.MAKER), world.position(Role.HEDGER)) == (0, 0)


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


def test_foreign_trade_pauses_the_desk() -> None:
    """A manual trade on account A is named, and never hedged unasked."""
    with World() as world:
        world.start_both()
        nonce = world.server.exchange.state.accounts[ACCOUNTS[Role.MAKER]].keys[4].nonce
        foreign = {
            "AccountIndex": ACCOUNTS[Role.MAKER], "ApiKeyIndex": 4, "MarketIndex": BTC.market_index,
            "ClientOrderIndex": 7, "BaseAmount": 30, "Price": 1_215_000, "IsAsk": 0, "Type": 1, "TimeInForce": 0,
            "ReduceOnly": 0, "TriggerPrice": 0, "OrderExpiry": 0, "ExpiredAt": world.now().wall_ms + 599_000,
            "Nonce": nonce, "Sig": "", "L2TxAttributes": None,
        }  # fmt: skip
        assert world.server.venue.submit(14, foreign, "").code == 200
        world.until(lambda: world.maker.latch.mode is Mode.PAUSED, 10, "the pause")
        world.run(20)
        assert world.position(Role.HEDGER) == 0
        assert any(code == "FOREIGN_TRADE" for code, _ in world.a.journal.alerts)

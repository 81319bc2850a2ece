"""The end of a start: the venue and the journal tell the same story, or the side says why not."""

import pytest
from tests.unit.domain.builders import LAG_MS, WALL_MS, codes, coid, entries, fills, frame, memory, only, settings
from tests.unit.domain.talk import Talk, hedger_side, maker_side, recover

from lighter_hedge.domain.clearer import Clearer
from lighter_hedge.domain.commands import BaselineSet, Command, Exit, Say
from lighter_hedge.domain.events import Event, FeedOpened, MarketHeard, MessagingChanged
from lighter_hedge.domain.hedger import Hedger
from lighter_hedge.domain.maker import Maker
from lighter_hedge.domain.memory import Memory
from lighter_hedge.domain.recovery import BASELINE_READ_MS, fold_history
from lighter_hedge.domain.recovery import recover as decide
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import Side

KNOWN = {"fresh": False, "baseline": BaselineSet(maker=0, hedger=0)}


def start(role: Role, a: int, b: int, remembers: Memory | None = None, **more: object) -> Talk:
    create = Maker.create if role is Role.MAKER else Hedger.create
    talk = Talk(machine=create(settings(), remembers or memory(role)), positions={Role.MAKER: a, Role.HEDGER: b})
    for name, value in more.items():
        setattr(talk, name, value)
    return talk


def baselines(commands: list[Command]) -> list[tuple[int, int]]:
    """Positions of the baselines that were set."""
    return [(one.maker, one.hedger) for one in entries(commands, BaselineSet)]


def run(talk: Talk, *events: Event) -> list[Command]:
    return list(recover(talk, MessagingChanged(up=True), *(events or (FeedOpened(), frame()))))


@pytest.mark.parametrize("side", [maker_side, hedger_side])
def test_a_flat_fresh_desk_sets_its_baseline(side: object) -> None:
    talk: Talk = side()  # type: ignore[operator]
    assert baselines(talk.log) == [(0, 0)]
    assert talk.core.recovered


def test_a_fresh_start_waits_until_the_other_side_was_looked_for() -> None:
    talk = start(Role.MAKER, 0, 0)
    recover(talk, FeedOpened())
    assert not talk.core.recovered
    talk.hear(MessagingChanged(up=True))
    talk.wait(9_000, step_ms=500)
    assert talk.core.recovered


@pytest.mark.parametrize(("a", "b"), [(100, -100), (5, 0)])
def test_positions_that_no_journal_explains_refuse_the_start(a: int, b: int) -> None:
    out = run(start(Role.MAKER, a, b))
    ended = only(out, Exit)
    assert ended[0].code == 7
    assert "--adopt" in ended[0].why


def test_a_hedged_pair_is_adopted_at_a_persons_word() -> None:
    talk = start(Role.MAKER, 100, -100, memory(Role.MAKER, adopt=True))
    out = run(talk)
    assert baselines(out) == [(100, -100)]
    assert talk.core.net == 0
    assert talk.core.recovered


@pytest.mark.parametrize("events", [(FeedOpened(), frame()), (FeedOpened(),)], ids=["with a book", "without a book"])
def test_an_unhedged_pair_is_never_adopted(events: tuple[Event, ...]) -> None:
    out = run(start(Role.MAKER, 100, -40, memory(Role.MAKER, adopt=True)), *events)
    assert "no hedged pair" in only(out, Exit)[0].why


def test_b_sets_no_baseline_while_a_still_has_a_quote() -> None:
    talk = start(Role.HEDGER, 0, 0, resting={Role.MAKER: 1, Role.HEDGER: 0})
    run(talk)
    assert not talk.core.recovered
    talk.resting[Role.MAKER] = 0
    talk.wait(3_000)
    assert talk.core.recovered


def test_a_journal_that_agrees_with_the_venue_is_taken_as_it_is() -> None:
    talk = start(Role.MAKER, 100, 0, memory(Role.MAKER, **KNOWN, fills={Role.MAKER: (fills(),)}))
    out = run(talk)
    assert codes(out).count("RECOVERED") == 1
    assert talk.core.net == 100
    assert entries(out, BaselineSet) == []


def test_an_open_order_of_ours_is_followed_after_the_recovery() -> None:
    open_fills = fills(filled=0, closed=False)
    talk = start(Role.MAKER, 0, 0, memory(Role.MAKER, **KNOWN, fills={Role.MAKER: (open_fills,)}))
    recover(talk, MessagingChanged(up=True), FeedOpened())
    assert talk.core.recovered
    talk.wait(15_000, step_ms=500)
    assert talk.core.own.orders[coid(1)].closed, "no row after the lag: it does not exist"


def test_a_proven_difference_is_recovered_and_left_to_the_owner() -> None:
    talk = start(Role.MAKER, 50, 0, memory(Role.MAKER, **KNOWN))
    recover(talk, MessagingChanged(up=True), FeedOpened())
    assert not talk.core.recovered, "one read is no proof"
    talk.wait(20_000, step_ms=500)
    assert talk.core.recovered
    assert talk.machine.latch.pause is not None
    assert talk.machine.latch.pause.code == "POSITION_DIFFERS"


def test_a_proven_difference_of_a_hedged_pair_can_be_adopted() -> None:
    talk = start(Role.MAKER, 50, -50, memory(Role.MAKER, **KNOWN, adopt=True))
    recover(talk, MessagingChanged(up=True), FeedOpened())
    talk.wait(20_000, step_ms=500)
    assert baselines(talk.log) == [(50, -50)]
    assert talk.core.recovered


def test_a_failed_read_recovers_nothing() -> None:
    talk = start(Role.MAKER, 0, 0, positions={Role.MAKER: 0, Role.HEDGER: None})
    run(talk)
    assert not talk.core.recovered
    talk.positions[Role.HEDGER] = 0
    talk.wait(3_000)
    assert talk.core.recovered


def test_orders_that_cannot_be_read_recover_nothing() -> None:
    talk = start(Role.MAKER, 0, 0, rows=None)
    run(talk)
    assert not talk.core.recovered
    talk.rows = ()
    talk.wait(3_000)
    assert talk.core.recovered


def test_clear_takes_the_position_as_the_venue_shows_it() -> None:
    talk = Talk(
        machine=Clearer.create(Role.MAKER, settings(), memory(Role.MAKER), 60_000),
        positions={Role.MAKER: 33, Role.HEDGER: 0},
    )
    recover(talk, FeedOpened())
    assert talk.core.own.position == 33
    assert talk.core.recovered


def test_the_recovery_says_both_positions() -> None:
    talk = start(Role.MAKER, 100, -100, memory(Role.MAKER, adopt=True))
    texts = [say.text for say in only(run(talk), Say) if say.code == "RECOVERED"]
    assert texts == ["recovered: A 0.00100 BTC, B -0.00100 BTC"]


def test_a_baseline_is_dated_by_the_newest_stamp_of_the_venue() -> None:
    """Whatever the own clock says: a read lag before the older of the two reads, at the latest."""
    talk = start(Role.MAKER, 0, 0)
    talk.core.skew.newest_ms = WALL_MS
    run(talk)
    (found,) = entries(talk.log, BaselineSet)
    assert WALL_MS - 2 * LAG_MS < found.at_ms <= WALL_MS - LAG_MS
    assert talk.core.maker.since_ms == talk.core.hedger.since_ms == found.at_ms


def test_clear_counts_from_the_venue_whatever_its_journal_held() -> None:
    known = memory(Role.MAKER, **KNOWN, fills={Role.MAKER: (fills(),)})
    talk = Talk(machine=Clearer.create(Role.MAKER, settings(), known, 60_000))
    talk.positions[Role.MAKER] = 33
    recover(talk, FeedOpened())
    assert talk.core.own.position == 33


def test_a_baseline_goes_back_to_the_older_read_and_a_read_lag_more() -> None:
    talk = start(Role.MAKER, 0, 0)
    run(talk)
    core, now = talk.core, talk.now
    core.recovered, core.fresh, core.skew.newest_ms = False, True, WALL_MS
    core.reads.last = {Role.MAKER: (now.mono_ms - 100, 0), Role.HEDGER: (now.mono_ms - 300, 0)}
    out = decide(core, now)
    (found,) = entries(out, BaselineSet)
    assert found.at_ms == WALL_MS - 300 - LAG_MS
    assert codes(out) == ["BASELINE", "RECOVERED"]


def test_a_baseline_is_made_of_what_was_read_just_now() -> None:
    """1748252: A was read four seconds before, and had been deleveraged since."""
    talk = start(Role.MAKER, 0, 0)
    run(talk)
    core, now = talk.core, talk.now
    core.recovered, core.fresh = False, True
    core.reads.last = {Role.MAKER: (now.mono_ms - BASELINE_READ_MS - 1, 0), Role.HEDGER: (now.mono_ms, 0)}
    assert decide(core, now) == []
    assert core.reads.awaited == set(Role)
    core.reads.last[Role.MAKER] = (now.mono_ms - BASELINE_READ_MS, 0)
    assert codes(decide(core, now)) == ["BASELINE", "RECOVERED"]


def test_what_was_adopted_is_no_difference_any_more() -> None:
    talk = start(Role.MAKER, 50, -50, memory(Role.MAKER, **KNOWN, adopt=True))
    recover(talk, MessagingChanged(up=True), FeedOpened())
    talk.wait(20_000, step_ms=500)
    assert baselines(talk.log) == [(50, -50)]
    assert talk.machine.latch.pause is None


def test_history_that_is_folded_leaves_both_baselines_as_they_were() -> None:
    core = hedger_side().core
    core.maker.base, core.hedger.folded_serial = 5, 4
    (entry,) = entries(fold_history(core, 7), BaselineSet)
    assert (entry.maker, entry.maker_serial, entry.hedger_serial) == (5, 7, 4)
    assert core.maker.position == 5


def test_what_b_has_counted_since_its_baseline_stays_counted() -> None:
    """1763922: A had closed by itself, B knew it, and forgot it as it heard A for the first time."""
    core = hedger_side().core
    core.maker.base = 45
    core.maker.apply_peer(fills(8, filled=45, side=Side.ASK))
    assert fold_history(core, 8) == []
    assert core.maker.position == 0
    assert core.maker.folded_serial == 7


@pytest.mark.parametrize("event", [MarketHeard(mark=500_000), frame(bids=((500_000, 9),), asks=((500_010, 9),))])
def test_a_pair_is_hedged_up_to_the_minimum_at_the_price_of_now(event: Event) -> None:
    """Ten dollars are twenty lots there."""
    talk = start(Role.MAKER, 100, -80, memory(Role.MAKER, adopt=True))
    assert baselines(run(talk, FeedOpened(), event)) == [(100, -80)]

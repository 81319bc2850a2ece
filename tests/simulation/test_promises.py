"""Every checker of a defence can fail: what it looks for is shown to it, and it says so."""

import random
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from tests.simulation import promises
from tests.simulation.play import staged
from tests.simulation.stage import Stage
from tests.simulation.truth import Sent, Violation
from tests.simulation.world import World

from lighter_hedge.domain.commands import FlattenChanged, ModeChanged, StoodDownChanged, TriesCounted
from lighter_hedge.domain.events import OrderKind, OrderRequest
from lighter_hedge.domain.states import Flatten, HedgeFailed, Leg, Mode, Pause, Role, StoodDown
from lighter_hedge.domain.units import Side

STOOD_DOWN = StoodDown(id=1, round=1, cum=0, maker_epoch=1, maker_seq=1)
FAILED = HedgeFailed(round=1, cum=20, reason="no price", tries=3)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A desk whose quote rests, with everything watched and nothing broken."""
    with World() as world:
        found = staged(random.Random(1), world)
        found.takers.on = False
        world.start_both()
        found.look()
        yield found


def quote(stage: Stage, **changes: Any) -> OrderRequest:
    """The request of the quote that rests, or one like it."""
    (sent,) = stage.truth.sent[Role.MAKER].values()
    return replace(sent.request, **changes)


def hedge(*, reduce_only: bool = False) -> OrderRequest:
    return OrderRequest(kind=OrderKind.HEDGE, coid=1, side=Side.ASK, lots=20, price=9, reduce_only=reduce_only)


def paused(code: str) -> ModeChanged:
    return ModeChanged(mode=Mode.PAUSED, pause=Pause(id=5, reason="it differs", code=code, since_ms=5), by="desk")


def write(stage: Stage, role: Role, entry: Any) -> None:
    """As if it stood in a journal."""
    journal = stage.world.processes[role].journal
    journal._newest[type(entry)] = entry
    journal.entries.append(entry)


def at_send(check: Callable[..., None], stage: Stage, role: Role, request: OrderRequest) -> Callable[[], None]:
    return lambda: check(stage.truth, stage.world.processes[role].venue, request)


def sees(check: Callable[[], None], change: Callable[[], object], text: str) -> None:
    """It says nothing before, and something after."""
    check()
    change()
    with pytest.raises(Violation, match=text):
        check()


def test_a_quote_while_the_desk_is_paused(stage: Stage) -> None:
    check = at_send(promises.pause_holds, stage, Role.MAKER, quote(stage))
    sees(check, lambda: write(stage, Role.MAKER, paused("PAUSED")), "while the desk is paused")


def test_a_closing_quote_of_more_than_is_held(stage: Stage) -> None:
    request, announced = quote(stage), stage.truth.announced
    announce, at = announced[request.coid]
    closing = replace(announce, leg=Leg.CLOSE)
    check = at_send(promises.close_size, stage, Role.MAKER, request)
    sees(check, lambda: announced.update({request.coid: (closing, at)}), "closes 20")


def test_a_quote_by_its_own_price_or_end(stage: Stage) -> None:
    at_send(promises.quote_collar, stage, Role.MAKER, quote(stage))()
    at_send(promises.expiry, stage, Role.MAKER, quote(stage))()
    with pytest.raises(Violation, match="mark price"):
        at_send(promises.quote_collar, stage, Role.MAKER, quote(stage, price=2 * quote(stage).price))()
    with pytest.raises(Violation, match="ends in"):
        at_send(promises.expiry, stage, Role.MAKER, quote(stage, expires_ms=0))()


def test_a_quote_by_a_clock_that_is_wrong(stage: Stage) -> None:
    def change() -> None:
        stage.world.a.venue.skew_ms = 5_000
        stage.truth.facts.skewed_since[Role.MAKER] = stage.truth.facts.now - 4.0

    sees(at_send(promises.skewed, stage, Role.MAKER, quote(stage)), change, "off by 5000 ms")


def test_a_quote_that_b_cannot_pay_for(stage: Stage) -> None:
    def change() -> None:
        stage.world.server.account(Role.HEDGER).collateral = 0
        stage.truth.facts.poor_since = stage.truth.facts.now - 9.0

    sees(at_send(promises.margin, stage, Role.MAKER, quote(stage)), change, "cannot pay")


def test_a_quote_that_b_cannot_pay_for_and_cannot_know_so(stage: Stage) -> None:
    """What B keeps of its requests to resolve an order is no read of its account. Eight seconds later it has read."""
    facts, check = stage.truth.facts, at_send(promises.margin, stage, Role.MAKER, quote(stage))
    stage.world.server.account(Role.HEDGER).collateral = 0
    facts.poor_since = facts.now - 9.0
    stage.world.desk = replace(stage.world.desk, hedger_share=28)
    facts.requests[stage.world.b.name] = deque([facts.now - 51.0] * 18)
    facts.look()
    with pytest.raises(Violation, match="cannot pay"):
        check()
    facts.requests[stage.world.b.name].append(facts.now - 51.0)
    facts.look()
    check()
    stage.world.loop.now += 9.1
    facts.look()
    with pytest.raises(Violation, match="cannot pay"):
        check()


def test_a_quote_beyond_the_minutes_requests_or_the_hours_notional(stage: Stage) -> None:
    facts = stage.truth.facts
    stage.truth.desk = replace(stage.truth.desk, maker_share=24)

    def spend() -> None:
        facts.requests[stage.world.a.name] = deque([facts.now] * 25)

    def trade() -> None:
        facts.traded_over = facts.now - 6.0

    sees(at_send(promises.budget, stage, Role.MAKER, quote(stage)), spend, "25 requests")
    sees(at_send(promises.notional, stage, Role.MAKER, quote(stage)), trade, "within the hour")


def test_a_hedge_after_b_has_failed_or_stood_down(stage: Stage) -> None:
    failed, down = TriesCounted(tries=3, failed=FAILED), StoodDownChanged(stood_down=STOOD_DOWN)
    check = at_send(promises.tries_hold, stage, Role.HEDGER, hedge())
    sees(check, lambda: write(stage, Role.HEDGER, failed), "after B had failed")
    check = at_send(promises.stands_down, stage, Role.HEDGER, hedge())
    sees(check, lambda: write(stage, Role.HEDGER, down), "while B stands down")


def test_a_flatten_without_leave(stage: Stage) -> None:
    wish = FlattenChanged(flatten=Flatten(id=1, round=1, net=20))
    check = at_send(promises.flattens_by_leave, stage, Role.MAKER, hedge(reduce_only=True))
    sees(check, lambda: write(stage, Role.MAKER, wish), "has not stood down")
    write(stage, Role.HEDGER, StoodDownChanged(stood_down=STOOD_DOWN))
    check()


def test_b_closes_before_a_is_flat(stage: Stage) -> None:
    def change() -> None:
        stage.world.server.account(Role.MAKER).position(stage.world.desk.market).lots = 20

    sees(at_send(promises.clears_after_the_maker, stage, Role.HEDGER, hedge(reduce_only=True)), change, "A holds 20")


def test_hedge_after_hedge(stage: Stage) -> None:
    many = {coid: Sent(hedge(), stage.truth.facts.now) for coid in range(promises.RUNAWAY + 1)}
    check = at_send(promises.runaway, stage, Role.HEDGER, hedge())
    sees(check, lambda: stage.truth.sent[Role.HEDGER].update(many), "none fills anything")


def test_bytes_that_are_not_written_down(stage: Stage) -> None:
    candidate: Any = SimpleNamespace(tx_hash=next(iter(stage.world.a.journal._hashes)), nonce=1)
    promises.unwritten(stage.truth, stage.world.a, candidate)
    candidate.tx_hash = "unknown"
    with pytest.raises(Violation, match="not written down"):
        promises.unwritten(stage.truth, stage.world.a, candidate)


def test_a_quote_that_is_sent_again_late(stage: Stage) -> None:
    candidate: Any = SimpleNamespace(request=quote(stage))
    announce, at = stage.truth.announced[candidate.request.coid]
    old = {candidate.request.coid: (announce, at - 10.0)}
    check = lambda: promises.sent_in_time(stage.truth, stage.world.a, candidate)  # noqa: E731
    sees(check, lambda: stage.truth.announced.update(old), "after its announce")


def test_words_that_are_not_written_down(stage: Stage) -> None:
    maker, hedger = stage.world.states()
    promises.pause_written(stage.truth, stage.world.a, maker)
    promises.standing_down_written(stage.truth, stage.world.b, hedger)
    with pytest.raises(Violation, match="pause"):
        promises.pause_written(stage.truth, stage.world.a, replace(maker, pause=paused("PAUSED").pause))
    with pytest.raises(Violation, match="stands down"):
        promises.standing_down_written(stage.truth, stage.world.b, replace(hedger, stood_down=STOOD_DOWN))


def test_a_pause_for_nothing(stage: Stage) -> None:
    a, facts = stage.world.a, stage.truth.facts
    promises.false_pause(stage.truth, a, paused("DRAINED"))
    with pytest.raises(Violation, match="there is none"):
        promises.false_pause(stage.truth, a, paused("POSITION_DIFFERS"))
    facts.hedged_since = stage.truth.able_since[Role.MAKER] = facts.now - 9.0
    promises.needless_pause(stage.truth, a, paused("DRAINED"))
    with pytest.raises(Violation, match="pauses for UNHEDGED"):
        promises.needless_pause(stage.truth, a, paused("UNHEDGED_TOO_LONG"))
    stage.truth.hamper(Role.HEDGER)
    promises.needless_pause(stage.truth, a, paused("UNHEDGED_TOO_LONG"))


def test_b_stands_down_with_a_hedge_under_way(stage: Stage) -> None:
    armed = stage.world.b.journal.candidates[-1].request
    assert isinstance(armed, OrderRequest)
    sent = {armed.coid: Sent(armed, stage.truth.facts.now)}
    check = lambda: promises.burnt(stage.truth, stage.world.b, StoodDownChanged(stood_down=STOOD_DOWN))  # noqa: E731
    sees(check, lambda: stage.truth.sent[Role.HEDGER].update(sent), "may still execute")


def test_a_pause_that_ends_by_itself(stage: Stage) -> None:
    running = ModeChanged(mode=Mode.RUNNING, pause=None, by="desk")
    write(stage, Role.MAKER, paused("PAUSED"))
    write(stage, Role.MAKER, running)
    with pytest.raises(Violation, match="nobody had asked"):
        promises.ended_by_a_person(stage.truth, stage.world.a, running)
    stage.truth.facts.resumed(5)
    promises.ended_by_a_person(stage.truth, stage.world.a, running)


def test_a_clear_that_was_asked_for_before_this_life(stage: Stage) -> None:
    stage.cleared_at = stage.world.loop.time()

    def start() -> None:
        stage.world.a.started = stage.cleared_at + 20.0

    def check() -> None:
        promises.no_old_clear(stage.truth, stage.world.a, paused("CLEARED"))

    sees(check, start, "older than itself")


def test_a_try_that_is_not_counted(stage: Stage) -> None:
    for tries in (1, 2):
        write(stage, Role.HEDGER, TriesCounted(tries=tries, failed=None))
        promises.tries_kept(stage.truth, stage.world.b, TriesCounted(tries=tries, failed=None))
    write(stage, Role.HEDGER, TriesCounted(tries=1, failed=None))
    with pytest.raises(Violation, match="counts try 1"):
        promises.tries_kept(stage.truth, stage.world.b, TriesCounted(tries=1, failed=None))


def test_a_pause_without_an_alert(stage: Stage) -> None:
    def change() -> None:
        write(stage, Role.MAKER, paused("LATE_FILL"))
        check()
        stage.world.loop.now += promises.WRITTEN_SECONDS + 0.1

    def check() -> None:
        promises.alert_stored(stage.truth, stage.world)

    sees(check, change, "stored no alert")


def test_a_side_that_ends_as_superseded(stage: Stage) -> None:
    def change() -> None:
        stage.world.a.exit_code = promises.EXIT_SUPERSEDED

    sees(lambda: promises.superseded_by_nobody(stage.truth, stage.world), change, "by nobody")


def test_an_exposure_that_b_does_not_hedge(stage: Stage) -> None:
    def change() -> None:
        stage.world.resting = lambda role: []  # type: ignore[method-assign]
        stage.truth.exposed_since = stage.truth.facts.now
        stage.world.loop.now += 60.0

    sees(lambda: promises.prompt(stage.truth, stage.world), change, "sends nothing")


def test_a_quote_that_rests_without_an_armed_hedger(stage: Stage) -> None:
    def change() -> None:
        stage.truth.armed.clear()
        stage.world.loop.now += 30.0

    sees(lambda: promises.rests_unarmed(stage.truth, stage.world), change, "has not armed for it")


def test_a_foreign_trade_that_nobody_names(stage: Stage) -> None:
    def change() -> None:
        stage.truth.foreign = 1

    sees(lambda: promises.foreign_named(stage.truth, stage.world), change, "nobody has named it")


def test_a_resume_that_does_not_work(stage: Stage) -> None:
    def change() -> None:
        stage.truth.facts.started_over("unhedged")

    sees(lambda: promises.resume_works(stage.truth, stage.world), change, "still paused after a resume")


def test_every_checker_stands_in_a_list() -> None:
    groups = [promises.AT_SEND, promises.IN_TIME, promises.AT_END]
    groups += [*promises.AT_EFFECT.values(), *promises.AT_COMMIT.values()]
    listed = {checker.__name__ for group in groups for checker in group}
    own = {
        name
        for name, found in vars(promises).items()
        if callable(found) and getattr(found, "__module__", "") == promises.__name__ and not name.startswith("_")
    }
    assert listed == own

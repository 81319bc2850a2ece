from dataclasses import replace
from itertools import count

from tests.unit.domain.builders import trade

from lighter_hedge.domain.commands import Prepare, PublishFill
from lighter_hedge.domain.events import Candidate, OrderKind, OrderRequest, Prepared, Ticked, TradeReported
from lighter_hedge.domain.states import OrderFills, Role
from lighter_hedge.domain.units import Side
from lighter_hedge.messaging.telemetry import Stamped
from lighter_hedge.processes.timing import OPEN_MAX, Timing


class Stage:
    def __init__(self, role: Role) -> None:
        self.told: list[Stamped] = []
        ticks = count(1000, 1000)
        self.timing = Timing(role=role, tell=self.told.append, clock=lambda: next(ticks))


def request(coid: int = 7, kind: OrderKind = OrderKind.HEDGE) -> OrderRequest:
    return OrderRequest(kind=kind, coid=coid, side=Side.ASK, lots=20, price=100, round=3)


def candidate(coid: int = 7, kind: OrderKind = OrderKind.HEDGE) -> Candidate:
    return Candidate(
        nonce=1, request=request(coid, kind), tx_hash="h", tx_type=14, payload="", signed_ms=0, expires_ms=1
    )


def filled(stage: Stage, coid: int = 7) -> None:
    stage.timing.came(TradeReported(role=Role.HEDGER, trade=replace(trade(1, 1), coid=coid)))


def test_an_armed_hedge_from_the_news_to_its_fill() -> None:
    stage = Stage(Role.HEDGER)
    stage.timing.signing(Prepare(ticket=1, nonce=1, request=request()))
    stage.timing.came(Prepared(ticket=1, candidate=candidate()))
    stage.timing.came(Ticked())
    stage.timing.decided(candidate())
    stage.timing.leaving(candidate())
    stage.timing.answered(candidate())
    filled(stage)
    [hedge] = stage.told
    assert (hedge.source, hedge.round, hedge.coid, hedge.lots, hedge.armed) == ("B", 3, 7, 20, True)
    assert hedge.at_us == {"heard": 2000, "decided": 3000, "leaving": 4000, "answered": 5000, "filled": 6000}


def test_a_hedge_signed_on_demand_begins_with_the_news_that_asked_for_it() -> None:
    stage = Stage(Role.HEDGER)
    stage.timing.came(Ticked())
    stage.timing.signing(Prepare(ticket=1, nonce=1, request=request()))
    stage.timing.came(Prepared(ticket=1, candidate=candidate()))
    stage.timing.decided(candidate())
    filled(stage)
    [hedge] = stage.told
    assert not hedge.armed
    assert hedge.at_us == {"heard": 1000, "decided": 3000, "filled": 4000}


def test_bytes_that_go_once_more_are_timed_by_their_first_time() -> None:
    stage = Stage(Role.HEDGER)
    for _ in range(2):
        stage.timing.came(Ticked())
        stage.timing.decided(candidate())
        stage.timing.leaving(candidate())
    filled(stage)
    [hedge] = stage.told
    assert hedge.at_us["heard"] == 1000
    assert hedge.at_us["leaving"] == 3000


def test_orders_of_a_and_quotes_are_no_hedges() -> None:
    for role, kind in ((Role.MAKER, OrderKind.HEDGE), (Role.HEDGER, OrderKind.QUOTE)):
        stage = Stage(role)
        stage.timing.decided(candidate(kind=kind))
        stage.timing.leaving(candidate(kind=kind))
        filled(stage)
        assert stage.told == []


def test_a_fill_of_a_is_told_once_its_state_stands() -> None:
    stage = Stage(Role.MAKER)
    fills = OrderFills(coid=5, round=3, side=Side.BID, lots=20, filled=12, filled_quote=1, closed=False)
    news = PublishFill(role=Role.MAKER, fills=fills, order_index=1, attempt=1, leg="open", trade_ids=())
    stage.timing.came(Ticked())
    stage.timing.heard_of(news)
    stage.timing.told()
    stage.timing.told()
    assert stage.told == [Stamped(source="A", round=3, coid=5, lots=12, at_us={"filled": 1000, "told": 2000})]


def test_hedges_that_never_fill_are_told_as_far_as_they_came() -> None:
    stage = Stage(Role.HEDGER)
    for coid in range(1, OPEN_MAX + 2):
        stage.timing.decided(candidate(coid))
    assert [hedge.coid for hedge in stage.told] == [1]

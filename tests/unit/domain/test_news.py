from tests.unit.domain.builders import WALL_MS, fills, order, quote, trade
from tests.unit.domain.talk import hedger_side, maker_side

from lighter_hedge.domain.news import fill_message
from lighter_hedge.domain.states import Leg, Role
from lighter_hedge.domain.units import Side


def test_as_news_says_nothing_of_hedges() -> None:
    core = maker_side().core
    filled = core.own.intend(quote(attempt=2), WALL_MS)
    core.own.apply_trade(trade(7, side=Side.BID, lots=40))
    news = fill_message(core, filled, Leg.OPEN)
    assert (news.role, news.fills.filled, news.attempt, news.leg, news.trade_ids) == (Role.MAKER, 40, 2, "open", (7,))
    assert (news.round_hedged, news.hedged, news.residual) == (False, 0, 0)


def test_bs_news_says_whether_the_round_is_hedged_and_what_is_left() -> None:
    core = hedger_side().core
    core.maker.apply_peer(fills(filled=103, lots=103))
    hedge = core.own.intend(order(), WALL_MS)
    assert not fill_message(core, hedge, Leg.OPEN, min_lots=10).round_hedged
    core.own.apply_trade(trade(8))
    news = fill_message(core, hedge, Leg.OPEN, min_lots=10)
    assert (news.round_hedged, news.hedged, news.residual) == (True, -100, 3)

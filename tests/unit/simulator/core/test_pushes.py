from lighter_hedge.simulator.core.markets import MARKETS
from lighter_hedge.simulator.core.pushes import BestChanged
from lighter_hedge.simulator.edge import channels


def test_an_empty_side_shows_empty_strings() -> None:
    push = BestChanged(market_index=1, nonce=5, bid=None, ask=(1_000_000, 20), at_us=7)
    ((channel, frame),) = channels.updates(push, MARKETS, 9)
    assert channel == "ticker:1"
    assert frame["ticker"]["b"] == {"price": "", "size": ""}
    assert frame["ticker"]["a"] == {"price": "100000.0", "size": "0.00020"}

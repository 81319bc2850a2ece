from lighter_hedge.simulator.core.markets import BTC, ETH, MARKETS


def test_minimums_as_recorded() -> None:
    assert ETH.size_text(ETH.min_base_lots) == "0.0050"
    assert BTC.size_text(BTC.min_base_lots) == "0.00020"
    assert MARKETS == {0: ETH, 1: BTC}

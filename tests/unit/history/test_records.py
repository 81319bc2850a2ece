from lighter_hedge.history.records import Costs


def test_pnl_is_cash_flow_and_funding_less_fees_and_what_is_held_at_its_mark() -> None:
    costs = Costs(volume=2_000_000, cash=-50, fees=30, funding=-7, open_value=80)
    assert costs.pnl == -50 - 7 - 30 + 80


def test_cost_per_volume_is_positive_where_money_was_lost() -> None:
    lost = Costs(volume=20_000 * 1_000_000, fees=3 * 1_000_000)
    assert lost.per_10k == 1_500_000
    assert Costs(volume=10_000 * 1_000_000, cash=250_000).per_10k == -250_000


def test_no_volume_has_no_cost_per_volume() -> None:
    assert Costs(fees=5).per_10k == 0

from tests.paper.walk import walk

MET = {"trade", "liquidation", "deleverage", "canceled-oco", "canceled-child", "canceled-liquidation", "pending"}
MET |= {"canceled-self-trade", "canceled-reduce-only", "canceled-margin-not-allowed", "canceled-expired"}
MET |= {f"{tx_type} 200" for tx_type in (9, 12, 14, 15, 16, 17, 20, 28, 29)}


def test_lots_and_money_are_conserved_in_a_random_walk() -> None:
    """``python -m tests.paper`` walks a million operations; here enough that everything happens."""
    assert walk(12_000, seed=1).keys() >= MET

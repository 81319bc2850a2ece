from tests.page_story import SPEC

from lighter_hedge.dashboard.words import Words


def test_amounts_are_those_of_the_market() -> None:
    words = Words(spec=SPEC)
    assert (words.size(-20), words.price(1_000_001)) == ("-0.00020", "100000.1")
    assert words.usd(20, 1_000_000) == "20.00"
    assert words.usd(-20, 1_000_000) == "-20.00"


def test_without_the_markets_rules_they_are_integers_and_no_dollars() -> None:
    words = Words()
    assert (words.size(-20), words.price(7), words.usd(20, 7)) == ("-20", "7", None)
    assert Words(spec=SPEC).usd(20, 0) is None

import pytest

from lighter_hedge.simulator.edge.numerals import whole_number


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("017", 17), ("9" * 20, 10**20 - 1)])
def test_plain_digits(text: str, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize("text", ["", "-1", "1.5", "²", "٣", " 1", "9" * 21, None, 5])
def test_anything_else_is_no_number(text: object) -> None:
    assert whole_number(text) is None

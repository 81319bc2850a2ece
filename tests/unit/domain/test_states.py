import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.builders import DESK

from lighter_hedge.domain.states import SERIAL_BITS, DeskId, Role


@given(number=st.integers(0, 15), serial=st.integers(1, (1 << SERIAL_BITS) - 1))
def test_a_client_order_index_gives_its_serial_back_to_its_own_desk_alone(number: int, serial: int) -> None:
    desk = DeskId(pair="a_b", market="BTC", number=number)
    coid = desk.client_order_index(serial)
    assert desk.serial(coid) == serial
    assert coid < 1 << 31
    assert DeskId(pair="a_b", market="BTC", number=(number + 1) % 16).serial(coid) is None


def test_zero_is_nobodys_order() -> None:
    assert DeskId(pair="a_b", market="BTC", number=0).serial(0) is None


@pytest.mark.parametrize("serial", [0, 1 << SERIAL_BITS])
def test_a_serial_outside_its_bits_is_a_mistake(serial: int) -> None:
    with pytest.raises(AssertionError):
        DESK.client_order_index(serial)


def test_a_desk_number_outside_its_bits_is_a_mistake() -> None:
    with pytest.raises(AssertionError):
        DeskId(pair="a_b", market="BTC", number=16)


def test_a_desk_is_named_by_pair_and_market() -> None:
    assert str(DESK) == "a_b:BTC"


def test_each_role_has_its_letter_and_its_other() -> None:
    assert [(role.letter, role.other) for role in Role] == [("A", Role.HEDGER), ("B", Role.MAKER)]


def test_the_highest_serial_is_that_of_the_desks_own_orders() -> None:
    assert DESK.highest_serial([]) == DESK.highest_serial([12_345]) == 0
    assert DESK.highest_serial([DESK.client_order_index(4), 12_345, DESK.client_order_index(3)]) == 4

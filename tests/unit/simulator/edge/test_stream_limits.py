from lighter_hedge.simulator.edge.stream_limits import WINDOW_US, Addresses, StreamLimits

HERE, THERE = "10.0.0.1", "10.0.0.2"


def test_without_limits_everything_is_allowed() -> None:
    addresses = Addresses(StreamLimits())
    assert all(addresses.opens(HERE, 0) for _ in range(1000))
    assert all(addresses.speaks(HERE, 0) for _ in range(1000))


def test_connections_of_one_address_are_counted_while_they_are_open() -> None:
    addresses = Addresses(StreamLimits(connections_max=2))
    assert [addresses.opens(HERE, 0) for _ in range(3)] == [True, True, False]
    assert addresses.opens(THERE, 0)
    addresses.closes(HERE)
    assert [addresses.opens(HERE, 0) for _ in range(2)] == [True, False]


def test_new_connections_and_messages_are_counted_over_a_rolling_minute() -> None:
    addresses = Addresses(StreamLimits(connections_per_minute_max=2, messages_per_minute_max=2))
    for counted in (addresses.opens, addresses.speaks):
        assert [counted(HERE, at) for at in (0, 10, 20)] == [True, True, False]
        assert counted(HERE, WINDOW_US)
        assert not counted(HERE, WINDOW_US + 9)
        assert counted(HERE, WINDOW_US + 10)


def test_an_address_that_uses_nothing_is_forgotten() -> None:
    addresses = Addresses(StreamLimits(connections_per_minute_max=5, messages_per_minute_max=5))
    for number in range(100):
        assert addresses.opens(f"10.1.0.{number}", number)
        addresses.closes(f"10.1.0.{number}")
    assert addresses.opens(HERE, 2 * WINDOW_US)
    assert list(addresses._of) == [HERE]

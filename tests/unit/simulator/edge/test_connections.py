import asyncio

import pytest

from lighter_hedge.simulator.edge.connections import Connection, Connections, Outbox


def made(outbox: asyncio.Queue[str] | None = None, dropped: list[bool] | None = None) -> Connection:
    said = [] if dropped is None else dropped
    return Connection(drop=lambda: said.append(True), outbox=outbox or asyncio.Queue())


def test_a_reader_too_slow_for_its_outbox_is_dropped() -> None:
    dropped: list[bool] = []
    connection = made(Outbox(10), dropped)
    connection.send("12345")
    connection.send("12345")
    assert not dropped
    connection.send("1")
    assert dropped
    assert (connection.queued, connection.outbox.qsize()) == (2, 2)


def test_an_outbox_has_room_again_for_what_has_been_taken() -> None:
    outbox = Outbox(10)
    outbox.put_nowait("1234567890")
    assert outbox.get_nowait() == "1234567890"
    outbox.put_nowait("1234567890")


def test_a_frame_larger_than_the_bound_fits_an_empty_outbox_alone() -> None:
    outbox = Outbox(10)
    outbox.put_nowait("x" * 50)
    with pytest.raises(asyncio.QueueFull):
        outbox.put_nowait("x")


def test_messages_are_in_flight_until_their_answer_is_written() -> None:
    connection = made()
    for _ in range(3):
        connection.unanswered.append(connection.queued + 1)
        connection.send("answer")
    assert connection.in_flight() == 3
    connection.written = 2
    assert connection.in_flight() == 1


def test_the_oldest_connection_hears_first_whoever_subscribed_first() -> None:
    connections = Connections()
    old, new = made(), made()
    connections.add(old)
    connections.add(new)
    connections.subscribe(new, "height")
    connections.subscribe(old, "height")
    assert connections.listening("height") == [old, new]
    assert list(connections) == [old, new]


def test_who_has_gone_hears_nothing_and_leaves_nothing_behind() -> None:
    connections = Connections()
    one, other = made(), made()
    for connection in (one, other):
        connections.add(connection)
        connections.subscribe(connection, "height")
    connections.discard(one)
    assert (connections.listening("height"), len(connections)) == ([other], 1)
    connections.unsubscribe(other, "height")
    assert connections.heard() == []
    assert connections.listening("height") == []

"""What goes wrong between a process and the exchange."""

from tests.simulation.market import LOTS
from tests.simulation.process import Process
from tests.simulation.sim_server import ACCOUNTS, BTC
from tests.simulation.sim_venue import SendFault
from tests.simulation.stage import Stage


def _channels(process: Process) -> list[str]:
    own, other = ACCOUNTS[process.role], ACCOUNTS[process.role.other]
    return [f"account_all:{own}", f"account_all:{other}", f"account_all_orders:{own}", f"account_tx:{own}"]


def _send(stage: Stage, fault: SendFault) -> str:
    process = stage.process()
    process.venue.network.sends.append(fault)
    return f"{process.role.letter} {fault.kind} {fault.seconds or fault.status or ''}"


def request_lost(stage: Stage) -> str:
    return _send(stage, SendFault("lost"))


def request_late(stage: Stage) -> str:
    return _send(stage, SendFault("late", stage.rng.choice((0.05, 0.4, 2.5, 8.0, 60.0)) * stage.rng.random()))


def request_twice(stage: Stage) -> str:
    return _send(stage, SendFault("twice", stage.rng.choice((0.0, 0.2, 5.0, 60.0)) * stage.rng.random()))


def reply_lost(stage: Stage) -> str:
    return _send(stage, SendFault("deaf"))


def throttled(stage: Stage) -> str:
    return _send(stage, SendFault("status", status=stage.rng.choice((429, 405))))


def edge_error(stage: Stage) -> str:
    return _send(stage, SendFault("status", status=stage.rng.choice((500, 502, 503, 504))))


def ran_and_failed(stage: Stage) -> str:
    """The edge answers 5xx for a transaction that the sequencer has taken."""
    return _send(stage, SendFault("ran", status=stage.rng.choice((500, 504))))


def cut(stage: Stage) -> str:
    """No connection, no answer."""
    process = stage.process()
    process.venue.cut = True
    if stage.rng.random() < 0.5:
        process.venue.drop()
    seconds = stage.rng.choice((0.2, 1.0, 5.0, 15.0)) * stage.rng.random()

    def back() -> None:
        process.venue.cut = False

    stage.later(seconds, back)
    return f"{process.role.letter} {seconds:.1f} s"


def deaf(stage: Stage) -> str:
    """Frames of some channels are lost, and nothing says so."""
    process = stage.process()
    channels = {channel for channel in _channels(process) if stage.rng.random() < 0.5}
    process.venue.deaf |= channels
    stage.later(stage.rng.choice((0.5, 3.0, 12.0)), lambda: process.venue.deaf.difference_update(channels))
    return f"{process.role.letter} {' '.join(sorted(channels))}"


def book_stale(stage: Stage) -> str:
    """No frame of the market arrives any more."""
    process = stage.process()
    channels = {f"order_book:{BTC.market_index}", f"market_stats:{BTC.market_index}"}
    process.venue.deaf |= channels
    stage.later(stage.rng.choice((1.0, 4.0, 10.0)), lambda: process.venue.deaf.difference_update(channels))
    return process.role.letter


def book_gap(stage: Stage) -> str:
    process = stage.process()
    process.venue.network.drop[f"order_book:{BTC.market_index}"] = stage.rng.choice((1, 1, 3))
    return process.role.letter


def frames_lost(stage: Stage) -> str:
    process, lost = stage.process(), stage.rng.choice((1, 1, 2, 4))
    channel = stage.rng.choice(_channels(process))
    process.venue.network.drop[channel] = lost
    return f"{process.role.letter} {lost} of {channel}"


def frames_twice(stage: Stage) -> str:
    process = stage.process()
    channel = stage.rng.choice(_channels(process))
    process.venue.network.twice[channel] = stage.rng.choice((1, 3))
    return f"{process.role.letter} {channel}"


def frames_swapped(stage: Stage) -> str:
    process = stage.process()
    channel = stage.rng.choice(_channels(process))
    process.venue.network.swap.add(channel)
    return f"{process.role.letter} {channel}"


def frames_late(stage: Stage) -> str:
    process = stage.process()
    network = process.venue.network
    network.frames_late = stage.rng.choice((0.05, 0.3, 2.0)) * stage.rng.random()

    def back() -> None:
        network.frames_late = 0.0

    stage.later(stage.rng.choice((1.0, 5.0)), back)
    return f"{process.role.letter} {network.frames_late:.2f} s"


def channel_late(stage: Stage) -> str:
    """One channel comes later than the others: facts overtake each other."""
    process = stage.process()
    network, channel = process.venue.network, stage.rng.choice(_channels(process))
    network.channel_late[channel] = stage.rng.choice((0.02, 0.3, 2.0)) * stage.rng.random()
    stage.later(stage.rng.choice((1.0, 5.0)), lambda: _forget(network.channel_late, channel))
    return f"{process.role.letter} {channel}"


def _forget(delays: dict[str, float], channel: str) -> None:
    delays.pop(channel, None)


def frame_garbled(stage: Stage) -> str:
    process = stage.process()
    process.venue.network.garble += 1
    return process.role.letter


def reads_stale(stage: Stage) -> str:
    """Accounts and nonces are read as they were, within the read lag."""
    process = stage.process()
    network = process.venue.network
    network.read_lag_us = int(stage.truth.desk.read_lag_ms * 1000 * stage.rng.choice((0.3, 0.9)))

    def back() -> None:
        network.read_lag_us = 0

    stage.later(stage.rng.choice((1.0, 6.0)), back)
    return f"{process.role.letter} {network.read_lag_us // 1000} ms"


def reads_fail(stage: Stage) -> str:
    process = stage.process()
    process.venue.network.read_errors += stage.rng.choice((1, 2, 6))
    return process.role.letter


def slow(stage: Stage) -> str:
    """Every way to the exchange and back takes long."""
    process = stage.process()
    network = process.venue.network
    network.latency = stage.rng.choice((0.02, 0.15, 0.6))

    def back() -> None:
        network.latency = 0.001

    stage.later(stage.rng.choice((1.0, 6.0)), back)
    return f"{process.role.letter} {network.latency} s"


def drop_copy_refused(stage: Stage) -> str:
    """The other account's channel says nothing: what is known of it comes by state and by REST."""
    process = stage.process()
    channel = f"account_all:{ACCOUNTS[process.role.other]}"
    process.venue.deaf.add(channel)
    stage.later(stage.rng.choice((2.0, 10.0)), lambda: process.venue.deaf.discard(channel))
    return process.role.letter


def pushes_late(stage: Stage) -> str:
    """The exchange's stream lags for both sides alike, while its transactions run as ever."""
    seconds = stage.rng.choice((0.5, 1.2, 2.5))
    networks = [process.venue.network for process in stage.world.everybody()]
    for network in networks:
        network.frames_late = seconds

    def back() -> None:
        for network in networks:
            network.frames_late = 0.0

    stage.later(stage.rng.uniform(3.0, 8.0), back)
    return f"{seconds} s"


def trades_apart(stage: Stage) -> str:
    """The trades of one order come one by one, and its row later; the market is thin, so that there are several."""
    process, seconds = stage.process(), stage.rng.choice((0.3, 2.0))
    network, channel = process.venue.network, f"account_all_orders:{ACCOUNTS[process.role]}"
    network.apart = network.channel_late[channel] = seconds
    stage.market.lots = stage.rng.choice((3, 8, 15))
    stage.market.show(stage.world.server)

    def back() -> None:
        network.apart = 0.0
        _forget(network.channel_late, channel)
        stage.market.lots = LOTS

    stage.later(stage.rng.choice((2.0, 6.0)), back)
    return f"{process.role.letter} {seconds} s"


KINDS = {
    "request_lost": (request_lost, 3.0, "H6 H10"),
    "request_late": (request_late, 3.0, "H6 H10 H28 E2 E6"),
    "request_twice": (request_twice, 2.0, "H6 H10"),
    "reply_lost": (reply_lost, 3.0, "H6 E2"),
    "throttled": (throttled, 0.6, "H35 E16"),
    "edge_error": (edge_error, 1.5, "H6"),
    "ran_and_failed": (ran_and_failed, 1.5, "H6 H7 E2"),
    "cut": (cut, 1.5, "H5 H6"),
    "deaf": (deaf, 2.0, "H5 E17 E19"),
    "book_stale": (book_stale, 0.8, "H5 H37"),
    "book_gap": (book_gap, 1.5, "H5"),
    "frames_lost": (frames_lost, 3.0, "H5 E3 E17"),
    "frames_twice": (frames_twice, 3.0, "H4 H17"),
    "frames_swapped": (frames_swapped, 3.0, "H17 E3"),
    "frames_late": (frames_late, 2.0, "H5 H40 E17"),
    "channel_late": (channel_late, 3.0, "E3 E17 E25"),
    "frame_garbled": (frame_garbled, 0.6, "H5 H18"),
    "reads_stale": (reads_stale, 2.0, "H10 H39 E2 E6 E25"),
    "reads_fail": (reads_fail, 1.5, "H5 E25"),
    "slow": (slow, 1.0, "H6 H40 E13"),
    "drop_copy_refused": (drop_copy_refused, 1.0, "H5 E17 E19"),
    "trades_apart": (trades_apart, 1.0, "H8 E3"),
    "pushes_late": (pushes_late, 0.5, "H1 H5 H40 E17"),
}

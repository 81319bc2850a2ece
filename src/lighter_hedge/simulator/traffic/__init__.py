"""Market traffic for the paper exchange, in one place.

Every source but one is an iterator of ``(at_us, event)`` in order of time, microseconds since its start, and a
function of its arguments alone. ``synthetic`` draws a market, ``tape`` plays a recorded one again and
again, ``quiet`` holds a book still. The one is ``live``: it plays what the feed of a venue tells, as it comes;
``record`` writes that feed as a tape.
"""

from collections.abc import Iterator
from itertools import takewhile

from lighter_hedge.simulator.core.events import TrafficEvent
from lighter_hedge.simulator.traffic.quiet import quiet
from lighter_hedge.simulator.traffic.synthetic import Character, Quantiles, synthetic
from lighter_hedge.simulator.traffic.tape import play_once, tape
from lighter_hedge.simulator.traffic.tape_lines import TapeError
from lighter_hedge.simulator.traffic.tape_writer import TapeForm, write_tape

__all__ = [
    "Character",
    "Quantiles",
    "TapeError",
    "TapeForm",
    "play_once",
    "quiet",
    "synthetic",
    "tape",
    "until",
    "write_tape",
]


def until(traffic: Iterator[tuple[int, TrafficEvent]], at_us: int) -> Iterator[tuple[int, TrafficEvent]]:
    """The part of endless traffic before ``at_us``, microseconds since its start."""
    return takewhile(lambda timed: timed[0] < at_us, traffic)

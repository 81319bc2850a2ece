"""Sends under way on one connection, matched with the venue's replies.

The venue sends some errors without an id. They belong to the oldest send without a reply; where more than one waits,
that is a guess, and a guess rejects nothing: it becomes UNKNOWN.
"""

import asyncio
from dataclasses import dataclass

from lighter_hedge.domain.events import Answer
from lighter_hedge.venue.lighter.answers import unknown

REMEMBERED_SECONDS = 30.0
"""How long a send that was given up still takes an error without an id upon itself."""


@dataclass(slots=True, kw_only=True)
class Flight:
    """One send without a reply."""

    id: str
    since: float
    answer: asyncio.Future[Answer]


class InFlight:
    """The sends of one connection that have no reply yet, oldest first."""

    def __init__(self) -> None:
        self._flights: dict[str, Flight] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._flights)

    def begin(self, now: float) -> Flight:
        """Count a send that is about to be written."""
        self._forget(now)
        self._count += 1
        flight = Flight(id=str(self._count), since=now, answer=asyncio.get_running_loop().create_future())
        self._flights[flight.id] = flight
        return flight

    def reply(self, flight_id: str, answer: Answer) -> None:
        """A reply that names its send. One that nobody waits for any more is dropped."""
        flight = self._flights.pop(flight_id, None)
        if flight is not None:
            _settle(flight, answer)

    def reply_without_id(self, answer: Answer, now: float) -> bool:
        """An error that names no send; False if none is under way."""
        self._forget(now)
        if not self._flights:
            return False
        alone = len(self._flights) == 1
        flight = self._flights.pop(next(iter(self._flights)))
        _settle(flight, answer if alone else unknown(answer.message, answer.code))
        return True

    def lose(self, why: str) -> None:
        """The connection is gone: nothing is known of what was under way."""
        for flight in self._flights.values():
            _settle(flight, unknown(why))
        self._flights.clear()

    def _forget(self, now: float) -> None:
        for flight in list(self._flights.values()):
            if flight.answer.done() and now - flight.since > REMEMBERED_SECONDS:
                del self._flights[flight.id]


def _settle(flight: Flight, answer: Answer) -> None:
    if not flight.answer.done():
        flight.answer.set_result(answer)

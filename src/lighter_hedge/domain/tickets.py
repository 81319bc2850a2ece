"""Requests that are being signed: what was asked, under which nonce, and whether it is to be sent at once."""

from dataclasses import dataclass, field
from typing import NamedTuple

from lighter_hedge.domain.commands import Prepare
from lighter_hedge.domain.events import OrderRequest, Request


class Ticket(NamedTuple):
    """One request being signed."""

    request: Request
    nonce: int
    at_once: bool


@dataclass(slots=True)
class Tickets:
    """All requests being signed; answers come back by number."""

    _open: dict[int, Ticket] = field(default_factory=dict)
    _last: int = 0

    def issue(self, request: Request, nonce: int, *, at_once: bool) -> Prepare:
        """Ask for a signature."""
        self._last += 1
        self._open[self._last] = Ticket(request, nonce, at_once)
        return Prepare(ticket=self._last, nonce=nonce, request=request)

    def take(self, number: int) -> Ticket | None:
        """The answer has come; None for one that nobody waits for."""
        return self._open.pop(number, None)

    @property
    def sending(self) -> bool:
        """Whether something being signed will be sent as soon as it is."""
        return any(ticket.at_once for ticket in self._open.values())

    def holds(self, coid: int) -> bool:
        """Whether the order of this client order index is being signed."""
        requests = (ticket.request for ticket in self._open.values())
        return any(isinstance(request, OrderRequest) and request.coid == coid for request in requests)

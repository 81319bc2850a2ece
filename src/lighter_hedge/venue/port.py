"""The venue as a port: what the driver asks of an exchange.

Reads raise ``ReadFailed``; a send never raises. Pushes arrive as domain events through the callback of ``stream``.
"""

from collections.abc import Callable
from typing import Protocol

from lighter_hedge.domain.events import (
    Answer,
    Candidate,
    OrderReport,
    Request,
    TxReported,
    TxStatus,
    VenueEvent,
)
from lighter_hedge.domain.states import Role
from lighter_hedge.domain.units import MarketSpec

OnEvent = Callable[[VenueEvent | TxReported], None]
"""Called on the event loop for every push, in order of arrival, synchronously as each frame is read."""


class Venue(Protocol):
    """One account's access to the venue, with one API key that nothing else uses.

    ``role`` is the role of the own account; the other account's public channel is followed as a drop copy.
    """

    market: MarketSpec

    async def sign(self, request: Request, nonce: int) -> Candidate:
        """Sign ``request`` under ``nonce`` without sending it.

        Raises:
            VenueError: the signer refuses; nothing is sent.
        """

    async def send(self, candidate: Candidate) -> Answer:
        """Send the signed bytes and wait for the venue's answer, over the stream or else over HTTP. Never raises."""

    async def read_nonce(self) -> int:
        """The key's next nonce."""

    async def read_tx(self, tx_hash: str) -> tuple[TxStatus, str]:
        """Status of a transaction, and what the sequencer said where it had no effect."""

    async def read_orders(self, coids: tuple[int, ...]) -> tuple[OrderReport, ...]:
        """Rows of own orders; all recent ones without ``coids``. Absence proves nothing before the read lag is over."""

    async def read_account(self, role: Role) -> tuple[int, int, int]:
        """Of either account: signed position in lots, free collateral in millionths, number of open orders."""

    async def stream(self, on_event: OnEvent) -> None:
        """Follow the market and both accounts until cancelled; reconnects by itself.

        Emits ``FeedOpened`` after every subscription has answered and ``FeedClosed`` on each loss.
        """

    def resubscribe_book(self) -> None:
        """Ask for a fresh snapshot of the order book."""

    async def close(self) -> None:
        """Release sockets."""

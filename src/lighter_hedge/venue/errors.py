"""Errors of the venue.

::

    VenueError
    ├── ReadFailed        a read gave no answer: the thing read is unknown, never zero
    │   └── TooManyRequests  the venue refuses more of them for a while
    ├── VenueUnreachable  nothing answers at the address
    ├── KeyRefused        the API key is not this account's
    └── UnknownMarket     the venue lists no such market

A send never raises: its outcome is an ``Answer`` (accepted, rejected, bad nonce, not sent, throttled, unknown).
"""

WAIT_A_MINUTE = "the exchange counts requests by the minute: wait for one, then try again"
"""What to do about ``TooManyRequests``."""


class VenueError(Exception):
    """Base of all errors of the venue."""


class ReadFailed(VenueError):
    """A read gave no usable answer."""


class TooManyRequests(ReadFailed):
    """The venue refuses more requests from this address or wallet; by the fact sheet for about a minute."""


class VenueUnreachable(VenueError):
    """Nothing answers at the venue's address."""


class KeyRefused(VenueError):
    """The API key does not belong to the account, or the venue holds another public key."""


class UnknownMarket(VenueError):
    """The venue lists no such market; the message names those it lists."""

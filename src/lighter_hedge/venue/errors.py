"""Errors of the venue.

::

    VenueError
    ├── ReadFailed        a read gave no answer: the thing read is unknown, never zero
    ├── VenueUnreachable  nothing answers at the address
    ├── KeyRefused        the API key is not this account's
    └── UnknownMarket     the venue lists no such market

A send never raises: its outcome is an ``Answer`` (accepted, rejected, bad nonce, not sent, throttled, unknown).
"""


class VenueError(Exception):
    """Base of all errors of the venue."""


class ReadFailed(VenueError):
    """A read gave no usable answer."""


class VenueUnreachable(VenueError):
    """Nothing answers at the venue's address."""


class KeyRefused(VenueError):
    """The API key does not belong to the account, or the venue holds another public key."""


class UnknownMarket(VenueError):
    """The venue lists no such market; the message names those it lists."""

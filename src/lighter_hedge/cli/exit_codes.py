"""From what went wrong to how the command ends: one table."""

from lighter_hedge.config import ConfigError
from lighter_hedge.domain.units import UnitError
from lighter_hedge.messaging.port import MessagingError, SupersededError
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.venue.errors import KeyRefused, UnknownMarket, VenueError

__all__ = ["EXPECTED", "ExitCode", "code_of"]

_TABLE: tuple[tuple[type[Exception], ExitCode], ...] = (
    (ConfigError, ExitCode.CONFIGURATION),
    (UnitError, ExitCode.USAGE),
    (SupersededError, ExitCode.SUPERSEDED),
    (MessagingError, ExitCode.FAILED),
    (KeyRefused, ExitCode.CONFIGURATION),
    (UnknownMarket, ExitCode.CONFIGURATION),
    (VenueError, ExitCode.FAILED),
    (OSError, ExitCode.FAILED),
)

EXPECTED: tuple[type[Exception], ...] = (OpsError, *(kind for kind, _ in _TABLE))
"""Errors that are shown as one clear line. Anything else is a mistake of ours and keeps its traceback."""


def code_of(error: Exception) -> ExitCode:
    """The exit code of an expected error."""
    if isinstance(error, OpsError):
        return error.code
    for kind, code in _TABLE:
        if isinstance(error, kind):
            return code
    return ExitCode.FAILED

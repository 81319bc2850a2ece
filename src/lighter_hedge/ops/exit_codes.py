"""Exit codes, one meaning each, and the error that carries one. Never reuse a number."""

from enum import IntEnum


class ExitCode(IntEnum):
    """How a command or process ended; the table stands in the contracts."""

    OK = 0
    FAILED = 1
    """Port taken, no Redis, exchange not reachable."""
    USAGE = 2
    """Depth 0, too many decimals."""
    CONFIGURATION = 3
    """Bad YAML, unknown key or market, below the minimum, key wrong, A and B the same account."""
    NOT_RUNNING = 4
    UNHEDGED = 5
    TIMED_OUT = 6
    REFUSED = 7
    """A second ``up``, unexplained positions, needs ``--yes``."""
    SUPERSEDED = 8
    """Another instance holds the account; no supervisor restarts it."""


NOT_RESTARTED = frozenset({ExitCode.OK, ExitCode.USAGE, ExitCode.CONFIGURATION, ExitCode.REFUSED, ExitCode.SUPERSEDED})
"""Ends that a restart cannot mend."""


class OpsError(Exception):
    """Something expected went wrong: what, and what to do about it.

    Attributes:
        code: how the command ends.
        remedy: one sentence for the person who reads it; may be empty.
    """

    def __init__(self, code: ExitCode, message: str, remedy: str = "") -> None:
        self.code = code
        self.message = message
        self.remedy = remedy
        super().__init__(f"{message}: {remedy}" if remedy else message)

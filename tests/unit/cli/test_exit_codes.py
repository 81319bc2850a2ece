"""The mapping from errors to exit codes."""

import pytest

from lighter_hedge.cli.exit_codes import EXPECTED, ExitCode, code_of
from lighter_hedge.config import ConfigError
from lighter_hedge.config_source import Problem
from lighter_hedge.domain.units import UnitError
from lighter_hedge.messaging.port import MessagingError, SupersededError
from lighter_hedge.ops.exit_codes import OpsError
from lighter_hedge.venue.errors import KeyRefused, ReadFailed, UnknownMarket


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OpsError(ExitCode.NOT_RUNNING, "x"), 4),
        (ConfigError([Problem(path="f", line=1, message="m", remedy="r")]), 3),
        (UnitError("x"), 2),
        (MessagingError("x"), 1),
        (SupersededError("x"), 8),
        (KeyRefused("x"), 3),
        (UnknownMarket("x"), 3),
        (ReadFailed("x"), 1),
        (FileNotFoundError("x"), 1),
    ],
)
def test_each_error_has_its_code(error: Exception, code: int) -> None:
    assert isinstance(error, EXPECTED)
    assert code_of(error) == code

"""``doctor``: every check with its remedy; the exit code is the health."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from lighter_hedge.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    CredentialsOption,
    JsonOption,
    MarketOption,
    ends_with,
    guarded,
    overrides_of,
    result,
    result_json,
    settings_of,
)
from lighter_hedge.ops.exit_codes import ExitCode

if TYPE_CHECKING:
    from lighter_hedge.config import Settings
    from lighter_hedge.ops.doctor import Row

WIDTH = 18


@guarded
def doctor(
    config: ConfigOption = DEFAULT_CONFIG,
    credentials: CredentialsOption = None,
    market: MarketOption = None,
    json_: JsonOption = False,
) -> None:
    """Check everything that a desk needs, each with its remedy. Ends with 0 where nothing fails, else 1."""
    from lighter_hedge.config import ConfigError
    from lighter_hedge.ops.doctor import Health, row

    rows: list[Row] = []

    def tell(each: "Row") -> None:
        rows.append(each)
        if not json_:
            _print(each)

    try:
        settings = settings_of(config, credentials=credentials, overrides=overrides_of(market), quiet=True)
    except ConfigError as error:
        for problem in error.problems:
            tell(row("config", Health.FAIL, str(problem)))
    else:
        tell(row("config", Health.OK, str(settings.file)))
        for warning in settings.warnings:
            tell(row("config", Health.WARN, warning))
        asyncio.run(_examine(settings, tell))
    failed = [each for each in rows if each.health is Health.FAIL]
    if json_:
        told = [
            {"check": each.check, "health": each.health.value, "text": each.text, "remedy": each.remedy}
            for each in rows
        ]
        result_json({"healthy": not failed, "rows": told})
    else:
        warned = sum(each.health is Health.WARN for each in rows)
        result(f"{len(rows)} checks: {len(failed)} failed, {warned} warnings")
    ends_with(ExitCode.FAILED if failed else ExitCode.OK)


async def _examine(settings: "Settings", tell: "Callable[[Row], None]") -> None:
    from lighter_hedge.ops.doctor import examine

    async for each in examine(settings):
        tell(each)


def _print(each: "Row") -> None:
    result(f"{each.health.value:<5} {each.check:<{WIDTH}} {each.text}")
    if each.remedy:
        result(f"{'':<5} {'':<{WIDTH}} → {each.remedy}")

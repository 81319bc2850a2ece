"""``notify``: whether alerts reach people."""

import asyncio
from typing import Annotated

import typer

from lighter_hedge.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    CredentialsOption,
    MarketOption,
    ends_with,
    guarded,
    overrides_of,
    result,
    settings_of,
)
from lighter_hedge.ops.exit_codes import ExitCode, OpsError

app = typer.Typer(help="Alerts to people.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Alerts to people."""


@app.command("test")
@guarded
def try_targets(
    config: ConfigOption = DEFAULT_CONFIG,
    credentials: CredentialsOption = None,
    market: MarketOption = None,
    route: Annotated[str, typer.Option("--route", help="critical, warning, info or daily; all: every target.")] = "all",
) -> None:
    """Send a test message to each target of alerts.targets_file, and say who took it. Ends with 0 or 1."""
    from lighter_hedge.language import _
    from lighter_hedge.ops.alerts import ROUTES
    from lighter_hedge.processes.notifier import send_by_apprise, targets_of

    if route not in (*ROUTES, "all"):
        raise OpsError(ExitCode.USAGE, f"there is no route {route}", f"use one of {', '.join(ROUTES)} or all")
    settings = settings_of(config, credentials=credentials, overrides=overrides_of(market))
    targets = [each for each in targets_of(settings) if route == "all" or route in each.routes]
    if not targets:
        raise OpsError(ExitCode.CONFIGURATION, "no target", "set alerts.targets_file, see docs/alerts.md")
    title = _("{desk}: a test").format(desk=settings.desk_id)
    body = _("If you read this, alerts of this desk reach you.")
    taken = [asyncio.run(send_by_apprise(each, title, body)) for each in targets]
    for target, took in zip(targets, taken, strict=True):
        routes = ",".join(name for name in ROUTES if name in target.routes)
        result(f"{'ok  ' if took else 'fail'}  {target.shown}  {routes}")
    ends_with(ExitCode.OK if all(taken) else ExitCode.FAILED)

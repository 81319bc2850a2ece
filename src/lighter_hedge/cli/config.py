"""``config check``, ``config show`` and ``config schema``."""

from pathlib import Path

import typer

from lighter_hedge.cli.common import (
    DEFAULT_CONFIG,
    ConfigOption,
    CredentialsOption,
    JsonOption,
    guarded,
    result,
    result_json,
    settings_of,
)

app = typer.Typer(help="Check and show the configuration.", no_args_is_help=True)


@app.command("check")
@guarded
def check(
    config: ConfigOption = DEFAULT_CONFIG, credentials: CredentialsOption = None, json_: JsonOption = False
) -> None:
    """Name everything that is wrong with the configuration, with file and line."""
    from lighter_hedge.config import ConfigError
    from lighter_hedge.domain.states import Role

    try:
        settings = settings_of(config, credentials=credentials, keys=tuple(Role), quiet=json_, like_last_start=False)
    except ConfigError as error:
        if json_:
            problems = [
                {"path": each.path, "line": each.line, "message": each.message, "remedy": each.remedy}
                for each in error.problems
            ]
            result_json({"ok": False, "problems": problems})
        raise
    if json_:
        result_json({"ok": True, "desk": str(settings.desk_id), "warnings": list(settings.warnings)})
    else:
        result(f"{_name(config)} is good: desk {settings.desk_id} on {settings.venue.network}")


@app.command("show")
@guarded
def show(
    config: ConfigOption = DEFAULT_CONFIG, credentials: CredentialsOption = None, json_: JsonOption = False
) -> None:
    """Print every setting with its origin; secrets are masked."""
    shown = settings_of(config, credentials=credentials, quiet=json_, like_last_start=False).shown()
    if json_:
        result_json({key: {"value": value, "origin": origin} for key, (value, origin) in shown.items()})
        return
    width = max(map(len, shown))
    for key, (value, origin) in shown.items():
        result(f"{key:<{width}}  {value}  ({origin})")


@app.command("schema")
def schema() -> None:
    """Print the JSON schema of config.yaml, for an editor that completes and checks it."""
    from lighter_hedge.config import Settings

    result_json(Settings.model_json_schema())


def _name(config: Path) -> str:
    return config.name

"""What all commands share: options, settings, output, and the one place where errors become a line and a code."""

import functools
import json
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, ParamSpec

import typer

from lighter_hedge.ops.exit_codes import ExitCode, OpsError

if TYPE_CHECKING:
    from lighter_hedge.config import Settings
    from lighter_hedge.domain.states import Role

P = ParamSpec("P")

DEFAULT_CONFIG = Path("config.yaml")

ConfigOption = Annotated[Path, typer.Option("--config", help="The configuration file.", show_default=True)]
CredentialsOption = Annotated[
    Path | None, typer.Option("--credentials", help="A paper exchange's credentials: addresses, accounts and keys.")
]
MarketOption = Annotated[str | None, typer.Option("--market", help="Market, for example BTC.")]
QuantityOption = Annotated[str | None, typer.Option("--quantity", help="Size of a quote in the base currency.")]
DepthOption = Annotated[int | None, typer.Option("--depth", min=1, help="Price level of A's quote: 1 is the best.")]
DirectionOption = Annotated[str | None, typer.Option("--direction", help="long, short or alternate.")]
DeskOption = Annotated[str | None, typer.Option("--desk", help="Name of the desk, as a check: for example a_b:BTC.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


def note(text: str) -> None:
    """A message for a person, on stderr."""
    typer.echo(text, err=True)


def result(text: str) -> None:
    """A line of the result, on stdout."""
    typer.echo(text)


def result_json(body: Mapping[str, Any]) -> None:
    """The result as one JSON object, on stdout."""
    typer.echo(json.dumps(body, default=str))


def ends_with(code: int) -> NoReturn:
    """End the command with an exit code."""
    raise typer.Exit(int(code))


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """Turn every expected error of ``command`` into one clear text on stderr and its exit code."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        from lighter_hedge.cli.exit_codes import EXPECTED, code_of

        try:
            command(*args, **kwargs)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ends_with(ExitCode.FAILED)
        except EXPECTED as error:
            note(f"error: {error}")
            ends_with(code_of(error))
        except ExceptionGroup as group:
            first = next(_leaves(group))
            if not isinstance(first, EXPECTED):
                raise
            note(f"error: {first}")
            ends_with(code_of(first))
        except KeyboardInterrupt:
            note("interrupted")
            ends_with(ExitCode.FAILED)

    return wrapped


def _leaves(group: ExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def overrides_of(
    market: str | None = None, quantity: str | None = None, depth: int | None = None, direction: str | None = None
) -> dict[str, object]:
    """The command line's part of the settings, by dotted key."""
    return {"desk.market": market, "desk.quantity": quantity, "desk.depth": depth, "desk.direction": direction}


def settings_of(
    config: Path,
    *,
    overrides: Mapping[str, object] | None = None,
    credentials: Path | None = None,
    keys: Collection["Role"] = (),
    desk: str | None = None,
    quiet: bool = False,
    like_last_start: bool = True,
) -> "Settings":
    """Load the settings and print their warnings.

    Without a file, ``--credentials`` alone is enough. ``like_last_start`` adds the flags of the last ``up`` where they
    are not given, so that ``down`` means the desk that ``up --market ETH`` has started.

    Raises:
        ConfigError: with every problem.
        OpsError: ``desk`` names another desk.
    """
    from lighter_hedge.config import load
    from lighter_hedge.ops.started import recall

    given = {key: value for key, value in (overrides or {}).items() if value is not None}
    if like_last_start:
        last = recall(config.absolute().parent / "run")
        credentials = credentials or last.credentials
        given = {**last.overrides, **given}
    by_default = config.absolute() == DEFAULT_CONFIG.absolute()
    missing = by_default and credentials is not None and not config.exists()
    settings = load(None if missing else config, overrides=given, credentials=credentials, env=os.environ, keys=keys)
    if desk is not None and desk != str(settings.desk_id):
        raise OpsError(
            ExitCode.CONFIGURATION,
            f"{config} is of desk {settings.desk_id}, not {desk}",
            "name the other file with --config",
        )
    if not quiet:
        for warning in settings.warnings:
            note(f"warning: {warning}")
    return settings


def passed_on(config: Path, credentials: Path | None, overrides: Mapping[str, object]) -> list[str]:
    """The same choices as arguments of another command of ours, paths made absolute."""
    arguments = ["--config", str(config.absolute())]
    if credentials is not None:
        arguments += ["--credentials", str(credentials.absolute())]
    for key, value in overrides.items():
        if value is not None:
            arguments += [f"--{key.rpartition('.')[2]}", str(value)]
    return arguments

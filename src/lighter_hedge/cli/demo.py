"""``demo``: the whole desk on this machine, without keys or money."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lighter_hedge.cli.common import JsonOption, ends_with, guarded, note, result, result_json
from lighter_hedge.ops.exit_codes import ExitCode

if TYPE_CHECKING:
    from lighter_hedge.ops.narrate import Line

STYLES = {
    "quote": "cyan",
    "fill": "yellow",
    "hedge": "green",
    "closed": "bold green",
    "trouble": "bold red",
    "note": "dim",
}


@guarded
def demo(
    rounds: Annotated[int | None, typer.Option("--rounds", min=1, help="End after this many closed rounds.")] = None,
    json_: JsonOption = False,
    tape: Annotated[Path | None, typer.Option("--tape", help="Replay this recording instead of made traffic.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the made traffic.")] = 1,
    market: Annotated[str, typer.Option("--market", help="Market.")] = "BTC",
    quantity: Annotated[str | None, typer.Option("--quantity", help="Size of a quote; default: a small one.")] = None,
    depth: Annotated[int, typer.Option("--depth", min=1, help="Price level of A's quote: 1 is the best.")] = 1,
    direction: Annotated[str, typer.Option("--direction", help="long, short or alternate.")] = "long",
    tier: Annotated[str, typer.Option("--tier", help="standard, premium or unlimited.")] = "premium",
    keep: Annotated[Path | None, typer.Option("--keep", help="Keep configuration, logs and journals here.")] = None,
    timeout: Annotated[float | None, typer.Option("--timeout", min=0.1, help="Seconds until it gives up.")] = None,
) -> None:
    """Show the whole desk: a paper exchange, Redis, A and B. Needs no keys; Ctrl-C ends it."""
    from lighter_hedge.ops.demo import DemoSettings, run_demo

    settings = DemoSettings(
        rounds=rounds,
        market=market,
        quantity=quantity,
        depth=depth,
        direction=direction,
        tier=tier,
        seed=seed,
        tape=tape,
        keep=keep,
        timeout_seconds=timeout,
    )
    outcome = asyncio.run(run_demo(settings, _shower()))
    if json_:
        result_json(outcome.body)
    else:
        for line in summary(outcome.body):
            result(line)
    if outcome.code is not ExitCode.OK:
        note(f"ended with exit code {int(outcome.code)} ({outcome.code.name.lower().replace('_', ' ')})")
    ends_with(outcome.code)


def _shower() -> "Callable[[Line], None]":
    """Lines to stderr: coloured on a terminal, plain elsewhere."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, highlight=False, soft_wrap=True)

    def show(line: "Line") -> None:
        console.print(Text(line.text, style=STYLES[line.tone.value] if console.is_terminal else ""))

    return show


def summary(body: dict[str, Any]) -> list[str]:
    """The figures as text."""
    hedge = body["hedge_ms"]
    times = "" if hedge["p50"] is None else f"; fill to hedge p50 {hedge['p50']} ms, p99 {hedge['p99']} ms"
    return [
        f"{body['rounds_closed']} rounds closed and hedged, {body['rounds_failed']} failed, "
        f"in {body['seconds']} s{times}",
        f"A filled {body['a_filled_lots']} lots, B {body['b_filled_lots']}; net {body['net_lots']}; "
        f"self-trades {body['self_trades']}; longest unhedged {body['unhedged_ms_max']} ms",
    ]

"""The paper exchange as a command."""

import asyncio
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lighter_hedge.cli.common import guarded, note
from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.ops.ready import say_ready

if TYPE_CHECKING:
    from lighter_hedge.simulator.edge.server import PaperSettings


@guarded
def paper(
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes any free port.")] = 8700,
    tier: Annotated[str, typer.Option("--tier", help="standard, plus, premium, builder or unlimited.")] = "standard",
    staked_lit: Annotated[int, typer.Option("--staked-lit", min=0, help="LIT that a premium wallet has staked.")] = 0,
    wallets: Annotated[str, typer.Option("--wallets", help="shared: sub-accounts of one wallet; separate.")] = "shared",
    collateral: Annotated[int, typer.Option("--collateral", min=1, help="USDC of each account.")] = 10_000,
    traffic: Annotated[str | None, typer.Option("--traffic", help="synthetic, quiet, none, tape or live.")] = None,
    tape: Annotated[Path | None, typer.Option("--tape", help="Replay this recording instead of made traffic.")] = None,
    live: Annotated[str | None, typer.Option("--live", help="Mirror the public feed of the venue at this URL.")] = None,
    live_market: Annotated[
        list[str] | None, typer.Option("--live-market", help="Mirror only this market; may be given again.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the made traffic.")] = 1,
    book_interval_ms: Annotated[
        int, typer.Option("--book-interval-ms", min=0, help="Milliseconds between book frames; 0: each change.")
    ] = 50,
    tx_hash: Annotated[str, typer.Option("--tx-hash", help="true: the venue's own hash; fast: a cheap one.")] = "true",
    verify_signatures: Annotated[
        bool, typer.Option("--verify-signatures", help="Refuse transactions and auth tokens with a wrong signature.")
    ] = False,
    state: Annotated[Path | None, typer.Option("--state", help="Folder in which the exchange keeps itself.")] = None,
    credentials: Annotated[
        Path | None, typer.Option("--credentials", help="Write addresses, accounts and keys to this file (0600).")
    ] = None,
    chain_id: Annotated[int, typer.Option("--chain-id", min=1, help="Signed into every transaction.")] = 304,
    stream_limits: Annotated[bool, typer.Option("--stream-limits", help="The limits on WebSockets, too.")] = False,
    faults: Annotated[Path | None, typer.Option("--faults", help="Plan of faults, a YAML file.")] = None,
    fault_seed: Annotated[int | None, typer.Option("--fault-seed", help="Draw faults, and all dice, from it.")] = None,
    latency_scale: Annotated[float, typer.Option("--latency-scale", min=0, help="Factor on the tier's delays.")] = 1.0,
) -> None:
    """Run a Lighter of our own on this machine, until Ctrl-C or SIGTERM."""
    from lighter_hedge.simulator.core.accounts import Tier
    from lighter_hedge.simulator.edge.server import PaperError, PaperSettings
    from lighter_hedge.simulator.edge.stream_limits import VENUE_LIMITS, StreamLimits

    tiers = {each.value: each for each in Tier}
    if tier not in tiers:
        raise OpsError(ExitCode.USAGE, f"there is no tier {tier}", f"use one of {', '.join(tiers)}")
    try:
        settings = PaperSettings(
            host=host,
            port=port,
            tier=tiers[tier],
            staked_lit=staked_lit,
            wallets=wallets,
            collateral=collateral,
            traffic=traffic or ("live" if live is not None else "synthetic" if tape is None else "tape"),
            tape=tape,
            live=live,
            live_markets=tuple(live_market or ()),
            seed=seed,
            book_interval_ms=book_interval_ms,
            tx_hash=tx_hash,
            verify_signatures=verify_signatures,
            state_dir=state,
            credentials=credentials,
            chain_id=chain_id,
            faults=faults,
            fault_seed=fault_seed,
            latency_scale=latency_scale,
            stream_limits=VENUE_LIMITS if stream_limits else StreamLimits(),
        )
    except PaperError as error:
        raise OpsError(ExitCode.USAGE, str(error)) from None
    try:
        asyncio.run(_serve(settings))
    except* PaperError as group:
        raise OpsError(ExitCode.FAILED, str(group.exceptions[0])) from None


async def _serve(settings: "PaperSettings") -> None:
    from lighter_hedge.simulator.edge.server import serve

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)

    def ready(base_url: str) -> None:
        note(f"paper exchange at {base_url}")
        say_ready(os.environ)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(serve(settings, ready=ready, say=note))
        await stop.wait()
        task.cancel()

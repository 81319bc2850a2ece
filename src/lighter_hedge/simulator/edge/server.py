"""The paper exchange as a server: builds the venue, opens one port for REST and WebSocket, runs until
cancelled."""

import asyncio
import errno
import importlib
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address
from typing import Any

from aiohttp import web

from lighter_hedge.simulator.core.accounts import Account
from lighter_hedge.simulator.core.events import TrafficEvent
from lighter_hedge.simulator.core.exchange import Exchange, TxHash, fast_hash
from lighter_hedge.simulator.core.markets import MARKETS
from lighter_hedge.simulator.core.rules import DEFAULT_LATENCIES, ExchangeSettings
from lighter_hedge.simulator.edge.credentials import (
    KeyMaker,
    Secret,
    credentials,
    load_secrets,
    make_accounts,
    save_secrets,
    sdk_key,
    write_private,
)
from lighter_hedge.simulator.edge.faults.plan import Planned, drawn_plan, read_plan
from lighter_hedge.simulator.edge.paper_api import PaperApi
from lighter_hedge.simulator.edge.rest.paths import Handler, Rest, json_errors
from lighter_hedge.simulator.edge.settings import PaperError, PaperSettings
from lighter_hedge.simulator.edge.store import Store
from lighter_hedge.simulator.edge.stream import Stream
from lighter_hedge.simulator.edge.venue import Venue, clock_us
from lighter_hedge.simulator.signing.signatures import prepare

__all__ = ["PaperError", "PaperSettings", "serve"]

Traffic = Iterator[tuple[int, TrafficEvent]]


def build(
    settings: PaperSettings, store: Store | None, now_us: int, key_maker: KeyMaker
) -> tuple[Exchange, list[Secret]]:
    """A new exchange, or the saved one where the store holds one."""
    saved = None if store is None else store.load()
    secrets_file = None if settings.state_dir is None else settings.state_dir / "keys.json"
    if saved is None:
        accounts, secrets = make_accounts(settings, now_us, key_maker)
        if secrets_file is not None:
            save_secrets(secrets_file, secrets)
    else:
        assert secrets_file is not None
        accounts, secrets = saved.accounts, load_secrets(secrets_file)
        for account in accounts:
            account.tier, account.staked_lit = settings.tier, settings.staked_lit
    exchange = Exchange(MARKETS.values(), accounts, settings=_exchange_settings(settings), tx_hash=_tx_hash(settings))
    if saved is not None:
        exchange.state.restore(saved.orders, saved.trades, saved.txs, saved.counters)
        exchange.state.restore_house(saved.house, saved.fundings, saved.account_fundings)
        exchange.resume_saved(now_us)
    for account in accounts:
        exchange.state.note_account(account)
    if settings.verify_signatures:
        prepare(key.public_key for account in accounts for key in account.keys.values())
    return exchange, secrets


def _exchange_settings(settings: PaperSettings) -> ExchangeSettings:
    return ExchangeSettings(
        chain_id=settings.chain_id,
        latencies={**DEFAULT_LATENCIES, settings.tier: settings.effective_latency},
        book_interval_us=settings.book_interval_ms * 1000,
        minimums_bind_takers=settings.minimums_bind_takers,
        fault_seed=settings.seed if settings.fault_seed is None else settings.fault_seed,
    )


def plans_of(settings: PaperSettings, exchange: Exchange) -> list[Iterable[Planned]]:
    """The plans of faults that the settings name.

    Raises:
        PaperError: the file of one cannot be read, or an entry does not fit.
    """
    plans: list[Iterable[Planned]] = []
    if settings.faults is not None:
        plans.append(read_plan(settings.faults, exchange.faults))
    if settings.fault_seed is not None:
        plans.append(drawn_plan(settings.fault_seed, settings.accounts))
    return plans


def _tx_hash(settings: PaperSettings) -> TxHash:
    if settings.tx_hash == "fast":
        return fast_hash
    true_hash: TxHash = _part("signing.txhash").tx_hash
    return true_hash


def traffic_of(settings: PaperSettings) -> Traffic:
    """The source of the market that the settings name.

    Raises:
        PaperError: the tape cannot be played.
    """
    markets = tuple(MARKETS.values())
    if settings.traffic in ("none", "live"):
        return iter(())
    traffic = _part("traffic")
    source: Traffic
    match settings.traffic:
        case "quiet":
            source = traffic.quiet(markets)
        case "tape":
            try:
                source = traffic.tape(settings.tape, markets)
            except traffic.TapeError as error:
                raise PaperError(str(error)) from None
        case _:
            source = traffic.synthetic(settings.seed, markets)
    return source


async def _live(settings: PaperSettings, venue: Venue, say: Callable[[str], None] | None) -> Any:
    """What mirrors the feed of another venue."""
    feed, live = _part("traffic.feed"), _part("traffic.live")
    ours = {spec.symbol: spec for spec in MARKETS.values()}
    try:
        where = feed.FeedSettings(base_url=settings.live)
        theirs = await feed.listed(where, settings.live_markets or tuple(ours))
    except feed.FeedError as error:
        raise PaperError(str(error)) from None
    markets = {index: ours[symbol] for index, symbol in theirs.items()}
    return live.Live(feed.Feed(where, tuple(markets), say=say), markets, venue.play)


def _part(name: str) -> Any:
    """A module of the simulator that only some settings need."""
    return importlib.import_module(f"lighter_hedge.simulator.{name}")


@web.middleware
async def loopback_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Hide ``/paper/*`` from other machines."""
    if request.path.startswith("/paper/") and not ip_address(request.remote or "0.0.0.0").is_loopback:  # noqa: S104
        raise web.HTTPNotFound
    return await handler(request)


def application(venue: Venue) -> web.Application:
    """All routes of one venue."""
    app = web.Application(middlewares=[json_errors, loopback_only])
    app.add_routes(Rest(venue).routes())
    app.add_routes(PaperApi(venue).routes())
    app.add_routes([web.get("/stream", Stream(venue).handle)])
    return app


async def serve(
    settings: PaperSettings,
    *,
    ready: Callable[[str], None] | None = None,
    key_maker: KeyMaker = sdk_key,
    traffic: Traffic | None = None,
    say: Callable[[str], None] | None = None,
) -> None:
    """Run a paper exchange until cancelled; ``ready`` hears its base URL once it answers.

    ``traffic`` replaces the source that the settings name; ``say`` hears when a mirrored feed is lost and found.

    Raises:
        PaperError: the port is taken, the state directory is in use, the tape or the plan of faults cannot be played,
            or the venue that is to be mirrored does not answer.
    """
    store = None if settings.state_dir is None else Store(settings.state_dir, fsync=settings.fsync)
    try:
        exchange, secrets = build(settings, store, clock_us(), key_maker)
        venue = Venue(exchange, settings, store=store)
        plans = plans_of(settings, exchange)
        source = traffic_of(settings) if traffic is None else traffic
        mirror = await _live(settings, venue, say) if settings.traffic == "live" else None
        runner = web.AppRunner(application(venue), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            base_url = await _listen(runner, settings)
            exchange.attach_traffic(source, venue.now_us())
            venue.schedule.start(plans, venue.now_us())
            venue.step()
            accounts: list[Account] = list(exchange.state.accounts.values())
            if settings.credentials is not None:
                content = credentials(base_url, settings.chain_id, accounts, secrets)
                write_private(settings.credentials, content)
            if ready is not None:
                ready(base_url)
            async with asyncio.TaskGroup() as group:
                group.create_task(venue.run())
                group.create_task(venue.heartbeat())
                if mirror is not None:
                    group.create_task(mirror.run())
        finally:
            if len(venue.connections):
                venue.shut_down(venue.connections, settings.shutdown_ms)
                await asyncio.sleep(settings.shutdown_ms / 1000)
            await runner.cleanup()
    finally:
        if store is not None:
            store.close()


async def _listen(runner: web.AppRunner, settings: PaperSettings) -> str:
    site = web.TCPSite(runner, settings.host, settings.port)
    try:
        await site.start()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            taken = f"port {settings.port} on {settings.host} is taken: choose another, or 0 for any"
            raise PaperError(taken) from None
        raise PaperError(f"cannot listen on {settings.host} port {settings.port}: {error.strerror}") from None
    port = runner.addresses[0][1]
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104
    return f"http://{host}:{port}"

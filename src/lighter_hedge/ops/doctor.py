"""Everything that must hold for a desk to run well, as rows with a remedy each. Looks, and changes nothing."""

import shutil
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from importlib import metadata
from typing import Any, Final

from lighter_hedge.config import Settings
from lighter_hedge.config_source import KEY_VARIABLES
from lighter_hedge.domain.states import Role
from lighter_hedge.language import _
from lighter_hedge.ops import pids
from lighter_hedge.ops.exit_codes import OpsError
from lighter_hedge.ops.health import Positions, quantity_lots, read_positions, reading
from lighter_hedge.ops.page import is_free, page_address
from lighter_hedge.ops.redis_server import UNKNOWN, VERSION_MIN, RedisFacts, RedisUnreachable, probe
from lighter_hedge.venue.errors import KeyRefused, VenueError

SKEW_WARN_SECONDS: Final = 2.0
SKEW_FAIL_SECONDS: Final = 10.0
"""An order is refused whose times are too far from the venue's; A quotes nothing beyond one second by itself."""
DISK_WARN_BYTES: Final = 1_000_000_000
DISK_FAIL_BYTES: Final = 100_000_000
"""Without room the journal takes nothing, and without the journal nothing is sent."""
QUOTES_WARN: Final = 3
"""Free collateral for fewer quotes than this leaves no room for a market that moves."""
WS_SECONDS: Final = 5.0
PYTHONS: Final = ((3, 11), (3, 14))
MARGIN_UNIT: Final = 10_000
"""Margin fractions of the venue are hundredths of a percent."""


class Health(Enum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One check."""

    check: str
    health: Health
    text: str
    remedy: str = ""


def row(check: str, health: Health, text: str, remedy: str = "") -> Row:
    """One row; the remedy goes where all is well."""
    return Row(check=check, health=health, text=text, remedy="" if health is Health.OK else remedy)


def python_row(version: tuple[int, int], sdk: str) -> Row:
    """Whether this Python is one that the SDK has wheels for."""
    known = PYTHONS[0] <= version <= PYTHONS[1]
    text = f"Python {version[0]}.{version[1]}, lighter-sdk {sdk}"
    return row("python", Health.OK if known else Health.FAIL, text, _("use Python 3.11 to 3.14"))


def disk_row(free_bytes: int) -> Row:
    """Whether journals and logs have room."""
    health = Health.FAIL if free_bytes < DISK_FAIL_BYTES else Health.WARN if free_bytes < DISK_WARN_BYTES else Health.OK
    text = _("{gigabytes} GB free").format(gigabytes=f"{free_bytes / 1e9:.1f}")
    return row("disk", health, text, _("make room: without it the journals take nothing, and nothing is sent"))


def key_row(settings: Settings, role: Role) -> Row:
    """Whether a side has its private key, and where it lies."""
    name = "account_a" if role is Role.MAKER else "account_b"
    check = f"key {role.letter}"
    value, origin = settings.shown()[f"accounts.{name}.private_key"]
    if not value:
        remedy = _("set {variable}, or name a file in {key}").format(
            variable=KEY_VARIABLES[name], key=f"accounts.{name}.private_key_file"
        )
        return row(check, Health.FAIL, _("no private key"), remedy)
    in_yaml = origin.startswith(settings.file.name)
    remedy = _("a key in the YAML file is easily copied along: move it to {variable} or a secret file").format(
        variable=KEY_VARIABLES[name]
    )
    return row(check, Health.WARN if in_yaml else Health.OK, _("from {origin}").format(origin=origin), remedy)


def redis_rows(facts: RedisFacts) -> list[Row]:
    """Whether Redis is new enough and keeps what it is told."""
    health = Health.WARN if facts.version == UNKNOWN else Health.FAIL if facts.old else Health.OK
    least = ".".join(map(str, VERSION_MIN))
    rows = [
        row(
            "redis",
            health,
            f"Redis {facts.version}, {facts.place}",
            _("use Redis {version} or newer").format(version=least),
        )
    ]
    for check, held, command in (
        ("redis appendonly", facts.appendonly, "CONFIG SET appendonly yes"),
        ("redis eviction", facts.noeviction, "CONFIG SET maxmemory-policy noeviction"),
    ):
        if held is None:
            rows.append(row(check, Health.SKIP, _("Redis does not tell")))
        else:
            remedy = _("{command}, and write it into redis.conf").format(command=command)
            rows.append(
                row(check, Health.OK if held else Health.WARN, _("as it should be") if held else _("not set"), remedy)
            )
    return rows


def clock_row(skew_seconds: float) -> Row:
    """Whether this machine's clock is near the venue's; to a second, since the venue tells whole seconds."""
    far = abs(skew_seconds)
    health = Health.FAIL if far > SKEW_FAIL_SECONDS else Health.WARN if far > SKEW_WARN_SECONDS else Health.OK
    text = _("{seconds} s from the exchange's").format(seconds=f"{skew_seconds:+.1f}")
    return row("clock", health, text, _("let NTP set the clock: timedatectl set-ntp true"))


def quantity_row(settings: Settings, held: Positions) -> Row:
    """Whether the desk's quantity is one that the market takes."""
    spec, size = held.market.spec, f"{settings.desk.quantity} {held.market.spec.symbol}"
    if not spec.active:
        text = _("market {symbol} is not active").format(symbol=spec.symbol)
        return row("market", Health.FAIL, text, _("choose another: desk.market"))
    try:
        quantity_lots(settings, held.market)
    except OpsError as error:
        return row("market", Health.FAIL, error.message, error.remedy)
    least = spec.size_text(held.market.min_lots)
    return row("market", Health.OK, _("{size} a quote, the least is {least}").format(size=size, least=least))


def collateral_rows(settings: Settings, held: Positions) -> list[Row]:
    """How many quotes the free collateral of each account covers as initial margin."""
    price = Decimal(held.market.price).scaleb(-held.market.spec.price_decimals)
    margin = settings.desk.quantity * price * held.market.spec.initial_margin_fraction / MARGIN_UNIT
    rows = []
    for each in (held.a, held.b):
        check = f"collateral {each.letter}"
        if not margin or not each.available:
            rows.append(row(check, Health.SKIP, _("the exchange tells no price or no collateral")))
            continue
        quotes = int(Decimal(each.available) / margin)
        health = Health.FAIL if quotes < 1 else Health.WARN if quotes < QUOTES_WARN else Health.OK
        text = _("{free} USD free, margin of {quotes} quotes").format(
            free=f"{Decimal(each.available):.2f}", quotes=quotes
        )
        rows.append(row(check, health, text, _("add collateral, or lower desk.quantity")))
    return rows


def positions_row(held: Positions, *, running: bool) -> Row:
    """Whether what is open is hedged."""
    spec = held.market.spec
    text = f"A {spec.size_text(held.a.lots)}, B {spec.size_text(held.b.lots)} {spec.symbol}"
    if not held.hedged:
        return row(
            "positions", Health.FAIL, text, _("unhedged: see lighter-hedge status; lighter-hedge clear closes both")
        )
    if held.flat or running:
        return row("positions", Health.OK, text)
    text += _(", {orders} orders").format(orders=held.a.open_orders + held.b.open_orders)
    return row(
        "positions", Health.WARN, text, _("open while the desk does not run: lighter-hedge up goes on, clear closes")
    )


def page_row(settings: Settings) -> Row:
    """Whether the page can listen."""
    web = settings.web
    if not web.enabled:
        return row("page", Health.SKIP, _("switched off: web.enabled"))
    address = page_address(settings.run_dir)
    if address or not web.port:
        return row("page", Health.OK, address or _("takes a free port"))
    free = is_free(web.host, web.port)
    remedy = _("set web.port to a free one, or to 0")
    return row("page", Health.OK if free else Health.FAIL, f"{web.host}:{web.port}", remedy)


async def examine(settings: Settings) -> AsyncIterator[Row]:
    """Every check that a configuration allows, the local ones first."""
    yield python_row(sys.version_info[:2], metadata.version("lighter-sdk"))
    yield disk_row(shutil.disk_usage(settings.root).free)
    alive = pids.running(settings.root)
    named = ", ".join(f"{name} {pid}" for name, pid in alive.items())
    yield row(
        "desk", Health.OK, _("runs here: {processes}").format(processes=named) if alive else _("does not run here")
    )
    for each in Role:
        yield key_row(settings, each)
    yield page_row(settings)
    if settings.paper.managed and not alive:
        yield row("paper", Health.SKIP, _("exchange and Redis start with the desk: lighter-hedge up"))
        return
    for each_row in await _redis(settings):
        yield each_row
    async for each_row in _venue(settings, running=bool(alive)):
        yield each_row


async def _redis(settings: Settings) -> list[Row]:
    try:
        return redis_rows(await probe(settings.redis.url))
    except RedisUnreachable as error:
        return [
            row("redis", Health.FAIL, str(error), _("start one (redis-server --appendonly yes), or correct redis.url"))
        ]


async def _venue(settings: Settings, *, running: bool) -> AsyncIterator[Row]:
    try:
        yield clock_row(await _skew(settings.venue.base_url))
    except VenueError as error:
        yield row("exchange", Health.FAIL, str(error), _("check venue.base_url and the network"))
        return
    yield await _stream(settings.venue.ws_url)
    try:
        held = await read_positions(settings)
    except VenueError as error:
        yield row("accounts", Health.FAIL, str(error), _("correct desk.market and the account indices"))
        return
    yield quantity_row(settings, held)
    for each in collateral_rows(settings, held):
        yield each
    yield positions_row(held, running=running)
    for role in Role:
        yield await _registered(settings, role)


async def _skew(base_url: str) -> float:
    """This clock less the venue's, seconds. ``GET /`` of the venue tells its own."""
    async with reading(base_url) as reader:
        before = time.time()
        body: dict[str, Any] = await reader.get("/")
        now = (before + time.time()) / 2
    return now - int(body["timestamp"]) - 0.5  # it tells the second that has begun


async def _stream(ws_url: str) -> Row:
    """Whether the WebSocket opens."""
    import websockets

    try:
        async with websockets.connect(ws_url, open_timeout=WS_SECONDS, close_timeout=1):
            return row("stream", Health.OK, ws_url)
    except (OSError, TimeoutError, websockets.WebSocketException) as error:
        text = _("no WebSocket at {url}: {error}").format(url=ws_url, error=type(error).__name__)
        return row("stream", Health.FAIL, text, _("check venue.ws_url; a proxy must let WebSockets through"))


async def _registered(settings: Settings, role: Role) -> Row:
    """Whether the venue holds this very key for the account."""
    from lighter_hedge.ops.keyed import keyed

    account, check = settings.account(role), f"api key {role.letter}"
    if not account.private_key.get_secret_value():
        return row(check, Health.SKIP, _("no private key"))
    try:
        async with keyed(settings, role):
            pass
    except KeyRefused as error:
        return row(check, Health.FAIL, str(error), _("check account_index, api_key_index and private key"))
    except VenueError as error:
        return row(check, Health.FAIL, str(error), _("try again"))
    text = _("key {key} of account {account} is registered").format(
        key=account.api_key_index, account=account.account_index
    )
    return row(check, Health.OK, text)

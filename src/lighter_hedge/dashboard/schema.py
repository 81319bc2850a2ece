"""The page's API: every body it sends or takes. Pure.

Amounts are decimal strings in the market's own decimals; times are Unix milliseconds of the machine that serves the
page; ``/api/schema`` is made from these classes.
"""

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

VERBS = ("pause", "resume", "drain", "clear")


class Badge(Struct, frozen=True, kw_only=True):
    """The desk as a whole."""

    desk: str
    market: str
    network: str
    """``paper``, ``testnet``, ``mainnet`` (the page says LIVE) or ``custom``."""
    version: str
    mode: str
    """``running``, ``draining``, ``paused``, ``stopped`` or ``unknown``."""
    pause_id: int | None
    reason: str
    """Why the desk is paused, as the desk says it."""
    code: str
    since_ms: int | None
    """When the pause began."""
    waiting: tuple[str, ...]
    """Why A does not quote."""
    notes: tuple[str, ...]
    started_ms: int | None
    """When account A's process came to life, as far as this page has seen."""
    read_only: bool
    size_decimals: int | None
    """None while the market's rules are not known; then amounts are lots."""


class Exposure(Struct, frozen=True, kw_only=True):
    """A + B, and for how long it has not been nothing."""

    net: str | None
    """None while a side does not tell its position."""
    net_lots: int | None
    usd: str | None
    """At ``price``; None while no price is known."""
    price: str | None
    word: str
    """``hedged``, ``hedging``, ``unhedged`` or ``unknown``."""
    since_ms: int | None
    """Since when it has been more than a residual; None while it is not."""
    limit_ms: int
    """``limits.unhedged_seconds_max``: older than this pauses the desk."""
    residual: str | None
    """What is too small for the venue and waits for the next hedge; None for nothing."""


class Ages(Struct, frozen=True, kw_only=True):
    """When each source was last heard; None for never."""

    a_ms: int | None
    b_ms: int | None
    stale_ms: int
    """Older than this is stale."""
    redis: bool
    """Whether Redis answers."""


class Account(Struct, frozen=True, kw_only=True):
    """One side and its account."""

    letter: str
    name: str
    index: int
    alive: bool
    ready: bool
    position: str | None
    open_orders: int
    """Orders of this desk that have not ended, as the side says."""
    unresolved: int
    """Transactions whose outcome is not known, hedges in flight included."""
    tries: int
    """Hedges in a row that filled nothing."""
    armed: str | None
    """The hedge that is signed and waits; None for none."""
    said: str
    """Why the side is not ready, where it says so."""
    entry: str | None
    """Average entry price at the venue; this and the next three are read there every 15 seconds."""
    pnl: str | None
    """Unrealized, dollars."""
    collateral: str | None
    """Free, dollars."""
    quotes: int | None
    """How many quotes of ``desk.quantity`` that covers without leverage, at the newest price."""


class Step(Struct, frozen=True, kw_only=True):
    """One step of a round."""

    name: str
    """``quote``, ``fill``, ``sent``, ``hedged`` or ``verified``."""
    state: str
    """``waiting``, ``now``, ``done`` or ``failed``."""
    began_ms: int | None
    ended_ms: int | None
    text: str


class Round(Struct, frozen=True, kw_only=True):
    """The round under way."""

    number: int
    attempt: int
    leg: str
    side: str
    size: str
    price: str
    steps: tuple[Step, ...]


class Totals(Struct, frozen=True, kw_only=True):
    """What the rounds that this page has seen from start to end come to, before fees and funding."""

    since_ms: int
    rounds: int
    """Filled and hedged."""
    failed: int
    volume_usd: str
    """Of A and B together."""
    cost_usd: str
    """What the hedges cost against A's prices; negative for a gain."""
    cost_per_10000: str | None
    """Of volume; None before the first."""


class Stage(Struct, frozen=True, kw_only=True):
    """A stage of a hedge, microseconds after A's fill came in; by the clocks of A and B."""

    name: str
    us: int


class Hedge(Struct, frozen=True, kw_only=True):
    """The last hedge and how it compares."""

    round: int
    at_ms: int
    size: str
    armed: bool
    stages: tuple[Stage, ...]
    slippage_bps: str | None
    """What B's fills cost against A's price, basis points; negative for better."""
    p50_us: int
    p95_us: int
    count: int
    """Hedges that p50 and p95 are of: from A's fill in to the hedge leaving."""


class Command(Struct, frozen=True, kw_only=True):
    """What somebody has asked for at this page."""

    id: str
    verb: str
    who: str
    at_ms: int
    state: str
    """``sending``, ``sent``, ``acknowledged`` or ``failed``."""
    acked: tuple[str, ...] = ()
    """``A``, ``B``: who has acknowledged."""
    text: str = ""
    """What went wrong."""


class Event(Struct, frozen=True, kw_only=True):
    """One line of a log."""

    id: int
    at_ms: int
    source: str
    level: str
    code: str
    text: str


class Position(Struct, frozen=True, kw_only=True, array_like=True):
    """A step of the exposure chart: time and signed lots of A and of B."""

    at_ms: int
    a: int
    b: int


class Latency(Struct, frozen=True, kw_only=True, array_like=True):
    """A point of the latency chart: time, microseconds from A's fill in to the hedge leaving, and the round."""

    at_ms: int
    us: int
    round: int


class Cost(Struct, frozen=True, kw_only=True, array_like=True):
    """A point of the cost chart: time, and what all hedges so far have cost, millionths of a dollar."""

    at_ms: int
    cost: int


class Update(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What has changed since the one before; the first one of a stream, and ``/api/state``, hold everything."""

    server_ms: int
    badge: Badge | UnsetType = UNSET
    exposure: Exposure | UnsetType = UNSET
    ages: Ages | UnsetType = UNSET
    accounts: tuple[Account, ...] | UnsetType = UNSET
    round: Round | UnsetType | None = UNSET
    hedge: Hedge | UnsetType | None = UNSET
    totals: Totals | UnsetType = UNSET
    rounds: tuple[Round, ...] | UnsetType = UNSET
    """Rounds that have ended with a fill; only what is new, or told again with times that came late."""
    commands: tuple[Command, ...] | UnsetType = UNSET
    events: tuple[Event, ...] | UnsetType = UNSET
    """Only what is new."""
    positions: tuple[Position, ...] | UnsetType = UNSET
    """Only what is new."""
    latencies: tuple[Latency, ...] | UnsetType = UNSET
    """Only what is new."""
    costs: tuple[Cost, ...] | UnsetType = UNSET
    """Only what is new."""


class Ask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person's command, as the page posts it."""

    verb: str
    confirm: str = ""
    """For ``clear``: the market's name."""
    hedge_now: bool = False
    """For ``resume``: B tries again what is missing."""


class Asked(Struct, frozen=True, kw_only=True):
    """The answer to a command: it is under way; the stream tells what becomes of it."""

    id: str


class Problem(Struct, frozen=True, kw_only=True):
    """The answer to a request that cannot be carried out."""

    error: str


BODIES = (Update, Ask, Asked, Problem)


def json_schema() -> dict[str, Any]:
    """The JSON schema of every body, as ``/api/schema`` gives it."""
    refs, components = msgspec.json.schema_components(BODIES, ref_template="#/$defs/{name}")
    assert len(refs) == len(BODIES)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": components}

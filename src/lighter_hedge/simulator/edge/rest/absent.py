"""REST endpoints of what a paper exchange does not have: deposits, withdrawals, referrals, pools, points and so on.

They check their parameters and answer as the venue answers an account that has none of it: an empty list, a zero.
What would make or move something is refused with 29404.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lighter_hedge.simulator.core.markets import AMBIENT_ACCOUNT
from lighter_hedge.simulator.edge.rest.context import Context
from lighter_hedge.simulator.edge.rest.query import PAGE_MAX, Query, not_found
from lighter_hedge.simulator.edge.wire import Json
from lighter_hedge.simulator.edge.wire_rest import ok

LEADERBOARD_MAX = 300
OFFSET_MAX = 100_000
SECONDS_MAX = 3_600
LEASES_DEFAULT = 20

Check = Callable[[Query], object]
Opening = Callable[[Context, Query], object]
ACCOUNT, WALLET, ANYBODY = Context.own_account, Context.own_wallet, Context.holder


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """One endpoint: what it needs, and what it answers."""

    needs: tuple[Check, ...] = ()
    opened_by: Opening | None = None
    """Whose token it needs, if any."""
    body: Json | None = field(default_factory=ok)
    """``None`` refuses."""
    echoes: tuple[str, ...] = ()
    """Parameters that are repeated in the body."""


def text(name: str) -> Check:
    """A text that must be there."""
    return lambda query: query.text(name)


def number(name: str, default: int | None = None, *, most: int = 2**63 - 1) -> Check:
    """A number, which must be there unless it has a default."""
    return lambda query: query.integer(name, default, most=most)


def limit(most: int = PAGE_MAX, default: int | None = None) -> Check:
    """How many rows."""
    return lambda query: query.limit(most, default)


def word(name: str, *allowed: str, default: str | None = None) -> Check:
    """One of some words."""
    return lambda query: query.choice(name, allowed, default)


def flag(name: str, *, default: bool | None = None) -> Check:
    """True or false."""
    return lambda query: query.flag(name, default)


NO_TRADES = dict.fromkeys(
    ("volume", "free_maker_volume", "free_taker_volume", "non_free_maker_volume", "non_free_taker_volume"), "0.000000"
)
NO_FEES = dict.fromkeys(("maker_fees_paid", "taker_fees_paid"), "0.000000")
NO_REFERRALS = {"count": 0, **NO_TRADES, **NO_FEES, "total_referrals": 0, "total_premium_referrals": 0}
NO_PARTNER = {
    **dict.fromkeys(("total_fees_earned", "total_taker_fees_earned", "total_maker_fees_earned"), "0.000000"),
    **dict.fromkeys(("total_volume", "total_taker_volume", "total_maker_volume"), "0.000000"),
    **dict.fromkeys(("total_trades", "total_taker_trades", "total_maker_trades", "unique_clients"), 0),
}
NO_LAYER1 = {
    "l1_providers": [],
    "l1_providers_health": True,
    "validator_info": [],
    "contract_addresses": [],
    "latest_l1_generic_block": 0,
    "latest_l1_governance_block": 0,
    "latest_l1_desert_block": 0,
}
NO_POINTS = {
    "referrals": [],
    **dict.fromkeys(("user_total_points", "user_last_week_points"), 0),
    **dict.fromkeys(("user_total_referral_reward_points", "user_last_week_referral_reward_points"), 0),
    "reward_point_multiplier": "1",
}
NO_L1_METADATA = {
    "can_invite": False,
    "referral_points_percentage": "",
    "referral_program_kickback": "",
    "referral_program_kickback_history": [],
}
EXPORT_TYPES = ("funding", "trade")

GETS: Mapping[str, Absent] = {
    # the venue's own news and layers
    "announcement": Absent(body=ok(announcements=[])),
    "layer1BasicInfo": Absent(body=ok(**NO_LAYER1)),
    "syntheticSpotInfo": Absent(needs=(text("symbol"),), body=None),
    "events": Absent(needs=(limit(default=PAGE_MAX),), body=ok(events=[])),
    "upDownCandles": Absent(
        needs=(text("symbol"), text("duration"), Query.span_ms, limit(SECONDS_MAX, default=SECONDS_MAX)),
        body=ok(candles=[]),
    ),
    # deposits, withdrawals and transfers
    "deposit/history": Absent(
        needs=(text("l1_address"), word("filter", "all", "pending", "claimable", default="all")),
        opened_by=ACCOUNT,
        body=ok(deposits=[], cursor=""),
    ),
    "deposit/latest": Absent(needs=(text("l1_address"),), body=None),
    "deposit/networks": Absent(body=ok(networks=[])),
    "withdraw/history": Absent(
        needs=(word("filter", "all", "pending", "claimable", default="all"),),
        opened_by=ACCOUNT,
        body=ok(withdraws=[], cursor=""),
    ),
    "withdrawalDelay": Absent(body={"seconds": 0}),
    "transfer/history": Absent(opened_by=ACCOUNT, body=ok(transfers=[], cursor="")),
    "transferFeeInfo": Absent(needs=(number("to_account_index", -1),), opened_by=ACCOUNT, body=ok(transfer_fee_usdc=0)),
    "fastbridge/info": Absent(body=ok(fast_bridge_limit="0")),
    "fastwithdraw/info": Absent(
        opened_by=ACCOUNT, body=ok(to_account_index=0, withdraw_limit="0", max_withdrawal_amount="0")
    ),
    # leases, pools, other products
    "leaseOptions": Absent(body=ok(options=[], lit_incentives_account_index=AMBIENT_ACCOUNT)),
    "leases": Absent(needs=(limit(default=LEASES_DEFAULT),), opened_by=ACCOUNT, body=ok(leases=[])),
    "publicPoolsMetadata": Absent(
        needs=(number("index"), limit(), word("filter", "all", "user", "protocol", "account_index", default="all")),
        body=ok(public_pools=[]),
    ),
    "portfolio/boPnl": Absent(needs=(limit(default=PAGE_MAX),), opened_by=ACCOUNT, body=ok(events=[])),
    "rfq/get": Absent(needs=(number("rfq_id"),), opened_by=ANYBODY, body=None),
    "rfq/list": Absent(needs=(limit(default=PAGE_MAX),), opened_by=ANYBODY, body=ok(rfqs=[])),
    # files of history
    "export": Absent(needs=(word("type", *EXPORT_TYPES),), opened_by=ANYBODY, body=None),
    "export/historicalTrades": Absent(needs=(text("date"),), opened_by=WALLET, body=None),
    # referrals, points, ranks
    "l1Metadata": Absent(opened_by=WALLET, body=NO_L1_METADATA, echoes=("l1_address",)),
    "leaderboard": Absent(needs=(text("type"),), body={"entries": []}),
    "livePoints/total": Absent(opened_by=ACCOUNT, body=ok(total_live_points=0)),
    "partnerStats": Absent(needs=(number("account_index"),), body=ok(**NO_PARTNER)),
    "pnlLeaderboard": Absent(
        needs=(
            text("time_window"),
            text("sort_by"),
            word("sort_dir", "asc", "desc"),
            limit(LEADERBOARD_MAX),
            number("offset", most=OFFSET_MAX),
        ),
        body=ok(entries=[], total=0, updated_at=0),
    ),
    "referral/get": Absent(opened_by=ACCOUNT, body=None),
    "referral/points": Absent(opened_by=ACCOUNT, body=NO_POINTS),
    "referral/stats": Absent(needs=(flag("is_eligible", default=False),), opened_by=WALLET, body=ok(stats=[])),
    "referral/userReferrals": Absent(
        needs=(limit(default=PAGE_MAX),),
        opened_by=WALLET,
        body=ok(cursor="", referrals=[], used_code="", totals=NO_REFERRALS),
    ),
}

POSTS: Mapping[str, Absent] = {
    "createIntentAddress": Absent(needs=(text("chain_id"), text("from_addr"), text("amount")), body=None),
    "fastwithdraw": Absent(needs=(text("tx_info"), text("to_address")), opened_by=ANYBODY, body=None),
    "litLease": Absent(
        needs=(text("tx_info"), text("lease_amount"), number("duration_days")), opened_by=ANYBODY, body=None
    ),
    "notification/ack": Absent(needs=(text("notif_id"),), opened_by=ACCOUNT, body=None),
    "referral/create": Absent(opened_by=ACCOUNT, body=None),
    "referral/kickback/update": Absent(needs=(text("kickback_percentage"),), opened_by=ACCOUNT, body=None),
    "referral/update": Absent(needs=(text("new_referral_code"),), opened_by=ACCOUNT, body=None),
    "referral/use": Absent(needs=(text("referral_code"),), opened_by=WALLET, body=None),
    "rfq/create": Absent(needs=(number("market_index"), number("direction", most=1)), opened_by=ANYBODY, body=None),
    "rfq/respond": Absent(needs=(number("rfq_id"), text("status")), opened_by=ANYBODY, body=None),
    "rfq/update": Absent(needs=(number("rfq_id"), text("status")), opened_by=ANYBODY, body=None),
}


def answer(context: Context, name: str, absent: Absent, query: Query) -> Json:
    """What the endpoint answers.

    Raises:
        ApiError: a parameter is wrong, the token does not fit, or there is nothing to answer with.
    """
    for check in absent.needs:
        check(query)
    if absent.opened_by is not None:
        absent.opened_by(context, query)
    if absent.body is None:
        raise not_found(name)
    return {**{one: query.values[one] for one in absent.echoes}, **absent.body}

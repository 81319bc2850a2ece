import pytest
from tests.unit.simulator.paper_world import A, make_world
from tests.unit.simulator.rest_asking import asked, code_of, token, venue_of

from lighter_hedge.simulator.edge.rest.absent import GETS, POSTS, Absent, answer, flag, limit, number, text, word
from lighter_hedge.simulator.edge.rest.context import Context

WELL = {
    "account_index": A,
    "amount": 1,
    "chain_id": 1,
    "date": "2026-09-01",
    "direction": 0,
    "duration": "30s",
    "duration_days": 1,
    "end_timestamp": 2,
    "from_addr": "0x1",
    "index": 0,
    "kickback_percentage": 1,
    "l1_address": "0xw",
    "lease_amount": 1,
    "limit": 9,
    "market_index": 1,
    "new_referral_code": "x",
    "notif_id": 1,
    "offset": 0,
    "referral_code": "x",
    "rfq_id": 1,
    "sort_by": "pnl",
    "sort_dir": "asc",
    "start_timestamp": 1,
    "status": "x",
    "symbol": "BTC",
    "time_window": "d",
    "to_address": "0x1",
    "tx_info": "{}",
    "type": "trade",
}
ALL = {**GETS, **POSTS}


@pytest.mark.parametrize("name", ALL)
def test_who_asks_well_has_none_of_it(name: str) -> None:
    world = make_world()
    context, query = Context(venue_of(world)), asked(token(world, A), **WELL)
    if ALL[name].body is None:
        assert code_of(lambda: answer(context, name, ALL[name], query), status=404) == 29404
    else:
        assert answer(context, name, ALL[name], query).get("code", 200) == 200


@pytest.mark.parametrize("name", [name for name, one in ALL.items() if one.opened_by is not None])
def test_what_is_an_accounts_own_needs_a_token(name: str) -> None:
    context = Context(venue_of(make_world()))
    assert code_of(lambda: answer(context, name, ALL[name], asked(**WELL))) == 20001


@pytest.mark.parametrize("name", [name for name, one in ALL.items() if one.needs and name not in ("leases", "events")])
def test_parameters_are_looked_at_first(name: str) -> None:
    world = make_world()
    bad = dict.fromkeys([*WELL, "filter", "to_account_index", "is_eligible"], "\x00")
    free = {"leaderboard", "deposit/latest", "syntheticSpotInfo", "export/historicalTrades", "notification/ack"}
    free |= {"createIntentAddress", "fastwithdraw", "referral/kickback/update", "referral/update", "referral/use"}
    query = asked(token(world, A), **({} if name in free else bad))
    assert code_of(lambda: answer(Context(venue_of(world)), name, ALL[name], query)) == 20001


def test_each_check_refuses_what_it_is_for() -> None:
    context = Context(venue_of(make_world()))
    for check in (text("a"), number("a"), number("a", most=2), limit(5), word("a", "b"), flag("a")):
        one = Absent(needs=(check,))
        query = asked(limit=6) if check.__qualname__.startswith("limit") else asked()
        assert code_of(lambda one=one, query=query: answer(context, "x", one, query)) == 20001  # type: ignore[misc]


def test_an_echo_repeats_what_was_asked() -> None:
    world = make_world()
    query = asked(token(world, A), l1_address="0xW")
    body = answer(Context(venue_of(world)), "l1Metadata", GETS["l1Metadata"], query)
    assert (body["l1_address"], "code" in body) == ("0xW", False)

import json
from collections import deque
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.simulator.paper_world import ASK, BID, MID, A, B, World, make_world
from tests.unit.simulator.rest_asking import asked, code_of, token, venue_of

from lighter_hedge.simulator.core.accounts import Tier
from lighter_hedge.simulator.core.records import PositionFunding
from lighter_hedge.simulator.edge.rest.accounts import Accounts

DAY_S = 86_400


def accounts(world: World) -> Accounts:
    return Accounts(venue_of(world))


def own(world: World, account: int = A, **more: Any) -> Any:
    return asked(token(world, account), account_index=account, **more)


def test_an_account_shows_its_positions_and_its_wallet() -> None:
    world = make_world()
    world.take(A, BID, 20, MID + 10)
    ours = accounts(world)
    body = ours.account(asked(by="index", value=A))
    (row,) = body["accounts"]
    assert (body["total"], body["next_cursor"], row["index"], row["positions"][0]["position"]) == (1, "", A, "0.00020")
    assert ours.account(asked(by="l1_address", value="0xW"))["total"] == 2
    flat = ours.account(asked(by="index", value=B, active_only="true"))
    assert flat["accounts"][0]["positions"] == []
    assert [one["index"] for one in ours.by_l1_address(asked(l1_address="0xw"))["sub_accounts"]] == [A, B]
    assert [one["account_index"] for one in ours.metadata(asked(by="index", value=A))["account_metadatas"]] == [A]
    assert code_of(lambda: ours.by_l1_address(asked(l1_address="0x9"))) == 21100


def test_a_failing_account_is_an_internal_error() -> None:
    world = make_world()
    ours = accounts(world)
    ours.venue.arm_fault({"kind": "account_error", "account": "a", "count": 1})
    assert code_of(lambda: ours.account(asked(by="index", value=A)), status=500) == 29500
    assert ours.account(asked(by="index", value=A))["code"] == 200


def test_a_color_is_kept_for_accounts_of_the_same_wallet() -> None:
    world = make_world(wallets=("0xw", "0xv"))
    ours = accounts(world)

    def put(target: int, metadata: str) -> dict[str, Any]:
        values = {"master_account_index": A, "target_account_index": target, "api_key_index": 4, "metadata": metadata}
        return ours.set_metadata(asked(token(world, A), **values))

    assert put(A, json.dumps({"color": "red"})) == {"code": 200}
    assert ours.account(asked(by="index", value=A))["accounts"][0]["metadata"] == {"color": "red"}
    assert code_of(lambda: put(B, json.dumps({"color": "red"}))) == 21100
    for bad in ("{", "[]", '{"color": 5}', json.dumps({"color": "x" * 101})):
        assert code_of(lambda bad=bad: put(A, bad)) == 20001  # type: ignore[misc]


def test_keys_one_or_all() -> None:
    ours = accounts(make_world())
    keys = ours.api_keys(asked(account_index=A))["api_keys"]
    assert [(key["api_key_index"], key["nonce"], len(key["public_key"])) for key in keys] == [(4, 0, 80), (5, 0, 80)]
    assert len(ours.api_keys(asked(account_index=A, api_key_index=5))["api_keys"]) == 1
    assert len(ours.api_keys(asked(account_index=A, api_key_index=255))["api_keys"]) == 2
    assert code_of(lambda: ours.api_keys(asked(account_index=A, api_key_index=9))) == 21109
    assert code_of(lambda: ours.api_keys(asked(account_index=A, api_key_index=256))) == 20001


def test_maker_only_keys_are_replaced_as_a_whole() -> None:
    world = make_world()
    ours = accounts(world)
    assert ours.maker_only_keys(own(world))["api_key_indexes"] == []
    ours.set_maker_only_keys(own(world, api_key_indexes="[5, 4, 5]"))
    assert ours.maker_only_keys(own(world))["api_key_indexes"] == [4, 5]
    ours.set_maker_only_keys(own(world, api_key_indexes="[]"))
    assert ours.maker_only_keys(own(world))["api_key_indexes"] == []
    for bad in ("4", "[9]", "[true]", '["4"]', "{", ""):
        assert code_of(lambda bad=bad: ours.set_maker_only_keys(own(world, api_key_indexes=bad))) == 20001  # type: ignore[misc]


def make_token(ours: Accounts, world: World, seconds: int = 2 * DAY_S, **more: Any) -> dict[str, Any]:
    expiry = world.now_us // 1_000_000 + seconds
    return ours.create_token(own(world, **{"name": "r", "expiry": expiry, "sub_account_access": "true", **more}))


def test_a_made_token_reads_until_it_is_revoked_or_has_ended() -> None:
    world = make_world()
    ours = accounts(world)
    made = make_token(ours, world)
    assert (made["token_id"], made["sub_account_access"], made["revoked"]) == (1, True, False)
    assert made["api_token"].startswith(f"ro:{A}:all:{made['expiry']}:")
    for account in (A, B):
        assert ours.limits(asked(made["api_token"], account_index=account))["code"] == 200
    other = make_token(ours, world, sub_account_access="false")["api_token"]
    assert code_of(lambda: ours.limits(asked(other, account_index=B)), status=401) == 20013
    assert ours.revoke_token(own(world, token_id=1)) == {"code": 200, "token_id": 1, "revoked": True}
    assert code_of(lambda: ours.limits(asked(made["api_token"], account_index=A)), status=401) == 20013
    assert [one["revoked"] for one in ours.tokens(own(world))["api_tokens"]] == [True, False]
    assert code_of(lambda: ours.revoke_token(own(world, token_id=9)), status=404) == 29404
    world.now_us += 2 * DAY_S * 1_000_000
    assert code_of(lambda: ours.limits(asked(other, account_index=A)), status=401) == 20013


def test_a_token_lives_for_a_day_to_ten_years_and_there_are_ten() -> None:
    world = make_world()
    ours = accounts(world)
    for seconds in (DAY_S - 1, 3650 * DAY_S + 1):
        assert code_of(lambda seconds=seconds: make_token(ours, world, seconds)) == 20001  # type: ignore[misc]
    assert code_of(lambda: make_token(ours, world, name="x" * 101)) == 20001
    for _ in range(10):
        make_token(ours, world, DAY_S)
    assert code_of(lambda: make_token(ours, world)) == 20001
    ours.revoke_token(own(world, token_id=3))
    assert make_token(ours, world)["token_id"] == 11


def test_a_tier_changes_for_the_whole_wallet_once_a_day() -> None:
    world = make_world(tier=Tier.STANDARD)
    ours = accounts(world)
    assert code_of(lambda: ours.change_tier(own(world, new_tier="unlimited"))) == 20001
    assert code_of(lambda: ours.change_tier(own(world, new_tier="standard"))) == 62001
    assert ours.change_tier(own(world, new_tier="premium")) == {"code": 200}
    assert ours.venue.limiter.tiers == {"wallet 0xw": Tier.PREMIUM}
    assert ours.limits(own(world, B))["user_tier"] == "premium"
    assert ours.limits(own(world, B))["user_tier_last_update"] == world.now_us // 1000
    assert code_of(lambda: ours.change_tier(own(world, new_tier="standard"))) == 62004
    world.now_us += DAY_S * 1_000_000
    assert ours.change_tier(own(world, new_tier="standard")) == {"code": 200}


def test_a_tier_does_not_change_with_orders_or_positions() -> None:
    world = make_world(tier=Tier.STANDARD)
    ours = accounts(world)
    world.rest(A, BID, 20, MID - 10, client=1)
    assert code_of(lambda: ours.change_tier(own(world, B, new_tier="premium"))) == 62002
    world.cancel(A, 1)
    world.take(A, BID, 20, MID + 10)
    assert code_of(lambda: ours.change_tier(own(world, B, new_tier="premium"))) == 62003


def test_payments_of_funding_newest_first() -> None:
    world = make_world()
    ours, state = accounts(world), world.exchange.state
    for number, (market, lots) in enumerate(((1, 20), (0, -30)), start=1):
        at_us = world.now_us + number * 3_600_000_000
        one = PositionFunding(funding_id=number, market_index=market, time_us=at_us, change=-5, rate=1200, lots=lots)
        state.position_fundings.setdefault(A, deque()).append(one)
    rows = ours.position_funding(own(world, limit=9))["position_fundings"]
    assert [(row["funding_id"], row["position_size"], row["position_side"]) for row in rows] == [
        (2, "0.0030", "short"),
        (1, "0.00020", "long"),
    ]
    assert (rows[0]["change"], rows[0]["rate"]) == ("-0.000005", "0.0012")

    def found(**more: Any) -> list[int]:
        body = ours.position_funding(own(world, limit=9, **more))
        return [row["funding_id"] for row in body["position_fundings"]]

    assert (found(side="long"), found(market_ids="0")) == ([1], [2])
    assert found(start_timestamp=world.now_us // 1_000_000 + 7_200) == [2]
    assert code_of(lambda: ours.position_funding(own(world))) == 20001
    assert code_of(lambda: ours.position_funding(own(world, limit=9, side="x"))) == 20001


def test_liquidations_are_trades_that_the_venue_has_made() -> None:
    world = make_world()
    ours = accounts(world)
    world.take(A, BID, 20, MID + 10)
    assert ours.liquidations(own(world, limit=9)) == {"code": 200, "liquidations": []}
    trades = world.exchange.state.trades_of[A]
    trades.append(replace(trades[0], kind="liquidation"))
    trades.append(replace(trades[0], kind="deleverage", market_index=0))
    rows = ours.liquidations(own(world, limit=9))["liquidations"]
    assert [(row["market_id"], row["type"]) for row in rows] == [(0, "deleverage"), (1, "partial")]
    assert len(ours.liquidations(own(world, limit=9, market_id=1))["liquidations"]) == 1
    assert code_of(lambda: ours.liquidations(own(world, limit=9, market_id=9))) == 21602


def profits(world: World, **more: Any) -> list[dict[str, Any]]:
    now_s = world.now_us // 1_000_000
    wanted = {"start_timestamp": now_s - 3600, "end_timestamp": now_s, "count_back": 99, "resolution": "1m", **more}
    body = accounts(world).pnl(asked(token(world, A), by="index", value=A, **wanted))
    return list(body["pnl"])


def test_profit_grows_with_each_closed_trade_less_its_fees() -> None:
    world = make_world(tier=Tier.PREMIUM)
    account = world.exchange.state.accounts[A]
    account.created_us = world.now_us
    world.take(A, BID, 100, MID + 10)
    world.run(ms=60_000)
    world.take(A, ASK, 100, MID - 10)
    rows = profits(world)
    assert [row["volume"] for row in rows] == [100.001, 99.999]
    assert [row["trade_pnl"] for row in rows] == pytest.approx([-0.028, -0.002 - 0.055999], abs=1e-5)
    assert [row["inflow"] for row in rows] == [10_000, 0]
    assert rows[-1]["trade_pnl"] == (account.collateral - 10_000_000_000) / 1_000_000
    assert [row["volume"] for row in profits(world, count_back=1)] == [99.999]
    assert {row["pool_pnl"] for row in rows} == {0}


def test_profit_is_ones_own() -> None:
    world = make_world()
    ours = accounts(world)
    span = {"start_timestamp": 1, "end_timestamp": 2, "count_back": 1, "resolution": "1m"}
    assert code_of(lambda: ours.pnl(asked(by="index", value=A, **span))) == 20001
    assert code_of(lambda: ours.pnl(asked(token(world, B), by="index", value=A, **span)), status=401) == 20013
    assert code_of(lambda: ours.pnl(asked(token(world, A), by="index", value=7, **span))) == 21100
    assert (
        code_of(lambda: ours.pnl(asked(token(world, A), by="index", value=A, **{**span, "resolution": "1w"}))) == 20001
    )
    assert [row["inflow"] for row in ours.pnl(asked(token(world, A), by="index", value=A, **span))["pnl"]] == [10_000]
    world.exchange.state.accounts[A].created_us = world.now_us
    assert ours.pnl(asked(token(world, A), by="index", value=A, **span))["pnl"] == []

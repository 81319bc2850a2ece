"""Every REST method of the SDK against a paper exchange in another process: answers as the SDK declares them."""

import inspect
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import lighter
import pytest
from pydantic import BaseModel, ValidationError
from tests.integration.paper_client import Paper, filled, listening, run, token
from tests.integration.paper_process import MID

SDK_METHODS = 91
"""At least as many has SDK 1.1.8: so many are walked."""

REFUSED = {
    # Of services that a paper exchange does not have, HTTP 404 and 29404: nothing of the kind is found.
    **dict.fromkeys(
        (
            "create_intent_address",
            "deposit_latest",
            "export",
            "export_historical_trades",
            "fastwithdraw",
            "lit_lease",
            "notification_ack",
            "referral_create",
            "referral_get",
            "referral_kickback_update",
            "referral_update",
            "referral_use",
            "rfq_create",
            "rfq_get",
            "rfq_respond",
            "rfq_update",
            "synthetic_spot_info",
            "tokens_revoke",
        ),
        29404,
    ),
    # Nothing here has come from another chain.
    "tx_from_l1_tx_hash": 21500,
    # The paper exchange of this test is of no tier that the venue has, and its account holds a position.
    "change_account_tier": 62003,
    # Nothing but an account and a key: the nonce is missed first.
    "send_tx": 21104,
    "send_tx_batch": 21104,
}
"""Methods that are refused when well asked, and the code."""

ZEROS = {
    "order": (),
    "trade": (
        "taker_position_sign_changed",
        "maker_position_sign_changed",
        "bid_account_pnl",
        "ask_account_pnl",
        "integrator_maker_fee",
        "integrator_maker_fee_collector_index",
        "integrator_taker_fee",
        "integrator_taker_fee_collector_index",
        "taker_allocated_margin_usdc_before",
        "taker_allocated_margin_usdc_after",
        "maker_allocated_margin_usdc_before",
        "maker_allocated_margin_usdc_after",
        "bid_order_version",
        "ask_order_version",
    ),
    # Recorded as null, or not at all, for accounts that are no pool and request no quotes.
    "account": ("pool_info", "can_rfq_market_ids"),
}
"""Declared as required by the SDK and left out or null at the venue where zero, false or empty (recorded 2026)."""


def methods() -> Iterator[tuple[type, str]]:
    """All API classes of the SDK and their methods."""
    for name, api in sorted(inspect.getmembers(lighter, inspect.isclass)):
        if name.endswith("Api"):
            for method, _ in inspect.getmembers(api, inspect.isfunction):
                if hasattr(api, f"{method}_without_preload_content"):
                    yield api, method


def arguments(paper: Paper, auth: str, tx_hash: str) -> dict[str, Any]:
    """A good value for every parameter that any method needs, by its name."""
    now = int(time.time())
    account = paper.accounts[0]
    return {
        "account_index": account,
        "amount": "1",
        "api_key_index": 4,
        "api_key_indexes": "[4]",
        "authorization": auth,
        "by": "index",
        "chain_id": "1",
        "client_order_indexes": "9002,9003",
        "count_back": 10,
        "direction": 0,
        "duration": "30s",
        "duration_days": 7,
        "end_timestamp": now + 60,
        "expiry": now + 2 * 86_400,
        "from_addr": "0x1",
        "hash": "ab",
        "kickback_percentage": 1,
        "kind": "volume",
        "index": 0,
        "l1_address": paper.credentials["accounts"][0]["l1_address"],
        "lease_amount": "1",
        "limit": 10,
        "market_id": 1,
        "market_index": 1,
        "name": "reader",
        "new_referral_code": "x",
        "new_tier": "premium",
        "notif_id": "1",
        "offset": 0,
        "period": "d",
        "referral_code": "x",
        "resolution": "1m",
        "rfq_id": 1,
        "sort_by": "timestamp",
        "sort_dir": "desc",
        "start_timestamp": now - 600,
        "status": "x",
        "sub_account_access": False,
        "symbol": "BTC",
        "time_window": "d",
        "to_address": "0x1",
        "token_id": 999,
        "tx_info": json.dumps({"AccountIndex": account, "ApiKeyIndex": 4}),
        "tx_infos": json.dumps([json.dumps({"AccountIndex": account, "ApiKeyIndex": 4})]),
        "tx_type": 14,
        "tx_types": "[14]",
        "type": "trade",
        "value": str(account),
        "var_date": "2026-09-01",
        "req_set_account_metadata": lighter.ReqSetAccountMetadata(
            master_account_index=account, target_account_index=account, api_key_index=4, metadata='{"color": "red"}'
        ),
        # Where a parameter of this name means something else.
        "account_txs.by": "account_index",
        "block.by": "height",
        "block.value": "1",
        "block_txs.by": "block_height",
        "block_txs.value": "1",
        "fundings.resolution": "1h",
        "tx.by": "hash",
        "tx.value": tx_hash,
    }


def called_with(api: type, method: str, values: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a method: what it needs, and its token, which some methods declare as optional."""
    parameters = inspect.signature(getattr(api, method)).parameters
    needed = [one.name for one in parameters.values() if one.default is inspect.Parameter.empty and one.name != "self"]
    named = [*needed, *(one for one in ("authorization",) if one in parameters and one not in needed)]
    return {name: values.get(f"{method}.{name}", values.get(name)) for name in named}


def unlike(model: type[BaseModel], body: dict[str, Any]) -> list[str]:
    """What a body lacks of its model, or has of another type; the model's own validation, strict in types."""
    try:
        model.model_validate(body)
    except ValidationError as error:
        places = [(".".join(map(str, one["loc"])), one["loc"][-1], one["type"]) for one in error.errors()]
        left_out = {name for names in ZEROS.values() for name in names}
        return [f"{place}: {kind}" for place, name, kind in places if name not in left_out]
    return []


async def settled(paper: Paper, clients: Any) -> str:
    """A round, so that there is something to tell: orders, trades, positions. The hash of one transaction."""
    a, b = clients
    async with listening(paper) as ears:
        await ears.subscribed(f"account_all_orders/{a.account_index}", token(a))
        assert (await a.create_order(1, 9001, 20, MID - 5, False, 0, 2))[2] is None
        assert (await a.create_order(1, 9002, 20, MID, False, 0, 2))[2] is None
        _, answer, error = await b.create_market_order(1, 9003, 20, MID - 10, True)
        assert error is None
        await ears.until(filled(9002))
        assert (await a.cancel_order(1, 9001))[2] is None
        return str(answer.tx_hash)


def test_every_method_of_the_sdk_is_answered_as_it_declares(paper: Paper) -> None:
    found: dict[str, Any] = {}
    walked = []

    async def test() -> None:
        async with paper.clients(4) as clients:
            values = arguments(paper, token(clients[0]), await settled(paper, clients))
            for api, method in methods():
                walked.append(method)
                what = await _well_asked(api(clients[0].api_client), api, method, values)
                if what:
                    found[method] = what

    run(test)
    assert found == {}
    assert len(walked) >= SDK_METHODS


async def _well_asked(made: Any, api: type, method: str, values: dict[str, Any]) -> Any:
    """What is wrong with the answer to a good request."""
    response = await getattr(made, f"{method}_without_preload_content")(**called_with(api, method, values))
    text = await response.text()
    if response.content_type != "application/json":
        return response.content_type, text[:80]
    body = json.loads(text)
    if method in REFUSED:
        return [] if (body["code"], response.status >= 400) == (REFUSED[method], True) else body
    if response.status != 200 or body.get("code", 200) != 200:
        return response.status, body
    return unlike(inspect.signature(getattr(api, method)).return_annotation, body)


def test_every_method_of_the_sdk_deserializes(paper: Paper) -> None:
    """The SDK's own reading of each answer, and its own exception of each refusal."""

    async def test() -> None:
        async with paper.clients(4) as clients:
            values = arguments(paper, token(clients[0]), await settled(paper, clients))
            for api, method in methods():
                call = getattr(api(clients[0].api_client), method)
                if method in REFUSED:
                    with pytest.raises(lighter.ApiException, match=str(REFUSED[method])):
                        await call(**called_with(api, method, values))
                else:
                    answer = await call(**called_with(api, method, values))
                    assert isinstance(answer, inspect.signature(call).return_annotation), method

    run(test)


BAD: tuple[Callable[[str], str], ...] = (
    lambda name: "",
    lambda name: "-7",
    lambda name: "²",
    lambda name: "9" * 40,
    lambda name: "{}",
    lambda name: "\x00",
)
ANY_TEXT = {"leaderboard"}
"""Its one parameter is a word, and which words there are is not known."""


def test_bad_and_missing_parameters_are_answered_with_json_and_a_code(paper: Paper) -> None:
    """Each method as the SDK would send it, with nothing, and with each bad value in every place at once."""
    found: dict[str, Any] = {}

    async def test() -> None:
        async with paper.clients(4) as clients:
            client = clients[0].api_client
            values = arguments(paper, token(clients[0]), "ab")
            for api, method in methods():
                made = api(client)
                serialize = getattr(made, f"_{method}_serialize")
                blank = dict.fromkeys(inspect.signature(serialize).parameters)
                blank |= {"_request_auth": None, "_content_type": None, "_headers": {}, "_host_index": 0}
                names = list(called_with(api, method, values))
                for bad in (None, *BAD):
                    wrong = {} if bad is None else {name: bad(name) for name in names if name != "authorization"}
                    if "req_set_account_metadata" in wrong:
                        continue
                    response = await client.call_api(*serialize(**{**blank, **wrong}))
                    text = (await response.response.read()).decode()
                    needs = [name for name in names if name not in ("authorization", "req_set_account_metadata")]
                    problem = _badly_asked(response.response, text, needs=bool(needs))
                    if problem and not (wrong and method in ANY_TEXT):
                        found[f"{method} {wrong}"] = problem

    run(test)
    assert found == {}


def _badly_asked(response: Any, text: str, *, needs: bool) -> Any:
    body = json.loads(text) if response.content_type == "application/json" else None
    if body is None or response.status >= 500:
        return response.status, text[:120]
    if not needs:
        return []
    return [] if response.status in (400, 401, 404) and body["code"] >= 20001 else (response.status, body)


def test_an_unknown_path_and_a_wrong_method_are_answered_with_json(paper: Paper) -> None:
    async def test() -> None:
        async with paper.clients(4) as clients:
            client = clients[0].api_client
            for method, path, status in (
                ("GET", "/api/v1/noSuch", 404),
                ("GET", "/no/such", 404),
                ("POST", "/api/v1/account", 405),
                ("GET", "/api/v1/sendTx", 405),
                ("DELETE", "/api/v1/tokens", 405),
            ):
                response = await client.call_api(method, paper.url + path)
                body = json.loads(await response.response.read())
                assert (response.status, set(body)) == (status, {"code", "message"}), path

    run(test)


def test_a_token_made_by_the_sdk_opens_the_account_until_it_is_revoked(paper: Paper) -> None:
    async def test() -> None:
        async with paper.clients(4) as clients:
            a = clients[0]
            api = lighter.AccountApi(a.api_client)
            expiry = int(time.time()) + 2 * 86_400
            made = await api.tokens_create(
                name="r", account_index=a.account_index, expiry=expiry, sub_account_access=False, authorization=token(a)
            )
            limits = await api.account_limits(authorization=made.api_token, account_index=a.account_index)
            assert limits.code == 200
            await api.tokens_revoke(made.token_id, a.account_index, authorization=token(a))
            with pytest.raises(lighter.exceptions.UnauthorizedException, match="20013"):
                await api.account_limits(authorization=made.api_token, account_index=a.account_index)
            listed = await api.tokens(account_index=a.account_index, authorization=token(a))
            assert [one.revoked for one in listed.api_tokens if one.token_id == made.token_id] == [True]

    run(test)

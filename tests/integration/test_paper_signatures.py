"""A paper exchange that checks signatures: the unmodified SDK passes, anything altered does not."""

import json
from collections.abc import Iterator
from typing import Any

import aiohttp
import lighter
import pytest
from tests.integration.paper_client import Paper, listening, run, token
from tests.integration.paper_process import MID


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paper]:
    running = Paper(tmp_path_factory.mktemp("paper"), verify_signatures=True)
    yield running
    running.kill()


async def posted(paper: Paper, tx_type: int, tx_info: str) -> tuple[int, dict[str, Any]]:
    form = {"tx_type": str(tx_type), "tx_info": tx_info}
    async with aiohttp.ClientSession() as session, session.post(f"{paper.url}/api/v1/sendTx", data=form) as answer:
        return answer.status, await answer.json()


async def next_nonce(client: Any) -> int:
    api = lighter.TransactionApi(client.api_client)
    return int((await api.next_nonce(account_index=client.account_index, api_key_index=4)).nonce)


def test_the_sdk_sends_as_ever(checked: Paper) -> None:
    """Orders, a change, cancels, a batch; and the hash in the answer is the signer's own."""

    async def test() -> None:
        async with checked.clients(4) as (a, b):
            _, answer, error = await a.create_order(1, 1001, 20, MID, False, 0, 2, self_trade_behavior_mode=1)
            assert (error, answer.code) == (None, 200)
            _, answer, error = await a.modify_order(1, 1001, 30, MID - 1)
            assert (error, answer.code) == (None, 200)
            _, answer, error = await a.cancel_order(1, 1001)
            assert (error, answer.code) == (None, 200)
            _, answer, error = await a.cancel_all_orders(0, 0)
            assert (error, answer.code) == (None, 200)
            start = await next_nonce(b)
            orders = [
                b.sign_create_order(1, 0, 20, MID - 5, 0, 0, 2, nonce=start + n, api_key_index=4) for n in range(2)
            ]
            answer = await b.send_tx_batch([one[0] for one in orders], [one[1] for one in orders])
            assert (answer.code, answer.tx_hash) == (200, [one[2] for one in orders])

    run(test)


def test_an_altered_transaction_is_refused_and_consumes_no_nonce(checked: Paper) -> None:
    async def test() -> None:
        async with checked.clients(4) as (a, b), listening(checked) as ears:
            nonce = await next_nonce(a)
            tx_type, text, _, _ = a.sign_create_order(1, 0, 20, MID - 5, 0, 0, 2, nonce=nonce, api_key_index=4)
            info = json.loads(text)
            for change in (
                {"Price": MID - 6},
                {"BaseAmount": 21},
                {"Nonce": nonce + 1},
                {"AccountIndex": b.account_index},
            ):
                status, body = await posted(checked, tx_type, json.dumps({**info, **change}))
                assert (status, body) == (400, {"code": 21120, "message": "invalid signature"})
            await ears.ask(type="jsonapi/sendtx", data={"id": "x", "tx_type": tx_type, "tx_info": {**info, "IsAsk": 1}})
            assert "21120" in json.dumps(await ears.until(lambda frame: "21120" in json.dumps(frame)))
            assert await next_nonce(a) == nonce
            status, body = await posted(checked, tx_type, text)
            assert (status, body["code"], await next_nonce(a)) == (200, 200, nonce + 1)

    run(test)


def test_a_transaction_of_another_chain_is_refused(checked: Paper) -> None:
    async def test() -> None:
        account = checked.credentials["accounts"][0]
        key = account["api_keys"][1]
        keys = {key["api_key_index"]: key["private_key"]}
        client = lighter.SignerClient(checked.url, account["account_index"], keys, chain_id=300)
        try:
            _, answer, error = await client.create_order(1, 0, 20, MID - 5, False, 0, 2)
            assert answer is None
            assert "21120" in error
        finally:
            await client.close()

    run(test)


def test_a_token_must_be_signed_by_its_key(checked: Paper) -> None:
    async def test() -> None:
        async with checked.clients(4) as (a, _), listening(checked) as ears:
            good = token(a)
            last = "0" if good[-41] != "0" else "1"
            wrong = good[:-41] + last + good[-40:]
            orders = lighter.OrderApi(a.api_client)
            asked = {"account_index": a.account_index, "market_id": 1}
            assert (await orders.account_active_orders(**asked, authorization=good)).code == 200
            with pytest.raises(lighter.exceptions.ApiException) as refused:
                await orders.account_active_orders(**asked, authorization=wrong)
            assert "20013" in str(refused.value)
            await ears.ask(type="subscribe", channel=f"account_all_orders/{a.account_index}", auth=wrong)
            await ears.until(lambda frame: "20013" in json.dumps(frame))
            await ears.subscribed(f"account_all_orders/{a.account_index}", good)

    run(test)

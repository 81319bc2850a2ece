"""Requests that fit the schema and requests that do not, against every path: never an error of the server's own, never
HTML, always a code, and what is accepted has the declared shape."""

import itertools
import json
import os
import time
import zlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import response_schema_conformance
from tests.abuse.openapi import document
from tests.integration.paper_process import MID

INTEGERS = st.one_of(
    st.integers(-2, 40), st.integers(), st.sampled_from([2**31, 2**48 - 1, 2**53, 2**63, 2**64, 10**40])
)
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), INTEGERS, st.floats(), st.text(max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)


def transactions(account: int, now_ms: int) -> st.SearchStrategy[str]:
    """Transactions that are nearly right: a good value in most places, anything in the others."""
    leg = {
        "MarketIndex": 1, "ClientOrderIndex": 0, "BaseAmount": 20, "Price": MID - 5, "IsAsk": 0, "Type": 0,
        "TimeInForce": 1, "ReduceOnly": 0, "TriggerPrice": 0, "OrderExpiry": now_ms + 3_600_000,
    }  # fmt: skip
    stop = {"BaseAmount": 0, "IsAsk": 1, "Type": 2, "TimeInForce": 0, "ReduceOnly": 1, "TriggerPrice": MID - 50}
    good: dict[str, Any] = {
        "AccountIndex": account, "FromAccountIndex": account, "ApiKeyIndex": 4, "Nonce": 0, "MarketIndex": 1,
        "ClientOrderIndex": 7, "BaseAmount": 20, "Price": MID - 5, "IsAsk": 0, "Type": 0, "TimeInForce": 2,
        "ReduceOnly": 0, "TriggerPrice": 0, "OrderExpiry": now_ms + 3_600_000, "ExpiredAt": now_ms + 599_000, "Sig": "",
        "Index": 7, "Time": 0, "InitialMarginFraction": 500, "MarginMode": 0, "USDCAmount": 1, "Direction": 0,
        "GroupingType": 1, "Orders": [leg, {**leg, **stop}], "ToAccountIndex": account + 1, "AssetIndex": 3,
        "FromRouteType": 0, "ToRouteType": 0, "Amount": 1, "USDCFee": 0, "PubKey": "00" * 40, "L2TxAttributes": None,
    }  # fmt: skip
    wrong = st.dictionaries(st.sampled_from(sorted(good)), st.one_of(INTEGERS, ANYTHING), max_size=3)
    attributes = st.none() | st.dictionaries(st.sampled_from("12345678"), INTEGERS | ANYTHING, max_size=3)
    nearly = st.tuples(wrong, attributes).map(lambda two: {**good, "L2TxAttributes": two[1], **two[0]})
    nonces = itertools.count(1_000)
    fresh = wrong.map(lambda some: {**good, "Nonce": next(nonces), "L2TxAttributes": {"4": 1}, **some})
    return st.one_of(fresh.map(json.dumps), nearly.map(json.dumps), ANYTHING.map(json.dumps), st.text(max_size=20))


class Attack:
    """Every operation of the document, and how a request of it is made.

    ``good`` holds good values of parameters, by their names or by ``method.name``.
    """

    def __init__(self, url: str, good: dict[str, Any]) -> None:
        self.url = url
        tx = transactions(good["account_index"], int(time.time() * 1000))
        schemathesis.openapi.format("transaction", tx)
        schemathesis.openapi.format("transactions", st.lists(tx, max_size=4).map(json.dumps))
        kinds = [8, 9, 12, 14, 15, 16, 17, 20, 28, 29]
        own = {
            "tx_info": {"type": "string", "format": "transaction"},
            "tx_infos": {"type": "string", "format": "transactions"},
            "tx_type": {"enum": kinds},
            "tx_types": {"enum": [json.dumps(kinds[:n]) for n in range(5)]},
        }
        self.good = {name: value for name, value in good.items() if name not in own}
        self.schema = schemathesis.openapi.from_dict(document(own))
        self.operations: list[Any] = [one.ok() for one in self.schema.get_all_operations() if isinstance(one, Ok)]
        self.session = requests.Session()
        self.answers: dict[str, Counter[int]] = {}

    def operation(self, operation: Any, examples: int) -> None:
        """So many requests that fit an operation, and as many that do not."""
        name = operation.definition.raw["operationId"]
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            if mode is GenerationMode.NEGATIVE and not (list(operation.iter_parameters()) or operation.body):
                continue

            @seed(zlib.crc32(name.encode()) ^ int(os.environ.get("ABUSE_SEED", "0")))
            @settings(max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck))
            @given(case=operation.as_strategy(generation_mode=mode), tamed=st.booleans())
            def ask(case: Any, tamed: bool) -> None:
                self._ask(case, name, tamed=tamed)

            ask()

    def _ask(self, case: Any, name: str, *, tamed: bool) -> None:
        """One request; a tamed one has good values where they are known, else few would pass the first check."""
        for values in (case.query, case.body):
            for one in list(values) if tamed and isinstance(values, Mapping) else ():
                values[one] = self.good.get(f"{name}.{one}", self.good.get(one, values[one]))
        if tamed and "authorization" in case.headers:
            case.headers["authorization"] = self.good["authorization"]
        response = case.call(base_url=self.url, session=self.session)
        body = json.loads(response.content)
        assert response.status_code < 500, body
        assert response.headers["content-type"][0].startswith("application/json")
        assert isinstance(body, dict)
        if response.status_code != 200:
            assert type(body["code"]) is int, body
            assert body["code"] != 200, body
        case.validate_response(response, checks=[response_schema_conformance])
        met = self.answers.setdefault(name, Counter())
        met[body.get("code", 200)] += 1

"""Transactions from the outside: parse what REST or WebSocket carried, submit, shape the answer."""

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from lighter_hedge.simulator.core.exchange import SubmitResult
from lighter_hedge.simulator.edge.numerals import whole_number
from lighter_hedge.simulator.edge.venue import Venue
from lighter_hedge.simulator.signing.signatures import tx_is_signed
from lighter_hedge.simulator.signing.txhash import CHANGE_PUB_KEY, account_field

BATCH_MAX = 50
"""Transactions in one batch over REST."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a send gets back, unless ``lost``."""

    status: int
    body: dict[str, Any]
    lost: bool = False


def refusal(code: int, message: str, status: int = 400) -> Answer:
    """An answer that refuses."""
    return Answer(status=status, body={"code": code, "message": message})


def account_index_of(tx_info: object) -> int | None:
    """Account that a transaction names, if it is one."""
    if not isinstance(tx_info, dict):
        return None
    value = tx_info.get("AccountIndex", tx_info.get("FromAccountIndex"))
    return value if isinstance(value, int) else None


def parsed(raw: object) -> dict[str, Any] | None:
    """``tx_info`` as an object, given as an object or as JSON text; None if it is neither.

    Half a character (a lone surrogate, which JSON can escape) makes it neither: nobody could write it down.
    """
    try:
        found = json.loads(raw) if isinstance(raw, str) else raw
        msgspec.json.encode(found)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def send_one(venue: Venue, raw_type: object, raw_info: object, address: str) -> Answer:
    """One transaction."""
    tx_info = parsed(raw_info)
    tx_type = _type_of(raw_type)
    if tx_type is None:
        return refusal(21505, "invalid tx type")
    if tx_info is None:
        return refusal(21501, "invalid tx info")
    account_index = account_index_of(tx_info)
    venue.requests.sent(account_index)
    if not venue.limiter.allow(venue.who(account_index, address), "sendTx", venue.now_us(), tx_type):
        return refusal(23000, "Too Many Requests!", 429)
    result = _submitted(venue, tx_type, tx_info, raw_info)
    if not result.accepted:
        return refusal(result.code, result.message, result.http_status)
    body = _accepted(result, result.tx_hash)
    return Answer(status=200, body=body, lost=venue.strike("lose_answer", account_index))


def send_batch(venue: Venue, raw_types: object, raw_infos: object, address: str, *, most: int = BATCH_MAX) -> Answer:
    """Several transactions of one key; the first refusal ends the batch."""
    types, infos = _list_of(raw_types), _list_of(raw_infos)
    if types is None or infos is None or len(types) != len(infos) or not types:
        return refusal(21513, "tx types and tx infos length mismatch")
    if len(types) > most:
        return refusal(21514, "too many txs in a batch")
    objects = [parsed(info) for info in infos]
    if None in objects or len({account_index_of(one) for one in objects}) > 1:
        return refusal(21121, "all txs of a batch must be of one account and api key")
    account_index = account_index_of(objects[0])
    venue.requests.sent(account_index)
    if not venue.limiter.allow(venue.who(account_index, address), "sendTxBatch", venue.now_us()):
        return refusal(23000, "Too Many Requests!", 429)
    results: list[SubmitResult] = []
    for raw_type, raw_info, tx_info in zip(types, infos, objects, strict=True):
        tx_type = _type_of(raw_type)
        if tx_type is None or tx_info is None:
            return refusal(21505, "invalid tx type")
        result = _submitted(venue, tx_type, tx_info, raw_info)
        if not result.accepted:
            return refusal(result.code, result.message, result.http_status)
        results.append(result)
    body = _accepted(results[-1], [result.tx_hash for result in results])
    return Answer(status=200, body=body, lost=venue.strike("lose_answer", account_index))


def _submitted(venue: Venue, tx_type: int, tx_info: dict[str, Any], raw_info: object) -> SubmitResult:
    if venue.settings.verify_signatures and _wrongly_signed(venue, tx_type, tx_info):
        return SubmitResult(code=21120, message="invalid signature", http_status=400)
    text = raw_info if isinstance(raw_info, str) else json.dumps(tx_info, separators=(",", ":"))
    return venue.submit(tx_type, tx_info, text)


def _wrongly_signed(venue: Venue, tx_type: int, tx_info: dict[str, Any]) -> bool:
    """Whether the key that a transaction names has not signed it.

    A transaction that names no key, or cannot be hashed, is for the exchange to refuse.
    """
    account_index, api_key_index = tx_info.get(account_field(tx_type)), tx_info.get("ApiKeyIndex")
    account = venue.account(account_index) if isinstance(account_index, int) else None
    key = account.keys.get(api_key_index) if account is not None and isinstance(api_key_index, int) else None
    if key is None and tx_type != CHANGE_PUB_KEY:
        return False
    public_key = "" if key is None else key.public_key
    try:
        return not tx_is_signed(venue.settings.chain_id, tx_type, tx_info, public_key)
    except ValueError:
        return False


def _accepted(result: SubmitResult, tx_hash: object) -> dict[str, Any]:
    return {
        "code": 200,
        "message": result.message,
        "tx_hash": tx_hash,
        "predicted_execution_time_ms": result.execution_time_ms,
        "volume_quota_remaining": result.quota_remaining,
    }


def _type_of(raw: object) -> int | None:
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int):
        return raw
    return whole_number(raw)


def _list_of(raw: object) -> list[Any] | None:
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except (ValueError, RecursionError):
            return None
    return raw if isinstance(raw, list) else None

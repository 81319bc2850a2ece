"""Transactions from the outside: parse what REST or WebSocket carried, submit, shape the answer."""

import json
from collections.abc import Callable
from typing import Any

import msgspec

from lighter_hedge.simulator.core.exchange import SubmitResult
from lighter_hedge.simulator.edge.answers import Answer, refusal
from lighter_hedge.simulator.edge.numerals import whole_number
from lighter_hedge.simulator.edge.venue import Venue
from lighter_hedge.simulator.signing.signatures import tx_is_signed
from lighter_hedge.simulator.signing.txhash import CHANGE_PUB_KEY, account_field

BATCH_MAX = 50
"""Transactions in one batch over REST."""
TOO_MANY = refusal(23000, "Too Many Requests!", 429)


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

    def carry_out() -> Answer:
        if not venue.limiter.allow(venue.who(account_index, address), "sendTx", venue.now_us(), tx_type):
            return TOO_MANY
        result = _submitted(venue, tx_type, tx_info, raw_info)
        return _answer([result], result.tx_hash)

    return _faulty(venue, account_index, carry_out)


def _faulty(venue: Venue, account_index: int | None, carry_out: Callable[[], Answer]) -> Answer:
    """Count a call that sends, and let faults have their way with it."""
    venue.requests.sent(account_index)
    now_us = venue.step()
    answer = venue.request_faults.before(account_index, now_us, sends=True) or carry_out()
    return venue.request_faults.after(account_index, answer, now_us, sends=True)


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

    def carry_out() -> Answer:
        if not venue.limiter.allow(venue.who(account_index, address), "sendTxBatch", venue.now_us()):
            return TOO_MANY
        results: list[SubmitResult] = []
        for raw_type, raw_info, tx_info in zip(types, infos, objects, strict=True):
            tx_type = _type_of(raw_type)
            if tx_type is None or tx_info is None:
                return refusal(21505, "invalid tx type")
            results.append(_submitted(venue, tx_type, tx_info, raw_info))
            if not results[-1].accepted:
                break
        return _answer(results, [result.tx_hash for result in results])

    return _faulty(venue, account_index, carry_out)


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


def _answer(results: list[SubmitResult], tx_hash: object) -> Answer:
    """What was accepted is told of the last transaction, as is the first refusal."""
    result = results[-1]
    if not result.accepted:
        return refusal(result.code, result.message, result.http_status)
    body = {
        "code": 200,
        "message": result.message,
        "tx_hash": tx_hash,
        "predicted_execution_time_ms": result.execution_time_ms,
        "volume_quota_remaining": result.quota_remaining,
    }
    return Answer(status=200, body=body)


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

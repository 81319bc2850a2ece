"""What an answer of the venue proves about one send. Pure.

Only positive evidence rejects: whatever leaves doubt is UNKNOWN, to be resolved by reading.
"""

import re

import msgspec

from lighter_hedge.domain.events import Answer, AnswerKind
from lighter_hedge.venue.lighter import models
from lighter_hedge.venue.lighter.parse import decoded

MESSAGE_LENGTH_MAX = 300
TOKEN = re.compile(r"(?:ro:)?\d+:(?:\w+:)+[0-9a-fA-F]{32,}")
"""How an auth token looks, should the venue repeat one in an error."""

_envelope = msgspec.json.Decoder(models.Envelope, strict=False)


def answer_of_code(code: int, message: str) -> Answer:
    """The answer that a code of the venue stands for."""
    return Answer(kind=_kind_of(code), code=code, message=presentable(message))


def answer_of_http(status: int, body: bytes) -> Answer:
    """The answer that an HTTP status and its body stand for."""
    if status in models.CODES_THROTTLED:
        return answer_of_code(status, f"HTTP {status}")
    if status >= 500:
        return unknown(f"HTTP {status}", status)
    try:
        envelope = decoded(_envelope, body)
    except msgspec.DecodeError:
        refused = 400 <= status < 500 and status != 408
        kind = AnswerKind.REJECTED if refused else AnswerKind.UNKNOWN
        return Answer(kind=kind, code=status, message=f"HTTP {status} without a code of the venue")
    if envelope.code == models.CODE_OK and status != models.CODE_OK:
        return unknown(f"HTTP {status} that says it is well", status)
    return answer_of_code(envelope.code, envelope.message)


def unknown(why: str, code: int = 0) -> Answer:
    """Sent, nothing heard that proves anything."""
    return Answer(kind=AnswerKind.UNKNOWN, code=code, message=presentable(why))


def presentable(text: str) -> str:
    """A message of the venue, short and without a token, fit for a log."""
    return TOKEN.sub("…", text)[:MESSAGE_LENGTH_MAX]


def _kind_of(code: int) -> AnswerKind:
    if code == models.CODE_OK:
        return AnswerKind.ACCEPTED
    if code == models.CODE_BAD_NONCE:
        return AnswerKind.BAD_NONCE
    if code in models.CODES_THROTTLED:
        return AnswerKind.THROTTLED
    if code in models.CODES_UNCERTAIN or code == 0 or 500 <= code < 600:
        return AnswerKind.UNKNOWN
    return AnswerKind.REJECTED

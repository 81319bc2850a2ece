"""What an answer proves: only positive evidence rejects."""

import json

import pytest

from lighter_hedge.domain.events import AnswerKind
from lighter_hedge.venue.lighter.answers import answer_of_code, answer_of_http


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (200, AnswerKind.ACCEPTED),
        (21104, AnswerKind.BAD_NONCE),
        (429, AnswerKind.THROTTLED),
        (405, AnswerKind.THROTTLED),
        (23000, AnswerKind.THROTTLED),
        (21739, AnswerKind.REJECTED),
        (29500, AnswerKind.UNKNOWN),
        (29501, AnswerKind.UNKNOWN),
        (502, AnswerKind.UNKNOWN),
        (0, AnswerKind.UNKNOWN),
    ],
)
def test_codes(code: int, kind: AnswerKind) -> None:
    answer = answer_of_code(code, "why")
    assert (answer.kind, answer.code, answer.message) == (kind, code, "why")


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (200, {"code": 200, "tx_hash": "ab"}, AnswerKind.ACCEPTED, 200),
        (200, {"code": 21702, "message": "price"}, AnswerKind.REJECTED, 21702),
        (400, {"code": 21104, "message": "invalid nonce"}, AnswerKind.BAD_NONCE, 21104),
        (400, {"code": "21702"}, AnswerKind.REJECTED, 21702),
        (200, {}, AnswerKind.UNKNOWN, 200),
        (200, "<html>", AnswerKind.UNKNOWN, 200),
        (403, "<html>", AnswerKind.REJECTED, 403),
        (400, {"code": 200}, AnswerKind.UNKNOWN, 400),
        (408, "<html>", AnswerKind.UNKNOWN, 408),
        (429, {"code": 23000}, AnswerKind.THROTTLED, 429),
        (405, "<html>", AnswerKind.THROTTLED, 405),
        (502, {"code": 21702}, AnswerKind.UNKNOWN, 502),
    ],
)
def test_http(status: int, body: object, kind: AnswerKind, code: int) -> None:
    answer = answer_of_http(status, json.dumps(body).encode())
    assert (answer.kind, answer.code) == (kind, code)

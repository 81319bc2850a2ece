"""A short form of ``make fuzz`` with a fixed seed, what longer ones have found, and that they find what is there."""

from pathlib import Path

import pytest
from tests.fuzz import fuzz as fuzzer
from tests.fuzz.fuzz import fuzz
from tests.fuzz.mutator import Mutator
from tests.fuzz.targets import TARGETS

QUICK, SLOW = 12_000, 60
"""Executions of each target in the everyday tests."""
DEEP = b"[" * 3000

FOUND: list[tuple[str, bytes, bool]] = [
    # No UTF-8 within a text, or nested without end, ended the process: neither was an error that anybody awaited.
    ("frames", b'{"type":"update/ticker","channel":"ticker:1","x":"\xff"}', True),
    ("frames", b'{"type":"update/ticker","channel":"\xff"}', False),
    ("frames", b'{"error":{"code":30009,"message":"To\xf0 Many"}}', False),
    ("frames", b'{"type":' + DEEP, False),
    ("frames", b'{"type":"update/account_all","channel":"account_all:51","trades":{"1":["\xae"]}}', False),
    ("bodies", b'3200{"code":200,"nonce":7,"message":"st\x80"}', False),
    ("bodies", b'3200{"code":' + DEEP, False),
    ("answers", b'400{"code":21104,"message":"\xff"}', False),
    ("answers", b'200{"a":' + DEEP, False),
    ("maker-states", b'{"schema":1,"\x92":1}', False),
    ("commands", b'{"id":"6f","verb":' + DEEP, False),
    ("commands", b'{"id":"7","verb":"resume","hed_now":1e400,"schema":1}', False),
    ("paper-socket", b'{"type":' + DEEP, False),
    ("paper-rest", b"sendTx?tx_type=14&tx_info=" + DEEP, False),
    ("tapes", b'{"r":' + DEEP, False),
    ("credentials", b'{"accounts":' + DEEP, False),
    ("yaml", b"desk: " + DEEP[:400], False),
    # A row of another market than the key says; amounts below zero; more filled than ordered; prices of nothing.
    (
        "frames",
        b'{"type":"update/account_all_orders","channel":"account_all_orders:51","orders":{"1":[{"order_index":5,'
        b'"market_index":0,"initial_base_amount":"1","price":"5","status":"open"}]}}',
        False,
    ),
    (
        "frames",
        b'{"type":"update/account_all_orders","channel":"account_all_orders:51","orders":{"1":[{"order_index":5,'
        b'"market_index":1,"initial_base_amount":"1","price":"5","status":"open","filled_base_amount":"2"}]}}',
        False,
    ),
    (
        "frames",
        b'{"type":"update/order_book","channel":"order_book:1","order_book":{"nonce":2,"begin_nonce":1,'
        b'"asks":[{"price":"0.0","size":"1"}]}}',
        False,
    ),
    (
        "frames",
        b'{"type":"update/order_book","channel":"order_book:1","order_book":{"nonce":2,"begin_nonce":1,'
        b'"asks":[{"price":"1.0","size":"-1"}]}}',
        False,
    ),
    (
        "frames",
        b'{"type":"update/account_all","channel":"account_all:51","positions":{"1":{"market_id":1,"sign":7,'
        b'"position":"1"}}}',
        False,
    ),
    ("frames", b'{"type":"update/account_tx","channel":"account_tx:51","txs":[{"hash":"ab","status":-1}]}', False),
    ("frames", b'{"type":"jsonapi/sendtx","id":"1","code":-5}', False),
    ("bodies", b'3200{"code":200,"nonce":-1}', False),
    ("bodies", b'3200{"code":200,"nonce":9223372036854775808}', False),
    ("answers", b"700{}", False),
    ("hedger-states", b'{"epoch":-1,"schema":1}', False),
    ("commands", b'{"id":"","verb":"pause","schema":1}', False),
    ("commands", b'{"id":"7","verb":"resume","pause_id":-1,"schema":1}', False),
    ("ids", b"18446744073709551616-9", False),
    ("ids", b"1_0-0", False),
    ("paper-rest", b"account?by=index&value=" + b"9" * 5000, False),
    ("paper-rest", "nextNonce?account_index=²&api_key_index=4".encode(), False),
    ("paper-rest", b'sendTx?tx_type=14&tx_info={"AccountIndex":101,"ApiKeyIndex":4,"Sig":"\\ud800"}', False),
    # An exponent that took seconds to write out, and digits that a decimal context rounded away.
    ("amounts", b"-1.1e350000", False),
    ("amounts", b"1e400281474976710656", False),
    ("amounts", b"12345678901234567890123456789012.5", False),
    (
        "paper-socket",
        b'{"type":"jsonapi/sendtxbatch","data":{"tx_types":[14],"tx_infos":[{"AccountIndex":{}}]}}',
        False,
    ),
    ("paper-faults", b'{"kind":"history_lag","seconds":1e400}', False),
    ("paper-faults", b'{"kind":"key_revoked","account":101,"api_key_index":4,"seconds":NaN}', False),
    # A market that is not the channel's, a stamp that is no time.
    (
        "public-frames",
        b'{"channel":"market_stats:1","market_stats":{"market_id":2,"mark_price":"1","index_price":"1"},"type":"a/b"}',
        False,
    ),
    (
        "public-frames",
        b'{"channel":"trade:1","trades":[{"trade_id":7,"price":"9.9","size":"0.5","is_maker_ask":true,"timestamp":'
        + b"9" * 400
        + b'}],"type":"update/trade"}',
        False,
    ),
    # Addresses that only urlsplit refuses, aliases without end, an escape of no character.
    ("yaml", b"venue: {base_url: 'http://[1, 2].0.1:1'}", False),
    ("yaml", b"log: &l {level: *l}", False),
    ("yaml", b"strategy: {slippage_ladder: &l [1, *l]}", False),
    ("yaml", b"a: &a [x]\nb: &b [*a, *a, *a]\ndesk: *b", False),
    ("yaml", b'desk: {market: "\\UFFFFFFFF"}', False),
    ("environment", b"LIGHTER_HEDGE_VENUE__BASE_URL=http://{}.0.1:9", True),
    ("environment", b"LIGHTER_HEDGE_REDIS__URL=redis://[:1/0", False),
    ("credentials", b'{"base_url":"http://[","ws_url":"ws://h","chain_id":1,"accounts":[]}', False),
]


@pytest.mark.parametrize(("name", "data", "accepted"), FOUND, ids=lambda value: str(value)[:40])
def test_what_was_found_stays_mended(name: str, data: bytes, accepted: bool, tmp_path: Path) -> None:
    assert TARGETS[name].make(tmp_path)(data) is accepted


@pytest.mark.parametrize("name", TARGETS)
def test_a_short_run_finds_nothing(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIGHTER_HEDGE_DATA", raising=False)
    target = TARGETS[name]
    count = SLOW if target.slow else QUICK // (4 if name.startswith(("paper", "tapes")) else 1)
    seeds = target.seeds()
    report = fuzz(name, target.make(tmp_path), seeds, seed=20_261, count=count)
    assert report.findings == []
    assert report.executions == count
    assert 0 < report.accepted < count, "both ways are gone"


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_but_those_of_harm_is_accepted(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIGHTER_HEDGE_DATA", raising=False)
    target = TARGETS[name]
    run, seeds = target.make(tmp_path), target.seeds()
    assert sum(run(data) for data in seeds) >= min(len(seeds), 2) // 2


def test_a_key_in_a_wrong_place_is_not_shown(tmp_path: Path) -> None:
    """Found by fuzzing: an error showed the whole value that stood where a name was expected."""
    key = "ab" * 40
    written = (
        b'{"base_url":"http://127.0.0.1:1","ws_url":"ws://h:1","chain_id":1,"accounts":[{"name":{"private_key":"%s"}'
    )
    written += b',"account_index":1,"api_keys":[{"api_key_index":4,"private_key":"%s"}]},{"name":"b","account_index":2'
    written += b',"api_keys":[{"api_key_index":4,"private_key":"%s"}]}]}'
    assert TARGETS["credentials"].make(tmp_path)(written.replace(b"%s", key.encode())) is False


# --- the fuzzer itself ----------------------------------------------------------------------------------------------

SEEDS = [b'{"a":[1,"0.5",null],"b":{"c":true}}', b'{"a":7}']


def test_the_same_seed_makes_the_same_inputs() -> None:
    first, again, other = (Mutator(SEEDS, number) for number in (5, 5, 6))
    made = [first.next() for _ in range(300)]
    assert made == [again.next() for _ in range(300)]
    assert made != [other.next() for _ in range(300)]
    assert len(set(made)) > 200


def test_an_exception_that_nobody_declared_is_a_finding() -> None:
    """Each kind and place once, and the run goes on."""

    def run(data: bytes) -> bool:
        if b"null" not in data:
            raise KeyError("c")
        return b"-1" in data

    report = fuzz("x", run, SEEDS, seed=1, count=2_000)
    assert report.executions == 2_000
    assert len(report.findings or []) == 1
    assert "KeyError at test_fuzz.py" in (report.findings or [""])[0]


def test_an_input_without_end_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzzer, "SECONDS_MAX", 1)

    def run(data: bytes) -> bool:
        while data == SEEDS[0]:
            pass
        return True

    report = fuzz("x", run, SEEDS, seed=1, count=2)
    assert "Hang" in (report.findings or [""])[0]

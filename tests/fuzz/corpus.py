"""Good inputs to begin with: made here for every kind, and recordings where ``LIGHTER_HEDGE_DATA`` names them."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

from tests.fakes import public_feed
from tests.fakes.lighter_server import KEY, OTHER, OWN, account_row, book, market_row, order_row, trade_row
from tests.fuzz.mutator import compact
from tests.unit.domain.builders import announce, failed, fills, hedger_state, maker_state, pause

from lighter_hedge.domain.states import Armed, Confirm, Flatten, Mode, OperatorCommand, StoodDown
from lighter_hedge.messaging.messages import encode

ROOT = Path(__file__).resolve().parents[2]
RECORDED_MAX = 20_000
"""Bytes: larger recordings are only more of the same."""

LEVEL = {"price": "64500.5", "size": "0.00100"}
POSITION = {"market_id": 1, "sign": -1, "position": "0.00100", "open_order_count": 1}
TX = {"hash": "ab" * 40, "status": 2, "event_info": '{"m":1,"ae":"{\\"code\\":21739,\\"message\\":\\"no margin\\"}"}'}


def frames() -> list[bytes]:
    """Frames of the stream, of every type that is read."""
    account: dict[str, Any] = {"channel": f"account_all:{OWN}", "account": OWN}
    made: list[dict[str, Any]] = [
        book("subscribed", bids=[LEVEL], asks=[LEVEL | {"price": "64501.0"}]),
        book("update", nonce=11, begin_nonce=10, bids=[LEVEL | {"size": "0.00000"}], asks=None),
        {"type": "update/ticker", "channel": "ticker:1"},
        {"type": "update/market_stats", "channel": "market_stats:1", "market_stats": {"mark_price": "64500.19"}},
        account | {"type": "update/account_all", "positions": {"1": POSITION}, "trades": {"1": [trade_row()]}},
        account | {"type": "update/account_all", "positions": {}, "trades": {"1": [trade_row(bid_account_id=OWN)]}},
        account | {"type": "subscribed/account_all", "positions": {"1": POSITION | {"sign": 1}}, "trades": []},
        {"type": "update/account_all_orders", "channel": f"account_all_orders:{OWN}", "orders": {"1": [order_row()]}},
        {"type": "subscribed/account_all_orders", "channel": f"account_all_orders:{OWN}", "orders": {"1": None}},
        {"type": "update/account_tx", "channel": f"account_tx:{OWN}", "txs": [TX, TX | {"status": 0}]},
        {"type": "update/user_stats", "channel": f"user_stats:{OWN}", "stats": {"available_balance": "990.909640"}},
        {"type": "jsonapi/sendtx", "id": "1", "code": 200, "message": "ok", "tx_hash": "ab"},
        {"type": "jsonapi/sendtx", "data": {"id": "2", "code": 21104, "message": "invalid nonce"}},
        {"type": "error", "id": "3", "error": {"code": 30009, "message": "too many"}},
        {"error": {"code": 30003, "message": "Already Subscribed to : order_book:1"}},
        {"type": "connected", "session_id": "x"},
        {"type": "unsubscribed", "channel": "order_book:1"},
        {"type": "update/height", "channel": "height", "height": 5},
    ]
    return [*map(compact, made), *recordings("ws_frames", "frame")]


def bodies() -> list[bytes]:
    """REST bodies, each behind the digit of its endpoint (``targets.ENDPOINTS``) and its HTTP status."""
    made: list[tuple[int, dict[str, Any]]] = [
        (0, {"order_book_details": [market_row(), market_row("ETH", 0)]}),
        (1, {"accounts": [account_row(OWN, positions=[POSITION]), account_row(OTHER)]}),
        (2, {"api_keys": [{"api_key_index": KEY, "public_key": "ab" * 40}]}),
        (3, {"nonce": 7}),
        (4, {"orders": [order_row(), order_row(status="canceled-post-only")]}),
        (5, {"user_tier": "premium", "current_maker_fee_tick": 40, "current_taker_fee_tick": 280}),
        (6, TX),
    ]
    good = [b"%d200" % endpoint + compact({"code": 200} | body) for endpoint, body in made]
    bad = [b"6400" + compact({"code": 21500, "message": "transaction not found"}), b"3429{}", b"1500"]
    known = {"orderBookDetails": 0, "order_book_details": 0, "account_with": 1, "GetAccounts.": 1, "GetApiKeys": 2}
    known |= {"next_nonce": 3, "Orders": 4, "http_orders": 4, "accountLimits": 5, "GetAccountLimits": 5}
    recorded = [
        b"%d200" % endpoint + body
        for name, body in _recorded("rest_bodies", "frame", "body", "response")
        for part, endpoint in known.items()
        if part in name
    ]
    return good + bad + recorded


def answers() -> list[bytes]:
    """What ``sendTx`` answers, behind the HTTP status."""
    refused = {"code": 21104, "message": "invalid nonce 1900000000:51:4:" + "ab" * 20}
    return [
        b"200" + compact({"code": 200, "message": "ok", "tx_hash": "ab"}),
        b"400" + compact(refused),
        *(b"429Too Many", b"502<html>", b"408", b"200" + compact({"code": 29500}), b"400" + compact({"code": 200})),
        *(b"200" + compact({"code": "200", "message": None}), b"405{}", b"200[]", b"401" + compact({"code": 20013})),
    ]


def maker_states() -> list[bytes]:
    """States of A."""
    quiet = maker_state(announce=None, pause=None, fills=())
    busy = maker_state(
        mode=Mode.PAUSED,
        pause=pause(),
        announce=announce(),
        fills=(fills(1, filled=40), fills(2)),
        position=-100,
        acks=("id",),
        waiting=("paused",),
        ready=True,
        ended_asks=(2,),
        residual=-4,
        flatten=Flatten(id=2, round=3, net=-100),
    )
    return [encode(quiet), encode(busy)]


def hedger_states() -> list[bytes]:
    """States of B."""
    busy = hedger_state(
        armed=Armed(epoch=31, round=3, attempt=1, coid=1, lots=-100),
        confirm=Confirm(epoch=31, round=2, cum=-100, net=0),
        failed=failed(),
        pause_ask=pause(),
        fills=(fills(1, filled=40),),
        unresolved=1,
        tries=2,
        position=100,
        stood_down=StoodDown(id=2, round=3, cum=-100, maker_epoch=31, maker_seq=9),
        share=12,
        acks=("id",),
    )
    return [encode(hedger_state()), encode(busy)]


def commands() -> list[bytes]:
    """What a person asks."""
    return [
        encode(OperatorCommand(id="6f", verb="pause", reason="lunch")),
        encode(OperatorCommand(id="70", verb="resume", pause_id=3, hedge_now=True)),
        encode(OperatorCommand(id="71", verb="clear", account="a")),
    ]


def entry_ids() -> list[bytes]:
    """Ids of stream entries."""
    return [b"1767225600000-0", b"0", b"31-9", b"0-0"]


def amounts() -> list[bytes]:
    """Decimal texts, as people and the venue write them."""
    return [b"0.0002", b"64500.5", b"0", b"-1.50000", b"00012.3", b"121040.8", b"1"]


CREATE = {
    "AccountIndex": 101,
    "ApiKeyIndex": 4,
    "MarketIndex": 1,
    "ClientOrderIndex": 7,
    "BaseAmount": 100,
    "Price": 1_000_000,
    "IsAsk": 0,
    "Type": 0,
    "TimeInForce": 2,
    "ReduceOnly": 0,
    "TriggerPrice": 0,
    "OrderExpiry": 1_800_003_600_000,
    "ExpiredAt": 1_800_000_599_000,
    "Nonce": 777_777,
    "Sig": "x",
    "L2TxAttributes": {"4": 1, "6": 0, "7": 1},
}
HEAD = {key: CREATE[key] for key in ("AccountIndex", "ApiKeyIndex", "ExpiredAt", "Nonce", "Sig")}
TXS: list[tuple[int, dict[str, Any]]] = [
    (14, CREATE),
    (14, CREATE | {"TimeInForce": 0, "OrderExpiry": 0, "IsAsk": 1, "Price": 999_990, "AccountIndex": 102}),
    (15, HEAD | {"MarketIndex": 1, "Index": 7}),
    (16, HEAD | {"TimeInForce": 0, "Time": 0, "L2TxAttributes": {"5": 1}}),
    (16, HEAD | {"TimeInForce": 1, "Time": 1_800_000_900_000}),
    (17, HEAD | {"MarketIndex": 1, "Index": 7, "BaseAmount": 50, "Price": 999_000, "TriggerPrice": 0}),
    (20, HEAD | {"MarketIndex": 1, "InitialMarginFraction": 1000, "MarginMode": 0}),
]
"""Transactions for the paper exchange; 777777 is replaced with the key's next nonce."""
TOKEN = f"1800000600:101:4:{'ab' * 80}"


def socket_messages() -> list[bytes]:
    """What a client says to the paper exchange's socket."""
    channels = [
        "order_book/1",
        "ticker/1",
        "trade/1",
        "market_stats/1",
        "market_stats/all",
        "account_all/101",
        "height",
        "candle/1/1m",
        "user_stats/101",
    ]
    private = ["account_all_orders/101", "account_tx/101", "account_orders/1/101", "account_all_trades/101"]
    private += ["account_market/1/101", "notification/101", "account_all_assets/101", "account_all_positions/101"]
    made: list[Any] = [{"type": "ping"}, {"type": "pong"}, {"type": "unsubscribe", "channel": "order_book/1"}]
    made += [{"type": "subscribe", "channel": channel} for channel in channels]
    made += [{"type": "subscribe", "channel": channel, "auth": TOKEN} for channel in private]
    made += [{"type": "jsonapi/sendtx", "data": {"id": "1", "tx_type": kind, "tx_info": info}} for kind, info in TXS]
    made += [{"type": "jsonapi/sendtx", "data": {"id": "2", "tx_type": "14", "tx_info": json.dumps(CREATE)}}]
    batch = {"tx_types": [14, 16], "tx_infos": [CREATE, HEAD | {"TimeInForce": 0, "Time": 0, "Nonce": 777_778}]}
    made += [{"type": "jsonapi/sendtxbatch", "data": {"id": "3", **batch}}]
    return [compact(one) for one in made]


def requests() -> list[bytes]:
    """Requests to the paper exchange's REST API: ``name?query``, the token behind ``auth=``."""
    about = [f"account?by=index&value={one}" for one in (101, 7)]
    about += ["account?by=l1_address&value=0xw&active_only=true", "apikeys?account_index=101&api_key_index=255"]
    about += ["orderBookDetails?market_id=1", "orderBooks?market_id=255", "orderBookOrders?market_id=1&limit=5"]
    about += ["nextNonce?account_index=101&api_key_index=4", "recentTrades?market_id=1&limit=10", "tx?by=hash&value=ab"]
    about += ["tx?by=sequence_index&value=1", "accountTxs?by=account_index&value=101&limit=10&cursor=0"]
    about += [f"accountActiveOrders?account_index=101&market_id=1&auth={TOKEN}"]
    about += [f"accountInactiveOrders?account_index=101&market_id=255&limit=3&cursor=1&auth={TOKEN}"]
    about += [f"accountOrders?account_index=101&client_order_indexes=7,8&auth={TOKEN}"]
    about += [f"trades?account_index=101&market_id=1&limit=4&sort_dir=asc&auth=ro:101:all:1800000600:{'ab' * 32}"]
    about += [f"accountLimits?account_index=101&auth={TOKEN}", "accountsByL1Address?l1_address=0xw", "currentHeight?"]
    own, span = f"account_index=101&auth={TOKEN}", "start_timestamp=1799999000&end_timestamp=1800000600000&count_back=9"
    about += [f"candles?market_id=1&resolution=1m&{span}", f"markPriceCandles?market_id=1&resolution=1d&{span}"]
    about += [f"fundings?market_id=1&resolution=1h&{span}", "marketPriceCharts?market_ids=0,1", "funding-rates?"]
    about += [
        "exchangeStats?",
        "exchangeMetrics?period=d&kind=volume&filter=byMarket&value=BTC",
        "assetDetails?asset_id=3",
    ]
    about += [f"positionFunding?limit=9&side=long&market_ids=1&{own}", f"liquidations?limit=9&market_id=1&{own}"]
    about += [f"pnl?by=index&value=101&auth={TOKEN}&resolution=1m&{span}", "accountMetadata?by=l1_address&value=0xw"]
    about += ["block?by=height&value=7", f"block?by=commitment&value={7:064d}", "blocks?limit=3&index=7&sort=desc"]
    about += ["blockTxs?by=block_height&value=7", "txs?limit=9&index=1", "txFromL1TxHash?hash=ab"]
    about += [f"tokens?{own}", f"tokens/create?name=r&expiry=1800200000&sub_account_access=true&{own}"]
    about += [f"tokens/revoke?token_id=1&{own}", f"setMakerOnlyApiKeys?api_key_indexes=[4]&{own}"]
    about += [f"changeAccountTier?new_tier=premium&{own}", f"deposit/history?l1_address=0xw&filter=all&{own}"]
    about += [
        f'setAccountMetadata?master_account_index=101&target_account_index=102&api_key_index=4&metadata={{"color":"r"}}&{own}'
    ]
    about += [f"referral/stats?l1_address=0xw&auth={TOKEN}", f"rfq/list?limit=1&auth={TOKEN}"]
    sends = [f"sendTx?tx_type={kind}&tx_info={json.dumps(info)}" for kind, info in TXS]
    sends += [f"sendTxBatch?tx_types=[14]&tx_infos=[{json.dumps(CREATE)}]"]
    return [text.encode() for text in about + sends]


FAULTS: list[dict[str, Any]] = [
    {"kind": "reject", "account": "a", "code": 21739, "count": 1},
    {"kind": "lose_answer", "count": 2, "seconds": 1.5},
    {"kind": "history_lag", "seconds": 3, "for_seconds": 2, "market": "BTC"},
    {"kind": "key_revoked", "account": 101, "api_key_index": 4, "seconds": 0.1},
    {"kind": "disconnect", "close_code": 1008},
    {"kind": "late_frames", "delay_ms": 300, "channel": "order_book", "probability": 0.25, "count": 3},
    {"kind": "too_many_requests", "status": 405, "of": "both", "account": "b"},
    {"kind": "accept_then_cancel", "becomes": "canceled-post-only", "market": 1},
]


def faults() -> list[bytes]:
    """Faults armed by hand."""
    return [compact(one) for one in FAULTS]


def plans() -> list[bytes]:
    """Plans of faults."""
    rows = [{"at_seconds": at, **one} for at, one in enumerate(FAULTS)]
    entries = [b"  - " + compact(row) + b"\n" for row in rows]
    return [b"faults:\n" + text for text in (*entries, b"".join(entries))]


def tapes() -> list[bytes]:
    """Tapes of both forms."""
    snap = {"t": 10, "r": 20, "m": "BTC", "k": "snap", "b": [["9.9", "1"]], "a": [["10.1", "2"]], "n": 5, "pn": 4}
    diff = snap | {"t": 11, "k": "diff", "b": [["9.9", "0"], ["9.85", "0.5"]], "n": 6, "pn": 5}
    trade = {"t": 12, "r": 30, "m": "BTC", "k": "trade", "id": 7, "px": "10.1", "sz": "0.5", "side": "buy"}
    stats = {"t": None, "r": 31, "m": "BTC", "k": "stats", "s": {"mark_price": "10.0", "index_price": "9.8"}}
    first = {"r": 20, "frame": book("subscribed", bids=[LEVEL], asks=[LEVEL]) | {"timestamp": 10}}
    row = {"trade_id": 3, "price": "64500.1", "size": "0.5", "is_maker_ask": True, "timestamp": 12}
    then = {"r": 21, "frame": {"type": "update/trade", "channel": "trade:1", "trades": [row]}}
    plain = [b"\n".join(map(compact, rows)) for rows in ([snap, diff, trade, stats], [first, then])]
    return [*plain, gzip.compress(plain[0], mtime=0)]


def public_frames() -> list[bytes]:
    """What a mirrored venue tells."""
    stats = {"market_id": 1, "mark_price": "10.0", "index_price": "9.8"}
    frames = [
        public_feed.book(0, 1, ("9.9", "1.5"), ("9.8", "0.00001")),
        public_feed.book(2, 1_000_000, ("9.9", "0")),
        public_feed.trade(7, "9.9", "0.5"),
        {"channel": "market_stats:1", "market_stats": stats, "type": "update/market_stats"},
        {"type": "ping"},
        {"error": {"code": 30009, "message": "Too Many Messages!"}},
    ]
    return [compact(frame) for frame in frames]


def yaml() -> list[bytes]:
    """Settings, in the present and in the old layout."""
    example = (ROOT / "config/config.example.yaml").read_bytes()
    plain = b"\n".join(line for line in example.splitlines() if not line.lstrip().startswith(b"#"))
    pair = b"".join(
        b"  account_%c:\n    account_name: %c\n    account_index: %d\n    api_key_index: 4\n" % (65 + n + 32, 97 + n, n)
        for n in (0, 1)
    )
    old = (
        b"lighter:\n  base_url: http://127.0.0.1:1\n  maker_order_time_out: 20\nredis:\n  host: h\n  port: 1\n  db: 0\n"
    )
    old += b"strategy:\n  retry_times: 3\n  poll_interval: 1\naccounts:\n" + pair
    flow = b'{venue: {base_url: "http://127.0.0.1:1"}, accounts: {account_a: {account_name: a, account_index: 1, '
    flow += b"api_key_index: 4}, account_b: {account_name: b, account_index: 2, api_key_index: 4}}, strategy: "
    flow += b"{slippage_ladder: [1, 2], retry_times: 2}, desk: &x {quantity: 1e-3}, limits: {}}"
    again = b"accounts: &a\n" + pair + b"desk: *a\nstrategy: {slippage_ladder: &l [1, *l]}\nlimits: &m {n: *m}\n"
    laughs = b"".join(b"b%d: &b%d [%s]\n" % (n, n, b", ".join([b"*b%d" % (n - 1)] * 9)) for n in range(1, 9))
    return [
        plain,
        old,
        flow,
        again,
        b"log: &l {level: *l}",
        b"b0: &b0 [x]\n" + laughs,
        b'desk: {market: "\\x42\\u0054\\U00000043"}',
    ]


def environments() -> list[bytes]:
    """Environments, a variable a line."""
    return [
        b"LIGHTER_HEDGE_DESK__MARKET=ETH\nLIGHTER_HEDGE_REDIS__URL=redis://u:p@h:1/0",
        b"LIGHTER_HEDGE_STRATEGY__SLIPPAGE_LADDER=1, 2, 4\nLIGHTER_HEDGE_ACCOUNT_A_PRIVATE_KEY=" + b"ab" * 40,
        b"LIGHTER_HEDGE_VENUE__BASE_URL=http://127.0.0.1:9\nLIGHTER_HEDGE_LIMITS__UNHEDGED_SECONDS_MAX=1e3",
    ]


def credentials() -> list[bytes]:
    """Credentials files of a paper exchange."""
    accounts = [
        {"name": name, "account_index": index, "api_keys": [{"api_key_index": 4, "private_key": "ab" * 40}]}
        for name, index in (("a", 65), ("b", 66))
    ]
    urls = {"base_url": "http://127.0.0.1:8700", "ws_url": "ws://127.0.0.1:8700/stream", "chain_id": 304}
    return [compact(urls | {"accounts": accounts})]


def recordings(folder: str, *names: str) -> list[bytes]:
    """Recorded frames or bodies, where there are any."""
    return [body for _, body in _recorded(folder, *names)]


def _recorded(folder: str, *names: str) -> list[tuple[str, bytes]]:
    root = os.environ.get("LIGHTER_HEDGE_DATA", "")
    found = sorted(Path(root, folder).glob("*.json")) if root else []
    texts = [(path.name, json.loads(path.read_text(encoding="utf-8"))) for path in found]
    rows = [(name, compact(text[key])) for name, text in texts for key in names if key in text]
    return [(name, body) for name, body in rows if len(body) <= RECORDED_MAX]

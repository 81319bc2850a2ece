"""Captured frames beside ours: what is compared, and every difference with its reason.

Names of files tell who captured them and when: ``qubx`` mainnet in October 2025, ``nautilus`` mainnet in May and June
2026, ``cmc`` mainnet and testnet in July and August 2026, ``jkorf`` mainnet in 2026. Frames whose provenance is not
``live`` are examples out of documents: no behaviour is pinned to them.
"""

import json
import re
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from tests.recordings import DATA

Json = dict[str, Any]

NOT_COMPARED = {
    "jkorf_spotticker_0": "the paper exchange has no spot markets",
}
"""Live frames that ours cannot have, with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why frames of some files differ at some paths; ``*`` stands for anything."""

    files: str
    path: str
    """Where, and how: ``captured -> ours``, with ``-`` for a key that is left out."""
    why: str


def _added(files: str, where: str, why: str) -> Reason:
    return Reason(files=files, path=f"{where}: - -> *", why=why)


def _either(where: str, why: str) -> tuple[Reason, Reason]:
    return (
        Reason(files="*", path=f"{where}: - -> *", why=why),
        Reason(files="*", path=f"{where}: * -> -", why=why),
    )


_2025 = "not yet in October 2025"
REASONS = (
    # Left out where zero or false, in every year.
    *_either("*.?aker_fee", "a fee of zero is left out"),
    *_either("*.?aker_position_sign_changed", "false is left out"),
    *_either("*.???_account_pnl", "no profit is left out"),
    # The schema of October 2025.
    *(_added("qubx_*order_book_*", f".order_book.{key}", _2025) for key in ("nonce", "begin_nonce", "last_updated_at")),
    _added("qubx_*order_book_*", ".last_updated_at", _2025),
    Reason(
        files="qubx_update_trade_*",
        path=".liquidation_trades: null -> list",
        why="October 2025 says null where July 2026 says []",
    ),
    _added("qubx_*", "*trades*.*_str", _2025),
    _added("qubx_*", "*trades*.*_client_id", _2025),
    _added("qubx_*", "*trades*.transaction_time", _2025),
    _added("qubx_*orders*", "*orders.*.integrator_*", _2025),
    _added("qubx_*orders*", "*orders.*.order_flags", _2025),
    _added("qubx_*orders*", "*orders.*.transaction_time", _2025),
    _added("qubx_*account_all_*", ".assets", _2025),
    _added("qubx_subscribed_account_all", ".assets", _2025),
    _added("qubx_*", "*positions.*.margin_set_flag", _2025),
    Reason(
        files="qubx_*",
        path="*positions.*.liquidation_price: empty -> *",
        why='October 2025 says "" where July 2026 says "0"',
    ),
    _added("qubx_*account_tx*", ".txs[].api_key_index", _2025),
    _added("qubx_*account_tx*", ".txs[].transaction_time", _2025),
    _added("qubx_*account_tx*", ".txs[].info.L2TxAttributes", "the signer of SDK 1.1.8 writes it"),
    _added("qubx_*user_stats*", ".timestamp", _2025),
    _added("qubx_*user_stats*", ".stats.account_trading_mode", _2025),
    *(
        _added("qubx_*market_stats*", f"*.{key}", _2025)
        for key in ("symbol", "mid_price", "best_ask_price", "best_bid_price", "base_interest_rate", "timestamp")
    ),
    # Between June and July 2026.
    *(
        _added("nautilus_market_stats_subscribed_single", f".market_stats.{key}", "not yet in June 2026")
        for key in ("best_ask_price", "best_bid_price")
    ),
    # Where ours says less than the venue.
    Reason(
        files="nautilus_account_all_assets_with_position",
        path=".assets.*.margin_balance: decimal.9 -> decimal.6",
        why="the venue keeps fractions of a millionth of the margin, ours whole millionths",
    ),
)


def captured() -> dict[str, Json]:
    """Live frames by name of file."""
    found = {}
    for path in sorted((DATA / "ws_frames").glob("*.json")):
        content = json.loads(path.read_text())
        if content["source"]["provenance"].startswith("live"):
            found[path.stem] = content
    return found


def kind(frame: Json) -> str:
    """What sort of frame it is: frames of one kind have one shape."""
    if "error" in frame:
        return "error " + re.sub(r"\d+", "#", frame["error"]["message"])
    name = str(frame["type"])
    parts = [part for part in ("trades", "positions", "funding_histories") if frame.get(part)]
    if name == "update/account_all":
        return f"{name} of {parts}"
    if name.endswith("/market_stats"):
        return f"{name} {'all' if frame['channel'].endswith('all') else 'one'}"
    book = frame.get("order_book", {})
    empty = not book.get("asks", True) and not book.get("bids", True) and name.startswith("subscribed")
    no_best = frame.get("ticker", {}).get("a") == {"price": "", "size": ""}
    return f"{name} empty" if empty or no_best else name


MAPS = {"orders", "trades", "positions", "market_stats", "funding_histories", "assets"}
JSON_TEXTS = {"info", "event_info"}
TIMES = {"t", "queued_at", "executed_at", "expire_at", "order_expiry", "funding_timestamp", "transaction_time"}
TIMES |= {"timestamp", "created_at", "updated_at", "last_updated_at"}
OF_THE_MARKET = re.compile(r"(^|_)(price|size|amount|position|before)$")
"""Amounts that have as many decimals as the market says."""
QUOTE = re.compile(r"(quote|usd)_|position_value|pnl|margin$")


def shape(value: Any, key: str = "", *, of_map: bool = False) -> Any:
    """Keys, types and formats of a frame; of lists and maps those of the first entry."""
    match value:
        case list():
            return [shape(value[0], key)] if value else []
        case dict():
            if of_map and value and all(name.isdigit() for name in value):
                return {"*": shape(next(iter(value.values())))}
            return {name: shape(item, name, of_map=name in MAPS) for name, item in value.items()}
        case None:
            return "null"
        case bool():
            return "bool"
        case int() | float():
            return _time_unit(value) if key in TIMES else "number"
        case _:
            return shape(json.loads(value)) if key in JSON_TEXTS and value else _text_format(str(value), key)


def _time_unit(value: float) -> str:
    if value == 0:
        return "zero"
    return next(unit for unit, most in (("s", 1e11), ("ms", 1e14), ("us", 1e17)) if value < most)


def _text_format(text: str, key: str) -> str:
    if text == "":
        return "empty"
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        if OF_THE_MARKET.search(key) and not QUOTE.search(key):
            return "amount"
        return f"decimal.{len(text.partition('.')[2])}" if "." in text else "digits"
    return f"hex{len(text)}" if re.fullmatch(r"[0-9a-f]{40,}", text) else "text"


def differences(theirs: Any, ours: Any, path: str = "") -> list[str]:
    """Where the shapes differ, as ``path: captured -> ours``; an empty container is like any of its kind."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        if not theirs or not ours:
            return []
        found = []
        for key in sorted(theirs.keys() | ours.keys()):
            if key not in ours:
                found.append(f"{path}.{key}: {_brief(theirs[key])} -> -")
            elif key not in theirs:
                found.append(f"{path}.{key}: - -> {_brief(ours[key])}")
            else:
                found += differences(theirs[key], ours[key], f"{path}.{key}")
        return found
    if isinstance(theirs, list) and isinstance(ours, list):
        return differences(theirs[0], ours[0], f"{path}[]") if theirs and ours else []
    if theirs == ours or "zero" in (theirs, ours):
        return []
    return [f"{path}: {_brief(theirs)} -> {_brief(ours)}"]


def _brief(value: Any) -> str:
    return value if isinstance(value, str) else type(value).__name__


def unlike(theirs: Json, ours: list[Json]) -> list[str]:
    """Differences to the most alike of our frames of the same kind."""
    alike = [frame for frame in ours if kind(frame) == kind(theirs)]
    if not alike:
        return [f"no frame of the kind {kind(theirs)!r}"]
    return min((differences(shape(theirs), shape(frame)) for frame in alike), key=len)


def reason(name: str, difference: str) -> Reason | None:
    """The reason that the table has for a difference."""
    fitting = (one for one in REASONS if fnmatch(name, one.files) and _fits(difference, one.path))
    return next(fitting, None)


def _fits(difference: str, pattern: str) -> bool:
    return fnmatch(difference, pattern.replace("[]", "[[][]]"))

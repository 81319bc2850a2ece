"""The structs read what the venue really sent, where the recordings are at hand."""

import json
from pathlib import Path

import msgspec
import pytest
from tests.recordings import DATA

from lighter_hedge.venue.lighter import models, parse

OLD_BOOKS = "order_book"
"""Books of 2025 had no chain of nonces: they are not read any more."""


def recordings(folder: str) -> list[Path]:
    found = sorted((DATA / folder).glob("*.json"))
    if not found:
        pytest.skip(f"no recordings in {DATA / folder}: set LIGHTER_HEDGE_DATA")
    return found


def frame_in(path: Path) -> dict[str, object]:
    frame = json.loads(path.read_text())["frame"]
    assert isinstance(frame, dict)
    return frame


def is_of_2025(frame: dict[str, object]) -> bool:
    book = frame.get("order_book")
    return isinstance(book, dict) and "begin_nonce" not in book


def test_every_recorded_frame_is_read() -> None:
    """Known types decode, unknown ones are set aside, and nothing raises."""
    read = 0
    for path in recordings("ws_frames"):
        frame = frame_in(path)
        if is_of_2025(frame) or frame.get("channel") == "market_stats:all":
            continue
        decoded = parse.frame_of(json.dumps(frame))
        known = frame.get("type") in parse.KNOWN_TYPES
        assert isinstance(decoded, models.BareFrame) != known, path.name
        read += 1
    assert read > 40


def test_a_book_without_its_chain_is_refused() -> None:
    """A gap could not be seen in it."""
    frame = {"type": "update/order_book", "channel": "order_book:1", "order_book": {"asks": [], "bids": []}}
    with pytest.raises(msgspec.ValidationError):
        parse.frame_of(json.dumps(frame))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("nautilus_http_account", models.AccountList),
        ("ccxt_account_with_position", models.AccountList),
        ("jkorf_GetAccounts", models.AccountList),
        ("jkorf_GetApiKeys", models.ApiKeyList),
        ("nautilus_http_next_nonce", models.NextNonce),
        ("nautilus_http_order_book_details", models.MarketList),
        ("ccxt_orderBookDetails_eth", models.MarketList),
        ("nautilus_http_orders", models.OrderList),
        ("cmc_accountActiveOrders_one", models.OrderList),
        ("cmc_accountActiveOrders_empty", models.OrderList),
        ("cmc_accountLimits_standard", models.AccountLimits),
    ],
)
def test_recorded_bodies_are_read(name: str, kind: type[object]) -> None:
    """Numbers may come as strings over REST."""
    recordings("rest_bodies")
    body = json.dumps(frame_in(DATA / "rest_bodies" / f"{name}.json")).encode()
    assert msgspec.json.decode(body, type=models.Envelope, strict=False).code == models.CODE_OK
    assert isinstance(msgspec.json.decode(body, type=kind, strict=False), kind)

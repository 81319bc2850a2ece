"""The few public reads of the venue that commands need, answered from fixed data on a port of this machine."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

MARKET = {
    "symbol": "BTC",
    "market_id": 1,
    "status": "active",
    "size_decimals": 5,
    "price_decimals": 1,
    "min_base_amount": "0.00020",
    "min_quote_amount": "10.000000",
    "default_initial_margin_fraction": 200,
    "mark_price": "100000.0",
    "last_trade_price": 100001.5,
}


@dataclass(slots=True)
class FakeVenue:
    """What it answers; change it at any time."""

    base_url: str = ""
    lots: dict[int, int] = field(default_factory=lambda: {65: 0, 66: 0})
    """Account index to signed lots of BTC."""
    orders: dict[int, int] = field(default_factory=dict)
    markets: list[dict[str, Any]] = field(default_factory=lambda: [MARKET])
    status: int = 200

    def answer(self, path: str, query: dict[str, list[str]]) -> Any:
        if path == "/api/v1/orderBookDetails":
            return {"code": 200, "order_book_details": self.markets}
        index = int(query["value"][0])
        if index not in self.lots:
            return {"code": 200, "accounts": []}
        lots = self.lots[index]
        row = {
            "market_id": 1,
            "sign": -1 if lots < 0 else 1,
            "position": f"{abs(lots) / 10**5:.5f}",
            "avg_entry_price": "99999.9",
            "unrealized_pnl": "0.1",
            "open_order_count": self.orders.get(index, 0),
        }
        account = {"index": index, "available_balance": "10000.000000", "positions": [row] if lots else []}
        return {"code": 200, "accounts": [account]}


@contextmanager
def fake_venue() -> Iterator[FakeVenue]:
    """Serve until the context ends."""
    venue = FakeVenue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            body = json.dumps(venue.answer(url.path, parse_qs(url.query))).encode()
            self.send_response(venue.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    venue.base_url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield venue
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

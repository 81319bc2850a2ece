"""A small crowd at a paper exchange; ``make abuse`` has a thousand clients."""

import json
import os
from pathlib import Path
from typing import Any

from tests.abuse.crowd import crowd
from tests.integration.paper_client import Paper, run

CLIENTS = int(os.environ.get("ABUSE_CLIENTS", "60"))
SLOW = max(2, CLIENTS // 50)
ORDERS = max(40, CLIENTS // 2)


def test_readers_miss_nothing_slow_ones_are_dropped_and_a_flood_loses_no_order(tmp_path: Path) -> None:
    settings = {"tx_hash": "fast", "latency_scale": 0.0, "outbox_length_max": 1 << 20, "ping_seconds": 3_600.0}
    paper = Paper(tmp_path, **settings)
    found: dict[str, Any] = {}

    async def test() -> None:
        found.update(await crowd(paper, clients=CLIENTS, slow=SLOW, orders=ORDERS))

    try:
        run(test, seconds=30 + CLIENTS)
    finally:
        paper.kill()
    print(json.dumps(found))
    assert found["orders_accepted"] > ORDERS
    assert found["rss_mb_after"] - found["rss_mb_before"] < 60 + CLIENTS // 10

"""A paper exchange that mirrors another one, and a recording of it, in processes of their own."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.paper_client import Paper, filled, listening, order_state, run, token
from tests.integration.paper_process import MID
from typer.testing import CliRunner

from lighter_hedge.cli.main import app
from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.events import BookChange
from lighter_hedge.simulator.core.markets import BTC
from lighter_hedge.simulator.traffic import play_once
from lighter_hedge.simulator.traffic.ambient import AmbientBook


@pytest.fixture(scope="module")
def mirror(paper: Paper, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paper]:
    running = Paper(tmp_path_factory.mktemp("mirror"), traffic="live", live=paper.url)
    yield running
    running.kill()


def test_an_order_on_the_mirror_fills_after_what_traded_at_the_venue(paper: Paper, mirror: Paper) -> None:
    """Ours waits behind the venue's 1,000 lots; when those and 20 more were sold there, it fills here."""

    def at(price: int, size: str) -> Any:
        level = {"price": BTC.price_text(price), "size": size}
        return lambda frame: level in frame.get("order_book", {}).get("bids", [])

    async def test() -> None:
        async with (
            paper.clients(4) as (seller, buyer),
            mirror.clients(4) as (ours, _),
            listening(mirror) as ears,
        ):
            await ears.ask(type="subscribe", channel="order_book/1")
            await ears.until(at(MID - 10, "0.01000"))
            await ears.subscribed(f"account_all_orders/{ours.account_index}", token(ours))
            _, _, error = await ours.create_order(1, 31, 20, MID - 10, False, 0, 2)
            assert error is None
            await ears.until(order_state(31, "open"))
            for client, lots, price, ask, tif in (
                (seller, 1000, MID - 10, True, 0),
                (buyer, 20, MID - 10, False, 1),
                (seller, 20, MID - 10, True, 0),
            ):
                expiry = 0 if tif == 0 else -1
                _, _, error = await client.create_order(1, 0, lots, price, ask, 0, tif, order_expiry=expiry)
                assert error is None
            await ears.until(filled(31))

    run(test)


def test_record_writes_what_plays(mirror: Paper, tmp_path: Path) -> None:
    """The command ends by itself after its time and says what the tape holds."""
    out = tmp_path / "tape.jsonl.gz"
    arguments = ["record", "--url", mirror.url, "--market", "BTC", "--out", str(out), "--seconds", "1"]
    shown = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert shown.exit_code == 0, shown.stderr
    assert re.search(r"1 snapshots, \d+ changes, 0 trades", shown.stderr)
    played = AmbientBook()
    for _at_us, event in play_once(out, [BTC]):
        if isinstance(event, BookChange):
            played.apply(event)
    assert played.lots(Side.ASK, MID + 10) == 1000
    arguments[4] = "DOGE"
    shown = CliRunner().invoke(app, [*arguments[:6], str(tmp_path / "other.jsonl")], catch_exceptions=False)
    assert shown.exit_code == 1
    assert "no market 'DOGE'" in shown.stderr

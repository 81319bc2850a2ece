"""Frames of the paper exchange beside captured ones: the same keys, formats and order; differences have reasons."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from tests.integration.captured_frames import (
    NOT_COMPARED,
    REASONS,
    Json,
    captured,
    differences,
    kind,
    reason,
    shape,
    unlike,
)
from tests.integration.paper_client import Listener, Paper, filled, listening, order_state, run, token
from tests.integration.paper_process import MID
from tests.recordings import DATA

from lighter_hedge.simulator.core.markets import MARKETS
from lighter_hedge.simulator.core.pushes import FundingPaid
from lighter_hedge.simulator.edge.channels import updates

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no captured frames at {DATA}: set LIGHTER_HEDGE_DATA")

MESSAGES_MAX = 200
HOUR = FundingPaid(
    account_index=1, market_index=0, funding_id=3, rate=1200, change=-212, lots=100, at_us=1_783_947_600_000_000
)
"""No test waits for the next hour: this is what it will tell."""
PUBLIC = ("order_book/1", "ticker/1", "trade/1", "market_stats/1", "market_stats/all", "height", "candle/1/1m")
ETH = ("order_book/0", "ticker/0")
"""A market in which nothing has ever happened."""
PRIVATE = ("account_all_orders", "account_all_trades", "account_all_positions", "account_all_assets", "account_tx")
FREE = ("account_all", "user_stats")


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paper]:
    """A paper exchange that counts messages as the venue does."""
    limits = {"messages_per_minute_max": MESSAGES_MAX}
    running = Paper(tmp_path_factory.mktemp("strict"), stream_limits=limits)
    yield running
    running.kill()


async def subscribe_all(ears: Listener, index: int, auth: str) -> None:
    for channel in (*PUBLIC, *ETH):
        await ears.subscribed(channel)
    for name in PRIVATE:
        await ears.subscribed(f"{name}/{index}", auth)
    for name in FREE:
        await ears.subscribed(f"{name}/{index}")


async def has(ears: Listener, wanted: str) -> None:
    """Wait for a frame of a kind, unless it has come already."""
    if not any(kind(frame) == wanted for frame in ears.frames):
        await ears.until(lambda frame: kind(frame) == wanted)


async def all_kinds(paper: Paper) -> list[Json]:
    """Every kind of frame: orders, fills, and all that a socket can be answered."""
    async with paper.clients(4) as (a, b), listening(paper) as ears, listening(paper) as late:
        index, auth = a.account_index, token(a)
        await ears.of_type("connected")
        await subscribe_all(ears, index, auth)
        assert (await a.create_order(1, 9001, 20, MID - 5, False, 0, 2))[2] is None
        await late.subscribed(f"account_all_orders/{index}", auth)
        assert (await a.cancel_order(1, 9001))[2] is None
        await ears.until(order_state(9001, "canceled"))
        assert (await a.create_order(1, 9002, 20, MID, False, 0, 2))[2] is None
        assert (await b.create_market_order(1, 9003, 20, MID - 10, True))[2] is None
        await ears.until(filled(9002))
        for name in ("account_tx", "account_all_positions", "account_all_assets", "user_stats", "trade", "order_book"):
            await has(ears, f"update/{name}")
        await late.subscribed("trade/1")
        await late.subscribed(f"account_all/{index}")
        assert (await a.create_market_order(1, 9004, 20, MID - 20, True))[2] is None
        await ears.until(filled(9004))
        for name in ("candle", "height", "ticker", "market_stats one", "market_stats all"):
            await has(ears, f"update/{name}")
        await ears.ask(type="unsubscribe", channel="order_book/1")
        await ears.of_type("unsubscribed")
        for channel in ("account_all_orders/1", "order_book/0", "no_such/1", "ticker/99999"):
            await ears.ask(type="subscribe", channel=channel)
            await ears.until(lambda frame: "error" in frame)
        for _ in range(MESSAGES_MAX):
            await ears.ask(type="ping")
        await has(ears, "pong")
        await ears.until(lambda frame: frame.get("error", {}).get("code") == 30009)
        return [*ears.frames, *late.frames]


def test_every_captured_frame_is_like_ours_or_differs_for_a_reason(strict: Paper) -> None:
    ours: list[Json] = []

    async def test() -> None:
        ours.extend(await all_kinds(strict))

    run(test)
    ours += [frame for _, frame in updates(HOUR, MARKETS, 9)]
    compared = {name: content["frame"] for name, content in captured().items() if name not in NOT_COMPARED}
    found = {name: unlike(frame, ours) for name, frame in compared.items()}
    unexplained = {name: [one for one in several if reason(name, one) is None] for name, several in found.items()}
    assert {name: several for name, several in unexplained.items() if several} == {}
    used = {reason(name, one) for name, several in found.items() for one in several}
    assert [one for one in REASONS if one not in used and one.files != "*"] == []
    assert NOT_COMPARED.keys() <= captured().keys()


def recorded_session() -> list[str]:
    """Kinds of the frames of the one recorded session with fills, in the order of their arrival."""
    numbered = {}
    for content in captured().values():
        words = content["source"]["note"].split()
        if words[:1] == ["message_number"]:
            numbered[int(words[1])] = kind(content["frame"])
    return [numbered[number] for number in sorted(numbered)]


EITHER = ["update/user_stats", "update/account_all of ['positions']"]
"""Both orders of these two are recorded."""


def in_one_order(kinds: list[str]) -> list[str]:
    found: list[str] = []
    for one in kinds:
        swapped = one == EITHER[0] and found[-1:] == [EITHER[1]]
        found.insert(len(found) - swapped, one)
    return found


def test_frames_of_two_fills_come_in_the_recorded_order(paper: Paper) -> None:
    """As recorded: four subscriptions, a market order that opens, and one that closes."""
    ours: list[Json] = []

    async def test() -> None:
        async with paper.clients(5) as (_, b), listening(paper) as ears:
            index = b.account_index
            await ears.of_type("connected")
            ears.frames.clear()
            for name in ("account_tx", "account_all_orders", "user_stats", "account_all"):
                await ears.subscribed(f"{name}/{index}", token_of(b))
            for client_index, price, is_ask in ((9101, MID - 20, True), (9102, MID + 20, False)):
                assert (await b.create_market_order(1, client_index, 20, price, is_ask))[2] is None
                await ears.of_type("update/account_tx")
            ours.extend(ears.frames)

    run(test)
    recorded = in_one_order(recorded_session())
    assert len(recorded) == 14
    assert in_one_order([kind(frame) for frame in ours]) == recorded


def token_of(client: Any) -> str:
    made, error = client.create_auth_token_with_expiry(600, api_key_index=5)
    assert error is None
    return str(made)


def test_batches_chain_as_the_captured_ones_do() -> None:
    """Six consecutive batches: ``begin_nonce`` is the ``nonce`` before, ``offset`` is no chain."""
    frames = {name: content["frame"]["order_book"] for name, content in captured().items() if "order_book_crv" in name}
    chain = [frames[name] for name in sorted(frames)]
    assert len(chain) == 7
    assert all(later["begin_nonce"] == before["nonce"] for before, later in itertools.pairwise(chain))
    assert any(later["offset"] - before["offset"] > 1 for before, later in itertools.pairwise(chain))


@pytest.mark.parametrize(
    ("theirs", "ours", "told"),
    [
        ({"price": "1.0"}, {"price": "2.000"}, []),
        ({"price": "1.0"}, {"price": ""}, [".price: amount -> empty"]),
        ({"usd_amount": "1.000000"}, {"usd_amount": "1.0"}, [".usd_amount: decimal.6 -> decimal.1"]),
        ({"timestamp": 1_785_252_531}, {"timestamp": 1_785_252_531_000}, [".timestamp: s -> ms"]),
        ({"a": 1, "b": 1}, {"a": "x"}, [".a: number -> text", ".b: number -> -"]),
        ({"trades": {"1": [{"id": 1}]}}, {"trades": {"7": [{"id": "1"}]}}, [".trades.*[].id: number -> digits"]),
        ({"trades": {}}, {"trades": {"7": [{"id": 1}]}}, []),
        ({"trades": []}, {"trades": None}, [".trades: list -> null"]),
        ({"info": '{"a":1}'}, {"info": '{"b":1}'}, [".info.a: number -> -", ".info.b: - -> number"]),
    ],
)
def test_differences_of_keys_types_and_formats_are_seen(theirs: Json, ours: Json, told: list[str]) -> None:
    assert differences(shape(theirs), shape(ours)) == told

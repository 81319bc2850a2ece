from typing import Any, get_args

import pytest
from tests.unit.simulator.paper_world import BID, MID, A, make_world

from lighter_hedge.simulator.core.pushes import Push
from lighter_hedge.simulator.edge import channels
from lighter_hedge.simulator.edge.channels import CHANNELS, NoChannel


def every_topic() -> list[str]:
    """One channel of each kind, as a client names it."""
    examples = {"market": "1", "account": str(A), "resolution": "1m"}
    return ["/".join([one.name, *(examples[part] for part in one.parts)]) for one in CHANNELS]


def test_every_fact_is_told_on_some_channel() -> None:
    assert set(channels.BY_PUSH) == set(get_args(Push))


@pytest.mark.parametrize("asked", every_topic())
def test_each_channel_has_a_first_frame_that_names_it(asked: str) -> None:
    world = make_world()
    world.rest(A, BID, 20, MID - 5)
    topic = channels.find(world.exchange, asked)
    frame = channels.first(world.exchange, topic, world.now_us)
    assert frame["channel"] == topic.text == asked.replace("/", ":")
    assert frame["type"] == f"subscribed/{topic.kind.name}"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("", ""),
        ("nothing", ""),
        ("order_book", ""),
        ("order_book/1/2", ""),
        ("order_book/x", ""),
        ("order_book/-1", ""),
        ("order_book/all", ""),
        ("order_book/9", "(marketId)"),
        ("market_stats/9", "(marketId)"),
        (f"account_orders/9/{A}", "(marketId)"),
        ("account_orders/1", ""),
        ("candle/1", ""),
        ("candle/1/2m", ""),
        ("height/1", ""),
    ],
)
def test_what_is_no_channel_is_refused(asked: str, told: str) -> None:
    with pytest.raises(NoChannel) as caught:
        channels.find(make_world().exchange, asked)
    assert str(caught.value) == told


def test_one_channel_has_one_name() -> None:
    exchange = make_world().exchange
    found = {channels.find(exchange, asked).text for asked in ("ticker/1", "ticker:1", "ticker/01")}
    assert found == {"ticker:1"}
    assert channels.find(exchange, "market_stats/all").values == (None,)


def test_a_channel_knows_its_account() -> None:
    exchange = make_world().exchange
    found: dict[str, Any] = {asked: channels.find(exchange, asked).account_index for asked in every_topic()}
    about_accounts = {asked for asked, account in found.items() if account is not None}
    assert about_accounts == {asked for asked in found if asked.startswith(("account_", "user_", "notif"))}
    assert {found[asked] for asked in about_accounts} == {A}

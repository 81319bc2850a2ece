"""Endpoints of the paper exchange asked without a socket."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.simulator.paper_world import World

from lighter_hedge.simulator.edge.rest.query import ApiError, Query
from lighter_hedge.simulator.edge.settings import PaperSettings
from lighter_hedge.simulator.edge.venue import Venue


def venue_of(world: World, **settings: Any) -> Venue:
    return Venue(world.exchange, PaperSettings(traffic="none", **settings), clock=lambda: world.now_us)


def token(world: World, account: int, *, seconds: int = 600) -> str:
    return f"{world.now_us // 1_000_000 + seconds}:{account}:4:{'ab' * 80}"


def asked(auth: str = "", /, **values: Any) -> Query:
    return Query(values={name: str(value) for name, value in values.items()}, token=auth)


def code_of(ask: Callable[[], Any], *, status: int = 400) -> int:
    """The code that a request is refused with."""
    with pytest.raises(ApiError) as found:
        ask()
    assert found.value.status == status, found.value.body
    code: int = found.value.body["code"]
    return code

from collections.abc import Callable
from typing import Any

import pytest

from lighter_hedge.simulator.edge.rest.query import ApiError, Query, milliseconds


def query(**values: str) -> Query:
    return Query(values=values)


def test_a_parameter_has_its_value_or_its_default() -> None:
    asked = query(limit="7", by="index", only="TRUE", market_ids="1, 2", since="-1")
    assert (asked.text("by"), asked.text("none", "x")) == ("index", "x")
    assert (asked.integer("limit"), asked.integer("none", 255), asked.integer("since", -1)) == (7, 255, -1)
    assert (asked.choice("by", ("index",)), asked.choice("none", ("a",), "a")) == ("index", "a")
    assert (asked.flag("only"), asked.flag("none", default=False)) == (True, False)
    assert (asked.integers("market_ids"), asked.integers("none")) == ([1, 2], [])
    assert (asked.limit(7), asked.limit()) == (7, 7)


BAD: list[tuple[str, Callable[[Query], Any]]] = [
    ("by", lambda asked: asked.text("by")),
    ("by", lambda asked: asked.choice("by", ("index",))),
    ("kind", lambda asked: asked.choice("kind", ("a", "b"), "a")),
    ("kind", lambda asked: asked.integer("kind", 5)),
    ("account_index", lambda asked: asked.integer("account_index")),
    ("minus", lambda asked: asked.integer("minus", -1)),
    ("many", lambda asked: asked.integer("many", 1, most=8)),
    ("huge", lambda asked: asked.integer("huge")),
    ("kind", lambda asked: asked.flag("kind")),
    ("only", lambda asked: asked.flag("only")),
    ("list", lambda asked: asked.integers("list")),
    ("long", lambda asked: asked.integers("long", most=2)),
    ("limit", lambda asked: asked.limit()),
]


@pytest.mark.parametrize(("name", "read"), BAD)
def test_a_bad_or_missing_parameter_is_named(name: str, read: Callable[[Query], Any]) -> None:
    asked = query(kind="c", minus="-2", many="9", huge="9" * 20, list="1,x", long="1,2,3", limit="0")
    with pytest.raises(ApiError) as found:
        read(asked)
    assert (found.value.status, found.value.body) == (400, {"code": 20001, "message": f"invalid param : {name}"})


def test_a_span_may_be_in_seconds_or_in_milliseconds() -> None:
    assert query(start_timestamp="5", end_timestamp="1800000000000").span_ms() == (5_000, 1_800_000_000_000)
    assert query().span_ms(0, 9) == (0, 9_000)
    assert milliseconds(1_800_000_000) == 1_800_000_000_000
    for bad in (query(start_timestamp="5"), query(start_timestamp="6", end_timestamp="5")):
        with pytest.raises(ApiError, match="timestamp"):
            bad.span_ms()


def test_a_page_has_a_cursor_as_long_as_there_is_more() -> None:
    rows = list(range(5))
    assert query(limit="2").page("rows", rows) == {"code": 200, "rows": [0, 1], "next_cursor": "2"}
    assert query(limit="2", cursor="4").page("rows", rows) == {"code": 200, "rows": [4]}
    assert query(limit="5").page("rows", rows) == {"code": 200, "rows": rows}
    assert query().page("rows", rows, default=1)["rows"] == [0]
    for bad in (query(), query(limit="101"), query(limit="2", cursor="x")):
        with pytest.raises(ApiError, match="invalid param"):
            bad.page("rows", rows)

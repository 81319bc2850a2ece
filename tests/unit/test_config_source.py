"""Sources of settings: layers, line numbers and the nearest right key."""

from pathlib import Path

import pytest

from lighter_hedge.config_source import Item, Known, Problem, item_of, merged, nested, read_environment, read_yaml

KNOWN = Known(
    leaves=frozenset({"desk.market", "desk.depth", "top", "redis.url"}), sections=frozenset({"desk", "redis"})
)


def test_a_later_layer_wins_and_dots_become_sections() -> None:
    first = {"desk.market": Item(value="BTC", path="f", line=1), "top": Item(value="1", path="f", line=2)}
    second = {"desk.market": Item(value="ETH", path="--market")}
    assert nested(merged([first, second])) == {"desk": {"market": "ETH"}, "top": "1"}
    assert [item.origin for item in merged([first, second]).values()] == ["--market", "f:2"]


@pytest.mark.parametrize(
    ("key", "nearest"), [("desk.markt", "desk.market"), ("depth", "desk.depth"), ("dessk", "desk"), ("zzz", "")]
)
def test_the_nearest_key_is_named(key: str, nearest: str) -> None:
    assert KNOWN.nearest(key) == nearest


def test_the_item_of_an_error_is_the_value_or_its_neighbour() -> None:
    layer = {"desk.market": Item(value="BTC", path="f", line=3)}
    assert item_of(layer, ("desk", "market", 0)) is layer["desk.market"]
    assert item_of(layer, ("desk", "depth")) is layer["desk.market"]
    assert item_of(layer, ("other",)) is None


def test_an_empty_file_and_an_empty_section_hold_nothing(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    problems: list[Problem] = []
    for text in ("", "# only words\n", "desk:\n"):
        file.write_text(text)
        assert read_yaml(file, KNOWN, problems, []) == {}
    assert problems == []
    file.write_text("- a\n")
    read_yaml(file, KNOWN, problems, [])
    assert str(problems[0]) == "c.yaml:1  holds no keys: write 'key: value' lines"


def test_variables_without_a_section_are_left_alone() -> None:
    problems: list[Problem] = []
    layer = read_environment(
        {"LIGHTER_HEDGE_DATA": "x", "LIGHTER_HEDGE_DESK__DEPTH": "2", "HOME": "/"}, KNOWN, problems
    )
    assert {key: item.value for key, item in layer.items()} == {"desk.depth": "2"}
    assert problems == []

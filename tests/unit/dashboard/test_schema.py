import msgspec
import pytest

from lighter_hedge.dashboard.schema import Ask, Position, Update, json_schema


def test_an_update_holds_only_what_it_was_given() -> None:
    body = msgspec.json.decode(
        msgspec.json.encode(Update(server_ms=5, round=None, positions=(Position(at_ms=1, a=2, b=-2),)))
    )
    assert body == {"server_ms": 5, "round": None, "positions": [[1, 2, -2]]}


def test_a_command_with_an_unknown_field_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="reason"):
        msgspec.json.decode(b'{"verb": "pause", "reason": "x"}', type=Ask)


def test_the_schema_describes_every_body() -> None:
    schema = json_schema()
    assert {"Update", "Ask", "Asked", "Problem", "Badge", "Exposure", "Round"} <= schema["$defs"].keys()
    assert schema["$defs"]["Ask"]["additionalProperties"] is False

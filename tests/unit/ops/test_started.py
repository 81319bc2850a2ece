"""The flags of the last start are remembered, and a damaged memory is none."""

from pathlib import Path

from lighter_hedge.ops.started import Started, recall, remember


def test_flags_come_back(tmp_path: Path) -> None:
    given = Started(credentials=tmp_path / "c.json", overrides={"desk.market": "ETH", "desk.depth": None})
    remember(tmp_path / "run", given)
    assert recall(tmp_path / "run") == Started(credentials=tmp_path / "c.json", overrides={"desk.market": "ETH"})


def test_nothing_or_rubbish_is_no_memory(tmp_path: Path) -> None:
    assert recall(tmp_path) == Started()
    for text in ("[]", "{", '{"credentials": 5}'):
        (tmp_path / "started.json").write_text(text)
        assert recall(tmp_path) == Started()

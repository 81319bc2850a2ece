from pathlib import Path

from lighter_hedge.ops.alerts import Raised
from lighter_hedge.processes.told import ToldFile, told_in


def raised(number: int, at_ms: int = 7) -> Raised:
    return Raised(source="A", id=number, level="error", code="X", text="t", wall_ms=at_ms)


def test_what_was_told_is_known_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "run" / "notifier.sqlite"
    assert told_in(path) == set()
    file = ToldFile(path)
    file.note([raised(1), raised(2)], 50)
    file.note([raised(1)], 60)
    file.close()
    file = ToldFile(path)
    assert (file.knows(raised(1)), file.knows(raised(3)), file.knows(raised(1, at_ms=8))) == (True, False, False)
    assert [(alert.id, at_ms) for alert, at_ms in file.history()] == [(1, 50), (2, 50)]
    assert told_in(path) == {("A", 1, 7), ("A", 2, 7)}
    file.close()


def test_a_report_is_noted_once(tmp_path: Path) -> None:
    file = ToldFile(tmp_path / "notifier.sqlite")
    assert (file.reported("2026-01-01"), file.report("2026-01-01"), file.report("2026-01-01")) == (False, True, False)
    assert file.reported("2026-01-01")
    file.close()


def test_a_file_that_is_none_tells_nothing(tmp_path: Path) -> None:
    path = tmp_path / "notifier.sqlite"
    path.write_text("no database " * 500)
    assert told_in(path) == set()

from pathlib import Path

from tests.unit.cli.conftest import Invoke

from lighter_hedge.cli.logs import added, newest

ONE = "2026-01-01T00:00:01.000Z info    ONE first\n"
TWO = "2026-01-01T00:00:02.000Z error   TWO second\nTraceback:\n  of the second\n"
THREE = "2026-01-01T00:00:03.000Z info    THREE third\n"


def test_lines_are_in_the_order_of_their_times(folder: Path, invoke: Invoke) -> None:
    (folder / "logs").mkdir()
    (folder / "logs" / "main_A.log").write_text(ONE + THREE)
    (folder / "logs" / "main_B.log").write_text(TWO)
    done = invoke("logs")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["A", "B", "B", "B", "A"]
    assert invoke("logs", "-n", "1").stdout == f"A          {THREE}"
    assert invoke("logs", "b").stdout == TWO
    assert invoke("logs", "C").exit_code == 2


def test_without_a_log_the_folder_is_named(folder: Path, invoke: Invoke) -> None:
    done = invoke("logs")
    assert done.exit_code == 1
    assert str(folder / "logs") in done.stderr


def test_following_gives_whole_lines_and_starts_again_after_a_rotation(tmp_path: Path) -> None:
    path = tmp_path / "main_A.log"
    path.write_text(ONE)
    paths, ends = {"A": path, "B": tmp_path / "missing"}, {"A": len(ONE), "B": 0}
    assert list(added(paths, ends)) == []
    path.write_text(ONE + TWO + "2026-01-01T00:00:0")
    assert list(added(paths, ends)) == [f"A          {line}" for line in TWO.splitlines()]
    path.write_text(THREE)
    assert list(added(paths, ends)) == [f"A          {THREE.strip()}"]
    assert newest(paths, 5) == [f"A          {THREE.strip()}"]

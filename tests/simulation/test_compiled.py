"""The sources as mypyc gets them, and the list of what it does not get."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.simulation import compiled
from tests.simulation.compiled import prepared
from tests.simulation.play import play

FILL = """
@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    lots: int
    price: "Ticks" = ANY
    parts: list[int] = field(default_factory=list)
    own: Ledger = field(init=False)
    seen: Seen = field(init=False, default_factory=lambda: Seen(9))

    def __post_init__(self) -> None:
        self.own = BOOKS
"""


def test_init_of_a_dataclass_is_written_out() -> None:
    assert prepared(FILL, {}).endswith("""
    def __init__(self, *, lots: "int", price: "Ticks" = ANY, parts: "list[int] | None" = None) -> None:
        self.lots = lots
        self.price = price
        self.parts = list() if parts is None else parts
        self.seen = Seen(9)
        self.__post_init__()
""")


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ("", "(init=False)"),
        ("(slots=True)", "(init=False)"),
        ("(slots=True, kw_only=True, eq=False)", "(kw_only=True, eq=False, init=False)"),
        ("(frozen=True, slots=True, kw_only=True)", "(kw_only=True, init=False, unsafe_hash=True)"),
        ("(frozen=True, slots=True, eq=False)", "(eq=False, init=False)"),
    ],
)
def test_options_of_a_dataclass_keep_what_init_does_not_say(options: str, left: str) -> None:
    found = prepared(f"@dataclass{options}\nclass Fill:\n    lots: int\n", {})
    assert found.startswith(f"@dataclass{left}\nclass Fill:\n    lots: int\n")


def test_derived_dataclass_keeps_its_init_and_loses_its_slots() -> None:
    source = "@dataclass(frozen=True, slots=True)\nclass Fill(Trade):\n    lots: int\n"
    assert prepared(source, {}) == source.replace(", slots=True", "")


def test_field_that_may_be_nothing_has_no_factory() -> None:
    with pytest.raises(AssertionError, match="seen: nothing given"):
        prepared("@dataclass\nclass Fill:\n    seen: int | None = field(default_factory=first)\n", {})


def test_named_class_is_marked_once_above_its_decorators() -> None:
    source = "import re\n\n\n@dataclass(slots=True)\nclass State:\n    pass\n\n\nclass Statement:\n    pass\n"
    marked = prepared(source, {"State": compiled.PLAIN})
    assert marked.startswith("from mypy_extensions import mypyc_attr\nimport re\n")
    assert "@mypyc_attr(native_class=False)\n@dataclass()\nclass State:" in marked
    assert marked.count("native_class") == 1


def test_field_of_a_class_that_only_type_checkers_import_is_anything() -> None:
    head = "if TYPE_CHECKING:\n    from tests.facts import Facts\n"
    assert prepared(f'{head}facts: "Facts" = field()\n', {}) == f'{head}facts: "Any" = field()\n'


def test_every_named_file_and_class_is_there() -> None:
    names = {name for name, _ in compiled.sources()}
    assert set(compiled.INTERPRETED) <= names
    texts = {name: path.read_text() for name, path in compiled.sources() if compiled.compiles(name)}
    for name, marks in compiled.MARKS.items():
        for one in marks:
            assert f"\nclass {one}" in texts[name], one


def test_machines_and_exchange_are_compiled_and_tests_are_not() -> None:
    assert compiled.compiles("lighter_hedge/domain/maker.py")
    assert compiled.compiles("lighter_hedge/simulator/core/exchange.py")
    assert compiled.compiles("tests/simulation/faults/in_redis.py")
    assert not compiled.compiles("tests/simulation/test_play.py")
    assert not compiled.compiles("lighter_hedge/ops/status.py")


def test_build_without_a_compiler_says_what_it_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    monkeypatch.setattr(compiled, "digest", lambda: "of no build")
    with pytest.raises(
        SystemExit, match=r"wants a C compiler: there is no no-such-compiler; .* Without it: make simulate"
    ):
        compiled.build()


def test_prepared_sources_play_the_same_worlds(tmp_path: Path) -> None:
    """What mypyc compiles is not what stands in the repository: without mypyc it must do the same."""
    compiled.copy(tmp_path)
    command = [sys.executable, "-P", "-m", "tests.simulation", "many", "0:4", "--hash", "--short"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{seed} {play(seed).digest}" for seed in range(4)]

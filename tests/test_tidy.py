"""The shape of the repository: what a linter does not check. Each rule has a small test of its own below.

A rule takes a ``Source`` and yields what is wrong with it, one line each; the line says what to do instead.
"""

import ast
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "lighter_hedge"
SRC = ROOT / "src" / PACKAGE

# --- what may import what -------------------------------------------------------------------------------------------

WIRE = "venue.lighter.models"
"""The venue's words, shared by the adapter and whoever plays or shows the venue."""
SDK = "venue.lighter.sdk"
"""How the official SDK is imported."""
STATUS = "ops.status"
"""The one view of a desk, pure: commands and page must not see two."""
BELOW_OPS = {"domain", "messaging", "venue", "config"}
MAY_IMPORT: dict[str, set[str]] = {
    "domain": set(),
    "messaging": {"domain"},
    "venue": {"domain"},
    "config": {"domain"},
    "language": set(),
    "simulator": {"domain", WIRE, SDK},
    "dashboard": {"domain", "messaging", "language", "config", STATUS},
    "ops": {*BELOW_OPS, "language"},
    "processes": {*BELOW_OPS, "ops", "language", "dashboard"},
    "cli": {*BELOW_OPS, "ops", "language", "processes", "dashboard", "simulator"},
}
"""Each part may import itself and these. An exception is written here, with its reason, or not made."""

DOMAIN_IMPORTS = {"bisect", "collections", "collections.abc", "dataclasses", "enum", "typing"}
DOMAIN_EXTRA = {"domain/units.py": {"decimal"}}
"""Decimal only at the human border."""

IMPURE = {"aiohttp", "asyncio", "datetime", "logging", "os", "pathlib", "random", "secrets", "socket", "sqlite3"}
IMPURE |= {"subprocess", "sys", "tempfile", "threading", "time", "uuid", "websockets"}
IMPURE_EXTRA = {"simulator/core/faults/board.py": {"random"}}
"""Seeded, so that a seed repeats its world."""
PURE_FOLDERS = ("domain/", "simulator/core/", "simulator/signing/")
"""Everything here is pure; elsewhere a file is that says so."""

COVERED_ELSEWHERE: dict[str, str] = {
    "domain/monitor_words.py": "tests/unit/domain/test_monitor.py",
    "simulator/edge/answers.py": "tests/unit/simulator/edge/test_sending.py",
    "venue/errors.py": "tests/unit/venue/lighter/test_client.py",
    "venue/port.py": "tests/unit/venue/lighter/test_client.py",
}
"""Modules that only declare (words, protocols, errors), and the test file that exercises them."""

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
FILE_BYTES_MAX = 300_000

# Written in parts, so that this file does not break its own rules.
LATER = re.compile("|".join(["TO" + "DO", "FIX" + "ME"]))
REGISTRY = re.compile(
    "|".join(["py" + r"pi\.org", "python" + r"hosted\.org", "npm" + r"js\.(org|com)", "index" + r"-url[ =]+http"])
)
MACHINE = re.compile(
    r"(?<![\w.<{$~-])/(?:" + "|".join(["wo" + "rk", "ro" + "ot", r"home/\w+", "tmp/" + "wt"]) + ")/|" + "hand" + "-off"
)
KEY = re.compile(r"^(?:h:|hedge:)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One Python file of the package."""

    path: str
    """Below the package, for example ``domain/maker.py``."""
    text: str

    @property
    def tree(self) -> ast.Module:
        return _parsed(self.text)

    @property
    def part(self) -> str:
        """``domain``, ``messaging`` …; the files at the top are ``config`` or the package itself."""
        first = self.path.split("/")[0]
        if "/" in self.path:
            return first
        return next((part for part in ("config", "language") if first.startswith(part)), "")


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


def imported(source: Source) -> Iterator[tuple[int, str]]:
    """Line and full name of everything imported, also for type checking alone."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield node.lineno, module
            if module == PACKAGE or module.startswith(f"{PACKAGE}."):
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def own_imports(source: Source) -> Iterator[tuple[int, str]]:
    """Line and name below the package of every import of our own."""
    for line, name in imported(source):
        if name.startswith(f"{PACKAGE}."):
            yield line, name.removeprefix(f"{PACKAGE}.")


def strings(tree: ast.AST) -> Iterator[ast.Constant]:
    """String constants that are not docstrings: those stand alone as a statement."""
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node


# --- rules for one file ---------------------------------------------------------------------------------------------


def import_direction(source: Source) -> Iterator[str]:
    """domain <- messaging, venue <- ops <- processes <- cli."""
    if not source.part:
        return
    allowed = MAY_IMPORT[source.part] | {source.part}
    for line, name in own_imports(source):
        part = "config" if name.startswith("config") else name.split(".")[0]
        if part.startswith("__") or part in allowed:
            continue
        shared = any(name == a or name.startswith(f"{a}.") or a.startswith(f"{name}.") for a in allowed if "." in a)
        if not shared:
            yield f"line {line}: {source.part} must not import {name}; it may import {sorted(allowed)}"


def pure_imports(source: Source) -> Iterator[str]:
    """Time, ids, chance and I/O arrive from outside in files that decide."""
    said = re.search(r"\bPure\b", ast.get_docstring(source.tree) or "") is not None
    for line, module in imported(source):
        top = module.split(".")[0]
        if source.part == "domain":
            fine = module in DOMAIN_IMPORTS | DOMAIN_EXTRA.get(source.path, set()) or top == PACKAGE
            if not fine:
                yield f"line {line}: domain must not import {module}: let it arrive in an event"
        elif said or source.path.startswith(PURE_FOLDERS):
            from_edge = module.startswith(f"{PACKAGE}.simulator.edge") and not source.path.startswith("simulator/edge/")
            if from_edge or top in IMPURE - IMPURE_EXTRA.get(source.path, set()):
                yield f"line {line}: a pure file must not import {module}: let the caller pass it in"


def no_floats(source: Source) -> Iterator[str]:
    """Lots, ticks, milliseconds and hundredths of a basis point are integers."""
    if source.part != "domain":
        return
    for node in ast.walk(source.tree):
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        named = isinstance(node, ast.Name) and node.id == "float"
        divided = isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)
        if literal or named or divided:
            yield f"line {getattr(node, 'lineno', 0)}: no float in domain: use integers and //"


def sizes(source: Source) -> Iterator[str]:
    """A function fits a screen, a file fits a head."""
    lines = source.text.count("\n")
    if lines > FILE_LINES_MAX:
        yield f"{lines} lines: split it at {FILE_LINES_MAX}"
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            count = (node.end_lineno or node.lineno) - node.lineno + 1
            if count > FUNCTION_LINES_MAX:
                yield f"line {node.lineno}: {node.name} has {count} lines: split it at {FUNCTION_LINES_MAX}"


def narrow_except(source: Source) -> Iterator[str]:
    """A programmer error is never caught."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            broad = any(kind is None or (isinstance(kind, ast.Name) and kind.id in BROAD) for kind in kinds)
            if broad and source.path not in BROAD_IN:
                yield f"line {node.lineno}: broad except: name the errors that are expected"


BROAD = {"Exception", "BaseException"}
BROAD_IN = {"processes/driver.py"}
"""What runs beside a side for people's eyes may fail in any way: no hedge may suffer from it."""


def absolute_imports(source: Source) -> Iterator[str]:
    """One way to name a module."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield f"line {node.lineno}: relative import: write {PACKAGE}.…"


def keys_in_one_place(source: Source) -> Iterator[str]:
    """Every Redis key and channel is defined in messaging/keys.py alone."""
    if source.path == "messaging/keys.py":
        return
    for node in strings(source.tree):
        if KEY.match(str(node.value)):
            yield f"line {node.lineno}: {node.value!r} looks like a Redis key: take it from messaging/keys.py"


RULES: tuple[Callable[[Source], Iterator[str]], ...] = (
    import_direction,
    pure_imports,
    no_floats,
    sizes,
    narrow_except,
    absolute_imports,
    keys_in_one_place,
)

# --- rules for the whole ---------------------------------------------------------------------------------------------


def untested(modules: set[str], tests: set[str], elsewhere: dict[str, str]) -> Iterator[str]:
    """Every module has its test file, or stands in the list of those that another file covers."""
    for module in sorted(modules):
        folder, _, name = module.rpartition("/")
        own = f"tests/unit/{folder}/test_{name}".replace("//", "/")
        if module in elsewhere and own in tests and elsewhere[module] != own:
            yield f"{module}: has {own}; take it out of COVERED_ELSEWHERE"
        elif module not in elsewhere and own not in tests:
            yield f"{module}: write {own}"
    for module, test in elsewhere.items():
        if module not in modules:
            yield f"{module}: stands in COVERED_ELSEWHERE and does not exist"
        if test not in tests:
            yield f"{module}: COVERED_ELSEWHERE names {test}, which does not exist"


def unwanted_words(text: str) -> Iterator[str]:
    """Nothing is left for later, and no registry's host or path of one machine stands in the repository."""
    for number, line in enumerate(text.splitlines(), start=1):
        for pattern, remedy in (
            (LATER, "do it, or open an issue"),
            (REGISTRY, "registries are the user's own setting"),
            (MACHINE, "no path of one machine"),
        ):
            if pattern.search(line):
                yield f"line {number}: {line.strip()[:80]!r}: {remedy}"


# --- held against the repository -------------------------------------------------------------------------------------


@cache
def committed() -> tuple[Path, ...]:
    """Files that are committed or about to be; without a repository, all but what the verbs make."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        hidden = {".venv", ".git"}
        found = (path for path in ROOT.rglob("*") if path.is_file() and not hidden & set(path.parts))
        return tuple(path for path in found if "cache" not in str(path.relative_to(ROOT)))
    return tuple(path for name in done.stdout.split("\0") if name and (path := ROOT / name).is_file())


def sources() -> list[Source]:
    found = [path for path in committed() if path.suffix == ".py" and path.is_relative_to(SRC)]
    return [Source(path=path.relative_to(SRC).as_posix(), text=path.read_text(encoding="utf-8")) for path in found]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule: Callable[[Source], Iterator[str]]) -> None:
    found = [f"{source.path} {wrong}" for source in sources() for wrong in rule(source)]
    assert not found, "\n".join(found)


def test_every_module_has_its_tests() -> None:
    modules = {source.path for source in sources() if not source.path.endswith("__init__.py")}
    tests = {path.relative_to(ROOT).as_posix() for path in committed() if path.name.startswith("test_")}
    found = list(untested(modules, tests, COVERED_ELSEWHERE))
    assert not found, "\n".join(found)


def test_the_package_has_no_part_that_the_rules_do_not_know() -> None:
    assert {source.part for source in sources()} - {""} <= MAY_IMPORT.keys()
    assert all(any(source.path.startswith(folder) for source in sources()) for folder in PURE_FOLDERS)


def test_committed_text_says_nothing_unwanted() -> None:
    found = []
    for path in committed():
        data = path.read_bytes()
        if b"\0" not in data[:4096] and path.suffix != ".gz":
            name = path.relative_to(ROOT)
            found += [f"{name} {wrong}" for wrong in unwanted_words(data.decode("utf-8", errors="replace"))]
    assert not found, "\n".join(found)


def test_no_committed_file_is_large() -> None:
    sized = [(path.relative_to(ROOT), path.stat().st_size) for path in committed()]
    assert not [(str(path), size) for path, size in sized if size > FILE_BYTES_MAX]


# --- each rule finds what it is for ----------------------------------------------------------------------------------

LONG = "def f() -> None:\n" + "    pass\n" * FUNCTION_LINES_MAX
BREAKS: list[tuple[Callable[[Source], Iterator[str]], str, str]] = [
    (import_direction, "domain/x.py", "from lighter_hedge.messaging.port import Messaging"),
    (import_direction, "messaging/x.py", "from lighter_hedge.venue.port import Venue"),
    (import_direction, "ops/x.py", "import lighter_hedge.processes.side"),
    (import_direction, "ops/x.py", "from lighter_hedge import cli"),
    (import_direction, "simulator/x.py", "from lighter_hedge.processes.driver import Driver"),
    (import_direction, "simulator/x.py", "from lighter_hedge.venue.lighter.client import connect"),
    (import_direction, "config.py", "from lighter_hedge.ops.logs import say"),
    (pure_imports, "domain/x.py", "import time"),
    (pure_imports, "domain/x.py", "from decimal import Decimal"),
    (pure_imports, "domain/x.py", "import msgspec"),
    (pure_imports, "simulator/core/x.py", "import random"),
    (pure_imports, "simulator/core/x.py", "from lighter_hedge.simulator.edge.server import serve"),
    (pure_imports, "ops/x.py", '"""Figures. Pure."""\nimport asyncio'),
    (no_floats, "domain/x.py", "RATE = 0.5"),
    (no_floats, "domain/x.py", "def f(x: float) -> None: ..."),
    (no_floats, "domain/x.py", "half = lots / 2"),
    (sizes, "ops/x.py", LONG),
    (sizes, "ops/x.py", "pass\n" * (FILE_LINES_MAX + 1)),
    (narrow_except, "ops/x.py", "try:\n    f()\nexcept Exception:\n    pass"),
    (narrow_except, "ops/x.py", "try:\n    f()\nexcept:\n    pass"),
    (narrow_except, "ops/x.py", "try:\n    f()\nexcept (ValueError, BaseException):\n    pass"),
    (narrow_except, "ops/x.py", "try:\n    f()\nexcept* Exception:\n    pass"),
    (absolute_imports, "ops/x.py", "from . import pids"),
    (keys_in_one_place, "ops/x.py", 'key = f"h:{desk}:maker"'),
    (keys_in_one_place, "cli/x.py", 'channel = "hedge:account_a_filled"'),
]
KEEPS: list[tuple[Callable[[Source], Iterator[str]], str, str]] = [
    (import_direction, "simulator/x.py", "from lighter_hedge.venue.lighter import models"),
    (import_direction, "simulator/x.py", "from lighter_hedge.venue.lighter.models import Frame"),
    (import_direction, "cli/x.py", "from lighter_hedge.processes.side import run_side"),
    (import_direction, "ops/x.py", "from lighter_hedge.config import load\nfrom lighter_hedge import __version__"),
    (pure_imports, "domain/units.py", "from decimal import Decimal"),
    (pure_imports, "simulator/core/faults/board.py", "import random"),
    (pure_imports, "simulator/edge/server.py", "import asyncio"),
    (pure_imports, "ops/x.py", '"""A purely local matter."""\nimport asyncio'),
    (no_floats, "domain/x.py", "half = lots // 2"),
    (no_floats, "ops/x.py", "SECONDS = 0.5"),
    (sizes, "ops/x.py", LONG.removesuffix("    pass\n")),
    (narrow_except, "ops/x.py", "try:\n    f()\nexcept ValueError:\n    pass"),
    (keys_in_one_place, "messaging/keys.py", 'A_FILLED = "hedge:account_a_filled"'),
    (keys_in_one_place, "ops/x.py", '"""hedge:account_a_filled"""\nword = "hedged"'),
]


@pytest.mark.parametrize(("rule", "path", "text"), BREAKS)
def test_a_rule_finds_what_breaks_it(rule: Callable[[Source], Iterator[str]], path: str, text: str) -> None:
    assert list(rule(Source(path=path, text=text)))


@pytest.mark.parametrize(("rule", "path", "text"), KEEPS)
def test_a_rule_lets_the_rest_be(rule: Callable[[Source], Iterator[str]], path: str, text: str) -> None:
    assert not list(rule(Source(path=path, text=text)))


def test_a_module_without_tests_is_found() -> None:
    assert list(untested({"ops/a.py"}, set(), {})) == ["ops/a.py: write tests/unit/ops/test_a.py"]
    assert list(untested({"config.py"}, {"tests/unit/test_config.py"}, {})) == []
    assert list(untested({"ops/a.py"}, {"tests/e2e/test_up.py"}, {"ops/a.py": "tests/e2e/test_up.py"})) == []


def test_a_stale_exception_is_found() -> None:
    elsewhere = {"ops/a.py": "tests/e2e/test_up.py"}
    tests = {"tests/e2e/test_up.py", "tests/unit/ops/test_a.py"}
    assert list(untested({"ops/a.py"}, tests, elsewhere))
    assert list(untested(set(), tests, elsewhere))
    assert list(untested({"ops/a.py"}, set(), elsewhere))


@pytest.mark.parametrize(
    "line",
    [
        "# TO" + "DO later",
        "# FIX" + "ME",
        "https://py" + "pi.org/simple",
        "--index" + "-url http://x",
        "see /wo" + "rk/x",
        "/ro" + "ot/.cache",
    ],
)
def test_an_unwanted_word_is_found(line: str) -> None:
    assert list(unwanted_words(line))


@pytest.mark.parametrize("line", ["a framework/x", "./work/x", "redis://127.0.0.1:6379/0", "the root of it", "todo"])
def test_other_words_are_let_be(line: str) -> None:
    assert not list(unwanted_words(line))

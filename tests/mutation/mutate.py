"""Mutation testing of ``domain/``: change one thing, run the unit tests that reach it, see one fail.

All tests are collected once, in one process. Each mutant is a fork of it: the changed function's code is put in place
and the tests that call that function run, those of the module's own file first, until one fails. What stands outside of
functions (constants, defaults) needs a fresh import and costs a run of the module's own test files. mutmut 3 was tried:
it leaves properties and constants out, which hold some of the rules here.

``survivors.txt`` lists the mutants that no test can tell from the original, each with the reason. A survivor that is
not listed fails the run; so does a listed one that is killed or gone.
"""

import argparse
import ast
import os
import resource
import signal
import sys
import time
import types
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_loader
from pathlib import Path

import hypothesis
import pytest
from _pytest.runner import runtestprotocol
from tests.mutation.mutations import Mutation, mutations

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "lighter_hedge.domain"
SOURCES = ROOT / "src/lighter_hedge/domain"
TESTS = ROOT / "tests/unit/domain"
SURVIVORS = Path(__file__).with_name("survivors.txt")
OPTIONS = ("-qq", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning")
SECONDS_MAX = 30
"""A mutant that computes longer than this hangs: killed. Of its own time, so that a busy machine kills none."""
MEMORY_MAX = 3 * 1024**3
DECLARING = ("commands", "events", "lane_words", "memory", "settings", "states")
"""Modules that only declare have their few functions mutated, and none of their words and defaults."""


@dataclass(slots=True)
class Tally:
    """What became of the mutants of one module."""

    module: str
    killed: int = 0
    survived: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def total(self) -> int:
        """All mutants."""
        return self.killed + len(self.survived)


class Runner:
    """A pytest plugin that runs mutants in place of the tests."""

    def __init__(self, modules: Sequence[str]) -> None:
        self.modules = modules
        self.tallies: list[Tally] = []
        self.sound = True
        self._calls: dict[str, dict[types.CodeType, None]] = {}
        self._seconds: dict[str, float] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Every test once, unchanged, to learn what it calls; then the mutants."""
        if session.testsfailed:
            self.sound = False
            return True
        session.config.option.tbstyle = "no"
        for item in session.items:
            started = time.perf_counter()
            if not self._learn(item):
                print(f"fails without any change: {item.nodeid}", file=sys.stderr)
                self.sound = False
            self._seconds[item.nodeid] = time.perf_counter() - started
        if self.sound:
            for module in self.modules:
                self.tallies.append(self._module(module, session.items))
        return True

    def _learn(self, item: pytest.Item) -> bool:
        called = self._calls.setdefault(item.nodeid, {})
        folder = str(SOURCES)

        def note(frame: types.FrameType, event: str, arg: object) -> None:
            if event == "call" and frame.f_code.co_filename.startswith(folder):
                called[frame.f_code] = None

        sys.setprofile(note)
        try:
            return _passes(item)
        finally:
            sys.setprofile(None)

    def _module(self, module: str, items: Sequence[pytest.Item]) -> Tally:
        tally, started = Tally(module), time.perf_counter()
        path = SOURCES / f"{module}.py"
        assert not killed(partial(_imported, module, ast.parse(_text(path)))), f"{module} fails without any change"
        for mutation in mutations(_text(path)):
            if mutation.where and (target := _function(module, mutation.where)) is not None:
                code = _code_of(mutation, path)
                if code == target.__code__:
                    continue
                chosen = self._reaching(target.__code__, module, items)
                dead = killed(partial(_patched, target, code, chosen))
            elif module in DECLARING:
                continue
            else:
                dead = killed(partial(_imported, module, mutation.tree()))
            if dead:
                tally.killed += 1
            else:
                tally.survived.append(mutation.name)
                print(f"  {module}.py:{mutation.line} {mutation.name}", file=sys.stderr, flush=True)
        tally.seconds = time.perf_counter() - started
        return tally

    def _reaching(self, code: types.CodeType, module: str, items: Iterable[pytest.Item]) -> list[pytest.Item]:
        """The tests that call the function: those of its module's own files first, the quick ones first."""
        found = [item for item in items if code in self._calls[item.nodeid]]
        return sorted(found, key=lambda item: (f"test_{module}" not in item.nodeid, self._seconds[item.nodeid]))


def _passes(item: pytest.Item) -> bool:
    reports = runtestprotocol(item, nextitem=None, log=False)
    return all(report.passed or report.skipped for report in reports)


def _function(module: str, where: str) -> types.FunctionType | None:
    """The function of that name; a property's getter, a static method's function. None for what is no function."""
    found: object = sys.modules.get(f"{PACKAGE}.{module}")
    for name in where.split("."):
        found = getattr(found, "__dict__", {}).get(name)
    if isinstance(found, property):
        found = found.fget
    if isinstance(found, staticmethod | classmethod):
        found = found.__func__
    return found if isinstance(found, types.FunctionType) else None


def _code_of(mutation: Mutation, path: Path) -> types.CodeType:
    code = compile(mutation.tree(), str(path), "exec", dont_inherit=True)
    for name in mutation.where.split("."):
        code = next(const for const in code.co_consts if isinstance(const, types.CodeType) and const.co_name == name)
    return code


def killed(run: Callable[[], bool]) -> bool:
    """Run in a fork: whether it fails, hangs or dies."""
    child = os.fork()
    if child == 0:
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        signal.alarm(20 * SECONDS_MAX)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_MAX, SECONDS_MAX))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
        try:
            well = run()
        except BaseException:  # whatever the mutant raises, in a fork that ends here
            well = False
        os._exit(0 if well else 1)
    _, status = os.waitpid(child, 0)
    return status != 0


def _patched(target: types.FunctionType, code: types.CodeType, chosen: Sequence[pytest.Item]) -> bool:
    target.__code__ = code
    return all(_passes(item) for item in chosen)


class _Changed(SourceFileLoader):
    """Imports the changed file in place of the one on the disk: a finder and its loader in one."""

    def __init__(self, module: str, tree: ast.Module) -> None:
        super().__init__(f"{PACKAGE}.{module}", str(SOURCES / f"{module}.py"))
        self._tree = tree

    def find_spec(self, name: str, path: object, target: object = None) -> ModuleSpec | None:
        return spec_from_loader(name, self) if name == self.name else None

    def get_code(self, fullname: str) -> types.CodeType:
        return compile(self._tree, self.path, "exec", dont_inherit=True)


def _imported(module: str, tree: ast.Module) -> bool:
    for name in [one for one in sys.modules if one.startswith(("lighter_hedge", "tests.unit", "tests.fakes"))]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Changed(module, tree))
    return pytest.main([*OPTIONS, "-x", *_files_of(module)]) == 0


def _files_of(module: str) -> list[str]:
    own = sorted(TESTS.glob(f"test_{module}*.py"))
    rest = [path for path in sorted(TESTS.glob("test_*.py")) if path not in own and f".{module} import" in _text(path)]
    return [str(path) for path in own + rest] or [str(TESTS)]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def listed() -> dict[str, str]:
    """The known survivors, ``module.py name``, with their reasons."""
    found: dict[str, str] = {}
    name = ""
    for line in _text(SURVIVORS).splitlines() if SURVIVORS.exists() else []:
        if line.startswith("    "):
            found[name] = line.strip()
        elif line and not line.startswith("#"):
            name = line
            found[name] = ""
    return found


def judged(tallies: Sequence[Tally], known: dict[str, str]) -> list[str]:
    """What is wrong with a run: survivors without a reason, reasons without a survivor."""
    survived = {f"{tally.module}.py {name}" for tally in tallies for name in tally.survived}
    ran = {f"{tally.module}.py" for tally in tallies}
    return [
        *(f"survived: {name}" for name in sorted(survived - known.keys())),
        *(f"no reason given: {name}" for name, reason in known.items() if not reason),
        *(f"killed or gone, take it off the list: {n}" for n in known if n.split()[0] in ran and n not in survived),
    ]


def run(modules: Sequence[str]) -> int:
    """Mutate the modules; 0 if every survivor is listed."""
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]  # a failure that is meant need not be made small
    hypothesis.settings.register_profile("mutate", derandomize=True, database=None, deadline=None, phases=phases)
    hypothesis.settings.load_profile("mutate")
    runner = Runner(modules)
    pytest.main([*OPTIONS, str(TESTS)], plugins=[runner])
    if not runner.sound or len(runner.tallies) < len(modules):
        return 2
    for tally in runner.tallies:
        share = 100 * tally.killed / tally.total if tally.total else 100.0
        count = f"{tally.killed:5} of {tally.total:5} killed {share:6.1f} % {tally.seconds:6.1f} s"
        print(f"{tally.module + '.py':16} {count}")
    killed, total = sum(t.killed for t in runner.tallies), sum(t.total for t in runner.tallies)
    print(f"{'together':16} {killed:5} of {total:5} killed {100 * killed / max(total, 1):6.1f} %")
    wrong = judged(runner.tallies, listed())
    print("\n".join(wrong) if wrong else "every survivor is listed with its reason")
    return 1 if wrong else 0


def main() -> int:
    """``python -m tests.mutation.mutate [MODULE …]``: all of ``domain/`` without a name."""
    parser = argparse.ArgumentParser(prog="make mutate", description=run.__doc__)
    parser.add_argument("modules", nargs="*", help="for example ledger pair; all without")
    every = sorted(path.stem for path in SOURCES.glob("*.py") if path.stem != "__init__")
    asked = parser.parse_args().modules or every
    unknown = sorted(set(asked) - set(every))
    if unknown:
        parser.error(f"no such module: {', '.join(unknown)}")
    return run(asked)


if __name__ == "__main__":
    sys.exit(main())

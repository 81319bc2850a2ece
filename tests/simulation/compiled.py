"""The simulation as machine code, for long runs: the same sources, compiled by mypyc, give the same traces.

python -m tests.simulation.compiled many 0:5000         builds what has changed, then plays as tests.simulation does
make simulate COMPILED=1 SEEDS=0:100000                 the same

Wants a C compiler and the headers of this Python. Nothing else in the repository needs the build.

Three things of mypyc to know. It checks at run time what annotations say, and raises ``TypeError`` where one lies. It
makes lists of generators given to ``any``, ``tuple`` and the like. And msgspec writes a compiled dataclass as ``{}``:
what goes over a wire as such must stay interpreted.
"""

import ast
import hashlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, redirect_stdout
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BUILDS = ROOT / "build" / "compiled"
"""Not under version control; ``make clean`` removes it."""
TREES = {"lighter_hedge": "src/lighter_hedge", "tests": "tests"}
"""Folders of a build, and what each is a copy of."""

COMPILED = (
    "lighter_hedge/domain/*.py",
    "lighter_hedge/messaging/*.py",
    "lighter_hedge/processes/driver.py",
    "lighter_hedge/simulator/core/*.py",
    "lighter_hedge/simulator/core/faults/*.py",
    "lighter_hedge/simulator/edge/*.py",
    "lighter_hedge/simulator/edge/faults/*.py",
    "lighter_hedge/venue/*.py",
    "lighter_hedge/venue/lighter/*.py",
    "tests/simulation/*.py",
    "tests/simulation/faults/*.py",
)
INTERPRETED = {
    "lighter_hedge/domain/states.py": "msgspec reads its annotations, and mypyc keeps no unions there",
    "lighter_hedge/messaging/memory_stream.py": "mypyc has no asynchronous generators",
    "lighter_hedge/messaging/messages.py": "msgspec makes its structs from plain classes",
    "lighter_hedge/messaging/port.py": "errors: of two handlers under one name mypyc takes the type of the first",
    "lighter_hedge/messaging/redis_stream.py": "not in the simulation",
    "lighter_hedge/messaging/telemetry.py": "not in the simulation",
    "lighter_hedge/simulator/edge/server.py": "not in the simulation",
    "lighter_hedge/simulator/edge/store.py": "not in the simulation",
    "lighter_hedge/venue/errors.py": "errors, likewise",
    "lighter_hedge/venue/lighter/client.py": "not in the simulation",
    "lighter_hedge/venue/lighter/inflight.py": "not in the simulation",
    "lighter_hedge/venue/lighter/models.py": "msgspec makes its structs from plain classes",
    "lighter_hedge/venue/lighter/pace.py": "not in the simulation",
    "lighter_hedge/venue/lighter/public.py": "not in the simulation",
    "lighter_hedge/venue/lighter/rest.py": "not in the simulation",
    "lighter_hedge/venue/lighter/signer.py": "not in the simulation",
    "lighter_hedge/venue/lighter/websocket.py": "not in the simulation",
    "tests/simulation/compiled.py": "not in the simulation",
    "tests/simulation/pythons.py": "not in the simulation",
    "tests/simulation/recorded.py": "not in the simulation",
    "tests/simulation/sim_messaging.py": "mypyc has no asynchronous generators",
}
"""What is left as it is, and why; beside it tests and ``__main__``."""
PLAIN, COPIED = "native_class=False", "serializable=True"
MARKS = {
    "lighter_hedge/domain/gate.py": {"Peer": PLAIN},  # derives from Heard
    "lighter_hedge/domain/peer.py": {"Heard": PLAIN, "Telling": PLAIN},  # generic dataclasses
    "lighter_hedge/simulator/core/orders.py": {"Order": COPIED, "TxRecord": COPIED},
    "tests/simulation/memory_journal.py": {"MemoryJournal": COPIED},
    "tests/simulation/play.py": {"Report": PLAIN, "Converged": PLAIN},  # pickled: sent from a worker to the table
    "tests/simulation/truth.py": {"Violation": PLAIN},  # derives from AssertionError
}
"""By file, classes that stay plain Python classes, and those that ``copy.copy`` is used on."""

FLAGS = ("-O1", "-g0", "-fPIC", "-fwrapv", "-w", "-DNDEBUG")


def sources() -> Iterator[tuple[str, Path]]:
    """Every Python file that a build copies: its path in the build, and where it stands."""
    for folder, tree in TREES.items():
        for path in sorted((ROOT / tree).rglob("*.py")):
            yield f"{folder}/{path.relative_to(ROOT / tree)}", path


def compiles(name: str) -> bool:
    """Whether a file of a build is compiled."""
    path = Path(name)
    if path.name.startswith(("__main__", "test_")) or name in INTERPRETED:
        return False
    return name in COMPILED or f"{path.parent}/*.py" in COMPILED


def prepared(text: str, marks: Mapping[str, str]) -> str:
    """A source as mypyc can take it, and make the best of it.

    Dataclasses have slots anyway, and get their ``__init__`` written out; some classes must be marked; and mypyc wants
    the class of a field to be there, which one that only type checkers import is not.
    """
    lines = text.split("\n")
    for one in reversed([node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]):
        _prepare(one, lines, marks.get(one.name))
    text = "\n".join(lines)
    for name in re.findall(r"(?m)^if TYPE_CHECKING:\n    from \S+ import (\w+)$", text):
        text = text.replace(f': "{name}"', ': "Any"')
    return re.sub(r"(?m)^(?=from|import)", "from mypy_extensions import mypyc_attr\n", text, count=1) if marks else text


def _prepare(one: ast.ClassDef, lines: list[str], mark: str | None) -> None:
    """Change the lines of one class."""
    for decorator in one.decorator_list:
        options = _options(decorator)
        if options is None:
            continue
        options.pop("slots", None)
        if mark is None and not one.bases:
            lines[one.end_lineno or 0 : one.end_lineno] = _init(one, options)
            options["init"] = "False"
            # In the sources mypy has seen to it that nothing frozen is set; what is left of it is the hash.
            if options.pop("frozen", None) and "eq" not in options:
                options["unsafe_hash"] = "True"
        told = ", ".join(f"{name}={value}" for name, value in options.items())
        lines[decorator.lineno - 1] = f"@dataclass({told})"
    if mark is not None:
        first = min([one.lineno, *(decorator.lineno for decorator in one.decorator_list)])
        lines.insert(first - 1, f"@mypyc_attr({mark})")


def _options(decorator: ast.expr) -> dict[str, str] | None:
    """Of ``dataclass``, and None of any other decorator."""
    call = decorator if isinstance(decorator, ast.Call) else None
    name = call.func if call is not None else decorator
    if not isinstance(name, ast.Name) or name.id != "dataclass":
        return None
    return {str(one.arg): ast.unparse(one.value) for one in call.keywords} if call is not None else {}


def _init(one: ast.ClassDef, options: Mapping[str, str]) -> list[str]:
    """The ``__init__`` that ``dataclass`` would make, as lines of the class."""
    parameters, body = ["self"], []
    for item in one.body:
        if isinstance(item, ast.AnnAssign):
            parameter, assignment = _field(item)
            parameters += parameter
            body += assignment
    if any(isinstance(item, ast.FunctionDef) and item.name == "__post_init__" for item in one.body):
        body.append("self.__post_init__()")
    if options.get("kw_only") and len(parameters) > 1:
        parameters.insert(1, "*")
    head = f"    def __init__({', '.join(parameters)}) -> None:"
    return ["", head, *(f"        {line}" for line in body or ["pass"])]


def _field(item: ast.AnnAssign) -> tuple[list[str], list[str]]:
    """A field as a parameter, if it is one, and what sets it, if anything does."""
    name, given = ast.unparse(item.target), item.value
    kind = ast.unparse(item.annotation).strip("'")
    words: dict[str | None, ast.expr] = {"default": given} if given is not None else {}
    if isinstance(given, ast.Call) and ast.unparse(given.func) == "field":
        words = {word.arg: word.value for word in given.keywords}
    default, factory = words.get("default"), words.get("default_factory")
    fresh = None if default is None else ast.unparse(default)
    if factory is not None:
        fresh = ast.unparse(factory.body) if isinstance(factory, ast.Lambda) else f"{ast.unparse(factory)}()"
    if "init" in words:
        return [], [] if fresh is None else [f"self.{name} = {fresh}"]
    if factory is None:
        return [f'{name}: "{kind}"' + (f" = {fresh}" if fresh is not None else "")], [f"self.{name} = {name}"]
    assert not kind.endswith("| None"), f"{name}: nothing given and None given would be the same"
    return [f'{name}: "{kind} | None" = None'], [f"self.{name} = {fresh} if {name} is None else {name}"]


def digest() -> str:
    """What a build depends on."""
    found = hashlib.sha256(f"{sys.version} {sysconfig.get_platform()}".encode())
    for name, path in sources():
        found.update(name.encode() + path.read_bytes())
    return found.hexdigest()


def missing() -> str:
    """What a build wants and does not find here; empty where nothing is missing."""
    compiler, headers = shlex.split(os.environ.get("CC", "cc")), Path(sysconfig.get_path("include"))
    if shutil.which(compiler[0]) is None:
        return f"a C compiler: there is no {compiler[0]}; install gcc or clang, or name one in CC"
    if not (headers / "Python.h").exists():
        return f"the headers of this Python: there is no {headers / 'Python.h'}; install python3-dev"
    absent = [name for name in ("mypyc", "setuptools") if importlib.util.find_spec(name) is None]
    return f"Python packages: pip install {' '.join(absent)}" if absent else ""


def build() -> Path:
    """Make a build, if there is none of these very sources; return its folder.

    Raises:
        SystemExit: something is missing, or mypyc has refused a file.
        CalledProcessError: the C compiler has.
    """
    folder = BUILDS / f"{sys.implementation.cache_tag}-{digest()[:16]}"
    if (folder / "done").exists():
        return folder
    if wanted := missing():
        raise SystemExit(f"the compiled simulation wants {wanted}. Without it: make simulate, and no COMPILED")
    shutil.rmtree(BUILDS, ignore_errors=True)
    copy(folder)
    print("compiling the simulation, some minutes ...", file=sys.stderr, flush=True)
    for extension in _generated(folder):
        _link(folder, extension)
    (folder / "done").touch()
    return folder


def copy(folder: Path) -> None:
    """Write every source there, as mypyc can take it."""
    for name, path in sources():
        text, target = path.read_text(), folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(prepared(text, MARKS.get(name, {})) if compiles(name) else text)


def _generated(folder: Path) -> list[Any]:
    """Let mypyc write C: one extension holds all modules, and each module has a small one that points to it."""
    from mypyc.build import mypycify

    names = [name for name, _ in sources() if compiles(name)]
    options = ["--explicit-package-bases", "--ignore-missing-imports", "--follow-imports=silent"]
    with chdir(folder), redirect_stdout(sys.stderr):
        return mypycify([*options, *names], multi_file=True, group_name="simulation")


def _link(folder: Path, extension: Any) -> None:
    """One shared library from C."""
    compiler = shlex.split(os.environ.get("CC", "cc"))
    includes = [f"-I{path}" for path in (sysconfig.get_path("include"), *extension.include_dirs)]

    def made(source: str) -> str:
        target = f"{source.removesuffix('.c')}.o"
        subprocess.run([*compiler, "-c", *FLAGS, *includes, source, "-o", target], cwd=folder, check=True)
        return target

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(made, extension.sources))
    library = extension.name.replace(".", "/") + sysconfig.get_config_var("EXT_SUFFIX")
    dynamic = ["-bundle", "-undefined", "dynamic_lookup"] if sys.platform == "darwin" else ["-shared"]
    subprocess.run([*compiler, *dynamic, *objects, "-o", library], cwd=folder, check=True)


def main() -> None:
    """Build, then play there, with the arguments of ``python -m tests.simulation``."""
    environment = {**os.environ, "PYTHONPATH": str(build())}
    # Without -P the current folder would come first, and with it the sources.
    command = [sys.executable, "-P", "-m", "tests.simulation", *sys.argv[1:]]
    os.execve(sys.executable, command, environment)


if __name__ == "__main__":
    main()

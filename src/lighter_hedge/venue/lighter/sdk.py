"""The official SDK, imported in parts.

Imported as it stands, it takes two seconds of a core, mostly for 200 models that no desk reads and for the Ethereum
library, which signs what moves money between chains; and one library below that one (``py_ecc``) raises the recursion
limit to 100,000, more than the stack holds: from then on one deeply nested JSON text ends the process with SIGSEGV.
A side that was killed in a round must be back soon. So the packages that do nothing but name their parts import a part
when it is first asked for, and the Ethereum library comes when something is signed with it.
"""

import ast
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

PACKAGES = ("lighter", "lighter.models", "lighter.api")
"""Outermost first."""
ETHEREUM = {"eth_account": "Account", "eth_account.messages": "encode_defunct"}
"""What the SDK imports of the library, by module."""


def load(module: str) -> Any:
    """A module of the SDK; ask late, since even a part takes a third of a second.

    Raises:
        ImportError: the SDK has no such module.
    """
    if PACKAGES[0] not in sys.modules:
        for package in PACKAGES:
            _name_parts(package)
    later = {name: _later(name, word) for name, word in ETHEREUM.items() if name not in sys.modules}
    sys.modules.update(later)
    try:
        importlib.import_module(f"{PACKAGES[0]}.signer_client")
        return importlib.import_module(module)
    finally:
        for name in later:
            del sys.modules[name]


def _name_parts(package: str) -> None:
    """Put a package in place whose names are imported when they are asked for."""
    spec = importlib.util.find_spec(package)
    assert spec is not None, f"{package} is not installed"
    assert spec.origin is not None
    module = importlib.util.module_from_spec(spec)
    homes: dict[str, str] = {}
    for row in ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body:
        if isinstance(row, ast.ImportFrom) and row.module is not None:
            homes |= {name.asname or name.name: row.module for name in row.names}

    def find(name: str) -> Any:
        home = homes.get(name)
        try:
            found = importlib.import_module(home or f"{package}.{name}")
        except ModuleNotFoundError:
            raise AttributeError(f"module {package!r} has no attribute {name!r}") from None
        found = getattr(found, name) if home is not None else found
        setattr(module, name, found)
        return found

    module.__dict__.update(__getattr__=find, __all__=[*homes])
    sys.modules[package] = module
    parent, _, own = package.rpartition(".")
    if parent:
        setattr(sys.modules[parent], own, module)


class _Later:
    """Stands for one name of a module that is imported when it is used."""

    def __init__(self, module: str, name: str) -> None:
        self._home = module, name

    def __getattr__(self, name: str) -> Any:
        module, own = self._home
        return getattr(getattr(importlib.import_module(module), own), name)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        module, own = self._home
        return getattr(importlib.import_module(module), own)(*arguments, **named)


def _later(module: str, name: str) -> ModuleType:
    stand_in = ModuleType(module)
    setattr(stand_in, name, _Later(module, name))
    return stand_in

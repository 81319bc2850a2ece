"""The official SDK, imported without what its dependencies do to the interpreter."""

import importlib
import sys
from typing import Any


def load(module: str) -> Any:
    """A module of the SDK; imported late, since it takes a second.

    One of the SDK's dependencies (``py_ecc``) raises the recursion limit to 100,000 when it is imported, more than the
    stack holds: from then on one deeply nested JSON text ends the process with SIGSEGV. The limit is put back.
    """
    limit = sys.getrecursionlimit()
    try:
        return importlib.import_module(module)
    finally:
        sys.setrecursionlimit(limit)

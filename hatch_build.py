"""Compiles the catalogues of ``src/lighter_hedge/locale`` as the package is built or installed."""

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileCatalogues(BuildHookInterface[Any]):
    """``*.po`` → ``*.mo`` beside it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before anything is packed."""
        for source in Path(self.root, "src", "lighter_hedge", "locale").glob("*/LC_MESSAGES/*.po"):
            compiled = source.with_suffix(".mo")
            with source.open("rb") as lines, compiled.open("wb") as out:
                write_mo(out, read_po(lines))
            build_data["artifacts"].append(str(compiled.relative_to(self.root)))

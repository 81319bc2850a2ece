"""The runbook has an entry for every code that the desk says."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUNBOOK = ROOT / "docs" / "runbook.md"
SPOKEN = [
    *(ROOT / "src" / "lighter_hedge").glob("domain/*.py"),
    *(ROOT / "src" / "lighter_hedge").glob("processes/*.py"),
]
NO_CODES = {"BEGIN", "COMMIT", "DELETE", "INSERT", "ROLLBACK", "SELECT", "UPDATE"}


def codes() -> set[str]:
    """Every code of a log line, an alert or a pause: a text in capitals on its own."""
    said = r"(?:code=|\", |\(|\s|= )\"([A-Z][A-Z]+(?:_[A-Z]+)*)\"[,)]"
    return {found for path in SPOKEN for found in re.findall(said, path.read_text(encoding="utf-8"))} - NO_CODES


def test_every_code_stands_in_the_runbook() -> None:
    written = set(re.findall(r"\b[A-Z]{2,}(?:_[A-Z]+)*\b", RUNBOOK.read_text(encoding="utf-8")))
    assert len(codes()) > 50
    assert codes() <= written, sorted(codes() - written)


def test_the_runbook_names_no_code_that_nobody_says() -> None:
    rows = re.findall(r"^\| ([A-Z_, ]+) \|", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    named = {code for row in rows for code in row.split(", ")}
    everything = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    assert all(f'"{code}"' in everything for code in named), sorted(named)

"""The Chinese catalogue is complete: every text that people read, nothing fuzzy, the same values in it."""

import re
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "lighter_hedge"
CATALOGUE = PACKAGE / "locale" / "zh_CN" / "LC_MESSAGES" / "lighter_hedge.po"
FIELD = re.compile(r"\{[^{}]*\}")


def gathered() -> set[str]:
    """Every text in the source that is wrapped in ``_``."""
    found = extract_from_dir(PACKAGE, [("**.py", "python")], keywords={"_": None})
    return {text for _, _, text, _, _ in found if isinstance(text, str)}


def translated() -> dict[str, Message]:
    """Every text of the catalogue."""
    catalogue = read_po(BytesIO(CATALOGUE.read_bytes()))
    return {str(message.id): message for message in catalogue if message.id}


def test_every_text_is_translated_and_none_is_left_over() -> None:
    known = translated()
    assert gathered() == known.keys(), "make texts, then translate what is new"
    assert [text for text, message in known.items() if message.fuzzy or not message.string] == []


def test_a_translation_has_the_values_of_its_text() -> None:
    for text, message in translated().items():
        assert sorted(FIELD.findall(text)) == sorted(FIELD.findall(str(message.string))), text


def test_no_value_is_put_into_a_text_before_it_is_translated() -> None:
    wrong = re.compile(r"\b_\(\s*f[\"']")
    assert [path.name for path in PACKAGE.rglob("*.py") if wrong.search(path.read_text(encoding="utf-8"))] == []

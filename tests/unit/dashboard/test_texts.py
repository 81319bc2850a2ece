import re
from pathlib import Path

import pytest

from lighter_hedge.dashboard import app
from lighter_hedge.dashboard.texts import TEXTS, language_of, texts_in

SHOWN = "".join(path.read_text(encoding="utf-8") for path in Path(app.ASSETS).iterdir())


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_every_text_is_there(language: str) -> None:
    words = texts_in(language)
    assert words.keys() == set(TEXTS)
    assert words["Net exposure"] == {"en": "Net exposure", "zh_CN": "净敞口"}[language]


def test_what_the_page_asks_for_exists() -> None:
    asked = set(re.findall(r"\{\{(.+?)\}\}", SHOWN)) | set(re.findall(r'say\("(.+?)"', SHOWN))
    for table in re.findall(r"const (?:STEPS|STAGES|MEANS) = \{(.+?)\};", SHOWN, re.DOTALL):
        asked |= set(re.findall(r': "(.+?)"', table))
    assert asked - {"lang", "texts", "note"} <= set(TEXTS)


@pytest.mark.parametrize(
    ("asked", "cookie", "accepted", "language"),
    [
        ("zh_CN", "en", "en-GB", "zh_CN"),
        ("", "zh_CN", "en", "zh_CN"),
        ("", "", "zh-Hans-CN,en;q=0.5", "zh_CN"),
        ("", "", "de,zh;q=0.5", "en"),
        ("../etc", "fr", "", "en"),
    ],
)
def test_the_language(asked: str, cookie: str, accepted: str, language: str) -> None:
    assert language_of(asked, cookie, accepted) == language

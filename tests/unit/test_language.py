import pytest

from lighter_hedge import language


@pytest.mark.parametrize(
    ("env", "configured", "expected"),
    [
        ({}, "", "en"),
        ({"LANG": "zh_CN.UTF-8"}, "", "zh_CN"),
        ({"LANG": "zh_TW.UTF-8"}, "", "zh_CN"),
        ({"LANG": "de_DE.UTF-8"}, "", "en"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "", "en"),
        ({"LANG": "zh_CN.UTF-8"}, "en", "en"),
        ({"LIGHTER_HEDGE_LANGUAGE": "zh", "LANG": "en_US"}, "en", "zh_CN"),
    ],
)
def test_the_language_is_the_nearest_choice(env: dict[str, str], configured: str, expected: str) -> None:
    assert language.chosen(env, configured) == expected


def test_a_text_without_a_catalogue_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language, "_now", None)
    language.use("en")
    assert language._("no such text in any catalogue") == "no such text in any catalogue"

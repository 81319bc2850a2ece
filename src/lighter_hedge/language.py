"""The language of what people read: commands, page, alerts, reports. Logs are English with codes.

Texts are English in the source and wrapped in ``_``; the catalogues lie in ``locale``. Values go in by name, after the
translation: ``_("{count} rounds").format(count=3)``.
"""

import gettext
import os
from collections.abc import Mapping
from pathlib import Path

LOCALE_DIR = Path(__file__).parent / "locale"
DOMAIN = "lighter_hedge"
LANGUAGES = ("en", "zh_CN")

_now: gettext.NullTranslations | None = None


def chosen(env: Mapping[str, str], configured: str = "") -> str:
    """The language to use: ``LIGHTER_HEDGE_LANGUAGE``, then the configuration's, then the system's."""
    for name in (env.get("LIGHTER_HEDGE_LANGUAGE", ""), configured, *(env.get(key, "") for key in ("LC_ALL", "LANG"))):
        if name:
            return "zh_CN" if name.lower().startswith("zh") else "en"
    return "en"


def use(language: str) -> None:
    """Speak ``language`` from now on, one of ``LANGUAGES``."""
    global _now
    _now = catalogue(language)


def catalogue(language: str) -> gettext.NullTranslations:
    """The texts of one language; English where there is no catalogue."""
    return gettext.translation(DOMAIN, LOCALE_DIR, languages=[language], fallback=True)


def _(text: str) -> str:
    """``text`` in the language in use."""
    if _now is None:
        use(chosen(os.environ))
    assert _now is not None
    return _now.gettext(text)

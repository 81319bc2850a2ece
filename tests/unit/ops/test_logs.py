"""Logs: what a line looks like, and what never reaches one."""

import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lighter_hedge.ops.logs import HIDDEN, Logs, open_logs, redacted, say

KEY = "0123456789abcdef" * 5


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[tuple[Logs, Path]]:
    level = logging.getLogger().level
    file = tmp_path / "logs" / "main_A.log"
    logs = open_logs(file)
    try:
        yield logs, file
    finally:
        logs.close()
        logging.getLogger().setLevel(level)


def test_a_line_has_time_level_code_text_and_fields(opened: tuple[Logs, Path]) -> None:
    logs, file = opened
    say("lighter_hedge.maker", "warning", "H2003", "A waits for B", {"round": 17})
    say("lighter_hedge.maker", "debug", "H0", "not at this level")
    logging.getLogger("elsewhere.deep").error("a library says %s", "so")
    logging.getLogger("websockets.client").info("a frame")
    logs.close()
    first, second = file.read_text().splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning H2003 A waits for B round=17", first)
    assert second.endswith("error   elsewhere a library says so")


def test_an_exception_is_written_without_its_secrets(opened: tuple[Logs, Path]) -> None:
    logs, file = opened
    try:
        int(f"key {KEY}")
    except ValueError:
        logging.getLogger("lighter_hedge.x").exception("it broke")
    logs.close()
    text = file.read_text()
    assert "ValueError" in text
    assert KEY not in text


def test_a_second_start_appends(tmp_path: Path) -> None:
    file = tmp_path / "main_B.log"
    console = io.StringIO()
    for number in (1, 2):
        logs = open_logs(file, console=console)
        say("lighter_hedge", "info", "H1", f"start {number}")
        logs.close()
    assert len(file.read_text().splitlines()) == 2
    assert "start 2" in console.getvalue()


@pytest.mark.parametrize(
    "text",
    [
        f"key={KEY}",
        f"0x{KEY.upper()}!",
        f"token 1761290283:65:4:{KEY}",
        "token ro:65:single:1761290283:abcdef0123456789",
        'body {"Sig":"SECRETabcdefghijklmnop+/=="}',
        'body {\\"Sig\\": \\"SECRETabc\\"}',
        "GET /api/v1/x?auth=SECRET&y=1",
        "headers {'authorization': 'SECRET stuff'}",
        "redis://user:SECRET@h:6379/0",
    ],
)
def test_keys_tokens_and_signatures_are_hidden(text: str) -> None:
    shown = redacted(text)
    assert HIDDEN in shown
    for secret in (KEY, KEY.upper(), "SECRET", "abcdef0123456789"):
        assert secret not in shown


def test_ordinary_words_stay() -> None:
    text = "Signal at 12:30, order 844424540373959 auth key rotated a1b2c3d4"
    assert redacted(text) == text

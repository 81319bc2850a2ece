from http import HTTPStatus

import pytest

from lighter_hedge.dashboard.guard import COOKIE, Guard

TOKEN = "a-long-random-word"
ASKED = {
    "host": "127.0.0.1:8280",
    "origin": "http://127.0.0.1:8280",
    "content-type": "application/json; charset=utf-8",
    "x-asked-by": "page",
}


@pytest.mark.parametrize("host", ["127.0.0.1:8280", "localhost", "[::1]:8280"])
def test_names_of_this_machine_may_look(host: str) -> None:
    assert Guard().host({"host": host}) is None


@pytest.mark.parametrize("host", ["evil.example:8280", "", "127.0.0.1.evil.example", "10.0.0.1"])
def test_a_foreign_name_is_refused_without_a_token(host: str) -> None:
    refusal = Guard().host({"host": host})
    assert refusal is not None
    assert refusal.status is HTTPStatus.MISDIRECTED_REQUEST
    assert Guard(token=TOKEN).host({"host": host}) is None


def test_the_token_is_wanted_as_cookie_or_bearer() -> None:
    guard = Guard(token=TOKEN)
    assert guard.known({}, {COOKIE: TOKEN})
    assert guard.known({"authorization": f"Bearer {TOKEN}"}, {})
    for headers, cookies in (({}, {}), ({}, {COOKIE: TOKEN[:-1]}), ({"authorization": f"Basic {TOKEN}"}, {})):
        assert not guard.known(headers, cookies)
    assert Guard().known({}, {})


def test_a_command_of_the_page_passes() -> None:
    assert Guard().command(ASKED) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "http://evil.example"},
        {"origin": ""},
        {"origin": "null"},
        {"content-type": "text/plain"},
        {"x-asked-by": ""},
    ],
)
def test_a_command_from_elsewhere_is_refused(changes: dict[str, str]) -> None:
    refusal = Guard().command(ASKED | changes)
    assert refusal is not None
    assert refusal.status is HTTPStatus.FORBIDDEN


def test_a_page_that_only_shows_takes_no_command() -> None:
    refusal = Guard(read_only=True).command(ASKED)
    assert refusal is not None
    assert "web.read_only" in refusal.text

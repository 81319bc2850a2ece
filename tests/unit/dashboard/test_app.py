import asyncio
import json
from typing import Any

import pytest
from tests.page_story import BEGAN_MS, Story

from lighter_hedge.dashboard.app import Page
from lighter_hedge.dashboard.guard import COOKIE, Guard
from lighter_hedge.dashboard.hub import Hub
from lighter_hedge.dashboard.schema import Ask

LOCAL = {"host": "127.0.0.1:8280"}
ASKED = {
    **LOCAL,
    "origin": "http://127.0.0.1:8280",
    "content-type": "application/json",
    "x-asked-by": "page",
}
TOKEN = "a-long-random-word"


class Heard:
    """A commander that only listens."""

    def __init__(self) -> None:
        self.asks: list[Ask] = []

    def ask(self, command: Ask, who: str) -> str:
        self.asks.append(command)
        return f"id-of-{command.verb}-from-{who}"


class Client:
    """Asks the application as a server would."""

    def __init__(self, guard: Guard | None = None) -> None:
        self.heard = Heard()
        hub = Hub(projection=Story().projection, clock=lambda: BEGAN_MS)
        self.app = Page(hub=hub, guard=guard or Guard(), commander=self.heard, market="BTC").app()

    def ask(
        self, method: str, path: str, headers: dict[str, str] = LOCAL, body: bytes = b""
    ) -> tuple[int, dict[str, str], str]:
        path, _, query = path.partition("?")
        scope: dict[str, Any] = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "scheme": "http", "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 8280), "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))  # type: ignore[arg-type]
        text = b"".join(message.get("body", b"") for message in sent[1:]).decode()
        return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}, text


def test_the_page_comes_with_its_words_and_without_permission_for_others() -> None:
    status, headers, text = Client().ask("GET", "/?lang=zh_CN")
    assert status == 200
    assert '<html lang="zh-CN">' in text
    assert "净敞口" in text
    assert "{{" not in text
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "lighter_hedge_language=zh_CN" in headers["set-cookie"]


def test_assets_state_schema_and_health() -> None:
    client = Client()
    assert client.ask("GET", "/assets/page.js")[1]["content-type"].startswith("text/javascript")
    assert client.ask("GET", "/assets/index.html")[0] == 404
    assert json.loads(client.ask("GET", "/api/state")[2])["badge"]["desk"] == "a_b:BTC"
    assert "Update" in json.loads(client.ask("GET", "/api/schema")[2])["$defs"]
    assert client.ask("GET", "/healthz")[2] == "ok\n"
    _, headers, text = client.ask("GET", "/metrics")
    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'hedge_state{state="stopped"} 1.0' in text


def test_a_foreign_name_for_this_machine_sees_nothing() -> None:
    status, _, text = Client().ask("GET", "/api/state", {"host": "evil.example:8280"})
    assert status == 421
    assert "badge" not in text


def test_a_command_reaches_the_desk() -> None:
    client = Client()
    status, _, text = client.ask("POST", "/api/command", ASKED, b'{"verb": "resume", "hedge_now": true}')
    assert (status, json.loads(text)) == (202, {"id": "id-of-resume-from-127.0.0.1"})
    assert client.heard.asks == [Ask(verb="resume", hedge_now=True)]


@pytest.mark.parametrize(
    ("headers", "body", "status", "words"),
    [
        ({**ASKED, "origin": "http://evil.example"}, b'{"verb": "pause"}', 403, "from this page"),
        (LOCAL, b'{"verb": "pause"}', 403, "from this page"),
        (ASKED, b"not json", 400, "not a command"),
        (ASKED, b'{"verb": "pause", "x": 1}', 400, "not a command"),
        (ASKED, b'{"verb": "shutdown"}', 400, "pause, resume, drain, clear"),
        (ASKED, b'{"verb": "clear", "confirm": "ETH"}', 400, "BTC"),
        (ASKED, b'{"verb": "pause", "confirm": "' + b"x" * 5_000 + b'"}', 400, "not a command"),
    ],
)
def test_what_is_no_command_reaches_nobody(headers: dict[str, str], body: bytes, status: int, words: str) -> None:
    client = Client()
    answer, _, text = client.ask("POST", "/api/command", headers, body)
    assert (answer, client.heard.asks) == (status, [])
    assert words in json.loads(text)["error"]


def test_with_a_token_only_who_has_it_sees_anything() -> None:
    client = Client(Guard(token=TOKEN))
    status, headers, _ = client.ask("GET", "/", {"host": "desk.example"})
    assert (status, headers["location"]) == (303, "/sign-in")
    assert client.ask("GET", "/api/state", {"host": "desk.example"})[0] == 401
    assert client.ask("GET", "/assets/page.js")[0] == 401
    assert client.ask("GET", "/metrics", {"host": "desk.example"})[0] == 401
    assert client.ask("GET", "/api/state", {"host": "x", "authorization": f"Bearer {TOKEN}"})[0] == 200
    assert client.ask("GET", "/api/state", {"host": "x", "cookie": f"{COOKIE}={TOKEN}"})[0] == 200


def test_signing_in_sets_a_cookie_that_scripts_cannot_read() -> None:
    client = Client(Guard(token=TOKEN))
    assert "password" in client.ask("GET", "/sign-in")[2]
    status, headers, _ = client.ask("POST", "/sign-in", ASKED, f"token={TOKEN}".encode())
    assert (status, headers["location"]) == (303, "/")
    assert "HttpOnly" in headers["set-cookie"]
    assert "SameSite=strict" in headers["set-cookie"]
    status, headers, text = client.ask("POST", "/sign-in", ASKED, b"token=wrong")
    assert (status, "set-cookie" in headers) == (401, False)
    assert "wrong token" in text
    assert client.ask("POST", "/sign-in", {**ASKED, "origin": "http://evil.example"}, b"token=x")[0] == 403

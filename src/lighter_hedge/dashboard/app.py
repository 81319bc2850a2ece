"""The page's web application: one page, one stream of what changes, one address for commands."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import parse_qs

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lighter_hedge.dashboard.guard import COOKIE, COOKIE_SECONDS, SECURITY_HEADERS, Guard
from lighter_hedge.dashboard.hub import Hub
from lighter_hedge.dashboard.schema import VERBS, Ask, Asked, Problem, json_schema
from lighter_hedge.dashboard.texts import language_of, texts_in

ASSETS: Final = Path(__file__).parent / "assets"
KINDS: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
LANGUAGE_COOKIE: Final = "lighter_hedge_language"
BODY_BYTES_MAX: Final = 4_096


class Commander(Protocol):
    """Carries a person's command to the desk."""

    def ask(self, command: Ask, who: str) -> str:
        """Begin; the id under which the stream tells what becomes of it."""


@dataclass(slots=True, kw_only=True)
class Page:
    """The addresses of the page."""

    hub: Hub
    guard: Guard
    commander: Commander
    market: str

    def app(self) -> ASGIApp:
        """The application."""
        assets = [
            Route(f"/assets/{path.name}", _asset(path)) for path in sorted(ASSETS.iterdir()) if path.suffix in KINDS
        ]
        routes = [
            Route("/", self._index),
            Route("/sign-in", self._sign_in, methods=["GET", "POST"]),
            Route("/healthz", _healthy),
            Route("/metrics", self._metrics),
            Route("/api/state", self._state),
            Route("/api/stream", self._stream),
            Route("/api/schema", _schema),
            Route("/api/command", self._command, methods=["POST"]),
            *assets,
        ]
        return _Guarded(Starlette(routes=routes), self.guard)

    async def _index(self, request: Request) -> Response:
        return _html("index.html", request)

    async def _sign_in(self, request: Request) -> Response:
        if request.method == "GET":
            return _html("sign-in.html", request)
        if not self.guard.own(request.headers):
            return _problem(HTTPStatus.FORBIDDEN, "sign in on the page itself")
        form = parse_qs((await _body(request)).decode("utf-8", "replace"))
        token = form.get("token", [""])[0].strip()
        if not self.guard.right(token):
            return _html("sign-in.html", request, status=HTTPStatus.UNAUTHORIZED)
        answer = RedirectResponse("/", status_code=HTTPStatus.SEE_OTHER)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, token, max_age=COOKIE_SECONDS, httponly=True, samesite="strict", secure=secure)
        return answer

    async def _state(self, _request: Request) -> Response:
        self.hub.asked()
        return _json(self.hub.projection.whole(self.hub.clock()))

    async def _metrics(self, _request: Request) -> Response:
        from lighter_hedge.dashboard.metrics import exposition  # only who has a Prometheus pays for its import

        self.hub.asked()
        body = exposition(self.hub.projection, self.hub.clock)
        return Response(body, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def _stream(self, _request: Request) -> Response:
        if self.hub.full:
            return _problem(HTTPStatus.SERVICE_UNAVAILABLE, "too many viewers")
        body: AsyncIterator[bytes] = self.hub.stream()
        return StreamingResponse(body, media_type="text/event-stream")

    async def _command(self, request: Request) -> Response:
        refusal = self.guard.command(request.headers)
        if refusal is not None:
            return _problem(refusal.status, refusal.text)
        try:
            asked = msgspec.json.decode(await _body(request), type=Ask)
        except msgspec.MsgspecError as error:
            return _problem(HTTPStatus.BAD_REQUEST, f"not a command: {error}")
        if asked.verb not in VERBS:
            return _problem(HTTPStatus.BAD_REQUEST, f"unknown command; use one of {', '.join(VERBS)}")
        if asked.verb == "clear" and asked.confirm != self.market:
            return _problem(HTTPStatus.BAD_REQUEST, f"clear wants the market's name, {self.market}, as confirmation")
        who = request.client.host if request.client else "?"
        return _json(Asked(id=self.commander.ask(asked, who)), HTTPStatus.ACCEPTED)


@dataclass(slots=True)
class _Guarded:
    """Answers what the guard refuses, and adds the headers of every answer."""

    inner: ASGIApp
    guard: Guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        request = Request(scope)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                had = {name for name, _ in message["headers"]}
                more = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
                message["headers"] = [*message["headers"], *(pair for pair in more if pair[0] not in had)]
            await send(message)

        await (self._refused(request) or self.inner)(scope, receive, with_headers)

    def _refused(self, request: Request) -> Response | None:
        refusal = self.guard.host(request.headers)
        if refusal is not None:
            return _problem(refusal.status, refusal.text)
        path = request.url.path
        if self.guard.known(request.headers, request.cookies) or path in ("/sign-in", "/healthz", "/assets/page.css"):
            return None
        if path == "/":
            return RedirectResponse("/sign-in", status_code=HTTPStatus.SEE_OTHER)
        return _problem(HTTPStatus.UNAUTHORIZED, "sign in first, or send the token as a bearer")


def _asset(path: Path) -> Callable[[Request], Awaitable[Response]]:
    body, kind = path.read_bytes(), KINDS[path.suffix]

    async def asset(_request: Request) -> Response:
        return Response(body, media_type=kind, headers={"cache-control": "no-cache"})

    return asset


def _html(name: str, request: Request, status: HTTPStatus = HTTPStatus.OK) -> Response:
    asked = request.query_params.get("lang", "")
    language = language_of(asked, request.cookies.get(LANGUAGE_COOKIE, ""), request.headers.get("accept-language", ""))
    words = texts_in(language)
    page = (ASSETS / name).read_text(encoding="utf-8")
    for text, said in words.items():
        page = page.replace("{{" + text + "}}", said)
    data = json.dumps(words, ensure_ascii=False).replace("<", "\\u003c")
    page = page.replace("{{lang}}", language.replace("_", "-")).replace("{{texts}}", data)
    note = words["wrong token"] if status is HTTPStatus.UNAUTHORIZED else ""
    answer = Response(page.replace("{{note}}", note), media_type="text/html", status_code=status)
    if asked:
        answer.set_cookie(LANGUAGE_COOKIE, language, max_age=COOKIE_SECONDS, samesite="strict")
    return answer


async def _body(request: Request) -> bytes:
    """The request's body, cut where it is longer than anything that this page sends."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return b""
    return body


async def _healthy(_request: Request) -> Response:
    return Response("ok\n", media_type="text/plain")


async def _schema(_request: Request) -> Response:
    return Response(json.dumps(json_schema(), indent=1), media_type="application/json")


def _json(body: msgspec.Struct, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json")


def _problem(status: HTTPStatus, text: str) -> Response:
    return _json(Problem(error=text), status)

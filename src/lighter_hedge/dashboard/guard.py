"""Who may see the page and who may ask for something through it.

- Without a token only this machine may look: the ``Host`` header must be a name of it, so that no foreign name that
  was pointed at 127.0.0.1 (DNS rebinding) reaches the page through a browser here.
- With a token every request carries it, as a cookie that scripts cannot read or as a bearer.
- Whatever changes something must come from the page itself: ``Origin`` is ours, the body is JSON, and a header is set
  that no form and no foreign script can set without being asked for permission, which nobody gives.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

COOKIE: Final = "lighter_hedge_token"
ASKED_BY: Final = "x-asked-by"
"""Header of every command; its value is ``page``."""
LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})
COOKIE_SECONDS: Final = 30 * 24 * 3600

SECURITY_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with "no-referrer" a form of our own would come from the origin "null"
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a request is not answered."""

    status: HTTPStatus
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Decides on requests; pure."""

    token: str = ""
    read_only: bool = False

    def host(self, headers: Mapping[str, str]) -> Refusal | None:
        """Whether the request was meant for this page."""
        name = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        if self.token or name in LOCAL:
            return None
        return Refusal(status=HTTPStatus.MISDIRECTED_REQUEST, text="this page answers to 127.0.0.1 and localhost alone")

    def known(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> bool:
        """Whether the request carries the token, where one is wanted."""
        return not self.token or self.right(_bearer(headers) or cookies.get(COOKIE, ""))

    def right(self, token: str) -> bool:
        """Whether ``token`` is the one of this page; takes the same time whatever is wrong with it."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def own(self, headers: Mapping[str, str]) -> bool:
        """Whether a request that changes something comes from this page, not from another one in the same browser."""
        origin = urlsplit(headers.get("origin", ""))
        return origin.scheme in ("http", "https") and origin.netloc == headers.get("host", "")

    def command(self, headers: Mapping[str, str]) -> Refusal | None:
        """Whether a command may pass."""
        if self.read_only:
            return Refusal(status=HTTPStatus.FORBIDDEN, text="this page only shows: web.read_only is set")
        json = headers.get("content-type", "").partition(";")[0].strip() == "application/json"
        if json and self.own(headers) and headers.get(ASKED_BY) == "page":
            return None
        return Refusal(status=HTTPStatus.FORBIDDEN, text="a command must come from this page")


def _bearer(headers: Mapping[str, str]) -> str:
    kind, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""

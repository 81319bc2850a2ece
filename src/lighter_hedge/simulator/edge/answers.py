"""What a request gets back. Pure data."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status and a body, unless ``lost``."""

    status: int
    body: dict[str, Any]
    lost: bool = False
    """Nothing comes back. Over HTTP the connection breaks: there is no other way to say nothing."""
    dropped: bool = False
    """A WebSocket breaks too."""
    delay_ms: int = 0


def refusal(code: int, message: str, status: int = 400) -> Answer:
    """An answer that refuses."""
    return Answer(status=status, body={"code": code, "message": message})

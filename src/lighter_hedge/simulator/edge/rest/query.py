"""What a request asks for: its parameters, checked, and the errors that it may get. Pure.

A list is one text with commas, or the same parameter several times.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from lighter_hedge.simulator.edge.numerals import whole_number

INTEGER_MAX = 2**63 - 1
MOMENT_MAX = 5_000_000_000_000
"""Of the SDK's declarations: a moment in seconds or in milliseconds."""
SECONDS_MAX = 100_000_000_000
"""A moment below is in seconds."""
NO_MARKET = 255
PAGE_MAX = 100


class ApiError(Exception):
    """A request that is answered with a code."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.body: dict[str, Any] = {"code": code, "message": message}
        self.status = status


def invalid(what: str) -> ApiError:
    """A parameter that is missing or wrong."""
    return ApiError(20001, f"invalid param : {what}")


def not_found(what: str) -> ApiError:
    """Something that an account of a paper exchange never has."""
    return ApiError(29404, f"{what} not found", 404)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Parameters of a request, from its address or its form, and the token that came with it."""

    values: Mapping[str, str]
    token: str = ""
    writes: bool = False
    """Whether it changes something: a read-only token is not enough."""

    def text(self, name: str, default: str | None = None) -> str:
        """A text.

        Raises:
            ApiError: it is missing and has no default.
        """
        found = self.values.get(name, "")
        if found:
            return found
        if default is None:
            raise invalid(name)
        return default

    def integer(self, name: str, default: int | None = None, *, least: int = 0, most: int = INTEGER_MAX) -> int:
        """A whole number; -1 stands for "none" where the venue declares it as the default.

        Raises:
            ApiError: it is missing and has no default, is no number, or is out of bounds.
        """
        text = self.values.get(name, "")
        if not text and default is not None:
            return default
        negative = text.startswith("-")
        number = whole_number(text.removeprefix("-"))
        if number is None:
            raise invalid(name)
        number = -number if negative else number
        if number == default:
            return number
        if not least <= number <= most:
            raise invalid(name)
        return number

    def choice(self, name: str, allowed: Collection[str], default: str | None = None) -> str:
        """One of some words.

        Raises:
            ApiError: it is missing and has no default, or is none of them.
        """
        found = self.text(name, default)
        if found != default and found not in allowed:
            raise invalid(name)
        return found

    def flag(self, name: str, default: bool | None = None) -> bool:
        """True or false, in any case.

        Raises:
            ApiError: it is missing and has no default, or is neither.
        """
        text = self.values.get(name, "").lower()
        if not text and default is not None:
            return default
        if text not in ("true", "false"):
            raise invalid(name)
        return text == "true"

    def integers(self, name: str, *, most: int = PAGE_MAX) -> list[int]:
        """A list of whole numbers, empty where the parameter is missing.

        Raises:
            ApiError: a part is no number, or there are too many.
        """
        parts = [part.strip() for part in self.values.get(name, "").split(",")] if self.values.get(name) else []
        numbers = [whole_number(part) for part in parts]
        if len(numbers) > most or None in numbers:
            raise invalid(name)
        return [number for number in numbers if number is not None]

    def limit(self, most: int = PAGE_MAX, default: int | None = None) -> int:
        """How many rows are wanted.

        Raises:
            ApiError: it is missing and has no default, or is out of bounds.
        """
        return self.integer("limit", default, least=1, most=most)

    def span_ms(self, least_ms: int | None = None, most_ms: int | None = None) -> tuple[int, int]:
        """``start_timestamp`` and ``end_timestamp``; both are needed unless there are defaults.

        Raises:
            ApiError: one is missing or out of bounds, or the end is before the start.
        """
        first = milliseconds(self.integer("start_timestamp", least_ms, most=MOMENT_MAX))
        last = milliseconds(self.integer("end_timestamp", most_ms, most=MOMENT_MAX))
        if last < first:
            raise invalid("end_timestamp is before start_timestamp")
        return first, last

    def page(self, name: str, rows: list[Any], *, most: int = PAGE_MAX, default: int | None = None) -> dict[str, Any]:
        """A page of rows under their name; the cursor counts rows.

        Raises:
            ApiError: ``limit`` or ``cursor`` is wrong.
        """
        limit, start = self.limit(most, default), self.integer("cursor", 0)
        page: dict[str, Any] = {"code": 200, name: rows[start : start + limit]}
        if start + limit < len(rows):
            page["next_cursor"] = str(start + limit)
        return page


def milliseconds(moment: int) -> int:
    """A moment in milliseconds, given in seconds or in milliseconds."""
    return moment * 1000 if moment < SECONDS_MAX else moment

"""Whole numbers in text from outside. Pure."""

DIGITS_MAX = 20


def whole_number(text: object) -> int | None:
    """The number that plain digits write; ``None`` for anything else, and for more than 20 digits."""
    if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= DIGITS_MAX:
        return int(text)
    return None

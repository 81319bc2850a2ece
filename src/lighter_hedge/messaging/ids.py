"""Ids of stream entries, ``<epoch>-<seq>``, and what a refused one means."""

from lighter_hedge.messaging.port import MessagingError, SupersededError

EntryId = tuple[int, int]
ID_MAX = 2**64 - 1
"""Redis's own bound of either part."""
START: EntryId = (0, 0)
"""Before every entry."""


def text_of(entry_id: EntryId) -> str:
    """An entry id as Redis writes it."""
    return f"{entry_id[0]}-{entry_id[1]}"


def id_of(text: str) -> EntryId:
    """Read an entry id; the sequence may be left out.

    Raises:
        MessagingError: the text is no entry id.
    """
    major, dash, minor = text.partition("-")
    digits = major + (minor if dash else "0")
    if digits.isascii() and digits.isdecimal() and len(digits) <= 40 and major and (minor or not dash):
        found = int(major), int(minor or 0)
        if max(found) <= ID_MAX:
            return found
    raise MessagingError(f"{text[:60]!r} is no entry id: write it like 1767225600000-0, or 0 for the beginning")


def refusal(place: str, key: str, entry_id: EntryId, top: EntryId) -> MessagingError:
    """The error for an id that was refused: superseded, or out of order within the same epoch."""
    text = f"{place}: {key} stands at {text_of(top)} and refuses {text_of(entry_id)}"
    if top[0] > entry_id[0]:
        return SupersededError(f"{text}: a newer instance has written")
    return MessagingError(f"{text}: its sequence is not above the last")

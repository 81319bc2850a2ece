"""Ids of entries as text and as numbers, and what a refusal means."""

import pytest

from lighter_hedge.messaging.ids import START, id_of, refusal, text_of
from lighter_hedge.messaging.port import MessagingError, SupersededError


@pytest.mark.parametrize(("text", "entry_id"), [("0", START), ("17", (17, 0)), ("1767225600-12", (1_767_225_600, 12))])
def test_id_is_read(text: str, entry_id: tuple[int, int]) -> None:
    assert id_of(text) == entry_id
    assert id_of(text_of(entry_id)) == entry_id


def test_ids_compare_as_numbers() -> None:
    assert id_of("9-10") > id_of("9-9")
    assert id_of("10-0") > id_of("9-99")


@pytest.mark.parametrize("text", ["", "$", "yesterday", "1-x"])
def test_text_that_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(MessagingError, match="no entry id"):
        id_of(text)


def test_higher_epoch_means_superseded() -> None:
    assert isinstance(refusal("here", "key", (7, 9), (8, 0)), SupersededError)


@pytest.mark.parametrize("top", [(7, 9), (7, 10)])
def test_same_epoch_means_out_of_order(top: tuple[int, int]) -> None:
    error = refusal("here", "key", (7, 9), top)
    assert not isinstance(error, SupersededError)
    assert str(error) == f"here: key stands at {text_of(top)} and refuses 7-9: its sequence is not above the last"

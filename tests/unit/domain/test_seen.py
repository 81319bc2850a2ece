"""What has been seen already: the newest so many."""

from lighter_hedge.domain.seen import Seen


def test_a_key_is_new_once() -> None:
    seen = Seen(2)
    assert seen.add("a")
    assert not seen.add("a")
    assert "a" in seen
    assert "b" not in seen


def test_the_oldest_is_forgotten_beyond_the_limit() -> None:
    seen = Seen(2)
    for key in (1, 2, 1, 3):
        seen.add(key)
    assert [key in seen for key in (1, 2, 3)] == [False, True, True]
    assert len(seen) == 2

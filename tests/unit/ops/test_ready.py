"""Readiness is said once, and to nobody where nobody waits."""

import os

from lighter_hedge.ops.ready import READY_FD, say_ready


def test_the_word_goes_through_the_pipe() -> None:
    read, write = os.pipe()
    say_ready({READY_FD: str(write)})
    assert os.read(read, 100) == b"ready\n"
    assert os.read(read, 100) == b""
    os.close(read)


def test_nobody_waits() -> None:
    say_ready({})
    read, write = os.pipe()
    os.close(read)
    os.close(write)
    say_ready({READY_FD: str(write)})

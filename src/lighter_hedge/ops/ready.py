"""The word that a child process says to whoever started it: it is ready."""

import asyncio
import os
from collections.abc import Mapping

READY_FD = "LIGHTER_HEDGE_READY_FD"
"""Environment variable that names the descriptor; missing where nobody waits."""
READY_WORD = b"ready"


def say_ready(env: Mapping[str, str]) -> None:
    """Say ``ready`` over the inherited pipe and close it; nothing where nobody waits or listens any more."""
    text = env.get(READY_FD, "")
    if not text.isdecimal():
        return
    descriptor = int(text)
    try:
        os.write(descriptor, READY_WORD + b"\n")
        os.close(descriptor)
    except OSError:
        return


async def await_ready(descriptor: int) -> bool:
    """Wait for a child's word at the reading end of its pipe, which is closed then; False where the child ended."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb")
    )
    try:
        return (await reader.readline()).strip() == READY_WORD
    finally:
        transport.close()

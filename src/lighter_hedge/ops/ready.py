"""The words that a process says to whoever started it: it is ready; to systemd also, again and again, that it lives."""

import asyncio
import os
import socket
from collections.abc import Mapping

READY_FD = "LIGHTER_HEDGE_READY_FD"
"""Environment variable that names the descriptor; missing where nobody waits."""
READY_WORD = b"ready"


def say_ready(env: Mapping[str, str]) -> None:
    """Say ``ready`` over the inherited pipe and close it; nothing where nobody waits or listens any more."""
    _notify(env, b"READY=1")
    text = env.get(READY_FD, "")
    if not text.isdecimal():
        return
    descriptor = int(text)
    try:
        os.write(descriptor, READY_WORD + b"\n")
        os.close(descriptor)
    except OSError:
        return


async def keep_watchdog(env: Mapping[str, str]) -> None:
    """Tell systemd that the event loop turns, twice as often as it wants to hear (``WatchdogSec=``); until cancelled.

    Ends at once where nobody listens. Source: sd_notify(3), sd_watchdog_enabled(3).
    """
    text = env.get("WATCHDOG_USEC", "")
    if not text.isdecimal() or env.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return
    while True:
        _notify(env, b"WATCHDOG=1")
        await asyncio.sleep(int(text) / 2_000_000)


def _notify(env: Mapping[str, str], word: bytes) -> None:
    """One datagram to systemd; nothing where this process is no unit of its."""
    address = env.get("NOTIFY_SOCKET", "")
    if not address:
        return
    address = f"\0{address[1:]}" if address.startswith("@") else address
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.setblocking(False)
        try:
            out.sendto(word, address)
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

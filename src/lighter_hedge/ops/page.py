"""Where the page of a desk is: written by the page while it runs, read by whoever wants to open it."""

import os
import socket
from pathlib import Path
from typing import Final

import msgspec

from lighter_hedge.ops.exit_codes import ExitCode, OpsError
from lighter_hedge.ops.pids import is_ours

ADDRESS_FILE: Final = "web.json"


class Address(msgspec.Struct, frozen=True):
    """Where the page of a desk is."""

    url: str
    pid: int


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one.

    Raises:
        OpsError: the port is taken, or the address is not one of this machine.
    """
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen()
    except OSError as error:
        bound.close()
        text = f"the page cannot listen at {host} port {port}: {error.strerror}"
        raise OpsError(ExitCode.CONFIGURATION, text, "set web.port to a free one, or to 0") from None
    return bound


def is_free(host: str, port: int) -> bool:
    """Whether nobody listens there now."""
    try:
        listening(host, port).close()
    except OpsError:
        return False
    return True


def address_of(bound: socket.socket) -> str:
    """The address that a browser on this machine opens."""
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def write_address(run_dir: Path, url: str) -> None:
    """Say where the page of this process is."""
    run_dir.mkdir(parents=True, exist_ok=True)
    (run_dir / ADDRESS_FILE).write_bytes(msgspec.json.encode(Address(url=url, pid=os.getpid())))


def forget_address(run_dir: Path) -> None:
    """The page has ended."""
    (run_dir / ADDRESS_FILE).unlink(missing_ok=True)


def page_address(run_dir: Path) -> str:
    """The address of the page that runs for the desk of ``run_dir``; empty where none does."""
    try:
        address = msgspec.json.decode((run_dir / ADDRESS_FILE).read_bytes(), type=Address)
    except (OSError, msgspec.DecodeError):
        return ""
    return address.url if is_ours(address.pid) else ""

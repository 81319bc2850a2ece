"""Logs: English text with a stable code, one file per side, written by a thread of its own.

Our own lines and those of the libraries go through one queue, so that the trading thread never waits for a disk. Every
line is searched for what looks like a key, an auth token or a signature before it is written.
"""

import logging
import queue
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from typing import TextIO

BYTES_MAX = 10_000_000
FILES = 5
QUIET = ("websockets", "asyncio", "aiohttp", "urllib3", "redis", "uvicorn")
"""Libraries whose own chatter is heard from WARNING up."""

HIDDEN = "[hidden]"

_SECRETS = (
    re.compile(r"(?:0x)?(?<![0-9a-fA-F])[0-9a-fA-F]{80}(?![0-9a-fA-F])"),
    re.compile(r"\b\d{10,13}:\d+:\d+:[0-9a-fA-F]{16,}"),
    re.compile(r"\bro:\d+:\S{16,}"),
    re.compile(r"(?<=[?&]auth=)[^&\s\"']+"),
    re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),
)
_SIGNATURE = re.compile(r"""(\\?["']?\b(?:L1)?Sig\\?["']?\s*[:=]\s*\\?["']?)[A-Za-z0-9+/=_-]+""")
_TOKEN = re.compile(r"""(\\?["']?\bauth(?:orization)?\\?["']?\s*[:=]\s*\\?["'])[^"'\\]+""", re.IGNORECASE)


def redacted(text: str) -> str:
    """``text`` without API keys (80 hexadecimal digits, so full transaction hashes too), tokens and signatures."""
    for pattern in _SECRETS:
        text = pattern.sub(HIDDEN, text)
    for pattern in (_SIGNATURE, _TOKEN):
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return text


class _Lines(logging.Formatter):
    """One record as UTC milliseconds, level, code, text, then the other fields as ``key=value``."""

    def format(self, record: logging.LogRecord) -> str:
        own = record.name.startswith("lighter_hedge")
        code = getattr(record, "code", "") or ("-" if own else record.name.partition(".")[0])
        at = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        fields = "".join(f" {key}={value}" for key, value in getattr(record, "fields", {}).items())
        line = f"{at}Z {record.levelname.lower():<7} {code} {record.getMessage()}{fields}"
        return redacted(f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line)


class _AsIs(QueueHandler):
    """Hands the record over unformatted: the listener's thread does the work, in the same process."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record


class Logs:
    """Logging of one process, from ``open_logs`` to ``close``."""

    def __init__(self, listener: QueueListener, handler: logging.Handler, writers: list[logging.Handler]) -> None:
        self._listener = listener
        self._handler = handler
        self._writers = writers

    def close(self) -> None:
        """Write what is queued, then close the files. A second call does nothing."""
        if not self._writers:
            return
        logging.getLogger().removeHandler(self._handler)
        self._listener.stop()
        for writer in self._writers:
            writer.close()
        self._writers = []


def open_logs(file: Path | None, *, level: str = "info", console: TextIO | None = None) -> Logs:
    """Send all logging of this process to ``file`` (appended, rotated) and to ``console``.

    Args:
        file: for example ``logs/main_A.log``; its folder is made.
        level: ``debug``, ``info``, ``warning`` or ``error``.
        console: a stream for people, where the process runs in the foreground.

    Raises:
        OSError: the file cannot be opened.
    """
    writers: list[logging.Handler] = []
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        writers.append(RotatingFileHandler(file, maxBytes=BYTES_MAX, backupCount=FILES, encoding="utf-8"))
    if console is not None:
        writers.append(logging.StreamHandler(console))
    for writer in writers:
        writer.setFormatter(_Lines())
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    handler = _AsIs(records)
    listener = QueueListener(records, *writers)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    listener.start()
    return Logs(listener, handler, writers)


def say(name: str, level: str, code: str, text: str, fields: Mapping[str, object] | None = None) -> None:
    """Log one line of the desk: ``say("lighter_hedge.maker", "info", "H1001", "…")``."""
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.getLogger(name).log(number, "%s", text, extra={"code": code, "fields": fields or {}})

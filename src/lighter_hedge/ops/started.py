"""How a desk was started last, so that later commands mean the same desk without repeating its flags."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FILE = "started.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The flags of the last ``up`` that change what the desk is."""

    credentials: Path | None = None
    overrides: Mapping[str, object] = field(default_factory=dict)
    """Dotted key to value, as given on the command line."""


def remember(run_dir: Path, started: Started) -> None:
    """Write the flags beside the journals. They hold no secret: credentials are a path."""
    run_dir.mkdir(parents=True, exist_ok=True)
    body = {
        "credentials": None if started.credentials is None else str(started.credentials.absolute()),
        "overrides": {key: value for key, value in started.overrides.items() if value is not None},
    }
    (run_dir / FILE).write_text(json.dumps(body) + "\n", encoding="utf-8")


def recall(run_dir: Path) -> Started:
    """The flags of the last ``up``; none where there was none or the file is damaged."""
    try:
        body = json.loads((run_dir / FILE).read_text(encoding="utf-8"))
        credentials = body["credentials"]
        return Started(credentials=Path(credentials) if credentials else None, overrides=dict(body["overrides"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Started()

"""Settings of what serves people. None of it can change how a fill is hedged."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("is no time zone; write it like Asia/Shanghai") from None
    return name


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class WebSettings(_Section):
    """The page."""

    enabled: bool = True
    host: str = "127.0.0.1"
    """Any other address wants a token."""
    port: int = Field(default=8280, ge=0, le=65535)
    """0 takes a free one, which ``run/web.json`` names."""
    token_file: Path | None = None
    """A file with the token that every request must carry, 0600; none where only this machine may look."""
    read_only: bool = False


class AlertSettings(_Section):
    """Who is told, and when. Targets are addresses as apprise reads them, and secrets."""

    targets_file: Path | None = None
    """A file, 0600, with one target a line: ``critical,warning tgram://…``; a line without routes gets everything."""
    repeat_minutes: tuple[Annotated[int, Field(gt=0)], ...] = Field(default=(1, 5, 15, 60), min_length=1)
    """After how many minutes the same thing is told again; the last one repeats."""
    daily_report: str = Field(default="", pattern=r"^(|([01]\d|2[0-3]):[0-5]\d)$")
    """Time of the daily report, for example ``08:00``; empty for none."""
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    """Of the daily report, for example ``Asia/Shanghai``."""
    heartbeat_url: SecretStr = SecretStr("")
    """Asked every minute while the desk is well, so that silence alarms whoever watches it."""

    @property
    def wanted(self) -> bool:
        """Whether anybody is to be told anything."""
        return self.targets_file is not None or bool(self.heartbeat_url.get_secret_value())


class PaperSettings(_Section):
    """A desk that rehearses."""

    managed: bool = False
    """``up`` starts a paper exchange at ``venue.base_url``, and a Redis where none answers; ``down`` ends both."""

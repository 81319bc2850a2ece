"""Settings of what serves people: page, alerts, metrics, stops. None of it can change how a fill is hedged."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

PositiveUsd = Annotated[Decimal, Field(gt=0)]


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
    repeat_minutes: tuple[int, ...] = (1, 5, 15, 60)
    """After how many minutes an alert that still stands is told again; the last one repeats."""
    daily_report: str = Field(default="", pattern=r"^(|([01]\d|2[0-3]):[0-5]\d)$")
    """Time of the daily report, for example ``08:00``; empty for none."""
    time_zone: str = "UTC"
    """Of the daily report and of reports by day, for example ``Asia/Shanghai``."""
    heartbeat_url: SecretStr = SecretStr("")
    """Asked every minute while the desk is well, so that silence alarms whoever watches it."""


class MetricsSettings(_Section):
    """Prometheus metrics, one port per process; 0 for none."""

    host: str = "127.0.0.1"
    port_a: int = Field(default=0, ge=0, le=65535)
    port_b: int = Field(default=0, ge=0, le=65535)
    port_monitor: int = Field(default=0, ge=0, le=65535)
    port_recorder: int = Field(default=0, ge=0, le=65535)


class StopSettings(_Section):
    """When enough is done: the desk drains. Nothing here cuts anything off."""

    volume_usd: PositiveUsd | None = None
    """Volume of A and B together since the desk was started by a person."""
    fees_usd: PositiveUsd | None = None
    loss_usd: PositiveUsd | None = None
    rounds: int | None = Field(default=None, gt=0)
    until: str = Field(default="", pattern=r"^(|([01]\d|2[0-3]):[0-5]\d)$")
    """Time of day at which the desk drains, in ``alerts.time_zone``; empty for none."""


Language = Literal["", "en", "zh_CN"]

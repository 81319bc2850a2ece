"""Settings of what serves people. None of it can change how a fill is hedged."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class WebSettings(BaseModel):
    """The page."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    enabled: bool = True
    host: str = "127.0.0.1"
    """Any other address wants a token."""
    port: int = Field(default=8280, ge=0, le=65535)
    """0 takes a free one, which ``run/web.json`` names."""
    token_file: Path | None = None
    """A file with the token that every request must carry, 0600; none where only this machine may look."""
    read_only: bool = False

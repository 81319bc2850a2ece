"""How long something has been so: an exposure without a hedge, a hedger that is not armed."""

from dataclasses import dataclass


@dataclass(slots=True)
class Since:
    """Since when a condition holds, by the monotonic clock; None while it does not."""

    began_ms: int | None = None

    def update(self, holds: bool, mono_ms: int) -> None:
        """Say whether it holds now."""
        if not holds:
            self.began_ms = None
        elif self.began_ms is None:
            self.began_ms = mono_ms

    def age_ms(self, mono_ms: int) -> int:
        """For how long it has held; 0 while it does not."""
        return 0 if self.began_ms is None else mono_ms - self.began_ms

"""Limits that want a person when they are reached: the day's loss and the hour's notional. The desk then drains.

The loss is what both accounts together have lost since the day (UTC) began: cash paid and received by the desk's own
fills, and what is left open at the mark price. Fees and funding are not in it.
"""

from collections import deque
from dataclasses import dataclass, field

from lighter_hedge.domain.commands import Command, DayOpened, Record
from lighter_hedge.domain.core import Change, Core
from lighter_hedge.domain.events import Instant
from lighter_hedge.domain.units import quote_text

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


@dataclass(slots=True, kw_only=True)
class Limits:
    """What the desk has lost today and traded within the hour."""

    core: Core
    opened: DayOpened | None = None
    """The value that today is measured from; None until the mark price is known."""
    _traded: deque[tuple[int, int]] = field(default_factory=deque)
    """(monotonic ms, quote amount) of A's fills within the hour."""
    _sum: int = 0
    """Of these quote amounts."""

    def count(self, change: Change, now: Instant) -> None:
        """A's order has filled more."""
        quote = self.core.settings.market.quote(change.lots, change.order.price)
        if quote:
            self._traded.append((now.mono_ms, quote))
            self._sum += quote

    def step(self, now: Instant) -> list[Command]:
        """Open the day's account when a new day (UTC) has begun."""
        day = now.wall_ms // DAY_MS
        if self.opened is not None and self.opened.day >= day:
            return []
        value = self._value()
        return [] if value is None else self._open(day, value)

    def restart(self, now: Instant) -> list[Command]:
        """A person has looked and goes on: measure anew from here."""
        self._traded.clear()
        self._sum = 0
        value = self._value()
        return [] if value is None else self._open(now.wall_ms // DAY_MS, value)

    def exceeded(self, now: Instant) -> tuple[str, str] | None:
        """Code and words of the limit that is reached, if one is."""
        settings, value = self.core.settings, self._value()
        if self.opened is not None and value is not None:
            loss = self.opened.value - value
            if loss >= settings.daily_loss_quote_max:
                return "DAILY_LOSS", f"lost {quote_text(loss)} USD today (UTC)"
        while self._traded and now.mono_ms - self._traded[0][0] >= HOUR_MS:
            self._sum -= self._traded.popleft()[1]
        if self._sum >= settings.notional_hour_quote_max:
            return "NOTIONAL_LIMIT", f"account A traded {quote_text(self._sum)} USD within an hour"
        return None

    def _open(self, day: int, value: int) -> list[Command]:
        self.opened = DayOpened(day=day, value=value)
        return [Record(entry=self.opened)]

    def _value(self) -> int | None:
        """Cash of both accounts since the baseline, and what is open at the mark price, millionths."""
        core = self.core
        if not core.book.mark:
            return None
        lots = core.maker.total + core.hedger.total
        open_value = core.settings.market.quote(abs(lots), core.book.mark)
        return core.maker.cash + core.hedger.cash + (open_value if lots > 0 else -open_value)

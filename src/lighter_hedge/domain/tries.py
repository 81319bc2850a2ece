"""B's tries of the open exposure. A try is a hedge known to have filled nothing."""

from dataclasses import dataclass, field

from lighter_hedge.domain.commands import Alert, Command, Level, PublishFailure, Record, Say, TriesCounted
from lighter_hedge.domain.core import Core
from lighter_hedge.domain.news import fill_message
from lighter_hedge.domain.settings import DeskSettings
from lighter_hedge.domain.states import HedgeFailed, Leg

MAX_RETRIES = "max_retries_exceeded"


@dataclass(slots=True)
class Tries:
    """How many there were, when the next may go, and whether they are used up."""

    count: int = 0
    failed: HedgeFailed | None = None
    next_ms: int = 0
    words: list[str] = field(default_factory=list)
    """The venue's word for the end of each try."""

    def count_one(self, word: str, settings: DeskSettings, mono_ms: int) -> list[Command]:
        """A hedge is known to have filled nothing."""
        self.count += 1
        self.words.append(word)
        spacing = settings.retry_spacing_ms
        self.next_ms = mono_ms + spacing[min(self.count, len(spacing) - 1)]
        text = f"try {self.count} of {settings.retry_times} filled nothing: {word}"
        return [
            Record(entry=TriesCounted(tries=self.count, failed=None)),
            Say(level=Level.WARNING, code="HEDGE_TRY_FAILED", text=text),
        ]

    def void(self) -> list[Command]:
        """The exposure is gone, or a person gives new tries: begin anew."""
        if not self.count and self.failed is None:
            return []
        self.count, self.failed, self.next_ms = 0, None, 0
        self.words.clear()
        return [Record(entry=TriesCounted(tries=0, failed=None))]

    def fail(self, core: Core, number: int, leg: Leg) -> list[Command]:
        """The tries are used up and nothing is unresolved: say so to everybody."""
        cum = core.maker.round_filled(number)
        self.failed = HedgeFailed(round=number, cum=cum, reason=MAX_RETRIES, tries=self.count)
        filled = [order for order in core.maker.orders.values() if order.round == number and order.filled]
        words = ", ".join(self.words)
        text = f"round {number}: {core.size(core.net)} unhedged after {self.count} tries ({words})"
        return [
            Record(entry=TriesCounted(tries=self.count, failed=self.failed)),
            PublishFailure(
                failed=self.failed,
                maker_fill=fill_message(core, filled[-1], leg) if filled else None,
                unhedged=core.net,
                tries=tuple(self.words),
            ),
            Alert(code="HEDGE_FAILED", text=text),
        ]

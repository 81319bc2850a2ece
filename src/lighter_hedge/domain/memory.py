"""What a side remembers over a crash: the journal's content, as the machines take it at their start."""

from dataclasses import dataclass, field

from lighter_hedge.domain.commands import BaselineSet, DayOpened, RoundChanged, TriesCounted
from lighter_hedge.domain.events import Candidate
from lighter_hedge.domain.states import Announce, Flatten, Mode, OrderFills, Pause, Role, StoodDown


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Everything that a side's journal holds, folded to what a start needs."""

    epoch: int
    """Epoch of this start: higher than every one before."""
    fresh: bool
    """The journal was empty: nothing is known of earlier positions."""
    by_person: bool = False
    """A person started this side after a recorded stop by a person."""
    adopt: bool = False
    """A person allows positions that the journal does not explain; they become the baseline."""
    baseline: BaselineSet | None = None
    mode: Mode = Mode.RUNNING
    pause: Pause | None = None
    ask: Pause | None = None
    """B only: a request for a pause that A has not ended yet."""
    round: RoundChanged | None = None
    """The newest record of a round."""
    announce: Announce | None = None
    """The newest announce made or armed for."""
    tries: TriesCounted | None = None
    attributed: bool = False
    """A fill that no frame told of was once attributed to an order: what comes later may tell of it again."""
    asks_ended: tuple[int, ...] = ()
    """A only: ids of B's requests for a pause that have been ended."""
    flatten: Flatten | None = None
    """A only: its wish to close what B could not hedge."""
    stood_down: StoodDown | None = None
    """B only: it has stood down for A's wish."""
    day: DayOpened | None = None
    """A only: what the day's loss is measured from."""
    serial: int = 0
    """Highest serial of a client order index ever journalled."""
    unsettled: tuple[Candidate, ...] = ()
    """Signed transactions whose nonce has no settled fate: each counts as perhaps sent."""
    intents: tuple[Candidate, ...] = ()
    """The newest orders that have executed, or may have, oldest first."""
    fills: dict[Role, tuple[OrderFills, ...]] = field(default_factory=dict)
    """The newest orders of each account, oldest first."""
    folded: dict[Role, int] = field(default_factory=dict)
    """Signed lots of all older orders of each account."""
    folded_cash: dict[Role, int] = field(default_factory=dict)
    """What they paid (-) or brought (+), millionths of the quote currency."""
    folded_serial: dict[Role, int] = field(default_factory=dict)
    """Serial up to which orders are folded."""

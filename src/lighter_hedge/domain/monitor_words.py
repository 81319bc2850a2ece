"""What the monitor is told, what can happen to it, and what it can want, besides the words that A and B use too."""

from collections.abc import Mapping
from dataclasses import dataclass

from lighter_hedge.domain.commands import Alert, ReadAccount, Say
from lighter_hedge.domain.events import (
    HedgerHeard,
    MakerHeard,
    MessagingChanged,
    OperatorAsked,
    Ticked,
    TxReported,
    VenueEvent,
)
from lighter_hedge.domain.incidents import Incident, Recovered
from lighter_hedge.domain.states import DeskId, OperatorCommand, Role
from lighter_hedge.domain.units import MarketSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorSettings:
    """What the monitor is told; all times in milliseconds, and the same as A's and B's."""

    desk: DeskId
    accounts: Mapping[Role, int]
    unhedged_ms_max: int
    heartbeat_ms_max: int
    read_lag_ms: int
    reconcile_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketLearned:
    """The venue has told what the market allows."""

    market: MarketSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLearned:
    """Whether a person has stopped ``role`` on this machine, by its journal."""

    role: Role
    by_person: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseSent:
    """Whether the command to pause stands in the command stream."""

    sent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AskPause:
    """Append this command to the command stream; answer ``PauseSent``."""

    command: OperatorCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class LookForStop:
    """Look into the journal of ``role``, if it is on this machine; answer ``StopLearned``."""

    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Remember:
    """Keep what is wrong now, for the next start of the monitor."""

    incidents: tuple[Incident, ...]


StateEvent = MakerHeard | HedgerHeard | MessagingChanged | OperatorAsked
MonitorEvent = Ticked | VenueEvent | TxReported | StateEvent | MarketLearned | StopLearned | PauseSent
MonitorCommand = Alert | Recovered | Say | ReadAccount | AskPause | LookForStop | Remember

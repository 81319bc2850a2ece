"""A burn under the nonce after the one in doubt: once it has executed, the one in doubt has run, or never will."""

from dataclasses import dataclass

from lighter_hedge.domain.events import Candidate, TxStatus
from lighter_hedge.domain.lane_limits import SIGNATURE_MARGIN_MS


@dataclass(slots=True)
class Probe:
    """The probe, and when it has proved the nonce before it to be over."""

    candidate: Candidate
    proved_ms: int | None = None
    _status: TxStatus | None = None
    before: tuple["Probe", ...] = ()
    """Earlier ones under the same nonce, which one of them may have used up."""

    @property
    def all(self) -> tuple["Probe", ...]:
        """Every one signed for this nonce, oldest first."""
        return (*self.before, self)

    @property
    def failed(self) -> bool:
        """Whether the sequencer has failed it."""
        return self._status is TxStatus.FAILED

    def reported(self, status: TxStatus, mono_ms: int) -> bool:
        """Take its status; whether the proof is new."""
        self._status = status
        return status is TxStatus.EXECUTED and self._prove(mono_ms)

    def used(self, mono_ms: int) -> None:
        """Its nonce is used up: if it has failed, by that failure, and the one before is over as well."""
        if any(probe.failed for probe in self.all):
            self._prove(mono_ms)

    def usable(self, wall_ms: int) -> bool:
        """Whether sending its bytes again can still have an effect."""
        return not self.failed and self.candidate.expires_ms > wall_ms + SIGNATURE_MARGIN_MS

    def _prove(self, mono_ms: int) -> bool:
        if self.proved_ms is not None:
            return False
        self.proved_ms = mono_ms
        return True

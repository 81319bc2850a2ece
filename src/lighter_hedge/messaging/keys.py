"""Every Redis key and channel, in one place.

====================== ======= ============== ========================== =====================================
key                    type    written by     read by                    trimmed
====================== ======= ============== ========================== =====================================
``h:{desk}:maker``     stream  A              B, CLI, monitor            each append keeps ``STATES_KEPT``
``h:{desk}:hedger``    stream  B              A, CLI, monitor            each append keeps ``STATES_KEPT``
``h:{desk}:commands``  stream  CLI, monitor   A, B, monitor              older than an hour, at each command
``h:{desk}:telemetry`` stream  A, B, monitor  CLI                        each append keeps about 20,000
``h:{desk}:uuid``      string  first to open  A, B, CLI, monitor         never
====================== ======= ============== ========================== =====================================

``{desk}`` is ``DeskId`` as text, for example ``a_b:BTC``. Ids of the two state streams are ``<epoch>-<seq>`` of the
writer; ids of the command stream are Redis's own. Each entry has the single field ``FIELD`` with a JSON body
(``messages.py``). The uuid is made once; another value than last time means that Redis was new or wiped.

======================================= =============== ============================================
channel (Pub/Sub, nothing rests on it)  published by    body
======================================= =============== ============================================
``hedge:account_a_filled``              A               ``messages.FillMessage``
``hedge:account_b_filled``              B               ``messages.HedgeFillMessage``
``hedge:account_b_hedge_failed``        B               ``messages.FailureMessage``
======================================= =============== ============================================

An ACL for a side: ``~h:{desk}:* +publish &hedge:*`` with ``ping hello auth get set xadd xread xrange xrevrange xinfo``
and ``xtrim``.
"""

from dataclasses import dataclass
from typing import assert_never

from lighter_hedge.domain.states import DeskId, Role

A_FILLED = "hedge:account_a_filled"
B_FILLED = "hedge:account_b_filled"
B_HEDGE_FAILED = "hedge:account_b_hedge_failed"
CHANNELS = (A_FILLED, B_FILLED, B_HEDGE_FAILED)

FIELD = b"m"
"""The one field of every stream entry."""

STATES_KEPT = 1000
"""Entries that a state stream keeps: some minutes to look back on. Any single entry is enough to go on.

Trimmed exactly (``MAXLEN =``): one entry comes and one goes, so it costs nothing, and the number is the promised one.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskKeys:
    """The keys of one desk."""

    desk: DeskId

    def state(self, role: Role) -> str:
        """Stream of ``role``'s whole states."""
        return f"h:{self.desk}:{role.value}"

    @property
    def commands(self) -> str:
        """Stream of people's commands."""
        return f"h:{self.desk}:commands"

    @property
    def telemetry(self) -> str:
        """Stream of what processes tell people (``telemetry.py``)."""
        return f"h:{self.desk}:telemetry"

    @property
    def uuid(self) -> str:
        """String that changes when Redis is wiped."""
        return f"h:{self.desk}:uuid"


def fill_channel(role: Role) -> str:
    """The channel on which fills of ``role``'s account are told."""
    match role:
        case Role.MAKER:
            return A_FILLED
        case Role.HEDGER:
            return B_FILLED
        case _:
            assert_never(role)

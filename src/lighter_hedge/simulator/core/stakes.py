"""What staked LIT brings a premium wallet: lower fees, a shorter taker delay, more transactions a minute. Pure.

From the venue's pages on account types and rate limits (July 2026).
"""

from dataclasses import dataclass

SHARES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """One step of the table."""

    lit: int
    """Least stake, in whole LIT."""
    discount: int
    """Off fees and taker delay, in 1e-3."""
    sends: int
    """Transactions a minute."""
    sub_accounts: int = 8

    def less(self, amount: int) -> int:
        """An amount less the discount."""
        return amount * (SHARES - self.discount) // SHARES if self.discount else amount


STAKES = (
    Stake(lit=0, discount=0, sends=4_000),
    Stake(lit=1_000, discount=25, sends=5_000),
    Stake(lit=3_000, discount=50, sends=6_000),
    Stake(lit=10_000, discount=100, sends=7_000),
    Stake(lit=30_000, discount=150, sends=8_000),
    Stake(lit=100_000, discount=200, sends=12_000),
    Stake(lit=300_000, discount=250, sends=24_000),
    Stake(lit=500_000, discount=300, sends=40_000, sub_accounts=64),
)


NO_STAKE = STAKES[0]


def stake_of(lit: int) -> Stake:
    """The step that a stake reaches."""
    return next(one for one in reversed(STAKES) if lit >= one.lit)

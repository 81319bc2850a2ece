"""The volume quota of premium wallets (fact sheet, section 5, rate limits). Pure.

Creating, modifying, grouping and cancelling all orders use one unit each; a plain cancel uses none. A wallet starts
with 1,000 and earns one for each 7 USD traded, shared by all its accounts. Without quota one transaction passes every
15 seconds. What the venue answers beyond that is not documented: the code of the rate limit is taken.
"""

from lighter_hedge.simulator.core.accounts import Account, Tier
from lighter_hedge.simulator.core.state import State
from lighter_hedge.simulator.core.transactions import (
    CancelAll,
    CreateGroup,
    CreateOrder,
    ModifyOrder,
    TxBody,
    TxRefused,
)

QUOTE_PER_UNIT = 7_000_000
FREE_EVERY_US = 15_000_000


def remaining(state: State, account: Account, start: int) -> int:
    """What the wallet of an account has left."""
    accounts = [state.accounts[index] for index in state.wallets[account.l1_address]]
    earned = sum(one.volume for one in accounts) // QUOTE_PER_UNIT
    return max(0, start + earned - sum(one.quota_used for one in accounts))


def is_bound(account: Account, body: TxBody) -> bool:
    """Whether a transaction of this account needs quota."""
    return account.tier is Tier.PREMIUM and isinstance(body, CreateOrder | CreateGroup | ModifyOrder | CancelAll)


def use(state: State, account: Account, start: int, now_us: int) -> None:
    """Use one unit, or the free transaction.

    Raises:
        TxRefused: neither is left.
    """
    if remaining(state, account, start):
        account.quota_used += 1
        return
    accounts = [state.accounts[index] for index in state.wallets[account.l1_address]]
    if now_us - max(one.quota_free_us for one in accounts) < FREE_EVERY_US:
        raise TxRefused(23000, "Too Many Requests!", 429)
    account.quota_free_us = now_us

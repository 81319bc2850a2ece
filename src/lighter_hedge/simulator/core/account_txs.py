"""Transactions that move no order: leverage and margin, keys, sub-accounts, transfers. Pure.

Each is checked at the API, and once more when it runs: what held then may not hold now.
"""

from lighter_hedge.simulator.core import eventinfo
from lighter_hedge.simulator.core.accounts import (
    MARGIN_SCALE,
    Account,
    ApiKey,
    Position,
    Tier,
    has_isolated_margin,
    isolated_health,
)
from lighter_hedge.simulator.core.effects import Effects
from lighter_hedge.simulator.core.markets import MIN_MARGIN_FRACTION
from lighter_hedge.simulator.core.rules import ExchangeSettings
from lighter_hedge.simulator.core.state import State
from lighter_hedge.simulator.core.transactions import (
    ISOLATED,
    ChangePubKey,
    CreateSubAccount,
    Transfer,
    TxRefused,
    UpdateLeverage,
    UpdateMargin,
)

AccountBody = UpdateLeverage | UpdateMargin | ChangePubKey | CreateSubAccount | Transfer
SUB_ACCOUNT_TYPE = 1
SUB_ACCOUNT_INDEX_MIN = 2**47
"""Sub-accounts count from here (fact sheet, section 1.1)."""
NOT_ENOUGH_COLLATERAL = (21301, "not enough collateral")


class AccountTxs:
    """Checks and executes them."""

    def __init__(self, state: State, settings: ExchangeSettings) -> None:
        self.state = state
        self.settings = settings

    def check(self, account: Account, body: AccountBody) -> None:
        """Look whether the transaction could run now.

        Raises:
            TxRefused: it could not.
        """
        match body:
            case UpdateLeverage():
                self._check_leverage(account, body)
            case UpdateMargin():
                self._check_margin(account, body)
            case CreateSubAccount():
                self._check_sub_account(account)
            case Transfer():
                self._check_transfer(account, body)
            case ChangePubKey():
                return

    def run(self, account: Account, api_key_index: int, body: AccountBody, at_us: int) -> Effects:
        """Execute a transaction that was accepted."""
        effects = Effects(event_info=eventinfo.plain_event())
        try:
            self.check(account, body)
        except TxRefused as refusal:
            effects.event_info = eventinfo.refused_event(refusal.code, refusal.message)
            return effects
        match body:
            case UpdateLeverage():
                self._set_leverage(account, body, effects)
            case UpdateMargin():
                moved = body.amount if body.adds else -body.amount
                self._allocate(account, self._position(account, body.market_index), moved)
                effects.move(account.account_index, body.market_index)
            case ChangePubKey():
                account.keys[api_key_index].public_key = body.public_key
            case CreateSubAccount():
                self.state.add_account(self._sub_account(account, at_us))
            case Transfer():
                self._transfer(account, body, effects)
        self.state.note_account(account)
        return effects

    def _position(self, account: Account, market_index: int) -> Position:
        return account.position(self.state.markets[market_index])

    # --- leverage and margin ---

    def _check_leverage(self, account: Account, body: UpdateLeverage) -> None:
        if not MIN_MARGIN_FRACTION <= body.margin_fraction <= MARGIN_SCALE:
            raise TxRefused(21113, "invalid initial margin fraction")
        position = self._position(account, body.market_index)
        has_orders = any(
            order.market_index == body.market_index for order in self.state.open_of[account.account_index].values()
        )
        if (body.margin_mode == ISOLATED) != position.is_isolated and (position.lots or has_orders):
            raise TxRefused(21132, "margin mode cannot be changed with an open position or order")
        if position.lots and body.margin_fraction > position.margin_fraction:
            notional = self.state.markets[body.market_index].quote(position.lots, self.state.mark(body.market_index))
            if not self._can_raise(account, position, notional, body.margin_fraction):
                raise TxRefused(21133, "invalid risk change")

    def _can_raise(self, account: Account, position: Position, notional: int, margin_fraction: int) -> bool:
        grown = notional * (margin_fraction - position.margin_fraction) // MARGIN_SCALE
        return grown <= self.state.health(account).available

    def _set_leverage(self, account: Account, body: UpdateLeverage, effects: Effects) -> None:
        position = self._position(account, body.market_index)
        if position.is_isolated and position.lots:
            # An isolated position keeps what its initial margin asks for (inferred).
            needed = position.entry_quote * body.margin_fraction // MARGIN_SCALE
            self._allocate(account, position, max(0, needed - position.allocated))
        position.margin_fraction, position.is_isolated = body.margin_fraction, body.margin_mode == ISOLATED
        effects.move(account.account_index, body.market_index)

    def _check_margin(self, account: Account, body: UpdateMargin) -> None:
        position = self._position(account, body.market_index)
        if not position.is_isolated:
            raise TxRefused(21613, "invalid margin mode")
        if position.lots == 0:
            raise TxRefused(21614, "no position found")
        if body.adds:
            if self.state.health(account).available < body.amount:
                raise TxRefused(*NOT_ENOUGH_COLLATERAL)
            return
        market = self.state.markets[body.market_index]
        now = isolated_health(position, market, self.state.mark(body.market_index))
        if body.amount > position.allocated or not has_isolated_margin(now, body.amount):
            raise TxRefused(21508, "account is below initial margin, can't execute transaction")

    def _allocate(self, account: Account, position: Position, amount: int) -> None:
        position.allocated += amount
        account.collateral -= amount

    # --- accounts ---

    def _check_sub_account(self, account: Account) -> None:
        caps = self.settings.caps.get(account.tier)
        siblings = [self.state.accounts[index] for index in self.state.wallets[account.l1_address]]
        most = caps and max(caps.sub_accounts, account.stake.sub_accounts if account.tier is Tier.PREMIUM else 0)
        if most and sum(one.account_type == SUB_ACCOUNT_TYPE for one in siblings) >= most:
            raise TxRefused(21129, "too many sub accounts")

    def _sub_account(self, account: Account, at_us: int) -> Account:
        taken = [index for index in self.state.accounts if index >= SUB_ACCOUNT_INDEX_MIN]
        index = max(taken, default=SUB_ACCOUNT_INDEX_MIN - 1) + 1
        return Account(
            account_index=index,
            name=f"sub-{index - SUB_ACCOUNT_INDEX_MIN + 1}",
            l1_address=account.l1_address,
            tier=account.tier,
            collateral=0,
            staked_lit=account.staked_lit,
            account_type=SUB_ACCOUNT_TYPE,
            created_us=at_us,
        )

    def _check_transfer(self, account: Account, body: Transfer) -> None:
        other = self.state.accounts.get(body.to_account_index)
        if other is None:
            raise TxRefused(21100, "account not found")
        if other is account:
            raise TxRefused(21501, "invalid tx info: same account")
        if other.l1_address != account.l1_address and not body.l1_signed:
            # Between wallets the L1 key signs too; what it signed is not verified here.
            raise TxRefused(21504, "fail to l1 signature")
        now = self.state.health(account)
        if min(now.available, account.collateral) < body.amount + body.fee:
            raise TxRefused(*NOT_ENOUGH_COLLATERAL)

    def _transfer(self, account: Account, body: Transfer, effects: Effects) -> None:
        other = self.state.accounts[body.to_account_index]
        account.collateral -= body.amount + body.fee
        other.collateral += body.amount
        self.state.ambient.collateral += body.fee
        self.state.note_account(other)
        effects.move(account.account_index)
        effects.move(other.account_index)


def check_new_key(account: Account, api_key_index: int) -> ApiKey:
    """The key that a ChangePubKey sets: it may not exist yet, and then its nonce is 0.

    Raises:
        TxRefused: an index that the venue keeps for itself, or out of range (fact sheet, section 1.1).
    """
    if not 0 <= api_key_index <= 254:
        raise TxRefused(21110, "invalid api key index")
    return account.keys.get(api_key_index) or ApiKey(api_key_index=api_key_index, public_key="")

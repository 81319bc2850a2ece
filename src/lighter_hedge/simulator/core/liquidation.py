"""What the venue does with an account whose margin no longer holds. Pure.

From the venue's page on liquidations and the insurance fund:

- Below the maintenance margin all open orders are cancelled first. Then immediate-or-cancel orders close its positions,
  one by one, at the *zero price*, at which the account's value and its maintenance margin fall in the same proportion;
  it stops once the margin holds. What is filled better than that pays up to 1 % to the insurance fund.
- Below the close-out margin the insurance fund takes over the positions and the collateral that is left.
- Where the fund could not bear it, accounts on the other side are deleveraged at the zero price.

Inferred: positions are closed largest first; each order is only so large that the margin would hold if it were filled
at the mark price and paid the whole fee; the accounts with the largest unrealized profit per entry are deleveraged
first. An isolated position stands for itself. Accounts are looked at when a mark price comes and after funding.
"""

from dataclasses import dataclass

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.accounts import (
    FEE_SCALE,
    MAINTENANCE_FRACTION,
    MARGIN_SCALE,
    Account,
    Health,
    Position,
    isolated_health,
    unrealized_pnl,
)
from lighter_hedge.simulator.core.effects import Effects
from lighter_hedge.simulator.core.engine import Engine
from lighter_hedge.simulator.core.orders import OrderStatus
from lighter_hedge.simulator.core.settlement import LIQUIDATION_FEE_MAX
from lighter_hedge.simulator.core.state import State

ATTEMPTS_MAX = 20
"""Orders for one account at one mark price."""
_FEE = LIQUIDATION_FEE_MAX * MARGIN_SCALE // FEE_SCALE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """What stands or falls together: the cross margin of an account, or one isolated position."""

    account: Account
    isolated: Position | None = None

    def positions(self) -> list[Position]:
        """Open positions of the scope."""
        if self.isolated is not None:
            return [self.isolated] if self.isolated.lots else []
        return [one for one in self.account.positions.values() if one.lots and not one.is_isolated]

    def health(self, state: State) -> Health:
        """Margin state of the scope."""
        if self.isolated is None:
            return state.health(self.account)
        index = self.isolated.market_index
        return isolated_health(self.isolated, state.markets[index], state.mark(index))


class Liquidator:
    """Looks at accounts and closes what must be closed."""

    def __init__(self, engine: Engine, insurance_fund: int) -> None:
        self.engine = engine
        self.state = engine.state
        self.insurance_fund = insurance_fund

    def check_market(self, market_index: int, at_us: int) -> list[Effects]:
        """Look at every account with a position in a market whose mark price has changed."""
        found: list[Effects] = []
        for account in list(self.state.accounts.values()):
            position = account.positions.get(market_index)
            if position is not None and position.lots:
                found += self._check(
                    _Scope(account=account, isolated=position if position.is_isolated else None), at_us
                )
        return found

    def _check(self, scope: _Scope, at_us: int) -> list[Effects]:
        now = scope.health(self.state)
        if now.portfolio_value >= now.maintenance_requirement:
            return []
        effects = Effects()
        market_index = None if scope.isolated is None else scope.isolated.market_index
        self.engine.end_all(scope.account.account_index, market_index, OrderStatus.CANCELED_LIQUIDATION, effects)
        found = [effects]
        if now.portfolio_value >= now.closeout_requirement:
            found += self._close_in_part(scope, at_us)
            now = scope.health(self.state)
        if scope.positions() and now.portfolio_value < now.closeout_requirement:
            found.append(self._take_over(scope, now, at_us))
        return found

    def _close_in_part(self, scope: _Scope, at_us: int) -> list[Effects]:
        found: list[Effects] = []
        for position in sorted(scope.positions(), key=lambda one: -self._notional(one)):
            for _ in range(ATTEMPTS_MAX):
                now = scope.health(self.state)
                if position.lots == 0 or now.portfolio_value >= now.maintenance_requirement:
                    break
                before = position.lots
                lots = self._lots_to_close(position, now)
                price = self._zero_price(position, now)
                found.append(self.engine.liquidate(scope.account, position.market_index, lots, price, at_us))
                if position.lots == before:
                    break
        return found

    def _notional(self, position: Position) -> int:
        return self.state.markets[position.market_index].quote(position.lots, self.state.mark(position.market_index))

    def _lots_to_close(self, position: Position, now: Health) -> int:
        missing = now.maintenance_requirement - now.portfolio_value
        gained = max(1, self._notional(position) * (MAINTENANCE_FRACTION - _FEE) // MARGIN_SCALE)
        return max(1, min(abs(position.lots), -(-abs(position.lots) * missing // gained)))

    def _zero_price(self, position: Position, now: Health) -> int:
        """The price at which a fill leaves value and maintenance margin in the same proportion; at least one tick."""
        mark, sign = self.state.mark(position.market_index), 1 if position.lots > 0 else -1
        scale = MARGIN_SCALE * max(1, now.maintenance_requirement)
        distance = mark * MAINTENANCE_FRACTION * now.portfolio_value
        # Rounded so that the fund never gets a worse price than the account's value allows.
        shift = -(-distance // scale) if sign < 0 else distance // scale
        return max(1, mark - sign * shift)

    def _take_over(self, scope: _Scope, now: Health, at_us: int) -> Effects:
        """Close everything at the zero price; what the rounding leaves goes to the fund too, so nothing is owed."""
        effects = Effects()
        account, before = scope.account, scope.account.collateral
        bearable = self.insurance_fund + self.state.insurance + now.portfolio_value >= 0
        for position in scope.positions():
            price, side = self._zero_price(position, now), Side.of_sign(position.lots).opposite
            if not bearable:
                self._deleverage(account, position, side, price, at_us, effects)
            if position.lots:
                self._trade(
                    account,
                    self.state.ambient,
                    position,
                    side,
                    abs(position.lots),
                    price,
                    "liquidation",
                    at_us,
                    effects,
                )
        if bearable:
            self.state.insurance += now.portfolio_value
        rest = account.collateral - (before if scope.isolated is not None else 0)
        account.collateral -= rest
        self.state.ambient.collateral += rest
        self.state.note_account(account)
        return effects

    def _deleverage(
        self, account: Account, position: Position, side: Side, price: int, at_us: int, effects: Effects
    ) -> None:
        for other, held in self._ranked(position):
            if position.lots == 0:
                return
            lots = min(abs(position.lots), abs(held.lots))
            self._trade(account, other, position, side, lots, price, "deleverage", at_us, effects)

    def _ranked(self, position: Position) -> list[tuple[Account, Position]]:
        market_index = position.market_index
        market, mark = self.state.markets[market_index], self.state.mark(market_index)
        found = [
            (account, held)
            for account in self.state.accounts.values()
            if (held := account.positions.get(market_index)) is not None and held.lots * position.lots < 0
        ]
        return sorted(
            found, key=lambda row: -unrealized_pnl(row[1], market, mark) * 10**9 // max(1, row[1].entry_quote)
        )

    def _trade(
        self,
        account: Account,
        other: Account,
        position: Position,
        side: Side,
        lots: int,
        price: int,
        kind: str,
        at_us: int,
        effects: Effects,
    ) -> None:
        market_index = position.market_index
        trade = self.engine.settlement.forced(account, other, market_index, side, lots, price, kind, at_us)
        effects.trades.append(trade)
        for one in self.engine.settlement.parties([trade]):
            effects.move(one, market_index)
            self.engine.trim_reduce_only(one, market_index, effects)

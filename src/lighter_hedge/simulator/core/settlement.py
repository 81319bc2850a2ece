"""From executions to trades: positions, money and fees of both parties. Pure.

Everybody who is no account of this exchange is the ambient account, so that over all accounts positions sum to zero and
money only moves.
"""

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.accounts import FEE_SCALE, Account, FillEffect, apply_fill
from lighter_hedge.simulator.core.effects import Effects
from lighter_hedge.simulator.core.matching import Execution
from lighter_hedge.simulator.core.orders import Order, OrderStatus, OrderType, Trade, TradeSide
from lighter_hedge.simulator.core.state import State

LIQUIDATION_FEE_MAX = 10_000
"""At most 1 % of the notional goes to the insurance fund, and never more than the fill was better than the zero price
(docs, liquidations and insurance fund); in 1e-6."""


class Settlement:
    """Books executions."""

    def __init__(self, state: State) -> None:
        self.state = state

    def book(self, market_index: int, executions: list[Execution], effects: Effects, at_us: int) -> None:
        """Turn executions into trades; fully filled orders end."""
        for execution in executions:
            effects.trades.append(self._settle(market_index, execution, at_us))
            for order in (execution.maker, execution.taker):
                if order is not None:
                    if order.filled_lots == order.size_lots:
                        order.status = OrderStatus.FILLED
                    effects.touch(order)

    def parties(self, trades: list[Trade]) -> list[int]:
        """Real accounts in these trades, each once."""
        found = {index: None for trade in trades for index in (trade.taker.account_index, trade.maker.account_index)}
        return [index for index in found if index in self.state.accounts]

    def _settle(self, market_index: int, execution: Execution, at_us: int) -> Trade:
        quote = self.state.markets[market_index].quote(execution.lots, execution.price_ticks)
        taker_side, taker = execution.taker_side, execution.taker
        forced = taker is not None and taker.order_type is OrderType.LIQUIDATION
        trade = Trade(
            trade_id=self.state.next_trade_id(),
            market_index=market_index,
            price_ticks=execution.price_ticks,
            lots=execution.lots,
            quote=quote,
            maker=self._settle_side(market_index, execution.maker, taker_side.opposite, execution.lots, quote, True),
            taker=self._settle_side(market_index, taker, taker_side, execution.lots, quote, False),
            is_maker_ask=taker_side is Side.BID,
            time_us=at_us,
            height=self.state.height(at_us),
            kind="liquidation" if forced else "trade",
        )
        self.state.note_trade(trade)
        return trade

    def _settle_side(
        self, market_index: int, order: Order | None, side: Side, lots: int, quote: int, is_maker: bool
    ) -> TradeSide:
        if order is None:
            index = self.state.next_order_index(market_index, side)
            return self._fill(self.state.ambient, market_index, side, lots, quote, 0, index)
        account = self.state.accounts[order.account_index]
        if order.order_type is OrderType.LIQUIDATION:
            fee = self._liquidation_fee(order, market_index, lots, quote)
        else:
            fee = account.maker_fee if is_maker else account.taker_fee
        order.filled_quote += quote
        return self._fill(account, market_index, side, lots, quote, fee, order.order_index, order.client_order_index)

    def _liquidation_fee(self, order: Order, market_index: int, lots: int, quote: int) -> int:
        zero = self.state.markets[market_index].quote(lots, order.price_ticks)
        better = max(0, (zero - quote) * order.side.sign)
        fee = min(LIQUIDATION_FEE_MAX, better * FEE_SCALE // quote) if quote else 0
        self.state.insurance += quote * fee // FEE_SCALE
        return fee

    def _fill(
        self,
        account: Account,
        market_index: int,
        side: Side,
        lots: int,
        quote: int,
        fee: int,
        order_index: int,
        client_order_index: int = 0,
    ) -> TradeSide:
        market = self.state.markets[market_index]
        effect: FillEffect = apply_fill(account, market, side, lots, quote, fee)
        self.state.note_account(account)
        return TradeSide(
            account_index=account.account_index,
            order_index=order_index,
            client_order_index=client_order_index,
            fee=fee,
            lots_before=effect.lots_before,
            entry_quote_before=effect.entry_quote_before,
            margin_fraction=account.position(market).margin_fraction,
            sign_changed=effect.sign_changed,
            realized_pnl=effect.realized_pnl,
        )

    def forced(
        self,
        taker: Account,
        maker: Account,
        market_index: int,
        side: Side,
        lots: int,
        price_ticks: int,
        kind: str,
        at_us: int,
    ) -> Trade:
        """The venue trades for ``taker``, unasked and without an order: a liquidation, a deleveraging. No fees."""
        quote = self.state.markets[market_index].quote(lots, price_ticks)
        indices = [self.state.next_order_index(market_index, one) for one in (side, side.opposite)]
        trade = Trade(
            trade_id=self.state.next_trade_id(),
            market_index=market_index,
            price_ticks=price_ticks,
            lots=lots,
            quote=quote,
            taker=self._fill(taker, market_index, side, lots, quote, 0, indices[0]),
            maker=self._fill(maker, market_index, side.opposite, lots, quote, 0, indices[1]),
            is_maker_ask=side is Side.BID,
            time_us=at_us,
            height=self.state.height(at_us),
            kind=kind,
        )
        self.state.note_trade(trade)
        return trade

    def ambient_trade(self, market_index: int, price: int, lots: int, taker_side: Side, at_us: int) -> Trade:
        """A public trade between others."""
        trade = Trade(
            trade_id=self.state.next_trade_id(),
            market_index=market_index,
            price_ticks=price,
            lots=lots,
            quote=self.state.markets[market_index].quote(lots, price),
            maker=self._ambient_side(market_index, taker_side.opposite),
            taker=self._ambient_side(market_index, taker_side),
            is_maker_ask=taker_side is Side.BID,
            time_us=at_us,
            height=self.state.height(at_us),
        )
        self.state.note_trade(trade)
        return trade

    def _ambient_side(self, market_index: int, side: Side) -> TradeSide:
        return TradeSide(
            account_index=self.state.ambient.account_index,
            order_index=self.state.next_order_index(market_index, side),
            client_order_index=0,
            margin_fraction=self.state.markets[market_index].initial_margin_fraction,
        )

"""Hourly funding. Pure integers; rates in 1e-8 of the notional.

Once a minute the premium of a market is sampled: how far its best bid is above the index, or its best ask below it. At
each hour the average premium plus interest, within clamps, divided by 8, is paid by longs to shorts, or the other way
round where it is negative (docs, funding; the big clamp comes before the division). The venue samples at a random
second of the minute with impact prices of an undocumented size: here the minute's first mark price and the best prices
stand for them. The ambient account is the other side of whatever is left over.
"""

from lighter_hedge.domain.units import POWERS_OF_TEN
from lighter_hedge.simulator.core.accounts import Account, Position
from lighter_hedge.simulator.core.effects import Effects
from lighter_hedge.simulator.core.pushes import FundingPaid, Push
from lighter_hedge.simulator.core.records import AccountFunding, Funding, PositionFunding
from lighter_hedge.simulator.core.state import State, rate_now

RATE_SCALE = 100_000_000
MINUTE_US = 60_000_000


def sample(state: State, market_index: int, at_us: int) -> None:
    """Take this minute's premium, unless it is taken already."""
    market, book = state.market_states[market_index], state.books[market_index]
    minute = at_us // MINUTE_US
    if minute == market.premium_minute or not market.index_ticks:
        return
    market.premium_minute = minute
    index = market.index_ticks
    bid, ask = book.bids.best_price() or index, book.asks.best_price() or index
    market.premium_sum += (max(0, bid - index) - max(0, index - ask)) * RATE_SCALE // index
    market.premium_count += 1
    state.note_market()


def pay(state: State, at_us: int) -> tuple[list[Push], Effects]:
    """Pay one hour's funding of every market. Return what is told of each payment, and whom it moved."""
    told: list[Push] = []
    effects = Effects()
    for market_index, market in state.market_states.items():
        rate, mark = rate_now(market), state.mark(market_index)
        market.premium_sum = market.premium_count = 0
        market.funding_rate, market.funded_us = rate, at_us
        spec = state.markets[market_index]
        value = spec.quote(POWERS_OF_TEN[spec.size_decimals], mark) * rate // RATE_SCALE
        state.note_funding(Funding(market_index=market_index, rate=rate, value=value, time_us=at_us))
        for account in state.accounts.values():
            position = account.positions.get(market_index)
            if position is not None and position.lots:
                told.append(_pay_one(state, account, position, rate, mark, at_us))
                effects.move(account.account_index, market_index)
    return told, effects


def _pay_one(state: State, account: Account, position: Position, rate: int, mark: int, at_us: int) -> FundingPaid:
    paid = state.markets[position.market_index].quote(position.lots, mark) * rate // RATE_SCALE
    paid = paid if position.lots > 0 else -paid
    if position.is_isolated:
        position.allocated -= paid
    else:
        account.collateral -= paid
    position.funding_paid += paid
    state.ambient.collateral += paid
    state.note_account(account)
    record = PositionFunding(
        funding_id=state.next_sequence(),
        market_index=position.market_index,
        rate=rate,
        change=-paid,
        lots=position.lots,
        time_us=at_us,
    )
    state.note_account_funding(AccountFunding(account_index=account.account_index, payment=record))
    return FundingPaid(
        account_index=account.account_index,
        market_index=record.market_index,
        funding_id=record.funding_id,
        rate=rate,
        change=record.change,
        lots=record.lots,
        at_us=at_us,
    )

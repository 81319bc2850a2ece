"""What is quoted next, where a quote stands, when it has drifted, and how far a hedge may reach."""

from lighter_hedge.domain.book import Book, Resting
from lighter_hedge.domain.pair import residual
from lighter_hedge.domain.settings import DeskSettings, Direction
from lighter_hedge.domain.states import Leg
from lighter_hedge.domain.units import Side

BPS_E2 = 1_000_000
"""Hundredths of a basis point in one."""


def quote_price(book: Book, side: Side, depth: int, own: Resting | None = None) -> int | None:
    """Price of a post-only quote at level ``depth``, never crossing; None where the book is too thin.

    Levels are counted without our own order, so that a quote does not chase itself.
    """
    level = book.level(side, depth, own)
    touch = book.best(side.opposite, own)
    if level is None or touch is None:
        return None
    price = min(level, touch - 1) if side is Side.BID else max(level, touch + 1)
    return price if price > 0 else None


def next_quote(
    settings: DeskSettings, position: int, min_lots: int, opened: Side | None, *, same_round: bool
) -> tuple[Side, int, Leg]:
    """Side, lots and leg of the next quote: open when flat, else close all that is held.

    ``opened`` is the side of the last opening quote, for alternation; another attempt of its round keeps that side.
    """
    if not residual(position, min_lots):
        return Side.of_sign(-position), abs(position), Leg.CLOSE
    if settings.direction is Direction.LONG:
        side = Side.BID
    elif settings.direction is Direction.SHORT:
        side = Side.ASK
    elif opened is None:
        side = Side.BID
    else:
        side = opened if same_round else opened.opposite
    return side, settings.quantity, Leg.OPEN


def drifted(price: int, level: int, limit_bps_e2: int) -> bool:
    """Whether a quote at ``price`` is further from its ``level`` than the limit, in hundredths of a basis point."""
    assert price > 0
    assert level > 0
    return abs(price - level) * BPS_E2 > limit_bps_e2 * price


def hedge_cap(reference: int, side: Side, slippage_bps_e2: int, ladder_percent: int) -> int:
    """Worst price of a hedge on ``side``: ``reference`` widened by the slippage times the ladder's factor."""
    assert reference > 0
    assert slippage_bps_e2 >= 0
    assert ladder_percent >= 100
    reach = reference * slippage_bps_e2 * ladder_percent // (BPS_E2 * 100)
    return max(1, reference - reach) if side is Side.ASK else reference + reach

"""The ``event_info`` text of an executed transaction, as the venue writes it.

Keys (fact sheet, section 3, Tx): ``m`` market, ``t`` trade, ``mo``/``to`` maker and taker order, ``ae`` the
sequencer's error.
"""

import json
from typing import Any

from lighter_hedge.domain.units import Side
from lighter_hedge.simulator.core.orders import Order, Trade

CLIENT_INDEX_EXISTS = (21728, "client order index already exists")
NOT_ACTIVE = (21600, "given order is not an active limit order")
NOT_ALIVE = (21715, "given order is not an active order")
EXPIRY_TOO_SOON = (21711, "invalid expiry")
NOTHING_TO_REDUCE = (21738, "invalid reduce only direction")


def order_event(market_index: int, order: Order | None, trade: Trade | None, maker: Order | None) -> str:
    """Of a created order; ``trade`` is its last trade."""
    return _text(
        {
            "m": market_index,
            "t": {"p": 0, "s": 0, "tf": 0, "mf": 0} if trade is None else _trade(trade),
            "mo": _order(maker),
            "to": _order(order),
            "ae": "",
        }
    )


def cancel_event(account_index: int, order: Order | None, index: int, *, was_known: bool = True) -> str:
    """Of a cancel. A dead order is an acknowledged no-op that carries 21600; an unknown one carries 21715.

    Both codes were seen (fact sheet, section 5); which of them means which is inferred.
    """
    return _text(
        {
            "a": account_index,
            "i": index if order is None else order.order_index,
            "u": 0 if order is None else order.client_order_index,
            "ae": "" if order is not None else error_text(*(NOT_ACTIVE if was_known else NOT_ALIVE)),
        }
    )


def modify_event(market_index: int, old: Order | None, new: Order | None) -> str:
    """Of a modification."""
    error = "" if new is not None else error_text(*NOT_ACTIVE)
    return _text({"m": market_index, "oo": _order(old), "no": _order(new), "ae": error})


def refused_event(code: int, message: str) -> str:
    """Of a transaction that was accepted and then did nothing."""
    return _text({"ae": error_text(code, message)})


def plain_event() -> str:
    """Of a transaction with nothing more to say."""
    return _text({"ae": ""})


def error_text(code: int, message: str) -> str:
    """The ``ae`` value: JSON text of code and message."""
    return _text({"code": code, "message": message})


def _trade(trade: Trade) -> dict[str, int]:
    return {"p": trade.price_ticks, "s": trade.lots, "tf": trade.taker.fee, "mf": trade.maker.fee}


def _order(order: Order | None) -> dict[str, Any]:
    if order is None:
        return {}
    return {
        "i": order.order_index,
        "u": order.client_order_index,
        "a": order.account_index,
        "is": order.size_lots,
        "p": order.price_ticks,
        "rs": order.leaves_lots,
        "ia": int(order.side is Side.ASK),
        "ot": int(order.order_type),
        "f": int(order.time_in_force),
        "ro": int(order.reduce_only),
        "tp": order.trigger_ticks,
        "e": order.expiry_ms,
        "st": order.status.code,
        "ts": order.trigger_status.code,
        "t0": order.to_trigger[0] if order.to_trigger else 0,
        "t1": order.to_trigger[1] if len(order.to_trigger) > 1 else 0,
        "c0": order.to_cancel,
    }


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))

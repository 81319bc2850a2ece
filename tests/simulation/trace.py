"""One readable line for each event and effect, and a hash over all of them: what must be the same for the same seed."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lighter_hedge.domain.events import (
    AccountRead,
    BurnRequest,
    CancelRequest,
    Candidate,
    Event,
    FeedClosed,
    HedgerHeard,
    MakerHeard,
    NonceRead,
    OrderReported,
    OrderRequest,
    OrdersRead,
    PositionReported,
    Request,
    SendAnswered,
    TradeReported,
    TxReported,
)
from lighter_hedge.domain.states import HedgerState, MakerState
from lighter_hedge.simulator.core.orders import Order, Trade


def request_text(request: Request) -> str:
    """A request in a few words."""
    match request:
        case OrderRequest():
            kind = "close" if request.reduce_only else request.kind.value
            return (
                f"{kind} {request.coid & 0x7FFFFFF} r{request.round} {request.side.word} {request.lots}@{request.price}"
            )
        case CancelRequest():
            return f"cancel {request.coid & 0x7FFFFFF}"
        case BurnRequest():
            return "burn"


def candidate_text(candidate: Candidate) -> str:
    """Signed bytes in a few words."""
    return f"{request_text(candidate.request)} n{candidate.nonce} {candidate.tx_hash[:6]}"


def _maker(state: MakerState) -> str:
    announce = state.announce
    wanted = f" announce r{announce.round}.{announce.attempt} {announce.side.word} {announce.lots}" if announce else ""
    paused = f" paused {state.pause.code}" if state.pause else ""
    return f"A {state.epoch % 100_000}-{state.seq} r{state.round}{wanted}{paused}"


def _hedger(state: HedgerState) -> str:
    armed = f" armed r{state.armed.round}.{state.armed.attempt} {state.armed.lots}" if state.armed else ""
    confirm = f" confirm r{state.confirm.round} {state.confirm.cum}" if state.confirm else ""
    rest = f" unresolved {state.unresolved}" if state.unresolved else ""
    why = f" ({state.disarmed})" if state.disarmed else ""
    return f"B {state.epoch % 100_000}-{state.seq}{armed}{confirm}{rest}{why}"


def _row(event: OrderReported) -> str:
    report = event.report
    return f"row of {event.role.letter} {report.coid & 0x7FFFFFF} {report.filled}/{report.lots} {report.status}"


def _trade(event: TradeReported) -> str:
    trade = event.trade
    what = f"{trade.side.word} {trade.lots}@{trade.price} {trade.kind}"
    return f"trade of {event.role.letter} {trade.coid & 0x7FFFFFF} {what}"


HEARD: dict[type, Callable[[Any], str]] = {
    SendAnswered: lambda e: f"answer {e.tx_hash[:6]} {e.answer.kind.value} {e.answer.code}",
    NonceRead: lambda e: f"next nonce {e.nonce}",
    TxReported: lambda e: f"tx {e.tx_hash[:6]} {e.status.value if e.status else 'unread'} {e.error}".rstrip(),
    OrdersRead: lambda e: f"read {'no answer' if e.rows is None else len(e.rows)} orders",
    OrderReported: _row,
    TradeReported: _trade,
    PositionReported: lambda e: f"position of {e.role.letter} {e.lots}",
    AccountRead: lambda e: f"read account {e.role.letter} {e.position}",
    FeedClosed: lambda e: f"feed closed: {e.reason}",
    MakerHeard: lambda e: f"hears {_maker(e.state)}",
    HedgerHeard: lambda e: f"hears {_hedger(e.state)}",
}
"""What is worth a line. Ticks, books and balances are not."""


def _entries(entries: Any) -> str:
    return "writes " + ", ".join(type(entry).__name__ for entry in entries)


DONE: dict[str, Callable[[Any], str]] = {
    "send": lambda candidate: f"SENDS {candidate_text(candidate)}",
    "sign": lambda candidate: f"signs {candidate_text(candidate)}",
    "commit": _entries,
    "append": lambda state: f"tells {_maker(state) if isinstance(state, MakerState) else _hedger(state)}",
    "publish": lambda channel: f"publishes {channel}",
    "alert": lambda code: f"ALERT {code}",
}


@dataclass(slots=True)
class Trace:
    """Lines in order. The hash is over all; the lines themselves are kept only where somebody wants to read them."""

    clock: Callable[[], float]
    keep: bool = False
    show: Callable[[str], None] | None = None
    lines: list[str] = field(default_factory=list)
    count: int = 0
    _hash: Any = field(default_factory=hashlib.sha256)

    def add(self, text: str) -> None:
        """One line."""
        line = f"{self.clock() - 1000:9.3f} {text}"
        self.count += 1
        self._hash.update(line.encode())
        self._hash.update(b"\n")
        if self.keep:
            self.lines.append(line)
        if self.show is not None:
            self.show(line)

    def event(self, name: str, event: Event) -> None:
        """A process hears something."""
        text = HEARD.get(type(event))
        if text is not None:
            self.add(f"{name} < {text(event)}")

    def effect(self, name: str, what: str, detail: object) -> None:
        """A process does something."""
        text = DONE.get(what)
        if text is not None:
            self.add(f"{name} > {text(detail)}")

    def order(self, order: Order) -> None:
        """The exchange's truth about an order."""
        self.add(
            f"exchange   {order.account_index} order {order.client_order_index & 0x7FFFFFF} {order.status.value} "
            f"{order.filled_lots}/{order.size_lots}@{order.price_ticks}"
        )

    def trade(self, trade: Trade) -> None:
        """The exchange's truth about a trade."""
        self.add(
            f"exchange   TRADE {trade.bid.account_index} buys {trade.lots}@{trade.price_ticks} "
            f"of {trade.ask.account_index} {trade.kind}"
        )

    @property
    def digest(self) -> str:
        """The hash over all lines so far."""
        return str(self._hash.hexdigest())

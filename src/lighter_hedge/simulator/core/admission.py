"""The API stage: whether a transaction is let in. Pure. What is refused here does not consume its nonce."""

from typing import assert_never

from lighter_hedge.domain.units import MarketSpec, Side
from lighter_hedge.simulator.core.accounts import Account, has_margin
from lighter_hedge.simulator.core.faults import FaultBoard
from lighter_hedge.simulator.core.markets import MIN_MARGIN_FRACTION
from lighter_hedge.simulator.core.orders import Order, OrderType, TimeInForce
from lighter_hedge.simulator.core.rules import ExchangeSettings
from lighter_hedge.simulator.core.state import State
from lighter_hedge.simulator.core.transactions import (
    CANCEL_ALL_ABORT,
    CANCEL_ALL_IMMEDIATE,
    CancelAll,
    CancelOrder,
    CreateOrder,
    Envelope,
    ModifyOrder,
    TxBody,
    TxRefused,
    UpdateLeverage,
)

ORDER_EXPIRY_MAX_MS = 30 * 86_400_000
CANCEL_ALL_MIN_MS = 5 * 60_000
CANCEL_ALL_MAX_MS = 15 * 86_400_000
NONCE_MAX = 2**47 - 1


class Admission:
    """Checks transactions against keys, nonces, markets and margin."""

    def __init__(self, state: State, faults: FaultBoard, settings: ExchangeSettings) -> None:
        self.state = state
        self.faults = faults
        self.settings = settings

    def check(self, envelope: Envelope, now_us: int) -> Account:
        """The account that may send this transaction now.

        Raises:
            TxRefused: it may not; the nonce stays as it is.
        """
        account = self.state.accounts.get(envelope.account_index)
        if account is None:
            raise TxRefused(21100, "account not found")
        index = account.account_index
        if envelope.api_key_index not in account.keys or self.key_revoked(index, envelope.api_key_index, now_us):
            raise TxRefused(21109, "api key not found")
        rejected = self.faults.strike("reject", now_us, index)
        if rejected is not None:
            text = rejected.parameters.get("message", "refused by a fault")
            raise TxRefused(rejected.number("code"), str(text))
        expected = account.keys[envelope.api_key_index].nonce
        skipped = envelope.skip_nonce and expected <= envelope.nonce < NONCE_MAX
        if envelope.nonce != expected and not skipped:
            raise TxRefused(21104, "invalid nonce")
        if envelope.expired_at_ms * 1000 <= now_us:
            raise TxRefused(21501, "invalid tx info: expired")
        self._check_body(account, envelope.body, now_us)
        return account

    def key_revoked(self, account_index: int, api_key_index: int, now_us: int) -> bool:
        """Whether a fault has revoked the key."""
        fault = self.faults.active("key_revoked", now_us, account_index)
        return fault is not None and fault.parameters.get("api_key_index", api_key_index) == api_key_index

    def _check_body(self, account: Account, body: TxBody, now_us: int) -> None:
        match body:
            case CreateOrder():
                self._check_create(account, body, now_us)
            case CancelOrder():
                self._market(body.market_index)
            case ModifyOrder():
                market = self._market(body.market_index)
                if body.size_lots < market.min_lots(body.price_ticks):
                    raise TxRefused(21706, "invalid order base or quote amount")
            case CancelAll():
                if body.market_index is not None and body.market_index != 255:
                    self._market(body.market_index)
                self._check_cancel_all_time(account, body, now_us)
            case UpdateLeverage():
                self._market(body.market_index)
                if not MIN_MARGIN_FRACTION <= body.margin_fraction <= 10_000:
                    raise TxRefused(21113, "invalid initial margin fraction")
                if body.margin_mode != 0:
                    raise TxRefused(21613, "invalid margin mode")
            case _:
                assert_never(body)

    def _check_cancel_all_time(self, account: Account, body: CancelAll, now_us: int) -> None:
        if body.mode in (CANCEL_ALL_IMMEDIATE, CANCEL_ALL_ABORT):
            return
        if account.cancel_all_us:
            raise TxRefused(21712, "cancel all already queued")
        ahead = body.time_ms - now_us // 1000
        if not CANCEL_ALL_MIN_MS <= ahead <= CANCEL_ALL_MAX_MS:
            raise TxRefused(21714, "invalid cancel all time")

    def _market(self, market_index: int) -> MarketSpec:
        market = self.state.markets.get(market_index)
        if market is None:
            raise TxRefused(21602, "invalid market index")
        if not market.active:
            raise TxRefused(21605, "invalid market status")
        return market

    def _check_create(self, account: Account, body: CreateOrder, now_us: int) -> None:
        market = self._market(body.market_index)
        if self.faults.active("halted", now_us, account.account_index, body.market_index) is not None:
            raise TxRefused(21605, "invalid market status")
        rests = body.time_in_force is not TimeInForce.IOC
        if rests and body.expiry_ms - now_us // 1000 > ORDER_EXPIRY_MAX_MS:
            raise TxRefused(21711, "invalid order expiry")
        bound = (rests or self.settings.minimums_bind_takers) and not body.reduce_only
        if bound and body.size_lots < market.min_lots(body.price_ticks):
            raise TxRefused(21706, "invalid order base or quote amount")
        if body.order_type is OrderType.LIMIT:
            self._check_price_band(body)
        if rests and not self._affordable(account, body, now_us):
            raise TxRefused(21739, "not enough margin to create the order")

    def _check_price_band(self, body: CreateOrder) -> None:
        band = self.settings.price_band_percent
        mark = self.state.mark(body.market_index)
        if not band or not mark:
            return
        book = self.state.books[body.market_index]
        if body.side is Side.BID:
            touch = min(mark, book.asks.best_price() or mark)
            beyond = body.price_ticks * 100 > touch * (100 + band)
        else:
            touch = max(mark, book.bids.best_price() or mark)
            beyond = body.price_ticks * 100 < touch * (100 - band)
        if beyond:
            raise TxRefused(21733, "order price flagged as an accidental price")

    def _affordable(self, account: Account, body: CreateOrder, now_us: int) -> bool:
        probe = Order(
            order_index=0,
            client_order_index=0,
            account_index=account.account_index,
            wallet=account.l1_address,
            market_index=body.market_index,
            side=body.side,
            order_type=body.order_type,
            time_in_force=body.time_in_force,
            reduce_only=body.reduce_only,
            price_ticks=body.price_ticks,
            size_lots=body.size_lots,
            expiry_ms=body.expiry_ms,
            tx_hash="",
            created_us=now_us,
            updated_us=now_us,
            sequence=0,
        )
        open_orders = list(self.state.open_of[account.account_index].values())
        return has_margin(account, probe, open_orders, self.state.markets, self.state.marks())

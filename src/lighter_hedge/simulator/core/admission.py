"""The API stage: whether a transaction is let in. Pure. What is refused here does not consume its nonce."""

from typing import assert_never

from lighter_hedge.domain.units import MarketSpec, Side
from lighter_hedge.simulator.core.account_txs import AccountTxs, check_new_key
from lighter_hedge.simulator.core.accounts import Account, ApiKey, has_margin
from lighter_hedge.simulator.core.faults.board import FaultBoard
from lighter_hedge.simulator.core.faults.kinds import API
from lighter_hedge.simulator.core.orders import Order, OrderType, TimeInForce
from lighter_hedge.simulator.core.rules import ExchangeSettings
from lighter_hedge.simulator.core.state import State
from lighter_hedge.simulator.core.transactions import (
    CANCEL_ALL_SCHEDULED,
    OTO,
    OTOCO,
    CancelAll,
    CancelOrder,
    ChangePubKey,
    CreateGroup,
    CreateOrder,
    CreateSubAccount,
    Envelope,
    ModifyOrder,
    Transfer,
    TxBody,
    TxRefused,
    UpdateLeverage,
    UpdateMargin,
)

ORDER_EXPIRY_MAX_MS = 30 * 86_400_000
CANCEL_ALL_MIN_MS = 5 * 60_000
CANCEL_ALL_MAX_MS = 15 * 86_400_000
NONCE_MAX = 2**47 - 1
NO_MARGIN = (21739, "not enough margin to create the order")


class Admission:
    """Checks transactions against keys, nonces, markets and margin."""

    def __init__(self, state: State, faults: FaultBoard, settings: ExchangeSettings) -> None:
        self.state = state
        self.faults = faults
        self.settings = settings
        self.account_txs = AccountTxs(state, settings)

    def check(self, envelope: Envelope, now_us: int) -> tuple[Account, ApiKey]:
        """The account and the key that may send this transaction now.

        Raises:
            TxRefused: they may not; the nonce stays as it is.
        """
        account = self.state.accounts.get(envelope.account_index)
        if account is None:
            raise TxRefused(21100, "account not found")
        index, body = account.account_index, envelope.body
        key = account.keys.get(envelope.api_key_index)
        if isinstance(body, ChangePubKey):
            key = check_new_key(account, envelope.api_key_index)
        if key is None or self.key_revoked(index, envelope.api_key_index, now_us):
            raise TxRefused(21109, "api key not found")
        rejected = self.faults.strike("reject", now_us, index)
        if rejected is not None:
            text = rejected.parameters.get("message", "refused by a fault")
            raise TxRefused(rejected.number("code"), str(text))
        skipped = envelope.skip_nonce and key.nonce <= envelope.nonce < NONCE_MAX
        if envelope.nonce != key.nonce and not skipped:
            raise TxRefused(21104, "invalid nonce")
        if envelope.expired_at_ms * 1000 <= now_us:
            raise TxRefused(21501, "invalid tx info: expired")
        if account.cancel_all_us and now_us >= account.cancel_all_us:
            raise TxRefused(21122, "dead man's switch is due")
        self._check_health(account, body)
        self._check_body(account, body, now_us)
        return account, key

    def key_revoked(self, account_index: int, api_key_index: int, now_us: int) -> bool:
        """Whether a fault has revoked the key."""
        fault = self.faults.active("key_revoked", now_us, account_index)
        return fault is not None and fault.parameters.get("api_key_index", api_key_index) == api_key_index

    def _check_health(self, account: Account, body: TxBody) -> None:
        """An account without its initial margin may do only what makes it healthier (docs, liquidations).

        Below the maintenance margin it is in liquidation. What it may do then is not documented: inferred, the same.
        """
        match body:
            case CancelOrder() | CancelAll() | ChangePubKey() | CreateSubAccount():
                return
            case CreateOrder():
                helps = self._reduces(account, body)
            case CreateGroup():
                helps = all(leg.size_lots == 0 or self._reduces(account, leg) for leg in body.orders)
            case UpdateMargin():
                helps = body.adds
            case ModifyOrder():
                helps = self._modifies_a_reduction(account, body)
            case UpdateLeverage() | Transfer():
                helps = False
            case _:
                assert_never(body)
        if helps or not any(position.lots for position in account.positions.values()):
            return
        now = self.state.health(account)
        if now.portfolio_value < now.maintenance_requirement:
            raise TxRefused(21112, "account is in liquidation")
        if now.portfolio_value < now.initial_requirement:
            raise TxRefused(
                21111, "account is in pre-liquidation and the transaction doesn't increase the account health"
            )

    def _modifies_a_reduction(self, account: Account, body: ModifyOrder) -> bool:
        for order in self.state.open_of[account.account_index].values():
            if body.index in (order.order_index, order.client_order_index) and order.market_index == body.market_index:
                return order.reduce_only
        return True

    def _check_body(self, account: Account, body: TxBody, now_us: int) -> None:
        match body:
            case CreateOrder():
                self._check_create(account, body, now_us)
            case CreateGroup():
                self._check_group(account, body, now_us)
            case CancelOrder():
                self._market(body.market_index)
            case ModifyOrder():
                self._check_modify(account, body)
            case CancelAll():
                if body.market_index is not None:
                    self._market(body.market_index)
                self._check_cancel_all_time(account, body, now_us)
            case UpdateLeverage() | UpdateMargin():
                self._market(body.market_index)
                self.account_txs.check(account, body)
            case ChangePubKey() | CreateSubAccount() | Transfer():
                self.account_txs.check(account, body)
            case _:
                assert_never(body)

    def _check_cancel_all_time(self, account: Account, body: CancelAll, now_us: int) -> None:
        if body.mode != CANCEL_ALL_SCHEDULED:
            return
        if account.cancel_all_us:
            raise TxRefused(21712, "account has a queued cancel all orders request")
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

    def _open_market(self, market_index: int) -> MarketSpec:
        """A market that takes orders; in a halted one only cancels still work."""
        market = self._market(market_index)
        if self.state.market_states[market_index].halted:
            raise TxRefused(21605, "invalid market status")
        return market

    # --- orders ---

    def _check_modify(self, account: Account, body: ModifyOrder) -> None:
        market = self._open_market(body.market_index)
        if body.size_lots < market.min_lots(body.price_ticks):
            raise TxRefused(21706, "invalid order base or quote amount")

    def _check_group(self, account: Account, body: CreateGroup, now_us: int) -> None:
        for number, leg in enumerate(body.orders):
            is_child = number > 0 and body.grouping in (OTO, OTOCO)
            self._check_create(account, leg, now_us, is_child=is_child)

    def _check_create(self, account: Account, body: CreateOrder, now_us: int, *, is_child: bool = False) -> None:
        market = self._open_market(body.market_index)
        if self.faults.active("halted", now_us, account.account_index, body.market_index) is not None:
            raise TxRefused(21605, "invalid market status")
        if self.faults.strike(
            "margin_refusal",
            now_us,
            account.account_index,
            body.market_index,
            fits=lambda one: one.word("stage", API) == API,
        ):
            raise TxRefused(*NO_MARGIN)
        if body.expiry_ms - now_us // 1000 > ORDER_EXPIRY_MAX_MS:
            raise TxRefused(21711, "invalid expiry")
        rests = body.time_in_force is not TimeInForce.IOC
        bound = (rests or self.settings.minimums_bind_takers) and not body.reduce_only and not is_child
        if bound and body.size_lots < market.min_lots(body.price_ticks):
            raise TxRefused(21706, "invalid order base or quote amount")
        if body.order_type is OrderType.LIMIT:
            self._check_price_band(body)
        elif body.order_type.waits:
            self._check_trigger_band(body)
        if self.state.market_states[body.market_index].force_reduce_only and not self._reduces(account, body):
            raise TxRefused(21740, "invalid reduce only mode")
        self._check_caps(account, body)
        if rests and not body.order_type.waits and not self._affordable(account, body, now_us):
            raise TxRefused(*NO_MARGIN)

    def _reduces(self, account: Account, body: CreateOrder) -> bool:
        if body.market_index not in self.state.markets:
            return True  # To be refused for its market.
        held = account.position(self.state.markets[body.market_index]).lots
        return body.reduce_only or (held * body.side.sign < 0 and body.size_lots <= abs(held))

    def _check_caps(self, account: Account, body: CreateOrder) -> None:
        """Caps on living orders by tier. An order that is over at once needs no place: inferred."""
        caps = self.settings.caps.get(account.tier)
        waits = body.order_type.waits
        if caps is None or (body.time_in_force is TimeInForce.IOC and not waits):
            return
        alike = [order for order in self.state.open_of[account.account_index].values() if order.is_open is not waits]
        here = sum(order.market_index == body.market_index for order in alike)
        if waits:
            if len(alike) >= caps.pending_account:
                raise TxRefused(21719, "maximum pending order count reached")
            if here >= caps.pending_market:
                raise TxRefused(21720, "maximum pending order count per market reached")
        else:
            if len(alike) >= caps.open_account:
                raise TxRefused(21717, "maximum active limit order count reached")
            if here >= caps.open_market:
                raise TxRefused(21718, "maximum active limit order count per market reached")

    def _check_price_band(self, body: CreateOrder) -> None:
        """A limit may not reach 5 % beyond mark and touch: 21733, and optionally not stand far away: 21734."""
        mark = self.state.mark(body.market_index)
        if not mark:
            return
        book, band, far = (
            self.state.books[body.market_index],
            self.settings.price_band_percent,
            self.settings.far_percent,
        )
        if body.side is Side.BID:
            touch = min(mark, book.asks.best_price() or mark)
            beyond = body.price_ticks * 100 > touch * (100 + band)
            away = body.price_ticks * 100 < mark * (100 - far)
        else:
            touch = max(mark, book.bids.best_price() or mark)
            beyond = body.price_ticks * 100 < touch * (100 - band)
            away = body.price_ticks * 100 > mark * (100 + far)
        if band and beyond:
            raise TxRefused(21733, "order price flagged as an accidental price")
        if far and away:
            raise TxRefused(21734, "limit order price is too far from the mark price")

    def _check_trigger_band(self, body: CreateOrder) -> None:
        band = self.settings.trigger_band_percent
        beyond = (body.price_ticks - body.trigger_ticks) * body.side.sign
        if band and beyond * 100 > body.trigger_ticks * band:
            raise TxRefused(21735, "SL/TP order price is too far from the trigger price")

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

"""The venue's words: JSON of its stream and its REST API as far as it is read here, and its constants.

Structs tolerate fields they do not know. A field has a default only where the venue leaves it out.
Source of the constants: the official SDK ``lighter-sdk`` 1.1.8 and the venue's API reference.
"""

from typing import Annotated, Final

import msgspec

# --- transactions -----------------------------------------------------------------------------------------------

TX_CREATE_ORDER: Final = 14
TX_CANCEL_ORDER: Final = 15
TX_CANCEL_ALL: Final = 16

ORDER_TYPE_LIMIT: Final = 0

TIME_IN_FORCE_IOC: Final = 0
TIME_IN_FORCE_POST_ONLY: Final = 2

CANCEL_ALL_IMMEDIATE: Final = 0

SELF_TRADE_EXPIRE_MAKER: Final = 0
SELF_TRADE_SAME_ACCOUNT: Final = 0
SELF_TRADE_SAME_MASTER: Final = 1

TX_STATUS_FAILED: Final = 0
TX_STATUS_PENDING: Final = 1
TX_STATUS_EXECUTED: Final = 2
"""2 executed, 3 packed, 4 committed, 5 verified: all of them have run."""

# --- codes ------------------------------------------------------------------------------------------------------

CODE_OK: Final = 200
CODE_BAD_NONCE: Final = 21104
CODE_ACCOUNT_NOT_FOUND: Final = 21100
CODE_KEY_NOT_FOUND: Final = 21109
CODES_UNKNOWN_KEY: Final = frozenset({CODE_ACCOUNT_NOT_FOUND, CODE_KEY_NOT_FOUND})
CODE_TX_NOT_FOUND: Final = 21500
CODE_NOT_FOUND: Final = 29404
CODES_THROTTLED: Final = frozenset({405, 429, 23000, 30009, 30010})
"""Firewall, too many requests, too many socket messages, too many in flight: refused before it was looked at."""
CODES_UNCERTAIN: Final = frozenset({29500, 29501})
"""Internal error and processing timeout: the transaction may run all the same."""
CODES_SUBSCRIPTION: Final = frozenset({20001, 20013, 30002, 30003, 30004, 30005, 30008, 30012, 23001, 23002})
"""Errors about channels and tokens, never about a transaction."""

KEY_INDEX_ALL: Final = 255
ORDERS_PER_READ: Final = 20
"""Client order indexes that one ``accountOrders`` takes."""
CLOSED_ORDERS_READ: Final = 100
"""Rows that one ``accountInactiveOrders`` gives at most."""


INT_MAX: Final = 2**63 - 1
"""What a journal can hold."""
Count = Annotated[int, msgspec.Meta(ge=0, le=INT_MAX)]
"""Indices, nonces, codes and stamps: never negative at the venue."""
Signed = Annotated[int, msgspec.Meta(ge=-INT_MAX, le=INT_MAX)]
Sign = Annotated[int, msgspec.Meta(ge=-1, le=1)]


class Wire(msgspec.Struct, gc=False):
    """Base of what is read from the venue."""


# --- parts ------------------------------------------------------------------------------------------------------


class Level(Wire):
    """A price level: absolute size, 0 deletes it."""

    price: str
    size: str


class BookBody(Wire):
    """Levels and their place in the chain: ``begin_nonce`` is the ``nonce`` before."""

    nonce: Count
    begin_nonce: Count
    asks: list[Level] | None = None
    bids: list[Level] | None = None


class Stats(Wire):
    """Statistics of one market."""

    mark_price: str = ""


class TradeRow(Wire):
    """A trade. Zero and empty fields are left out by the venue, so are the client ids of older ones."""

    trade_id: Count
    market_id: Count
    size: str
    price: str
    ask_id: Count
    bid_id: Count
    ask_account_id: Count
    bid_account_id: Count
    timestamp: Count
    type: str = "trade"
    is_maker_ask: bool = False
    usd_amount: str = ""
    ask_client_id: Count = 0
    bid_client_id: Count = 0


class OrderRow(Wire):
    """An order. ``created_at`` is in seconds on some channels, in milliseconds on others."""

    order_index: Count
    market_index: Count
    initial_base_amount: str
    price: str
    status: str
    is_ask: bool = False
    client_order_index: Count = 0
    filled_base_amount: str = "0"
    filled_quote_amount: str = "0"
    created_at: Count = 0
    timestamp: Count = 0


class PositionRow(Wire):
    """A position: absolute size and a sign."""

    market_id: Count
    sign: Sign
    position: str
    open_order_count: Count = 0


class TxRow(Wire):
    """A transaction, without the signed bytes."""

    hash: str
    status: Count
    event_info: str = ""


class UserStats(Wire):
    """Balances of an account."""

    available_balance: str = ""


class ErrorBody(Wire):
    """What the venue says of a refusal."""

    code: Count = 0
    message: str = ""


# --- frames of the stream ---------------------------------------------------------------------------------------


class BookUpdate(Wire, tag_field="type", tag="update/order_book"):
    """Changes of the order book, every 50 ms at most."""

    channel: str
    order_book: BookBody
    timestamp: Count = 0
    """When the venue sent it, Unix milliseconds."""


class BookSnapshot(Wire, tag_field="type", tag="subscribed/order_book"):
    """The whole order book."""

    channel: str
    order_book: BookBody
    timestamp: Count = 0
    """When the venue sent it, Unix milliseconds."""


class TickerUpdate(Wire, tag_field="type", tag="update/ticker"):
    """Best bid and ask; only its arrival is used."""

    channel: str


class TickerSnapshot(Wire, tag_field="type", tag="subscribed/ticker"):
    """First frame of the ticker."""

    channel: str


class StatsUpdate(Wire, tag_field="type", tag="update/market_stats"):
    """Statistics of the market, with the mark price."""

    channel: str
    market_stats: Stats
    timestamp: Count = 0


class StatsSnapshot(Wire, tag_field="type", tag="subscribed/market_stats"):
    """First frame of the statistics."""

    channel: str
    market_stats: Stats
    timestamp: Count = 0


class AccountUpdate(Wire, tag_field="type", tag="update/account_all"):
    """Changes of one account. Partial: a market that is missing is unchanged."""

    channel: str
    positions: dict[str, msgspec.Raw] | None = None
    trades: dict[str, msgspec.Raw] | list[msgspec.Raw] | None = None


class AccountSnapshot(Wire, tag_field="type", tag="subscribed/account_all"):
    """State of one account. Its trades are history."""

    channel: str
    positions: dict[str, msgspec.Raw] | None = None


class OrdersUpdate(Wire, tag_field="type", tag="update/account_all_orders"):
    """Rows of orders that changed, by market."""

    channel: str
    orders: dict[str, msgspec.Raw] | None = None


class OrdersSnapshot(Wire, tag_field="type", tag="subscribed/account_all_orders"):
    """Rows of all open orders, by market."""

    channel: str
    orders: dict[str, msgspec.Raw] | None = None


class TxUpdate(Wire, tag_field="type", tag="update/account_tx"):
    """Transactions of an account and their fate."""

    channel: str
    txs: list[TxRow] | None = None


class TxSnapshot(Wire, tag_field="type", tag="subscribed/account_tx"):
    """First frame of the transactions; may carry none."""

    channel: str
    txs: list[TxRow] | None = None


class UserStatsUpdate(Wire, tag_field="type", tag="update/user_stats"):
    """Balances of an account."""

    channel: str
    stats: UserStats


class UserStatsSnapshot(Wire, tag_field="type", tag="subscribed/user_stats"):
    """First frame of the balances."""

    channel: str
    stats: UserStats


class Connected(Wire, tag_field="type", tag="connected"):
    """The server speaks first."""


class Ping(Wire, tag_field="type", tag="ping"):
    """To be answered with a pong, else the server closes with 1008."""


class Pong(Wire, tag_field="type", tag="pong"):
    """Answer to our ping."""


class Unsubscribed(Wire, tag_field="type", tag="unsubscribed"):
    """A channel has ended."""

    channel: str = ""


class Shutdown(Wire, tag_field="type", tag="shutdown"):
    """The server is about to close."""


class SendReply(Wire, tag_field="type", tag="jsonapi/sendtx"):
    """Answer to one send; the fields stand at the top, or within ``data`` or ``error``."""

    id: str = ""
    code: Count = 0
    message: str = ""
    data: "SendReplyBody | None" = None
    error: ErrorBody | None = None


class SendReplyBody(Wire):
    """A send's answer, nested."""

    id: str = ""
    code: Count = 0
    message: str = ""


class ErrorFrame(Wire, tag_field="type", tag="error"):
    """An error that names its type; the fields stand at the top or within ``error``."""

    code: Count = 0
    message: str = ""
    id: str = ""
    error: ErrorBody | None = None


class BareFrame(Wire):
    """A frame without a type that is read here: an error, or something unknown."""

    type: str = ""
    error: ErrorBody | None = None


Frame = (
    BookUpdate
    | BookSnapshot
    | TickerUpdate
    | TickerSnapshot
    | StatsUpdate
    | StatsSnapshot
    | AccountUpdate
    | AccountSnapshot
    | OrdersUpdate
    | OrdersSnapshot
    | TxUpdate
    | TxSnapshot
    | UserStatsUpdate
    | UserStatsSnapshot
    | Connected
    | Ping
    | Pong
    | Unsubscribed
    | Shutdown
    | SendReply
    | ErrorFrame
)
SNAPSHOTS: Final = (
    BookSnapshot,
    TickerSnapshot,
    StatsSnapshot,
    AccountSnapshot,
    OrdersSnapshot,
    TxSnapshot,
    UserStatsSnapshot,
)

# --- bodies of REST ---------------------------------------------------------------------------------------------


class Envelope(Wire):
    """What every answer has."""

    code: Count
    message: str = ""


class NextNonce(Wire):
    """``nextNonce``."""

    nonce: Count


class MarketDetails(Wire):
    """One market of ``orderBookDetails``."""

    symbol: str
    market_id: Count
    status: str
    min_base_amount: str
    min_quote_amount: str
    size_decimals: Count
    price_decimals: Count
    default_initial_margin_fraction: Count


class MarketList(Wire):
    """``orderBookDetails``: the perpetual markets."""

    order_book_details: list[MarketDetails]


class AccountDetails(Wire):
    """One account of ``account``. Positions list every market ever traded, flat ones too."""

    index: Count
    l1_address: str
    available_balance: str
    total_order_count: Count
    positions: list[PositionRow] | None
    """Null is an empty list to the venue; a list that is missing is unknown."""


class AccountList(Wire):
    """``account``."""

    accounts: list[AccountDetails]


class ApiKey(Wire):
    """One key of ``apikeys``."""

    api_key_index: Count
    public_key: str


class ApiKeyList(Wire):
    """``apikeys``."""

    api_keys: list[ApiKey]


class OrderList(Wire):
    """``accountOrders`` and its like."""

    orders: list[OrderRow] | None = None


class AccountLimits(Wire):
    """``accountLimits``: the tier, and fees in millionths of the notional."""

    user_tier: str
    user_tier_name: str = ""
    current_maker_fee_tick: Signed = 0
    current_taker_fee_tick: Signed = 0
